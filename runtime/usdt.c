/* Notes of static probes and where their arguments are. */
#include "runtime/usdt.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>

enum { NOTE_STAPSDT = 3, MAX_NOTES = 65536 };

/* ---- notes --------------------------------------------------------------------------------------------------------- */

struct note_reader {
	struct arena *a;
	const struct elf_image *e;
	uint64_t base; /* where .stapsdt.base is now; notes say where it was when they were written */
	usdt_list *out;
};

/* A NUL-terminated text at the front of `bytes`. */
static bool take_text(const uint8_t **bytes, size_t *n, struct str *text)
{
	const uint8_t *end = memchr(*bytes, 0, *n);

	if (!end)
		return false;
	*text = (struct str){(const char *)*bytes, (size_t)(end - *bytes)};
	*n -= text->n + 1;
	*bytes = end + 1;
	return true;
}

static bool take_note(struct str owner, uint32_t type, const uint8_t *bytes, size_t n, void *arg)
{
	struct note_reader *r = arg;
	struct usdt_note note = {0};
	uint64_t words[3]; /* the place, the base, the semaphore */
	size_t word = r->e->is64 ? 8 : 4, i;

	if (type != NOTE_STAPSDT || !str_is(owner, "stapsdt") || n < 3 * word)
		return true;
	for (i = 0; i < 3; i++) {
		words[i] = 0;
		memcpy(&words[i], bytes + i * word, word);
	}
	bytes += 3 * word;
	n -= 3 * word;
	if (!take_text(&bytes, &n, &note.provider) || !take_text(&bytes, &n, &note.name))
		return true;
	if (!take_text(&bytes, &n, &note.args))
		note.args = STR("");
	if (r->base) { /* prelink moves the file but not the notes */
		words[0] += r->base - words[1];
		if (words[2])
			words[2] += r->base - words[1];
	}
	if (!elf_address_to_offset(r->e, words[0], &note.offset))
		return true;
	if (words[2] && !elf_address_to_offset(r->e, words[2], &note.semaphore))
		return true;
	note.provider = str_copy(r->a, note.provider);
	note.name = str_copy(r->a, note.name);
	note.args = str_copy(r->a, note.args);
	VEC_PUSH(r->a, r->out, note);
	return r->out->n < MAX_NOTES;
}

void usdt_read(struct arena *a, const struct elf_image *e, usdt_list *out)
{
	const struct elf_section *notes = elf_section(e, ".note.stapsdt"), *base = elf_section(e, ".stapsdt.base");
	struct note_reader r = {.a = a, .e = e, .base = base ? base->address : 0, .out = out};

	if (notes)
		elf_each_note(e, notes, take_note, &r);
}

/* ---- arguments ----------------------------------------------------------------------------------------------------- */

#define REG(field) offsetof(struct user_regs_struct, field)

/* Names of each register for 8, 4, 2 and 1 bytes.  struct user_regs_struct begins as the kernel's struct pt_regs does. */
static const struct {
	const char *names[6];
	uint16_t offset;
} registers[] = {
	{{"rip", "eip"}, REG(rip)},
	{{"rax", "eax", "ax", "al"}, REG(rax)},
	{{"rbx", "ebx", "bx", "bl"}, REG(rbx)},
	{{"rcx", "ecx", "cx", "cl"}, REG(rcx)},
	{{"rdx", "edx", "dx", "dl"}, REG(rdx)},
	/* The second byte, read from there. */
	{{"ah"}, REG(rax) + 1},
	{{"bh"}, REG(rbx) + 1},
	{{"ch"}, REG(rcx) + 1},
	{{"dh"}, REG(rdx) + 1},
	{{"rsi", "esi", "si", "sil"}, REG(rsi)},
	{{"rdi", "edi", "di", "dil"}, REG(rdi)},
	{{"rbp", "ebp", "bp", "bpl"}, REG(rbp)},
	{{"rsp", "esp", "sp", "spl"}, REG(rsp)},
	{{"r8", "r8d", "r8w", "r8b"}, REG(r8)},
	{{"r9", "r9d", "r9w", "r9b"}, REG(r9)},
	{{"r10", "r10d", "r10w", "r10b"}, REG(r10)},
	{{"r11", "r11d", "r11w", "r11b"}, REG(r11)},
	{{"r12", "r12d", "r12w", "r12b"}, REG(r12)},
	{{"r13", "r13d", "r13w", "r13b"}, REG(r13)},
	{{"r14", "r14d", "r14w", "r14b"}, REG(r14)},
	{{"r15", "r15d", "r15w", "r15b"}, REG(r15)},
};

