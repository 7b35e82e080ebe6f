/* The function being emitted, and what the core files share about it.  Colleagues' files need emit.h only. */
#ifndef WT_EMIT_FRAME_H
#define WT_EMIT_FRAME_H

#include "codegen/emit.h"

enum { FRAME_STACK = 256, SCRATCH_LEVELS = 4, SCRATCH_HEADER = 64, SCRATCH_NUMBER = 8 };

/* A temporary on the stack, used again once its statement has ended. */
struct slot {
	LLVMValueRef at;
	uint32_t size;
	uint32_t taken; /* serial number of its taking, 0: free */
};

/* Where a script variable lives. */
enum storage_kind {
	STORAGE_NONE,	 /* not yet seen */
	STORAGE_LOCAL,	 /* alloca of the function that declares it */
	STORAGE_SCRATCH, /* scratch memory at `offset` */
};

struct storage {
	enum storage_kind kind;
	LLVMValueRef at;      /* LOCAL */
	uint32_t offset;      /* SCRATCH */
	struct frame *owner;  /* LOCAL: the function */
	bool captured;	      /* by a loop's callback */
	bool ends_loop;	      /* stands in the condition of a `while` in place: the verifier must know its value */
	int depth;	      /* of callback loops where it was first seen; -1: never */

};

/* Where functions share variables with the bodies of their loops, when those are functions. */
enum sharing { SHARING_NONE, SHARING_ON_STACK, SHARING_IN_SCRATCH };

/* Innermost loop that is emitted in place (while, unroll, bounded for). */
struct loop {
	struct loop *outer;
	LLVMBasicBlockRef next, end; /* continue, break */
};

/* What all functions of one program share: the program itself and its loop callbacks. */
struct unit {
	const struct probe *probe;  /* NULL: a script function */
	const struct function *fn;
	int probe_index;
	struct storage *vars; /* by var->id */
	int nvars;
	enum sharing sharing;
	uint32_t frame_size; /* of the struct shared with bodies of loops */
	uint32_t shared_at;  /* SHARING_IN_SCRATCH: where that struct lies */
	int loop_depth;	     /* of the body being emitted */
	bool uses_context;
	bool uses_scratch;
	uint32_t scratch_from; /* where its part of the scratch memory begins: functions' parts lie before */
	uint32_t scratch_top, scratch_max;
	uint32_t needs; /* kernel features */
};

/* Offsets in the struct that is shared with the bodies of loops that are functions; SHARED_LOOPS: a word for each loop around another.
 * Callbacks get its address on the program's stack; what is apart knows where it lies in scratch memory, and has no context. */
enum { SHARED_SCRATCH = 0, SHARED_CONTEXT = 8, SHARED_LEFT = 16, SHARED_RESULT = 24, SHARED_DEST = 32, SHARED_LOOPS = 40 };

struct frame {
	struct frame *outer; /* of a loop callback: the function around it */
	struct unit *unit;
	LLVMValueRef function;
	LLVMMetadataRef scope;
	LLVMBasicBlockRef entry, start; /* entry holds the allocas and jumps to start */
	LLVMBasicBlockRef exit;	 /* leaves the function */
	LLVMValueRef context;	 /* ptr; callbacks: loaded from the shared struct on demand */
	LLVMValueRef shared;	 /* SHARING_ON_STACK: ptr to the shared struct */
	const struct stmt *apart; /* the loop whose body this global function is */
	LLVMValueRef scratch_slot; /* alloca that holds the scratch address */
	LLVMValueRef result_slot;  /* alloca of the value to return, NULL: none */
	LLVMValueRef result_memory; /* ptr, where a function puts a result that is no register */
	LLVMValueRef callback_result; /* alloca, callbacks only: 1 stops the loop */
	uint32_t stack_used;
	uint32_t serial; /* of temporaries taken */
	VEC(struct slot) slots;
	struct loop *loop;
	bool in_callback; /* the body of a loop */
};

/* A helper function of our own in the module: emitted between function_begin() and function_end(), which keep and restore what
 * was being emitted.  Parameters are i64 or ptr. */
struct function_cursor {
	struct frame *frame;
	LLVMBasicBlockRef block;
	LLVMMetadataRef place;
	struct span span;
};
LLVMValueRef function_begin_at(struct emit *e, struct function_cursor *back, const char *name, LLVMTypeRef result,
			       const LLVMTypeRef *params, int nparams, const char *const *names, bool global, struct span span,
			       struct unit *unit);
