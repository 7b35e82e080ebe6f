/* report(): a table of a map.  The manifest's postfix code is evaluated over a snapshot, entry by entry; rows are sorted and the
 * largest kept.  Maps that are looked up in are read once per report. */
#include <stdlib.h>

#include "runtime/session_internal.h"

enum { DEPTH = 64 };

/* A map that other entries are looked up in. */
struct lookup {
	struct map_view view;
	struct table entries; /* identity of the key -> struct map_entry */
};

/* Something on the stack: a value, or the bytes that it will be decoded from when it is printed. */
struct item {
	struct value value;
	const uint8_t *bytes; /* NULL: `value` is all */
	int shape;
	bool addresses;	      /* of a stack: print it as STACK_PERF */
};

struct evaluation {
	struct session *s;
	const struct map_view *view;
	struct lookup **lookups; /* by map */
	struct decoder plain;	 /* without names: what keys are, not what they are called */
};

/* ---- looking up ------------------------------------------------------------------------------------------------------------ */

static void add_identity(struct strbuf *out, const struct value *v)
{
	int i;

	switch (v->kind) {
	case VALUE_TEXT:
	case VALUE_BUFFER:
		strbuf_printf(out, "s%zu:", v->text.n);
		strbuf_add(out, v->text);
		return;
	case VALUE_ARRAY:
	case VALUE_TUPLE:
	case VALUE_RECORD:
		strbuf_addc(out, '(');
		for (i = 0; i < v->n; i++)
			add_identity(out, &v->items[i]);
		strbuf_addc(out, ')');
		return;
	default:
		strbuf_printf(out, "i%lld;", (long long)v->number);
		return;
	}
}

static struct str identity(const struct evaluation *ev, const struct item *item)
{
	struct strbuf out = {.arena = ev->s->event};
	struct value v = item->bytes ? value_decode(&ev->plain, item->shape, item->bytes,
						    ev->s->manifest->shapes.at[item->shape].size)
				     : item->value;

	add_identity(&out, &v);
	return strbuf_str(&out);
}

static struct lookup *read_lookup(const struct evaluation *ev, int map, bool drain)
{
	struct lookup *l = ev->lookups[map] = NEW(ev->s->event, struct lookup);

	l->entries.arena = ev->s->event;
	if (!session_read_map(ev->s, map, drain, &l->view))
		return l;
	VEC_EACH(e, &l->view.entries) {
		struct item key = {.bytes = e->key, .shape = l->view.row->key};

		table_put(&l->entries, l->view.row->key < 0 ? STR("") : identity(ev, &key), e);
	}
	return l;
}

static struct lookup *lookup_of(const struct evaluation *ev, int map)
{
	return ev->lookups[map] ? ev->lookups[map] : read_lookup(ev, map, false);
}

static struct item item_of_value(const struct evaluation *ev, const struct map_view *view, const struct map_entry *e)
{
	if (view->aggregate)
		return (struct item){.value = value_of_merged(&ev->s->decoder, view->row->value, &e->merged)};
	return (struct item){.bytes = e->value, .shape = view->row->value};
}

static struct item look_up(const struct evaluation *ev, int64_t map, const struct item *key)
{
	struct lookup *l;
	struct map_entry *e;

	if (map < 0 || map >= ev->s->manifest->maps.n)
		return (struct item){.value = value_int(0)};
	l = lookup_of(ev, (int)map);
	e = table_get(&l->entries, ev->s->manifest->maps.at[map].key < 0 ? STR("") : identity(ev, key));
	return e ? item_of_value(ev, &l->view, e) : (struct item){.value = value_int(0)};
}

/* ---- evaluating --------------------------------------------------------------------------------------------------------------- */

