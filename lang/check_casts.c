/* Types as they are written, casts, and the operators that take a type: sizeof, offsetof, typeof (language.md 9.3 to 9.5). */
#include "lang/check.h"

static const struct type *builtin_type(struct checker *c, struct str name)
{
	struct types *t = c->types;
	const struct {
		const char *name;
		const struct type *type;
	} table[] = {
		{"bool", t->boolean}, {"int8", t->s8},	  {"int16", t->s16},  {"int32", t->s32}, {"int64", t->s64},
		{"uint8", t->u8},     {"uint16", t->u16}, {"uint32", t->u32}, {"uint64", t->u64}, {"void", t->none},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (str_is(name, table[i].name))
			return table[i].type;
	if (str_is(name, "string"))
		return type_string(t, (uint32_t)c->program->config.max_strlen);
	if (str_is(name, "buffer"))
		return type_buffer(t, (uint32_t)c->program->config.max_strlen - 4);
	if (str_is(name, "inet"))
		return type_plain(t, TYPE_INET);
	if (str_is(name, "macaddr_t"))
		return type_plain(t, TYPE_MAC);
	if (str_is(name, "username_t"))
		return type_plain(t, TYPE_USERNAME);
	if (str_is(name, "cgroup_path_t"))
		return type_cgroup_path(t, STR(""));
	if (str_is(name, "timestamp"))
		return type_timestamp(t, STR("%H:%M:%S"), 0);
	return NULL;
}

const char *types_why(struct checker *c)
{
	if (c->kernel->type_by_name(c->kernel, c->types, TAG_STRUCT, STR("task_struct")) || !c->kernel->why)
		return NULL;
	return c->kernel->why(c->kernel);
}

static void unknown_type(struct checker *c, const struct type_expr *te)
{
	static const char *const builtin_names[] = {"bool",  "int8",   "int16",	 "int32",  "int64",  "uint8",
						    "uint16", "uint32", "uint64", "string", "buffer", "void"};
	const char *tag = te->tag == TAG_STRUCT ? "struct " : te->tag == TAG_UNION ? "union " : te->tag == TAG_ENUM ? "enum " : "";
	static const char *const of_maps[] = {"count_t", "sum_t", "min_t", "max_t", "avg_t", "stats_t", "usum_t", "umin_t",
					      "umax_t", "uavg_t", "ustats_t", "hist_t", "lhist_t", "tseries_t"};
	struct diag_near near = {.wanted = te->name};
	size_t i;

	diag_add(c->diag, te->span, DIAG_UNKNOWN_TYPE, tag, STR_ARG(te->name));
	if (te->tag == TAG_NONE && names_value(c, te->name)) {
		diag_hint(c->diag, "a name alone stands for a type here; in parentheses of its own it is a value: ((%.*s))", STR_ARG(te->name));
		return;
	}
	if (types_why(c)) {
		diag_hint(c->diag, "%s", types_why(c));
		return;
	}
	for (i = 0; i < sizeof(of_maps) / sizeof(*of_maps); i++)
		if (te->tag == TAG_NONE && str_is(te->name, of_maps[i])) {
			diag_hint(c->diag, "only maps hold it; what is read from them is int64 or uint64");
			return;
		}
	if (te->tag == TAG_NONE)
		for (i = 0; i < sizeof(builtin_names) / sizeof(*builtin_names); i++)
			diag_near_try(&near, str_of(builtin_names[i]));
	if (!near.best.n && c->kernel->near_types)
		c->kernel->near_types(c->kernel, &near);
	if (near.best.n)
		diag_hint(c->diag, "did you mean '%s%.*s'?", tag, STR_ARG(near.best));
}

/* In a probe of a program its own types are meant; names without struct, union or enum only where nobody else has them. */
static const struct type *named_type(struct checker *c, enum type_tag tag, struct str name)
{
	const struct probe *p = c->unit ? c->unit->probe : NULL;
	bool in_program = p && p->kind->as == AS_USER && p->attach.n && c->kernel->user_type_by_name;
	const struct type *t = NULL;

	if (in_program && tag != TAG_NONE)
		t = c->kernel->user_type_by_name(c->kernel, c->types, p->attach.at[0], tag, name);
	if (!t)
		t = c->kernel->type_by_name(c->kernel, c->types, tag, name);
	if (!t && in_program && tag == TAG_NONE)
		t = c->kernel->user_type_by_name(c->kernel, c->types, p->attach.at[0], tag, name);
	return t;
}

static const struct type *base_type(struct checker *c, const struct type_expr *te)
{
	const struct type *t = NULL;

	if (te->of_type)
		return resolve_type(c, te->of_type);
	if (te->of) {
		struct expr *copy = expr_clone(c->arena, te->of);

		check_expr(c, copy);
		return copy->type;
	}
	if (te->tag == TAG_NONE)
		t = builtin_type(c, te->name);
	if (!t && c->c_defs)
		t = c_defs_type(c->c_defs, te->tag, te->name);
	if (!t)
		t = named_type(c, te->tag, te->name);
	if (!t && c->c_defs && te->tag == TAG_NONE)
		t = c_defs_base_type(c->c_defs, te->name);
	if (!t)
		unknown_type(c, te);
	return t ? t : c->types->error;
}

static const struct type *apply_count(struct checker *c, const struct type *t, struct expr *count, bool first)
{
	uint64_t n = 0;

	if (count) {
		struct expr *copy = expr_clone(c->arena, count);

		check_expr(c, copy);
		if (!literal_int(c, copy, "[]", &n))
			return c->types->error;
	}
	if (n > 1u << 20) {
		diag_add(c->diag, count->span, DIAG_ARRAY_SIZE, n);
		return c->types->error;
	}
	if (first && count && t->kind == TYPE_STRING)
		return type_string(c->types, (uint32_t)n);
	if (first && count && t->kind == TYPE_BUFFER)
		return type_buffer(c->types, (uint32_t)n);
	if (first && t->kind == TYPE_INET)
		return t;
	return type_array(c->types, t, (uint32_t)n);
}

const struct type *resolve_type(struct checker *c, const struct type_expr *te)
{
	const struct type *t = base_type(c, te);
	int i;

	for (i = 0; i < te->suffixes.n && !failed(t); i++) {
		const struct type_suffix *s = &te->suffixes.at[i];

		if (s->kind == SUFFIX_POINTER)
			t = type_ptr(c->types, t, c->unit && c->unit->probe ? c->unit->probe->kind->as : AS_NONE);
		else
			t = apply_count(c, t, s->count, i == 0 && te->tag == TAG_NONE && !te->of && !te->of_type);
	}
	return t;
}

/* (int8[])"abc": the count comes from the operand. */
static const struct type *complete_array(struct checker *c, const struct type *to, const struct type *from)
{
	if (to->kind != TYPE_ARRAY || to->count || !to->elem->size)
		return to;
	return type_array(c->types, to->elem, from->size / to->elem->size);
}

static bool cast_allowed(const struct type *to, const struct type *from)
{
	bool number = type_is_integer(from) || from->kind == TYPE_PTR || from->kind == TYPE_KSYM;

	switch (to->kind) {
	case TYPE_INT:
		if (from->kind == TYPE_ARRAY)
			return type_is_integer(from->elem) && from->size == to->size;
		return number || type_is_castable_aggregate(from);
	case TYPE_BOOL:
	case TYPE_ENUM:
	case TYPE_PTR:
		return number || (to->kind == TYPE_PTR && from->kind == TYPE_ARRAY && from->size <= 8);
	case TYPE_ARRAY:
		if (from->kind == TYPE_ARRAY && from->size == to->size)
			return true;
		return type_is_integer(to->elem) &&
		       ((from->kind == TYPE_STRING && to->size >= from->size) || (type_is_integer(from) && from->size == to->size));
	case TYPE_STRING:
		return (from->kind == TYPE_STRING && to->size >= from->size);
	case TYPE_BUFFER:
		return from->kind == TYPE_BUFFER && to->count >= from->count;
	default:
		return false;
	}
}

static void cast_literal_enum(struct checker *c, struct expr *e, const struct type *to)
{
	uint64_t value = e->cast.e->integer.value;
	int i;

	for (i = 0; i < to->enum_->values.n; i++)
		if (to->enum_->values.at[i].value == value)
			return;
	FAIL(c, e, DIAG_ENUM_VALUE, STR_ARG(to->enum_->name), value);
}

static void cast_int_literal(struct checker *c, struct expr *e, const struct type *to)
{
	uint64_t v = e->cast.e->integer.value;
	unsigned bits = to->size * 8;

	if (bits < 64) {
		v &= (1ull << bits) - 1;
		if (to->is_signed && v >> (bits - 1))
			v |= ~0ull << bits;
	}
	fold_to_int(c, e, v, false);
	e->flexible = false;
	e->type = to;
}

/* The address space of a cast: the operand's, else the probe's. */
static const struct type *pointer_space(struct checker *c, const struct type *to, const struct type *from)
{
	enum addr_space as = from->as;

	if (as == AS_NONE && c->unit && c->unit->probe)
		as = c->unit->probe->kind->as;
	return type_ptr(c->types, to->elem, as);
}

void check_cast(struct checker *c, struct expr *e)
{
	const struct type *to = resolve_type(c, e->cast.written), *from;

	check_expr(c, e->cast.e);
	if (!failed(to) && to->kind != TYPE_STRING)
		member_itself(&e->cast.e);
	from = e->cast.e->type;
	if (failed(to) || failed(from)) {
		e->type = to;
		return;
	}
	to = complete_array(c, to, from);
	if (to->kind == TYPE_PTR)
		to = pointer_space(c, to, from);
	if (to->kind == TYPE_NONE || (!cast_allowed(to, from) && to != from)) {
		FAIL(c, e, DIAG_CAST, STR_ARG(name_of(c, from)), STR_ARG(name_of(c, to)));
		if (to->kind == TYPE_STRUCT)
			diag_hint(c->diag, "cast to a pointer: (%.*s *)x", STR_ARG(name_of(c, to)));
		return;
	}
	if (type_is_castable_aggregate(from)) {
		read_aggregate(c, &e->cast.e);
		from = e->cast.e->type;
	}
	e->type = to;
	if (e->cast.e->kind == EXPR_INT && to->kind == TYPE_INT)
		cast_int_literal(c, e, to);
	else if (e->cast.e->kind == EXPR_INT && to->kind == TYPE_BOOL)
		fold_to_bool(c, e, e->cast.e->integer.value != 0);
	else if (e->cast.e->kind == EXPR_INT && to->kind == TYPE_ENUM)
		cast_literal_enum(c, e, to);
	else if (to->kind == TYPE_INT && from->as != AS_NONE)
		e->type = type_int_as(c->types, to, from->as);
}

static const struct type *operand_type(struct checker *c, struct expr *e)
{
	if (e->type_op.of_type)
		return resolve_type(c, e->type_op.of_type);
	c->part_of = e->type_op.e;
	check_expr(c, e->type_op.e);
	member_itself(&e->type_op.e);
	return e->type_op.e->type;
}

static void check_offsetof(struct checker *c, struct expr *e, const struct type *t)
{
	struct str rest = e->type_op.path;
	uint64_t offset = 0;

	while (rest.n) {
		size_t n = str_find(rest, '.');
		struct str name = str_sub(rest, 0, n);
		const struct field *f = t->kind == TYPE_STRUCT || t->kind == TYPE_RECORD ? type_field(c->types, t, name) : NULL;

		if (!f) {
			FAIL(c, e, DIAG_NO_FIELD, STR_ARG(name_of(c, t)), STR_ARG(name));
			return;
		}
		offset += f->offset;
		t = f->type;
		rest = str_sub(rest, n + 1, rest.n);
	}
	fold_to_int(c, e, offset, false);
	e->type = c->types->u64;
	e->flexible = true;
}

void check_type_op(struct checker *c, struct expr *e)
{
	const struct type *t = operand_type(c, e);

	if (failed(t)) {
		expr_fail(c, e);
		return;
	}
	if (e->kind == EXPR_OFFSETOF) {
		check_offsetof(c, e, t);
		return;
	}
	if (e->kind == EXPR_SIZEOF) {
		if (t->kind == TYPE_STRUCT) {
			const struct field *fields;

			type_fields(c->types, t, &fields);
		}
		fold_to_int(c, e, t->kind == TYPE_STRUCT ? t->decl->size : t->size, false);
		e->type = c->types->u64;
		e->flexible = true;
		return;
	}
	if (e->kind == EXPR_TYPEINFO)
		check_typeinfo(c, e, t);
	else
		FAIL(c, e, DIAG_TYPE_AS_VALUE);
}
