/* Values as text: what print() and %s show, printf formats, and the escaping of bytes that a traced process chose. */
#ifndef WT_TEXT_H
#define WT_TEXT_H

#include "lang/format.h"
#include "runtime/value.h"

/* How texts are made. */
struct text_style {
	bool raw;	    /* untrusted bytes are passed on as they are (--raw, and JSON, which has its own escapes) */
	struct str trailer; /* str_trunc_trailer: behind a text whose end is missing */
};

/* Add untrusted bytes: C0 except newline and tab, DEL, C1 and invalid UTF-8 become \xNN. */
void text_escape(struct strbuf *out, struct str bytes);
/* Add bytes as the inside of a JSON string, always valid UTF-8. */
void text_json(struct strbuf *out, struct str bytes);
/* Add a value as print() shows it, without a newline.  Histograms and series are no such values: nothing is added. */
void text_value(struct strbuf *out, const struct text_style *style, const struct value *v);
/* A key as it stands between the brackets of @m[...]: a tuple without its own parentheses. */
void text_key(struct strbuf *out, const struct text_style *style, const struct value *v);
/* printf: one value per piece that takes one; missing ones print nothing. */
void text_format(struct strbuf *out, const struct text_style *style, const struct format *f, const struct value *values, int n);
/* Names of kernel allocation flags joined by '|' (%gr). */
void text_gfp(struct strbuf *out, uint64_t flags);

#endif
