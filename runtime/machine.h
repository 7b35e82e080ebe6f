/* What the files behind the kernel window share: kernel.c, kernel_btf.c, kernel_trace.c, kernel_functions.c,
 * kernel_features.c, list.c and the providers' list and args functions.  Not for others. */
#ifndef WT_MACHINE_H
#define WT_MACHINE_H

#include "lang/support/table.h"
#include "runtime/btf.h"
#include "runtime/kernel.h"
#include "runtime/provider.h"
#include "runtime/trace_format.h"

struct module_btf {
	struct str name;
	struct btf_file *file; /* NULL: not opened, or not readable */
	bool tried;
	int fd; /* of the kernel's object; 0: not opened */
};

struct kernel_function {
	const char *name; /* of `length` bytes, not NUL-terminated */
	const char *module; /* the same; NULL: vmlinux */
	uint16_t length, module_length;
};

struct machine {
	struct kernel k; /* first: the window */
	struct arena *arena;
	struct kernel_options opt;
	char *why; /* text of the last refusal, see machine_refuse() */

	/* kernel_btf.c */
	bool btf_tried;
	struct btf_file *btf; /* vmlinux; NULL: not tried or not there */
	const char *btf_why;
	bool btf_is_own; /* of the kernel that runs, so that the numbers of its types are the kernel's */
	VEC(struct module_btf) modules;
	bool modules_listed;
	const struct types *decls_of; /* the table that `decls` belongs to */
	struct table decls;	      /* (file, id) -> struct struct_decl or struct enum_decl */
	struct table named;	      /* tag and name -> struct type */

	/* kernel_trace.c */
	bool tracefs_tried;
	const char *tracefs; /* mount point; NULL: none */
	char *events;	     /* text of available_events */
	size_t events_size;

	/* kernel_functions.c */
	bool functions_tried;
	int functions_err; /* positive errno */
	char *functions_text;
	struct kernel_function *functions; /* sorted by name, then module; malloc */
	int nfunctions;

	/* kernel_missing.c */
	bool closed_tried;
	struct table closed; /* names of kprobes/blacklist */
	struct table searches; /* "MODULE:NAME" -> struct search: what kallsyms said of it */

	/* providers/perf.c: type and return bit of the kprobe and uprobe PMUs, 0 not asked, else one more than the answer or
	 * -errno */
	int pmu[2][2];

	struct table images; /* user_symbols.c: path -> open ELF image */
	struct dwarf *dwarf; /* user_types.c; NULL: not asked yet */
	struct table undescribed; /* list.c: programs of which it was said that they have no DWARF */
	VEC(struct btf_file *) user_btf; /* one for each function or type that was asked for */
	struct table user_named;	 /* a type's name and a path -> struct user_function */

	signed char features[KERNEL_FEATURE_COUNT]; /* 0 not probed, 1 yes, -1 no */
};

static inline struct machine *machine_of(struct kernel *k)
{
	return (struct machine *)k;
}

