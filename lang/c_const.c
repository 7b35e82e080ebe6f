/* Constant expressions of C, evaluated while they are read.  Values are 64 bits; unsigned ones are marked, because comparisons,
 * divisions and shifts right depend on it, and those of 32 bits, so that ~0u is 4294967295.  Signed ones keep 64 bits: 1 << 31 is
 * 2147483648, as in a script. */
#include "lang/c_const.h"

#include <ctype.h>

#include "lang/c_types.h"

enum { MOST_DEPTH = 200 };

struct value {
	int64_t v;
	bool u;	     /* unsigned */
	bool narrow; /* has 32 bits; meant where it is unsigned */
	bool ok;
};

static const struct value nothing = {0};

static struct value conditional(struct c_cursor *c);

const struct c_token *c_peek(const struct c_cursor *c)
{
	static const struct c_token end;

	return c->at < c->end ? c->at : &end;
}

bool c_take(struct c_cursor *c, const char *text)
{
	if (!c_is(c_peek(c), text))
		return false;
	c->at++;
	return true;
}

/* ---- numbers -------------------------------------------------------------------------------------------------------------- */

static bool char_constant(struct str text, int64_t *value)
{
	static const char letters[] = "ntrabfve0\\'\"?", meanings[] = "\n\t\r\a\b\f\v\033\0\\'\"?";
	struct str body = str_sub(text, 1, text.n > 2 ? text.n - 2 : 0);
	const char *known;

	if (body.n == 1 && body.s[0] != '\\') {
		*value = (signed char)body.s[0];
		return true;
	}
	if (body.n < 2 || body.s[0] != '\\')
		return false;
	*value = 0;
	if (body.s[1] == 'x') {
		for (size_t i = 2; i < body.n; i++) {
			int c = tolower((unsigned char)body.s[i]);

			if (!isxdigit(c) || i > 3)
				return false;
			*value = *value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
		}
		return true;
	}
	if (body.s[1] >= '0' && body.s[1] <= '7') {
		for (size_t i = 1; i < body.n; i++) {
			if (body.s[i] < '0' || body.s[i] > '7' || i > 3)
				return false;
			*value = *value * 8 + (body.s[i] - '0');
		}
		return true;
	}
	known = strchr(letters, body.s[1]);
	if (!known || body.n != 2)
		return false;
	*value = meanings[known - letters];
	return true;
}

