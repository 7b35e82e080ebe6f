/* Where the parameters of a function are: at its first instruction by the calling convention, further on by what the debug information
 * says of that very place. */
#include "runtime/dwarf_child.h"

#include <dwarf.h>
#include <stdlib.h>

#include "runtime/dwarf.h"

enum { MAX_CHAIN = 64 }; /* typedefs of typedefs */

/* ---- at the beginning ----------------------------------------------------------------------------------------------------- */

/* Words of struct pt_regs. */
#if defined(__x86_64__)
static const uint8_t argument_words[] = {14, 13, 12, 11, 9, 8};
static const uint8_t dwarf_words[] = {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0};
enum { STACK_START = 8, STACK_REGISTER = 7 }; /* arguments come behind the return address */
#elif defined(__aarch64__)
static const uint8_t argument_words[] = {0, 1, 2, 3, 4, 5, 6, 7};
static const uint8_t dwarf_words[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
				      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
enum { STACK_START = 0, STACK_REGISTER = 31 };
#endif

enum { ARGUMENT_REGISTERS = sizeof(argument_words), FLOAT_REGISTERS = 8 };

struct shape {
	uint64_t size;
	bool integer[2], floating[2]; /* what its first and second eight bytes hold */
	bool memory;		      /* goes over the stack whatever it holds */
	bool reference;		      /* its address is passed */
	bool aggregate;
};

static void classify(struct dwarf_file *f, Dwarf_Die *die, uint64_t at, struct shape *s, int depth)
{
	uint64_t convention = 0, encoding = 0, offset;
	Dwarf_Die type, child, copy;
	Dwarf_Attribute attr;
	uint64_t size;

	for (type = *die; depth < MAX_CHAIN; depth++) {
		int tag = dwarf_tag(&type);

		if (tag != DW_TAG_typedef && tag != DW_TAG_const_type && tag != DW_TAG_volatile_type && tag != DW_TAG_restrict_type &&
		    tag != DW_TAG_atomic_type)
			break;
		copy = type;
		if (!die_type(&copy, &type))
			return;
	}
	if (depth >= MAX_CHAIN)
		return;
	size = dwarf_size(&type);
	switch (dwarf_tag(&type)) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		if (dwarf_attr(&type, DW_AT_declaration, &attr) && dwarf_definition(f, &type, &copy)) {
			type = copy;
			size = dwarf_size(&type);
		}
		s->aggregate = true;
		if (die_unsigned(&type, DW_AT_calling_convention, &convention) && convention == DW_CC_pass_by_reference)
			s->reference = true;
		if (at + size > 16)
			s->memory = true;
		else if (!dwarf_child(&type, &child))
			do {
				int tag = dwarf_tag(&child);

				if ((tag == DW_TAG_member || tag == DW_TAG_inheritance) &&
				    !dwarf_attr(&child, DW_AT_external, &attr) && !dwarf_attr(&child, DW_AT_declaration, &attr) &&
				    dwarf_member_offset(&child, &offset) && die_type(&child, &copy))
					classify(f, &copy, at + offset, s, depth + 1);
			} while (!dwarf_siblingof(&child, &child));
		break;
	case DW_TAG_array_type:
		/* Only inside of structs.  Elements of 16 bytes at most, so each eight bytes hold what the first element holds. */
		s->aggregate = true;
		copy = type;
		if (die_type(&copy, &type))
			for (offset = at; offset < 16; offset += 8)
				classify(f, &type, offset, s, depth + 1);
		return;
	case DW_TAG_base_type:
		die_unsigned(&type, DW_AT_encoding, &encoding);
		if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float) {
			if (size > 8)
				s->memory = true; /* long double */
			else if (at < 16)
				s->floating[at / 8] = true;
			break;
		}
		if (at < 16)
			s->integer[at / 8] = true;
		if (size > 8 && at == 0)
			s->integer[1] = true;
		break;
	case DW_TAG_unspecified_type:
		return;
	default: /* pointers, references, enums */
		if (!size)
			size = 8;
		if (at < 16)
			s->integer[at / 8] = true;
	}
	if (at + size > s->size)
		s->size = at + size;
}

