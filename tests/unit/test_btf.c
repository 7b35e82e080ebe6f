/* The reader of BTF: finding types, enums and functions, fields of structs, and damaged blobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/btf.h>

#include "runtime/btf.h"
#include "runtime/kernel.h"

/* What the tests read: made by libbpf, so that the two agree.  Written to a file for kernel_open(). */
static const char *blob_path;
static const void *blob;
static struct btf *made;
static uint32_t blob_size;

static struct btf *make_types(void)
{
	struct btf *b = btf__new_empty();
	int i32 = btf__add_int(b, "int", 4, BTF_INT_SIGNED), u64 = btf__add_int(b, "unsigned long", 8, 0);
	int ch = btf__add_int(b, "char", 1, BTF_INT_SIGNED), boolean = btf__add_int(b, "_Bool", 1, BTF_INT_BOOL);
	int comm = btf__add_array(b, i32, ch, 16), words = btf__add_array(b, i32, u64, 3), inner, proto, anon, other;
	int fn, tag, user, next, task, state;

	btf__add_typedef(b, "pid_t", i32);
	inner = btf__add_struct(b, "inner", 8);
	btf__add_field(b, "x", i32, 0, 0);
	btf__add_field(b, "bits", i32, 32, 3);
	btf__add_field(b, "more", i32, 35, 5);
	anon = btf__add_union(b, NULL, 8);
	btf__add_field(b, "left", u64, 0, 0);
	btf__add_field(b, "right", i32, 0, 0);
	tag = btf__add_type_tag(b, "user", ch);
	user = btf__add_ptr(b, tag);
	fn = btf__add_ptr(b, btf__add_func_proto(b, 0));
	other = btf__add_ptr(b, btf__add_fwd(b, "elsewhere", BTF_FWD_STRUCT));
	task = (int)btf__type_cnt(b) + 2;
	next = btf__add_ptr(b, btf__add_const(b, task));
	assert_int_equal(btf__add_struct(b, "task", 112), task);
	btf__add_field(b, "pid", btf__find_by_name_kind(b, "pid_t", BTF_KIND_TYPEDEF), 0, 0);
	btf__add_field(b, "comm", comm, 32, 0);
	btf__add_field(b, NULL, anon, 192, 0);
	btf__add_field(b, "in", inner, 256, 0);
	btf__add_field(b, "words", words, 320, 0);
	btf__add_field(b, "next", next, 512, 0);
	btf__add_field(b, "text", user, 576, 0);
	btf__add_field(b, "call", fn, 640, 0);
	btf__add_field(b, "other", other, 704, 0);
	btf__add_field(b, "flag", boolean, 768, 0);
	state = btf__add_enum(b, "state", 4);
	assert_true(state > 0);
	btf__add_enum_value(b, "RUNNING", 0);
	btf__add_enum_value(b, "DEAD", -1);
	btf__add_enum64(b, "wide", 8, false);
	btf__add_enum64_value(b, "WIDE_BIG", 0x123456789abcdefull);
	proto = btf__add_func_proto(b, i32);
	btf__add_func_param(b, "t", next);
	btf__add_func_param(b, "n", u64);
	btf__add_func(b, "do_thing", BTF_FUNC_STATIC, proto);
	return b;
}

static int write_blob(void **state)
{
	static char path[] = "/tmp/waketrace-btf-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	made = make_types();
	blob = btf__raw_data(made, &blob_size);
	fwrite(blob, 1, blob_size, f);
	fclose(f);
	blob_path = path;
	setenv("WAKETRACE_BTF", path, 1);
	return 0;
}

static int remove_blob(void **state)
{
	(void)state;
	remove(blob_path);
	btf__free(made);
	return 0;
}

