/* Addresses to names: kallsyms, maps and perf-map lines, functions of this very process, the tracer's own frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/processes.h"
#include "runtime/stacks.h"
#include "runtime/symbols.h"

static const char table[] = "0000000000001000 A percpu_thing\n"
			    "ffffffff81000000 T _text\n"
			    "ffffffff81000000 T startup\n"
			    "ffffffff81000100 t schedule\n"
			    "ffffffff81000200 D data\n"
			    "not a line\n"
			    "ffffffff82000000 R __start_rodata\n"
			    "ffffffff82000000 R fair_sched_class\n"
			    "ffffffff82001000 R __end_of_nothing_start\n"
			    "ffffffffc0001000 t modfn\t[ext4]\n"
			    "ffffffffb0000000 t ftrace_trampoline\t[__builtin__ftrace]\n"
			    "ffffffffc0000f00 t bpf_prog_6deef7357e7b4530_x\t[bpf]\n";

static void kernel_names(void **state)
{
	struct kallsyms *k = kallsyms_parse(table, sizeof(table) - 1);
	uint64_t off;

	(void)state;
	assert_string_equal(kallsyms_name(k, 0xffffffff81000000, &off), "_text");
	assert_string_equal(kallsyms_name(k, 0xffffffff81000104, &off), "schedule");
	assert_int_equal(off, 4);
	assert_string_equal(kallsyms_name(k, 0xffffffffc0001001, &off), "modfn");
	assert_string_equal(kallsyms_name(k, 0xffffffffc0000f10, &off), "bpf_prog_6deef7357e7b4530_x");
	assert_string_equal(kallsyms_name(k, 0xffffffff82000008, &off), "fair_sched_class"); /* not the mark before it */
	assert_string_equal(kallsyms_name(k, 0xffffffff82001000, &off), "__end_of_nothing_start");
	assert_string_equal(kallsyms_name(k, 0xffffffffb0000fff, &off), "ftrace_trampoline");
	assert_null(kallsyms_name(k, 0xffffffffb0001000, &off)); /* a page, behind which other code is made */
	assert_null(kallsyms_name(k, 3, &off));
	assert_null(kallsyms_name(k, 0xffffffffd0000000, &off));
	kallsyms_free(k);
	k = kallsyms_parse("", 0);
	assert_true(kallsyms_empty(k));
	assert_null(kallsyms_name(k, 0xffffffff81000104, &off));
	kallsyms_free(k);
}

static void own_frames(void **state)
{
	struct kallsyms *k = kallsyms_parse(table, sizeof(table) - 1);
	struct stack_source s = {.kallsyms = k};
	uint64_t ips[] = {0xffffffffc0000f20, 0xffffffffa0000000, 0xffffffff81000110, 0xffffffffc0000f20};

	(void)state;
	assert_int_equal(stack_own_frames(&s, ips, 4), 2); /* the program, and a trampoline that is gone */
	assert_int_equal(stack_own_frames(&s, ips + 2, 2), 0); /* a program further up is somebody else's */
	kallsyms_free(k);
}

static void lines_of_maps(void **state)
{
	struct map_line m;
	uint64_t start, size;
	struct str name;

	(void)state;
	assert_true(map_line_parse(STR("7f00-8f00 r-xp 00001000 fe:01 1234      /a b (deleted)"), &m));
	assert_int_equal(m.start, 0x7f00);
	assert_int_equal(m.offset, 0x1000);
	assert_int_equal(m.ino, 1234);
	assert_true(m.executable);
	assert_true(str_is(m.path, "/a b (deleted)"));
	assert_true(map_line_parse(STR("7f00-8f00 rw-p 00000000 00:00 0 "), &m));
	assert_int_equal(m.path.n, 0);
	assert_false(map_line_parse(STR("8f00-7f00 r-xp 00000000 00:00 0"), &m));
	assert_false(map_line_parse(STR("7f00-8f00 r-x"), &m));
	assert_false(map_line_parse(STR(""), &m));
	assert_true(perf_map_line_parse(STR("7f10 20 Foo::bar baz"), &start, &size, &name));
	assert_int_equal(start, 0x7f10);
	assert_int_equal(size, 0x20);
	assert_true(str_is(name, "Foo::bar baz"));
	assert_false(perf_map_line_parse(STR("7f10 0 x"), &start, &size, &name));
	assert_false(perf_map_line_parse(STR("7f10 20 "), &start, &size, &name));
	assert_false(perf_map_line_parse(STR("ffffffffffffffff 20 x"), &start, &size, &name));
}

