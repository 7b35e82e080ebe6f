/* Functions about the machine: registers, addresses of symbols, signals, and numbers that have names. */
#define _GNU_SOURCE /* sigabbrev_np */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>

#include "lang/check.h"

enum { NAME_TEXT = 64 /* capacity of strerror() and its kin */ };

static void not_in_this_probe(struct checker *c, struct expr *e, const char *where)
{
	const struct probe *p = c->unit->probe;

	FAIL(c, e, DIAG_NOT_IN_PROBE, str_c(c->arena, e->call.name), p ? p->kind->name : "fn");
	diag_hint(c->diag, "%.*s() can be used in %s", STR_ARG(e->call.name), where);
}

static bool is_one_of(struct checker *c, const enum probe_kind_id *kinds, int n)
{
	int i;

	for (i = 0; c->unit->probe && i < n; i++)
		if (c->unit->probe->kind->id == kinds[i])
			return true;
	return false;
}

static bool check_safe(struct checker *c, struct expr *e)
{
	if (c->program->unsafe)
		return true;
	FAIL(c, e, DIAG_UNSAFE, str_c(c->arena, e->call.name));
	diag_hint(c->diag, "allow it with --unsafe");
	return false;
}

/* Integer argument i as a 64-bit number. */
static bool number_argument(struct checker *c, struct expr *e, int i, const char *what)
{
	struct expr **a = &e->call.args.at[i];

	check_expr(c, *a);
	if (!need_integer(c, a, what)) {
		expr_fail(c, e);
		return false;
	}
	cast_to(c, a, (*a)->type->is_signed ? c->types->s64 : c->types->u64);
	return true;
}

static bool text_argument(struct checker *c, struct expr *e, struct str *text)
{
	if (literal_string(c, e->call.args.at[0], str_c(c->arena, e->call.name), text))
		return true;
	expr_fail(c, e);
	return false;
}

static void check_reg(struct checker *c, struct expr *e)
{
	static const char *const names[] = {"r15", "r14", "r13", "r12", "bp", "bx", "r11",   "r10",	"r9", "r8", "ax",
					    "cx",  "dx",  "si",	 "di",	"ip", "pc", "flags", "orig_rax", "cs", "sp", "ss"};
	const struct probe *p = c->unit->probe;
	struct diag_near near = {0};
	struct str name;
	size_t i;

	if (!text_argument(c, e, &name))
		return;
	if (!p || (p->kind->family != CONTEXT_REGS && p->kind->family != CONTEXT_PERF)) {
		not_in_this_probe(c, e, "kprobe, uprobe, usdt, profile, interval, software and hardware");
		return;
	}
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_is(name, names[i])) {
			e->type = type_int_as(c->types, c->types->u64, p->kind->as);
			return;
		}
	FAIL(c, e, DIAG_REGISTER, STR_ARG(name));
	near.wanted = name;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		diag_near_try(&near, str_of(names[i]));
	if (near.best.n)
		diag_hint(c->diag, "did you mean '%.*s'?", STR_ARG(near.best));
}

static void check_kaddr(struct checker *c, struct expr *e)
{
	struct str name;
	uint64_t address;

	if (!text_argument(c, e, &name))
		return;
	address = c->kernel->symbol_address(c->kernel, name);
	if (!address) {
		FAIL(c, e, DIAG_KERNEL_SYMBOL, STR_ARG(name));
		if (c->kernel->why && c->kernel->why(c->kernel))
			diag_hint(c->diag, "%s", c->kernel->why(c->kernel));
		return;
	}
	fold_to_int(c, e, address, false);
	e->type = type_int_as(c->types, c->types->u64, AS_KERNEL);
	e->flexible = false;
}

/* A pointer to as many bytes as the variable has, where they make a number.  Its address is put in when the artefact is loaded;
 * where the program lies in memory is told by the place that was hit. */
static void check_uaddr(struct checker *c, struct expr *e)
{
	static const enum probe_kind_id kinds[] = {PROBE_UPROBE, PROBE_URETPROBE, PROBE_USDT};
	const struct types *t = c->types;
	const struct type *number;
	struct str name;
	uint64_t size = 0;

	if (!text_argument(c, e, &name))
		return;
	if (!is_one_of(c, kinds, 3)) {
		not_in_this_probe(c, e, "uprobe, uretprobe and usdt");
		return;
	}
	if (!c->kernel->user_symbol(c->kernel, c->unit->probe->attach.at[0], name, &size)) {
		FAIL(c, e, DIAG_USER_SYMBOL, STR_ARG(name));
		if (c->kernel->why && c->kernel->why(c->kernel))
			diag_hint(c->diag, "%s", c->kernel->why(c->kernel));
		return;
	}
	if (c->unit->probe->kind->id == PROBE_URETPROBE) /* where the function began: no register has it any more */
		e->call.aid = task_field(c, e->span, "utask.return_instances.func");
	number = size == 1 ? t->u8 : size == 2 ? t->u16 : size == 4 ? t->u32 : t->u64;
	e->type = type_ptr(c->types, number, AS_USER);
}

