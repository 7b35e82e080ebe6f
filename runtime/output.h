/* Where results go: text or JSON, to stdout or the file of -o.  Nothing here knows what caused a record. */
#ifndef WT_OUTPUT_H
#define WT_OUTPUT_H

#include <stdio.h>

#include "lang/source.h"
#include "lang/support/diag.h"
#include "runtime/maps.h"
#include "runtime/text.h"

enum output_kind { OUTPUT_PRINTF, OUTPUT_TIME, OUTPUT_CAT, OUTPUT_JOIN, OUTPUT_SYSTEM };

/* How much of a map is shown. */
struct map_print {
	uint64_t top; /* last entries of the order; 0: all */
	uint64_t div; /* values are divided by it; 0 or 1: not */
	bool asked;   /* by print(@m): an empty scalar map shows its zero */
	bool percentiles; /* of histograms: the rows that hold them, instead of all rows */
};

/* What a helper or a place of the script had to complain about while tracing. */
struct output_trouble {
	const char *type; /* JSON: "helper_error", "runtime_error", "warnf", "errorf" */
	const char *text;
	const char *hint; /* NULL: none */
	struct str helper; /* "map_update_elem"; empty: no helper */
	int retcode;
	struct span span;
	enum diag_severity severity;
	bool source_line; /* show the line of the script, too */
};

struct output {
	FILE *file;	/* results */
	FILE *messages; /* stderr */
	bool json, quiet;
	bool mute;	/* --dry-run, or the reader has gone: nothing is written */
	char buffering; /* 'l': after each batch of events, 'n': after each record, 'f': when the buffer is full */
	struct line_piece *pieces; /* by CPU: lines whose ends have not come yet; text mode only */
	uint32_t npieces;
	bool has_pieces;
	bool in_line; /* what was written last ended no line */
	int err;	/* positive errno of the first failed write; later ones are not tried */
	struct text_style style;
	struct diag_style diag_style;
	struct arena *arena;   /* scratch: the caller resets it after each event */
	struct arena *scratch; /* reset by printers after each entry of a map */
	struct names *names;   /* NULL: addresses stay numbers */
};

void output_attached(struct output *o, int probes);
/* A finished text: what printf, time... made. */
void output_text(struct output *o, enum output_kind kind, struct str text);
/* What a printf() of a probe that ran on `cpu` made.  A line of several pieces is written when it is whole (or when anything else
 * is written, or by output_rest()), so that lines of two CPUs do not mix. */
void output_printf(struct output *o, uint32_t cpu, struct str text);
/* Write the lines that are not whole. */
void output_rest(struct output *o);
/* Text as it is, in text mode or a whole line of JSON. */
void output_plain(struct output *o, struct str text);
void output_value(struct output *o, const struct value *v);
/* A sorted view. */
void output_map(struct output *o, const struct map_view *view, const struct decoder *d, const struct map_print *how);
/* Rows of report(): `rows` lists of `width` values each; text uses the format, JSON the values. */
void output_clear_screen(struct output *o); /* nothing where it is no terminal */
void output_report(struct output *o, struct str map_name, const struct format *f, const struct value *values, int width, int rows);
/* A line of sums below a report: text only, they are in the rows. */
void output_totals(struct output *o, struct str map_name, const struct format *f, const struct value *sums);
/* Lines of the window where the output is a terminal, else 0. */
unsigned output_window_rows(const struct output *o);
/* Two newlines before the maps at the end. */
void output_end(struct output *o);
/* `n` more events did not fit into the ring buffer; `total` so far. */
void output_lost(struct output *o, uint64_t n);
void output_lost_total(struct output *o, uint64_t total);
void output_trouble(struct output *o, const struct output_trouble *t);
/* Make what was written visible.  `batch`: between batches of events; false: after one record. */
void output_flush(struct output *o, bool batch);

/* Write what is left, whatever the buffering. */
void output_close(struct output *o);

/* The two printers, called by output.c only. */
struct printer {
	void (*text)(struct strbuf *out, struct output *o, enum output_kind kind, struct str text);
	void (*value)(struct strbuf *out, struct output *o, const struct value *v);
	void (*map)(struct strbuf *out, struct output *o, const struct map_view *view, const struct decoder *d,
		    const struct map_print *how, void (*drain)(struct output *o, struct strbuf *out));
	void (*report)(struct strbuf *out, struct output *o, struct str map_name, const struct format *f,
		       const struct value *values, int width, int rows);
};

extern const struct printer printer_text, printer_json;

/* The percentiles that are shown, ended by 0. */
extern const uint32_t output_percentiles[];

/* Entries of a sorted view that `how` shows: index of the first. */
int output_first_entry(const struct map_view *view, const struct map_print *how);
/* tseries, text and JSON (tseries.c). */
void tseries_text(struct strbuf *out, struct output *o, const struct map_view *view, const struct decoder *d);
void tseries_json(struct strbuf *out, const struct value *v);

#endif