bool c_number(struct str text, int64_t *value, bool *is_unsigned)
{
	unsigned base = 10;
	uint64_t v = 0;
	size_t i = 0;

	*is_unsigned = false;
	if (text.n && text.s[0] == '\'')
		return char_constant(text, value);
	if (text.n > 2 && text.s[0] == '0' && tolower((unsigned char)text.s[1]) == 'x')
		base = 16, i = 2;
	else if (text.n > 2 && text.s[0] == '0' && tolower((unsigned char)text.s[1]) == 'b')
		base = 2, i = 2;
	else if (text.n > 1 && text.s[0] == '0')
		base = 8, i = 1;
	for (; i < text.n; i++) {
		int c = tolower((unsigned char)text.s[i]);
		unsigned digit = isdigit(c) ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 99;

		if (digit >= base)
			break;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	for (; i < text.n; i++) {
		int c = tolower((unsigned char)text.s[i]);

		if (c == 'u')
			*is_unsigned = true;
		else if (c != 'l')
			return false; /* a fraction, or no number at all */
	}
	*value = (int64_t)v;
	*is_unsigned = *is_unsigned || v > INT64_MAX;
	return true;
}

/* ---- expressions ------------------------------------------------------------------------------------------------------------ */

static struct value wrapped(struct value v)
{
	if (v.u && v.narrow)
		v.v = (uint32_t)v.v;
	return v;
}

static struct value converted(struct value v, const struct c_type *to)
{
	unsigned bits = to->kind == CT_INT && to->size < 8 ? (unsigned)to->size * 8 : 64;

	if (to->kind != CT_INT)
		return v;
	v.u = !to->is_signed && bits >= 32; /* smaller ones become an int at once */
	v.narrow = bits <= 32;
	if (bits < 64)
		v.v = to->is_signed ? (int64_t)((uint64_t)v.v << (64 - bits)) >> (64 - bits)
				    : (int64_t)((uint64_t)v.v & ((1ull << bits) - 1));
	return v;
}

static struct value name(struct c_cursor *c)
{
	struct value v = {.ok = true};
	struct str text = c_peek(c)->text;

	c->at++;
	if (str_is(text, "sizeof") || str_is(text, "_Alignof") || str_is(text, "__alignof__"))
		v.ok = c->size_of && str_is(text, "sizeof") && c->size_of(c, &v.v);
	else if (c->name)
		v.ok = c->name(c, text, &v.v);
	else
		v.v = str_is(text, "true");
	v.u = str_is(text, "sizeof");
	return v;
}

static bool has_letter_l(struct str number)
{
	return str_find(number, 'l') < number.n || str_find(number, 'L') < number.n;
}

static struct value primary(struct c_cursor *c)
{
	const struct c_token *t = c_peek(c);
	struct value v = {0};

	if (t->kind == C_NAME)
		return name(c);
	if (t->kind == C_NUMBER || t->kind == C_CHAR) {
		v.ok = c_number(t->text, &v.v, &v.u);
		v.narrow = v.u && v.v == (uint32_t)v.v && c->name && !has_letter_l(t->text); /* #if has 64 bits */
		c->at++;
		return v;
	}
	if (!c_take(c, "("))
		return nothing;
	v = conditional(c);
	return c_take(c, ")") ? v : nothing;
}

static struct value unary(struct c_cursor *c)
{
	static const char *const ops[] = {"-", "+", "!", "~"};
	const struct c_type *to;
	struct value v = nothing;
	size_t i;

	if (c->depth > MOST_DEPTH)
		return nothing;
	c->depth++;
	for (i = 0; i < 4; i++)
		if (c_take(c, ops[i]))
			break;
	if (i < 4)
		v = unary(c);
	else if (c->cast && c_is(c_peek(c), "(") && (to = c->cast(c)))
		v = converted(unary(c), to);
	else
		v = primary(c);
	c->depth--;
	if (i == 0)
		v.v = (int64_t)(0 - (uint64_t)v.v);
	if (i == 2)
		v.v = !v.v, v.u = false;
	if (i == 3)
		v.v = ~v.v;
	return wrapped(v);
}

/* Operators by how tightly they bind. */
static const struct {
	const char *text;
	int level;
} operators[] = {
	{"||", 1}, {"&&", 2}, {"|", 3},	 {"^", 4},  {"&", 5},  {"==", 6}, {"!=", 6}, {"<", 7}, {">", 7},
	{"<=", 7}, {">=", 7}, {"<<", 8}, {">>", 8}, {"+", 9}, {"-", 9},	 {"*", 10}, {"/", 10}, {"%", 10},
};

static int operator_level(const struct c_token *t)
{
	for (size_t i = 0; t->kind == C_PUNCT && i < sizeof(operators) / sizeof(operators[0]); i++)
		if (str_is(t->text, operators[i].text))
			return operators[i].level;
	return 0;
}

static struct value divide(struct value a, struct value b, bool remainder)
{
	struct value v = {.u = a.u || b.u, .ok = b.v != 0};

	if (!v.ok || (!v.u && a.v == INT64_MIN && b.v == -1))
		return nothing;
	if (v.u)
		v.v = (int64_t)(remainder ? (uint64_t)a.v % (uint64_t)b.v : (uint64_t)a.v / (uint64_t)b.v);
	else
		v.v = remainder ? a.v % b.v : a.v / b.v;
	return v;
}

static struct value shift(struct value a, struct value b, bool left)
{
	struct value v = {.u = a.u, .narrow = a.narrow, .ok = true};

	if (b.v < 0 || b.v > 63)
		return nothing;
	if (left)
		v.v = (int64_t)((uint64_t)a.v << b.v);
	else
		v.v = a.u ? (int64_t)((uint64_t)a.v >> b.v) : a.v >> b.v;
	return v;
}

static bool less(struct value a, struct value b)
{
	return a.u || b.u ? (uint64_t)a.v < (uint64_t)b.v : a.v < b.v;
}

/* A signed number is not marked as one of 32 bits: it may be where it could be. */
static bool fits_int(struct value v)
{
	return !v.u && v.v == (int32_t)v.v;
}

static struct value combine(struct str op, struct value a, struct value b)
{
	struct value v = {.u = a.u || b.u, .narrow = (a.narrow || fits_int(a)) && (b.narrow || fits_int(b)), .ok = true};
	uint64_t x = (uint64_t)a.v, y = (uint64_t)b.v;

	if (str_is(op, "/") || str_is(op, "%"))
		return divide(a, b, op.s[0] == '%');
	if (str_is(op, "<<") || str_is(op, ">>"))
		return shift(a, b, op.s[0] == '<');
	switch (op.s[0]) {
	case '+':
		v.v = (int64_t)(x + y);
		return v;
	case '-':
		v.v = (int64_t)(x - y);
		return v;
	case '*':
		v.v = (int64_t)(x * y);
		return v;
	case '^':
		v.v = a.v ^ b.v;
		return v;
	case '|':
		v.v = op.n == 2 ? a.v || b.v : (a.v | b.v);
		break;
	case '&':
		v.v = op.n == 2 ? a.v && b.v : (a.v & b.v);
		break;
	case '=':
		v.v = a.v == b.v;
		return (struct value){.v = v.v, .ok = true};
	case '!':
		v.v = a.v != b.v;
		return (struct value){.v = v.v, .ok = true};
	default:
		v.v = op.s[0] == '<' ? (op.n == 1 ? less(a, b) : !less(b, a)) : (op.n == 1 ? less(b, a) : !less(a, b));
		return (struct value){.v = v.v, .ok = true};
	}
	v.u = v.u && op.n == 1;
	return v;
}

static struct value binary(struct c_cursor *c, int level)
{
	struct value left = unary(c);
	int here;

	while (left.ok && (here = operator_level(c_peek(c))) >= level && here) {
		struct str op = c_peek(c)->text;
		struct value right;

		c->at++;
		if (c->depth++ > MOST_DEPTH)
			return nothing;
		right = binary(c, here + 1);
		c->depth--;
		/* the side that is not looked at need not make sense: defined(X) && X(3) */
		if (!right.ok && (str_is(op, "&&") ? left.v == 0 : str_is(op, "||") && left.v != 0))
			right = (struct value){.ok = true};
		left = right.ok ? wrapped(combine(op, left, right)) : nothing;
	}
	return left;
}

static struct value conditional(struct c_cursor *c)
{
	struct value cond, then, other;

	if (c->depth > MOST_DEPTH)
		return nothing;
	c->depth++;
	cond = binary(c, 1);
	if (cond.ok && c_take(c, "?")) {
		then = conditional(c);
		other = c_take(c, ":") ? conditional(c) : nothing;
		cond = cond.v ? then : other;
	}
	c->depth--;
	return cond;
}

bool c_const(struct c_cursor *c, int64_t *value)
{
	struct value v = conditional(c);

	*value = v.v;
	c->is_unsigned = v.u;
	return v.ok;
}
