/* Results as text, to the byte. */
#include "tests/unit/output_fixture.h"

static void values_print_as_the_language_says(void **state)
{
	struct fixture *f = *state;
	struct types *t = f->types;
	uint64_t all = UINT64_MAX, five = 5, zero = 0, one = 1;
	int32_t array[] = {1, 2, 3, 4};
	struct {
		int64_t n;
		char s[8];
		struct {
			int64_t a, b;
		} in;
		uint8_t yes;
	} nested = {1, "a", {2, 3}, 1};
	const struct type *inner[] = {t->s64, t->s64};
	const struct type *outer[] = {t->s64, type_string(t, 8), type_tuple(t, inner, 2), t->boolean};
	struct str names[] = {STR("a"), STR("b")};
	struct enum_decl decl = {.name = STR("e")};
	struct struct_decl empty = {.name = STR("none"), .loaded = true};

	VEC_PUSH(f->arena, &decl.values, (struct enum_value){STR("A"), 5});
	print(f, t->s64, &five);
	print(f, t->s64, &all);
	print(f, t->u64, &all);
	print(f, t->boolean, "\1");
	print(f, type_string(t, 4), "s");
	print(f, t->voidptr, &five);
	print(f, t->voidptr, &zero);
	EXPECT(f, "5\n-1\n18446744073709551615\ntrue\ns\n0x5\n0x0\n");
	print(f, type_tuple(t, outer, 4), &nested);
	print(f, type_tuple(t, inner, 1), &one);
	print(f, type_record(t, names, inner, 2), &nested.in);
	print(f, type_array(t, t->s32, 4), array);
	EXPECT(f, "(1, a, (2, 3), true)\n(1)\n{ .a = 2, .b = 3 }\n[1,2,3,4]\n"
);
	print(f, type_enum(t, &decl, 4), &five);
	print(f, type_enum(t, &decl, 4), &zero);
	print(f, type_struct(t, &empty), &zero);
	print(f, type_plain(t, TYPE_KSYM), &five);
	print(f, type_plain(t, TYPE_USERNAME), &zero);
	EXPECT(f, "A\n0\n{}\nsym_5\nroot\n");
}

static void addresses_and_buffers(void **state)
{
	struct fixture *f = *state;
	struct types *t = f->types;
	uint8_t v4[24] = {4, [8] = 127, 0, 0, 1}, v6[24] = {6, [23] = 1}, mac[] = {0xaa, 0xbb, 0, 1, 2, 3};
	struct {
		uint32_t n;
		char bytes[4];
	} buffer = {4, {'a', 1, ' ', (char)0xff}};

	print(f, type_plain(t, TYPE_INET), v4);
	print(f, type_plain(t, TYPE_INET), v6);
	print(f, type_plain(t, TYPE_MAC), mac);
	print(f, type_buffer(t, 4), &buffer);
	EXPECT(f, "127.0.0.1\n::1\nAA:BB:00:01:02:03\na\\x01 \\xff\n");
}

