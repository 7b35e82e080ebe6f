/* Expressions: the switch over their kinds, literals, conditions, casts, tuples, branches. */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

/* ---- casts ---- */

static struct value cast_elements(struct emit *e, struct value v, const struct type *to, LLVMValueRef dest)
{
	LLVMValueRef from = value_memory(e, v);
	int i, j;

	if (!dest)
		dest = memory_temp(e, to->size, "tuple");
	memory_zero(e, dest, to->size, to->align);
	for (i = 0; i < to->nfields; i++) {
		const struct field *t = &to->fields[i], *f = &v.type->fields[i];
		struct value part;

		/* Records go by name. */
		for (j = 0; to->kind == TYPE_RECORD && j < v.type->nfields; j++)
			if (str_eq(v.type->fields[j].name, t->name))
				f = &v.type->fields[j];
		part = value_at(f->type, memory_at(e, from, f->offset), PLACE_BPF);
		value_store(e, value_cast(e, part, t->type, NULL), memory_at(e, dest, t->offset));
	}
	return value_at(to, dest, PLACE_BPF);
}

/* Bytes of one thing taken for another (integer and array of one size, text into an array, a wider text or buffer). */
static struct value cast_bytes(struct emit *e, struct value v, const struct type *to, LLVMValueRef dest)
{
	LLVMValueRef from;
	uint32_t align = 8;

	if (to->kind == TYPE_STRING && v.type->kind == TYPE_STRING && to->size <= v.type->size && v.place == PLACE_BPF) {
		v.type = to;
		return v;
	}
	if (to->size <= v.type->size && v.place != PLACE_REGISTER && v.type->kind != TYPE_STRING) {
		v.type = to;
		return v;
	}
	if (!dest)
		dest = memory_temp(e, to->size, "wide");
	else
		align = to->align; /* an array of bytes lies anywhere in a tuple */
	if (to->size > v.type->size)
		memory_zero(e, memory_at(e, dest, v.type->size), to->size - v.type->size, 1);
	if (type_is_register(v.type)) {
		store_int_at(e, dest, value_number(e, v), align);
	} else if (to->size < v.type->size) {
		from = value_memory(e, v);
		memory_copy(e, dest, from, to->size, 1);
	} else {
		value_store(e, v, dest);
	}
	return value_at(to, dest, PLACE_BPF);
}

struct value value_cast(struct emit *e, struct value v, const struct type *to, LLVMValueRef dest)
{
	const struct type *from = v.type;
	LLVMValueRef n;

	if (from == to)
		return v;
	if (type_is_register(from) && type_is_register(to)) {
		bool same = from->size == to->size && to->kind != TYPE_BOOL;

		if (v.place == PLACE_REGISTER && v.trusted && to->kind == TYPE_PTR) {
			v.type = to;
			return v;
		}
		n = value_number(e, v);
		return value_register(to, same ? n : convert_int(e, n, from, to));
	}
	if ((to->kind == TYPE_TUPLE || to->kind == TYPE_RECORD) && from->nfields == to->nfields)
		return cast_elements(e, v, to, dest);
	if (type_is_register(to)) { /* an array of the same bytes */
		n = value_memory(e, v);
		n = load_int(e, n, emit_register_type(e, to));
		LLVMSetAlignment(n, from->align);
		return value_register(to, n);
	}
	return cast_bytes(e, v, to, dest);
}

static struct value emit_cast(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	const struct expr *of = x->cast.e;
	const struct type *wide;
	LLVMValueRef n;

	if (of->kind == EXPR_MAP && of->type && type_is_aggregate(of->type)) {
		n = aggregate_read(e, of);
		wide = of->type->is_signed ? e->types->s64 : e->types->u64;
		return value_register(x->type, convert_int(e, n, wide, x->type));
	}
	return value_cast(e, emit_expr(e, of), x->type, dest);
}

/* ---- tuples ---- */

static struct value emit_elements(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	const struct type *t = x->type;
	uint32_t used = 0;
	int i;

	if (!dest)
		dest = memory_temp(e, t->size, "tuple");
	for (i = 0; i < t->nfields; i++)
		used += t->fields[i].type->size;
	if (used != t->size)
		memory_zero(e, dest, t->size, t->align);
	for (i = 0; i < t->nfields; i++)
		emit_to(e, x->tuple.elems.at[i], memory_at(e, dest, t->fields[i].offset));
	return value_at(t, dest, PLACE_BPF);
}

