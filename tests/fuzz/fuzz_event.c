/* Any bytes as a record of the ring buffer: printed as text and as JSON, or ignored; never read beyond its end.
 * The first byte chooses the event, the second whether JSON is printed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "runtime/session_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void default_config(struct config *c)
{
#define CONFIG_INT(name, value, help) c->name = (value);
#define CONFIG_BOOL(name, value, help) c->name = (value);
#define CONFIG_STRING(name, value, help) c->name = STR(value);
#define CONFIG_ENUM(name, words, value, help) c->name = (value);
#include "lang/config.def"
#undef CONFIG_INT
#undef CONFIG_BOOL
#undef CONFIG_STRING
#undef CONFIG_ENUM
}

static void add_event(struct arena *a, struct manifest *m, enum event_kind kind, const int *shapes, int n, const char *format)
{
	struct manifest_event e = {.kind = kind, .span = -1, .map = -1, .format = str_of(format), .fixed_size = 8};
	int i;

	for (i = 0; i < n; i++) {
		bool pointed = m->shapes.at[shapes[i]].kind == TYPE_STRING || m->shapes.at[shapes[i]].kind == TYPE_BUFFER;

		VEC_PUSH(a, &e.values, (struct event_value){.shape = shapes[i], .offset = e.fixed_size, .pointed = pointed});
		e.fixed_size += pointed ? 8 : (m->shapes.at[shapes[i]].size + 7) & ~7u;
	}
	VEC_PUSH(a, &m->events, e);
}

/* One of each shape, printed alone and in a format. */
static struct manifest *sample(struct arena *a)
{
	struct manifest *m = NEW(a, struct manifest);
	struct types *t = types_new(a);
	struct enum_decl *colour = NEW(a, struct enum_decl);
	const struct type *pair[] = {t->s64, type_string(t, 16)};
	struct str names[] = {STR("a"), STR("b")};
	const struct type *all[] = {
		t->s8, t->u16, t->u64, t->boolean, t->voidptr, type_string(t, 64), type_buffer(t, 32), type_tuple(t, pair, 2),
		type_record(t, names, pair, 2), type_array(t, type_tuple(t, pair, 2), 3), type_plain(t, TYPE_INET),
		type_plain(t, TYPE_MAC), type_plain(t, TYPE_KSYM), type_plain(t, TYPE_USYM), type_plain(t, TYPE_USERNAME),
		type_timestamp(t, STR("%H:%M:%S.%f"), 0), type_stack(t, TYPE_KSTACK, STACK_RAW, 3), type_enum(t, colour, 4),
		type_aggregate(t, TYPE_STATS, true, NULL),
	};
	int shapes[sizeof(all) / sizeof(*all)], n = (int)(sizeof(all) / sizeof(*all)), i;

	default_config(&m->config);
	VEC_PUSH(a, &colour->values, (struct enum_value){STR("RED"), 1});
	for (i = 0; i < n; i++)
		shapes[i] = manifest_shape(a, m, t, all[i]);
	for (i = 0; i < n; i++)
		add_event(a, m, EVENT_PRINT_VALUE, &shapes[i], 1, "");
	add_event(a, m, EVENT_PRINTF, shapes, 3, "%d %5u %lx\n");
	add_event(a, m, EVENT_PRINTF, &shapes[5], 2, "%-70s|%rx\n");
	add_event(a, m, EVENT_PRINTF, shapes, n, "%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s");
	add_event(a, m, EVENT_JOIN, &shapes[5], 1, ",");
	add_event(a, m, EVENT_EXIT, &shapes[2], 1, "");
	return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *whole;
	static struct manifest *m;
	static FILE *null;
	struct session_options opt = {.buffering = 'f'};
	struct session s = {.opt = &opt};
	uint32_t head[2];
	uint8_t *record;

	if (!m) {
		whole = arena_new();
		m = sample(whole);
		null = fopen("/dev/null", "w");
	}
	if (size < 2 || !null)
		return 0;
	s.arena = arena_new();
	s.event = arena_new();
	s.manifest = m;
	s.formats = NEW_ARRAY(s.arena, struct format *, m->events.n);
	s.decoder = (struct decoder){m, NULL, s.event, data[1] & 1};
	s.output = (struct output){.file = null, .messages = null, .json = data[1] & 1, .buffering = 'f',
				   .style = {.raw = data[1] & 1, .trailer = STR("..")}, .arena = s.event, .scratch = arena_new()};
	head[0] = data[0] % (uint32_t)m->events.n;
	head[1] = (uint32_t)(size - 2 + 8);
	record = malloc(head[1]); /* its own block: the sanitizer sees every byte too far */
	memcpy(record, head, 8);
	memcpy(record + 8, data + 2, size - 2);
	action_do(&s, record, head[1]);
	free(record);
	output_close(&s.output);
	arena_free(s.output.scratch);
	arena_free(s.event);
	arena_free(s.arena);
	return 0;
}
