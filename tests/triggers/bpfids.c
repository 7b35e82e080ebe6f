/* bpfids: the ids of all BPF programs, maps and links in the kernel, one kind per line. */
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	static const struct {
		const char *name;
		int next_id;
	} kinds[] = {{"programs", 11}, {"maps", 12}, {"links", 31}};

	for (int k = 0; k < 3; k++) {
		struct {
			uint32_t start, next, flags;
		} attr = {0};

		printf("%s:", kinds[k].name);
		while (!syscall(SYS_bpf, kinds[k].next_id, &attr, sizeof(attr))) {
			printf(" %u", attr.next);
			attr.start = attr.next;
		}
		printf("\n");
	}
	return 0;
}
