/* A number that stands for how a struct lies in memory: names, offsets and types of its members, those of structs inside it too. */
#include "lang/type.h"

enum { DEEPEST = 32 };

static uint64_t add(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *b = bytes;

	while (n--)
		hash = (hash ^ *b++) * 0x100000001b3ull;
	return hash;
}

static uint64_t add_type(uint64_t hash, struct types *types, const struct type *t, int depth)
{
	uint32_t facts[] = {(uint32_t)t->kind, t->size, t->is_signed, t->count};
	const struct field *fields;
	int n, i;

	hash = add(hash, facts, sizeof(facts));
	if (t->kind == TYPE_ARRAY)
		return add_type(hash, types, t->elem, depth + 1);
	if (t->kind != TYPE_STRUCT || depth > DEEPEST)
		return hash;
	n = type_fields(types, t, &fields);
	for (i = 0; i < n; i++) {
		const struct field *f = &fields[i];

		hash = add(hash, f->name.s, f->name.n);
		hash = add(hash, (uint32_t[]){f->offset, f->bit_offset, f->bit_size}, 12);
		hash = add_type(hash, types, f->type, depth + 1);
	}
	return hash;
}

uint64_t type_layout(struct types *types, const struct type *t)
{
	return add_type(0xcbf29ce484222325ull, types, t, 0);
}
