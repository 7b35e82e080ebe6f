/* Bytes and shape -> neutral value.  Bounds are checked against the bytes given, whatever the shape says.
 * Merging of per-CPU aggregates and histogram rows are in aggregate.c. */
#include "runtime/value.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

struct value value_int(int64_t n)
{
	return (struct value){.kind = VALUE_INT, .is_signed = true, .number = (uint64_t)n};
}

struct value value_uint(uint64_t n)
{
	return (struct value){.kind = VALUE_INT, .number = n};
}

struct value value_text(struct str text, bool trusted)
{
	return (struct value){.kind = VALUE_TEXT, .text = text, .trusted = trusted};
}

static uint64_t load_number(const void *bytes, uint32_t size, bool is_signed)
{
	uint64_t n = 0;
	uint32_t shift;

	if (!size || size > 8)
		return 0;
	memcpy(&n, bytes, size); /* little endian, as every target of ours; big endian would shift here */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	n >>= 64 - 8 * size;
#endif
	shift = 64 - 8 * size;
	return is_signed ? (uint64_t)((int64_t)(n << shift) >> shift) : n;
}

static uint64_t load_bits(const uint8_t *bytes, size_t n, const struct shape_field *f, bool is_signed)
{
	uint64_t bits = 0;
	uint32_t i, shift = 64 - f->bit_size;

	if (!f->bit_size || f->bit_size > 64)
		return 0;
	for (i = 0; i < f->bit_size; i++) {
		uint64_t at = (uint64_t)f->bit_offset + i;

		if (at / 8 < n && bytes[at / 8] >> (at % 8) & 1)
			bits |= 1ull << i;
	}
	return is_signed ? (uint64_t)((int64_t)(bits << shift) >> shift) : bits;
}

static struct value decode_enum(const struct shape *s, uint64_t number)
{
	struct value v = {.kind = VALUE_ENUM, .is_signed = s->is_signed, .number = number};

	VEC_EACH(e, &s->values) {
		uint64_t mask = s->size >= 8 ? ~0ull : (1ull << (8 * s->size)) - 1;

		if ((e->value & mask) == (number & mask)) {
			v.text = e->name;
			break;
		}
	}
	return v;
}

static struct value decode_string(const struct decoder *d, const struct shape *s, const char *bytes)
{
	size_t n = strnlen(bytes, s->size);
	bool cut = n == s->size && n; /* no NUL: the last byte is there to say so, and does not belong to the text */
	struct value v = value_text(str_copy(d->arena, (struct str){bytes, n - cut}), false);

	v.cut = cut;
	return v;
}

static struct value decode_buffer(const struct decoder *d, const uint8_t *bytes, size_t n)
{
	uint32_t len;
	struct value v = {.kind = VALUE_BUFFER};

	if (n < 4)
		return (struct value){0};
	memcpy(&len, bytes, 4);
	if (len > n - 4)
		len = (uint32_t)(n - 4);
	v.text = str_copy(d->arena, (struct str){(const char *)bytes + 4, len});
	return v;
}

/* A char array of C may be full. */
static struct value decode_chars(const struct decoder *d, const uint8_t *bytes, size_t n)
{
	return value_text(str_copy(d->arena, (struct str){(const char *)bytes, strnlen((const char *)bytes, n)}), false);
}

static struct value decode_array(const struct decoder *d, const struct shape *s, const uint8_t *bytes, size_t n)
{
	struct value v = {.kind = VALUE_ARRAY};
	const struct shape *elem;
	uint32_t i, size;

	if (s->elem < 0 || s->elem >= d->manifest->shapes.n)
		return (struct value){0};
	elem = &d->manifest->shapes.at[s->elem];
	size = elem->size;
	if (size && s->count > n / size)
		return (struct value){0};
	v.n = (int)s->count;
	v.items = NEW_ARRAY(d->arena, struct value, s->count);
	for (i = 0; i < s->count; i++)
		v.items[i] = elem->kind == TYPE_STRING ? decode_chars(d, bytes + (size_t)i * size, size)
						       : value_decode(d, s->elem, bytes + (size_t)i * size, size);
	return v;
}

