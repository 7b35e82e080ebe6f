/* What LLVM leaves to be done on the object's bytes. */
#ifndef WT_ELF_FINISH_H
#define WT_ELF_FINISH_H

#include "lang/source.h"
#include "lang/support/str.h"

/* Put the script's file names and lines into .BTF and .BTF.ext where LLVM wrote stand-ins (emit_btf.c), and leave out sections that
 * nobody reads (DWARF).  `sources[n]` is the source behind stand-in n. */
struct str elf_finish(struct arena *a, struct str elf, const struct source *const *sources, int nsources);

#endif
