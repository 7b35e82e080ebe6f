/* Aggregations: one event added to the value of this CPU (or to a shared one), and all CPUs' values
 * read together.
 *
 * Exactness.  A per-CPU value can still be hit twice at once: a probe in an interrupt may update
 * the same entry between the load and the store of the one that it interrupted.  Programs run
 * through perf (kprobes, tracepoints, timers, counters) exclude each other on a CPU, so among them
 * a plain add is exact; as soon as the script has a program of another kind, adds are atomic. */
#include "codegen/emit_text.h"

enum {
	MERGE_TRIES = 4
}; /* of a compare-and-exchange: each failure means that an interrupt came in between */

static LLVMValueRef compare(struct emit *e, LLVMIntPredicate how, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildICmp(e->builder, how, a, b, "");
}

/* Does the kernel run at most one program of this kind per CPU at a time, whatever interrupts? */
static bool is_exclusive(enum probe_kind_id kind)
{
	switch (kind) {
	case PROBE_BEGIN: /* run before and after everything else, or while user space waits */
	case PROBE_END:
	case PROBE_SELF:
	case PROBE_TEST:
	case PROBE_BENCH:
	case PROBE_KPROBE:
	case PROBE_KRETPROBE:
	case PROBE_TRACEPOINT:
	case PROBE_PROFILE:
	case PROBE_INTERVAL:
	case PROBE_SOFTWARE:
	case PROBE_HARDWARE:
	case PROBE_WATCHPOINT:
		return true;
	case PROBE_UPROBE: /* can be interrupted by any other program, and preempted */
	case PROBE_URETPROBE:
	case PROBE_USDT:
	case PROBE_RAWTRACEPOINT:
	case PROBE_FENTRY:
	case PROBE_FEXIT:
	case PROBE_ITER:
	case PROBE_KIND_COUNT:
		return false;
	}
	return false;
}

static bool needs_atomic(struct emit *e)
{
	if (e->aggregate_map && e->aggregate_map->shared)
		return true;
	VEC_EACH (p, &e->program->probes)
		if (!is_exclusive((*p)->kind->id))
			return true;
	return false;
}

/* *at += v */
static void add(struct emit *e, LLVMValueRef at, LLVMValueRef v)
{
	/* LLVM turns an atomic add of what it knows to be 0 into an atomic or, which 5.10 does not know. */
	if (!LLVMIsAConstantInt(v) || !LLVMConstIntGetZExtValue(v))
		v = opaque(e, v);
	if (needs_atomic(e))
		LLVMBuildAtomicRMW(e->builder, LLVMAtomicRMWBinOpAdd, at, v,
				   LLVMAtomicOrderingMonotonic, false);
	else
		store_int(e, at, LLVMBuildAdd(e->builder, load_int(e, at, e->i64), v, ""));
}

static LLVMValueRef argument(struct emit *e, const struct expr *call)
{
	return emit_i64(e, call->call.args.at[0]);
}

struct value lower_count(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)call;
	add(e, dest, int_const(e, 1));
	return value_none(e);
}

struct value lower_sum(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	add(e, dest, argument(e, call));
	return value_none(e);
}

/* { total, count } */
static struct value add_to_average(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	add(e, dest, argument(e, call));
	add(e, memory_at(e, dest, 8), int_const(e, 1));
	return value_none(e);
}

struct value lower_avg(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	return add_to_average(e, call, dest);
}

struct value lower_stats(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	return add_to_average(e, call, dest);
}

/* ---- min and max ---- */

/* Is `v` better than what { value, is_set } at `at` holds?  *old is that value. */
static LLVMValueRef is_better(struct emit *e, const struct type *t, LLVMValueRef at, LLVMValueRef v,
			      LLVMValueRef *old)
{
	LLVMIntPredicate less = t->is_signed ? LLVMIntSLT : LLVMIntULT;
	LLVMIntPredicate more = t->is_signed ? LLVMIntSGT : LLVMIntUGT;
	LLVMValueRef unset =
		compare(e, LLVMIntEQ, load_int(e, memory_at(e, at, 8), e->i64), int_const(e, 0));

	*old = load_int(e, at, e->i64);
	return LLVMBuildOr(e->builder, unset,
			   compare(e, t->kind == TYPE_MIN ? less : more, v, *old), "");
}

