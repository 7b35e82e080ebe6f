/* The order of things in one tracing session: read the artefact, load, begin, attach, serve, detach, end, print maps. */
#include "runtime/session.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "runtime/providers/providers.h"
#include "runtime/session_internal.h"

enum { STATUS_FAILED = 1, STATUS_LOAD = 255, STATUS_EPIPE = 141, OUTPUT_BUFFER = 64 * 1024 };

/* ---- messages and places ------------------------------------------------------------------------------------------------- */

struct span session_span(const struct session *s, int index)
{
	const struct manifest_span *row;
	struct span span = {0};
	struct expansion *from;

	if (index < 0 || index >= s->manifest->spans.n)
		return span;
	row = &s->manifest->spans.at[index];
	if (row->source < 0 || row->source >= s->manifest->sources.n)
		return span;
	span = (struct span){.source = s->sources[row->source], .begin = row->begin, .end = row->end};
	if (row->parent >= 0 && row->parent < index) { /* lower ones only: no circles */
		from = NEW(s->arena, struct expansion);
		from->call = session_span(s, row->parent);
		span.from = from;
	}
	return span;
}

void session_message(struct session *s, int span, enum diag_severity severity, const char *hint, const char *fmt, ...)
{
	va_list ap;
	char *text;

	if (severity == DIAG_WARNING && s->opt->style.no_warnings)
		return;
	va_start(ap, fmt);
	text = arena_vprintf(s->arena, fmt, ap);
	va_end(ap);
	diag_print_now(stderr, s->opt->style, session_span(s, span), severity, text, hint, span >= 0);
}

/* ---- names: symbols are opened when the first address is printed --------------------------------------------------------- */

static struct session *session_of(struct names *n)
{
	return (struct session *)((char *)n - offsetof(struct session, names));
}

static void tell_stack_maps(struct session *s)
{
	int(*fds)[3] = (int(*)[3])NEW_ARRAY(s->arena, int, 3 * s->manifest->stacks.n + 1);
	int i, k;

	for (i = 0; i < s->manifest->stacks.n; i++) {
		for (k = 0; k < 2; k++) {
			struct str name = s->manifest->stacks.at[i].elf_name[k];
			struct bpf_map *map = name.n ? bpf_object__find_map_by_name(s->object, str_c(s->arena, name)) : NULL;

			fds[i][k] = map ? bpf_map__fd(map) : -1;
		}
		fds[i][2] = (int)s->manifest->stacks.at[i].spare;
	}
	symbols_stack_maps(s->symbols, (const int(*)[3])fds, s->manifest->stacks.n);
}

static struct names *symbols_of(struct names *n)
{
	struct session *s = session_of(n);
	struct symbols_options opt = {.config = &s->manifest->config, .debuginfo = s->opt->debuginfo};
	uint32_t *ids;

	if (!s->symbols) {
		opt.nown_programs = session_program_ids(s, &ids);
		opt.own_programs = ids;
		s->symbols = symbols_open(&opt);
		tell_stack_maps(s);
	}
	return symbols_names(s->symbols);
}

static struct str lazy_ksym(struct names *n, struct arena *a, uint64_t address, bool offset)
{
	n = symbols_of(n);
	return n->ksym(n, a, address, offset);
}

static struct str lazy_usym(struct names *n, struct arena *a, uint32_t tgid, uint64_t address, bool offset)
{
	n = symbols_of(n);
	return n->usym(n, a, tgid, address, offset);
}

static struct str lazy_stack(struct names *n, struct arena *a, const struct shape *shape, const void *bytes, bool raw)
{
	n = symbols_of(n);
	return n->stack(n, a, shape, bytes, raw);
}

static struct str lazy_user(struct names *n, struct arena *a, uint64_t uid)
{
	n = symbols_of(n);
	return n->user(n, a, uid);
}

