/* Opening perf events and hanging BPF programs on them. */
#include "runtime/providers/perf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "runtime/bpf_sys.h"
#include "runtime/machine.h"

/* A thousand probes are a thousand descriptors.  The soft limit is our own to raise. */
static bool raise_fd_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= r.rlim_max)
		return false;
	r.rlim_cur = r.rlim_max;
	return !setrlimit(RLIMIT_NOFILE, &r);
}

int perf_open(struct perf_event_attr *attr, int pid, int cpu)
{
	long fd;

	attr->size = sizeof(*attr);
	do
		fd = syscall(__NR_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	while (fd < 0 && errno == EMFILE && raise_fd_limit());
	return fd < 0 ? -errno : (int)fd;
}

int perf_attach(struct live_probe *p, struct attach_env *env, int event_fd, uint64_t cookie)
{
	struct sys_link_attr attr;
	int link, err;

	memset(&attr, 0, sizeof(attr));
	attr.prog_fd = (uint32_t)bpf_program__fd(p->prog);
	attr.target_fd = (uint32_t)event_fd;
	attr.attach_type = BPF_PERF_EVENT;
	attr.perf_event.bpf_cookie = cookie;
	do
		link = sys_link_create(&attr);
	while (link == -EMFILE && raise_fd_limit());
	if (link >= 0) {
		/* The link keeps the event: one descriptor a probe is enough. */
		probe_add_link(p, env, NULL, link);
		err = ioctl(event_fd, PERF_EVENT_IOC_ENABLE, 0) ? -errno : 0;
		close(event_fd);
		return err;
	}
	probe_add_link(p, env, NULL, event_fd);
	if (link != -EINVAL)
		return link;
	if (p->row->uses_cookie && p->row->attach.n > 1)
		return -EOPNOTSUPP; /* the program could not tell its attach points apart */
	if (ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(p->prog)))
		return -errno;
	return ioctl(event_fd, PERF_EVENT_IOC_ENABLE, 0) ? -errno : 0;
}

/* The first line of a small file.  0 or -errno. */
static int read_line(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		err = -errno;
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err;
}

static const char *const pmu_names[] = {[PMU_KPROBE] = "kprobe", [PMU_UPROBE] = "uprobe"};

int perf_pmu_type(struct attach_env *env, enum perf_pmu pmu)
{
	int *known = &machine_of(env->kernel)->pmu[pmu][0], err;
	char path[128], text[64];

	if (!*known) {
		snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", pmu_names[pmu]);
		err = read_line(path, text, sizeof(text));
		*known = err ? err : atoi(text) + 1;
	}
	return *known < 0 ? *known : *known - 1;
}

int perf_pmu_retprobe_bit(struct attach_env *env, enum perf_pmu pmu)
{
	int *known = &machine_of(env->kernel)->pmu[pmu][1], err;
	char path[128], text[64];

	if (!*known) {
		snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/format/retprobe", pmu_names[pmu]);
		err = read_line(path, text, sizeof(text));
		*known = err ? err : strncmp(text, "config:", 7) ? -EINVAL : atoi(text + 7) + 1;
	}
	return *known < 0 ? *known : *known - 1;
}

int *perf_online_cpus(struct arena *a, int *n)
{
	VEC(int) cpus = {0};
	char text[4096], *p = text;

	if (read_line("/sys/devices/system/cpu/online", text, sizeof(text)))
		strcpy(text, "0");
	while (*p) {
		long from = strtol(p, &p, 10), to = from;

		if (*p == '-')
			to = strtol(p + 1, &p, 10);
		for (; from <= to && cpus.n < 65536; from++)
			VEC_PUSH(a, &cpus, (int)from);
		if (*p != ',')
			break;
		p++;
	}
	*n = cpus.n;
	return cpus.at;
}

static int attach_cpus(struct live_probe *p, struct attach_env *env, struct perf_event_attr *attr, int point)
{
	int n, i, *cpus = perf_online_cpus(env->arena, &n), attached = 0;

	for (i = 0; i < n; i++) {
		int fd = perf_open(attr, -1, cpus[i]), err;

		if (fd == -ENODEV)
			continue; /* went offline meanwhile */
		err = fd < 0 ? fd : perf_attach(p, env, fd, (uint64_t)point);
		if (err)
			return err;
		attached++;
	}
	return attached ? 0 : -ENODEV;
}

/* Events of one process: of each thread that it has, inherited by those that it makes.  inherit_thread (5.13) leaves its
 * child processes out; where it is not known the program itself compares the process id. */
static int attach_threads(struct live_probe *p, struct attach_env *env, struct perf_event_attr *attr, int point, int pid)
{
	char path[64];
	struct dirent *e;
	int attached = 0, err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return -ESRCH;
	attr->inherit = 1;
	attr->inherit_thread = 1;
	while (!err && (e = readdir(dir))) {
		int tid = atoi(e->d_name), fd;

		if (tid <= 0)
			continue;
		fd = perf_open(attr, tid, -1);
		if (fd == -EINVAL && attr->inherit_thread) {
			attr->inherit_thread = 0;
			fd = perf_open(attr, tid, -1);
		}
		if (fd == -ESRCH)
			continue; /* the thread has ended */
		err = fd < 0 ? fd : perf_attach(p, env, fd, (uint64_t)point);
		attached += !err;
	}
	closedir(dir);
	return err ? err : attached ? 0 : -ESRCH;
}

int perf_attach_to(struct live_probe *p, struct attach_env *env, struct perf_event_attr *attr, int point, int pid)
{
	return pid > 0 ? attach_threads(p, env, attr, point, pid) : attach_cpus(p, env, attr, point);
}

int perf_attach_everywhere(struct live_probe *p, struct attach_env *env, struct perf_event_attr *attr, int point)
{
	return perf_attach_to(p, env, attr, point, env->pid);
}
