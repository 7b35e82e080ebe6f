/* Stacks as ids.  Frames stay in a stack trace map of the kernel; a value carries the id, never
 * frames (docs/manifest.md).
 *
 * A stack trace map is a hash without chains: two stacks may want one bucket.  We let the kernel
 * compare frames (neither BPF_F_REUSE_STACKID nor BPF_F_FAST_STACK_CMP), so a clash is an error and
 * never the wrong stack; then a second map with another number of buckets is tried, and what
 * clashes there too is counted as a stack not taken. */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

enum {
	STACK_TRACE = 7,	      /* BPF_MAP_TYPE_STACK_TRACE */
	STACK_BUILD_ID_FLAG = 1 << 5, /* BPF_F_STACK_BUILD_ID, of the map */
	BUILD_ID_FRAME = 32,	      /* struct bpf_stack_build_id */
	USER_STACK = 1 << 8,	      /* BPF_F_USER_STACK, of the call */
	CLASH = -17,		      /* -EEXIST */
	NO_STACK = -14,	    /* -EFAULT: there is none, as for user stacks of kernel threads */
	OWN_FRAMES = 8,	    /* of the tracer's program and trampoline, at most */
};

/* The pair of maps for one kind of stack. */
struct stack_maps {
	bool user, build_id;
	uint32_t depth, spare;
	uint32_t kept; /* elements of the first map */
	int depth_option, kept_option; /* 1 + option, 0: none */
	LLVMValueRef maps[2];
};

struct stack_state {
	VEC(struct stack_maps) pairs; /* index = index into manifest->stacks */
};

static LLVMValueRef declare(struct emit *e, const struct manifest_stacks *m, uint32_t entries, int i)
{
	if (i && entries > 1) /* clashes are few */
		entries /= 2;
	return map_declare(e, str_c(e->arena, m->elf_name[i]), STACK_TRACE, 4,
			   (m->depth + m->spare) * (m->build_id ? BUILD_ID_FRAME : 8), entries,
			   m->build_id ? STACK_BUILD_ID_FLAG : 0);
}

/* Kernel stacks of programs that run inside of the kernel's call, not on saved registers, begin with the program itself.  Frames
 * for it are added only there: stacks that differ in them alone would be two.  Those of tracepoints begin with the one function
 * that saved the registers (perf_trace_NAME). */
static uint32_t spare_frames(struct emit *e, const struct type *t)
{
	const struct probe *p = emit_probe(e);

	if (t->kind != TYPE_USTACK && p && p->kind->family == CONTEXT_TRACEPOINT)
		return 1;
	if (t->kind == TYPE_USTACK || (p && p->kind->family != CONTEXT_NONE && p->kind->family != CONTEXT_WORDS &&
				       p->kind->family != CONTEXT_ITER))
		return 0;
	return OWN_FRAMES;
}

static bool same_maps(const struct stack_maps *a, const struct stack_maps *b)
{
	return a->user == b->user && a->build_id == b->build_id && a->depth == b->depth && a->spare == b->spare && a->kept == b->kept &&
	       a->depth_option == b->depth_option && a->kept_option == b->kept_option;
}

