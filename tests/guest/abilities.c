/*
 * The checks behind abilities.h.  Each one attaches, loads or opens the real thing through bpf(2)
 * and perf_event_open(2) with constants of our own, because the installed kernel headers are older
 * than the kernels in which this runs.
 */
#define _GNU_SOURCE
#include "abilities.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BPF_MAP_CREATE_CMD = 0,
	BPF_PROG_LOAD_CMD = 5,
	BPF_OBJ_GET_INFO_BY_FD_CMD = 15,
	BPF_RAW_TRACEPOINT_OPEN_CMD = 17,
	BPF_LINK_CREATE_CMD = 28,
	PROG_KPROBE = 2,
	PROG_TRACEPOINT = 5,
	PROG_RAW_TRACEPOINT = 17,
	PROG_TRACING = 26,
	MAP_RINGBUF = 27,
	ATTACH_TRACE_RAW_TP = 23,
	ATTACH_TRACE_FENTRY = 24,
	ATTACH_TRACE_ITER = 28,
	ATTACH_KPROBE_MULTI = 42,
	ATTACH_UPROBE_MULTI = 48,
	ATTACH_KPROBE_SESSION = 56,
};

struct insn {
	uint8_t code;
	uint8_t regs;
	int16_t off;
	int32_t imm;
};

#define MOV_R0_0                                                                                   \
	{                                                                                          \
		0xb7, 0x00, 0, 0                                                                   \
	}
#define EXIT                                                                                       \
	{                                                                                          \
		0x95, 0x00, 0, 0                                                                   \
	}

/* A function that uprobes can be put on. */
static __attribute__((noinline)) void uprobe_here(void)
{
	__asm__ volatile("nop");
}

static char reason[512];

static const char *because(const char *what)
{
	snprintf(reason, sizeof(reason), "%s: %s", what, strerror(errno));
	return reason;
}

static long bpf(int cmd, void *attr, unsigned int size)
{
	return syscall(SYS_bpf, cmd, attr, size);
}

struct load {
	uint32_t type, insn_cnt;
	uint64_t insns, license;
	uint32_t log_level, log_size;
	uint64_t log_buf;
	uint32_t kern_version, flags;
	char name[16];
	uint32_t ifindex, attach_type, btf_fd, func_info_rec_size;
	uint64_t func_info;
	uint32_t func_info_cnt, line_info_rec_size;
	uint64_t line_info;
	uint32_t line_info_cnt, attach_btf_id, attach_fd, pad;
};

static int load(uint32_t type, uint32_t attach_type, uint32_t btf_id, const struct insn *insns,
		unsigned int n, char *log, unsigned int log_size)
{
	struct load attr = {
		.type = type,
		.attach_type = attach_type,
		.attach_btf_id = btf_id,
		.insns = (uintptr_t)insns,
		.insn_cnt = n,
		.license = (uintptr_t) "GPL",
		.log_level = log ? 1 : 0,
		.log_size = log ? log_size : 0,
		.log_buf = (uintptr_t)log,
	};
	int fd, tries = 100;

	do /* a verifier that was interrupted has no verdict */
		fd = bpf(BPF_PROG_LOAD_CMD, &attr, sizeof(attr));
	while (fd < 0 && errno == EAGAIN && --tries);
	return fd;
}

/* Before 5.11 programs count, and for a while after they are closed. */
static const struct rlimit all_memory = {RLIM_INFINITY, RLIM_INFINITY};

static int load_empty(uint32_t type, uint32_t attach_type, uint32_t btf_id)
{
	static const struct insn insns[] = {MOV_R0_0, EXIT};

	setrlimit(RLIMIT_MEMLOCK, &all_memory);
	return load(type, attach_type, btf_id, insns, 2, NULL, 0);
}

static bool readable(const char *path)
{
	char c;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && read(fd, &c, 1) == 1;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Try `name` under both places where tracefs may be mounted. */
static bool tracefs_has(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "/sys/kernel/tracing/%s", name);
	if (readable(path))
		return true;
	snprintf(path, sizeof(path), "/sys/kernel/debug/tracing/%s", name);
	return readable(path);
}

static const char *no_tracefs_event(const char *category, const char *event)
{
	char name[256];

	snprintf(name, sizeof(name), "events/%s/%s/id", category, event);
	if (tracefs_has(name))
		return NULL;
	snprintf(reason, sizeof(reason), "no tracepoint %s:%s", category, event);
	return reason;
}