static struct arg_place pass(struct convention *c, const struct shape *s)
{
	unsigned integers = 0, floats = 0, i;
	struct arg_place p = {ARG_NOWHERE, ABSENT_UNSEEN, 0};

	if (s->reference) {
		if (c->integers < ARGUMENT_REGISTERS)
			return (struct arg_place){ARG_REFERENCE, argument_words[c->integers++], 0};
		c->stack += 8;
		return p;
	}
	for (i = 0; i < 2; i++) {
		integers += s->integer[i];
		floats += !s->integer[i] && s->floating[i];
	}
	if (!s->memory && !integers && !floats)
		return p; /* an empty class, or unknown */
	if (s->memory || c->integers + integers > ARGUMENT_REGISTERS || c->floats + floats > FLOAT_REGISTERS) {
		p = (struct arg_place){ARG_MEMORY, dwarf_words[STACK_REGISTER], STACK_START + c->stack};
		c->stack += ((unsigned)(s->size > DWARF_MAX_SIZE ? 0 : s->size) + 7) & ~7u;
		return p;
	}
	if (!floats && integers == 1)
		p = (struct arg_place){ARG_REGISTER, argument_words[c->integers], 0};
	else if (!floats)
		p = (struct arg_place){ARG_TWO_REGISTERS, argument_words[c->integers], argument_words[c->integers + 1]};
	c->integers += integers;
	c->floats += floats;
	return p;
}

static bool register_of(unsigned number, uint32_t *word)
{
	if (number >= sizeof(dwarf_words))
		return false;
	*word = dwarf_words[number];
	return true;
}

static bool register_word(const Dwarf_Op *op, uint32_t *word)
{
	if (op->atom == DW_OP_regx)
		return op->number <= UINT32_MAX && register_of((unsigned)op->number, word);
	return op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31 && register_of(op->atom - DW_OP_reg0, word);
}

static bool in_two_registers(const Dwarf_Op *ops, size_t n, uint32_t *a, uint32_t *b)
{
	return n == 4 && register_word(&ops[0], a) && register_word(&ops[2], b) && ops[1].atom == DW_OP_piece && ops[1].number == 8 &&
	       ops[3].atom == DW_OP_piece;
}

/* Compilers say where a parameter is at the function's first instruction when they were free to choose (Rust, gcc's own copies of
 * functions).  Places in the frame do not count: it does not exist yet. */
static void believe_location(Dwarf_Die *param, uint64_t entry, struct arg_place *p)
{
	Dwarf_Attribute attr;
	size_t n[1];
	Dwarf_Op *ops[1];
	uint32_t a, b;

	if (!dwarf_attr(param, DW_AT_location, &attr) || dwarf_getlocation_addr(&attr, entry, ops, n, 1) != 1)
		return;
	if (n[0] == 1 && register_word(ops[0], &a))
		*p = (struct arg_place){p->where == ARG_REFERENCE ? ARG_REFERENCE : ARG_REGISTER, a, 0};
	else if (in_two_registers(ops[0], n[0], &a, &b))
		*p = (struct arg_place){ARG_TWO_REGISTERS, a, b};
	else if (n[0] == 1 && ops[0][0].atom >= DW_OP_reg0 && ops[0][0].atom <= DW_OP_reg31)
		*p = (struct arg_place){ARG_NOWHERE, ABSENT_UNSEEN, 0};
}

void dwarf_convention(struct dwarf_file *f, Dwarf_Die *function, struct convention *c)
{
	struct shape s = {0};
	Dwarf_Die type;

	*c = (struct convention){0};
	if (!die_type(function, &type))
		return;
	classify(f, &type, 0, &s, 0);
	c->integers = s.reference || (s.memory && s.aggregate); /* where the result is to be put comes first */
}

