/*
 * badname N: N getppid calls by a process whose name holds an escape sequence, a byte that is not
 * UTF-8, C1 and DEL. The same bytes are in the path that it fails to open N times.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char name[] = "a\033[31m\xff\xc2\x9b\x7f\xc3\xa9z";

	prctl(PR_SET_NAME, name);
	for (long n = argc > 1 ? atol(argv[1]) : 1; n > 0; n--) {
		syscall(SYS_getppid);
		syscall(SYS_openat, AT_FDCWD, name, O_RDONLY);
	}
	return 0;
}