static void untrusted_bytes_are_escaped(void **state)
{
	struct fixture *f = *state;
	const struct type *s = type_string(f->types, 32);
	struct value v;

	print(f, s, "a\x1b[31mb\tc\nd\re\x7f");
	EXPECT(f, "a\\x1b[31mb\tc\nd\\x0de\\x7f\n");
	print(f, s, "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	EXPECT(f, "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n");
	print(f, s, "\xc2\x9b \xff \xc3 \xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80");
	EXPECT(f, "\\xc2\\x9b \\xff \\xc3 \\xed\\xa0\\x80 \\xc0\\xaf \\xf4\\x90\\x80\\x80\n");
	v = decode(f, s, "\x1b[1m");
	value_trust(&v);
	output_value(&f->output, &v);
	EXPECT(f, "\x1b[1m\n");
	f->output.style.raw = true;
	print(f, s, "\x1b\xff");
	EXPECT(f, "\x1b\xff\n");
}

static void cut_texts_carry_the_trailer(void **state)
{
	struct fixture *f = *state;
	struct value v = value_text(STR("abc"), false);

	v.cut = true;
	output_value(&f->output, &v);
	EXPECT(f, "abc..\n");
}

static void stacks_stand_on_lines_of_their_own(void **state)
{
	struct fixture *f = *state;
	const struct type *stack = type_stack(f->types, TYPE_KSTACK, STACK_BPFTRACE, 2);
	const struct type *pair[] = {stack, type_string(f->types, 16)};
	struct map_view *alone = view_new(f, "@", stack, type_plain(f->types, TYPE_COUNT));
	struct map_view *both = view_new(f, "@", type_tuple(f->types, pair, 2), type_plain(f->types, TYPE_COUNT));
	struct map_view *value = view_new(f, "@s", NULL, stack);
	char key[32] = "", *comm = key + 16;
	uint64_t one = 1;

	strcpy(comm, "bash");
	print(f, stack, key);
	EXPECT(f, "\n        f+1\n        g+2\n\n");
	view_add(f, alone, key, &one, 1);
	view_print(f, alone, 0, 0);
	EXPECT(f, "@[\n        f+1\n        g+2\n]: 1\n");
	view_add(f, both, key, &one, 1);
	view_print(f, both, 0, 0);
	EXPECT(f, "@[\n        f+1\n        g+2\n, bash]: 1\n");
	view_add(f, value, NULL, key, 1);
	view_print(f, value, 0, 0);
	EXPECT(f, "@s: \n        f+1\n        g+2\n\n");
}

static void maps_print_their_last_entries(void **state)
{
	struct fixture *f = *state;
	struct map_view *v = view_new(f, "@", f->types->s64, f->types->s64);
	int64_t i, value;

	for (i = 1; i <= 11; i++) {
		value = i * 10;
		view_add(f, v, &i, &value, 1);
	}
	view_print(f, v, 3, 0);
	EXPECT(f, "@[9]: 90\n@[10]: 100\n@[11]: 110\n");
	view_print(f, v, 1, 20);
	EXPECT(f, "@[11]: 5\n");
}

static void aggregates_print_as_in_the_reference(void **state)
{
	struct fixture *f = *state;
	struct types *t = f->types;
	struct map_view *a = view_new(f, "@a", NULL, type_aggregate(t, TYPE_AVG, true, NULL));
	struct map_view *c = view_new(f, "@c", NULL, type_plain(t, TYPE_COUNT));
	struct map_view *k = view_new(f, "@k", type_string(t, 8), type_aggregate(t, TYPE_STATS, true, NULL));
	struct map_view *s = view_new(f, "@s", NULL, type_aggregate(t, TYPE_STATS, true, NULL));

	view_add(f, a, NULL, (uint64_t[]){15, 2}, 1);
	view_add(f, c, NULL, (uint64_t[]){1}, 1);
	view_add(f, k, "z\0\0\0\0\0\0", (uint64_t[]){2, 1, 0}, 1);
	view_add(f, k, "y\0\0\0\0\0\0", (uint64_t[]){1, 1, 0}, 1);
	view_add(f, s, NULL, (uint64_t[]){15, 2, 0}, 1);
	view_print(f, a, 0, 0);
	view_print(f, c, 0, 0);
	view_print(f, k, 0, 0);
	view_print(f, s, 0, 0);
	EXPECT(f, "@a: 7\n@c: 1\n@k[y]: { .count = 1, .average = 1, .total = 1 }\n"
		  "@k[z]: { .count = 1, .average = 2, .total = 2 }\n@s: { .count = 2, .average = 7, .total = 15 }\n");
}

static void keys_lose_their_outer_parentheses(void **state)
{
	struct fixture *f = *state;
	struct types *t = f->types;
	const struct type *inner[] = {t->s64, t->s64}, *outer[] = {t->s64, type_tuple(t, inner, 2)};
	struct str names[] = {STR("a"), STR("b")};
	struct map_view *x = view_new(f, "@x", type_tuple(t, outer, 2), t->s64);
	struct map_view *y = view_new(f, "@y", type_record(t, names, inner, 2), t->s64);
	struct map_view *z = view_new(f, "@k", type_array(t, t->s64, 2), t->s64);
	int64_t key[] = {1, 2, 3}, three = 3;

	view_add(f, x, key, &key[0], 1);
	view_add(f, y, key, &three, 1);
	view_add(f, z, (int64_t[]){1, 0}, &key[0], 1);
	view_print(f, x, 0, 0);
	view_print(f, y, 0, 0);
	view_print(f, z, 0, 0);
	EXPECT(f, "@x[1, (2, 3)]: 1\n@y[{ .a = 1, .b = 2 }]: 3\n@k[[1,0]]: 1\n");
}

static void an_empty_scalar_shows_its_zero_when_asked(void **state)
{
	struct fixture *f = *state;
	struct map_view *y = view_new(f, "@y", NULL, f->types->s64), *h, *k;
	int64_t k0[4] = {0};

	view_print(f, y, 0, 0);
	EXPECT(f, "@y: 0\n");
	output_map(&f->output, y, &f->decoder, &(struct map_print){0});
	EXPECT(f, "");
	h = view_new(f, "@h", NULL, type_aggregate(f->types, TYPE_HIST, true, k0));
	view_print(f, h, 0, 0);
	EXPECT(f, "");
	k = view_new(f, "@k", f->types->s64, f->types->s64);
	view_print(f, k, 0, 0);
	EXPECT(f, "");
}

static struct map_view *histogram(struct fixture *f, int64_t k, uint64_t **buckets)
{
	int64_t params[4] = {k};
	const struct type *t = type_aggregate(f->types, TYPE_HIST, true, params);

	*buckets = NEW_ARRAY(f->arena, uint64_t, t->size / 8);
	return view_new(f, "@h", NULL, t);
}

static void hist_prints_the_sample_of_the_reference(void **state)
{
	struct fixture *f = *state;
	uint64_t *b;
	struct map_view *h = histogram(f, 0, &b);

	b[0] = b[1] = b[2] = 1;
	b[3] = 2;
	b[5] = 1;
	view_add(f, h, NULL, b, 1);
	view_print(f, h, 0, 0);
	EXPECT(f, "@h:\n"
		  "(..., 0)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
		  "[0]                    1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
		  "[1]                    1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
		  "[2, 4)                 2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		  "[4, 8)                 0 |                                                    |\n"
		  "[8, 16)                1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
		  "\n");
	view_print(f, h, 0, 2);
	assert_non_null(strstr(shown(f), "[2, 4)                 1 |@@@@"));
}

static void percentiles_are_rows(void **state)
{
	struct map_print how = {.percentiles = true, .asked = true};
	struct fixture *f = *state;
	uint64_t *b;
	struct map_view *h = histogram(f, 0, &b);

	map_sort(h);
	output_map(&f->output, h, &f->decoder, &how);
	EXPECT(f, "@h: { .count = 0 }\n");
	b[0] = 49;
	b[2] = 1; /* the 50th of 100 */
	b[3] = 39;
	b[12] = 1;
	b[13] = 9;
	b[64] = 1;
	view_add(f, h, NULL, b, 1);
	output_map(&f->output, h, &f->decoder, &how);
	EXPECT(f, "@h: { .count = 100, .p50 = [1], .p90 = [1K, 2K), .p99 = [2K, 4K) }\n");
	h = histogram(f, 0, &b);
	b[0] = 1;
	view_add(f, h, NULL, b, 1);
	output_map(&f->output, h, &f->decoder, &how);
	EXPECT(f, "@h: { .count = 1, .p50 = (..., 0), .p90 = (..., 0), .p99 = (..., 0) }\n");
}

/* The label of bucket `i` of hist(n, k). */
static void expect_label(struct fixture *f, int k, uint32_t i, const char *label)
{
	uint64_t *b;
	struct map_view *h = histogram(f, k, &b);

	b[i] = 1;
	view_add(f, h, NULL, b, 1);
	view_print(f, h, 0, 0);
	assert_memory_equal(shown(f) + strlen("@h:\n"), label, strlen(label));
}

static void hist_labels(void **state)
{
	struct fixture *f = *state;

	expect_label(f, 0, 11, "[512, 1K)              1 |");
	expect_label(f, 0, 12, "[1K, 2K)  ");
	expect_label(f, 0, 14, "[4K, 8K)  ");
	expect_label(f, 0, 31, "[512M, 1G)  ");
	expect_label(f, 0, 64, "[4E, 8E)  ");
	expect_label(f, 2, 1 + 5, "[5]   ");
	expect_label(f, 2, 1 + 7, "[7]   ");
	expect_label(f, 2, 1 + 8, "[8, 10)  ");
	expect_label(f, 2, 1 + 9, "[10, 12)  ");
	expect_label(f, 2, 1 + 4 + 4 * 4 + 2, "[96, 112)  ");
	expect_label(f, 2, 1 + 4 + 7 * 4 + 3, "[896, 1024)  ");
	expect_label(f, 5, 1 + 31, "[31]  ");
	expect_label(f, 5, 32 * 59, "[8064P, 8192P)  ");
}

static void lhist_labels(void **state)
{
	struct fixture *f = *state;
	int64_t small[4] = {0, 100, 10}, kilo[4] = {0, 2 * 1024 * 1024, 512 * 1024}, one[4] = {5, 10, 1}, odd[4] = {10, 25, 10};
	const struct type *t = type_aggregate(f->types, TYPE_LHIST, true, small);
	struct map_view *l = view_new(f, "@l", NULL, t);
	uint64_t b[12] = {1, 1, [11] = 1};

	view_add(f, l, NULL, b, 1);
	view_print(f, l, 0, 0);
	EXPECT(f, "@l:\n"
		  "(..., 0)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		  "[0, 10)                1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		  "[10, 20)               0 |                                                    |\n"
		  "[20, 30)               0 |                                                    |\n"
		  "[30, 40)               0 |                                                    |\n"
		  "[40, 50)               0 |                                                    |\n"
		  "[50, 60)               0 |                                                    |\n"
		  "[60, 70)               0 |                                                    |\n"
		  "[70, 80)               0 |                                                    |\n"
		  "[80, 90)               0 |                                                    |\n"
		  "[90, 100)              0 |                                                    |\n"
		  "[100, ...)             1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		  "\n");
	l = view_new(f, "@l", NULL, type_aggregate(f->types, TYPE_LHIST, true, kilo));
	view_add(f, l, NULL, (uint64_t[6]){0, 0, 1, 1, 0, 1}, 1);
	view_print(f, l, 0, 0);
	EXPECT(f, "@l:\n"
		  "[512K, 1M)             1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		  "[1M, 1536K)            1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		  "[1536K, 2M)            0 |                                                    |\n"
		  "[2M, ...)              1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		  "\n");
	l = view_new(f, "@l", NULL, type_aggregate(f->types, TYPE_LHIST, true, one));
	view_add(f, l, NULL, (uint64_t[7]){0, 1}, 1);
	view_print(f, l, 0, 0);
	assert_memory_equal(shown(f), "@l:\n[5]                    1 |", 30);
	l = view_new(f, "@l", NULL, type_aggregate(f->types, TYPE_LHIST, true, odd));
	view_add(f, l, NULL, (uint64_t[4]){0, 0, 1}, 1);
	view_print(f, l, 0, 0);
	assert_memory_equal(shown(f), "@l:\n[20, 25)               1 |", 30);
}

static void keyed_histograms_have_a_head_each(void **state)
{
	struct fixture *f = *state;
	int64_t k0[4] = {0}, key = 7;
	uint64_t b[65] = {[3] = 1};
	struct map_view *h = view_new(f, "@h", f->types->s64, type_aggregate(f->types, TYPE_HIST, true, k0));

	view_add(f, h, &key, b, 1);
	view_print(f, h, 0, 0);
	EXPECT(f, "@h[7]:\n[2, 4)                 1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n\n");
}

/* A format of one directive around `v`. */
static void expect_piece(struct fixture *f, struct format_piece piece, struct value v, const char *text)
{
	struct strbuf out = {.arena = f->arena};
	struct format format = {.nvalues = 1};

	VEC_PUSH(f->arena, &format.pieces, piece);
	text_format(&out, &f->output.style, &format, &v, 1);
	assert_string_equal(strbuf_str(&out).s, text);
}

static void formats_pad_and_narrow(void **state)
{
	struct fixture *f = *state;
	struct value n = value_int(42), minus = value_int(-1), tuple = {.kind = VALUE_TUPLE, .n = 2};
	struct value items[] = {value_int(1), value_int(2)};

#define PIECE(c, ...) ((struct format_piece){.conv = (c), .bits = 32, ##__VA_ARGS__})
	expect_piece(f, PIECE(CONV_SIGNED, .width = 5), n, "   42");
	expect_piece(f, PIECE(CONV_SIGNED, .width = 5, .left = true), n, "42   ");
	expect_piece(f, PIECE(CONV_SIGNED, .width = 5, .zero = true), n, "00042");
	expect_piece(f, PIECE(CONV_SIGNED, .width = 5, .zero = true, .left = true), value_int(5), "50000");
	expect_piece(f, PIECE(CONV_SIGNED, .width = 5, .zero = true, .plus = true), value_int(5), "000+5");
	expect_piece(f, PIECE(CONV_SIGNED), value_int(0x1ffffffff), "-1");
	expect_piece(f, PIECE(CONV_UNSIGNED), minus, "4294967295");
	expect_piece(f, (struct format_piece){.conv = CONV_UNSIGNED, .bits = 64}, minus, "18446744073709551615");
	expect_piece(f, (struct format_piece){.conv = CONV_SIGNED, .bits = 8}, value_int(300), "44");
	expect_piece(f, (struct format_piece){.conv = CONV_SIGNED, .bits = 16}, value_int(70000), "4464");
	expect_piece(f, PIECE(CONV_HEX, .alternate = true), value_int(255), "0xff");
	expect_piece(f, PIECE(CONV_HEX_UPPER), value_int(255), "FF");
	expect_piece(f, PIECE(CONV_OCTAL), value_int(8), "10");
	expect_piece(f, PIECE(CONV_OCTAL, .alternate = true), value_int(8), "010");
	expect_piece(f, PIECE(CONV_CHAR), value_int(65), "A");
	expect_piece(f, PIECE(CONV_CHAR), value_int(27), "\\x1b");
	expect_piece(f, PIECE(CONV_POINTER), value_int(255), "0xff");
	tuple.items = items;
	expect_piece(f, PIECE(CONV_STRING, .width = 10, .left = true), tuple, "(         1, 2)");
	expect_piece(f, PIECE(CONV_STRING, .width = 4), value_text(STR("ab"), false), "  ab");
	expect_piece(f, PIECE(CONV_STRING), value_text(STR("abcdef"), false), "abcdef");
	expect_piece(f, PIECE(CONV_STRING), (struct value){.kind = VALUE_BOOL, .number = 1}, "true");
}

static void formats_of_buffers_and_flags(void **state)
{
	struct fixture *f = *state;
	struct value buffer = {.kind = VALUE_BUFFER, .text = STR("a\x01~\xff")};

	expect_piece(f, PIECE(CONV_BUFFER), buffer, "a\\x01~\\xff");
	expect_piece(f, PIECE(CONV_BUFFER_HEX), buffer, "\\x61\\x01\\x7e\\xff");
	expect_piece(f, PIECE(CONV_BUFFER_SPACED), buffer, "61 01 7e ff");
	expect_piece(f, PIECE(CONV_GFP), value_uint(0xcc0), "GFP_KERNEL");
	expect_piece(f, PIECE(CONV_GFP), value_uint(0x400dc0), "GFP_KERNEL_ACCOUNT|__GFP_ZERO");
	expect_piece(f, PIECE(CONV_GFP), value_uint(0), "0");
}

static void a_full_disk_is_noticed_once(void **state)
{
	struct fixture *f = *state;
	struct output o = f->output;

	o.file = fopen("/dev/full", "w");
	if (!o.file)
		skip();
	output_text(&o, OUTPUT_PRINTF, STR("x\n"));
	output_flush(&o, true);
	assert_int_equal(o.err, ENOSPC);
	assert_true(o.mute);
	fclose(o.file);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(values_print_as_the_language_says),
		CASE(addresses_and_buffers),
		CASE(untrusted_bytes_are_escaped),
		CASE(cut_texts_carry_the_trailer),
		CASE(stacks_stand_on_lines_of_their_own),
		CASE(maps_print_their_last_entries),
		CASE(aggregates_print_as_in_the_reference),
		CASE(keys_lose_their_outer_parentheses),
		CASE(an_empty_scalar_shows_its_zero_when_asked),
		CASE(hist_prints_the_sample_of_the_reference),
		CASE(percentiles_are_rows),
		CASE(hist_labels),
		CASE(lhist_labels),
		CASE(keyed_histograms_have_a_head_each),
		CASE(formats_pad_and_narrow),
		CASE(formats_of_buffers_and_flags),
		CASE(a_full_disk_is_noticed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
