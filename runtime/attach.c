/* Attaching in the order that makes programs on one attach point run in source order, and saying what could not be attached. */
#include <errno.h>
#include <stdio.h>

#include <bpf/libbpf.h>

#include "runtime/bpf_sys.h"
#include "runtime/session_internal.h"

enum { MISSING_ERROR, MISSING_WARN, MISSING_IGNORE }; /* words of config missing_probes */

static bool is_special(enum probe_kind_id kind)
{
	return kind == PROBE_BEGIN || kind == PROBE_END || kind == PROBE_SELF || kind == PROBE_TEST || kind == PROBE_BENCH;
}

/* The places of one attach point are counted as one. */
static bool is_first_place(const struct probe_spec *spec)
{
	return spec->place <= 1;
}

static int attached_points(const struct live_probe *p)
{
	int i, n = 0;

	for (i = 0; p->points && i < p->row->attach.n; i++)
		n += p->points[i].attached && is_first_place(p->row->attach.at[i]);
	return n;
}

static bool is_attached(const struct live_probe *p)
{
	int i;

	for (i = 0; p->points && i < p->row->attach.n; i++)
		if (p->points[i].attached)
			return true;
	return false;
}

/* Has any program of this probe of the script been attached, here or in a sibling? */
static bool any_attached(const struct session *s, int source_probe)
{
	int i;

	for (i = 0; i < s->manifest->probes.n; i++)
		if (s->probes[i].row->source_probe == source_probe && is_attached(&s->probes[i]))
			return true;
	return false;
}

/* What the script's options have made empty: `tracepoint:a:b / getopt("with-b") / { ... }` costs nothing unless it is asked for. */
static bool is_off(const struct session *s, const struct live_probe *p)
{
	return s->manifest->options.n && p->row->kind != PROBE_ITER && sys_prog_is_idle(bpf_program__fd(p->prog));
}

/* begin, end and the like hang on nothing, nor does what is off; they count as attached. */
static void accept_points(struct live_probe *p)
{
	int i;

	for (i = 0; i < p->row->attach.n; i++)
		probe_point_ok(p, i);
}

static void attach_probe(struct session *s, struct live_probe *p)
{
	if (p->skipped)
		return;
	if (s->opt->verbose)
		VEC_EACH(spec, &p->row->attach)
			fprintf(stderr, "Attaching '%.*s' probe\n", STR_ARG((*spec)->text));
	if (is_special(p->row->kind) || is_off(s, p))
		accept_points(p);
	else if (p->provider->attach)
		p->provider->attach(p, &s->env);
}

static int count_points(const struct session *s)
{
	int i, n = 0;

	for (i = 0; i < s->manifest->probes.n; i++)
		VEC_EACH(spec, &s->probes[i].row->attach)
			n += is_first_place(*spec);
	return n;
}

static void attach_all(struct session *s)
{
	struct progress *progress = &s->env.progress;
	int n = s->manifest->probes.n, i;

	progress_begin(progress, "Attaching", count_points(s), !s->opt->quiet);
	for (i = 0; i < n && !progress->stopped; i++)
		if (!s->probes[i].reverse)
			attach_probe(s, &s->probes[i]);
	for (i = n - 1; i >= 0 && !progress->stopped; i--)
		if (s->probes[i].reverse)
			attach_probe(s, &s->probes[i]);
	progress_end(progress);
}

static void tell_point(struct session *s, const struct live_probe *p, int point, enum diag_severity severity)
{
	const struct live_point *at = &p->points[point];
	const char *why = at->why ? at->why : strerror(at->err ? at->err : EINVAL);
	const char *hint = at->hint;

	if (!hint && severity == DIAG_ERROR)
		hint = "if that is expected, set `missing_probes = \"warn\"` in the config block";
	session_message(s, p->row->span, severity, hint, "cannot attach %.*s: %s%s", STR_ARG(p->row->attach.at[point]->text), why,
			severity == DIAG_ERROR ? "" : "; it is left out");
}

/* A point that failed matters when nothing else of its probe could be attached; else (one function of a wildcard) it is told. */
static bool tell_failures(struct session *s)
{
	int missing = s->manifest->config.missing_probes, i, k;
	bool ok = true;

	for (i = 0; i < s->manifest->probes.n; i++) {
		struct live_probe *p = &s->probes[i];
		bool others = any_attached(s, p->row->source_probe);
		bool fatal = missing == MISSING_ERROR && !others;

		for (k = 0; k < p->row->attach.n && session_runs_kind(s, p->row->kind); k++) {
			if (p->points[k].attached || missing == MISSING_IGNORE)
				continue;
			if (!fatal && s->opt->style.no_warnings)
				continue;
			tell_point(s, p, k, fatal ? DIAG_ERROR : DIAG_WARNING);
			ok = ok && !fatal;
		}
	}
	return ok;
}

static void run_probe(struct session *s, struct live_probe *p)
{
	int err = p->skipped || !p->provider->run ? 0 : p->provider->run(p);

	if (err)
		session_message(s, p->row->span, DIAG_ERROR, NULL, "cannot run %.*s: %s", STR_ARG(p->row->name), strerror(-err));
}

void session_run_special(struct session *s, enum probe_kind_id kind)
{
	int i;

	for (i = 0; i < s->manifest->probes.n; i++)
		if (s->probes[i].row->kind == kind)
			run_probe(s, &s->probes[i]);
}

int session_attach(struct session *s)
{
	int i, n = 0;

	session_run_special(s, PROBE_BEGIN);
	attach_all(s);
	for (i = 0; i < s->manifest->probes.n; i++)
		n += attached_points(&s->probes[i]);
	if (s->env.progress.stopped) {
		if (!s->opt->quiet)
			fprintf(stderr, "Stopped while attaching: %d of %d probes were attached\n", n, count_points(s));
		s->stopping = true;
		return 0;
	}
	if (!tell_failures(s))
		return 255;
	if (!n) {
		if (!s->opt->quiet)
			fputs("No probes to attach\n", stderr);
		return 1;
	}
	if (!s->opt->dry_run && !session_in_mode(s))
		output_attached(&s->output, n);
	return 0;
}

static void detach_probe(struct session *s, int i)
{
	if (s->probes[i].provider)
		probe_detach(&s->probes[i], &s->env.progress);
}

/* The last attached first: what one probe notes for another is there as long as the other runs.  Iterators run when they are
 * walked, which `end` may still ask for. */
void session_detach(struct session *s, bool iterators)
{
	int i, links = 0, n = s->probes ? s->manifest->probes.n : 0; /* none: an artefact that could not be read */

	for (i = 0; i < n; i++)
		links += s->probes[i].links.n;
	progress_begin(&s->env.progress, "Detaching", links, !s->opt->quiet);
	for (i = 0; i < n; i++)
		if (s->probes[i].reverse && (iterators || s->probes[i].row->kind != PROBE_ITER))
			detach_probe(s, i);
	for (i = n - 1; i >= 0; i--)
		if (!s->probes[i].reverse && (iterators || s->probes[i].row->kind != PROBE_ITER))
			detach_probe(s, i);
	progress_end(&s->env.progress);
}

bool session_has_work(const struct session *s)
{
	int i;

	if (s->opt->child) /* it runs to its end, whoever watches it */
		return true;
	for (i = 0; i < s->manifest->probes.n; i++) {
		enum probe_kind_id kind = s->probes[i].row->kind;

		if (kind != PROBE_BEGIN && kind != PROBE_END && kind != PROBE_TEST && kind != PROBE_BENCH && kind != PROBE_ITER &&
		    is_attached(&s->probes[i]))
			return true;
	}
	return false;
}
