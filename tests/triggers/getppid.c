/* getppid N [UID GID]: call getppid(2) exactly N times, as this user. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc > 3 && (setgid(atoi(argv[3])) || setuid(atoi(argv[2])))) {
		perror("getppid: setuid");
		return 1;
	}
	for (long n = argc > 1 ? atol(argv[1]) : 1; n > 0; n--)
		syscall(SYS_getppid);
	return 0;
}
