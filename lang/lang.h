/* The door of the front end. */
#ifndef WT_LANG_H
#define WT_LANG_H

#include "lang/program.h"
#include "lang/source.h"

/* What the command line says about a script. */
struct lang_options {
	const struct str *params; /* positional parameters and --name=value words, in order */
	int nparams;
	bool shipped;		  /* a shipped script: a word without a use is an error, what the kernel lacks is said once */
	bool unsafe;
	bool has_pid, has_child;  /* -p, -c */
	bool for_later;		  /* what is compiled runs in another session (waketrace build) */
	bool test_mode, bench_mode;
	struct str script_dir;	  /* for imports */
	bool *bad_environment;	  /* set when a setting of `env` is wrong; may be NULL */
	const char *const *env;	  /* NULL-terminated NAME=VALUE, only WAKETRACE_ and BPFTRACE_ ones; may be NULL */
	struct str probe_filter;  /* regular expression of --probe-filter, empty: none */
	const struct str *include_dirs; /* -I: where #include looks first */
	int ninclude_dirs;
	bool kernel_headers; /* those of the kernel itself are among them: __KERNEL__ is defined */
	const struct str *includes;	/* --include: headers read before the script's C definitions */
	int nincludes;
};

/* parse, expand, check in order; NULL when there were errors (diagnostics say which). */
const struct program *lang_check(struct arena *a, const struct source *source, struct kernel *kernel,
				 const struct lang_options *opt, struct diag *d);

/* An option that a script declares with getopt(), as its text says it. */
struct declared_option {
	struct str name;       /* long name */
	char letter;	       /* 0: none */
	enum option_kind kind; /* all integers are OPTION_INT */
	struct str help;
	struct str usual;      /* OPTION_INT: the default */
};
struct declared_options {
	VEC(struct declared_option) list;
};

/* The options of a script, for its help: parsed, imported, macros replaced, but not checked, so that neither rights nor a kernel
 * that has the probes are needed.  False when there were errors (diagnostics say which). */
bool lang_declared_options(struct arena *a, const struct source *source, struct kernel *kernel, const struct lang_options *opt,
			   struct diag *d, struct declared_options *out);

#endif
