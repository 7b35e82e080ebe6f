/* The waiting loop: records of the ring buffer, signals, the ends of the child and of the traced process, a slow timer for the
 * counters of troubles.  One thread, nothing asynchronous. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "runtime/session_internal.h"

enum {
	BATCH = 2048,	   /* records between two looks at signals: a script that prints without end can be stopped */
	CHECK_SECONDS = 1, /* between two looks at the counters of troubles */
};

enum wakeup { FROM_RING, FROM_SIGNAL, FROM_TIMER, FROM_TARGET, FROM_CHILD, FROM_SYMBOLS };

static int watch(struct session *s, int fd, enum wakeup from)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = from};

	return fd >= 0 && epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

struct record {
	struct session *s;
	void *data;
	size_t size;
};

static void do_record(void *arg)
{
	struct record *r = arg;

	action_do(r->s, r->data, r->size);
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct session *s = ctx;
	struct record r = {s, data, size};

	if (s->exited)
		return 0;
	session_try(s, do_record, &r);
	return s->output.err || ++s->batch % BATCH == 0 ? -EAGAIN : 0;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN); /* a reader that has gone is seen as EPIPE */
	signal(SIGXFSZ, SIG_IGN); /* and a file that may grow no more as EFBIG */
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int open_timer(void)
{
	struct itimerspec every = {{CHECK_SECONDS, 0}, {CHECK_SECONDS, 0}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd >= 0)
		timerfd_settime(fd, 0, &every, NULL);
	return fd;
}

int events_open(struct session *s)
{
	struct bpf_map *ring = bpf_object__find_map_by_name(s->object, ELF_RINGBUF);
	int err = 0;

	if (ring) {
		s->ring = ring_buffer__new(bpf_map__fd(ring), on_record, s, NULL);
		if (!s->ring)
			return -errno;
	}
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->signal_fd = open_signals();
	if (s->epoll_fd < 0 || s->signal_fd < 0)
		return -errno;
	if (s->sites_fd >= 0)
		s->timer_fd = open_timer();
	if (s->ring)
		err = watch(s, ring_buffer__epoll_fd(s->ring), FROM_RING);
	err = err ? err : watch(s, s->signal_fd, FROM_SIGNAL);
	err = err ? err : watch(s, s->timer_fd, FROM_TIMER);
	err = err ? err : watch(s, s->target_fd, FROM_TARGET);
	return err ? err : watch(s, s->child.pidfd, FROM_CHILD);
}

void events_close(struct session *s)
{
	if (s->ring)
		ring_buffer__free(s->ring);
	s->ring = NULL;
	if (s->timer_fd >= 0)
		close(s->timer_fd);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	s->timer_fd = s->signal_fd = s->epoll_fd = -1;
}

static void on_signal(struct session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1)
			session_run_special(s, PROBE_SELF);
		else
			s->stopping = true;
	}
}

static void on_ready(struct session *s, enum wakeup from)
{
	uint64_t ticks;

	switch (from) {
	case FROM_RING:
		ring_buffer__consume(s->ring);
		break;
	case FROM_SIGNAL:
		on_signal(s);
		break;
	case FROM_TIMER:
		if (read(s->timer_fd, &ticks, sizeof(ticks)) == sizeof(ticks))
			sites_check(s, false);
		break;
	case FROM_TARGET:
	case FROM_CHILD:
		s->stopping = true;
		break;
	case FROM_SYMBOLS:
		symbols_serve(s->symbols);
		break;
	}
}

enum { REST_OF_LINE_MS = 20 };

void events_serve(struct session *s)
{
	struct epoll_event ready[8];
	int symbols_fd = s->symbols ? symbols_poll_fd(s->symbols) : -1, n, i;
	bool held = false;

	watch(s, symbols_fd, FROM_SYMBOLS);
	while (!s->stopping && !s->output.err) {
		n = epoll_wait(s->epoll_fd, ready, 8, held ? REST_OF_LINE_MS : -1);
		if (n < 0 && errno != EINTR)
			break;
		for (i = 0; i < n; i++)
			on_ready(s, (enum wakeup)ready[i].data.u32);
		/* A line in several pieces is shown whole, not cut by what the child or another program writes. */
		held = n > 0 && (s->output.has_pieces || s->output.in_line);
		if (!held) {
			output_rest(&s->output);
			output_flush(&s->output, true);
		}
	}
	output_flush(&s->output, true);
}

void events_take(struct session *s)
{
	if (s->ring)
		ring_buffer__consume(s->ring);
	output_flush(&s->output, true);
}

void events_drain(struct session *s, bool keep)
{
	bool exited = s->exited;

	if (!s->ring)
		return;
	s->exited = exited || !keep;
	while (ring_buffer__consume(s->ring) == -EAGAIN && !s->output.err)
		;
	s->exited = exited || s->exited;
	output_flush(&s->output, true);
}
