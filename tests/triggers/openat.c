/* openat N PATH...: open each PATH N times with openat(2), read-only; it need not exist. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1;

	for (int i = 2; i < argc; i++) {
		for (long k = 0; k < n; k++) {
			int fd = syscall(SYS_openat, AT_FDCWD, argv[i], O_RDONLY);

			if (fd >= 0)
				close(fd);
		}
	}
	return 0;
}
