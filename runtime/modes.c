/* --test and --bench: every test: probe is run once and judged, every bench: probe until its time is known.  Both are run by the
 * tracer itself, as begin is; outside of these modes they are left out (language.md 12.4). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "runtime/session_internal.h"

enum { NANOSECOND = 1, MICROSECOND = 1000, MILLISECOND = 1000000, SECOND = 1000000000 };
enum { BENCH_TIME = MILLISECOND, BENCH_FACTOR = 10, BENCH_MOST = 100000000 };

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

bool session_runs_kind(const struct session *s, enum probe_kind_id kind)
{
	return kind == PROBE_TEST ? s->opt->test_mode : kind == PROBE_BENCH ? s->opt->bench_mode : true;
}

/* "a" of "test:a". */
static struct str short_name(const struct live_probe *p, int point)
{
	struct str text = p->row->attach.at[point]->text;

	return str_sub(text, str_find(text, ':') + 1, text.n);
}

/* Add text to the results, with ESC[CODEm around the first `n` bytes of it unless colours are never wanted. */
static void say(struct session *s, int code, const char *head, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void say(struct session *s, int code, const char *head, const char *fmt, ...)
{
	struct strbuf out = {.arena = s->event};
	va_list ap;

	if (s->opt->never_colour)
		strbuf_printf(&out, "%s ", head);
	else
		strbuf_printf(&out, "\033[%dm%s\033[0m ", code, head);
	va_start(ap, fmt);
	strbuf_add(&out, str_of(arena_vprintf(s->event, fmt, ap)));
	va_end(ap);
	output_plain(&s->output, strbuf_str(&out));
	arena_reset(s->event);
}

enum { RED = 31, GREEN = 32 };

static const char *plural(int n)
{
	return n == 1 ? "" : "s";
}

/* ---- tests ----------------------------------------------------------------------------------------------------------------- */

struct test_result {
	struct str name;
	bool passed;
	uint64_t ns;
	struct str output; /* what it printed, text or JSON lines */
};

/* Run one, keeping back what it prints. */
static void run_test(struct session *s, struct live_probe *p, struct test_result *r)
{
	FILE *results = s->output.file;
	uint32_t code = 0;
	char *text = NULL;
	size_t size = 0;
	uint64_t begin;
	int err;

	fflush(results);
	s->output.file = open_memstream(&text, &size);
	if (!s->output.file) {
		s->output.file = results;
		return;
	}
	s->complaints = 0;
	s->status = 0;
	begin = now_ns();
	err = p->skipped ? -ENOENT : probe_run_once(p, &code);
	r->ns = now_ns() - begin;
	if (err)
		session_message(s, p->row->span, DIAG_ERROR, NULL, "cannot run %.*s: %s", STR_ARG(p->row->name), strerror(-err));
	events_drain(s, true);
	fclose(s->output.file);
	s->output.file = results;
	r->output = str_copy(s->arena, (struct str){text, size});
	free(text);
	r->passed = !err && !code && !s->complaints && !(s->exited && s->status);
	s->exited = s->stopping = false;
	s->status = 0;
}

static void tell_duration(struct session *s, const struct test_result *r)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {{SECOND, "s"}, {MILLISECOND, "ms"}, {MICROSECOND, "μs"}, {NANOSECOND, "ns"}};
	size_t i = 0;

	while (units[i].ns > NANOSECOND && r->ns < units[i].ns)
		i++;
	say(s, r->passed ? GREEN : RED, r->passed ? "[       OK ]" : "[  FAILED  ]", "%.*s (%llu %s)\n", STR_ARG(r->name),
	    (unsigned long long)(r->ns / units[i].ns), units[i].name);
}

static void tell_json(struct session *s, const struct test_result *r)
{
	struct strbuf out = {.arena = s->event};

	strbuf_add(&out, STR("{\"type\": \"test_result\", \"data\": {\""));
	text_json(&out, r->name);
	strbuf_printf(&out, "\": {\"duration\": %llu, \"passed\": %s, \"output\": \"", (unsigned long long)r->ns,
		      r->passed ? "true" : "false");
	text_json(&out, r->output);
	strbuf_add(&out, STR("\"}}}\n"));
	output_plain(&s->output, strbuf_str(&out));
	arena_reset(s->event);
}

static void run_and_tell(struct session *s, struct live_probe *p, struct test_result *r)
{
	if (!s->opt->json)
		say(s, GREEN, "[ RUN      ]", "%.*s\n", STR_ARG(r->name));
	run_test(s, p, r);
	if (s->opt->json) {
		tell_json(s, r);
		return;
	}
	if (!r->passed)
		output_plain(&s->output, r->output);
	tell_duration(s, r);
}

static void tell_summary(struct session *s, const struct test_result *results, int n)
{
	int failed = 0, i;

	for (i = 0; i < n; i++)
		failed += !results[i].passed;
	say(s, GREEN, "[==========]", "%d test%s ran.\n", n, plural(n));
	say(s, GREEN, "[  PASSED  ]", "%d test%s.\n", n - failed, plural(n - failed));
	if (failed)
		say(s, RED, "[  FAILED  ]", "%d test%s, listed below:\n", failed, plural(failed));
	for (i = 0; i < n; i++)
		if (!results[i].passed)
			say(s, RED, "[  FAILED  ]", "%.*s\n", STR_ARG(results[i].name));
}

/* ---- benchmarks ------------------------------------------------------------------------------------------------------------ */

