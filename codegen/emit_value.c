/* Values and memory: loading, storing, copying, converting; the small words of which everything else is made. */
#include "codegen/emit_frame.h"

enum { INLINE_BYTES = 128 }; /* copied or cleared by loads and stores; more goes through a helper */

LLVMTypeRef emit_register_type(struct emit *e, const struct type *t)
{
	switch (t->size) {
	case 1:
		return e->i8;
	case 2:
		return e->i16;
	case 4:
		return e->i32;
	case 8:
		return e->i64;
	}
	BUG("a type of %u bytes in a register", t->size);
}

/* ---- words ---- */

LLVMBasicBlockRef block_new(struct emit *e, const char *name)
{
	return LLVMAppendBasicBlockInContext(e->context, e->frame->function, name);
}

void block_start(struct emit *e, LLVMBasicBlockRef b)
{
	LLVMPositionBuilderAtEnd(e->builder, b);
}

static bool block_ended(struct emit *e)
{
	return LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(e->builder)) != NULL;
}

void jump(struct emit *e, LLVMBasicBlockRef to)
{
	if (!block_ended(e))
		LLVMBuildBr(e->builder, to);
}

void branch(struct emit *e, LLVMValueRef cond, LLVMBasicBlockRef yes, LLVMBasicBlockRef no)
{
	LLVMBuildCondBr(e->builder, cond, yes, no);
}

LLVMValueRef is_null(struct emit *e, LLVMValueRef pointer)
{
	return LLVMBuildIsNull(e->builder, pointer, "");
}

LLVMValueRef opaque(struct emit *e, LLVMValueRef v)
{
	LLVMTypeRef type = LLVMTypeOf(v), f = LLVMFunctionType(type, &type, 1, false);
	/* Empty text needs no assembly parser; LLVM only knows that something was done to v. */
	LLVMValueRef nothing = LLVMGetInlineAsm(f, "", 0, "=r,0", 4, true, false, LLVMInlineAsmDialectATT, false);

	return LLVMBuildCall2(e->builder, f, nothing, &v, 1, "");
}

LLVMValueRef clamp(struct emit *e, LLVMValueRef v, uint64_t max)
{
	LLVMValueRef most = int_const(e, max), over;

	v = opaque(e, v);
	over = LLVMBuildICmp(e->builder, LLVMIntUGT, v, most, "");
	v = opaque(e, LLVMBuildSelect(e->builder, over, most, v, ""));
	/* A mask where it fits: the verifier never forgets that one. */
	return max & (max + 1) ? v : LLVMBuildAnd(e->builder, v, most, "");
}

LLVMValueRef helper_call(struct emit *e, enum helper h, int n, const LLVMValueRef *args)
{
	enum { I64, PTR };
	static const struct {
		int number, result;
	} table[] = {
#define HELPER_ROW(name, number, result) {number, result},
#include "codegen/helpers.def"
#undef HELPER_ROW
	};
	LLVMTypeRef types[5], result = e->i64, f;
	LLVMValueRef values[5];
	size_t i;
	int k;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].number == (int)h && table[i].result == PTR)
			result = e->ptr;
	for (k = 0; k < n; k++) {
		values[k] = args[k];
		if (LLVMGetTypeKind(LLVMTypeOf(args[k])) == LLVMIntegerTypeKind && LLVMTypeOf(args[k]) != e->i64)
			values[k] = LLVMBuildZExt(e->builder, args[k], e->i64, "");
		types[k] = LLVMTypeOf(values[k]);
	}
	f = LLVMFunctionType(result, types, (unsigned)n, false);
	return LLVMBuildCall2(e->builder, f, LLVMConstIntToPtr(int_const(e, h), e->ptr), values, (unsigned)n, "");
}

/* ---- plain memory ---- */

LLVMValueRef memory_at(struct emit *e, LLVMValueRef base, uint64_t offset)
{
	return offset ? memory_at_var(e, base, int_const(e, offset)) : base;
}

LLVMValueRef memory_at_var(struct emit *e, LLVMValueRef base, LLVMValueRef offset)
{
	return LLVMBuildGEP2(e->builder, e->i8, base, &offset, 1, "");
}

