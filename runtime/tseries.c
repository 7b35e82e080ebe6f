/* tseries as text and JSON (language.md 15.3). */
#include "runtime/output.h"

#include <stdio.h>
#include <time.h>

enum { WIDTH = 53 }; /* of the graph, both borders included */

struct graph {
	struct output *o;
	const struct decoder *d;
	const struct shape *shape;
	uint64_t newest; /* start of the newest interval over all keys */
	int digits;	 /* of fractions of a second */
	int64_t min, max;
};

static int digits_of(uint64_t interval)
{
	return interval % 1000000000 == 0 ? 0 : interval % 1000000 == 0 ? 3 : interval % 1000 == 0 ? 6 : 9;
}

static struct str row_time(const struct graph *g, uint64_t start)
{
	static const char *const formats[] = {"%H:%M:%S", "%H:%M:%S.%l", "%H:%M:%S.%f", "%H:%M:%S.%k"};

	return time_text(g->d->arena, str_of(formats[g->digits / 3]), (int64_t)start);
}

/* Where a value stands in a field of that many columns. */
static int column(const struct graph *g, int64_t value, int width)
{
	return (int)((__int128)width * ((__int128)value - g->min) / ((__int128)g->max - g->min));
}

static void add_scale(struct strbuf *out, const struct graph *g)
{
	char min[24], max[24];

	snprintf(min, sizeof(min), "%lld", (long long)g->min);
	snprintf(max, sizeof(max), "%lld", (long long)g->max);
	strbuf_printf(out, "%*s%-21s%32s\n", 8 + (g->digits ? g->digits + 1 : 0) + 1, "", min, max);
}

static void add_frame(struct strbuf *out, const struct graph *g, const char *head, char border)
{
	int i;

	strbuf_printf(out, "%-*s %c", 8 + (g->digits ? g->digits + 1 : 0), head, border);
	for (i = 0; i < WIDTH - 2; i++)
		strbuf_addc(out, '_');
	strbuf_printf(out, "%c\n", border);
}

static void add_row(struct strbuf *out, const struct graph *g, uint64_t start, const struct tseries_slot *slot)
{
	char field[WIDTH + 1];

	memset(field, ' ', WIDTH);
	field[WIDTH] = 0;
	field[0] = field[WIDTH - 1] = '|';
	if (g->min < 0 && g->max > 0)
		field[column(g, 0, WIDTH)] = '.'; /* as bpftrace has it */
	if (slot)
		field[column(g, (int64_t)slot->value, WIDTH - 1)] = '*';
	strbuf_printf(out, "%.*s %s ", STR_ARG(row_time(g, start)), field);
	if (!slot)
		strbuf_add(out, STR("-\n"));
	else
		strbuf_printf(out, g->shape->is_signed ? "%lld\n" : "%llu\n", (long long)slot->value);
}

static bool find_range(struct graph *g, const struct merged *m, uint64_t oldest)
{
	bool any = false;
	uint32_t i;

	for (i = 0; i < m->nslots; i++) {
		int64_t v = (int64_t)m->slots[i].value;

		if (m->slots[i].start < oldest)
			continue;
		g->min = !any || v < g->min ? v : g->min;
		g->max = !any || v > g->max ? v : g->max;
		any = true;
	}
	if (any && g->min == g->max) {
		g->min -= g->min > INT64_MIN;
		g->max += g->max < INT64_MAX;
	}
	return any;
}

static void add_graph(struct strbuf *out, struct graph *g, const struct merged *m)
{
	static const char *const heads[] = {"hh:mm:ss", "hh:mm:ss.ms", "hh:mm:ss.us", "hh:mm:ss.ns"};
	uint64_t interval = (uint64_t)g->shape->params[0], span = interval * (uint64_t)(g->shape->params[1] - 1);
	uint64_t oldest = g->newest > span ? g->newest - span : 0, start;
	uint32_t i = 0;

	if (!interval || !find_range(g, m, oldest)) {
		strbuf_add(out, STR("<no data>\n"));
		return;
	}
	while (i < m->nslots && m->slots[i].start < oldest)
		i++;
	start = i < m->nslots ? m->slots[i].start : g->newest;
	/* A single row is told to the nanosecond, as bpftrace has it. */
	g->digits = start == g->newest ? 9 : digits_of(interval);
	add_scale(out, g);
	add_frame(out, g, heads[g->digits / 3], '|');
	for (; start <= g->newest; start += interval) {
		bool here = i < m->nslots && m->slots[i].start == start;

		add_row(out, g, start, here ? &m->slots[i] : NULL);
		i += here;
	}
	add_frame(out, g, "", 'v');
	add_scale(out, g);
	strbuf_addc(out, '\n');
}

void tseries_text(struct strbuf *out, struct output *o, const struct map_view *view, const struct decoder *d)
{
	const struct shape *s = &view->manifest->shapes.at[view->row->value];
	struct graph g = {.o = o, .d = d, .shape = s};

	VEC_EACH(e, &view->entries)
		if (e->merged.nslots && e->merged.slots[e->merged.nslots - 1].start > g.newest)
			g.newest = e->merged.slots[e->merged.nslots - 1].start;
	VEC_EACH(e, &view->entries) {
		struct value key = map_entry_key(view, e, d);

		strbuf_add(out, view->row->name);
		if (view->row->key >= 0) {
			strbuf_addc(out, '[');
			text_key(out, &o->style, &key);
			strbuf_addc(out, ']');
		}
		strbuf_add(out, STR(":\n"));
		add_graph(out, &g, &e->merged);
	}
}

void tseries_json(struct strbuf *out, const struct value *v)
{
	uint32_t i;

	strbuf_addc(out, '[');
	for (i = 0; i < v->merged.nslots; i++) {
		const struct tseries_slot *slot = &v->merged.slots[i];
		time_t t = (time_t)(slot->start / 1000000000);
		char text[64] = "";
		struct tm tm;

		if (gmtime_r(&t, &tm))
			strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
		strbuf_printf(out, "%s{\"interval_start\":\"%s.%09d\",\"value\":", i ? "," : "", text, (int)(slot->start % 1000000000));
		strbuf_printf(out, v->is_signed ? "%lld}" : "%llu}", (long long)slot->value);
	}
	strbuf_addc(out, ']');
}
