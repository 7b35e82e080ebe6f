/* Integer literals in all their forms (language.md 1.1); also those of the command line. */
#include "lang/parse.h"

static const struct {
	const char *suffix;
	uint64_t factor;
	uint64_t most; /* largest value before the factor applies; 0: any */
} suffixes[] = {
	{"", 1, 0},
	{"u", 1, UINT32_MAX},
	{"l", 1, 0},
	{"ll", 1, 0},
	{"ul", 1, 0},
	{"ull", 1, 0},
	{"ns", 1, 0},
	{"us", 1000, 0},
	{"ms", 1000000, 0},
	{"s", 1000000000, 0},
	{"m", 60000000000, 0},
	{"h", 3600000000000, 0},
	{"d", 86400000000000, 0},
};

static const char too_large[] = "the largest number is 18446744073709551615";

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Digits of `base` with single or several '_' between them, from *at on.  False: overflow. */
static bool read_digits(struct str text, size_t *at, unsigned base, uint64_t *value)
{
	bool fits = true;

	*value = 0;
	for (; *at < text.n; ++*at) {
		unsigned digit = (unsigned)digit_of(text.s[*at]);

		if (text.s[*at] == '_')
			continue;
		if (digit >= base)
			break;
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit, value))
			fits = false;
	}
	return fits;
}

/* `e6` behind the coefficient. */
static bool read_exponent(struct str text, size_t at, uint64_t *value, const char **why)
{
	uint64_t exponent;

	if (at != 1 || *value < 1 || *value > 9)
		return *why = "the part before 'e' is one digit, 1 to 9", false;
	at++;
	if (at >= text.n || text.s[at] < '1' || text.s[at] > '9')
		return *why = "the exponent starts with a digit 1 to 9", false;
	if (!read_digits(text, &at, 10, &exponent) || exponent > 19)
		return *why = too_large, false;
	if (at < text.n)
		return *why = "nothing may follow the exponent", false;
	while (exponent--)
		if (__builtin_mul_overflow(*value, 10u, value))
			return *why = too_large, false;
	return true;
}

static bool apply_suffix(struct str suffix, bool any_case, uint64_t *value, const char **why)
{
	size_t i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (!str_is(suffix, suffixes[i].suffix) &&
		    !(any_case && str_is_nocase(suffix, suffixes[i].suffix)))
			continue;
		if (suffixes[i].most && *value > suffixes[i].most)
			return *why = "with the suffix 'u' the largest number is 4294967295", false;
		if (__builtin_mul_overflow(*value, suffixes[i].factor, value))
			return *why = too_large, false;
		return true;
	}
	*why = "the suffixes are u l ll ul ull and, for durations, ns us ms s m h d";
	return false;
}

/* Hexadecimal, octal, binary: digits and nothing behind them. */
static bool read_based(struct str text, size_t at, unsigned base, uint64_t *value, const char **why)
{
	size_t first = at;

	if (!read_digits(text, &at, base, value))
		return *why = too_large, false;
	if (at < text.n)
		return *why = base == 16  ? "the digits of a hexadecimal number are 0-9 and a-f"
			      : base == 8 ? "a leading 0 makes it octal, with the digits 0 to 7"
					  : "the digits of a binary number are 0 and 1",
		       false;
	if (at == first)
		return *why = "the digits are missing", false;
	return true;
}

bool parse_integer(struct str text, bool command_line, uint64_t *value, const char **why)
{
	bool negative = command_line && text.n && text.s[0] == '-';
	size_t at = 0;
	bool ok;

	if (negative)
		text = str_sub(text, 1, SIZE_MAX);
	*value = 0;
	if (!text.n || text.s[0] < '0' || text.s[0] > '9')
		return *why = "a number starts with a digit", false;
	if (text.s[text.n - 1] == '_')
		return *why = "'_' stands between digits, not behind them", false;
	if (str_starts(text, STR("0x")) || str_starts(text, STR("0X"))) {
		ok = read_based(text, 2, 16, value, why);
	} else if (command_line && str_starts(text, STR("0b"))) {
		ok = read_based(text, 2, 2, value, why);
	} else if (str_starts(text, STR("0b"))) {
		ok = false;
		*why = "there are no binary numbers; write it in hexadecimal";
	} else if (text.s[0] == '0' && text.n > 1 && (text.s[1] == '_' || digit_of(text.s[1]) < 10)) {
		ok = read_based(text, 1, 8, value, why);
	} else {
		ok = read_digits(text, &at, 10, value);
		if (!ok)
			*why = too_large;
		else if (at < text.n && (text.s[at] == 'e' || text.s[at] == 'E'))
			ok = read_exponent(text, at, value, why);
		else
			ok = apply_suffix(str_sub(text, at, SIZE_MAX), command_line, value, why);
	}
	if (!ok || !negative)
		return ok;
	if (*value > (uint64_t)INT64_MAX + 1)
		return *why = "the smallest number is -9223372036854775808", false;
	*value = -*value;
	return true;
}
