/* Constant folding with overflow detection (language.md 4.2, 10). */
#include "lang/check.h"

const struct type *literal_type(struct checker *c, uint64_t value, bool negative)
{
	struct types *t = c->types;
	int64_t s = (int64_t)value;

	if (negative) {
		if (s >= INT8_MIN)
			return t->s8;
		if (s >= INT16_MIN)
			return t->s16;
		return s >= INT32_MIN ? t->s32 : t->s64;
	}
	if (value <= INT8_MAX)
		return t->s8;
	if (value <= INT16_MAX)
		return t->s16;
	if (value <= INT32_MAX)
		return t->s32;
	return value <= INT64_MAX ? t->s64 : t->u64;
}

static void make(struct expr *e, enum expr_kind kind)
{
	struct span span = e->span;

	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->span = span;
	e->is_literal = true;
}

void fold_to_int(struct checker *c, struct expr *e, uint64_t value, bool negative)
{
	make(e, EXPR_INT);
	e->integer.value = value;
	e->type = literal_type(c, value, negative);
	e->flexible = !negative;
}

void fold_to_bool(struct checker *c, struct expr *e, bool value)
{
	make(e, EXPR_BOOL);
	e->boolean = value;
	e->type = c->types->boolean;
}

void fold_to_string(struct checker *c, struct expr *e, struct str text)
{
	make(e, EXPR_STRING);
	e->string.text = text;
	e->type = type_string(c->types, (uint32_t)text.n + 1);
}

/* The value of an integer constant as a signed number of any 64-bit pattern; false: not a constant integer. */
static bool constant(const struct expr *e, __int128 *value)
{
	if (e->kind == EXPR_BOOL) {
		*value = e->boolean;
		return true;
	}
	if (e->kind != EXPR_INT || e->type->kind == TYPE_PTR)
		return false;
	*value = e->type->is_signed ? (__int128)(int64_t)e->integer.value : (__int128)e->integer.value;
	return true;
}

/* A constant that a cast gave its type, as against one that is written as a number: it calculates as it would at run time. */
static bool is_typed(struct checker *c, const struct expr *e)
{
	return e->kind == EXPR_INT && !e->flexible &&
	       !((int64_t)e->integer.value < 0 && e->type == literal_type(c, e->integer.value, true));
}

/* The same 64 bits as a number of type `t`. */
static __int128 as_type(const struct type *t, __int128 value)
{
	return t->is_signed ? (__int128)(int64_t)value : (__int128)(uint64_t)value;
}

static void fold_to_typed(struct expr *e, uint64_t value, const struct type *t)
{
	make(e, EXPR_INT);
	e->integer.value = value;
	e->type = t;
}

/* Bits that are shifted out are gone; the sign stays what it was. */
static __int128 shift_left(__int128 a, int bits)
{
	uint64_t shifted = (uint64_t)a << bits;

	return a < 0 ? (__int128)(int64_t)shifted : (__int128)shifted;
}

static bool compute(enum binary_op op, __int128 a, __int128 b, __int128 *out)
{
	switch (op) {
	case BINARY_ADD: *out = a + b; return true;
	case BINARY_SUB: *out = a - b; return true;
	case BINARY_MUL: *out = a * b; return true;
	case BINARY_DIV: return b && (*out = a / b, true);
	case BINARY_MOD: return b && (*out = a % b, true);
	case BINARY_AND: *out = a & b; return true;
	case BINARY_OR: *out = a | b; return true;
	case BINARY_XOR: *out = a ^ b; return true;
	case BINARY_SHL: return b >= 0 && b < 64 && (*out = shift_left(a, (int)b), true);
	case BINARY_SHR: return b >= 0 && b < 64 && (*out = a >> b, true);
	case BINARY_EQ: case BINARY_NE: case BINARY_LT: case BINARY_LE: case BINARY_GT: case BINARY_GE:
	case BINARY_LOR: case BINARY_LAND: case BINARY_IN:
		break;
	}
	BUG("folding operator %d", op);
}

static bool compare(enum binary_op op, int order)
{
	switch (op) {
	case BINARY_EQ: return order == 0;
	case BINARY_NE: return order != 0;
	case BINARY_LT: return order < 0;
	case BINARY_LE: return order <= 0;
	case BINARY_GT: return order > 0;
	case BINARY_GE: return order >= 0;
	default:
		BUG("folding comparison %d", op);
	}
}

