/* tracepoint: a perf event of the tracepoint's id; rawtracepoint: by name, without perf. */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "runtime/machine.h"
#include "runtime/providers/perf.h"
#include "runtime/providers/providers.h"

static int prepare_tracepoint(struct live_probe *p, struct attach_env *env)
{
	(void)env;
	return bpf_program__set_type(p->prog, BPF_PROG_TYPE_TRACEPOINT);
}

/* The event is opened for CPU 0, but the program hangs on the tracepoint itself and runs on every CPU. */
static int attach_one(struct live_probe *p, struct attach_env *env, int point)
{
	const struct probe_spec *spec = p->row->attach.at[point];
	struct machine *m = machine_of(env->kernel);
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .sample_period = 1, .disabled = 1};
	struct trace_format *format;
	int err, fd, n, *cpus;

	if (p->raw_syscall)
		format = machine_trace_format(m, env->arena, STR("raw_syscalls"),
					      str_starts(spec->function, STR("sys_enter")) ? STR("sys_enter") : STR("sys_exit"), &err);
	else
		format = machine_trace_format(m, env->arena, spec->module, spec->function, &err);
	if (!format) {
		probe_point_failed(p, point, err, machine_tracefs(m) ? "there is no such tracepoint" : m->why, NULL);
		return -err;
	}
	attr.config = format->id;
	cpus = perf_online_cpus(env->arena, &n);
	fd = perf_open(&attr, -1, n ? cpus[0] : 0);
	return fd < 0 ? fd : perf_attach(p, env, fd, (uint64_t)point);
}

static int attach_tracepoint(struct live_probe *p, struct attach_env *env)
{
	int i, n = 0;

	for (i = 0; i < p->row->attach.n && progress_step(&env->progress); i++) {
		int err = attach_one(p, env, i);

		if (!err)
			probe_point_ok(p, i);
		else if (!p->points[i].err)
			probe_point_failed(p, i, -err, NULL, NULL);
		n += !err;
	}
	return n;
}

static int prepare_raw(struct live_probe *p, struct attach_env *env)
{
	(void)env;
	return bpf_program__set_type(p->prog, BPF_PROG_TYPE_RAW_TRACEPOINT);
}

static int attach_raw(struct live_probe *p, struct attach_env *env)
{
	int i, n = 0;

	for (i = 0; i < p->row->attach.n && progress_step(&env->progress); i++) {
		const struct probe_spec *spec = p->row->attach.at[i];
		int fd = bpf_raw_tracepoint_open(str_c(env->arena, spec->function), bpf_program__fd(p->prog));

		if (fd < 0) {
			probe_point_failed(p, i, -fd, fd == -ENOENT ? "there is no such tracepoint" : NULL, NULL);
			continue;
		}
		probe_add_link(p, env, NULL, fd);
		probe_point_ok(p, i);
		n++;
	}
	return n;
}

const struct provider provider_tracepoint = {.kind = PROBE_TRACEPOINT,
					     .list = trace_list,
					     .args = trace_args,
					     .near = trace_near,
					     .prepare = prepare_tracepoint,
					     .attach = attach_tracepoint};
const struct provider provider_rawtracepoint = {.kind = PROBE_RAWTRACEPOINT,
						.list = rawtp_list,
						.args = rawtp_args,
						.near = rawtp_near,
						.prepare = prepare_raw,
						.attach = attach_raw};
