/* How one diagnostic looks: head line, source line, underline, hints, notes, expansions; and as JSON. */
#include <stdio.h>

#include "lang/source.h"
#include "lang/support/diag_message.h"

enum {
	TAB = 8,
	/* A span of more lines than this shows its first lines and its last one. */
	MOST_LINES = 10,
	LINES_BEFORE_GAP = 6,
	/* Of a longer line a window is shown that starts a little before the place. */
	MOST_BYTES = 240,
	BYTES_BEFORE = 60,
	MOST_LEVELS = 8,
	/* Of a longer word (a number of a thousand digits, a pattern) the beginning and the end are shown. */
	MOST_WORD = 300,
	WORD_BEGIN = 200,
	WORD_END = 40,
};

/* Length of the well-formed UTF-8 sequence at `s`, 0 when there is none.  C1 controls count as none: some terminals obey
 * them. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t length, i;
	uint32_t c;

	if (!n || s[0] < 0x80)
		return n ? 1 : 0;
	length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n < length)
		return 0;
	c = s[0] & (0x7fu >> length);
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < 0xa0 || (length == 3 && c < 0x800) || (length == 4 && (c < 0x10000 || c > 0x10ffff)) ||
	    (c >= 0xd800 && c < 0xe000))
		return 0;
	return length;
}

/* One character of text at `s` to `out`, bytes that could upset a terminal as \xNN.  Returns how many bytes were taken;
 * *width is how many columns it filled from `column` on. */
static size_t show_char(FILE *out, const char *text, size_t n, int column, int *width)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t length = utf8_length(s, n);

	if (*s == '\t') {
		*width = TAB - column % TAB;
	} else if (!length || *s < 0x20 || *s == 0x7f) {
		*width = 4;
		if (out)
			fprintf(out, "\\x%02x", *s);
		return 1;
	} else {
		*width = 1;
	}
	if (out)
		fwrite(s, 1, length, out);
	return length;
}

static void show_text(FILE *out, struct str text)
{
	size_t i = 0;
	int width;

	while (i < text.n)
		if (text.s[i] == '\n')
			fputc(text.s[i++], out);
		else
			i += show_char(out, text.s + i, text.n - i, 0, &width);
}

/* What is said of the script.  It may quote a word that is as long as the script. */
static void show_message(FILE *out, struct str text)
{
	size_t begin = 0, end;

	while (begin < text.n) {
		for (end = begin; end < text.n && text.s[end] != ' ' && text.s[end] != '\n'; end++)
			;
		if (end - begin > MOST_WORD) {
			show_text(out, str_sub(text, begin, WORD_BEGIN));
			fputs("...", out);
			begin = end - WORD_END;
		}
		end += end < text.n; /* the blank */
		show_text(out, str_sub(text, begin, end - begin));
		begin = end;
	}
}

static struct str line_without_cr(const struct source *source, int line)
{
	struct str text = source_line(source, line);

	if (text.n && text.s[text.n - 1] == '\r')
		text.n--;
	return text;
}

/* `~` below the bytes [from, to) of a line; tabs before them are repeated so that both lines agree on every terminal. */
static void underline(FILE *out, struct str line, size_t from, size_t to)
{
	size_t i = 0;
	int column = 0, width, k;
	bool shown = false;

	while (i < line.n && i < to) {
		bool inside = i >= from;
		bool tab = line.s[i] == '\t';

		i += show_char(NULL, line.s + i, line.n - i, column, &width);
		inside = inside || i > from;
		if (tab && !inside)
			fputc('\t', out);
		else
			for (k = 0; k < width; k++)
				fputc(inside ? '~' : ' ', out);
		shown = shown || inside;
		column += width;
	}
	if (!shown)
		fputc('~', out); /* a place behind the last character */
	fputc('\n', out);
}

/* Cut a very long line to what is around *from; *from and *to move along. */
static struct str window(struct str line, size_t *from, size_t *to)
{
	size_t skip = *from > BYTES_BEFORE ? *from - BYTES_BEFORE : 0;

	if (line.n <= MOST_BYTES)
		return line;
	while (skip && skip < line.n && (line.s[skip] & 0xc0) == 0x80)
		skip--; /* not inside a character */
	*from -= skip;
	*to -= skip;
	return str_sub(line, skip, MOST_BYTES);
}

/* The line of `span` and its underline; all lines and no underline when there are several. */
static void show_source(FILE *out, struct span span, bool one_line)
{
	struct place first = source_place(span.source, span.begin);
	struct place last = source_place(span.source, span.end > span.begin ? span.end - 1 : span.begin);
	int line;

	if (first.line == last.line || one_line) {
		struct str text = line_without_cr(span.source, first.line);
		size_t from = (size_t)first.column - 1;
		size_t to = from + (span.end > span.begin ? span.end - span.begin : 1);

		text = window(text, &from, &to);
		show_text(out, text);
		fputc('\n', out);
		underline(out, text, from, to);
		return;
	}
	for (line = first.line; line <= last.line; line++) {
		if (last.line - first.line >= MOST_LINES && line == first.line + LINES_BEFORE_GAP) {
			fputs("...\n", out);
			line = last.line;
		}
		show_text(out, str_sub(line_without_cr(span.source, line), 0, MOST_BYTES));
		fputc('\n', out);
	}
}

