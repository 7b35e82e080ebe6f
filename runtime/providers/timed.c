/* profile, interval, software and hardware: perf events that count or tick. */
#include <errno.h>

#include <bpf/libbpf.h>

#include "runtime/providers/perf.h"
#include "runtime/providers/providers.h"

struct event_name {
	const char *name, *alias;
	uint64_t config;
	uint64_t period; /* when the script gives none */
};

static const struct event_name software_events[] = {
	{"alignment-faults", NULL, PERF_COUNT_SW_ALIGNMENT_FAULTS, 1},
	{"bpf-output", NULL, PERF_COUNT_SW_BPF_OUTPUT, 1},
	{"context-switches", "cs", PERF_COUNT_SW_CONTEXT_SWITCHES, 1000},
	{"cpu-clock", "cpu", PERF_COUNT_SW_CPU_CLOCK, 1000000},
	{"cpu-migrations", NULL, PERF_COUNT_SW_CPU_MIGRATIONS, 1},
	{"dummy", NULL, PERF_COUNT_SW_DUMMY, 1},
	{"emulation-faults", NULL, PERF_COUNT_SW_EMULATION_FAULTS, 1},
	{"major-faults", NULL, PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1},
	{"minor-faults", NULL, PERF_COUNT_SW_PAGE_FAULTS_MIN, 100},
	{"page-faults", "faults", PERF_COUNT_SW_PAGE_FAULTS, 100},
	{"task-clock", NULL, PERF_COUNT_SW_TASK_CLOCK, 1},
	{NULL, NULL, 0, 0},
};