/* Id of a BTF type of `kind` called `name`; 0 when there is none.  Reads /sys/kernel/btf/vmlinux
 * once. */
static uint32_t btf_find(uint32_t wanted_kind, const char *name)
{
	static uint8_t *data;
	static size_t size;
	/* Bytes that follow the common header, by kind; vlen-sized parts are added below. */
	static const uint8_t extra[20] = {[1] = 4, [3] = 12, [14] = 4, [17] = 4};
	static const uint8_t each[20] = {
		[4] = 12, [5] = 12, [6] = 8, [13] = 8, [15] = 12, [19] = 12};

	if (!data) {
		struct stat st;
		int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
		ssize_t n;

		if (fd < 0)
			return 0;
		if (fstat(fd, &st) || !(data = malloc(st.st_size + 1))) {
			close(fd);
			return 0;
		}
		while (size < (size_t)st.st_size &&
		       (n = read(fd, data + size, st.st_size - size)) > 0)
			size += n;
		close(fd);
	}
	if (size < 24)
		return 0;

	uint32_t head[6];

	memcpy(head, data, sizeof(head)); /* magic+version+flags, hdr_len, type_off, type_len,
					     str_off, str_len */
	const uint8_t *at = data + head[1] + head[2];
	const uint8_t *end = at + head[3];
	const char *strings = (const char *)data + head[1] + head[4];

	for (uint32_t id = 1; at + 12 <= end; id++) {
		uint32_t t[3];

		memcpy(t, at, sizeof(t)); /* name_off, info, size or type */
		uint32_t kind = (t[1] >> 24) & 0x1f;
		uint32_t vlen = t[1] & 0xffff;

		if (kind >= 20)
			return 0;
		if (kind == wanted_kind && t[0] < head[5] && !strcmp(strings + t[0], name))
			return id;
		at += 12 + extra[kind] + (size_t)each[kind] * vlen;
	}
	return 0;
}

enum { BTF_STRUCT = 4, BTF_ENUM = 6, BTF_TYPEDEF = 8, BTF_FUNC = 12 };

static int open_link(int prog)
{
	struct {
		uint64_t name;
		uint32_t prog_fd, pad;
	} attr = {.prog_fd = prog};

	return bpf(BPF_RAW_TRACEPOINT_OPEN_CMD, &attr, sizeof(attr));
}

static const char *no_root(void)
{
	return geteuid() ? "not root" : NULL;
}

static const char *no_guest(void)
{
	return getpid() == 1 ? NULL : "only in a guest";
}

static const char *no_native(void)
{
	return getpid() == 1 ? "only on the running kernel" : NULL;
}

static const char *no_2cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) < 2 ? "one CPU" : NULL;
}

static const char *no_btf(void)
{
	return readable("/sys/kernel/btf/vmlinux") ? NULL : because("/sys/kernel/btf/vmlinux");
}

static const char *no_tracefs(void)
{
	return tracefs_has("events/header_page") ? NULL : "tracefs is not mounted";
}

static const char *no_tracepoints(void)
{
	return no_tracefs_event("sched", "sched_switch");
}

static const char *no_syscall_tracepoints(void)
{
	return no_tracefs_event("syscalls", "sys_enter_getppid");
}

static const char *no_functions(void)
{
	return tracefs_has("available_filter_functions") ? NULL : "no list of traceable functions";
}

static int pmu_type(const char *name)
{
	char path[128], text[32] = "";
	int fd, n;

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atoi(text) : -1;
}

static int perf_open(struct perf_event_attr *attr, int pid, int cpu)
{
	attr->size = sizeof(*attr);
	return syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static const char *no_probe_pmu(const char *pmu, const char *target, uint64_t offset)
{
	struct perf_event_attr attr = {
		.config1 = (uintptr_t)target,
		.config2 = offset,
	};
	int type = pmu_type(pmu), fd;

	if (type < 0)
		return because(pmu);
	attr.type = type;
	fd = perf_open(&attr, -1, 0);
	if (fd < 0)
		return because(pmu);
	close(fd);
	return NULL;
}

static const char *no_kprobes(void)
{
	return no_probe_pmu("kprobe", "vfs_read", 0);
}

/* Where `uprobe_here` lies in our own file. */
static uint64_t own_offset(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long lo, hi, off, here = (unsigned long)uprobe_here;
	uint64_t found = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %*s %lx", &lo, &hi, &off) == 3 && lo <= here && here < hi)
			found = here - lo + off;
	}
	if (f)
		fclose(f);
	return found;
}

