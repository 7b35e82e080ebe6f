/* The inside of code generation: the only header that names LLVM types.  What each file of codegen/ offers to the others.
 *
 * How to add a builtin: write `struct value lower_NAME(struct emit *e, const struct expr *call, LLVMValueRef dest)` in the file of
 * its subject; its row in lang/builtins.def already expands into the table in emit_call.c, so nothing else is needed (and without
 * it the program does not link).  See `lower_fn` below for what it gets and gives. */
#ifndef WT_EMIT_H
#define WT_EMIT_H

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>

#include "codegen/codegen.h"
#include "codegen/manifest.h"
#include "lang/program.h"
#include "lang/support/bug.h"

/* ---- values ------------------------------------------------------------------------------------------------------------- */

/* Where a value is.  Memory of a traced kernel or process cannot be loaded directly: value_number() and its kin copy it first. */
enum value_place {
	PLACE_REGISTER, /* v is the value: an integer of type->size * 8 bits (pointers and symbols too: i64); NONE: v is NULL */
	PLACE_BPF,	/* v is the address (ptr) of memory that the program may load from: stack, scratch, map value, .rodata */
	PLACE_CONTEXT,	/* the same inside the program's context: loaded piece by piece, never passed to a helper */
	PLACE_TRUSTED,	/* address (ptr) of kernel memory behind a pointer that the verifier knows by BTF: loaded directly */
	PLACE_KERNEL,	/* address (i64) for bpf_probe_read_kernel */
	PLACE_USER,	/* address (i64) for bpf_probe_read_user */
	PLACE_ANY,	/* address (i64) of unknown kind: user memory when it is a user address, else kernel memory */
};

struct emit;

struct value {
	LLVMValueRef v;
	const struct type *type;
	enum value_place place;
	bool trusted; /* PLACE_REGISTER, PTR: the verifier knows what it points to; arithmetic on it needs value_number() */
	uint32_t align; /* addresses: less than the type's own alignment; 0: that */
	bool ragged;  /* PLACE_BPF, text: bytes behind the NUL are whatever; cleared when stored (emit_to, value_store) */
	/* A bitfield inside kernel or other memory: v is the struct's address, bits say which (value_number extracts them). */
	const struct field *bits;
	const struct type *bits_of; /* the struct type that holds `bits` */
};

/* Types that live in registers: type_is_register() is true for them.  All others are addressed memory, laid out as layout.h and
 * type->fields say, little padding bytes zero. */
LLVMTypeRef emit_register_type(struct emit *e, const struct type *t);

/* ---- the context of one compilation --------------------------------------------------------------------------------------- */

struct frame;	  /* the function being emitted: emit_frame.h, for emit_*.c of the core only */
struct btf_maker; /* emit_btf.c */
struct map_global;
struct fn_state;  /* emit_probe.c */

struct emit {
	struct arena *arena;
	const struct program *program;
	struct types *types;
	struct diag *diag;
	struct manifest *manifest; /* being built */

	LLVMContextRef context;
	LLVMModuleRef module;
	LLVMBuilderRef builder;
	LLVMTypeRef i1, i8, i16, i32, i64, ptr, void_;

	struct btf_maker *btf;
	struct frame *frame;
	struct span span; /* of the innermost expression or statement being emitted */
	struct map_global *map_globals; /* by map->id */
	struct fn_state *functions;	/* by function->id */
	int nloops;			/* callbacks made so far */
	uint32_t loop_limit;	      /* turns of a range in place */
	uint32_t stack_budget;	      /* bytes of BPF stack that one function may give to variables and temporaries */
	bool apart;		      /* bodies of loops in place become global functions */
	VEC(const struct stmt *) staying; /* the loops that cannot: see loop_stays() */
	bool frugal;		      /* registers did not suffice: values wait in scratch memory, and LLVM may not keep copies of
				       * what is in memory */
	uint32_t scratch_base;	      /* scratch bytes that belong to functions */
	uint32_t scratch_size;	      /* scratch bytes of the hungriest program so far */
	struct table strings;	      /* literal -> global */
	struct table rodata;	      /* name -> global */
	struct table site_index;      /* what a site counts -> its number */
	LLVMValueRef scratch_map, sites_map, site_function, scratch_function, ns_function, count_function, zeros;
	uint32_t zeros_size;
	const struct map *aggregate_map; /* set around the lowering of an AGG call: the map that it updates */
	void *events;		      /* private to emit_event.c: wt_events and what it remembers */
	void *stacks;		      /* private to emit_stack.c */
	LLVMValueRef usdt_map;	      /* private to emit_usdt.c */
};

