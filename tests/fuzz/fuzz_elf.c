/* ELF files of traced programs: headers, symbols, notes of static probes and their arguments, demangling. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/elf_image.h"
#include "runtime/usdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct elf_image *e;
	usdt_list notes = {0};
	const char *why;
	uint64_t v;
	int i;

	e = elf_image_memory(data, size, &why);
	if (e) {
		elf_load_symbols(e, NULL, NULL);
		for (i = 0; i < e->nsymbols && i < 64; i++) {
			demangle(a, elf_symbol_name(e, &e->symbols[i]));
			elf_symbol_at(e, e->symbols[i].address + e->symbols[i].size / 2);
			if (elf_address_to_offset(e, e->symbols[i].address, &v))
				elf_offset_to_address(e, v, &v);
		}
		elf_find_symbol(e, STR("main"), NULL);
		usdt_read(a, e, &notes);
		VEC_EACH (n, &notes) {
			struct usdt_place place;

			usdt_parse_args(n->args, &(struct usdt_scope){e, n->offset}, &place);
		}
		elf_image_close(e);
	}
	arena_free(a);
	return 0;
}
