/* Any bytes as a manifest: refused, or good enough to be dumped and written again.  The header's hash is put right first, so
 * that the fuzzer gets past it. */
#include <stddef.h>
#include <stdint.h>

#include "codegen/manifest_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The header of a good manifest, without its payload's length and hash. */
static void put_header(struct arena *a, char *bytes, struct str payload)
{
	struct manifest empty = {0};
	struct str good = manifest_write(a, &empty);
	uint64_t hash = str_hash(payload);
	int i;

	memcpy(bytes, good.s, 16);
	for (i = 0; i < 8; i++) {
		bytes[16 + i] = (char)(payload.n >> 8 * i);
		bytes[24 + i] = (char)(hash >> 8 * i);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	char *bytes = arena_alloc(a, MANIFEST_HEADER + size);
	struct strbuf dump = {.arena = a};
	struct manifest *m;
	const char *why;

	memcpy(bytes + MANIFEST_HEADER, data, size);
	put_header(a, bytes, (struct str){(const char *)data, size});
	m = manifest_read(a, (struct str){bytes, MANIFEST_HEADER + size}, &why);
	if (m) {
		manifest_dump(m, &dump);
		if (!manifest_read(a, manifest_write(a, m), &why))
			__builtin_trap();
	}
	arena_free(a);
	return 0;
}
