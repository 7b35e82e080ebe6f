/* Sizes and places as the System V ABI lays them out, and the way from C types to the types of the language. */
#include "lang/c_types.h"

enum { MOST_BYTES = 1 << 30, DEEPEST = 64 };

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return to > 1 ? (n + to - 1) / to * to : n;
}

static uint32_t member_align(const struct c_struct *s, const struct c_member *m)
{
	uint32_t align = s->packed || m->packed ? 1 : m->type->align;

	if (m->align > align)
		align = m->align;
	if (s->pack && align > s->pack) /* #pragma pack has the last word, over aligned(N) too */
		align = s->pack;
	return align ? align : 1;
}

/* A bit-field goes on where the one before ended, unless it would reach over the end of a unit of its type. */
static void place_bitfield(const struct c_struct *s, struct c_member *m, uint64_t *bit)
{
	uint64_t unit = m->type->size * 8;
	bool packed = s->packed || m->packed || s->pack;

	if (!m->width) {
		*bit = round_up(*bit, unit);
		m->bit = *bit;
		return;
	}
	if (!packed && unit && *bit / unit != (*bit + m->width - 1) / unit)
		*bit = round_up(*bit, unit);
	m->bit = *bit;
	*bit += m->width;
}

void c_layout(struct c_struct *s)
{
	uint64_t bit = 0, most = 0;
	uint32_t align = s->asked_align ? s->asked_align : 1;

	VEC_EACH (m, &s->members) {
		uint32_t a = member_align(s, m);

		if (s->is_union)
			bit = 0;
		if (m->bitfield) {
			place_bitfield(s, m, &bit);
		} else {
			bit = round_up(bit, (uint64_t)a * 8);
			m->bit = bit;
			bit += m->type->size * 8;
		}
		if (bit > most)
			most = bit;
		/* an unnamed bit-field moves what follows but asks for no alignment */
		if (a > align && !(m->bitfield && !m->name.n))
			align = a;
		if (bit / 8 > MOST_BYTES) {
			bit = most = 0; /* absurd; the size then shows that something is wrong */
			break;
		}
	}
	s->align = align;
	s->size = round_up((most + 7) / 8, align);
	s->complete = true;
}

const struct c_type *c_base_type(struct str name)
{
	static const struct {
		const char *name;
		struct c_type type;
	} base[] = {
		{"void", {.kind = CT_VOID, .size = 1, .align = 1}},
		{"char", {.kind = CT_INT, .size = 1, .align = 1, .is_signed = true, .plain_char = true}},
		{"signed char", {.kind = CT_INT, .size = 1, .align = 1, .is_signed = true}},
		{"unsigned char", {.kind = CT_INT, .size = 1, .align = 1}},
		{"short", {.kind = CT_INT, .size = 2, .align = 2, .is_signed = true}},
		{"unsigned short", {.kind = CT_INT, .size = 2, .align = 2}},
		{"int", {.kind = CT_INT, .size = 4, .align = 4, .is_signed = true}},
		{"unsigned", {.kind = CT_INT, .size = 4, .align = 4}},
		{"long", {.kind = CT_INT, .size = 8, .align = 8, .is_signed = true}},
		{"unsigned long", {.kind = CT_INT, .size = 8, .align = 8}},
		{"float", {.kind = CT_FLOAT, .size = 4, .align = 4}},
		{"double", {.kind = CT_FLOAT, .size = 8, .align = 8}},
		{"long double", {.kind = CT_FLOAT, .size = 16, .align = 16}},
		{"__int128", {.kind = CT_FLOAT, .size = 16, .align = 16}},
		{"_Bool", {.kind = CT_INT, .size = 1, .align = 1}},
		/* what scripts and the kernel call them; a typedef of the script comes first */
		{"bool", {.kind = CT_INT, .size = 1, .align = 1}},
		{"u8", {.kind = CT_INT, .size = 1, .align = 1}},
		{"u16", {.kind = CT_INT, .size = 2, .align = 2}},
		{"u32", {.kind = CT_INT, .size = 4, .align = 4}},
		{"u64", {.kind = CT_INT, .size = 8, .align = 8}},
		{"s8", {.kind = CT_INT, .size = 1, .align = 1, .is_signed = true}},
		{"s16", {.kind = CT_INT, .size = 2, .align = 2, .is_signed = true}},
		{"s32", {.kind = CT_INT, .size = 4, .align = 4, .is_signed = true}},
		{"s64", {.kind = CT_INT, .size = 8, .align = 8, .is_signed = true}},
		{"__u8", {.kind = CT_INT, .size = 1, .align = 1}},
		{"__u16", {.kind = CT_INT, .size = 2, .align = 2}},
		{"__u32", {.kind = CT_INT, .size = 4, .align = 4}},
		{"__u64", {.kind = CT_INT, .size = 8, .align = 8}},
		{"__s8", {.kind = CT_INT, .size = 1, .align = 1, .is_signed = true}},
		{"__s16", {.kind = CT_INT, .size = 2, .align = 2, .is_signed = true}},
		{"__s32", {.kind = CT_INT, .size = 4, .align = 4, .is_signed = true}},
		{"__s64", {.kind = CT_INT, .size = 8, .align = 8, .is_signed = true}},
		{"uint8_t", {.kind = CT_INT, .size = 1, .align = 1}},
		{"uint16_t", {.kind = CT_INT, .size = 2, .align = 2}},
		{"uint32_t", {.kind = CT_INT, .size = 4, .align = 4}},
		{"uint64_t", {.kind = CT_INT, .size = 8, .align = 8}},
		{"int8_t", {.kind = CT_INT, .size = 1, .align = 1, .is_signed = true}},
		{"int16_t", {.kind = CT_INT, .size = 2, .align = 2, .is_signed = true}},
		{"int32_t", {.kind = CT_INT, .size = 4, .align = 4, .is_signed = true}},
		{"int64_t", {.kind = CT_INT, .size = 8, .align = 8, .is_signed = true}},
		{"size_t", {.kind = CT_INT, .size = 8, .align = 8}},
		{"ssize_t", {.kind = CT_INT, .size = 8, .align = 8, .is_signed = true}},
		{"uintptr_t", {.kind = CT_INT, .size = 8, .align = 8}},
		{"intptr_t", {.kind = CT_INT, .size = 8, .align = 8, .is_signed = true}},
		{"pid_t", {.kind = CT_INT, .size = 4, .align = 4, .is_signed = true}},
	};

	for (size_t i = 0; i < sizeof(base) / sizeof(base[0]); i++)
		if (str_is(name, base[i].name))
			return &base[i].type;
	return NULL;
}

