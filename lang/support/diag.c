/* Diagnostics: collecting, sorting and suggesting.  How they look is in diag_render.c. */
#include "lang/support/diag.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>

#include "lang/support/bug.h"
#include "lang/support/diag_message.h"

struct diag {
	struct arena *arena;
	VEC(struct diag_message *) messages;
	int errors; /* among the messages */
};

static const struct {
	const char *id;
	enum diag_severity severity;
	const char *text;
} rows[] = {
#define DIAG(id, severity, text) {#id, DIAG_##severity, text},
#include "lang/support/diag_ids.def"
#undef DIAG
};

struct diag *diag_new(struct arena *a)
{
	struct diag *d = NEW(a, struct diag);

	d->arena = a;
	return d;
}

/* The formats come from diag_ids.def, where no caller can change them. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
void diag_add(struct diag *d, struct span span, enum diag_id id, ...)
{
	struct diag_message *m = NEW(d->arena, struct diag_message);
	va_list ap;

	m->span = span;
	m->id = rows[id].id;
	m->severity = rows[id].severity;
	d->errors += m->severity == DIAG_ERROR;
	va_start(ap, id);
	m->text = arena_vprintf(d->arena, rows[id].text, ap);
	va_end(ap);
	VEC_PUSH(d->arena, &d->messages, m);
}
#pragma GCC diagnostic pop

static struct diag_message *newest(struct diag *d)
{
	if (!d->messages.n)
		BUG("a hint or note without a diagnostic");
	return d->messages.at[d->messages.n - 1];
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	VEC_PUSH(d->arena, &newest(d)->hints, arena_vprintf(d->arena, fmt, ap));
	va_end(ap);
}

void diag_note(struct diag *d, struct span span, const char *fmt, ...)
{
	struct diag_note note = {.span = span};
	va_list ap;

	va_start(ap, fmt);
	note.text = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
	VEC_PUSH(d->arena, &newest(d)->notes, note);
}

int diag_errors(const struct diag *d)
{
	return d->errors;
}

bool diag_has(const struct diag *d, enum diag_id first, enum diag_id last)
{
	int id;

	VEC_EACH (m, &d->messages)
		for (id = (int)first; id <= (int)last; id++)
			if (!strcmp((*m)->id, rows[id].id))
				return true;
	return false;
}

int diag_mark(const struct diag *d)
{
	return d->messages.n;
}

void diag_rewind(struct diag *d, int mark)
{
	while (mark < d->messages.n)
		d->errors -= d->messages.at[--d->messages.n]->severity == DIAG_ERROR;
}

/* Where the user wrote what led here: the outermost call of the macros around `span`. */
static struct span written_place(struct span span)
{
	while (span.from)
		span = span.from->call;
	return span;
}

/* By source, then place; what has no place comes last.  Equal ones stay in the order in which they came. */
static int by_place(const void *left, const void *right)
{
	const struct diag_message *a = *(struct diag_message *const *)left;
	const struct diag_message *b = *(struct diag_message *const *)right;
	struct span x = written_place(a->span), y = written_place(b->span);

	if (!x.source || !y.source)
		return x.source ? -1 : y.source ? 1 : a->order - b->order;
	if (x.source != y.source && a->source_order != b->source_order)
		return a->source_order - b->source_order;
	if (x.begin != y.begin)
		return x.begin < y.begin ? -1 : 1;
	return a->order - b->order;
}

static bool same_message(const struct diag_message *a, const struct diag_message *b)
{
	return a->id == b->id && a->span.source == b->span.source && a->span.from == b->span.from &&
	       a->span.begin == b->span.begin && a->span.end == b->span.end &&
	       !strcmp(a->text, b->text);
}

/* Sources are shown in the order in which they were first complained about. */
static void number_messages(struct diag *d)
{
	int i, j;

	for (i = 0; i < d->messages.n; i++) {
		struct diag_message *m = d->messages.at[i];

		m->order = m->source_order = i;
		for (j = 0; j < i; j++) {
			struct diag_message *earlier = d->messages.at[j];

			if (written_place(earlier->span).source == written_place(m->span).source) {
				m->source_order = earlier->source_order;
				break;
			}
		}
	}
}

void diag_report(struct diag *d, FILE *out, struct diag_style style)
{
	const struct diag_message *last = NULL;
	int shown = 0;

	number_messages(d);
	if (d->messages.n)
		qsort(d->messages.at, (size_t)d->messages.n, sizeof(*d->messages.at), by_place);
	VEC_EACH (m, &d->messages) {
		if ((*m)->severity == DIAG_WARNING && style.no_warnings)
			continue;
		/* A body that is checked once per attach point complains once. */
		if (last && same_message(last, *m))
			continue;
		last = *m;
		if (shown++ < DIAG_MOST_SHOWN)
			diag_render(out, style, *m, true);
	}
	if (shown > DIAG_MOST_SHOWN)
		diag_render_rest(out, style, d->errors ? DIAG_ERROR : DIAG_WARNING, shown - DIAG_MOST_SHOWN);
	d->messages.n = d->errors = 0;
}

void diag_print_now(FILE *out, struct diag_style style, struct span span,
		    enum diag_severity severity, const char *text, const char *hint,
		    bool source_line)
{
	struct diag_message m = {.span = span, .severity = severity, .id = "RUNTIME", .one_line = true};
	char *hints[] = {(char *)hint};

	m.text = (char *)text;
	if (hint) {
		m.hints.at = hints;
		m.hints.n = 1;
	}
	diag_render(out, style, &m, source_line);
}

static bool same_but_case(struct str a, struct str b)
{
	size_t i;

	for (i = 0; a.n == b.n && i < a.n; i++)
		if (tolower((unsigned char)a.s[i]) != tolower((unsigned char)b.s[i]))
			return false;
	return a.n == b.n;
}

void diag_near_try(struct diag_near *n, struct str candidate)
{
	int limit = n->wanted.n <= 2 ? 0 : n->wanted.n <= 4 ? 1 : n->wanted.n <= 8 ? 2 : 3;
	int distance;

	if (str_eq(n->wanted, candidate))
		return;
	/* Only the case differs: nothing can be nearer. */
	if (same_but_case(n->wanted, candidate))
		distance = 0;
	else
		distance = str_distance(n->wanted, candidate, limit);
	if (distance > limit && distance)
		return;
	if (n->best.n && n->distance <= distance)
		return;
	n->best = candidate;
	n->distance = distance;
}
