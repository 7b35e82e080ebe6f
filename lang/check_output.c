/* Functions done by user space (printf, print, report ...), aggregations and script options. */
#include "lang/check.h"

#include <ctype.h>

/* ---- formats -------------------------------------------------------------------------------------------------------- */

static void check_values(struct checker *c, struct expr *e, struct format *f, int first)
{
	int i = first, p;

	if (e->call.args.n - first != f->nvalues) {
		diag_add(c->diag, e->span, DIAG_FORMAT_COUNT, f->nvalues, e->call.args.n - first);
		return;
	}
	for (p = 0; p < f->pieces.n; p++) {
		const struct format_piece *piece = &f->pieces.at[p];
		struct expr *v;

		if (piece->conv == CONV_TEXT)
			continue;
		if (piece->conv == CONV_STRING) /* %s prints what print() does: the number of an aggregate */
			read_aggregate(c, &e->call.args.at[i]);
		v = e->call.args.at[i++];
		if (failed(v->type))
			continue;
		if (piece->conv == CONV_STRING && v->kind == EXPR_MAP && v->type->kind == TYPE_STATS)
			map_state(c, v->map.name, v->span)->read_in_kernel = true;
		else if (v->type->kind == TYPE_NONE)
			no_value(c, v);
		else if (!format_accepts(piece->conv, v->type)) {
			diag_add(c->diag, v->span, DIAG_FORMAT_TYPE, STR_ARG(piece->text), STR_ARG(name_of(c, v->type)));
			if (type_is_castable_aggregate(v->type))
				diag_hint(c->diag, "cast the aggregate to print its number: (int64)@x");
			else if (v->type->kind == TYPE_STRING)
				diag_hint(c->diag, "print text with %%s");
		}
	}
}

static void check_printf(struct checker *c, struct expr *e)
{
	const char *name = builtin_row(e->call.builtin)->name;
	struct str text, bad = {0};
	int i;

	e->type = c->types->none;
	if (!literal_string(c, e->call.args.at[0], name, &text))
		return;
	for (i = 1; i < e->call.args.n; i++)
		check_expr(c, e->call.args.at[i]);
	e->call.format = format_parse(c->arena, text, &bad);
	if (!e->call.format) {
		diag_add(c->diag, e->call.args.at[0]->span, DIAG_FORMAT_BAD, STR_ARG(bad));
		return;
	}
	check_values(c, e, e->call.format, 1);
}

/* ---- print, clear, zero ------------------------------------------------------------------------------------------------ */

static bool whole_map_argument(struct checker *c, struct expr *e)
{
	if (e->kind != EXPR_MAP || e->map.key)
		return false;
	check_map(c, e, true);
	return true;
}

static void check_print(struct checker *c, struct expr *e)
{
	struct expr **a = &e->call.args.at[0];

	e->type = c->types->none;
	if (whole_map_argument(c, *a)) {
		if (failed((*a)->type))
			return;
		check_print_options(c, e);
		if (c->any_loop) {
			diag_add(c->diag, e->span, DIAG_PRINT_IN_LOOP);
			diag_hint(c->diag, "print one value at a time: print(@m[key]), or for ($kv : @m) { print($kv) }");
		}
		if (e->call.args.n > 3)
			diag_add(c->diag, e->span, DIAG_ARG_COUNT, "print", "a map, top and div", e->call.args.n);
		return;
	}
	check_expr(c, *a);
	if (e->call.args.n > 1) {
		diag_add(c->diag, e->span, DIAG_PRINT_VALUE_ARGS, e->call.args.n);
		return;
	}
	if (failed((*a)->type))
		return;
	if ((*a)->type->kind == TYPE_HIST || (*a)->type->kind == TYPE_LHIST || (*a)->type->kind == TYPE_TSERIES) {
		diag_add(c->diag, (*a)->span, DIAG_PRINT_ELEMENT, STR_ARG(name_of(c, (*a)->type)));
		diag_hint(c->diag, "print the whole map");
		return;
	}
	if ((*a)->kind == EXPR_MAP && type_is_aggregate((*a)->type))
		map_state(c, (*a)->map.name, (*a)->span)->read_in_kernel = true;
	if ((*a)->type->kind == TYPE_NONE && (*a)->kind == EXPR_FIELD)
		no_value(c, *a);
	else if (!type_is_printable((*a)->type))
		diag_add(c->diag, (*a)->span, DIAG_NOT_PRINTABLE, STR_ARG(name_of(c, (*a)->type)));
}

