/* Asking the process that reads DWARF (dwarf_child.c): starting it, sending files and questions, checking what comes back. */
#include "runtime/dwarf.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_SECONDS = 20, /* the debug information of a large library takes some */
	MEMORY_LIMIT_GB = 2,
	NOBODY = 65534,
};

struct dwarf {
	struct arena *arena;
	pid_t pid; /* 0: not running */
	int fd;
	int deaths; /* a file that kills it again and again is not tried for ever */
};

struct dwarf *dwarf_open(struct arena *a)
{
	struct dwarf *d = NEW(a, struct dwarf);

	d->arena = a;
	d->fd = -1;
	return d;
}

static void stop(struct dwarf *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	if (d->pid > 0) {
		kill(d->pid, SIGKILL);
		while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	d->pid = 0;
}

void dwarf_close(struct dwarf *d)
{
	if (d)
		stop(d);
}

/* Nothing of ours stays with the child: no descriptor (BPF programs hang on them), no right. */
static _Noreturn void become_reader(int fd, pid_t parent)
{
	struct rlimit core = {0, 0};

	if (fd != 3) {
		dup2(fd, 3);
		fd = 3;
	}
	syscall(SYS_close_range, 4u, ~0u, 0u);
	setrlimit(RLIMIT_CORE, &core);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow memory is larger than any limit */
	struct rlimit memory = {(rlim_t)MEMORY_LIMIT_GB << 30, (rlim_t)MEMORY_LIMIT_GB << 30};

	setrlimit(RLIMIT_DATA, &memory);
#endif
	if (!geteuid()) {
		if (syscall(SYS_setgroups, 0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
			_exit(1);
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* last: a change of user clears it */
	prctl(PR_SET_NAME, "waketrace-dwarf");
	if (getppid() != parent)
		_exit(1);
	dwarf_serve(fd);
}

static bool start(struct dwarf *d)
{
	pid_t parent = getpid();
	int pair[2];

	if (d->pid > 0)
		return true;
	if (d->deaths > 8 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	d->pid = fork();
	if (!d->pid)
		become_reader(pair[1], parent);
	close(pair[1]);
	if (d->pid < 0) {
		close(pair[0]);
		d->pid = 0;
		return false;
	}
	d->fd = pair[0];
	return true;
}

/* ---- questions ------------------------------------------------------------------------------------------------------- */

/* `fds`: one or two. */
static bool send_request(struct dwarf *d, const int fds[2], const struct dwarf_request *r, struct str text)
{
	size_t size = fds[1] < 0 ? sizeof(int) : 2 * sizeof(int);
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct iovec part[2] = {{(void *)(uintptr_t)r, sizeof(*r)}, {(void *)(uintptr_t)text.s, text.n}};
	struct msghdr m = {.msg_iov = part, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = CMSG_SPACE(size)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), fds, size);
	do
		n = sendmsg(d->fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)(sizeof(*r) + text.n);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* All bytes, before `end`. */
static bool receive(struct dwarf *d, void *to, size_t n, int64_t end)
{
	size_t got = 0;

	while (got < n) {
		struct pollfd p = {.fd = d->fd, .events = POLLIN};
		int64_t left = end - now_ms();
		ssize_t r;

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) <= 0)
			continue; /* interrupted, or too late */
		r = recv(d->fd, (char *)to + got, n - got, MSG_DONTWAIT);
		if (r < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

/* One question and its answer's body.  False and *why. */
static bool ask_about(struct dwarf *d, struct arena *a, const int fds[2], const struct dwarf_request *request, struct str text,
		      struct str *body, const char **why)
{
	int64_t end = now_ms() + ANSWER_SECONDS * 1000;
	struct dwarf_reply reply;
	char *bytes;

	*why = "its debug information cannot be read here: no process for it could be started";
	if (text.n > DWARF_MAX_TEXT || !start(d))
		return false;
	*why = "its debug information is damaged, or too large";
	if (!send_request(d, fds, request, text) || !receive(d, &reply, sizeof(reply), end) || reply.size > DWARF_MAX_REPLY) {
		d->deaths++;
		stop(d);
		return false;
	}
	bytes = arena_alloc(a, (size_t)reply.size + 1);
	if (!receive(d, bytes, reply.size, end)) {
		d->deaths++;
		stop(d);
		return false;
	}
	bytes[reply.size] = '\0';
	*body = (struct str){bytes, reply.size};
	if (!reply.ok)
		*why = bytes;
	return reply.ok;
}

static bool ask(struct dwarf *d, struct arena *a, int fd, const struct dwarf_request *request, struct str text, struct str *body,
		const char **why)
{
	return ask_about(d, a, (const int[]){fd, -1}, request, text, body, why);
}

bool dwarf_function(struct dwarf *d, struct arena *a, const struct dwarf_place *at, struct dwarf_function *out, const char **why)
{
	struct dwarf_request r = {.question = DWARF_ASK_FUNCTION, .address = at->address, .innermost = at->innermost};
	struct str body;

	return ask_about(d, a, (const int[]){at->fd, at->image_fd}, &r, STR(""), &body, why) && dwarf_read_function(a, body, out);
}

bool dwarf_type(struct dwarf *d, struct arena *a, int fd, struct str key, struct dwarf_function *out, const char **why)
{
	struct dwarf_request r = {.question = DWARF_ASK_TYPE, .text_size = (uint32_t)key.n};
	struct str body;

	return ask(d, a, fd, &r, key, &body, why) && dwarf_read_function(a, body, out);
}

bool dwarf_places(struct dwarf *d, struct arena *a, int fd, struct str file, uint32_t line, uint32_t column, address_list *out,
		  const char **why)
{
	struct dwarf_request r = {
		.question = DWARF_ASK_PLACES, .line = line, .column = column, .text_size = (uint32_t)file.n};
	struct str body;

	return ask(d, a, fd, &r, file, &body, why) && dwarf_read_places(a, body, out);
}

bool dwarf_frames(struct dwarf *d, struct arena *a, int fd, uint64_t address, frame_list *out)
{
	struct dwarf_request r = {.question = DWARF_ASK_FRAMES, .address = address};
	struct str body;
	const char *why;

	return ask(d, a, fd, &r, STR(""), &body, &why) && dwarf_read_frames(a, body, out);
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

static bool take(struct str *body, void *to, size_t n)
{
	if (body->n < n)
		return false;
	memcpy(to, body->s, n);
	*body = str_sub(*body, n, body->n);
	return true;
}

static bool take_text(struct arena *a, struct str *body, struct str *text)
{
	uint32_t n;

	if (!take(body, &n, sizeof(n)) || n > body->n)
		return false;
	*text = str_copy(a, str_sub(*body, 0, n));
	*body = str_sub(*body, n, body->n);
	return true;
}

bool dwarf_read_function(struct arena *a, struct str body, struct dwarf_function *out)
{
	uint32_t n, i;

	*out = (struct dwarf_function){0};
	if (!take(&body, &n, sizeof(n)) || n > DWARF_MAX_PARAMS)
		return false;
	out->params = NEW_ARRAY(a, struct arg_place, n + 1);
	out->nparams = (int)n;
	for (i = 0; i < n; i++)
		if (!take(&body, &out->params[i], sizeof(struct arg_place)) || out->params[i].where > ARG_CONSTANT)
			return false;
	out->btf_size = body.n;
	out->btf = memcpy(arena_alloc(a, body.n + 1), body.s, body.n); /* aligned */
	return true;
}

bool dwarf_read_places(struct arena *a, struct str body, address_list *out)
{
	uint64_t address;

	while (take(&body, &address, sizeof(address)))
		VEC_PUSH(a, out, address);
	return !body.n;
}

bool dwarf_read_frames(struct arena *a, struct str body, frame_list *out)
{
	while (body.n) {
		struct dwarf_frame f;

		if (!take_text(a, &body, &f.function) || !take_text(a, &body, &f.file) || !take(&body, &f.line, sizeof(f.line)))
			return false;
		VEC_PUSH(a, out, f);
	}
	return true;
}
