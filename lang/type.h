/* Types of values.  Interned: equal types are the same pointer. */
#ifndef WT_TYPE_H
#define WT_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "lang/support/arena.h"
#include "lang/support/str.h"
#include "lang/support/table.h"
#include "lang/support/vec.h"

enum { INET_OTHER = 1 }; /* in the place of 4 or 6: ntop() was given another family */

/* The bit that tells a time, of zero too, from one that was never set. */
#define TIMESTAMP_SET (1ull << 63)

enum type_kind {
	TYPE_ERROR,  /* agrees with everything, complains about nothing */
	TYPE_NONE,   /* no value */
	TYPE_INT,    /* size 1 2 4 8 */
	TYPE_BOOL,   /* size 1 */
	TYPE_ENUM,   /* size 4 or 8; decl */
	TYPE_PTR,    /* size 8; elem may be NONE (void *) */
	TYPE_ARRAY,  /* elem x count */
	TYPE_STRUCT, /* struct or union: decl */
	TYPE_STRING, /* size = capacity with the NUL */
	TYPE_BUFFER, /* u32 length, then count bytes; size = 4 + count */
	TYPE_TUPLE,  /* elems, laid out as a C struct */
	TYPE_RECORD, /* the same with names */
	TYPE_INET,	  /* u8 family (4, 6 or INET_OTHER; 0 like 4), u8 has a port, u16 port, 4 zero bytes, u8 address[16]; size 24 */
	TYPE_MAC,	  /* 6 bytes */
	TYPE_KSYM,	  /* u64 address */
	TYPE_USYM,	  /* u64 address, u32 tgid, u32 0; size 16 */
	TYPE_KSTACK,	  /* s64 stack id (negative: -errno, not taken), u32 map used: 2 * index into manifest->stacks, + 1 for
			  * the second of the pair, u32 frames asked; size 16 */
	TYPE_USTACK,	  /* the same plus u32 tgid, u32 0; size 24 */
	TYPE_TIMESTAMP,	  /* u64 ns since boot (or TAI) with TIMESTAMP_SET, 0: none; text = strftime format */
	TYPE_CGROUP_PATH, /* u64 id; text = filter */
	TYPE_USERNAME,	  /* u64 uid */
	/* aggregations: map values only */
	TYPE_COUNT, TYPE_SUM, TYPE_MIN, TYPE_MAX, TYPE_AVG, TYPE_STATS, TYPE_HIST, TYPE_LHIST, TYPE_TSERIES,
};

enum { TSERIES_SLOTS = 1365 }; /* most intervals of a tseries: what fits into a per-CPU value of 32 KiB */

enum addr_space { AS_NONE, AS_KERNEL, AS_USER };
enum stack_mode { STACK_BPFTRACE, STACK_PERF, STACK_RAW, STACK_BUILD_ID };

struct struct_decl;
struct enum_decl;
struct types;

/* ORIGIN_UARGS: where a parameter is at the probe's place.  Registers are words of struct pt_regs. */
enum arg_where {
	ARG_NOWHERE,	   /* programs cannot read it: `a` is an enum arg_absence */
	ARG_REGISTER,	   /* `a` */
	ARG_TWO_REGISTERS, /* the first eight bytes in `a`, the rest in `b` */
	ARG_MEMORY,	   /* `b` bytes (signed) from where the register `a` points to */
	ARG_REFERENCE,	   /* the register `a` has the address of the value */
	ARG_SUM,	   /* the register `a` and `b` (signed) */
	ARG_CONSTANT,	   /* `a` is the lower half of the number, `b` the upper one */
};

enum arg_absence {
	ABSENT_UNSEEN,	  /* in a register that programs cannot see (floating point), or not told */
	ABSENT_OPTIMISED, /* the compiler has not kept it that far */
	ABSENT_COMPUTED,  /* the debug information has a computation instead of a place */
	ABSENT_EARLY,	  /* not put there yet: it is from `b` bytes behind the function's start on */
};

struct arg_place {
	uint32_t where, a, b;
};

struct field {
	struct str name;
	const struct type *type;
	uint32_t offset;     /* bytes from the start; meaningless for CO-RE structs beyond the kernel it was read from */
	uint32_t bit_offset; /* bitfields: bits from the start of the struct */
	uint32_t bit_size;   /* 0: not a bitfield */
	bool data_loc;	     /* tracepoint __data_loc: low 16 bits offset, high 16 length, from the record's start */
	struct arg_place place; /* ORIGIN_UARGS; `offset` is the one in a copy of all of them */
};

struct hidden_arg {
	struct str name;
	const char *why;
};

/* Where a struct's layout comes from, which decides how codegen reads its fields. */
enum struct_origin {
	ORIGIN_BTF,	   /* kernel type: every field access is CO-RE relocated by names */
	ORIGIN_C,	   /* defined in the script, or by DWARF: own offsets */
	ORIGIN_TRACEPOINT, /* `args` of a tracepoint: the context itself; CO-RE through trace_event_raw_* when `core_name` is set */
	ORIGIN_ARGS,	   /* `args` of fentry, fexit, rawtracepoint: field n = context word n */
	ORIGIN_UARGS,	   /* `args` in registers: of uprobes, from DWARF, and of kprobes, from BTF */
	ORIGIN_CTX,	   /* raw context structs: pt_regs, bpf_perf_event_data, bpf_iter__* */
};

