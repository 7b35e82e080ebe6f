/* kprobe sessions (6.10 on): one link and one program for the entry and the return of functions.
 *
 * The program is a short one of our own that asks which side it is on and calls on (tail call) to the script's program for that
 * side, so that the artefact is the same for every kernel:
 *
 *   r0 = bpf_session_is_return(ctx); bpf_tail_call(ctx, sides, r0); return 0
 *
 * What the script's programs see (registers, cookie, function) is what a link of their own would give them. */
#include "runtime/providers/kprobe_session.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "runtime/bpf_sys.h"
#include "runtime/machine.h"

struct session_link {
	int sides; /* program array: entry, return */
	int prog;
};

/* ---- pairs ----------------------------------------------------------------------------------------------------------------- */

static bool is_function_probe(const struct manifest_probe *row)
{
	return row->kind == PROBE_KPROBE || row->kind == PROBE_KRETPROBE || row->kind == PROBE_FENTRY || row->kind == PROBE_FEXIT;
}

static bool same_functions(const struct manifest_probe *entry, const struct manifest_probe *ret)
{
	int i;

	if (entry->attach.n != ret->attach.n)
		return false;
	for (i = 0; i < entry->attach.n; i++)
		if (!str_eq(entry->attach.at[i]->function, ret->attach.at[i]->function) ||
		    !str_eq(entry->attach.at[i]->module, ret->attach.at[i]->module))
			return false;
	return true;
}

/* Number of the probes of the script that run on each function. */
static void count_probes(struct table *counts, struct arena *a, const struct live_probe *probes, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!is_function_probe(probes[i].row))
			continue;
		VEC_EACH(spec, &probes[i].row->attach) {
			int *count = table_get(counts, (*spec)->function);

			if (!count)
				table_put(counts, (*spec)->function, count = NEW(a, int));
			++*count;
		}
	}
}

static bool are_alone(const struct table *counts, const struct manifest_probe *row)
{
	VEC_EACH(spec, &row->attach)
		if (*(int *)table_get(counts, (*spec)->function) != 2)
			return false;
	return true;
}

static bool may_pair(const struct live_probe *p, enum probe_kind_id kind)
{
	return p->row->kind == kind && p->row->attach.n > 1 && !p->partner;
}

void kprobe_sessions_pair(struct arena *a, struct live_probe *probes, int n)
{
	struct table counts = {.arena = a};
	int i, k;

	for (i = 0; i < n; i++) {
		if (!may_pair(&probes[i], PROBE_KPROBE))
			continue;
		if (!counts.n)
			count_probes(&counts, a, probes, n);
		for (k = 0; k < n && !probes[i].partner; k++) {
			if (!may_pair(&probes[k], PROBE_KRETPROBE) || !same_functions(probes[i].row, probes[k].row) ||
			    !are_alone(&counts, probes[i].row))
				continue;
			probes[i].partner = &probes[k];
			probes[k].partner = &probes[i];
		}
	}
}

/* ---- the program ----------------------------------------------------------------------------------------------------------- */

#define INSN(op, d, s, o, i) ((struct bpf_insn){.code = (op), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})

static int load(struct machine *m, int sides)
{
	enum { CTX = BPF_REG_6, HELPER_tail_call = 12 };
	struct btf_file *f = machine_btf(m);
	uint32_t is_return = f ? btf_find(f, STR("bpf_session_is_return"), BTF_MASK(BTF_KIND_FUNC)) : 0;
	struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, CTX, BPF_REG_1, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, (int32_t)is_return),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_0, 0, 0),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_3, 0, 0, 1), /* a bool fills the lowest byte only */
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, CTX, 0, 0),
		INSN(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, sides),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, HELPER_tail_call),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	if (!is_return)
		return -ENOENT;
	return sys_prog_load(&(struct sys_prog){.type = BPF_PROG_TYPE_KPROBE,
						.expected_attach_type = SYS_TRACE_KPROBE_SESSION,
						.insns = insns,
						.ninsns = sizeof(insns) / sizeof(*insns)});
}

bool kprobe_session_open(struct live_probe *entry, struct attach_env *env)
{
	struct session_link *s = entry->own;

	if (s)
		return true;
	s = NEW(env->arena, struct session_link);
	s->prog = -1;
	s->sides = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "wt_sides", 4, 4, 2, NULL);
	if (s->sides >= 0)
		s->prog = load(machine_of(env->kernel), s->sides);
	entry->own = s;
	if (s->prog >= 0)
		return true;
	kprobe_session_close(entry);
	return false;
}

int kprobe_session_program(struct live_probe *entry)
{
	const struct session_link *s = entry->own;
	int programs[] = {bpf_program__fd(entry->prog), bpf_program__fd(entry->partner->prog)}, side;

	for (side = 0; side < 2; side++)
		if (bpf_map_update_elem(s->sides, &side, &programs[side], BPF_ANY))
			return -errno;
	return s->prog;
}

uint64_t kprobe_session_missed(const struct live_probe *entry)
{
	const struct session_link *s = entry->own;
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	return s && !bpf_obj_get_info_by_fd(s->prog, &info, &size) ? info.recursion_misses : 0;
}

void kprobe_session_close(struct live_probe *entry)
{
	const struct session_link *s = entry->own;

	if (s && s->prog >= 0)
		close(s->prog);
	if (s && s->sides >= 0)
		close(s->sides);
	entry->own = NULL;
}
