/* Arena: blocks of memory in a list, handed out from the front one.  Knows nothing of what is stored. */
#include "lang/support/arena.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 32 * 1024, ALIGNMENT = 16 };

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(ALIGNMENT) char bytes[];
};

struct arena {
	struct block *blocks; /* the one in use comes first */
	struct block *spare;  /* emptied by arena_reset */
};

/* Where to go on when memory is out: arena_try() is on the stack. */
static _Thread_local jmp_buf *way_out;

static void out_of_memory(void)
{
	if (way_out)
		longjmp(*way_out, 1);
	fputs("waketrace: out of memory\n", stderr);
	exit(1);
}

bool arena_try(void (*work)(void *arg), void *arg)
{
	jmp_buf *outer = way_out, here;
	volatile bool done = false;

	if (!setjmp(here)) {
		way_out = &here;
		work(arg);
		done = true;
	}
	way_out = outer;
	return done;
}

struct arena *arena_new(void)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		out_of_memory();
	return a;
}

static void blocks_free(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	blocks_free(a->blocks);
	blocks_free(a->spare);
	free(a);
}

void arena_reset(struct arena *a)
{
	while (a->blocks) {
		struct block *b = a->blocks;

		a->blocks = b->next;
		if (b->size > BLOCK_SIZE) {
			free(b);
			continue;
		}
		memset(b->bytes, 0, b->used);
		b->used = 0;
		b->next = a->spare;
		a->spare = b;
	}
}

static struct block *block_for(struct arena *a, size_t size)
{
	struct block *b = a->spare;

	if (b && size <= b->size) {
		a->spare = b->next;
		return b;
	}
	size = size > BLOCK_SIZE ? size : BLOCK_SIZE;
	b = calloc(1, sizeof(*b) + size);
	if (!b)
		out_of_memory();
	b->size = size;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->blocks;
	void *p;

	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!b || b->size - b->used < size) {
		b = block_for(a, size);
		b->next = a->blocks;
		a->blocks = b;
	}
	p = b->bytes + b->used;
	b->used += size;
	return p;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *text;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	vsnprintf(text, (size_t)(n < 0 ? 0 : n) + 1, fmt, ap);
	return text;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return text;
}