/* Remember why something is not there; returned by k->why. */
void machine_refuse(struct machine *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- kernel_btf.c ---- */
struct btf_file *machine_btf(struct machine *m); /* vmlinux; NULL when the kernel has none (m->why says) */
/* BTF of a module (vmlinux by its name); NULL when not loaded or without BTF. */
struct btf_file *machine_module_btf(struct machine *m, struct str module);
/* All modules that have BTF; opened one at a time by machine_module_btf(). */
void machine_list_modules(struct machine *m);
/* Own types of a file as the language's; `as`: address space of a pointer itself (fields and arguments). */
const struct type *machine_type(struct machine *m, struct types *t, struct btf_file *f, uint32_t id, enum addr_space as);
/* Prototype of kernel function `name`.  `module` empty: any, vmlinux first.  *file and *module_found are set. */
const struct btf_type *machine_func_proto(struct machine *m, struct str module, struct str name, struct btf_file **file);
/* The same as the kernel knows it when a program is loaded: its id and the descriptor of its types (the machine's; 0: vmlinux).
 * False: the kernel has no such function, or only types from elsewhere are known. */
bool machine_func_target(struct machine *m, struct str module, struct str name, uint32_t *id, int *fd);
/* Prototype of a raw tracepoint's handlers: parameter 0 is void *__data.  `module` empty: any. */
const struct btf_type *machine_raw_proto(struct machine *m, struct str module, struct str event, struct btf_file **file);
/* Fill `out` from a prototype, leaving out its first `skip` parameters; `with_result`: retval too. */
void machine_proto_args(struct machine *m, struct types *t, struct btf_file *f, const struct btf_type *proto, int skip,
			bool with_result, struct str name, struct probe_args *out);
void machine_btf_close(struct machine *m);
const struct type *kernel_type_by_name(struct kernel *k, struct types *t, enum type_tag tag, struct str name);
const struct type *kernel_enum_constant(struct kernel *k, struct types *t, struct str name, uint64_t *value);
void kernel_near_types(struct kernel *k, struct diag_near *near);

/* ---- kernel_trace.c ---- */
const char *machine_tracefs(struct machine *m); /* NULL when not mounted (m->why says) */
/* Text of a file of tracefs, NUL-terminated, to be freed; NULL and *err. */
char *machine_tracefs_read(struct machine *m, const char *name, size_t *size, int *err);
/* A file of procfs, sysfs or tracefs whose size is not known beforehand; NUL-terminated, to be freed; NULL and *err. */
char *machine_read_text(const char *path, size_t *size, int *err);
int trace_list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg);
bool trace_args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why);
void trace_near(struct kernel *k, const struct probe_spec *spec, struct diag_near *near);
/* Names of all tracepoints as "category:event" lines. */
const char *machine_events(struct machine *m, int *err);
/* A tracepoint whose name is like a function's, for advice: "tracepoint:syscalls:sys_enter_read" for vfs_read; NULL. */
const char *machine_nearest_tracepoint(struct machine *m, struct arena *a, struct str function);
/* The parsed format of one tracepoint. */
struct trace_format *machine_trace_format(struct machine *m, struct arena *a, struct str category, struct str event, int *err);

/* ---- kernel_functions.c ---- */
/* Traceable kernel functions; false and m->functions_err when the list cannot be read. */
bool machine_functions(struct machine *m);
/* Is this function there?  Asks BTF and, when needed, the list or kallsyms. */
bool machine_has_function(struct machine *m, struct str module, struct str name);
/* Is this name in the list of traceable functions? */
bool machine_is_traceable(struct machine *m, struct str name);
int functions_list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg);
int fentry_list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg);
bool kprobe_args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why);
bool fentry_args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why);
int rawtp_list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg);
bool rawtp_args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why);
void functions_near(struct kernel *k, const struct probe_spec *spec, struct diag_near *near);
void rawtp_near(struct kernel *k, const struct probe_spec *spec, struct diag_near *near);
bool machine_module_loaded(struct str module);
void machine_functions_free(struct machine *m);
/* Address of a symbol in /proc/kallsyms, the first of its name; 0 when it is not there or hidden.  `module` empty: any. */
uint64_t machine_kallsyms_address(struct str module, struct str name);
/* All of them; how many, addresses in `a`. */
int machine_kallsyms_all(struct arena *a, struct str module, struct str name, uint64_t **addresses);

/* ---- kernel_missing.c ---- */
/* Why there is no function to probe of this name: renamed by the compiler (then what can be probed instead), inlined, in another
 * module.  Text in `a`; NULL: nothing is known of the name. */
const char *machine_why_no_function(struct machine *m, struct arena *a, const struct probe_spec *spec);
/* Is there a symbol of this name, hidden addresses or not?  `module` empty: any.  The answer is kept. */
bool machine_kallsyms_has(struct machine *m, struct str module, struct str name);
/* Bytes of a function, with the padding behind it; 0 when not known. */
uint64_t machine_function_size(struct str module, struct str name);
bool kernel_closed(struct kernel *k, const struct probe_spec *spec);

/* ---- kernel_features.c ---- */
bool kernel_has(struct kernel *k, enum kernel_feature feature);
/* Does kprobe_multi note calls in progress in the task that makes them (6.14 on; struct fprobe_hlist came with it), and not in a
 * limited number of places that each link has? */
bool machine_notes_calls_in_tasks(struct machine *m);
bool kernel_kfunc(struct kernel *k, struct str name, const struct probe_kind *kind);

/* ---- user_symbols.c ---- */
int kernel_user_places(struct kernel *k, const struct probe_spec *spec);
bool kernel_user_symbol(struct kernel *k, const struct probe_spec *spec, struct str name, uint64_t *size);

#endif