static struct value resolve(const struct evaluation *ev, const struct item *item)
{
	if (!item->bytes)
		return item->value;
	if (item->addresses) {
		struct shape shape = ev->s->manifest->shapes.at[item->shape];
		const struct decoder *d = &ev->s->decoder;

		shape.mode = STACK_PERF;
		return (struct value){.kind = VALUE_TEXT, .trusted = true, .text = d->names->stack(d->names, d->arena, &shape, item->bytes, d->raw)};
	}
	return value_decode(&ev->s->decoder, item->shape, item->bytes, ev->s->manifest->shapes.at[item->shape].size);
}

/* Element `n` of a tuple; count, average, total of stats. */
static struct item part_of(const struct evaluation *ev, const struct item *item, int64_t n)
{
	struct value v = item->value;

	if (item->bytes) {
		const struct shape *s = &ev->s->manifest->shapes.at[item->shape];

		if (n >= 0 && n < s->fields.n && !s->fields.at[n].bit_size)
			return (struct item){.bytes = item->bytes + s->fields.at[n].offset, .shape = s->fields.at[n].shape};
		v = resolve(ev, item);
		return (struct item){.value = n >= 0 && n < v.n ? v.items[n] : value_int(0)};
	}
	if (v.kind != VALUE_STATS)
		return *item;
	v.kind = VALUE_INT;
	v.number = n == 0 ? v.merged.count : n == 1 ? merged_average(v.shape, &v.merged) : v.merged.number;
	v.is_signed = n != 0 && v.shape->is_signed;
	return (struct item){.value = v};
}

static uint64_t divide(uint64_t a, uint64_t b, bool is_signed, bool rest)
{
	if (!b) /* as the language has it: like a division by 1 */
		return rest ? 0 : a;
	if (!is_signed)
		return rest ? a % b : a / b;
	if (b == UINT64_MAX) /* INT64_MIN / -1 does not fit */
		return rest ? 0 : 0 - a;
	return (uint64_t)(rest ? (int64_t)a % (int64_t)b : (int64_t)a / (int64_t)b);
}

static bool less(uint64_t a, uint64_t b, bool is_signed)
{
	return is_signed ? (int64_t)a < (int64_t)b : a < b;
}

static uint64_t binary(enum binary_op op, uint64_t a, uint64_t b, bool is_signed)
{
	switch (op) {
	case BINARY_ADD:
		return a + b;
	case BINARY_SUB:
		return a - b;
	case BINARY_MUL:
		return a * b;
	case BINARY_DIV:
		return divide(a, b, is_signed, false);
	case BINARY_MOD:
		return divide(a, b, is_signed, true);
	case BINARY_SHL:
		return b < 64 ? a << b : 0;
	case BINARY_SHR:
		if (is_signed)
			return (uint64_t)((int64_t)a >> (b < 64 ? b : 63));
		return b < 64 ? a >> b : 0;
	case BINARY_AND:
		return a & b;
	case BINARY_OR:
		return a | b;
	case BINARY_XOR:
		return a ^ b;
	case BINARY_EQ:
		return a == b;
	case BINARY_NE:
		return a != b;
	case BINARY_LT:
		return less(a, b, is_signed);
	case BINARY_GT:
		return less(b, a, is_signed);
	case BINARY_LE:
		return !less(b, a, is_signed);
	case BINARY_GE:
		return !less(a, b, is_signed);
	case BINARY_LAND:
		return a && b;
	case BINARY_LOR:
		return a || b;
	case BINARY_IN: /* no manifest has it */
		break;
	}
	return 0;
}

static struct item number_item(uint64_t n, bool is_signed)
{
	return (struct item){.value = is_signed ? value_int((int64_t)n) : value_uint(n)};
}

static struct item unary(const struct evaluation *ev, enum report_op op, const struct item *of)
{
	struct value v = resolve(ev, of);
	uint64_t n = op == REPORT_NEG ? 0 - v.number : op == REPORT_NOT ? !v.number : ~v.number;

	return number_item(n, op == REPORT_NEG || v.is_signed);
}

/* Text is compared as text; all else is a number. */
static struct item binary_item(const struct evaluation *ev, const struct report_code *c, const struct item *a, const struct item *b)
{
	struct value x = resolve(ev, a), y = resolve(ev, b);