/* "FILE:LINE:COL1-COL2: ", or "FILE:L1-L2: "; nothing when there is no place. */
static void show_place(FILE *out, struct span span)
{
	struct place first, last;

	if (!span.source)
		return;
	first = source_place(span.source, span.begin);
	last = source_place(span.source, span.end > span.begin ? span.end - 1 : span.begin);
	show_text(out, span.source->name);
	if (first.line == last.line)
		fprintf(out, ":%d:%d-%d: ", first.line, first.column, last.column + 1);
	else
		fprintf(out, ":%d-%d: ", first.line, last.line);
}

static void show_head(FILE *out, struct diag_style style, struct span span,
		      enum diag_severity severity, const char *label, const char *text)
{
	if (style.colour)
		fputs(severity == DIAG_ERROR ? "\033[31m" : "\033[33m", out);
	show_place(out, span);
	fprintf(out, "%s: ", label);
	show_message(out, str_of(text));
	fputs(style.colour ? "\033[0m\n" : "\n", out);
}

/* The inside of a JSON string; valid UTF-8 whatever the bytes are. */
static void json_text(FILE *out, struct str text)
{
	size_t i = 0;

	while (i < text.n) {
		const unsigned char *s = (const unsigned char *)text.s + i;
		size_t length = utf8_length(s, text.n - i);

		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '\t')
			fputs("\\t", out);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\u%04x", *s);
		else if (!length)
			fprintf(out, "\\\\x%02x", *s); /* not UTF-8: its number, as text */
		else
			fwrite(s, 1, length, out);
		i += length ? length : 1;
	}
}

static void json_string(FILE *out, struct str text)
{
	fputc('"', out);
	json_text(out, text);
	fputc('"', out);
}

static void json_place(FILE *out, struct span span)
{
	struct place first, last;

	if (!span.source)
		return;
	first = source_place(span.source, span.begin);
	last = source_place(span.source, span.end > span.begin ? span.end - 1 : span.begin);
	fputs(", \"file\": ", out);
	json_string(out, span.source->name);
	fprintf(out, ", \"line\": %d, \"column\": %d, \"end_line\": %d, \"end_column\": %d", first.line,
		first.column, last.line, last.column + 1);
}

static void json_key(FILE *out, const char *key, const char *text)
{
	fprintf(out, ", \"%s\": ", key);
	json_string(out, str_of(text));
}

/* {"severity","id","file","line","column","end_line","end_column","message","hint","notes"}; what is not known is left out.
 * Several hints are joined by newlines. */
static void render_json(FILE *out, const struct diag_message *m)
{
	const struct expansion *from;
	const char *between = "";

	fprintf(out, "{\"severity\": \"%s\", \"id\": \"%s\"",
		m->severity == DIAG_ERROR ? "error" : "warning", m->id);
	json_place(out, m->span);
	json_key(out, "message", m->text);
	if (m->hints.n) {
		fputs(", \"hint\": \"", out);
		VEC_EACH (hint, &m->hints) {
			fputs(between, out);
			json_text(out, str_of(*hint));
			between = "\\n";
		}
		fputc('"', out);
	}
	if (m->notes.n || m->span.from) {
		fputs(", \"notes\": [", out);
		between = "";
		VEC_EACH (note, &m->notes) {
			fprintf(out, "%s{\"severity\": \"note\"", between);
			json_place(out, note->span);
			json_key(out, "message", note->text);
			fputc('}', out);
			between = ", ";
		}
		for (from = m->span.from; from; from = from->call.from) {
			fprintf(out, "%s{\"severity\": \"note\"", between);
			json_place(out, from->call);
			json_key(out, "message", "expanded from");
			fputc('}', out);
			between = ", ";
		}
		fputc(']', out);
	}
	fputs("}\n", out);
}

/* One "expanded from" per level of macros; of very many the innermost and the outermost. */
static void show_expansions(FILE *out, struct diag_style style, const struct diag_message *m, const char *label)
{
	const struct expansion *from;
	int level = 0, levels = 0;

	for (from = m->span.from; from; from = from->call.from)
		levels++;
	for (from = m->span.from; from; from = from->call.from, level++) {
		if (levels > MOST_LEVELS && level == MOST_LEVELS / 2)
			fprintf(out, "... %d levels in between\n", levels - MOST_LEVELS);
		if (levels > MOST_LEVELS && level >= MOST_LEVELS / 2 && level < levels - MOST_LEVELS / 2)
			continue;
		show_head(out, style, from->call, m->severity, label, "expanded from");
		show_source(out, from->call, false);
	}
}

void diag_render(FILE *out, struct diag_style style, const struct diag_message *m, bool source_line)
{
	const char *label = m->severity == DIAG_ERROR ? "ERROR" : "WARNING";

	if (style.json) {
		render_json(out, m);
		return;
	}
	show_head(out, style, m->span, m->severity, label, m->text);
	if (m->span.source && source_line)
		show_source(out, m->span, m->one_line);
	show_expansions(out, style, m, label);
	VEC_EACH (note, &m->notes) {
		show_place(out, note->span);
		fputs("NOTE: ", out);
		show_message(out, str_of(note->text));
		fputc('\n', out);
		if (note->span.source)
			show_source(out, note->span, false);
	}
	VEC_EACH (hint, &m->hints) {
		fputs("HINT: ", out);
		show_message(out, str_of(*hint));
		fputc('\n', out);
	}
}

void diag_render_rest(FILE *out, struct diag_style style, enum diag_severity severity, int n)
{
	char text[80];
	struct diag_message m = {.id = "MORE", .severity = severity, .text = text};

	snprintf(text, sizeof(text), "%d more message%s not shown", n, n == 1 ? " is" : "s are");
	diag_render(out, style, &m, false);
}