static struct value decode_field(const struct decoder *d, const struct shape *parent, const struct shape_field *f,
				 const uint8_t *bytes, size_t n)
{
	const struct shape *s;

	if (f->shape < 0 || f->shape >= d->manifest->shapes.n)
		return (struct value){0};
	s = &d->manifest->shapes.at[f->shape];
	if (f->bit_size) {
		uint64_t bits = load_bits(bytes, n, f, s->is_signed);

		if (s->kind == TYPE_ENUM)
			return decode_enum(s, bits);
		if (s->kind == TYPE_BOOL)
			return (struct value){.kind = VALUE_BOOL, .number = bits};
		return (struct value){.kind = VALUE_INT, .is_signed = s->is_signed, .number = bits};
	}
	if (f->offset > n)
		return (struct value){0};
	if (parent->kind == TYPE_STRUCT && s->kind == TYPE_STRING && s->size <= n - f->offset)
		return decode_chars(d, bytes + f->offset, s->size);
	return value_decode(d, f->shape, bytes + f->offset, n - f->offset);
}

static struct value decode_fields(const struct decoder *d, const struct shape *s, const uint8_t *bytes, size_t n)
{
	struct value v = {.kind = s->kind == TYPE_TUPLE ? VALUE_TUPLE : VALUE_RECORD, .n = s->fields.n};
	struct str *names = NEW_ARRAY(d->arena, struct str, s->fields.n);
	int i;

	v.items = NEW_ARRAY(d->arena, struct value, s->fields.n);
	for (i = 0; i < s->fields.n; i++) {
		names[i] = s->fields.at[i].name;
		v.items[i] = decode_field(d, s, &s->fields.at[i], bytes, n);
	}
	v.names = names;
	return v;
}

/* As lang/type.h has it: family, port if it has one, address.  One of another family has no text. */
static struct value decode_inet(const struct decoder *d, const uint8_t *bytes)
{
	char text[INET6_ADDRSTRLEN] = "";
	uint16_t port;

	if (bytes[0] != INET_OTHER)
		inet_ntop(bytes[0] == 6 ? AF_INET6 : AF_INET, bytes + 8, text, sizeof(text));
	if (!bytes[1])
		return value_text(str_copy(d->arena, str_of(text)), true);
	memcpy(&port, bytes + 2, sizeof(port));
	return value_text(str_printf(d->arena, bytes[0] == 6 ? "[%s]:%u" : "%s:%u", text, port), true);
}

static struct value decode_mac(const struct decoder *d, const uint8_t *b)
{
	return value_text(str_printf(d->arena, "%02X:%02X:%02X:%02X:%02X:%02X", b[0], b[1], b[2], b[3], b[4], b[5]), true);
}

static struct value decode_timestamp(const struct decoder *d, const struct shape *s, const void *bytes)
{
	uint64_t raw = load_number(bytes, 8, false);
	int64_t offset = d->names && d->names->clock_offset ? d->names->clock_offset(d->names, s->clock) : 0;

	if (!raw) /* never set */
		return value_text(STR("(?)"), true);
	return value_text(time_text(d->arena, s->name, (int64_t)(raw ^ TIMESTAMP_SET) + offset), true);
}

/* A number that only the machine can name; the number itself when nobody can be asked. */
static struct value decode_named(const struct decoder *d, const struct shape *s, const uint8_t *bytes)
{
	uint64_t number = load_number(bytes, 8, false);
	struct names *n = d->names;

	if (n && s->kind == TYPE_KSYM)
		return value_text(n->ksym(n, d->arena, number, false), false);
	if (n && s->kind == TYPE_USYM)
		return value_text(n->usym(n, d->arena, (uint32_t)load_number(bytes + 8, 4, false), number, false), false);
	if (n && s->kind == TYPE_USERNAME)
		return value_text(n->user(n, d->arena, number), false);
	if (n && s->kind == TYPE_CGROUP_PATH)
		return value_text(n->cgroup(n, d->arena, number, s->name), false);
	return value_text(str_printf(d->arena, s->kind == TYPE_USERNAME ? "%llu" : "0x%llx", (unsigned long long)number), true);
}

static struct value decode_stack(const struct decoder *d, const struct shape *s, const void *bytes)
{
	if (!d->names) /* nothing but an identity, for looking keys up */
		return value_text(str_printf(d->arena, "%lld %llu %u", (long long)load_number(bytes, 8, true),
					     (unsigned long long)load_number((const char *)bytes + 8, 8, false),
					     s->size >= 20 ? (unsigned)load_number((const char *)bytes + 16, 4, false) : 0),
				  true);
	return value_text(d->names->stack(d->names, d->arena, s, bytes, d->raw), true);
}

struct value value_decode(const struct decoder *d, int index, const void *bytes, size_t n)
{
	const struct shape *s;
	struct merged merged;

