/* Where things lie in keys, values and event records. */
#include "codegen/layout.h"

/* ---- maps ---- */

/* Texts and buffers this short are not worth pointing at, nor shrinking. */
enum { SHORT_TEXT = 16 };

/* Capacity of the longest text or buffer in `t`. */
static uint32_t longest_text(const struct type *t)
{
	uint32_t longest = 0;
	int i;

	if (t->kind == TYPE_STRING || t->kind == TYPE_BUFFER)
		return t->size;
	for (i = 0; i < t->nfields; i++) {
		uint32_t n = longest_text(t->fields[i].type);

		if (n > longest)
			longest = n;
	}
	return longest;
}

/* `t` with no text longer than `limit` bytes. */
static const struct type *shrink(struct types *types, const struct type *t, uint32_t limit)
{
	const struct type *elems[128];
	struct str names[128];
	int i;

	if (t->kind == TYPE_STRING)
		return t->size > limit ? type_string(types, limit) : t;
	if (t->kind == TYPE_BUFFER)
		return t->size > limit ? type_buffer(types, limit - 4) : t;
	if ((t->kind != TYPE_TUPLE && t->kind != TYPE_RECORD) || t->nfields > 128)
		return t;
	for (i = 0; i < t->nfields; i++) {
		elems[i] = shrink(types, t->fields[i].type, limit);
		names[i] = t->fields[i].name;
	}
	return t->kind == TYPE_TUPLE ? type_tuple(types, elems, t->nfields)
				     : type_record(types, names, elems, t->nfields);
}

/* The longest text loses bytes first: all texts over one limit are cut to it, and the limit is as
 * high as the key allows. */
static const struct type *fit(struct types *types, const struct type *key, uint32_t size)
{
	uint32_t low = SHORT_TEXT, high = longest_text(key);
	const struct type *best;

	if (high <= low)
		return key;
	best = shrink(types, key, low);
	while (best->size <= size && high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		const struct type *t = shrink(types, key, middle);

		if (t->size <= size) {
			best = t;
			low = middle;
		} else {
			high = middle;
		}
	}
	return best;
}

struct map_layout layout_map(struct types *types, const struct map *map, bool big_keys)
{
	struct map_layout l = {.key = map->key ? map->key : types->u64, .value = map->value};

	if (l.key->size > LAYOUT_KEY_LIMIT) {
		l.key_is_big = big_keys;
		if (!big_keys)
			l.key = fit(types, l.key, LAYOUT_KEY_LIMIT);
		l.key_shrunk = l.key != map->key;
		l.key_too_long = !big_keys && l.key->size > LAYOUT_KEY_LIMIT;
	}
	l.key_size = l.key->size;
	l.value_size = map->value->size;
	l.percpu = map->kind == MAP_PERCPU_HASH || map->kind == MAP_PERCPU_LRU_HASH;
	l.lru = map->kind == MAP_LRU_HASH || map->kind == MAP_PERCPU_LRU_HASH;
	l.max_entries = map->key ? map->max_entries : 1;
	return l;
}

/* ---- events ---- */

struct event_layout layout_event(void)
{
	return (struct event_layout){.fixed = EVENT_HEADER};
}

bool layout_is_pointed(const struct type *t)
{
	return (t->kind == TYPE_STRING || t->kind == TYPE_BUFFER) && t->size > SHORT_TEXT;
}

static uint32_t align_up(uint32_t n, uint32_t align)
{
	return (n + align - 1) / align * align;
}

uint32_t layout_event_add(struct event_layout *l, const struct type *t, bool pointed)
{
	uint32_t align = pointed ? 4 : t->align ? t->align : 1, at = align_up(l->fixed, align);

	l->fixed = at + (pointed ? EVENT_POINTED : t->size);
	if (pointed)
		l->tail += t->size;
	return at;
}

uint32_t layout_event_max(const struct event_layout *l)
{
	return align_up(l->fixed, 8) + align_up(l->tail, 8);
}
