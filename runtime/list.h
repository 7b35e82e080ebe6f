/* `-l` and `-lv`: probes and types that exist on this machine (language.md 24). */
#ifndef WT_LIST_H
#define WT_LIST_H

#include <stdio.h>

#include "lang/kernel.h"

struct list_options {
	bool details; /* -v: arguments, definitions of types */
	int pid;      /* -p: user probes of that process too */
	bool no_warnings;
};

/* Print every probe or type that fits `pattern`, a comma list as the user wrote it; empty: all kernel-side probes.
 * Sources that cannot be read are named on `err`.  Returns how many lines of probes were printed. */
int list_probes(struct kernel *k, struct str pattern, const struct list_options *opt, FILE *out, FILE *err);
/* Arguments of one concrete attach point as -lv shows them, four blanks before each. */
void list_arguments(struct kernel *k, const struct probe_spec *spec, FILE *out, FILE *err);

#endif
