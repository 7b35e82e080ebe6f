/* printf-style formats: text to a list of pieces, and the rules of which conversion takes which type (language.md 20.2). */
#ifndef WT_FORMAT_H
#define WT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "lang/support/arena.h"
#include "lang/support/str.h"
#include "lang/support/vec.h"
#include "lang/type.h"

enum format_conv {
	CONV_TEXT,     /* literal text in `text` */
	CONV_SIGNED,   /* d i */
	CONV_UNSIGNED, /* u */
	CONV_OCTAL,    /* o */
	CONV_HEX,      /* x */
	CONV_HEX_UPPER, /* X */
	CONV_CHAR,     /* c */
	CONV_POINTER,  /* p */
	CONV_STRING,   /* s */
	CONV_BUFFER,   /* r */
	CONV_BUFFER_HEX,    /* rx */
	CONV_BUFFER_SPACED, /* rh */
	CONV_GFP,	    /* gr */
};

struct format_piece {
	enum format_conv conv;
	struct str text;  /* CONV_TEXT: literal; others: the directive as written */
	uint32_t width;	  /* 0: none */
	uint8_t bits;	  /* integers: 8 16 32 64 (no length modifier is 32) */
	bool left, plus, alternate, zero;
};

struct format {
	struct str text;
	VEC(struct format_piece) pieces;
	int nvalues; /* pieces that take a value */
};

/* Never fails: what is not a directive is text.  NULL and *bad (the directive) for a refused one such as %f. */
struct format *format_parse(struct arena *a, struct str text, struct str *bad);
/* May a value of type `t` be printed by this conversion? */
bool format_accepts(enum format_conv conv, const struct type *t);

#endif
