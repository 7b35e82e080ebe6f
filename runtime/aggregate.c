/* Aggregates: merging their per-CPU copies, averages, rows of histograms.  Layouts are in codegen/manifest.h. */
#include "runtime/value.h"

#include <stdlib.h>

static uint64_t word_at(const uint8_t *copy, uint32_t value_size, uint32_t index)
{
	uint64_t w = 0;

	if ((uint64_t)index * 8 + 8 <= value_size)
		memcpy(&w, copy + (size_t)index * 8, 8);
	return w;
}

/* MIN and MAX: CPUs that never ran the line have no value. */
static void merge_extreme(const struct shape *s, const uint8_t *copy, uint32_t value_size, struct merged *out)
{
	uint64_t value = word_at(copy, value_size, 0);
	bool less;

	if (!word_at(copy, value_size, 1))
		return;
	less = s->is_signed ? (int64_t)value < (int64_t)out->number : value < out->number;
	if (!out->count || (value != out->number && less == (s->kind == TYPE_MIN)))
		out->number = value;
	out->count++;
}

static bool merge_buckets(struct arena *a, uint32_t value_size, const uint8_t *bytes, size_t stride, int copies,
			  struct merged *out)
{
	uint32_t n = value_size / 8, i;
	uint64_t *sum = NEW_ARRAY(a, uint64_t, n);
	int c;

	for (c = 0; c < copies; c++)
		for (i = 0; i < n; i++)
			sum[i] += word_at(bytes + (size_t)c * stride, value_size, i);
	for (i = 0; i < n; i++)
		out->count += sum[i];
	out->buckets = sum;
	out->nbuckets = n;
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct tseries_slot *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* What two CPUs know of one interval.  aux: avg: samples; last value: time of the sample. */
static void merge_slot(const struct shape *s, struct tseries_slot *to, const struct tseries_slot *from)
{
	bool less = s->is_signed ? (int64_t)from->value < (int64_t)to->value : from->value < to->value;

	switch (s->params[2]) {
	case TSERIES_AVG:
	case TSERIES_SUM:
		to->value += from->value;
		to->aux += from->aux;
		break;
	case TSERIES_MAX:
		if (!less)
			to->value = from->value;
		break;
	case TSERIES_MIN:
		if (less)
			to->value = from->value;
		break;
	default:
		if (from->aux >= to->aux)
			*to = *from;
		break;
	}
}

static bool merge_tseries(struct arena *a, const struct shape *s, uint32_t value_size, const uint8_t *bytes, size_t stride,
			  int copies, struct merged *out)
{
	uint32_t n = value_size / sizeof(struct tseries_slot), i, used = 0;
	struct tseries_slot *slots = NEW_ARRAY(a, struct tseries_slot, (size_t)n * (size_t)copies + 1);
	int c;

	for (c = 0; c < copies; c++) {
		for (i = 0; i < n; i++) {
			memcpy(&slots[used], bytes + (size_t)c * stride + i * sizeof(*slots), sizeof(*slots));
			used += slots[used].start != 0;
		}
	}
	qsort(slots, used, sizeof(*slots), by_start);
	for (i = 0; i < used; i++) {
		if (out->nslots && slots[out->nslots - 1].start == slots[i].start)
			merge_slot(s, &slots[out->nslots - 1], &slots[i]);
		else
			slots[out->nslots++] = slots[i];
	}
	for (i = 0; s->params[2] == TSERIES_AVG && i < out->nslots; i++)
		if (slots[i].aux)
			slots[i].value = s->is_signed ? (uint64_t)((int64_t)slots[i].value / (int64_t)slots[i].aux)
						      : slots[i].value / slots[i].aux;
	out->slots = slots;
	out->count = out->nslots;
	return true;
}

bool value_merge(struct arena *a, const struct shape *s, uint32_t value_size, const void *bytes, size_t stride, int copies,
		 struct merged *out)
{
	const uint8_t *copy = bytes;
	int i;

