/* Writing of results: buffering, failed writes, records that go to stderr in text mode and to stdout in JSON. */
#include "runtime/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const uint32_t output_percentiles[] = {50, 90, 99, 0};

static const struct printer *printer_of(const struct output *o)
{
	return o->json ? &printer_json : &printer_text;
}

static void note_error(struct output *o)
{
	if (!o->err)
		o->err = errno ? errno : EIO;
	o->mute = true;
}

enum { PIECE_MAX = 64 * 1024 };

struct line_piece {
	char *text;
	size_t n, room;
};

static void write_out(struct output *o, struct str text)
{
	if (o->has_pieces)
		output_rest(o);
	if (o->mute || !text.n)
		return;
	o->in_line = text.s[text.n - 1] != '\n';
	if (fwrite(text.s, 1, text.n, o->file) != text.n)
		note_error(o);
	else
		output_flush(o, false);
}

void output_rest(struct output *o)
{
	uint32_t i;

	o->has_pieces = false;
	for (i = 0; i < o->npieces; i++) {
		struct line_piece *p = &o->pieces[i];
		struct str text = {p->text, p->n};

		p->n = 0;
		write_out(o, text);
	}
}

/* False: out of memory, or a line without an end. */
static bool keep_piece(struct output *o, uint32_t cpu, struct str text)
{
	struct line_piece *p;

	if (cpu >= o->npieces) {
		p = realloc(o->pieces, (cpu + 1) * sizeof(*p));
		if (!p)
			return false;
		memset(p + o->npieces, 0, (cpu + 1 - o->npieces) * sizeof(*p));
		o->pieces = p;
		o->npieces = cpu + 1;
	}
	p = &o->pieces[cpu];
	if (p->n + text.n > PIECE_MAX)
		return false;
	if (p->n + text.n > p->room) {
		char *grown = realloc(p->text, 2 * (p->n + text.n));

		if (!grown)
			return false;
		p->text = grown;
		p->room = 2 * (p->n + text.n);
	}
	memcpy(p->text + p->n, text.s, text.n);
	p->n += text.n;
	o->has_pieces = true;
	return true;
}

void output_printf(struct output *o, uint32_t cpu, struct str text)
{
	struct line_piece *p = cpu < o->npieces ? &o->pieces[cpu] : NULL;
	bool whole = text.n && text.s[text.n - 1] == '\n', others = o->has_pieces;
	struct str line;

	if (o->json || !text.n || (whole && !others)) {
		output_text(o, OUTPUT_PRINTF, text);
		return;
	}
	if ((!whole || (p && p->n)) && !keep_piece(o, cpu, text)) {
		output_rest(o);
		output_text(o, OUTPUT_PRINTF, text);
		return;
	}
	if (!whole)
		return;
	/* The others' lines wait. */
	p = cpu < o->npieces ? &o->pieces[cpu] : NULL;
	line = p && p->n ? (struct str){p->text, p->n} : text;
	o->has_pieces = false;
	write_out(o, line);
	if (p)
		p->n = 0;
	for (cpu = 0; cpu < o->npieces && !o->has_pieces; cpu++)
		o->has_pieces = o->pieces[cpu].n > 0;
}

/* Write what `out` holds and start it again: a map with a million entries needs no text of that size. */
static void drain_buffer(struct output *o, struct strbuf *out)
{
	if (out->n < 32 * 1024)
		return;
	write_out(o, strbuf_str(out));
	out->n = 0;
}

void output_flush(struct output *o, bool batch)
{
	if (o->mute || o->buffering == 'f' || (o->buffering == 'l' && !batch))
		return;
	if (fflush(o->file))
		note_error(o);
}

void output_close(struct output *o)
{
	uint32_t i;

	output_rest(o);
	for (i = 0; i < o->npieces; i++)
		free(o->pieces[i].text);
	free(o->pieces);
	o->pieces = NULL;
	o->npieces = 0;
	if (!o->mute && fflush(o->file))
		note_error(o);
}

void output_attached(struct output *o, int probes)
{
	char text[128];

	if (o->quiet)
		return;
	if (!o->json) {
		fprintf(o->messages, "Attached %d probe%s\n", probes, probes == 1 ? "" : "s");
		return;
	}
	snprintf(text, sizeof(text), "{\"type\": \"attached_probes\", \"count\": %d, \"data\": {\"probes\": %d}}\n", probes, probes);
	write_out(o, str_of(text));
	output_flush(o, true);
}

void output_text(struct output *o, enum output_kind kind, struct str text)
{
	struct strbuf out = {.arena = o->arena};

	printer_of(o)->text(&out, o, kind, text);
	write_out(o, strbuf_str(&out));
}

void output_plain(struct output *o, struct str text)
{
	write_out(o, text);
}