	if (x.kind == VALUE_TEXT && y.kind == VALUE_TEXT && (c->number == BINARY_EQ || c->number == BINARY_NE))
		return number_item(str_eq(x.text, y.text) == (c->number == BINARY_EQ), false);
	return number_item(binary((enum binary_op)c->number, x.number, y.number, c->is_signed), c->is_signed);
}

/* address:port, [address]:port */
static struct item endpoint(const struct evaluation *ev, const struct item *address, const struct item *port)
{
	struct value v = resolve(ev, address), p = resolve(ev, port);
	struct strbuf out = {.arena = ev->s->event};
	bool six;

	if (v.kind != VALUE_TEXT)
		return *address;
	six = str_find(v.text, ':') < v.text.n;
	strbuf_printf(&out, six ? "[%.*s]:%llu" : "%.*s:%llu", STR_ARG(v.text), (unsigned long long)p.number);
	v.text = strbuf_str(&out);
	return (struct item){.value = v};
}

/* A frame's line without its indentation; `bare`: also without the offset. */
static struct str frame_name(struct str line, bool bare)
{
	size_t plus;

	line = str_trim(line);
	if (!bare)
		return line;
	for (plus = line.n; plus > 0 && line.s[plus - 1] != '+'; plus--)
		;
	return plus > 1 ? str_sub(line, 0, plus - 1) : line;
}

/* The lines of a printed stack, outermost frame first: as they are, or as one folded line (a;b;c). */
static void turn_stack(struct strbuf *out, struct str rest, bool folded)
{
	while (rest.n && rest.s[rest.n - 1] == '\n')
		rest.n--;
	while (rest.n) {
		size_t start = rest.n;
		struct str line;

		while (start > 0 && rest.s[start - 1] != '\n')
			start--;
		line = str_sub(rest, start, rest.n - start);
		rest.n = start ? start - 1 : 0;
		if (!str_trim(line).n)
			continue;
		if (folded && out->n)
			strbuf_addc(out, ';');
		strbuf_add(out, folded ? frame_name(line, true) : line);
		if (!folded)
			strbuf_addc(out, '\n');
	}
}

static struct item reversed_stack(const struct evaluation *ev, const struct item *of)
{
	struct value v = resolve(ev, of);
	struct strbuf out = {.arena = ev->s->event};

	if (v.kind != VALUE_TEXT)
		return *of;
	strbuf_addc(&out, '\n');
	turn_stack(&out, v.text, false);
	v.text = strbuf_str(&out);
	return (struct item){.value = v};
}

static bool is_stack(const struct evaluation *ev, const struct item *item)
{
	enum type_kind kind = item->bytes ? ev->s->manifest->shapes.at[item->shape].kind : TYPE_NONE;

	return kind == TYPE_KSTACK || kind == TYPE_USTACK;
}

/* A value as text, as %s shows it. */
static struct str text_of(const struct evaluation *ev, const struct item *item)
{
	struct value v = resolve(ev, item);
	struct strbuf out = {.arena = ev->s->event};

	text_value(&out, &ev->s->output.style, &v);
	return strbuf_str(&out);
}

static struct item text_item(struct str text)
{
	return (struct item){.value = {.kind = VALUE_TEXT, .text = text, .trusted = true}};
}

/* What would end a frame of a folded line must not stand in a name. */
static void add_folded_text(struct strbuf *out, struct str text)
{
	size_t i;

	if (out->n && text.n)
		strbuf_addc(out, ';');
	for (i = 0; i < text.n; i++)
		strbuf_addc(out, text.s[i] == ';' ? ':' : text.s[i] == '\n' ? ' ' : text.s[i]);
}

static struct item folded(const struct evaluation *ev, const struct item *items, int n)
{
	struct strbuf out = {.arena = ev->s->event};
	int i;

	for (i = 0; i < n; i++) {
		if (is_stack(ev, &items[i]))
			turn_stack(&out, resolve(ev, &items[i]).text, true);
		else
			add_folded_text(&out, text_of(ev, &items[i]));
	}
	return text_item(strbuf_str(&out));
}

