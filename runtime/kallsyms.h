/* Kernel addresses to names, from /proc/kallsyms: the kernel itself, modules, BPF programs and trampolines. */
#ifndef WT_KALLSYMS_H
#define WT_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kallsyms;

/* Read /proc/kallsyms: some 40 ms and 8 MB.  An empty table when it cannot be read or hides its addresses.  Never NULL. */
struct kallsyms *kallsyms_read(void);
/* The same from text. */
struct kallsyms *kallsyms_parse(const char *text, size_t size);
void kallsyms_free(struct kallsyms *k); /* NULL is allowed */

/* Name of the symbol nearest below `address`, *offset bytes from its start; NULL when there is none near enough.
 * Valid until kallsyms_free(). */
const char *kallsyms_name(const struct kallsyms *k, uint64_t address, uint64_t *offset);
bool kallsyms_empty(const struct kallsyms *k);

#endif
