/* The standard library's text, taken into the binary as it is. */
#include "lang/stdlib.h"

__asm__(".pushsection .rodata\n"
	".globl standard_library\n"
	"standard_library:\n"
	".incbin \"" STDLIB_FILE "\"\n"
	".byte 0\n"
	".popsection\n");
