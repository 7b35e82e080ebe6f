/* Hash table from text to pointer, in an arena.  Keeps insertion order for walking. */
#ifndef WT_TABLE_H
#define WT_TABLE_H

#include "lang/support/str.h"

struct table_entry {
	struct str key;
	void *value;
};

struct table {
	struct arena *arena; /* set before first use */
	struct table_entry *entries;
	int n, cap;
	int *slots; /* index + 1 into entries, 0 is empty */
	int nslots;
};

/* NULL when absent. */
void *table_get(const struct table *t, struct str key);
/* Insert or replace; the key is copied. */
/* Forget all entries but the first n. */
void table_cut(struct table *t, int n);
void table_put(struct table *t, struct str key, void *value);

#endif