static struct item concat(const struct evaluation *ev, const struct item *items, int n)
{
	struct strbuf out = {.arena = ev->s->event};
	int i;

	for (i = 0; i < n; i++)
		strbuf_add(&out, text_of(ev, &items[i]));
	return text_item(strbuf_str(&out));
}

static struct item cgroup_of(const struct evaluation *ev, const struct item *id)
{
	const struct decoder *d = &ev->s->decoder;
	struct value v = resolve(ev, id);

	if (!d->names)
		return *id;
	return (struct item){.value = {.kind = VALUE_TEXT, .text = d->names->cgroup(d->names, d->arena, v.number, STR("unified"))}};
}

/* 9.5K, 976K, 1.2M: three digits at most, in powers of 1024. */
static struct item scaled(const struct evaluation *ev, uint64_t amount, uint64_t unit)
{
	static const char letters[] = "KMGTPE";
	uint64_t whole = amount, rest = 0;
	int power;

	if (unit)
		return number_item(amount / unit, false);
	for (power = 0; whole >= 1024 && letters[power]; power++) {
		rest = whole % 1024;
		whole /= 1024;
	}
	if (!power)
		return text_item(str_printf(ev->s->event, "%llu", (unsigned long long)amount));
	if (whole < 10)
		return text_item(str_printf(ev->s->event, "%llu.%llu%c", (unsigned long long)whole, (unsigned long long)(rest * 10 / 1024),
					    letters[power - 1]));
	return text_item(str_printf(ev->s->event, "%llu%c", (unsigned long long)whole, letters[power - 1]));
}

static struct item option_item(const struct evaluation *ev, int64_t option)
{
	if (ev->s->manifest->options.at[option].kind == OPTION_STRING)
		return text_item(ev->s->option_texts[option]);
	return number_item(ev->s->option_numbers[option], false);
}

/* Run the first `steps` steps; the stack's height.  The manifest's reader has checked that none pops what is not there. */
static int run(const struct evaluation *ev, const struct manifest_report_expr *x, int steps, const struct map_entry *e, struct item *stack)
{
	int n = 0;

	VEC_EACH(c, &x->code) {
		if (c - x->code.at == steps || n == DEPTH)
			break;
		switch (c->op) {
		case REPORT_INT:
			stack[n++] = number_item((uint64_t)c->number, true);
			break;
		case REPORT_KEY:
			stack[n++] = ev->view->row->key < 0 ? number_item(0, true)
							    : (struct item){.bytes = e->key, .shape = ev->view->row->key};
			break;
		case REPORT_VALUE:
			stack[n++] = item_of_value(ev, ev->view, e);
			break;
		case REPORT_PART:
			stack[n - 1] = part_of(ev, &stack[n - 1], c->number);
			break;
		case REPORT_LOOKUP:
			stack[n - 1] = look_up(ev, c->number, &stack[n - 1]);
			break;
		case REPORT_NEG:
		case REPORT_NOT:
		case REPORT_BITNOT:
			stack[n - 1] = unary(ev, c->op, &stack[n - 1]);
			break;
		case REPORT_ADDRESSES:
			stack[n - 1].addresses = is_stack(ev, &stack[n - 1]);
			break;
		case REPORT_CGROUP:
			stack[n - 1] = cgroup_of(ev, &stack[n - 1]);
			break;
		case REPORT_REVERSED:
			stack[n - 1] = reversed_stack(ev, &stack[n - 1]);
			break;
		case REPORT_FOLDED:
		case REPORT_CONCAT:
			n -= (int)c->number - 1;
			stack[n - 1] = (c->op == REPORT_FOLDED ? folded : concat)(ev, &stack[n - 1], (int)c->number);
			break;
		case REPORT_SELECT:
			n -= 2;
			stack[n - 1] = resolve(ev, &stack[n - 1]).number ? stack[n] : stack[n + 1];
			break;
		case REPORT_GLOB:
			n--;
			stack[n - 1] = number_item(str_match(text_of(ev, &stack[n]), text_of(ev, &stack[n - 1])), false);
			break;
		case REPORT_SCALED:
			n--;
			stack[n - 1] = scaled(ev, resolve(ev, &stack[n - 1]).number, resolve(ev, &stack[n]).number);
			break;
		case REPORT_TEXT:
			stack[n++] = text_item(c->text);
			break;
		case REPORT_BINARY:
			n--;
			stack[n - 1] = binary_item(ev, c, &stack[n - 1], &stack[n]);
			break;
		case REPORT_ENDPOINT:
			n--;
			stack[n - 1] = endpoint(ev, &stack[n - 1], &stack[n]);
			break;
		case REPORT_OPTION:
			stack[n++] = option_item(ev, c->number);
			break;
		case REPORT_OP_COUNT:
			break;
		}
	}
	return n;
}

