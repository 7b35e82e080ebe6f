/*
 * jit N [MILLISECONDS]: a compiler at work.  It writes machine code into memory, tells of it in /tmp/perf-PID.map as
 * "wt compiled f" (a name with blanks), and runs it N times; the code calls jit_called().  With MILLISECONDS it then waits.  The file
 * stays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int jit_called(void);

__attribute__((noinline, noipa)) int jit_called(void)
{
	return 7;
}

int main(int argc, char **argv)
{
	/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
	int n = argc > 1 ? atoi(argv[1]) : 1, i;
	char name[64];
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*compiled)(int (*)(void));
	FILE *map;

	if (at == MAP_FAILED)
		return 1;
	memcpy(at, code, sizeof(code));
	if (mprotect(at, 4096, PROT_READ | PROT_EXEC))
		return 1;
	snprintf(name, sizeof(name), "/tmp/perf-%d.map", (int)getpid());
	map = fopen(name, "w");
	if (!map)
		return 1;
	fprintf(map, "%lx %x wt compiled f\n", (unsigned long)at, (unsigned)sizeof(code));
	fclose(map);
	*(void **)&compiled = at;
	for (i = 0; i < n; i++)
		compiled(jit_called);
	if (argc > 2)
		usleep((unsigned)atoi(argv[2]) * 1000);
	return 0;
}
