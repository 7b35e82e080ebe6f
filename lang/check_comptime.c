/* What is known while compiling: conditions that decide which branch is there at all, predicates about types, has_field(), and
 * errors of the script's own.  `comptime` itself is in check_types.c, constants are folded in fold.c. */
#include "lang/check.h"

/* ---- conditions that decide ------------------------------------------------------------------------------------------- */

bool decides(const struct expr *cond)
{
	switch (cond->kind) {
	case EXPR_COMPTIME:
		return true;
	case EXPR_CALL:
		return str_is(cond->call.name, "has_field");
	case EXPR_UNARY:
		return cond->unary.op == UNARY_NOT && decides(cond->unary.e);
	case EXPR_BINARY:
		return (cond->binary.op == BINARY_LAND || cond->binary.op == BINARY_LOR) &&
		       (decides(cond->binary.left) || decides(cond->binary.right));
	default:
		return false;
	}
}

static int both(int a, int b, bool is_and)
{
	if (a == !is_and || b == !is_and)
		return !is_and;
	return a < 0 || b < 0 ? -1 : is_and;
}

int decided(const struct expr *cond)
{
	int n;

	switch (cond->kind) {
	case EXPR_BOOL:
		return cond->boolean;
	case EXPR_INT:
		return cond->integer.value != 0;
	case EXPR_CALL:
		return cond->call.builtin == BUILTIN_has_field ? cond->call.number > 0 : -1;
	case EXPR_UNARY:
		n = cond->unary.op == UNARY_NOT ? decided(cond->unary.e) : -1;
		return n < 0 ? -1 : !n;
	case EXPR_BINARY:
		if (cond->binary.op != BINARY_LAND && cond->binary.op != BINARY_LOR)
			return -1;
		return both(decided(cond->binary.left), decided(cond->binary.right), cond->binary.op == BINARY_LAND);
	default:
		return -1;
	}
}

bool settled(const struct expr *cond)
{
	return cond->kind == EXPR_BOOL || cond->kind == EXPR_INT;
}

static void require(struct expr *cond)
{
	switch (cond->kind) {
	case EXPR_CALL:
		cond->call.number = 2;
		return;
	case EXPR_UNARY:
		require(cond->unary.e);
		return;
	case EXPR_BINARY:
		require(cond->binary.left);
		require(cond->binary.right);
		return;
	default:
		return;
	}
}

struct expr *only_branch(struct checker *c, struct expr *cond, struct span span, struct block *live, struct expr *value)
{
	struct expr *e = expr_new(c->arena, EXPR_BLOCK, span);
	struct stmt *s = stmt_new(c->arena, STMT_EXPR, span);

	e->block = NEW(c->arena, struct block);
	e->block->span = span;
	e->type = value ? value->type : c->types->none;
	e->block->value = value;
	if (!settled(cond)) {
		require(cond);
		s->expr = cond;
		VEC_PUSH(c->arena, &e->block->stmts, s);
	}
	if (live) {
		s = stmt_new(c->arena, STMT_BLOCK, span);
		s->block = live;
		VEC_PUSH(c->arena, &e->block->stmts, s);
	}
	return e;
}

/* ---- trying a branch that may be dead ---------------------------------------------------------------------------------- */

void attempt_begin(struct checker *c, struct attempt *a)
{
	struct unit *u = c->unit;
	int i;

	*a = (struct attempt){
		.mark = diag_mark(c->diag),
		.errors = diag_errors(c->diag),
		.changed = c->changed,
		.nmaps = c->maps.n,
		.nprogram_maps = c->program->maps.n,
		.nvars = u->nvars,
		.nunit_vars = u->vars.n,
		.nscope_vars = c->scope->vars.n,
		.maps = NEW_ARRAY(c->arena, struct map_state, c->maps.n + 1),
		.vars = NEW_ARRAY(c->arena, struct var_state, u->vars.n + 1),
		.order = NEW_ARRAY(c->arena, struct var_state *, u->vars.n + 1),
	};
	for (i = 0; i < a->nmaps; i++)
		a->maps[i] = *(struct map_state *)c->maps.entries[i].value;
	for (i = 0; i < a->nunit_vars; i++) {
		a->order[i] = u->vars.at[i];
		a->vars[i] = *u->vars.at[i];
	}
}