static const char *own_path(void)
{
	static char path[512];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = 0;
	return path;
}

static const char *no_uprobes(void)
{
	return no_probe_pmu("uprobe", own_path(), own_offset());
}

static const char *no_fentry(void)
{
	uint32_t id = btf_find(BTF_FUNC, "vfs_read");
	int prog, link;

	if (!id)
		return "no BTF for functions";
	prog = load_empty(PROG_TRACING, ATTACH_TRACE_FENTRY, id);
	if (prog < 0)
		return because("fentry load");
	link = open_link(prog);
	if (link < 0)
		because("fentry attach");
	close(prog);
	if (link < 0)
		return reason;
	close(link);
	return NULL;
}

static const char *no_btf_rawtracepoints(void)
{
	uint32_t id = btf_find(BTF_TYPEDEF, "btf_trace_sched_switch");
	int prog, link;

	if (!id)
		return "no BTF for tracepoints";
	prog = load_empty(PROG_TRACING, ATTACH_TRACE_RAW_TP, id);
	if (prog < 0)
		return because("tp_btf load");
	link = open_link(prog);
	if (link < 0)
		because("tp_btf attach");
	close(prog);
	if (link < 0)
		return reason;
	close(link);
	return NULL;
}

static const char *no_rawtracepoints(void)
{
	struct {
		uint64_t name;
		uint32_t prog_fd, pad;
	} attr = {.name = (uintptr_t) "sched_switch"};
	int prog = load_empty(PROG_RAW_TRACEPOINT, 0, 0), link;

	if (prog < 0)
		return because("raw tracepoint load");
	attr.prog_fd = prog;
	link = bpf(BPF_RAW_TRACEPOINT_OPEN_CMD, &attr, sizeof(attr));
	if (link < 0)
		because("raw tracepoint attach");
	close(prog);
	if (link < 0)
		return reason;
	close(link);
	return NULL;
}

static const char *no_kprobe_link(uint32_t attach_type)
{
	static const char *const names[] = {"vfs_read"};
	struct {
		uint32_t prog_fd, target_fd, attach_type, flags;
		uint32_t multi_flags, cnt;
		uint64_t syms, addrs, cookies;
	} attr = {.attach_type = attach_type, .cnt = 1, .syms = (uintptr_t)names};
	int prog = load_empty(PROG_KPROBE, attach_type, 0), link;

	if (prog < 0)
		return because("load");
	attr.prog_fd = prog;
	link = bpf(BPF_LINK_CREATE_CMD, &attr, sizeof(attr));
	if (link < 0)
		because("link");
	close(prog);
	if (link < 0)
		return reason;
	close(link);
	return NULL;
}

static const char *no_kprobe_multi(void)
{
	return no_kprobe_link(ATTACH_KPROBE_MULTI);
}

static const char *no_kprobe_session(void)
{
	return no_kprobe_link(ATTACH_KPROBE_SESSION);
}

/* Links of kprobes tell missed runs: facts of any link then have room for it. */
static const char *no_missed_counts(void)
{
	struct {
		uint64_t name;
		uint32_t prog_fd, pad;
	} open_attr = {.name = (uintptr_t) "sched_switch"};
	char facts[56] = {0};
	struct {
		uint32_t fd, size;
		uint64_t facts;
	} attr = {.size = sizeof(facts), .facts = (uintptr_t)facts};
	int prog = load_empty(PROG_RAW_TRACEPOINT, 0, 0), link;
	long err;

	open_attr.prog_fd = prog;
	link = prog < 0 ? -1 : bpf(BPF_RAW_TRACEPOINT_OPEN_CMD, &open_attr, sizeof(open_attr));
	attr.fd = link;
	err = link < 0 ? -1 : bpf(BPF_OBJ_GET_INFO_BY_FD_CMD, &attr, sizeof(attr));
	close(prog);
	close(link);
	return err ? because("link info") : attr.size < sizeof(facts) ? "links do not tell missed runs" : NULL;
}

