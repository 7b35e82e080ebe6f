/* Attach points as written -> units: lists split, wildcards resolved, existence checked (language.md 2.3, 12.1).
 * One program serves all attach points of a probe where its body cannot tell them apart; a body that reads args, retval or probe
 * gets a program for each. */
#include "lang/ast_walk.h"
#include "lang/check.h"

#include <errno.h>
#include <regex.h>

/* ---- what a body mentions --------------------------------------------------------------------------------------------- */

struct mentions {
	struct ast_visitor visitor;
	bool args, typed_args, argn, probe, func, kstack, uaddr;
	bool result_parts; /* retval->field, *retval */
};

static void note_name(struct mentions *m, struct str name)
{
	m->args |= str_is(name, "args") || str_is(name, "retval") || str_is(name, "ctx");
	m->typed_args |= str_is(name, "args");
	m->argn |= builtin_arg_number(name) >= 0;
	m->func |= str_is(name, "func");
	m->kstack |= str_is(name, "kstack");
	m->uaddr |= str_is(name, "uaddr");
	m->probe |= str_is(name, "probe") || str_is(name, "probetype");
}

static bool is_retval(const struct expr *e)
{
	return (e->kind == EXPR_NAME && str_is(e->name.name, "retval")) || (e->kind == EXPR_CALL && str_is(e->call.name, "retval"));
}

static void scan_expr(struct ast_visitor *v, struct expr **e)
{
	struct mentions *m = (struct mentions *)(void *)v;

	if ((*e)->kind == EXPR_NAME)
		note_name(m, (*e)->name.name);
	else if ((*e)->kind == EXPR_CALL)
		note_name(m, (*e)->call.name);
	else if ((*e)->kind == EXPR_FIELD)
		m->result_parts |= is_retval((*e)->field.e);
	else if ((*e)->kind == EXPR_UNARY)
		m->result_parts |= (*e)->unary.op == UNARY_DEREF && is_retval((*e)->unary.e);
	ast_walk_expr(v, *e);
}

/* ---- matches ---------------------------------------------------------------------------------------------------------- */

struct matches {
	struct checker *c;
	probe_spec_list *out;
	struct table *seen; /* full names already taken: duplicates attach once */
	struct span span;
	const struct probe_spec *pattern; /* being matched */
	int left_out;			  /* functions of it that cannot be traced safely */
};

/* Wildcards take only what can do no harm; what is named is told about. */
static bool is_harmful(struct checker *c, const struct probe_spec *s)
{
	return danger_of(c, s) || (c->kernel->closed && c->kernel->closed(c->kernel, s));
}

static bool add_match(const struct probe_spec *full, void *arg)
{
	struct matches *m = arg;
	struct probe_spec *copy;

	if (table_get(m->seen, full->text))
		return true;
	if (m->pattern->is_pattern && !m->c->opt->unsafe && is_harmful(m->c, full)) {
		m->left_out++;
		return true;
	}
	copy = NEW(m->c->arena, struct probe_spec);
	*copy = *full;
	copy->span = m->span;
	table_put(m->seen, copy->text, copy);
	VEC_PUSH(m->c->arena, m->out, copy);
	return true;
}

/* Kinds whose attach points are not looked up anywhere: they are what they say. */
static bool exists_by_itself(const struct probe_spec *s)
{
	switch (s->kind->id) {
	case PROBE_BEGIN: case PROBE_END: case PROBE_SELF: case PROBE_TEST: case PROBE_BENCH: case PROBE_PROFILE:
	case PROBE_INTERVAL: case PROBE_WATCHPOINT:
		return true;
	default:
		return s->has_address && s->kind->id == PROBE_KPROBE;
	}
}

static const char *thing_of(const struct probe_spec *s)
{
	switch (s->kind->id) {
	case PROBE_KPROBE: case PROBE_KRETPROBE: case PROBE_FENTRY: case PROBE_FEXIT:
		return "kernel function";
	case PROBE_TRACEPOINT: case PROBE_RAWTRACEPOINT:
		return "tracepoint";
	case PROBE_UPROBE: case PROBE_URETPROBE:
		return "function in that program";
	case PROBE_USDT:
		return "static probe in that program";
	case PROBE_ITER:
		return "iterator";
	default:
		return "event";
	}
}

