/* sleeps N MS: sleep N times MS milliseconds with clock_nanosleep(2). */
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1, ms = argc > 2 ? atol(argv[2]) : 1;
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	for (; n > 0; n--) {
		if (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL))
			return 1;
	}
	return 0;
}
