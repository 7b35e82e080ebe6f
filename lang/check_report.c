/* report(@m, "fmt", parts..., by = expr, desc, top = N): a table made in user space from a snapshot of the map.  Its expressions
 * know `key`, `value`, `key.N`, `@other[...]`, getopt(), integers and operators, and become postfix code in the manifest. */
#include "lang/check.h"

static bool compile(struct checker *c, struct report *r, struct expr *e, struct report_expr *out);

static bool emit(struct checker *c, struct report_expr *out, enum report_op op, int64_t number, bool is_signed)
{
	VEC_PUSH(c->arena, &out->code, (struct report_code){.op = op, .number = number, .is_signed = is_signed});
	return true;
}

static bool emit_lookup(struct checker *c, struct report_expr *out, const struct map *map)
{
	VEC_PUSH(c->arena, &out->code, (struct report_code){.op = REPORT_LOOKUP, .map = map});
	return true;
}

static bool compile_name(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	struct str name = e->name.name;

	if (str_is(name, "key")) {
		out->type = r->map->key;
		if (out->type)
			return emit(c, out, REPORT_KEY, 0, false);
		diag_add(c->diag, e->span, DIAG_REPORT_NO_KEY, STR_ARG(r->map->name));
		return false;
	}
	if (str_is(name, "value")) {
		out->type = r->map->value;
		return emit(c, out, REPORT_VALUE, 0, false);
	}
	diag_add(c->diag, e->span, DIAG_REPORT_NAME, r->format ? "report" : "print", STR_ARG(name));
	diag_hint(c->diag, "an expression here is made of key, key.N, value, @map[...], numbers and operators");
	return false;
}

static bool compile_part(struct checker *c, struct report *r, struct expr *of, uint64_t at, struct expr *e, struct report_expr *out)
{
	const struct type *t;

	if (!compile(c, r, of, out))
		return false;
	t = out->type;
	if (t->kind == TYPE_STATS && at < 3) {
		out->type = at == 0 || !t->is_signed ? c->types->u64 : c->types->s64;
		return emit(c, out, REPORT_PART, (int64_t)at, false);
	}
	if (t->kind != TYPE_TUPLE && t->kind != TYPE_RECORD) {
		diag_add(c->diag, e->span, DIAG_TUPLE_AT, STR_ARG(type_name(c->arena, t)));
		return false;
	}
	if (at >= (uint64_t)t->nfields) {
		diag_add(c->diag, e->span, DIAG_TUPLE_RANGE, arena_printf(c->arena, "%llu", (unsigned long long)at), t->nfields);
		return false;
	}
	out->type = t->fields[at].type;
	return emit(c, out, REPORT_PART, (int64_t)at, false);
}

static bool compile_field(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	static const char *const stats[] = {"count", "average", "total"};
	struct report_expr probe = {0};
	int i;

	if (!compile(c, r, e->field.e, &probe))
		return false;
	for (i = 0; probe.type->kind == TYPE_STATS && i < 3; i++)
		if (str_is(e->field.name, stats[i]))
			return compile_part(c, r, e->field.e, (uint64_t)i, e, out);
	for (i = 0; i < probe.type->nfields; i++)
		if (str_eq(probe.type->fields[i].name, e->field.name))
			return compile_part(c, r, e->field.e, (uint64_t)i, e, out);
	diag_add(c->diag, e->field.name_span, DIAG_NO_FIELD, STR_ARG(type_name(c->arena, probe.type)), STR_ARG(e->field.name));
	return false;
}

static bool compile_lookup(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	struct map_state *m = map_state(c, e->map.name, e->span);

	m->used = true;
	if (!m->map.value || !m->map.key != !e->map.key) {
		diag_add(c->diag, e->span, DIAG_UNDEFINED_MAP, STR_ARG(e->map.name));
		return false;
	}
	if (!e->map.key) { /* a single value: any key will do */
		m->scalar = true;
		out->type = m->map.value;
		return emit(c, out, REPORT_INT, 0, false) && emit_lookup(c, out, &m->map);
	}
	m->keyed = true;
	if (!compile(c, r, e->map.key, out))
		return false;
	if (out->type != m->map.key && !(type_is_integer(out->type) && type_is_integer(m->map.key))) {
		diag_add(c->diag, e->span, DIAG_KEY_MISMATCH, STR_ARG(e->map.name), STR_ARG(type_name(c->arena, m->map.key)),
			 STR_ARG(type_name(c->arena, out->type)));
		return false;
	}
	out->type = m->map.value;
	return emit_lookup(c, out, &m->map);
}

