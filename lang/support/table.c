/* Hash table with open addressing over an ordered list of entries. */
#include "lang/support/table.h"

static int *slot_of(const struct table *t, struct str key)
{
	uint64_t i = str_hash(key);

	for (;; i++) {
		int *slot = &t->slots[i & (uint64_t)(t->nslots - 1)];

		if (!*slot || str_eq(t->entries[*slot - 1].key, key))
			return slot;
	}
}

void *table_get(const struct table *t, struct str key)
{
	int *slot;

	if (!t->n)
		return NULL;
	slot = slot_of(t, key);
	return *slot ? t->entries[*slot - 1].value : NULL;
}

static void grow(struct table *t)
{
	int cap = t->cap ? t->cap * 2 : 16, i;
	struct table_entry *entries = NEW_ARRAY(t->arena, struct table_entry, cap);

	if (t->n)
		memcpy(entries, t->entries, sizeof(*entries) * (size_t)t->n);
	t->entries = entries;
	t->cap = cap;
	t->nslots = cap * 2;
	t->slots = NEW_ARRAY(t->arena, int, t->nslots);
	for (i = 0; i < t->n; i++)
		*slot_of(t, entries[i].key) = i + 1;
}

void table_put(struct table *t, struct str key, void *value)
{
	int *slot;

	if (t->n == t->cap)
		grow(t);
	slot = slot_of(t, key);
	if (*slot) {
		t->entries[*slot - 1].value = value;
		return;
	}
	t->entries[t->n] = (struct table_entry){str_copy(t->arena, key), value};
	*slot = ++t->n;
}

void table_cut(struct table *t, int n)
{
	int i;

	if (n >= t->n)
		return;
	t->n = n;
	memset(t->slots, 0, sizeof(*t->slots) * (size_t)t->nslots);
	for (i = 0; i < n; i++)
		*slot_of(t, t->entries[i].key) = i + 1;
}
