/* threads N: N threads one after another, named thread-1 ... thread-N, each with one getppid call.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *run(void *arg)
{
	char name[16];

	snprintf(name, sizeof(name), "thread-%d", *(int *)arg);
	prctl(PR_SET_NAME, name);
	syscall(SYS_getppid);
	return NULL;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 1; i <= n; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, run, &i) || pthread_join(thread, NULL))
			return 1;
	}
	return 0;
}