/* What alignment may be relied on: values lie at multiples of their size unless somebody says otherwise. */
LLVMValueRef load_int(struct emit *e, LLVMValueRef address, LLVMTypeRef type)
{
	LLVMValueRef v = LLVMBuildLoad2(e->builder, type, address, "");

	LLVMSetAlignment(v, LLVMGetIntTypeWidth(type) / 8);
	LLVMSetVolatile(v, e->frugal);
	return v;
}

void store_int_at(struct emit *e, LLVMValueRef address, LLVMValueRef v, uint32_t align)
{
	LLVMValueRef s = LLVMBuildStore(e->builder, v, address);
	uint32_t own = LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMIntegerTypeKind ? LLVMGetIntTypeWidth(LLVMTypeOf(v)) / 8 : 8;

	LLVMSetAlignment(s, own < align ? own : align);
	LLVMSetVolatile(s, e->frugal);
}

void store_int(struct emit *e, LLVMValueRef address, LLVMValueRef v)
{
	store_int_at(e, address, v, 8);
}

static bool is_gep(LLVMValueRef p)
{
	return LLVMIsAGetElementPtrInst(p) || (LLVMIsAConstantExpr(p) && LLVMGetConstOpcode(p) == LLVMGetElementPtr);
}

/* Variables on the stack, literals, scratch memory, map values and ring buffer records begin at multiples of 8. */
static bool is_aligned_base(struct emit *e, LLVMValueRef p)
{
	if (LLVMIsAAllocaInst(p) || LLVMIsAGlobalVariable(p))
		return LLVMGetAlignment(p) >= 8;
	if (LLVMIsALoadInst(p))
		return LLVMGetOperand(p, 0) == e->frame->scratch_slot;
	return LLVMIsACallInst(p) && LLVMIsAConstantExpr(LLVMGetCalledValue(p)); /* a helper */
}

/* What is known of an address, at least `align`.  BPF loads and stores only what is aligned: for texts, which are bytes, this makes
 * two words of 16 bytes. */
static uint32_t known_align(struct emit *e, LLVMValueRef p, uint32_t align)
{
	uint64_t offset = 0, found;

	for (; is_gep(p); p = LLVMGetOperand(p, 0)) {
		LLVMValueRef by = LLVMGetOperand(p, 1);

		if (LLVMGetNumOperands(p) != 2 || !LLVMIsAConstantInt(by) || LLVMGetGEPSourceElementType(p) != e->i8)
			return align;
		offset += LLVMConstIntGetZExtValue(by);
	}
	if (!is_aligned_base(e, p))
		return align;
	found = offset % 8 ? offset & -offset : 8;
	return found > align ? (uint32_t)found : align;
}

void memory_copy(struct emit *e, LLVMValueRef dest, LLVMValueRef src, uint32_t size, uint32_t align)
{
	uint32_t to = known_align(e, dest, align ? align : 1), from = known_align(e, src, align ? align : 1);

	if (dest == src || !size)
		return;
	if (size / (to < from ? to : from) > INLINE_BYTES / 8)
		HELPER(e, probe_read_kernel, dest, int_const(e, size), src);
	else
		LLVMBuildMemCpy(e->builder, dest, to, src, from, int_const(e, size));
}

void memory_zero(struct emit *e, LLVMValueRef dest, uint32_t size, uint32_t align)
{
	align = known_align(e, dest, align ? align : 1);
	if (!size)
		return;
	if (size / align > INLINE_BYTES / 8)
		HELPER(e, probe_read_kernel, dest, int_const(e, size), zeros(e, size));
	else
		LLVMBuildMemSet(e->builder, dest, LLVMConstInt(e->i8, 0, false), int_const(e, size), align);
}

/* ---- values ---- */

struct value value_none(struct emit *e)
{
	return (struct value){.type = e->types->none, .place = PLACE_REGISTER};
}

struct value value_register(const struct type *t, LLVMValueRef v)
{
	return (struct value){.v = v, .type = t, .place = PLACE_REGISTER};
}

struct value value_at(const struct type *t, LLVMValueRef address, enum value_place place)
{
	return (struct value){.v = address, .type = t, .place = place};
}

