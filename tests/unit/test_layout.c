/* Layout of maps and events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codegen/layout.h"

static int setup(void **state)
{
	*state = types_new(arena_new());
	return 0;
}

static int teardown(void **state)
{
	arena_free(((struct types *)*state)->arena);
	return 0;
}

static struct map_layout of_key(struct types *t, const struct type *key, bool big_keys)
{
	struct map map = {.key = key,
			  .value = type_plain(t, TYPE_COUNT),
			  .kind = MAP_PERCPU_HASH,
			  .max_entries = 7};

	return layout_map(t, &map, big_keys);
}

static void short_keys_stay_as_they_are(void **state)
{
	struct types *t = *state;
	struct map_layout l = of_key(t, type_string(t, 512), false);

	assert_ptr_equal(l.key, type_string(t, 512));
	assert_false(l.key_shrunk);
	assert_int_equal(l.key_size, 512);
	assert_int_equal(l.max_entries, 7);
	assert_true(l.percpu);
	l = of_key(t, type_string(t, 1024), true);
	assert_int_equal(l.key_size, 1024);
	assert_true(l.key_is_big);
	l = of_key(t, NULL, false);
	assert_ptr_equal(l.key, t->u64);
	assert_int_equal(l.max_entries, 1);
}

static void the_longest_texts_shrink_until_the_key_fits(void **state)
{
	struct types *t = *state;
	const struct type *two[] = {t->u32, type_string(t, 1024), type_string(t, 64)};
	const struct type *both[] = {type_string(t, 1024), type_string(t, 400)};
	struct map_layout l;

	l = of_key(t, type_string(t, 1024), false);
	assert_true(l.key_shrunk);
	assert_ptr_equal(l.key, type_string(t, 512));
	l = of_key(t, type_tuple(t, two, 3), false);
	assert_int_equal(l.key_size, 512);
	assert_int_equal(l.key->fields[1].type->size, 512 - 4 - 64);
	assert_int_equal(l.key->fields[2].type->size, 64);
	l = of_key(t, type_tuple(t, both, 2), false);
	assert_int_equal(l.key->fields[0].type->size, 256);
	assert_int_equal(l.key->fields[1].type->size, 256);
	assert_false(l.key_too_long);
	l = of_key(t, type_array(t, t->u64, 100), false);
	assert_true(l.key_too_long);
}

static void values_of_events_are_aligned(void **state)
{
	struct types *t = *state;
	struct event_layout l = layout_event();

	assert_int_equal(layout_event_add(&l, t->u8, false), 8);
	assert_int_equal(layout_event_add(&l, t->u64, false), 16);
	assert_int_equal(layout_event_add(&l, t->u8, false), 24);
	assert_int_equal(layout_event_add(&l, type_string(t, 100), true), 28);
	assert_int_equal(l.fixed, 36);
	assert_int_equal(layout_event_max(&l), 40 + 104);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(short_keys_stay_as_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(the_longest_texts_shrink_until_the_key_fits, setup,
						teardown),
		cmocka_unit_test_setup_teardown(values_of_events_are_aligned, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
