/* fakebash LINE...: called bash, it "reads" each LINE with a function readline(), then the end of the input. */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

__attribute__((noinline)) char *readline(const char *line)
{
	return line ? strdup(line) : NULL;
}

int main(int argc, char **argv)
{
	prctl(PR_SET_NAME, "bash");
	for (int i = 1; i <= argc; i++)
		free(readline(argv[i]));
	return 0;
}
