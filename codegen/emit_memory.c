/* Memory of one run of a probe: the BPF stack while it lasts, then scratch memory.
 *
 * Scratch is an array map with SCRATCH_LEVELS elements per CPU.  An element begins with a word that is above zero while a run uses
 * it; a run takes the first free level of its CPU.  Levels are needed because a probe can hit inside another one on the same CPU:
 * in an interrupt, or, where programs can be preempted, in another task.  Taking is "add one, then look": an atomic add that
 * returns nothing is all that 5.10 has, and with it two runs may both go on to the next level but never share one.  Where bodies of
 * loops are apart, the second word is the element's own number, by which they find it. */
#include "codegen/emit_frame.h"

LLVMValueRef stack_alloc(struct emit *e, LLVMTypeRef type, uint32_t align, const char *name)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder), entry = e->frame->entry;
	LLVMValueRef first = LLVMGetFirstInstruction(entry), at;
	LLVMMetadataRef place = LLVMGetCurrentDebugLocation2(e->builder);

	if (first)
		LLVMPositionBuilderBefore(e->builder, first);
	else
		LLVMPositionBuilderAtEnd(e->builder, entry);
	at = LLVMBuildAlloca(e->builder, type, name);
	LLVMSetAlignment(at, align);
	LLVMPositionBuilderAtEnd(e->builder, here);
	LLVMSetCurrentDebugLocation2(e->builder, place);
	return at;
}

static uint32_t round8(uint32_t size)
{
	return (size + 7) & ~7u;
}

/* NULL when the stack has no room for it. */
static LLVMValueRef stack_bytes(struct emit *e, uint32_t size, const char *name)
{
	struct frame *f = e->frame;

	if (size > e->program->config.on_stack_limit || f->stack_used + size > e->stack_budget)
		return NULL;
	f->stack_used += size;
	return stack_alloc(e, LLVMArrayType2(e->i8, size), 8, name);
}

LLVMValueRef scratch_base(struct emit *e)
{
	struct frame *f = e->frame;
	LLVMValueRef base;

	f->unit->uses_scratch = true;
	if (!f->scratch_slot)
		f->scratch_slot = stack_alloc(e, e->ptr, 8, "scratch");
	base = LLVMBuildLoad2(e->builder, e->ptr, f->scratch_slot, "scratch");
	LLVMSetVolatile(base, e->frugal); /* else LLVM keeps every address it has calculated, on the stack */
	return base;
}

LLVMValueRef scratch_address(struct emit *e, uint32_t offset)
{
	return memory_at(e, scratch_base(e), e->frame->unit->scratch_from + offset);
}

uint32_t scratch_bytes(struct emit *e, uint32_t size)
{
	struct unit *u = e->frame->unit;
	uint32_t at = u->scratch_top;

	u->scratch_top += round8(size);
	if (u->scratch_top > u->scratch_max)
		u->scratch_max = u->scratch_top;
	u->uses_scratch = true;
	return at;
}

LLVMValueRef memory_scratch(struct emit *e, uint32_t size, const char *name)
{
	(void)name;
	return scratch_address(e, scratch_bytes(e, size));
}

LLVMValueRef memory_temp(struct emit *e, uint32_t size, const char *name)
{
	struct frame *f = e->frame;
	LLVMValueRef at;

	size = round8(size ? size : 1);
	VEC_EACH(s, &f->slots) {
		if (s->taken || s->size != size)
			continue;
		s->taken = ++f->serial;
		return s->at;
	}
	at = stack_bytes(e, size, name);
	if (!at)
		return memory_scratch(e, size, name);
	VEC_PUSH(e->arena, &f->slots, (struct slot){at, size, ++f->serial});
	return at;
}

LLVMValueRef memory_for_good(struct emit *e, uint32_t size, const char *name)
{
	LLVMValueRef at = stack_bytes(e, round8(size), name);

	return at ? at : memory_scratch(e, size, name);
}

