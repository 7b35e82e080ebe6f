/* futexes N: two threads hand a turn to each other N times through a futex; each blocks for the other's turn, "futexes-b" N times
 * and "futexes-a" N - 1 times: a turn is handed over only when the other one is seen to have been switched away. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int turn;
static int rounds;

/* Of each thread: its id, and how often it had been switched away asleep when it began to wait; -1 while it does not. */
static atomic_int tids[2];
static atomic_long waits_since[2] = {-1, -1};

static void begin_wait(int me)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage))
		exit(1);
	atomic_store(&waits_since[me], usage.ru_nvcsw);
}

/* How often a thread has been switched away asleep; the kernel counts on its way to the other thread. */
static long switched_away(int tid)
{
	static const char field[] = "\nvoluntary_ctxt_switches:";
	char path[64], text[4096], *at;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	f = fopen(path, "r");
	if (!f)
		exit(1);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = 0;
	at = strstr(text, field);
	return at ? atol(at + sizeof(field) - 1) : -1;
}

/* Without this one of the two may never block: on a busy CPU the one that is woken runs at once, and has handed back its turn
 * before the other one gets to wait for it. */
static void until_asleep(int who)
{
	for (;;) {
		long since = atomic_load(&waits_since[who]);

		if (since >= 0 && switched_away(atomic_load(&tids[who])) > since)
			return;
		sched_yield();
	}
}

static void play(int me)
{
	atomic_store(&tids[me], (int)syscall(SYS_gettid));
	for (int i = 0; i < rounds; i++) {
		if (me || i) {
			begin_wait(me);
			while (atomic_load(&turn) != me)
				syscall(SYS_futex, &turn, FUTEX_WAIT, !me, NULL, NULL, 0);
			atomic_store(&waits_since[me], -1);
		}
		if (!me || i < rounds - 1)
			until_asleep(!me);
		atomic_store(&turn, !me);
		syscall(SYS_futex, &turn, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

static void *other(void *arg)
{
	prctl(PR_SET_NAME, "futexes-b");
	play(1);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	prctl(PR_SET_NAME, "futexes-a");
	rounds = argc > 1 ? atoi(argv[1]) : 1;
	if (pthread_create(&thread, NULL, other, NULL))
		return 1;
	play(0);
	return pthread_join(thread, NULL);
}
