/* What this kernel can do, found out by trying, one ability at a time and once.  Nothing is guessed from a version:
 * distributions move features back and switch them off. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/bpf_sys.h"
#include "runtime/machine.h"

#define INSN(op, d, s, o, i) ((struct bpf_insn){.code = (op), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define MOV_IMM(r, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, i)
#define MOV_REG(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define CALL(f) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Ids of helpers (include/uapi/linux/bpf.h). */
enum {
	HELPER_map_lookup_elem = 1,
	HELPER_get_stackid = 27,
	HELPER_ktime_get_boot_ns = 125,
	HELPER_get_task_stack = 141,
	HELPER_d_path = 147,
	HELPER_get_current_task_btf = 158,
	HELPER_for_each_map_elem = 164,
	HELPER_snprintf = 165,
	HELPER_get_func_ip = 173,
	HELPER_loop = 181,
	HELPER_strncmp = 182,
	HELPER_map_lookup_percpu_elem = 195,
	HELPER_ktime_get_tai_ns = 208,
};

static bool close_ok(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A program that does nothing. */
static int load_empty(uint32_t type, uint32_t expected, uint32_t btf_id)
{
	struct bpf_insn insns[] = {MOV_IMM(0, 0), EXIT()};

	return sys_prog_load(&(struct sys_prog){
		.type = type, .expected_attach_type = expected, .attach_btf_id = btf_id, .insns = insns, .ninsns = 2});
}

/* Does the verifier know a helper?  It is called without arguments; the complaint tells: an unknown helper, one that this type
 * of program may not call, or (good) wrong arguments. */
static bool has_helper(int helper, uint32_t type, uint32_t expected, uint32_t btf_id)
{
	struct bpf_insn insns[] = {CALL(helper), MOV_IMM(0, 0), EXIT()};
	char log[1024] = "";
	int fd = sys_prog_load(&(struct sys_prog){.type = type,
						  .expected_attach_type = expected,
						  .attach_btf_id = btf_id,
						  .insns = insns,
						  .ninsns = 3,
						  .log = log,
						  .log_size = sizeof(log)});

	if (close_ok(fd))
		return true;
	if (fd != -EINVAL && fd != -EACCES && fd != -ENOSPC)
		return false;
	return log[0] && !strstr(log, "invalid func") && !strstr(log, "unknown func") && !strstr(log, "cannot use helper");
}

static uint32_t func_id(struct machine *m, const char *name)
{
	struct btf_file *f = machine_btf(m);

	return f ? btf_find(f, str_of(name), BTF_MASK(BTF_KIND_FUNC)) : 0;
}

/* The trampoline must not only be accepted but attached: kernels without ftrace's direct calls refuse only then. */
static bool has_fentry(struct machine *m)
{
	uint32_t id = func_id(m, "bpf_fentry_test1");
	union bpf_attr attr;
	int prog, link;

	prog = id ? load_empty(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, id) : -ENOENT;
	if (prog < 0)
		return false;
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.prog_fd = (uint32_t)prog;
	link = sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
	close(prog);
	return close_ok(link);
}

/* A link whose list of targets cannot be read: EFAULT says that everything up to the reading is supported, and nothing is
 * attached. */
static bool has_multi(uint32_t attach_type, bool user)
{
	struct sys_link_attr attr;
	int prog = load_empty(BPF_PROG_TYPE_KPROBE, attach_type, 0), err;

	if (prog < 0)
		return false;
	memset(&attr, 0, sizeof(attr));
	attr.prog_fd = (uint32_t)prog;
	attr.attach_type = attach_type;
	if (user) {
		attr.uprobe_multi.path = 1;
		attr.uprobe_multi.offsets = 1;
		attr.uprobe_multi.cnt = 1;
	} else {
		attr.kprobe_multi.addrs = 1;
		attr.kprobe_multi.cnt = 1;
	}
	err = sys_link_create(&attr);
	close(prog);
	return !close_ok(err) && err == -EFAULT;
}

bool machine_notes_calls_in_tasks(struct machine *m)
{
	struct btf_file *f = machine_btf(m);

	return f && btf_find(f, STR("fprobe_hlist"), BTF_MASK(BTF_KIND_STRUCT));
}

/* Where a link has a limited number of places for calls in progress, one that finds none runs neither side: a kprobe would lose
 * calls that it counts when it has a link of its own. */
static bool has_session(struct machine *m)
{
	return has_multi(SYS_TRACE_KPROBE_SESSION, false) && machine_notes_calls_in_tasks(m) &&
	       btf_find(machine_btf(m), STR("bpf_session_is_return"), BTF_MASK(BTF_KIND_FUNC));
}

/* bpf_get_func_ip() in user probes came with a note in what is kept of a run (6.6); before, it answers 0 there. */
static bool has_user_func_ip(struct machine *m)
{
	struct btf_file *f = machine_btf(m);
	const struct btf_type *t = f ? btf_type_at(f, btf_find(f, STR("bpf_trace_run_ctx"), BTF_MASK(BTF_KIND_STRUCT))) : NULL;
	const struct btf_member *member = t ? btf_tail(t) : NULL;
	int i;

	for (i = 0; t && i < (int)BTF_INFO_VLEN(t->info); i++)
		if (str_is(btf_text(f, member[i].name_off), "is_uprobe"))
			return true;
	return false;
}

static bool has_atomic_fetch(void)
{
	struct bpf_insn insns[] = {
		INSN(BPF_ST | BPF_DW | BPF_MEM, BPF_REG_10, 0, -8, 0),
		MOV_IMM(1, 1),
		INSN(BPF_STX | BPF_DW | BPF_ATOMIC, BPF_REG_10, 1, -8, BPF_ADD | BPF_FETCH),
		MOV_IMM(0, 0),
		EXIT(),
	};

	return close_ok(
		sys_prog_load(&(struct sys_prog){.type = BPF_PROG_TYPE_RAW_TRACEPOINT, .insns = insns, .ninsns = 5}));
}

static bool has_map(uint32_t type, uint32_t key, uint32_t value, uint32_t entries)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = key;
	attr.value_size = value;
	attr.max_entries = entries;
	return close_ok(sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)));
}

