/* Arguments of static probes (usdt): each place in a program keeps them elsewhere, so that codegen reads them as the runtime
 * tells it in a map of the artefact.
 *
 * ELF_USDT is a BPF hash map from usdt_key() to struct usdt_place.  Reading argument N of a place:
 *   n >= nargs or kind USDT_ARG_NONE          0
 *   USDT_ARG_CONST                            value
 *   USDT_ARG_REG                              the u64 at byte `reg` of struct pt_regs
 *   USDT_ARG_MEMORY                           u64 read from user memory at pt_regs[reg] + value (+ pt_regs[index] << scale)
 * and then, for all of them: r <<= shift; r >>= shift, the latter arithmetic when is_signed. */
#ifndef WT_USDT_H
#define WT_USDT_H

#include <stdint.h>

#define ELF_USDT "wt_usdt"

enum { USDT_MAX_ARGS = 12, USDT_MAX_PLACES = 4096, USDT_NO_INDEX = 0xffff };

enum usdt_arg_kind { USDT_ARG_NONE, USDT_ARG_CONST, USDT_ARG_REG, USDT_ARG_MEMORY };

struct usdt_arg {
	int64_t value;	/* the constant, or the displacement */
	uint16_t reg;	/* byte offset in struct pt_regs */
	uint16_t index; /* the same, USDT_NO_INDEX: none */
	uint8_t kind;	/* enum usdt_arg_kind */
	uint8_t shift;	/* 64 less the argument's bits */
	uint8_t is_signed;
	uint8_t scale; /* the index is shifted left by this */
};

struct usdt_place {
	uint32_t nargs, unused;
	uint64_t address; /* as linked, for uaddr(); 0 in programs that do not ask */
	struct usdt_arg args[USDT_MAX_ARGS];
};

/* Which place has been hit.  Where programs have attach cookies (5.15, the release that has bpf_get_func_ip for kprobe programs
 * too: KERNEL_FUNC_IP) the cookie is the key.  Older kernels: by the low bits of the instruction's address, which loading a file
 * elsewhere does not change; `program` is the index into manifest->probes. */
static inline uint32_t usdt_key(uint32_t program, uint64_t ip)
{
	return program << 12 | (ip & 0xfff);
}

#endif
