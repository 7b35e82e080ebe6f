/* bpf(2) for what libbpf 1.1 has not: kprobe_multi with sessions, uprobe_multi, newer facts of links and programs.
 * Constants are those of include/uapi/linux/bpf.h of the kernel named beside them. */
#ifndef WT_BPF_SYS_H
#define WT_BPF_SYS_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	SYS_TRACE_KPROBE_MULTI = 42,   /* 5.18 */
	SYS_TRACE_UPROBE_MULTI = 48,   /* 6.6 */
	SYS_TRACE_KPROBE_SESSION = 56, /* 6.10 */
	SYS_TRACE_UPROBE_SESSION = 57, /* 6.13 */
	SYS_LINK_KPROBE_MULTI = 8,     /* type of a link */
	SYS_KPROBE_MULTI_RETURN = 1,   /* flags of the links */
	SYS_UPROBE_MULTI_RETURN = 1,
};

/* The part of union bpf_attr that BPF_LINK_CREATE reads. */
struct sys_link_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	union {
		struct {
			uint64_t bpf_cookie;
		} perf_event;
		struct {
			uint32_t flags, cnt;
			uint64_t syms, addrs, cookies;
		} kprobe_multi;
		struct {
			uint64_t path, offsets, ref_ctr_offsets, cookies;
			uint32_t cnt, flags, pid;
			uint32_t path_fd; /* 7.0 */
		} uprobe_multi;
		struct {
			uint32_t target_btf_id;
			uint64_t cookie;
		} tracing;
	};
};

enum { SYS_PERF_EVENT_KPROBE = 3, SYS_PERF_EVENT_KRETPROBE = 4 }; /* sys_link_info.perf_event.type */

/* The part of struct bpf_link_info that tells missed runs (6.7). */
struct sys_link_info {
	uint32_t type, id, prog_id;
	union {
		struct {
			uint64_t addrs;
			uint32_t count, flags;
			uint64_t missed;
		} kprobe_multi __attribute__((aligned(8)));
		struct {
			uint32_t type, unused;
			uint64_t func_name;
			uint32_t name_len, offset;
			uint64_t addr, missed;
		} perf_event __attribute__((aligned(8)));
	};
};

/* The kernel's own "not supported", which has no name outside of it; what libc calls ENOTSUP is another. */
enum { SYS_ENOTSUPP = 524 };

/* bpf(2): the result, or -errno. */
int sys_bpf(int cmd, void *attr, size_t size);
/* A link's fd, or -errno. */
int sys_link_create(struct sys_link_attr *attr);

/* Facts of a link, or a negative errno; *size: how many bytes of them this kernel knows. */
int sys_link_info(int fd, struct sys_link_info *info, uint32_t *size);

/* Load a program of raw instructions.  `log` may be NULL.  A fd, or -errno. */
struct sys_prog {
	uint32_t type, expected_attach_type, attach_btf_id;
	const struct bpf_insn *insns;
	uint32_t ninsns;
	char *log;
	uint32_t log_size;
};
int sys_prog_load(const struct sys_prog *p);

/* Is nothing left of this loaded program that could be seen from outside: no call, no store?  The verifier takes out what constants
 * in .rodata make unreachable, as options that were not given.  False as well when the kernel does not show its instructions. */
bool sys_prog_is_idle(int fd);

#endif
