/* Text helpers over pointer-and-length strings. */
#include "lang/support/str.h"

#include <ctype.h>
#include <stdio.h>

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.s, b.s, n) : 0;

	return d ? d : (a.n > b.n) - (a.n < b.n);
}

bool str_is_nocase(struct str a, const char *c)
{
	size_t i;

	if (strlen(c) != a.n)
		return false;
	for (i = 0; i < a.n; i++)
		if (tolower((unsigned char)a.s[i]) != tolower((unsigned char)c[i]))
			return false;
	return true;
}

bool str_starts(struct str a, struct str prefix)
{
	return a.n >= prefix.n && !memcmp(a.s, prefix.s, prefix.n);
}

bool str_ends(struct str a, struct str suffix)
{
	return a.n >= suffix.n && !memcmp(a.s + a.n - suffix.n, suffix.s, suffix.n);
}

size_t str_find(struct str a, char c)
{
	const char *p = a.n ? memchr(a.s, c, a.n) : NULL;

	return p ? (size_t)(p - a.s) : a.n;
}

struct str str_sub(struct str a, size_t from, size_t n)
{
	if (from > a.n)
		from = a.n;
	if (n > a.n - from)
		n = a.n - from;
	return (struct str){a.s + from, n};
}

struct str str_trim(struct str a)
{
	while (a.n && isspace((unsigned char)a.s[0]))
		a.s++, a.n--;
	while (a.n && isspace((unsigned char)a.s[a.n - 1]))
		a.n--;
	return a;
}

uint64_t str_hash(struct str a)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
	size_t i;

	for (i = 0; i < a.n; i++)
		h = (h ^ (unsigned char)a.s[i]) * 0x100000001b3u;
	return h;
}

char *str_c(struct arena *a, struct str text)
{
	char *copy = arena_alloc(a, text.n + 1);

	if (text.n)
		memcpy(copy, text.s, text.n);
	return copy;
}

struct str str_copy(struct arena *a, struct str text)
{
	return (struct str){str_c(a, text), text.n};
}

struct str str_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return str_of(text);
}

bool str_is_pattern(struct str text)
{
	return str_find(text, '*') < text.n || str_find(text, '[') < text.n;
}

bool str_match(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;

	while (t < text.n) {
		if (p < pattern.n && (pattern.s[p] == '[' || pattern.s[p] == ']')) {
			p++;
		} else if (p < pattern.n && pattern.s[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.n && pattern.s[p] == text.s[t]) {
			p++, t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && strchr("*[]", pattern.s[p]))
		p++;
	return p == pattern.n;
}

int str_distance(struct str a, struct str b, int limit)
{
	enum { MAX = 64 };
	int rows[3][MAX + 1], *row = rows[0];
	size_t i, j;

	if (a.n > MAX || b.n > MAX)
		return limit + 1;
	for (j = 0; j <= b.n; j++)
		row[j] = (int)j;
	for (i = 1; i <= a.n; i++) {
		const int *above = row, *above2 = rows[(i + 1) % 3]; /* of i - 1 and i - 2 */

		row = rows[i % 3];
		row[0] = (int)i;
		for (j = 1; j <= b.n; j++) {
			int best = above[j - 1] + (a.s[i - 1] != b.s[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a.s[i - 1] == b.s[j - 2] && a.s[i - 2] == b.s[j - 1] && above2[j - 2] + 1 < best)
				best = above2[j - 2] + 1; /* two that changed places */
			row[j] = best;
		}
	}
	return row[b.n] <= limit ? row[b.n] : limit + 1;
}

static void strbuf_reserve(struct strbuf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 64;
	char *s;

	if (b->n + more + 1 <= b->cap)
		return;
	while (cap < b->n + more + 1)
		cap *= 2;
	s = arena_alloc(b->arena, cap);
	if (b->n)
		memcpy(s, b->s, b->n);
	b->s = s;
	b->cap = cap;
}

void strbuf_add(struct strbuf *b, struct str text)
{
	strbuf_reserve(b, text.n);
	if (text.n)
		memcpy(b->s + b->n, text.s, text.n);
	b->n += text.n;
	b->s[b->n] = 0;
}

void strbuf_addc(struct strbuf *b, char c)
{
	strbuf_add(b, (struct str){&c, 1});
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	strbuf_reserve(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->s + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}
