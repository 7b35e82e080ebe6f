/* BUG(): our own mistake (an impossible node), never a mistake of the user or the kernel. */
#ifndef WT_BUG_H
#define WT_BUG_H

#include <stdio.h>
#include <stdlib.h>

#define BUG(...)                                                                                   \
	do {                                                                                       \
		fprintf(stderr, "waketrace: bug at %s:%d: ", __FILE__, __LINE__);                  \
		fprintf(stderr, __VA_ARGS__);                                                      \
		fputc('\n', stderr);                                                               \
		abort();                                                                           \
	} while (0)

#endif
