/* Registers, signals, and names of numbers. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

enum {
	ERRORS = 134,
	SIGNALS = 65,
	USER_MODE = 3 /* privilege level in the code segment register of x86 */
};

static const struct expr *argument(const struct expr *call, int i)
{
	return call->call.args.at[i];
}

struct value lower_reg(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return value_register(call->type, context_register(e, argument(call, 0)->string.text));
}

struct value lower_usermode(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct probe *p = emit_probe(e);
	LLVMValueRef cs, user;

	(void)dest;
	if (!p || (p->kind->family != CONTEXT_REGS && p->kind->family != CONTEXT_PERF))
		return value_register(call->type, LLVMConstInt(e->i8, 0, false));
	cs = LLVMBuildAnd(e->builder, context_register(e, STR("cs")), int_const(e, USER_MODE), "");
	user = LLVMBuildICmp(e->builder, LLVMIntEQ, cs, int_const(e, USER_MODE), "");
	return value_register(call->type, LLVMBuildZExt(e->builder, user, e->i8, "usermode"));
}

struct value lower_jiffies(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return value_register(call->type, HELPER(e, jiffies64));
}

struct value lower_pton(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const char *text = str_c(e->arena, argument(call, 0)->string.text);
	char bytes[16] = {0};

	(void)dest;
	inet_pton(call->type->size == 4 ? AF_INET : AF_INET6, text, bytes);
	return value_at(call->type,
			literal(e, (struct str){bytes, call->type->size}, call->type->size),
			PLACE_BPF);
}

/* ---- acting on the traced process ---- */

static struct value send_signal(struct emit *e, const struct expr *call, enum helper helper,
				const char *name)
{
	const struct expr *x = argument(call, 0);
	LLVMValueRef number = emit_i64(e, x), failed, wrong;
	LLVMBasicBlockRef bad, good, after = NULL;

	if (x->kind != EXPR_INT) {
		bad = block_new(e, "no_signal");
		good = block_new(e, "signal");
		after = block_new(e, "");
		wrong = LLVMBuildICmp(e->builder, LLVMIntUGE, LLVMBuildSub(e->builder, number, int_const(e, 1), ""),
				      int_const(e, SIGNALS - 1), "");
		branch(e, wrong, bad, good);
		block_start(e, bad);
		site_hit(e, site_new(e, SITE_SIGNAL, call->span, -1, NULL), number);
		jump(e, after);
		block_start(e, good);
	}
	failed = helper_call(e, helper, 1, &number);
	failed = LLVMBuildSExt(e->builder, LLVMBuildTrunc(e->builder, failed, e->i32, ""), e->i64,
			       "");
	site_hit_if(e, LLVMBuildICmp(e->builder, LLVMIntNE, failed, int_const(e, 0), ""),
		    site_new(e, SITE_HELPER, call->span, -1, name), failed);
	if (x->kind != EXPR_INT) {
		jump(e, after);
		block_start(e, after);
	}
	return value_none(e);
}

struct value lower_signal(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return send_signal(e, call, HELPER_send_signal, "send_signal");
}

struct value lower_signal_thread(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return send_signal(e, call, HELPER_send_signal_thread, "send_signal_thread");
}

struct value lower_override(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	HELPER(e, override_return, emit_context(e), emit_i64(e, argument(call, 0)));
	return value_none(e);
}

struct value lower_write_user(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *from = argument(call, 1);
	LLVMValueRef to = emit_i64(e, argument(call, 0)), source, length, failed;
	uint32_t most = from->type->size;

	(void)dest;
	if (from->type->kind == TYPE_PTR) { /* the helper takes memory of ours only */
		most = (uint32_t)e->program->config.max_strlen;
		source = memory_scratch(e, most, "write");
		length = clamp(e, emit_i64(e, argument(call, 2)), most);
		probe_read(e, source, length, emit_i64(e, from), place_of(from->type), call->span);
	} else {
		source = emit_memory_of(e, from);
		length = clamp(e, emit_i64(e, argument(call, 2)), most);
	}
	failed = HELPER(e, probe_write_user, to, source, length);
	return value_register(call->type, LLVMBuildZExt(e->builder,
							LLVMBuildICmp(e->builder, LLVMIntEQ, failed,
								      int_const(e, 0), ""),
							e->i8, ""));
}

/* ---- names of numbers ---- */

/* Text number `index` of a table in .rodata; `unknown` for what is beyond the table's end, or has no
 * name there. */
static struct value table_text(struct emit *e, const struct expr *call, LLVMValueRef index,
			       const char *const *names, uint32_t n, const char *unknown)
{
	uint32_t size = call->type->size, i;
	char *bytes = arena_alloc(e->arena, (size_t)size * (n + 1));
	LLVMValueRef table;

	index = clamp(e, index, n);
	for (i = 0; i <= n; i++)
		strncpy(bytes + (size_t)i * size, i < n && names[i] ? names[i] : unknown, size - 1);
	table = literal(e, (struct str){bytes, (size_t)size * (n + 1)}, size * (n + 1));
	return value_at(
		call->type,
		memory_at_var(e, table, LLVMBuildMul(e->builder, index, int_const(e, size), "")),
		PLACE_BPF);
}

