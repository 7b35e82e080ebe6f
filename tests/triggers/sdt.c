/*
 * sdt N [MS]: the target of static probes (usdt); it waits MS milliseconds after each pass.  Its notes are written here by hand, as systemtap's sys/sdt.h would write them.
 * For i = 1 ... N it passes
 *
 * - wt:hit at two places: first with (i, -i as 4 bytes, 7, "text"), then with (i * 100, -1 as 1 byte, 8, "more")
 * - wt:gated, with i, but only while its semaphore is not zero: something is attached
 * - wt:plain, without arguments
 * - wt:forms, with 0x1234 in 2 bytes of a register, 0x12 in its second byte, -7 in a variable, 22 in the second element of an array,
 *   30 + i behind an index, and a floating-point number
 */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define STRING(x) #x
#define NOTE(provider, name, semaphore, args)                                                      \
	"990: nop\n"                                                                               \
	".pushsection .note.stapsdt,\"\",\"note\"\n"                                               \
	".balign 4\n"                                                                              \
	".4byte 992f-991f, 994f-993f, 3\n"                                                         \
	"991: .asciz \"stapsdt\"\n"                                                                \
	"992: .balign 4\n"                                                                         \
	"993: .8byte 990b, _.stapsdt.base, " semaphore "\n"                                        \
	".asciz \"" STRING(provider) "\"\n"                                                        \
	".asciz \"" STRING(name) "\"\n"                                                            \
	".asciz \"" args "\"\n"                                                                    \
	"994: .balign 4\n"                                                                         \
	".popsection\n"                                                                            \
	".ifndef _.stapsdt.base\n"                                                                 \
	".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"                    \
	".weak _.stapsdt.base\n"                                                                   \
	".hidden _.stapsdt.base\n"                                                                 \
	"_.stapsdt.base: .space 1\n"                                                               \
	".size _.stapsdt.base, 1\n"                                                                \
	".popsection\n"                                                                            \
	".endif\n"

extern volatile unsigned short wt_gated_semaphore;
extern volatile int wt_variable;
volatile int wt_variable = -7;
extern volatile long wt_array[3];
volatile long wt_array[3] = {11, 22, 33};
static const int wt_table[4] = {30, 31, 32, 33};
volatile unsigned short wt_gated_semaphore __attribute__((section(".probes"), used)) = 0;

__attribute__((noinline, noipa)) static void pass(long i)
{
	long hundred = i * 100;
	int minus = (int)-i;
	signed char one = -1;
	const char *text = "text", *more = "more";

	__asm__ volatile(NOTE(wt, hit, "0", "8@%0 -4@%1 4@$7 8@%2") : : "r"(i), "r"(minus), "m"(text));
	__asm__ volatile(NOTE(wt, hit, "0", "8@%0 -1@%1 4@$8 8@%2") : : "m"(hundred), "r"(one), "r"(more));
	if (wt_gated_semaphore)
		__asm__ volatile(NOTE(wt, gated, "wt_gated_semaphore", "-8@%0") : : "r"(i));
	__asm__ volatile(NOTE(wt, plain, "0", ""));
	__asm__ volatile("mov $0x1234, %%eax\n"
			 NOTE(wt, forms, "0", "2@%%ax 1@%%ah -4@wt_variable(%%rip) 8@wt_array+8(%%rip) 4@(%0,%1,4) 8f@%%xmm0 1@$3")
			 :
			 : "r"(wt_table), "r"(i % 4)
			 : "rax");
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 1; i <= n; i++) {
		pass(i);
		if (argc > 2)
			usleep((unsigned)atoi(argv[2]) * 1000);
	}
	return 0;
}
