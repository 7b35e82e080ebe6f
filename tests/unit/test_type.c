/* Types: interning, layout, names, lazily loaded structs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lang/type.h"

static int setup(void **state)
{
	*state = types_new(arena_new());
	return 0;
}

static int teardown(void **state)
{
	arena_free(((struct types *)*state)->arena);
	return 0;
}

static void assert_name(struct types *t, const struct type *type, const char *name)
{
	assert_string_equal(str_c(t->arena, type_name(t->arena, type)), name);
}

static void equal_types_are_one_pointer(void **state)
{
	struct types *t = *state;
	const struct type *pair[] = {t->s64, type_string(t, 16)};
	const struct type *other[] = {t->s64, type_string(t, 17)};
	struct str names[] = {STR("a"), STR("b")}, swapped[] = {STR("b"), STR("a")};
	int64_t k0[4] = {0}, k2[4] = {2};

	assert_ptr_equal(type_int(t, 8, true), t->s64);
	assert_ptr_not_equal(type_int(t, 8, false), t->s64);
	assert_ptr_equal(type_string(t, 16), type_string(t, 16));
	assert_ptr_not_equal(type_string(t, 16), type_string(t, 17));
	assert_ptr_equal(type_tuple(t, pair, 2), type_tuple(t, pair, 2));
	assert_ptr_not_equal(type_tuple(t, pair, 2), type_tuple(t, other, 2));
	assert_ptr_equal(type_record(t, names, pair, 2), type_record(t, names, pair, 2));
	assert_ptr_not_equal(type_record(t, names, pair, 2), type_record(t, swapped, pair, 2));
	assert_ptr_not_equal(type_record(t, names, pair, 2), type_tuple(t, pair, 2));
	assert_ptr_equal(type_ptr(t, t->none, AS_NONE), t->voidptr);
	assert_ptr_not_equal(type_ptr(t, t->none, AS_USER), t->voidptr);
	assert_ptr_equal(type_int_as(t, t->u64, AS_NONE), t->u64);
	assert_ptr_not_equal(type_int_as(t, t->u64, AS_KERNEL), t->u64);
	assert_ptr_equal(type_aggregate(t, TYPE_HIST, true, k0),
			 type_aggregate(t, TYPE_HIST, true, NULL));
	assert_ptr_not_equal(type_aggregate(t, TYPE_HIST, true, k0),
			     type_aggregate(t, TYPE_HIST, true, k2));
	assert_ptr_equal(type_plain(t, TYPE_COUNT), type_aggregate(t, TYPE_COUNT, false, NULL));
	assert_ptr_not_equal(type_timestamp(t, STR("%H"), 0), type_timestamp(t, STR("%M"), 0));
	assert_ptr_equal(t->all.at[t->s64->id], t->s64);
}

static void tuples_are_laid_out_as_c_structs(void **state)
{
	struct types *t = *state;
	struct like {
		uint8_t a;
		uint32_t b;
		char c[5];
		uint64_t d;
		uint16_t e;
	};
	const struct type *elems[] = {t->u8, t->u32, type_string(t, 5), t->u64, t->u16};
	const struct type *tuple = type_tuple(t, elems, 5);

	assert_int_equal(tuple->size, sizeof(struct like));
	assert_int_equal(tuple->align, _Alignof(struct like));
	assert_int_equal(tuple->fields[1].offset, offsetof(struct like, b));
	assert_int_equal(tuple->fields[2].offset, offsetof(struct like, c));
	assert_int_equal(tuple->fields[3].offset, offsetof(struct like, d));
	assert_int_equal(tuple->fields[4].offset, offsetof(struct like, e));
	assert_int_equal(type_tuple(t, NULL, 0)->size, 0);
}

static void names_are_those_of_messages(void **state)
{
	struct types *t = *state;
	struct struct_decl task = {.name = STR("task_struct"), .size = 64};
	struct struct_decl onion = {.name = STR("u"), .is_union = true, .size = 4};
	struct enum_decl colour = {.name = STR("colour")};
	const struct type *pair[] = {t->s64, type_string(t, 16)};
	struct str names[] = {STR("a"), STR("b")};

	assert_name(t, t->s64, "int64");
	assert_name(t, t->u8, "uint8");
	assert_name(t, t->boolean, "bool");
	assert_name(t, t->voidptr, "void *");
	assert_name(t, type_string(t, 16), "string[16]");
	assert_name(t, type_buffer(t, 64), "buffer[64]");
	assert_name(t, type_ptr(t, type_struct(t, &task), AS_KERNEL), "struct task_struct *");
	assert_name(t, type_ptr(t, type_ptr(t, t->s32, AS_NONE), AS_NONE), "int32 * *");
	assert_name(t, type_array(t, type_struct(t, &onion), 4), "union u[4]");
	assert_name(t, type_enum(t, &colour, 4), "enum colour");
	assert_name(t, type_tuple(t, pair, 2), "(int64,string[16])");
	assert_name(t, type_tuple(t, pair, 1), "(int64)");
	assert_name(t, type_record(t, names, pair, 2), "record { .a = int64, .b = string[16] }");
	assert_name(t, type_aggregate(t, TYPE_COUNT, false, NULL), "count_t");
	assert_name(t, type_aggregate(t, TYPE_SUM, true, NULL), "sum_t");
	assert_name(t, type_aggregate(t, TYPE_AVG, false, NULL), "uavg_t");
	assert_name(t, type_stack(t, TYPE_KSTACK, STACK_PERF, 3), "kstack_perf_3");
}

static void load_node(struct struct_decl *decl, struct types *t, void *arg)
{
	const struct field *fields;
	int *calls = arg;

	++*calls;
	VEC_PUSH(t->arena, &decl->fields,
		 (struct field){.name = STR("next"),
				.type = type_ptr(t, type_struct(t, decl), AS_KERNEL)});
	assert_int_equal(type_fields(t, type_struct(t, decl), &fields),
			 1); /* no endless recursion */
	VEC_PUSH(t->arena, &decl->fields,
		 (struct field){.name = STR("n"), .type = t->s32, .offset = 8});
}