static struct value evaluate(const struct evaluation *ev, const struct manifest_report_expr *x, const struct map_entry *e)
{
	struct item stack[DEPTH] = {0};
	int n = run(ev, x, x->code.n, e, stack);

	return n ? resolve(ev, &stack[n - 1]) : value_int(0);
}

/* The sum of an expression over all entries.  What is scaled is summed before. */
static struct value sum_of(const struct evaluation *ev, const struct manifest_report_expr *x)
{
	bool is_scaled = x->code.n && x->code.at[x->code.n - 1].op == REPORT_SCALED;
	struct item stack[DEPTH] = {0};
	uint64_t sum = 0, unit = 1;
	bool is_signed = false;

	VEC_EACH(e, &ev->view->entries) {
		int n = run(ev, x, x->code.n - is_scaled, e, stack);
		struct value v = n ? resolve(ev, &stack[is_scaled && n > 1 ? n - 2 : n - 1]) : value_int(0);

		if (is_scaled && n > 1)
			unit = resolve(ev, &stack[n - 1]).number;
		sum += v.number;
		is_signed = v.is_signed;
	}
	return is_scaled ? scaled(ev, sum, unit).value : number_item(sum, is_signed).value;
}

/* ---- sorting ------------------------------------------------------------------------------------------------------------------- */

struct ranked {
	struct map_entry entry;
	struct value by;
};

static int compare_ranked(const void *x, const void *y, void *arg)
{
	const struct ranked *a = x, *b = y;
	const struct map_view *view = arg;
	int c = value_compare(&a->by, &b->by);

	if (!c && view->row->key >= 0)
		c = value_compare_bytes(view->manifest, view->row->key, a->entry.key, b->entry.key,
					view->manifest->shapes.at[view->row->key].size);
	return c;
}

static struct evaluation evaluation_new(struct session *s, const struct map_view *view)
{
	return (struct evaluation){.s = s, .view = view, .lookups = NEW_ARRAY(s->event, struct lookup *, s->manifest->maps.n),
				   .plain = {s->manifest, NULL, s->event, true}};
}

static void sort_by(const struct evaluation *ev, struct map_view *view, const struct manifest_report_expr *by)
{
	int i, n = view->entries.n;
	struct ranked *ranked = NEW_ARRAY(ev->s->event, struct ranked, n + 1);

	for (i = 0; i < n; i++) {
		ranked[i].entry = view->entries.at[i];
		ranked[i].by = evaluate(ev, by, &view->entries.at[i]);
	}
	if (n > 1)
		qsort_r(ranked, (size_t)n, sizeof(*ranked), compare_ranked, view);
	for (i = 0; i < n; i++)
		view->entries.at[i] = ranked[i].entry;
}

void report_sort(struct session *s, struct map_view *view, const struct manifest_report_expr *by, bool descending)
{
	struct evaluation ev = evaluation_new(s, view);

	sort_by(&ev, view, by);
	if (descending)
		map_reverse(view);
}

