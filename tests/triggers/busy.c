/* busy MS [CPU]: use MS milliseconds of CPU time in the function busy_here, called from
 * busy_caller. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile unsigned long sink;

__attribute__((noinline, noipa)) void busy_here(void);
__attribute__((noinline, noipa)) void busy_caller(long ms);

void busy_here(void)
{
	for (int i = 0; i < 20000; i++)
		sink += i;
}

static long cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void busy_caller(long ms)
{
	while (cpu_ms() < ms)
		busy_here();
}

int main(int argc, char **argv)
{
	if (argc > 2) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(atoi(argv[2]), &set);
		if (sched_setaffinity(0, sizeof(set), &set)) {
			perror("busy: affinity");
			return 1;
		}
	}
	busy_caller(argc > 1 ? atol(argv[1]) : 100);
	return 0;
}
