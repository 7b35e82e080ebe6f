/* The manifest: what is written is read back; what is damaged is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codegen/manifest_internal.h"
#include "lang/source.h"

static int setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

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

/* One of each thing. */
static struct manifest *sample(struct arena *a)
{
	struct manifest *m = NEW(a, struct manifest);
	struct types *t = types_new(a);
	struct source *script = source_new(
		a, STR("t.wt"), STR("begin { @[comm] = count(); printf(\"%s\\n\", comm); }"));
	const struct type *pair[] = {t->u32, type_string(t, 16)};
	struct enum_decl colour = {.name = STR("colour")};
	struct probe_spec *begin = NEW(a, struct probe_spec);
	struct manifest_event event = {
		.kind = EVENT_PRINTF, .fixed_size = 24, .format = STR("%s\n"), .map = -1};
	struct manifest_report_expr by = {0};
	struct manifest_event report = {
		.kind = EVENT_REPORT, .fixed_size = 8, .map = 0, .has_by = true};
	struct manifest_probe probe = {
		.elf_name = STR("begin_1"), .kind = PROBE_BEGIN, .name = STR("begin")};

	default_config(&m->config);
	m->config.max_strlen = 64;
	m->license = STR("GPL");
	m->needs = 1u << KERNEL_RINGBUF;
	VEC_PUSH(a, &colour.values, (struct enum_value){.name = STR("RED"), .value = (uint64_t)-1});
	manifest_shape(a, m, t, type_enum(t, &colour, 4));
	VEC_PUSH(a, &m->maps,
		 (struct manifest_map){
			 .name = STR("@"),
			 .elf_name = STR("m_0"),
			 .key = manifest_shape(a, m, t, type_tuple(t, pair, 2)),
			 .value = manifest_shape(a, m, t, type_plain(t, TYPE_COUNT)),
			 .value_size = 8,
			 .percpu = true,
			 .max_entries = 4096,
			 .span = manifest_span(
				 a, m, (struct span){.source = script, .begin = 8, .end = 15})});
	VEC_PUSH(a, &event.values,
		 (struct event_value){
			 .shape = manifest_shape(a, m, t, pair[1]), .offset = 8, .pointed = true});
	VEC_PUSH(a, &m->events, event);
	VEC_PUSH(a, &by.code, (struct report_code){.op = REPORT_KEY});
	VEC_PUSH(a, &by.code, (struct report_code){.op = REPORT_PART, .number = 0});
	VEC_PUSH(a, &by.code, (struct report_code){.op = REPORT_INT, .number = -5});
	VEC_PUSH(
		a, &by.code,
		(struct report_code){.op = REPORT_BINARY, .number = BINARY_ADD, .is_signed = true});
	by.shape = manifest_shape(a, m, t, t->s64);
	VEC_PUSH(a, &report.report, by);
	VEC_PUSH(a, &m->events, report);
	*begin = (struct probe_spec){.kind = probe_kind(PROBE_BEGIN),
				     .text = STR("begin"),
				     .offset = 1ull << 63,
				     .pid = -1};
	VEC_PUSH(a, &probe.attach, begin);
	VEC_PUSH(a, &m->probes, probe);
	VEC_PUSH(a, &m->sites,
		 (struct manifest_site){.cause = SITE_MAP_UPDATE,
					.span = 0,
					.probe = 0,
					.map = 0,
					.helper = STR("map_update_elem")});
	VEC_PUSH(a, &m->options,
		 (struct manifest_option){.name = STR("pid"),
					  .letter = 'p',
					  .kind = OPTION_INT,
					  .number = (uint64_t)-1,
					  .elf_name = STR("opt_pid"),
					  .size = 8});
	VEC_PUSH(a, &m->stacks,
		 (struct manifest_stacks){.elf_name = {STR("wt_stacks0"), STR("wt_stacks1")},
					  .depth = 127});
	VEC_PUSH(a, &m->variables, (struct manifest_variable){.name = STR("counter"), .span = -1, .elf_name = STR("wt_var_1")});
	return m;
}

static struct str dump(struct arena *a, const struct manifest *m)
{
	struct strbuf b = {.arena = a};

	manifest_dump(m, &b);
	return strbuf_str(&b);
}

static void what_is_written_is_read_back(void **state)
{
	struct arena *a = *state;
	struct manifest *m = sample(a), *again;
	const char *why = NULL;

	again = manifest_read(a, manifest_write(a, m), &why);
	assert_null(why);
	assert_non_null(again);
	assert_string_equal(dump(a, again).s, dump(a, m).s);
	assert_true(str_eq(manifest_write(a, again), manifest_write(a, m)));
	assert_int_equal(again->probes.at[0].attach.at[0]->offset, 1ull << 63);
	assert_int_equal(again->probes.at[0].attach.at[0]->pid, -1);
	assert_int_equal((int64_t)again->options.at[0].number, -1);
	assert_int_equal(again->config.max_strlen, 64);
	assert_true(str_is(again->sources.at[0].name, "t.wt"));
}

/* Every bit of the payload counts: one that changes without its hash is noticed, and with it never
 * followed out of bounds. */
