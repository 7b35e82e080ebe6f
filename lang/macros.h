/* Macros: calls are replaced by their bodies (language.md 5).  Done on the tree, after parsing and before checking. */
#ifndef WT_MACROS_H
#define WT_MACROS_H

#include "lang/ast.h"
#include "lang/support/diag.h"
#include "lang/support/table.h"

/* The macros that a script may call. */
struct macros {
	struct arena *arena;
	struct diag *diag;
	struct table names; /* name -> list of definitions, private to expand_macros.c */
	/* Asked for a bare name that no macro has: the value of an object-like #define, as c_defs_define() gives it.  May be
	 * NULL. */
	struct expr *(*define)(void *arg, struct str name, struct span *span, bool *unusable);
	void *define_arg;
	int expansions;	    /* made so far */
	int copies;	    /* nodes of arguments put in place of parameters so far */
	int errors;	    /* that were there before */
};

struct macros *macros_new(struct arena *a, struct diag *d);

/* Add the macros of a script.  Those of the standard library (`standard`) give way to a script's of the same signature,
 * except inside of other standard macros.  Two equal ones of one kind are an error. */
void macros_add(struct macros *m, const struct script *s, bool standard);

/* Replace all calls in the predicates and bodies of probes and functions and in map declarations.  New nodes have span.from
 * set.  False when a diagnostic was added, here or by macros_add(). */
bool macros_expand(struct macros *m, struct script *s);

#endif