/* recursion_misses (5.12): the kernel cuts info_len to what it knows. */
static bool has_run_counters(void)
{
	struct bpf_prog_info info;
	union bpf_attr attr;
	int fd = load_empty(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0), err;

	if (fd < 0)
		return false;
	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t)(uintptr_t)&info;
	err = sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
	close(fd);
	return !err && attr.info.info_len >= offsetof(struct bpf_prog_info, recursion_misses) + sizeof(info.recursion_misses);
}

static bool has_pmu(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE, .size = sizeof(attr), .config = PERF_COUNT_HW_CPU_CYCLES, .disabled = 1};

	return close_ok((int)syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

static bool has_iter(struct machine *m)
{
	uint32_t id = func_id(m, "bpf_iter_task");

	return id && close_ok(load_empty(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, id));
}

/* d_path may be called from few functions; this is one of them since it exists. */
static bool has_d_path(struct machine *m)
{
	uint32_t id = func_id(m, "filp_close");

	return id && has_helper(HELPER_d_path, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, id);
}

static int make_map(uint32_t type, uint32_t value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = value;
	attr.max_entries = 1;
	return sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* A program that takes a kernel stack and keeps what the helper said, with one bit more so that it is never 0. */
static int load_stack_taker(int stacks, int answer)
{
	enum { RAN = 1 << 20 };
	struct bpf_insn insns[] = {
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, stacks),
		INSN(0, 0, 0, 0, 0),
		MOV_IMM(BPF_REG_3, 0),
		CALL(HELPER_get_stackid),
		MOV_REG(BPF_REG_6, BPF_REG_0),
		INSN(BPF_ST | BPF_W | BPF_MEM, BPF_REG_10, 0, -4, 0),
		MOV_REG(BPF_REG_2, BPF_REG_10),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, answer),
		INSN(0, 0, 0, 0, 0),
		CALL(HELPER_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_6, 0, 0, RAN),
		INSN(BPF_STX | BPF_DW | BPF_MEM, BPF_REG_0, BPF_REG_6, 0, 0),
		MOV_IMM(0, 0),
		EXIT(),
	};

	return sys_prog_load(&(struct sys_prog){
		.type = BPF_PROG_TYPE_TRACEPOINT, .insns = insns, .ninsns = sizeof(insns) / sizeof(*insns)});
}

