/*
 * fork5 [-m] [-x]: fork five children that sleep 100, 200, 300, 400 and 500 ms and exit; wait for
 * all of them.  So the parent is blocked five times, about half a second in all, and each time an
 * exiting child wakes it.
 *
 * - -m: print how long the parent was blocked, in microseconds: from each wait until a child said that it was about to end, and
 *   until the wait was over
 * - -x: parent on CPU 0, children on CPU 1, so that the waker is never on the target's CPU
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct child {
	pid_t pid;
	long end; /* when it was about to exit */
};

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("fork5: affinity");
		exit(1);
	}
}

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	int measure = 0, cross = 0, option, failed = 0;
	struct child *children = mmap(NULL, 5 * sizeof(*children), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long blocked = 0, waited = 0;

	if (children == MAP_FAILED)
		return 1;

	while ((option = getopt(argc, argv, "mx")) != -1) {
		measure |= option == 'm';
		cross |= option == 'x';
	}
	if (cross)
		run_on(0);
	for (int i = 1; i <= 5; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork5: fork");
			return 1;
		}
		if (!pid) {
			if (cross)
				run_on(1);
			usleep(i * 100000);
			children[i - 1].end = now_us();
			_exit(0);
		}
		children[i - 1].pid = pid;
	}
	for (int i = 1; i <= 5; i++) {
		long begin = now_us();
		pid_t pid = wait(NULL);
		long end = now_us();

		failed |= pid < 0;
		for (int k = 0; k < 5; k++) {
			if (children[k].pid == pid && children[k].end > begin) {
				blocked += children[k].end - begin;
				waited += end - begin;
			}
		}
	}
	if (measure)
		printf("blocked %ld %ld\n", blocked, waited);
	return failed;
}
