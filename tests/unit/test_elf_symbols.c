/* Symbols of ELF files: of this very program, of damaged copies of it, and of what is no program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/elf_image.h"
#include "runtime/user_paths.h"

int a_function_to_find(int x);
__attribute__((noinline, used)) int a_function_to_find(int x)
{
	return x * 3 + 1;
}

static void finds_own_function(void **state)
{
	const char *why;
	const struct elf_symbol *s;
	struct elf_image *e;
	uint64_t offset, address;
	int (*volatile call)(int) = a_function_to_find; /* volatile: no copy for one argument takes its place */
	int err;

	(void)state;
	e = elf_image_open("/proc/self/exe", &err, &why);
	assert_non_null(e);
	assert_true(elf_load_symbols(e, "/proc/self/exe", NULL));
	s = elf_find_symbol(e, STR("a_function_to_find"), NULL);
	assert_non_null(s);
	assert_true(s->size > 0);
	assert_null(elf_find_symbol(e, STR("a_function_to"), NULL));
	assert_ptr_equal(elf_symbol_at(e, s->address), s);
	assert_ptr_equal(elf_symbol_at(e, s->address + s->size - 1), s);
	assert_true(elf_address_to_offset(e, s->address, &offset));
	assert_true(elf_offset_to_address(e, offset, &address));
	assert_true(address == s->address);
	assert_null(elf_symbol_at(e, UINT64_MAX));
	elf_image_close(e);
	assert_int_equal(call(1), 4);
}

static void shows_names_without_versions(void **state)
{
	const char *why;
	const struct elf_symbol *s;
	struct elf_image *e;
	int err;

	(void)state;
	e = elf_image_open(VERSIONED, &err, &why);
	assert_non_null(e);
	assert_true(elf_load_symbols(e, VERSIONED, NULL));
	s = elf_find_symbol(e, STR("a_versioned_name"), NULL);
	assert_non_null(s);
	s = elf_symbol_at(e, s->address);
	assert_non_null(s);
	assert_string_equal(elf_symbol_name(e, s), "a_plain_name");
	elf_image_close(e);
}

static void refuses_other_files(void **state)
{
	char fifo[] = "/tmp/waketrace-fifo-XXXXXX";
	const char *why;
	int err;

	(void)state;
	assert_null(elf_image_open("/dev/zero", &err, &why));
	assert_non_null(why);
	assert_null(elf_image_open("/tmp", &err, &why));
	assert_null(elf_image_open("/nonexistent", &err, &why));
	assert_int_equal(err, 2);
	assert_null(elf_image_open("/etc/passwd", &err, &why));
	close(mkstemp(fifo));
	unlink(fifo);
	if (!mkfifo(fifo, 0600)) {
		assert_null(elf_image_open(fifo, &err, &why)); /* and does not wait for a writer */
		unlink(fifo);
	}
}

static uint8_t *own_bytes(size_t *size)
{
	FILE *f = fopen("/proc/self/exe", "r");
	size_t cap = 64 << 20;
	uint8_t *bytes = malloc(cap);

	*size = fread(bytes, 1, cap, f);
	fclose(f);
	return bytes;
}

static void look_around(struct elf_image *e)
{
	uint64_t v;
	int i;

	if (!e)
		return;
	elf_load_symbols(e, NULL, NULL);
	for (i = 0; i < e->nsymbols && i < 16; i++) {
		elf_symbol_at(e, e->symbols[i].address + 1);
		elf_address_to_offset(e, e->symbols[i].address, &v);
		elf_offset_to_address(e, v, &v);
	}
	elf_find_symbol(e, STR("main"), NULL);
	elf_image_close(e);
}

/* Headers and section headers with bytes changed; files cut short. */
static void survives_damage(void **state)
{
	size_t size, i;
	uint8_t *bytes = own_bytes(&size);
	const char *why;
	uint64_t sections;

	(void)state;
	memcpy(&sections, bytes + 40, 8); /* e_shoff */
	for (i = 0; i < 64 + 40 * 64; i++) {
		size_t at = i < 64 ? i : sections + (i - 64);
		uint8_t old;

		if (at >= size)
			break;
		old = bytes[at];
		bytes[at] ^= 0xff;
		look_around(elf_image_memory(bytes, size, &why));
		bytes[at] = old;
	}
	for (i = 0; i < size; i += 1 + size / 200)
		look_around(elf_image_memory(bytes, i, &why));
	free(bytes);
}

static void demangles(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_string_equal(demangle(a, "_ZN2ns2fnEi"), "ns::fn(int)");
	assert_string_equal(demangle(a, "_ZN2ns2tfIiEET_S1_"), "ns::tf<int>(int)");
	assert_string_equal(demangle(a, "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"), "core::fmt::Write::write_fmt");
	assert_null(demangle(a, "main"));
	assert_null(demangle(a, "_Z"));
	arena_free(a);
}

static void loader_cache(void **state)
{
	struct {
		char magic[20];
		uint32_t nlibs, len, unused[5];
		struct {
			int32_t flags;
			uint32_t key, value, version;
			uint64_t hwcap;
		} e[2];
		char strings[64];
	} __attribute__((packed)) c = {.magic = {0}, .nlibs = 2};
	struct str bytes = {(const char *)&c, sizeof(c)};
	uint32_t base = offsetof(__typeof__(c), strings);

	(void)state;
	memcpy(c.magic, "glibc-ld.so.cache1.1", 20);
	memcpy(c.strings, "libc.so.6\0/lib/libc.so.6\0libcrypt.so.1\0/lib/x", 46);
	c.e[0].flags = c.e[1].flags = 0x0303;
	c.e[0].key = base + 25;
	c.e[0].value = base + 39;
	c.e[1].key = base;
	c.e[1].value = base + 10;
	assert_true(str_is(ld_cache_find(bytes, STR("libc")), "/lib/libc.so.6"));
	assert_true(str_is(ld_cache_find(bytes, STR("libc.so.6")), "/lib/libc.so.6"));
	assert_true(str_is(ld_cache_find(bytes, STR("libcrypt")), "/lib/x"));
	assert_int_equal(ld_cache_find(bytes, STR("libcry")).n, 0);
	c.nlibs = 1000;
	assert_int_equal(ld_cache_find(bytes, STR("libc")).n, 0);
	c.nlibs = 2;
	c.e[1].value = 100000;
	assert_int_equal(ld_cache_find(bytes, STR("libc")).n, 0);
	assert_int_equal(ld_cache_find(STR("glibc-ld.so"), STR("libc")).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_own_function), cmocka_unit_test(shows_names_without_versions), cmocka_unit_test(refuses_other_files), cmocka_unit_test(survives_damage),
		cmocka_unit_test(demangles),	      cmocka_unit_test(loader_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
