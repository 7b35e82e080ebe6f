/* The command line.  Words become a struct options; nothing is opened here but the file of -o. */
#ifndef WT_OPTIONS_H
#define WT_OPTIONS_H

#include "runtime/kernel.h"
#include "runtime/session.h"

enum command {
	COMMAND_TRACE,
	COMMAND_LIST,
	COMMAND_CHECK, /* parse, check, generate; load nothing */
	COMMAND_BUILD, /* write the artefact (also --emit-elf, --aot) */
	COMMAND_RUN,   /* trace an artefact */
	COMMAND_FMT,   /* print the script in its canonical form */
	COMMAND_INFO,
	COMMAND_BUILTINS,
	COMMAND_DONE,  /* all was said: help, version, or a wrong command line */
};

/* Bits of options.stages. */
enum stage {
	STAGE_AST = 1,
	STAGE_TYPES = 2,
	STAGE_IR = 4,
	STAGE_IR_OPT = 8,
	STAGE_ASM = 16,
	STAGE_MANIFEST = 32,
	STAGE_LIBBPF = 64,
	STAGE_VERIFIER = 128,
	STAGES_ALL = 255,
};

struct options {
	enum command command;
	int status;		/* COMMAND_DONE: the exit status */
	bool has_program;	/* -e */
	struct str program;	/* its text */
	const char *script;	/* path, name of a shipped script, "-"; NULL: none */
	struct str shipped;	/* text of that shipped script; empty: `script` is a path */
	const char *operand;	/* -l PATTERN, --help-builtins NAME; NULL: none */
	VEC(struct str) words;	/* behind the script: parameters and script options, in order */
	unsigned stages;	/* -d */
	const char *probe_filter;
	VEC(struct str) include_dirs; /* -I, then CPATH and C_INCLUDE_PATH, then the kernel's */
	bool btf_alone;	      /* -b, or --btf without a file */
	bool kernel_headers;	      /* the environment names the kernel's sources */
	VEC(struct str) includes;     /* --include */
	bool verify_ir;		      /* --verify-llvm-ir */
	const char *product;	      /* of --emit-elf or --aot */
	bool as_command;	      /* --aot: what is built starts with a line that runs it */
	const char *out_path;
	bool bad_environment;	      /* found by the checker: a setting of the environment is wrong */
	bool own_rules;		/* a .wt or shipped script: --help is the script's */
	struct session_options session;
	struct kernel_options kernel;
};

/* Never NULL.  Complaints go to stderr, help to stdout. */
struct options *options_parse(struct arena *a, int argc, char **argv);
void options_help(FILE *out);

/* The bytes of a file or of standard input ("-"), NUL-terminated; NULL with errno set. */
const char *read_whole(struct arena *a, const char *path, size_t *size);
/* The script that the command line names; NULL with a diagnostic (script.c). */
const struct source *read_script(struct arena *a, const struct options *opt, struct diag *d);
/* The answer to --help of a script: its opening comment and its options. */
void script_help(const struct source *source, const struct manifest *options, FILE *out);
/* The same for an artefact.  False: not an artefact. */
bool script_help_built(struct arena *a, struct str elf, FILE *out);

#endif
