/*
 * rw wSIZE[xN]... rSIZE[xN]...: write SIZE bytes to /dev/null (or read them from /dev/zero) N
 * times, in this order. The result of each call is SIZE.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY);

	for (int i = 1; i < argc; i++) {
		char kind = 0;
		long size = 0, n = 1;
		char *data;

		if (sscanf(argv[i], "%c%ldx%ld", &kind, &size, &n) < 2 ||
		    (kind != 'w' && kind != 'r')) {
			fprintf(stderr, "rw: what is '%s'?\n", argv[i]);
			return 1;
		}
		data = calloc(1, size + 1);
		for (; data && n > 0; n--) {
			if ((kind == 'w' ? write(null, data, size) : read(zero, data, size)) !=
			    size)
				return 1;
		}
		free(data);
	}
	return 0;
}
