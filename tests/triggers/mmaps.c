/* mmaps N: two threads at the same time map 4 MB, filled at once, and unmap them N times: each waits for the other's lock on the
 * address space. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

static int rounds;

static void *run(void *arg)
{
	for (int i = 0; i < rounds; i++) {
		void *p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (p == MAP_FAILED || munmap(p, 4 << 20))
			exit(1);
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	rounds = argc > 1 ? atoi(argv[1]) : 1;
	if (pthread_create(&thread, NULL, run, NULL))
		return 1;
	run(NULL);
	return pthread_join(thread, NULL);
}