/* ---- expressions: emit_expr.c ----------------------------------------------------------------------------------------------- */

/* Evaluate x.  The result may be an address in foreign memory (nothing was read yet): pass it to value_*(). */
struct value emit_expr(struct emit *e, const struct expr *x);
/* Evaluate x of a register type to an integer of its own width. */
LLVMValueRef emit_int(struct emit *e, const struct expr *x);
/* The same, widened to 64 bits by its signedness. */
LLVMValueRef emit_i64(struct emit *e, const struct expr *x);
/* Is x non-zero?  An i1.  Works for && || ! and comparisons without detours. */
LLVMValueRef emit_cond(struct emit *e, const struct expr *x);
/* Evaluate x into memory and give its address (ptr, readable by loads and by helpers, type->size bytes).  Registers are spilled.
 * Text may be ragged (see struct value).  The memory is good until the end of the statement; do not write to it. */
LLVMValueRef emit_memory_of(struct emit *e, const struct expr *x);
/* Evaluate x into `dest` (type->size bytes at a multiple of type->align), padding and bytes behind a NUL cleared. */
void emit_to(struct emit *e, const struct expr *x, LLVMValueRef dest);

/* ---- using values: emit_value.c ----------------------------------------------------------------------------------------------- */

struct value value_none(struct emit *e);
/* v: an integer of the type's width. */
struct value value_register(const struct type *t, LLVMValueRef v);
struct value value_at(const struct type *t, LLVMValueRef address, enum value_place place);
/* The integer of a register-typed value, whatever its place: loads, probe-reads (0 where that fails), extracts bitfields. */
LLVMValueRef value_number(struct emit *e, struct value v);
LLVMValueRef value_i64(struct emit *e, struct value v);
/* Address (ptr) of the value in BPF memory; copies foreign memory first.  Same rules as emit_memory_of. */
LLVMValueRef value_memory(struct emit *e, struct value v);
/* Store into `dest`, as emit_to does. */
void value_store(struct emit *e, struct value v, LLVMValueRef dest);
/* The address as i64, for helpers that read foreign memory (str, ustack...); v must not be PLACE_REGISTER. */
LLVMValueRef value_address(struct emit *e, struct value v);
/* An integer `v` of type `from` converted to the width of `to` (sign- or zero-extended by `from`, or cut). */
LLVMValueRef convert_int(struct emit *e, LLVMValueRef v, const struct type *from, const struct type *to);
/* Where what a pointer or address value of type t points to lies: by t->as. */
enum value_place place_of(const struct type *t);

/* Plain memory of ours.  Large sizes go through helpers, as BPF has no memcpy. */
void memory_copy(struct emit *e, LLVMValueRef dest, LLVMValueRef src, uint32_t size, uint32_t align);
void memory_zero(struct emit *e, LLVMValueRef dest, uint32_t size, uint32_t align);
/* dest + offset as ptr; offset constant or i64. */
LLVMValueRef memory_at(struct emit *e, LLVMValueRef base, uint64_t offset);
LLVMValueRef memory_at_var(struct emit *e, LLVMValueRef base, LLVMValueRef offset);
LLVMValueRef load_int(struct emit *e, LLVMValueRef address, LLVMTypeRef type);
void store_int(struct emit *e, LLVMValueRef address, LLVMValueRef v);
/* The same where the address is a multiple of `align` only. */
void store_int_at(struct emit *e, LLVMValueRef address, LLVMValueRef v, uint32_t align);

/* Copy `size` (constant, or i64) bytes from foreign memory at `address` (i64) in `place`; zeroes `dest` where it fails.  Returns the
 * helper's i64 result. */
LLVMValueRef probe_read(struct emit *e, LLVMValueRef dest, LLVMValueRef size, LLVMValueRef address, enum value_place place,
			struct span span);