static const struct event_name hardware_events[] = {
	{"backend-stalls", NULL, PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 1000000},
	{"branch-instructions", "branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000},
	{"branch-misses", NULL, PERF_COUNT_HW_BRANCH_MISSES, 100000},
	{"bus-cycles", NULL, PERF_COUNT_HW_BUS_CYCLES, 100000},
	{"cache-misses", NULL, PERF_COUNT_HW_CACHE_MISSES, 1000000},
	{"cache-references", NULL, PERF_COUNT_HW_CACHE_REFERENCES, 1000000},
	{"cpu-cycles", "cycles", PERF_COUNT_HW_CPU_CYCLES, 1000000},
	{"frontend-stalls", NULL, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, 1000000},
	{"instructions", NULL, PERF_COUNT_HW_INSTRUCTIONS, 1000000},
	{"ref-cycles", NULL, PERF_COUNT_HW_REF_CPU_CYCLES, 1000000},
	{NULL, NULL, 0, 0},
};

static const struct event_name *events_of(enum probe_kind_id kind)
{
	return kind == PROBE_SOFTWARE ? software_events : hardware_events;
}

static const struct event_name *event_named(enum probe_kind_id kind, struct str name)
{
	const struct event_name *e;

	for (e = events_of(kind); e->name; e++)
		if (str_is(name, e->name) || (e->alias && str_is(name, e->alias)))
			return e;
	return NULL;
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

static bool tell(struct arena *a, const struct probe_spec *pattern, const char *name, probe_name_fn fn, void *arg)
{
	struct probe_spec full = *pattern;

	full.function = str_of(name);
	full.is_pattern = false;
	probe_spec_name(a, &full);
	return fn(&full, arg);
}

static int list_events(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	const struct event_name *e;
	int n = 0;

	(void)k;
	if (!str_is_pattern(pattern->function)) {
		if (!event_named(pattern->kind->id, pattern->function))
			return 0;
		fn(pattern, arg);
		return 1;
	}
	for (e = events_of(pattern->kind->id); e->name; e++) {
		const char *names[] = {e->name, e->alias};
		int i;

		for (i = 0; i < 2; i++) {
			if (!names[i] || !str_match(pattern->function, str_of(names[i])))
				continue;
			n++;
			if (!tell(a, pattern, names[i], fn, arg))
				return n;
		}
	}
	return n;
}

static void near_events(struct kernel *k, const struct probe_spec *spec, struct diag_near *near)
{
	const struct event_name *e;

	(void)k;
	for (e = events_of(spec->kind->id); e->name; e++) {
		diag_near_try(near, str_of(e->name));
		if (e->alias)
			diag_near_try(near, str_of(e->alias));
	}
}

/* ---- attaching ----------------------------------------------------------------------------------------------------- */

static int prepare(struct live_probe *p, struct attach_env *env)
{
	(void)env;
	return bpf_program__set_type(p->prog, BPF_PROG_TYPE_PERF_EVENT);
}

/* Attach each point with `one`; count what worked. */
static int attach_points(struct live_probe *p, struct attach_env *env,
			 int (*one)(struct live_probe *, struct attach_env *, int))
{
	int i, n = 0;

	for (i = 0; i < p->row->attach.n && progress_step(&env->progress); i++) {
		int err = one(p, env, i);

		if (!err) {
			probe_point_ok(p, i);
			n++;
		} else if (!p->points[i].err) {
			probe_point_failed(p, i, -err, NULL, NULL);
		}
	}
	return n;
}

/* cpu-clock is a high-resolution timer of each CPU, so that it needs no hardware counter. */
static void clock_attr(struct perf_event_attr *attr, const struct probe_spec *spec)
{
	*attr = (struct perf_event_attr){.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .disabled = 1};
	if (spec->hz) {
		attr->freq = 1;
		attr->sample_freq = spec->hz;
	} else {
		attr->sample_period = spec->period_ns;
	}
}

static int attach_profile_point(struct live_probe *p, struct attach_env *env, int point)
{
	struct perf_event_attr attr;
	int err;

	clock_attr(&attr, p->row->attach.at[point]);
	err = perf_attach_everywhere(p, env, &attr, point);
	if (err == -EINVAL && attr.freq)
		probe_point_failed(p, point, EINVAL, "the kernel does not allow so high a rate",
				   "the limit is kernel.perf_event_max_sample_rate");
	return err;
}

static int attach_profile(struct live_probe *p, struct attach_env *env)
{
	return attach_points(p, env, attach_profile_point);
}

/* One CPU only: the first that is online. */
static int attach_interval_point(struct live_probe *p, struct attach_env *env, int point)
{
	struct perf_event_attr attr;
	int n, *cpus = perf_online_cpus(env->arena, &n), fd;

	clock_attr(&attr, p->row->attach.at[point]);
	if (attr.freq) { /* a frequency is steered by the kernel; a timer shall tick evenly */
		attr.freq = 0;
		attr.sample_period = 1000000000 / attr.sample_freq;
	}
	fd = perf_open(&attr, -1, n ? cpus[0] : 0);
	return fd < 0 ? fd : perf_attach(p, env, fd, (uint64_t)point);
}

static int attach_interval(struct live_probe *p, struct attach_env *env)
{
	return attach_points(p, env, attach_interval_point);
}

static int attach_counter_point(struct live_probe *p, struct attach_env *env, int point)
{
	const struct probe_spec *spec = p->row->attach.at[point];
	const struct event_name *e = event_named(p->row->kind, spec->function);
	struct perf_event_attr attr = {.disabled = 1};
	int err;

	if (!e) {
		probe_point_failed(p, point, ENOENT, "there is no such event", NULL);
		return -ENOENT;
	}
	attr.type = p->row->kind == PROBE_SOFTWARE ? PERF_TYPE_SOFTWARE : PERF_TYPE_HARDWARE;
	attr.config = e->config;
	attr.sample_period = spec->count ? spec->count : e->period;
	err = perf_attach_everywhere(p, env, &attr, point);
	if (p->row->kind == PROBE_HARDWARE && (err == -ENOENT || err == -EOPNOTSUPP || err == -ENODEV || err == -EINVAL)) {
		bool any = env->kernel->has(env->kernel, KERNEL_PMU);

		probe_point_failed(p, point, -err,
				   any ? "this processor does not count that event"
				       : "this machine has no hardware counters (virtual machines seldom do)",
				   any ? NULL : "software:cpu-clock and profile need no counters");
	}
	return err;
}

static int attach_counter(struct live_probe *p, struct attach_env *env)
{
	return attach_points(p, env, attach_counter_point);
}

const struct provider provider_profile = {.kind = PROBE_PROFILE, .prepare = prepare, .attach = attach_profile};
const struct provider provider_interval = {.kind = PROBE_INTERVAL, .prepare = prepare, .attach = attach_interval};
const struct provider provider_software = {
	.kind = PROBE_SOFTWARE, .list = list_events, .near = near_events, .prepare = prepare, .attach = attach_counter};
const struct provider provider_hardware = {
	.kind = PROBE_HARDWARE, .list = list_events, .near = near_events, .prepare = prepare, .attach = attach_counter};