/* Numbers of report(): integers, and aggregates that read as one. */
static const struct type *number_type(struct checker *c, const struct type *t)
{
	if (type_is_castable_aggregate(t))
		return t->kind == TYPE_COUNT || !t->is_signed ? c->types->u64 : c->types->s64;
	return type_is_integer(t) ? t : NULL;
}

static bool compile_binary(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	const struct type *l, *rt;
	bool is_signed, texts;

	if (e->binary.op == BINARY_IN) {
		diag_add(c->diag, e->span, DIAG_REPORT_PART);
		return false;
	}
	if (!compile(c, r, e->binary.left, out))
		return false;
	texts = out->type->kind == TYPE_STRING && (e->binary.op == BINARY_EQ || e->binary.op == BINARY_NE);
	l = number_type(c, out->type);
	if (!compile(c, r, e->binary.right, out))
		return false;
	rt = number_type(c, out->type);
	if (texts && out->type->kind == TYPE_STRING) {
		out->type = c->types->u64;
		return emit(c, out, REPORT_BINARY, e->binary.op, false);
	}
	if (!l || !rt) {
		diag_add(c->diag, e->span, DIAG_REPORT_NUMBER);
		return false;
	}
	is_signed = e->binary.op == BINARY_SUB || (l->is_signed && e->binary.left->kind != EXPR_INT) ||
		    (rt->is_signed && e->binary.right->kind != EXPR_INT);
	out->type = is_signed ? c->types->s64 : c->types->u64;
	return emit(c, out, REPORT_BINARY, e->binary.op, is_signed);
}

static bool compile_unary(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	static const enum report_op ops[] = {
		[UNARY_NEG] = REPORT_NEG, [UNARY_NOT] = REPORT_NOT, [UNARY_BITNOT] = REPORT_BITNOT,
	};

	if (e->unary.op == UNARY_DEREF || e->unary.op == UNARY_ADDRESS) {
		diag_add(c->diag, e->span, DIAG_REPORT_PART);
		return false;
	}
	if (!compile(c, r, e->unary.e, out))
		return false;
	if (!number_type(c, out->type)) {
		diag_add(c->diag, e->span, DIAG_REPORT_NUMBER);
		return false;
	}
	out->type = c->types->s64;
	return emit(c, out, ops[e->unary.op], 0, true);
}

static const struct option_decl *number_option(struct checker *c, struct expr *e)
{
	check_expr(c, e);
	if (failed(e->type))
		return NULL;
	if (e->kind == EXPR_CALL && e->call.option && (type_is_integer(e->type) || e->type->kind == TYPE_BOOL))
		return e->call.option;
	diag_add(c->diag, e->span, DIAG_REPORT_NUMBER);
	return NULL;
}

static bool compile_option(struct checker *c, struct expr *e, struct report_expr *out)
{
	const struct option_decl *o;

	check_expr(c, e);
	if (!failed(e->type) && e->kind == EXPR_CALL && e->call.option && e->call.option->kind == OPTION_STRING) {
		out->type = e->type;
		return emit(c, out, REPORT_OPTION, e->call.option->id, false);
	}
	o = number_option(c, e);
	if (!o)
		return false;
	out->type = o->kind == OPTION_INT ? c->types->s64 : c->types->u64;
	return emit(c, out, REPORT_OPTION, o->id, false);
}

/* endpoint(address, port): both in one column. */
static bool compile_endpoint(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	if (!compile(c, r, e->call.args.at[0], out))
		return false;
	if (out->type->kind != TYPE_INET) {
		diag_add(c->diag, e->span, DIAG_ARG_TYPE, "endpoint", "an address", STR_ARG(type_name(c->arena, out->type)));
		return false;
	}
	if (!compile(c, r, e->call.args.at[1], out))
		return false;
	if (!number_type(c, out->type)) {
		diag_add(c->diag, e->span, DIAG_REPORT_NUMBER);
		return false;
	}
	out->type = type_string(c->types, 64);
	return emit(c, out, REPORT_ENDPOINT, 0, false);
}

/* scaled(amount, unit): in units, or with K, M, G behind it. */
static bool compile_scaled(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (!compile(c, r, e->call.args.at[i], out))
			return false;
		if (!number_type(c, out->type)) {
			diag_add(c->diag, e->span, DIAG_REPORT_NUMBER);
			return false;
		}
	}
	out->type = type_string(c->types, 64);
	return emit(c, out, REPORT_SCALED, 0, false);
}

