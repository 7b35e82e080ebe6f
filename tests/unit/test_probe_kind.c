/* The table of probe kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lang/probe_spec.h"

static void every_row_is_found_by_its_names(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < PROBE_KIND_COUNT; i++) {
		const struct probe_kind *kind = probe_kind((enum probe_kind_id)i);

		assert_int_equal(kind->id, i);
		assert_ptr_equal(probe_kind_by_name(str_of(kind->name)), kind);
	}
	assert_int_equal(probe_kind_by_name(STR("BEGIN"))->id, PROBE_BEGIN);
	assert_int_equal(probe_kind_by_name(STR("Kprobe"))->id, PROBE_KPROBE);
	assert_int_equal(probe_kind_by_name(STR("kfunc"))->id, PROBE_FENTRY);
	assert_int_equal(probe_kind_by_name(STR("u"))->id, PROBE_UPROBE);
	assert_int_equal(probe_kind_by_name(STR("U"))->id, PROBE_USDT);
	assert_null(probe_kind_by_name(STR("")));
	assert_null(probe_kind_by_name(STR("kprob")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_its_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
