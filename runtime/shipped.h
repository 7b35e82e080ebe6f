/* What ships inside the binary: scripts/NAME.wt, run by name, and scripts/lib/, which they import. */
#ifndef WT_SHIPPED_H
#define WT_SHIPPED_H

#include <stdio.h>

#include "lang/support/str.h"

/* Text of the shipped script `name`, empty when there is none. */
struct str shipped_script(struct str name);
/* Text of a shipped file, named relative to scripts/ ("lib/sockets.wt"); empty when there is none. */
struct str shipped_file(struct str path);
/* Name and purpose of each shipped script, by group (--scripts). */
void shipped_list(FILE *out);
/* The names alone, separated by blanks, for completion. */
void shipped_names(FILE *out);

#endif