static void struct_fields_load_once_on_first_use(void **state)
{
	struct types *t = *state;
	int calls = 0;
	struct struct_decl decl = {
		.name = STR("node"), .size = 16, .load = load_node, .load_arg = &calls};
	const struct type *node = type_struct(t, &decl);
	const struct field *fields;

	assert_int_equal(calls, 0);
	assert_int_equal(type_field(t, node, STR("n"))->offset, 8);
	assert_null(type_field(t, node, STR("m")));
	assert_int_equal(type_fields(t, node, &fields), 2);
	assert_ptr_equal(fields[0].type->elem, node);
	assert_int_equal(calls, 1);
}

/* struct outer { struct inner { s32 first; s64 NAME; } in; inner *to; } with one member's offset and name given. */
static uint64_t layout_of(struct types *t, uint32_t offset, const char *name)
{
	struct struct_decl *inner = NEW(t->arena, struct struct_decl), *outer = NEW(t->arena, struct struct_decl);

	*inner = (struct struct_decl){.name = STR("inner"), .size = 24, .loaded = true};
	VEC_PUSH(t->arena, &inner->fields, (struct field){.name = STR("first"), .type = t->s32});
	VEC_PUSH(t->arena, &inner->fields, (struct field){.name = str_of(name), .type = t->s64, .offset = offset});
	*outer = (struct struct_decl){.name = STR("outer"), .size = 32, .loaded = true};
	VEC_PUSH(t->arena, &outer->fields, (struct field){.name = STR("in"), .type = type_struct(t, inner)});
	VEC_PUSH(t->arena, &outer->fields,
		 (struct field){.name = STR("to"), .type = type_ptr(t, type_struct(t, outer), AS_KERNEL), .offset = 24});
	return type_layout(t, type_struct(t, outer));
}

static void layouts_differ_where_members_do(void **state)
{
	struct types *t = *state;

	assert_true(layout_of(t, 8, "second") == layout_of(t, 8, "second"));
	assert_true(layout_of(t, 8, "second") != layout_of(t, 16, "second"));
	assert_true(layout_of(t, 8, "second") != layout_of(t, 8, "third"));
}

static void aggregates_have_their_sizes(void **state)
{
	struct types *t = *state;
	int64_t k0[4] = {0}, k5[4] = {5}, linear[4] = {0, 100, 10}, uneven[4] = {0, 95, 10};

	assert_int_equal(hist_buckets(0), 65);
	assert_int_equal(hist_buckets(2), 4 * 62 + 1);
	assert_int_equal(type_aggregate(t, TYPE_HIST, true, k0)->size, 65 * 8);
	assert_int_equal(type_aggregate(t, TYPE_HIST, true, k5)->size, 1889 * 8);
	assert_int_equal(lhist_buckets(linear), 12);
	assert_int_equal(lhist_buckets(uneven), 12);
	assert_int_equal(type_aggregate(t, TYPE_STATS, true, NULL)->size, 24);
	assert_true(type_is_castable_aggregate(type_plain(t, TYPE_COUNT)));
	assert_false(type_is_castable_aggregate(type_aggregate(t, TYPE_STATS, true, NULL)));
}

static void printable_is_what_can_be_shown_alone(void **state)
{
	struct types *t = *state;
	const struct type *with_none[] = {t->s64, t->none};

	assert_false(type_is_printable(t->none));
	assert_false(type_is_printable(type_tuple(t, NULL, 0)));
	assert_true(type_is_printable(type_tuple(t, with_none, 2)));
	assert_false(type_is_printable(type_aggregate(t, TYPE_HIST, true, NULL)));
	assert_true(type_is_printable(type_aggregate(t, TYPE_STATS, true, NULL)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(equal_types_are_one_pointer, setup, teardown),
		cmocka_unit_test_setup_teardown(tuples_are_laid_out_as_c_structs, setup, teardown),
		cmocka_unit_test_setup_teardown(names_are_those_of_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(struct_fields_load_once_on_first_use, setup,
						teardown),
		cmocka_unit_test_setup_teardown(layouts_differ_where_members_do, setup, teardown),
		cmocka_unit_test_setup_teardown(aggregates_have_their_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(printable_is_what_can_be_shown_alone, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
