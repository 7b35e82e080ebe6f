/* What the scanner does by hand: looking ahead, matching brackets, escapes.  Everything works on offsets into the source. */
#include <ctype.h>

#include "lang/parser_state.h"
#include "lang/parser.tab.h"
#include "lang/words.h"

/* How far ahead a '(' looks for a type: longer ones are not recognised, and no input makes it slow. */
enum { FARTHEST_TYPE = 256 };

int scan_token(SCRIPT_STYPE *value, SCRIPT_LTYPE *span, void *flex);
int script_lex(SCRIPT_STYPE *value, SCRIPT_LTYPE *span, struct parser *p);

/* The parser's door to the scanner: remembers the token before, stops after too many errors. */
int script_lex(SCRIPT_STYPE *value, SCRIPT_LTYPE *span, struct parser *p)
{
	int token;

	if (p->expression && p->previous == TOKEN_START_EXPRESSION && !p->started) {
		p->started = true;
		*span = parser_span(p, p->at, p->at);
		return TOKEN_START_EXPRESSION;
	}
	token = p->stopped ? TOKEN_END : scan_token(value, span, p->flex);

	if (p->stopped || token == TOKEN_END) {
		token = TOKEN_END;
		*span = parser_span(p, p->source->text.n, p->source->text.n);
	}
	p->previous = token;
	p->before_previous_span = p->previous_span;
	p->previous_span = *span;
	return token;
}

void parser_count_error(struct parser *p)
{
	if (++p->errors >= MAX_SYNTAX_ERRORS)
		p->stopped = true;
}

struct span parser_span(const struct parser *p, size_t begin, size_t end)
{
	return (struct span){.source = p->spans, .begin = (uint32_t)begin, .end = (uint32_t)end};
}

struct str parser_text(const struct parser *p, struct span span)
{
	return str_sub(p->source->text, span.begin, span.end - span.begin);
}

void scan_open(struct parser *p, struct span span)
{
	if (p->source->text.s[span.begin] == '{')
		p->depth++;
	VEC_PUSH(p->arena, &p->brackets, span.begin);
	if (++p->nesting <= MAX_NESTING)
		return;
	PARSE_ERROR(p, span, DIAG_TOO_DEEP, MAX_NESTING);
	p->stopped = true;
}

void scan_close(struct parser *p)
{
	if (p->nesting > 0)
		p->nesting--;
	if (p->brackets.n > 0)
		p->brackets.n--;
}

bool scan_at_statement(const struct parser *p)
{
	switch (p->previous) {
	case '{':
	case '}':
	case ';':
	case TOKEN_BRACE_STATEMENT:
		return true;
	default:
		return false;
	}
}