bool attempt_end(struct checker *c, struct attempt *a)
{
	struct unit *u = c->unit;
	int i;

	if (diag_errors(c->diag) == a->errors)
		return true;
	diag_rewind(c->diag, a->mark);
	c->changed = a->changed;
	table_cut(&c->maps, a->nmaps);
	c->program->maps.n = a->nprogram_maps;
	for (i = 0; i < a->nmaps; i++)
		*(struct map_state *)c->maps.entries[i].value = a->maps[i];
	u->vars.n = a->nunit_vars;
	u->nvars = a->nvars;
	for (i = 0; i < a->nunit_vars; i++) {
		u->vars.at[i] = a->order[i];
		*a->order[i] = a->vars[i];
	}
	c->scope->vars.n = a->nscope_vars;
	return false;
}

/* ---- predicates about types --------------------------------------------------------------------------------------------- */

static bool is_char(const struct type *t)
{
	return t->kind == TYPE_INT && t->size == 1;
}

/* Text, or memory that holds text. */
static bool is_like_text(const struct type *t)
{
	return t->kind == TYPE_STRING || ((t->kind == TYPE_ARRAY || t->kind == TYPE_PTR) && is_char(t->elem));
}

static bool answer(const struct expr *e, enum builtin_id predicate)
{
	const struct type *t = e->type;

	switch (predicate) {
	case BUILTIN_is_str:
		return t->kind == TYPE_STRING;
	case BUILTIN_is_ptr:
		return t->kind == TYPE_PTR;
	case BUILTIN_is_array:
		return t->kind == TYPE_ARRAY;
	case BUILTIN_is_integer:
		return t->kind == TYPE_INT || t->kind == TYPE_ENUM;
	case BUILTIN_is_unsigned_integer:
		return (t->kind == TYPE_INT || t->kind == TYPE_ENUM) && !t->is_signed;
	case BUILTIN_is_literal:
		return e->kind == EXPR_INT || e->kind == EXPR_BOOL || e->kind == EXPR_STRING;
	default:
		BUG("predicate %d", predicate);
	}
}

/* The operand of a predicate: a value, of which only the type counts, or a type. */
static const struct type *operand(struct checker *c, struct expr *e)
{
	if (e->kind == EXPR_TYPEOF && e->type_op.of_type)
		return e->type = resolve_type(c, e->type_op.of_type);
	if (e->kind == EXPR_TYPEOF) {
		check_expr(c, e->type_op.e);
		return e->type = e->type_op.e->type;
	}
	if (e->kind == EXPR_MAP && !e->map.key)
		check_map(c, e, true);
	else
		check_expr(c, e);
	return e->type;
}

static void check_predicate(struct checker *c, struct expr *e)
{
	const struct type *t = operand(c, e->call.args.at[0]);

	if (failed(t))
		expr_fail(c, e);
	else
		fold_to_bool(c, e, answer(e->call.args.at[0], e->call.builtin));
}

static void fold_to_none(struct checker *c, struct expr *e)
{
	struct span span = e->span;

	memset(e, 0, sizeof(*e));
	e->kind = EXPR_TUPLE;
	e->span = span;
	e->type = c->types->none;
	e->is_literal = true;
}

static void check_assert_str(struct checker *c, struct expr *e)
{
	const struct type *t = operand(c, e->call.args.at[0]);

	if (failed(t)) {
		expr_fail(c, e);
	} else if (!is_like_text(t)) {
		FAIL(c, e, DIAG_ASSERT_STR, STR_ARG(name_of(c, t)));
		diag_hint(c->diag, "a string, an array of characters or a pointer to one");
	} else {
		fold_to_none(c, e);
	}
}