/* The C library's words, but for those that the kernel's own errno.h has differently: what bpftrace prints. */
static const char *error_text(int number)
{
	static const struct {
		int number;
		const char *text;
	} kernels[] = {
		{EIO, "I/O error"},
		{EBADF, "Bad file number"},
		{EAGAIN, "Try again (operation would block)"},
		{ENOMEM, "Out of memory"},
		{EXDEV, "Cross-device link"},
		{ENFILE, "File table overflow"},
		{ENOTTY, "Not a typewriter"},
		{EDOM, "Math argument out of domain of func"},
		{ERANGE, "Math result not representable"},
		{EDEADLK, "Resource deadlock would occur"},
		{ENOLCK, "No record locks available"},
		{ENOSYS, "Invalid system call number"},
		{ELOOP, "Too many symbolic links encountered"},
		{EBADMSG, "Not a data message"},
		{EILSEQ, "Illegal byte sequence"},
		{EOPNOTSUPP, "Operation not supported on transport endpoint"},
		{ENETRESET, "Network dropped connection because of reset"},
		{EDQUOT, "Quota exceeded"},
		{ECANCELED, "Operation Canceled"},
	};
	size_t i;

	for (i = 0; i < sizeof(kernels) / sizeof(*kernels); i++)
		if (kernels[i].number == number)
			return kernels[i].text;
	return strerrordesc_np(number);
}

/* The number may be an error as the kernel returns it, below zero. */
struct value lower_strerror(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef n = emit_i64(e, argument(call, 0)), negative;
	const char *names[ERRORS];
	int i;

	(void)dest;
	for (i = 0; i < ERRORS; i++)
		names[i] = error_text(i);
	negative = LLVMBuildICmp(e->builder, LLVMIntSLT, n, int_const(e, 0), "");
	n = LLVMBuildSelect(e->builder, negative, LLVMBuildNeg(e->builder, n, ""), n, "");
	return table_text(e, call, n, names, ERRORS, "Unknown error");
}

struct value lower_signal_name(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const char *names[SIGNALS];
	int i;

	(void)dest;
	for (i = 0; i < SIGNALS; i++) /* real-time ones have a number, not a description */
		names[i] = str_c(e->arena, str_of(strsignal(i)));
	return table_text(e, call, emit_i64(e, argument(call, 0)), names, SIGNALS, "N/A");
}

static const char *const syscall_names[] = {
#define SYSCALL(name, number) [number] = #name,
#include "syscalls.inc" /* made of the system's headers when configuring */
#undef SYSCALL
};

enum { SYSCALLS = sizeof(syscall_names) / sizeof(*syscall_names) };

/* Tracepoints are called after the kernel's functions, whose names are not always those of the calls. */
static struct str call_of_function(struct str function)
{
	static const char *const others[][2] = {{"newstat", "stat"},	   {"newlstat", "lstat"}, {"newfstat", "fstat"},
						{"newuname", "uname"},	   {"umount", "umount2"}, {"sendfile64", "sendfile"}};
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (str_is(function, others[i][0]))
			return str_of(others[i][1]);
	return function;
}

int syscall_number(struct str event)
{
	struct str name = str_starts(event, STR("sys_enter_")) ? str_sub(event, 10, event.n)
			  : str_starts(event, STR("sys_exit_")) ? str_sub(event, 9, event.n)
								: STR("");
	int i;

	name = call_of_function(name);
	for (i = 0; i < SYSCALLS; i++)
		if (syscall_names[i] && str_is(name, syscall_names[i]))
			return i;
	return -1;
}

struct value lower_syscall_name(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return table_text(e, call, emit_i64(e, argument(call, 0)), syscall_names, SYSCALLS,
			  "Unknown syscall");
}

/* ---- the kernel's trace buffer ---- */

struct value lower_debugf(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	struct str text = argument(call, 0)->string.text;
	uint32_t size = (uint32_t)text.n + 1;
	LLVMValueRef args[5] = {literal(e, text, size), int_const(e, size)}, code;
	int i, n = 2;

	(void)dest;
	for (i = 1; i < call->call.args.n; i++) {
		const struct expr *x = argument(call, i);
		LLVMValueRef at;

		if (type_is_register(x->type)) {
			args[n++] = emit_i64(e, x);
			continue;
		}
		at = memory_scratch(e, (x->type->size + 8) / 8 * 8, "text"); /* the kernel looks for a NUL */
		emit_to(e, x, at);
		store_int(e, memory_at(e, at, x->type->size), LLVMConstInt(e->i8, 0, false));
		args[n++] = at;
	}
	code = helper_call(e, HELPER_trace_printk, n, args);
	code = LLVMBuildSExt(e->builder, LLVMBuildTrunc(e->builder, code, e->i32, ""), e->i64, "");
	site_hit_if(e, LLVMBuildICmp(e->builder, LLVMIntSLT, code, int_const(e, 0), ""),
		    site_new(e, SITE_HELPER, call->span, -1, "trace_printk"), code);
	return value_none(e);
}