/* Run a program on our own getppid(): what it left in `answer`, 0 when it did not run. */
static int64_t ask_getppid(struct machine *m, int prog, int answer)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .sample_period = 1, .disabled = 1};
	struct arena *a = arena_new();
	int err, event = -1;
	struct trace_format *format = machine_trace_format(m, a, STR("syscalls"), STR("sys_enter_getppid"), &err);
	union bpf_attr look;
	int64_t value = 0;
	uint32_t key = 0;

	if (format) {
		attr.config = format->id;
		event = (int)syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	}
	if (event >= 0 && !ioctl(event, PERF_EVENT_IOC_SET_BPF, prog) && !ioctl(event, PERF_EVENT_IOC_ENABLE, 0)) {
		syscall(__NR_getppid);
		memset(&look, 0, sizeof(look));
		look.map_fd = (uint32_t)answer;
		look.key = (uint64_t)(uintptr_t)&key;
		look.value = (uint64_t)(uintptr_t)&value;
		sys_bpf(BPF_MAP_LOOKUP_ELEM, &look, sizeof(look));
	}
	close_ok(event);
	arena_free(a);
	return value;
}

static bool has_syscall_kstack(struct machine *m)
{
	enum { RAN = 1 << 20 };
	int stacks = make_map(BPF_MAP_TYPE_STACK_TRACE, 64), answer = make_map(BPF_MAP_TYPE_ARRAY, 8), prog = -1;
	int64_t value = 0;

	if (stacks >= 0 && answer >= 0)
		prog = load_stack_taker(stacks, answer);
	if (prog >= 0)
		value = ask_getppid(m, prog, answer);
	close_ok(prog);
	close_ok(stacks);
	close_ok(answer);
	return value >= RAN;
}

static bool is_there(const char *path)
{
	return !access(path, F_OK);
}

/* In which kinds of probes is the checker's question; here: in any. */
static bool has_task_from_pid(struct machine *m)
{
	static const enum probe_kind_id kinds[] = {PROBE_FENTRY, PROBE_TRACEPOINT, PROBE_KPROBE};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kernel_kfunc(&m->k, STR("bpf_task_from_pid"), probe_kind(kinds[i])))
			return true;
	return false;
}

static bool probe_feature(struct machine *m, enum kernel_feature feature)
{
	enum { RAW = BPF_PROG_TYPE_RAW_TRACEPOINT };

	switch (feature) {
	case KERNEL_BTF:
		return machine_btf(m) != NULL;
	case KERNEL_KPROBES:
		return is_there("/sys/bus/event_source/devices/kprobe/type");
	case KERNEL_FENTRY:
		return has_fentry(m);
	case KERNEL_UPROBES:
		return is_there("/sys/bus/event_source/devices/uprobe/type");
	case KERNEL_TRACEPOINTS:
		return machine_tracefs(m) != NULL;
	case KERNEL_KPROBE_MULTI:
		return has_multi(SYS_TRACE_KPROBE_MULTI, false);
	case KERNEL_KPROBE_SESSION:
		return has_session(m);
	case KERNEL_UPROBE_MULTI:
		return has_multi(SYS_TRACE_UPROBE_MULTI, true);
	case KERNEL_BPF_LOOP:
		return has_helper(HELPER_loop, RAW, 0, 0);
	case KERNEL_FOR_EACH_MAP:
		return has_helper(HELPER_for_each_map_elem, RAW, 0, 0);
	case KERNEL_LOOKUP_PERCPU:
		return has_helper(HELPER_map_lookup_percpu_elem, RAW, 0, 0);
	case KERNEL_ATOMIC_FETCH:
		return has_atomic_fetch();
	case KERNEL_BIG_KEYS:
		return has_map(BPF_MAP_TYPE_HASH, 1024, 8, 1);
	case KERNEL_FUNC_IP:
		return has_helper(HELPER_get_func_ip, BPF_PROG_TYPE_KPROBE, 0, 0);
	case KERNEL_USER_FUNC_IP:
		return has_user_func_ip(m);
	case KERNEL_TASK_BTF:
		return has_helper(HELPER_get_current_task_btf, RAW, 0, 0);
	case KERNEL_TASK_STACK:
		return has_helper(HELPER_get_task_stack, RAW, 0, 0);
	case KERNEL_TASK_FROM_PID:
		return has_task_from_pid(m);
	case KERNEL_BOOT_TIME:
		return has_helper(HELPER_ktime_get_boot_ns, RAW, 0, 0);
	case KERNEL_TAI_TIME:
		return has_helper(HELPER_ktime_get_tai_ns, RAW, 0, 0);
	case KERNEL_D_PATH:
		return has_d_path(m);
	case KERNEL_ITER:
		return has_iter(m);
	case KERNEL_RINGBUF:
		return has_map(BPF_MAP_TYPE_RINGBUF, 0, 0, (uint32_t)sysconf(_SC_PAGESIZE));
	case KERNEL_SNPRINTF:
		return has_helper(HELPER_snprintf, RAW, 0, 0);
	case KERNEL_STRNCMP:
		return has_helper(HELPER_strncmp, RAW, 0, 0);
	case KERNEL_RUN_COUNTERS:
		return has_run_counters();
	case KERNEL_SYSCALL_KSTACK:
		return has_syscall_kstack(m);
	case KERNEL_PMU:
		return has_pmu();
	case KERNEL_FEATURE_COUNT:
		break;
	}
	return false;
}

