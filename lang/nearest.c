/* The tracepoint that comes nearest to a kernel function, for kernels that cannot probe functions. */
#include "lang/check.h"

/* Functions that people probe, and the event that happens where they do their work. */
static const char *const known[][2] = {
	{"do_exit", "sched:sched_process_exit"},
	{"do_group_exit", "sched:sched_process_exit"},
	{"try_to_wake_up", "sched:sched_waking"},
	{"wake_up_process", "sched:sched_waking"},
	{"wake_up_new_task", "sched:sched_wakeup_new"},
	{"schedule", "sched:sched_switch"},
	{"__schedule", "sched:sched_switch"},
	{"finish_task_switch", "sched:sched_switch"},
	{"kernel_clone", "sched:sched_process_fork"},
	{"_do_fork", "sched:sched_process_fork"},
	{"do_execve", "sched:sched_process_exec"},
	{"do_sys_open", "syscalls:sys_enter_openat"},
	{"do_sys_openat2", "syscalls:sys_enter_openat"},
	{"do_filp_open", "syscalls:sys_enter_openat"},
	{"tcp_set_state", "sock:inet_sock_set_state"},
	{"tcp_sendmsg", "syscalls:sys_enter_sendto"},
	{"tcp_recvmsg", "syscalls:sys_enter_recvfrom"},
	{"tcp_v4_connect", "syscalls:sys_enter_connect"},
	{"tcp_v6_connect", "syscalls:sys_enter_connect"},
	{"inet_csk_accept", "syscalls:sys_enter_accept4"},
	{"handle_mm_fault", "exceptions:page_fault_user"},
	{"oom_kill_process", "oom:mark_victim"},
	{"blk_mq_start_request", "block:block_rq_issue"},
	{"blk_account_io_done", "block:block_rq_complete"},
};

/* In front of a system call's name in the names of functions that do its work. */
static const char *const prefixes[] = {"__x64_sys_", "__arm64_sys_", "__se_sys_", "__do_sys_", "ksys_", "do_sys_", "vfs_", "do_"};

static bool stop_at_first(const struct probe_spec *full, void *arg)
{
	(void)full;
	(void)arg;
	return false;
}

static bool exists(struct checker *c, struct str category, struct str event)
{
	struct probe_spec s = {.kind = probe_kind(PROBE_TRACEPOINT), .module = category, .function = event};

	probe_spec_name(c->arena, &s);
	return c->kernel->each_probe(c->kernel, c->arena, &s, stop_at_first, NULL) > 0;
}

struct str nearest_tracepoint(struct checker *c, struct str function)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct str event = str_of(known[i][1]);
		size_t colon = str_find(event, ':');

		if (str_is(function, known[i][0]) && exists(c, str_sub(event, 0, colon), str_sub(event, colon + 1, event.n)))
			return event;
	}
	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		struct str prefix = str_of(prefixes[i]), event;

		if (!str_starts(function, prefix))
			continue;
		event = str_printf(c->arena, "sys_enter_%.*s", STR_ARG(str_sub(function, prefix.n, function.n)));
		if (exists(c, STR("syscalls"), event))
			return str_printf(c->arena, "syscalls:%.*s", STR_ARG(event));
	}
	return STR("");
}
