/* Sizes and counts that the kernel or the settings bound. */
#include "lang/ast_walk.h"
#include "lang/check.h"

/* Many times what anybody writes and the kernel loads; with more the compiler would be busy for minutes before the kernel says no. */
enum { MOST_STATEMENTS = 16384 };

struct count {
	struct ast_visitor visitor; /* first: the visitor is cast back */
	uint64_t statements;
	uint64_t times; /* how often the statement being visited will stand there */
};

static void count_in_expr(struct ast_visitor *v, struct expr **e)
{
	ast_walk_expr(v, *e);
}

static void count_stmt(struct ast_visitor *v, struct stmt *s)
{
	struct count *n = (struct count *)(void *)v;
	uint64_t times = n->times;

	n->statements += times;
	if (s->kind == STMT_UNROLL)
		n->times = times > MOST_STATEMENTS ? times : times * s->loop.times; /* at most 100: no overflow */
	ast_walk_stmt(v, s);
	n->times = times;
}

static void check_length(struct checker *c, struct span span, struct block *body)
{
	struct count n = {.visitor = {.expr = count_in_expr, .stmt = count_stmt}, .times = 1};

	ast_walk_block(&n.visitor, body);
	if (n.statements <= MOST_STATEMENTS)
		return;
	diag_add(c->diag, span, DIAG_TOO_MANY_STATEMENTS, MOST_STATEMENTS);
	diag_hint(c->diag, "what unroll() repeats counts each time; a loop over a range stands there once: for ($i : 0..1000) { }");
}

static void check_lengths(struct checker *c)
{
	const struct probe_node *last = NULL;

	VEC_EACH(u, &c->units) {
		if ((*u)->function)
			check_length(c, (*u)->fn_node->span, (*u)->function->body);
		else if ((*u)->node != last) /* many units may be of one probe */
			check_length(c, (*u)->node->span, (*u)->probe->body);
		last = (*u)->node;
	}
}

/* Before anything is looked up: points that are written out, which are attached or are an error.  False: an error was told. */
bool check_written_points(struct checker *c)
{
	const struct config *f = &c->program->config;
	struct span first_too_many = {0};
	uint64_t n = 0;

	if (f->missing_probes)
		return true; /* any of them may be missing */
	VEC_EACH(node, &c->script->probes) {
		if ((*node)->alternatives)
			continue;
		VEC_EACH(a, &(*node)->attach)
			if (!str_is_pattern(a->text) && ++n == f->max_probes + 1)
				first_too_many = a->span;
	}
	if (n <= f->max_probes)
		return true;
	diag_add(c->diag, first_too_many, DIAG_TOO_MANY_PROBES, n, f->max_probes);
	diag_hint(c->diag, "config = { max_probes = %llu } allows it; attaching may take long", (unsigned long long)n);
	return false;
}

void check_limits(struct checker *c)
{
	const struct config *f = &c->program->config;
	uint64_t attached = 0;
	int i;

	check_lengths(c);
	for (i = 0; i < c->program->probes.n; i++)
		attached += (uint64_t)c->program->probes.at[i]->attach.n;
	if (attached > f->max_probes) {
		diag_add(c->diag, (struct span){0}, DIAG_TOO_MANY_PROBES, attached, f->max_probes);
		diag_hint(c->diag, "config = { max_probes = %llu } allows it; attaching may take long", (unsigned long long)attached);
	}
	if ((uint64_t)c->program->probes.n > f->max_bpf_progs) {
		diag_add(c->diag, (struct span){0}, DIAG_TOO_MANY_PROGRAMS, c->program->probes.n, f->max_bpf_progs);
		diag_hint(c->diag, "without `probe` and `args` in its body, one program serves all functions of a wildcard");
	}
}
