#ifndef ONE_H
#define ONE_H
#include "two.h"
static inline int f(int x) { if (x) { return 1; } return 0; }
extern int g(void) __asm__("other");
int array[] = { 1, 2, 3 };
_Static_assert(1, "fine");
#endif
