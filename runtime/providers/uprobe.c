/* uprobe and uretprobe: a perf event per place in a file, or one uprobe_multi link for many places of one file (6.6 on). */
#include <errno.h>

#include <bpf/libbpf.h>

#include "runtime/bpf_sys.h"
#include "runtime/machine.h"
#include "runtime/providers/perf.h"
#include "runtime/providers/providers.h"
#include "runtime/user_paths.h"
#include "runtime/user_symbols.h"
#include "runtime/user_types.h"

static bool is_return(const struct live_probe *p)
{
	return p->row->kind == PROBE_URETPROBE;
}

/* One link needs one file and one process. */
static bool fits_multi(const struct live_probe *p, struct attach_env *env)
{
	const struct probe_spec *first = p->row->attach.at[0];
	int i;

	if (p->row->attach.n < 2 || !env->kernel->has(env->kernel, KERNEL_UPROBE_MULTI))
		return false;
	for (i = 1; i < p->row->attach.n; i++)
		if (!str_eq(p->row->attach.at[i]->path, first->path) || p->row->attach.at[i]->pid != first->pid)
			return false;
	return true;
}

static int prepare(struct live_probe *p, struct attach_env *env)
{
	int err = bpf_program__set_type(p->prog, BPF_PROG_TYPE_KPROBE);

	if (!err && fits_multi(p, env))
		err = bpf_program__set_expected_attach_type(p->prog, (enum bpf_attach_type)SYS_TRACE_UPROBE_MULTI);
	return err;
}

static int pid_of(const struct attach_env *env, const struct probe_spec *spec)
{
	return spec->pid ? spec->pid : env->pid;
}

int uprobe_attach_offset(struct live_probe *p, struct attach_env *env, const char *path, uint64_t offset, uint64_t semaphore,
			 int pid, bool is_return_probe, uint64_t cookie)
{
	struct perf_event_attr attr = {.sample_period = 1, .disabled = 1};
	int type = perf_pmu_type(env, PMU_UPROBE), bit = is_return_probe ? perf_pmu_retprobe_bit(env, PMU_UPROBE) : 0, fd, n, *cpus;

	if (type < 0 || bit < 0)
		return type < 0 ? -EOPNOTSUPP : bit;
	attr.type = (uint32_t)type;
	if (is_return_probe)
		attr.config = 1ull << bit;
	attr.config |= semaphore << 32; /* format/ref_ctr_offset: config:32-63 */
	attr.uprobe_path = (uint64_t)(uintptr_t)path;
	attr.probe_offset = offset;
	cpus = perf_online_cpus(env->arena, &n);
	fd = pid > 0 ? perf_open(&attr, pid, -1) : perf_open(&attr, -1, n ? cpus[0] : 0);
	return fd < 0 ? fd : perf_attach(p, env, fd, cookie);
}

static void explain(struct live_probe *p, struct attach_env *env, int point, int err, const char *why)
{
	const char *hint = NULL;

	if (!why && !env->kernel->has(env->kernel, KERNEL_UPROBES))
		why = "this kernel has no uprobes (it is built without CONFIG_UPROBES)";
	else if (!why && (err == -EINVAL || err == -EOPNOTSUPP || err == -SYS_ENOTSUPP))
		why = "the kernel cannot put a probe on the instruction there";
	else if (!why && err == -ESRCH)
		why = "the process has ended";
	else if (!why && err == -EIO)
		why = "the place lies outside of the file; was it replaced?";
	probe_point_failed(p, point, -err, why, hint);
}

/* Is a place taken already, by another name of the same function?  It is noted. */
static bool is_taken(struct attach_env *env, struct table *taken, const char *path, int pid, uint64_t offset)
{
	struct str key = str_printf(env->arena, "%d %llx %s", pid, (unsigned long long)offset, path);

	if (table_get(taken, key))
		return true;
	table_put(taken, key, env);
	return false;
}

/* All places of one point that are not `taken`.  0 or -errno with the point marked. */
static int attach_point(struct live_probe *p, struct attach_env *env, int point, struct table *taken)
{
	const struct probe_spec *spec = p->row->attach.at[point];
	int pid = pid_of(env, spec), err = 0;
	const char *why = NULL, *path = user_path_for(env->arena, str_c(env->arena, spec->path), pid);
	offset_list offsets = {0};

	if (!user_offsets(env->kernel, env->arena, spec, &offsets, &why)) {
		explain(p, env, point, -ENOENT, why);
		return -ENOENT;
	}
	VEC_EACH (o, &offsets) {
		if (is_taken(env, taken, path, pid, *o))
			continue;
		err = uprobe_attach_offset(p, env, path, *o, 0, pid, is_return(p), (uint64_t)point);
		if (err) {
			explain(p, env, point, err, NULL);
			return err;
		}
	}
	probe_point_ok(p, point);
	return 0;
}

static int attach_multi(struct live_probe *p, struct attach_env *env)
{
	const struct probe_spec *first = p->row->attach.at[0];
	int pid = pid_of(env, first), n = 0, i, fd;
	offset_list offsets = {0};
	VEC(uint64_t) cookies = {0};
	struct sys_link_attr attr;

	for (i = 0; i < p->row->attach.n; i++) {
		const char *why = NULL;
		int before = offsets.n;

		user_offsets(env->kernel, env->arena, p->row->attach.at[i], &offsets, &why);
		while (cookies.n < offsets.n)
			VEC_PUSH(env->arena, &cookies, (uint64_t)i);
		if (offsets.n == before && why)
			explain(p, env, i, -ENOENT, why);
		else
			probe_point_ok(p, i); /* also one whose place another name has already */
	}
	if (!offsets.n)
		return 0;
	memset(&attr, 0, sizeof(attr));
	attr.prog_fd = (uint32_t)bpf_program__fd(p->prog);
	attr.attach_type = SYS_TRACE_UPROBE_MULTI;
	attr.uprobe_multi.path = (uint64_t)(uintptr_t)user_path_for(env->arena, str_c(env->arena, first->path), pid);
	attr.uprobe_multi.offsets = (uint64_t)(uintptr_t)offsets.at;
	attr.uprobe_multi.cookies = (uint64_t)(uintptr_t)cookies.at;
	attr.uprobe_multi.cnt = (uint32_t)offsets.n;
	attr.uprobe_multi.flags = is_return(p) ? SYS_UPROBE_MULTI_RETURN : 0;
	attr.uprobe_multi.pid = (uint32_t)pid;
	fd = sys_link_create(&attr);
	if (fd >= 0)
		probe_add_link(p, env, NULL, fd);
	for (i = 0; i < p->row->attach.n; i++) {
		if (fd < 0 && p->points[i].attached)
			explain(p, env, i, fd, NULL);
		n += p->points[i].attached;
	}
	return n;
}

static int attach(struct live_probe *p, struct attach_env *env)
{
	struct table taken = {.arena = env->arena};
	int i, n = 0;

	if (bpf_program__expected_attach_type(p->prog) == (enum bpf_attach_type)SYS_TRACE_UPROBE_MULTI)
		return attach_multi(p, env);
	for (i = 0; i < p->row->attach.n && progress_step(&env->progress); i++)
		n += !attach_point(p, env, i, &taken);
	return n;
}

const struct provider provider_uprobe = {
	.kind = PROBE_UPROBE, .list = uprobe_list, .args = uprobe_args, .near = uprobe_near, .prepare = prepare, .attach = attach};
const struct provider provider_uretprobe = {
	.kind = PROBE_URETPROBE, .list = uprobe_list, .args = uprobe_args, .near = uprobe_near, .prepare = prepare, .attach = attach};