/* ---- two ways to one value ---- */

/* One arm of a branch: its value goes to `dest`, or is returned when it is a register. */
static LLVMValueRef emit_arm(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	if (!x)
		return NULL;
	if (x->type->kind == TYPE_NONE) {
		emit_discarded(e, x);
		return NULL;
	}
	if (type_is_register(x->type))
		return emit_int(e, x);
	emit_to(e, x, dest);
	return NULL;
}

static LLVMValueRef emit_block_value(struct emit *e, const struct block *b, LLVMValueRef dest)
{
	struct block stmts = *b;

	stmts.value = NULL;
	emit_block(e, &stmts);
	return emit_arm(e, b->value, dest);
}

static struct value two_arms(struct emit *e, const struct expr *x, LLVMValueRef cond, const struct expr *then,
			     const struct block *then_block, const struct expr *other, LLVMValueRef dest)
{
	LLVMBasicBlockRef yes = block_new(e, "then"), no = block_new(e, "else"), after = block_new(e, "");
	LLVMValueRef a, b;

	if (x->type->kind != TYPE_NONE && !type_is_register(x->type) && !dest)
		dest = memory_temp(e, x->type->size, "either");
	branch(e, cond, yes, no);
	block_start(e, yes);
	a = then_block ? emit_block_value(e, then_block, dest) : emit_arm(e, then, dest);
	yes = LLVMGetInsertBlock(e->builder);
	jump(e, after);
	block_start(e, no);
	b = emit_arm(e, other, dest);
	no = LLVMGetInsertBlock(e->builder);
	jump(e, after);
	block_start(e, after);
	if (x->type->kind == TYPE_NONE)
		return value_none(e);
	if (type_is_register(x->type))
		return value_register(x->type, join(e, a, yes, b, no));
	return value_at(x->type, dest, PLACE_BPF);
}

static struct value emit_ternary(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	const struct expr *then = x->ternary.then ? x->ternary.then : x->ternary.cond;

	return two_arms(e, x, emit_cond(e, x->ternary.cond), then, NULL, x->ternary.other, dest);
}

static struct value emit_block_expr(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	LLVMValueRef v;

	if (x->type->kind != TYPE_NONE && !type_is_register(x->type) && !dest)
		dest = memory_temp(e, x->type->size, "block");
	v = emit_block_value(e, x->block, dest);
	if (x->type->kind == TYPE_NONE)
		return value_none(e);
	return type_is_register(x->type) ? value_register(x->type, v) : value_at(x->type, dest, PLACE_BPF);
}

/* ---- the kinds ---- */

static struct value emit_unary(struct emit *e, const struct expr *x)
{
	const struct expr *of = x->unary.e;
	LLVMValueRef v;

	switch (x->unary.op) {
	case UNARY_NEG:
		v = convert_int(e, emit_int(e, of), of->type, x->type);
		return value_register(x->type, LLVMBuildNeg(e->builder, v, ""));
	case UNARY_BITNOT:
		v = convert_int(e, emit_int(e, of), of->type, x->type);
		return value_register(x->type, LLVMBuildNot(e->builder, v, ""));
	case UNARY_NOT:
		v = LLVMBuildNot(e->builder, emit_cond(e, of), "");
		return value_register(x->type, LLVMBuildZExt(e->builder, v, e->i8, ""));
	case UNARY_DEREF:
		return emit_deref(e, x);
	case UNARY_ADDRESS:
		v = of->kind == EXPR_VAR ? var_address(e, of->var.var) : map_global(e, of->map.map);
		return value_register(x->type, forget_pointer(e, v));
	}
	BUG("unary operator %d", x->unary.op);
}

