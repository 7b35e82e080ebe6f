/* Tokens of C, for the preprocessor.  A backslash before a new line counts as a blank. */
#include <ctype.h>

#include "lang/cpp.h"

static char byte_at(struct str text, uint32_t at, uint32_t end)
{
	return at < end && at < text.n ? text.s[at] : '\0';
}

/* Blanks, comments and spliced lines; notes whether a line began. */
static void skip_blanks(struct str text, uint32_t *at, uint32_t end, struct c_token *t)
{
	for (;;) {
		char c = byte_at(text, *at, end), next = byte_at(text, *at + 1, end);

		if (c == '\n') {
			t->line_start = true;
			++*at;
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
			++*at;
		} else if (c == '\\' && (next == '\n' || next == '\r')) {
			*at += next == '\r' ? 3 : 2;
		} else if (c == '/' && next == '/') {
			while (*at < end && text.s[*at] != '\n')
				*at += text.s[*at] == '\\' && byte_at(text, *at + 1, end) == '\n' ? 2 : 1;
		} else if (c == '/' && next == '*') {
			*at += 2;
			while (*at < end && !(text.s[*at] == '*' && byte_at(text, *at + 1, end) == '/'))
				++*at;
			*at = *at < end ? *at + 2 : end;
		} else {
			return;
		}
		t->space_before = true;
	}
}

/* Longest first. */
static const char *const puncts[] = {"...", "<<=", ">>=", "->", "++", "--", "<<", ">>", "<=", ">=",
				     "==",  "!=",  "&&",  "||", "+=", "-=", "*=", "/=", "%=", "&=",
				     "|=",  "^=",  "##",  NULL};

static uint32_t punct_length(struct str rest)
{
	for (int i = 0; puncts[i]; i++)
		if (str_starts(rest, str_of(puncts[i])))
			return (uint32_t)strlen(puncts[i]);
	return 1;
}

/* Digits, letters, dots and signed exponents: whether it is a number of C shows when it is used. */
static uint32_t number_end(struct str text, uint32_t at, uint32_t end)
{
	for (; at < end; at++) {
		char c = text.s[at], before = at ? text.s[at - 1] : '\0';

		if (isalnum((unsigned char)c) || c == '.' || c == '_')
			continue;
		if ((c == '+' || c == '-') && strchr("eEpP", before) && before)
			continue;
		break;
	}
	return at;
}

static uint32_t quoted_end(struct str text, uint32_t at, uint32_t end)
{
	char quote = text.s[at++];

	while (at < end && text.s[at] != quote && text.s[at] != '\n')
		at += text.s[at] == '\\' ? 2 : 1;
	return at < end ? at + 1 : end;
}

struct c_token c_lex(const struct source *source, uint32_t *at, uint32_t end)
{
	struct str text = source->text;
	struct c_token t = {.line_start = *at == 0};
	uint32_t begin;
	char c;

	skip_blanks(text, at, end, &t);
	if (*at > end)
		*at = end;
	begin = *at;
	t.span = (struct span){.source = source, .begin = begin, .end = begin};
	if (begin >= end)
		return t;
	c = text.s[begin];
	if (isalpha((unsigned char)c) || c == '_' || c == '$') {
		t.kind = C_NAME;
		while (*at < end && (isalnum((unsigned char)text.s[*at]) || text.s[*at] == '_' || text.s[*at] == '$'))
			++*at;
	} else if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)byte_at(text, begin + 1, end)))) {
		t.kind = C_NUMBER;
		*at = number_end(text, begin, end);
	} else if (c == '"' || c == '\'') {
		t.kind = c == '"' ? C_STRING : C_CHAR;
		*at = quoted_end(text, begin, end);
	} else {
		t.kind = C_PUNCT;
		*at += punct_length(str_sub(text, begin, end - begin));
	}
	t.span.end = *at;
	t.text = str_sub(text, begin, *at - begin);
	return t;
}

bool c_is(const struct c_token *t, const char *text)
{
	return (t->kind == C_PUNCT || t->kind == C_NAME) && str_is(t->text, text);
}
