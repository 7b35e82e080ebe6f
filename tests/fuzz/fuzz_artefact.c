/* Any bytes as an artefact's ELF file: sections, symbols and line records are found or not, never read beyond its end. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "runtime/lines.h"
#include "runtime/session_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + !size); /* its own block: the sanitizer sees every byte too far */
	struct str elf = {copy, size};
	struct line_place place;
	uint64_t offset, n;

	memcpy(copy, data, size);
	artefact_section(elf, MANIFEST_SECTION);
	artefact_symbol(elf, ".rodata", STR(RODATA_SELF_PID), &offset, &n);
	if (line_of_instruction(elf, STR("x/begin_1"), 64, &place) && place.file.n > size)
		__builtin_trap();
	free(copy);
	return 0;
}