static void finds_by_name(void **state)
{
	struct arena *a = arena_new();
	const char *why = NULL;
	struct btf_file *f = btf_parse(a, blob, blob_size, STR("vmlinux"), NULL, &why);
	uint64_t value = 0;
	int i;

	(void)state;
	assert_non_null(f);
	for (i = 0; i < 20; i++) { /* from some time on by an index */
		assert_int_not_equal(btf_find(f, STR("task"), BTF_MASK(BTF_KIND_STRUCT)), 0);
		assert_int_equal(btf_find(f, STR("task"), BTF_MASK(BTF_KIND_UNION)), 0);
		assert_int_equal(btf_find(f, STR("tas"), BTF_MASK(BTF_KIND_STRUCT)), 0);
		assert_int_equal(btf_find(f, STR("tasks"), BTF_MASK(BTF_KIND_STRUCT)), 0);
		assert_int_equal(btf_find(f, STR(""), ~0u), 0);
		assert_int_not_equal(btf_find(f, STR("do_thing"), BTF_MASK(BTF_KIND_FUNC)), 0);
	}
	assert_int_not_equal(btf_find_enumerator(f, STR("DEAD"), &value), 0);
	assert_true(value == (uint64_t)-1);
	assert_int_not_equal(btf_find_enumerator(f, STR("WIDE_BIG"), &value), 0);
	assert_true(value == 0x123456789abcdefull);
	assert_int_equal(btf_find_enumerator(f, STR("NOT_THERE"), &value), 0);
	btf_close(f);
	arena_free(a);
}

static const struct field *field(struct types *t, const struct type *s, const char *name)
{
	const struct field *f = type_field(t, s, str_of(name));

	assert_non_null(f);
	return f;
}

static void types_of_fields(void **state)
{
	struct arena *a = arena_new();
	struct kernel *k = kernel_open(a, NULL);
	struct types *t = types_new(a);
	const struct type *task = k->type_by_name(k, t, TAG_STRUCT, STR("task"));
	const struct field *f;

	(void)state;
	assert_non_null(task);
	assert_int_equal(task->size, 112);
	assert_ptr_equal(task, k->type_by_name(k, t, TAG_STRUCT, STR("task")));
	assert_ptr_equal(field(t, task, "pid")->type, t->s32);
	f = field(t, task, "comm");
	assert_ptr_equal(f->type, type_string(t, 16));
	assert_int_equal(f->offset, 4);
	assert_int_equal(field(t, task, "left")->offset, 24); /* of the anonymous union */
	assert_int_equal(field(t, task, "right")->offset, 24);
	assert_ptr_equal(field(t, task, "words")->type, type_array(t, t->u64, 3));
	f = field(t, task, "next");
	assert_int_equal(f->type->kind, TYPE_PTR);
	assert_ptr_equal(f->type->elem, task);
	assert_int_equal(f->type->as, AS_NONE);
	assert_int_equal(field(t, task, "text")->type->as, AS_USER);
	assert_ptr_equal(field(t, task, "call")->type, t->voidptr);
	assert_ptr_equal(field(t, task, "flag")->type, t->boolean);
	f = field(t, field(t, task, "in")->type, "more");
	assert_int_equal(f->bit_offset, 35);
	assert_int_equal(f->bit_size, 5);
	assert_int_equal(f->offset, 4);
	f = field(t, task, "other");
	assert_int_equal(f->type->elem->kind, TYPE_STRUCT);
	assert_null(type_field(t, f->type->elem, STR("x")));
	assert_ptr_equal(k->type_by_name(k, t, TAG_NONE, STR("pid_t")), t->s32);
	assert_null(k->type_by_name(k, t, TAG_STRUCT, STR("nothing")));
	kernel_close(k);
	arena_free(a);
}

static void enum_types(void **state)
{
	struct arena *a = arena_new();
	struct kernel *k = kernel_open(a, NULL);
	struct types *t = types_new(a);
	const struct type *e = k->type_by_name(k, t, TAG_ENUM, STR("state"));
	uint64_t value;

	(void)state;
	assert_int_equal(e->kind, TYPE_ENUM);
	assert_true(e->enum_->is_signed);
	assert_int_equal(e->enum_->values.n, 2);
	assert_true(str_is(e->enum_->values.at[1].name, "DEAD"));
	assert_ptr_equal(k->enum_constant(k, t, STR("DEAD"), &value), e);
	assert_null(k->enum_constant(k, t, STR("nope"), &value));
	kernel_close(k);
	arena_free(a);
}