bool scan_behind_operand(const struct parser *p)
{
	switch (p->previous) {
	case TOKEN_NAME:
	case TOKEN_VARIABLE:
	case TOKEN_MAP:
	case TOKEN_INTEGER:
	case TOKEN_STRING:
	case TOKEN_POSITIONAL:
	case TOKEN_POSITIONAL_COUNT:
	case TOKEN_TRUE:
	case TOKEN_FALSE:
	case ')':
	case ']':
		return true;
	default:
		return false;
	}
}

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static char byte_at(struct str text, size_t at)
{
	return at < text.n ? text.s[at] : '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

size_t scan_blanks(struct str text, size_t at)
{
	for (;;) {
		while (at < text.n && is_blank(text.s[at]))
			at++;
		if (byte_at(text, at) != '/')
			return at;
		if (byte_at(text, at + 1) == '/') {
			while (at < text.n && text.s[at] != '\n')
				at++;
		} else if (byte_at(text, at + 1) == '*') {
			at += 2;
			while (at < text.n && !(text.s[at] == '*' && byte_at(text, at + 1) == '/'))
				at++;
			at = at < text.n ? at + 2 : at;
		} else {
			return at;
		}
	}
}

static struct str word_at(struct str text, size_t at)
{
	size_t end = at;

	if (isdigit((unsigned char)byte_at(text, at)))
		return (struct str){text.s + at, 0};
	while (end < text.n && is_name_byte(text.s[end]))
		end++;
	return str_sub(text, at, end - at);
}

/* ---- types ahead ---- */

struct type_ahead {
	size_t end;  /* behind the type and the blanks after it; 0: no type starts here */
	bool tagged; /* starts with struct, union, enum or typeof */
	bool pointer, empty_array, suffixed;
	struct str name;
};

/* Offset behind the bracket that closes the one at `at`; 0 when there is none near. */
static size_t match_bracket(struct str text, size_t at, char open, char close, size_t limit)
{
	int depth = 0;

	for (; at < text.n && at < limit; at++) {
		if (text.s[at] == open)
			depth++;
		else if (text.s[at] == close && --depth == 0)
			return at + 1;
		else if (text.s[at] == ';' || text.s[at] == '{')
			break;
	}
	return 0;
}

static struct type_ahead type_ahead(struct str text, size_t at)
{
	struct type_ahead t = {0}, none = {0};
	size_t limit = at + FARTHEST_TYPE;

	t.name = word_at(text, at);
	if (!t.name.n)
		return none;
	at = scan_blanks(text, at + t.name.n);
	if (str_is(t.name, "typeof")) {
		t.tagged = true;
		if (byte_at(text, at) != '(')
			return none;
		at = match_bracket(text, at, '(', ')', limit);
		if (!at)
			return none;
		at = scan_blanks(text, at);
	} else if (str_is(t.name, "struct") || str_is(t.name, "union") || str_is(t.name, "enum")) {
		t.tagged = true;
		t.name = word_at(text, at);
		if (!t.name.n)
			return none;
		at = scan_blanks(text, at + t.name.n);
	}
	for (;;) {
		if (byte_at(text, at) == '*') {
			t.pointer = t.suffixed = true;
			at++;
		} else if (byte_at(text, at) == '[') {
			t.suffixed = true;
			if (byte_at(text, scan_blanks(text, at + 1)) == ']')
				t.empty_array = true;
			at = match_bracket(text, at, '[', ']', limit);
			if (!at)
				return none;
		} else {
			break;
		}
		at = scan_blanks(text, at);
	}
	t.end = at;
	return t;
}

/* Can an expression start here, behind `(name)`?  What could also go on with an expression counts as a start, as it does in
 * bpftrace: `(uint64)-1` is a cast. */
static bool expression_ahead(struct str text, size_t at)
{
	char c = byte_at(text, at), next = byte_at(text, at + 1);

	switch (c) {
	case '$':
	case '@':
	case '"':
	case '(':
	case '~':
		return true;
	case '!':
	case '*':
		return next != '=';
	case '&':
		return next != '=' && next != '&';
	case '-':
		return next != '=' && next != '>';
	case '+':
		return next == '+';
	default:
		return is_name_byte(c) && !str_is(word_at(text, at), "in");
	}
}

bool scan_is_cast(struct str text, size_t at)
{
	struct type_ahead t = type_ahead(text, at);

	if (!t.end || byte_at(text, t.end) != ')')
		return false;
	if (t.tagged || t.pointer || t.empty_array)
		return true;
	if (word_is_value(t.name) || str_is(t.name, "true") || str_is(t.name, "false"))
		return false;
	return expression_ahead(text, scan_blanks(text, t.end + 1));
}

bool scan_is_type_operand(struct str text, size_t at)
{
	struct type_ahead t = type_ahead(text, at);

	if (!t.end || (byte_at(text, t.end) != ')' && byte_at(text, t.end) != ','))
		return false;
	if (t.tagged || t.pointer || t.empty_array)
		return true;
	return !word_is_value(t.name) && !str_is(t.name, "true") && !str_is(t.name, "false");
}

/* ---- items ---- */

int scan_top_word(struct str text, size_t at, struct str word)
{
	size_t next = scan_blanks(text, at);
	char c = byte_at(text, next);

	if (str_is(word, "config"))
		return c == '=' && !is_name_byte(byte_at(text, scan_blanks(text, next + 1))) ? TOKEN_CONFIG
											     : 0;
	if (str_is(word, "import"))
		return c == ':' ? 0 : TOKEN_IMPORT;
	if (str_is(word, "macro") || str_is(word, "fn"))
		return next > at && word_at(text, next).n ? (word.n == 2 ? TOKEN_FN : TOKEN_MACRO) : 0;
	if (str_is(word, "let"))
		return c == '@' || c == '$' || (next > at && word_at(text, next).n) ? TOKEN_LET : 0;
	return 0;
}

/* Offset behind a quoted part that starts at `at`; an unterminated one is reported and ends with its line. */
static size_t quoted_end(struct parser *p, size_t at)
{
	struct str text = p->source->text;
	size_t end = at + 1;

	for (; end < text.n && text.s[end] != '\n'; end++) {
		if (text.s[end] == '"')
			return end + 1;
		if (text.s[end] == '\\' && end + 1 < text.n && text.s[end + 1] != '\n')
			end++;
	}
	PARSE_ERROR(p, parser_span(p, at, end), DIAG_UNTERMINATED_STRING);
	p->stopped = true;
	return end;
}

size_t scan_attach_end(struct parser *p, size_t at)
{
	struct str text = p->source->text;
	size_t name = at, next;
	bool colon = false;

	/* `name = kprobe:f`: the name and the blanks around '=' belong to the token. */
	next = scan_blanks(text, at + word_at(text, at).n);
	if (next > name && byte_at(text, next) == '=') {
		next = scan_blanks(text, next + 1);
		if (is_name_byte(byte_at(text, next)))
			at = next;
	}
	while (at < text.n && !is_blank(text.s[at]) && text.s[at] != '{' && text.s[at] != ',') {
		/* Before the first ':' a '/' starts a predicate; later it is part of a path. */
		if (text.s[at] == '/' && !colon)
			break;
		if (text.s[at] == ':')
			colon = true;
		at = text.s[at] == '"' ? quoted_end(p, at) : at + 1;
	}
	return at > name ? at : name + 1;
}

struct attach_token scan_attach(struct parser *p, struct span span)
{
	struct attach_token token = {.text = parser_text(p, span)};
	struct str word = word_at(token.text, 0);
	size_t next = scan_blanks(token.text, word.n);

	if (!word.n || byte_at(token.text, next) != '=')
		return token;
	next = scan_blanks(token.text, next + 1);
	if (next >= token.text.n)
		return token;
	token.user_name = word;
	token.text = str_sub(token.text, next, SIZE_MAX);
	return token;
}

size_t scan_directive_end(struct parser *p, size_t at)
{
	struct str text = p->source->text;

	while (at < text.n && text.s[at] != '\n') {
		if (text.s[at] == '\\' && byte_at(text, at + 1) == '\n') {
			at += 2;
		} else if (text.s[at] == '\\' && byte_at(text, at + 1) == '\r' &&
			   byte_at(text, at + 2) == '\n') {
			at += 3;
		} else if (text.s[at] == '/' && byte_at(text, at + 1) == '*') {
			/* a comment may reach over lines */
			size_t begin = at;

			for (at += 2; at < text.n && !(text.s[at] == '*' && byte_at(text, at + 1) == '/');)
				at++;
			if (at >= text.n) {
				PARSE_ERROR(p, parser_span(p, begin, begin + 2), DIAG_UNTERMINATED_COMMENT);
				p->stopped = true;
				return text.n;
			}
			at += 2;
		} else {
			at++;
		}
	}
	while (at > 0 && is_blank(text.s[at - 1]))
		at--;
	return at;
}

/* Offset behind a string or character constant of C. */
static size_t c_quoted_end(struct str text, size_t at)
{
	char quote = text.s[at++];

	while (at < text.n && text.s[at] != quote && text.s[at] != '\n')
		at += text.s[at] == '\\' ? 2 : 1;
	return at < text.n ? at + 1 : text.n;
}

/* `__attribute__((packed))`, `__packed`, and a final ';' behind the closing brace. */
static size_t c_definition_tail(struct str text, size_t at)
{
	for (;;) {
		size_t next = scan_blanks(text, at);
		struct str word = word_at(text, next);
		size_t after;

		if (byte_at(text, next) == ';')
			return next + 1;
		if (!str_starts(word, STR("__")))
			return at;
		at = next + word.n;
		after = scan_blanks(text, at);
		if (byte_at(text, after) == '(') {
			size_t end = match_bracket(text, after, '(', ')', text.n);

			at = end ? end : at;
		}
	}
}

size_t scan_c_definition_end(struct parser *p, size_t begin)
{
	struct str text = p->source->text;
	bool is_typedef = str_is(word_at(text, begin), "typedef");
	size_t at = begin, brace = 0;
	int depth = 0;

	while (at < text.n) {
		char c = text.s[at];

		if (c == '"' || c == '\'') {
			at = c_quoted_end(text, at);
			continue;
		}
		if (c == '/' && scan_blanks(text, at) > at) {
			at = scan_blanks(text, at);
			continue;
		}
		at++;
		if (c == '{' && depth++ == 0)
			brace = at - 1;
		else if (c == '}' && --depth <= 0 && !is_typedef)
			return c_definition_tail(text, at);
		else if (c == ';' && depth <= 0)
			return at;
	}
	if (depth > 0) {
		PARSE_ERROR(p, parser_span(p, brace, brace + 1), DIAG_UNCLOSED, '{');
	} else {
		PARSE_ERROR(p, parser_span(p, begin, begin + word_at(text, begin).n), DIAG_SYNTAX,
			    "this C definition has no end");
		PARSE_HINT(p, "it ends with '}' or ';'");
	}
	p->stopped = true;
	return text.n;
}

/* ---- literals ---- */

struct integer_token scan_integer(struct parser *p, struct span span, bool after_dot)
{
	struct integer_token token = {.text = parser_text(p, span)};
	const char *why;

	if (after_dot) {
		/* $t.0: an element's place, nothing but digits */
		for (size_t i = 0; i < token.text.n; i++)
			if (!isdigit((unsigned char)token.text.s[i])) {
				PARSE_ERROR(p, span, DIAG_BAD_INTEGER, STR_ARG(token.text),
					    "an element of a tuple is named by digits");
				return token;
			}
		while (token.text.n > 1 && token.text.s[0] == '0')
			token.text = str_sub(token.text, 1, SIZE_MAX);
	}
	if (!parse_integer(token.text, false, &token.value, &why))
		PARSE_ERROR(p, span, DIAG_BAD_INTEGER, STR_ARG(token.text), why);
	return token;
}

uint64_t scan_positional(struct parser *p, struct span span)
{
	struct str digits = str_sub(parser_text(p, span), 1, SIZE_MAX);
	uint64_t n = 0;

	for (size_t i = 0; i < digits.n; i++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (unsigned)(digits.s[i] - '0'), &n))
			n = UINT64_MAX;
	if (n < 1 || n > INT64_MAX) {
		PARSE_ERROR(p, span, DIAG_BAD_POSITIONAL, STR_ARG(digits));
		PARSE_HINT(p, "$1 is the first parameter; $# is how many there are");
	}
	return n;
}

