/* join(): the strings of an array of pointers, as one event with up to JOIN_STRINGS texts.  Those
 * that the array does not have stay { 0, 0 } in the record. */
#include "codegen/emit_event.h"
#include "codegen/layout.h"

enum { JOIN_STRINGS = 16, JOIN_BYTES = 1024 /* of one string, with its NUL */ };

/* The record while it grows. */
struct join {
	const struct expr *call;
	enum value_place place;
	LLVMValueRef record;
	LLVMValueRef array; /* i64: address of the pointers */
	LLVMValueRef copy;  /* ptr: the pointers themselves, where they are an array of the script; else NULL */
	LLVMValueRef tail;  /* scratch memory that holds the end of the record, i64: the verifier forgets what it was */
	uint32_t most;	    /* the highest value of the tail so far */
};

static uint32_t pair_of(int i)
{
	return EVENT_HEADER + (uint32_t)i * EVENT_POINTED;
}

/* Copy string number `i` behind the others; goes to `end` where the array ends. */
static void join_string(struct emit *e, struct join *j, int i, LLVMBasicBlockRef end)
{
	LLVMValueRef cell, address, tail;
	LLVMBasicBlockRef some = block_new(e, "string");
	struct text t;

	if (j->copy) {
		cell = memory_at(e, j->copy, (uint32_t)i * 8);
	} else {
		cell = memory_temp(e, 8, "string");
		address = LLVMBuildAdd(e->builder, j->array, int_const(e, (uint64_t)i * 8), "");
		probe_read(e, cell, int_const(e, 8), address, j->place, j->call->span);
	}
	address = load_int(e, cell, e->i64);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntEQ, address, int_const(e, 0), ""), end, some);
	block_start(e, some);
	tail = load_int(e, j->tail, e->i64);
	LLVMSetVolatile(tail, true);
	tail = clamp(e, tail, j->most);
	t = text_read(e, memory_at_var(e, j->record, tail), JOIN_BYTES, j->place, address,
		      j->call->span);
	event_put_text(e, j->record, pair_of(i), tail, t);
	store_int(e, j->tail, LLVMBuildAdd(e->builder, tail, t.length, ""));
	j->most += JOIN_BYTES;
}

struct value lower_join(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	struct manifest_event event = {.kind = EVENT_JOIN,
				       .format = STR(" "),
				       .map = -1,
				       .fixed_size = pair_of(JOIN_STRINGS)};
	const struct expr *from = call->call.args.at[0];
	bool is_array = from->type->kind == TYPE_ARRAY;
	struct join j = {.call = call,
			 .place = place_of(is_array ? from->type->elem : from->type),
			 .most = event.fixed_size};
	LLVMBasicBlockRef end = block_new(e, "joined");
	int i, shape;

	(void)dest;
	if (call->call.args.n > 1)
		event.format = call->call.args.at[1]->string.text;
	if (is_array)
		j.copy = emit_memory_of(e, from);
	else
		j.array = emit_i64(e, from);
	j.record = memory_scratch(e, pair_of(JOIN_STRINGS) + JOIN_STRINGS * JOIN_BYTES, "join");
	j.tail = memory_scratch(e, 8, "tail");
	store_int(e, j.tail, int_const(e, event.fixed_size));
	memory_zero(e, j.record, event.fixed_size, 8);
	shape = manifest_shape(e->arena, e->manifest, e->types, type_string(e->types, JOIN_BYTES));
	for (i = 0; i < JOIN_STRINGS; i++) {
		VEC_PUSH(e->arena, &event.values,
			 (struct event_value){
				 .shape = shape, .offset = pair_of(i), .pointed = true});
		if (!is_array || i < (int)from->type->count)
			join_string(e, &j, i, end);
	}
	jump(e, end);
	block_start(e, end);
	event_output(e, call, event_add(e, call, event), j.record,
		     clamp(e, load_int(e, j.tail, e->i64), j.most));
	return value_none(e);
}