static void check_clear(struct checker *c, struct expr *e)
{
	e->type = c->types->none;
	if (!whole_map_argument(c, e->call.args.at[0]))
		diag_add(c->diag, e->call.args.at[0]->span, DIAG_NEED_MAP, builtin_row(e->call.builtin)->name);
}

static void check_exit(struct checker *c, struct expr *e)
{
	e->type = c->types->none;
	if (!e->call.args.n)
		return;
	check_expr(c, e->call.args.at[0]);
	if (need_integer(c, &e->call.args.at[0], "the status of exit()"))
		cast_to(c, &e->call.args.at[0], c->types->s64);
}

/* The address of a watchpoint. */
static void check_unwatch(struct checker *c, struct expr *e)
{
	struct expr **a = &e->call.args.at[0];

	e->type = c->types->none;
	check_expr(c, *a);
	if (failed((*a)->type))
		return;
	if ((*a)->type->kind == TYPE_PTR || need_integer(c, a, "the address of unwatch()"))
		cast_to(c, a, c->types->u64);
}

static void check_time(struct checker *c, struct expr *e)
{
	struct str text;

	e->type = c->types->none;
	if (e->call.args.n)
		literal_string(c, e->call.args.at[0], "time", &text);
}

/* join(argv), join(argv, separator) */
static void check_join(struct checker *c, struct expr *e)
{
	struct expr **a = &e->call.args.at[0];
	struct str separator;

	e->type = c->types->none;
	check_expr(c, *a);
	if (e->call.args.n > 1)
		literal_string(c, e->call.args.at[1], "join", &separator);
	if (failed((*a)->type))
		return;
	if ((*a)->type->kind == TYPE_ARRAY && (*a)->type->elem->kind == TYPE_PTR)
		return;
	if ((*a)->type->kind != TYPE_PTR && !type_is_integer((*a)->type))
		diag_add(c->diag, (*a)->span, DIAG_ARG_TYPE, "join", "an array of strings (char **)", STR_ARG(name_of(c, (*a)->type)));
	else if (type_is_integer((*a)->type))
		cast_to(c, a, type_ptr(c->types, c->types->s8, (*a)->type->as == AS_NONE ? space_here(c) : (*a)->type->as));
}

void check_output_call(struct checker *c, struct expr *e)
{
	switch (e->call.builtin) {
	case BUILTIN_system:
		if (!c->program->unsafe) {
			diag_add(c->diag, e->span, DIAG_UNSAFE, builtin_row(e->call.builtin)->name);
			diag_hint(c->diag, "allow it with --unsafe");
		}
		check_printf(c, e);
		return;
	case BUILTIN_join:
		check_join(c, e);
		return;
	case BUILTIN_cat:
	case BUILTIN_errorf:
	case BUILTIN_warnf:
	case BUILTIN_printf:
		check_printf(c, e);
		return;
	case BUILTIN_print:
		check_print(c, e);
		return;
	case BUILTIN_clear:
	case BUILTIN_zero:
		check_clear(c, e);
		return;
	case BUILTIN_exit:
		check_exit(c, e);
		return;
	case BUILTIN_unwatch:
		check_unwatch(c, e);
		return;
	case BUILTIN_cls:
	case BUILTIN_walk:
	case BUILTIN_time:
		check_time(c, e);
		return;
	case BUILTIN_report:
		check_report(c, e);
		return;
	default:
		BUG("output function %d", e->call.builtin);
	}
}

/* ---- aggregations ----------------------------------------------------------------------------------------------------- */

static bool hist_params(struct checker *c, struct expr *e, int64_t params[4])
{
	uint64_t k = 0;

	if (e->call.args.n > 1 && (!literal_int(c, e->call.args.at[1], "hist", &k) || is_negative(c, e->call.args.at[1], "k of hist()")))
		return false;
	if (k > 5) {
		diag_add(c->diag, e->call.args.at[1]->span, DIAG_HIST_BITS, k);
		return false;
	}
	params[0] = (int64_t)k;
	return true;
}