enum value_place place_of(const struct type *t)
{
	switch (t->as) {
	case AS_KERNEL:
		return PLACE_KERNEL;
	case AS_USER:
		return PLACE_USER;
	case AS_NONE:
		break;
	}
	return PLACE_ANY;
}

LLVMValueRef value_address(struct emit *e, struct value v)
{
	if (LLVMGetTypeKind(LLVMTypeOf(v.v)) == LLVMPointerTypeKind)
		return LLVMBuildPtrToInt(e->builder, v.v, e->i64, "");
	return v.v;
}

LLVMValueRef convert_int(struct emit *e, LLVMValueRef v, const struct type *from, const struct type *to)
{
	LLVMTypeRef type = emit_register_type(e, to);

	if (to->kind == TYPE_BOOL && from->kind != TYPE_BOOL) {
		v = LLVMBuildICmp(e->builder, LLVMIntNE, v, LLVMConstNull(LLVMTypeOf(v)), "");
		return LLVMBuildZExt(e->builder, v, type, "");
	}
	return LLVMBuildIntCast2(e->builder, v, type, from->is_signed, "");
}

/* The verifier refuses arithmetic on a pointer that it knows.  Negated twice it is a number; LLVM must not see that, nor that
 * -(p + 64) might be -64 - p, which is arithmetic again. */
LLVMValueRef forget_pointer(struct emit *e, LLVMValueRef v)
{
	if (LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMPointerTypeKind)
		v = LLVMBuildPtrToInt(e->builder, v, e->i64, "");
	v = opaque(e, LLVMBuildNeg(e->builder, opaque(e, v), ""));
	return LLVMBuildNeg(e->builder, v, "");
}

LLVMValueRef probe_read(struct emit *e, LLVMValueRef dest, LLVMValueRef size, LLVMValueRef address, enum value_place place,
			struct span span)
{
	LLVMValueRef r;
	const char *name;

	switch (place) {
	case PLACE_USER:
		r = HELPER(e, probe_read_user, dest, size, address);
		name = "probe_read_user";
		break;
	case PLACE_ANY:
		r = HELPER(e, probe_read, dest, size, address);
		name = "probe_read";
		break;
	default:
		r = HELPER(e, probe_read_kernel, dest, size, address);
		name = "probe_read_kernel";
	}
	site_hit_if(e, LLVMBuildICmp(e->builder, LLVMIntSLT, r, int_const(e, 0), ""),
		    site_new(e, SITE_HELPER, span, -1, name), r);
	return r;
}

static LLVMValueRef load_value(struct emit *e, struct value v)
{
	LLVMValueRef r = load_int(e, v.v, emit_register_type(e, v.type));

	/* User structs may be packed; whoever made the value says what it may rely on. */
	if (v.align)
		LLVMSetAlignment(r, v.align);
	return r;
}

LLVMValueRef value_number(struct emit *e, struct value v)
{
	LLVMValueRef at;

	if (v.bits)
		return bitfield_int(e, v);
	switch (v.place) {
	case PLACE_REGISTER:
		return v.trusted ? forget_pointer(e, v.v) : v.v;
	case PLACE_BPF:
	case PLACE_CONTEXT:
		return load_value(e, v);
	case PLACE_TRUSTED:
		at = load_value(e, v);
		return v.type->kind == TYPE_PTR ? forget_pointer(e, at) : at;
	case PLACE_KERNEL:
	case PLACE_USER:
	case PLACE_ANY:
		at = memory_temp(e, v.type->size, "read");
		probe_read(e, at, int_const(e, v.type->size), v.v, v.place, e->span);
		return load_int(e, at, emit_register_type(e, v.type));
	}
	BUG("place %d", v.place);
}

LLVMValueRef value_i64(struct emit *e, struct value v)
{
	return convert_int(e, value_number(e, v), v.type, v.type->is_signed ? e->types->s64 : e->types->u64);
}

/* The kernel's string helpers end with a NUL.  A source that fills its capacity lost its last byte to it: put that back, for it
 * marks a text as cut. */
