/* Script variables: a register or stack slot in the function that declares them; in scratch memory where they are large, or where
 * a loop's callback uses them too. */
#include "codegen/emit_frame.h"

static struct storage *storage_of(struct emit *e, const struct var *v)
{
	struct unit *u = e->frame->unit;

	if (v->id < 0 || v->id >= u->nvars)
		BUG("variable $%.*s has id %d of %d", STR_ARG(v->name), v->id, u->nvars);
	return &u->vars[v->id];
}

static void place_variable(struct emit *e, const struct var *v, struct storage *s)
{
	uint32_t size = v->type->size ? v->type->size : 1;
	const char *name = str_c(e->arena, v->name);

	/* What a callback shares lies in scratch memory whatever its size: the verifier knows nothing of numbers there, and so sees
	 * at once that one more turn of the loop brings nothing new (docs/verifier.md).  What ends a loop in place has to be known. */
	if (!s->captured && type_is_register(v->type) && (s->ends_loop || stack_has_room(e, 8))) {
		s->kind = STORAGE_LOCAL;
		e->frame->stack_used += 8;
		s->at = stack_alloc(e, emit_register_type(e, v->type), 8, name);
	} else if (!s->captured && (s->at = stack_variable(e, size, name))) {
		s->kind = STORAGE_LOCAL;
	} else {
		s->kind = STORAGE_SCRATCH;
		s->offset = scratch_bytes(e, size);
	}
	s->owner = e->frame;
}

LLVMValueRef var_address(struct emit *e, const struct var *v)
{
	struct storage *s = storage_of(e, v);

	if (s->kind == STORAGE_NONE)
		place_variable(e, v, s);
	switch (s->kind) {
	case STORAGE_LOCAL:
		if (s->owner != e->frame && s->depth == e->frame->unit->loop_depth)
			place_variable(e, v, s); /* an unrolled loop: each turn's callback has its own */
		if (s->owner != e->frame)
			BUG("variable $%.*s was not seen to be captured", STR_ARG(v->name));
		return s->at;
	case STORAGE_SCRATCH:
		return scratch_address(e, s->offset);
	case STORAGE_NONE:
		break;
	}
	BUG("variable $%.*s has no place", STR_ARG(v->name));
}

bool var_is_here(struct emit *e, const struct var *v)
{
	return storage_of(e, v)->owner == e->frame;
}

void var_clear(struct emit *e, const struct var *v)
{
	LLVMValueRef at = var_address(e, v);

	if (type_is_register(v->type))
		store_int(e, at, LLVMConstNull(emit_register_type(e, v->type)));
	else
		memory_zero(e, at, v->type->size, v->type->align);
}

void emit_var_assign(struct emit *e, const struct var *v, const struct expr *value)
{
	LLVMValueRef at, n;

	if (v->type->kind == TYPE_NONE) {
		emit_expr(e, value);
		return;
	}
	if (type_is_register(v->type)) {
		n = emit_int(e, value);
		store_int(e, var_address(e, v), n);
		return;
	}
	/* The old value may be part of the new one: `$t = ($t.1, $t.0)`. */
	if (value->kind == EXPR_CALL || value->kind == EXPR_STRING || value->kind == EXPR_MAP) {
		emit_to(e, value, var_address(e, v));
		return;
	}
	at = memory_temp(e, v->type->size, "new");
	emit_to(e, value, at);
	memory_copy(e, var_address(e, v), at, v->type->size, v->type->align);
}

struct value var_read(struct emit *e, const struct expr *x)
{
	LLVMValueRef at = var_address(e, x->var.var);

	if (type_is_register(x->type))
		return value_register(x->type, load_int(e, at, emit_register_type(e, x->type)));
	return value_at(x->type, at, PLACE_BPF);
}
