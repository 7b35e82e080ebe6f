/* Aggregates of several CPUs become one; entries are sorted as language.md 20.4 says. */
#include "tests/unit/output_fixture.h"

static const struct type *aggregate(struct fixture *f, enum type_kind kind, bool is_signed)
{
	return type_aggregate(f->types, kind, is_signed, NULL);
}

static struct merged merge(struct fixture *f, const struct type *t, const void *copies, int n)
{
	int shape = fixture_shape(f, t);
	struct merged m;

	assert_true(value_merge(f->arena, &f->manifest.shapes.at[shape], t->size, copies, t->size, n, &m));
	return m;
}

static void counts_and_sums_add_up(void **state)
{
	struct fixture *f = *state;
	uint64_t counts[] = {3, 0, 4};
	int64_t sums[] = {-5, 2};

	assert_int_equal(merge(f, aggregate(f, TYPE_COUNT, false), counts, 3).number, 7);
	assert_int_equal((int64_t)merge(f, aggregate(f, TYPE_SUM, true), sums, 2).number, -3);
}

static void extremes_ignore_cpus_without_a_value(void **state)
{
	struct fixture *f = *state;
	uint64_t unset[] = {0, 0, 5, 1, 9, 1};
	int64_t negative[] = {-3, 1, 2, 1, 0, 0};

	assert_int_equal(merge(f, aggregate(f, TYPE_MIN, false), unset, 3).number, 5);
	assert_int_equal(merge(f, aggregate(f, TYPE_MAX, false), unset, 3).number, 9);
	assert_int_equal((int64_t)merge(f, aggregate(f, TYPE_MIN, true), negative, 3).number, -3);
	assert_int_equal((int64_t)merge(f, aggregate(f, TYPE_MAX, true), negative, 3).number, 2);
	/* the same bytes, read as unsigned: -3 is the largest */
	assert_int_equal((int64_t)merge(f, aggregate(f, TYPE_MAX, false), negative, 3).number, -3);
	assert_int_equal(merge(f, aggregate(f, TYPE_MAX, true), unset, 1).count, 0);
}

static void averages_truncate(void **state)
{
	struct fixture *f = *state;
	int64_t copies[] = {10, 2, -25, 2};
	const struct type *t = aggregate(f, TYPE_AVG, true);
	struct merged m = merge(f, t, copies, 2);

	assert_int_equal((int64_t)m.number, -15);
	assert_int_equal(m.count, 4);
	assert_int_equal((int64_t)merged_average(&f->manifest.shapes.at[fixture_shape(f, t)], &m), -3);
}

static void histograms_add_their_buckets(void **state)
{
	struct fixture *f = *state;
	const struct type *t = aggregate(f, TYPE_HIST, true);
	uint64_t *copies = NEW_ARRAY(f->arena, uint64_t, 2 * t->size / 8);
	struct merged m;

	copies[1] = 2;
	copies[t->size / 8 + 1] = 3;
	copies[t->size / 8] = 1;
	m = merge(f, t, copies, 2);
	assert_int_equal(m.buckets[0], 1);
	assert_int_equal(m.buckets[1], 5);
	assert_int_equal(m.count, 6);
}

static void check_order(struct fixture *f, struct map_view *v, const int64_t *keys)
{
	int i;

	map_sort(v);
	for (i = 0; i < v->entries.n; i++) {
		int64_t key;

		memcpy(&key, v->entries.at[i].key, 8);
		assert_int_equal(key, keys[i]);
	}
	(void)f;
}

static void integers_sort_by_value(void **state)
{
	struct fixture *f = *state;
	struct map_view *v = view_new(f, "@", f->types->s64, f->types->s64);
	struct map_view *u = view_new(f, "@", f->types->s64, f->types->u64);
	int64_t keys[] = {1, 2, 3, 4}, values[] = {5, -1, 5, 0};
	int i;

	for (i = 3; i >= 0; i--) {
		view_add(f, v, &keys[i], &values[i], 1);
		view_add(f, u, &keys[i], &values[i], 1);
	}
	check_order(f, v, (int64_t[]){2, 4, 1, 3}); /* ties by key */
	check_order(f, u, (int64_t[]){4, 1, 3, 2});
}

static void extremes_sort_signed_when_signed(void **state)
{
	struct fixture *f = *state;
	struct map_view *v = view_new(f, "@", f->types->s64, aggregate(f, TYPE_MIN, true));
	int64_t keys[] = {1, 2, 3};
	int64_t values[3][2] = {{5, 1}, {-1, 1}, {0, 1}};
	int i;

	for (i = 0; i < 3; i++)
		view_add(f, v, &keys[i], values[i], 1);
	check_order(f, v, (int64_t[]){2, 3, 1});
}

static void stats_sort_by_average_and_histograms_by_samples(void **state)
{
	struct fixture *f = *state;
	struct map_view *s = view_new(f, "@", f->types->s64, aggregate(f, TYPE_STATS, true));
	struct map_view *h = view_new(f, "@", f->types->s64, aggregate(f, TYPE_HIST, true));
	int64_t keys[] = {1, 2, 3};
	int64_t stats[3][3] = {{100, 1, 0}, {100, 100, 0}, {50, 10, 0}};
	uint64_t buckets[3][65] = {{[5] = 9}, {[1] = 4, [2] = 4}, {[60] = 1}};
	int i;

	for (i = 0; i < 3; i++) {
		view_add(f, s, &keys[i], stats[i], 1);
		view_add(f, h, &keys[i], buckets[i], 1);
	}
	check_order(f, s, (int64_t[]){2, 3, 1});
	check_order(f, h, (int64_t[]){3, 2, 1});
}

static void other_values_sort_by_key(void **state)
{
	struct fixture *f = *state;
	struct map_view *v = view_new(f, "@", f->types->s64, type_string(f->types, 4));
	int64_t keys[] = {10, -2, 9};
	int i;

	for (i = 0; i < 3; i++)
		view_add(f, v, &keys[i], i ? "a\0\0" : "zz\0", 1);
	check_order(f, v, (int64_t[]){-2, 9, 10});
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(counts_and_sums_add_up),
		CASE(extremes_ignore_cpus_without_a_value),
		CASE(averages_truncate),
		CASE(histograms_add_their_buckets),
		CASE(integers_sort_by_value),
		CASE(extremes_sort_signed_when_signed),
		CASE(stats_sort_by_average_and_histograms_by_samples),
		CASE(other_values_sort_by_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
