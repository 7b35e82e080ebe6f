/* kprobe and kretprobe: one perf event per function, or one kprobe_multi link for many, or one session link for the entry and the
 * return of many.  Never tracefs' kprobe_events, which would outlive a SIGKILL. */
#include <errno.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "runtime/bpf_sys.h"
#include "runtime/machine.h"
#include "runtime/providers/kprobe_session.h"
#include "runtime/providers/perf.h"
#include "runtime/providers/providers.h"

static bool is_return(const struct live_probe *p)
{
	return p->row->kind == PROBE_KRETPROBE;
}

/* kprobe_multi takes names at their beginnings; one function alone is served as well by a perf event, which also knows
 * modules, offsets and addresses. */
static bool fits_multi(const struct live_probe *p, struct attach_env *env)
{
	int i;

	if (p->row->attach.n < 2 || !env->kernel->has(env->kernel, KERNEL_KPROBE_MULTI))
		return false;
	for (i = 0; i < p->row->attach.n; i++) {
		const struct probe_spec *spec = p->row->attach.at[i];

		if (spec->module.n || spec->has_address || spec->offset)
			return false;
	}
	return true;
}

/* The first of the two that asks decides for both. */
static bool takes_session(struct live_probe *p, struct attach_env *env)
{
	if (!p->partner)
		return false;
	if (fits_multi(p, env) && env->kernel->has(env->kernel, KERNEL_KPROBE_SESSION) &&
	    kprobe_session_open(is_return(p) ? p->partner : p, env))
		return true;
	p->partner->partner = NULL;
	p->partner = NULL;
	return false;
}

static int prepare(struct live_probe *p, struct attach_env *env)
{
	int err = bpf_program__set_type(p->prog, BPF_PROG_TYPE_KPROBE);

	/* libbpf 1.1 knows nothing of the attach types but hands them on. */
	if (!err && takes_session(p, env))
		err = bpf_program__set_expected_attach_type(p->prog, (enum bpf_attach_type)SYS_TRACE_KPROBE_SESSION);
	else if (!err && fits_multi(p, env))
		err = bpf_program__set_expected_attach_type(p->prog, (enum bpf_attach_type)SYS_TRACE_KPROBE_MULTI);
	/* Notes of one call are worked off as a list there, the newest link first; elsewhere they are a stack. */
	if (is_return(p) && !p->partner && fits_multi(p, env))
		p->reverse = machine_notes_calls_in_tasks(machine_of(env->kernel));
	return err;
}

static int multi_link(struct live_probe *p, const char **names, uint64_t *cookies, int n)
{
	int prog = p->partner ? kprobe_session_program(p) : bpf_program__fd(p->prog);
	struct sys_link_attr attr;

	if (prog < 0)
		return prog;
	memset(&attr, 0, sizeof(attr));
	attr.prog_fd = (uint32_t)prog;
	attr.attach_type = p->partner ? SYS_TRACE_KPROBE_SESSION : SYS_TRACE_KPROBE_MULTI;
	attr.kprobe_multi.flags = is_return(p) ? SYS_KPROBE_MULTI_RETURN : 0;
	attr.kprobe_multi.cnt = (uint32_t)n;
	attr.kprobe_multi.syms = (uint64_t)(uintptr_t)names;
	attr.kprobe_multi.cookies = (uint64_t)(uintptr_t)cookies;
	return sys_link_create(&attr);
}

static bool uses_cookies(const struct live_probe *p)
{
	return p->row->uses_cookie || (p->partner && p->partner->row->uses_cookie);
}

static void point_ok(struct live_probe *p, int point)
{
	probe_point_ok(p, point);
	if (p->partner)
		probe_point_ok(p->partner, point);
}

static void point_failed(struct live_probe *p, int point, int err)
{
	const char *why = err == ESRCH ? "ftrace does not know this function" : NULL;

	probe_point_failed(p, point, err, why, NULL);
	if (p->partner)
		probe_point_failed(p->partner, point, err, why, NULL);
}