static struct value emit_kind(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	switch (x->kind) {
	case EXPR_INT:
		return value_register(x->type, LLVMConstInt(emit_register_type(e, x->type), x->integer.value, true));
	case EXPR_BOOL:
		return value_register(x->type, LLVMConstInt(e->i8, x->boolean, false));
	case EXPR_STRING:
		return value_at(x->type, literal(e, x->string.text, x->type->size), PLACE_BPF);
	case EXPR_VAR:
		return var_read(e, x);
	case EXPR_MAP:
		return map_read_into(e, x, dest);
	case EXPR_CALL:
		return emit_call(e, x, dest);
	case EXPR_UNARY:
		return emit_unary(e, x);
	case EXPR_INCDEC:
		return value_register(x->type, convert_int(e, incdec(e, x), x->incdec.target->type, x->type));
	case EXPR_BINARY:
		return emit_binary(e, x);
	case EXPR_TERNARY:
		return emit_ternary(e, x, dest);
	case EXPR_FIELD:
		return emit_field(e, x);
	case EXPR_TUPLE_AT:
		return emit_tuple_at(e, x);
	case EXPR_INDEX:
		return emit_index(e, x);
	case EXPR_CAST:
		return emit_cast(e, x, dest);
	case EXPR_TUPLE:
	case EXPR_RECORD:
		return x->type->kind == TYPE_NONE ? value_none(e) : emit_elements(e, x, dest);
	case EXPR_BLOCK:
		return emit_block_expr(e, x, dest);
	case EXPR_IF:
		return two_arms(e, x, emit_cond(e, x->if_.cond), NULL, x->if_.then, x->if_.other, dest);
	case EXPR_COMPTIME:
		return emit_expr_into(e, x->comptime, dest);
	case EXPR_POSITIONAL:
	case EXPR_POSITIONAL_COUNT:
	case EXPR_NAME:
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPEOF:
		break;
	}
	BUG("expression kind %d after checking", x->kind);
}

struct value emit_expr_into(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	struct span outer = e->span;
	struct value v;

	e->span = x->span;
	v = emit_kind(e, x, dest);
	e->span = outer;
	return v;
}

struct value emit_expr(struct emit *e, const struct expr *x)
{
	return emit_expr_into(e, x, NULL);
}

LLVMValueRef emit_int(struct emit *e, const struct expr *x)
{
	return value_number(e, emit_expr(e, x));
}

LLVMValueRef emit_i64(struct emit *e, const struct expr *x)
{
	return value_i64(e, emit_expr(e, x));
}

LLVMValueRef emit_memory_of(struct emit *e, const struct expr *x)
{
	return value_memory(e, emit_expr(e, x));
}

void emit_to(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	if (type_is_register(x->type) || x->type->kind == TYPE_NONE)
		value_store(e, emit_expr(e, x), dest);
	else
		value_store(e, emit_expr_into(e, x, dest), dest);
}

void emit_discarded(struct emit *e, const struct expr *x)
{
	/* Nothing of a value that is only an address needs to be read; what the expression does is done. */
	emit_expr(e, x);
}

/* a && b, a || b without evaluating b in vain. */
static LLVMValueRef short_circuit(struct emit *e, const struct expr *x)
{
	bool is_and = x->binary.op == BINARY_LAND;
	LLVMBasicBlockRef more = block_new(e, is_and ? "and" : "or"), after = block_new(e, ""), from;
	LLVMValueRef a = emit_cond(e, x->binary.left), b;

	from = LLVMGetInsertBlock(e->builder);
	branch(e, a, is_and ? more : after, is_and ? after : more);
	block_start(e, more);
	b = emit_cond(e, x->binary.right);
	more = LLVMGetInsertBlock(e->builder);
	jump(e, after);
	block_start(e, after);
	return join(e, LLVMConstInt(e->i1, !is_and, false), from, b, more);
}

LLVMValueRef emit_cond(struct emit *e, const struct expr *x)
{
	LLVMValueRef v;

	if (x->kind == EXPR_BINARY && (x->binary.op == BINARY_LAND || x->binary.op == BINARY_LOR))
		return short_circuit(e, x);
	if (x->kind == EXPR_BINARY && x->binary.op >= BINARY_EQ && x->binary.op <= BINARY_GE)
		return emit_compare(e, x);
	if (x->kind == EXPR_UNARY && x->unary.op == UNARY_NOT)
		return LLVMBuildNot(e->builder, emit_cond(e, x->unary.e), "");
	v = emit_int(e, x);
	return LLVMBuildICmp(e->builder, LLVMIntNE, v, LLVMConstNull(LLVMTypeOf(v)), "");
}
