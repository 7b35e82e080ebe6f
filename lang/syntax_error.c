/* What the parser could not read, in words: from the list of tokens that the grammar would have taken. */
#include "lang/parser_state.h"

#include <ctype.h>

enum {
	MOST_NAMED = 4,	 /* more alternatives than this are not listed */
	MOST_TEXT = 32,	 /* longest piece of the script that is quoted */
};

/* Tokens by what they do; names as in parser.y. */
static const char *const values[] = {
	"a name", "a $variable", "a @map", "a number", "a string", "a parameter", "'$#'", "'true'",
	"'false'", "'sizeof'", "'offsetof'", "'typeof'", "'typeinfo'", "'comptime'", "'if'",
	"'(' of a cast", "'('", "'{'", "'-'", "'!'", "'~'", "'*'", "'&'", "'++'", "'--'", NULL,
};
static const char *const statements[] = {
	"'let'", "'return'", "'break'", "'continue'", "'for'", "'while'", "'unroll'", "'import'",
	"'if' ", "'{' ", NULL,
};
static const char *const operators[] = {
	"'+'", "'-'", "'*'", "'/'", "'%'", "'?'", "'|'", "'^'", "'&'", "'<'", "'>'", "'<='", "'>='",
	"'in'", "'=='", "'!='", "'<<'", "'>>'", "'&&'", "'||'", "'.'", "'->'", "'['", "'++'", "'--'",
	"an assignment operator", "'='", "'('", NULL,
};
static const char *const types[] = {
	"a name", "'struct'", "'union'", "'enum'", "'typeof'", NULL,
};
static const char *const tags[] = {"'struct'", "'union'", "'enum'", NULL};
static const char *const items[] = {
	"an attach point", "a C definition", "'config'", "'import'", "'macro'", "'fn'", "'let'",
	"end of script", "an expression alone", NULL,
};
static const char *const keywords[] = {
	"'break'", "'continue'", "'else'", "'for'", "'if'", "'import'", "'let'", "'return'",
	"'unroll'", "'while'", "'struct'", "'union'", "'enum'", "'sizeof'", "'offsetof'",
	"'typeof'", "'typeinfo'", "'comptime'", NULL,
};

struct expected {
	const char *names[160];
	int n;
};

static bool has(const struct expected *x, const char *name)
{
	for (int i = 0; i < x->n; i++)
		if (!strcmp(x->names[i], name))
			return true;
	return false;
}

