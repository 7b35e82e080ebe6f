/* Arena: memory that lives and dies together.  Not thread-safe; no single frees. */
#ifndef WT_ARENA_H
#define WT_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* A new, empty arena.  Ends the process with a message when memory is out. */
struct arena *arena_new(void);

/* Give everything back.  NULL is allowed. */
void arena_free(struct arena *a);

/* Forget all that was allocated but keep the blocks for reuse (scratch memory of the event loop). */
void arena_reset(struct arena *a);

/* `size` zeroed bytes aligned for any type; never NULL.  Out of memory ends the process with a message,
 * or the work of arena_try(). */
void *arena_alloc(struct arena *a, size_t size);

/* Do work that can be given up: true when it is done, false when memory ran out on the way (in an arena; nothing is undone, and what it
 * has malloc'ed stays). */
bool arena_try(void (*work)(void *arg), void *arg);

/* A NUL-terminated formatted text owned by the arena. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

#define NEW(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define NEW_ARRAY(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

#endif
