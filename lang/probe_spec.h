/* The text of one attach point, taken apart. */
#ifndef WT_PROBE_SPEC_H
#define WT_PROBE_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "lang/support/arena.h"
#include "lang/support/diag.h"
#include "lang/support/str.h"
#include "lang/type.h"

enum probe_kind_id {
#define PROBE_KIND(id, ...) PROBE_##id,
#include "lang/probe_kinds.def"
#undef PROBE_KIND
	PROBE_KIND_COUNT
};

/* How a program's context is read. */
enum context_family {
	CONTEXT_NONE,	    /* no arguments */
	CONTEXT_REGS,	    /* struct pt_regs * */
	CONTEXT_TRACEPOINT, /* the trace record */
	CONTEXT_WORDS,	    /* u64 array: fentry, fexit, raw tracepoints */
	CONTEXT_PERF,	    /* struct bpf_perf_event_data * */
	CONTEXT_ITER,	    /* struct bpf_iter__NAME * */
};

struct probe_kind {
	enum probe_kind_id id;
	const char *name;    /* "kprobe" */
	const char *aliases; /* separated by blanks */
	enum context_family family;
	enum addr_space as;
	bool has_argn, has_retval, has_func, wildcards, reverse;
	const char *help;
};

const struct probe_kind *probe_kind(enum probe_kind_id id);
/* By name (any case) or alias (exact case); NULL when unknown. */
const struct probe_kind *probe_kind_by_name(struct str name);

/* One attach point.  Fields that a kind has not are empty/zero.  Text is copied into the arena. */
struct probe_spec {
	struct span span;
	const struct probe_kind *kind;
	struct str text;     /* full name as `probe` yields it: "kprobe:vfs_read", "interval:us:1000000" */
	struct str module;   /* kprobe, fentry, rawtracepoint; tracepoint: the category */
	struct str function; /* symbol, event, software/hardware event, self: signal name, test/bench name, usdt name */
	struct str path;     /* uprobe, usdt: target as written, later as resolved; iter: the pin */
	struct str provider; /* usdt */
	struct str lang;     /* "cpp" */
	struct str file;     /* uprobe @file.c:LINE */
	uint32_t line, column;
	bool has_offset;
	uint64_t offset;     /* function+offset */
	bool has_address;
	uint64_t address;    /* kprobe:ADDR, uprobe:PATH:ADDR, watchpoint */
	uint64_t period_ns;  /* profile, interval; 0 when hz is set */
	uint64_t hz;	     /* profile:hz:N */
	uint64_t count;	     /* software, hardware: sample period, 0 = default; watchpoint: length */
	uint8_t watch_mode;  /* watchpoint: 1 r, 2 w, 4 x */
	int pid;	     /* uprobe with its own pid, else 0 */
	bool is_pattern;     /* any part holds a wildcard */
	uint32_t place;	     /* uprobe: which of its places in the file, from 1; 0: all of them, there is mostly one */
};

/* Take `text` (quotes included, positional parameters already replaced) apart.  A wildcard in the provider yields several
 * specs.  Returns how many were added to `out`; 0 with a diagnostic on error.  `kernel_side_only` limits provider wildcards. */
typedef VEC(struct probe_spec *) probe_spec_list;
int probe_spec_parse(struct arena *a, struct str text, struct span span, struct diag *d, probe_spec_list *out);
/* Recompute spec->text from the parts (after expansion). */
void probe_spec_name(struct arena *a, struct probe_spec *spec);

#endif
