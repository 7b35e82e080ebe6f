/* `-l 'struct X*'`: names and definitions of kernel types. */
#ifndef WT_LIST_TYPES_H
#define WT_LIST_TYPES_H

#include <stdio.h>

#include "lang/kernel.h"

/* False when `pattern` does not begin with struct, union or enum.  Else its matches are printed: one name a line, or with
 * `details` definitions. */
bool list_types(struct kernel *k, struct str pattern, bool details, struct arena *a, FILE *out);

#endif