static struct str lazy_cgroup(struct names *n, struct arena *a, uint64_t id, struct str filter)
{
	n = symbols_of(n);
	return n->cgroup(n, a, id, filter);
}

static int64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t clock_offset(struct names *n, int clock)
{
	(void)n;
	return now(CLOCK_REALTIME) - now(clock ? CLOCK_TAI : CLOCK_BOOTTIME);
}

/* User addresses: whoever they belong to may be gone when they are printed, so what is mapped is recorded from the start. */
static void watch_user_maps(struct session *s)
{
	VEC_EACH(shape, &s->manifest->shapes) {
		if (shape->kind == TYPE_USYM || shape->kind == TYPE_USTACK) {
			symbols_of(&s->names);
			symbols_record_maps(s->symbols, s->opt->pid); /* a script with -c may look at other processes too */
			return;
		}
	}
}

/* ---- maps ------------------------------------------------------------------------------------------------------------------ */

bool session_read_map(struct session *s, int map, bool drain, struct map_view *view)
{
	int err = map_read(view, s->event, s->manifest, &s->maps[map], s->ncpus, drain);

	if (err) {
		session_message(s, s->manifest->maps.at[map].span, DIAG_ERROR, NULL, "the map %.*s cannot be read: %s",
				STR_ARG(s->manifest->maps.at[map].name), strerror(-err));
		return false;
	}
	map_sort(view);
	return true;
}

void session_show_map(struct session *s, const struct map_view *view, const struct map_print *how)
{
	enum type_kind kind = s->manifest->shapes.at[view->row->value].kind;
	struct map_print percentiles = *how;

	output_map(&s->output, view, &s->decoder, how);
	if (!s->manifest->config.print_percentiles || how->percentiles || (kind != TYPE_HIST && kind != TYPE_LHIST))
		return;
	percentiles.percentiles = true;
	output_map(&s->output, view, &s->decoder, &percentiles);
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct manifest *m = arg;

	return str_cmp(m->maps.at[*(const int *)a].name, m->maps.at[*(const int *)b].name);
}

bool session_try(struct session *s, void (*work)(void *arg), void *arg)
{
	bool done = arena_try(work, arg);

	arena_reset(s->event);
	if (done)
		return true;
	arena_reset(s->output.scratch);
	if (!s->starved++)
		fputs("WARNING: out of memory: what was to be printed is left out\n", stderr);
	return false;
}

struct final_map {
	struct session *s;
	int map;
};

static void print_final_map(void *arg)
{
	struct final_map *one = arg;
	struct map_view view;

	if (session_read_map(one->s, one->map, false, &view))
		session_show_map(one->s, &view, &(struct map_print){0});
}

static void print_maps(struct session *s)
{
	int n = s->manifest->maps.n, i;
	int *order = NEW_ARRAY(s->arena, int, n + 1);

	for (i = 0; i < n; i++)
		order[i] = i;
	if (n > 1)
		qsort_r(order, (size_t)n, sizeof(*order), by_name, s->manifest);
	for (i = 0; i < n && !s->output.err; i++) {
		struct final_map one = {s, order[i]};

		if (!str_starts(s->manifest->maps.at[order[i]].name, STR("@__"))) /* the library's own */
			session_try(s, print_final_map, &one);
	}
}

/* ---- may we? ----------------------------------------------------------------------------------------------------------------- */

static bool has_capability(const struct __user_cap_data_struct *data, int cap)
{
	return data[cap / 32].effective >> (cap % 32) & 1;
}

/* CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN. */
bool session_allowed(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	const char *missing = NULL;

	if (syscall(SYS_capget, &head, data))
		return true; /* then the kernel will say */
	if (has_capability(data, CAP_SYS_ADMIN))
		return true;
	if (!has_capability(data, CAP_BPF))
		missing = "CAP_BPF";
	else if (!has_capability(data, CAP_PERFMON))
		missing = "CAP_PERFMON";
	else if (!has_capability(data, CAP_DAC_READ_SEARCH))
		missing = "CAP_DAC_READ_SEARCH";
	if (!missing)
		return true;
	fprintf(stderr, "ERROR: tracing needs the capability %s: run waketrace as root, for example with sudo\n", missing);
	return false;
}