/* \NNN: one to three octal digits. */
static size_t unescape_octal(struct parser *p, struct str text, size_t at, struct span span,
			     struct strbuf *out)
{
	size_t first = at;
	int value = 0;

	while (at < text.n && at < first + 3 && text.s[at] >= '0' && text.s[at] <= '7')
		value = value * 8 + (text.s[at++] - '0');
	if (value > 255) {
		PARSE_ERROR(p, parser_span(p, span.begin + first - 1, span.begin + at), DIAG_BAD_ESCAPE,
			    (int)(at - first + 1), text.s + first - 1);
		PARSE_HINT(p, "an octal escape goes up to \\377");
	}
	strbuf_addc(out, (char)value);
	return at;
}

static size_t unescape_hex(struct parser *p, struct str text, size_t at, struct span span,
			   struct strbuf *out)
{
	size_t first = at;
	int value = 0;

	while (at < text.n && at < first + 2 && isxdigit((unsigned char)text.s[at])) {
		int c = tolower((unsigned char)text.s[at++]);

		value = value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (at == first) {
		PARSE_ERROR(p, parser_span(p, span.begin + first - 2, span.begin + at), DIAG_BAD_ESCAPE, 2,
			    text.s + first - 2);
		PARSE_HINT(p, "\\x is followed by one or two hexadecimal digits");
	}
	strbuf_addc(out, (char)value);
	return at;
}

struct str scan_unescape(struct parser *p, struct span span)
{
	static const char plain[] = "nt\"\\r", meaning[] = "\n\t\"\\\r";
	struct strbuf out = {.arena = p->arena};
	struct str text = parser_text(p, span);
	size_t at = 1;

	if (str_find(text, '\\') == text.n)
		return str_sub(text, 1, text.n - 2);
	while (at + 1 < text.n) {
		char c = text.s[at++];
		const char *known;

		if (c != '\\') {
			strbuf_addc(&out, c);
			continue;
		}
		c = text.s[at];
		known = strchr(plain, c);
		if (known && c) {
			strbuf_addc(&out, meaning[known - plain]);
			at++;
		} else if (c >= '0' && c <= '7') {
			at = unescape_octal(p, str_sub(text, 0, text.n - 1), at, span, &out);
		} else if (c == 'x' || c == 'X') {
			at = unescape_hex(p, str_sub(text, 0, text.n - 1), at + 1, span, &out);
		} else {
			PARSE_ERROR(p, parser_span(p, span.begin + at - 1, span.begin + at + 1),
				    DIAG_BAD_ESCAPE, 2, text.s + at - 1);
			PARSE_HINT(p, "the escapes are \\n \\t \\r \\\" \\\\ \\NNN and \\xHH");
			at++;
		}
	}
	return strbuf_str(&out);
}