static void hint_near(struct checker *c, const struct probe_spec *s)
{
	struct diag_near near = {.wanted = s->function};

	if (!c->kernel->near_probes)
		return;
	if (s->kind->id == PROBE_TRACEPOINT && s->module.n)
		near.wanted = str_printf(c->arena, "%.*s:%.*s", STR_ARG(s->module), STR_ARG(s->function));
	c->kernel->near_probes(c->kernel, s, &near);
	if (near.best.n && s->path.n)
		diag_hint(c->diag, "did you mean '%s:%.*s:%.*s'?", s->kind->name, STR_ARG(s->path), STR_ARG(near.best));
	else if (near.best.n && s->module.n && s->kind->id != PROBE_TRACEPOINT) /* whose names have their category */
		diag_hint(c->diag, "did you mean '%s:%.*s:%.*s'?", s->kind->name, STR_ARG(s->module), STR_ARG(near.best));
	else if (near.best.n)
		diag_hint(c->diag, "did you mean '%s:%.*s'?", s->kind->name, STR_ARG(near.best));
}

static const char *why_not(struct checker *c)
{
	return c->kernel->why ? c->kernel->why(c->kernel) : NULL;
}

static void no_match(struct checker *c, const struct probe_spec *s, int how)
{
	const char *why;

	if (c->program->config.missing_probes == 2) /* ignore */
		return;
	if (c->program->config.missing_probes == 1) {
		diag_add(c->diag, s->span, DIAG_NO_PROBE_SKIPPED, STR_ARG(s->text));
		return;
	}
	if (how < 0 && how != -ENOENT)
		diag_add(c->diag, s->span, DIAG_PROBE_SOURCE, s->kind->name, strerror(-how));
	if (how == -EACCES || how == -EPERM) {
		diag_hint(c->diag, "root may read it");
		return;
	}
	if (how >= 0 || how == -ENOENT)
		diag_add(c->diag, s->span, DIAG_NO_PROBE, thing_of(s), STR_ARG(s->text));
	why = why_not(c);
	if (why)
		diag_hint(c->diag, "%s", why);
	if (!why || s->kind->as == AS_USER)
		hint_near(c, s);
	diag_hint(c->diag, "config = { missing_probes = \"warn\" } goes on without it");
}

/* Can probes of this kind work on this kernel at all?  When not, `need` is what it lacks. */
static bool kind_works(struct checker *c, const struct probe_spec *s, enum kernel_feature *need)
{
	switch (s->kind->id) {
	case PROBE_KPROBE: case PROBE_KRETPROBE:
		*need = KERNEL_KPROBES;
		break;
	case PROBE_FENTRY: case PROBE_FEXIT:
		*need = KERNEL_FENTRY;
		break;
	case PROBE_HARDWARE:
		*need = KERNEL_PMU;
		break;
	default:
		return true;
	}
	return c->kernel->has(c->kernel, *need);
}

static struct str without_stars(struct str s)
{
	while (s.n && *s.s == '*')
		s = str_sub(s, 1, s.n);
	while (s.n && s.s[s.n - 1] == '*')
		s.n--;
	return s;
}

/* Of a shipped script, once: its many attach points tell nobody more. */
static void say_needs(struct checker *c, const char *what, const char *why)
{
	if (!diag_has(c->diag, DIAG_SCRIPT_NEEDS, DIAG_SCRIPT_NEEDS))
		diag_add(c->diag, (struct span){0}, DIAG_SCRIPT_NEEDS, what, why);
}

/* Does a shipped script find neither the probes that it wants nor those that it can do with?  Then it is said, although the script
 * goes on without what a kernel may lack. */
static bool lacks_both(struct checker *c, const probe_spec_list *written)
{
	enum kernel_feature need, first = KERNEL_FEATURE_COUNT;
	bool others = false;

	VEC_EACH(s, written) {
		if (kind_works(c, *s, &need))
			return false;
		others |= first != KERNEL_FEATURE_COUNT && need != first;
		first = first == KERNEL_FEATURE_COUNT ? need : first;
	}
	if (c->opt->shipped && others)
		say_needs(c, "fentry and fexit probes, or kprobes", "this kernel has neither");
	return c->opt->shipped && others;
}

/* True, and said, when probes of this kind cannot work on this kernel. */
static bool kind_missing(struct checker *c, const struct probe_spec *s)
{
	enum kernel_feature need;
	const char *why;
	struct str near;

	if (kind_works(c, s, &need))
		return false;
	if (c->program->config.missing_probes) {
		no_match(c, s, 0);
		return true;
	}
	why = need == KERNEL_KPROBES	? "this kernel is built without kprobes"
	      : need == KERNEL_FENTRY ? "this kernel cannot attach BPF programs to functions (no BTF or no ftrace)"
				      : "this machine shows no hardware counters";
	if (c->opt->shipped) {
		say_needs(c, need == KERNEL_KPROBES ? "kprobes" : need == KERNEL_FENTRY ? "fentry and fexit probes" : "hardware counters", why);
		return true;
	}
	diag_add(c->diag, s->span, DIAG_KIND_MISSING, STR_ARG(s->text), why);
	near = need == KERNEL_PMU ? STR("") : nearest_tracepoint(c, s->function);
	if (near.n)
		diag_hint(c->diag, "the nearest tracepoint is tracepoint:%.*s", STR_ARG(near));
	else if (need != KERNEL_PMU)
		diag_hint(c->diag, "tracepoints work here: waketrace -l 'tracepoint:*%.*s*' lists those of a name",
			  STR_ARG(without_stars(s->function)));
	return true;
}

