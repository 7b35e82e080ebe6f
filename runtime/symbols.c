/* The answers of struct names: kernel and user symbols, stacks, users, cgroups. */
#include "runtime/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runtime/bpf_sys.h"
#include "runtime/machine.h"
#include "runtime/mmap_events.h"
#include "runtime/stacks.h"

enum { MAX_OWN_RANGES = 4096, CGROUP_HANDLE_BYTES = 8, FILEID_KERNFS_TYPE = 0xfe, REREAD_S = 1 };

#define UNIFIED "unified"

/* Where a hierarchy of cgroups is mounted. */
struct hierarchy {
	struct str name, path;
	int fd;
};

struct symbols {
	struct names names; /* first */
	struct arena *arena;
	struct kallsyms *kallsyms;
	time_t kallsyms_read_at;
	struct processes *processes;
	struct mmap_events *events;
	struct stack_source source;
	int (*fds)[3];
	uint64_t (*own)[2];
	char *passwd; /* text of /etc/passwd */
	size_t passwd_size;
	bool passwd_tried;
	VEC(struct hierarchy) hierarchies;
	bool hierarchies_tried;
};

static struct symbols *symbols_of(struct names *n)
{
	return (struct symbols *)n;
}

/* ---- kernel -------------------------------------------------------------------------------------------------------- */

static time_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static const struct kallsyms *need_kallsyms(struct symbols *s)
{
	if (!s->kallsyms) {
		s->kallsyms = kallsyms_read();
		s->kallsyms_read_at = now_s();
	}
	s->source.kallsyms = s->kallsyms;
	return s->kallsyms;
}

/* Name of an address; a module or BPF program may have come after the table was read. */
static const char *kernel_name(struct symbols *s, uint64_t address, uint64_t *offset)
{
	const char *name = kallsyms_name(need_kallsyms(s), address, offset);

	if (name || address < 1ull << 63 || kallsyms_empty(s->kallsyms) || now_s() - s->kallsyms_read_at < REREAD_S)
		return name;
	kallsyms_free(s->kallsyms);
	s->kallsyms = NULL;
	return kallsyms_name(need_kallsyms(s), address, offset);
}

static struct str ksym(struct names *n, struct arena *a, uint64_t address, bool with_offset)
{
	uint64_t offset = 0;
	const char *name = kernel_name(symbols_of(n), address, &offset);

	if (!name)
		return str_printf(a, "%#llx", (unsigned long long)address);
	return with_offset ? str_printf(a, "%s+%llu", name, (unsigned long long)offset) : str_copy(a, str_of(name));
}

/* ---- user ---------------------------------------------------------------------------------------------------------- */

static struct str usym(struct names *n, struct arena *a, uint32_t tgid, uint64_t address, bool with_offset)
{
	struct user_name name;

	symbols_serve(symbols_of(n));
	processes_name(symbols_of(n)->processes, tgid, address, false, &name);
	if (!name.symbol.n)
		return str_printf(a, "%#llx", (unsigned long long)address);
	return with_offset ? str_printf(a, "%.*s+%llu", STR_ARG(name.symbol), (unsigned long long)name.offset)
			   : str_copy(a, name.symbol);
}

static struct str stack(struct names *n, struct arena *a, const struct shape *shape, const void *bytes, bool raw)
{
	struct symbols *s = symbols_of(n);

	if (shape->kind == TYPE_KSTACK)
		need_kallsyms(s);
	else
		symbols_serve(s);
	return stack_text(&s->source, a, shape, bytes, raw);
}

/* /etc/passwd itself, not the C library's name services, which may load code and ask the network. */
static struct str user(struct names *n, struct arena *a, uint64_t uid)
{
	struct symbols *s = symbols_of(n);
	struct str rest;
	int err;

	if (!s->passwd_tried) {
		s->passwd_tried = true;
		s->passwd = machine_read_text("/etc/passwd", &s->passwd_size, &err);
	}
	rest = (struct str){s->passwd ? s->passwd : "", s->passwd ? s->passwd_size : 0};
	while (rest.n) { /* name:x:uid:... */
		size_t end = str_find(rest, '\n');
		struct str line = str_sub(rest, 0, end), name = str_sub(line, 0, str_find(line, ':'));
		char *after;

		rest = str_sub(rest, end + 1, rest.n);
		line = str_sub(line, name.n + 1, line.n);
		line = str_sub(line, str_find(line, ':') + 1, line.n);
		if (line.n && strtoull(line.s, &after, 10) == uid && after > line.s && *after == ':')
			return str_copy(a, name);
	}
	return str_printf(a, "%llu", (unsigned long long)uid);
}