/* One name that ftrace does not know makes the kernel refuse the whole list; halve it until the culprits are alone. */
static int attach_range(struct live_probe *p, struct attach_env *env, const char **names, uint64_t *cookies, int from, int to)
{
	int fd = multi_link(p, names + from, uses_cookies(p) ? cookies + from : NULL, to - from), i;

	if (fd >= 0) {
		probe_add_link(p, env, NULL, fd);
		for (i = from; i < to; i++)
			point_ok(p, (int)cookies[i]);
		return to - from;
	}
	if (to - from > 1 && (fd == -ESRCH || fd == -EINVAL || fd == -ENOENT)) {
		int mid = from + (to - from) / 2;

		return attach_range(p, env, names, cookies, from, mid) + attach_range(p, env, names, cookies, mid, to);
	}
	for (i = from; i < to; i++)
		point_failed(p, (int)cookies[i], -fd);
	return 0;
}

static int attach_multi(struct live_probe *p, struct attach_env *env)
{
	int n = p->row->attach.n, i;
	const char **names = NEW_ARRAY(env->arena, const char *, n);
	uint64_t *cookies = NEW_ARRAY(env->arena, uint64_t, n);

	for (i = 0; i < n; i++) {
		names[i] = str_c(env->arena, p->row->attach.at[i]->function);
		cookies[i] = (uint64_t)i;
	}
	return attach_range(p, env, names, cookies, 0, n);
}

static void explain(struct live_probe *p, struct attach_env *env, int point, int err)
{
	struct machine *m = machine_of(env->kernel);
	const struct probe_spec *spec = p->row->attach.at[point];
	const char *why = NULL, *hint = NULL, *near;

	if (!env->kernel->has(env->kernel, KERNEL_KPROBES)) {
		why = "this kernel has no kprobes (it is built without CONFIG_KPROBES)";
	} else if (!spec->function.n && err != -EPERM && err != -EACCES) {
		why = "there is no kernel function at that address, or no instruction begins there";
	} else if (err == -ERANGE) {
		why = arena_printf(env->arena, "the offset is outside of the function, which has %llu bytes",
				   (unsigned long long)machine_function_size(spec->module, spec->function));
	} else if (err == -ENOENT || (err == -EINVAL && !machine_kallsyms_address(spec->module, spec->function))) {
		why = machine_why_no_function(m, env->arena, spec);
		why = why ? why : "the kernel has no such function";
	} else if (err == -EINVAL) {
		why = "the kernel does not allow a kprobe there";
		hint = "functions that kprobes themselves run through are excluded (/sys/kernel/debug/kprobes/blacklist)";
	} else if (err == -EILSEQ) {
		why = "the offset is in the middle of an instruction";
		hint = "objdump -d vmlinux, or /proc/kcore, shows where instructions begin";
	} else if (err == -EADDRNOTAVAIL) {
		why = "several functions have this name";
	} else if (err == -EPERM || err == -EACCES) {
		why = "the kernel refuses it: missing privileges, or it is locked down (/sys/kernel/security/lockdown)";
	}
	near = spec->offset || !spec->function.n ? NULL : machine_nearest_tracepoint(m, env->arena, spec->function);
	if (near && !hint)
		hint = arena_printf(env->arena, "a tracepoint nearby: %s", near);
	probe_point_failed(p, point, -err, why, hint);
}

static int open_kprobe(struct live_probe *p, struct attach_env *env, const char *symbol, uint64_t offset_or_address)
{
	struct perf_event_attr attr = {.sample_period = 1, .disabled = 1};
	int type = perf_pmu_type(env, PMU_KPROBE), bit = is_return(p) ? perf_pmu_retprobe_bit(env, PMU_KPROBE) : 0, n, *cpus;

	if (type < 0 || bit < 0)
		return type < 0 ? -EOPNOTSUPP : bit;
	attr.type = (uint32_t)type;
	if (is_return(p))
		attr.config = 1ull << bit;
	attr.kprobe_func = (uint64_t)(uintptr_t)symbol;
	attr.probe_offset = offset_or_address; /* the same words as kprobe_addr when there is no name */
	cpus = perf_online_cpus(env->arena, &n);
	return perf_open(&attr, -1, n ? cpus[0] : 0);
}

