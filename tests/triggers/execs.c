/* execs N: N times fork, and the child executes this program again as `execs leaf`; waits for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char self[4096] = "";

	if (argc > 1 && !strcmp(argv[1], "leaf"))
		return 0;
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	for (long n = argc > 1 ? atol(argv[1]) : 1; n > 0; n--) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			execl(self, "execs", "leaf", NULL);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
			fprintf(stderr, "execs: a child failed\n");
			return 1;
		}
	}
	return 0;
}