static void damage_is_refused_or_harmless(void **state)
{
	struct arena *a = *state;
	struct str good = manifest_write(a, sample(a));
	struct arena *scratch = arena_new();
	size_t i;

	for (i = 0; i < good.n; i++) {
		char *bad = str_c(a, good);
		const char *why = NULL;
		uint64_t hash;
		int k;

		bad[i] ^= 0x5a;
		assert_null(manifest_read(scratch, (struct str){bad, good.n}, &why));
		assert_non_null(why);
		hash = str_hash((struct str){bad + MANIFEST_HEADER, good.n - MANIFEST_HEADER});
		for (k = 0; k < 8; k++)
			bad[24 + k] = (char)(hash >> 8 * k);
		manifest_read(scratch, (struct str){bad, good.n}, &why);
		assert_null(manifest_read(scratch, (struct str){good.s, i}, &why));
		arena_reset(scratch);
	}
	arena_free(scratch);
}

static void refuse(struct arena *a, const struct manifest *m, const char *part)
{
	const char *why = NULL;

	assert_null(manifest_read(a, manifest_write(a, m), &why));
	assert_non_null(strstr(why, part));
}

static void out_of_bounds_is_refused_by_name(void **state)
{
	struct arena *a = *state;
	struct manifest *m = sample(a);

	m->maps.at[0].value = m->shapes.n;
	refuse(a, m, "map 0");
	m = sample(a);
	m->maps.at[0].elf_name = STR("name with blank");
	refuse(a, m, "map 0");
	m = sample(a);
	m->events.at[0].values.at[0].offset = 20;
	refuse(a, m, "event 0");
	m = sample(a);
	m->events.at[1].report.at[0].code.n = 1;
	m->events.at[1].report.at[0].code.at[0].op = REPORT_BINARY;
	refuse(a, m, "event 1");
	m = sample(a);
	m->spans.at[0].end = 1000;
	refuse(a, m, "place 0");
	m = sample(a);
	m->shapes.at[1].size = 3;
	refuse(a, m, "shape 1");
}

/* Shapes that double what they print with each level. */
static void endless_printing_is_refused(void **state)
{
	struct arena *a = *state;
	struct manifest *m = sample(a);
	int i, below = 0;

	for (i = 0; i < 40; i++) {
		struct shape s = {.kind = TYPE_STRUCT, .elem = -1, .size = 8};

		VEC_PUSH(a, &s.fields, (struct shape_field){.name = STR("a"), .shape = below});
		VEC_PUSH(a, &s.fields, (struct shape_field){.name = STR("b"), .shape = below});
		VEC_PUSH(a, &m->shapes, s);
		below = m->shapes.n - 1;
	}
	refuse(a, m, "shape");
}

static void structs_bring_their_fields(void **state)
{
	struct arena *a = *state;
	struct types *t = types_new(a);
	struct manifest *m = NEW(a, struct manifest);
	struct struct_decl inner = {.name = STR("inner"), .size = 8, .loaded = true};
	struct struct_decl outer = {.name = STR("outer"), .size = 24, .loaded = true};
	const struct shape *s;
	int i;

	VEC_PUSH(a, &inner.fields,
		 (struct field){.name = STR("up"),
				.type = type_ptr(t, type_struct(t, &outer), AS_KERNEL)});
	VEC_PUSH(a, &outer.fields,
		 (struct field){.name = STR("in"), .type = type_struct(t, &inner)});
	VEC_PUSH(a, &outer.fields,
		 (struct field){
			 .name = STR("flag"), .type = t->u32, .bit_offset = 67, .bit_size = 3});
	VEC_PUSH(a, &outer.fields,
		 (struct field){.name = STR("list"),
				.type = type_array(t, type_struct(t, &inner), 1),
				.offset = 16});
	VEC_PUSH(a, &outer.fields,
		 (struct field){.name = STR("tail"), .type = t->u64, .offset = 24});
	i = manifest_shape(a, m, t, type_struct(t, &outer));
	assert_int_equal(manifest_shape(a, m, t, type_struct(t, &outer)), i);
	s = &m->shapes.at[i];
	assert_int_equal(s->fields.n, 3); /* `tail` lies behind the end */
	assert_int_equal(s->fields.at[1].bit_offset, 67);
	assert_int_equal(m->shapes.at[s->fields.at[0].shape].kind, TYPE_STRUCT);
	assert_int_equal(m->shapes.at[m->shapes.at[s->fields.at[2].shape].elem].kind, TYPE_STRUCT);
	for (i = 0; i < m->shapes.n; i++)
		VEC_EACH (f, &m->shapes.at[i].fields)
			assert_true(f->shape < i);
}

static void places_are_kept_once_with_their_macro_calls(void **state)
{
	struct arena *a = *state;
	struct manifest *m = NEW(a, struct manifest);
	struct source *script = source_new(a, STR("t.wt"), STR("0123456789"));
	struct expansion expansion = {.call = {.source = script, .begin = 4, .end = 6}};
	struct span inside = {.source = script, .from = &expansion, .begin = 0, .end = 2};
	int i = manifest_span(a, m, inside);

	assert_int_equal(manifest_span(a, m, (struct span){0}), -1);
	assert_int_equal(manifest_span(a, m, inside), i);
	assert_int_equal(m->spans.n, 2);
	assert_int_equal(m->spans.at[m->spans.at[i].parent].begin, 4);
	assert_int_equal(m->sources.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_refused_or_harmless, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_bounds_is_refused_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(endless_printing_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(structs_bring_their_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(places_are_kept_once_with_their_macro_calls, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
