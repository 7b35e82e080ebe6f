/* Offsets and sizes of what crosses from BPF to user space: keys and values of maps, records in the
 * ring buffer.  Computed here once, for the code that writes them (emit_*.c) and for the manifest
 * that tells how to read them.  Knows no LLVM. */
#ifndef WT_LAYOUT_H
#define WT_LAYOUT_H

#include "codegen/manifest.h"
#include "lang/program.h"

enum {
	LAYOUT_KEY_LIMIT = 512, /* bytes of a key on kernels without KERNEL_BIG_KEYS */
	EVENT_HEADER = 8,	/* u16 id, u16 CPU (of printf), u32 bytes */
	EVENT_MAX = 1 << 16,
	EVENT_POINTED = 8,	/* u32 offset, u32 bytes */
	EVENT_CUT = 1u << 31,	/* in `bytes` of a pointed text: it was cut */
};

/* How a script map is stored. */
struct map_layout {
	const struct type *key;	  /* u64 for scalar maps; map->key, or the same with shorter texts
				     where it would be too long */
	const struct type *value; /* map->value */
	bool key_shrunk;   /* texts of map->key may be cut on the way in: copy with text_cut_copy()
			      (emit.h) */
	bool key_too_long; /* not even shrinking helps on this kernel */
	bool key_is_big;   /* over LAYOUT_KEY_LIMIT: the artefact needs KERNEL_BIG_KEYS */
	uint32_t key_size, value_size;
	bool percpu, lru;
	uint32_t max_entries;
};

/* `big_keys`: may keys be longer than LAYOUT_KEY_LIMIT? */
struct map_layout layout_map(struct types *types, const struct map *map, bool big_keys);

/* An event record while its values are placed one after the other. */
struct event_layout {
	uint32_t fixed; /* bytes of the fixed part so far */
	uint32_t tail;	/* bytes that the pointed values need at most */
};

struct event_layout layout_event(void);
/* Place a value; returns its offset in the fixed part. */
uint32_t layout_event_add(struct event_layout *l, const struct type *t, bool pointed);
/* The largest record, a multiple of 8. */
uint32_t layout_event_max(const struct event_layout *l);
/* Does a value of this type go behind the fixed part, with only its used bytes? */
bool layout_is_pointed(const struct type *t);

#endif