static void last_byte(struct emit *e, struct value v, LLVMValueRef dest, LLVMValueRef written)
{
	uint32_t end = v.type->size - 1;
	LLVMBasicBlockRef full = block_new(e, "full"), after = block_new(e, "");

	branch(e, LLVMBuildICmp(e->builder, LLVMIntEQ, written, int_const(e, v.type->size), ""), full, after);
	block_start(e, full);
	dest = memory_at(e, dest, end);
	if (v.place == PLACE_BPF)
		store_int(e, dest, load_int(e, memory_at(e, v.v, end), e->i8));
	else
		probe_read(e, dest, int_const(e, 1), LLVMBuildAdd(e->builder, v.v, int_const(e, end), ""), v.place,
			   e->span);
	jump(e, after);
	block_start(e, after);
}

/* Copy a text; what lies behind its NUL stays out. */
static void text_store(struct emit *e, struct value v, LLVMValueRef dest)
{
	LLVMValueRef size = int_const(e, v.type->size), written;
	const char *name = "probe_read_kernel_str";

	memory_zero(e, dest, v.type->size, 1);
	if (v.place == PLACE_USER) {
		written = HELPER(e, probe_read_user_str, dest, size, v.v);
		name = "probe_read_user_str";
	} else if (v.place == PLACE_ANY) {
		written = HELPER(e, probe_read_str, dest, size, v.v);
		name = "probe_read_str";
	} else {
		written = HELPER(e, probe_read_kernel_str, dest, size, v.v);
	}
	if (v.place != PLACE_BPF)
		site_hit_if(e, LLVMBuildICmp(e->builder, LLVMIntSLT, written, int_const(e, 0), ""),
			    site_new(e, SITE_HELPER, e->span, -1, name), written);
	last_byte(e, v, dest, written);
}

/* The context may only be loaded from in words that the verifier allows. */
static void copy_context(struct emit *e, struct value v, LLVMValueRef dest)
{
	uint32_t at, step;

	for (at = 0; at < v.type->size; at += step) {
		uint32_t left = v.type->size - at, align = v.align ? v.align : v.type->align;
		LLVMTypeRef type;

		step = align >= 8 && left >= 8 ? 8 : align >= 4 && left >= 4 ? 4 : align >= 2 && left >= 2 ? 2 : 1;
		type = LLVMIntTypeInContext(e->context, step * 8);
		store_int(e, memory_at(e, dest, at), load_int(e, memory_at(e, v.v, at), type));
	}
}

static void memory_store(struct emit *e, struct value v, LLVMValueRef dest)
{
	uint32_t size = v.type->size;

	manifest_layout(e->arena, e->manifest, e->types, v.type);
	switch (v.place) {
	case PLACE_BPF:
		if (v.ragged && v.type->kind == TYPE_STRING)
			text_store(e, v, dest);
		else
			memory_copy(e, dest, v.v, size, v.align ? v.align : v.type->align);
		return;
	case PLACE_CONTEXT:
		copy_context(e, v, dest);
		return;
	case PLACE_TRUSTED:
	case PLACE_KERNEL:
	case PLACE_USER:
	case PLACE_ANY:
		if (v.place == PLACE_TRUSTED)
			v = (struct value){.v = value_address(e, v), .type = v.type, .place = PLACE_KERNEL};
		if (v.type->kind == TYPE_STRING)
			text_store(e, v, dest);
		else
			probe_read(e, dest, int_const(e, size), v.v, v.place, e->span);
		return;
	case PLACE_REGISTER:
		break;
	}
	BUG("storing place %d", v.place);
}

void value_store(struct emit *e, struct value v, LLVMValueRef dest)
{
	if (v.type->kind == TYPE_NONE || v.v == dest)
		return;
	if (type_is_register(v.type))
		store_int(e, dest, value_number(e, v));
	else
		memory_store(e, v, dest);
}

LLVMValueRef value_memory(struct emit *e, struct value v)
{
	LLVMValueRef at;

	if (v.place == PLACE_BPF && !v.bits)
		return v.v;
	at = memory_temp(e, v.type->size, "copy");
	value_store(e, v, at);
	return at;
}