static void check_static_assert(struct checker *c, struct expr *e)
{
	struct expr *cond = e->call.args.at[0];
	struct str text;

	check_condition(c, cond);
	if (failed(cond->type) || !literal_string(c, e->call.args.at[1], "static_assert", &text))
		expr_fail(c, e);
	else if (decided(cond) < 0)
		FAIL(c, cond, DIAG_COMPTIME);
	else if (!decided(cond))
		FAIL(c, e, DIAG_STATIC_ASSERT, STR_ARG(text));
	else
		fold_to_none(c, e);
}

/* A literal printed by one directive of fail(). */
static void print_literal(struct strbuf *out, const struct expr *v, enum format_conv conv)
{
	if (v->kind == EXPR_STRING)
		strbuf_add(out, v->string.text);
	else if (v->kind == EXPR_BOOL)
		strbuf_printf(out, "%s", v->boolean ? "true" : "false");
	else if (conv == CONV_HEX || conv == CONV_POINTER)
		strbuf_printf(out, "%s%llx", conv == CONV_POINTER ? "0x" : "", (unsigned long long)v->integer.value);
	else if (v->type->is_signed)
		strbuf_printf(out, "%lld", (long long)v->integer.value);
	else
		strbuf_printf(out, "%llu", (unsigned long long)v->integer.value);
}

/* fail("text", literals...): an error, unless a decided condition has taken it away. */
static void check_fail(struct checker *c, struct expr *e)
{
	struct strbuf out = {.arena = c->arena};
	struct str text, bad = {0};
	struct format *f;
	int i = 1, p;

	if (!literal_string(c, e->call.args.at[0], "fail", &text)) {
		expr_fail(c, e);
		return;
	}
	f = format_parse(c->arena, text, &bad);
	if (!f) {
		FAIL(c, e->call.args.at[0], DIAG_FORMAT_BAD, STR_ARG(bad));
		return;
	}
	if (f->nvalues != e->call.args.n - 1) {
		FAIL(c, e, DIAG_FORMAT_COUNT, f->nvalues, e->call.args.n - 1);
		return;
	}
	for (p = 0; p < f->pieces.n; p++) {
		struct expr *v;

		if (f->pieces.at[p].conv == CONV_TEXT) {
			strbuf_add(&out, f->pieces.at[p].text);
			continue;
		}
		v = e->call.args.at[i++];
		check_expr(c, v);
		if (failed(v->type)) {
			expr_fail(c, e);
			return;
		}
		if (!answer(v, BUILTIN_is_literal)) {
			FAIL(c, v, DIAG_COMPTIME);
			return;
		}
		print_literal(&out, v, f->pieces.at[p].conv);
	}
	FAIL(c, e, DIAG_FAIL, STR_ARG(strbuf_str(&out)));
}

static void check_is_scalar(struct checker *c, struct expr *e)
{
	struct expr *m = e->call.args.at[0];

	if (m->kind != EXPR_MAP || m->map.key) {
		FAIL(c, e, DIAG_NEED_MAP, "is_scalar");
		return;
	}
	check_map(c, m, true);
	if (failed(m->type))
		expr_fail(c, e);
	else
		fold_to_bool(c, e, !m->map.map->key);
}

/* strcap(s): the bytes that a text can have; of memory that a pointer points to, those that it has. */
static void check_strcap(struct checker *c, struct expr *e)
{
	const struct type *t = operand(c, e->call.args.at[0]);

	if (failed(t)) {
		expr_fail(c, e);
	} else if (!is_like_text(t)) {
		FAIL(c, e, DIAG_ARG_TYPE, "strcap", "a string", STR_ARG(name_of(c, t)));
	} else if (t->kind == TYPE_PTR) {
		e->call.builtin = BUILTIN_strlen;
		e->type = c->types->u64;
	} else {
		fold_to_int(c, e, t->size, false);
	}
}

/* ---- typeinfo ------------------------------------------------------------------------------------------------------------ */

