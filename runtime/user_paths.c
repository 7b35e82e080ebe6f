/* Finding the files that uprobe and usdt targets name. */
#include "runtime/user_paths.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lang/support/table.h"
#include "runtime/machine.h"

enum { MAX_PATHS = 4096, MAX_PROCESSES = 65536 };

/* ---- the loader's cache (glibc: elf/cache.c, sysdeps/generic/dl-cache.h) --------------------------------------------- */

struct cache_header {
	char magic[20]; /* glibc-ld.so.cache1.1 */
	uint32_t nlibs, strings_len;
	uint32_t unused[5];
};

struct cache_entry {
	int32_t flags;
	uint32_t key, value; /* offsets from the header */
	uint32_t os_version;
	uint64_t hwcap;
};

enum { CACHE_ELF_LIBC6_X86_64 = 0x0303 };

/* A text at an offset, which must end inside of the file. */
static struct str cache_text(struct str bytes, uint64_t at)
{
	const char *end;

	if (at >= bytes.n)
		return STR("");
	end = memchr(bytes.s + at, '\0', bytes.n - at);
	return end ? (struct str){bytes.s + at, (size_t)(end - bytes.s) - at} : STR("");
}

static bool library_fits(struct str key, struct str name)
{
	if (str_eq(key, name))
		return true;
	return key.n > name.n + 3 && str_starts(key, name) && !memcmp(key.s + name.n, ".so", 3) &&
	       (key.n == name.n + 3 || key.s[name.n + 3] == '.');
}

struct str ld_cache_find(struct str bytes, struct str name)
{
	static const char magic[] = "glibc-ld.so.cache1.1";
	struct cache_header h;
	size_t base = 0, i;

	/* An old cache may come first; the new one follows it, aligned. */
	if (bytes.n >= sizeof(magic) - 1 && memcmp(bytes.s, magic, sizeof(magic) - 1)) {
		const char *hit = memmem(bytes.s, bytes.n, magic, sizeof(magic) - 1);

		if (!hit)
			return STR("");
		base = (size_t)(hit - bytes.s);
	}
	bytes = str_sub(bytes, base, bytes.n);
	if (bytes.n < sizeof(h))
		return STR("");
	memcpy(&h, bytes.s, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(h.magic)) || h.nlibs > (bytes.n - sizeof(h)) / sizeof(struct cache_entry))
		return STR("");
	for (i = 0; i < h.nlibs; i++) {
		struct cache_entry e;

		memcpy(&e, bytes.s + sizeof(h) + i * sizeof(e), sizeof(e));
		if (e.flags == CACHE_ELF_LIBC6_X86_64 && library_fits(cache_text(bytes, e.key), name))
			return cache_text(bytes, e.value);
	}
	return STR("");
}

/* ---- candidates ---------------------------------------------------------------------------------------------------- */

struct search {
	struct arena *a;
	path_list *out;
	struct table seen; /* device and inode */
	int pid;
};

const char *user_path_for(struct arena *a, const char *path, int pid)
{
	struct stat ours, theirs;
	char root[64];

	if (pid <= 0 || path[0] != '/')
		return path;
	snprintf(root, sizeof(root), "/proc/%d/root/", pid);
	if (stat("/", &ours) || stat(root, &theirs))
		return path;
	/* Another mount namespace may have the same root directory but other mounts; going through it is always right.  For a
	 * process of our own namespace the plain path reads better. */
	snprintf(root, sizeof(root), "/proc/%d/ns/mnt", pid);
	if (ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev && !stat(root, &theirs) &&
	    !stat("/proc/self/ns/mnt", &ours) && ours.st_ino == theirs.st_ino)
		return path;
	return arena_printf(a, "/proc/%d/root%s", pid, path);
}

/* Add a file once.  False when it is none. */
static bool add_file(struct search *s, const char *path)
{
	struct stat st;
	struct {
		uint64_t dev, ino;
	} id;
	struct str key = {(const char *)&id, sizeof(id)};

	if (s->out->n >= MAX_PATHS || stat(user_path_for(s->a, path, s->pid), &st) || !S_ISREG(st.st_mode))
		return false;
	id.dev = st.st_dev;
	id.ino = st.st_ino;
	if (!table_get(&s->seen, key)) {
		table_put(&s->seen, key, s);
		VEC_PUSH(s->a, s->out, str_copy(s->a, str_of(path)));
	}
	return true;
}

