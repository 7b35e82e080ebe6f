/* Texts and buffers while they are copied: shared by emit_string.c and emit_event.c. */
#ifndef WT_EMIT_TEXT_H
#define WT_EMIT_TEXT_H

#include "codegen/emit.h"

/* What was written at some place. */
struct text {
	LLVMValueRef length; /* i64: bytes without the NUL, at most capacity - 1 (buffers: at most their count) */
	LLVMValueRef cut;    /* i1: the source was longer; NULL: never */
};

/* Evaluate the text x straight into `dest`, which has x->type->size bytes.  What lies behind the NUL stays as it was. */
struct text text_emit(struct emit *e, const struct expr *x, LLVMValueRef dest);
/* Read the text at `address` (i64) into `dest`, which has `capacity` bytes; cut texts and errors are counted at `span`. */
struct text text_read(struct emit *e, LLVMValueRef dest, uint32_t capacity, enum value_place place, LLVMValueRef address,
		      struct span span);
/* Evaluate the buffer x into `dest`, which has x->type->count bytes: the bytes only, without the length before them. */
struct text buffer_emit(struct emit *e, const struct expr *x, LLVMValueRef dest);

/* Copy a value of type `from` at `src` (BPF memory, cleared tails) into `dest` of type `to`, which differs in having shorter
 * texts; those that lose bytes are counted at `site`. */
void text_cut_copy(struct emit *e, const struct type *from, LLVMValueRef src, const struct type *to, LLVMValueRef dest,
		   int site);

/* Two ways to one value: phi of `a` (from block `from_a`) and `b` (from block `from_b`). */
LLVMValueRef join(struct emit *e, LLVMValueRef a, LLVMBasicBlockRef from_a, LLVMValueRef b, LLVMBasicBlockRef from_b);
LLVMBasicBlockRef block_here(struct emit *e);

#endif
