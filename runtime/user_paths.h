/* From a target as written in a script ("bash", "libc", "/opt/x*", "./a.out") to the files that it means. */
#ifndef WT_USER_PATHS_H
#define WT_USER_PATHS_H

#include "lang/support/arena.h"
#include "lang/support/str.h"
#include "lang/support/vec.h"

typedef VEC(struct str) path_list;

/* How a target is looked for. */
enum {
	PATHS_LIBRARIES = 1, /* names through the loader's cache */
};

/* Regular files that `target` means, each once (by device and inode), as the user would name them; with `pid` in that
 * process's view of the file system, or for an empty target and for "*" what it has mapped.  *why says why none was found. */
void user_paths(struct arena *a, struct str target, int pid, unsigned how, path_list *out, const char **why);

/* The path by which we ourselves reach a file that process `pid` calls `path`: through /proc/PID/root where its root is not
 * ours.  `path` itself for pid 0. */
const char *user_path_for(struct arena *a, const char *path, int pid);

/* A library by name ("libc", "libssl.so.3") in the bytes of an ld.so.cache; empty when it has none.  Points into `bytes`. */
struct str ld_cache_find(struct str bytes, struct str name);

#endif
