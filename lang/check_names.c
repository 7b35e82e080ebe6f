/* What an identifier means: a builtin variable, a constant of an enum, or nothing (with the nearest name as a hint). */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lang/check.h"

/* Constants of headers that scripts often want, and that are no enum of the kernel: for a hint. */
static const struct {
	const char *name;
	long long value;
} header_constants[] = {
#define ROW(name) {#name, (long long)(name)}
	ROW(AF_UNSPEC), ROW(AF_UNIX), ROW(AF_LOCAL), ROW(AF_INET), ROW(AF_INET6), ROW(AF_NETLINK), ROW(AF_PACKET), ROW(AF_VSOCK),
	ROW(PF_INET), ROW(PF_INET6), {"SOCK_STREAM", 1}, {"SOCK_DGRAM", 2}, {"SOCK_RAW", 3},
	{"ETH_P_IP", ETHERTYPE_IP}, {"ETH_P_IPV6", ETHERTYPE_IPV6}, {"ETH_P_ARP", ETHERTYPE_ARP},
	ROW(O_RDONLY), ROW(O_WRONLY), ROW(O_RDWR), ROW(O_CREAT), ROW(O_EXCL), ROW(O_TRUNC), ROW(O_APPEND), ROW(O_NONBLOCK),
	ROW(O_DIRECTORY), ROW(O_CLOEXEC), ROW(O_SYNC), {"AT_FDCWD", AT_FDCWD},
	ROW(S_IFMT), ROW(S_IFREG), ROW(S_IFDIR), ROW(S_IFCHR), ROW(S_IFBLK), ROW(S_IFIFO), ROW(S_IFLNK), ROW(S_IFSOCK),
	ROW(PROT_READ), ROW(PROT_WRITE), ROW(PROT_EXEC), ROW(PROT_NONE), ROW(MAP_SHARED), ROW(MAP_PRIVATE), ROW(MAP_FIXED),
	ROW(MAP_ANONYMOUS),
	ROW(CLONE_VM), ROW(CLONE_FS), ROW(CLONE_FILES), ROW(CLONE_SIGHAND), ROW(CLONE_THREAD), ROW(CLONE_NEWNS), ROW(CLONE_NEWPID),
	ROW(CLONE_NEWNET), ROW(CLONE_NEWUSER), ROW(CLONE_VFORK),
	ROW(SIGHUP), ROW(SIGINT), ROW(SIGQUIT), ROW(SIGILL), ROW(SIGTRAP), ROW(SIGABRT), ROW(SIGBUS), ROW(SIGFPE), ROW(SIGKILL),
	ROW(SIGUSR1), ROW(SIGSEGV), ROW(SIGUSR2), ROW(SIGPIPE), ROW(SIGALRM), ROW(SIGTERM), ROW(SIGCHLD), ROW(SIGCONT), ROW(SIGSTOP),
	ROW(EPERM), ROW(ENOENT), ROW(ESRCH), ROW(EINTR), ROW(EIO), ROW(ENXIO), ROW(E2BIG), ROW(EBADF), ROW(ECHILD), ROW(EAGAIN),
	ROW(ENOMEM), ROW(EACCES), ROW(EFAULT), ROW(EBUSY), ROW(EEXIST), ROW(ENODEV), ROW(ENOTDIR), ROW(EISDIR), ROW(EINVAL),
	ROW(ENFILE), ROW(EMFILE), ROW(ENOTTY), ROW(EFBIG), ROW(ENOSPC), ROW(EROFS), ROW(EPIPE), ROW(ENOSYS), ROW(EWOULDBLOCK),
	ROW(ECONNREFUSED), ROW(ECONNRESET), ROW(ETIMEDOUT), ROW(EINPROGRESS), ROW(EADDRINUSE), ROW(EADDRNOTAVAIL), ROW(ENOTCONN),
	{"TASK_RUNNING", 0}, {"TASK_INTERRUPTIBLE", 1}, {"TASK_UNINTERRUPTIBLE", 2}, {"PAGE_SIZE", 4096}, {"PAGE_SHIFT", 12},
	{"MINORBITS", 20},
#undef ROW
};