bool kernel_has(struct kernel *k, enum kernel_feature feature)
{
	struct machine *m = machine_of(k);

	if (feature >= KERNEL_FEATURE_COUNT || (m->opt.no_features >> feature & 1))
		return false;
	if (m->opt.btf) /* of another kernel: what it can do shows when the script is run there */
		return true;
	if (!m->features[feature])
		m->features[feature] = probe_feature(m, feature) ? 1 : -1;
	return m->features[feature] > 0;
}

/* ---- functions of the kernel that programs call ------------------------------------------------------------------------- */

static uint32_t program_type(const struct probe_kind *kind)
{
	switch (kind->family) {
	case CONTEXT_REGS:
		return BPF_PROG_TYPE_KPROBE;
	case CONTEXT_TRACEPOINT:
		return BPF_PROG_TYPE_TRACEPOINT;
	case CONTEXT_PERF:
		return BPF_PROG_TYPE_PERF_EVENT;
	case CONTEXT_WORDS:
		return kind->id == PROBE_RAWTRACEPOINT ? BPF_PROG_TYPE_RAW_TRACEPOINT : BPF_PROG_TYPE_TRACING;
	case CONTEXT_ITER:
		return BPF_PROG_TYPE_TRACING;
	case CONTEXT_NONE:
		break;
	}
	return BPF_PROG_TYPE_RAW_TRACEPOINT;
}

bool kernel_kfunc(struct kernel *k, struct str name, const struct probe_kind *kind)
{
	/* Called with zeros; what the verifier complains of tells. */
	struct bpf_insn insns[] = {MOV_IMM(1, 0), MOV_IMM(2, 0), MOV_IMM(3, 0), MOV_IMM(4, 0), MOV_IMM(5, 0),
				   INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, 0), MOV_IMM(0, 0), EXIT()};
	struct machine *m = machine_of(k);
	struct btf_file *f = machine_btf(m);
	uint32_t id = f ? btf_find(f, name, BTF_MASK(BTF_KIND_FUNC)) : 0;
	struct sys_prog p = {.insns = insns, .ninsns = sizeof(insns) / sizeof(*insns)};
	bool is_iter = kind && kind->family == CONTEXT_ITER;
	char log[4096] = "";

	if (!id || !kind)
		return id != 0;
	insns[5].imm = (int32_t)id;
	p.type = program_type(kind);
	p.log = log;
	p.log_size = sizeof(log);
	if (p.type == BPF_PROG_TYPE_TRACING) {
		p.expected_attach_type = is_iter ? BPF_TRACE_ITER : BPF_TRACE_FENTRY;
		p.attach_btf_id = func_id(m, is_iter ? "bpf_iter_task" : "bpf_fentry_test1");
	}
	return close_ok(sys_prog_load(&p)) || (log[0] && !strstr(log, "allowed") && !strstr(log, "reserved fields") &&
					      !strstr(log, "unknown opcode") && !strstr(log, "not supported") &&
					      !strstr(log, "GPL"));
}
