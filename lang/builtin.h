/* Builtin functions and variables as rows of builtins.def: lookup, suggestions, help text. */
#ifndef WT_BUILTIN_H
#define WT_BUILTIN_H

#include <stdbool.h>

#include "lang/builtin_id.h"
#include "lang/support/diag.h"
#include "lang/support/str.h"

enum builtin_form { FORM_VAR, FORM_FN, FORM_VAR_FN };

enum builtin_place {
	RUNS_KERNEL,  /* lowered to BPF */
	RUNS_USER,    /* an event, done by user space */
	RUNS_AGG,     /* right side of a map assignment */
	RUNS_COMPILE, /* folded by the checker */
};

struct builtin {
	enum builtin_id id;
	const char *name;
	enum builtin_form form;
	enum builtin_place runs;
	int least, most; /* arguments */
	const char *help;
};

/* NULL when there is none of that name.  argN is found under its own row. */
const struct builtin *builtin_find(struct str name);
const struct builtin *builtin_row(enum builtin_id id);
/* Feed every name (variables, functions or both) to `near`. */
void builtin_near(struct diag_near *near, bool functions, bool variables);
/* N of "argN", -1 for other names. */
int builtin_arg_number(struct str name);
/* Help texts: all rows, or those whose name is `name` when it is not empty.  False: no such builtin. */
bool builtin_help(struct str name, struct strbuf *out);

#endif
