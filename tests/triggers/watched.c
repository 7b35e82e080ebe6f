/*
 * watched N: the target of watchpoints.  wt_watched, an int at address 0x10000000 (see CMakeLists.txt), is written N times and
 * read 2 * N times; wt_called, a function at 0x11000000, is called N times.
 */
#include <stdlib.h>

volatile int wt_watched __attribute__((section(".wtfixed"))) = 1;

__attribute__((noinline, section(".wtcode"))) int wt_called(int i)
{
	__asm__ volatile("");
	return i;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1, sum = 0;

	for (int i = 1; i <= n; i++) {
		wt_watched = i;
		sum += wt_watched;
		sum += wt_called(wt_watched);
	}
	return sum == -1;
}
