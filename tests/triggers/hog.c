/* hog MB [PASSES]: write to each page of MB megabytes, PASSES times one after another; with little memory they come back from
 * swap space. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	long size = (argc > 1 ? atol(argv[1]) : 1) << 20, passes = argc > 2 ? atol(argv[2]) : 1;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("hog: mmap");
		return 1;
	}
	madvise(p, size, MADV_NOHUGEPAGE);
	for (; passes > 0; passes--) {
		for (long i = 0; i < size; i += 4096)
			((volatile char *)p)[i]++;
	}
	return 0;
}
