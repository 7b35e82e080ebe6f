/* Which variables do the bodies of loops share with what is around them?  A body that is a function of its own reaches only what lies
 * in memory that both see. */
#include "codegen/emit_frame.h"
#include "lang/ast_walk.h"

struct walk {
	struct ast_visitor visitor;
	struct emit *e;
	struct unit *unit;
	int depth, deepest; /* of loops whose bodies are functions */
	bool callbacks;
	VEC(const struct stmt *) apart;
	bool in_condition; /* of a `while` in place */
};

static void on_var(struct walk *w, const struct var *v)
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

static void on_expr(struct ast_visitor *v, struct expr **at)
{
	struct expr *e = *at;

	switch (e->kind) {
	case EXPR_VAR:
		on_var((struct walk *)v, e->var.var);
		return;
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPEOF: /* of what they are taken is not evaluated */
		return;
	default:
		ast_walk_expr(v, e);
	}
}

/* `first`: the variable that the body gets, or the condition. */
static void on_loop(struct walk *w, struct stmt *s, struct expr *first, struct block *body)
{
	bool callback = loop_is_callback(w->e, s), apart = loop_is_apart(w->e, s);

	w->callbacks |= callback;
	if (apart)
		VEC_PUSH(w->e->arena, &w->apart, s);
	w->depth += callback || apart;
	if (w->depth > w->deepest)
		w->deepest = w->depth;
	w->in_condition = s->kind == STMT_WHILE && !callback && !apart;
	on_expr(&w->visitor, &first);
	w->in_condition = false;
	ast_walk_block(&w->visitor, body);
	w->depth -= callback || apart;
}

static void on_stmt(struct ast_visitor *v, struct stmt *s)
{
	switch (s->kind) {
	case STMT_FOR:
		if (s->for_.from) {
			on_expr(v, &s->for_.from);
			on_expr(v, &s->for_.to);
		}
		on_loop((struct walk *)v, s, s->for_.var, s->for_.body);
		return;
	case STMT_WHILE:
		on_loop((struct walk *)v, s, s->loop.cond, s->loop.body);
		return;
	default:
		ast_walk_stmt(v, s);
	}
}

static struct walk walk_unit(struct emit *e, struct unit *u, struct expr *predicate, struct block *body)
{
	struct walk w = {.visitor = {.expr = on_expr, .stmt = on_stmt}, .e = e, .unit = u};
	int i;

	for (i = 0; i < u->nvars; i++)
		u->vars[i] = (struct storage){.depth = -1};
	if (u->fn)
		VEC_EACH(v, &u->fn->params)
			u->vars[(*v)->id].depth = 0; /* the body of a loop that uses one has to share it */
	if (predicate)
		on_expr(&w.visitor, &predicate);
	ast_walk_block(&w.visitor, body);
	return w;
}

void find_captures(struct emit *e, struct unit *u, struct expr *predicate, struct block *body)
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
