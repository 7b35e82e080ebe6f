/* Bytes that BPF programs wrote, made neutral: what printers, sorting and report() work with.  Knows no output format. */
#ifndef WT_VALUE_H
#define WT_VALUE_H

#include "codegen/manifest.h"
#include "runtime/names.h"

enum value_kind {
	VALUE_NONE,
	VALUE_INT,     /* number, is_signed */
	VALUE_BOOL,    /* number */
	VALUE_ENUM,    /* number, is_signed; text: the symbol, empty when the enum has none for it */
	VALUE_POINTER, /* number */
	VALUE_TEXT,    /* text: strings, symbols, stacks, addresses, times */
	VALUE_BUFFER,  /* text: the bytes */
	VALUE_ARRAY,   /* items */
	VALUE_TUPLE,   /* items */
	VALUE_RECORD,  /* items and their names: structs, unions, records */
	VALUE_STATS,   /* aggregate: average and total */
	VALUE_HIST,    /* aggregate: buckets; shape: HIST or LHIST */
	VALUE_TSERIES, /* aggregate: slots */
};

/* An aggregate merged over CPUs. */
struct merged {
	uint64_t number; /* COUNT SUM MIN MAX; AVG and STATS: total (is_signed as the shape) */
	uint64_t count;	 /* AVG STATS; MIN MAX: CPUs that have a value; HIST LHIST: samples */
	const uint64_t *buckets; /* HIST LHIST: counts */
	uint32_t nbuckets;
	const struct tseries_slot *slots; /* TSERIES: filled ones, ascending by start */
	uint32_t nslots;
};

/* params[2] of a TSERIES shape: what an interval keeps. */
enum tseries_agg { TSERIES_LAST, TSERIES_AVG, TSERIES_MAX, TSERIES_MIN, TSERIES_SUM };

struct tseries_slot {
	uint64_t start; /* ns, boot clock */
	uint64_t value, aux;
};

struct value {
	enum value_kind kind;
	bool is_signed;
	bool trusted; /* TEXT: the script's own bytes, or escaped already */
	bool cut;     /* TEXT, BUFFER: the end is missing */
	uint64_t number;
	struct str text;
	struct value *items;
	const struct str *names; /* RECORD */
	int n;
	const struct shape *shape; /* STATS HIST TSERIES; others: may be NULL */
	struct merged merged;
	uint64_t div; /* STATS (average only), HIST: counts are divided by it when printed; 0 or 1: not */
};

/* What decoding needs; texts and items of the values live in `arena`. */
struct decoder {
	const struct manifest *manifest;
	struct names *names;
	struct arena *arena;
	bool raw; /* --raw */
};

/* The value of shape `shape` (index into the manifest) in `n` bytes.  Too few bytes, or a shape that is none: VALUE_NONE. */
struct value value_decode(const struct decoder *d, int shape, const void *bytes, size_t n);
/* An aggregate after merging. */
struct value value_of_merged(const struct decoder *d, int shape, const struct merged *merged);
struct value value_int(int64_t n);
struct value value_uint(uint64_t n);
struct value value_text(struct str text, bool trusted);

/* Mark every text in `v` as the script's own. */
void value_trust(struct value *v);
/* Order of two byte images of one shape: integers as signed numbers, texts bytewise, tuples by their elements. */
int value_compare_bytes(const struct manifest *m, int shape, const void *a, const void *b, size_t n);
/* Order of two values: numbers, texts, else by their items.  Different kinds: by kind. */
int value_compare(const struct value *a, const struct value *b);

/* Merge `copies` images of an aggregate, `stride` bytes apart.  Buckets and slots live in `a`.  False: no aggregate's shape. */
bool value_merge(struct arena *a, const struct shape *shape, uint32_t value_size, const void *bytes, size_t stride, int copies,
		 struct merged *out);
/* Total / count, truncated as C does, signed when the shape is. */
uint64_t merged_average(const struct shape *shape, const struct merged *m);

/* One row of a histogram as printed: from the first to the last bucket that is not empty. */
struct hist_row {
	bool open_low, open_high; /* no lower, no upper bound */
	int64_t low;		  /* inclusive */
	uint64_t high;		  /* exclusive */
	int low_scale, high_scale; /* powers of 1024 to show the bounds in */
	uint64_t count;
};
/* Rows of a VALUE_HIST, owned by `a`; returns their number. */
int hist_rows(struct arena *a, const struct value *v, struct hist_row **rows);
/* The row in which the sample of this rank lies: of all samples in ascending order, the first one that has `percent` of a hundred at or
 * below it.  The true value is somewhere inside the row's bounds.  False: there are no samples. */
bool hist_percentile(const struct value *v, uint32_t percent, struct hist_row *row);

/* A wall-clock text: strftime with %f (microseconds), %k (nanoseconds), %l (milliseconds) of ns since the epoch, local time. */
struct str time_text(struct arena *a, struct str format, int64_t epoch_ns);

#endif
