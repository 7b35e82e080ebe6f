/* A script's name and bytes, and the index of its lines. */
#include "lang/source.h"

#include "lang/support/vec.h"

struct source *source_new(struct arena *a, struct str name, struct str text)
{
	struct source *s = NEW(a, struct source);
	VEC(uint32_t) lines = {0};
	size_t i;

	s->name = str_copy(a, name);
	s->text = str_copy(a, text);
	VEC_PUSH(a, &lines, 0);
	for (i = 0; i < text.n; i++)
		if (text.s[i] == '\n')
			VEC_PUSH(a, &lines, (uint32_t)i + 1);
	s->lines = lines.at;
	s->nlines = lines.n;
	return s;
}

struct place source_place(const struct source *s, uint32_t offset)
{
	int low = 0, high = s->nlines - 1;

	while (low < high) {
		int mid = (low + high + 1) / 2;

		if (s->lines[mid] <= offset)
			low = mid;
		else
			high = mid - 1;
	}
	return (struct place){low + 1, (int)(offset - s->lines[low]) + 1};
}

struct str source_line(const struct source *s, int n)
{
	uint32_t begin, end;

	if (n < 1 || n > s->nlines)
		return (struct str){"", 0};
	begin = s->lines[n - 1];
	end = n < s->nlines ? s->lines[n] - 1 : (uint32_t)s->text.n;
	return str_sub(s->text, begin, end - begin);
}
