/* The manifest: plain data in the artefact's ELF section .waketrace.  All that the runtime needs to attach, to read events, to
 * name and to print maps.  Written by codegen, read (bounds-checked, versioned) by the runtime.  Knows neither LLVM nor libbpf.
 * Encoding: docs/manifest.md. */
#ifndef WT_MANIFEST_H
#define WT_MANIFEST_H

#include "lang/format.h"
#include "lang/probe_spec.h"
#include "lang/program.h"
#include "lang/support/str.h"
#include "lang/support/vec.h"
#include "lang/type.h"

enum { MANIFEST_VERSION = 6 };

#define MANIFEST_SECTION ".waketrace"

/* Shape of bytes: a type made plain.  Shapes refer to each other by index into manifest->shapes, always to lower ones. */
struct shape_field {
	struct str name; /* empty in tuples */
	int shape;
	uint32_t offset;
	uint32_t bit_offset, bit_size; /* bitfields; bit_size 0: none */
};

struct shape_value { /* of an enum */
	struct str name;
	uint64_t value;
};

struct shape {
	enum type_kind kind;
	bool is_signed;
	uint32_t size;	/* bytes */
	uint32_t count; /* ARRAY: elements; BUFFER: bytes */
	int elem;	/* ARRAY: shape of an element, else -1 */
	struct str name;	/* STRUCT, ENUM: its tag; TIMESTAMP: format; CGROUP_PATH: filter */
	enum stack_mode mode;	/* KSTACK, USTACK */
	uint32_t limit;
	int clock;		/* TIMESTAMP */
	bool user;		/* PTR: user address space */
	int64_t params[4];	/* HIST, LHIST, TSERIES */
	VEC(struct shape_field) fields; /* TUPLE, RECORD, STRUCT */
	VEC(struct shape_value) values; /* ENUM */
};

struct manifest_span {
	int source; /* index into manifest->sources; -1: no place */
	uint32_t begin, end;
	int parent; /* index into manifest->spans: the macro call it was expanded from, -1: none */
};

struct manifest_map {
	struct str name;     /* with @ */
	struct str elf_name; /* of the BPF map: at most 15 bytes, a C identifier */
	int key;	     /* shape; -1: scalar */
	int value;	     /* shape */
	uint32_t value_size; /* bytes per CPU in the BPF map: aggregates' own layout, see below */
	/* A map that print() or report() drains has a twin.  Programs use the first while the u32 `elf_turn` in .bss is even, the
	 * twin while it is odd; user space turns it, waits until no program can still be at work on the old one, and reads that at
	 * leisure.  Both empty: no twin. */
	struct str elf_twin, elf_turn;
	bool percpu;
	bool lru;
	uint32_t max_entries;
	int span;
};

/* Layout of aggregates in memory (per CPU copy, native byte order):
 *   COUNT { u64 n }   SUM { s64/u64 sum }   MIN, MAX { s64/u64 value; u64 is_set }   AVG { s64/u64 total; u64 count }
 *   STATS { s64/u64 total; u64 count; s64/u64 unused-zero }   HIST { u64 buckets[] }: see hist_buckets() in type.h
 *   LHIST { u64 buckets[n + 2] }: below min, steps, max and above: lhist_buckets()
 *   TSERIES { struct { u64 start, value, aux; } slots[n] }: start of the interval in ns since 1970 (a minute begins with a minute
 *     of the clock on the wall), 0: empty slot; aux: of avg the count (value is the sum), of the last value the time it was
 *     taken.  Slots of one start on several CPUs are one interval. */
/* How a text of fixed capacity, in a map key or value or in an event, says that it was cut: its last byte is not NUL.  Then
 * the capacity - 1 bytes before it are shown, with config.str_trunc_trailer.  A whole text always has a NUL.  Texts that are
 * members of a STRUCT shape are the traced program's own memory: they end at the first NUL or at their size, and are whole. */

/* What the runtime does on an event; ids index manifest->events, records carry the id in their first u32. */
enum event_kind {
	EVENT_PRINTF, EVENT_PRINT_VALUE, EVENT_PRINT_MAP, EVENT_CLEAR, EVENT_ZERO, EVENT_TIME, EVENT_EXIT, EVENT_REPORT,
	EVENT_CAT, EVENT_JOIN, EVENT_SYSTEM, EVENT_ERRORF, EVENT_WARNF, EVENT_UNWATCH, EVENT_SKBOUTPUT, EVENT_CLS, EVENT_WALK,
	EVENT_KIND_COUNT
};

/* A value inside an event record.
 * Record: u32 event id, u32 total bytes, then values.  A fixed value lies at `offset`.  A text or buffer value that is `pointed`
 * (shape STRING or BUFFER) is a pair { u32 offset, u32 bytes } at `offset`: where its bytes lie behind the fixed part, from the
 * record's start, and how many they are.  They have no NUL and no length of their own, and bit 31 of `bytes` says that the text
 * was cut.  A reader checks each pair against the record's size. */