	if (index < 0 || index >= d->manifest->shapes.n)
		return (struct value){0};
	s = &d->manifest->shapes.at[index];
	if (s->size > n)
		return (struct value){0};
	switch (s->kind) {
	case TYPE_ERROR:
	case TYPE_NONE:
		return (struct value){0};
	case TYPE_INT:
		return (struct value){.kind = VALUE_INT, .is_signed = s->is_signed,
				      .number = load_number(bytes, s->size, s->is_signed)};
	case TYPE_BOOL:
		return (struct value){.kind = VALUE_BOOL, .number = load_number(bytes, s->size, false) != 0};
	case TYPE_ENUM:
		return decode_enum(s, load_number(bytes, s->size, s->is_signed));
	case TYPE_PTR:
		return (struct value){.kind = VALUE_POINTER, .number = load_number(bytes, s->size, false)};
	case TYPE_ARRAY:
		return decode_array(d, s, bytes, n);
	case TYPE_STRUCT:
	case TYPE_TUPLE:
	case TYPE_RECORD:
		return decode_fields(d, s, bytes, s->size);
	case TYPE_STRING:
		return decode_string(d, s, bytes);
	case TYPE_BUFFER:
		return decode_buffer(d, bytes, s->size);
	case TYPE_INET:
		return decode_inet(d, bytes);
	case TYPE_MAC:
		return decode_mac(d, bytes);
	case TYPE_KSYM:
	case TYPE_USYM:
	case TYPE_CGROUP_PATH:
	case TYPE_USERNAME:
		return decode_named(d, s, bytes);
	case TYPE_KSTACK:
	case TYPE_USTACK:
		return decode_stack(d, s, bytes);
	case TYPE_TIMESTAMP:
		return decode_timestamp(d, s, bytes);
	case TYPE_COUNT:
	case TYPE_SUM:
	case TYPE_MIN:
	case TYPE_MAX:
	case TYPE_AVG:
	case TYPE_STATS:
	case TYPE_HIST:
	case TYPE_LHIST:
	case TYPE_TSERIES:
		if (!value_merge(d->arena, s, (uint32_t)n, bytes, n, 1, &merged))
			return (struct value){0};
		return value_of_merged(d, index, &merged);
	}
	return (struct value){0};
}

struct value value_of_merged(const struct decoder *d, int index, const struct merged *merged)
{
	const struct shape *s = &d->manifest->shapes.at[index];
	struct value v = {.kind = VALUE_INT, .is_signed = s->is_signed, .number = merged->number, .shape = s,
			  .merged = *merged};

	switch (s->kind) {
	case TYPE_AVG:
		v.number = merged_average(s, merged);
		break;
	case TYPE_STATS:
		v.kind = VALUE_STATS;
		break;
	case TYPE_HIST:
	case TYPE_LHIST:
		v.kind = VALUE_HIST;
		break;
	case TYPE_TSERIES:
		v.kind = VALUE_TSERIES;
		break;
	default: /* COUNT SUM MIN MAX: the number itself */
		break;
	}
	return v;
}

void value_trust(struct value *v)
{
	int i;

	v->trusted = true;
	for (i = 0; i < v->n; i++)
		value_trust(&v->items[i]);
}

