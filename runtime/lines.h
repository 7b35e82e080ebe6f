/* From an instruction to the line of the script: .BTF.ext of the artefact. */
#ifndef WT_LINES_H
#define WT_LINES_H

#include <stdint.h>

#include "lang/support/str.h"

struct line_place {
	struct str file;
	uint32_t line, column; /* from 1; column 0: unknown */
};

/* The place of the last line record at or before byte `offset` of ELF section `section`.  False when there is none. */
bool line_of_instruction(struct str elf, struct str section, uint64_t offset, struct line_place *out);

#endif