struct event_value {
	int shape;
	uint32_t offset;
	bool pointed; /* text behind the fixed part */
	bool literal; /* every text in it stands in the script: printed as it is, never escaped */
};

struct manifest_report_expr {
	VEC(struct report_code) code;
	int shape;
};

/* A map whose keys get rows in a report of another one. */
struct manifest_join {
	int map;
	bool drain; /* clear(@map) follows as well */
};

struct manifest_event {
	enum event_kind kind;
	int span;
	uint32_t fixed_size; /* bytes of the fixed part, header included */
	VEC(struct event_value) values;
	struct str format;   /* PRINTF, CAT, SYSTEM, ERRORF, WARNF, REPORT: printf-style; TIME: strftime; JOIN: separator */
	int map;	     /* PRINT_MAP, CLEAR, ZERO, REPORT; else -1 */
	uint64_t top, div;   /* PRINT_MAP; REPORT: top; 0: not given */
	bool descending;     /* REPORT, PRINT_MAP by= */
	bool percentiles;    /* PRINT_MAP of histograms: percentiles instead of rows */
	VEC(struct manifest_report_expr) report; /* REPORT: one per value of the format; then `by` when has_by */
	bool has_by;
	VEC(struct manifest_report_expr) where;	   /* REPORT: none or one; entries for which it is 0 are left out */
	VEC(struct manifest_report_expr) desc_if; /* REPORT: none or one, of options alone: is the order descending? */
	bool drain;	     /* PRINT_MAP, REPORT: clear(@m) of the same map follows in the same block: entries are taken out while
			      * they are read, so that nothing is lost or counted twice.  No CLEAR event is sent for it. */
	VEC(struct manifest_join) joins; /* REPORT */
	int top_option;	     /* 1 + the script option that gives `top`; 0: none */
	uint64_t fit;	     /* REPORT: on a terminal at most its height less this many lines; 0: all */
	struct str totals;   /* REPORT: format of a line of sums over all entries, one for each of the last values; empty: none */
	int code;	     /* EXIT: status when it is constant (no values) */
};

struct manifest_attach {
	struct probe_spec spec; /* kind by id; texts owned by the manifest */
};

struct manifest_probe {
	struct str elf_name;	/* of the BPF program */
	enum probe_kind_id kind;
	VEC(struct probe_spec *) attach;
	struct str name;
	int span;
	int source_probe;
	bool uses_cookie;   /* `probe` or `func` of many attach points is told apart by the attach cookie = index into attach */
	bool uses_place;    /* usdt: the map of places says where each is linked */
	uint32_t needs;	    /* bits of enum kernel_feature without which it is not loaded */
};

/* uaddr(): the runtime looks the variable up in the file of the probe, before load. */
struct manifest_variable {
	struct str name;
	int probe;	     /* whose attach point 0 names the file */
	int span;
	struct str elf_name; /* two u64 in .rodata: its address as linked; that of the attach point, 0: the file is not moved */
};

/* A place in the script that counts what went wrong there.  Counters: per-CPU array map "wt_sites" indexed by site,
 * value { u64 count; s64 last return code }. */
enum site_cause {
	SITE_LOST_EVENT,   /* ring buffer full */
	SITE_MAP_UPDATE,   /* update refused: map full, or no memory */
	SITE_KEY_CUT,	   /* a text was cut to fit a key */
	SITE_STRING_CUT,
	SITE_STACK,	   /* stack not taken */
	SITE_DIVIDE,	   /* division or modulo by zero */
	SITE_BOUNDS,	   /* array index out of bounds */
	SITE_RECURSION,	   /* probe skipped: its scratch memory was in use */
	SITE_HELPER,	   /* other helper failed (shown with -k) */
	SITE_LOOKUP,	   /* key not there (shown with -k) */
	SITE_LOOP_CUT,	   /* a loop ended at its limit */
	SITE_NO_CHILD,	   /* cpid without -c */
	SITE_SIGNAL,	   /* signal() of a number that is none, which is the code */
	SITE_CAUSE_COUNT
};

struct manifest_site {
	enum site_cause cause;
	int span;
	int probe;	   /* index into probes; -1 */
	int map;	   /* SITE_MAP_UPDATE, SITE_LOOKUP; -1 */
	struct str helper; /* "map_update_elem" */
	int event;	   /* SITE_LOST_EVENT: index into events, else 0.  An EXIT that was lost must still be obeyed */
};

struct manifest_option {
	struct str name, help;
	struct str choices; /* OPTION_STRING: words of which it must be one; empty: any text */
	char letter;
	enum option_kind kind;
	uint64_t number;
	bool settled;	       /* numbers: an attach point was made with this value, and no other can be given any more */
	uint64_t settled_to;
	struct str text;
	struct str elf_name;   /* variable in .rodata that takes the value */
	uint32_t size;	       /* its bytes; OPTION_LIST: u64 count, then s64 values[(size - 8) / 8]; OPTION_TEXTS: the same with texts of
				* LIST_TEXT bytes */
};

