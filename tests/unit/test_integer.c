/* Integer literals: every form and every error of language.md 1.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lang/parse.h"

static void wants(const char *text, bool command_line, uint64_t wanted)
{
	const char *why = NULL;
	uint64_t value = 77;

	if (!parse_integer(str_of(text), command_line, &value, &why))
		fail_msg("'%s' was refused: %s", text, why);
	if (value != wanted)
		fail_msg("'%s' is %llu, not %llu", text, (unsigned long long)value,
			 (unsigned long long)wanted);
}

static void refuses(const char *text, bool command_line, const char *words)
{
	const char *why = NULL;
	uint64_t value;

	if (parse_integer(str_of(text), command_line, &value, &why))
		fail_msg("'%s' was taken as %llu", text, (unsigned long long)value);
	if (!strstr(why, words))
		fail_msg("'%s' was refused because: %s", text, why);
}

static void test_forms(void **state)
{
	(void)state;
	wants("0", false, 0);
	wants("42", false, 42);
	wants("1_000_000", false, 1000000);
	wants("18446744073709551615", false, UINT64_MAX);
	wants("0x1F", false, 31);
	wants("0XfF", false, 255);
	wants("0xffffffffffffffff", false, UINT64_MAX);
	wants("0755", false, 0755);
	wants("00", false, 0);
	wants("1e6", false, 1000000);
	wants("9e18", false, 9000000000000000000u);
	wants("1e19", false, 10000000000000000000u);
}

static void test_suffixes(void **state)
{
	(void)state;
	wants("10u", false, 10);
	wants("4294967295u", false, UINT32_MAX);
	wants("5l", false, 5);
	wants("5ll", false, 5);
	wants("5ul", false, 5);
	wants("18446744073709551615ull", false, UINT64_MAX);
	wants("5ns", false, 5);
	wants("3us", false, 3000);
	wants("2ms", false, 2000000);
	wants("1s", false, 1000000000);
	wants("4m", false, 240000000000);
	wants("2h", false, 7200000000000);
	wants("1d", false, 86400000000000);
	wants("1_0ms", false, 10000000);
}

static void test_errors(void **state)
{
	(void)state;
	refuses("", false, "starts with a digit");
	refuses("abc", false, "starts with a digit");
	refuses("10_", false, "'_'");
	refuses("018", false, "octal");
	refuses("0x", false, "missing");
	refuses("0xfg", false, "hexadecimal");
	refuses("0x1ful", false, "hexadecimal");
	refuses("0b101", false, "no binary");
	refuses("12e3", false, "one digit");
	refuses("0e3", false, "one digit");
	refuses("1_e3", false, "one digit");
	refuses("1e", false, "exponent starts");
	refuses("1e0", false, "exponent starts");
	refuses("1e3x", false, "follow the exponent");
	refuses("1e20", false, "largest");
	refuses("9e19", false, "largest");
	refuses("7ULL", false, "suffixes");
	refuses("5q", false, "suffixes");
	refuses("4294967296u", false, "4294967295");
	refuses("18446744073709551616", false, "largest");
	refuses("0x1ffffffffffffffff", false, "largest");
	refuses("18446744073709551615d", false, "largest");
	refuses("-5", false, "starts with a digit");
}

static void test_command_line(void **state)
{
	(void)state;
	wants("-5", true, (uint64_t)-5);
	wants("-0x10", true, (uint64_t)-16);
	wants("-9223372036854775808", true, (uint64_t)INT64_MIN);
	wants("0b101", true, 5);
	wants("7ULL", true, 7);
	refuses("-9223372036854775809", true, "smallest");
	refuses("0b12", true, "binary");
	refuses("-", true, "starts with a digit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_suffixes),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