/* glob(text, pattern): of anything that prints as text. */
static bool compile_glob(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	if (!compile(c, r, e->call.args.at[0], out) || !compile(c, r, e->call.args.at[1], out))
		return false;
	out->type = c->types->u64;
	return emit(c, out, REPORT_GLOB, 0, false);
}

/* cgroup_path(id) */
static bool compile_cgroup(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	if (!compile(c, r, e->call.args.at[0], out))
		return false;
	if (!number_type(c, out->type)) {
		diag_add(c->diag, e->span, DIAG_REPORT_NUMBER);
		return false;
	}
	out->type = type_string(c->types, 64);
	return emit(c, out, REPORT_CGROUP, 0, false);
}

/* folded(stacks and texts...), concat(values...). */
static bool compile_list(struct checker *c, struct report *r, struct expr *e, enum report_op op, struct report_expr *out)
{
	int i;

	for (i = 0; i < e->call.args.n; i++)
		if (!compile(c, r, e->call.args.at[i], out))
			return false;
	if (op == REPORT_CONCAT || e->call.args.n > 1)
		out->type = type_string(c->types, 64);
	return emit(c, out, op, e->call.args.n, false);
}

static bool is_stack(const struct type *t)
{
	return t->kind == TYPE_KSTACK || t->kind == TYPE_USTACK;
}

/* reversed(stack), addresses(stack), folded(stack): other ways to print a stack. */
static bool compile_stack_form(struct checker *c, struct report *r, struct expr *e, enum report_op op, struct report_expr *out)
{
	if (!compile(c, r, e->call.args.at[0], out))
		return false;
	if (!is_stack(out->type)) {
		diag_add(c->diag, e->span, DIAG_ARG_TYPE, str_c(c->arena, e->call.name), "a stack",
			 STR_ARG(type_name(c->arena, out->type)));
		return false;
	}
	return emit(c, out, op, op == REPORT_FOLDED, false);
}

static bool compile_call(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	struct str name = e->call.name;
	int n = e->call.args.n;

	if (str_is(name, "getopt"))
		return compile_option(c, e, out);
	if (str_is(name, "endpoint") && n == 2)
		return compile_endpoint(c, r, e, out);
	if (str_is(name, "scaled") && n == 2)
		return compile_scaled(c, r, e, out);
	if (str_is(name, "glob") && n == 2)
		return compile_glob(c, r, e, out);
	if (str_is(name, "cgroup_path") && n == 1)
		return compile_cgroup(c, r, e, out);
	if (str_is(name, "concat") && n > 0)
		return compile_list(c, r, e, REPORT_CONCAT, out);
	if (str_is(name, "folded") && n > 1)
		return compile_list(c, r, e, REPORT_FOLDED, out);
	if (str_is(name, "folded") && n == 1)
		return compile_stack_form(c, r, e, REPORT_FOLDED, out);
	if (str_is(name, "reversed") && n == 1)
		return compile_stack_form(c, r, e, REPORT_REVERSED, out);
	if (str_is(name, "addresses") && n == 1)
		return compile_stack_form(c, r, e, REPORT_ADDRESSES, out);
	diag_add(c->diag, e->span, DIAG_REPORT_PART);
	diag_hint(c->diag, "report() knows the functions reversed(stack), addresses(stack), folded(stacks and texts...), concat(values...), "
			   "endpoint(address, port), scaled(amount, unit), glob(text, pattern) and cgroup_path(id)");
	return false;
}

/* condition ? yes : no.  Where the two differ in type, the result is only good for %s. */
static bool compile_select(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	const struct type *yes;

	if (!compile(c, r, e->ternary.cond, out))
		return false;
	if (!number_type(c, out->type) && out->type->kind != TYPE_BOOL) {
		diag_add(c->diag, e->span, DIAG_REPORT_NUMBER);
		return false;
	}
	if (!compile(c, r, e->ternary.then ? e->ternary.then : e->ternary.cond, out))
		return false;
	yes = out->type;
	if (!compile(c, r, e->ternary.other, out))
		return false;
	if (number_type(c, yes) && number_type(c, out->type))
		out->type = number_type(c, yes)->is_signed && number_type(c, out->type)->is_signed ? c->types->s64 : c->types->u64;
	else if (yes != out->type)
		out->type = type_string(c->types, 64);
	return emit(c, out, REPORT_SELECT, 0, false);
}

