/* Instruction lengths of x86_64 (Intel SDM volume 2, chapter 2 and the opcode maps of appendix A). */
#include "runtime/instructions.h"

#include <stdbool.h>

struct cursor {
	const uint8_t *code;
	size_t n, at;
	bool operand16, address32, wide; /* prefixes 66 and 67, REX.W */
	bool cut;			 /* ran out of bytes */
};

enum { MAX_LENGTH = 15 };

static uint8_t next(struct cursor *c)
{
	if (c->at >= c->n || c->at >= MAX_LENGTH) {
		c->cut = true;
		return 0;
	}
	return c->code[c->at++];
}

/* ModRM, SIB and displacement; the reg field is returned. */
static unsigned take_modrm(struct cursor *c)
{
	uint8_t modrm = next(c), mod = modrm >> 6, rm = modrm & 7, sib = 0;

	if (mod == 3)
		return modrm >> 3 & 7;
	if (rm == 4)
		sib = next(c);
	if (mod == 1)
		c->at += 1;
	else if (mod == 2 || rm == 5 || (rm == 4 && (sib & 7) == 5))
		c->at += 4;
	return modrm >> 3 & 7;
}

static size_t imm_z(const struct cursor *c)
{
	return c->operand16 && !c->wide ? 2 : 4;
}

/* Opcodes of the 0F map, also as VEX and EVEX have them. */
static bool take_map1(struct cursor *c, uint8_t op, bool vex)
{
	bool no_modrm = (op >= 0x30 && op <= 0x37) || op == 0x77 || op == 0x05 || op == 0x06 || op == 0x07 || op == 0x08 ||
			op == 0x09 || op == 0x0b || op == 0x0e || (op >= 0xa0 && op <= 0xa2) || (op >= 0xa8 && op <= 0xaa) ||
			(op >= 0xc8 && op <= 0xcf);

	if (!vex && op >= 0x80 && op <= 0x8f) {
		c->at += 4;
		return true;
	}
	if (no_modrm && (!vex || op == 0x77))
		return true;
	take_modrm(c);
	if ((op >= 0x70 && op <= 0x73) || op == 0xc2 || (op >= 0xc4 && op <= 0xc6) ||
	    (!vex && (op == 0xa4 || op == 0xac || op == 0xba || op == 0x0f)))
		c->at += 1;
	return true;
}

static bool take_map(struct cursor *c, unsigned map, bool vex)
{
	uint8_t op = next(c);

	switch (map) {
	case 1:
		return take_map1(c, op, vex);
	case 2:
	case 5:
	case 6:
		take_modrm(c);
		return true;
	case 3:
		take_modrm(c);
		c->at += 1;
		return true;
	}
	return false;
}

static bool take_low(struct cursor *c, uint8_t op)
{
	if (op < 0x40) {
		if ((op & 7) < 4)
			take_modrm(c);
		else if ((op & 7) == 4)
			c->at += 1;
		else if ((op & 7) == 5)
			c->at += imm_z(c);
		else
			return false;
		return true;
	}
	if (op >= 0x50 && op <= 0x5f)
		return true;
	if (op >= 0x70 && op <= 0x7f) {
		c->at += 1;
		return true;
	}
	switch (op) {
	case 0x63:
		take_modrm(c);
		return true;
	case 0x68:
		c->at += imm_z(c);
		return true;
	case 0x69:
		take_modrm(c);
		c->at += imm_z(c);
		return true;
	case 0x6a:
		c->at += 1;
		return true;
	case 0x6b:
		take_modrm(c);
		c->at += 1;
		return true;
	case 0x6c:
	case 0x6d:
	case 0x6e:
	case 0x6f:
		return true;
	}
	return false;
}

static bool take_high(struct cursor *c, uint8_t op)
{
	unsigned reg;

	if ((op >= 0x84 && op <= 0x8f) || (op >= 0xd0 && op <= 0xd3) || (op >= 0xd8 && op <= 0xdf) || op >= 0xfe) {
		take_modrm(c);
		return true;
	}
	if (op == 0x80 || op == 0x83 || op == 0xc0 || op == 0xc1 || op == 0xc6 || op == 0x81 || op == 0xc7) {
		take_modrm(c);
		c->at += op == 0x81 || op == 0xc7 ? imm_z(c) : 1;
		return true;
	}
	if (op == 0xf6 || op == 0xf7) {
		reg = take_modrm(c);
		if (reg < 2) /* test has a constant */
			c->at += op == 0xf6 ? 1 : imm_z(c);
		return true;
	}
	if (op >= 0xa0 && op <= 0xa3)
		c->at += c->address32 ? 4 : 8;
	else if (op == 0xa9)
		c->at += imm_z(c);
	else if (op == 0xa8 || (op >= 0xb0 && op <= 0xb7) || op == 0xcd || (op >= 0xe0 && op <= 0xe7) || op == 0xeb)
		c->at += 1;
	else if (op >= 0xb8 && op <= 0xbf)
		c->at += c->wide ? 8 : imm_z(c);
	else if (op == 0xc2 || op == 0xca)
		c->at += 2;
	else if (op == 0xc8)
		c->at += 3;
	else if (op == 0xe8 || op == 0xe9)
		c->at += 4;
	else
		return op != 0x82 && op != 0x9a && op != 0xce && op != 0xd4 && op != 0xd5 && op != 0xd6 && op != 0xea;
	return true;
}

static bool take_instruction(struct cursor *c)
{
	uint8_t op = next(c), payload;

	for (;; op = next(c)) {
		if (op == 0x66)
			c->operand16 = true;
		else if (op == 0x67)
			c->address32 = true;
		else if (op != 0xf0 && op != 0xf2 && op != 0xf3 && op != 0x2e && op != 0x36 && op != 0x3e && op != 0x26 &&
			 op != 0x64 && op != 0x65)
			break;
	}
	if ((op & 0xf0) == 0x40) { /* REX */
		c->wide = op & 8;
		op = next(c);
	}
	switch (op) {
	case 0x0f:
		op = next(c);
		if (op == 0x38)
			return take_map(c, 2, false);
		if (op == 0x3a)
			return take_map(c, 3, false);
		return take_map1(c, op, false);
	case 0xc5:
		next(c);
		return take_map(c, 1, true);
	case 0xc4:
		payload = next(c);
		next(c);
		return take_map(c, payload & 31, true);
	case 0x62:
		payload = next(c);
		next(c);
		next(c);
		return take_map(c, payload & 7, true);
	}
	return op < 0x80 ? take_low(c, op) : take_high(c, op);
}

size_t instruction_length(const uint8_t *code, size_t n)
{
	struct cursor c = {.code = code, .n = n};

	if (!take_instruction(&c) || c.cut || c.at > n || c.at > MAX_LENGTH)
		return 0;
	return c.at;
}
