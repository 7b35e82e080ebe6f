/* The child of -c.  It is forked before the programs are loaded (its pid is a constant in them) and waits in a pipe read until
 * everything is attached; then it executes its command.  No ptrace. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/session_internal.h"

enum { WORDS = 512 };

int open_pidfd(int pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

/* Split at blanks; quotes and backslashes keep blanks in a word.  `text` is changed; words point into it.  -1: too many. */
static int split_words(char *text, char **words)
{
	char *from = text, *to = text, quote = 0;
	int n = 0;

	while (*from) {
		while (*from == ' ' || *from == '\t' || *from == '\n')
			from++;
		if (!*from)
			break;
		if (n == WORDS - 1)
			return -1;
		words[n++] = to;
		for (; *from && (quote || (*from != ' ' && *from != '\t' && *from != '\n')); from++) {
			if (quote ? *from == quote : *from == '\'' || *from == '"')
				quote = quote ? 0 : *from;
			else if (*from == '\\' && quote != '\'' && from[1])
				*to++ = *++from;
			else
				*to++ = *from;
		}
		if (*from)
			from++;
		*to++ = 0;
	}
	words[n] = NULL;
	return n;
}

static bool can_run(const char *path)
{
	struct stat st;

	if (access(path, X_OK) || stat(path, &st))
		return false;
	errno = S_ISDIR(st.st_mode) ? EISDIR : 0;
	return !errno;
}

/* execvp would do this, but only in the child: a command that does not exist is better known before anything is loaded. */
static bool is_executable(const char *name)
{
	const char *path = getenv("PATH");
	char full[4096];

	if (strchr(name, '/'))
		return can_run(name);
	for (path = path ? path : "/usr/local/bin:/usr/bin:/bin"; *path;) {
		size_t n = strcspn(path, ":");

		snprintf(full, sizeof(full), "%.*s/%s", (int)n, path, name);
		if (can_run(full))
			return true;
		path += n + (path[n] == ':');
	}
	errno = ENOENT;
	return false;
}

static _Noreturn void be_child(char **words, int start_fd, int error_fd)
{
	sigset_t none;
	char go;
	int err;

	if (read(start_fd, &go, 1) != 1) /* the tracer has gone */
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(words[0], words);
	err = errno;
	if (write(error_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

int child_start(struct child *c, const char *command, struct output *o)
{
	char *text = str_c(o->arena, str_of(command));
	char **words = NEW_ARRAY(o->arena, char *, WORDS);
	int start[2], error[2], n = split_words(text, words), err;

	*c = (struct child){.pidfd = -1, .start_fd = -1, .error_fd = -1};
	if (n <= 0) {
		if (n)
			fprintf(o->messages, "ERROR: the command of -c has more than %d words\n", WORDS - 1);
		else
			fprintf(o->messages, "ERROR: -c was given an empty command\n");
		return -EINVAL;
	}
	if (!is_executable(words[0])) {
		err = errno;
		fprintf(o->messages, "ERROR: cannot start the command of -c: '%s': %s\n", words[0], strerror(err));
		return -err;
	}
	if (pipe2(start, O_CLOEXEC))
		return -errno;
	if (pipe2(error, O_CLOEXEC)) {
		close(start[0]);
		close(start[1]);
		return -errno;
	}
	fflush(NULL);
	c->pid = fork();
	if (!c->pid) {
		close(start[1]);
		be_child(words, start[0], error[1]);
	}
	close(start[0]);
	close(error[1]);
	c->start_fd = start[1];
	c->error_fd = error[0];
	if (c->pid < 0) {
		c->pid = 0;
		fprintf(o->messages, "ERROR: cannot start the command of -c: %s\n", strerror(errno));
		return -errno;
	}
	c->pidfd = open_pidfd(c->pid);
	return c->pidfd < 0 ? c->pidfd : 0;
}

int child_release(struct child *c)
{
	int err = 0;

	if (c->start_fd < 0)
		return 0;
	if (write(c->start_fd, "g", 1) != 1)
		err = errno;
	close(c->start_fd);
	c->start_fd = -1;
	/* end of file: exec has closed the other end */
	if (!err && read(c->error_fd, &err, sizeof(err)) != sizeof(err))
		err = 0;
	close(c->error_fd);
	c->error_fd = -1;
	return -err;
}

void child_end(struct child *c)
{
	if (!c->pid)
		return;
	if (c->start_fd >= 0) { /* never released: the end of the pipe ends it */
		close(c->start_fd);
		close(c->error_fd);
	} else if (waitpid(c->pid, NULL, WNOHANG) == 0) {
		kill(c->pid, SIGTERM);
		/* not waited for: a child that ignores SIGTERM must not keep the tracer */
		waitpid(c->pid, NULL, WNOHANG);
	}
	if (c->pidfd >= 0)
		close(c->pidfd);
	*c = (struct child){.pidfd = -1, .start_fd = -1, .error_fd = -1};
}
