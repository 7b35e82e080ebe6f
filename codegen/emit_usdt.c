/* argN of static probes: read as the runtime tells in a map, because each place of a probe keeps its arguments elsewhere
 * (usdt.h). */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"
#include "codegen/usdt.h"

enum { MAP_HASH_TYPE = 1 };

static LLVMValueRef places_map(struct emit *e)
{
	if (!e->usdt_map)
		e->usdt_map = map_declare(e, ELF_USDT, MAP_HASH_TYPE, 4, sizeof(struct usdt_place), USDT_MAX_PLACES, 0);
	return e->usdt_map;
}

/* The key of the place that was hit, in memory. */
static LLVMValueRef place_key(struct emit *e)
{
	LLVMValueRef at = memory_temp(e, 8, "usdt_key"), ip, old;
	LLVMBasicBlockRef with = block_new(e, "cookie"), without = block_new(e, "ip"), after = block_new(e, "");

	branch(e, feature(e, KERNEL_FUNC_IP), with, without);
	block_start(e, with);
	store_int(e, at, LLVMBuildTrunc(e->builder, HELPER(e, get_attach_cookie, emit_context(e)), e->i32, ""));
	jump(e, after);
	block_start(e, without);
	ip = context_register(e, STR("ip"));
	old = LLVMBuildOr(e->builder, LLVMBuildAnd(e->builder, ip, int_const(e, 0xfff), ""),
			  int_const(e, usdt_key((uint32_t)emit_probe_index(e), 0)), "");
	store_int(e, at, LLVMBuildTrunc(e->builder, old, e->i32, ""));
	jump(e, after);
	block_start(e, after);
	return at;
}

/* A byte or 16-bit field of the argument's description, as i64. */
static LLVMValueRef small(struct emit *e, LLVMValueRef arg, size_t offset, LLVMTypeRef type)
{
	return LLVMBuildZExt(e->builder, load_int(e, memory_at(e, arg, offset), type), e->i64, "");
}

static LLVMValueRef is(struct emit *e, LLVMValueRef v, uint64_t n)
{
	return LLVMBuildICmp(e->builder, LLVMIntEQ, v, int_const(e, n), "");
}

/* The register at a variable offset of the context: read as memory, since the verifier wants constant offsets. */
static LLVMValueRef read_register(struct emit *e, LLVMValueRef temp, LLVMValueRef offset)
{
	LLVMValueRef at = LLVMBuildAdd(e->builder, forget_pointer(e, emit_context(e)), offset, "");

	probe_read(e, temp, int_const(e, 8), at, PLACE_KERNEL, e->span);
	return load_int(e, temp, e->i64);
}

/* Registers and what they point at; `slot` holds the constant or the displacement and gets the value. */
static void read_place(struct emit *e, LLVMValueRef arg, LLVMValueRef kind, LLVMValueRef slot)
{
	LLVMBasicBlockRef registers = block_new(e, "register"), memory = block_new(e, "memory"), value = block_new(e, "value"),
			  indexed = block_new(e, "indexed"), plain = block_new(e, "plain"), after = block_new(e, "");
	LLVMValueRef temp = memory_temp(e, 8, "usdt"), v, index, offset, size;

	branch(e, is(e, kind, USDT_ARG_CONST), after, registers);
	block_start(e, registers);
	v = read_register(e, temp, small(e, arg, offsetof(struct usdt_arg, reg), e->i16));
	branch(e, is(e, kind, USDT_ARG_MEMORY), memory, value);
	block_start(e, value);
	store_int(e, slot, v);
	jump(e, after);
	block_start(e, memory);
	store_int(e, slot, LLVMBuildAdd(e->builder, v, load_int(e, slot, e->i64), ""));
	offset = small(e, arg, offsetof(struct usdt_arg, index), e->i16);
	branch(e, is(e, offset, USDT_NO_INDEX), plain, indexed);
	block_start(e, indexed);
	index = LLVMBuildShl(e->builder, read_register(e, temp, offset),
			     LLVMBuildAnd(e->builder, small(e, arg, offsetof(struct usdt_arg, scale), e->i8), int_const(e, 3), ""), "");
	store_int(e, slot, LLVMBuildAdd(e->builder, load_int(e, slot, e->i64), index, ""));
	jump(e, plain);
	block_start(e, plain);
	/* No byte more than the argument has: it may be the last one of its page. */
	store_int(e, temp, int_const(e, 0));
	size = LLVMBuildSub(e->builder, int_const(e, 64), small(e, arg, offsetof(struct usdt_arg, shift), e->i8), "");
	size = clamp(e, LLVMBuildLShr(e->builder, size, int_const(e, 3), ""), 8);
	probe_read(e, temp, size, load_int(e, slot, e->i64), PLACE_USER, e->span);
	store_int(e, slot, load_int(e, temp, e->i64));
	jump(e, after);
	block_start(e, after);
}

LLVMValueRef usdt_address(struct emit *e)
{
	LLVMBasicBlockRef found = block_new(e, "found"), after = block_new(e, ""), from;
	LLVMValueRef place = HELPER(e, map_lookup_elem, places_map(e), place_key(e)), v;

	from = LLVMGetInsertBlock(e->builder);
	branch(e, is_null(e, place), after, found);
	block_start(e, found);
	v = load_int(e, memory_at(e, place, offsetof(struct usdt_place, address)), e->i64);
	jump(e, after);
	block_start(e, after);
	return join(e, int_const(e, 0), from, v, found);
}

LLVMValueRef usdt_arg(struct emit *e, int n)
{
	LLVMBasicBlockRef found = block_new(e, "found"), known = block_new(e, "known"), after = block_new(e, "");
	LLVMValueRef slot = memory_temp(e, 8, "usdt_value"), place, arg, kind, v, shift, is_signed;

	store_int(e, slot, int_const(e, 0));
	if (n < 0 || n >= USDT_MAX_ARGS)
		return int_const(e, 0);
	place = HELPER(e, map_lookup_elem, places_map(e), place_key(e));
	branch(e, is_null(e, place), after, found);
	block_start(e, found);
	arg = memory_at(e, place, offsetof(struct usdt_place, args) + (size_t)n * sizeof(struct usdt_arg));
	kind = small(e, arg, offsetof(struct usdt_arg, kind), e->i8);
	branch(e, is(e, kind, USDT_ARG_NONE), after, known);
	block_start(e, known);
	store_int(e, slot, load_int(e, memory_at(e, arg, offsetof(struct usdt_arg, value)), e->i64));
	read_place(e, arg, kind, slot);
	shift = LLVMBuildAnd(e->builder, small(e, arg, offsetof(struct usdt_arg, shift), e->i8), int_const(e, 63), "");
	v = LLVMBuildShl(e->builder, load_int(e, slot, e->i64), shift, "");
	is_signed = LLVMBuildNot(e->builder, is(e, small(e, arg, offsetof(struct usdt_arg, is_signed), e->i8), 0), "");
	store_int(e, slot,
		  LLVMBuildSelect(e->builder, is_signed, LLVMBuildAShr(e->builder, v, shift, ""), LLVMBuildLShr(e->builder, v, shift, ""),
				  ""));
	jump(e, after);
	block_start(e, after);
	return load_int(e, slot, e->i64);
}