/* ---- memory of this run of the probe: emit_memory.c ----------------------------------------------------------------------------- */

/* `size` bytes aligned to 8, not cleared: on the stack up to config.on_stack_limit (and while the stack lasts), else per-CPU scratch
 * memory that no other run of a probe touches.  Good until the end of the statement. */
LLVMValueRef memory_temp(struct emit *e, uint32_t size, const char *name);
/* The same, good until the end of the probe (variables). */
LLVMValueRef memory_for_good(struct emit *e, uint32_t size, const char *name);
/* Always scratch memory: for buffers whose tail is addressed by a variable (the verifier is happier there). */
LLVMValueRef memory_scratch(struct emit *e, uint32_t size, const char *name);

/* ---- constants: emit_rodata.c ------------------------------------------------------------------------------------------------------ */

LLVMValueRef int_const(struct emit *e, uint64_t v);    /* i64 */
LLVMValueRef int32_const(struct emit *e, uint32_t v);  /* i32 */
/* Address of `size` bytes in .rodata: text, then zeros. */
LLVMValueRef literal(struct emit *e, struct str text, uint32_t size);
/* A `const volatile` variable in .rodata that the runtime patches before load: its current value (i32 or i64 by `bytes`), 0 or
 * `initial` in the object.  The verifier knows it and drops dead branches. */
LLVMValueRef rodata_load(struct emit *e, const char *name, uint32_t bytes, uint64_t initial);
/* Its address, for options that hold text or lists. */
LLVMValueRef rodata_address(struct emit *e, const char *name, struct str initial, uint32_t size);
/* Does the kernel at load time have this feature?  An i1 from wt_features: only for what 5.10 can parse in a dead branch. */
LLVMValueRef feature(struct emit *e, enum kernel_feature f);
/* Compile-time answer, for what an old kernel cannot even parse.  Yes: the probe (or function) being emitted is marked to need it. */
bool feature_now(struct emit *e, enum kernel_feature f);

/* ---- helpers, branches ------------------------------------------------------------------------------------------------------------------ */

enum helper {
#define HELPER_ROW(name, number, result) HELPER_##name = number,
#include "codegen/helpers.def"
#undef HELPER_ROW
};

/* Call bpf_<name>(args...): pointers and i64 go as they are, narrower integers are zero-extended.  i64, or ptr where helpers.def says so.
 *     r = HELPER(e, map_delete_elem, map, key);	*/
