/* Maps of the script as user space sees them: read and merged over CPUs, sorted, cleared, zeroed. */
#ifndef WT_MAPS_H
#define WT_MAPS_H

#include "runtime/value.h"

/* The BPF map behind a row of the manifest. */
struct live_map {
	const struct manifest_map *row;
	int fd;			       /* the one in use */
	int twin_fd;		       /* the other one, empty; -1: none */
	volatile uint32_t *turn;       /* which one programs use; NULL: there is no twin */
	uint32_t key_size, value_size; /* as the kernel knows them */
	uint32_t max_entries;
	bool is_array;		       /* entries exist always: nothing can be deleted */
	bool percpu;
};

struct map_entry {
	const uint8_t *key;
	const uint8_t *value; /* NULL for aggregates */
	struct merged merged; /* aggregates; number also of integers and enums, for sorting */
};

/* One map at one moment.  Memory is in the arena given to map_read(). */
struct map_view {
	const struct manifest *manifest;
	const struct manifest_map *row;
	bool aggregate;
	VEC(struct map_entry) entries;
};

/* Read all entries; `drain` also takes them out of the map: what programs add meanwhile is in this view or in the next, exactly once
 * when the map has a twin.  0 or -errno. */
int map_read(struct map_view *view, struct arena *a, const struct manifest *m, struct live_map *map, int ncpus, bool drain);
/* Order of language.md 20.4; equal values by key. */
void map_sort(struct map_view *view);
/* Keep the last `n` entries of the order; 0: all. */
void map_keep_last(struct map_view *view, uint64_t n);
void map_reverse(struct map_view *view);
/* Remove all entries.  0 or -errno. */
int map_clear(const struct live_map *map, int ncpus);
/* Keep the keys, make all value bytes zero.  0 or -errno. */
int map_zero(const struct live_map *map, int ncpus);

struct value map_entry_key(const struct map_view *view, const struct map_entry *e, const struct decoder *d);
/* `div` as in print(@m, top, div); 0 or 1: none. */
struct value map_entry_value(const struct map_view *view, const struct map_entry *e, const struct decoder *d, uint64_t div);

/* Put one entry into a view from the bytes of its key and of `copies` values, `stride` apart.  For map_read and tests. */
void map_add_entry(struct map_view *view, struct arena *a, const void *key, uint32_t key_size, const void *values, size_t stride,
		   int copies);

#endif
