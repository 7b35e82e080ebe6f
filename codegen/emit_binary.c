/* Binary operators: arithmetic, division as the language defines it, comparison of every type that can be compared. */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

/* ---- division ---- */

static LLVMValueRef absolute(struct emit *e, LLVMValueRef v, LLVMValueRef negative)
{
	return LLVMBuildSelect(e->builder, negative, LLVMBuildNeg(e->builder, v, ""), v, "");
}

/* BPF divides unsigned numbers only (signed division needs -mcpu=v4). */
static LLVMValueRef divide_signed(struct emit *e, bool modulo, LLVMValueRef l, LLVMValueRef r)
{
	LLVMValueRef zero = int_const(e, 0), l_negative, r_negative, a, b, q, negative;

	l_negative = LLVMBuildICmp(e->builder, LLVMIntSLT, l, zero, "");
	r_negative = LLVMBuildICmp(e->builder, LLVMIntSLT, r, zero, "");
	a = absolute(e, l, l_negative);
	b = absolute(e, r, r_negative);
	q = modulo ? LLVMBuildURem(e->builder, a, b, "") : LLVMBuildUDiv(e->builder, a, b, "");
	/* LLVM would turn all this back into one signed division. */
	q = opaque(e, q);
	negative = modulo ? l_negative : LLVMBuildXor(e->builder, l_negative, r_negative, "");
	return absolute(e, q, negative);
}

/* x / 0 and x % 0 are 1, and counted. */
static LLVMValueRef divide(struct emit *e, enum binary_op op, LLVMValueRef l, LLVMValueRef r, bool is_signed,
			   struct span span)
{
	bool modulo = op == BINARY_MOD;
	LLVMValueRef is_zero = LLVMBuildICmp(e->builder, LLVMIntEQ, r, int_const(e, 0), ""), q;
	LLVMBasicBlockRef bad, good, after;

	if (LLVMIsConstant(is_zero)) {
		if (!LLVMConstIntGetZExtValue(is_zero))
			return is_signed ? divide_signed(e, modulo, l, r)
			       : modulo	 ? LLVMBuildURem(e->builder, l, r, "")
					 : LLVMBuildUDiv(e->builder, l, r, "");
	}
	bad = block_new(e, "by_zero");
	good = block_new(e, "divide");
	after = block_new(e, "");
	branch(e, is_zero, bad, good);
	block_start(e, bad);
	site_hit(e, site_new(e, SITE_DIVIDE, span, -1, NULL), NULL);
	jump(e, after);
	block_start(e, good);
	q = is_signed ? divide_signed(e, modulo, l, r)
	    : modulo  ? LLVMBuildURem(e->builder, l, r, "")
		      : LLVMBuildUDiv(e->builder, l, r, "");
	jump(e, after);
	block_start(e, after);
	return join(e, int_const(e, 1), bad, q, good);
}

/* ---- arithmetic on 64 bits ---- */

LLVMValueRef arithmetic(struct emit *e, enum binary_op op, LLVMValueRef l, LLVMValueRef r, bool is_signed, struct span span)
{
	LLVMBuilderRef b = e->builder;

	switch (op) {
	case BINARY_OR:
		return LLVMBuildOr(b, l, r, "");
	case BINARY_XOR:
		return LLVMBuildXor(b, l, r, "");
	case BINARY_AND:
		return LLVMBuildAnd(b, l, r, "");
	case BINARY_SHL: /* as the processor does it: by the count's low six bits */
		return LLVMBuildShl(b, l, LLVMBuildAnd(b, r, int_const(e, 63), ""), "");
	case BINARY_SHR:
		r = LLVMBuildAnd(b, r, int_const(e, 63), "");
		return is_signed ? LLVMBuildAShr(b, l, r, "") : LLVMBuildLShr(b, l, r, "");
	case BINARY_ADD:
		return LLVMBuildAdd(b, l, r, "");
	case BINARY_SUB:
		return LLVMBuildSub(b, l, r, "");
	case BINARY_MUL:
		return LLVMBuildMul(b, l, r, "");
	case BINARY_DIV:
	case BINARY_MOD:
		return divide(e, op, l, r, is_signed, span);
	case BINARY_LOR:
	case BINARY_LAND:
	case BINARY_EQ:
	case BINARY_NE:
	case BINARY_LT:
	case BINARY_LE:
	case BINARY_GT:
	case BINARY_GE:
	case BINARY_IN:
		break;
	}
	BUG("arithmetic operator %d", op);
}

static struct value pointer_arithmetic(struct emit *e, const struct expr *x)
{
	const struct expr *l = x->binary.left, *r = x->binary.right, *swap;
	LLVMValueRef p, n;

	if (l->type->kind != TYPE_PTR) {
		swap = l;
		l = r;
		r = swap;
	}
	p = emit_int(e, l);
	n = LLVMBuildMul(e->builder, emit_i64(e, r), element_size(e, x->type->elem), "");
	return value_register(x->type, arithmetic(e, x->binary.op, p, n, false, x->span));
}

struct value emit_binary(struct emit *e, const struct expr *x)
{
	enum binary_op op = x->binary.op;
	LLVMValueRef l, r, aside;