LLVMValueRef set_aside(struct emit *e, LLVMValueRef v)
{
	LLVMValueRef at;

	if (!e->frugal || LLVMIsConstant(v))
		return NULL;
	at = memory_scratch(e, 8, "aside");
	store_int(e, at, v);
	return at;
}

LLVMValueRef take_back(struct emit *e, LLVMValueRef at, LLVMValueRef v)
{
	return at ? load_int(e, at, LLVMTypeOf(v)) : v;
}

bool stack_has_room(struct emit *e, uint32_t size)
{
	return e->frame->stack_used + round8(size) <= e->stack_budget;
}

LLVMValueRef stack_variable(struct emit *e, uint32_t size, const char *name)
{
	return stack_bytes(e, round8(size), name);
}

struct mark memory_mark(struct emit *e)
{
	return (struct mark){e->frame->unit->scratch_top, e->frame->serial};
}

void memory_release(struct emit *e, struct mark m)
{
	e->frame->unit->scratch_top = m.scratch_top;
	VEC_EACH(s, &e->frame->slots)
		if (s->taken > m.serial)
			s->taken = 0;
}

/* ---- taking and giving back scratch memory ---- */

static LLVMValueRef scratch_map(struct emit *e)
{
	if (!e->scratch_map)
		e->scratch_map = LLVMAddGlobal(e->module, map_def_type(e), ELF_SCRATCH);
	return e->scratch_map;
}

/* One try: element `index` (i32).  Goes on at `got` with its address when it was free, else at `busy`. */
static LLVMValueRef try_level(struct emit *e, LLVMValueRef key, LLVMValueRef index, LLVMBasicBlockRef got,
			      LLVMBasicBlockRef busy)
{
	LLVMBasicBlockRef found = block_new(e, "found"), taken = block_new(e, "in_use");
	LLVMValueRef at, users;

	store_int(e, key, index);
	at = HELPER(e, map_lookup_elem, scratch_map(e), key);
	branch(e, is_null(e, at), busy, found);
	block_start(e, found);
	if (e->apart)
		store_int(e, memory_at(e, at, SCRATCH_NUMBER), LLVMBuildZExt(e->builder, index, e->i64, ""));
	LLVMBuildAtomicRMW(e->builder, LLVMAtomicRMWBinOpAdd, at, int_const(e, 1), LLVMAtomicOrderingMonotonic, false);
	users = load_int(e, at, e->i64);
	LLVMSetVolatile(users, true);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntEQ, users, int_const(e, 1), ""), got, taken);
	block_start(e, taken);
	LLVMBuildAtomicRMW(e->builder, LLVMAtomicRMWBinOpAdd, at, int_const(e, UINT64_MAX), LLVMAtomicOrderingMonotonic,
			   false);
	jump(e, busy);
	return at;
}

/* ptr wt_scratch_more(u64 first): the levels after the first one; NULL when all are in use. */
static LLVMValueRef scratch_more(struct emit *e)
{
	static const char *const names[] = {"first"};
	LLVMTypeRef params[] = {e->i64};
	LLVMBasicBlockRef got[SCRATCH_LEVELS], busy;
	LLVMValueRef at[SCRATCH_LEVELS], f, key, index;
	struct function_cursor back;
	uint32_t i;

	if (e->scratch_function)
		return e->scratch_function;
	f = function_begin(e, &back, "wt_scratch_more", e->ptr, params, 1, names);
	e->scratch_function = f;
	key = LLVMBuildAlloca(e->builder, e->i32, "key");
	for (i = 1; i < SCRATCH_LEVELS; i++) {
		got[i] = block_new(e, "got");
		busy = block_new(e, "busy");
		index = LLVMBuildTrunc(e->builder, LLVMGetParam(f, 0), e->i32, "");
		index = LLVMBuildAdd(e->builder, index, int32_const(e, i), "");
		at[i] = try_level(e, key, index, got[i], busy);
		block_start(e, got[i]);
		LLVMBuildRet(e->builder, at[i]);
		block_start(e, busy);
	}
	LLVMBuildRet(e->builder, LLVMConstNull(e->ptr));
	function_end(e, &back);
	return f;
}

