/* A script's name and bytes; byte offset to line and column. */
#ifndef WT_SOURCE_H
#define WT_SOURCE_H

#include "lang/support/arena.h"
#include "lang/support/span.h"
#include "lang/support/str.h"

struct source {
	struct str name; /* as given; "stdin" for -e and - */
	struct str text;
	const uint32_t *lines; /* offset of each line's first byte */
	int nlines;
};

struct place {
	int line, column; /* from 1; column counts bytes */
};

/* Index the lines of `text`, which is copied. */
struct source *source_new(struct arena *a, struct str name, struct str text);
struct place source_place(const struct source *s, uint32_t offset);
/* Line `n` (from 1) without its newline; empty when there is none. */
struct str source_line(const struct source *s, int n);

#endif
