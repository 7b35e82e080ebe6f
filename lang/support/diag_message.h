/* One diagnostic as collected; shared by diag.c and diag_render.c only. */
#ifndef WT_DIAG_MESSAGE_H
#define WT_DIAG_MESSAGE_H

#include "lang/support/diag.h"
#include "lang/support/vec.h"

struct diag_note {
	struct span span;
	char *text;
};

struct diag_message {
	struct span span;
	const char *id;
	enum diag_severity severity;
	char *text;
	VEC(char *) hints;
	VEC(struct diag_note) notes;
	int order, source_order; /* set when sorting */
	bool one_line; /* of a longer place only the beginning is shown */
};

/* Write one diagnostic; `source_line` also shows the line and its underline. */
void diag_render(FILE *out, struct diag_style style, const struct diag_message *m,
		 bool source_line);

/* Write the line that stands for `n` diagnostics which are not shown. */
void diag_render_rest(FILE *out, struct diag_style style, enum diag_severity severity, int n);

#endif