/* ---- cgroups ------------------------------------------------------------------------------------------------------- */

/* Options of a mount that are not the name of a hierarchy. */
static bool is_mount_flag(struct str option)
{
	static const char *const flags[] = {"rw",	  "ro",	     "nosuid",	 "nodev",   "noexec",	  "noatime", "nodiratime",
					    "relatime", "strictatime", "lazytime", "sync",    "dirsync",	  "xattr",   "noprefix",
					    "seclabel", "clone_children", "cpuset_v2_mode", "favordynmods"};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (str_is(option, flags[i]))
			return true;
	return str_starts(option, STR("release_agent="));
}

/* "cpu,cpuacct" out of "rw,relatime,cpu,cpuacct", "systemd" out of "rw,name=systemd". */
static struct str hierarchy_name(struct arena *a, struct str options)
{
	struct strbuf name = {.arena = a};

	while (options.n) {
		size_t comma = str_find(options, ',');
		struct str option = str_sub(options, 0, comma);

		options = str_sub(options, comma + 1, options.n);
		if (is_mount_flag(option))
			continue;
		if (str_starts(option, STR("name=")))
			option = str_sub(option, strlen("name="), option.n);
		if (name.n)
			strbuf_addc(&name, ',');
		strbuf_add(&name, option);
	}
	return strbuf_str(&name);
}

/* Version 2 first, the others by name; a hierarchy that is mounted twice once. */
static void add_hierarchy(struct symbols *s, struct str name, const char *path)
{
	struct hierarchy h = {.name = name, .path = str_copy(s->arena, str_of(path))};
	int at = 0, i;

	VEC_EACH(known, &s->hierarchies)
		if (str_eq(known->name, name))
			return;
	h.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h.fd < 0)
		return;
	if (!str_is(name, UNIFIED))
		while (at < s->hierarchies.n && (str_is(s->hierarchies.at[at].name, UNIFIED) || str_cmp(s->hierarchies.at[at].name, name) < 0))
			at++;
	VEC_PUSH(s->arena, &s->hierarchies, h);
	for (i = s->hierarchies.n - 1; i > at; i--)
		s->hierarchies.at[i] = s->hierarchies.at[i - 1];
	s->hierarchies.at[at] = h;
}

static void find_hierarchies(struct symbols *s)
{
	char *text, *line, *save = NULL;
	int err;

	s->hierarchies_tried = true;
	text = machine_read_text("/proc/self/mounts", NULL, &err);
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		char *path = strchr(line, ' '), *type = path ? strchr(path + 1, ' ') : NULL;
		char *options = type ? strchr(type + 1, ' ') : NULL;

		if (!options)
			continue;
		*type++ = *options++ = '\0';
		options[strcspn(options, " ")] = '\0';
		if (!strcmp(type, "cgroup2"))
			add_hierarchy(s, STR(UNIFIED), path + 1);
		else if (!strcmp(type, "cgroup"))
			add_hierarchy(s, hierarchy_name(s->arena, str_of(options)), path + 1);
	}
	free(text);
}

/* A cgroup's id is its file handle, so that its directory can be opened by it. */
static void add_cgroup(struct strbuf *out, const struct hierarchy *h, uint64_t id)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + CGROUP_HANDLE_BYTES];
	} u = {.h = {.handle_bytes = CGROUP_HANDLE_BYTES, .handle_type = FILEID_KERNFS_TYPE}};
	char link[64], path[4096];
	struct str found;
	ssize_t got;
	int fd;

	memcpy(u.room + offsetof(struct file_handle, f_handle), &id, sizeof(id));
	fd = open_by_handle_at(h->fd, &u.h, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	got = readlink(link, path, sizeof(path));
	close(fd);
	found = (struct str){path, got > 0 ? (size_t)got : 0};
	if (str_starts(found, h->path))
		found = str_sub(found, h->path.n, found.n);
	strbuf_printf(out, "%s%.*s:%s%.*s", out->n ? "," : "", STR_ARG(h->name), found.n ? "" : "/", STR_ARG(found));
}