struct arg_place dwarf_place_at_entry(struct dwarf_file *f, struct convention *c, Dwarf_Die *param, uint64_t entry)
{
	struct shape s = {0};
	struct arg_place p;
	Dwarf_Die type;

	if (die_type(param, &type))
		classify(f, &type, 0, &s, 0);
	p = pass(c, &s);
	believe_location(param, entry, &p);
	return p;
}

/* ---- further on ------------------------------------------------------------------------------------------------------------- */

struct base { /* that memory is counted from */
	uint32_t word;
	int64_t offset;
	bool early; /* the frame is not set up at this place */
};

/* "breg N" in its forms. */
static bool register_sum(const Dwarf_Op *op, struct base *b)
{
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		b->offset = (int64_t)op->number;
		return register_of(op->atom - DW_OP_breg0, &b->word);
	}
	b->offset = (int64_t)op->number2;
	return op->atom == DW_OP_bregx && op->number <= UINT32_MAX && register_of((unsigned)op->number, &b->word);
}

/* The canonical frame address at the place, by the tables that unwinders use. */
static bool frame_address(const struct code_place *at, struct base *b)
{
	Dwarf_CFI *tables[2] = {dwarf_unwind_tables(at->image), dwarf_getcfi(at->file->dw)};
	bool known = false;
	int i;

	for (i = 0; i < 2 && !known; i++) {
		Dwarf_Frame *frame = NULL;
		Dwarf_Op *ops;
		size_t n;

		if (!tables[i] || dwarf_cfi_addrframe(tables[i], at->address, &frame))
			continue;
		known = !dwarf_frame_cfa(frame, &ops, &n) && n == 1 && register_sum(&ops[0], b);
		free(frame);
	}
	return known;
}

/* Behind which the function's variables are in its frame. */
static uint64_t end_of_prologue(const struct code_place *at)
{
	Dwarf_Addr entry = 0, *places = NULL;
	uint64_t end = 0;
	int n;

	if (dwarf_entrypc(at->function, &entry))
		return 0;
	n = dwarf_entry_breakpoints(at->function, &places);
	if (n > 0)
		end = places[0];
	free(places);
	return at->address >= entry && at->address < end ? end - entry : 0;
}

/* What offsets of variables in the frame are counted from. */
static bool frame_base(const struct code_place *at, struct base *b)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops[1];
	size_t n[1];

	if (!die_attr(at->function, DW_AT_frame_base, &attr) || dwarf_getlocation_addr(&attr, at->address, ops, n, 1) != 1 || n[0] != 1)
		return false;
	if (ops[0][0].atom == DW_OP_call_frame_cfa)
		return frame_address(at, b);
	b->early = true; /* a register that the prologue sets up */
	b->offset = 0;
	return register_word(&ops[0][0], &b->word) || register_sum(&ops[0][0], b);
}

static bool small_constant(const Dwarf_Op *op, uint64_t *value)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31) {
		*value = op->atom - DW_OP_lit0;
		return true;
	}
	*value = op->number;
	return (op->atom >= DW_OP_const1u && op->atom <= DW_OP_consts) || op->atom == DW_OP_implicit_value;
}

static struct arg_place constant(uint64_t value)
{
	return (struct arg_place){ARG_CONSTANT, (uint32_t)value, (uint32_t)(value >> 32)};
}

static bool is_entry_value(const Dwarf_Op *ops, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ops[i].atom == DW_OP_entry_value || ops[i].atom == DW_OP_GNU_entry_value || ops[i].atom == DW_OP_GNU_parameter_ref ||
		    (ops[i].atom == DW_OP_piece && (!i || ops[i - 1].atom == DW_OP_piece)))
			return true;
	return false;
}

static struct arg_place from_base(const struct base *b, int64_t offset, enum arg_where where)
{
	int64_t sum = b->offset + offset;