LLVMValueRef function_begin(struct emit *e, struct function_cursor *back, const char *name, LLVMTypeRef result,
			    const LLVMTypeRef *params, int nparams, const char *const *names);
void function_end(struct emit *e, struct function_cursor *back);

/* emit_rodata.c, emit_site.c */
LLVMValueRef zeros(struct emit *e, uint32_t size); /* address of that many zero bytes in .rodata */
LLVMValueRef bss_word(struct emit *e, const char *name); /* a u32 that the runtime may change at any time */
void rodata_close(struct emit *e);
void sites_close(struct emit *e);

/* emit_probe.c */
void emit_program(struct emit *e, const struct probe *probe);
void emit_function(struct emit *e, const struct function *fn);
/* The address of a word of the struct shared with bodies of loops. */
LLVMValueRef shared_word(struct emit *e, uint32_t offset);
/* What is being emitted needs what only the function around all loops has (its context): the loops around it that are apart have to
 * stay in place, and the module is emitted anew. */
void bodies_stay(struct emit *e);
void function_ready(struct emit *e, const struct function *fn); /* emitted, as its callers want */
struct value fn_call(struct emit *e, const struct expr *x, LLVMValueRef dest);
void set_result(struct emit *e, const struct expr *x);

/* emit_stmt.c */
void emit_block(struct emit *e, const struct block *b);
void emit_stmt(struct emit *e, const struct stmt *s);
LLVMValueRef compound_value(struct emit *e, const struct stmt *s, struct value old, LLVMValueRef v);
LLVMValueRef incdec(struct emit *e, const struct expr *x);

/* emit_loop.c */
/* Does the kernel that is compiled for have bpf_loop?  Otherwise `while` and ranges are loops in place. */
bool has_bpf_loop(const struct program *p);
void emit_for(struct emit *e, const struct stmt *s);
void emit_while(struct emit *e, const struct stmt *s);
void emit_unroll(struct emit *e, const struct stmt *s);
void emit_break(struct emit *e);
void emit_continue(struct emit *e);
bool loop_is_callback(struct emit *e, const struct stmt *s);
/* Does the loop's body become a global function (emit->apart)?  The verifier looks at such a function once, knowing nothing of
 * what is shared, and takes each of its calls for one instruction. */
bool loop_is_apart(struct emit *e, const struct stmt *s);
/* The body of s must not become a global function: emit it in place from now on. */
void loop_stays(struct emit *e, const struct stmt *s);
/* Call f for every entry of a map (or its twin); i64: how often it was called. */
LLVMValueRef for_each_entry(struct emit *e, const struct map *map, LLVMValueRef f, LLVMValueRef context);

/* emit_capture.c */
/* Which variables do bodies of loops that are functions reach?  Fills unit->vars[] anew, sharing and frame_size.  predicate: may be NULL. */
void find_captures(struct emit *e, struct unit *u, struct expr *predicate, struct block *body);

/* emit_var.c */
LLVMValueRef var_address(struct emit *e, const struct var *v);
/* Does the function that is being made declare it, rather than a loop around it? */
bool var_is_here(struct emit *e, const struct var *v);
void var_clear(struct emit *e, const struct var *v);
void emit_var_assign(struct emit *e, const struct var *v, const struct expr *value);
struct value var_read(struct emit *e, const struct expr *x);

/* emit_memory.c */
struct mark {
	uint32_t scratch_top, serial;
};
struct mark memory_mark(struct emit *e);
void memory_release(struct emit *e, struct mark m);
/* emit_system.c: number of a system call by its tracepoint, "sys_enter_read"; -1 when not known. */
int syscall_number(struct str event);
LLVMValueRef stack_alloc(struct emit *e, LLVMTypeRef type, uint32_t align, const char *name);
LLVMValueRef scratch_base(struct emit *e);
LLVMValueRef scratch_address(struct emit *e, uint32_t offset);
uint32_t scratch_bytes(struct emit *e, uint32_t size); /* reserve: its offset */
bool stack_has_room(struct emit *e, uint32_t size);
/* An integer that has to wait while something else is evaluated: `at = set_aside(v); ...; v = take_back(at, v)`. */
LLVMValueRef set_aside(struct emit *e, LLVMValueRef v);
LLVMValueRef take_back(struct emit *e, LLVMValueRef at, LLVMValueRef v);
LLVMValueRef stack_variable(struct emit *e, uint32_t size, const char *name); /* NULL: no room, or too large for the stack */
/* Fill the block `in`: take scratch memory of this CPU and go on at `ready`, or at `skip` when all levels are in use. */
void scratch_acquire(struct emit *e, LLVMBasicBlockRef in, LLVMBasicBlockRef ready, LLVMBasicBlockRef skip);
void scratch_free(struct emit *e);
/* Global functions get the number of the run's level, and look the memory up by it: */
LLVMValueRef scratch_level(struct emit *e); /* i64 */
void scratch_find(struct emit *e, LLVMValueRef level, LLVMBasicBlockRef missing);
void scratch_define_map(struct emit *e);

