/* Results as JSON, to the byte as language.md 21 has it. */
#include "tests/unit/output_fixture.h"

static int json_setup(void **state)
{
	fixture_setup(state);
	((struct fixture *)*state)->output.json = true;
	((struct fixture *)*state)->output.style.raw = true;
	return 0;
}

static void text_records(void **state)
{
	struct fixture *f = *state;

	output_text(&f->output, OUTPUT_PRINTF, STR("hi 1\n"));
	output_text(&f->output, OUTPUT_TIME, STR("2026\n"));
	output_text(&f->output, OUTPUT_CAT, STR("Linux\n"));
	output_text(&f->output, OUTPUT_JOIN, STR("/bin/echo,A"));
	output_text(&f->output, OUTPUT_SYSTEM, STR("hi\nthere\n"));
	EXPECT(f, "{\"type\": \"printf\", \"data\": \"hi 1\\n\"}\n"
		  "{\"type\": \"time\", \"data\": \"2026\\n\"}\n"
		  "{\"type\": \"cat\", \"data\": \"Linux\\n\"}\n"
		  "{\"type\": \"join\", \"data\": \"/bin/echo,A\"}\n"
		  "{\"type\": \"syscall\", \"data\": \"hi\\nthere\\n\"}\n");
	output_attached(&f->output, 1);
	output_lost(&f->output, 49873);
	output_end(&f->output);
	EXPECT(f, "{\"type\": \"attached_probes\", \"count\": 1, \"data\": {\"probes\": 1}}\n"
		  "{\"type\": \"lost_events\", \"count\": 49873, \"data\": {\"events\": 49873}}\n");
}

static void strings_are_always_utf8(void **state)
{
	struct fixture *f = *state;

	output_text(&f->output, OUTPUT_PRINTF, STR("\"\\\n\r\t\x01\x7f\xc3\xa9\xc2\x9b\xff/"));
	EXPECT(f, "{\"type\": \"printf\", \"data\": \"\\\"\\\\\\n\\r\\t\\u0001\\u007f\xc3\xa9\\u009b\\\\xff/\"}\n");
}

static void values_map_to_json(void **state)
{
	struct fixture *f = *state;
	struct types *t = f->types;
	const struct type *pair[] = {t->s64, type_string(t, 8)};
	struct {
		int64_t n;
		char s[8];
	} tuple = {1, "a"};
	struct str names[] = {STR("a"), STR("b")};
	struct {
		uint32_t n;
		char bytes[4];
	} buffer = {3, {'a', 'b', (char)0xff}};
	int64_t exact = 1ll << 60, inexact = (1ll << 53) + 1, minus = -5;
	uint64_t most = UINT64_MAX;

	print(f, type_tuple(t, pair, 2), &tuple);
	print(f, type_record(t, names, pair, 2), &tuple);
	EXPECT(f, "{\"type\": \"value\", \"data\": [1,\"a\"]}\n{\"type\": \"value\", \"data\": {\"a\": 1, \"b\": \"a\"}}\n");
	print(f, t->s64, &exact);
	print(f, t->s64, &inexact);
	print(f, t->s64, &minus);
	print(f, t->u64, &most);
	EXPECT(f, "{\"type\": \"value\", \"data\": 1152921504606846976}\n{\"type\": \"value\", \"data\": \"9007199254740993\"}\n"
		  "{\"type\": \"value\", \"data\": -5}\n{\"type\": \"value\", \"data\": \"18446744073709551615\"}\n");
	print(f, t->voidptr, &exact);
	print(f, t->boolean, "\1");
	print(f, type_buffer(t, 4), &buffer);
	print(f, type_plain(t, TYPE_KSYM), &minus);
	EXPECT(f, "{\"type\": \"value\", \"data\": 1152921504606846976}\n{\"type\": \"value\", \"data\": true}\n"
		  "{\"type\": \"value\", \"data\": [97,98,-1]}\n{\"type\": \"value\", \"data\": \"sym_fffffffffffffffb\"}\n");
}

static void maps_are_objects(void **state)
{
	struct fixture *f = *state;
	struct types *t = f->types;
	const struct type *pair[] = {t->s64, type_string(t, 8)};
	struct {
		int64_t n;
		char s[8];
	} key = {1, "x y"};
	struct map_view *c = view_new(f, "@c", NULL, type_plain(t, TYPE_COUNT));
	struct map_view *m = view_new(f, "@t", type_tuple(t, pair, 2), t->s64);
	struct map_view *a = view_new(f, "@a", NULL, type_aggregate(t, TYPE_AVG, true, NULL));
	struct map_view *k = view_new(f, "@k", type_string(t, 8), type_aggregate(t, TYPE_STATS, true, NULL));
	struct map_view *none = view_new(f, "@n", type_string(t, 8), t->s64);
	int64_t one = 1, two = 2;

	view_add(f, c, NULL, &one, 1);
	view_add(f, m, &key, &one, 1);
	key.n = 2;
	view_add(f, m, &key, &two, 1);
	view_add(f, a, NULL, (uint64_t[]){15, 2}, 1);
	view_add(f, k, "z\0\0\0\0\0\0", (uint64_t[]){2, 1, 0}, 1);
	view_print(f, c, 0, 0);
	view_print(f, m, 0, 0);
	view_print(f, a, 0, 0);
	view_print(f, k, 0, 0);
	view_print(f, none, 0, 0);
	EXPECT(f, "{\"type\": \"map\", \"data\": {\"@c\": 1}}\n"
		  "{\"type\": \"map\", \"data\": {\"@t\": {\"1,xy\": 1, \"2,xy\": 2}}}\n"
		  "{\"type\": \"stats\", \"data\": {\"@a\": 7}}\n"
		  "{\"type\": \"stats\", \"data\": {\"@k\": {\"z\": {\"count\": 1, \"average\": 2, \"total\": 2}}}}\n");
}