	if (sum != (int32_t)sum)
		return (struct arg_place){ARG_NOWHERE, ABSENT_UNSEEN, 0};
	return (struct arg_place){where, b->word, (uint32_t)sum};
}

/* A variable in the frame.  One without a list of places is said to be there all along: what the caller has put on the stack is, the
 * rest from the end of the prologue on. */
static struct arg_place in_frame(const struct code_place *at, int64_t offset, bool is_list)
{
	uint64_t prologue = is_list ? 0 : end_of_prologue(at);
	struct base b = {0};

	if (!frame_base(at, &b))
		return (struct arg_place){ARG_NOWHERE, ABSENT_COMPUTED, 0};
	if (prologue && (b.early || offset < 0))
		return (struct arg_place){ARG_NOWHERE, ABSENT_EARLY, (uint32_t)prologue};
	return from_base(&b, offset, ARG_MEMORY);
}

static struct arg_place place_of(const struct code_place *at, const Dwarf_Op *ops, size_t n, bool is_list)
{
	struct base b = {0};
	uint64_t value;
	uint32_t first, second;

	if (!n || is_entry_value(ops, n))
		return (struct arg_place){ARG_NOWHERE, ABSENT_OPTIMISED, 0};
	if (n == 1 && register_word(&ops[0], &first))
		return (struct arg_place){ARG_REGISTER, first, 0};
	if (in_two_registers(ops, n, &first, &second))
		return (struct arg_place){ARG_TWO_REGISTERS, first, second};
	if (n == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		return (struct arg_place){ARG_NOWHERE, ABSENT_UNSEEN, 0};
	if (n == 1 && ops[0].atom == DW_OP_fbreg)
		return in_frame(at, (int64_t)ops[0].number, is_list);
	if (n == 1 && ops[0].atom == DW_OP_call_frame_cfa && frame_address(at, &b))
		return from_base(&b, 0, ARG_MEMORY);
	if (n == 1 && register_sum(&ops[0], &b))
		return from_base(&b, 0, ARG_MEMORY);
	if (n == 2 && ops[1].atom == DW_OP_stack_value && register_sum(&ops[0], &b))
		return from_base(&b, 0, ARG_SUM);
	if (n == 2 && ops[1].atom == DW_OP_stack_value && ops[0].atom == DW_OP_fbreg && frame_base(at, &b))
		return from_base(&b, (int64_t)ops[0].number, ARG_SUM);
	if (n == 2 && ops[1].atom == DW_OP_stack_value && small_constant(&ops[0], &value))
		return constant(value);
	return (struct arg_place){ARG_NOWHERE, ABSENT_COMPUTED, 0};
}

struct arg_place dwarf_place_inside(const struct code_place *at, Dwarf_Die *param)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops[1];
	Dwarf_Word unsigned_value;
	Dwarf_Sword value;
	size_t n[1];
	bool is_list;

	if (dwarf_attr(param, DW_AT_const_value, &attr)) {
		bool is_signed = dwarf_whatform(&attr) == DW_FORM_sdata || dwarf_whatform(&attr) == DW_FORM_implicit_const;

		if (is_signed && !dwarf_formsdata(&attr, &value))
			return constant((uint64_t)value);
		if (!is_signed && !dwarf_formudata(&attr, &unsigned_value))
			return constant(unsigned_value);
		return (struct arg_place){ARG_NOWHERE, ABSENT_COMPUTED, 0};
	}
	if (!dwarf_attr(param, DW_AT_location, &attr))
		return (struct arg_place){ARG_NOWHERE, ABSENT_OPTIMISED, 0};
	is_list = dwarf_whatform(&attr) != DW_FORM_exprloc && dwarf_whatform(&attr) != DW_FORM_block1;
	if (dwarf_getlocation_addr(&attr, at->address, ops, n, 1) != 1)
		return (struct arg_place){ARG_NOWHERE, ABSENT_OPTIMISED, 0};
	return place_of(at, ops[0], n[0], is_list);
}
