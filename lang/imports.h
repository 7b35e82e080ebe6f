/* Imports: other scripts, headers and directories become part of the script (language.md 6.1). */
#ifndef WT_IMPORTS_H
#define WT_IMPORTS_H

#include "lang/ast.h"
#include "lang/kernel.h"
#include "lang/support/diag.h"

/* Read what `s` imports, relative to `dir` (the script's directory; empty: the current one), and put it in front of the
 * script's own items.  Files are read through `k` only, each once.  False when a diagnostic was added. */
bool imports_load(struct arena *a, struct script *s, struct kernel *k, struct str dir, bool in_blocks, struct diag *d);

/* `dir`/`path` without "." and ".." where they can be taken out; an absolute path stays.  Also for #include. */
struct str path_join(struct arena *a, struct str dir, struct str path);
/* Directory of a path, empty when it has none. */
struct str path_dir(struct str path);

#endif