LLVMValueRef helper_call(struct emit *e, enum helper h, int n, const LLVMValueRef *args);
#define HELPER(e, name, ...)                                                                                   \
	helper_call((e), HELPER_##name,                                                                            \
		    (int)(sizeof((LLVMValueRef[]){NULL, ##__VA_ARGS__}) / sizeof(LLVMValueRef)) - 1,               \
		    (const LLVMValueRef[]){NULL, ##__VA_ARGS__} + 1)

/* Blocks are appended to the current function; `block_start` goes on emitting there. */
LLVMBasicBlockRef block_new(struct emit *e, const char *name);
void block_start(struct emit *e, LLVMBasicBlockRef b);
void jump(struct emit *e, LLVMBasicBlockRef to); /* unless the current block has already ended */
void branch(struct emit *e, LLVMValueRef cond, LLVMBasicBlockRef yes, LLVMBasicBlockRef no);
LLVMValueRef is_null(struct emit *e, LLVMValueRef pointer);
/* An opaque copy of v: LLVM cannot reason across it, so that bounds checks stay where the verifier looks for them. */
LLVMValueRef opaque(struct emit *e, LLVMValueRef v);
/* Clamp an i64 to 0..max in a way that the verifier follows. */
LLVMValueRef clamp(struct emit *e, LLVMValueRef v, uint64_t max);

/* Leave the probe (or the function) at once, as `return;` does; what is emitted afterwards is unreachable.  exit() uses it. */
void emit_leave(struct emit *e);
/* The program's context pointer (ptr), also inside loops; NULL inside fn. */
LLVMValueRef emit_context(struct emit *e);
/* The probe being emitted; NULL inside fn. */
const struct probe *emit_probe(struct emit *e);
/* Index of the current probe in manifest->probes; -1 inside fn. */
int emit_probe_index(struct emit *e);

/* ---- sites: emit_site.c --------------------------------------------------------------------------------------------------------------------- */

/* A new counter of what can go wrong at `span`.  `map` is a map's id or -1, `helper` a name without bpf_ or NULL. */
int site_new(struct emit *e, enum site_cause cause, struct span span, int map, const char *helper);
/* Count it now, remembering a return code (i64, NULL: 0). */
void site_hit(struct emit *e, int site, LLVMValueRef code);
/* Count it when cond (i1) holds. */
void site_hit_if(struct emit *e, LLVMValueRef cond, int site, LLVMValueRef code);

/* ---- maps: emit_map.c --------------------------------------------------------------------------------------------------------------------------- */

/* The BPF map (ptr) of a script map. */
LLVMValueRef map_global(struct emit *e, const struct map *map);
/* A BPF map of our own in .maps.  0 for key_size: none (ring buffer). */
LLVMValueRef map_declare(struct emit *e, const char *name, uint32_t bpf_type, uint32_t key_size, uint32_t value_size,
			 uint32_t max_entries, uint32_t flags);
/* Evaluate the key of `@m[k]` into memory (scalar maps: their fixed key); `key` NULL for scalars. */
LLVMValueRef emit_map_key(struct emit *e, const struct map *map, const struct expr *key);
/* Address of the value, or a null pointer (check with is_null). */
LLVMValueRef map_lookup(struct emit *e, const struct map *map, LLVMValueRef key);
/* Address of the value, inserted as zeros when absent.  Jumps to `failed` (site counted) when the map is full. */
LLVMValueRef map_lookup_or_insert(struct emit *e, const struct map *map, LLVMValueRef key, struct span span,
				  LLVMBasicBlockRef failed);
/* Read `@m[k]`: a copy of the value, zeros when absent. */
struct value emit_map_read(struct emit *e, const struct expr *x);

/* ---- builtins: emit_call.c ------------------------------------------------------------------------------------------------------------------------- */

/* Lower one call.  `dest`: NULL, or memory where a result of a memory type may be built (type->size bytes, then complete and with
 * a cleared tail); return value_at(type, dest, PLACE_BPF) then, or any other value, which the caller copies.
 * KERNEL rows give their value; USER rows emit their event and give value_none().
 * AGG rows get in `dest` the address of the map's value for the current CPU (or the shared one when map->shared), found or freshly
 * zeroed, and update it; call->type is the aggregate type. */
typedef struct value lower_fn(struct emit *e, const struct expr *call, LLVMValueRef dest);
#define BUILTIN(name, ...) lower_fn lower_##name;
#include "lang/builtins.def"
#undef BUILTIN

/* Read a castable aggregate `@m[k]` inside the kernel as an i64 (emit_agg.c): COUNT SUM MIN MAX AVG, over all CPUs. */
LLVMValueRef aggregate_read(struct emit *e, const struct expr *map_expr);
/* The same for all that can be merged (also STATS), into `to` as the manifest lays out the value; zeros when the key is absent. */
void aggregate_merge(struct emit *e, const struct expr *map_expr, LLVMValueRef to);
/* a == b for two texts of any capacity (emit_string.c): i1.  Compares up to the NUL or the shorter capacity. */
LLVMValueRef string_equal(struct emit *e, struct value a, struct value b);

/* ---- context: emit_context.c ------------------------------------------------------------------------------------------------------------------------- */

/* The context word or register that holds argument n / the return value / the register of that name, i64. */
LLVMValueRef context_arg(struct emit *e, int n);
LLVMValueRef context_retval(struct emit *e);
LLVMValueRef usdt_arg(struct emit *e, int n); /* emit_usdt.c: of a static probe, i64 */
LLVMValueRef usdt_address(struct emit *e); /* of the place that was hit, as linked, i64; 0 unknown */
LLVMValueRef context_register(struct emit *e, struct str name);
/* args.FIELD and ctx->FIELD. */
struct value context_field(struct emit *e, const struct type *args, const struct field *f);

/* ---- debug info and CO-RE: emit_btf.c --------------------------------------------------------------------------------------------------------------------- */

/* Instructions emitted from here on belong to this place of the script. */
void emit_place(struct emit *e, struct span span);

#endif