/* Several static functions of one name: from 6.6 on the kernel refuses the name.  All of them are meant. */
static int attach_all_of_name(struct live_probe *p, struct attach_env *env, int point)
{
	const struct probe_spec *spec = p->row->attach.at[point];
	uint64_t *addresses;
	int n = machine_kallsyms_all(env->arena, spec->module, spec->function, &addresses), i, attached = 0, err = -ENOENT;

	for (i = 0; i < n; i++) {
		int fd = open_kprobe(p, env, NULL, addresses[i] + spec->offset);

		err = fd < 0 ? fd : perf_attach(p, env, fd, (uint64_t)point);
		attached += !err;
	}
	return attached ? 0 : err;
}

static int attach_one(struct live_probe *p, struct attach_env *env, int point)
{
	const struct probe_spec *spec = p->row->attach.at[point];
	bool in_module = spec->module.n && !str_is(spec->module, "vmlinux");
	char *symbol = NULL;
	uint64_t size;
	int fd;

	/* The kernel would take what lies behind the function for a part of it. */
	if (spec->offset && spec->function.n) {
		size = machine_function_size(spec->module, spec->function);
		if (size && spec->offset >= size)
			return -ERANGE;
	}

	if (!spec->has_address || spec->function.n)
		symbol = in_module ? arena_printf(env->arena, "%.*s:%.*s", STR_ARG(spec->module), STR_ARG(spec->function))
				   : str_c(env->arena, spec->function);
	fd = open_kprobe(p, env, symbol, symbol ? spec->offset : spec->address);
	if (fd == -EADDRNOTAVAIL && symbol)
		return attach_all_of_name(p, env, point);
	return fd < 0 ? fd : perf_attach(p, env, fd, (uint64_t)point);
}

static int attach(struct live_probe *p, struct attach_env *env)
{
	int i, n = 0;

	if (p->partner && is_return(p))
		return 0; /* the kprobe attaches both */
	if (p->partner || bpf_program__expected_attach_type(p->prog) == (enum bpf_attach_type)SYS_TRACE_KPROBE_MULTI)
		return attach_multi(p, env);
	for (i = 0; i < p->row->attach.n && progress_step(&env->progress); i++) {
		int err = attach_one(p, env, i);

		if (!err)
			probe_point_ok(p, i);
		else
			explain(p, env, i, err);
		n += !err;
	}
	return n;
}

/* Calls that found another probe at work on their CPU, or no room for one more call in progress; told from 6.7 on. */
static bool missed(struct live_probe *p, uint64_t *count)
{
	*count = p->partner ? kprobe_session_missed(p) : 0;
	VEC_EACH(l, &p->links) {
		struct sys_link_info info;
		uint32_t size;

		if (sys_link_info(l->fd, &info, &size) || size < sizeof(info))
			return false;
		if (info.type == SYS_LINK_KPROBE_MULTI)
			*count += info.kprobe_multi.missed;
		else if (info.perf_event.type == SYS_PERF_EVENT_KPROBE || info.perf_event.type == SYS_PERF_EVENT_KRETPROBE)
			*count += info.perf_event.missed;
	}
	return true;
}

static void release(struct live_probe *p)
{
	kprobe_session_close(p);
}

const struct provider provider_kprobe = {.kind = PROBE_KPROBE,
					 .list = functions_list,
					 .args = kprobe_args,
					 .near = functions_near,
					 .prepare = prepare,
					 .attach = attach,
					 .missed = missed,
					 .release = release};
const struct provider provider_kretprobe = {
	.kind = PROBE_KRETPROBE, .list = functions_list, .near = functions_near, .prepare = prepare, .attach = attach, .missed = missed};
