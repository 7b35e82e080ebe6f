/* Maps and scratch variables: one type for all uses, found by passes over the whole program (language.md 10.7, 11). */
#include "lang/check.h"

struct map_state *map_state(struct checker *c, struct str name, struct span span)
{
	struct map_state *m = table_get(&c->maps, name);

	if (m)
		return m;
	m = NEW(c->arena, struct map_state);
	m->map.name = name;
	m->map.first_use = span;
	m->map.id = c->program->maps.n;
	table_put(&c->maps, name, m);
	VEC_PUSH(c->arena, &c->program->maps, &m->map);
	return m;
}

/* The type that `old` grows to when a value of type `with` comes in; NULL: they do not go together. */
static const struct type *grown(struct checker *c, const struct type *old, bool *flexible, const struct expr *with)
{
	bool new_flexible = with->kind == EXPR_INT && with->flexible;
	const struct type *t;

	if (!old) {
		*flexible = new_flexible;
		return with->type;
	}
	t = promote(c, old, *flexible, with->type, new_flexible);
	*flexible = *flexible && new_flexible;
	return t;
}

/* A number that is signed for what it is; a difference is signed by rule alone. */
static bool is_really_signed(const struct expr *e)
{
	if (e->type->kind != TYPE_INT || !e->type->is_signed || is_flexible(e))
		return false;
	return e->kind != EXPR_BINARY || e->binary.op != BINARY_SUB;
}

/* Signed and unsigned 64-bit numbers in one place: it is signed, and a large number would turn negative. */
static void warn_of_signs(struct checker *c, const struct type *t, bool *has_signed, const struct expr *value, const char *sigil,
			  struct str name)
{
	const struct type *from = value->type;

	*has_signed = *has_signed || is_really_signed(value);
	if (t != c->types->s64 || !*has_signed || value->kind == EXPR_INT)
		return;
	if (from->kind != TYPE_INT || from->is_signed || from->size < 8)
		return;
	diag_add(c->diag, value->span, DIAG_MIXED_SIGNS, sigil, STR_ARG(name));
	diag_hint(c->diag, "a cast says that this is meant: (int64)");
}

/* ---- keys ------------------------------------------------------------------------------------------------------------ */

static bool key_allowed(const struct type *t)
{
	int i;

	if (t->kind == TYPE_TUPLE || t->kind == TYPE_RECORD) {
		for (i = 0; i < t->nfields; i++)
			if (!key_allowed(t->fields[i].type))
				return false;
		return true;
	}
	return t->kind != TYPE_NONE && !type_is_aggregate(t) && t->kind != TYPE_STRUCT;
}

static void check_key_form(struct checker *c, struct map_state *m, struct expr *e)
{
	if (e->map.key) {
		if (m->scalar && !m->keyed) {
			diag_add(c->diag, e->span, DIAG_MAP_KEYED, STR_ARG(m->map.name));
			diag_note(c->diag, m->map.first_use, "first used here without a key");
		}
		m->keyed = true;
		return;
	}
	if (m->keyed && !m->scalar) {
		diag_add(c->diag, e->span, DIAG_MAP_SCALAR, STR_ARG(m->map.name));
		diag_note(c->diag, m->map.first_use, "first used here with a key");
	}
	m->scalar = true;
}