void scratch_acquire(struct emit *e, LLVMBasicBlockRef in, LLVMBasicBlockRef ready, LLVMBasicBlockRef skip)
{
	LLVMBasicBlockRef first, got, busy, none;
	LLVMValueRef key = stack_alloc(e, e->i32, 8, "scratch_key"), index, more, at, args[1], f, one;

	block_start(e, in);
	got = block_new(e, "scratch");
	busy = block_new(e, "nested");
	none = block_new(e, "too_deep");
	first = block_new(e, "first_level");
	index = HELPER(e, get_smp_processor_id);
	index = LLVMBuildMul(e->builder, index, int_const(e, SCRATCH_LEVELS), "");
	one = try_level(e, key, LLVMBuildTrunc(e->builder, index, e->i32, ""), first, busy);

	block_start(e, busy);
	f = scratch_more(e);
	args[0] = index;
	more = LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(f), f, args, 1, "");
	branch(e, is_null(e, more), none, got);

	block_start(e, none);
	site_hit(e, site_new(e, SITE_RECURSION, e->frame->unit->probe ? e->frame->unit->probe->span : (struct span){0}, -1, NULL),
		 NULL);
	jump(e, skip);

	block_start(e, first);
	jump(e, got);
	block_start(e, got);
	at = LLVMBuildPhi(e->builder, e->ptr, "scratch");
	LLVMAddIncoming(at, (LLVMValueRef[]){one, more}, (LLVMBasicBlockRef[]){first, busy}, 2);
	at = memory_at(e, at, SCRATCH_HEADER);
	LLVMBuildStore(e->builder, at, e->frame->scratch_slot);
	if (e->frame->shared)
		LLVMBuildStore(e->builder, at, memory_at(e, e->frame->shared, SHARED_SCRATCH));
	jump(e, ready);
}

void scratch_free(struct emit *e)
{
	LLVMValueRef base = LLVMBuildLoad2(e->builder, e->ptr, e->frame->scratch_slot, "");

	base = memory_at(e, base, (uint64_t)-SCRATCH_HEADER);
	LLVMBuildAtomicRMW(e->builder, LLVMAtomicRMWBinOpAdd, base, int_const(e, UINT64_MAX),
			   LLVMAtomicOrderingMonotonic, false);
}

LLVMValueRef scratch_level(struct emit *e)
{
	return load_int(e, memory_at(e, scratch_base(e), (uint64_t)SCRATCH_NUMBER - SCRATCH_HEADER), e->i64);
}

void scratch_find(struct emit *e, LLVMValueRef level, LLVMBasicBlockRef missing)
{
	LLVMValueRef key = stack_alloc(e, e->i32, 8, "scratch_key"), at;
	LLVMBasicBlockRef found = block_new(e, "scratch");

	e->frame->scratch_slot = stack_alloc(e, e->ptr, 8, "scratch");
	store_int(e, key, LLVMBuildTrunc(e->builder, level, e->i32, ""));
	at = HELPER(e, map_lookup_elem, scratch_map(e), key);
	branch(e, is_null(e, at), missing, found);
	block_start(e, found);
	LLVMBuildStore(e->builder, memory_at(e, at, SCRATCH_HEADER), e->frame->scratch_slot);
}

void scratch_define_map(struct emit *e)
{
	enum { ARRAY = 2 };
	uint32_t size = SCRATCH_HEADER + e->scratch_base + e->scratch_size;

	/* A multiple of the cache line: neighbours are other CPUs'. */
	if (e->scratch_map)
		map_def(e, e->scratch_map, ELF_SCRATCH, ARRAY, 4, (size + 63) & ~63u, SCRATCH_LEVELS, 0);
}
