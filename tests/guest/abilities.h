/*
 * What the running kernel can do, found by doing it: a case names what it needs, and is skipped
 * with the reason where that is missing.  Nothing here looks at a version number.
 */
#ifndef ABILITIES_H
#define ABILITIES_H

#include <stdbool.h>
#include <stdio.h>

/* Why `need` is missing here, or NULL where it is there.  The text lives until the next call. */
const char *ability_missing(const char *need);

/* One line per ability that has no parameter: its name, and "yes" or why not. */
void abilities_list(FILE *out);

#endif
