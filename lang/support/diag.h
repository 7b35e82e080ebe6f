/* Diagnostics: collected while compiling, sorted by place, printed once on stderr.
 * Form (bpftrace users know it):
 *     FILE:LINE:COL1-COL2: ERROR: text
 *     source line
 *         ~~~~
 *     HINT: advice
 * A span over several lines prints FILE:L1-L2 and those lines without underline. */
#ifndef WT_DIAG_H
#define WT_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "lang/support/span.h"
#include "lang/support/str.h"

enum diag_id {
#define DIAG(id, severity, text) DIAG_##id,
#include "lang/support/diag_ids.def"
#undef DIAG
	DIAG_COUNT
};

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

/* Of more errors than this nobody reads the rest: they are counted, and looking for more of them may stop. */
enum { DIAG_MOST_SHOWN = 100 };

struct diag;

/* Diagnostics are owned by `a`. */
struct diag *diag_new(struct arena *a);

/* Add one; arguments fit the printf-style text of the id's row in diag_ids.def.  `span` may be zeroed: no place is shown. */
void diag_add(struct diag *d, struct span span, enum diag_id id, ...);
/* Advice for, or a second place of, the newest diagnostic. */
void diag_hint(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void diag_note(struct diag *d, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

int diag_errors(const struct diag *d); /* how many errors so far */

/* Is there one with an id from `first` to `last`, in the order of diag_ids.def? */
bool diag_has(const struct diag *d, enum diag_id first, enum diag_id last);

/* What a pass may try and take back (fixpoint passes of the checker): remember, then forget all newer ones. */
int diag_mark(const struct diag *d);
void diag_rewind(struct diag *d, int mark);

struct diag_style {
	bool colour;
	bool no_warnings; /* leave out warnings and their hints */
	bool json;	  /* one JSON object per diagnostic (check -f json) */
};

/* Print and forget what was collected. */
void diag_report(struct diag *d, FILE *out, struct diag_style style);

/* One message of the running tracer (runtime warnings, errorf/warnf), printed at once in the same form.
 * `source_line` also shows the line and its underline. */
void diag_print_now(FILE *out, struct diag_style style, struct span span, enum diag_severity severity,
		    const char *text, const char *hint, bool source_line);

/* The candidate nearest to `wanted` when few letters differ, else an empty str.  Feed candidates one by one. */
struct diag_near {
	struct str wanted, best;
	int distance;
};
void diag_near_try(struct diag_near *n, struct str candidate);

#endif
