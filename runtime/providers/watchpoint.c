/* watchpoint: the processor's debug registers, through perf. */
#include <errno.h>

#include <bpf/libbpf.h>

#include "runtime/providers/perf.h"
#include "runtime/providers/providers.h"

static int prepare(struct live_probe *p, struct attach_env *env)
{
	(void)env;
	return bpf_program__set_type(p->prog, BPF_PROG_TYPE_PERF_EVENT);
}

/* The kernel's upper half; an address there means the same in every process. */
static bool is_kernel_address(uint64_t address)
{
	return address >> 63;
}

static const char *reason(int err)
{
	switch (err) {
	case -ENOSPC:
		return "all debug registers of the processor are taken (there are four)";
	case -EINVAL:
	case -EOPNOTSUPP:
		return "the processor cannot watch that: the address must be a multiple of the length, and the modes are rw, w and x";
	case -ENOENT:
	case -ENODEV:
		return "this kernel cannot watch memory (it is built without hardware breakpoints)";
	case -EPERM:
	case -EACCES:
		return "the kernel does not allow it there";
	case -ESRCH:
		return "the process has ended";
	}
	return NULL;
}

static int attach(struct live_probe *p, struct attach_env *env)
{
	int i, n = 0, *first = NEW_ARRAY(env->arena, int, p->row->attach.n + 1);

	p->own = first;
	for (i = 0; i < p->row->attach.n && progress_step(&env->progress); i++) {
		const struct probe_spec *spec = p->row->attach.at[i];
		struct perf_event_attr attr = {.type = PERF_TYPE_BREAKPOINT, .sample_period = 1, .disabled = 1};
		int pid = is_kernel_address(spec->address) ? 0 : env->pid ? env->pid : env->child, err;

		attr.bp_addr = spec->address;
		attr.bp_type = spec->watch_mode; /* the same bits as HW_BREAKPOINT_R, _W, _X (linux/hw_breakpoint.h) */
		/* An instruction has the length of a word, whatever the script says: the kernel takes no other. */
		attr.bp_len = spec->watch_mode & 4 ? sizeof(long) : spec->count;
		err = perf_attach_to(p, env, &attr, i, pid);
		if (err)
			probe_point_failed(p, i, -err, reason(err), NULL);
		else
			probe_point_ok(p, i);
		first[i + 1] = p->links.n;
		n += !err;
	}
	return n;
}

int watchpoint_remove(struct live_probe *p, uint64_t address)
{
	const int *first = p->own; /* of each attach point, and behind the last one */
	int i, j, n = 0;

	for (i = 0; first && i < p->row->attach.n; i++) {
		if (p->row->attach.at[i]->address != address || !p->points[i].attached)
			continue;
		for (j = first[i]; j < first[i + 1]; j++)
			probe_drop_link(&p->links.at[j]);
		p->points[i].attached = false;
		n++;
	}
	return n;
}

const struct provider provider_watchpoint = {.kind = PROBE_WATCHPOINT, .prepare = prepare, .attach = attach};
