/* A script in its canonical form (`--fmt`): two blanks per level, one statement a line, comments kept.  What is canonical
 * already stays as it is. */
#ifndef WT_FMT_H
#define WT_FMT_H

#include "lang/ast.h"

/* `s` as parse() gave it, unchanged since. */
void fmt_script(struct arena *a, const struct script *s, struct strbuf *out);

#endif