/* ---- one session ----------------------------------------------------------------------------------------------------------------- */

static bool read_manifest(struct session *s)
{
	struct str bytes = artefact_section(s->elf, MANIFEST_SECTION);
	const char *why = "it has no manifest";
	int i;

	s->manifest = bytes.n ? manifest_read(s->arena, bytes, &why) : NULL;
	if (!s->manifest) {
		fprintf(stderr, "ERROR: this is not a tool that waketrace can run: %s\n", why);
		return false;
	}
	s->sources = NEW_ARRAY(s->arena, const struct source *, s->manifest->sources.n + 1);
	for (i = 0; i < s->manifest->sources.n; i++)
		s->sources[i] = source_new(s->arena, s->manifest->sources.at[i].name, s->manifest->sources.at[i].text);
	s->formats = NEW_ARRAY(s->arena, struct format *, s->manifest->events.n + 1);
	s->sites = NEW_ARRAY(s->arena, struct live_site, s->manifest->sites.n + 1);
	return true;
}

static void session_init(struct session *s, struct str elf, struct kernel *kernel, const struct session_options *opt)
{
	*s = (struct session){
		.arena = arena_new(), .event = arena_new(), .opt = opt, .kernel = kernel, .elf = elf, .sites_fd = -1,
		.epoll_fd = -1, .signal_fd = -1, .timer_fd = -1, .target_fd = -1, .ncpus = libbpf_num_possible_cpus(),
		.child = {.pidfd = -1, .start_fd = -1, .error_fd = -1},
	};
	setvbuf(opt->out, NULL, _IOFBF, OUTPUT_BUFFER);
	s->names = (struct names){lazy_ksym, lazy_usym, lazy_stack, lazy_user, lazy_cgroup, clock_offset};
	s->output = (struct output){
		.file = opt->out, .messages = stderr, .json = opt->json, .quiet = opt->quiet, .mute = opt->dry_run,
		.buffering = opt->buffering ? opt->buffering : 'l', .style.raw = opt->raw || opt->json,
		.diag_style = opt->style, .arena = s->event, .scratch = arena_new(), .names = &s->names,
	};
}

/* What the manifest has to say before anything is opened. */
static void session_configure(struct session *s)
{
	s->output.style.trailer = s->manifest->config.str_trunc_trailer;
	s->decoder = (struct decoder){s->manifest, &s->names, s->event, s->output.style.raw};
	s->env = (struct attach_env){
		.arena = s->arena, .kernel = s->kernel, .pid = s->opt->pid, .child = s->child.pid, .rodata_fd = -1,
		.unsafe = s->opt->unsafe, .verbose = s->opt->verbose,
	};
}

static void session_free(struct session *s)
{
	session_detach(s, true);
	events_close(s);
	symbols_close(s->symbols);
	if (s->bss)
		munmap(s->bss, s->bss_size);
	if (s->object)
		bpf_object__close(s->object);
	fentry_targets_end(&s->env);
	child_end(&s->child);
	if (s->target_fd >= 0)
		close(s->target_fd);
	arena_free(s->output.scratch);
	arena_free(s->event);
	arena_free(s->arena);
}

/* The processes that the session lives with: -p, -c.  0, or the exit status. */
static int open_processes(struct session *s)
{
	if (s->opt->pid) {
		s->target_fd = open_pidfd(s->opt->pid);
		if (s->target_fd < 0) {
			fprintf(stderr, "ERROR: cannot trace process %d: %s\n", s->opt->pid, strerror(-s->target_fd));
			return STATUS_FAILED;
		}
	}
	if (s->opt->child && child_start(&s->child, s->opt->child, &s->output))
		return STATUS_FAILED;
	return 0;
}

