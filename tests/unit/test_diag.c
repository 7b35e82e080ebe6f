/* Diagnostics: how they look, in which order they come, what is suggested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lang/source.h"
#include "lang/support/diag.h"

static struct arena *arena;
static struct diag *diag;
static char *shown;

static const struct source *source_of(const char *text)
{
	return source_new(arena, STR("a.wt"), str_of(text));
}

static struct span span_of(const struct source *s, uint32_t begin, uint32_t end)
{
	return (struct span){.source = s, .begin = begin, .end = end};
}

static void expect_style(struct diag_style style, const char *wanted)
{
	size_t n = 0;
	FILE *out;

	free(shown);
	shown = NULL;
	out = open_memstream(&shown, &n);
	diag_report(diag, out, style);
	fclose(out);
	assert_string_equal(shown, wanted);
}

static void expect(const char *wanted)
{
	expect_style((struct diag_style){0}, wanted);
}

static void test_form(void **state)
{
	const struct source *s = source_of("one\n  two(3)\n");

	(void)state;
	diag_add(diag, span_of(s, 6, 9), DIAG_SYNTAX, "bad");
	diag_hint(diag, "try %d", 4);
	diag_note(diag, span_of(s, 0, 3), "see here");
	assert_int_equal(diag_errors(diag), 1);
	expect("a.wt:2:3-6: ERROR: syntax: bad\n"
	       "  two(3)\n"
	       "  ~~~\n"
	       "a.wt:1:1-4: NOTE: see here\n"
	       "one\n"
	       "~~~\n"
	       "HINT: try 4\n");
	expect(""); /* printed once */
}

static void test_places(void **state)
{
	const struct source *s = source_of("\ta\tb\n\x01z\xc3\xa4y\nlast");

	(void)state;
	diag_add(diag, span_of(s, 3, 4), DIAG_SYNTAX, "tabs stay tabs");
	expect("a.wt:1:4-5: ERROR: syntax: tabs stay tabs\n\ta\tb\n\t \t~\n");
	diag_add(diag, span_of(s, 6, 7), DIAG_SYNTAX, "controls are shown");
	expect("a.wt:2:2-3: ERROR: syntax: controls are shown\n\\x01z\xc3\xa4y\n    ~\n");
	diag_add(diag, span_of(s, 9, 10), DIAG_SYNTAX, "UTF-8 fills one column");
	expect("a.wt:2:5-6: ERROR: syntax: UTF-8 fills one column\n\\x01z\xc3\xa4y\n      ~\n");
	diag_add(diag, span_of(s, 15, 15), DIAG_SYNTAX, "end");
	expect("a.wt:3:5-6: ERROR: syntax: end\nlast\n    ~\n");
	diag_add(diag, span_of(s, 1, 12), DIAG_SYNTAX, "lines");
	expect("a.wt:1-3: ERROR: syntax: lines\n\ta\tb\n\\x01z\xc3\xa4y\nlast\n");
	diag_add(diag, (struct span){0}, DIAG_SYNTAX, "nowhere\x1b");
	expect("ERROR: syntax: nowhere\\x1b\n");
}

static void test_order(void **state)
{
	const struct source *s = source_of("abcdef"), *t = source_of("abcdef");

	(void)state;
	diag_add(diag, (struct span){0}, DIAG_SYNTAX, "no place");
	diag_add(diag, span_of(s, 4, 5), DIAG_SYNTAX, "4");
	diag_add(diag, span_of(t, 0, 1), DIAG_SYNTAX, "other source");
	diag_add(diag, span_of(s, 2, 3), DIAG_SYNTAX, "2");
	diag_add(diag, span_of(s, 2, 3), DIAG_SYNTAX, "2 again");
	diag_add(diag, span_of(s, 2, 3), DIAG_SYNTAX, "2 again");
	expect("a.wt:1:3-4: ERROR: syntax: 2\nabcdef\n  ~\n"
	       "a.wt:1:3-4: ERROR: syntax: 2 again\nabcdef\n  ~\n"
	       "a.wt:1:5-6: ERROR: syntax: 4\nabcdef\n    ~\n"
	       "a.wt:1:1-2: ERROR: syntax: other source\nabcdef\n~\n"
	       "ERROR: syntax: no place\n");
}