/* Index of the maps for the stacks of a call, made on first use. */
static int stack_maps(struct emit *e, const struct expr *call)
{
	const struct type *t = call->type;
	bool user = t->kind == TYPE_USTACK, build_id = t->mode == STACK_BUILD_ID;
	uint32_t spare = spare_frames(e, t);
	int depth_option = call->call.limit ? call->call.limit->call.option->id + 1 : 0;
	int kept_option = call->call.kept ? call->call.kept->call.option->id + 1 : 0;
	struct manifest_stacks m = {.depth = t->limit, .spare = spare, .user = user, .build_id = build_id, .depth_option = depth_option,
				    .kept_option = kept_option};
	struct stack_state *s = e->stacks;
	struct stack_maps made = {user, build_id, t->limit, spare,
				  call->call.number > 0 ? (uint32_t)call->call.number : (uint32_t)e->program->config.max_stacks,
				  depth_option, kept_option, {NULL, NULL}};
	bool plain = !depth_option && !kept_option && !call->call.number;
	int i;

	if (!s)
		e->stacks = s = NEW(e->arena, struct stack_state);
	for (i = 0; i < s->pairs.n; i++)
		if (same_maps(&s->pairs.at[i], &made))
			return i;
	for (i = 0; i < 2; i++) {
		m.elf_name[i] = plain ? str_printf(e->arena, "wt_%cstack%u%s%c", user ? 'u' : 'k', t->limit,
						   build_id ? "i" : spare ? "s" : "", 'a' + i)
				      : str_printf(e->arena, "wt_%cstack_%d%c", user ? 'u' : 'k', s->pairs.n, 'a' + i);
		made.maps[i] = declare(e, &m, made.kept, i);
	}
	VEC_PUSH(e->arena, &e->manifest->stacks, m);
	VEC_PUSH(e->arena, &s->pairs, made);
	return s->pairs.n - 1;
}

/* Kernel threads have no user stack; a sample may hit user space, where there is no kernel stack.  Elsewhere there is one: that
 * the kernel has none to give (5.10 does not in tracepoints of system calls) must be told. */
static bool may_be_absent(struct emit *e, const struct type *t)
{
	const struct probe *p = emit_probe(e);

	return t->kind == TYPE_USTACK || (p && (p->kind->family == CONTEXT_PERF || p->kind->as == AS_USER));
}

/* Take the stack: *id is its id or a negative error, *number which map has it (i32). */
static void take(struct emit *e, const struct expr *call, LLVMValueRef *id, LLVMValueRef *number)
{
	int pair = stack_maps(e, call);
	const struct stack_maps *maps = &((struct stack_state *)e->stacks)->pairs.at[pair];
	LLVMValueRef flags = int_const(e, maps->user ? USER_STACK : 0), first, second, lost;
	LLVMBasicBlockRef start, clash = block_new(e, "clash"), after = block_new(e, "");

	first = HELPER(e, get_stackid, emit_context(e), maps->maps[0], flags);
	start = block_here(e);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntEQ, first, int_const(e, (uint64_t)CLASH), ""),
	       clash, after);
	block_start(e, clash);
	second = HELPER(e, get_stackid, emit_context(e), maps->maps[1], flags);
	clash = block_here(e);
	jump(e, after);
	block_start(e, after);
	*id = join(e, first, start, second, clash);
	*number = join(e, int32_const(e, (uint32_t)pair * 2), start,
		       int32_const(e, (uint32_t)pair * 2 + 1), clash);
	lost = LLVMBuildICmp(e->builder, LLVMIntSLT, *id, int_const(e, 0), "");
	if (may_be_absent(e, call->type))
		lost = LLVMBuildAnd(e->builder, lost,
				    LLVMBuildICmp(e->builder, LLVMIntNE, *id, int_const(e, (uint64_t)NO_STACK), ""), "");
	site_hit_if(e, lost, site_new(e, SITE_STACK, call->span, -1, "get_stackid"), *id);
}

static LLVMValueRef tgid(struct emit *e)
{
	LLVMValueRef both = HELPER(e, get_current_pid_tgid);

	return LLVMBuildTrunc(e->builder, LLVMBuildLShr(e->builder, both, int_const(e, 32), ""),
			      e->i32, "tgid");
}

/* Frames that are shown at most. */
static LLVMValueRef limit_of(struct emit *e, const struct expr *call)
{
	if (!call->call.limit)
		return int32_const(e, call->type->limit);
	return LLVMBuildTrunc(e->builder, emit_i64(e, call->call.limit), e->i32, "limit");
}