/* Accept as written what cannot be looked up: attaching will tell. */
static bool accept_unseen(struct checker *c, const struct probe_spec *s, int how)
{
	if (s->is_pattern)
		return false;
	if (how < 0 && how != -ENOENT)
		return true;
	return c->opt->unsafe && (s->kind->id == PROBE_KPROBE || s->kind->id == PROBE_KRETPROBE);
}

/* Kernel functions that are named, not found by a wildcard.  False: an error was told. */
static bool check_harm(struct checker *c, const struct probe_spec *s)
{
	const char *danger = s->is_pattern ? NULL : danger_of(c, s);

	if (s->kind->id == PROBE_KPROBE && s->has_address && !s->function.n && !c->opt->unsafe) {
		diag_add(c->diag, s->span, DIAG_ADDRESS_UNSAFE);
		diag_hint(c->diag, "--unsafe allows it; kprobe:function+offset is checked and needs no such option");
		return false;
	}
	if (!danger)
		return true;
	diag_add(c->diag, s->span, c->opt->unsafe ? DIAG_DANGEROUS_UNSAFE : DIAG_DANGEROUS, STR_ARG(s->text), danger);
	if (!c->opt->unsafe)
		diag_hint(c->diag, "--unsafe attaches it nevertheless%s",
			  s->kind->family == CONTEXT_WORDS ? "; kprobe is safer there" : "");
	return c->opt->unsafe;
}

static void match_spec(struct checker *c, struct probe_spec *s, struct matches *m, bool optional)
{
	enum kernel_feature need;
	int n;

	m->span = s->span;
	m->pattern = s;
	m->left_out = 0;
	if (!check_harm(c, s))
		return;
	if (exists_by_itself(s)) {
		VEC_PUSH(c->arena, m->out, s);
		return;
	}
	if (optional ? !kind_works(c, s, &need) : kind_missing(c, s))
		return;
	n = c->kernel->each_probe(c->kernel, c->arena, s, add_match, m);
	if (m->left_out)
		diag_add(c->diag, s->span, DIAG_PROBES_LEFT_OUT, STR_ARG(s->text), m->left_out, m->left_out == 1 ? "function" : "functions");
	if (n > 0)
		return;
	if (accept_unseen(c, s, n)) {
		VEC_PUSH(c->arena, m->out, s);
		return;
	}
	if (!optional)
		no_match(c, s, n);
}

/* ---- units ------------------------------------------------------------------------------------------------------------ */

static bool one_program_each(struct checker *c, const struct probe_spec *s, const struct mentions *m)
{
	if (s->kind->id == PROBE_FENTRY || s->kind->id == PROBE_FEXIT || s->kind->id == PROBE_ITER)
		return true; /* the kernel binds the program to its target when loading */
	if (m->func && s->kind->id == PROBE_KRETPROBE && !c->kernel->has(c->kernel, KERNEL_FUNC_IP))
		return true; /* the program is told its function when it is loaded */
	if (m->kstack && s->kind->id == PROBE_TRACEPOINT && str_is(s->module, "syscalls"))
		return true; /* where these have no kernel stack, raw_syscalls has, and a program filters one of them */
	if (m->uaddr && s->kind->as == AS_USER)
		return true; /* it is told where its own file has the variable */
	return m->probe || (m->args && s->kind->family != CONTEXT_REGS) ||
	       (m->args && s->kind->id == PROBE_UPROBE) || (m->typed_args && s->kind->id == PROBE_KPROBE) ||
	       (m->result_parts && s->kind->id == PROBE_URETPROBE) || s->kind->family == CONTEXT_NONE;
}

static struct unit *unit_new(struct checker *c, const struct probe_node *node, int index, const struct probe_spec *s)
{
	struct unit *u = NEW(c->arena, struct unit);
	struct probe *p = NEW(c->arena, struct probe);

