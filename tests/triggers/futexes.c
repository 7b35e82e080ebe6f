/* futexes N: two threads hand a turn to each other N times through a futex; each blocks for the
 * other's turn. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int turn;
static int rounds;

static void play(int me)
{
	for (int i = 0; i < rounds; i++) {
		int now;

		while ((now = atomic_load(&turn)) != me)
			syscall(SYS_futex, &turn, FUTEX_WAIT, now, NULL, NULL, 0);
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

	rounds = argc > 1 ? atoi(argv[1]) : 1;
	if (pthread_create(&thread, NULL, other, NULL))
		return 1;
	prctl(PR_SET_NAME, "futexes-a");
	play(0);
	return pthread_join(thread, NULL);
}
