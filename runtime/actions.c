/* What each kind of event asks user space to do. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/providers/providers.h"
#include "runtime/session_internal.h"

enum { TEXT_CUT = 0x80000000u, TIME_MAX = 63 };

struct format *session_format(struct session *s, int event)
{
	struct str bad;

	if (!s->formats[event]) {
		s->formats[event] = format_parse(s->arena, s->manifest->events.at[event].format, &bad);
		if (!s->formats[event]) /* the checker lets none through: a foreign artefact */
			s->formats[event] = NEW(s->arena, struct format);
	}
	return s->formats[event];
}

/* Text or bytes behind the fixed part.  A pair that leaves the record is no value, nor one that was left empty (join). */
static struct value pointed(const struct manifest *m, const struct event_value *ev, const uint8_t *record, size_t size)
{
	uint32_t pair[2], n;
	struct value v;

	memcpy(pair, record + ev->offset, sizeof(pair));
	n = pair[1] & ~TEXT_CUT;
	if (!pair[0] || pair[0] > size || n > size - pair[0])
		return (struct value){0};
	v = value_text((struct str){(const char *)record + pair[0], n}, false);
	if (m->shapes.at[ev->shape].kind == TYPE_BUFFER)
		v.kind = VALUE_BUFFER;
	v.cut = pair[1] & TEXT_CUT;
	return v;
}

struct value *action_values(struct session *s, const struct manifest_event *e, const uint8_t *record, size_t size)
{
	struct value *values = NEW_ARRAY(s->event, struct value, e->values.n + 1);
	int i;

	for (i = 0; i < e->values.n; i++) {
		const struct event_value *ev = &e->values.at[i];

		if (ev->pointed && (uint64_t)ev->offset + 8 <= size)
			values[i] = pointed(s->manifest, ev, record, size);
		else if (!ev->pointed && ev->offset <= size)
			values[i] = value_decode(&s->decoder, ev->shape, record + ev->offset, size - ev->offset);
		if (ev->literal)
			value_trust(&values[i]);
	}
	return values;
}

static struct str formatted(struct session *s, int event, const struct text_style *style, const struct value *values)
{
	struct strbuf out = {.arena = s->event};

	text_format(&out, style, session_format(s, event), values, s->manifest->events.at[event].values.n);
	return strbuf_str(&out);
}

/* The same without escapes, as a NUL-terminated path or command. */
static const char *plain_text(struct session *s, int event, const struct value *values)
{
	struct text_style plain = {.raw = true};

	return str_c(s->event, formatted(s, event, &plain, values));
}

static void print_map(struct session *s, const struct manifest_event *e)
{
	struct map_print how = {.div = e->div, .asked = true, .percentiles = e->percentiles};
	struct map_view view;

	if (!session_read_map(s, e->map, e->drain, &view))
		return;
	if (e->has_by && e->report.n)
		report_sort(s, &view, &e->report.at[e->report.n - 1], false);
	map_keep_last(&view, e->top_option ? s->option_numbers[e->top_option - 1] : e->top);
	if (e->descending)
		map_reverse(&view);
	session_show_map(s, &view, &how);
}

static void change_map(struct session *s, const struct manifest_event *e, int (*change)(const struct live_map *, int))
{
	int err = change(&s->maps[e->map], s->ncpus);

	if (err)
		session_message(s, e->span, DIAG_WARNING, NULL, "the map %.*s could not be changed: %s",
				STR_ARG(s->manifest->maps.at[e->map].name), strerror(-err));
}

static void print_time(struct session *s, const struct manifest_event *e)
{
	char text[TIME_MAX + 1] = "";
	time_t now = time(NULL);
	struct tm tm;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (localtime_r(&now, &tm) && !strftime(text, sizeof(text), str_c(s->event, e->format), &tm))
		text[0] = 0;
#pragma GCC diagnostic pop
	output_text(&s->output, OUTPUT_TIME, str_of(text));
}

static void leave(struct session *s, const struct manifest_event *e, const struct value *values)
{
	s->status = (int)(e->values.n ? values[0].number & 0xff : (unsigned)e->code & 0xff);
	s->stopping = s->exited = true;
}

/* Bytes of a file or a pipe are no better than those of a traced process. */
static void output_foreign(struct session *s, enum output_kind kind, struct str bytes)
{
	struct strbuf out = {.arena = s->event};

	if (!s->output.style.raw)
		text_escape(&out, bytes);
	output_text(&s->output, kind, s->output.style.raw ? bytes : strbuf_str(&out));
}

static void print_file(struct session *s, int event, const struct value *values)
{
	const char *path = plain_text(s, event, values);
	size_t most = (size_t)s->manifest->config.max_cat_bytes, n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO must not stop the tracer */
	char *bytes;
	ssize_t got;

	if (fd < 0) {
		session_message(s, s->manifest->events.at[event].span, DIAG_ERROR, NULL, "cannot open '%s': %s", path, strerror(errno));
		return;
	}
	bytes = arena_alloc(s->event, most + 1);
	while (n < most && (got = read(fd, bytes + n, most - n)) > 0)
		n += (size_t)got;
	close(fd);
	output_foreign(s, OUTPUT_CAT, (struct str){bytes, n});
}

