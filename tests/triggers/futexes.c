/* futexes N: two threads hand a turn to each other N times through a futex; each blocks for the other's turn, "futexes-b" N times
 * and "futexes-a" N - 1 times: a turn is handed over only when the other one is seen to have been switched away. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int turn;
static int rounds;
static atomic_int tids[2]; /* 0: not started yet */

/* Does this thread lie in FUTEX_WAIT, off its CPU?  For .../syscall the kernel waits until a thread that is about to sleep has really
 * been switched away: counters of switches and the state in .../stat change before the tracepoint is passed. */
static int is_waiting(int tid)
{
	char path[64];
	long number = -1;
	unsigned long operation = FUTEX_WAKE;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%ld %*s %lx", &number, &operation) != 2)
		number = -1; /* it is running */
	fclose(f);
	return number == SYS_futex && operation == FUTEX_WAIT;
}

/* Without this one of the two may never block: on a busy CPU the one that is woken runs at once, and has handed back its turn
 * before the other one gets to wait for it. */
static void until_asleep(int who)
{
	while (!is_waiting(atomic_load(&tids[who])))
		sched_yield();
}

static void play(int me)
{
	atomic_store(&tids[me], (int)syscall(SYS_gettid));
	for (int i = 0; i < rounds; i++) {
		while ((me || i) && atomic_load(&turn) != me)
			syscall(SYS_futex, &turn, FUTEX_WAIT, !me, NULL, NULL, 0);
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