static bool in_list(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

static void drop(struct expected *x, const char *const *list)
{
	int kept = 0;

	for (int i = 0; i < x->n; i++)
		if (!in_list(list, x->names[i]))
			x->names[kept++] = x->names[i];
	x->n = kept;
}

/* Replace the tokens of `list` by one name for them all, in front. */
static void replace(struct expected *x, const char *const *list, const char *name)
{
	drop(x, list);
	memmove(x->names + 1, x->names, sizeof(x->names[0]) * (size_t)x->n);
	x->names[0] = name;
	x->n++;
}

/* A long list of tokens becomes few words. */
static void summarise(struct expected *x)
{
	bool value = has(x, "a $variable") && has(x, "a number") && has(x, "a string");

	if (has(x, "an attach point") && has(x, "'macro'")) {
		replace(x, items, "a probe");
	} else if (has(x, "a predicate")) {
		*x = (struct expected){{"'{'"}, 1}; /* behind an attach point: its body */
	} else if (value && has(x, "'return'")) {
		drop(x, values);
		replace(x, statements, "a statement");
	} else if (value) {
		drop(x, tags); /* has_field(struct foo, a): too rare to be offered */
		replace(x, values, "an expression");
	} else if (has(x, "a name") && has(x, "'break'")) {
		drop(x, keywords);
	} else if (has(x, "a name") && has(x, "'typeof'")) {
		replace(x, types, "a type");
	} else {
		struct expected rest = *x;

		drop(&rest, operators);
		if (rest.n)
			*x = rest;
		else if (has(x, "'+'"))
			replace(x, operators, "an operator");
	}
}

static bool is_operator(struct str found)
{
	static const char *const binary[] = {"+", "-", "*", "/", "%", "|", "^", "&", "<", ">", "<=",
					     ">=", "==", "!=", "<<", ">>", "&&", "||", "?", "in", NULL};
	for (int i = 0; binary[i]; i++)
		if (str_is(found, binary[i]))
			return true;
	return false;
}

/* Types of C that have several words. */
static bool is_c_type_word(struct str word)
{
	return str_is(word, "unsigned") || str_is(word, "signed") || str_is(word, "long") ||
	       str_is(word, "short");
}

/* The statement or definition up to here: what stands behind the last ';', '{' or '}'. */
static struct str statement_before(const struct parser *p, struct span span)
{
	uint32_t begin = span.begin;

	while (begin && !memchr(";{}", p->source->text.s[begin - 1], 3))
		begin--;
	return str_trim(str_sub(p->source->text, begin, span.begin - begin));
}

static bool starts_with_word(struct str text, struct str word)
{
	unsigned char next = text.n > word.n ? (unsigned char)text.s[word.n] : ' ';

	return str_starts(text, word) && !isalnum(next) && next != '_';
}

static void give_for_hint(struct parser *p, struct str before, const struct expected *x)
{
	if (str_find(before, ':') == before.n)
		PARSE_HINT(p, "a loop walks a range or a map: for ($i : 0..10) { } for ($kv : @m) { }");
	else if (x->n == 1 && has(x, "'{'") && before.s[before.n - 1] == ')')
		PARSE_HINT(p, "a body stands in braces, even one of a single statement: for ($i : 0..3) { b; }");
	else
		PARSE_HINT(p, "what a range starts and ends with has no operators or casts outside of parentheses: 0..(1 + 2)");
}

/* Advice for statements and definitions that begin with a word of the language; false: there is none. */
static bool give_hint_of_word(struct parser *p, struct str found, struct span span, const struct expected *x)
{
	struct str before = statement_before(p, span);
	bool body = (has(x, "'{'") || has(x, "'{' ")) && !has(x, "';'") && !is_operator(found);
	bool definition = starts_with_word(before, STR("fn")) || starts_with_word(before, STR("macro"));

	if (definition && has(x, "';'"))
		PARSE_HINT(p, "functions and macros stand outside of probes");
	else if (has(x, "'return'") && in_list(tags, arena_printf(p->arena, "'%.*s'", STR_ARG(found))))
		PARSE_HINT(p, "C definitions stand at the top of a script, before its probes");
	else if (starts_with_word(before, STR("let")) && has(x, "a $variable") && x->n == 1)
		PARSE_HINT(p, "variables are written with a dollar: let $x = 1;");
	else if (starts_with_word(before, STR("for")))
		give_for_hint(p, before, x);
	else if (body && (starts_with_word(before, STR("if")) || starts_with_word(before, STR("else")) ||
			  starts_with_word(before, STR("while")) || starts_with_word(before, STR("unroll"))))
		PARSE_HINT(p, "a body stands in braces, even one of a single statement: if (a) { b; }");
	else if (starts_with_word(before, STR("fn")))
		PARSE_HINT(p, "parameters and the result have types: fn add($a : int64, $b : int64) : int64 { }");
	else if (starts_with_word(before, STR("macro")))
		PARSE_HINT(p, "parameters of a macro are names, $variables and @maps: macro add(a, $b, @c) { }");
	else
		return false;
	return true;
}

/* tracepoint:a:b/pid == 1/ { }: behind a ':' the predicate became a part of the attach point. */
static bool predicate_was_taken(struct str attach_point)
{
	size_t colon;

	while ((colon = str_find(attach_point, ':')) < attach_point.n)
		attach_point = str_sub(attach_point, colon + 1, attach_point.n);
	return str_find(attach_point, '/') < attach_point.n && attach_point.s[0] != '/';
}

/* Advice for frequent slips. */
static void give_hint(struct parser *p, struct span span, struct str found, const struct expected *x)
{
	if (give_hint_of_word(p, found, span, x))
		return;
	if (has(x, "a predicate") && predicate_was_taken(statement_before(p, span)))
		PARSE_HINT(p, "behind a ':' a '/' belongs to the attach point: put a blank in front of the predicate");
	else if (is_operator(found) && has(x, "'{'") && !has(x, "'+'") && !has(x, "a number"))
		PARSE_HINT(p, "put the whole condition in parentheses: if (a > b) { }");
	else if (str_is(found, "=") && has(x, "'+'"))
		PARSE_HINT(p, "'==' compares; an assignment is a statement of its own");
	else if (str_is(found, ":") && has(x, "';'"))
		PARSE_HINT(p, "a type is given where the variable is declared: let $x : uint8 = 1;");
	else if (is_c_type_word(parser_text(p, p->before_previous_span)))
		PARSE_HINT(p, "types are one word here, such as uint32 or int64");
	else if (str_is(found, "else"))
		PARSE_HINT(p, "'else' follows the '}' of an 'if'");
	else if (str_is(found, "elif") || str_is(found, "elsif") || str_is(found, "elseif"))
		PARSE_HINT(p, "write 'else if'");
	else if (str_is(found, "}") && has(x, "'macro'"))
		PARSE_HINT(p, "there is one '}' too many, or a '{' is missing further up");
	else if (has(x, "a predicate"))
		PARSE_HINT(p, "a probe is an attach point and a body: kprobe:vfs_read { @ = count(); }");
	else if (str_is(found, "{") && has(x, "'macro'"))
		PARSE_HINT(p, "a probe starts with what it is attached to: begin { }");
}

/* The found token, quoted; long or many-line ones cut. */
static char *quote(struct parser *p, struct str found)
{
	size_t line = str_find(found, '\n');
	bool cut = found.n > MOST_TEXT || line < found.n;

	if (line < found.n)
		found = str_sub(found, 0, line);
	found = str_sub(found, 0, MOST_TEXT);
	return arena_printf(p->arena, "'%.*s%s'", STR_ARG(found), cut ? "..." : "");
}

static char *list_names(struct parser *p, const struct expected *x)
{
	struct strbuf out = {.arena = p->arena};

	for (int i = 0; i < x->n; i++) {
		if (i)
			strbuf_add(&out, i == x->n - 1 ? STR(" or ") : STR(", "));
		strbuf_add(&out, str_trim(str_of(x->names[i])));
	}
	return out.s;
}

/* The script ends inside brackets: the opening one is what the user wants to see. */
static bool report_unclosed(struct parser *p)
{
	uint32_t open;

	if (!p->brackets.n)
		return false;
	open = p->brackets.at[p->brackets.n - 1];
	PARSE_ERROR(p, parser_span(p, open, open + 1), DIAG_UNCLOSED, p->source->text.s[open]);
	return true;
}

/* Names equal up to a trailing blank, such as the two kinds of '}', are one alternative. */
static void merge_twins(struct expected *x)
{
	for (int i = 0; i < x->n; i++)
		for (int j = i + 1; j < x->n; j++)
			if (str_eq(str_trim(str_of(x->names[i])), str_trim(str_of(x->names[j]))))
				x->names[j--] = x->names[--x->n];
}

/* "';' or '}'" reads better than the other way round. */
static void semicolon_first(struct expected *x)
{
	for (int i = 1; i < x->n; i++)
		if (!strcmp(x->names[i], "';'")) {
			x->names[i] = x->names[0];
			x->names[0] = "';'";
		}
}

void syntax_error(struct parser *p, struct span span, bool at_end, const char *const *expected,
		  int n)
{
	struct expected x = {0}, all;
	struct str found = parser_text(p, span);
	struct span before = p->before_previous_span;
	const char *what = at_end ? "the end of the script" : quote(p, found);

	int line = source_place(p->source, span.begin).line;

	if (p->stopped)
		return;
	if (line == p->error_line && !at_end) /* what follows on the line of a mistake is most often its consequence */
		return;
	p->error_line = line;
	if (at_end && report_unclosed(p))
		return;
	for (int i = 0; i < n && x.n < (int)(sizeof(x.names) / sizeof(x.names[0])) - 1; i++)
		x.names[x.n++] = expected[i];
	all = x;
	summarise(&x);
	merge_twins(&x);
	semicolon_first(&x);
	/* What is missing at the end of a line is shown there, not at the start of the next one. */
	if (before.source && (has(&all, "';'") || at_end) && before.end > before.begin &&
	    source_place(p->source, before.end - 1).line < source_place(p->source, span.begin).line) {
		span = before;
		span.begin = before.end - 1;
	}
	if (x.n && x.n <= MOST_NAMED)
		PARSE_ERROR(p, span, DIAG_SYNTAX,
			    arena_printf(p->arena, "expected %s, found %s", list_names(p, &x), what));
	else
		PARSE_ERROR(p, span, DIAG_SYNTAX, arena_printf(p->arena, "unexpected %s", what));
	give_hint(p, span, found, &all);
}
