/* Is a blob sound enough for libbpf?  Version 1.1 follows the ids and names of an object's types without a look whether they
 * exist, and walks from typedef to typedef without an end: a damaged file would take the tracer down with it. */
#include <string.h>

#include "runtime/btf.h"

/* Longer chains of typedefs and qualifiers are loops. */
enum { MOST_STEPS = 64 };

static bool good_name(const struct btf_file *f, uint32_t off)
{
	return off < f->strings_len;
}

static bool good_id(const struct btf_file *f, uint32_t id)
{
	return id < f->end_id;
}

static bool is_link(const struct btf_type *t)
{
	switch (btf_kind_of(t)) {
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return true;
	}
	return false;
}

static bool chain_ends(const struct btf_file *f, const struct btf_type *t)
{
	int steps = 0;

	while (is_link(t)) {
		if (!good_id(f, t->type) || ++steps > MOST_STEPS)
			return false;
		t = btf_type_at(f, t->type);
	}
	return true;
}

static bool good_members(const struct btf_file *f, const struct btf_type *t)
{
	const struct btf_member *m = btf_tail(t);
	uint32_t i;

	for (i = 0; i < BTF_INFO_VLEN(t->info); i++)
		if (!good_name(f, m[i].name_off) || !good_id(f, m[i].type))
			return false;
	return true;
}

static bool good_params(const struct btf_file *f, const struct btf_type *t)
{
	const struct btf_param *p = btf_tail(t);
	uint32_t i;

	for (i = 0; i < BTF_INFO_VLEN(t->info); i++)
		if (!good_name(f, p[i].name_off) || !good_id(f, p[i].type))
			return false;
	return good_id(f, t->type);
}

static bool good_variables(const struct btf_file *f, const struct btf_type *t)
{
	const struct btf_var_secinfo *v = btf_tail(t);
	uint32_t i;

	for (i = 0; i < BTF_INFO_VLEN(t->info); i++)
		if (!good_id(f, v[i].type) || !v[i].type)
			return false;
	return true;
}

static bool good_array(const struct btf_file *f, const struct btf_type *t)
{
	const struct btf_array *a = btf_tail(t);

	return good_id(f, a->type) && good_id(f, a->index_type);
}

static bool good_constants(const struct btf_file *f, const struct btf_type *t, size_t size)
{
	const uint8_t *e = btf_tail(t); /* both forms begin with the name */
	uint32_t i, name;

	for (i = 0; i < BTF_INFO_VLEN(t->info); i++) {
		memcpy(&name, e + i * size, sizeof(name));
		if (!good_name(f, name))
			return false;
	}
	return true;
}

static bool is_sound(const struct btf_file *f, const struct btf_type *t)
{
	if (!good_name(f, t->name_off))
		return false;
	switch (btf_kind_of(t)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return good_members(f, t);
	case BTF_KIND_ENUM:
		return good_constants(f, t, sizeof(struct btf_enum));
	case BTF_KIND_ENUM64:
		return good_constants(f, t, sizeof(struct btf_enum64));
	case BTF_KIND_ARRAY:
		return good_array(f, t);
	case BTF_KIND_FUNC_PROTO:
		return good_params(f, t);
	case BTF_KIND_FUNC:
		return good_id(f, t->type) && btf_kind_of(btf_type_at(f, t->type)) == BTF_KIND_FUNC_PROTO;
	case BTF_KIND_DATASEC:
		return good_variables(f, t);
	case BTF_KIND_PTR:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return good_id(f, t->type);
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_FWD:
		return true;
	}
	return is_link(t) && chain_ends(f, t);
}

bool btf_is_sound(const struct btf_file *f)
{
	uint32_t id;

	for (id = f->first_id; id < f->end_id; id++)
		if (!is_sound(f, btf_type_at(f, id)))
			return false;
	return true;
}
