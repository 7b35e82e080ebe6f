/* What went wrong in BPF programs is counted there by place (manifest_site); here the counters are read, told about when they
 * grow, and summed up at the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "runtime/session_internal.h"

struct counter {
	uint64_t count;
	int64_t code;
};

/* Sum over CPUs; the code of a CPU that has one.  False when it cannot be read. */
static bool read_site(struct session *s, int site, struct counter *copies, struct counter *sum)
{
	uint32_t key = (uint32_t)site;
	int cpu;

	if (bpf_map_lookup_elem(s->sites_fd, &key, copies))
		return false;
	*sum = (struct counter){0};
	for (cpu = 0; cpu < s->ncpus; cpu++) {
		sum->count += copies[cpu].count;
		if (copies[cpu].code)
			sum->code = copies[cpu].code;
	}
	return true;
}

/* When is a cause told about: as soon as it grows, only at the end, only with -k. */
enum moment { AT_ONCE, AT_END, ASKED_FOR };

static enum moment moment_of(enum site_cause cause)
{
	switch (cause) {
	case SITE_LOST_EVENT:
	case SITE_MAP_UPDATE:
	case SITE_STACK:
	case SITE_DIVIDE:
	case SITE_BOUNDS:
	case SITE_LOOP_CUT:
	case SITE_NO_CHILD:
	case SITE_SIGNAL:
		return AT_ONCE;
	case SITE_KEY_CUT:
	case SITE_STRING_CUT:
	case SITE_RECURSION:
		return AT_END;
	case SITE_HELPER:
	case SITE_LOOKUP:
		return ASKED_FOR;
	case SITE_CAUSE_COUNT:
		break;
	}
	return AT_END;
}

static const char *map_update_text(struct session *s, const struct manifest_site *site, int code, const char **hint)
{
	const struct manifest_map *map = site->map >= 0 ? &s->manifest->maps.at[site->map] : NULL;

	if (code == -E2BIG) {
		*hint = arena_printf(s->event,
				     "make it larger: `config = { max_map_keys = %u }`, or for this map alone: `let %.*s = %s(%u);`",
				     map ? map->max_entries * 4 : 65536, map ? (int)map->name.n : 1, map ? map->name.s : "@",
				     map && map->percpu ? "percpuhash" : "hash", map ? map->max_entries * 4 : 65536);
		return arena_printf(s->event, "the map %.*s is full (%u keys): new keys are not stored", map ? (int)map->name.n : 1,
				    map ? map->name.s : "@", map ? map->max_entries : 0);
	}
	return arena_printf(s->event, "an entry of the map %.*s could not be stored: %s", map ? (int)map->name.n : 1,
			    map ? map->name.s : "@", code ? strerror(-code) : "no memory");
}

static const char *text_of(struct session *s, const struct manifest_site *site, int code, const char **hint)
{
	switch (site->cause) {
	case SITE_LOST_EVENT:
		return "events were lost";
	case SITE_MAP_UPDATE:
		return map_update_text(s, site, code, hint);
	case SITE_KEY_CUT:
		return "texts were cut to fit into the key: different ones may have become one";
	case SITE_STRING_CUT:
		*hint = "raise max_strlen in the config block";
		return "texts were longer than max_strlen and are shown cut";
	case SITE_STACK:
		if (code == -EEXIST) {
			*hint = "raise max_stacks in the config block";
			return "stacks could not be kept: there is no room left beside others of the same hash";
		}
		if (code == -EFAULT) {
			*hint = "tracepoints of system calls have none on some kernels: take it in rawtracepoint:sys_enter or in a kprobe";
			return "the kernel gives no kernel stack here";
		}
		return arena_printf(s->event, "stacks could not be taken: %s", code ? strerror(-code) : "unknown reason");
	case SITE_DIVIDE:
		return "division by zero: the result is 1";
	case SITE_BOUNDS:
		return "an array was read outside of its bounds";
	case SITE_RECURSION:
		return "the probe was left out because it hit while another one was at work on the same CPU";
	case SITE_HELPER:
		return arena_printf(s->event, "%s", code ? strerror(-code) : "a helper failed");
	case SITE_LOOKUP:
		return "the map has no such key: zero is used";
	case SITE_LOOP_CUT:
		return "a loop was ended at its limit on this kernel";
	case SITE_NO_CHILD:
		return "there is no child command (-c): cpid is zero";
	case SITE_SIGNAL:
		return arena_printf(s->event, "signals are 1 to 64, not %d", code);
	case SITE_CAUSE_COUNT:
		break;
	}
	return "unknown trouble";
}

