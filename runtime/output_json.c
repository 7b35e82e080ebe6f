/* Results as JSON, one object per line, to the byte as language.md 21 has it. */
#include "runtime/output.h"

#include <stdio.h>

static void add_string(struct strbuf *out, struct str text)
{
	strbuf_addc(out, '"');
	text_json(out, text);
	strbuf_addc(out, '"');
}

/* Numbers that a double cannot hold exactly become strings, since most readers of JSON have nothing but doubles. */
static void add_number(struct strbuf *out, uint64_t n, bool is_signed)
{
	bool negative = is_signed && (int64_t)n < 0;
	uint64_t magnitude = negative ? 0 - n : n;
	int zeros = magnitude ? __builtin_ctzll(magnitude) : 0;
	bool exact = magnitude >> zeros < 1ull << 53;

	strbuf_printf(out, "%s%s%llu%s", exact ? "" : "\"", negative ? "-" : "", (unsigned long long)magnitude, exact ? "" : "\"");
}

static void add_value(struct strbuf *out, struct output *o, const struct value *v);

static void add_items(struct strbuf *out, struct output *o, const struct value *v)
{
	int i;

	strbuf_addc(out, '[');
	for (i = 0; i < v->n; i++) {
		if (i)
			strbuf_addc(out, ',');
		add_value(out, o, &v->items[i]);
	}
	strbuf_addc(out, ']');
}

static void add_record(struct strbuf *out, struct output *o, const struct value *v)
{
	int i;

	strbuf_addc(out, '{');
	for (i = 0; i < v->n; i++) {
		if (i)
			strbuf_add(out, STR(", "));
		add_string(out, v->names[i]);
		strbuf_add(out, STR(": "));
		add_value(out, o, &v->items[i]);
	}
	strbuf_addc(out, '}');
}

static void add_buffer(struct strbuf *out, struct str bytes)
{
	size_t i;

	strbuf_addc(out, '[');
	for (i = 0; i < bytes.n; i++)
		strbuf_printf(out, i ? ",%d" : "%d", (signed char)bytes.s[i]);
	strbuf_addc(out, ']');
}

static void add_stats(struct strbuf *out, const struct value *v)
{
	uint64_t average = merged_average(v->shape, &v->merged);

	if (v->div > 1)
		average = v->is_signed ? (uint64_t)((int64_t)average / (int64_t)v->div) : average / v->div;
	strbuf_add(out, STR("{\"count\": "));
	add_number(out, v->merged.count, false);
	strbuf_add(out, STR(", \"average\": "));
	add_number(out, average, v->is_signed);
	strbuf_add(out, STR(", \"total\": "));
	add_number(out, v->merged.number, v->is_signed);
	strbuf_addc(out, '}');
}

/* The bounds of a row, both inclusive; what has none is left out. */
static void add_bounds(struct strbuf *out, const struct hist_row *row)
{
	if (!row->open_low) {
		strbuf_add(out, STR("\"min\": "));
		add_number(out, (uint64_t)row->low, true);
	}
	if (!row->open_low && !row->open_high)
		strbuf_add(out, STR(", "));
	if (!row->open_high) {
		strbuf_add(out, STR("\"max\": "));
		add_number(out, row->high - 1, true);
	}
}

static void add_percentiles(struct strbuf *out, const struct value *v)
{
	struct hist_row row;
	int i;

	strbuf_add(out, STR("{\"count\": "));
	add_number(out, v->merged.count, false);
	for (i = 0; output_percentiles[i] && hist_percentile(v, output_percentiles[i], &row); i++) {
		strbuf_printf(out, ", \"p%u\": {", output_percentiles[i]);
		add_bounds(out, &row);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, '}');
}