	p->id = c->program->probes.n;
	p->kind = s->kind;
	p->name = s->text;
	p->span = node->span;
	p->source_probe = index;
	u->probe = p;
	u->node = node;
	VEC_PUSH(c->arena, &c->program->probes, p);
	VEC_PUSH(c->arena, &c->units, u);
	return u;
}

static void find_args(struct checker *c, struct unit *u, const struct mentions *m)
{
	/* A uretprobe's result is a number, with or without debug information; only its parts ask for a type. */
	if ((m->args && (u->probe->kind->family == CONTEXT_TRACEPOINT || u->probe->kind->family == CONTEXT_WORDS ||
			 u->probe->kind->family == CONTEXT_ITER || u->probe->kind->id == PROBE_UPROBE)) ||
	    (m->argn && (u->probe->kind->id == PROBE_FENTRY || u->probe->kind->id == PROBE_FEXIT)) ||
	    (m->typed_args && u->probe->kind->id == PROBE_KPROBE) || (m->result_parts && u->probe->kind->id == PROBE_URETPROBE))
		c->kernel->args_of(c->kernel, c->types, u->probe->attach.at[0], &u->probe->args, &u->args_why);
}

/* Does the body ask for what differs between the places of one attach point: overloads of a C++ name, a source line that is compiled
 * into several functions? */
static bool asks_place(const struct probe_spec *s, const struct mentions *m)
{
	return (s->kind->id == PROBE_UPROBE && (m->args || m->uaddr)) || (s->kind->id == PROBE_URETPROBE && (m->result_parts || m->uaddr));
}

/* Such a point becomes one for each place. */
static void split_places(struct checker *c, const probe_spec_list *specs, const struct mentions *m, probe_spec_list *out)
{
	VEC_EACH(s, specs) {
		int n = asks_place(*s, m) && c->kernel->user_places ? c->kernel->user_places(c->kernel, *s) : 1, i;

		for (i = 0; i < n && n > 1; i++) {
			struct probe_spec *one = NEW(c->arena, struct probe_spec);

			*one = **s;
			one->place = (uint32_t)i + 1;
			VEC_PUSH(c->arena, out, one);
		}
		if (n <= 1)
			VEC_PUSH(c->arena, out, *s);
	}
}

static void make_units(struct checker *c, const struct probe_node *node, int index, const probe_spec_list *found)
{
	struct unit *shared[PROBE_KIND_COUNT] = {0};
	struct mentions m = {.visitor = {.expr = scan_expr}};
	struct expr *predicate = node->predicate;
	probe_spec_list specs = {0};
	int i;

	ast_walk_block(&m.visitor, node->body);
	if (predicate)
		scan_expr(&m.visitor, &predicate);
	split_places(c, found, &m, &specs);
	for (i = 0; i < specs.n; i++) {
		struct probe_spec *s = specs.at[i];
		struct unit *u = shared[s->kind->id];

		if (!u || one_program_each(c, s, &m)) {
			u = unit_new(c, node, index, s);
			VEC_PUSH(c->arena, &u->probe->attach, s);
			u->probe->wants_kstack = m.kstack;
			find_args(c, u, &m);
			shared[s->kind->id] = u;
			continue;
		}
		VEC_PUSH(c->arena, &u->probe->attach, s);
	}
}

/* Two attach points that a wildcard in the name of the kind (k*probe) has made of one. */
static bool same_text(const probe_spec_list *written, int left, int right)
{
	return right < written->n && written->at[left]->span.begin == written->at[right]->span.begin;
}

static void expand_node(struct checker *c, const struct probe_node *node, int index)
{
	struct table seen = {.arena = c->arena};
	probe_spec_list written = {0}, found = {0};
	struct matches m = {.c = c, .out = &found, .seen = &seen};
	int i, before = diag_errors(c->diag), missing = c->program->config.missing_probes;

	for (i = 0; i < node->attach.n; i++) {
		const struct attach_text *a = &node->attach.at[i];
		bool absent = false;
		struct str text = param_substitute(c, a->text, a->span, missing ? &absent : NULL);

		if (absent) { /* uprobe:$1:main without a $1 is a probe that is missing */
			if (missing == 1)
				diag_add(c->diag, a->span, DIAG_NO_PROBE_SKIPPED, STR_ARG(a->text));
			continue;
		}
		if (diag_errors(c->diag) == before)
			probe_spec_parse(c->arena, text, a->span, c->diag, &written);
	}
	if (diag_errors(c->diag) > before)
		return;
	for (i = 0; i < written.n && diag_errors(c->diag) < DIAG_MOST_SHOWN; i++) {
		bool optional = node->alternatives || (written.at[i]->is_pattern && written.n > 1);

		match_spec(c, written.at[i], &m, optional);
		if (node->alternatives && found.n && !same_text(&written, i, i + 1))
			break;
	}
	if (!found.n && diag_errors(c->diag) == before && written.n && !lacks_both(c, &written)) {
		if (!c->program->config.missing_probes && !kind_missing(c, written.at[0]))
			no_match(c, written.at[0], 0);
		else if (c->program->config.missing_probes == 1)
			diag_add(c->diag, node->span, DIAG_PROBE_REMOVED);
	}
	make_units(c, node, index, &found);
}

