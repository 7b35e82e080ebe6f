/* BTF: finding, converting and printing types of a damaged blob; the first byte splits off a module's blob. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "runtime/btf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct arena *a, struct btf_file *f)
{
	struct strbuf b = {.arena = a};
	uint64_t value;
	uint32_t id;

	for (id = 0; id < f->end_id && id < 64 && b.n < 1 << 16; id++) {
		const struct btf_type *t = btf_type_at(f, id);

		btf_size(f, id);
		btf_print_decl(&b, f, id, STR("x"), id & 1);
		if (btf_kind_of(t) == BTF_KIND_STRUCT || (BTF_MASK(btf_kind_of(t)) & BTF_MASK_ENUM))
			btf_print_definition(&b, f, id, 0);
		btf_find(f, btf_name(f, t), ~0u);
	}
	btf_find_enumerator(f, STR("A"), &value);
	btf_is_sound(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	size_t first = size ? data[0] * 8u : 0;
	struct btf_file *base, *module;
	uint32_t copy[1 << 12];
	const char *why;

	if (size < 1 || size - 1 > sizeof(copy))
		goto out;
	memcpy(copy, data + 1, --size); /* aligned, as files are */
	if (first > size)
		first = size;
	base = btf_parse(a, copy, first && first < size ? first : size, STR("vmlinux"), NULL, &why);
	if (base)
		look(a, base);
	module = base && first && first < size ? btf_parse(a, (const char *)copy + first, size - first, STR("mod"), base, &why) : NULL;
	if (module)
		look(a, module);
	btf_close(module);
	btf_close(base);
out:
	arena_free(a);
	return 0;
}