/* emit_binary.c */
struct value emit_binary(struct emit *e, const struct expr *x);
LLVMValueRef arithmetic(struct emit *e, enum binary_op op, LLVMValueRef l, LLVMValueRef r, bool is_signed, struct span span);
LLVMValueRef emit_compare(struct emit *e, const struct expr *x); /* i1 */

/* emit_access.c */
struct value emit_field(struct emit *e, const struct expr *x);
struct value emit_index(struct emit *e, const struct expr *x);
struct value emit_deref(struct emit *e, const struct expr *x);
struct value emit_tuple_at(struct emit *e, const struct expr *x);
LLVMValueRef element_size(struct emit *e, const struct type *t); /* i64; CO-RE for kernel structs */
LLVMValueRef bitfield_int(struct emit *e, struct value v);

/* emit_map.c */
void emit_map_assign(struct emit *e, const struct stmt *s);
LLVMValueRef map_incdec(struct emit *e, const struct expr *x);
void maps_define(struct emit *e);
const struct type *map_key_type(struct emit *e, const struct map *map);
struct value map_read_into(struct emit *e, const struct expr *x, LLVMValueRef dest);

/* emit_access.c */
/* The address of an object of the kernel as the verifier knows it; where it is null control goes to `absent`. */
LLVMValueRef known_address(struct emit *e, const struct expr *x, LLVMBasicBlockRef absent);

/* emit_task.c */
struct value comm_of(struct emit *e, const struct expr *call, LLVMValueRef dest); /* comm(pid) */

/* emit_list.c */
LLVMValueRef list_length(struct emit *e, const struct option_decl *o); /* i64 */
LLVMValueRef list_has(struct emit *e, const struct expr *x); /* i1: x in list */

/* emit_call.c */
struct value emit_call(struct emit *e, const struct expr *x, LLVMValueRef dest);
LLVMValueRef pid_tgid(struct emit *e, bool init_namespace); /* i64: tgid in the upper half */

/* emit_expr.c */
struct value emit_expr_into(struct emit *e, const struct expr *x, LLVMValueRef dest);
struct value value_cast(struct emit *e, struct value v, const struct type *to, LLVMValueRef dest);
void emit_discarded(struct emit *e, const struct expr *x);

/* emit_value.c */
LLVMValueRef forget_pointer(struct emit *e, LLVMValueRef v);

/* emit_btf.c */
void debug_open(struct emit *e);
const struct source *const *btf_sources(struct emit *e); /* behind the stand-ins, by number */
int btf_nsources(struct emit *e);
void debug_close(struct emit *e);
LLVMMetadataRef btf_subprogram(struct emit *e, LLVMValueRef function, const char *name, struct span span,
			       const char *const *params, bool global);
/* A function of the kernel that programs call: pointers are to structs. */
void btf_kernel_function(struct emit *e, LLVMValueRef function, const char *name);
/* A BPF map: a global of map_def_type() in .maps whose debug info says what it is.  It may be described after its first use. */
LLVMTypeRef map_def_type(struct emit *e);
void map_def(struct emit *e, LLVMValueRef global, const char *name, uint32_t bpf_type, uint32_t key_size,
	     uint32_t value_size, uint32_t max_entries, uint32_t flags);
void btf_variable(struct emit *e, LLVMValueRef global, const char *name, uint32_t size);
void btf_array_variable(struct emit *e, LLVMValueRef global, const char *name, uint32_t size);
/* Address (ptr) of a kernel struct's field, relocated when the object is loaded. */
LLVMValueRef core_field(struct emit *e, LLVMValueRef base, const struct type *of, const struct field *f);
/* i64: a fact about a field (enum core_info), relocated at load. */
LLVMValueRef core_field_info(struct emit *e, LLVMValueRef base, const struct type *of, const struct field *f, int info);
LLVMValueRef core_type_size(struct emit *e, const struct type *t);
enum core_info { CORE_BYTE_OFFSET, CORE_BYTE_SIZE, CORE_EXISTS, CORE_SIGNED, CORE_LSHIFT, CORE_RSHIFT };

#endif
