/* Reading, merging, sorting, clearing and zeroing of maps.  Printing them is output_*.c. */
#include "runtime/maps.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

enum { BATCH_BYTES = 256 * 1024 }; /* of values per system call: per-CPU histograms are large */

static bool is_aggregate(enum type_kind kind)
{
	return kind >= TYPE_COUNT;
}

void map_add_entry(struct map_view *view, struct arena *a, const void *key, uint32_t key_size, const void *values, size_t stride,
		   int copies)
{
	struct decoder d = {.manifest = view->manifest};
	struct map_entry e = {0};
	const struct shape *s = &view->manifest->shapes.at[view->row->value];

	e.key = memcpy(arena_alloc(a, key_size), key, key_size);
	if (view->aggregate)
		value_merge(a, s, view->row->value_size, values, stride, copies, &e.merged);
	else
		e.value = memcpy(arena_alloc(a, view->row->value_size), values, view->row->value_size);
	if (s->kind == TYPE_INT || s->kind == TYPE_ENUM) /* read once, compared often */
		e.merged.number = value_decode(&d, view->row->value, e.value, view->row->value_size).number;
	VEC_PUSH(a, &view->entries, e);
}

static size_t stride_of(const struct live_map *map)
{
	return map->percpu ? ((size_t)map->value_size + 7) & ~(size_t)7 : map->value_size;
}

static int copies_of(const struct live_map *map, int ncpus)
{
	return map->percpu ? ncpus : 1;
}

/* Buffers of one batch. */
struct batch {
	uint8_t *keys, *values;
	uint32_t capacity;
	size_t stride, entry; /* bytes of one copy, of one entry's copies */
	int copies;
};

/* In the arena, so that nothing stays behind when memory runs out half-way. */
static void batch_resize(struct batch *b, struct arena *a, const struct live_map *map, uint32_t capacity)
{
	if (capacity > map->max_entries)
		capacity = map->max_entries;
	b->keys = arena_alloc(a, (size_t)capacity * map->key_size);
	b->values = arena_alloc(a, (size_t)capacity * b->entry);
	b->capacity = capacity;
}

static void batch_take(struct map_view *view, struct arena *a, const struct live_map *map, const struct batch *b, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		map_add_entry(view, a, b->keys + (size_t)i * map->key_size, map->key_size, b->values + i * b->entry, b->stride,
			      b->copies);
}

/* -ENOTSUP-like errors on the first call mean: no batches for this kind of map on this kernel. */
static int read_batches(struct map_view *view, struct arena *a, const struct live_map *map, struct batch *b, bool drain)
{
	uint32_t token = 0, next = 0;
	bool first = true;

	for (;;) {
		uint32_t n = b->capacity;
		int err = drain ? bpf_map_lookup_and_delete_batch(map->fd, first ? NULL : &token, &next, b->keys, b->values, &n, NULL)
				: bpf_map_lookup_batch(map->fd, first ? NULL : &token, &next, b->keys, b->values, &n, NULL);

		if (err)
			err = -errno;
		if (err == -ENOSPC && b->capacity < map->max_entries) { /* one hash bucket holds more than a batch */
			batch_resize(b, a, map, b->capacity * 2);
			continue;
		}
		if (err && err != -ENOENT)
			return err;
		batch_take(view, a, map, b, n);
		if (err == -ENOENT)
			return 0;
		first = false;
		token = next;
	}
}

/* One key after the other, for map kinds without batches.  A key that vanishes meanwhile restarts the walk, so the number of
 * steps is bounded. */
static int read_singly(struct map_view *view, struct arena *a, const struct live_map *map, struct batch *b, bool drain)
{
	uint64_t steps = (uint64_t)map->max_entries * 2 + 16;
	const void *before = NULL;

	uint8_t *key;

	batch_resize(b, a, map, 1);
	key = b->keys;
	while (steps--) {
		if (bpf_map_get_next_key(map->fd, before, key))
			return errno == ENOENT ? 0 : -errno;
		before = key;
		if (bpf_map_lookup_elem(map->fd, key, b->values))
			continue;
		map_add_entry(view, a, key, map->key_size, b->values, b->stride, b->copies);
		if (drain) {
			bpf_map_delete_elem(map->fd, key);
			before = NULL;
		}
	}
	return 0;
}

/* No program that began before this call is still running when it returns: BPF programs are RCU readers, and this is what the
 * kernel offers to wait for them.  Where it refuses (nohz_full), a tenth of a second is far longer than any program runs. */
static void wait_for_programs(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(100000);
}

/* Let programs go on in the twin.  The map that they have left is the new twin. */
static void turn(struct live_map *map)
{
	int fd = map->fd;

	++*map->turn;
	wait_for_programs();
	map->fd = map->twin_fd;
	map->twin_fd = fd;
}

static int read_map(struct map_view *view, struct arena *a, const struct manifest *m, const struct live_map *map, int ncpus, bool drain)
{
	struct batch b = {.stride = stride_of(map), .copies = copies_of(map, ncpus)};
	uint32_t capacity;
	int err;

	*view = (struct map_view){.manifest = m, .row = map->row};
	view->aggregate = is_aggregate(m->shapes.at[map->row->value].kind);
	if (map->value_size < map->row->value_size) /* the artefact contradicts itself */
		return -EINVAL;
	b.entry = b.stride * (size_t)b.copies;
	capacity = (uint32_t)(BATCH_BYTES / (b.entry + map->key_size));
	batch_resize(&b, a, map, capacity < 64 ? 64 : capacity);
	err = map->is_array ? -EINVAL : read_batches(view, a, map, &b, drain);
	if (err && !view->entries.n)
		err = read_singly(view, a, map, &b, drain && !map->is_array);
	if (!err && drain && map->is_array)
		err = map_zero(map, ncpus);
	return err;
}

