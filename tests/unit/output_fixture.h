/* What the tests of values and printers share: a manifest under construction, maps without a kernel, output kept in memory. */
#ifndef WT_OUTPUT_FIXTURE_H
#define WT_OUTPUT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "runtime/output.h"

struct fixture {
	struct arena *arena;
	struct types *types;
	struct manifest manifest;
	struct decoder decoder;
	struct output output;
	char *text; /* what was printed, after shown() */
	size_t size;
};

static inline struct str fake_ksym(struct names *n, struct arena *a, uint64_t address, bool offset)
{
	(void)n;
	return str_printf(a, offset ? "sym_%llx+0" : "sym_%llx", (unsigned long long)address);
}

static inline struct str fake_usym(struct names *n, struct arena *a, uint32_t tgid, uint64_t address, bool offset)
{
	(void)n;
	(void)offset;
	return str_printf(a, "u%u_%llx\x1b", tgid, (unsigned long long)address);
}

static inline struct str fake_stack(struct names *n, struct arena *a, const struct shape *s, const void *bytes, bool raw)
{
	(void)n, (void)a, (void)s, (void)bytes, (void)raw;
	return STR("\n        f+1\n        g+2\n");
}

static inline struct str fake_user(struct names *n, struct arena *a, uint64_t uid)
{
	(void)n, (void)a;
	return uid ? STR("nobody") : STR("root");
}

static inline struct str fake_cgroup(struct names *n, struct arena *a, uint64_t id, struct str filter)
{
	(void)n, (void)filter;
	return str_printf(a, "unified:/%llu", (unsigned long long)id);
}

static inline int64_t fake_clock(struct names *n, int clock)
{
	(void)n, (void)clock;
	return 1000000000;
}

static struct names fake_names = {fake_ksym, fake_usym, fake_stack, fake_user, fake_cgroup, fake_clock};

static inline int fixture_setup(void **state)
{
	static struct fixture f;
	struct arena *a = arena_new();

	f = (struct fixture){.arena = a, .types = types_new(a)};
	f.decoder = (struct decoder){&f.manifest, &fake_names, a, false};
	f.output = (struct output){.file = open_memstream(&f.text, &f.size), .messages = stderr, .buffering = 'l',
				   .style = {.trailer = STR("..")}, .arena = a, .scratch = arena_new(), .names = &fake_names};
	*state = &f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	fclose(f->output.file);
	free(f->text);
	arena_free(f->output.scratch);
	arena_free(f->arena);
	return 0;
}

static inline int fixture_shape(struct fixture *f, const struct type *t)
{
	return manifest_shape(f->arena, &f->manifest, f->types, t);
}

/* What was printed since the last call. */
static inline const char *shown(struct fixture *f)
{
	const char *copy;

	fflush(f->output.file);
	copy = str_c(f->arena, (struct str){f->text, f->size});
	rewind(f->output.file);
	return copy;
}

#define EXPECT(f, literal) assert_string_equal(shown(f), literal)

static inline struct value decode(struct fixture *f, const struct type *t, const void *bytes)
{
	return value_decode(&f->decoder, fixture_shape(f, t), bytes, t->size);
}

/* print(value) of bytes of a type. */
static inline void print(struct fixture *f, const struct type *t, const void *bytes)
{
	struct value v = decode(f, t, bytes);

	output_value(&f->output, &v);
}

/* A map without a kernel: `key` NULL for a scalar one. */
static inline struct map_view *view_new(struct fixture *f, const char *name, const struct type *key, const struct type *value)
{
	struct manifest_map *row = NEW(f->arena, struct manifest_map);
	struct map_view *v = NEW(f->arena, struct map_view);

	*row = (struct manifest_map){.name = str_of(name), .key = key ? fixture_shape(f, key) : -1,
				     .value = fixture_shape(f, value), .value_size = value->size};
	*v = (struct map_view){.manifest = &f->manifest, .row = row, .aggregate = type_is_aggregate(value)};
	return v;
}

static inline void view_add(struct fixture *f, struct map_view *v, const void *key, const void *values, int copies)
{
	static const uint64_t zero;
	uint32_t key_size = v->row->key < 0 ? 8 : f->manifest.shapes.at[v->row->key].size;

	map_add_entry(v, f->arena, key ? key : &zero, key_size, values, v->row->value_size, copies);
}

static inline void view_print(struct fixture *f, struct map_view *v, uint64_t top, uint64_t div)
{
	map_sort(v);
	output_map(&f->output, v, &f->decoder, &(struct map_print){.top = top, .div = div, .asked = true});
}

#endif
