/* MiniDebugInfo: an ELF file with the names of local functions, packed with xz into the section .gnu_debugdata of a stripped one
 * (as Fedora's packages are).  Unpacked within limits: a few bytes may ask for gigabytes. */
#include <lzma.h>
#include <stdlib.h>

#include "runtime/elf_image.h"

enum { MAX_PACKED = 32 << 20, MAX_UNPACKED = 128 << 20, MEMORY_LIMIT = 128 << 20 };

uint8_t *elf_unpack_minidebug(const struct elf_image *e, size_t *size)
{
	const struct elf_section *s = elf_section(e, ".gnu_debugdata");
	lzma_stream stream = LZMA_STREAM_INIT;
	uint8_t *packed = NULL, *bytes = NULL;
	size_t room = 0, n;
	lzma_ret r = LZMA_DATA_ERROR;

	if (s)
		packed = elf_section_bytes(e, s, MAX_PACKED, &n);
	if (!packed || lzma_stream_decoder(&stream, MEMORY_LIMIT, 0) != LZMA_OK)
		goto out;
	stream.next_in = packed;
	stream.avail_in = n;
	do {
		uint8_t *grown;

		if (!stream.avail_out) {
			room = room ? room * 2 : 1 << 16;
			grown = room > MAX_UNPACKED ? NULL : realloc(bytes, room);
			if (!grown)
				break;
			bytes = grown;
			stream.next_out = bytes + stream.total_out;
			stream.avail_out = room - stream.total_out;
		}
		r = lzma_code(&stream, LZMA_FINISH);
	} while (r == LZMA_OK);
	*size = stream.total_out;
out:
	lzma_end(&stream);
	free(packed);
	if (r == LZMA_STREAM_END)
		return bytes;
	free(bytes);
	return NULL;
}
