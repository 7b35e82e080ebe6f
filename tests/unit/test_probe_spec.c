/* Attach points of every kind: parts, full names, and errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lang/probe_spec.h"

static struct arena *arena;
static struct diag *diag;

static struct probe_spec *parse(const char *text)
{
	probe_spec_list list = {0};

	probe_spec_parse(arena, str_of(text), (struct span){0}, diag, &list);
	if (diag_errors(diag)) {
		diag_report(diag, stderr, (struct diag_style){0});
		fail_msg("'%s' was refused", text);
	}
	assert_int_equal(list.n, 1);
	return list.at[0];
}

static struct probe_spec *expect_name(const char *text, const char *name)
{
	struct probe_spec *s = parse(text);

	if (!str_is(s->text, name))
		fail_msg("'%s' is named '%.*s', not '%s'", text, STR_ARG(s->text), name);
	return s;
}

static void expect_error(const char *text, const char *words)
{
	probe_spec_list list = {0};
	char *shown = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&shown, &n);

	if (probe_spec_parse(arena, str_of(text), (struct span){0}, diag, &list))
		fail_msg("%s was taken", text);
	assert_int_equal(diag_errors(diag), 1);
	diag_report(diag, out, (struct diag_style){0});
	fclose(out);
	if (!strstr(shown, words))
		fail_msg("'%s' gives: %s", text, shown);
	free(shown);
}

static void test_special(void **state)
{
	(void)state;
	assert_int_equal(expect_name("begin", "begin")->kind->id, PROBE_BEGIN);
	assert_int_equal(expect_name("BEGIN", "begin")->kind->id, PROBE_BEGIN);
	assert_int_equal(expect_name("End", "end")->kind->id, PROBE_END);
	expect_name("self:signal:SIGUSR1", "self:signal:SIGUSR1");
	assert_true(str_is(expect_name("test:a", "test:a")->function, "a"));
	expect_name("bench:b", "bench:b");
	expect_error("begin:x", "begin takes nothing, not 1");
	expect_error("self:signal:SIGINT", "SIGUSR1");
	expect_error("test", "test takes 1 part, not 0");
}

static void test_functions(void **state)
{
	struct probe_spec *s = expect_name("k:vfs_read", "kprobe:vfs_read");

	(void)state;
	assert_true(str_is(s->function, "vfs_read") && !s->module.n && !s->is_pattern);
	s = expect_name("kprobe:ext4:ext4_*", "kprobe:ext4:ext4_*");
	assert_true(str_is(s->module, "ext4") && s->is_pattern);
	s = expect_name("KPROBE:f+0x10", "kprobe:f+16");
	assert_true(s->has_offset && s->offset == 16 && str_is(s->function, "f"));
	s = expect_name("kprobe:0xffff0010", "kprobe:0xffff0010");
	assert_true(s->has_address && s->address == 0xffff0010 && !s->function.n);
	expect_name("kr:f", "kretprobe:f");
	expect_name("kprobe:f.constprop.0", "kprobe:f.constprop.0");
	assert_int_equal(parse("fentry:f")->kind->id, PROBE_FENTRY);
	assert_int_equal(parse("kfunc:f")->kind->id, PROBE_FENTRY);
	assert_int_equal(parse("fr:m:f")->kind->id, PROBE_FEXIT);
	expect_error("kprobe", "1 to 2 parts, not 0");
	expect_error("kprobe:", "1 to 2 parts, not 0");
	expect_error("kprobe:a:b:c", "1 to 2 parts, not 3");
	expect_error("kprobe::f", "empty");
	expect_error("kprobe:f+x", "'x' is not a number");
	expect_error("kprobe:f*+4", "one function");
	expect_error("kretprobe:f+4", "no offset");
	expect_error("fentry:f+4", "no offset");
	expect_error("kretprobe:0x10", "not an address");
	expect_error("fentry:bpf:12:prog", "cannot be traced yet");
}

static void test_tracepoints(void **state)
{
	struct probe_spec *s = expect_name("t:sched:sched_switch", "tracepoint:sched:sched_switch");

	(void)state;
	assert_true(str_is(s->module, "sched") && str_is(s->function, "sched_switch"));
	s = expect_name("t:*open*", "tracepoint:*:*open*");
	assert_true(s->is_pattern && str_is(s->module, "*"));
	expect_name("rt:sched_switch", "rawtracepoint:sched_switch");
	expect_name("rawtracepoint:vmlinux:sched_switch", "rawtracepoint:vmlinux:sched_switch");
	expect_error("tracepoint:sched_switch", "category");
	expect_error("t:a:b:c", "not 3");
}

static void test_paths(void **state)
{
	struct probe_spec *s = expect_name("u:/bin/bash:readline", "uprobe:/bin/bash:readline");

	(void)state;
	assert_true(str_is(s->path, "/bin/bash") && str_is(s->function, "readline"));
	s = expect_name("uprobe:libc:malloc+8", "uprobe:libc:malloc+8");
	assert_int_equal(s->offset, 8);
	s = expect_name("uprobe:/bin/a:0x400", "uprobe:/bin/a:0x400");
	assert_true(s->has_address && s->address == 0x400);
	s = expect_name("uprobe:\"/opt/my app:x\":\"ns::fn(int)\"", "uprobe:/opt/my app:x:ns::fn(int)");
	assert_true(str_is(s->path, "/opt/my app:x") && str_is(s->function, "ns::fn(int)"));
	s = expect_name("uprobe:/bin/a:cpp:\"ns::fn\"", "uprobe:/bin/a:cpp:\"ns::fn\"");
	assert_true(str_is(s->lang, "cpp") && str_is(s->function, "ns::fn"));
	s = expect_name("uprobe:/bin/a@x.c:12", "uprobe:/bin/a@x.c:12");
	assert_true(str_is(s->file, "x.c") && s->line == 12 && !s->column);
	s = expect_name("uprobe:/bin/a@x.c:12:3", "uprobe:/bin/a@x.c:12:3");
	assert_int_equal(s->column, 3);
	s = expect_name("uprobe:main", "uprobe:main");
	assert_true(!s->path.n);
	expect_name("ur:/bin/a:f", "uretprobe:/bin/a:f");
	s = expect_name("U:/bin/a:p:n", "usdt:/bin/a:p:n");
	assert_true(str_is(s->provider, "p") && str_is(s->function, "n"));
	s = expect_name("usdt::n", "usdt::n");
	assert_true(!s->path.n && str_is(s->function, "n"));
	assert_true(parse("usdt:*:n")->is_pattern);
	expect_error("uretprobe:/bin/a:f+4", "no offset");
	expect_error("uprobe:/bin/a:java:f", "'java' is not a language");
	expect_error("uprobe:/bin/a@x.c", "line");
	expect_error("uprobe:/bin/a@x.c:0", "line");
	expect_error("uprobe:/a.apk!/lib.so:f", "cannot be traced yet");
	expect_error("uprobe", "1 to 3 parts, not 0");
}

static void test_rates(void **state)
{
	struct probe_spec *s = expect_name("profile:hz:99", "profile:hz:99");

	(void)state;
	assert_true(s->hz == 99 && !s->period_ns);
	s = expect_name("p:5ms", "profile:us:5000");
	assert_int_equal(s->period_ns, 5000000);
	s = expect_name("interval:1s", "interval:us:1000000");
	assert_int_equal(s->period_ns, 1000000000);
	s = expect_name("i:s:3", "interval:s:3");
	assert_int_equal(s->period_ns, 3000000000u);
	expect_name("interval:ms:50", "interval:ms:50");
	expect_name("interval:us:1e3", "interval:us:1000");
	expect_name("profile:1000", "profile:us:1");
	expect_error("interval:100", "rate of 100");
	expect_error("interval:s:0", "rate of 0");
	expect_error("interval:q:1", "'q' is not a unit");
	expect_error("interval:s:x", "'x' is not a number");
	expect_error("interval:s:18446744073709551615", "rate");
	expect_error("interval", "1 to 2 parts, not 0");
}

static void test_counters(void **state)
{
	struct probe_spec *s = expect_name("software:cpu:100000", "software:cpu:100000");

	(void)state;
	assert_true(s->count == 100000 && str_is(s->function, "cpu"));
	assert_int_equal(expect_name("h:cache-misses:1e6", "hardware:cache-misses:1000000")->count, 1000000);
	assert_int_equal(expect_name("s:faults", "software:faults")->count, 0);
	assert_int_equal(expect_name("s:faults:", "software:faults")->count, 0);
	assert_int_equal(expect_name("s:faults:*", "software:faults")->count, 0);
	s = expect_name("w:0x1000:8:rw", "watchpoint:0x1000:8:rw");
	assert_true(s->address == 0x1000 && s->count == 8 && s->watch_mode == 3);
	expect_name("watchpoint:0x10:1:wr", "watchpoint:0x10:1:rw");
	expect_name("iter:task", "iter:task");
	assert_true(str_is(expect_name("it:task:pin", "iter:task:pin")->path, "pin"));
	expect_error("software:*", "no wildcards");
	expect_error("software:cpu:x", "'x' is not a number");
	expect_error("watchpoint:0x10:3:w", "1, 2, 4 or 8");
	expect_error("watchpoint:0x10:4:ww", "'ww'");
	expect_error("watchpoint:0x10:4:z", "'z'");
	expect_error("iter:*", "no wildcards");
}

static void test_providers(void **state)
{
	probe_spec_list list = {0};

	(void)state;
	assert_int_equal(probe_spec_parse(arena, STR("k*probe:f"), (struct span){0}, diag, &list), 2);
	assert_true(str_is(list.at[0]->text, "kprobe:f") && str_is(list.at[1]->text, "kretprobe:f"));
	list.n = 0;
	/* all kernel kinds with one part; a tracepoint needs a wildcard or a category */
	assert_int_equal(probe_spec_parse(arena, STR("*:f"), (struct span){0}, diag, &list), 5);
	assert_int_equal(diag_errors(diag), 0);
	expect_error("x*:f", "no type of probe 'x*'");
	expect_error("kprob:f", "did you mean 'kprobe'?");
	expect_error("Kretprobes:f", "did you mean 'kretprobe'?");
	expect_error("xyz:f", "no type of probe 'xyz'");
	expect_error(":f", "missing");
	expect_error("K:f", "no type of probe 'K'"); /* short names are case-sensitive */
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	diag = diag_new(arena);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_special),	    cmocka_unit_test(test_functions),
		cmocka_unit_test(test_tracepoints), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_rates),	    cmocka_unit_test(test_counters),
		cmocka_unit_test(test_providers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
