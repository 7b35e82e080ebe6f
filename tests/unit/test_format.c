/* printf formats: the regular expression of language.md 20.2, and what each conversion takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lang/format.h"

static struct arena *arena;

static struct format *parse(const char *text)
{
	struct str bad = {0};
	struct format *f = format_parse(arena, str_of(text), &bad);

	if (!f)
		fail_msg("'%s' was refused at '%.*s'", text, STR_ARG(bad));
	return f;
}

/* The whole format is one directive. */
static const struct format_piece *one(const char *text)
{
	struct format *f = parse(text);

	if (f->pieces.n != 1 || f->nvalues != 1)
		fail_msg("'%s' has %d pieces and %d values", text, f->pieces.n, f->nvalues);
	assert_true(str_is(f->pieces.at[0].text, text));
	return &f->pieces.at[0];
}

static void expect_conv(const char *text, enum format_conv conv, int bits)
{
	const struct format_piece *piece = one(text);

	if (piece->conv != conv || piece->bits != bits)
		fail_msg("'%s' is conversion %d with %d bits", text, (int)piece->conv, piece->bits);
}

static void test_conversions(void **state)
{
	(void)state;
	expect_conv("%d", CONV_SIGNED, 32);
	expect_conv("%i", CONV_SIGNED, 32);
	expect_conv("%hhd", CONV_SIGNED, 8);
	expect_conv("%hd", CONV_SIGNED, 16);
	expect_conv("%ld", CONV_SIGNED, 64);
	expect_conv("%llu", CONV_UNSIGNED, 64);
	expect_conv("%jx", CONV_HEX, 64);
	expect_conv("%zX", CONV_HEX_UPPER, 64);
	expect_conv("%to", CONV_OCTAL, 64);
	expect_conv("%c", CONV_CHAR, 8);
	expect_conv("%p", CONV_POINTER, 64);
	expect_conv("%s", CONV_STRING, 32);
	expect_conv("%r", CONV_BUFFER, 32);
	expect_conv("%rx", CONV_BUFFER_HEX, 32);
	expect_conv("%rh", CONV_BUFFER_SPACED, 32);
	expect_conv("%gr", CONV_GFP, 32);
}

static void test_flags(void **state)
{
	const struct format_piece *p;

	(void)state;
	p = one("%-+ #08x");
	assert_true(p->left && p->plus && p->alternate && p->zero);
	assert_int_equal(p->width, 8);
	p = one("%5.3d");
	assert_int_equal(p->width, 5);
	p = one("%*.*s");
	assert_int_equal(p->width, 0);
	assert_int_equal(p->conv, CONV_STRING);
	p = one("%-05d");
	assert_true(p->left && p->zero && p->width == 5);
}

static void expect_text(const char *format, const char *text)
{
	struct format *f = parse(format);

	if (f->nvalues || f->pieces.n != 1 || !str_is(f->pieces.at[0].text, text))
		fail_msg("'%s' is not the text '%s'", format, text);
}

static void test_plain_text(void **state)
{
	(void)state;
	expect_text("100%", "100%");
	expect_text("100%%", "100%");
	expect_text("%y", "%y");
	expect_text("%0-5d", "%0-5d"); /* flags in another order */
	expect_text("%%d", "%d");
	expect_text("%5%|%-l%", "%|%");
	expect_text("% ", "% ");
	expect_text("%99999999999d", "%99999999999d");
	assert_int_equal(parse("")->pieces.n, 0);
}

static void test_mixed(void **state)
{
	struct format *f = parse("a %d%% b%s\n");

	(void)state;
	assert_int_equal(f->pieces.n, 5);
	assert_int_equal(f->nvalues, 2);
	assert_true(str_is(f->pieces.at[0].text, "a "));
	assert_true(str_is(f->pieces.at[2].text, "% b"));
	assert_true(str_is(f->pieces.at[4].text, "\n"));
}

static void test_refused(void **state)
{
	static const char *const formats[] = {"%f", "%5.2f", "%e", "%g", "%a", "%n", "%F"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct str bad = {0};

		assert_null(format_parse(arena, str_of(formats[i]), &bad));
		assert_true(str_is(bad, formats[i]));
	}
}

static void test_types(void **state)
{
	struct types *t = types_new(arena);
	const struct type *string = type_string(t, 16), *buffer = type_buffer(t, 8);
	const int64_t none[4] = {0};
	const struct type *count = type_aggregate(t, TYPE_COUNT, false, none);

	(void)state;
	assert_true(format_accepts(CONV_SIGNED, t->s32));
	assert_true(format_accepts(CONV_HEX, t->boolean));
	assert_true(format_accepts(CONV_UNSIGNED, t->voidptr));
	assert_false(format_accepts(CONV_SIGNED, string));
	assert_false(format_accepts(CONV_SIGNED, count));
	assert_true(format_accepts(CONV_POINTER, t->voidptr));
	assert_true(format_accepts(CONV_POINTER, t->boolean));
	assert_true(format_accepts(CONV_STRING, string));
	assert_true(format_accepts(CONV_STRING, t->u64));
	assert_false(format_accepts(CONV_STRING, count));
	assert_false(format_accepts(CONV_STRING, t->none));
	assert_true(format_accepts(CONV_BUFFER, buffer));
	assert_false(format_accepts(CONV_BUFFER_HEX, string));
	assert_true(format_accepts(CONV_GFP, t->u32));
	assert_false(format_accepts(CONV_CHAR, t->voidptr));
	assert_true(format_accepts(CONV_CHAR, t->error));
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversions), cmocka_unit_test(test_flags),
		cmocka_unit_test(test_plain_text),  cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_refused),	    cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