struct struct_decl {
	struct str name; /* without struct/union; empty for anonymous */
	bool is_union;
	enum struct_origin origin;
	uint32_t size;
	struct str module;    /* ORIGIN_BTF: "vmlinux" or a module */
	struct str core_name; /* kernel struct to relocate against when it differs from `name` */
	bool loaded;
	/* Fields in declaration order; members of anonymous structs and unions are flattened into their parent.
	 * Filled by load() on first use. */
	VEC(struct field) fields;
	void (*load)(struct struct_decl *decl, struct types *types, void *arg);
	void *load_arg;
	VEC(struct hidden_arg) hidden; /* ORIGIN_UARGS: parameters that programs cannot see (ARG_NOWHERE) */
	uint32_t btf_id; /* ORIGIN_BTF: id in its BTF, 0 unknown */
};

struct enum_value {
	struct str name;
	uint64_t value; /* sign-extended when the enum is signed */
};

struct enum_decl {
	struct str name; /* empty for anonymous */
	bool is_signed;
	VEC(struct enum_value) values;
};

struct type {
	enum type_kind kind;
	uint32_t size;	/* bytes as stored by BPF; 0 for NONE and ERROR */
	uint32_t align; /* 1, 2, 4, 8 */
	bool is_signed; /* INT, ENUM, SUM, MIN, MAX, AVG, STATS */
	enum addr_space as;	 /* PTR, and INT that came from an address; NONE otherwise */
	const struct type *elem; /* PTR, ARRAY */
	uint32_t count;		 /* ARRAY; BUFFER: bytes */
	struct struct_decl *decl;	/* STRUCT */
	const struct enum_decl *enum_;	/* ENUM */
	struct field *fields;	/* TUPLE, RECORD: nfields of them (names empty for tuples), offsets set */
	int nfields;
	enum stack_mode mode; /* KSTACK, USTACK */
	uint32_t limit;	      /* KSTACK, USTACK: frames */
	struct str text;      /* TIMESTAMP, CGROUP_PATH; INT: its C name when it has one (for -lv), not part of identity */
	int64_t params[4];    /* HIST: k; LHIST: min max step; TSERIES: interval_ns, intervals,
			       * what is kept of one: 0 last value, 1 avg, 2 max, 3 min, 4 sum */
	int id;		      /* place in the table of types, unique */
	int clock;	      /* TIMESTAMP: 0 boot, 1 tai, 2 sw_tai */
};

/* The table of interned types of one compilation. */
struct types {
	struct arena *arena;
	const struct type *error, *none, *boolean;
	const struct type *s8, *s16, *s32, *s64, *u8, *u16, *u32, *u64;
	const struct type *voidptr; /* void *, AS_NONE */
	VEC(struct type *) all;
	struct table interned; /* identity as bytes -> struct type * */
};

struct types *types_new(struct arena *a);
const struct type *type_int(struct types *t, uint32_t size, bool is_signed);
const struct type *type_int_as(struct types *t, const struct type *int_type, enum addr_space as);
const struct type *type_ptr(struct types *t, const struct type *to, enum addr_space as);
const struct type *type_array(struct types *t, const struct type *elem, uint32_t count);
const struct type *type_struct(struct types *t, struct struct_decl *decl); /* one type per decl pointer */
const struct type *type_enum(struct types *t, const struct enum_decl *decl, uint32_t size);
const struct type *type_string(struct types *t, uint32_t capacity);
const struct type *type_buffer(struct types *t, uint32_t bytes);
const struct type *type_tuple(struct types *t, const struct type *const *elems, int n);
const struct type *type_record(struct types *t, const struct str *names, const struct type *const *elems, int n);
const struct type *type_plain(struct types *t, enum type_kind kind); /* INET MAC KSYM USYM USERNAME COUNT */
const struct type *type_stack(struct types *t, enum type_kind kind, enum stack_mode mode, uint32_t limit);
const struct type *type_timestamp(struct types *t, struct str format, int clock);
const struct type *type_cgroup_path(struct types *t, struct str filter);
const struct type *type_aggregate(struct types *t, enum type_kind kind, bool is_signed, const int64_t params[4]);

/* Stands for the offsets and types of everything in a struct: equal numbers mean that bytes of one can be read as the other. */
uint64_t type_layout(struct types *t, const struct type *of);

/* Buckets of hist(n, k): index 0 counts n < 0; with N = 2^k, index 1 + n for n < N; then N equal parts of each power of two. */
uint32_t hist_buckets(int k);
/* Buckets of lhist(n, min, max, step): below min, one per step (the last one may be narrower), max and above. */
uint32_t lhist_buckets(const int64_t params[4]);

bool type_is_integer(const struct type *t); /* INT, BOOL, ENUM */
bool type_is_aggregate(const struct type *t);
bool type_is_castable_aggregate(const struct type *t); /* COUNT SUM MIN MAX AVG: readable as an integer */
bool type_is_printable(const struct type *t);
bool type_is_register(const struct type *t); /* INT BOOL ENUM PTR KSYM... size <= 8 and no elements: codegen keeps it in a register */

/* The field of a struct, record or args type; loads lazily; NULL when there is none. */
const struct field *type_field(struct types *t, const struct type *of, struct str name);
/* All fields, loaded.  Count returned, *fields set. */
int type_fields(struct types *t, const struct type *of, const struct field **fields);

/* As shown to users and in messages: "int64", "string[16]", "struct task_struct *", "(int64, string[16])". */
struct str type_name(struct arena *a, const struct type *t);

#endif