static void tell(struct session *s, const struct manifest_site *site, uint64_t count, int code)
{
	struct output_trouble t = {.span = session_span(s, site->span), .severity = DIAG_WARNING, .source_line = true};
	bool helper = site->helper.n && (site->cause == SITE_MAP_UPDATE || site->cause == SITE_HELPER || site->cause == SITE_LOOKUP);

	t.type = helper ? "helper_error" : "runtime_error";
	if (site->cause == SITE_SIGNAL) {
		t.type = "errorf";
		t.severity = DIAG_ERROR;
	}
	t.text = text_of(s, site, code, &t.hint);
	if (count > 1)
		t.text = arena_printf(s->event, "%s (%llu times)", t.text, (unsigned long long)count);
	if (helper) {
		t.helper = site->helper;
		t.retcode = code;
	}
	output_trouble(&s->output, &t);
}

/* `grown`: since the last look.  The frame is shown at the first time and, with the total, at the end. */
static void look_at_site(struct session *s, int i, const struct counter *now, bool last)
{
	const struct manifest_site *site = &s->manifest->sites.at[i];
	struct live_site *known = &s->sites[i];
	enum moment moment = moment_of(site->cause);

	known->count = now->count;
	known->last_code = now->code;
	if (site->cause == SITE_LOST_EVENT || known->count == known->told)
		return;
	if (moment == ASKED_FOR && !s->opt->show_helper_errors)
		return;
	if (!last && (moment == AT_END || known->told))
		return;
	tell(s, site, known->count, (int)known->last_code);
	known->told = known->count;
}

static uint64_t lost_events(const struct session *s)
{
	uint64_t lost = 0;
	int i;

	for (i = 0; i < s->manifest->sites.n; i++)
		if (s->manifest->sites.at[i].cause == SITE_LOST_EVENT)
			lost += s->sites[i].count;
	return lost;
}

/* Runs that the kernel itself left out: no site can count them. */
static void tell_missed(struct session *s)
{
	bool unknown = false;
	int i;

	for (i = 0; i < s->manifest->probes.n; i++) {
		struct live_probe *p = &s->probes[i];
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);
		uint64_t missed;

		if (p->skipped || !p->provider || bpf_obj_get_info_by_fd(bpf_program__fd(p->prog), &info, &size))
			continue;
		missed = info.recursion_misses + p->missed;
		if (missed && !s->opt->style.no_warnings)
			diag_print_now(stderr, s->opt->style, session_span(s, p->row->span), DIAG_WARNING,
				       arena_printf(s->event, "the kernel left out %llu %s of %.*s: %sanother probe was at work on that CPU",
						    (unsigned long long)missed, missed == 1 ? "run" : "runs", STR_ARG(p->row->name),
						    p->row->kind == PROBE_KRETPROBE || p->partner ? "too many calls were in progress, or " : ""),
				       NULL, false);
		unknown |= p->missed_unknown;
	}
	if (s->opt->verbose && !s->kernel->has(s->kernel, KERNEL_RUN_COUNTERS))
		fputs("This kernel does not count the runs of probes that it leaves out (docs/kernels.md)\n", stderr);
	else if (s->opt->verbose && unknown)
		fputs("This kernel does not count the runs of kprobes and kretprobes that it leaves out (docs/kernels.md)\n", stderr);
}

void sites_check(struct session *s, bool last)
{
	struct counter *copies, sum;
	uint64_t lost, before;
	int i;

	if (s->sites_fd >= 0 && s->manifest->sites.n) {
		copies = NEW_ARRAY(s->event, struct counter, s->ncpus);
		before = lost_events(s);
		for (i = 0; i < s->manifest->sites.n; i++)
			if (read_site(s, i, copies, &sum))
				look_at_site(s, i, &sum, last);
		lost = lost_events(s);
		if (lost > before)
			output_lost(&s->output, lost - before);
		if (last && lost)
			output_lost_total(&s->output, lost);
		arena_reset(s->event);
	}
	if (last && s->probes && !s->output.mute)
		tell_missed(s);
}
