/* What the scanner, the grammar and the constructors called by its actions share while one script is read.
 * Private to parse.c, lexer.l, parser.y, scan.c, build.c and syntax_error.c. */
#ifndef WT_PARSER_STATE_H
#define WT_PARSER_STATE_H

#include "lang/ast.h"
#include "lang/parse.h"

enum {
	/* Levels of brackets, and height of the tree.  What walks the tree recurses, so this bounds its stack. */
	MAX_NESTING = 1000,
	/* After so many errors reading on helps nobody. */
	MAX_SYNTAX_ERRORS = 20,
};

struct parser {
	struct arena *arena;
	const struct source *source; /* what is read */
	const struct source *spans;  /* what spans refer to: the same, or what it is the beginning of */
	struct diag *diag;
	struct script *script;
	int errors;
	bool reported; /* the latest error was reported, so hints and notes may follow */
	bool stopped; /* the scanner gives "end of script" from now on; nothing more is reported */
	int error_line; /* of the last syntax error; 0: none */

	bool started;	     /* its first, invisible token was given */
	bool expression;     /* one expression is wanted, no script */
	struct expr *result; /* that expression */

	/* scanner */
	void *flex;
	uint32_t at;		/* offset of the next byte */
	int previous;		/* token before this one, 0 at the start */
	struct span previous_span, before_previous_span;
	int depth;		/* open braces of the present item */
	int nesting;		/* open brackets of all kinds */
	bool in_predicate;
	bool in_declaration;	/* a top-level `let` or `import`: ends at ';', `let` also at its ')' */
	VEC(uint32_t) brackets; /* where those open brackets stand, for messages */

	/* grammar: lists under construction */
	VEC(struct attach_text) attach;
	VEC(struct param) params;
};

/* Values of tokens that have one. */
struct integer_token {
	uint64_t value;
	struct str text;
};

struct string_token {
	struct str text, written;
};

struct attach_token {
	struct str text, user_name;
};

/* ---- scan.c: what regular expressions do badly ---------------------------------------------------------------------- */

/* Report unless reading has stopped; counts towards MAX_SYNTAX_ERRORS. */
#define PARSE_ERROR(p, span, id, ...)                                                              \
	do {                                                                                       \
		(p)->reported = !(p)->stopped;                                                     \
		if ((p)->reported)                                                                 \
			diag_add((p)->diag, (span), (id), ##__VA_ARGS__);                          \
		parser_count_error(p);                                                             \
	} while (0)
#define PARSE_HINT(p, ...)                                                                         \
	do {                                                                                       \
		if ((p)->reported)                                                                 \
			diag_hint((p)->diag, __VA_ARGS__);                                         \
	} while (0)
#define PARSE_NOTE(p, span, ...)                                                                   \
	do {                                                                                       \
		if ((p)->reported)                                                                 \
			diag_note((p)->diag, (span), __VA_ARGS__);                                 \
	} while (0)
void parser_count_error(struct parser *p);

struct str parser_text(const struct parser *p, struct span span);
struct span parser_span(const struct parser *p, size_t begin, size_t end);

/* Offset behind blanks and comments that start at `at`. */
size_t scan_blanks(struct str text, size_t at);
/* Does the '(' before `at` open a cast?  Does a type, closed by ')' or ',', start at `at`? */
bool scan_is_cast(struct str text, size_t at);
bool scan_is_type_operand(struct str text, size_t at);
/* Offset of the end of an attach point, a directive or a C definition that starts at `at`. */
size_t scan_attach_end(struct parser *p, size_t at);
size_t scan_directive_end(struct parser *p, size_t at);
size_t scan_c_definition_end(struct parser *p, size_t at);
/* The word at `at` opens config, import, macro, fn or let at top level: its token, else 0 (an attach point). */
int scan_top_word(struct str text, size_t at, struct str word);
/* Text of a string literal after escapes; errors are reported. */
struct str scan_unescape(struct parser *p, struct span span);
/* Number tokens; errors are reported. */
struct integer_token scan_integer(struct parser *p, struct span span, bool after_dot);
uint64_t scan_positional(struct parser *p, struct span span);
/* `name=` before an attach point. */
struct attach_token scan_attach(struct parser *p, struct span span);
void scan_open(struct parser *p, struct span span);
void scan_close(struct parser *p);
/* Is this place the start of a statement, judging by the token before it? */
bool scan_at_statement(const struct parser *p);
/* Has a value just ended, so that an operator may follow? */
bool scan_behind_operand(const struct parser *p);
/* The flex scanner over the whole source; NULL when memory is out. */
void *scanner_new(struct parser *p);
void scanner_free(void *flex);

/* ---- syntax_error.c: what the parser could not read, in words -------------------------------------------------------- */

/* `expected`: names of the tokens that could have stood at `span`, as the grammar declares them. */
void syntax_error(struct parser *p, struct span span, bool at_end, const char *const *expected,
		  int n);

#endif
