/* Attach points of user programs: from a spec with a file and a symbol to places in the file. */
#ifndef WT_USER_SYMBOLS_H
#define WT_USER_SYMBOLS_H

#include "lang/probe_spec.h"
#include "runtime/elf_image.h"
#include "runtime/kernel.h"

/* An image with its symbols, kept open as long as the kernel window (a script often has many probes in one file).
 * NULL and *why. */
struct elf_image *user_image(struct kernel *k, const char *path, int pid, const char **why);
void user_images_close(struct kernel *k);

/* Where a concrete spec is in its file: offsets for the kernel.  Several when a C++ name means several functions.
 * 0 and *why when there is none. */
typedef VEC(uint64_t) offset_list;
int user_offsets(struct kernel *k, struct arena *a, const struct probe_spec *spec, offset_list *out, const char **why);

/* Where a spec's file has a variable, and where the spec's own place is (0: the file is not moved when it is loaded, so that nobody
 * need know), as linked.  False and *why. */
bool user_variable(struct kernel *k, struct arena *a, const struct probe_spec *spec, struct str name, uint64_t *address, uint64_t *place,
		   const char **why);

/* The pid in whose view of the file system a spec's path is: its own, else -p. */
int user_spec_pid(struct kernel *k, const struct probe_spec *spec);

int uprobe_list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg);
void uprobe_near(struct kernel *k, const struct probe_spec *spec, struct diag_near *near);

#endif