static void extreme_plain(struct emit *e, const struct type *t, LLVMValueRef at, LLVMValueRef v)
{
	LLVMBasicBlockRef store = block_new(e, "better"), after = block_new(e, "");
	LLVMValueRef old;

	branch(e, is_better(e, t, at, v, &old), store, after);
	block_start(e, store);
	store_int(e, at, v);
	store_int(e, memory_at(e, at, 8), int_const(e, 1));
	jump(e, after);
	block_start(e, after);
}

static void extreme_atomic(struct emit *e, const struct type *t, LLVMValueRef at, LLVMValueRef v)
{
	LLVMBasicBlockRef after = block_new(e, ""), done = block_new(e, "better");
	int i;

	for (i = 0; i < MERGE_TRIES; i++) {
		LLVMBasicBlockRef swap = block_new(e, "swap"), again = block_new(e, "again");
		LLVMValueRef old, pair;

		branch(e, is_better(e, t, at, v, &old), swap, after);
		block_start(e, swap);
		pair = LLVMBuildAtomicCmpXchg(e->builder, at, old, v,
					      LLVMAtomicOrderingSequentiallyConsistent,
					      LLVMAtomicOrderingSequentiallyConsistent, false);
		branch(e, LLVMBuildExtractValue(e->builder, pair, 1, "swapped"), done, again);
		block_start(e, again);
	}
	jump(e, after);
	block_start(e, done);
	store_int(e, memory_at(e, at, 8), int_const(e, 1));
	jump(e, after);
	block_start(e, after);
}

static struct value extreme(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef v = argument(e, call);

	/* Without compare-and-exchange (before 5.12) the window of a few instructions stays open.
	 */
	if (needs_atomic(e) && feature_now(e, KERNEL_ATOMIC_FETCH))
		extreme_atomic(e, call->type, dest, v);
	else
		extreme_plain(e, call->type, dest, v);
	return value_none(e);
}

struct value lower_min(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	return extreme(e, call, dest);
}

struct value lower_max(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	return extreme(e, call, dest);
}

/* ---- histograms ---- */

static LLVMValueRef leading_zeros(struct emit *e, LLVMValueRef v)
{
	unsigned id = LLVMLookupIntrinsicID("llvm.ctlz", 9);
	LLVMValueRef f = LLVMGetIntrinsicDeclaration(e->module, id, &e->i64, 1);
	LLVMValueRef args[] = {v, LLVMConstInt(e->i1, 1, false)};

	return LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(f), f, args, 2, "");
}

static void add_to_bucket(struct emit *e, LLVMValueRef dest, LLVMValueRef index, uint32_t buckets)
{
	LLVMValueRef offset =
		LLVMBuildShl(e->builder, clamp(e, index, buckets - 1), int_const(e, 3), "");

	add(e, memory_at_var(e, dest, offset), int_const(e, 1));
}

/* Without a branch, so that the verifier walks one path: with s = how far n must be shifted right
 * to lie under 2^(k+1), the index is 1 + s * 2^k + (n >> s), which is 1 + n as long as s is 0; and
 * 0 for negative n. */
struct value lower_hist(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMBuilderRef b = e->builder;
	uint64_t k = (uint64_t)call->type->params[0];
	LLVMValueRef n = argument(e, call), top, shift, index;

	top = LLVMBuildOr(b, n, int_const(e, 1ull << k), "");
	shift = LLVMBuildSub(b, int_const(e, 63 - k), leading_zeros(e, top), "shift");
	index = LLVMBuildAdd(b, LLVMBuildShl(b, shift, int_const(e, k), ""),
			     LLVMBuildLShr(b, n, shift, ""), "");
	index = LLVMBuildAdd(b, index, int_const(e, 1), "index");
	index = LLVMBuildAnd(b, index,
			     LLVMBuildNot(b, LLVMBuildAShr(b, n, int_const(e, 63), ""), ""), "");
	add_to_bucket(e, dest, index, hist_buckets((int)k));
	return value_none(e);
}

