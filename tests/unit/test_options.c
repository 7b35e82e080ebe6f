/* Whose word is it: options of waketrace, of the script, parameters.  And values of script options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runtime/options.h"
#include "runtime/session_internal.h"

static int setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

#define PARSE(a, ...)                                                                                           \
	options_parse((a), (int)(sizeof((char *[]){"waketrace", __VA_ARGS__}) / sizeof(char *)),               \
		      (char *[]){"waketrace", __VA_ARGS__, NULL})

static void options_stand_before_a_wt_script(void **state)
{
	struct options *o = PARSE(*state, "-q", "-fjson", "tool.wt", "-p", "5", "--", "-q", "x");

	assert_int_equal(o->command, COMMAND_TRACE);
	assert_true(o->session.quiet && o->session.json);
	assert_int_equal(o->session.pid, 0);
	assert_string_equal(o->script, "tool.wt");
	assert_int_equal(o->words.n, 5);
	assert_true(str_is(o->words.at[0], "-p") && str_is(o->words.at[4], "x"));
}

static void options_are_taken_around_other_programs(void **state)
{
	struct options *o = PARSE(*state, "-e", "begin {}", "one", "-p", "5", "two", "--", "--aa=1", "-p");

	assert_true(o->has_program);
	assert_int_equal(o->session.pid, 5);
	assert_int_equal(o->words.n, 4);
	assert_true(str_is(o->words.at[1], "two") && str_is(o->words.at[2], "--aa=1") && str_is(o->words.at[3], "-p"));
	o = PARSE(*state, "tool.bt", "-q", "x");
	assert_true(o->session.quiet);
	assert_int_equal(o->words.n, 1);
}

static void long_options_take_both_spellings(void **state)
{
	assert_int_equal(PARSE(*state, "--pid", "7", "-e", "x")->session.pid, 7);
	assert_int_equal(PARSE(*state, "--pid=7", "-e", "x")->session.pid, 7);
	assert_true(PARSE(*state, "--no-w", "-e", "x")->session.style.no_warnings);
	assert_int_equal(PARSE(*state, "-p7", "-qve", "x")->session.verbose, 1);
}

static void subcommands_and_stages(void **state)
{
	struct options *o = PARSE(*state, "check", "x.wt");

	assert_int_equal(o->command, COMMAND_CHECK);
	assert_string_equal(o->script, "x.wt");
	o = PARSE(*state, "build", "x.wt", "-o", "tool");
	assert_int_equal(o->command, COMMAND_BUILD);
	assert_string_equal(o->out_path, "tool");
	o = PARSE(*state, "-d", "ast,codegen-opt", "-e", "x");
	assert_int_equal(o->stages, STAGE_AST | STAGE_IR_OPT);
	o = PARSE(*state, "-lv", "kprobe:*");
	assert_int_equal(o->command, COMMAND_LIST);
	assert_string_equal(o->operand, "kprobe:*");
	o = PARSE(*state, "-", "1");
	assert_string_equal(o->script, "-");
}

/* ---- script options ---- */

struct taken {
	struct arena *arena;
	struct str name[8];
	uint64_t words[8][4];
	char text[8][16];
	int n;
};

static bool take(void *arg, const struct manifest_option *o, const void *bytes, uint32_t size)
{
	struct taken *t = arg;

	t->name[t->n] = o->name;
	if (o->kind == OPTION_STRING)
		memcpy(t->text[t->n], bytes, size);
	else
		memcpy(t->words[t->n], bytes, size);
	t->n++;
	return true;
}

static struct manifest *declared(struct arena *a)
{
	struct manifest *m = NEW(a, struct manifest);

	VEC_PUSH(a, &m->options, (struct manifest_option){.name = STR("pid"), .letter = 'p', .kind = OPTION_LIST, .size = 32});
	VEC_PUSH(a, &m->options, (struct manifest_option){.name = STR("user"), .letter = 'u', .kind = OPTION_BOOL, .size = 8});
	VEC_PUSH(a, &m->options, (struct manifest_option){.name = STR("min"), .letter = 'm', .kind = OPTION_UINT, .size = 8});
	VEC_PUSH(a, &m->options, (struct manifest_option){.name = STR("nice"), .kind = OPTION_INT, .size = 8});
	VEC_PUSH(a, &m->options, (struct manifest_option){.name = STR("comm"), .letter = 'c', .kind = OPTION_STRING, .size = 16});
	return m;
}

static int apply(struct arena *a, struct taken *t, const char *const *words)
{
	VEC(struct str) list = {0};

	*t = (struct taken){.arena = a};
	for (; *words; words++)
		VEC_PUSH(a, &list, str_of(*words));
	return script_options_apply(a, declared(a), NULL, list.at, list.n, false, take, t);
}

#define APPLY(a, t, ...) apply((a), (t), (const char *const[]){__VA_ARGS__, NULL})

static void script_options_are_long_or_letters(void **state)
{
	struct taken t;

	assert_int_equal(APPLY(*state, &t, "-p", "1,2,3", "--min=10", "--min", "0x10", "-um5", "-cbash"), 0);
	assert_int_equal(t.n, 6);
	assert_int_equal(t.words[0][0], 3);
	assert_int_equal(t.words[0][3], 3);
	assert_int_equal(t.words[1][0], 10);
	assert_int_equal(t.words[2][0], 16);
	assert_true(str_is(t.name[3], "user") && t.words[3][0] == 1);
	assert_int_equal(t.words[4][0], 5);
	assert_string_equal(t.text[5], "bash");
}

static void booleans_need_no_value(void **state)
{
	struct taken t;

	assert_int_equal(APPLY(*state, &t, "--user", "--user=FALSE", "--nice=-5", "5", "-5"), 0);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.words[0][0], 1);
	assert_int_equal(t.words[1][0], 0);
	assert_int_equal((int64_t)t.words[2][0], -5);
}

static void wrong_script_options_are_refused(void **state)
{
	struct taken t;

	assert_int_equal(APPLY(*state, &t, "--zz"), 1);
	assert_int_equal(APPLY(*state, &t, "--min=foo"), 1);
	assert_int_equal(APPLY(*state, &t, "--min=-1"), 1);
	assert_int_equal(APPLY(*state, &t, "--user=maybe"), 1);
	assert_int_equal(APPLY(*state, &t, "--min"), 1);
	assert_int_equal(APPLY(*state, &t, "-p", "1,x"), 1);
	assert_int_equal(APPLY(*state, &t, "-p", "1,2,3,4"), 1);
	assert_int_equal(APPLY(*state, &t, "--comm=0123456789abcdef"), 1);
	assert_int_equal(APPLY(*state, &t, "-z"), 1);
	assert_int_equal(APPLY(*state, &t, "--help"), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(options_stand_before_a_wt_script), CASE(options_are_taken_around_other_programs),
		CASE(long_options_take_both_spellings), CASE(subcommands_and_stages),
		CASE(script_options_are_long_or_letters), CASE(booleans_need_no_value),
		CASE(wrong_script_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