static void add_hist(struct strbuf *out, struct output *o, const struct value *v)
{
	struct hist_row *rows;
	int n = hist_rows(o->scratch, v, &rows), i;

	strbuf_addc(out, '[');
	for (i = 0; i < n; i++) {
		strbuf_add(out, i ? STR(",{") : STR("{"));
		add_bounds(out, &rows[i]);
		strbuf_add(out, STR(", \"count\": "));
		add_number(out, rows[i].count, false);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

static void add_text(struct strbuf *out, struct output *o, const struct value *v)
{
	strbuf_addc(out, '"');
	text_json(out, v->text);
	if (v->cut)
		text_json(out, o->style.trailer);
	strbuf_addc(out, '"');
}

static void add_value(struct strbuf *out, struct output *o, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NONE:
		strbuf_add(out, STR("null"));
		return;
	case VALUE_INT:
	case VALUE_ENUM:
		add_number(out, v->number, v->is_signed);
		return;
	case VALUE_POINTER:
		add_number(out, v->number, false);
		return;
	case VALUE_BOOL:
		strbuf_add(out, v->number ? STR("true") : STR("false"));
		return;
	case VALUE_TEXT:
		add_text(out, o, v);
		return;
	case VALUE_BUFFER:
		add_buffer(out, v->text);
		return;
	case VALUE_ARRAY:
	case VALUE_TUPLE:
		add_items(out, o, v);
		return;
	case VALUE_RECORD:
		add_record(out, o, v);
		return;
	case VALUE_STATS:
		add_stats(out, v);
		return;
	case VALUE_HIST:
		add_hist(out, o, v);
		return;
	case VALUE_TSERIES:
		tseries_json(out, v);
		return;
	}
}

static void print_text(struct strbuf *out, struct output *o, enum output_kind kind, struct str text)
{
	static const char *const types[] = {
		[OUTPUT_PRINTF] = "printf", [OUTPUT_TIME] = "time", [OUTPUT_CAT] = "cat", [OUTPUT_JOIN] = "join",
		[OUTPUT_SYSTEM] = "syscall",
	};

	(void)o;
	strbuf_printf(out, "{\"type\": \"%s\", \"data\": ", types[kind]);
	add_string(out, text);
	strbuf_add(out, STR("}\n"));
}

static void print_value(struct strbuf *out, struct output *o, const struct value *v)
{
	strbuf_add(out, STR("{\"type\": \"value\", \"data\": "));
	add_value(out, o, v);
	strbuf_add(out, STR("}\n"));
}

/* Keys are the text of a key with every blank taken out. */
static void add_key(struct strbuf *out, struct output *o, const struct value *key)
{
	struct strbuf text = {.arena = o->scratch}, squeezed = {.arena = o->scratch};
	size_t i;

	text_key(&text, &o->style, key);
	for (i = 0; i < text.n; i++)
		if (text.s[i] != ' ')
			strbuf_addc(&squeezed, text.s[i]);
	add_string(out, strbuf_str(&squeezed));
}

static void add_map_value(struct strbuf *out, struct output *o, const struct value *v, const struct map_print *how)
{
	if (v->kind == VALUE_HIST && how->percentiles)
		add_percentiles(out, v);
	else
		add_value(out, o, v);
}

static const char *map_type(enum type_kind kind, const struct map_print *how)
{
	switch (kind) {
	case TYPE_AVG:
	case TYPE_STATS:
		return "stats";
	case TYPE_HIST:
	case TYPE_LHIST:
		return how->percentiles ? "percentiles" : "hist";
	case TYPE_TSERIES:
		return "tseries";
	default:
		return "map";
	}
}

static void add_entries(struct strbuf *out, struct output *o, const struct map_view *view, const struct decoder *d,
			const struct map_print *how, void (*drain)(struct output *, struct strbuf *))
{
	struct decoder scratch = {d->manifest, d->names, o->scratch, d->raw};
	int first = output_first_entry(view, how), i;

	strbuf_addc(out, '{');
	for (i = first; i < view->entries.n; i++) {
		struct value key = map_entry_key(view, &view->entries.at[i], &scratch);
		struct value value = map_entry_value(view, &view->entries.at[i], &scratch, how->div);

		if (i > first)
			strbuf_add(out, STR(", "));
		add_key(out, o, &key);
		strbuf_add(out, STR(": "));
		add_map_value(out, o, &value, how);
		drain(o, out);
		arena_reset(o->scratch);
	}
	strbuf_addc(out, '}');
}

static void print_map(struct strbuf *out, struct output *o, const struct map_view *view, const struct decoder *d,
		      const struct map_print *how, void (*drain)(struct output *, struct strbuf *))
{
	if (!view->entries.n)
		return;
	strbuf_printf(out, "{\"type\": \"%s\", \"data\": {", map_type(view->manifest->shapes.at[view->row->value].kind, how));
	add_string(out, view->row->name);
	strbuf_add(out, STR(": "));
	if (view->row->key < 0) {
		struct value value = map_entry_value(view, &view->entries.at[0], d, how->div);

		add_map_value(out, o, &value, how);
	} else {
		add_entries(out, o, view, d, how, drain);
	}
	strbuf_add(out, STR("}}\n"));
}

/* Ours: one object per report, one array of the format's values per row. */
static void print_report(struct strbuf *out, struct output *o, struct str map_name, const struct format *f,
			 const struct value *values, int width, int rows)
{
	int i;

	(void)f;
	strbuf_add(out, STR("{\"type\": \"report\", \"data\": {"));
	add_string(out, map_name);
	strbuf_add(out, STR(": ["));
	for (i = 0; i < rows; i++) {
		struct value row = {.kind = VALUE_TUPLE, .items = (struct value *)values + (size_t)i * (size_t)width, .n = width};

		if (i)
			strbuf_addc(out, ',');
		add_items(out, o, &row);
	}
	strbuf_add(out, STR("]}}\n"));
}

const struct printer printer_json = {print_text, print_value, print_map, print_report};