static void check_cgroupid(struct checker *c, struct expr *e)
{
	struct str path;
	uint64_t id;
	int err = 0;

	if (!text_argument(c, e, &path))
		return;
	id = c->kernel->cgroup_id(c->kernel, path, &err);
	if (!id) {
		FAIL(c, e, DIAG_CGROUP, STR_ARG(path), strerror(err));
		return;
	}
	fold_to_int(c, e, id, false);
	e->type = c->types->u64;
}

static void check_pton(struct checker *c, struct expr *e)
{
	unsigned char bytes[16];
	struct str text;
	const char *address;

	if (!text_argument(c, e, &text))
		return;
	address = str_c(c->arena, text);
	if (inet_pton(AF_INET, address, bytes) == 1)
		e->type = type_array(c->types, c->types->u8, 4);
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		e->type = type_array(c->types, c->types->u8, 16);
	else
		FAIL(c, e, DIAG_INET_TEXT, STR_ARG(text));
}

/* "KILL", "SIGKILL", in any case; 0: no signal. */
static int signal_number(struct str name)
{
	int i;

	if (name.n > 3 && str_is_nocase(str_sub(name, 0, 3), "sig"))
		name = str_sub(name, 3, name.n);
	for (i = 1; i < SIGRTMIN; i++)
		if (sigabbrev_np(i) && str_is_nocase(name, sigabbrev_np(i)))
			return i;
	return 0;
}

static void check_signal(struct checker *c, struct expr *e)
{
	static const enum probe_kind_id kinds[] = {PROBE_KPROBE,     PROBE_KRETPROBE,	  PROBE_UPROBE,	 PROBE_URETPROBE, PROBE_USDT,
						   PROBE_TRACEPOINT, PROBE_RAWTRACEPOINT, PROBE_PROFILE, PROBE_FENTRY,	  PROBE_FEXIT};
	struct expr *a = e->call.args.at[0];
	int number;

	e->type = c->types->none;
	if (!check_safe(c, e))
		return;
	if (!is_one_of(c, kinds, sizeof(kinds) / sizeof(*kinds))) {
		not_in_this_probe(c, e, "probes on functions and tracepoints, and in profile");
		return;
	}
	if (a->kind == EXPR_STRING) {
		number = signal_number(a->string.text);
		if (number)
			fold_to_int(c, a, (uint64_t)number, false);
		else
			FAIL(c, e, DIAG_SIGNAL, STR_ARG(a->string.text));
	}
	if (!failed(e->type) && number_argument(c, e, 0, "the signal") && e->call.args.at[0]->kind == EXPR_INT &&
	    e->call.args.at[0]->integer.value - 1 > 63)
		FAIL(c, e, DIAG_SIGNAL_RANGE, e->call.args.at[0]->integer.value);
}

static void check_override(struct checker *c, struct expr *e)
{
	static const enum probe_kind_id kinds[] = {PROBE_KPROBE};

	e->type = c->types->none;
	if (!check_safe(c, e))
		return;
	if (!is_one_of(c, kinds, 1))
		not_in_this_probe(c, e, "kprobe");
	else
		number_argument(c, e, 0, "the result for override()");
}

static void check_write_user(struct checker *c, struct expr *e)
{
	int i;

	if (!check_safe(c, e))
		return;
	for (i = 0; i < 2; i++) {
		check_expr(c, e->call.args.at[i]);
		if (failed(e->call.args.at[i]->type)) {
			expr_fail(c, e);
			return;
		}
	}
	if (e->call.args.at[0]->type->kind != TYPE_PTR && !number_argument(c, e, 0, "the address for write_user()"))
		return;
	if (number_argument(c, e, 2, "the length for write_user()"))
		e->type = c->types->boolean;
}

/* A number that stands for a text: strerror(), syscall_name(), signal_name(). */
static void check_number_name(struct checker *c, struct expr *e)
{
	if (number_argument(c, e, 0, arena_printf(c->arena, "the argument of %.*s()", STR_ARG(e->call.name))))
		e->type = type_string(c->types, NAME_TEXT);
}