static bool lhist_params(struct checker *c, struct expr *e, int64_t params[4])
{
	uint64_t v[3];
	int i;

	for (i = 0; i < 3; i++) {
		struct expr *a = e->call.args.at[i + 1];

		if (!literal_int(c, a, "lhist", &v[i]))
			return false;
		if ((int64_t)v[i] < 0) {
			diag_add(c->diag, a->span, DIAG_LHIST_NEGATIVE);
			return false;
		}
		params[i] = (int64_t)v[i];
	}
	if (v[0] >= v[1])
		diag_add(c->diag, e->span, DIAG_LHIST_RANGE, v[0], v[1]);
	else if (!v[2])
		diag_add(c->diag, e->call.args.at[3]->span, DIAG_LHIST_STEP);
	else if ((v[1] - v[0]) / v[2] > 1000)
		diag_add(c->diag, e->span, DIAG_LHIST_BUCKETS, (v[1] - v[0]) / v[2]);
	else if (v[2] > v[1] - v[0])
		diag_add(c->diag, e->call.args.at[3]->span, DIAG_LHIST_WIDE, v[2]);
	else {
		/* A last step that is not whole is counted with what lies above. */
		params[1] -= (params[1] - params[0]) % params[2];
		return true;
	}
	return false;
}

/* tseries(n, interval_ns, intervals, how): params are interval, intervals, how (as in type.h). */
static bool tseries_params(struct checker *c, struct expr *e, int64_t params[4])
{
	static const char *const words[] = {"", "avg", "max", "min", "sum"};
	struct str how = {"", 0};
	uint64_t v[2];
	int i;

	for (i = 0; i < 2; i++) {
		if (!literal_int(c, e->call.args.at[i + 1], "tseries", &v[i]))
			return false;
		params[i] = (int64_t)v[i];
	}
	if (e->call.args.n > 3 && !literal_string(c, e->call.args.at[3], "tseries", &how))
		return false;
	for (i = 0; i < 5 && !str_is(how, words[i]);)
		i++;
	params[2] = i;
	if (params[0] < 1)
		diag_add(c->diag, e->call.args.at[1]->span, DIAG_TSERIES_INTERVAL);
	else if (params[1] < 1 || params[1] > TSERIES_SLOTS)
		diag_add(c->diag, e->call.args.at[2]->span, DIAG_TSERIES_COUNT, TSERIES_SLOTS, v[1]);
	else if (i == 5)
		diag_add(c->diag, e->call.args.at[3]->span, DIAG_BAD_WORD, STR_ARG(e->call.name), "avg, max, min and sum");
	else
		return true;
	return false;
}

/* Only reached for calls that are the right side of a map assignment: check_stmts.c sends others to an error. */
void check_aggregate_call(struct checker *c, struct expr *e)
{
	static const enum type_kind kinds[BUILTIN_ID_COUNT] = {
		[BUILTIN_count] = TYPE_COUNT, [BUILTIN_sum] = TYPE_SUM,	  [BUILTIN_avg] = TYPE_AVG,
		[BUILTIN_min] = TYPE_MIN,     [BUILTIN_max] = TYPE_MAX,	  [BUILTIN_stats] = TYPE_STATS,
		[BUILTIN_hist] = TYPE_HIST,   [BUILTIN_lhist] = TYPE_LHIST,
		[BUILTIN_tseries] = TYPE_TSERIES,
	};
	const char *name = builtin_row(e->call.builtin)->name;
	int64_t params[4] = {0};
	bool is_signed = false;
	struct expr **n;

	if (e->call.builtin == BUILTIN_tseries && !unstable_allowed(c, e->span, UNSTABLE_TSERIES)) {
		expr_fail(c, e);
		return;
	}
	if (e->call.builtin == BUILTIN_count) {
		e->type = type_aggregate(c->types, TYPE_COUNT, false, params);
		return;
	}
	n = &e->call.args.at[0];
	check_expr(c, *n);
	if (!need_integer(c, n, arena_printf(c->arena, "the argument of %s()", name)) ||
	    (e->call.builtin == BUILTIN_hist && !hist_params(c, e, params)) ||
	    (e->call.builtin == BUILTIN_lhist && !lhist_params(c, e, params)) ||
	    (e->call.builtin == BUILTIN_tseries && !tseries_params(c, e, params))) {
		expr_fail(c, e);
		return;
	}
	is_signed = (*n)->type->is_signed;
	if (e->call.builtin == BUILTIN_hist || e->call.builtin == BUILTIN_lhist)
		is_signed = false;
	cast_to(c, n, (*n)->type->is_signed ? c->types->s64 : c->types->u64);
	e->type = type_aggregate(c->types, kinds[e->call.builtin], is_signed, params);
}