int map_read(struct map_view *view, struct arena *a, const struct manifest *m, struct live_map *map, int ncpus, bool drain)
{
	struct live_map old;

	if (!drain || !map->turn)
		return read_map(view, a, m, map, ncpus, drain);
	turn(map);
	old = *map;
	old.fd = map->twin_fd;
	return read_map(view, a, m, &old, ncpus, true);
}

/* All keys of a map, malloc'ed; their number in *n. */
static uint8_t *all_keys(const struct live_map *map, uint32_t *n)
{
	uint32_t size = map->key_size, cap = 64;
	uint8_t *keys = malloc((size_t)cap * size);

	*n = 0;
	while (keys && *n < map->max_entries) {
		if (*n + 1 > cap) {
			uint8_t *more = realloc(keys, (size_t)cap * 2 * size);

			if (!more) {
				free(keys);
				return NULL;
			}
			keys = more;
			cap *= 2;
		}
		if (bpf_map_get_next_key(map->fd, *n ? keys + (size_t)(*n - 1) * size : NULL, keys + (size_t)*n * size))
			break;
		++*n;
	}
	return keys;
}

int map_clear(const struct live_map *map, int ncpus)
{
	uint32_t n, i;
	uint8_t *keys;

	if (map->is_array)
		return map_zero(map, ncpus);
	keys = all_keys(map, &n);
	if (!keys)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		bpf_map_delete_elem(map->fd, keys + (size_t)i * map->key_size);
	free(keys);
	return 0;
}

int map_zero(const struct live_map *map, int ncpus)
{
	uint32_t n, i;
	uint8_t *keys = all_keys(map, &n);
	void *zeros = calloc((size_t)copies_of(map, ncpus), stride_of(map));
	int err = keys && zeros ? 0 : -ENOMEM;

	for (i = 0; !err && i < n; i++)
		if (bpf_map_update_elem(map->fd, keys + (size_t)i * map->key_size, zeros, BPF_EXIST) && errno != ENOENT)
			err = -errno;
	free(zeros);
	free(keys);
	return err;
}

static int compare_numbers(uint64_t a, uint64_t b, bool is_signed)
{
	if (is_signed)
		return ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b);
	return (a > b) - (a < b);
}

static int compare_values(const struct map_view *v, const struct map_entry *a, const struct map_entry *b)
{
	const struct shape *s = &v->manifest->shapes.at[v->row->value];

	switch (s->kind) {
	case TYPE_INT:
	case TYPE_ENUM:
	case TYPE_COUNT:
	case TYPE_SUM:
	case TYPE_MIN: /* signed when signed: bpftrace shows negative ones last */
	case TYPE_MAX:
		return compare_numbers(a->merged.number, b->merged.number, s->is_signed);
	case TYPE_AVG:
	case TYPE_STATS:
		return compare_numbers(merged_average(s, &a->merged), merged_average(s, &b->merged), s->is_signed);
	case TYPE_HIST:
	case TYPE_LHIST:
		return compare_numbers(a->merged.count, b->merged.count, false);
	default:
		return 0;
	}
}

static int compare_entries(const void *x, const void *y, void *arg)
{
	const struct map_view *v = arg;
	const struct map_entry *a = x, *b = y;
	int c = compare_values(v, a, b);

	if (!c && v->row->key >= 0)
		c = value_compare_bytes(v->manifest, v->row->key, a->key, b->key, v->manifest->shapes.at[v->row->key].size);
	return c;
}

void map_sort(struct map_view *view)
{
	if (view->entries.n > 1)
		qsort_r(view->entries.at, (size_t)view->entries.n, sizeof(*view->entries.at), compare_entries, view);
}

void map_keep_last(struct map_view *view, uint64_t n)
{
	if (!n || n >= (uint64_t)view->entries.n)
		return;
	view->entries.at += view->entries.n - (int)n;
	view->entries.n = (int)n;
}

void map_reverse(struct map_view *view)
{
	int i, n = view->entries.n;

	for (i = 0; i < n / 2; i++) {
		struct map_entry swap = view->entries.at[i];

		view->entries.at[i] = view->entries.at[n - 1 - i];
		view->entries.at[n - 1 - i] = swap;
	}
}

struct value map_entry_key(const struct map_view *view, const struct map_entry *e, const struct decoder *d)
{
	if (view->row->key < 0)
		return (struct value){0};
	return value_decode(d, view->row->key, e->key, view->manifest->shapes.at[view->row->key].size);
}

/* Every number in it: the items of tuples, records and arrays too. */
static void divide(struct value *v, uint64_t div)
{
	int i;

	v->div = div;
	if (v->kind == VALUE_INT)
		v->number = v->is_signed ? (uint64_t)((int64_t)v->number / (int64_t)div) : v->number / div;
	for (i = 0; i < v->n; i++)
		divide(&v->items[i], div);
}

struct value map_entry_value(const struct map_view *view, const struct map_entry *e, const struct decoder *d, uint64_t div)
{
	struct value v = view->aggregate ? value_of_merged(d, view->row->value, &e->merged)
					 : value_decode(d, view->row->value, e->value, view->row->value_size);

	if (div > 1)
		divide(&v, div);
	return v;
}