static void prints_c(void **state)
{
	struct arena *a = arena_new();
	struct strbuf b = {.arena = a};
	const char *why;
	struct btf_file *f = btf_parse(a, blob, blob_size, STR("vmlinux"), NULL, &why);

	(void)state;
	btf_print_definition(&b, f, btf_find(f, STR("inner"), BTF_MASK(BTF_KIND_STRUCT)), 0);
	assert_string_equal(b.s, "struct inner {\n\tint x;\n\tint bits: 3;\n\tint more: 5;\n}");
	b.n = 0;
	btf_print_definition(&b, f, btf_find(f, STR("task"), BTF_MASK(BTF_KIND_STRUCT)), 0);
	assert_string_equal(b.s, "struct task {\n\tpid_t pid;\n\tchar comm[16];\n\tunion {\n\t\tunsigned long left;\n"
				 "\t\tint right;\n\t};\n\tstruct inner in;\n\tunsigned long words[3];\n"
				 "\tconst struct task *next;\n\tchar *text;\n\tvoid (*call)(void);\n\tstruct elsewhere *other;\n"
				 "\t_Bool flag;\n}");
	b.n = 0;
	btf_print_definition(&b, f, btf_find(f, STR("state"), BTF_MASK(BTF_KIND_ENUM)), 0);
	assert_string_equal(b.s, "enum state {\n\tRUNNING = 0,\n\tDEAD = -1,\n}");
	btf_close(f);
	arena_free(a);
}

/* Every byte changed, every length cut: an answer or a refusal, never a crash (the dev preset watches the bounds). */
static void survives_damage(void **state)
{
	struct arena *a = arena_new();
	uint8_t *copy = malloc(blob_size);
	uint32_t i, id;
	const char *why;

	(void)state;
	for (i = 0; i < blob_size * 2; i++) {
		struct strbuf b = {.arena = a};
		struct btf_file *f;
		uint64_t value;

		memcpy(copy, blob, blob_size);
		if (i < blob_size)
			copy[i] ^= 0xff;
		f = btf_parse(a, copy, i < blob_size ? blob_size : i - blob_size, STR("vmlinux"), NULL, &why);
		for (id = 0; f && id < f->end_id; id++) {
			btf_size(f, id);
			btf_print_decl(&b, f, id, STR("x"), false);
		}
		if (f)
			btf_find_enumerator(f, STR("DEAD"), &value);
		btf_close(f);
		arena_reset(a);
	}
	free(copy);
	arena_free(a);
}

/* What libbpf would follow blindly. */
static void unsound_types(void **state)
{
	struct arena *a = arena_new();
	struct btf *b = btf__new_empty();
	int number = btf__add_int(b, "int", 4, BTF_INT_SIGNED), name = btf__add_typedef(b, "name", number);
	int fixed = btf__add_const(b, name);
	uint32_t size, name_off;
	const void *raw = btf__raw_data(b, &size);
	struct btf_type *t;
	struct btf_file *f;
	const char *why;
	void *copy = malloc(size);

	(void)state;
	f = btf_parse(a, memcpy(copy, raw, size), size, STR("x"), NULL, &why);
	assert_non_null(f);
	t = (struct btf_type *)btf_type_at(f, (uint32_t)name);
	assert_true(btf_is_sound(f));
	t->type = 99;
	assert_false(btf_is_sound(f));
	t->type = (uint32_t)name; /* its own name */
	assert_false(btf_is_sound(f));
	t->type = (uint32_t)fixed; /* in a circle */
	assert_false(btf_is_sound(f));
	t->type = (uint32_t)number;
	assert_true(btf_is_sound(f));
	name_off = t->name_off;
	t->name_off = 0xffff;
	assert_false(btf_is_sound(f));
	t->name_off = name_off;
	t = (struct btf_type *)btf_type_at(f, (uint32_t)fixed);
	t->info = BTF_KIND_FUNC << 24; /* a function of a number */
	assert_false(btf_is_sound(f));
	btf_close(f);
	btf__free(b);
	free(copy);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_name), cmocka_unit_test(types_of_fields), cmocka_unit_test(enum_types),
		cmocka_unit_test(prints_c),	 cmocka_unit_test(survives_damage), cmocka_unit_test(unsound_types),
	};

	return cmocka_run_group_tests(tests, write_blob, remove_blob);
}