	*out = (struct merged){0};
	switch (s->kind) {
	case TYPE_COUNT:
	case TYPE_SUM:
		for (i = 0; i < copies; i++, copy += stride)
			out->number += word_at(copy, value_size, 0);
		return true;
	case TYPE_AVG:
	case TYPE_STATS:
		for (i = 0; i < copies; i++, copy += stride) {
			out->number += word_at(copy, value_size, 0);
			out->count += word_at(copy, value_size, 1);
		}
		return true;
	case TYPE_MIN:
	case TYPE_MAX:
		for (i = 0; i < copies; i++, copy += stride)
			merge_extreme(s, copy, value_size, out);
		return true;
	case TYPE_HIST:
	case TYPE_LHIST:
		return merge_buckets(a, value_size, bytes, stride, copies, out);
	case TYPE_TSERIES:
		return merge_tseries(a, s, value_size, bytes, stride, copies, out);
	default:
		return false;
	}
}

uint64_t merged_average(const struct shape *s, const struct merged *m)
{
	if (!m->count)
		return 0;
	if (s->is_signed)
		return (uint64_t)((int64_t)m->number / (int64_t)m->count);
	return m->number / m->count;
}

/* First value of hist bucket `i` (counted without the negative one), and the power of 1024 that its label is shown in. */
static uint64_t hist_start(uint32_t i, int k, int *scale)
{
	uint32_t n = 1u << k, power;

	*scale = 0;
	if (i < n)
		return i;
	power = i / n - 1;
	*scale = (int)(power / 10);
	return (uint64_t)(n + i % n) << power;
}

static void hist_row(struct hist_row *row, uint32_t i, int k)
{
	if (!i) {
		row->open_low = true;
		row->high = 0;
		return;
	}
	row->low = (int64_t)hist_start(i - 1, k, &row->low_scale);
	row->high = hist_start(i, k, &row->high_scale);
}

/* K or M where the steps are whole kilobytes and the bound is, too. */
static int lhist_scale(uint64_t bound, uint64_t step)
{
	if (!step || step % 1024 || !bound)
		return 0;
	return bound % (1024 * 1024) == 0 ? 2 : bound % 1024 == 0;
}

static void lhist_row(struct hist_row *row, uint32_t i, uint32_t n, const int64_t params[4])
{
	uint64_t min = (uint64_t)params[0], max = (uint64_t)params[1], step = (uint64_t)params[2];

	if (!i) {
		row->open_low = true;
		row->high = min;
	} else if (i == n - 1) {
		row->open_high = true;
		row->low = (int64_t)max;
	} else {
		row->low = (int64_t)(min + (i - 1) * step);
		row->high = (uint64_t)row->low + step;
		if (row->high > max) /* (max - min) is no multiple of step: what is at max and above has its own bucket */
			row->high = max;
	}
	row->low_scale = lhist_scale((uint64_t)row->low, step);
	row->high_scale = lhist_scale(row->high, step);
}

/* Bounds of bucket `i`, without its count. */
static void bucket_row(const struct value *v, uint32_t i, struct hist_row *row)
{
	const struct shape *s = v->shape;

	if (s->kind == TYPE_HIST)
		hist_row(row, i, (int)s->params[0]);
	else
		lhist_row(row, i, v->merged.nbuckets, s->params);
}

bool hist_percentile(const struct value *v, uint32_t percent, struct hist_row *row)
{
	uint64_t rank = (uint64_t)(((unsigned __int128)v->merged.count * percent + 99) / 100), seen = 0;
	uint32_t i;

	*row = (struct hist_row){0};
	for (i = 0; i < v->merged.nbuckets; i++) {
		seen += v->merged.buckets[i];
		if (!seen || seen < rank)
			continue;
		bucket_row(v, i, row);
		row->count = v->merged.buckets[i];
		return true;
	}
	return false;
}

int hist_rows(struct arena *a, const struct value *v, struct hist_row **rows)
{
	const struct shape *s = v->shape;
	uint32_t n = v->merged.nbuckets, first = 0, last = n, i;
	struct hist_row *out;

	while (first < n && !v->merged.buckets[first])
		first++;
	while (last > first && !v->merged.buckets[last - 1])
		last--;
	*rows = out = NEW_ARRAY(a, struct hist_row, last - first);
	for (i = first; i < last; i++) {
		struct hist_row *row = &out[i - first];

		row->count = v->merged.buckets[i];
		if (s->kind == TYPE_HIST && v->div > 1)
			row->count /= v->div;
		bucket_row(v, i, row);
	}
	return (int)(last - first);
}