/* ---- script options ------------------------------------------------------------------------------------------------------ */

/* list(int64), list(string) in place of a default. */
static bool list_kind(struct checker *c, const struct expr *d, struct option_decl *o)
{
	const struct expr *of = d->call.args.n == 1 ? d->call.args.at[0] : NULL;

	if (of && of->kind == EXPR_NAME && str_is(of->name.name, "int64"))
		o->kind = OPTION_LIST;
	else if (of && of->kind == EXPR_NAME && str_is(of->name.name, "string"))
		o->kind = OPTION_TEXTS;
	else
		diag_add(c->diag, d->span, DIAG_LIST_OF);
	return o->kind == OPTION_LIST || o->kind == OPTION_TEXTS;
}

struct option_decl *list_option(struct checker *c, struct expr *e)
{
	struct var_state *v = e->kind == EXPR_VAR ? var_find(c, e->var.name) : NULL;

	if (v && v->list) {
		struct span span = e->span;

		v->read = true;
		memset(e, 0, sizeof(*e));
		e->kind = EXPR_CALL;
		e->span = e->call.name_span = span;
		e->call.name = STR("getopt");
		e->call.builtin = BUILTIN_getopt;
		e->call.option = v->list;
		e->type = c->types->none;
		return v->list;
	}
	if (e->kind != EXPR_CALL || !str_is(e->call.name, "getopt"))
		return NULL;
	if (!e->type)
		check_expr(c, e);
	if (failed(e->type) || (e->call.option->kind != OPTION_LIST && e->call.option->kind != OPTION_TEXTS))
		return NULL;
	return e->call.option;
}

bool list_assign(struct checker *c, struct expr *target, struct expr *value)
{
	struct option_decl *o = list_option(c, value);
	struct var_state *v;

	if (!o)
		return false;
	v = var_find(c, target->var.name);
	if (v && v->list != o) {
		diag_add(c->diag, target->span, DIAG_LIST_VALUE);
		return true;
	}
	if (!v)
		v = var_declare(c, target->var.name, target->span);
	v->list = o;
	v->assigned = true;
	v->var.type = c->types->none;
	return true;
}

/* x in list */
void check_in(struct checker *c, struct expr *e)
{
	struct option_decl *o = list_option(c, e->binary.right);
	struct expr **x = &e->binary.left;

	check_expr(c, *x);
	read_aggregate(c, x);
	if (!o) {
		if (!e->binary.right->type)
			check_expr(c, e->binary.right);
		if (!failed(e->binary.right->type)) {
			diag_add(c->diag, e->binary.right->span, DIAG_IN_LIST);
			diag_hint(c->diag, "$list = getopt(\"name\", list(int64), \"help\")");
		}
		expr_fail(c, e);
		return;
	}
	if (failed((*x)->type)) {
		expr_fail(c, e);
		return;
	}
	if (o->kind == OPTION_TEXTS ? (*x)->type->kind != TYPE_STRING
				    : !type_is_integer((*x)->type) && (*x)->type->kind != TYPE_PTR) {
		FAIL(c, e, DIAG_IN_TYPE, STR_ARG(name_of(c, (*x)->type)), o->kind == OPTION_TEXTS ? "texts" : "numbers");
		return;
	}
	if (o->kind == OPTION_LIST)
		cast_to(c, x, c->types->s64);
	e->type = c->types->boolean;
}

static bool option_default(struct checker *c, struct expr *d, struct option_decl *o)
{
	if (d->kind == EXPR_CALL && str_is(d->call.name, "list"))
		return list_kind(c, d, o);
	if (d->kind == EXPR_NAME && str_is(d->name.name, "cgroupid")) {
		o->kind = OPTION_CGROUP; /* 0: none given */
		return true;
	}
	check_expr(c, d);
	if (failed(d->type))
		return false;
	switch (d->kind) {
	case EXPR_BOOL:
		o->kind = OPTION_BOOL;
		o->number = d->boolean;
		return true;
	case EXPR_INT:
		o->kind = d->type->is_signed && (int64_t)d->integer.value < 0 ? OPTION_INT : OPTION_UINT;
		o->number = d->integer.value;
		return true;
	case EXPR_STRING:
		o->kind = OPTION_STRING;
		o->text = d->string.text;
		return true;
	default:
		diag_add(c->diag, d->span, DIAG_OPTION_DEFAULT, STR_ARG(o->name));
		return false;
	}
}

