/* The door of the front end: parse, expand, check in order. */
#include "lang/check.h"
#include "lang/imports.h"
#include "lang/macros.h"
#include "lang/stdlib.h"

enum { MAX_PASSES = 64 };

static void start_pass(struct checker *c)
{
	int i;

	c->changed = false;
	c->unstable_told = 0;
	c->fn_edges.n = 0;
	for (i = 0; i < c->maps.n; i++) {
		struct map_state *m = c->maps.entries[i].value;

		m->scalar = m->keyed = m->used = m->value_read = m->read_in_kernel = false;
	}
}

/* Parameters as declared, for calls that are met before the function itself. */
static void declare_params(struct checker *c, struct function *f, const struct fn_node *n)
{
	int i;

	for (i = 0; i < n->params.n; i++) {
		struct var *v = NEW(c->arena, struct var);

		v->name = n->params.at[i].name;
		v->type = resolve_type(c, n->params.at[i].type);
		VEC_PUSH(c->arena, &f->params, v);
	}
}

static void declare_functions(struct checker *c)
{
	int i;

	for (i = 0; i < c->script->fns.n; i++) {
		const struct fn_node *n = c->script->fns.at[i];
		struct function *f = NEW(c->arena, struct function);
		struct unit *u = NEW(c->arena, struct unit);

		if (table_get(&c->functions, n->name)) {
			diag_add(c->diag, n->span, DIAG_FN_REDEFINED, STR_ARG(n->name));
			continue;
		}
		f->name = n->name;
		f->span = n->span;
		f->id = c->program->functions.n;
		f->result = n->result ? resolve_type(c, n->result) : c->types->none;
		declare_params(c, f, n);
		u->function = f;
		u->fn_node = n;
		table_put(&c->functions, n->name, f);
		VEC_PUSH(c->arena, &c->program->functions, f);
		VEC_PUSH(c->arena, &c->units, u);
	}
}

/* Does `from` call `to`, directly or through others?  `depth` bounds the walk: a path needs no more steps than there are functions. */
static bool calls(const struct checker *c, const struct function *from, const struct function *to, int depth)
{
	VEC_EACH(edge, &c->fn_edges)
		if (edge->from == from && (edge->to == to || (depth && calls(c, edge->to, to, depth - 1))))
			return true;
	return false;
}

/* The verifier knows no recursion.  One message for each circle. */
static void refuse_recursion(struct checker *c)
{
	VEC_EACH(edge, &c->fn_edges) {
		if (edge->from != edge->to && !calls(c, edge->to, edge->from, c->functions.n < 8 ? c->functions.n : 8))
			continue;
		diag_add(c->diag, edge->span, DIAG_FN_RECURSION, STR_ARG(edge->to->name));
		diag_hint(c->diag, "a loop over a range does what recursion would: for ($i : 0..10) { }");
		return;
	}
}

/* Put `f` behind the functions that it calls.  There are no circles. */
static void place_function(struct checker *c, bool *placed, const struct function *f, int *n, struct function **order)
{
	if (placed[f->id])
		return;
	placed[f->id] = true;
	VEC_EACH(edge, &c->fn_edges)
		if (edge->from == f)
			place_function(c, placed, edge->to, n, order);
	order[(*n)++] = c->program->functions.at[f->id];
}

/* Code generation meets a function before its calls. */
static void order_functions(struct checker *c)
{
	int n = c->program->functions.n, done = 0, i;
	struct function **order = NEW_ARRAY(c->arena, struct function *, n + 1);
	bool *placed = NEW_ARRAY(c->arena, bool, n + 1);

	for (i = 0; i < n; i++)
		place_function(c, placed, c->program->functions.at[i], &done, order);
	for (i = 0; i < n; i++) {
		order[i]->id = i;
		c->program->functions.at[i] = order[i];
	}
}

/* Types grow until a pass changes nothing; only that pass's diagnostics count. */
static void run_passes(struct checker *c)
{
	int mark = diag_mark(c->diag), pass, i;

	for (pass = 0; pass < MAX_PASSES; pass++) {
		diag_rewind(c->diag, mark);
		start_pass(c);
		for (i = 0; i < c->units.n; i++)
			check_unit(c, c->units.at[i]);
		if (!c->changed && !assume_values(c))
			return;
	}
	BUG("types still grow after %d passes", MAX_PASSES);
}

