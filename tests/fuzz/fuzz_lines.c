/* Texts that traced processes or the kernel write: maps, perf-map files, kallsyms, formats of tracepoints, the loader's cache,
 * arguments of static probes; answers of the process that reads DWARF.  The first byte chooses. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/kallsyms.h"
#include "runtime/processes.h"
#include "runtime/trace_format.h"
#include "runtime/usdt.h"
#include "runtime/user_paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = {(const char *)data + 1, size ? size - 1 : 0}, name;
	struct kallsyms *k;
	struct dwarf_function function;
	address_list places = {0};
	frame_list frames = {0};
	struct map_line line;
	struct usdt_place place;
	uint64_t start, length;

	switch (size ? data[0] % 9 : 9) {
	case 0:
		map_line_parse(text, &line);
		break;
	case 1:
		perf_map_line_parse(text, &start, &length, &name);
		break;
	case 2:
		k = kallsyms_parse(text.s, text.n);
		kallsyms_name(k, 0xffffffff81000000, &start);
		kallsyms_free(k);
		break;
	case 3:
		trace_format_parse(a, text);
		break;
	case 6:
		dwarf_read_function(a, text, &function);
		break;
	case 7:
		dwarf_read_places(a, text, &places);
		break;
	case 8:
		dwarf_read_frames(a, text, &frames);
		break;
	case 4:
		ld_cache_find(text, STR("libc"));
		break;
	case 5:
		usdt_parse_args(text, NULL, &place);
		break;
	}
	arena_free(a);
	return 0;
}
