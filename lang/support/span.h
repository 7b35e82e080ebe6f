/* Where something stands in a source text. */
#ifndef WT_SPAN_H
#define WT_SPAN_H

#include <stdint.h>

struct source;

/* One expansion of a macro; the chain ends at the text that the user wrote. */
struct expansion;

/* Bytes [begin, end) of `source`.  A zeroed span means "no place". */
struct span {
	const struct source *source;
	const struct expansion *from; /* NULL outside macros */
	uint32_t begin, end;
};

struct expansion {
	struct span call; /* where the macro was called; call.from leads outwards */
};

#endif
