/* Progress of attaching: shown on a terminal only, and stopped by a signal that waits. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/progress.h"

/* What three steps write to stderr when it is `fd`. */
static void steps_on(int fd, struct progress *p)
{
	int saved = dup(STDERR_FILENO), i;

	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	progress_begin(p, "Attaching", 3, true);
	for (i = 0; i < 3; i++) {
		p->due_ns = 0; /* patience is over */
		assert_true(progress_step(p));
	}
	progress_end(p);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void on_a_terminal(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), side = -1;
	struct progress p;
	char text[1024];
	ssize_t n, got;

	(void)state;
	if (terminal < 0 || grantpt(terminal) || unlockpt(terminal) || (side = open(ptsname(terminal), O_RDWR | O_NOCTTY)) < 0)
		skip();
	steps_on(side, &p);
	for (n = 0; n < 4 || memcmp(text + n - 4, "\r\033[K", 4) != 0; n += got) { /* a terminal hands on what it has so far */
		assert_int_equal(poll(&(struct pollfd){.fd = terminal, .events = POLLIN}, 1, 10000), 1);
		got = read(terminal, text + n, sizeof(text) - 1 - (size_t)n);
		assert_true(got > 0);
	}
	text[n] = '\0';
	assert_non_null(strstr(text, "\rAttaching 1 of 3 probes..."));
	assert_non_null(strstr(text, "\rAttaching 3 of 3 probes..."));
	close(side);
	close(terminal);
}

static void nothing_in_a_file(void **state)
{
	FILE *f = tmpfile();
	struct progress p;

	(void)state;
	assert_non_null(f);
	steps_on(fileno(f), &p);
	assert_int_equal(lseek(fileno(f), 0, SEEK_END), 0);
	assert_int_equal(p.done, 3);
	fclose(f);
}

static void stopped_by_a_waiting_signal(void **state)
{
	struct progress p;
	sigset_t set;
	int taken;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	progress_begin(&p, "Attaching", 2, false);
	assert_true(progress_step(&p));
	raise(SIGINT);
	assert_false(progress_step(&p));
	assert_true(p.stopped);
	assert_int_equal(sigwait(&set, &taken), 0); /* it still waits for whoever takes signals */
	assert_int_equal(taken, SIGINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_a_terminal),
		cmocka_unit_test(nothing_in_a_file),
		cmocka_unit_test(stopped_by_a_waiting_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
