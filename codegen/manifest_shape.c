/* Types made plain, and places in the script: what codegen adds to a manifest while it works. */
#include "codegen/manifest_internal.h"

#include "lang/source.h"

static int add_shape(struct arena *a, struct manifest *m, struct types *types, const struct type *t,
		     int depth);

/* Members of structs are shown as far as they can be read back: those that lie outside of their
 * struct (flexible arrays) are left out. */
static bool is_readable(const struct type *owner, const struct field *f)
{
	if (f->bit_size)
		return f->bit_size <= 64 && type_is_integer(f->type) &&
		       ((uint64_t)f->bit_offset + f->bit_size + 7) / 8 <= owner->size;
	return (uint64_t)f->offset + f->type->size <= owner->size;
}

static void add_fields(struct arena *a, struct manifest *m, struct types *types,
		       const struct type *t, struct shape *s, int depth)
{
	const struct field *fields;
	int n = type_fields(types, t, &fields), i;

	for (i = 0; i < n; i++) {
		const struct field *f = &fields[i];
		bool named = f->name.n > 0 || t->kind == TYPE_TUPLE;

		if (!named || (t->kind == TYPE_STRUCT && !is_readable(t, f)))
			continue;
		VEC_PUSH(a, &s->fields,
			 (struct shape_field){.name = f->name,
					      .shape = add_shape(a, m, types, f->type, depth + 1),
					      .offset = f->offset,
					      .bit_offset = f->bit_offset,
					      .bit_size = f->bit_size});
	}
}

static struct shape plain_shape(struct arena *a, const struct type *t)
{
	struct shape s = {.kind = t->kind,
			  .is_signed = t->is_signed,
			  .size = t->size,
			  .count = t->count,
			  .elem = -1,
			  .name = t->text,
			  .mode = t->mode,
			  .limit = t->limit,
			  .clock = t->clock,
			  .user = t->kind == TYPE_PTR && t->as == AS_USER};

	memcpy(s.params, t->params, sizeof(s.params));
	if (t->kind == TYPE_ENUM) {
		s.name = t->enum_->name;
		VEC_EACH (v, &t->enum_->values)
			VEC_PUSH(a, &s.values,
				 (struct shape_value){.name = v->name, .value = v->value});
	} else if (t->kind == TYPE_STRUCT) {
		s.name = t->decl->name;
	} else if (t->kind == TYPE_INT) {
		s.name = (struct str){NULL, 0}; /* its C name is of no use to a printer */
	}
	return s;
}

static int add_shape(struct arena *a, struct manifest *m, struct types *types, const struct type *t,
		     int depth)
{
	struct shape s;

	while (m->shape_of_type.n <= t->id)
		VEC_PUSH(a, &m->shape_of_type, 0);
	if (m->shape_of_type.at[t->id])
		return m->shape_of_type.at[t->id] - 1;
	s = plain_shape(a, t);
	if (t->kind == TYPE_ARRAY)
		s.elem = add_shape(a, m, types, t->elem, depth + 1);
	else if (depth < MANIFEST_DEPTH_MAX)
		add_fields(a, m, types, t, &s, depth);
	VEC_PUSH(a, &m->shapes, s);
	if (depth < MANIFEST_DEPTH_MAX) /* a shape that was cut short is not for others */
		m->shape_of_type.at[t->id] = m->shapes.n;
	return m->shapes.n - 1;
}

int manifest_shape(struct arena *a, struct manifest *m, struct types *types, const struct type *t)
{
	return add_shape(a, m, types, t, 0);
}

void manifest_layout(struct arena *a, struct manifest *m, struct types *types, const struct type *t)
{
	struct manifest_layout l;

	while (t->kind == TYPE_ARRAY)
		t = t->elem;
	if (t->kind != TYPE_STRUCT || t->decl->origin != ORIGIN_BTF)
		return;
	l = (struct manifest_layout){.name = t->decl->name.n ? t->decl->name : t->decl->core_name, .is_union = t->decl->is_union, .hash = type_layout(types, t)};
	VEC_EACH (old, &m->layouts)
		if (old->hash == l.hash && str_eq(old->name, l.name))
			return;
	VEC_PUSH(a, &m->layouts, l);
}

static int add_source(struct arena *a, struct manifest *m, const struct source *source)
{
	int i;

	if (!source)
		return -1;
	for (i = 0; i < m->sources.n; i++)
		if (m->sources.at[i].text.s == source->text.s &&
		    str_eq(m->sources.at[i].name, source->name))
			return i;
	VEC_PUSH(a, &m->sources,
		 (struct manifest_source){.name = source->name, .text = source->text});
	return m->sources.n - 1;
}

int manifest_span(struct arena *a, struct manifest *m, struct span span)
{
	struct manifest_span s = {.begin = span.begin, .end = span.end, .parent = -1};
	int i;

	if (!span.source)
		return -1;
	s.source = add_source(a, m, span.source);
	if (span.from)
		s.parent = manifest_span(a, m, span.from->call);
	for (i = m->spans.n; i-- > 0;) {
		const struct manifest_span *old = &m->spans.at[i];

		if (old->source == s.source && old->begin == s.begin && old->end == s.end &&
		    old->parent == s.parent)
			return i;
	}
	VEC_PUSH(a, &m->spans, s);
	return m->spans.n - 1;
}
