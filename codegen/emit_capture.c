/* Which variables do the bodies of loops share with what is around them?  A body that is a function of its own reaches only what lies
 * in memory that both see. */
#include "codegen/emit_frame.h"

struct walk {
	struct emit *e;
	struct unit *unit;
	int depth, deepest; /* of loops whose bodies are functions */
	bool callbacks;
	VEC(const struct stmt *) apart;
	bool in_condition; /* of a `while` in place */
};

static void walk_block(struct walk *w, const struct block *b);
static void walk_expr(struct walk *w, const struct expr *x);

static void walk_var(struct walk *w, const struct var *v)
{
	struct storage *s;

	if (!v || v->id >= w->unit->nvars)
		return;
	s = &w->unit->vars[v->id];
	s->ends_loop |= w->in_condition;
	if (s->depth < 0)
		s->depth = w->depth;
	else if (s->depth != w->depth)
		s->captured = true;
}

static void walk_exprs(struct walk *w, const expr_list *list)
{
	VEC_EACH(x, list)
		walk_expr(w, *x);
}

static void walk_expr(struct walk *w, const struct expr *x)
{
	if (!x)
		return;
	switch (x->kind) {
	case EXPR_VAR:
		walk_var(w, x->var.var);
		return;
	case EXPR_MAP:
		walk_expr(w, x->map.key);
		return;
	case EXPR_CALL:
		walk_exprs(w, &x->call.args);
		return;
	case EXPR_UNARY:
		walk_expr(w, x->unary.e);
		return;
	case EXPR_INCDEC:
		walk_expr(w, x->incdec.target);
		return;
	case EXPR_BINARY:
		walk_expr(w, x->binary.left);
		walk_expr(w, x->binary.right);
		return;
	case EXPR_TERNARY:
		walk_expr(w, x->ternary.cond);
		walk_expr(w, x->ternary.then);
		walk_expr(w, x->ternary.other);
		return;
	case EXPR_FIELD:
		walk_expr(w, x->field.e);
		return;
	case EXPR_TUPLE_AT:
		walk_expr(w, x->tuple_at.e);
		return;
	case EXPR_INDEX:
		walk_expr(w, x->index.e);
		walk_expr(w, x->index.index);
		return;
	case EXPR_CAST:
		walk_expr(w, x->cast.e);
		return;
	case EXPR_TUPLE:
	case EXPR_RECORD:
		walk_exprs(w, &x->tuple.elems);
		return;
	case EXPR_BLOCK:
		walk_block(w, x->block);
		return;
	case EXPR_IF:
		walk_expr(w, x->if_.cond);
		walk_block(w, x->if_.then);
		walk_expr(w, x->if_.other);
		return;
	case EXPR_COMPTIME:
		walk_expr(w, x->comptime);
		return;
	case EXPR_INT:
	case EXPR_BOOL:
	case EXPR_STRING:
	case EXPR_POSITIONAL:
	case EXPR_POSITIONAL_COUNT:
	case EXPR_NAME:
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPEOF:
		return;
	}
}

static void walk_loop(struct walk *w, const struct stmt *s, const struct expr *first, const struct block *body)
{
	bool callback = loop_is_callback(w->e, s), apart = loop_is_apart(w->e, s);

	w->callbacks |= callback;
	if (apart)
		VEC_PUSH(w->e->arena, &w->apart, s);
	w->depth += callback || apart;
	if (w->depth > w->deepest)
		w->deepest = w->depth;
	w->in_condition = s->kind == STMT_WHILE && !callback && !apart;
	walk_expr(w, first);
	w->in_condition = false;
	walk_block(w, body);
	w->depth -= callback || apart;
}

static void walk_stmt(struct walk *w, const struct stmt *s)
{
	if (!s)
		return;
	switch (s->kind) {
	case STMT_EXPR:
	case STMT_DISCARD:
	case STMT_RETURN:
		walk_expr(w, s->expr);
		return;
	case STMT_ASSIGN:
		walk_expr(w, s->assign.target);
		walk_expr(w, s->assign.value);
		return;
	case STMT_LET:
		walk_expr(w, s->let.var);
		walk_expr(w, s->let.value);
		return;
	case STMT_IF:
		walk_expr(w, s->if_.cond);
		walk_block(w, s->if_.then);
		walk_stmt(w, s->if_.other);
		return;
	case STMT_FOR:
		walk_expr(w, s->for_.from);
		walk_expr(w, s->for_.to);
		walk_loop(w, s, s->for_.var, s->for_.body);
		return;
	case STMT_WHILE:
		walk_loop(w, s, s->loop.cond, s->loop.body);
		return;
	case STMT_UNROLL:
		walk_expr(w, s->loop.cond);
		walk_block(w, s->loop.body);
		return;
	case STMT_BLOCK:
		walk_block(w, s->block);
		return;
	case STMT_BREAK:
	case STMT_CONTINUE:
	case STMT_IMPORT:
		return;
	}
}

static void walk_block(struct walk *w, const struct block *b)
{
	VEC_EACH(s, &b->stmts)
		walk_stmt(w, *s);
	walk_expr(w, b->value);
}

static struct walk walk_unit(struct emit *e, struct unit *u, const struct expr *predicate, const struct block *body)
{
	struct walk w = {.e = e, .unit = u};
	int i;

	for (i = 0; i < u->nvars; i++)
		u->vars[i] = (struct storage){.depth = -1};
	if (u->fn)
		VEC_EACH(v, &u->fn->params)
			u->vars[(*v)->id].depth = 0; /* the body of a loop that uses one has to share it */
	walk_expr(&w, predicate);
	walk_block(&w, body);
	return w;
}

void find_captures(struct emit *e, struct unit *u, const struct expr *predicate, const struct block *body)
{
	struct walk w = walk_unit(e, u, predicate, body);

	if (w.callbacks && w.apart.n) {
		/* bpf_for_each_map_elem wants the shared struct on the stack, which global functions do not see. */
		VEC_EACH(s, &w.apart)
			loop_stays(e, *s);
		w = walk_unit(e, u, predicate, body);
	}
	u->frame_size = SHARED_LOOPS + 8 * (uint32_t)w.deepest;
	u->sharing = w.callbacks ? SHARING_ON_STACK : w.apart.n ? SHARING_IN_SCRATCH : SHARING_NONE;
}
