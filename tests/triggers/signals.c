/* signals N SIG: send signal number SIG, which is ignored, to ourselves N times with kill(2). */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1;
	int sig = argc > 2 ? atoi(argv[2]) : SIGUSR1;

	signal(sig, SIG_IGN);
	for (; n > 0; n--) {
		if (kill(getpid(), sig))
			return 1;
	}
	return 0;
}
