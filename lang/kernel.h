/* The only window onto the machine being traced.  lang asks; runtime/kernel_*.c answer (tests: tests/fake_kernel.c).
 * A fact is fetched when first asked for.  Answers live in the compilation's arena. */
#ifndef WT_KERNEL_H
#define WT_KERNEL_H

#include <stdbool.h>

#include "lang/ast.h"
#include "lang/probe_spec.h"
#include "lang/type.h"

/* Abilities, probed at run time and never guessed from a version.  Names are shown by --info. */
enum kernel_feature {
#define KERNEL_FEATURE(id, name, help) KERNEL_##id,
#include "lang/kernel_features.def"
#undef KERNEL_FEATURE
	KERNEL_FEATURE_COUNT
};

/* Called for each concrete probe; `full` has all parts set (module, function, path...).  Return false to stop. */
typedef bool (*probe_name_fn)(const struct probe_spec *full, void *arg);

/* What a probe's program can see. */
struct probe_args {
	const struct type *args;   /* STRUCT type whose fields are args.NAME; NULL: none known */
	const struct type *retval; /* fexit: declared type of the result; NULL: none or void */
	int count;		   /* fentry, rawtracepoint: number of context words before retval */
};

/* Paths that begin with this name files that are shipped with the program ("waketrace:/lib/sockets.wt"), wherever it lies. */
#define SHIPPED_DIR "waketrace:"

struct kernel {
	/* A named type: `tag` says struct/union/enum; TAG_NONE: typedef or base type ("size_t", "u32").  NULL: not known. */
	const struct type *(*type_by_name)(struct kernel *k, struct types *t, enum type_tag tag, struct str name);
	/* The same of the program that a probe is in.  The slot itself may be NULL. */
	const struct type *(*user_type_by_name)(struct kernel *k, struct types *t, const struct probe_spec *spec, enum type_tag tag,
						struct str name);
	/* An enum constant; NULL when there is none of that name.  *value is set. */
	const struct type *(*enum_constant)(struct kernel *k, struct types *t, struct str name, uint64_t *value);
	/* Arguments of one concrete attach point; false: no such probe, or nothing known of its arguments (*why says). */
	bool (*args_of)(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why);
	/* Every existing probe that fits `pattern` (a spec with wildcards, or without: then it is an existence test).
	 * Returns the number of calls of fn, or -errno when the source cannot be read. */
	int (*each_probe)(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg);
	bool (*has)(struct kernel *k, enum kernel_feature feature);
	/* Address of a kernel symbol, 0 when unknown. */
	uint64_t (*symbol_address)(struct kernel *k, struct str name);
	/* Does the file of a user probe have this variable?  *size: its bytes, 0 unknown.  False and a text for `why`. */
	bool (*user_symbol)(struct kernel *k, const struct probe_spec *spec, struct str name, uint64_t *size);
	/* In how many places of its file is a user probe?  The slot itself may be NULL: in one. */
	int (*user_places)(struct kernel *k, const struct probe_spec *spec);
	/* Is there a function of that name that programs might call (kind NULL), or may programs of this kind of probe call it? */
	bool (*kfunc)(struct kernel *k, struct str name, const struct probe_kind *kind);
	/* cgroup v2 id of a path; 0 and *err = errno on failure. */
	uint64_t (*cgroup_id)(struct kernel *k, struct str path, int *err);
	/* Read a file named by import or #include, or a shipped one (SHIPPED_DIR); NULL when it cannot be (errno in *err). */
	char *(*read_file)(struct kernel *k, struct arena *a, struct str path, size_t *size, int *err);
	/* Names of the files in a directory named by import, sorted.  Their number, -EPERM when everybody may write to it, or
	 * another -errno.  NULL: directories cannot be read. */
	int (*list_dir)(struct kernel *k, struct arena *a, struct str path, struct str **names);
	/* Names near to `name` for suggestions: feeds candidates of that probe kind, or of struct types. */
	void (*near_probes)(struct kernel *k, const struct probe_spec *spec, struct diag_near *near);
	void (*near_types)(struct kernel *k, struct diag_near *near);
	/* Is a function that a wildcard found closed to kprobes?  The slot itself may be NULL. */
	bool (*closed)(struct kernel *k, const struct probe_spec *spec);
	/* After a -errno, a NULL or a false of the above: what could not be read and why, in words; NULL: nothing to say.
	 * The slot itself may be NULL. */
	const char *(*why)(struct kernel *k);
	int ncpus;    /* possible CPUs */
	int self_pid; /* of the tracer */
};

#endif
