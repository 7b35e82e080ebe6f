/* pingpong N: parent (ping) and child (pong) pass one byte to and fro N times through two pipes. */
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1;
	int there[2], back[2], status = 1;
	char c = 'x';
	pid_t pid;

	if (pipe(there) || pipe(back))
		return 1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, "pong");
		for (long i = 0; i < n; i++) {
			if (read(there[0], &c, 1) != 1 || write(back[1], &c, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	prctl(PR_SET_NAME, "ping");
	for (long i = 0; i < n; i++) {
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			return 1;
	}
	waitpid(pid, &status, 0);
	return status != 0;
}
