/* Text to tree.  The parser knows no names: it accepts any identifier and leaves meaning to the checker. */
#ifndef WT_PARSE_H
#define WT_PARSE_H

#include "lang/ast.h"
#include "lang/source.h"
#include "lang/support/diag.h"

/* NULL when there were syntax errors (then at least one diagnostic was added). */
struct script *parse(struct arena *a, const struct source *source, struct diag *d);

/* The same for a file that another script imports: it may hold nothing. */
struct script *parse_import(struct arena *a, const struct source *source, struct diag *d);

/* One expression that fills [begin, end) of `source`; NULL without a word when there is none (the body of a #define). */
struct expr *parse_expression(struct arena *a, const struct source *source, uint32_t begin, uint32_t end);

/* One integer literal by the rules of language.md 1.1 (`command_line` also takes 0b... and a leading '-').
 * False: not an integer; *why is then a short text. */
bool parse_integer(struct str text, bool command_line, uint64_t *value, const char **why);

#endif
