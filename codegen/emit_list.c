/* Options of the script that are lists: is a value in it?  They lie in .rodata, where the runtime puts them before load; the
 * verifier knows how many there are and walks no further. */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

static LLVMValueRef list_address(struct emit *e, const struct option_decl *o)
{
	uint32_t size = o->kind == OPTION_TEXTS ? 8 + LIST_TEXT * LIST_TEXTS : 8 + 8 * LIST_VALUES;

	return rodata_address(e, arena_printf(e->arena, "wt_opt_%d", o->id), STR(""), size);
}

LLVMValueRef list_length(struct emit *e, const struct option_decl *o)
{
	return load_int(e, list_address(e, o), e->i64);
}

/* The text in 64 bytes of scratch memory with zeros behind it, as the elements are; a longer one is cut, and then its last byte is
 * not zero as theirs are. */
static LLVMValueRef wanted_text(struct emit *e, const struct expr *x)
{
	uint32_t size = x->type->size < LIST_TEXT ? LIST_TEXT : (x->type->size + 7) / 8 * 8;
	LLVMValueRef at = memory_scratch(e, size, "wanted");

	memory_zero(e, at, LIST_TEXT, 8);
	emit_to(e, x, at);
	return at;
}

/* 0 when the element at `at` is the one wanted. */
static LLVMValueRef difference(struct emit *e, LLVMValueRef at, LLVMValueRef wanted, bool texts)
{
	LLVMValueRef all, one;
	int i;

	if (!texts)
		return LLVMBuildXor(e->builder, load_int(e, at, e->i64), wanted, "");
	all = int_const(e, 0);
	for (i = 0; i < LIST_TEXT; i += 8) {
		one = LLVMBuildXor(e->builder, load_int(e, memory_at(e, at, (uint64_t)i), e->i64),
				   load_int(e, memory_at(e, wanted, (uint64_t)i), e->i64), "");
		all = LLVMBuildOr(e->builder, all, one, "");
	}
	return all;
}

LLVMValueRef list_has(struct emit *e, const struct expr *x)
{
	const struct option_decl *o = x->binary.right->call.option;
	bool texts = o->kind == OPTION_TEXTS;
	LLVMValueRef wanted = texts ? wanted_text(e, x->binary.left) : emit_i64(e, x->binary.left);
	LLVMValueRef at = list_address(e, o), n = list_length(e, o), i, more, offset, bounded, no = LLVMConstInt(e->i1, 0, false);
	LLVMBasicBlockRef before = block_here(e), loop = block_new(e, "list"), look = block_new(e, "look"),
			  next = block_new(e, ""), after = block_new(e, "");

	jump(e, loop);
	block_start(e, loop);
	i = LLVMBuildPhi(e->builder, e->i64, "i");
	bounded = LLVMBuildICmp(e->builder, LLVMIntULT, i, int_const(e, texts ? LIST_TEXTS : LIST_VALUES), "");
	bounded = LLVMBuildAnd(e->builder, bounded, LLVMBuildICmp(e->builder, LLVMIntULT, i, n, ""), "");
	branch(e, bounded, look, after);
	block_start(e, look);
	offset = LLVMBuildMul(e->builder, i, int_const(e, texts ? LIST_TEXT : 8), "");
	offset = LLVMBuildAdd(e->builder, offset, int_const(e, 8), "");
	offset = difference(e, memory_at_var(e, at, offset), wanted, texts);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntEQ, offset, int_const(e, 0), ""), after, next);
	block_start(e, next);
	more = LLVMBuildAdd(e->builder, i, int_const(e, 1), "");
	LLVMAddIncoming(i, (LLVMValueRef[]){int_const(e, 0), more}, (LLVMBasicBlockRef[]){before, next}, 2);
	jump(e, loop);
	block_start(e, after);
	return join(e, no, loop, LLVMConstInt(e->i1, 1, false), look);
}