static const char *base_name(const struct type *t)
{
	switch (t->kind) {
	case TYPE_INT:
	case TYPE_ENUM:
		return "int";
	case TYPE_BOOL:
		return "bool";
	case TYPE_PTR:
		return "pointer";
	case TYPE_ARRAY:
		return "array";
	case TYPE_STRUCT:
		return "c_struct";
	case TYPE_STRING:
		return "string";
	case TYPE_INET:
		return "inet";
	case TYPE_KSTACK:
		return "kstack";
	case TYPE_USTACK:
		return "ustack";
	case TYPE_SUM:
		return "sum_t";
	case TYPE_MIN:
		return "min_t";
	case TYPE_MAX:
		return "max_t";
	case TYPE_AVG:
		return "avg_t";
	case TYPE_STATS:
		return "stats_t";
	case TYPE_BUFFER:
		return "buffer";
	case TYPE_TUPLE:
		return "tuple";
	case TYPE_RECORD:
		return "record";
	default:
		return NULL; /* the kinds with one type each: its name */
	}
}

static struct expr *literal(struct checker *c, struct span span)
{
	return expr_new(c->arena, EXPR_INT, span);
}

void check_typeinfo(struct checker *c, struct expr *e, const struct type *t)
{
	struct str names[] = {STR("btf_id"), STR("base_type"), STR("full_type")};
	struct span span = e->span;
	const char *base = base_name(t);
	struct str full = t->kind == TYPE_NONE && e->type_op.of_type ? STR("void") : name_of(c, t);
	int i;

	if (!unstable_allowed(c, e->span, UNSTABLE_TYPEINFO)) {
		expr_fail(c, e);
		return;
	}
	memset(e, 0, sizeof(*e));
	e->kind = EXPR_RECORD;
	e->span = span;
	e->parens = true;
	for (i = 0; i < 3; i++) {
		VEC_PUSH(c->arena, &e->tuple.elems, literal(c, span));
		VEC_PUSH(c->arena, &e->tuple.names, names[i]);
	}
	fold_to_int(c, e->tuple.elems.at[0], t->kind == TYPE_STRUCT ? t->decl->btf_id : 0, false);
	fold_to_string(c, e->tuple.elems.at[1], base ? str_of(base) : full);
	fold_to_string(c, e->tuple.elems.at[2], full);
	check_tuple(c, e);
}

/* ---- has_field, container_of ----------------------------------------------------------------------------------------------- */

/* `a.b` as a field of `base`; NULL: it is not the name of a field. */
static struct expr *path_on(struct checker *c, struct expr *base, const struct expr *path)
{
	struct expr *e = expr_new(c->arena, EXPR_FIELD, path->span);

	if (path->kind == EXPR_NAME) {
		e->field.e = base;
		e->field.name = path->name.name;
		e->field.name_span = path->span;
		return e;
	}
	if (path->kind != EXPR_FIELD)
		return NULL;
	e->field.e = path_on(c, base, path->field.e);
	e->field.name = path->field.name;
	e->field.name_span = path->field.name_span;
	return e->field.e ? e : NULL;
}

/* The type that an argument names; `struct T`, typeof(...), or the name of a typedef. */
static const struct type *type_argument(struct checker *c, struct expr *e)
{
	struct type_expr te = {.span = e->span};

	if (e->kind == EXPR_TYPEOF)
		return operand(c, e);
	if (e->kind == EXPR_NAME) {
		te.name = e->name.name;
		return resolve_type(c, &te);
	}
	diag_add(c->diag, e->span, DIAG_NEED_TYPE);
	return c->types->error;
}

/* Argument `path` of the call as a chain of fields from a T at address 0; NULL with a diagnostic. */
static struct expr *field_chain(struct checker *c, struct expr *call, const struct type *t, const struct expr *path)
{
	struct expr *base = expr_new(c->arena, EXPR_CAST, path->span), *chain;

	base->cast.e = expr_new(c->arena, EXPR_INT, path->span);
	fold_to_int(c, base->cast.e, 0, false);
	base->cast.implicit = true;
	base->type = type_ptr(c->types, t, AS_KERNEL);
	chain = path_on(c, base, path);
	if (!chain) {
		FAIL(c, call, DIAG_FIELD_PATH, STR_ARG(call->call.name));
		return NULL;
	}
	check_expr(c, chain);
	return chain;
}

