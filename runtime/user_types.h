/* Parameters of user functions, from DWARF. */
#ifndef WT_USER_TYPES_H
#define WT_USER_TYPES_H

#include "runtime/btf.h"
#include "runtime/dwarf.h"
#include "runtime/kernel.h"

struct machine;

struct user_function {
	struct dwarf_function places;
	struct btf_file *file;	       /* its types; the machine's */
	const struct btf_type *proto; /* its parameters are as many as `places` has */
};

/* The function at which a concrete spec begins.  False and *why (of `a`, the machine or constant). */
bool user_function(struct kernel *k, struct arena *a, const struct probe_spec *spec, struct user_function *out, const char **why);
/* A type that a spec's program names; NULL: it has none of that name, or no debug information. */
const struct type *user_type_by_name(struct kernel *k, struct types *t, const struct probe_spec *spec, enum type_tag tag, struct str name);
/* A descriptor, to be closed, of the file that has a spec's DWARF; -1 and *why. */
int user_debug_fd(struct kernel *k, const struct probe_spec *spec, const char **why);
/* provider.args of uprobe and uretprobe. */
bool uprobe_args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why);
void user_types_close(struct machine *m);

#endif
