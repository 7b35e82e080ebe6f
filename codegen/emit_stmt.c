/* Statements.  Loops are in emit_loop.c, assignment to maps in emit_map.c. */
#include "codegen/emit_frame.h"

/* The new value of `target op= v`, in the target's width.  `v` has the 64-bit type that the operation is done in. */
LLVMValueRef compound_value(struct emit *e, const struct stmt *s, struct value old, LLVMValueRef v)
{
	const struct expr *value = s->assign.value;
	const struct type *to = s->assign.target->type, *in = value->type;
	enum binary_op op = s->assign.op;
	/* A shift takes the sign of what is shifted; other operators have brought both sides to one type. */
	bool is_signed = op == BINARY_SHL || op == BINARY_SHR ? to->is_signed : in->is_signed;
	LLVMValueRef l, size;

	if (to->kind == TYPE_PTR) { /* p += n */
		size = element_size(e, to->elem);
		v = LLVMBuildMul(e->builder, convert_int(e, v, in, e->types->s64), size, "");
		return arithmetic(e, op, value_number(e, old), v, false, s->span);
	}
	l = convert_int(e, value_number(e, old), to, in);
	l = arithmetic(e, op, l, v, is_signed, s->span);
	return convert_int(e, l, in, to);
}

static void emit_assign(struct emit *e, const struct stmt *s)
{
	const struct expr *target = s->assign.target;
	struct value old;
	LLVMValueRef v;

	if (target->kind == EXPR_MAP) {
		emit_map_assign(e, s);
		return;
	}
	if (target->kind != EXPR_VAR)
		BUG("assignment to expression kind %d", target->kind);
	if (!s->assign.compound) {
		emit_var_assign(e, target->var.var, s->assign.value);
		return;
	}
	old = var_read(e, target); /* before the value, which may change it: x op= v is x = x op v */
	v = compound_value(e, s, old, emit_int(e, s->assign.value));
	store_int(e, var_address(e, target->var.var), v);
}

static void emit_let(struct emit *e, const struct stmt *s)
{
	const struct var *v = s->let.var->var.var;

	if (!v->type || v->type->kind == TYPE_NONE)
		return;
	if (s->let.value)
		emit_var_assign(e, v, s->let.value);
	else
		var_clear(e, v);
}

/* x.++ and its kin; the value is what the expression yields. */
LLVMValueRef incdec(struct emit *e, const struct expr *x)
{
	const struct expr *target = x->incdec.target;
	LLVMValueRef at, old, now, one;

	if (target->kind == EXPR_MAP)
		return map_incdec(e, x);
	at = var_address(e, target->var.var);
	old = load_int(e, at, emit_register_type(e, target->type));
	one = target->type->kind == TYPE_PTR ? element_size(e, target->type->elem)
					     : LLVMConstInt(LLVMTypeOf(old), 1, false);
	now = x->incdec.increment ? LLVMBuildAdd(e->builder, old, one, "") : LLVMBuildSub(e->builder, old, one, "");
	store_int(e, at, now);
	return x->incdec.prefix ? now : old;
}

static void emit_if(struct emit *e, const struct stmt *s)
{
	LLVMBasicBlockRef yes = block_new(e, "then"), no = block_new(e, "else"), after = block_new(e, "");

	branch(e, emit_cond(e, s->if_.cond), yes, no);
	block_start(e, yes);
	emit_block(e, s->if_.then);
	jump(e, after);
	block_start(e, no);
	if (s->if_.other)
		emit_stmt(e, s->if_.other);
	jump(e, after);
	block_start(e, after);
}

static void emit_return(struct emit *e, const struct stmt *s)
{
	if (s->expr && s->expr->type->kind == TYPE_NONE)
		emit_expr(e, s->expr);
	else if (s->expr)
		set_result(e, s->expr);
	emit_leave(e);
}

static void emit_kind(struct emit *e, const struct stmt *s)
{
	switch (s->kind) {
	case STMT_EXPR:
	case STMT_DISCARD:
		emit_discarded(e, s->expr);
		return;
	case STMT_ASSIGN:
		emit_assign(e, s);
		return;
	case STMT_LET:
		emit_let(e, s);
		return;
	case STMT_IF:
		emit_if(e, s);
		return;
	case STMT_FOR:
		emit_for(e, s);
		return;
	case STMT_WHILE:
		emit_while(e, s);
		return;
	case STMT_UNROLL:
		emit_unroll(e, s);
		return;
	case STMT_RETURN:
		emit_return(e, s);
		return;
	case STMT_BREAK:
		emit_break(e);
		return;
	case STMT_CONTINUE:
		emit_continue(e);
		return;
	case STMT_BLOCK:
		emit_block(e, s->block);
		return;
	case STMT_IMPORT:
		return;
	}
	BUG("statement kind %d", s->kind);
}

void emit_stmt(struct emit *e, const struct stmt *s)
{
	struct mark m = memory_mark(e);

	emit_place(e, s->span);
	emit_kind(e, s);
	memory_release(e, m);
}

/* Variables are declared where they are first assigned, and that memory must outlive the statement: they are placed before. */
static void place_variables(struct emit *e, const struct stmt *s)
{
	const struct expr *x = NULL;

	if (s->kind == STMT_ASSIGN && s->assign.target->kind == EXPR_VAR)
		x = s->assign.target;
	else if (s->kind == STMT_LET)
		x = s->let.var;
	if (x && x->var.var && x->var.var->type && x->var.var->type->kind != TYPE_NONE)
		var_address(e, x->var.var);
}

void emit_block(struct emit *e, const struct block *b)
{
	VEC_EACH(s, &b->stmts) {
		place_variables(e, *s);
		emit_stmt(e, *s);
	}
	if (b->value)
		emit_discarded(e, b->value);
}