/* ---- to types of the language -------------------------------------------------------------------------------------------- */

/* The members of `s`; those of anonymous structs and unions stand among them. */
static void add_fields(struct c_struct *s, struct struct_decl *decl, uint64_t base, int depth)
{
	struct c_defs *c = s->defs;

	VEC_EACH (m, &s->members) {
		struct field field = {.name = m->name};
		uint64_t bit = base + m->bit;

		if (!m->name.n) {
			if (m->type->kind == CT_STRUCT && !m->bitfield && depth < DEEPEST)
				add_fields(m->type->st, decl, bit, depth + 1);
			continue;
		}
		field.type = c_convert(c, m->type);
		field.offset = (uint32_t)(bit / 8);
		if (m->bitfield) {
			uint64_t unit = m->type->size ? m->type->size * 8 : 8;

			field.bit_offset = (uint32_t)bit;
			field.bit_size = m->width;
			field.offset = (uint32_t)(bit / unit * (unit / 8));
		}
		VEC_PUSH(c->arena, &decl->fields, field);
	}
}

static void load_struct(struct struct_decl *decl, struct types *types, void *arg)
{
	(void)types;
	add_fields(arg, decl, 0, 0);
}

/* A struct that is only named here is asked of the kernel. */
static const struct type *convert_struct(struct c_defs *c, struct c_struct *s)
{
	struct struct_decl *decl = s->decl;
	enum type_tag tag = s->is_union ? TAG_UNION : TAG_STRUCT;

	if (!decl && !s->complete && c->kernel->type_by_name) {
		const struct type *t = c->kernel->type_by_name(c->kernel, c->types, tag, s->name);

		if (t)
			return t;
	}
	if (!decl) {
		decl = s->decl = NEW(c->arena, struct struct_decl);
		decl->name = s->name;
		decl->is_union = s->is_union;
		decl->origin = ORIGIN_C;
		decl->size = (uint32_t)s->size;
		decl->load = load_struct;
		decl->load_arg = s;
	}
	return type_struct(c->types, decl);
}

static const struct type *convert_array(struct c_defs *c, const struct c_type *t)
{
	const struct type *elem;

	if (t->elem->plain_char && t->count && t->count < INT32_MAX)
		return type_string(c->types, (uint32_t)t->count);
	elem = c_convert(c, t->elem);
	if (t->count > INT32_MAX || (uint64_t)elem->size * t->count > INT32_MAX)
		return c->types->none;
	return type_array(c->types, elem, (uint32_t)t->count);
}

const struct type *c_convert(struct c_defs *c, const struct c_type *t)
{
	const struct type *result = c->types->none;

	if (c->depth > DEEPEST)
		return result;
	c->depth++;
	switch (t->kind) {
	case CT_VOID:
	case CT_FLOAT:
	case CT_FUNCTION:
		break;
	case CT_INT:
		result = type_int(c->types, (uint32_t)t->size, t->is_signed);
		break;
	case CT_POINTER:
		result = type_ptr(c->types, c_convert(c, t->elem), AS_NONE);
		break;
	case CT_ARRAY:
		result = convert_array(c, t);
		break;
	case CT_STRUCT:
		result = convert_struct(c, t->st);
		break;
	case CT_ENUM:
		result = t->enum_ ? type_enum(c->types, t->enum_, (uint32_t)t->size)
				  : type_int(c->types, (uint32_t)t->size, false);
		break;
	case CT_KERNEL:
		result = t->kernel;
		break;
	}
	c->depth--;
	return result;
}