static struct value stack_value(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef at = dest ? dest : memory_temp(e, call->type->size, "stack"), id, number;

	take(e, call, &id, &number);
	store_int(e, at, id);
	store_int(e, memory_at(e, at, 8), number);
	store_int(e, memory_at(e, at, 12), limit_of(e, call));
	if (call->type->kind == TYPE_USTACK) {
		store_int(e, memory_at(e, at, 16), tgid(e));
		store_int(e, memory_at(e, at, 20), int32_const(e, 0));
	}
	return value_at(call->type, at, PLACE_BPF);
}

/* ---- stacks of tasks ---- */

enum { HASH_MAP = 1, NOEXIST = 1, NO_ROOM = -7, TASK_MAP = 1 << 30 /* spare frames of no other pair */ };

/* The map of frames by their hash; stack trace maps cannot be filled by programs. */
static int task_map(struct emit *e, uint32_t depth, uint32_t limit)
{
	struct stack_state *s = e->stacks;
	struct stack_maps made = {.depth = depth, .spare = TASK_MAP, .kept = (uint32_t)e->program->config.max_stacks};
	struct manifest_stacks m = {.depth = limit};
	int i;

	if (!s)
		e->stacks = s = NEW(e->arena, struct stack_state);
	for (i = 0; i < s->pairs.n; i++)
		if (same_maps(&s->pairs.at[i], &made))
			return i;
	m.elf_name[0] = str_printf(e->arena, "wt_tstack%u", depth);
	made.maps[0] = map_declare(e, str_c(e->arena, m.elf_name[0]), HASH_MAP, 4, depth * 8, made.kept, 0);
	VEC_PUSH(e->arena, &e->manifest->stacks, m);
	VEC_PUSH(e->arena, &s->pairs, made);
	return s->pairs.n - 1;
}

/* One number of all words: of `a` alone their hash, of `a` and `b` 0 when they are equal. */
static LLVMValueRef walk_words(struct emit *e, LLVMValueRef a, LLVMValueRef b, uint32_t n)
{
	LLVMBuilderRef u = e->builder;
	LLVMBasicBlockRef before = block_here(e), loop = block_new(e, "words"), after = block_new(e, "");
	LLVMValueRef i, all, x, y, at, more, start = int_const(e, b ? 0 : 0xcbf29ce484222325u), next;

	jump(e, loop);
	block_start(e, loop);
	i = LLVMBuildPhi(u, e->i64, "i");
	all = LLVMBuildPhi(u, e->i64, "all");
	at = LLVMBuildMul(u, i, int_const(e, 8), "");
	x = load_int(e, memory_at_var(e, a, at), e->i64);
	if (b) {
		y = load_int(e, memory_at_var(e, b, at), e->i64);
		next = LLVMBuildOr(u, all, LLVMBuildXor(u, x, y, ""), "");
	} else {
		next = LLVMBuildMul(u, LLVMBuildXor(u, all, x, ""), int_const(e, 0x9e3779b97f4a7c15u), "");
		next = LLVMBuildXor(u, next, LLVMBuildLShr(u, next, int_const(e, 29), ""), "");
	}
	next = opaque(e, next);
	more = LLVMBuildAdd(u, i, int_const(e, 1), "");
	LLVMAddIncoming(i, (LLVMValueRef[]){int_const(e, 0), more}, (LLVMBasicBlockRef[]){before, loop}, 2);
	LLVMAddIncoming(all, (LLVMValueRef[]){start, next}, (LLVMBasicBlockRef[]){before, loop}, 2);
	branch(e, LLVMBuildICmp(u, LLVMIntULT, more, int_const(e, n), ""), loop, after);
	block_start(e, after);
	return next;
}