void output_value(struct output *o, const struct value *v)
{
	struct strbuf out = {.arena = o->arena};

	printer_of(o)->value(&out, o, v);
	write_out(o, strbuf_str(&out));
}

/* A scalar map that holds nothing: print() shows zero, unless it is one of rows; the end of tracing shows nothing. */
static bool shows_zero(const struct map_view *view, const struct map_print *how)
{
	enum type_kind kind = view->manifest->shapes.at[view->row->value].kind;
	bool has_rows = ((kind == TYPE_HIST || kind == TYPE_LHIST) && !how->percentiles) || kind == TYPE_TSERIES;

	return how->asked && !view->entries.n && view->row->key < 0 && !has_rows;
}

static struct map_view empty_scalar(struct output *o, const struct map_view *view)
{
	struct map_view zero = {.manifest = view->manifest, .row = view->row, .aggregate = view->aggregate};
	uint64_t key = 0;
	void *bytes = arena_alloc(o->arena, view->row->value_size + 8);

	map_add_entry(&zero, o->arena, &key, sizeof(key), bytes, view->row->value_size, 1);
	return zero;
}

void output_map(struct output *o, const struct map_view *view, const struct decoder *d, const struct map_print *how)
{
	struct strbuf out = {.arena = o->arena};
	struct map_view zero;

	if (shows_zero(view, how)) {
		zero = empty_scalar(o, view);
		view = &zero;
	}
	printer_of(o)->map(&out, o, view, d, how, drain_buffer);
	write_out(o, strbuf_str(&out));
}

void output_report(struct output *o, struct str map_name, const struct format *f, const struct value *values, int width, int rows)
{
	struct strbuf out = {.arena = o->arena};

	printer_of(o)->report(&out, o, map_name, f, values, width, rows);
	write_out(o, strbuf_str(&out));
}

void output_totals(struct output *o, struct str map_name, const struct format *f, const struct value *sums)
{
	struct strbuf out = {.arena = o->arena};

	if (!o->json)
		printer_of(o)->report(&out, o, map_name, f, sums, f->nvalues, 1);
	write_out(o, strbuf_str(&out));
}

unsigned output_window_rows(const struct output *o)
{
	struct winsize size;

	return o->json || ioctl(fileno(o->file), TIOCGWINSZ, &size) ? 0 : size.ws_row;
}

void output_clear_screen(struct output *o)
{
	if (!o->json && isatty(fileno(o->file)))
		write_out(o, STR("\033[H\033[2J"));
}

void output_end(struct output *o)
{
	if (!o->json)
		write_out(o, STR("\n\n"));
}

void output_lost(struct output *o, uint64_t n)
{
	char text[128];

	if (!o->json) {
		fprintf(o->messages, "Lost %llu events\n", (unsigned long long)n);
		return;
	}
	snprintf(text, sizeof(text), "{\"type\": \"lost_events\", \"count\": %llu, \"data\": {\"events\": %llu}}\n",
		 (unsigned long long)n, (unsigned long long)n);
	write_out(o, str_of(text));
}

void output_lost_total(struct output *o, uint64_t total)
{
	fprintf(o->messages, "WARNING: Total lost event count: %llu\n", (unsigned long long)total);
}

static void trouble_json(struct output *o, const struct output_trouble *t)
{
	struct strbuf out = {.arena = o->arena};

	strbuf_printf(&out, "{\"type\": \"%s\", \"msg\": \"", t->type);
	text_json(&out, str_of(t->text));
	strbuf_addc(&out, '"');
	if (t->helper.n)
		strbuf_printf(&out, ", \"helper\": \"%.*s\", \"retcode\": %d", STR_ARG(t->helper), t->retcode);
	if (t->span.source) {
		struct place place = source_place(t->span.source, t->span.begin);

		strbuf_add(&out, STR(", \"filename\": \""));
		text_json(&out, t->span.source->name);
		strbuf_printf(&out, "\", \"line\": %d, \"col\": %d", place.line, place.column);
	}
	strbuf_add(&out, STR("}\n"));
	write_out(o, strbuf_str(&out));
}

void output_trouble(struct output *o, const struct output_trouble *t)
{
	const char *text = t->text;

	if (t->severity == DIAG_WARNING && o->diag_style.no_warnings)
		return;
	if (o->json) {
		trouble_json(o, t);
		return;
	}
	if (t->helper.n)
		text = arena_printf(o->arena, "%s\nbpf_%.*s() returned %d", t->text, STR_ARG(t->helper), t->retcode);
	diag_print_now(o->messages, o->diag_style, t->span, t->severity, text, t->hint, t->source_line);
}

int output_first_entry(const struct map_view *view, const struct map_print *how)
{
	if (!how->top || how->top >= (uint64_t)view->entries.n)
		return 0;
	return view->entries.n - (int)how->top;
}