static int compare_signed(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_unsigned(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_fields(const struct manifest *m, const struct shape *s, const uint8_t *a, const uint8_t *b, size_t n)
{
	VEC_EACH(f, &s->fields) {
		int c;

		if (f->offset > n)
			return 0;
		c = value_compare_bytes(m, f->shape, a + f->offset, b + f->offset, n - f->offset);
		if (c)
			return c;
	}
	return 0;
}

static int compare_elems(const struct manifest *m, const struct shape *s, const uint8_t *a, const uint8_t *b, size_t n)
{
	uint32_t i, size;

	if (s->elem < 0 || s->elem >= m->shapes.n)
		return 0;
	size = m->shapes.at[s->elem].size;
	for (i = 0; i < s->count && (size_t)(i + 1) * size <= n; i++) {
		int c = value_compare_bytes(m, s->elem, a + (size_t)i * size, b + (size_t)i * size, size);

		if (c)
			return c;
	}
	return 0;
}

int value_compare_bytes(const struct manifest *m, int index, const void *a, const void *b, size_t n)
{
	const struct shape *s;

	if (index < 0 || index >= m->shapes.n)
		return 0;
	s = &m->shapes.at[index];
	if (s->size > n)
		return 0;
	switch (s->kind) {
	case TYPE_INT: /* unsigned keys too: they sort as signed ones, as bpftrace does */
	case TYPE_BOOL:
	case TYPE_ENUM:
		return compare_signed((int64_t)load_number(a, s->size, s->is_signed),
				      (int64_t)load_number(b, s->size, s->is_signed));
	case TYPE_STRING: {
		size_t na = strnlen(a, s->size), nb = strnlen(b, s->size);

		return str_cmp((struct str){a, na}, (struct str){b, nb});
	}
	case TYPE_TUPLE:
	case TYPE_RECORD:
	case TYPE_STRUCT:
		return compare_fields(m, s, a, b, s->size);
	case TYPE_ARRAY:
		return compare_elems(m, s, a, b, s->size);
	case TYPE_BUFFER:
	case TYPE_INET:
	case TYPE_MAC:
		return memcmp(a, b, s->size);
	default: /* addresses, stacks: any order will do, but the same each time */
		return s->size >= 8 ? compare_unsigned(load_number(a, 8, false), load_number(b, 8, false)) : 0;
	}
}

int value_compare(const struct value *a, const struct value *b)
{
	int i;

	if (a->kind != b->kind)
		return compare_signed(a->kind, b->kind);
	switch (a->kind) {
	case VALUE_NONE:
		return 0;
	case VALUE_INT:
	case VALUE_ENUM:
		return a->is_signed || b->is_signed ? compare_signed((int64_t)a->number, (int64_t)b->number)
						    : compare_unsigned(a->number, b->number);
	case VALUE_BOOL:
	case VALUE_POINTER:
		return compare_unsigned(a->number, b->number);
	case VALUE_TEXT:
	case VALUE_BUFFER:
		return str_cmp(a->text, b->text);
	case VALUE_ARRAY:
	case VALUE_TUPLE:
	case VALUE_RECORD:
		for (i = 0; i < a->n && i < b->n; i++) {
			int c = value_compare(&a->items[i], &b->items[i]);

			if (c)
				return c;
		}
		return compare_signed(a->n, b->n);
	case VALUE_STATS:
		if (a->is_signed)
			return compare_signed((int64_t)merged_average(a->shape, &a->merged),
					      (int64_t)merged_average(b->shape, &b->merged));
		return compare_unsigned(merged_average(a->shape, &a->merged), merged_average(b->shape, &b->merged));
	case VALUE_HIST:
	case VALUE_TSERIES:
		return compare_unsigned(a->merged.count, b->merged.count);
	}
	return 0;
}

/* Replace %f %k %l, which mean fractions here, and leave the rest to strftime. */
static struct str expand_fractions(struct arena *a, struct str format, uint64_t ns)
{
	struct strbuf out = {.arena = a};
	size_t i;

	for (i = 0; i < format.n; i++) {
		char c = i + 1 < format.n && format.s[i] == '%' ? format.s[i + 1] : 0;

		if (c == 'f')
			strbuf_printf(&out, "%06u", (unsigned)(ns / 1000));
		else if (c == 'k')
			strbuf_printf(&out, "%09u", (unsigned)ns);
		else if (c == 'l')
			strbuf_printf(&out, "%03u", (unsigned)(ns / 1000000));
		else
			strbuf_addc(&out, format.s[i]);
		if (c) {
			i++;
			if (c != 'f' && c != 'k' && c != 'l')
				strbuf_addc(&out, c);
		}
	}
	return strbuf_str(&out);
}

struct str time_text(struct arena *a, struct str format, int64_t epoch_ns)
{
	int64_t seconds = epoch_ns / 1000000000, ns = epoch_ns % 1000000000;
	struct str text;
	struct tm tm;
	time_t t;
	size_t cap, n;
	char *out;

	if (ns < 0) {
		ns += 1000000000;
		seconds--;
	}
	t = (time_t)seconds;
	if (!localtime_r(&t, &tm))
		return STR("(?)");
	text = expand_fractions(a, format, (uint64_t)ns);
	if (!text.n)
		return text;
	/* strftime gives 0 both for "no room" and for an empty result: try growing room, then believe it. */
	for (cap = text.n * 4 + 64, n = 0; !n && cap < 1 << 16; cap *= 4) {
		out = arena_alloc(a, cap);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n = strftime(out, cap, text.s, &tm);
#pragma GCC diagnostic pop
		if (n)
			return (struct str){out, n};
	}
	return STR("");
}
