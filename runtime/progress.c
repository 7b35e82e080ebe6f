/* Progress of attaching and detaching. */
#include "runtime/progress.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_NS = 500000000, EVERY_NS = 200000000 };

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void progress_begin(struct progress *p, const char *what, int total, bool visible)
{
	*p = (struct progress){.what = visible && isatty(STDERR_FILENO) ? what : NULL, .total = total};
	p->due_ns = now_ns() + PATIENCE_NS;
}

bool progress_step(struct progress *p)
{
	sigset_t waiting;
	int64_t now;

	p->done++;
	if (p->what && (now = now_ns()) >= p->due_ns) {
		fprintf(stderr, "\r%s %d of %d probes...\033[K", p->what, p->done, p->total);
		fflush(stderr);
		p->shown = true;
		p->due_ns = now + EVERY_NS;
	}
	if (!sigpending(&waiting) && (sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1))
		p->stopped = true;
	return !p->stopped;
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