/* Time spent in a program and how often it ran, as the kernel counts them while statistics are on. */
static bool run_stats(const struct live_probe *p, uint64_t *ns, uint64_t *runs)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(p->prog), &info, &size))
		return false;
	*ns = info.run_time_ns;
	*runs = info.run_cnt;
	return true;
}

/* Run it `n` times.  False: it returned something else than 0, which means that it is to be skipped, or could not run. */
static bool run_times(struct session *s, struct live_probe *p, uint64_t n)
{
	uint32_t code = 0;
	uint64_t i;

	for (i = 0; i < n; i++) {
		if (p->skipped || probe_run_once(p, &code) || code)
			return false;
		if (i % 256 == 255)
			events_drain(s, false);
	}
	events_drain(s, false);
	return true;
}

/* The time of one run.  The kernel's own count leaves out the way into the kernel; it needs CAP_SYS_ADMIN. */
static bool measure(struct session *s, struct live_probe *p, uint64_t *average, uint64_t *iterations)
{
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	uint64_t n, ns = 0, runs, ns_before = 0, runs_before = 0, begin;
	bool ok = true;

	for (n = 1; ok; n *= BENCH_FACTOR) {
		bool counted = stats >= 0 && run_stats(p, &ns_before, &runs_before);

		begin = now_ns();
		ok = run_times(s, p, n);
		*average = (now_ns() - begin) / n;
		*iterations = n;
		ns = *average * n;
		if (counted && run_stats(p, &ns, &runs) && runs > runs_before) {
			ns -= ns_before;
			*iterations = runs - runs_before;
			*average = ns / *iterations;
		}
		if (ns >= BENCH_TIME || n >= BENCH_MOST)
			break;
	}
	if (stats >= 0)
		close(stats);
	return ok;
}

static void run_bench(struct session *s, struct live_probe *p, struct str name)
{
	struct strbuf out = {.arena = s->event};
	uint64_t average, iterations;

	if (!measure(s, p, &average, &iterations))
		return;
	if (s->opt->json) {
		strbuf_add(&out, STR("{\"type\": \"benchmark_result\", \"data\": {\""));
		text_json(&out, name);
		strbuf_printf(&out, "\": {\"average\": %llu, \"iters\": %llu}}}\n", (unsigned long long)average,
			      (unsigned long long)iterations);
	} else {
		strbuf_printf(&out, "%-40.*s %-14llu %llu\n", STR_ARG(name), (unsigned long long)average,
			      (unsigned long long)iterations);
	}
	output_plain(&s->output, strbuf_str(&out));
	output_flush(&s->output, true);
}

/* ---- the door -------------------------------------------------------------------------------------------------------------- */

/* How many attach points of `kind` there are. */
static int count_points(const struct session *s, enum probe_kind_id kind)
{
	int n = 0;

	VEC_EACH(row, &s->manifest->probes)
		n += row->kind == kind ? row->attach.n : 0;
	return n;
}

static int run_tests(struct session *s)
{
	int n = count_points(s, PROBE_TEST), done = 0, failed = 0, i, k;
	struct test_result *results = NEW_ARRAY(s->arena, struct test_result, n + 1);

	if (!s->opt->json)
		say(s, GREEN, "[==========]", "Running %d test%s.\n", n, plural(n));
	for (i = 0; i < s->manifest->probes.n; i++) {
		struct live_probe *p = &s->probes[i];

		for (k = 0; p->row->kind == PROBE_TEST && k < p->row->attach.n && !s->output.err; k++) {
			results[done].name = short_name(p, k);
			run_and_tell(s, p, &results[done]);
			failed += !results[done++].passed;
		}
	}
	if (!s->opt->json)
		tell_summary(s, results, done);
	return failed ? 1 : 0;
}

static int run_benches(struct session *s)
{
	int i, k;

	if (!s->opt->json)
		output_plain(&s->output, STR("Benchmark                                Time(ns)       Iterations\n"
					     "------------------------------------------------------------------\n"));
	for (i = 0; i < s->manifest->probes.n; i++) {
		struct live_probe *p = &s->probes[i];

		for (k = 0; p->row->kind == PROBE_BENCH && k < p->row->attach.n && !s->output.err; k++)
			run_bench(s, p, short_name(p, k));
	}
	return 0;
}

bool session_in_mode(const struct session *s)
{
	return s->opt->test_mode || s->opt->bench_mode;
}

int session_check_mode(const struct session *s)
{
	int tests = count_points(s, PROBE_TEST), benches = count_points(s, PROBE_BENCH);
	int all = 0;

	VEC_EACH(row, &s->manifest->probes)
		all += row->attach.n;
	if (s->opt->test_mode && !tests)
		fputs("ERROR: the script has no tests to run\nHINT: a test is a probe such as test:name { ... }\n", stderr);
	else if (s->opt->bench_mode && !benches)
		fputs("ERROR: the script has no benchmarks to run\nHINT: a benchmark is a probe such as bench:name { ... }\n", stderr);
	else if (!session_in_mode(s) && all && all == tests + benches)
		fprintf(stderr, "ERROR: nothing is attached: the script has only %s\nHINT: %s\n",
			!benches ? "tests" : !tests ? "benchmarks" : "tests and benchmarks",
			!benches ? "--test runs them" : !tests ? "--bench runs them" : "--test runs the tests, --bench the benchmarks");
	else
		return 0;
	return 255;
}

int session_run_mode(struct session *s)
{
	events_drain(s, true); /* what begin sent is nobody's output but its own */
	if (s->exited)
		return s->status;
	return s->opt->test_mode ? run_tests(s) : run_benches(s);
}
