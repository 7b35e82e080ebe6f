/* Thin wrappers around bpf(2). */
#include "runtime/bpf_sys.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int sys_bpf(int cmd, void *attr, size_t size)
{
	long r = syscall(__NR_bpf, cmd, attr, size);

	return r < 0 ? -errno : (int)r;
}

int sys_link_create(struct sys_link_attr *attr)
{
	return sys_bpf(BPF_LINK_CREATE, attr, sizeof(*attr));
}

int sys_link_info(int fd, struct sys_link_info *info, uint32_t *size)
{
	union bpf_attr attr;
	int err;

	memset(info, 0, sizeof(*info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(*info);
	attr.info.info = (uint64_t)(uintptr_t)info;
	err = sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
	*size = err ? 0 : attr.info.info_len;
	return err;
}

int sys_prog_load(const struct sys_prog *p)
{
	union bpf_attr attr;
	int fd, tries;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = p->type;
	attr.expected_attach_type = p->expected_attach_type;
	attr.attach_btf_id = p->attach_btf_id;
	attr.insns = (uint64_t)(uintptr_t)p->insns;
	attr.insn_cnt = p->ninsns;
	attr.license = (uint64_t)(uintptr_t)"GPL";
	if (p->log) {
		attr.log_buf = (uint64_t)(uintptr_t)p->log;
		attr.log_size = p->log_size;
		attr.log_level = 1;
	}
	for (tries = 0; tries < 5; tries++) { /* the verifier gives up with EAGAIN when a signal is pending */
		fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
		if (fd != -EAGAIN)
			break;
	}
	return fd;
}

/* A program that does something is longer than this, or has a call or a store among its first instructions. */
enum { IDLE_INSNS = 256 };

bool sys_prog_is_idle(int fd)
{
	struct bpf_insn insns[IDLE_INSNS];
	struct bpf_prog_info info;
	union bpf_attr attr;
	uint32_t i, n;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	info.xlated_prog_insns = (uint64_t)(uintptr_t)insns;
	info.xlated_prog_len = sizeof(insns);
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t)(uintptr_t)&info;
	if (sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) || !info.xlated_prog_insns || !info.xlated_prog_len ||
	    info.xlated_prog_len > sizeof(insns))
		return false;
	n = info.xlated_prog_len / sizeof(*insns);
	for (i = 0; i < n; i++) {
		uint8_t class = BPF_CLASS(insns[i].code);

		if (class == BPF_ST || class == BPF_STX)
			return false;
		if ((class == BPF_JMP || class == BPF_JMP32) && BPF_OP(insns[i].code) == BPF_CALL)
			return false;
	}
	return true;
}
