/* --info: what this machine and this build can do, and what happens where something is missing. */
#ifndef WT_INFO_H
#define WT_INFO_H

#include <stdio.h>

#include "lang/kernel.h"

void info_print(struct kernel *k, const char *llvm_version, FILE *out);

#endif
