/* What the files of one tracing session share: session.c (the order of things), load.c, attach.c, events.c, actions.c, report.c,
 * child.c, sites.c, script_options.c. */
#ifndef WT_SESSION_INTERNAL_H
#define WT_SESSION_INTERNAL_H

#include "runtime/maps.h"
#include "runtime/output.h"
#include "runtime/provider.h"
#include "runtime/session.h"
#include "runtime/symbols.h"

struct bpf_object;
struct ring_buffer;

/* What was last known of a site's counter. */
struct live_site {
	uint64_t count;	   /* seen so far */
	uint64_t told;	   /* of which the user was told */
	int64_t last_code;
};

/* The child of -c: stopped before its exec until it is released. */
struct child {
	int pid;      /* 0: none */
	int pidfd;    /* -1: none */
	int start_fd; /* writing end of the pipe that it waits on; -1: released */
	int error_fd; /* its errno when exec failed; closed by a successful exec */
};

struct session {
	struct arena *arena; /* as long as the session */
	struct arena *event; /* reset after each event */
	const struct session_options *opt;
	struct kernel *kernel;
	struct str elf;
	struct manifest *manifest;
	const struct source **sources; /* of manifest->sources */

	struct bpf_object *object;
	struct strbuf libbpf_log; /* what libbpf complained of while loading */
	char *verifier_log;	  /* config.log_size bytes, touched only by a refusal */
	struct live_probe *probes; /* manifest->probes.n */
	struct live_map *maps;	   /* manifest->maps.n */
	struct live_site *sites;   /* manifest->sites.n */
	void *bss;		   /* .bss of the programs, shared with them; NULL: not mapped */
	size_t bss_size;
	struct format **formats;   /* manifest->events.n, parsed on first use */
	struct attach_env env;
	int sites_fd;		   /* -1: none */
	int ncpus;

	struct symbols *symbols; /* opened when an address is first printed */
	struct names names;	 /* opens `symbols`, then asks it */
	struct decoder decoder;
	struct output output;

	struct ring_buffer *ring; /* NULL: the script sends no events */
	int epoll_fd, signal_fd, timer_fd, target_fd;
	struct child child;

	uint64_t *option_numbers; /* of the script's options; 0 for texts and lists */
	struct str *option_texts; /* of the script's options that are texts */

	bool stopping; /* no more events are waited for */
	bool exited;   /* by exit(): what is queued behind it is dropped */
	int complaints; /* errorf()s taken; --test sets it to 0 */
	int status;
	uint64_t starved; /* events and maps that were given up because memory was out */
	uint32_t batch; /* records taken since the last look at signals */
};

/* Do work that memory may not suffice for: false, counted, and told the first time, when it was given up.  Resets s->event. */
bool session_try(struct session *s, void (*work)(void *arg), void *arg);

/* ---- load.c ---- */

/* Open the object, patch .rodata, prepare the probes, load.  0, or the exit status after a message. */
int session_load(struct session *s);
/* Ids of our BPF programs, for the frames that do not belong in a stack; owned by the session.  Returns their number. */
int session_program_ids(struct session *s, uint32_t **ids);

/* ---- artefact.c ---- */

/* A section's bytes, by name; empty when there is none or the file is damaged. */
struct str artefact_section(struct str elf, const char *name);
/* Where a variable lies in section `section`; false when there is no such symbol, or it leaves the section. */
bool artefact_symbol(struct str elf, const char *section, struct str name, uint64_t *offset, uint64_t *size);

/* ---- script_options.c ---- */

/* Take the words behind the script apart and hand each option's value to `put`.  `built`: it was compiled by another run, which
 * settled the positional parameters: words that are no options are refused.  0, or the exit status after a message or after --help
 * was answered. */
int script_options_apply(struct arena *a, const struct manifest *m, struct kernel *kernel, const struct str *words, int nwords,
			 bool built, bool (*put)(void *arg, const struct manifest_option *o, const void *bytes, uint32_t size), void *arg);
/* How the options are written, one line each. */
void script_options_help(const struct manifest *m, FILE *out);

/* ---- attach.c ---- */

/* Run begin, attach everything else in the order of language.md 2.3.  0, or the exit status after a message. */
int session_attach(struct session *s);
/* Without `iterators` these stay: nothing but a walk runs them. */
void session_detach(struct session *s, bool iterators);
/* Run all probes of `kind` (begin, end, self) in source order. */
void session_run_special(struct session *s, enum probe_kind_id kind);
/* Is there anything that can still happen by itself: what is attached, or the command of -c? */
bool session_has_work(const struct session *s);

/* ---- session.c ---- */

/* Run the iter probes for each object that there is. */
void session_walk(struct session *s);

/* ---- modes.c ---- */

/* Does a probe of this kind run at all?  test: and bench: do in their modes only. */
bool session_runs_kind(const struct session *s, enum probe_kind_id kind);
bool session_in_mode(const struct session *s); /* --test, --bench */
/* Has the script something to run in this mode?  0, or the exit status after a message. */
int session_check_mode(const struct session *s);
/* Run the tests or the benchmarks.  The exit status. */
int session_run_mode(struct session *s);

/* ---- child.c ---- */

/* Start `command` up to its exec.  0 or -errno after a message. */
int child_start(struct child *c, const char *command, struct output *o);
/* Let it go on.  0, or -errno of its exec. */
int child_release(struct child *c);
/* Send SIGTERM when it still runs, and reap it. */
void child_end(struct child *c);
/* pidfd of a process, or -errno. */
int open_pidfd(int pid);

/* ---- events.c ---- */

int events_open(struct session *s);
void events_close(struct session *s);
/* Until something ends the session. */
void events_serve(struct session *s);
/* Do what the records say that are in the ring buffer now. */
void events_take(struct session *s);
/* Take what is in the ring buffer; `keep` false: forget it. */
void events_drain(struct session *s, bool keep);

/* ---- actions.c ---- */

/* Do what one record asks for. */
void action_do(struct session *s, const void *record, size_t size);
/* Values of an event's record, in its arena; their number is e->values.n. */
struct value *action_values(struct session *s, const struct manifest_event *e, const uint8_t *record, size_t size);
struct format *session_format(struct session *s, int event);

/* ---- report.c ---- */

void report_print(struct session *s, int event);
/* Order the entries of a view by a manifest expression. */
void report_sort(struct session *s, struct map_view *view, const struct manifest_report_expr *by, bool descending);

/* ---- sites.c ---- */

/* Look at the counters; tell about new troubles.  `last`: at the end, with totals. */
void sites_check(struct session *s, bool last);

/* ---- session.c ---- */

/* The place in the script of a manifest's span; zeroed when there is none. */
struct span session_span(const struct session *s, int span);
/* One message on stderr with an optional place and hint. */
void session_message(struct session *s, int span, enum diag_severity severity, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* Read a map of the script into the event's arena and sort it.  False after a message. */
bool session_read_map(struct session *s, int map, bool drain, struct map_view *view);
/* Print what was read; behind histograms their percentiles where the script wants them. */
void session_show_map(struct session *s, const struct map_view *view, const struct map_print *how);

#endif
