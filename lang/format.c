/* printf-style formats: text to pieces, and which conversion prints which type. */
#include "lang/format.h"

#include "lang/support/bug.h"

/* Room for a width that no terminal has; more digits than this are not read as one. */
enum { MOST_WIDTH_DIGITS = 9 };

struct directive {
	struct format_piece piece;
	size_t length; /* with the '%'; 0: this is plain text */
	bool refused;
	bool is_percent; /* stands for a % sign */
};

static const struct {
	const char *name; /* longer ones first */
	enum format_conv conv;
} conversions[] = {
	{"rx", CONV_BUFFER_HEX}, {"rh", CONV_BUFFER_SPACED}, {"gr", CONV_GFP}, {"d", CONV_SIGNED},
	{"i", CONV_SIGNED},	 {"u", CONV_UNSIGNED},	     {"o", CONV_OCTAL}, {"x", CONV_HEX},
	{"X", CONV_HEX_UPPER},	 {"c", CONV_CHAR},	     {"p", CONV_POINTER}, {"s", CONV_STRING},
	{"r", CONV_BUFFER},
};

/* Conversions of C that the language has not. */
static const char refused[] = "fFeEgGaAn";

static const struct {
	const char *name;
	uint8_t bits;
} lengths[] = {{"hh", 8}, {"h", 16}, {"ll", 64}, {"l", 64}, {"j", 64}, {"z", 64}, {"t", 64}};

static bool take(struct str text, size_t *at, const char *word)
{
	if (!str_starts(str_sub(text, *at, SIZE_MAX), str_of(word)))
		return false;
	*at += strlen(word);
	return true;
}

static size_t digits(struct str text, size_t at)
{
	size_t end = at;

	while (end < text.n && text.s[end] >= '0' && text.s[end] <= '9')
		end++;
	return end;
}

/* Flags stand in this order only; what comes in another is text, as it is for bpftrace. */
static size_t read_flags(struct str text, size_t at, struct format_piece *piece)
{
	piece->left = take(text, &at, "-");
	piece->plus = take(text, &at, "+");
	take(text, &at, " "); /* accepted, without effect */
	piece->alternate = take(text, &at, "#");
	piece->zero = take(text, &at, "0");
	return at;
}

/* Width counts; precision is read and has no effect.  A '*' takes no value. */
static size_t read_width(struct str text, size_t at, struct format_piece *piece)
{
	size_t end = digits(text, at);

	if (end - at > MOST_WIDTH_DIGITS)
		return at;
	if (end == at)
		take(text, &end, "*");
	else
		for (; at < end; at++)
			piece->width = piece->width * 10 + (uint32_t)(text.s[at] - '0');
	at = end;
	if (take(text, &at, ".") && !take(text, &at, "*"))
		at = digits(text, at);
	return at;
}

/* The directive whose '%' is at `from`. */
static struct directive read_directive(struct str text, size_t from)
{
	struct directive d = {.piece.bits = 32};
	size_t i, at = read_flags(text, from + 1, &d.piece);

	at = read_width(text, at, &d.piece);
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (take(text, &at, lengths[i].name)) {
			d.piece.bits = lengths[i].bits;
			break;
		}
	for (i = 0; i < sizeof(conversions) / sizeof(conversions[0]); i++) {
		if (!take(text, &at, conversions[i].name))
			continue;
		d.piece.conv = conversions[i].conv;
		if (d.piece.conv == CONV_POINTER)
			d.piece.bits = 64;
		if (d.piece.conv == CONV_CHAR)
			d.piece.bits = 8;
		d.length = at - from;
		d.piece.text = str_sub(text, from, d.length);
		return d;
	}
	if (take(text, &at, "%")) {
		d.is_percent = true;
		d.length = at - from;
	} else if (at < text.n && text.s[at] && strchr(refused, text.s[at])) {
		d.refused = true;
		d.length = at + 1 - from;
	}
	return d;
}

static void end_text(struct arena *a, struct format *f, struct strbuf *plain)
{
	struct format_piece piece = {.conv = CONV_TEXT, .text = strbuf_str(plain)};

	if (plain->n)
		VEC_PUSH(a, &f->pieces, piece);
	*plain = (struct strbuf){.arena = a};
}

struct format *format_parse(struct arena *a, struct str text, struct str *bad)
{
	struct format *f = NEW(a, struct format);
	struct strbuf plain = {.arena = a};
	size_t at = 0;

	f->text = text;
	while (at < text.n) {
		struct directive d;

		if (text.s[at] != '%') {
			strbuf_addc(&plain, text.s[at++]);
			continue;
		}
		d = read_directive(text, at);
		if (d.is_percent) {
			strbuf_addc(&plain, '%');
			at += d.length;
			continue;
		}
		if (d.refused) {
			*bad = str_sub(text, at, d.length);
			return NULL;
		}
		if (!d.length) {
			strbuf_addc(&plain, text.s[at++]);
			continue;
		}
		end_text(a, f, &plain);
		VEC_PUSH(a, &f->pieces, d.piece);
		f->nvalues++;
		at += d.length;
	}
	end_text(a, f, &plain);
	return f;
}

bool format_accepts(enum format_conv conv, const struct type *t)
{
	if (t->kind == TYPE_ERROR)
		return true;
	switch (conv) {
	case CONV_TEXT:
		return false;
	case CONV_SIGNED:
	case CONV_UNSIGNED:
	case CONV_OCTAL:
	case CONV_HEX:
	case CONV_HEX_UPPER:
		return type_is_integer(t) || t->kind == TYPE_PTR;
	case CONV_CHAR:
	case CONV_GFP:
		return type_is_integer(t);
	case CONV_POINTER:
		return type_is_integer(t) || t->kind == TYPE_PTR;
	case CONV_STRING:
		return type_is_printable(t) && !type_is_aggregate(t);
	case CONV_BUFFER:
	case CONV_BUFFER_HEX:
	case CONV_BUFFER_SPACED:
		return t->kind == TYPE_BUFFER;
	}
	BUG("conversion %d", conv);
}
