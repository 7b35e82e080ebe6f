/* What a printed value asks of the machine: names of addresses, users, cgroups; frames of stacks.  The real answers are in
 * symbols.c and stacks.c; unit tests give their own.  Answers are untrusted bytes unless said otherwise: printers escape them. */
#ifndef WT_NAMES_H
#define WT_NAMES_H

#include "codegen/manifest.h"

struct names {
	/* Kernel symbol holding `address`, with "+offset" (decimal, also +0) when asked; unknown: "0x...".  Owned by `a`. */
	struct str (*ksym)(struct names *n, struct arena *a, uint64_t address, bool offset);
	/* The same in process `tgid`. */
	struct str (*usym)(struct names *n, struct arena *a, uint32_t tgid, uint64_t address, bool offset);
	/* A stack as language.md 14.4 prints it: newline, then a line per frame, each ended by newline; symbol and path bytes
	 * already escaped unless `raw`.  `bytes` are those of TYPE_KSTACK or TYPE_USTACK (type.h). */
	struct str (*stack)(struct names *n, struct arena *a, const struct shape *shape, const void *bytes, bool raw);
	/* Name of a user id, decimal when unknown. */
	struct str (*user)(struct names *n, struct arena *a, uint64_t uid);
	/* Paths of a cgroup id, "unified:/path,..." filtered by the wildcard `filter` on the hierarchy's name; empty when unknown. */
	struct str (*cgroup)(struct names *n, struct arena *a, uint64_t id, struct str filter);
	/* Nanoseconds to add to clock `clock` (type.h TYPE_TIMESTAMP) for CLOCK_REALTIME. */
	int64_t (*clock_offset)(struct names *n, int clock);
};

#endif
