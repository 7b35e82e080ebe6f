/* Values as text.  Maps and histograms are laid out in output_text.c. */
#include "runtime/text.h"

#include <stdio.h>

/* Length of the valid UTF-8 sequence at `s`, 0 when there is none (overlong, surrogate, beyond U+10FFFF, cut). */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	uint32_t code;
	size_t len, i;

	if (s[0] < 0x80)
		return 1;
	len = s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
	if (!len || len > n || s[0] >= 0xf5)
		return 0;
	code = s[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if ((len == 3 && code < 0x800) || (len == 4 && (code < 0x10000 || code > 0x10ffff)) ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return len;
}

static bool is_control(const unsigned char *s, size_t len)
{
	if (len == 1)
		return (*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7f;
	return len == 2 && s[0] == 0xc2 && s[1] < 0xa0; /* C1 */
}

void text_escape(struct strbuf *out, struct str bytes)
{
	const unsigned char *s = (const unsigned char *)bytes.s;
	size_t i = 0, start = 0;

	while (i < bytes.n) {
		size_t len = utf8_length(s + i, bytes.n - i), k;

		if (len && !is_control(s + i, len)) {
			i += len;
			continue;
		}
		strbuf_add(out, str_sub(bytes, start, i - start));
		for (k = 0; k < (len ? len : 1); k++)
			strbuf_printf(out, "\\x%02x", s[i + k]);
		i += len ? len : 1;
		start = i;
	}
	strbuf_add(out, str_sub(bytes, start, bytes.n - start));
}

static void json_char(struct strbuf *out, const unsigned char *s, size_t len)
{
	switch (len ? *s : 0) {
	case '"':
		strbuf_add(out, STR("\\\""));
		return;
	case '\\':
		strbuf_add(out, STR("\\\\"));
		return;
	case '\n':
		strbuf_add(out, STR("\\n"));
		return;
	case '\r':
		strbuf_add(out, STR("\\r"));
		return;
	case '\t':
		strbuf_add(out, STR("\\t"));
		return;
	default:
		break;
	}
	if (!len) /* not UTF-8: the text \xNN, its backslash escaped */
		strbuf_printf(out, "\\\\x%02x", *s);
	else if (len == 2) /* C1 */
		strbuf_printf(out, "\\u%04x", (unsigned)(s[0] & 0x1f) << 6 | (s[1] & 0x3f));
	else
		strbuf_printf(out, "\\u%04x", *s);
}

void text_json(struct strbuf *out, struct str bytes)
{
	const unsigned char *s = (const unsigned char *)bytes.s;
	size_t i = 0, start = 0;

	while (i < bytes.n) {
		size_t len = utf8_length(s + i, bytes.n - i);

		if (len && !is_control(s + i, len) && s[i] != '"' && s[i] != '\\' && s[i] != '\n' && s[i] != '\t') {
			i += len;
			continue;
		}
		strbuf_add(out, str_sub(bytes, start, i - start));
		json_char(out, s + i, len);
		i += len ? len : 1;
		start = i;
	}
	strbuf_add(out, str_sub(bytes, start, bytes.n - start));
}

/* How one directive pads what it prints first. */
struct padding {
	uint32_t width;
	bool left, zero;
};

static void add_padded(struct strbuf *out, struct padding *pad, struct str text)
{
	uint32_t fill = pad && text.n < pad->width ? pad->width - (uint32_t)text.n : 0;
	bool left = pad && pad->left;
	char c = pad && pad->zero ? '0' : ' ';

	if (left)
		strbuf_add(out, text);
	while (fill--)
		strbuf_addc(out, c);
	if (!left)
		strbuf_add(out, text);
	if (pad) /* of a composite only the first fragment is padded, as in bpftrace */
		pad->width = 0;
}

static void add_number(struct strbuf *out, struct padding *pad, uint64_t n, bool is_signed)
{
	char text[32];
	int len = is_signed ? snprintf(text, sizeof(text), "%lld", (long long)n)
			    : snprintf(text, sizeof(text), "%llu", (unsigned long long)n);

	add_padded(out, pad, (struct str){text, (size_t)len});
}

static void add_text(struct strbuf *out, const struct text_style *style, struct padding *pad, const struct value *v)
{
	struct strbuf text = {.arena = out->arena};

	if (!pad || !pad->width) { /* straight into the output: no copy in the event loop */
		if (style->raw || v->trusted)
			strbuf_add(out, v->text);
		else
			text_escape(out, v->text);
		if (v->cut)
			strbuf_add(out, style->trailer);
		return;
	}
	if (style->raw || v->trusted)
		strbuf_add(&text, v->text);
	else
		text_escape(&text, v->text);
	if (v->cut)
		strbuf_add(&text, style->trailer);
	add_padded(out, pad, strbuf_str(&text));
}

static void add_buffer(struct strbuf *out, struct padding *pad, struct str bytes, enum format_conv conv)
{
	struct strbuf text = {.arena = out->arena};
	size_t i;

	for (i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.s[i];

		if (conv == CONV_BUFFER_SPACED)
			strbuf_printf(&text, i ? " %02x" : "%02x", c);
		else if (conv == CONV_BUFFER_HEX || c < 32 || c > 126)
			strbuf_printf(&text, "\\x%02x", c);
		else
			strbuf_addc(&text, (char)c);
	}
	add_padded(out, pad, strbuf_str(&text));
}

static void add_value(struct strbuf *out, const struct text_style *style, struct padding *pad, const struct value *v);

static void add_items(struct strbuf *out, const struct text_style *style, struct padding *pad, const struct value *v,
		      struct str open, struct str comma, struct str close)
{
	int i;

	add_padded(out, pad, open);
	for (i = 0; i < v->n; i++) {
		if (i)
			strbuf_add(out, comma);
		add_value(out, style, pad, &v->items[i]);
	}
	strbuf_add(out, close);
}

static void add_record(struct strbuf *out, const struct text_style *style, struct padding *pad, const struct value *v)
{
	int i;

	if (!v->n) {
		add_padded(out, pad, STR("{}"));
		return;
	}
	add_padded(out, pad, STR("{ "));
	for (i = 0; i < v->n; i++) {
		strbuf_printf(out, "%s.%.*s = ", i ? ", " : "", STR_ARG(v->names[i]));
		add_value(out, style, pad, &v->items[i]);
	}
	strbuf_add(out, STR(" }"));
}

static void add_stats(struct strbuf *out, struct padding *pad, const struct value *v)
{
	uint64_t average = merged_average(v->shape, &v->merged);

	if (v->div > 1)
		average = v->is_signed ? (uint64_t)((int64_t)average / (int64_t)v->div) : average / v->div;
	add_padded(out, pad, STR("{ "));
	strbuf_add(out, STR(".count = "));
	add_number(out, NULL, v->merged.count, false);
	strbuf_add(out, STR(", .average = "));
	add_number(out, NULL, average, v->is_signed);
	strbuf_add(out, STR(", .total = "));
	add_number(out, NULL, v->merged.number, v->is_signed);
	strbuf_add(out, STR(" }"));
}

static void add_value(struct strbuf *out, const struct text_style *style, struct padding *pad, const struct value *v)
{
	char text[32];

	switch (v->kind) {
	case VALUE_NONE:
		add_padded(out, pad, STR("null"));
		return;
	case VALUE_INT:
		add_number(out, pad, v->number, v->is_signed);
		return;
	case VALUE_BOOL:
		add_padded(out, pad, v->number ? STR("true") : STR("false"));
		return;
	case VALUE_ENUM:
		if (v->text.n)
			add_padded(out, pad, v->text);
		else
			add_number(out, pad, v->number, v->is_signed);
		return;
	case VALUE_POINTER:
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v->number);
		add_padded(out, pad, str_of(text));
		return;
	case VALUE_TEXT:
		add_text(out, style, pad, v);
		return;
	case VALUE_BUFFER:
		add_buffer(out, pad, v->text, CONV_BUFFER);
		return;
	case VALUE_ARRAY:
		add_items(out, style, pad, v, STR("["), STR(","), STR("]"));
		return;
	case VALUE_TUPLE:
		add_items(out, style, pad, v, STR("("), STR(", "), STR(")"));
		return;
	case VALUE_RECORD:
		add_record(out, style, pad, v);
		return;
	case VALUE_STATS:
		add_stats(out, pad, v);
		return;
	case VALUE_HIST:
	case VALUE_TSERIES:
		return;
	}
}

void text_value(struct strbuf *out, const struct text_style *style, const struct value *v)
{
	add_value(out, style, NULL, v);
}

void text_key(struct strbuf *out, const struct text_style *style, const struct value *v)
{
	if (v->kind == VALUE_TUPLE)
		add_items(out, style, NULL, v, STR(""), STR(", "), STR(""));
	else
		add_value(out, style, NULL, v);
}

/* The number that %d and its kin print: cut to the directive's bits. */
static uint64_t narrow(uint64_t n, unsigned bits, bool is_signed)
{
	unsigned shift = bits && bits < 64 ? 64 - bits : 0;

	return is_signed ? (uint64_t)((int64_t)(n << shift) >> shift) : n << shift >> shift;
}

static void format_number(struct strbuf *out, struct padding *pad, const struct format_piece *p, uint64_t number)
{
	uint64_t n = narrow(number, p->bits, p->conv == CONV_SIGNED);
	unsigned long long u = n;
	char text[48];

	switch (p->conv) {
	case CONV_SIGNED:
		snprintf(text, sizeof(text), "%s%lld", p->plus && (int64_t)n >= 0 ? "+" : "", (long long)n);
		break;
	case CONV_OCTAL:
		snprintf(text, sizeof(text), "%s%llo", p->alternate && n ? "0" : "", u);
		break;
	case CONV_HEX:
		snprintf(text, sizeof(text), "%s%llx", p->alternate && n ? "0x" : "", u);
		break;
	case CONV_HEX_UPPER:
		snprintf(text, sizeof(text), "%s%llX", p->alternate && n ? "0X" : "", u);
		break;
	default:
		snprintf(text, sizeof(text), "%llu", u);
		break;
	}
	add_padded(out, pad, str_of(text));
}

/* %c is a byte like any other: escaped unless the script chose it. */
static void format_char(struct strbuf *out, const struct text_style *style, struct padding *pad, const struct value *v)
{
	char c = (char)v->number;
	struct value text = value_text((struct str){&c, 1}, v->trusted);

	add_text(out, style, pad, &text);
}

static void format_piece(struct strbuf *out, const struct text_style *style, const struct format_piece *p,
			 const struct value *v)
{
	struct padding pad = {p->width, p->left, p->zero};
	struct strbuf flags = {.arena = out->arena};
	char text[32];

	switch (p->conv) {
	case CONV_TEXT:
		strbuf_add(out, p->text);
		return;
	case CONV_SIGNED:
	case CONV_UNSIGNED:
	case CONV_OCTAL:
	case CONV_HEX:
	case CONV_HEX_UPPER:
		format_number(out, &pad, p, v->number);
		return;
	case CONV_CHAR:
		format_char(out, style, &pad, v);
		return;
	case CONV_POINTER:
		/* the null pointer is 0, as C's %#x has it */
		snprintf(text, sizeof(text), "%s%llx", v->number ? "0x" : "", (unsigned long long)v->number);
		add_padded(out, &pad, str_of(text));
		return;
	case CONV_STRING:
		add_value(out, style, &pad, v);
		return;
	case CONV_BUFFER:
	case CONV_BUFFER_HEX:
	case CONV_BUFFER_SPACED:
		add_buffer(out, &pad, v->text, p->conv);
		return;
	case CONV_GFP:
		text_gfp(&flags, v->number);
		add_padded(out, &pad, strbuf_str(&flags));
		return;
	}
}

void text_format(struct strbuf *out, const struct text_style *style, const struct format *f, const struct value *values, int n)
{
	static const struct value none;
	int next = 0;

	VEC_EACH(p, &f->pieces) {
		const struct value *v = &none;

		if (p->conv != CONV_TEXT && next < n)
			v = &values[next++];
		format_piece(out, style, p, v);
	}
}
