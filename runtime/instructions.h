/* Lengths of machine instructions, for telling whether an offset in a function is where an instruction begins.  No disassembler:
 * only lengths. */
#ifndef WT_INSTRUCTIONS_H
#define WT_INSTRUCTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the x86_64 instruction at `code`, of which `n` can be looked at; 0 when it is none or is cut off. */
size_t instruction_length(const uint8_t *code, size_t n);

#endif
