/* Debug information: this very program asked of the process that reads it, and damaged answers. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/btf.h"
#include "runtime/dwarf.h"
#include "runtime/elf_image.h"

struct looked_at {
	short first;
	long second;
};

long look_at_me(int number, const struct looked_at *object);

__attribute__((noinline)) long look_at_me(int number, const struct looked_at *object)
{
	return number + object->second; /* line 24 */
}

enum { LINE = 24 };

static void own_function(void **state)
{
	struct arena *a = arena_new();
	struct dwarf *d = dwarf_open(a);
	struct dwarf_function f;
	address_list places = {0};
	frame_list frames = {0};
	const char *why = NULL;
	int err, fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct elf_image *e = elf_image_open("/proc/self/exe", &err, &why);
	const struct elf_symbol *s;
	struct btf_file *types;

	(void)state;
	assert_int_equal(look_at_me(1, &(struct looked_at){0, 2}), 3);
	assert_non_null(e);
	elf_load_symbols(e, NULL, NULL);
	s = elf_find_symbol(e, STR("look_at_me"), NULL);
	assert_non_null(s);
	if (!dwarf_function(d, a, &(struct dwarf_place){fd, -1, s->address, false}, &f, &why))
		fail_msg("%s", why);
	assert_int_equal(f.nparams, 2);
	assert_int_equal(f.params[0].where, ARG_REGISTER);
#ifdef __x86_64__
	assert_int_equal(f.params[0].a, 14); /* rdi */
	assert_int_equal(f.params[1].a, 13); /* rsi */
#endif
	types = btf_parse(a, f.btf, f.btf_size, STR("own"), NULL, &why);
	assert_non_null(types);
	assert_true(str_is(btf_name(types, btf_type_at(types, 1)), "look_at_me"));
	assert_int_not_equal(btf_find(types, STR("looked_at"), BTF_MASK(BTF_KIND_STRUCT)), 0);
	btf_close(types);
	assert_true(dwarf_places(d, a, fd, STR("unit/test_dwarf.c"), LINE, 0, &places, &why));
	assert_int_equal(places.n, 1);
	assert_true(dwarf_frames(d, a, fd, places.at[0], &frames));
	assert_true(str_ends(frames.at[frames.n - 1].file, STR("test_dwarf.c")));
	assert_int_equal(frames.at[frames.n - 1].line, LINE);
	assert_false(dwarf_places(d, a, fd, STR("dwarf.c.no"), 1, 0, &places, &why));
	assert_true(strstr(why, "no source file") != NULL);
	elf_image_close(e);
	close(fd);
	dwarf_close(d);
	arena_free(a);
}

/* What is no ELF file, and what has no debug information, is refused; the process goes on. */
static void not_a_program(void **state)
{
	struct arena *a = arena_new();
	struct dwarf *d = dwarf_open(a);
	struct dwarf_function f;
	const char *why;
	int i, fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	(void)state;
	for (i = 0; i < 3; i++)
		assert_false(dwarf_function(d, a, &(struct dwarf_place){fd, -1, 1, false}, &f, &why));
	close(fd);
	dwarf_close(d);
	arena_free(a);
}

static void damaged_answers(void **state)
{
	struct arena *a = arena_new();
	struct dwarf_function f;
	address_list places = {0};
	frame_list frames = {0};

	(void)state;
	assert_false(dwarf_read_function(a, STR(""), &f));
	assert_false(dwarf_read_function(a, STR("\2\0\0\0\1\0\0\0"), &f)); /* two parameters, less than one there */
	assert_false(dwarf_read_function(a, STR("\1\0\0\0\11\0\0\0\0\0\0\0\0\0\0\0"), &f)); /* at no such kind of place */
	assert_false(dwarf_read_function(a, STR("\377\377\0\0"), &f));
	assert_true(dwarf_read_function(a, STR("\0\0\0\0"), &f));
	assert_int_equal(f.btf_size, 0);
	assert_false(dwarf_read_places(a, STR("1234567"), &places));
	assert_false(dwarf_read_frames(a, STR("\5\0\0\0ab"), &frames));
	assert_false(dwarf_read_frames(a, STR("\1\0\0\0a\1\0\0\0b\0\0"), &frames));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_function),
		cmocka_unit_test(not_a_program),
		cmocka_unit_test(damaged_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