void session_walk(struct session *s)
{
	int i;

	for (i = 0; i < s->manifest->probes.n; i++) {
		struct live_probe *p = &s->probes[i];
		int err;

		if (p->skipped || !p->provider->walk)
			continue;
		fflush(s->opt->out);
		err = s->opt->dry_run ? 0 : p->provider->walk(p, &s->env, fileno(s->opt->out));
		if (err == -EPIPE)
			s->output.err = EPIPE;
		else if (err)
			session_message(s, p->row->span, DIAG_ERROR, NULL, "cannot walk %.*s: %s", STR_ARG(p->row->name),
					p->points[0].why ? p->points[0].why : strerror(-err));
		if (err && err != -EPIPE)
			s->status = STATUS_LOAD;
	}
}

/* A script that has walk() says itself when its iter probes run; others run them once. */
static bool has_walk(const struct session *s)
{
	VEC_EACH (e, &s->manifest->events)
		if (e->kind == EVENT_WALK)
			return true;
	return false;
}

/* Everything is attached: let the child go and serve until something ends it. */
static int serve(struct session *s)
{
	int err;

	if (s->stopping)
		return 0;
	watch_user_maps(s);
	if (s->opt->dry_run)
		return 0;
	/* What begin had to say comes first; when it has called exit(), the command is not even started. */
	if (s->opt->child)
		events_take(s);
	if (s->stopping)
		return 0;
	err = child_release(&s->child);
	if (err) {
		fprintf(stderr, "ERROR: cannot start the command of -c: %s\n", strerror(-err));
		return STATUS_FAILED;
	}
	if (session_in_mode(s)) {
		s->status = session_run_mode(s);
		return 0;
	}
	if (!has_walk(s))
		session_walk(s);
	if (session_has_work(s))
		events_serve(s);
	return 0;
}

/* Detach, take what was queued, run end, print the maps.  Nothing is printed any more once a write has failed. */
static void finish(struct session *s)
{
	session_detach(s, false);
	if (s->opt->dry_run)
		return;
	events_drain(s, !s->exited);
	s->exited = false;
	session_run_special(s, PROBE_END);
	events_drain(s, true);
	if (s->output.err != EPIPE)
		sites_check(s, true); /* before the maps: in JSON both are on stdout, in the order of what happened */
	if (!session_in_mode(s)) {
		output_end(&s->output);
		if (s->manifest->config.print_maps_on_exit)
			print_maps(s);
	}
	if (s->starved)
		fprintf(stderr, "WARNING: out of memory: %llu outputs were left out\n", (unsigned long long)s->starved);
	output_close(&s->output);
	if (s->output.err && s->output.err != EPIPE)
		fprintf(stderr, "ERROR: cannot write results: %s\n", strerror(s->output.err));
}

static int run(struct session *s)
{
	int status;

	if (!read_manifest(s) || !session_allowed())
		return STATUS_FAILED;
	status = open_processes(s);
	if (status)
		return status;
	session_configure(s);
	status = session_check_mode(s);
	if (status)
		return status;
	status = session_load(s);
	if (status || s->opt->load_only)
		return status;
	if (events_open(s)) {
		fprintf(stderr, "ERROR: cannot wait for events: %s\n", strerror(errno));
		return STATUS_LOAD;
	}
	status = session_attach(s);
	if (!status)
		status = serve(s);
	if (status)
		return status;
	finish(s);
	if (s->output.err)
		return s->output.err == EPIPE ? STATUS_EPIPE : STATUS_FAILED;
	return s->status;
}

int session_trace(struct str elf, struct kernel *kernel, const struct session_options *opt)
{
	struct session s;
	int status;

	session_init(&s, elf, kernel, opt);
	status = run(&s);
	session_free(&s);
	return status;
}