static const char *no_uprobe_multi(void)
{
	uint64_t offsets[] = {own_offset()};
	struct {
		uint32_t prog_fd, target_fd, attach_type, flags;
		uint64_t path, offsets, ref_ctr_offsets, cookies;
		uint32_t cnt, multi_flags, pid, pad;
	} attr = {
		.attach_type = ATTACH_UPROBE_MULTI,
		.path = (uintptr_t)own_path(),
		.offsets = (uintptr_t)offsets,
		.cnt = 1,
	};
	int prog = load_empty(PROG_KPROBE, ATTACH_UPROBE_MULTI, 0), link;

	if (prog < 0)
		return because("load");
	attr.prog_fd = prog;
	link = bpf(BPF_LINK_CREATE_CMD, &attr, sizeof(attr));
	if (link < 0)
		because("link");
	close(prog);
	if (link < 0)
		return reason;
	close(link);
	return NULL;
}

/* Does the verifier know helper `id` in a program of this type?  It refuses our call either way;
 * the log tells why. */
static const char *no_helper_in(uint32_t type, int id)
{
	struct insn insns[] = {{0x85, 0x00, 0, id}, MOV_R0_0, EXIT};
	static char log[4096];
	int fd;

	log[0] = 0;
	setrlimit(RLIMIT_MEMLOCK, &all_memory);
	fd = load(type, 0, 0, insns, 3, log, sizeof(log));
	if (fd >= 0) {
		close(fd);
		return NULL;
	}
	if (!strstr(log, "invalid func") && !strstr(log, "unknown func") &&
	    !strstr(log, "program of this type cannot use"))
		return NULL;
	snprintf(reason, sizeof(reason), "no helper %d", id);
	return reason;
}

static const char *no_helper(int id)
{
	return no_helper_in(PROG_KPROBE, id);
}

static const char *no_bpf_loop(void)
{
	return no_helper(181);
}

static const char *no_for_each_map_elem(void)
{
	return no_helper(164);
}

static const char *no_get_func_ip(void)
{
	return no_helper(173);
}

static const char *no_tai_clock(void)
{
	return no_helper(208);
}

static const char *no_map_lookup_percpu(void)
{
	return no_helper(195);
}

static const char *no_fetch_add(void)
{
	/* *(u64 *)(r10 - 8) = 0; r1 = 1; r1 = atomic_fetch_add((u64 *)(r10 - 8), r1) */
	struct insn insns[] = {
		{0x7a, 0x0a, -8, 0}, {0xb7, 0x01, 0, 1}, {0xdb, 0x1a, -8, 1}, MOV_R0_0, EXIT,
	};
	int fd = load(PROG_TRACEPOINT, 0, 0, insns, 5, NULL, 0);

	if (fd < 0)
		return because("atomic fetch-add");
	close(fd);
	return NULL;
}

static const char *no_ringbuf(void)
{
	struct {
		uint32_t type, key_size, value_size, max_entries, flags, pad;
	} attr = {.type = MAP_RINGBUF, .max_entries = 4096};
	int fd = bpf(BPF_MAP_CREATE_CMD, &attr, sizeof(attr));

	if (fd < 0)
		return because("ring buffer");
	close(fd);
	return NULL;
}

static const char *no_big_keys(void)
{
	struct {
		uint32_t type, key_size, value_size, max_entries, flags, pad;
	} attr = {.type = 1 /* hash */, .key_size = 2048, .value_size = 8, .max_entries = 1};
	int fd = bpf(BPF_MAP_CREATE_CMD, &attr, sizeof(attr));

	if (fd < 0)
		return because("keys over 512 bytes");
	close(fd);
	return NULL;
}

static const char *no_pmu(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
				       .config = PERF_COUNT_HW_CPU_CYCLES};
	int fd = perf_open(&attr, 0, -1);

	if (fd < 0)
		return because("hardware counters");
	close(fd);
	return NULL;
}

static const char *no_software_events(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .config = PERF_COUNT_SW_CPU_CLOCK};
	int fd = perf_open(&attr, -1, 0);

	if (fd < 0)
		return because("software events");
	close(fd);
	return NULL;
}

