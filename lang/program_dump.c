/* A checked program as readable text (-d types, golden tests). */
#include "lang/program.h"

static void dump_map(struct arena *a, const struct map *m, struct strbuf *out)
{
	static const char *const kinds[] = {"hash", "lruhash", "percpuhash", "percpulruhash"};

	strbuf_printf(out, "map @%.*s", STR_ARG(m->name));
	if (m->key)
		strbuf_printf(out, "[%.*s]", STR_ARG(type_name(a, m->key)));
	strbuf_printf(out, ": %.*s, %s, %u entries%s\n", STR_ARG(m->value ? type_name(a, m->value) : STR("none")), kinds[m->kind],
		      m->max_entries, m->shared ? ", shared" : "");
}

static void dump_vars(struct arena *a, struct var *const *vars, int n, struct strbuf *out)
{
	int i;

	for (i = 0; i < n; i++)
		strbuf_printf(out, "  var $%.*s: %.*s\n", STR_ARG(vars[i]->name),
			      STR_ARG(vars[i]->type ? type_name(a, vars[i]->type) : STR("none")));
}

void program_dump(const struct program *p, struct strbuf *out)
{
	struct arena *a = p->arena;
	int i, j;

	for (i = 0; i < p->maps.n; i++)
		dump_map(a, p->maps.at[i], out);
	for (i = 0; i < p->options.n; i++)
		strbuf_printf(out, "option --%.*s: %.*s\n", STR_ARG(p->options.at[i]->name),
			      STR_ARG(type_name(a, p->options.at[i]->type)));
	for (i = 0; i < p->functions.n; i++) {
		const struct function *f = p->functions.at[i];

		strbuf_printf(out, "fn %.*s: %.*s\n", STR_ARG(f->name), STR_ARG(type_name(a, f->result)));
		dump_vars(a, f->vars.at, f->vars.n, out);
		ast_dump_block(f->body, 1, out);
	}
	for (i = 0; i < p->probes.n; i++) {
		const struct probe *probe = p->probes.at[i];

		strbuf_printf(out, "probe");
		for (j = 0; j < probe->attach.n; j++)
			strbuf_printf(out, " %.*s", STR_ARG(probe->attach.at[j]->text));
		strbuf_addc(out, '\n');
		dump_vars(a, probe->vars.at, probe->vars.n, out);
		if (probe->predicate) {
			strbuf_printf(out, "  predicate\n");
			ast_dump_expr(probe->predicate, 2, out);
		}
		ast_dump_block(probe->body, 1, out);
	}
}
