/* Shared by fmt.c (items, statements, comments) and fmt_expr.c (expressions, types). */
#ifndef WT_FMT_INTERNAL_H
#define WT_FMT_INTERNAL_H

#include "lang/ast.h"
#include "lang/source.h"

struct printer {
	struct arena *arena;
	const struct script *script;
	struct strbuf *out;
	int indent;
	int comment;	 /* the next comment to print */
	uint32_t before; /* end of what was printed last, in the source */
};

void fmt_add(struct printer *p, const char *text);
void fmt_str(struct printer *p, struct str text);
void fmt_newline(struct printer *p); /* and the indentation */
void fmt_expr(struct printer *p, const struct expr *e);
void fmt_type(struct printer *p, const struct type_expr *t);
/* From '{' to '}', on several lines unless there is nothing inside. */
void fmt_block(struct printer *p, const struct block *b);

#endif