static const char *no_watchpoints(void)
{
	/* struct perf_event_attr has the breakpoint's type in bp_type, address in config1, length
	 * in config2. */
	static long watched;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.bp_type = 2 /* write */,
		.config1 = (uintptr_t)&watched,
		.config2 = 8,
		.sample_period = 1,
	};
	int fd = perf_open(&attr, 0, -1);

	if (fd < 0)
		return because("breakpoints");
	close(fd);
	return NULL;
}

static const char *no_cgroup2(void)
{
	struct statfs s;

	if (statfs("/sys/fs/cgroup", &s) || s.f_type != 0x63677270)
		return "no cgroup v2 at /sys/fs/cgroup";
	return NULL;
}

static const char *no_bpffs(void)
{
	struct statfs s;

	if (statfs("/sys/fs/bpf", &s) || s.f_type != 0xcafe4a11)
		return "no bpf file system at /sys/fs/bpf";
	return NULL;
}

static const char *no_kallsyms(void)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long address = 0;

	if (f && fscanf(f, "%lx", &address) != 1)
		address = 0;
	/* The first symbols may be per-CPU ones at 0; one real address is enough. */
	for (int i = 0; f && !address && i < 200000; i++) {
		if (fscanf(f, "%*[^\n]%lx", &address) == EOF)
			break;
	}
	if (f)
		fclose(f);
	return address ? NULL : "no addresses in /proc/kallsyms";
}

static const char *no_tcp(int family)
{
	struct sockaddr_storage a = {.ss_family = family};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *missing = NULL;

	if (family == AF_INET6)
		((struct sockaddr_in6 *)&a)->sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)&a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 ||
	    bind(fd, (void *)&a,
		 family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)))
		missing = because("tcp over loopback");
	if (fd >= 0)
		close(fd);
	return missing;
}

static const char *no_tcp4(void)
{
	return no_tcp(AF_INET);
}

static const char *no_tcp6(void)
{
	return no_tcp(AF_INET6);
}

static const struct {
	const char *name;
	const char *(*missing)(void);
} abilities[] = {
	{"root", no_root},
	{"guest", no_guest},
	{"native", no_native},
	{"2cpus", no_2cpus},
	{"btf", no_btf},
	{"tracefs", no_tracefs},
	{"tracepoints", no_tracepoints},
	{"syscall-tracepoints", no_syscall_tracepoints},
	{"rawtracepoints", no_rawtracepoints},
	{"btf-rawtracepoints", no_btf_rawtracepoints},
	{"functions", no_functions},
	{"kprobes", no_kprobes},
	{"kprobe_multi", no_kprobe_multi},
	{"kprobe_session", no_kprobe_session},
	{"missed-counts", no_missed_counts},
	{"fentry", no_fentry},
	{"uprobes", no_uprobes},
	{"uprobe_multi", no_uprobe_multi},
	{"bpf_loop", no_bpf_loop},
	{"for_each_map_elem", no_for_each_map_elem},
	{"get_func_ip", no_get_func_ip},
	{"map_lookup_percpu", no_map_lookup_percpu},
	{"tai-clock", no_tai_clock},
	{"fetch-add", no_fetch_add},
	{"ringbuf", no_ringbuf},
	{"big-keys", no_big_keys},
	{"pmu", no_pmu},
	{"software-events", no_software_events},
	{"watchpoints", no_watchpoints},
	{"cgroup2", no_cgroup2},
	{"bpffs", no_bpffs},
	{"kallsyms", no_kallsyms},
	{"tcp4", no_tcp4},
	{"tcp6", no_tcp6},
};

static bool in_path(const char *program)
{
	char *path = strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	bool found = false;

	for (char *save, *d = strtok_r(path, ":", &save); d && !found;
	     d = strtok_r(NULL, ":", &save)) {
		char full[1024];

		snprintf(full, sizeof(full), "%s/%s", d, program);
		found = !access(full, X_OK);
	}
	free(path);
	return found;
}