static void print_joined(struct session *s, const struct manifest_event *e, const struct value *values)
{
	struct strbuf out = {.arena = s->event};
	int i;

	for (i = 0; i < e->values.n; i++) {
		if (values[i].kind == VALUE_NONE)
			break;
		if (i)
			strbuf_add(&out, e->format);
		text_value(&out, &s->output.style, &values[i]);
	}
	output_text(&s->output, OUTPUT_JOIN, strbuf_str(&out));
}

/* sh -c, with our blocked signals given back; what it prints is read here, so that it comes in order and escaped. */
static void run_command(struct session *s, int event, const struct value *values)
{
	const char *command = plain_text(s, event, values);
	struct strbuf out = {.arena = s->event};
	char bytes[4096];
	sigset_t none;
	int ends[2];
	ssize_t n;
	pid_t pid;

	if (!s->opt->unsafe) {
		session_message(s, s->manifest->events.at[event].span, DIAG_ERROR, "--unsafe allows it", "system() was not run");
		return;
	}
	if (pipe2(ends, O_CLOEXEC))
		return;
	output_flush(&s->output, true);
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		signal(SIGXFSZ, SIG_DFL);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	while ((n = read(ends[0], bytes, sizeof(bytes))) > 0)
		strbuf_add(&out, (struct str){bytes, (size_t)n});
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	output_foreign(s, OUTPUT_SYSTEM, strbuf_str(&out));
}

static void complain(struct session *s, const struct manifest_event *e, int event, const struct value *values)
{
	bool error = e->kind == EVENT_ERRORF;
	struct output_trouble t = {
		.type = error ? "errorf" : "warnf",
		.text = str_c(s->event, formatted(s, event, &s->output.style, values)),
		.span = session_span(s, e->span),
		.severity = error ? DIAG_ERROR : DIAG_WARNING,
	};

	s->complaints += error;
	output_trouble(&s->output, &t);
}

static void unwatch(struct session *s, const struct manifest_event *e, const struct value *values)
{
	uint64_t address = e->values.n ? values[0].number : 0;
	int i, n = 0;

	for (i = 0; i < s->manifest->probes.n; i++)
		if (s->probes[i].row->kind == PROBE_WATCHPOINT)
			n += watchpoint_remove(&s->probes[i], address);
	if (!n)
		session_message(s, e->span, DIAG_WARNING, NULL, "nothing watches address 0x%llx", (unsigned long long)address);
}

static void do_event(struct session *s, int event, const struct value *values)
{
	const struct manifest_event *e = &s->manifest->events.at[event];

	switch (e->kind) {
	case EVENT_PRINTF: /* needs the CPU: action_do() */
		return;
	case EVENT_PRINT_VALUE:
		if (e->values.n)
			output_value(&s->output, &values[0]);
		return;
	case EVENT_PRINT_MAP:
		print_map(s, e);
		return;
	case EVENT_CLEAR:
		change_map(s, e, map_clear);
		return;
	case EVENT_ZERO:
		change_map(s, e, map_zero);
		return;
	case EVENT_TIME:
		print_time(s, e);
		return;
	case EVENT_EXIT:
		leave(s, e, values);
		return;
	case EVENT_REPORT:
		report_print(s, event);
		return;
	case EVENT_CLS:
		output_clear_screen(&s->output);
		return;
	case EVENT_WALK:
		session_walk(s);
		return;
	case EVENT_CAT:
		print_file(s, event, values);
		return;
	case EVENT_JOIN:
		print_joined(s, e, values);
		return;
	case EVENT_SYSTEM:
		run_command(s, event, values);
		return;
	case EVENT_ERRORF:
	case EVENT_WARNF:
		complain(s, e, event, values);
		return;
	case EVENT_UNWATCH:
		unwatch(s, e, values);
		return;
	case EVENT_SKBOUTPUT: /* no program of this version sends them */
	case EVENT_KIND_COUNT:
		return;
	}
}

void action_do(struct session *s, const void *record, size_t size)
{
	struct {
		uint16_t id, cpu;
		uint32_t bytes;
	} head;
	const struct manifest_event *e;

	if (size < sizeof(head))
		return;
	memcpy(&head, record, sizeof(head));
	if (head.id >= s->manifest->events.n)
		return;
	e = &s->manifest->events.at[head.id];
	if (head.bytes >= sizeof(head) && head.bytes < size) /* the reservation may be larger than what was used */
		size = head.bytes;
	if (size < e->fixed_size)
		return;
	if (e->kind == EVENT_PRINTF)
		output_printf(&s->output, head.cpu, formatted(s, head.id, &s->output.style, action_values(s, e, record, size)));
	else
		do_event(s, head.id, action_values(s, e, record, size));
}
