/* Debug information: ELF files with damaged DWARF, read as the process for it reads them, and the checks of its answers. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/btf.h"
#include "runtime/dwarf.h"
#include "runtime/dwarf_child.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libdw forgets memory when a unit is damaged; the process that it runs in does not live long. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static bool ask(struct dwarf_reader *r, struct arena *a, int fd, const struct dwarf_request *q, struct str text, struct str *body)
{
	struct strbuf out = {.arena = a};
	bool known = !dwarf_reader_answer(r, q, text, (const int[]){dup(fd), -1}, &out);

	*body = strbuf_str(&out);
	return known;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dwarf_reader *r = dwarf_reader_open();
	struct arena *a = arena_new();
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct dwarf_function function;
	address_list places = {0};
	frame_list frames = {0};
	struct str body;
	const char *why;

	if (write(fd, data, size) != (ssize_t)size)
		abort();
	if (ask(r, a, fd, &(struct dwarf_request){.question = DWARF_ASK_PLACES, .line = 9}, STR("f.c"), &body))
		dwarf_read_places(a, body, &places);
	VEC_EACH (address, &places) {
		unsigned innermost;

		if (ask(r, a, fd, &(struct dwarf_request){.question = DWARF_ASK_FRAMES, .address = *address}, STR(""), &body))
			dwarf_read_frames(a, body, &frames);
		for (innermost = 0; innermost < 2; innermost++) {
			struct dwarf_request q = {.question = DWARF_ASK_FUNCTION, .address = *address, .innermost = innermost};

			if (ask(r, a, fd, &q, STR(""), &body) && dwarf_read_function(a, body, &function))
				btf_close(btf_parse(a, function.btf, function.btf_size, STR("fuzz"), NULL, &why));
		}
	}
	if (ask(r, a, fd, &(struct dwarf_request){.question = DWARF_ASK_TYPE}, STR("snode"), &body) && dwarf_read_function(a, body, &function))
		btf_close(btf_parse(a, function.btf, function.btf_size, STR("fuzz"), NULL, &why));
	close(fd);
	dwarf_reader_close(r);
	arena_free(a);
	return 0;
}