static void collect_vars(struct checker *c)
{
	int i, j;

	for (i = 0; i < c->units.n; i++) {
		struct unit *u = c->units.at[i];

		for (j = 0; j < u->nvars; j++) {
			struct var *v = &u->vars.at[j]->var;

			if (u->probe)
				VEC_PUSH(c->arena, &u->probe->vars, v);
			else
				VEC_PUSH(c->arena, &u->function->vars, v);
		}
	}
}

static struct expr *define(void *arg, struct str name, struct span *span, bool *unusable)
{
	return c_defs_define(arg, name, span, unusable);
}

/* The script's C definitions, when it has any. */
static void read_c(struct checker *c, const struct script *script, struct macros *m)
{
	struct cpp_options cpp = {
		.dir = c->opt->script_dir,
		.include_dirs = c->opt->include_dirs,
		.ninclude_dirs = c->opt->ninclude_dirs,
		.kernel_headers = c->opt->kernel_headers,
		.includes = c->opt->includes,
		.nincludes = c->opt->nincludes,
	};

	if (!script->c_texts.n && !cpp.nincludes)
		return;
	cpp.have_btf = c->kernel->type_by_name(c->kernel, c->types, TAG_STRUCT, STR("task_struct")) != NULL;
	c->c_defs = c_defs_read(c->arena, c->types, script, c->kernel, &cpp, c->diag);
	m->define = define;
	m->define_arg = c->c_defs;
}

static bool replace_macros(struct arena *a, struct macros *m, struct script *script, struct diag *d)
{
	macros_add(m, parse(a, source_new(a, STR("stdlib"), str_of(standard_library)), d), true);
	macros_add(m, script, false);
	return macros_expand(m, script);
}

/* The tree as written becomes the tree that is checked: imports are read in, C definitions too, macros replaced by their bodies. */
static bool expand_text(struct checker *c, struct script *script)
{
	struct macros *m = macros_new(c->arena, c->diag);

	if (!imports_load(c->arena, script, c->kernel, c->opt->script_dir, c->program->config.unstable_import_statement != 0,
			  c->diag))
		return false;
	read_c(c, script, m);
	return replace_macros(c->arena, m, script, c->diag);
}

bool lang_declared_options(struct arena *a, const struct source *source, struct kernel *kernel, const struct lang_options *opt,
			   struct diag *d, struct declared_options *out)
{
	struct script *script = parse(a, source, d);

	if (!script || !imports_load(a, script, kernel, opt->script_dir, true, d) || !replace_macros(a, macros_new(a, d), script, d))
		return false;
	*out = params_declared(a, script);
	return true;
}

static const struct program *check(struct checker *c)
{
	struct diag *d = c->diag;

	params_collect(c);
	if (diag_errors(d))
		return NULL;
	if (!c->script->probes.n) {
		diag_add(d, (struct span){0}, DIAG_NO_PROBES);
		diag_hint(d, "for example: begin { printf(\"hello\\n\"); }");
		return NULL;
	}
	declare_functions(c);
	expand_probes(c);
	declare_maps(c);
	if (diag_errors(d))
		return NULL;
	run_passes(c);
	expand_drop_never(c);
	refuse_recursion(c);
	if (!diag_errors(d))
		order_functions(c);
	if (!diag_errors(d))
		finish_maps(c);
	if (!diag_errors(d))
		check_limits(c);
	if (diag_errors(d))
		return NULL;
	collect_vars(c);
	return c->program;
}

const struct program *lang_check(struct arena *a, const struct source *source, struct kernel *kernel,
				 const struct lang_options *opt, struct diag *d)
{
	struct script *script = parse(a, source, d);
	struct checker c = {
		.arena = a,
		.kernel = kernel,
		.diag = d,
		.opt = opt,
		.script = script,
		.maps.arena = a,
		.options.arena = a,
		.settled.arena = a,
		.functions.arena = a,
	};

	if (!script)
		return NULL;
	c.types = types_new(a);
	c.program = NEW(a, struct program);
	c.program->arena = a;
	c.program->source = source;
	c.program->types = c.types;
	c.program->kernel = kernel;
	c.program->unsafe = opt->unsafe;
	config_set(&c);
	return expand_text(&c, script) ? check(&c) : NULL;
}