	if (op == BINARY_LAND || op == BINARY_LOR || (op >= BINARY_EQ && op <= BINARY_GE))
		return value_register(x->type, LLVMBuildZExt(e->builder, emit_cond(e, x), e->i8, ""));
	if (op == BINARY_IN)
		return value_register(x->type, LLVMBuildZExt(e->builder, list_has(e, x), e->i8, ""));
	if (x->type->kind == TYPE_PTR)
		return pointer_arithmetic(e, x);
	l = emit_i64(e, x->binary.left);
	aside = set_aside(e, l);
	r = emit_i64(e, x->binary.right);
	l = take_back(e, aside, l);
	return value_register(x->type, arithmetic(e, op, l, r, x->type->is_signed, x->span));
}

/* ---- comparison ---- */

static LLVMIntPredicate predicate(enum binary_op op, bool is_signed)
{
	switch (op) {
	case BINARY_EQ:
		return LLVMIntEQ;
	case BINARY_NE:
		return LLVMIntNE;
	case BINARY_LT:
		return is_signed ? LLVMIntSLT : LLVMIntULT;
	case BINARY_LE:
		return is_signed ? LLVMIntSLE : LLVMIntULE;
	case BINARY_GT:
		return is_signed ? LLVMIntSGT : LLVMIntUGT;
	case BINARY_GE:
		return is_signed ? LLVMIntSGE : LLVMIntUGE;
	default:
		BUG("comparison %d", op);
	}
}

/* Are `size` bytes equal?  By words in a loop that the verifier can count. */
static LLVMValueRef equal_words(struct emit *e, LLVMValueRef a, LLVMValueRef b, uint32_t size, uint32_t align)
{
	uint32_t step = align >= 8 ? 8 : align;
	LLVMTypeRef type = LLVMIntTypeInContext(e->context, step * 8);
	LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder), loop = block_new(e, "compare"),
			  next = block_new(e, ""), differ = block_new(e, "differ"), after = block_new(e, "");
	LLVMValueRef i, more, x, y;

	jump(e, loop);
	block_start(e, loop);
	i = LLVMBuildPhi(e->builder, e->i64, "i");
	x = load_int(e, memory_at_var(e, a, i), type);
	y = load_int(e, memory_at_var(e, b, i), type);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntEQ, x, y, ""), next, differ);
	block_start(e, next);
	more = LLVMBuildAdd(e->builder, i, int_const(e, step), "");
	LLVMAddIncoming(i, (LLVMValueRef[]){int_const(e, 0), more}, (LLVMBasicBlockRef[]){before, next}, 2);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntULT, more, int_const(e, size), ""), loop, after);
	block_start(e, differ);
	jump(e, after);
	block_start(e, after);
	return join(e, LLVMConstInt(e->i1, 1, false), next, LLVMConstInt(e->i1, 0, false), differ);
}

/* The same unrolled, for a few words. */
static LLVMValueRef equal_bytes(struct emit *e, LLVMValueRef a, LLVMValueRef b, uint32_t size, uint32_t align)
{
	enum { FEW = 16 };
	LLVMValueRef differ = int_const(e, 0), d;
	uint32_t at, step;

	if (size / align > FEW)
		return equal_words(e, a, b, size, align);
	for (at = 0; at < size; at += step) {
		LLVMTypeRef type;

		step = align;
		while (step > size - at)
			step /= 2;
		type = LLVMIntTypeInContext(e->context, step * 8);
		d = LLVMBuildXor(e->builder, load_int(e, memory_at(e, a, at), type), load_int(e, memory_at(e, b, at), type),
				 "");
		differ = LLVMBuildOr(e->builder, differ, LLVMBuildZExt(e->builder, d, e->i64, ""), "");
	}
	return LLVMBuildICmp(e->builder, LLVMIntEQ, differ, int_const(e, 0), "");
}

/* Stacks are the same when their ids are. */
static LLVMValueRef compare_memory(struct emit *e, const struct expr *l, const struct expr *r)
{
	LLVMValueRef a = memory_temp(e, l->type->size, "left"), b = memory_temp(e, r->type->size, "right");

	emit_to(e, l, a);
	emit_to(e, r, b);
	return equal_bytes(e, a, b, l->type->size, l->type->align);
}

LLVMValueRef emit_compare(struct emit *e, const struct expr *x)
{
	const struct expr *l = x->binary.left, *r = x->binary.right;
	const struct type *t = l->type;
	LLVMValueRef a, b, v, aside;
	struct value s;

	if (type_is_register(t) && type_is_register(r->type)) {
		a = emit_int(e, l);
		aside = set_aside(e, a);
		b = emit_int(e, r);
		a = take_back(e, aside, a);
		if (LLVMTypeOf(a) != LLVMTypeOf(b)) {
			a = convert_int(e, a, t, t->is_signed ? e->types->s64 : e->types->u64);
			b = convert_int(e, b, r->type, r->type->is_signed ? e->types->s64 : e->types->u64);
		}
		return LLVMBuildICmp(e->builder, predicate(x->binary.op, t->is_signed), a, b, "");
	}
	if (t->kind == TYPE_STRING) {
		s = emit_expr(e, l);
		v = string_equal(e, s, emit_expr(e, r));
	} else {
		v = compare_memory(e, l, r);
	}
	return x->binary.op == BINARY_NE ? LLVMBuildNot(e->builder, v, "") : v;
}
