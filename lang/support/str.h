/* struct str: pointer and length, may hold any byte.  struct strbuf: a text that grows. */
#ifndef WT_STR_H
#define WT_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lang/support/arena.h"

struct str {
	const char *s; /* not NUL-terminated unless said so; owned by somebody else */
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
/* For "%.*s". */
#define STR_ARG(x) (int)(x).n, (x).s

static inline struct str str_of(const char *c)
{
	return (struct str){c ? c : "", c ? strlen(c) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && !memcmp(a.s ? a.s : "", b.s ? b.s : "", a.n);
}

static inline bool str_is(struct str a, const char *c)
{
	return str_eq(a, str_of(c));
}

/* <0, 0, >0 in byte order. */
int str_cmp(struct str a, struct str b);
bool str_is_nocase(struct str a, const char *c);
bool str_starts(struct str a, struct str prefix);
bool str_ends(struct str a, struct str suffix);
/* Index of the first `c`, or a.n. */
size_t str_find(struct str a, char c);
struct str str_sub(struct str a, size_t from, size_t n); /* clipped to a */
struct str str_trim(struct str a);			   /* without blanks at both ends */
uint64_t str_hash(struct str a);

/* A copy owned by the arena; always followed by a NUL, so that .s is a C string. */
struct str str_copy(struct arena *a, struct str text);
/* The same, as char *. */
char *str_c(struct arena *a, struct str text);
struct str str_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* `*` matches any run of characters, everything else itself.  `[` and `]` are dropped (they only mark a pattern). */
bool str_match(struct str pattern, struct str text);
bool str_is_pattern(struct str text); /* holds '*' or '[' */

/* Edit distance, at most `limit` + 1; two neighbours that changed places are one step. */
int str_distance(struct str a, struct str b, int limit);

/* A growing text in an arena (data is kept NUL-terminated). */
struct strbuf {
	struct arena *arena;
	char *s;
	size_t n, cap;
};

void strbuf_add(struct strbuf *b, struct str text);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline struct str strbuf_str(const struct strbuf *b)
{
	return (struct str){b->s ? b->s : "", b->n};
}

#endif