/* Load the module if that is still to do; guests only, the developer's machine is left as it is. */
static const char *no_module(const char *name)
{
	char path[256];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	if (!access(path, F_OK))
		return NULL;
	snprintf(reason, sizeof(reason), "module %s is not loaded", name);
	if (getpid() != 1)
		return reason;
	pid = fork();
	if (!pid) {
		execlp("modprobe", "modprobe", name, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return access(path, F_OK) ? reason : NULL;
}

static const char *no_file_system(const char *name)
{
	char line[128];
	bool found = false;
	FILE *f;

	no_module(name);
	f = fopen("/proc/filesystems", "re");
	while (f && fgets(line, sizeof(line), f)) {
		char *tab = strchr(line, '\t');

		line[strcspn(line, "\n")] = 0;
		found |= tab && !strcmp(tab + 1, name);
	}
	if (f)
		fclose(f);
	if (found)
		return NULL;
	snprintf(reason, sizeof(reason), "no file system %s", name);
	return reason;
}

static bool line_begins(const char *path, const char *word)
{
	FILE *f = fopen(path, "re");
	size_t n = strlen(word);
	bool found = false;
	char line[1024];

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, word, n) &&
			(line[n] == '\n' || line[n] == ' ' || line[n] == '\t');
	if (f)
		fclose(f);
	return found;
}

static const char *no_function(const char *name)
{
	if (line_begins("/sys/kernel/tracing/available_filter_functions", name))
		return NULL;
	snprintf(reason, sizeof(reason), "function %s cannot be traced", name);
	return reason;
}

static const char *no_tracepoint(const char *spec)
{
	char category[128];
	const char *colon = strchr(spec, ':');

	if (!colon || (size_t)(colon - spec) >= sizeof(category))
		return "malformed need: tracepoint:CATEGORY:EVENT";
	memcpy(category, spec, colon - spec);
	category[colon - spec] = 0;
	return no_tracefs_event(category, colon + 1);
}

static const char *no_file(const char *path)
{
	return access(path, F_OK) ? because(path) : NULL;
}

static const char *no_program(const char *name)
{
	if (in_path(name))
		return NULL;
	snprintf(reason, sizeof(reason), "program %s is not there", name);
	return reason;
}

static const char *no_helper_number(const char *number)
{
	return no_helper(atoi(number));
}

static const char *no_btf_struct(const char *name)
{
	if (btf_find(BTF_STRUCT, name))
		return NULL;
	snprintf(reason, sizeof(reason), "no struct %s in BTF", name);
	return reason;
}

static const char *no_btf_enum(const char *name)
{
	if (btf_find(BTF_ENUM, name))
		return NULL;
	snprintf(reason, sizeof(reason), "no enum %s in BTF", name);
	return reason;
}

static const char *no_btf_function(const char *name)
{
	if (btf_find(BTF_FUNC, name))
		return NULL;
	snprintf(reason, sizeof(reason), "no function %s in BTF", name);
	return reason;
}

static const struct {
	const char *prefix;
	const char *(*missing)(const char *what);
} families[] = {
	{"module:", no_module},
	{"fs:", no_file_system},
	{"function:", no_function},
	{"tracepoint:", no_tracepoint},
	{"file:", no_file},
	{"program:", no_program},
	{"helper:", no_helper_number},
	{"struct:", no_btf_struct},
	{"enum:", no_btf_enum},
	{"btf-function:", no_btf_function},
};

const char *ability_missing(const char *need)
{
	enum { N = sizeof(abilities) / sizeof(abilities[0]) };
	static bool asked[N];
	static char *answers[N];

	if (need[0] == '!') {
		static char text[128];
		const char *missing = ability_missing(need + 1);

		if (missing && !strncmp(missing, "unknown need", 12))
			return missing;
		snprintf(text, sizeof(text), "%s is there", need + 1);
		return missing ? NULL : text;
	}
	for (unsigned int i = 0; i < N; i++) {
		if (strcmp(abilities[i].name, need))
			continue;
		if (!asked[i]) {
			const char *missing = abilities[i].missing();

			answers[i] = missing ? strdup(missing) : NULL;
			asked[i] = true;
		}
		return answers[i];
	}
	for (unsigned int i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		size_t n = strlen(families[i].prefix);

		if (!strncmp(families[i].prefix, need, n))
			return families[i].missing(need + n);
	}
	snprintf(reason, sizeof(reason), "unknown need '%s'", need);
	return reason;
}

void abilities_list(FILE *out)
{
	for (unsigned int i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++) {
		const char *missing = ability_missing(abilities[i].name);

		fprintf(out, "%-20s %s\n", abilities[i].name, missing ? missing : "yes");
	}
}
