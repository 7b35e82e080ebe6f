/* Bytes and shapes become values; damaged bytes never crash. */
#include "tests/unit/output_fixture.h"

static void integers_keep_their_sign_and_width(void **state)
{
	struct fixture *f = *state;
	int8_t minus = -1;
	uint64_t big = UINT64_MAX;
	struct value v = decode(f, type_int(f->types, 1, true), &minus);

	assert_int_equal(v.kind, VALUE_INT);
	assert_true(v.is_signed);
	assert_int_equal((int64_t)v.number, -1);
	v = decode(f, type_int(f->types, 1, false), &minus);
	assert_int_equal(v.number, 255);
	v = decode(f, f->types->u64, &big);
	assert_true(v.number == UINT64_MAX && !v.is_signed);
}

static void text_ends_at_its_nul_or_its_capacity(void **state)
{
	struct fixture *f = *state;
	struct value v = decode(f, type_string(f->types, 4), "ab\0x");

	assert_true(str_is(v.text, "ab"));
	assert_false(v.trusted);
	assert_false(v.cut);
	v = decode(f, type_string(f->types, 4), "abcd"); /* without a NUL: it was cut */
	assert_true(str_is(v.text, "abc"));
	assert_true(v.cut);
}

static void buffers_believe_no_length(void **state)
{
	struct fixture *f = *state;
	struct {
		uint32_t n;
		char bytes[4];
	} good = {2, "abcd"}, bad = {1000, "abcd"};
	struct value v = decode(f, type_buffer(f->types, 4), &good);

	assert_int_equal(v.text.n, 2);
	v = decode(f, type_buffer(f->types, 4), &bad);
	assert_int_equal(v.text.n, 4);
}

static void too_few_bytes_are_no_value(void **state)
{
	struct fixture *f = *state;
	uint32_t word = 1;
	int shape = fixture_shape(f, f->types->u64);

	assert_int_equal(value_decode(&f->decoder, shape, &word, 4).kind, VALUE_NONE);
	assert_int_equal(value_decode(&f->decoder, 999, &word, 4).kind, VALUE_NONE);
	assert_int_equal(value_decode(&f->decoder, -1, &word, 4).kind, VALUE_NONE);
}

static void bitfields_are_cut_out(void **state)
{
	struct fixture *f = *state;
	struct struct_decl decl = {.name = STR("flags"), .origin = ORIGIN_C, .size = 4, .loaded = true};
	uint32_t word = 0x0000007a; /* low: 0b010 = 2, then 0b1111 */
	struct value v;

	VEC_PUSH(f->arena, &decl.fields, (struct field){.name = STR("a"), .type = f->types->u32, .bit_offset = 0, .bit_size = 3});
	VEC_PUSH(f->arena, &decl.fields, (struct field){.name = STR("b"), .type = f->types->s32, .bit_offset = 3, .bit_size = 4});
	v = decode(f, type_struct(f->types, &decl), &word);
	assert_int_equal(v.kind, VALUE_RECORD);
	assert_int_equal(v.n, 2);
	assert_int_equal(v.items[0].number, 2);
	assert_int_equal((int64_t)v.items[1].number, -1);
	assert_true(str_is(v.names[1], "b"));
}

static void keys_have_an_order(void **state)
{
	struct fixture *f = *state;
	const struct type *pair[] = {f->types->s64, type_string(f->types, 8)};
	const struct type *tuple = type_tuple(f->types, pair, 2);
	struct {
		int64_t n;
		char s[8];
	} a = {-1, "b"}, b = {1, "a"}, c = {1, "ab"};
	int shape = fixture_shape(f, tuple), u64 = fixture_shape(f, f->types->u64);
	uint64_t huge = UINT64_MAX, one = 1;

	assert_true(value_compare_bytes(&f->manifest, shape, &a, &b, 16) < 0);
	assert_true(value_compare_bytes(&f->manifest, shape, &c, &b, 16) > 0);
	assert_int_equal(value_compare_bytes(&f->manifest, shape, &c, &c, 16), 0);
	/* unsigned keys sort as signed ones */
	assert_true(value_compare_bytes(&f->manifest, u64, &huge, &one, 8) < 0);
}

static void times_have_fractions(void **state)
{
	struct fixture *f = *state;

	setenv("TZ", "UTC", 1);
	tzset();
	assert_true(str_is(time_text(f->arena, STR("%H:%M:%S.%f"), 3661000042000), "01:01:01.000042"));
	assert_true(str_is(time_text(f->arena, STR("%k %l %%f"), 5123456789), "123456789 123 %f"));
	assert_true(str_is(time_text(f->arena, STR(""), 0), ""));
	assert_true(str_is(time_text(f->arena, STR("%S.%l"), -1000000), "59.999"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(integers_keep_their_sign_and_width), CASE(text_ends_at_its_nul_or_its_capacity),
		CASE(buffers_believe_no_length),	  CASE(too_few_bytes_are_no_value),
		CASE(bitfields_are_cut_out),		  CASE(keys_have_an_order),
		CASE(times_have_fractions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