/* "%rdi" at the front of `text`. */
static bool take_register(struct str *text, uint16_t *offset)
{
	size_t n, i, j;

	if (!text->n || text->s[0] != '%')
		return false;
	for (n = 1; n < text->n && ((text->s[n] >= 'a' && text->s[n] <= 'z') || (text->s[n] >= '0' && text->s[n] <= '9')); n++)
		;
	for (i = 0; i < sizeof(registers) / sizeof(*registers); i++)
		for (j = 0; registers[i].names[j]; j++)
			if (str_is(str_sub(*text, 1, n - 1), registers[i].names[j])) {
				*offset = registers[i].offset;
				*text = str_sub(*text, n, text->n);
				return true;
			}
	return false;
}

/* A number at the front, decimal or hexadecimal, maybe negative; *value is 0 and true when there is none. */
static void take_number(struct str *text, int64_t *value)
{
	char copy[32], *end;
	size_t n = text->n < sizeof(copy) - 1 ? text->n : sizeof(copy) - 1;

	*value = 0;
	if (!n || !(text->s[0] == '-' || text->s[0] == '+' || (text->s[0] >= '0' && text->s[0] <= '9')))
		return;
	memcpy(copy, text->s, n);
	copy[n] = '\0';
	*value = (int64_t)strtoull(copy, &end, 0);
	*text = str_sub(*text, (size_t)(end - copy), text->n);
}

static bool take_char(struct str *text, char c)
{
	if (!text->n || text->s[0] != c)
		return false;
	*text = str_sub(*text, 1, text->n);
	return true;
}

static bool is_symbol_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '$';
}

/* name(%rip), name+8(%rip), name: a variable of the program.  Where it is from the place of the probe does not depend on where the
 * program is loaded. */
static bool parse_symbol(struct str text, const struct usdt_scope *scope, struct usdt_arg *arg)
{
	uint64_t address, size;
	int64_t more;
	size_t n = 0;

	while (n < text.n && is_symbol_char(text.s[n]))
		n++;
	if (!n || !scope || !elf_find_data(scope->image, str_sub(text, 0, n), &address, &size))
		return false;
	text = str_sub(text, n, text.n);
	take_number(&text, &more);
	if (text.n && !str_is(text, "(%rip)"))
		return false;
	arg->kind = USDT_ARG_MEMORY;
	arg->reg = REG(rip);
	arg->value = (int64_t)(address + (uint64_t)more - scope->address);
	return true;
}

/* disp(%base), disp(%base,%index,scale), (%base) */
static bool parse_memory(struct str text, const struct usdt_scope *scope, struct usdt_arg *arg)
{
	int64_t scale = 1;

	if (text.n && is_symbol_char(text.s[0]) && !(text.s[0] >= '0' && text.s[0] <= '9'))
		return parse_symbol(text, scope, arg);

	arg->kind = USDT_ARG_MEMORY;
	arg->index = USDT_NO_INDEX;
	take_number(&text, &arg->value);
	if (!take_char(&text, '(') || !take_register(&text, &arg->reg))
		return false;
	if (take_char(&text, ',')) {
		if (!take_register(&text, &arg->index))
			return false;
		if (take_char(&text, ','))
			take_number(&text, &scale);
	}
	if (scale != 1 && scale != 2 && scale != 4 && scale != 8)
		return false;
	arg->scale = (uint8_t)__builtin_ctz((unsigned)scale);
	return take_char(&text, ')') && !text.n;
}

/* "-4@$5", "8@%rdi", "8@16(%rbp)" */
static bool parse_arg(struct str text, const struct usdt_scope *scope, struct usdt_arg *arg)
{
	int64_t size;

	*arg = (struct usdt_arg){.index = USDT_NO_INDEX};
	take_number(&text, &size);
	arg->is_signed = size < 0;
	if (size < 0)
		size = -size;
	if ((size != 1 && size != 2 && size != 4 && size != 8) || !take_char(&text, '@'))
		return false; /* also floating point: "8f@%xmm0" */
	arg->shift = (uint8_t)(64 - 8 * size);
	if (take_char(&text, '$')) {
		arg->kind = USDT_ARG_CONST;
		take_number(&text, &arg->value);
		return !text.n;
	}
	if (take_register(&text, &arg->reg)) {
		arg->kind = USDT_ARG_REG;
		return !text.n;
	}
	return parse_memory(text, scope, arg);
}

bool usdt_parse_args(struct str text, const struct usdt_scope *scope, struct usdt_place *out)
{
	bool all = true;

	memset(out, 0, sizeof(*out));
	text = str_trim(text);
	while (text.n && out->nargs < USDT_MAX_ARGS) {
		size_t n = 0;

		/* Blanks inside parentheses belong to the operand. */
		for (int depth = 0; n < text.n && (depth || text.s[n] != ' '); n++)
			depth += text.s[n] == '(' ? 1 : text.s[n] == ')' ? -1 : 0;
		if (!parse_arg(str_sub(text, 0, n), scope, &out->args[out->nargs])) {
			out->args[out->nargs] = (struct usdt_arg){.kind = USDT_ARG_NONE};
			all = false;
		}
		out->nargs++;
		text = str_trim(str_sub(text, n, text.n));
	}
	return all;
}