static const struct type *option_type(struct checker *c, const struct option_decl *o)
{
	switch (o->kind) {
	case OPTION_BOOL:
		return c->types->boolean;
	case OPTION_UINT:
	case OPTION_CGROUP:
		return c->types->u64;
	case OPTION_INT:
		return c->types->s64;
	case OPTION_STRING:
		return type_string(c->types, (uint32_t)c->program->config.max_strlen);
	case OPTION_LIST:
	case OPTION_TEXTS:
		return c->types->none; /* nothing that could be stored */
	}
	BUG("option kind %d", o->kind);
}

static void same_option(struct checker *c, struct expr *e, const struct option_decl *old, const struct option_decl *now)
{
	if (old->kind != now->kind || old->number != now->number || !str_eq(old->text, now->text) || old->letter != now->letter)
		diag_add(c->diag, e->span, DIAG_OPTION_DIFFERS, STR_ARG(old->name), "default");
	else if (now->help.n && old->help.n && !str_eq(now->help, old->help))
		diag_add(c->diag, e->span, DIAG_OPTION_DIFFERS, STR_ARG(old->name), "description");
	else
		return;
	diag_note(c->diag, old->span, "first declared here");
}

/* What a word of the command line can be: letters, digits, '-' and '_', and no '-' first. */
static bool is_option_name(struct str name)
{
	enum { LONGEST = 200 }; /* with what stands before it, the name of a variable of the artefact */
	size_t i;

	for (i = 0; i < name.n; i++)
		if (!isalnum((unsigned char)name.s[i]) && name.s[i] != '_' && (name.s[i] != '-' || !i))
			return false;
	return name.n > 0 && name.n <= LONGEST;
}

/* getopt("sort", "all", "help", "all reads writes"): what the text may be. */
static bool option_choices(struct checker *c, struct expr *e, struct option_decl *o)
{
	if (!literal_string(c, e->call.args.at[3], "getopt", &o->choices)) {
		expr_fail(c, e);
		return false;
	}
	if (o->kind == OPTION_STRING)
		return true;
	FAIL(c, e, DIAG_OPTION_CHOICES, STR_ARG(o->name));
	diag_hint(c->diag, "the default is a text: getopt(\"sort\", \"all\", \"what comes first\", \"all reads writes\")");
	return false;
}

/* getopt("pid,p", 0, "trace this process"): long name, a letter after a comma. */
void check_getopt(struct checker *c, struct expr *e)
{
	struct option_decl now = {.span = e->span, .kind = OPTION_BOOL}, *old;
	struct str name;
	size_t comma;

	if (!literal_string(c, e->call.args.at[0], "getopt", &name)) {
		expr_fail(c, e);
		return;
	}
	comma = str_find(name, ',');
	now.name = str_sub(name, 0, comma);
	if (comma + 2 == name.n)
		now.letter = name.s[comma + 1];
	if (!is_option_name(now.name) || (comma < name.n && !is_option_name((struct str){&now.letter, 1}))) {
		FAIL(c, e, DIAG_OPTION_NAME, STR_ARG(name));
		diag_hint(c->diag, "a name, or a name and one letter: getopt(\"pid,p\", 0)");
		return;
	}
	if (e->call.args.n > 1 && !option_default(c, e->call.args.at[1], &now)) {
		expr_fail(c, e);
		return;
	}
	if (e->call.args.n > 2 && !literal_string(c, e->call.args.at[2], "getopt", &now.help)) {
		expr_fail(c, e);
		return;
	}
	if (e->call.args.n > 3 && !option_choices(c, e, &now))
		return;
	now.type = option_type(c, &now);
	old = table_get(&c->options, now.name);
	if (!old) {
		old = NEW(c->arena, struct option_decl);
		*old = now;
		old->id = c->program->options.n;
		if (table_get(&c->settled, now.name)) {
			old->settled = true;
			old->settled_to = *(const uint64_t *)table_get(&c->settled, now.name);
		}
		table_put(&c->options, now.name, old);
		VEC_PUSH(c->arena, &c->program->options, old);
	} else {
		same_option(c, e, old, &now);
		if (!old->help.n)
			old->help = now.help;
		if (!old->choices.n)
			old->choices = now.choices;
	}
	e->call.option = old;
	e->type = old->type;
}