struct value lower_lhist(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const int64_t *p = call->type->params;
	bool is_signed = call->call.args.at[0]->type->is_signed;
	LLVMBuilderRef b = e->builder;
	LLVMValueRef n = argument(e, call), least = int_const(e, (uint64_t)p[0]),
		     most = int_const(e, (uint64_t)p[1]);
	LLVMValueRef below = compare(e, is_signed ? LLVMIntSLT : LLVMIntULT, n, least);
	LLVMValueRef above = compare(e, is_signed ? LLVMIntSGE : LLVMIntUGE, n, most);
	LLVMValueRef index =
		LLVMBuildUDiv(b, LLVMBuildSub(b, n, least, ""), int_const(e, (uint64_t)p[2]), "");

	index = LLVMBuildAdd(b, index, int_const(e, 1), "");
	index = LLVMBuildSelect(b, above, int_const(e, lhist_buckets(p) - 1), index, "");
	index = LLVMBuildSelect(b, below, int_const(e, 0), index, "index");
	add_to_bucket(e, dest, index, lhist_buckets(p));
	return value_none(e);
}

/* ---- series ---- */

enum series { SERIES_LAST, SERIES_AVG, SERIES_MAX, SERIES_MIN, SERIES_SUM };

/* What a slot holds after `n` was added to it; `fresh` (i1): it held nothing of this interval. */
static LLVMValueRef series_value(struct emit *e, const struct expr *call, LLVMValueRef old,
				 LLVMValueRef n, LLVMValueRef fresh)
{
	bool is_signed = call->type->is_signed;
	LLVMBuilderRef b = e->builder;
	LLVMValueRef less = compare(e, is_signed ? LLVMIntSLT : LLVMIntULT, n, old), merged = n;

	switch ((enum series)call->type->params[2]) {
	case SERIES_LAST:
		return n;
	case SERIES_AVG:
	case SERIES_SUM:
		merged = LLVMBuildAdd(b, old, n, "");
		break;
	case SERIES_MAX:
		merged = LLVMBuildSelect(b, less, old, n, "");
		break;
	case SERIES_MIN:
		merged = LLVMBuildSelect(b, less, n, old, "");
		break;
	}
	return LLVMBuildSelect(b, fresh, n, merged, "");
}

/* Slots are used in turn; one that holds an older interval is begun anew. */
struct value lower_tseries(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMBuilderRef b = e->builder;
	uint64_t slots = (uint64_t)call->type->params[1];
	LLVMValueRef interval = int_const(e, (uint64_t)call->type->params[0]),
		     n = argument(e, call);
	LLVMValueRef now = HELPER(e, ktime_get_boot_ns), number, start, at, fresh, aux;

	now = LLVMBuildAdd(b, now, rodata_load(e, RODATA_WALL_OFFSET, 8, 0), "now");
	number = LLVMBuildUDiv(b, now, interval, "");
	start = LLVMBuildMul(b, number, interval, "start");
	number = clamp(e, LLVMBuildURem(b, number, int_const(e, slots), ""), slots - 1);
	at = memory_at_var(e, dest, LLVMBuildMul(b, number, int_const(e, 24), ""));
	fresh = compare(e, LLVMIntNE, load_int(e, at, e->i64), start);
	aux = load_int(e, memory_at(e, at, 16), e->i64);
	aux = LLVMBuildSelect(b, fresh, int_const(e, 1), LLVMBuildAdd(b, aux, int_const(e, 1), ""),
			      "");
	if (call->type->params[2] != SERIES_AVG)
		aux = now;
	store_int(e, memory_at(e, at, 8),
		  series_value(e, call, load_int(e, memory_at(e, at, 8), e->i64), n, fresh));
	store_int(e, memory_at(e, at, 16), aux);
	store_int(e, at, start);
	return value_none(e);
}

/* ---- reading ---- */

/* Add one CPU's value at `from` to the sum of those before, at `to`; both laid out as the manifest
 * says. */
static void merge(struct emit *e, const struct type *t, LLVMValueRef to, LLVMValueRef from)
{
	LLVMBasicBlockRef set, after;
	uint32_t i;

	if (t->kind != TYPE_MIN && t->kind != TYPE_MAX) {
		for (i = 0; i < t->size && i < 16; i += 8) {
			LLVMValueRef at = memory_at(e, to, i);
			LLVMValueRef more = load_int(e, memory_at(e, from, i), e->i64);

			store_int(e, at,
				  LLVMBuildAdd(e->builder, load_int(e, at, e->i64), more, ""));
		}
		return;
	}
	set = block_new(e, "set");
	after = block_new(e, "");
	branch(e,
	       compare(e, LLVMIntNE, load_int(e, memory_at(e, from, 8), e->i64), int_const(e, 0)),
	       set, after);
	block_start(e, set);
	extreme_plain(e, t, to, load_int(e, from, e->i64));
	jump(e, after);
	block_start(e, after);
}