static bool compile(struct checker *c, struct report *r, struct expr *e, struct report_expr *out)
{
	if (e->kind == EXPR_INDEX && e->index.index->kind == EXPR_INT) /* key[1] is key.1 */
		return compile_part(c, r, e->index.e, e->index.index->integer.value, e, out);
	switch (e->kind) {
	case EXPR_CALL:
		return compile_call(c, r, e, out);
	case EXPR_TERNARY:
		return compile_select(c, r, e, out);
	case EXPR_NAME:
		return compile_name(c, r, e, out);
	case EXPR_TUPLE_AT:
		return compile_part(c, r, e->tuple_at.e, e->tuple_at.at, e, out);
	case EXPR_FIELD:
		return compile_field(c, r, e, out);
	case EXPR_MAP:
		return compile_lookup(c, r, e, out);
	case EXPR_BINARY:
		return compile_binary(c, r, e, out);
	case EXPR_UNARY:
		return compile_unary(c, r, e, out);
	default:
		if (e->kind == EXPR_STRING)
			check_text(c, e, SIZE_MAX); /* for user space alone */
		else
			check_expr(c, e);
		if (failed(e->type))
			return false;
		if (e->kind == EXPR_INT) {
			out->type = e->type;
			return emit(c, out, REPORT_INT, (int64_t)e->integer.value, false);
		}
		if (e->kind == EXPR_STRING) {
			out->type = e->type;
			VEC_PUSH(c->arena, &out->code, (struct report_code){.op = REPORT_TEXT, .text = e->string.text});
			return true;
		}
		diag_add(c->diag, e->span, DIAG_REPORT_PART);
		return false;
	}
}

/* join = @other: a map with the same keys. */
static bool check_join(struct checker *c, struct report *r, struct expr *v)
{
	struct map_state *m;

	if (v->kind != EXPR_MAP || v->map.key) {
		diag_add(c->diag, v->span, DIAG_NEED_MAP, "join");
		return false;
	}
	m = map_state(c, v->map.name, v->span);
	m->used = true;
	if (!m->map.value || !m->map.key) {
		diag_add(c->diag, v->span, DIAG_UNDEFINED_MAP, STR_ARG(v->map.name));
		return false;
	}
	if (m->map.key != r->map->key) {
		diag_add(c->diag, v->span, DIAG_KEY_MISMATCH, STR_ARG(v->map.name), STR_ARG(type_name(c->arena, m->map.key)),
			 STR_ARG(r->map->key ? type_name(c->arena, r->map->key) : STR("none")));
		return false;
	}
	VEC_PUSH(c->arena, &r->joined, &m->map);
	return true;
}

/* totals = "format": its conversions are for the last parts. */
static bool check_totals(struct checker *c, struct report *r, struct expr *v)
{
	struct str text, bad = {0};

	if (!literal_string(c, v, "totals", &text))
		return false;
	r->totals = format_parse(c->arena, text, &bad);
	if (!r->totals)
		diag_add(c->diag, v->span, DIAG_FORMAT_BAD, STR_ARG(bad));
	return r->totals != NULL;
}

/* desc = condition: of options, because it holds for all rows. */
static bool check_descending(struct checker *c, struct report *r, struct expr *v)
{
	if (!compile(c, r, v, &r->descending_if))
		return false;
	VEC_EACH(code, &r->descending_if.code) {
		if (code->op == REPORT_KEY || code->op == REPORT_VALUE || code->op == REPORT_LOOKUP) {
			diag_add(c->diag, v->span, DIAG_REPORT_PART);
			diag_hint(c->diag, "the order is that of all rows: only options and constants can tell it");
			return false;
		}
	}
	return true;
}

static bool check_named(struct checker *c, struct report *r, struct expr *named)
{
	struct str name = named->tuple.names.at[0];
	struct expr *v = named->tuple.elems.at[0];

	if (str_is(name, "by"))
		return compile(c, r, v, &r->by);
	if (str_is(name, "top") && v->kind == EXPR_CALL && str_is(v->call.name, "getopt"))
		return (r->top_option = number_option(c, v)) != NULL;
	if (str_is(name, "top"))
		return literal_int(c, v, "top", &r->top) && !is_negative(c, v, "top");
	if (str_is(name, "join") && r->format)
		return check_join(c, r, v);
	if (str_is(name, "where") && r->format)
		return compile(c, r, v, &r->where);
	if (str_is(name, "desc") && r->format)
		return check_descending(c, r, v);
	if (str_is(name, "fit") && r->format)
		return literal_int(c, v, "fit", &r->fit) && !is_negative(c, v, "fit");
	if (str_is(name, "totals") && r->format)
		return check_totals(c, r, v);
	diag_add(c->diag, named->span, DIAG_REPORT_OPTION, r->format ? "report" : "print", STR_ARG(name));
	diag_hint(c->diag, "by = expression, desc, top = number, and in report() join = @map, where = condition, desc = condition, fit = number, totals = \"format\"");
	return false;
}