/* has_field(struct T, a.b): a field that is here is looked for again on the kernel that loads the program; one that is not has no
 * type that anything could be compiled with, and counts as absent. */
static void check_has_field(struct checker *c, struct expr *e)
{
	int mark = diag_mark(c->diag);
	const struct type *t = type_argument(c, e->call.args.at[0]);
	struct expr *chain;

	if (failed(t) && e->call.args.at[0]->kind != EXPR_TYPEOF && e->call.args.at[0]->kind != EXPR_NAME) {
		expr_fail(c, e);
		return;
	}
	if (!failed(t)) {
		chain = field_chain(c, e, t, e->call.args.at[1]);
		if (!chain)
			return;
		if (!failed(chain->type)) {
			e->call.args.n = 1;
			e->call.args.at[0] = chain;
			e->call.number = 1;
			e->type = c->types->boolean;
			return;
		}
	}
	diag_rewind(c->diag, mark);
	fold_to_bool(c, e, false);
}

/* has_feature("fentry"): of the kernel that the script is compiled on. */
static void check_has_feature(struct checker *c, struct expr *e)
{
	static const char *const names[] = {
#define KERNEL_FEATURE(id, name, help) [KERNEL_##id] = name,
#include "lang/kernel_features.def"
#undef KERNEL_FEATURE
	};
	struct str name;
	int i;

	if (!literal_string(c, e->call.args.at[0], "has_feature", &name)) {
		expr_fail(c, e);
		return;
	}
	for (i = 0; i < KERNEL_FEATURE_COUNT; i++) {
		if (str_is(name, names[i])) {
			fold_to_bool(c, e, c->kernel->has(c->kernel, (enum kernel_feature)i));
			return;
		}
	}
	FAIL(c, e, DIAG_NO_FEATURE, STR_ARG(name));
	diag_hint(c->diag, "waketrace --info lists the abilities: btf, kprobes, fentry, ...");
}

static void check_container_of(struct checker *c, struct expr *e)
{
	struct expr **p = &e->call.args.at[0], *chain, *x;
	const struct type *t = type_argument(c, e->call.args.at[1]);

	check_expr(c, *p);
	if (failed(t) || !need_integer(c, p, "the pointer for container_of()")) {
		expr_fail(c, e);
		return;
	}
	chain = field_chain(c, e, t, e->call.args.at[2]);
	if (!chain)
		return;
	for (x = chain; x->kind == EXPR_FIELD; x = x->field.e)
		;
	if (!failed(chain->type) && (x->kind != EXPR_UNARY || x->unary.e->kind != EXPR_CAST)) {
		FAIL(c, e, DIAG_FIELD_POINTER);
		return;
	}
	if (failed(chain->type)) {
		expr_fail(c, e);
		return;
	}
	e->type = type_ptr(c->types, t, (*p)->type->as == AS_NONE ? space_here(c) : (*p)->type->as);
	cast_to(c, p, c->types->u64);
	e->call.args.at[1] = chain;
	e->call.args.n = 2;
}

void check_comptime_call(struct checker *c, struct expr *e)
{
	switch (e->call.builtin) {
	case BUILTIN_is_str:
	case BUILTIN_is_ptr:
	case BUILTIN_is_array:
	case BUILTIN_is_integer:
	case BUILTIN_is_unsigned_integer:
	case BUILTIN_is_literal:
		check_predicate(c, e);
		return;
	case BUILTIN_is_scalar:
		check_is_scalar(c, e);
		return;
	case BUILTIN_assert_str:
		check_assert_str(c, e);
		return;
	case BUILTIN_static_assert:
		check_static_assert(c, e);
		return;
	case BUILTIN_fail:
		check_fail(c, e);
		return;
	case BUILTIN_strcap:
		check_strcap(c, e);
		return;
	case BUILTIN_has_field:
		check_has_field(c, e);
		return;
	case BUILTIN_has_feature:
		check_has_feature(c, e);
		return;
	case BUILTIN_container_of:
		check_container_of(c, e);
		return;
	default:
		check_data_call(c, e);
	}
}