static bool is_comparison(enum binary_op op)
{
	return op >= BINARY_EQ && op <= BINARY_GE;
}

static bool both_strings(const struct expr *e)
{
	return e->binary.left->kind == EXPR_STRING && e->binary.right->kind == EXPR_STRING;
}

/* "abc" + 1 is "bc" (used by str($1 + 1)). */
static bool fold_string_tail(struct checker *c, struct expr *e)
{
	struct expr *l = e->binary.left, *r = e->binary.right;

	if (e->binary.op != BINARY_ADD || l->kind != EXPR_STRING || r->kind != EXPR_INT)
		return false;
	fold_to_string(c, e, str_sub(l->string.text, r->integer.value, l->string.text.n));
	return true;
}

/* Where a constant has a type, the operands are taken as the result's type and the result is of it (language.md 10.3), cut to 64 bits
 * as at run time.  False: a division by zero, or a shift by too many bits. */
static bool compute_typed(const struct expr *e, __int128 a, __int128 b, __int128 *out)
{
	enum binary_op op = e->binary.op;
	const struct type *t = e->type;

	a = as_type(t, a);
	if (op != BINARY_SHL && op != BINARY_SHR)
		b = as_type(t, b);
	if (!compute(op, a, b, out))
		return false;
	*out = as_type(t, *out);
	return true;
}

/* Compared as at run time: in the type that holds both (language.md 10.6), which is int64 for uint64 with int64. */
static int compare_typed(struct checker *c, const struct expr *e, __int128 a, __int128 b)
{
	const struct type *t = promote_exprs(c, e->binary.left, e->binary.right);

	if (t == c->types->s64) {
		a = as_type(t, a);
		b = as_type(t, b);
	}
	return (a > b) - (a < b);
}

void fold_binary(struct checker *c, struct expr *e)
{
	enum binary_op op = e->binary.op;
	__int128 a, b, v;
	bool typed, fits;

	if (fold_string_tail(c, e))
		return;
	if (is_comparison(op) && both_strings(e)) {
		fold_to_bool(c, e, compare(op, str_cmp(e->binary.left->string.text, e->binary.right->string.text)));
		return;
	}
	if (!constant(e->binary.left, &a) || !constant(e->binary.right, &b))
		return;
	if (op == BINARY_LAND || op == BINARY_LOR) {
		fold_to_bool(c, e, op == BINARY_LAND ? a && b : a || b);
		return;
	}
	typed = is_typed(c, e->binary.left) || is_typed(c, e->binary.right);
	if (is_comparison(op)) {
		fold_to_bool(c, e, compare(op, typed ? compare_typed(c, e, a, b) : (a > b) - (a < b)));
		return;
	}
	fits = typed ? compute_typed(e, a, b, &v)
		     : compute(op, a, b, &v) && v <= (__int128)UINT64_MAX && v >= (__int128)INT64_MIN;
	if (!fits && typed) /* the program does at run time what it would with variables, and warns */
		return;
	if (!fits)
		FAIL(c, e, DIAG_FOLD_OVERFLOW, binary_op_text(op));
	else if (typed)
		fold_to_typed(e, (uint64_t)v, e->type);
	else
		fold_to_int(c, e, (uint64_t)v, v < 0);
}

void fold_unary(struct checker *c, struct expr *e)
{
	struct expr *of = e->unary.e;
	__int128 a;

	if (!constant(of, &a))
		return;
	switch (e->unary.op) {
	case UNARY_NEG:
		if (-a < (__int128)INT64_MIN || -a > (is_typed(c, of) ? (__int128)INT64_MAX : (__int128)UINT64_MAX))
			FAIL(c, e, DIAG_FOLD_OVERFLOW, "-");
		else if (is_typed(c, of))
			fold_to_typed(e, (uint64_t)-a, c->types->s64);
		else
			fold_to_int(c, e, (uint64_t)-a, -a < 0);
		return;
	case UNARY_NOT:
		fold_to_bool(c, e, !a);
		return;
	case UNARY_BITNOT:
		/* ~0 prints as 18446744073709551615: the complement of a non-negative literal is unsigned. */
		fold_to_typed(e, ~(uint64_t)a,
			      a < 0 || (is_typed(c, of) && of->type->is_signed) ? c->types->s64 : c->types->u64);
		return;
	case UNARY_DEREF:
	case UNARY_ADDRESS:
		return;
	}
}