/* Keep the frames: their id, or a negative error.  Another stack of the same hash is an error, never taken for this one. */
static LLVMValueRef keep_frames(struct emit *e, LLVMValueRef map, LLVMValueRef frames, uint32_t n)
{
	LLVMBuilderRef u = e->builder;
	LLVMValueRef id, key = memory_temp(e, 8, "id"), first, again, found, differ;
	LLVMBasicBlockRef absent = block_new(e, "absent"), there = block_new(e, "there"), full = block_new(e, "full"),
			  after = block_new(e, ""), from_first, from_again;

	id = LLVMBuildAnd(u, walk_words(e, frames, NULL, n), int_const(e, INT32_MAX), "");
	store_int(e, key, LLVMBuildTrunc(u, id, e->i32, ""));
	first = HELPER(e, map_lookup_elem, map, key);
	from_first = block_here(e);
	branch(e, is_null(e, first), absent, there);
	block_start(e, absent);
	HELPER(e, map_update_elem, map, key, frames, int_const(e, NOEXIST)); /* somebody else may be first */
	again = HELPER(e, map_lookup_elem, map, key);
	from_again = block_here(e);
	branch(e, is_null(e, again), full, there);
	block_start(e, full);
	jump(e, after);
	block_start(e, there);
	found = join(e, first, from_first, again, from_again);
	differ = walk_words(e, frames, found, n);
	id = LLVMBuildSelect(u, LLVMBuildICmp(u, LLVMIntEQ, differ, int_const(e, 0), ""), id, int_const(e, (uint64_t)CLASH), "");
	there = block_here(e);
	jump(e, after);
	block_start(e, after);
	return join(e, int_const(e, (uint64_t)NO_ROOM), full, id, there);
}

static bool is_curtask(const struct expr *x)
{
	while (x->kind == EXPR_CAST)
		x = x->cast.e;
	return x->kind == EXPR_CALL && x->call.builtin == BUILTIN_curtask;
}

static bool task_stacks_work(struct emit *e, const struct expr *task)
{
	const struct probe *p = emit_probe(e);

	if (is_curtask(task) && !feature_now(e, KERNEL_TASK_BTF))
		return false;
	return (p && p->kind->family == CONTEXT_ITER) || feature_now(e, KERNEL_TASK_STACK);
}

static struct value task_stack(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *task = call->call.args.at[0];
	/* the current task's begins with the tracer's own frames */
	uint32_t depth = call->type->limit + (is_curtask(task) ? OWN_FRAMES : 0), size = depth * 8;
	LLVMValueRef at = dest ? dest : memory_temp(e, call->type->size, "stack"), frames, p, n, id;
	LLVMBasicBlockRef absent = block_new(e, "absent"), got = block_new(e, "got"), after = block_new(e, ""), failed;
	int pair;

	if (!task_stacks_work(e, task)) {
		diag_add(e->diag, call->span, DIAG_TASK_STACK);
		LLVMDeleteBasicBlock(absent);
		LLVMDeleteBasicBlock(got);
		LLVMDeleteBasicBlock(after);
		return value_at(call->type, at, PLACE_BPF);
	}
	pair = task_map(e, depth, call->type->limit);
	frames = memory_scratch(e, size, "frames");
	memory_zero(e, frames, size, 8);
	p = is_curtask(task) ? HELPER(e, get_current_task_btf) : known_address(e, task, absent);
	n = HELPER(e, get_task_stack, p, frames, int_const(e, size), int_const(e, 0));
	failed = block_here(e);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntSLT, n, int_const(e, 0), ""), after, got);
	block_start(e, absent);
	jump(e, after);
	block_start(e, got);
	id = keep_frames(e, ((struct stack_state *)e->stacks)->pairs.at[pair].maps[0], frames, depth);
	got = block_here(e);
	jump(e, after);
	block_start(e, after);
	id = join(e, n, failed, id, got);
	LLVMAddIncoming(id, (LLVMValueRef[]){int_const(e, (uint64_t)NO_STACK)}, (LLVMBasicBlockRef[]){absent}, 1);
	site_hit_if(e, LLVMBuildICmp(e->builder, LLVMIntSLT, id, int_const(e, 0), ""),
		    site_new(e, SITE_STACK, call->span, -1, "get_task_stack"), id);
	store_int(e, at, id);
	store_int(e, memory_at(e, at, 8), int32_const(e, (uint32_t)pair * 2));
	store_int(e, memory_at(e, at, 12), int32_const(e, call->type->limit));
	return value_at(call->type, at, PLACE_BPF);
}

