/* The machine behind lang/kernel.h.  Everything is read when first asked for: a script that names no type reads no BTF, one
 * without wildcards reads no list of functions. */
#ifndef WT_RUNTIME_KERNEL_H
#define WT_RUNTIME_KERNEL_H

#include <stdio.h>

#include "lang/kernel.h"

struct kernel_options {
	uint32_t no_features;		    /* bits of enum kernel_feature to be taken as absent (--no-feature) */
	const char *traceable_functions; /* --traceable-functions FILE instead of tracefs' list; NULL */
	const char *debuginfo;		    /* --debuginfo DIR[:DIR]; NULL */
	int pid;			    /* -p: user probes without a path or with `*` look at this process; 0 none */
	const char *btf;		    /* --btf: types of another kernel, whose abilities are not asked either; NULL */
	bool unsafe;			    /* --unsafe: names that no list has are taken too */
};

/* `opt` may be NULL; it is copied.  What is found lives in `a`.  Never NULL, opens nothing. */
struct kernel *kernel_open(struct arena *a, const struct kernel_options *opt);
void kernel_close(struct kernel *k); /* NULL is allowed */

#endif