static bool header_constant(struct str name, long long *value)
{
	size_t i;

	for (i = 0; i < sizeof(header_constants) / sizeof(*header_constants); i++)
		if (str_is(name, header_constants[i].name)) {
			*value = header_constants[i].value;
			return true;
		}
	return false;
}

static bool is_macro(const struct checker *c, struct str name)
{
	VEC_EACH(m, &c->script->macros)
		if (str_eq((*m)->name, name))
			return true;
	return false;
}

static void unknown_name(struct checker *c, struct expr *e)
{
	struct str name = e->name.name;
	struct diag_near near = {.wanted = name};
	const struct str *headers;
	long long value;
	bool empty;

	if (str_starts(name, STR("sarg")) && name.n > 4) {
		FAIL(c, e, DIAG_SARG);
		diag_hint(c->diag, "read the stack instead: *(uint64 *)(reg(\"sp\") + 8)");
		return;
	}
	if (is_postponed(c, name, e->span)) {
		expr_fail(c, e);
		return;
	}
	FAIL(c, e, DIAG_UNKNOWN_NAME, STR_ARG(name));
	if (var_find(c, name)) {
		diag_hint(c->diag, "variables are written with a dollar: $%.*s", STR_ARG(name));
		return;
	}
	if (is_macro(c, name)) {
		diag_hint(c->diag, "it is a macro that takes arguments: %.*s(...)", STR_ARG(name));
		return;
	}
	if (table_get(&c->functions, name)) {
		diag_hint(c->diag, "it is a function: %.*s(...)", STR_ARG(name));
		return;
	}
	if (c->c_defs && c_defs_unusable(c->c_defs, name, &empty)) {
		if (empty)
			diag_hint(c->diag, "its #define gives it no value");
		else
			diag_hint(c->diag, DEFINE_WITH_PARAMETERS, STR_ARG(name));
		return;
	}
	if (header_constant(name, &value)) {
		diag_hint(c->diag, "it is a #define of a header, which the kernel's types do not tell: put a line `#define %.*s %lld` at the top",
			  STR_ARG(name), value);
		return;
	}
	builtin_near(&near, false, true);
	if (near.best.n)
		diag_hint(c->diag, "did you mean '%.*s'?", STR_ARG(near.best));
	else if (table_get(&c->maps, name))
		diag_hint(c->diag, "maps are written with an at sign: @%.*s", STR_ARG(name));
	else if (c->c_defs && c_defs_missing(c->c_defs, &headers))
		diag_hint(c->diag, "<%.*s> was not found: its types come from BTF, but a #define of it must be written into the script",
			  STR_ARG(headers[0]));
}

/* A constant of an enum of the script, or of the kernel. */
static const struct type *enum_constant(struct checker *c, struct str name, uint64_t *value)
{
	const struct type *t = c->c_defs ? c_defs_constant(c->c_defs, name, value) : NULL;

	return t ? t : c->kernel->enum_constant(c->kernel, c->types, name, value);
}

bool names_value(struct checker *c, struct str name)
{
	const struct builtin *b = builtin_find(name);
	struct span span;
	bool unusable;
	uint64_t value;

	return (b && b->form != FORM_FN) || is_macro(c, name) || enum_constant(c, name, &value) ||
	       (c->c_defs && c_defs_define(c->c_defs, name, &span, &unusable));
}

void check_name(struct checker *c, struct expr *e)
{
	const struct builtin *b = builtin_find(e->name.name);
	const struct type *t;
	uint64_t value;

	if (b && b->form != FORM_FN) {
		struct str name = e->name.name;

		e->kind = EXPR_CALL;
		memset(&e->call, 0, sizeof(e->call));
		e->call.name = name;
		e->call.name_span = e->span;
		e->call.number = builtin_arg_number(name);
		check_builtin_variable(c, e, b);
		return;
	}
	if (b) {
		FAIL(c, e, DIAG_NEEDS_CALL, STR_ARG(e->name.name));
		diag_hint(c->diag, "%s", b->help);
		return;
	}
	t = enum_constant(c, e->name.name, &value);
	if (t) {
		fold_to_int(c, e, value, false);
		e->flexible = false;
		e->type = t;
		return;
	}
	unknown_name(c, e);
}