/* "unified:/a,cpu:/b": ids of version 1 are numbers of their own in each hierarchy. */
static struct str cgroup(struct names *n, struct arena *a, uint64_t id, struct str filter)
{
	struct symbols *s = symbols_of(n);
	struct strbuf out = {.arena = a};

	if (!s->hierarchies_tried)
		find_hierarchies(s);
	VEC_EACH(h, &s->hierarchies)
		if (!filter.n || str_match(filter, h->name))
			add_cgroup(&out, h, id);
	return strbuf_str(&out);
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

struct symbols *symbols_open(const struct symbols_options *opt)
{
	struct arena *a = arena_new();
	struct symbols *s = NEW(a, struct symbols);

	s->arena = a;
	s->names = (struct names){.ksym = ksym, .usym = usym, .stack = stack, .user = user, .cgroup = cgroup};
	s->processes = processes_open(!opt->config || opt->config->cpp_demangle,
				      opt->config && opt->config->show_debug_info, opt->debuginfo);
	s->source.processes = s->processes;
	s->source.value = NEW(a, union stack_value);
	s->source.show_debug_info = opt->config && opt->config->show_debug_info;
	symbols_own_programs(s, opt->own_programs, opt->nown_programs);
	return s;
}

void symbols_close(struct symbols *s)
{
	if (!s)
		return;
	mmap_events_close(s->events);
	processes_close(s->processes);
	kallsyms_free(s->kallsyms);
	free(s->passwd);
	VEC_EACH(h, &s->hierarchies)
		close(h->fd);
	arena_free(s->arena);
}

void symbols_stack_maps(struct symbols *s, const int (*fds)[3], int npairs)
{
	s->fds = arena_alloc(s->arena, sizeof(*s->fds) * ((size_t)npairs + 1));
	memcpy(s->fds, fds, sizeof(*fds) * (size_t)npairs);
	s->source.fds = (const int(*)[3])s->fds;
	s->source.npairs = npairs;
}

struct names *symbols_names(struct symbols *s)
{
	return &s->names;
}

/* Where a program's code lies: one range for itself and one for each of its functions. */
static void add_own_ranges(struct symbols *s, uint32_t id)
{
	uint64_t starts[256];
	uint32_t lengths[256], i;
	struct bpf_prog_info info;
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	fd = sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
	if (fd < 0)
		return;
	memset(&info, 0, sizeof(info));
	info.jited_ksyms = (uint64_t)(uintptr_t)starts;
	info.jited_func_lens = (uint64_t)(uintptr_t)lengths;
	info.nr_jited_ksyms = info.nr_jited_func_lens = 256;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t)(uintptr_t)&info;
	if (!sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)))
		for (i = 0; i < info.nr_jited_ksyms && i < info.nr_jited_func_lens && i < 256; i++)
			if (s->source.nown < MAX_OWN_RANGES && starts[i]) {
				s->own[s->source.nown][0] = starts[i];
				s->own[s->source.nown++][1] = starts[i] + lengths[i];
			}
	close(fd);
}

void symbols_own_programs(struct symbols *s, const uint32_t *ids, int n)
{
	int i;

	if (n <= 0)
		return;
	if (!s->own)
		s->own = arena_alloc(s->arena, sizeof(*s->own) * MAX_OWN_RANGES);
	s->source.nown = 0;
	s->source.own = (const uint64_t(*)[2])s->own;
	for (i = 0; i < n; i++)
		add_own_ranges(s, ids[i]);
}

int symbols_record_maps(struct symbols *s, int pid)
{
	int err = 0;

	if (!s->events) {
		s->events = mmap_events_open(s->processes, pid, &err);
		if (s->events && pid <= 0)
			processes_read_all(s->processes);
	}
	return s->events ? 0 : err;
}

int symbols_poll_fd(const struct symbols *s)
{
	return s->events ? mmap_events_fd(s->events) : -1;
}

void symbols_serve(struct symbols *s)
{
	if (s->events)
		mmap_events_serve(s->events);
}