void map_key(struct checker *c, struct expr *e)
{
	struct map_state *m = (struct map_state *)(void *)e->map.map;
	struct expr *key = e->map.key;
	const struct type *t;
	bool flexible = m->key_flexible;

	check_expr(c, key);
	read_aggregate(c, &e->map.key);
	key = e->map.key;
	if (failed(key->type))
		return;
	if (!key_allowed(key->type)) {
		diag_add(c->diag, key->span, DIAG_KEY_TYPE, STR_ARG(name_of(c, key->type)));
		return;
	}
	t = grown(c, m->map.key, &flexible, key);
	if (!t) {
		diag_add(c->diag, e->span, DIAG_KEY_MISMATCH, STR_ARG(m->map.name), STR_ARG(name_of(c, m->map.key)),
			 STR_ARG(name_of(c, key->type)));
		diag_note(c->diag, m->key_span, "its keys got their type here");
		return;
	}
	if (t != m->map.key) {
		if (!m->map.key)
			m->key_span = key->span;
		m->map.key = t;
		c->changed = true;
	}
	m->key_flexible = flexible;
	warn_of_signs(c, t, &m->key_signed, key, "the key of @", m->map.name);
	cast_to(c, &e->map.key, t);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

/* Behind a message about a map in which nothing is stored: another one's name, else `otherwise`. */
static void hint_of_undefined(struct checker *c, const struct expr *e, const char *otherwise)
{
	struct diag_near near = {.wanted = e->map.name};
	int i;

	for (i = 0; i < c->maps.n; i++) {
		struct map_state *m = c->maps.entries[i].value;

		if (m->map.value && !m->assumed)
			diag_near_try(&near, c->maps.entries[i].key);
	}
	if (near.best.n)
		diag_hint(c->diag, "did you mean '@%.*s'?", STR_ARG(near.best));
	else
		diag_hint(c->diag, "%s", otherwise);
}

void check_map(struct checker *c, struct expr *e, bool whole_allowed)
{
	struct map_state *m = map_state(c, e->map.name, e->span);

	e->map.map = &m->map;
	m->used = true;
	if (!whole_allowed || e->map.key)
		check_key_form(c, m, e);
	if (e->map.key)
		map_key(c, e);
	if (m->map.value) {
		e->type = m->map.value;
	} else if (m->wrong) {
		expr_fail(c, e);
	} else {
		FAIL(c, e, DIAG_UNDEFINED_MAP, STR_ARG(e->map.name));
		hint_of_undefined(c, e, "nothing is ever stored in it");
	}
}

void check_map_value(struct checker *c, struct expr *e)
{
	struct map_state *m = map_state(c, e->map.name, e->span);
	bool first = !m->value_read;

	m->value_read = true;
	check_map(c, e, false);
	if (!m->assumed || !first || failed(e->type))
		return;
	diag_add(c->diag, e->span, DIAG_MAP_UNWRITTEN, STR_ARG(e->map.name));
	hint_of_undefined(c, e, "store a value in it somewhere, or correct its name");
}

bool assume_values(struct checker *c)
{
	bool any = false;
	int i;

	for (i = 0; i < c->maps.n; i++) {
		struct map_state *m = c->maps.entries[i].value;

		if (!m->value_read || m->map.value || m->wrong)
			continue;
		m->map.value = c->types->s8;
		m->assumed = any = true;
	}
	return any;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static void value_mismatch(struct checker *c, struct map_state *m, const struct expr *target, const struct type *t)
{
	diag_add(c->diag, target->span, DIAG_MAP_TYPE, STR_ARG(m->map.name), STR_ARG(name_of(c, m->map.value)),
		 STR_ARG(name_of(c, t)));
	diag_note(c->diag, m->value_span, "it got its type here");
	if (type_is_castable_aggregate(m->map.value))
		diag_hint(c->diag, "a map holds one kind of value: use another map for plain numbers");
}

static void set_value_type(struct checker *c, struct map_state *m, const struct type *t, struct span span)
{
	if (t == m->map.value)
		return;
	if (!m->map.value)
		m->value_span = span;
	m->map.value = t;
	c->changed = true;
}

static const struct type *grow_aggregate(struct checker *c, struct map_state *m, const struct expr *target,
					 const struct expr *value)
{
	const struct type *old = m->map.value, *t = value->type;

	if (!old || old == t)
		return t;
	if (old->kind == t->kind && !memcmp(old->params, t->params, sizeof(old->params)))
		/* the same function over signed and unsigned numbers: signed wins, as in promotion */
		return type_aggregate(c->types, t->kind, old->is_signed || t->is_signed, t->params);
	if (old->kind == t->kind)
		diag_add(c->diag, value->span, DIAG_AGGREGATE_PARAMS, STR_ARG(m->map.name));
	else
		value_mismatch(c, m, target, t);
	return NULL;
}

static bool is_aggregate_call(const struct expr *v)
{
	return v->kind == EXPR_CALL && v->call.builtin && builtin_row(v->call.builtin)->runs == RUNS_AGG;
}

void map_assign(struct checker *c, struct expr *target, struct expr **value)
{
	struct map_state *m = map_state(c, target->map.name, target->span);
	const struct type *t;
	bool flexible = m->flexible;

	target->map.map = &m->map;
	m->used = true;
	check_key_form(c, m, target);
	if (target->map.key)
		map_key(c, target);
	expr_fail(c, target);
	if (failed((*value)->type)) {
		m->wrong = true;
		return;
	}
	if (!is_aggregate_call(*value) && type_is_aggregate((*value)->type)) {
		if (!type_is_castable_aggregate((*value)->type) || (m->map.value && type_is_aggregate(m->map.value))) {
			diag_add(c->diag, (*value)->span, DIAG_AGGREGATE_COPY, STR_ARG(name_of(c, (*value)->type)));
			if (type_is_castable_aggregate((*value)->type))
				diag_hint(c->diag, "cast it to copy the number: (int64)...");
			return;
		}
		read_aggregate(c, value);
	}
	if ((*value)->type->kind == TYPE_NONE) {
		no_value(c, *value);
		return;
	}
	if (is_aggregate_call(*value)) {
		t = grow_aggregate(c, m, target, *value);
		if (t)
			(*value)->type = t;
	} else {
		t = m->map.value && type_is_aggregate(m->map.value) ? NULL : grown(c, m->map.value, &flexible, *value);
		if (!t)
			value_mismatch(c, m, target, (*value)->type);
	}
	if (!t)
		return;
	set_value_type(c, m, t, (*value)->span);
	if (!m->clock && clock_of(*value)) {
		m->clock = clock_of(*value);
		c->changed = true; /* strftime() may stand further up */
	}
	m->flexible = flexible;
	target->type = t;
	if (is_aggregate_call(*value))
		return;
	warn_of_signs(c, t, &m->has_signed, *value, "@", m->map.name);
	cast_to(c, value, t);
}

void count_from_zero(struct checker *c, const struct expr *var)
{
	struct var_state *v = var_find(c, var->var.name);

	if (!v || v->var.type || v->list)
		return;
	v->var.type = c->types->s64;
	v->assigned = true;
}

void grow_for_incdec(struct checker *c, struct expr *target, bool increment)
{
	const struct type *old;
	bool flexible = false;

	if (target->kind == EXPR_VAR) {
		struct var_state *v;

		count_from_zero(c, target);
		check_var(c, target);
		if (failed(target->type))
			return;
		v = (struct var_state *)(void *)target->var.var;
		v->var.origin = NULL;
		old = v->var.type;
		if (old->kind == TYPE_PTR)
			return;
		if (!type_is_integer(old)) {
			FAIL(c, target, DIAG_INCDEC_TYPE, STR_ARG(name_of(c, old)));
			return;
		}
		v->assigned = v->read = true;
		if (!v->declared) {
			const struct type *t = old->is_signed || !increment ? c->types->s64 : c->types->u64;

			if (t != old) {
				v->var.type = t;
				c->changed = true;
			}
			v->flexible = false;
			target->type = t;
		}
		return;
	}
	{
		struct map_state *m = map_state(c, target->map.name, target->span);

		target->map.map = &m->map;
		m->used = true;
		check_key_form(c, m, target);
		if (target->map.key)
			map_key(c, target);
		old = m->map.value;
		if (old && !type_is_integer(old) && old->kind != TYPE_PTR) {
			value_mismatch(c, m, target, c->types->s64);
			expr_fail(c, target);
			return;
		}
		if (!old || old->kind != TYPE_PTR) {
			bool is_signed = !old || old->is_signed || !increment;

			set_value_type(c, m, is_signed ? c->types->s64 : c->types->u64, target->span);
			m->flexible = flexible;
		}
		target->type = m->map.value;
	}
}

/* ---- variables ------------------------------------------------------------------------------------------------------- */

struct var_state *var_find(struct checker *c, struct str name)
{
	struct scope *s;
	int i;

	for (s = c->scope; s; s = s->up)
		for (i = s->vars.n - 1; i >= 0; i--)
			if (str_eq(s->vars.at[i]->var.name, name))
				return s->vars.at[i];
	return NULL;
}

/* The next declaration of an earlier pass, when it is this one.  Others may stand before it: their branch is gone now. */
static struct var_state *same_declaration(struct unit *u, struct str name, struct span span)
{
	int i, gone;

	for (i = u->nvars; i < u->vars.n; i++) {
		const struct var *v = &u->vars.at[i]->var;

		if (v->first_use.begin == span.begin && v->first_use.source == span.source && v->first_use.from == span.from &&
		    str_eq(v->name, name))
			break;
	}
	if (i >= u->vars.n)
		return NULL;
	gone = i - u->nvars;
	u->vars.n -= gone;
	memmove(u->vars.at + u->nvars, u->vars.at + i, sizeof(*u->vars.at) * (size_t)(u->vars.n - u->nvars));
	return u->vars.at[u->nvars];
}

static void insert_var(struct checker *c, struct unit *u, struct var_state *v)
{
	VEC_PUSH(c->arena, &u->vars, v);
	memmove(u->vars.at + u->nvars + 1, u->vars.at + u->nvars,
		sizeof(*u->vars.at) * (size_t)(u->vars.n - 1 - u->nvars));
	u->vars.at[u->nvars] = v;
}

struct var_state *var_declare(struct checker *c, struct str name, struct span span)
{
	struct unit *u = c->unit;
	struct var_state *v = same_declaration(u, name, span);

	if (!v) {
		v = NEW(c->arena, struct var_state);
		v->var.name = name;
		v->var.first_use = span;
		insert_var(c, u, v);
	}
	v->var.id = u->nvars++;
	v->var.loop_depth = c->loop_depth;
	v->assigned = v->read = false;
	v->list = NULL;
	v->is_args = false;
	VEC_PUSH(c->arena, &c->scope->vars, v);
	return v;
}

static void undefined_var(struct checker *c, struct expr *e)
{
	size_t dot = str_find(e->var.name, '.'); /* of a macro's body: `macro.name` */
	struct str name = dot < e->var.name.n ? str_sub(e->var.name, dot + 1, e->var.name.n) : e->var.name;
	struct diag_near near = {.wanted = e->var.name};
	struct scope *s;

	FAIL(c, e, DIAG_UNDEFINED_VAR, STR_ARG(name));
	if (name.n < e->var.name.n && var_find(c, name)) {
		diag_hint(c->diag, "a macro does not see the variables of its caller: pass it, macro m($%.*s) { }", STR_ARG(name));
		return;
	}
	for (s = c->scope; s; s = s->up)
		VEC_EACH(v, &s->vars)
			diag_near_try(&near, (*v)->var.name);
	if (near.best.n)
		diag_hint(c->diag, "did you mean '$%.*s'?", STR_ARG(near.best));
	else
		diag_hint(c->diag, "assign to it first, in this block or one around it; variables end with their block");
}

void check_var(struct checker *c, struct expr *e)
{
	struct var_state *v = var_find(c, e->var.name);

	if (!v) {
		undefined_var(c, e);
		return;
	}
	if (!v->assigned && !v->var.is_param && !v->read && v->var.type)
		diag_add(c->diag, e->span, DIAG_VAR_UNSET, STR_ARG(e->var.name));
	v->read = true;
	e->var.var = &v->var;
	if (v->list) {
		FAIL(c, e, DIAG_LIST_VALUE);
		diag_hint(c->diag, "ask with `x in $%.*s` or len($%.*s)", STR_ARG(e->var.name), STR_ARG(e->var.name));
		return;
	}
	if (v->is_args) {
		struct span span = e->span;

		memset(e, 0, sizeof(*e));
		e->kind = EXPR_CALL;
		e->span = e->call.name_span = span;
		e->call.name = STR("args");
		check_builtin_variable(c, e, builtin_row(BUILTIN_args));
		return;
	}
	if (!v->var.type && v->assigned && diag_errors(c->diag))
		expr_fail(c, e); /* what it was assigned is wrong, which was said */
	else if (!v->var.type)
		FAIL(c, e, DIAG_VAR_NO_TYPE, STR_ARG(e->var.name));
	else
		e->type = v->var.type;
}

static void var_mismatch(struct checker *c, struct var_state *v, const struct expr *target, const struct type *t)
{
	diag_add(c->diag, target->span, DIAG_VAR_TYPE, STR_ARG(v->var.name), STR_ARG(name_of(c, v->var.type)),
		 STR_ARG(name_of(c, t)));
	diag_note(c->diag, v->type_span, "it got its type here");
	if (v->var.type->kind == t->kind && t->kind == TYPE_TIMESTAMP)
		diag_hint(c->diag, "the format belongs to the type: one variable has one format");
}

bool literal_fits(const struct expr *value, const struct type *t)
{
	uint64_t v = value->integer.value;
	unsigned bits = t->size * 8;

	if (value->type->is_signed && !value->flexible && (int64_t)v < 0)
		return t->is_signed && (bits == 64 || (int64_t)v >= -(1ll << (bits - 1)));
	return bits - t->is_signed >= 64 || v < 1ull << (bits - (t->is_signed ? 1 : 0));
}

/* A variable declared with a type keeps it: what is assigned must go into it. */
static void assign_declared(struct checker *c, struct var_state *v, struct expr *target, struct expr **value)
{
	const struct type *t = v->var.type, *from = (*value)->type;

	target->type = t;
	if ((*value)->kind == EXPR_INT && t->kind == TYPE_INT && !literal_fits(*value, t)) {
		diag_add(c->diag, (*value)->span, DIAG_LITERAL_RANGE, STR_ARG(name_of(c, t)));
		return;
	}
	if (type_is_integer(t) && type_is_integer(from)) {
		if (from->size > t->size && (*value)->kind != EXPR_INT)
			diag_add(c->diag, target->span, DIAG_MAY_NOT_FIT, STR_ARG(name_of(c, from)), STR_ARG(name_of(c, t)));
		cast_to(c, value, t);
		return;
	}
	if (!v->worded && t->kind == from->kind && (t->kind == TYPE_TIMESTAMP || t->kind == TYPE_CGROUP_PATH)) {
		v->worded = c->changed = true;
		v->var.type = target->type = t = from;
		v->type_span = (*value)->span;
	}
	if (promote(c, t, false, from, (*value)->flexible) != t) {
		var_mismatch(c, v, target, from);
		return;
	}
	cast_to(c, value, t);
}

bool args_assign(struct checker *c, struct expr *target, const struct expr *value)
{
	struct var_state *v;

	if (value->kind != EXPR_CALL || value->call.builtin != BUILTIN_args || failed(value->type))
		return false;
	v = var_find(c, target->var.name);
	if (v && !v->is_args) /* it has a value of its own */
		return false;
	if (!v)
		v = var_declare(c, target->var.name, target->span);
	v->is_args = v->assigned = true;
	if (v->var.type != value->type) {
		v->var.type = value->type;
		v->type_span = value->span;
		c->changed = true;
	}
	return true;
}

/* An argument of the probe, or the same as a pointer to something else. */
static bool is_argument(const struct expr *x)
{
	const struct expr *of;

	while (x->kind == EXPR_CAST && x->type->kind == TYPE_PTR)
		x = x->cast.e;
	if (x->kind == EXPR_CALL)
		return x->call.builtin == BUILTIN_arg;
	if (x->kind != EXPR_FIELD)
		return false;
	for (of = x->field.e; of->kind == EXPR_UNARY && of->unary.op == UNARY_DEREF;)
		of = of->unary.e;
	return of->kind == EXPR_CALL && (of->call.builtin == BUILTIN_args || of->call.builtin == BUILTIN_ctx);
}

/* Is this its first value, which all that follows in its block will see? */
static bool is_first_value(const struct checker *c, const struct var_state *v)
{
	if (!v)
		return true;
	VEC_EACH(here, &c->scope->vars)
		if (*here == v)
			return !v->assigned;
	return false;
}

void var_assign(struct checker *c, struct expr *target, struct expr **value)
{
	struct var_state *v = var_find(c, target->var.name);
	bool first = is_first_value(c, v);
	const struct type *t;
	bool flexible;

	read_aggregate(c, value);
	if (v && v->is_args && !failed((*value)->type)) {
		var_mismatch(c, v, target, (*value)->type);
		expr_fail(c, target);
		return;
	}
	if (v && v->list) {
		diag_add(c->diag, target->span, DIAG_LIST_VALUE);
		expr_fail(c, target);
		return;
	}
	if (!v) {
		v = var_declare(c, target->var.name, target->span);
	}
	target->var.var = &v->var;
	v->assigned = true;
	target->type = v->var.type ? v->var.type : c->types->error;
	if (failed((*value)->type))
		return;
	if ((*value)->type->kind == TYPE_NONE) {
		no_value(c, *value);
		return;
	}
	if (type_is_aggregate((*value)->type)) {
		diag_add(c->diag, (*value)->span, DIAG_AGGREGATE_VAR, STR_ARG(name_of(c, (*value)->type)));
		return;
	}
	v->clock = clock_of(*value);
	v->var.origin = first && (*value)->type->kind == TYPE_PTR && is_argument(*value) ? *value : NULL;
	if (v->declared) {
		assign_declared(c, v, target, value);
		return;
	}
	flexible = v->flexible;
	t = grown(c, v->var.type, &flexible, *value);
	if (!t) {
		var_mismatch(c, v, target, (*value)->type);
		return;
	}
	if (t != v->var.type) {
		if (!v->var.type)
			v->type_span = (*value)->span;
		v->var.type = t;
		c->changed = true;
	}
	v->flexible = flexible;
	target->type = t;
	warn_of_signs(c, t, &v->has_signed, *value, "$", v->var.name);
	cast_to(c, value, t);
}

/* ---- declarations and storage ---------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum map_kind kind;
} kinds[] = {
	{"hash", MAP_HASH},
	{"lruhash", MAP_LRU_HASH},
	{"percpuhash", MAP_PERCPU_HASH},
	{"percpulruhash", MAP_PERCPU_LRU_HASH},
};

static void declare_map(struct checker *c, const struct map_decl_node *n)
{
	struct map_state *m = map_state(c, n->name, n->span);
	struct expr *count = expr_clone(c->arena, n->max_entries);
	struct diag_near near = {.wanted = n->kind};
	uint64_t entries;
	size_t i;

	if (m->map.declared) {
		diag_add(c->diag, n->span, DIAG_MAP_REDECLARED, STR_ARG(n->name));
		return;
	}
	m->map.declared = true;
	check_expr(c, count);
	if (!literal_int(c, count, "the number of entries", &entries))
		entries = 1; /* has been told */
	m->map.max_entries = entries < UINT32_MAX ? (uint32_t)entries : 0;
	if (!m->map.max_entries)
		diag_add(c->diag, n->max_entries->span, DIAG_MAP_ENTRIES);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		diag_near_try(&near, str_of(kinds[i].name));
		if (str_is(n->kind, kinds[i].name)) {
			m->map.kind = kinds[i].kind;
			m->fixed_kind = true;
			return;
		}
	}
	diag_add(c->diag, n->kind_span, DIAG_MAP_KIND, STR_ARG(n->kind));
	if (near.best.n)
		diag_hint(c->diag, "did you mean '%.*s'?", STR_ARG(near.best));
	else
		diag_hint(c->diag, "hash, lruhash, percpuhash and percpulruhash are the kinds");
}