struct value lower_kstack(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	if (call->call.args.n)
		return task_stack(e, call, dest);
	return stack_value(e, call, dest);
}

struct value lower_ustack(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	return stack_value(e, call, dest);
}

/* ---- addresses that user space names ---- */

struct value lower_ksym(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return value_register(call->type, emit_i64(e, call->call.args.at[0]));
}

/* { u64 address, u32 tgid, u32 0 } */
static struct value user_address(struct emit *e, const struct type *t, LLVMValueRef address,
				 LLVMValueRef dest)
{
	LLVMValueRef at = dest ? dest : memory_temp(e, t->size, "usym");

	store_int(e, at, address);
	store_int(e, memory_at(e, at, 8), tgid(e));
	store_int(e, memory_at(e, at, 12), int32_const(e, 0));
	return value_at(t, at, PLACE_BPF);
}

struct value lower_usym(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	return user_address(e, call->type, emit_i64(e, call->call.args.at[0]), dest);
}

/* A program of one function is told the function's address when it is loaded. */
static LLVMValueRef told_address(struct emit *e, const struct probe_spec *spec)
{
	return rodata_load(e, manifest_probe_word(e->arena, RODATA_FUNC, spec).s, 8, 0);
}

/* In a kprobe the instruction pointer stands behind whatever calls it, one byte or more into the function; the key of a kretprobe's
 * `func` shall be the same.  Where no helper tells (before 5.15) a breakpoint of one byte is the only way, as aarch64 has none behind
 * which it stands.  The helper says 0 inside of a function. */
static LLVMValueRef kprobe_address(struct emit *e)
{
#if defined(__x86_64__)
	enum { BREAKPOINT = 1 };
#else
	enum { BREAKPOINT = 0 };
#endif
	LLVMBasicBlockRef ask = block_new(e, "ask"), after = block_new(e, ""), from;
	LLVMValueRef ip = LLVMBuildSub(e->builder, context_register(e, STR("ip")), int_const(e, BREAKPOINT), ""), told, known;

	from = LLVMGetInsertBlock(e->builder);
	branch(e, feature(e, KERNEL_FUNC_IP), ask, after);
	block_start(e, ask);
	told = HELPER(e, get_func_ip, emit_context(e));
	known = LLVMBuildSelect(e->builder, LLVMBuildICmp(e->builder, LLVMIntNE, told, int_const(e, 0), ""), told, ip, "");
	ask = LLVMGetInsertBlock(e->builder);
	jump(e, after);
	block_start(e, after);
	return join(e, known, ask, ip, from);
}

/* Address of the traced function.  uprobes have it in the instruction pointer. */
static LLVMValueRef function_address(struct emit *e, const struct expr *call)
{
	const struct probe *p = emit_probe(e);
	enum probe_kind_id kind = p->kind->id;

	if (kind == PROBE_KPROBE)
		return kprobe_address(e);
	if (kind == PROBE_UPROBE)
		return context_register(e, STR("ip"));
	if (!feature_now(e, kind == PROBE_URETPROBE ? KERNEL_USER_FUNC_IP : KERNEL_FUNC_IP)) {
		if (kind != PROBE_URETPROBE && p->attach.n == 1)
			return told_address(e, p->attach.at[0]);
		diag_add(e->diag, call->span, DIAG_FUNC_UNKNOWN, p->kind->name);
		diag_hint(e->diag, "`probe` has the function's name too");
		return int_const(e, 0);
	}
	return HELPER(e, get_func_ip, emit_context(e));
}

struct value lower_func(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef address = function_address(e, call);

	if (call->type->kind == TYPE_USYM)
		return user_address(e, call->type, address, dest);
	return value_register(call->type, address);
}