/* Files that a process has mapped as code. */
static void add_mapped(struct search *s, int pid)
{
	char name[64], *text, *line, *save = NULL;
	size_t size;
	int err;

	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	text = machine_read_text(name, &size, &err);
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		char *path = strchr(line, '/'), *mode = strchr(line, ' ');

		if (path && mode && strlen(mode) > 4 && mode[3] == 'x')
			add_file(s, path);
	}
	free(text);
}

static void add_all_mapped(struct search *s)
{
	struct dirent *e;
	DIR *dir;

	if (s->pid > 0) {
		add_mapped(s, s->pid);
		return;
	}
	dir = opendir("/proc");
	while (dir && (e = readdir(dir)) && s->out->n < MAX_PATHS) {
		int pid = atoi(e->d_name);

		if (pid > 0)
			add_mapped(s, pid);
	}
	if (dir)
		closedir(dir);
}

static void add_glob(struct search *s, const char *pattern)
{
	const char *prefixed = user_path_for(s->a, pattern, s->pid);
	size_t skip = strlen(prefixed) - strlen(pattern), i;
	glob_t g;

	if (!glob(prefixed, 0, NULL, &g))
		for (i = 0; i < g.gl_pathc; i++)
			add_file(s, g.gl_pathv[i] + skip);
	globfree(&g);
}

static void add_from_path(struct search *s, struct str name)
{
	const char *dirs = getenv("PATH");
	bool pattern = memchr(name.s, '*', name.n);

	if (!dirs)
		dirs = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	while (*dirs) {
		size_t n = strcspn(dirs, ":");
		char *full = arena_printf(s->a, "%.*s/%.*s", (int)n, dirs, STR_ARG(name));

		if (n && pattern)
			add_glob(s, full);
		else if (n)
			add_file(s, full);
		dirs += n;
		dirs += *dirs == ':';
	}
}

static void add_library(struct search *s, struct str name)
{
	const char *cache = user_path_for(s->a, "/etc/ld.so.cache", s->pid);
	size_t size;
	int err;
	char *text = machine_read_text(cache, &size, &err), *real;
	struct str found = text ? ld_cache_find((struct str){text, size}, name) : STR("");

	if (found.n) {
		char *path = str_c(s->a, found);

		/* As the file is really called: /lib is a link to /usr/lib on most systems. */
		real = s->pid > 0 ? NULL : realpath(path, NULL);
		add_file(s, real ? real : path);
		free(real);
	}
	free(text);
}

/* What has this name but is no file to put probes in; NULL: nothing. */
static const char *what_instead(struct search *s, const char *name)
{
	struct stat st;

	if (stat(user_path_for(s->a, name, s->pid), &st))
		return NULL;
	return arena_printf(s->a, "'%s' is a %s, not a program or library", name,
			    S_ISDIR(st.st_mode)	   ? "directory"
			    : S_ISFIFO(st.st_mode) ? "pipe"
			    : S_ISSOCK(st.st_mode) ? "socket"
						   : "device");
}

void user_paths(struct arena *a, struct str target, int pid, unsigned how, path_list *out, const char **why)
{
	struct search s = {.a = a, .out = out, .pid = pid, .seen = {.arena = a}};
	bool has_slash = memchr(target.s ? target.s : "", '/', target.n);
	char *name = str_c(a, target);

	*why = NULL;
	if (!target.n && pid <= 0) {
		*why = "a program or library is needed, or a process (-p)";
		return;
	}
	if (!target.n || str_is(target, "*")) {
		add_all_mapped(&s);
		if (!out->n)
			*why = "the process has mapped no files, or may not be looked at";
		return;
	}
	if (has_slash && memchr(target.s, '*', target.n))
		add_glob(&s, name);
	else if (has_slash)
		add_file(&s, name);
	else
		add_from_path(&s, target);
	if (!out->n && !has_slash && (how & PATHS_LIBRARIES) && str_starts(target, STR("lib")))
		add_library(&s, target);
	if (!out->n && !has_slash && !memchr(target.s, '*', target.n))
		add_file(&s, name); /* of the current directory, last: "sudo waketrace" must not pick a planted file */
	if (!out->n)
		*why = what_instead(&s, name);
	if (!out->n && !*why)
		*why = arena_printf(a, "there is no %s '%s'", str_starts(target, STR("lib")) ? "library" : "program or library", name);
}