static void check_strlen(struct checker *c, struct expr *e)
{
	const struct type *t;

	check_expr(c, e->call.args.at[0]);
	t = e->call.args.at[0]->type;
	if (failed(t)) {
		expr_fail(c, e);
		return;
	}
	if (t->kind != TYPE_STRING && t->kind != TYPE_PTR && (t->kind != TYPE_ARRAY || t->elem->size != 1)) {
		FAIL(c, e, DIAG_ARG_TYPE, "strlen", "a string", STR_ARG(type_name(c->arena, t)));
		return;
	}
	e->type = c->types->u64;
}

/* ---- objects of the kernel that the verifier must know by type ---------------------------------------------------------- */

static bool points_to_struct(const struct type *t, const char *name)
{
	if (t->kind == TYPE_PTR)
		t = t->elem;
	return t->kind == TYPE_STRUCT && (!name || str_is(t->decl->name, name));
}

static void check_socket_cookie(struct checker *c, struct expr *e)
{
	static const enum probe_kind_id kinds[] = {PROBE_FENTRY, PROBE_FEXIT};
	struct expr *sk = e->call.args.at[0];

	e->type = c->types->u64;
	if (!is_one_of(c, kinds, 2)) {
		not_in_this_probe(c, e, "fentry and fexit");
		return;
	}
	check_expr(c, sk);
	if (failed(sk->type))
		expr_fail(c, e);
	else if (sk->type->kind != TYPE_PTR || !points_to_struct(sk->type, NULL))
		FAIL(c, e, DIAG_ARG_TYPE, "socket_cookie", "a struct sock *", STR_ARG(type_name(c->arena, sk->type)));
}

static void check_path(struct checker *c, struct expr *e)
{
	static const enum probe_kind_id kinds[] = {PROBE_FENTRY, PROBE_FEXIT, PROBE_ITER};
	struct expr *p = e->call.args.at[0];
	uint64_t most = c->program->config.max_strlen, size = most;

	if (!is_one_of(c, kinds, 3)) {
		not_in_this_probe(c, e, "fentry, fexit and iter");
		return;
	}
	check_expr(c, p);
	if (failed(p->type) || (e->call.args.n > 1 && !literal_int(c, e->call.args.at[1], "path", &size))) {
		expr_fail(c, e);
		return;
	}
	if (!points_to_struct(p->type, "path")) {
		FAIL(c, e, DIAG_ARG_TYPE, "path", "a struct path", STR_ARG(type_name(c->arena, p->type)));
		return;
	}
	if (size < 2 || size > most) {
		FAIL(c, e, DIAG_PATH_SIZE, most, size);
		return;
	}
	e->call.args.n = 1;
	e->type = type_string(c->types, (uint32_t)size);
}

static void check_kfunc(struct checker *c, struct expr *e)
{
	const struct probe_kind *kind = NULL;
	struct str name;

	if (!text_argument(c, e, &name))
		return;
	if (e->call.builtin == BUILTIN_kfunc_allowed) {
		if (!c->unit->probe) {
			not_in_this_probe(c, e, "probes");
			return;
		}
		kind = c->unit->probe->kind;
	}
	fold_to_bool(c, e, c->kernel->kfunc && c->kernel->kfunc(c->kernel, name, kind));
}

void check_system_call(struct checker *c, struct expr *e)
{
	switch (e->call.builtin) {
	case BUILTIN_reg:
		check_reg(c, e);
		return;
	case BUILTIN_kaddr:
		check_kaddr(c, e);
		return;
	case BUILTIN_uaddr:
		check_uaddr(c, e);
		return;
	case BUILTIN_cgroupid:
		check_cgroupid(c, e);
		return;
	case BUILTIN_pton:
		check_pton(c, e);
		return;
	case BUILTIN_signal:
	case BUILTIN_signal_thread:
		check_signal(c, e);
		return;
	case BUILTIN_override:
		check_override(c, e);
		return;
	case BUILTIN_write_user:
		check_write_user(c, e);
		return;
	case BUILTIN_strerror:
	case BUILTIN_syscall_name:
	case BUILTIN_signal_name:
		check_number_name(c, e);
		return;
	case BUILTIN_socket_cookie:
		check_socket_cookie(c, e);
		return;
	case BUILTIN_path:
		check_path(c, e);
		return;
	case BUILTIN_kfunc_exist:
	case BUILTIN_kfunc_allowed:
		check_kfunc(c, e);
		return;
	case BUILTIN_strlen:
		check_strlen(c, e);
		return;
	default:
		BUG("builtin function %d", e->call.builtin);
	}
}