static void histograms_are_lists_of_buckets(void **state)
{
	struct fixture *f = *state;
	int64_t k0[4] = {0}, linear[4] = {0, 10, 10};
	const struct type *hist = type_aggregate(f->types, TYPE_HIST, true, k0);
	struct map_view *h = view_new(f, "@h", NULL, hist), *k = view_new(f, "@hk", type_string(f->types, 4), hist);
	struct map_view *l = view_new(f, "@l", NULL, type_aggregate(f->types, TYPE_LHIST, true, linear));

	view_add(f, h, NULL, (uint64_t[65]){1, 1, 0, 1}, 1);
	view_add(f, k, "q\0\0", (uint64_t[65]){[4] = 1}, 1);
	view_add(f, l, NULL, (uint64_t[3]){0, 2, 1}, 1);
	view_print(f, h, 0, 0);
	view_print(f, k, 0, 0);
	view_print(f, l, 0, 0);
	EXPECT(f, "{\"type\": \"hist\", \"data\": {\"@h\": [{\"max\": -1, \"count\": 1},{\"min\": 0, \"max\": 0, \"count\": 1},"
		  "{\"min\": 1, \"max\": 1, \"count\": 0},{\"min\": 2, \"max\": 3, \"count\": 1}]}}\n"
		  "{\"type\": \"hist\", \"data\": {\"@hk\": {\"q\": [{\"min\": 4, \"max\": 7, \"count\": 1}]}}}\n"
		  "{\"type\": \"hist\", \"data\": {\"@l\": [{\"min\": 0, \"max\": 9, \"count\": 2},{\"min\": 10, \"count\": 1}]}}\n");
}

static void percentiles_have_inclusive_bounds(void **state)
{
	struct map_print how = {.percentiles = true};
	struct fixture *f = *state;
	int64_t linear[4] = {5, 15, 10};
	struct map_view *l = view_new(f, "@l", type_string(f->types, 4), type_aggregate(f->types, TYPE_LHIST, true, linear));

	view_add(f, l, "a\0\0", (uint64_t[3]){1, 8, 1}, 1);
	view_add(f, l, "b\0\0", (uint64_t[3]){50, 0, 50}, 1);
	output_map(&f->output, l, &f->decoder, &how);
	EXPECT(f, "{\"type\": \"percentiles\", \"data\": {\"@l\": {\"a\": {\"count\": 10, \"p50\": {\"min\": 5, \"max\": 14}, "
		  "\"p90\": {\"min\": 5, \"max\": 14}, \"p99\": {\"min\": 15}}, "
		  "\"b\": {\"count\": 100, \"p50\": {\"max\": 4}, \"p90\": {\"min\": 15}, \"p99\": {\"min\": 15}}}}}\n");
}

static void stacks_are_strings(void **state)
{
	struct fixture *f = *state;
	const struct type *stack = type_stack(f->types, TYPE_KSTACK, STACK_BPFTRACE, 2);
	struct map_view *s = view_new(f, "@s", NULL, stack);
	char bytes[16] = "";

	view_add(f, s, NULL, bytes, 1);
	view_print(f, s, 0, 0);
	EXPECT(f, "{\"type\": \"map\", \"data\": {\"@s\": \"\\n        f+1\\n        g+2\\n\"}}\n");
}

static void troubles_are_records(void **state)
{
	struct fixture *f = *state;
	struct source *src = source_new(f->arena, STR("stdin"), STR("begin { print(@m[4]); }"));
	struct output_trouble t = {.type = "helper_error", .text = "Success", .helper = STR("map_lookup_elem"), .retcode = 0,
				   .span = {.source = src, .begin = 14, .end = 19}};

	output_trouble(&f->output, &t);
	t = (struct output_trouble){.type = "warnf", .text = "w 3", .span = {.source = src, .begin = 8, .end = 9}};
	output_trouble(&f->output, &t);
	EXPECT(f, "{\"type\": \"helper_error\", \"msg\": \"Success\", \"helper\": \"map_lookup_elem\", \"retcode\": 0, "
		  "\"filename\": \"stdin\", \"line\": 1, \"col\": 15}\n"
		  "{\"type\": \"warnf\", \"msg\": \"w 3\", \"filename\": \"stdin\", \"line\": 1, \"col\": 9}\n");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, json_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(text_records), CASE(strings_are_always_utf8), CASE(values_map_to_json), CASE(maps_are_objects),
		CASE(histograms_are_lists_of_buckets), CASE(percentiles_have_inclusive_bounds), CASE(stacks_are_strings), CASE(troubles_are_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