/* Probes that lost all their attach points. */
static void drop_empty(struct checker *c)
{
	int i, units = 0, probes = 0;

	for (i = 0; i < c->units.n; i++) {
		struct probe *p = c->units.at[i]->probe;

		if (p && !p->attach.n)
			continue;
		c->units.at[units++] = c->units.at[i];
		if (p) {
			p->id = probes;
			c->program->probes.at[probes++] = p;
		}
	}
	c->units.n = units;
	c->program->probes.n = probes;
}

/* What a comptime predicate has found needless on this kernel is not attached. */
void expand_drop_never(struct checker *c)
{
	VEC_EACH(u, &c->units) {
		if (!(*u)->never)
			continue;
		(*u)->probe->attach.n = 0;
		c->left_out = true;
	}
	if (c->left_out)
		drop_empty(c);
}

/* --probe-filter: attach points whose full name does not fit the regular expression are dropped; begin and end stay, and are
 * enough to run. */
static void filter_probes(struct checker *c)
{
	char *pattern = str_c(c->arena, c->opt->probe_filter), why[128];
	regex_t re;
	int i, j, kept, rest = 0, dropped = 0, wrong = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);

	if (wrong) {
		regerror(wrong, &re, why, sizeof(why));
		diag_add(c->diag, (struct span){0}, DIAG_PROBE_FILTER, pattern, why);
		return;
	}
	for (i = 0; i < c->units.n; i++) {
		struct probe *p = c->units.at[i]->probe;

		if (!p || p->kind->id == PROBE_BEGIN || p->kind->id == PROBE_END)
			continue;
		for (j = kept = 0; j < p->attach.n; j++)
			if (!regexec(&re, str_c(c->arena, p->attach.at[j]->text), 0, NULL, 0))
				p->attach.at[kept++] = p->attach.at[j];
		dropped += p->attach.n - kept;
		p->attach.n = kept;
		rest += kept;
	}
	regfree(&re);
	drop_empty(c);
	if (!c->program->probes.n)
		diag_add(c->diag, (struct span){0}, DIAG_PROBE_FILTER_NONE, pattern);
	else if (!rest && dropped)
		diag_add(c->diag, (struct span){0}, DIAG_PROBE_FILTER_REST, pattern);
}

/* The results of tests and benchmarks are told by name. */
static void check_names(struct checker *c)
{
	struct table names = {.arena = c->arena};

	VEC_EACH(p, &c->program->probes) {
		if ((*p)->kind->id != PROBE_TEST && (*p)->kind->id != PROBE_BENCH)
			continue;
		VEC_EACH(s, &(*p)->attach) {
			const struct probe_spec *first = table_get(&names, (*s)->text);

			if (!first) {
				table_put(&names, (*s)->text, *s);
				continue;
			}
			diag_add(c->diag, (*s)->span, DIAG_PROBE_DUPLICATE, (*p)->kind->name, STR_ARG((*s)->function));
			diag_note(c->diag, first->span, "the first one is here");
		}
	}
}

/* Does the script have fentry or fexit probes? */
static bool has_trampolines(const struct script *script)
{
	VEC_EACH(node, &script->probes) {
		VEC_EACH(a, &(*node)->attach) {
			struct str name = str_sub(a->text, 0, str_find(a->text, ':'));
			const struct probe_kind *k = probe_kind_by_name(name);

			if (k ? k->id == PROBE_FENTRY || k->id == PROBE_FEXIT : str_match(name, STR("fentry")) || str_match(name, STR("fexit")))
				return true;
		}
	}
	return false;
}

void expand_probes(struct checker *c)
{
	int i;

	if (!check_written_points(c))
		return;
	c->has_trampolines = has_trampolines(c->script);
	for (i = 0; i < c->script->probes.n && diag_errors(c->diag) < DIAG_MOST_SHOWN; i++)
		expand_node(c, c->script->probes.at[i], i);
	check_names(c);
	if (c->opt->probe_filter.n && !diag_errors(c->diag))
		filter_probes(c);
}
