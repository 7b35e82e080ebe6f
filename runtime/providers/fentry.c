/* fentry and fexit: programs called from a trampoline at a kernel function, with its arguments as BTF types them.
 * The target is part of loading: one program, one function. */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "runtime/bpf_sys.h"
#include "runtime/machine.h"
#include "runtime/providers/providers.h"

/* The function of a program.  libbpf would look for its name, in vmlinux and then in the modules, from the beginning for each program, and
 * take the first: another module may have one of that name. */
struct target {
	uint32_t id; /* among the kernel's types */
	int fd;	     /* of the module's types; 0: vmlinux */
};

/* Of env->targets; as long-lived as the variable. */
static struct str program_key(struct bpf_program *const *prog)
{
	return (struct str){(const char *)prog, sizeof(*prog)};
}

/* The session whose programs are loaded. */
static const struct attach_env *loading;

static int tell_target(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct target *t = loading ? table_get(&loading->targets, program_key(&prog)) : NULL;

	(void)cookie;
	if (t) {
		opts->attach_btf_id = t->id;
		opts->attach_btf_obj_fd = (uint32_t)t->fd;
	}
	return 0;
}

/* The handlers stay for the life of the process: libbpf 1.1 keeps a freed table when the last one is taken out. */
void fentry_targets_begin(struct attach_env *env)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = tell_target);
	static bool registered;

	if (!registered) {
		libbpf_register_prog_handler("fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, &opts);
		libbpf_register_prog_handler("fexit", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, &opts);
	}
	registered = true;
	env->targets.arena = env->arena;
	loading = env;
}

void fentry_targets_end(struct attach_env *env)
{
	if (loading == env)
		loading = NULL;
}

static int prepare(struct live_probe *p, struct attach_env *env)
{
	const struct probe_spec *spec = p->row->attach.at[0];
	struct target *target;
	int err = 0;

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
	target = NEW(env->arena, struct target);
	if (machine_func_target(machine_of(env->kernel), spec->module, spec->function, &target->id, &target->fd))
		table_put(&env->targets, str_copy(env->arena, program_key(&p->prog)), target);
	else
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
