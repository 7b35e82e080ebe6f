/* Parts of values: fields, elements, and the tuples and records that are made of parts (language.md 4.5 to 4.7). */
#include "lang/check.h"

static void no_field(struct checker *c, struct expr *e, const struct type *of)
{
	struct diag_near near = {.wanted = e->field.name};
	const struct field *fields;
	int n = type_fields(c->types, of, &fields), i;

	e->type = c->types->error;
	if (str_starts(e->field.name, STR("common_")) && of->decl && of->decl->origin == ORIGIN_TRACEPOINT) {
		diag_add(c->diag, e->field.name_span, DIAG_COMMON_FIELD, STR_ARG(e->field.name));
		return;
	}
	if (of->decl)
		VEC_EACH (arg, &of->decl->hidden)
			if (str_eq(arg->name, e->field.name)) {
				diag_add(c->diag, e->field.name_span, DIAG_HIDDEN_ARG, STR_ARG(arg->name), arg->why);
				return;
			}
	if (of->kind == TYPE_RECORD) /* its name is all of its fields */
		diag_add(c->diag, e->field.name_span, DIAG_NO_ELEMENT, STR_ARG(e->field.name));
	else
		diag_add(c->diag, e->field.name_span, DIAG_NO_FIELD, STR_ARG(name_of(c, of)), STR_ARG(e->field.name));
	for (i = 0; i < n; i++)
		diag_near_try(&near, fields[i].name);
	if (near.best.n)
		diag_hint(c->diag, "did you mean '%.*s'?", STR_ARG(near.best));
}

/* Look through pointers: p->f and p.f are the same at any depth. */
static void deref_pointers(struct checker *c, struct expr **e)
{
	while ((*e)->type->kind == TYPE_PTR) {
		struct expr *load = expr_new(c->arena, EXPR_UNARY, (*e)->span);

		load->unary.op = UNARY_DEREF;
		load->unary.e = *e;
		load->type = (*e)->type->elem;
		*e = load;
	}
}

/* An element of a record of constants (config, typeinfo) is that constant. */
static bool constant_element(struct expr *e)
{
	const struct expr *record = e->field.e;
	int i;

	for (i = 0; i < record->tuple.elems.n; i++)
		if (!record->tuple.elems.at[i]->is_literal)
			return false;
	for (i = 0; i < record->tuple.elems.n; i++)
		if (str_eq(record->tuple.names.at[i], e->field.name)) {
			struct span span = e->span;

			*e = *record->tuple.elems.at[i];
			e->span = span;
			return true;
		}
	return false;
}

static void widen_member(struct checker *c, struct expr *e);

void check_field(struct checker *c, struct expr *e)
{
	const struct type *of;
	const struct field *f;

	c->part_of = e->field.e;
	check_expr(c, e->field.e);
	check_retval_parts(c, e->field.e);
	of = e->field.e->type;
	if (failed(of)) {
		expr_fail(c, e);
		return;
	}
	if (e->field.e->kind == EXPR_RECORD && constant_element(e))
		return;
	if (of->kind == TYPE_PTR) {
		deref_pointers(c, &e->field.e);
		of = e->field.e->type;
	}
	if (of->kind != TYPE_STRUCT && of->kind != TYPE_RECORD) {
		FAIL(c, e, DIAG_FIELD_OF, STR_ARG(e->field.name), STR_ARG(name_of(c, of)));
		if (of->kind == TYPE_NONE && types_why(c))
			diag_hint(c->diag, "%s", types_why(c));
		if (type_is_integer(of))
			diag_hint(c->diag, "if it is an address, cast it: ((struct NAME *)x)->%.*s", STR_ARG(e->field.name));
		return;
	}
	f = type_field(c->types, of, e->field.name);
	if (!f) {
		no_field(c, e, of);
		return;
	}
	e->field.field = f;
	e->type = f->type;
	if (of->kind == TYPE_STRUCT && f->type->kind == TYPE_STRING && !f->data_loc)
		widen_member(c, e);
}

/* A member `char a[4]` may hold four characters and no NUL, and so may an element of `char a[2][4]`: as a value it has room for one. */
static void widen_member(struct checker *c, struct expr *e)
{
	struct expr *member = NEW(c->arena, struct expr);

	*member = *e;
	memset(e, 0, sizeof(*e));
	e->kind = EXPR_CAST;
	e->span = member->span;
	e->parens = member->parens;
	e->cast.e = member;
	e->cast.implicit = true;
	e->type = type_string(c->types, member->type->size + 1);
}

void member_itself(struct expr **e)
{
	struct expr *x = *e;

	if (x->kind == EXPR_CAST && x->cast.implicit && x->type &&
	    (x->cast.e->kind == EXPR_FIELD || x->cast.e->kind == EXPR_INDEX) && x->type->kind == TYPE_STRING &&
	    x->cast.e->type->kind == TYPE_STRING)
		*e = x->cast.e;
}

