/* leaks N SIZE: N times SIZE bytes from malloc in leak_here, and as many from calloc, realloc and posix_memalign, are never given
 * back; N more in keep_nothing are. */
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

__attribute__((noinline, noipa)) void leak_here(long size);
__attribute__((noinline, noipa)) void leak_cleared(long size);
__attribute__((noinline, noipa)) void leak_grown(long size);
__attribute__((noinline, noipa)) void leak_aligned(long size);
__attribute__((noinline, noipa)) void keep_nothing(long size);

void leak_here(long size)
{
	kept = malloc(size);
	*(char *)kept = 1;
}

void leak_cleared(long size)
{
	kept = calloc(1, size);
	*(char *)kept = 1;
}

/* Only the larger one is left. */
void leak_grown(long size)
{
	kept = malloc(1);
	kept = realloc(kept, size);
	*(char *)kept = 1;
}

void leak_aligned(long size)
{
	void *p;

	if (posix_memalign(&p, 64, size))
		exit(1);
	kept = p;
	*(char *)kept = 1;
}

void keep_nothing(long size)
{
	kept = malloc(size);
	*(char *)kept = 1;
	free(kept);
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1, size = argc > 2 ? atol(argv[2]) : 100;

	for (; n > 0; n--) {
		leak_here(size);
		leak_cleared(size);
		leak_grown(size);
		leak_aligned(size);
		keep_nothing(size);
	}
	return 0;
}
