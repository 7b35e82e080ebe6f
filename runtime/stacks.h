/* Stacks as text (language.md 14.4): frames from the kernel's stack maps, names from kallsyms and processes. */
#ifndef WT_STACKS_H
#define WT_STACKS_H

#include <linux/bpf.h>

#include "runtime/kallsyms.h"
#include "runtime/names.h"
#include "runtime/processes.h"

enum { STACK_MAX_FRAMES = 1024 + 64 };

/* What a stack map holds. */
union stack_value {
	uint64_t ips[STACK_MAX_FRAMES * 4 + 1]; /* a build id takes four words; the last one stays 0 */
	struct bpf_stack_build_id ids[STACK_MAX_FRAMES];
};

/* Where the frames and names come from. */
struct stack_source {
	union stack_value *value; /* room to read one, used again for each */
	const int (*fds)[3]; /* pairs of BPF stack maps by manifest index, -1: none; then manifest_stacks.spare */
	int npairs;
	struct processes *processes;
	/* Kernel symbols, read by then. */
	const struct kallsyms *kallsyms;
	const uint64_t (*own)[2]; /* begin and end of the session's own jited programs */
	int nown;
	bool show_debug_info;
};

/* The text of one stack value; see names.h.  Owned by `a`. */
struct str stack_text(const struct stack_source *s, struct arena *a, const struct shape *shape, const void *bytes, bool raw);
/* How many frames at the leaf end of a kernel stack are the tracer's own: its program, trampoline, and what called it. */
int stack_own_frames(const struct stack_source *s, const uint64_t *ips, int n);

#endif
