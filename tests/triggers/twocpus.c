/*
 * twocpus N [A B]: two threads, one on CPU 0 and one on CPU 1, start together and make N getppid
 * calls each, 2 N in all, so that whatever the probe updates is hit by both CPUs at once.  With A
 * and B they write A bytes (on CPU 0) or B bytes (on CPU 1) to /dev/null instead.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_barrier_t start;
static long calls, sizes[2];
static int null;
static char data[65536];

static void *run(void *arg)
{
	int cpu = *(int *)arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("twocpus: affinity");
		exit(1);
	}
	pthread_barrier_wait(&start);
	for (long i = 0; i < calls; i++) {
		if (!sizes[0])
			syscall(SYS_getppid);
		else if (write(null, data, sizes[cpu]) != sizes[cpu])
			exit(1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int cpus[] = {0, 1};
	pthread_t threads[2];

	calls = argc > 1 ? atol(argv[1]) : 1;
	null = open("/dev/null", O_WRONLY);
	for (int i = 0; i < 2; i++)
		sizes[i] = argc > 3 ? atol(argv[2 + i]) : 0;
	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 2; i++) {
		if (pthread_create(&threads[i], NULL, run, &cpus[i]))
			return 1;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