void declare_maps(struct checker *c)
{
	int i;

	for (i = 0; i < c->script->map_decls.n; i++)
		declare_map(c, &c->script->map_decls.at[i]);
}

static void finish_map(struct checker *c, struct map_state *m)
{
	bool aggregate = m->map.value && type_is_aggregate(m->map.value);
	bool percpu = m->map.kind == MAP_PERCPU_HASH || m->map.kind == MAP_PERCPU_LRU_HASH;

	if (m->map.declared && !m->used && !c->left_out) /* those that were left out may use it */
		diag_add(c->diag, m->map.first_use, DIAG_UNUSED_MAP, STR_ARG(m->map.name));
	if (!m->map.max_entries)
		m->map.max_entries = m->map.key ? (uint32_t)c->program->config.max_map_keys : 1;
	if (!m->map.value)
		return;
	/* An aggregate that is read inside the kernel is kept in one shared value where the kernel cannot look at other
	 * CPUs' copies: count, sum and avg are exact with atomic adds. */
	m->map.shared = aggregate && m->read_in_kernel && !c->kernel->has(c->kernel, KERNEL_LOOKUP_PERCPU);
	if (!m->fixed_kind) {
		m->map.kind = aggregate && !m->map.shared ? MAP_PERCPU_HASH : MAP_HASH;
		return;
	}
	if (aggregate && !percpu) {
		diag_add(c->diag, m->map.first_use, DIAG_MAP_KIND_VALUE, STR_ARG(m->map.name),
			 STR_ARG(name_of(c, m->map.value)));
		diag_hint(c->diag, "aggregations are kept per CPU: use percpuhash or percpulruhash");
	} else if (!aggregate && percpu) {
		diag_add(c->diag, m->map.first_use, DIAG_MAP_PER_CPU, STR_ARG(m->map.name), STR_ARG(name_of(c, m->map.value)));
		diag_hint(c->diag, "aggregations, such as count() and sum(), are added up over the CPUs; other values want hash or lruhash");
	}
}

/* A map that is only declared holds nothing and is not made. */
static void drop_unused(struct program *p)
{
	int i, n = 0;

	for (i = 0; i < p->maps.n; i++) {
		if (!p->maps.at[i]->value)
			continue;
		p->maps.at[i]->id = n;
		p->maps.at[n++] = p->maps.at[i];
	}
	p->maps.n = n;
}

void finish_maps(struct checker *c)
{
	int i;

	for (i = 0; i < c->maps.n; i++)
		finish_map(c, c->maps.entries[i].value);
	drop_unused(c->program);
}
