/* A kernel that is a table: what the checker asks of the machine, the same on every computer. */
#ifndef WT_FAKE_KERNEL_H
#define WT_FAKE_KERNEL_H

#include "lang/kernel.h"

/* `lacks`: bits of enum kernel_feature that it has not.  Nothing is to be closed. */
struct kernel *fake_kernel(struct arena *a, uint32_t lacks);

#endif
