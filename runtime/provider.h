/* One kind of probe at run time: what exists, how its program is loaded, how it is attached.  One file per kind (or family) in
 * runtime/providers/; the language's side of a kind is its row in lang/probe_kinds.def.
 *
 * Life of a live_probe: session opens the object -> prepare() -> bpf_object__load -> attach() (run() for begin, end and self)
 * -> events -> probe_detach(), which session calls exactly once, also after a prepare() or attach() that failed half-way. */
#ifndef WT_PROVIDER_H
#define WT_PROVIDER_H

#include "codegen/manifest.h"
#include "lang/kernel.h"
#include "lang/support/table.h"
#include "runtime/progress.h"

struct bpf_program;
struct bpf_link;

/* What is known of the session when probes are prepared and attached. */
struct attach_env {
	struct arena *arena;   /* session's: texts for `why` and `hint`, arrays */
	struct kernel *kernel; /* symbols, abilities */
	int pid;	       /* -p: kinds that can attach to one process do; 0 none */
	int child;	       /* pid of the -c child, stopped before its exec; 0 none */
	int rodata_fd;	       /* the loaded .rodata map, -1 when there is none */
	bool unsafe;	       /* --unsafe: try also what the list of traceable functions does not have */
	int verbose;
	struct table targets; /* bpf_program -> its function, see fentry.c */
	struct progress progress; /* of attaching or detaching: attach() takes a step before each point, and stops on false */
};

/* One attach point of a probe: entry i belongs to manifest_probe.attach[i]. */
struct live_point {
	bool attached;
	int err;	  /* when !attached: positive errno, 0: not tried */
	const char *why;  /* short fact for the message, NULL: strerror(err) says it all */
	const char *hint; /* what to try, NULL: nothing known */
};

/* Kernel objects that keep a program attached.  Everything hangs on file descriptors, so that nothing stays after SIGKILL. */
struct live_link {
	struct bpf_link *link; /* NULL: none */
	int fd;		       /* raw link or perf event that libbpf does not know; -1: none */
};

struct live_probe {
	const struct manifest_probe *row;
	const struct provider *provider;
	int number; /* index into manifest->probes */
	struct bpf_program *prog;
	struct live_point *points; /* row->attach.n of them */
	VEC(struct live_link) links; /* in the session's arena, see attach_env */
	void *own;		   /* the provider's own data */
	struct live_probe *partner; /* kprobe and kretprobe that share a link, see kprobe_session.h; NULL: none */
	bool reverse;		   /* attached last to first, so that programs of one attach point run in source order */
	bool raw_syscall;	   /* tracepoint:syscalls: attach to raw_syscalls, the program filters */
	bool skipped;		   /* not loaded: a needed ability is missing */
	uint64_t missed;	   /* what provider->missed said before probe_detach() */
	bool missed_unknown;	   /* it said that the kernel does not tell */
};

struct provider {
	enum probe_kind_id kind;

	/* Every existing probe that fits `pattern` (struct kernel.each_probe).  Number of calls of fn, or -errno. */
	int (*list)(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg);
	/* Arguments of one concrete attach point (struct kernel.args_of). */
	bool (*args)(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why);
	/* Does a concrete probe fit a pattern?  NULL: the texts of their parts are compared with str_match. */
	bool (*match)(const struct probe_spec *target, const struct probe_spec *pattern);
	/* Feed names near to a mistyped one. */
	void (*near)(struct kernel *k, const struct probe_spec *spec, struct diag_near *near);

	/* Before load: program type, expected attach type, attach target; `reverse` where this kernel wants another than the kind's.  0, or -errno with points[].why set; the session then
	 * leaves the program out of the load. */
	int (*prepare)(struct live_probe *p, struct attach_env *env);
	/* After load: attach every attach point, filling points[] and links.  Returns how many points are attached; each point
	 * that is not has err (and why, hint) set.  `probe` and `func` of a program with several points need the attach cookie
	 * (row->uses_cookie): the index of the point. */
	int (*attach)(struct live_probe *p, struct attach_env *env);
	/* begin, end, self: nothing is attached, the session runs the program itself. */
	int (*run)(struct live_probe *p);
	/* iter: walk the objects, writing what the program prints to fd `out`.  0 or -errno. */
	int (*walk)(struct live_probe *p, struct attach_env *env, int out);
	/* Runs that the kernel left out (recursion, too many calls in progress), beyond what bpf_prog_info counts; false when this
	 * kernel does not tell.  NULL: there are none. */
	bool (*missed)(struct live_probe *p, uint64_t *count);
	/* Give back `own`.  Links are taken down by probe_detach(). */
	void (*release)(struct live_probe *p);
};

/* The provider of a kind; NULL when this build has none (the session refuses the probe by name). */
const struct provider *provider_of(enum probe_kind_id kind);

/* Remember a link (or a raw fd) of `p`; it is owned by `p` from here on.  Either may be NULL / -1. */
void probe_add_link(struct live_probe *p, struct attach_env *env, struct bpf_link *link, int fd);
/* Take down one link before the others; it stays in the list, empty. */
void probe_drop_link(struct live_link *l);
/* Mark one point as attached, or as failed with a positive errno. */
void probe_point_ok(struct live_probe *p, int point);
void probe_point_failed(struct live_probe *p, int point, int err, const char *why, const char *hint);
/* Take down all links, in reverse order of making, and release().  Safe at any time, also twice.  One step of `progress` a link. */
void probe_detach(struct live_probe *p, struct progress *progress);
/* Run a program once in this process with BPF_PROG_TEST_RUN (raw tracepoint type).  0 or -errno; *result may be NULL. */
int probe_run_once(struct live_probe *p, uint32_t *result);

#endif