/* Rows for the keys that only joined maps hold.  Their value is zero. */
static void add_joined(const struct evaluation *ev, const struct manifest_event *e, struct map_view *view)
{
	uint8_t *zeros = arena_alloc(ev->s->event, view->row->value_size);
	struct table rows = {.arena = ev->s->event};

	if (!e->joins.n)
		return;
	VEC_EACH(row, &view->entries) {
		struct item key = {.bytes = row->key, .shape = view->row->key};

		table_put(&rows, identity(ev, &key), row);
	}
	VEC_EACH(j, &e->joins) {
		struct lookup *l = read_lookup(ev, j->map, j->drain);

		VEC_EACH(other, &l->view.entries) {
			struct item key = {.bytes = other->key, .shape = view->row->key};
			struct map_entry row = {.key = other->key, .value = zeros};
			struct str id = identity(ev, &key);

			if (table_get(&rows, id))
				continue;
			VEC_PUSH(ev->s->event, &view->entries, row);
			table_put(&rows, id, l);
		}
	}
}

/* Take out the entries that are not wanted. */
static void keep_where(const struct evaluation *ev, const struct manifest_event *e, struct map_view *view)
{
	int i, n = 0;

	if (!e->where.n)
		return;
	for (i = 0; i < view->entries.n; i++)
		if (evaluate(ev, &e->where.at[0], &view->entries.at[i]).number)
			view->entries.at[n++] = view->entries.at[i];
	view->entries.n = n;
}

static bool is_descending(const struct evaluation *ev, const struct manifest_event *e)
{
	static const struct map_entry none;

	return e->desc_if.n ? evaluate(ev, &e->desc_if.at[0], &none).number != 0 : e->descending;
}

/* Rows that are printed, 0 for all: as many as asked for, and no more than the window has room for. */
static uint64_t rows_at_most(const struct session *s, const struct manifest_event *e)
{
	uint64_t top = e->top_option ? s->option_numbers[e->top_option - 1] : e->top;
	uint64_t room = e->fit ? output_window_rows(&s->output) : 0;

	if (!room)
		return top;
	room = room > e->fit ? room - e->fit : 1;
	return top && top < room ? top : room;
}

void report_print(struct session *s, int event)
{
	const struct manifest_event *e = &s->manifest->events.at[event];
	int width = e->report.n - e->has_by, row, k;
	struct value *values, *sums = NULL;
	const struct format *totals;
	struct str bad = {0};
	bool descending;
	struct evaluation ev;
	struct map_view view;

	if (!session_read_map(s, e->map, e->drain, &view))
		return;
	ev = evaluation_new(s, &view);
	add_joined(&ev, e, &view);
	keep_where(&ev, e, &view);
	totals = e->totals.n ? format_parse(s->event, e->totals, &bad) : NULL;
	if (totals && totals->nvalues <= width) {
		sums = NEW_ARRAY(s->event, struct value, (size_t)width + 1);
		for (k = 0; k < totals->nvalues; k++)
			sums[k] = sum_of(&ev, &e->report.at[width - totals->nvalues + k]);
	}
	if (e->has_by) /* else in the order of print(@m) */
		sort_by(&ev, &view, &e->report.at[width]);
	descending = is_descending(&ev, e);
	if (e->desc_if.n && !descending) { /* the first ones of either order */
		map_reverse(&view);
		map_keep_last(&view, rows_at_most(s, e));
		map_reverse(&view);
	} else {
		map_keep_last(&view, rows_at_most(s, e));
	}
	if (descending)
		map_reverse(&view);
	values = NEW_ARRAY(s->event, struct value, (size_t)view.entries.n * (size_t)width + 1);
	for (row = 0; row < view.entries.n; row++)
		for (k = 0; k < width; k++)
			values[row * width + k] = evaluate(&ev, &e->report.at[k], &view.entries.at[row]);
	output_report(&s->output, view.row->name, session_format(s, event), values, width, view.entries.n);
	if (sums)
		output_totals(&s->output, view.row->name, totals, sums);
}