struct manifest_stacks { /* a BPF stack trace map pair: ids clash in the first, then the second is tried.  One
			   * name only: a hash map from u32 ids to frames (stacks of tasks), as large as it is */
	struct str elf_name[2];
	uint32_t depth;	 /* frames asked for */
	uint32_t spare;	 /* frames that are taken besides, because the leaf end may be the tracer's own program and trampoline,
			  * which are left out when the stack is printed.  The runtime cuts the maps to what the kernel allows
			  * (kernel.perf_event_max_stack) */
	bool user;
	bool build_id;
	int depth_option, kept_option; /* 1 + the script option that gives the depth, the number of elements; 0: none */
};

struct manifest_source {
	struct str name, text;
};

/* Fields are found by CO-RE, but the bytes of a whole struct are read back as the building kernel lays them out. */
struct manifest_layout {
	struct str name; /* of a kernel struct or union, or the typedef that names it; empty: it has none */
	bool is_union;
	uint64_t hash;	 /* type_layout() */
};

struct manifest {
	struct str license;
	struct config config;
	uint32_t needs;		 /* bits of enum kernel_feature; refused at load where one is absent */
	uint32_t asks;		 /* bits of RODATA_FEATURES that programs look at: only these are probed before load */
	VEC(struct manifest_layout) layouts; /* kernel structs that are copied as a whole: an artefact is refused where one differs */
	VEC(struct manifest_source) sources;
	VEC(struct manifest_span) spans;
	VEC(struct shape) shapes;
	VEC(struct manifest_map) maps;
	VEC(struct manifest_event) events;
	VEC(struct manifest_probe) probes; /* in source order */
	VEC(struct manifest_site) sites;
	VEC(struct manifest_option) options;
	VEC(struct manifest_stacks) stacks;
	VEC(struct manifest_variable) variables;
	VEC(int) shape_of_type; /* while it is made: type id -> index of its shape + 1; not written */
};

/* Encode; the bytes are owned by `a`. */
struct str manifest_write(struct arena *a, const struct manifest *m);
/* Decode; every index, count and offset is checked.  NULL and *why for a damaged, foreign or newer manifest. */
struct manifest *manifest_read(struct arena *a, struct str bytes, const char **why);
/* Readable dump (JSON) for -d manifest and golden tests. */
void manifest_dump(const struct manifest *m, struct strbuf *out);
/* Add the shape of a type (once); returns its index.  Structs bring the shapes of their fields; pointers end there. */
int manifest_shape(struct arena *a, struct manifest *m, struct types *types, const struct type *t);
/* Note that values of a type are copied: kernel structs in it must lie where the artefact runs as they do here. */
void manifest_layout(struct arena *a, struct manifest *m, struct types *types, const struct type *t);
/* Add a place (once) with the macro calls that lead to it; returns its index, -1 for no place. */
/* Name of a word that a program of one attach point has for itself: RODATA_FUNC or RODATA_RAW_SYSCALL.  NUL-terminated. */
struct str manifest_probe_word(struct arena *a, const char *prefix, const struct probe_spec *spec);
int manifest_span(struct arena *a, struct manifest *m, struct span span);

/* Names shared by codegen and runtime inside the ELF object. */
#define ELF_RINGBUF "wt_events"	 /* ring buffer */
#define ELF_SITES "wt_sites"	 /* per-CPU array of site counters */
#define ELF_SCRATCH "wt_scratch" /* array of scratch memory; max_entries in the object is for one CPU: times wt_ncpus at load */
/* .rodata variables, all const volatile, patched before load: */
#define RODATA_FEATURES "wt_features"	 /* u64: bit per enum kernel_feature that the running kernel has */
#define RODATA_SELF_PID "wt_self_pid"	 /* u32 tgid of the tracer in the initial namespace */
#define RODATA_FILTER_PID "wt_filter_pid" /* u32: -p, 0 none; compared with the tgid as `pid` sees it */
#define RODATA_CHILD_PID "wt_child_pid"	 /* u32: cpid, 0 none */
#define RODATA_PIDNS_DEV "wt_pidns_dev"	 /* u64 device and inode of the tracer's pid namespace; 0: the initial one */
#define RODATA_PIDNS_INO "wt_pidns_ino"
#define RODATA_START_NS "wt_start_ns"	 /* u64 boot-time ns when tracing began, for `elapsed` */
#define RODATA_TAI_OFFSET "wt_tai_offset" /* u64 ns to add to boot time for TAI */
#define RODATA_WALL_OFFSET "wt_wall_offset" /* u64 ns to add to boot time for the time of day */
#define RODATA_FUNC "wt_func_"		 /* u64: address of the function of a program; see manifest_probe_word(); only where no helper tells it */
#define RODATA_RAW_SYSCALL "wt_raw_"	 /* u32: this tracepoint of a system call is attached to raw_syscalls, its program must filter */
#define RODATA_VARIABLE "wt_var_"	 /* u64[2] of manifest_variable, see there */
#define RODATA_NCPUS "wt_ncpus"		 /* u32 possible CPUs */

#endif