/* For each possible CPU: its value merged into `to`. */
static void merge_cpus(struct emit *e, const struct map *map, LLVMValueRef key, LLVMValueRef to)
{
	LLVMBasicBlockRef before, loop = block_new(e, "cpu"), found = block_new(e, "found"),
				  next = block_new(e, ""), after = block_new(e, "");
	LLVMValueRef ncpus, i, from, more, bpf_map = map_global(e, map); /* once: it may turn to its twin */

	ncpus = LLVMBuildZExt(e->builder, rodata_load(e, RODATA_NCPUS, 4, 1), e->i64, "ncpus");
	before = block_here(e);
	jump(e, loop);
	block_start(e, loop);
	i = LLVMBuildPhi(e->builder, e->i64, "i");
	from = HELPER(e, map_lookup_percpu_elem, bpf_map, key, i);
	branch(e, is_null(e, from), next, found);
	block_start(e, found);
	merge(e, map->value, to, from);
	jump(e, next);
	block_start(e, next);
	more = LLVMBuildAdd(e->builder, i, int_const(e, 1), "");
	LLVMAddIncoming(i, (LLVMValueRef[]){int_const(e, 0), more},
			(LLVMBasicBlockRef[]){before, next}, 2);
	branch(e, compare(e, LLVMIntULT, more, ncpus), loop, after);
	block_start(e, after);
}

void aggregate_merge(struct emit *e, const struct expr *x, LLVMValueRef to)
{
	const struct map *map = x->map.map;
	LLVMValueRef key = emit_map_key(e, map, x->map.key), from;
	LLVMBasicBlockRef found, after;

	memory_zero(e, to, map->value->size, 8);
	if (!map->shared) {
		feature_now(e, KERNEL_LOOKUP_PERCPU); /* marks the program: the checker chose shared
							 where it is missing */
		merge_cpus(e, map, key, to);
		return;
	}
	found = block_new(e, "found");
	after = block_new(e, "");
	from = map_lookup(e, map, key);
	branch(e, is_null(e, from), after, found);
	block_start(e, found);
	memory_copy(e, to, from, map->value->size, 8);
	jump(e, after);
	block_start(e, after);
}

/* Signed division by a positive count: BPF has only the unsigned one. */
static LLVMValueRef divide(struct emit *e, LLVMValueRef total, LLVMValueRef count, bool is_signed)
{
	LLVMBuilderRef b = e->builder;
	LLVMValueRef minus, size, quotient;

	if (!is_signed)
		return LLVMBuildUDiv(b, total, count, "");
	minus = compare(e, LLVMIntSLT, total, int_const(e, 0));
	size = LLVMBuildSelect(b, minus, LLVMBuildNeg(b, total, ""), total, "");
	quotient = LLVMBuildUDiv(b, size, count, "");
	return LLVMBuildSelect(b, minus, LLVMBuildNeg(b, quotient, ""), quotient, "");
}

LLVMValueRef aggregate_read(struct emit *e, const struct expr *x)
{
	const struct type *t = x->map.map->value;
	LLVMValueRef at = memory_temp(e, t->size, "merged"), total, count, quotient;
	LLVMBasicBlockRef start, some, after;

	aggregate_merge(e, x, at);
	total = load_int(e, at, e->i64);
	if (t->kind != TYPE_AVG)
		return total;
	count = load_int(e, memory_at(e, at, 8), e->i64);
	start = block_here(e);
	some = block_new(e, "some");
	after = block_new(e, "");
	branch(e, compare(e, LLVMIntEQ, count, int_const(e, 0)), after, some);
	block_start(e, some);
	quotient = divide(e, total, count, t->is_signed);
	some = block_here(e);
	jump(e, after);
	block_start(e, after);
	return join(e, int_const(e, 0), start, quotient, some);
}
