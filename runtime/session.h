/* A tracing session: owns maps, programs, links and buffers of one artefact. */
#ifndef WT_SESSION_H
#define WT_SESSION_H

#include "codegen/manifest.h"
#include "lang/kernel.h"
#include "lang/support/diag.h"

struct session_options {
	int pid;		 /* -p, 0 none */
	const char *debuginfo;	 /* --debuginfo, NULL none */
	const char *child;	 /* -c, NULL none */
	FILE *out;		 /* -o or stdout */
	bool json, quiet, dry_run, unsafe, raw, show_helper_errors, test_mode, bench_mode;
	bool never_colour;	 /* the results of --test are coloured unless this is set */
	int verbose;
	char buffering;		 /* 'l' line, 'f' full, 'n' none */
	const struct str *script_options; /* --name=value words for getopt */
	int nscript_options;
	struct diag_style style;
	bool dump_libbpf, dump_verifier;
	bool elsewhere; /* the artefact was built by another run, perhaps on another kernel */
	bool load_only; /* -d libbpf, -d verifier: load, then leave */
	bool may_shrink; /* the script can be made smaller: SESSION_TOO_LARGE is welcome */
};

/* May this process trace?  Otherwise false, and what it lacks is said on stderr. */
bool session_allowed(void);

/* The verifier gave up over the size of a program (paths, stack).  Nothing was said and nothing was done yet. */
enum { SESSION_TOO_LARGE = -1 };

/* Load, attach, serve, print, close.  Returns the process's exit status, or SESSION_TOO_LARGE where that may be. */
int session_trace(struct str elf, struct kernel *kernel, const struct session_options *opt);

/* artefact.c.  The bytes of the first object of a tool; behind it, at a multiple of TOOL_ALIGN, may be the same programs in a smaller form.
 * All of it when it is no object. */
enum { TOOL_ALIGN = 8 };
struct str artefact_first(struct str tool);
/* How many BPF instructions (of eight bytes) an object has in this section, NULL: in all; 0 when it is none. */
uint64_t artefact_instructions(struct str elf, const char *section);

#endif