static void names_of_this_process(void **state)
{
	struct symbols *s = symbols_open(&(struct symbols_options){0});
	struct names *n = symbols_names(s);
	struct arena *a = arena_new();
	uint64_t here = (uint64_t)(uintptr_t)names_of_this_process;

	(void)state;
	assert_string_equal(n->usym(n, a, (uint32_t)getpid(), here, false).s, "names_of_this_process");
	assert_string_equal(n->usym(n, a, (uint32_t)getpid(), here + 1, true).s, "names_of_this_process+1");
	assert_string_equal(n->usym(n, a, (uint32_t)getpid(), 5, true).s, "0x5");
	assert_string_equal(n->usym(n, a, 0x7fffffff, here, true).s, str_printf(a, "0x%llx", (unsigned long long)here).s);
	assert_string_equal(n->ksym(n, a, 3, true).s, "0x3");
	assert_string_equal(n->user(n, a, 0).s, "root");
	assert_string_equal(n->user(n, a, 4000000000).s, "4000000000");
	symbols_close(s);
	arena_free(a);
}

/* What was recorded of processes that are no more. */
static void names_of_the_dead(void **state)
{
	struct processes *p = processes_open(true, false, NULL);
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	struct user_name name;
	uint64_t here = (uint64_t)(uintptr_t)names_of_the_dead, start = 0, offset = 0;
	FILE *f = fopen("/proc/self/maps", "r");
	char line[4096];
	struct map_line m;

	(void)state;
	exe[n] = '\0';
	while (fgets(line, sizeof(line), f))
		if (map_line_parse(str_trim(str_of(line)), &m) && m.start <= here && here < m.end) {
			start = m.start;
			offset = m.offset;
		}
	fclose(f);
	processes_mapped(p, 4000000001,
			 &(struct recorded_mapping){.start = start, .length = 1 << 20, .offset = offset, .path = str_of(exe)});
	processes_forked(p, 4000000001, 4000000002);
	processes_exited(p, 4000000001);
	processes_exited(p, 4000000002);
	processes_name(p, 4000000002, here + 2, false, &name);
	assert_true(str_is(name.symbol, "names_of_the_dead"));
	assert_int_equal(name.offset, 2);
	processes_execed(p, 4000000002);
	processes_name(p, 4000000002, here + 2, false, &name); /* taken before it became another program */
	assert_true(str_is(name.symbol, "names_of_the_dead"));
	/* A file that is no more, or another one by now, is told by its build id. */
	processes_mapped(p, 4000000003,
			 &(struct recorded_mapping){.start = 0x5000,
						    .length = 0x1000,
						    .offset = 0x200,
						    .build_id = {0xab, 0xcd},
						    .build_id_size = 2,
						    .path = str_of(exe)});
	processes_exited(p, 4000000003);
	processes_name(p, 4000000003, 0x5010, false, &name);
	assert_int_equal(name.symbol.n, 0);
	assert_int_equal(name.build_id_size, 2);
	assert_int_equal(name.build_id[1], 0xcd);
	assert_int_equal(name.file_offset, 0x210);
	processes_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_names),		 cmocka_unit_test(own_frames),	      cmocka_unit_test(lines_of_maps),
		cmocka_unit_test(names_of_this_process), cmocka_unit_test(names_of_the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