void check_tuple_at(struct checker *c, struct expr *e)
{
	const struct type *t;

	check_expr(c, e->tuple_at.e);
	t = e->tuple_at.e->type;
	if (failed(t)) {
		expr_fail(c, e);
	} else if (t->kind != TYPE_TUPLE) {
		FAIL(c, e, DIAG_TUPLE_AT, STR_ARG(name_of(c, t)));
	} else if (e->tuple_at.at >= (uint64_t)t->nfields) {
		FAIL(c, e, DIAG_TUPLE_RANGE, arena_printf(c->arena, "%llu", (unsigned long long)e->tuple_at.at), t->nfields);
	} else {
		e->type = t->fields[e->tuple_at.at].type;
	}
}

void check_index(struct checker *c, struct expr *e)
{
	const struct type *t;
	struct expr *i;

	check_expr(c, e->index.e);
	member_itself(&e->index.e);
	check_expr(c, e->index.index);
	t = e->index.e->type;
	if (failed(t) || failed(e->index.index->type) || !need_integer(c, &e->index.index, "an index")) {
		expr_fail(c, e);
		return;
	}
	i = e->index.index;
	if (t->kind == TYPE_TUPLE && i->kind == EXPR_INT) {
		uint64_t at = i->integer.value;
		const char *text = integer_text(c, i);

		e->kind = EXPR_TUPLE_AT;
		i = e->index.e;
		e->tuple_at.e = i;
		e->tuple_at.at = at;
		if (at >= (uint64_t)t->nfields)
			FAIL(c, e, DIAG_TUPLE_RANGE, text, t->nfields);
		else
			e->type = t->fields[at].type;
		return;
	}
	if (t->kind != TYPE_ARRAY && t->kind != TYPE_PTR && t->kind != TYPE_STRING && t->kind != TYPE_BUFFER) {
		FAIL(c, e, DIAG_INDEX_OF, STR_ARG(name_of(c, t)));
		if (t->kind == TYPE_TUPLE)
			diag_hint(c->diag, "elements of a tuple have types of their own: the index is a number, such as 0");
		return;
	}
	if (t->kind == TYPE_PTR && t->elem->kind == TYPE_NONE) {
		FAIL(c, e, DIAG_DEREF_VOID);
		return;
	}
	if (i->kind == EXPR_INT && (int64_t)i->integer.value < 0 && i->type->is_signed && t->kind != TYPE_PTR) {
		FAIL(c, e, DIAG_INDEX_NEGATIVE, (long long)i->integer.value);
		return;
	}
	if ((t->kind == TYPE_ARRAY && i->kind == EXPR_INT && i->integer.value >= t->count && t->count) ||
	    (t->kind == TYPE_STRING && i->kind == EXPR_INT && i->integer.value >= t->size)) {
		FAIL(c, e, DIAG_INDEX_RANGE, i->integer.value, t->kind == TYPE_ARRAY ? t->count : t->size);
		return;
	}
	if (e->index.e->kind == EXPR_STRING && i->kind == EXPR_INT) {
		struct str s = e->index.e->string.text;
		int8_t ch = i->integer.value < s.n ? (int8_t)s.s[i->integer.value] : 0;

		fold_to_int(c, e, (uint64_t)(int64_t)ch, ch < 0);
		return;
	}
	cast_to(c, &e->index.index, t->kind == TYPE_PTR ? c->types->s64 : c->types->u64);
	e->type = t->kind == TYPE_STRING || t->kind == TYPE_BUFFER ? c->types->s8 : t->elem;
	if (t->kind == TYPE_ARRAY && t->elem->kind == TYPE_STRING)
		widen_member(c, e);
}

/* More would make a key or an event that no kernel takes, after minutes of compiling. */
enum { MOST_ELEMENTS = 1024 };

void check_tuple(struct checker *c, struct expr *e)
{
	const struct type **elems = NEW_ARRAY(c->arena, const struct type *, e->tuple.elems.n + 1);
	bool ok = true;
	int i, j;

	if (e->tuple.elems.n > MOST_ELEMENTS) {
		FAIL(c, e, DIAG_TUPLE_LENGTH, MOST_ELEMENTS, e->tuple.elems.n);
		return;
	}
	for (i = 0; i < e->tuple.elems.n; i++) {
		struct expr **elem = &e->tuple.elems.at[i];

		check_expr(c, *elem);
		read_aggregate(c, elem);
		elems[i] = (*elem)->type;
		if (failed(elems[i])) {
			ok = false;
		} else if (type_is_aggregate(elems[i])) {
			diag_add(c->diag, (*elem)->span, DIAG_NOT_IN_TUPLE, STR_ARG(name_of(c, elems[i])));
			ok = false;
		} else if (elems[i]->kind == TYPE_NONE) {
			no_value(c, *elem);
			ok = false;
		}
		for (j = 0; e->kind == EXPR_RECORD && j < i; j++)
			if (str_eq(e->tuple.names.at[i], e->tuple.names.at[j])) {
				diag_add(c->diag, (*elem)->span, DIAG_DUPLICATE_NAME, STR_ARG(e->tuple.names.at[i]));
				ok = false;
			}
	}
	if (!ok)
		expr_fail(c, e);
	else if (e->kind == EXPR_RECORD)
		e->type = type_record(c->types, e->tuple.names.at, elems, e->tuple.elems.n);
	else if (!e->tuple.elems.n)
		e->type = c->types->none;
	else
		e->type = type_tuple(c->types, elems, e->tuple.elems.n);
}
