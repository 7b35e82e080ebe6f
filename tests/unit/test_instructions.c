/* Lengths of x86_64 instructions; checked against objdump over all of libc when written, a few kinds here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runtime/instructions.h"

static void lengths(void **state)
{
	static const struct {
		uint8_t code[15];
		uint8_t length;
	} cases[] = {
		{{0x55}, 1},						       /* push %rbp */
		{{0x48, 0x89, 0xe5}, 3},				       /* mov %rsp,%rbp */
		{{0xf3, 0x0f, 0x1e, 0xfa}, 4},				       /* endbr64 */
		{{0x48, 0x8b, 0x05, 1, 2, 3, 4}, 7},			       /* mov x(%rip),%rax */
		{{0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}, 10},		       /* movabs */
		{{0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}, 10},	       /* nopw */
		{{0xc5, 0xf8, 0x77}, 3},				       /* vzeroupper */
		{{0xc4, 0xe3, 0x79, 0x14, 0xc0, 1}, 6},			       /* vpextrb */
		{{0x62, 0xf1, 0xfe, 0x48, 0x6f, 0x06}, 6},		       /* vmovdqu64 */
		{{0xe8, 0, 0, 0, 0}, 5},				       /* call */
		{{0xf6, 0x44, 0x24, 8, 1}, 5},				       /* testb $1,8(%rsp) */
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(instruction_length(cases[i].code, 15), cases[i].length);
		for (n = 0; n < cases[i].length; n++)
			assert_int_equal(instruction_length(cases[i].code, n), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lengths)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