static void test_expansion(void **state)
{
	const struct source *s = source_of("macro m() { x } begin { m() }");
	struct expansion outer = {span_of(s, 24, 27)};
	struct span inner = span_of(s, 12, 13);

	(void)state;
	inner.from = &outer;
	diag_add(diag, inner, DIAG_SYNTAX, "x");
	expect("a.wt:1:13-14: ERROR: syntax: x\n"
	       "macro m() { x } begin { m() }\n"
	       "            ~\n"
	       "a.wt:1:25-28: ERROR: expanded from\n"
	       "macro m() { x } begin { m() }\n"
	       "                        ~~~\n");
}

static void test_styles(void **state)
{
	const struct source *s = source_of("a\"b");

	(void)state;
	diag_add(diag, span_of(s, 1, 2), DIAG_SYNTAX, "q\"\xff");
	diag_hint(diag, "one");
	diag_hint(diag, "two");
	diag_note(diag, span_of(s, 0, 1), "n");
	expect_style((struct diag_style){.json = true},
		     "{\"severity\": \"error\", \"id\": \"SYNTAX\", \"file\": \"a.wt\", \"line\": 1, "
		     "\"column\": 2, \"end_line\": 1, \"end_column\": 3, "
		     "\"message\": \"syntax: q\\\"\\\\xff\", \"hint\": \"one\\ntwo\", "
		     "\"notes\": [{\"severity\": \"note\", \"file\": \"a.wt\", \"line\": 1, \"column\": 1, "
		     "\"end_line\": 1, \"end_column\": 2, \"message\": \"n\"}]}\n");
	diag_add(diag, (struct span){0}, DIAG_SYNTAX, "c");
	expect_style((struct diag_style){.colour = true}, "\033[31mERROR: syntax: c\033[0m\n");
	diag_add(diag, (struct span){0}, DIAG_DISCARDED);
	diag_hint(diag, "h");
	assert_int_equal(diag_errors(diag), 0);
	expect_style((struct diag_style){.no_warnings = true}, "");
}

static void test_rewind(void **state)
{
	int mark;

	(void)state;
	diag_add(diag, (struct span){0}, DIAG_SYNTAX, "kept");
	mark = diag_mark(diag);
	diag_add(diag, (struct span){0}, DIAG_SYNTAX, "taken back");
	diag_rewind(diag, mark);
	expect("ERROR: syntax: kept\n");
}

static void test_long_line(void **state)
{
	char line[1001];
	const struct source *s;

	(void)state;
	memset(line, 'a', sizeof(line) - 1);
	line[1000] = '\0';
	s = source_of(line);
	diag_add(diag, span_of(s, 500, 502), DIAG_SYNTAX, "far");
	memset(line, 'a', 240);
	expect(arena_printf(arena, "a.wt:1:501-503: ERROR: syntax: far\n%.240s\n%*s~~\n", line, 60, ""));
}

static struct str nearest(const char *wanted, const char *const *candidates)
{
	struct diag_near near = {.wanted = str_of(wanted)};

	for (; *candidates; candidates++)
		diag_near_try(&near, str_of(*candidates));
	return near.best;
}

static void test_near(void **state)
{
	static const char *const names[] = {"count", "comm", "kprobe", "cpu", "hist", "lhist", NULL};

	(void)state;
	assert_true(str_is(nearest("coun", names), "count"));
	assert_true(str_is(nearest("COUNT", names), "count"));
	assert_true(str_is(nearest("lhst", names), "lhist"));
	assert_true(!nearest("zz", names).n);
	assert_true(!nearest("something", names).n);
	assert_true(!nearest("x", names).n);
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	diag = diag_new(arena);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	free(shown);
	shown = NULL;
	return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_form),      CASE(test_places), CASE(test_order),     CASE(test_expansion),
		CASE(test_styles),    CASE(test_rewind), CASE(test_long_line), CASE(test_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
