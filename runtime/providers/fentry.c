/* fentry and fexit: programs called from a trampoline at a kernel function, with its arguments as BTF types them.
 * The target is part of loading: one program, one function. */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "runtime/bpf_sys.h"
#include "runtime/machine.h"
#include "runtime/providers/providers.h"

static int prepare(struct live_probe *p, struct attach_env *env)
{
	const struct probe_spec *spec = p->row->attach.at[0];
	bool exit = p->row->kind == PROBE_FEXIT;
	struct btf_file *f = NULL;
	int err;

	if (p->row->attach.n != 1) {
		probe_point_failed(p, 0, EINVAL, "a program of this kind serves one function", NULL);
		return -EINVAL;
	}
	if (!env->kernel->has(env->kernel, KERNEL_FENTRY)) {
		probe_point_failed(p, 0, EOPNOTSUPP,
				   "this kernel has no BPF trampolines (it needs BTF and ftrace with direct calls)",
				   "try kprobe or kretprobe, or a tracepoint nearby");
		return -EOPNOTSUPP;
	}
	/* libbpf takes the first that it finds, in vmlinux and then in the modules. */
	if (spec->module.n && machine_func_proto(machine_of(env->kernel), STR(""), spec->function, &f) && !str_eq(f->name, spec->module)) {
		probe_point_failed(p, 0, EINVAL, "another module has a function of that name, which would be taken",
				   "kprobe with the module's name can be set there");
		return -EINVAL;
	}
	err = bpf_program__set_type(p->prog, BPF_PROG_TYPE_TRACING);
	if (!err)
		err = bpf_program__set_expected_attach_type(p->prog, exit ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY);
	if (!err)
		err = bpf_program__set_attach_target(p->prog, 0, str_c(env->arena, spec->function));
	if (err)
		probe_point_failed(p, 0, -err, err == -ESRCH || err == -ENOENT ? "the kernel's types (BTF) do not have this function" : NULL, NULL);
	return err;
}

static int attach(struct live_probe *p, struct attach_env *env)
{
	int fd;

	if (!progress_step(&env->progress))
		return 0;
	fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(p->prog));
	if (fd < 0) {
		probe_point_failed(p, 0, -fd,
				   fd == -EBUSY		 ? "the function is already traced by something that excludes BPF trampolines"
				   : fd == -E2BIG	 ? "too many programs are attached to this function"
				   : fd == -SYS_ENOTSUPP ? "this kernel has no trampoline for a function of so many arguments"
							 : NULL,
				   "kprobe may work where fentry does not");
		return 0;
	}
	probe_add_link(p, env, NULL, fd);
	probe_point_ok(p, 0);
	return 1;
}

const struct provider provider_fentry = {.kind = PROBE_FENTRY,
					 .list = fentry_list,
					 .args = fentry_args,
					 .near = functions_near,
					 .prepare = prepare,
					 .attach = attach};
const struct provider provider_fexit = {.kind = PROBE_FEXIT,
					.list = fentry_list,
					.args = fentry_args,
					.near = functions_near,
					.prepare = prepare,
					.attach = attach};
