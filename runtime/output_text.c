/* Results as text, to the byte as language.md 15, 20 and 26 have it. */
#include "runtime/output.h"

#include <stdio.h>

enum { BAR = 52 };

static void add_line(struct strbuf *out, struct output *o, const struct value *v)
{
	text_value(out, &o->style, v);
	strbuf_addc(out, '\n');
}

static void print_text(struct strbuf *out, struct output *o, enum output_kind kind, struct str text)
{
	(void)o;
	strbuf_add(out, text);
	/* join() ends its line; system() is followed by a newline of ours, whatever the command printed */
	if (kind == OUTPUT_JOIN || kind == OUTPUT_SYSTEM)
		strbuf_addc(out, '\n');
}

static void add_bound(struct strbuf *out, uint64_t bound, int scale)
{
	static const char suffix[] = " KMGTPE";

	if (scale)
		strbuf_printf(out, "%llu%c", (unsigned long long)(bound >> (10 * scale)), suffix[scale]);
	else
		strbuf_printf(out, "%llu", (unsigned long long)bound);
}

static void row_label(struct strbuf *out, const struct hist_row *row)
{
	if (row->open_low) {
		strbuf_add(out, STR("(..., "));
		add_bound(out, row->high, row->high_scale);
		strbuf_addc(out, ')');
		return;
	}
	strbuf_addc(out, '[');
	add_bound(out, (uint64_t)row->low, row->low_scale);
	if (row->open_high) {
		strbuf_add(out, STR(", ...)"));
	} else if (row->high == (uint64_t)row->low + 1) {
		strbuf_addc(out, ']');
	} else {
		strbuf_add(out, STR(", "));
		add_bound(out, row->high, row->high_scale);
		strbuf_addc(out, ')');
	}
}

static void add_hist(struct strbuf *out, struct output *o, const struct value *v)
{
	struct hist_row *rows;
	int n = hist_rows(o->scratch, v, &rows), i, k;
	uint64_t max = 0;

	for (i = 0; i < n; i++)
		max = rows[i].count > max ? rows[i].count : max;
	for (i = 0; i < n; i++) {
		int bar = max ? (int)((unsigned __int128)rows[i].count * BAR / max) : 0;
		struct strbuf label = {.arena = o->scratch};

		row_label(&label, &rows[i]);
		strbuf_printf(out, "%-16s%8llu |", label.s, (unsigned long long)rows[i].count);
		for (k = 0; k < BAR; k++)
			strbuf_addc(out, k < bar ? '@' : ' ');
		strbuf_add(out, STR("|\n"));
	}
	strbuf_addc(out, '\n');
}

/* { .count = 10, .p50 = [4, 8), .p90 = [8, 16), .p99 = [8, 16) } */
static void add_percentiles(struct strbuf *out, const struct value *v)
{
	struct hist_row row;
	int i;

	strbuf_printf(out, "{ .count = %llu", (unsigned long long)v->merged.count);
	for (i = 0; output_percentiles[i] && hist_percentile(v, output_percentiles[i], &row); i++) {
		strbuf_printf(out, ", .p%u = ", output_percentiles[i]);
		row_label(out, &row);
	}
	strbuf_add(out, STR(" }\n"));
}

static void print_value(struct strbuf *out, struct output *o, const struct value *v)
{
	add_line(out, o, v);
}

static void add_entry(struct strbuf *out, struct output *o, const struct map_view *view, const struct map_entry *e,
		      const struct decoder *d, const struct map_print *how)
{
	struct decoder scratch = {d->manifest, d->names, o->scratch, d->raw};
	struct value value = map_entry_value(view, e, &scratch, how->div);

	strbuf_add(out, view->row->name);
	if (view->row->key >= 0) {
		struct value key = map_entry_key(view, e, &scratch);

		strbuf_addc(out, '[');
		text_key(out, &o->style, &key);
		strbuf_addc(out, ']');
	}
	if (value.kind == VALUE_HIST && how->percentiles) {
		strbuf_add(out, STR(": "));
		add_percentiles(out, &value);
	} else if (value.kind == VALUE_HIST) {
		strbuf_add(out, STR(":\n"));
		add_hist(out, o, &value);
	} else {
		strbuf_add(out, STR(": "));
		add_line(out, o, &value);
	}
	arena_reset(o->scratch);
}

static void print_map(struct strbuf *out, struct output *o, const struct map_view *view, const struct decoder *d,
		      const struct map_print *how, void (*drain)(struct output *, struct strbuf *))
{
	int i;

	if (view->manifest->shapes.at[view->row->value].kind == TYPE_TSERIES) {
		tseries_text(out, o, view, d);
		return;
	}
	for (i = output_first_entry(view, how); i < view->entries.n; i++) {
		add_entry(out, o, view, &view->entries.at[i], d, how);
		drain(o, out);
	}
}

static void print_report(struct strbuf *out, struct output *o, struct str map_name, const struct format *f,
			 const struct value *values, int width, int rows)
{
	int i;

	(void)map_name;
	for (i = 0; i < rows; i++)
		text_format(out, &o->style, f, values + (size_t)i * (size_t)width, width);
}

const struct printer printer_text = {print_text, print_value, print_map, print_report};
