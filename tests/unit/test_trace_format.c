/* Format files of tracepoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runtime/trace_format.h"

static const char sample[] =
	"name: sys_enter_openat\nID: 782\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:__data_loc char[] name;\toffset:32;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long args[6];\toffset:40;\tsize:48;\tsigned:0;\n"
	"\tfield:char comm[TASK_COMM_LEN];\toffset:88;\tsize:16;\tsigned:0;\n"
	"\tfield:struct sockaddr *addr;\toffset:104;\tsize:8;\tsigned:0;\n\n"
	"print fmt: \"field:int fake; offset:1; size:1; signed:0;\", REC->x\n"
	"\tfield:int fake;\toffset:0;\tsize:4;\tsigned:0;\n";

static void reads_fields(void **state)
{
	struct arena *a = arena_new();
	struct trace_format *f = trace_format_parse(a, STR(sample));

	(void)state;
	assert_non_null(f);
	assert_int_equal(f->id, 782);
	assert_int_equal(f->fields.n, 8);
	assert_true(f->fields.at[0].common && f->fields.at[1].common);
	assert_true(str_is(f->fields.at[2].name, "prev_comm"));
	assert_true(str_is(f->fields.at[2].type, "char"));
	assert_true(str_is(f->fields.at[2].length, "16"));
	assert_true(f->fields.at[2].is_array);
	assert_true(f->fields.at[3].is_pointer);
	assert_true(str_is(f->fields.at[3].text, "const char * filename"));
	assert_true(f->fields.at[4].data_loc);
	assert_true(str_is(f->fields.at[4].name, "name"));
	assert_true(str_is(f->fields.at[5].type, "unsigned long"));
	assert_int_equal(f->fields.at[5].size, 48);
	assert_true(str_is(f->fields.at[6].length, "TASK_COMM_LEN"));
	assert_true(f->fields.at[7].is_pointer);
	assert_true(str_is(f->fields.at[7].name, "addr"));
	arena_free(a);
}

static void refuses_nonsense(void **state)
{
	static const char *const bad[] = {
		"", "ID:\n", "ID: x\n", "format:\n", "ID: 99999999999999999999\n",
	};
	struct arena *a = arena_new();
	struct trace_format *f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_null(trace_format_parse(a, str_of(bad[i])));
	f = trace_format_parse(a, STR("ID: 1\nfield:;offset:1;size:1;\nfield:int x;offset:99999999;size:4;\nfield:int\nfield: a[;"
				      "offset:0;size:1;\nfield:int ]y[;offset:0;size:4;\n"));
	assert_non_null(f);
	assert_int_equal(f->fields.n, 0);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_fields),
		cmocka_unit_test(refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
