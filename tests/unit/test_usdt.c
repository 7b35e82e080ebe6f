/* Static probes: argument texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runtime/usdt.h"

enum { RDI = 112, RBP = 32, RAX = 80, RDX = 96 }; /* bytes in struct pt_regs of x86_64 */

static void arguments(void **state)
{
	struct usdt_place p;

	(void)state;
	assert_true(usdt_parse_args(STR("8@%rdi -4@$-5 1@16(%rbp) -2@(%rax,%rdx,4) 4@%edx"), NULL, &p));
	assert_int_equal(p.nargs, 5);
	assert_int_equal(p.args[0].kind, USDT_ARG_REG);
	assert_int_equal(p.args[0].reg, RDI);
	assert_int_equal(p.args[0].shift, 0);
	assert_int_equal(p.args[1].kind, USDT_ARG_CONST);
	assert_int_equal(p.args[1].value, -5);
	assert_int_equal(p.args[1].shift, 32);
	assert_true(p.args[1].is_signed);
	assert_int_equal(p.args[2].kind, USDT_ARG_MEMORY);
	assert_int_equal(p.args[2].reg, RBP);
	assert_int_equal(p.args[2].value, 16);
	assert_int_equal(p.args[2].index, USDT_NO_INDEX);
	assert_int_equal(p.args[2].shift, 56);
	assert_int_equal(p.args[3].reg, RAX);
	assert_int_equal(p.args[3].index, RDX);
	assert_int_equal(p.args[3].scale, 2);
	assert_int_equal(p.args[4].reg, RDX);
	assert_false(p.args[4].is_signed);
	assert_true(usdt_parse_args(STR(""), NULL, &p));
	assert_int_equal(p.nargs, 0);
}

static void refused(void **state)
{
	static const char *const bad[] = {"8f@%xmm0", "8@%xyz", "8@", "3@%rax",	   "8@%rax)",	      "8@(%rax",
					  "8@(%rax,%rdx,3)", "@%rax", "8@sym(%rip)", "8@$5x", "8@99999999999999999999999999999999999(%rax)"};
	struct usdt_place p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(usdt_parse_args(str_of(bad[i]), NULL, &p));
		assert_int_equal(p.args[0].kind, USDT_ARG_NONE);
	}
	/* What stands beside it is understood. */
	assert_false(usdt_parse_args(STR("8@%rax 8f@%xmm0 1@%ah"), NULL, &p));
	assert_int_equal(p.nargs, 3);
	assert_int_equal(p.args[0].reg, RAX);
	assert_int_equal(p.args[1].kind, USDT_ARG_NONE);
	assert_int_equal(p.args[2].reg, RAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