/* The conversions of a format against the values from `i` on. */
static void check_format(struct checker *c, struct expr *e, const struct report *r, const struct format *format, int i)
{
	int p;

	if (i < 0 || r->values.n - i != format->nvalues) {
		diag_add(c->diag, e->span, DIAG_FORMAT_COUNT, format->nvalues, r->values.n);
		return;
	}
	for (p = 0; p < format->pieces.n; p++) {
		const struct format_piece *piece = &format->pieces.at[p];
		const struct type *t, *n;

		if (piece->conv == CONV_TEXT)
			continue;
		t = r->values.at[i++].type;
		n = number_type(c, t);
		if (!format_accepts(piece->conv, n ? n : t))
			diag_add(c->diag, e->span, DIAG_FORMAT_TYPE, STR_ARG(piece->text), STR_ARG(type_name(c->arena, t)));
	}
}

void check_report(struct checker *c, struct expr *e)
{
	struct expr *map = e->call.args.at[0];
	struct report *r = NEW(c->arena, struct report);
	struct str text, bad = {0};
	int i;

	e->type = c->types->none;
	if (map->kind != EXPR_MAP || map->map.key) {
		diag_add(c->diag, map->span, DIAG_NEED_MAP, "report");
		return;
	}
	check_map(c, map, true);
	if (failed(map->type) || !literal_string(c, e->call.args.at[1], "report", &text))
		return;
	r->map = map->map.map;
	r->format = format_parse(c->arena, text, &bad);
	if (!r->format) {
		diag_add(c->diag, e->call.args.at[1]->span, DIAG_FORMAT_BAD, STR_ARG(bad));
		return;
	}
	for (i = 2; i < e->call.args.n; i++) {
		struct expr *a = e->call.args.at[i];
		struct report_expr value = {0};

		if (a->kind == EXPR_RECORD && a->tuple.elems.n == 1) {
			if (!check_named(c, r, a))
				return;
		} else if (a->kind == EXPR_NAME && str_is(a->name.name, "desc")) {
			r->descending = true;
		} else {
			if (!compile(c, r, a, &value))
				return;
			VEC_PUSH(c->arena, &r->values, value);
		}
	}
	check_format(c, e, r, r->format, 0);
	if (r->totals)
		check_format(c, e, r, r->totals, r->values.n - r->totals->nvalues);
	e->call.report = r;
}

static void check_percentiles(struct checker *c, const struct map *map, const struct expr *word)
{
	const struct type *t = map->value;

	if (!t || t->kind == TYPE_HIST || t->kind == TYPE_LHIST)
		return;
	diag_add(c->diag, word->span, DIAG_PERCENTILES, STR_ARG(type_name(c->arena, t)));
	diag_hint(c->diag, "histograms have them: @m = hist(n), @m = lhist(n, min, max, step)");
}

/* print(@m, top, div, by = expr, top = N, desc, percentiles): what is named goes into the call's report, and leaves the arguments. */
void check_print_options(struct checker *c, struct expr *e)
{
	struct report *r = NEW(c->arena, struct report);
	bool named = false;
	int i, kept = 1;

	r->map = e->call.args.at[0]->map.map;
	for (i = 1; i < e->call.args.n; i++) {
		struct expr *a = e->call.args.at[i];
		uint64_t n;

		if (a->kind == EXPR_RECORD && a->tuple.elems.n == 1) {
			named = true;
			if (!r->map->value || !check_named(c, r, a))
				return;
		} else if (a->kind == EXPR_NAME && str_is(a->name.name, "desc")) {
			named = r->descending = true;
		} else if (a->kind == EXPR_NAME && str_is(a->name.name, "percentiles")) {
			named = r->percentiles = true;
			check_percentiles(c, r->map, a);
		} else {
			if (literal_int(c, a, "print", &n))
				is_negative(c, a, kept == 1 ? "top of print()" : "div of print()");
			e->call.args.at[kept++] = a;
		}
	}
	e->call.args.n = kept;
	if (named)
		e->call.report = r;
}
