/* The checked program: what codegen is given.  Typed, resolved, never changed again.  Everything lives in the compilation's
 * arena.  Trees are those of ast.h with the checker's fields set; what the checker guarantees about them:
 *  - every expr has a type, never TYPE_ERROR;
 *  - no EXPR_NAME, EXPR_POSITIONAL(_COUNT), EXPR_SIZEOF/OFFSETOF/TYPEINFO/TYPEOF, EXPR_COMPTIME, macro call: folded or expanded;
 *  - constants are folded: EXPR_INT, EXPR_BOOL, EXPR_STRING;
 *  - builtin variables are EXPR_CALL with call.builtin set; argN has builtin BUILTIN_arg and call.number = N;
 *  - operands of a binary operator have the type that the operation is done in (implicit EXPR_CASTs are in place): arithmetic
 *    is 64 bits, signed iff expr->type->is_signed; comparisons: both operands of one integer type of any size, or both pointers,
 *    strings (capacities may differ), arrays, tuples or records of one type;
 *  - LAND, LOR, NOT, conditions and predicates take INT, BOOL, ENUM or PTR operands of any size and test for non-zero;
 *  - an assigned value has exactly the type of the variable or map value; a key exactly the map's key type (implicit casts
 *    widen integers, strings, and element-wise tuples);
 *  - `lhs op= v` keeps assign.compound; v has the 64-bit arithmetic type; the result is cut to the target's type;
 *  - pointer + integer: type is the pointer's; codegen scales by the pointee size;
 *  - aggregates: STMT_ASSIGN to an EXPR_MAP whose map->value is an aggregate, value = EXPR_CALL of an AGG builtin;
 *    reading one is EXPR_CAST from the EXPR_MAP (type = the aggregate) to an integer;
 *  - EXPR_MAP with key == NULL on a keyed map only as an argument of builtins that take whole maps, and in STMT_FOR;
 *  - unreachable statements are still there. */
#ifndef WT_PROGRAM_H
#define WT_PROGRAM_H

#include "lang/ast.h"
#include "lang/format.h"
#include "lang/kernel.h"
#include "lang/probe_spec.h"
#include "lang/type.h"

struct config {
#define CONFIG_INT(name, value, help) uint64_t name;
#define CONFIG_BOOL(name, value, help) bool name;
#define CONFIG_STRING(name, value, help) struct str name;
#define CONFIG_ENUM(name, words, value, help) int name;
#include "lang/config.def"
#undef CONFIG_INT
#undef CONFIG_BOOL
#undef CONFIG_STRING
#undef CONFIG_ENUM
};

enum map_kind { MAP_HASH, MAP_LRU_HASH, MAP_PERCPU_HASH, MAP_PERCPU_LRU_HASH };

struct map {
	struct str name;	 /* without @ */
	int id;			 /* place in program->maps */
	const struct type *key;	 /* NULL: scalar (stored under a u64 key 0) */
	const struct type *value;
	enum map_kind kind;	 /* aggregates are PERCPU unless `shared` */
	bool shared;		 /* aggregate read inside the kernel where that needs a shared value */
	uint32_t max_entries;
	struct span first_use;
	bool declared;		 /* by `let @m = ...` */
};

struct var {
	struct str name; /* without $ */
	int id;		 /* unique in its probe or function */
	const struct type *type;
	struct span first_use;
	bool is_param;
	int loop_depth;	 /* 0: declared outside of any for loop; codegen captures by it */
	const struct expr *origin; /* the one argument of the probe that it ever holds, NULL: none; helpers know what that points to */
};

enum option_kind { OPTION_BOOL, OPTION_UINT, OPTION_INT, OPTION_STRING, OPTION_LIST, OPTION_TEXTS, OPTION_CGROUP };

enum { MOST_STACKS = 1 << 24 }; /* that can be kept: the kernel makes room for all of them at once */

/* Lists of a script option lie in .rodata as a u64 count and then room for so many: s64 values, or texts with zeros behind them. */
enum { LIST_VALUES = 64, LIST_TEXTS = 32, LIST_TEXT = 64 };

/* A script option (getopt).  The value is patched into .rodata when loading; it is not a compile-time constant. */
struct option_decl {
	struct str name;   /* long name */
	char letter;	   /* 0: none */
	struct str help;
	struct str choices; /* STRING: the words that it may be; empty: any */
	enum option_kind kind;
	const struct type *type;
	uint64_t number;   /* default of BOOL, UINT, INT */
	struct str text;   /* default of STRING */
	struct span span;
	int id;		   /* place in program->options */
	bool settled;	   /* an attach point has it: it cannot change any more */
	uint64_t settled_to;
};

/* User-space expressions of report(): postfix code over one entry of a map. */
enum report_op {
	REPORT_INT,    /* push number */
	REPORT_KEY,    /* push the whole key */
	REPORT_VALUE,  /* push the value (aggregates: merged over CPUs) */
	REPORT_PART,   /* replace the top by its element `number` (tuple, or stats: 0 count 1 average 2 total) */
	REPORT_LOOKUP, /* replace the top (a key) by maps[number][key]; 0 when absent */
	REPORT_NEG, REPORT_NOT, REPORT_BITNOT,
	REPORT_BINARY, /* pop right, left; push left op right; number = enum binary_op */
	REPORT_REVERSED, /* a stack: print it outermost frame first */
	REPORT_ADDRESSES, /* a stack: print it with addresses, as kstack(perf) */
	REPORT_FOLDED,	 /* pop `number` stacks and texts; push them on one line, stacks outermost first and without offsets, joined by
			  * ';', what is empty left out */
	REPORT_ENDPOINT, /* pop port, address; push "address:port", an IPv6 address in brackets */
	REPORT_OPTION,	 /* push the value of script option `number` */
	REPORT_TEXT,	 /* push `text` */
	REPORT_SELECT,	 /* pop no, yes, condition; push one of them */
	REPORT_CONCAT,	 /* pop `number` values; push their texts in one */
	REPORT_CGROUP,	 /* replace the top (an id) by the path of that cgroup */
	REPORT_GLOB,	 /* pop pattern, text; push whether it fits */
	REPORT_SCALED,	 /* pop unit, amount; push amount / unit, or with a unit of 0 a text like 9.5K, in powers of 1024 */
	REPORT_OP_COUNT
};

struct report_code {
	enum report_op op;
	int64_t number;
	bool is_signed; /* REPORT_BINARY: signed arithmetic */
	struct str text; /* REPORT_TEXT */
	const struct map *map; /* REPORT_LOOKUP: its place is known when all maps are; in a manifest NULL, and `number` says which */
};

struct report_expr {
	VEC(struct report_code) code;
	const struct type *type; /* of the result */
};

struct report {
	struct map *map;
	struct format *format;
	VEC(struct report_expr) values; /* one per value of the format */
	struct report_expr by;		/* empty code: by value (aggregates), else by key */
	bool descending;
	struct report_expr descending_if; /* desc = condition; empty code: none */
	struct report_expr where;	  /* rows for which it is 0 are left out; empty code: none */
	bool percentiles; /* print() only */
	uint64_t top; /* 0: all */
	const struct option_decl *top_option; /* top = getopt(...) */
	uint64_t fit;	/* fit = N: on a terminal at most its height less N lines; 0: all */
	struct format *totals; /* totals = "format": one more line with the sums of the last values, as many as it has conversions */
	VEC(struct map *) joined; /* rows also for keys that only these maps hold; their value is zero */
};

struct function {
	struct str name;
	VEC(struct var *) params;
	VEC(struct var *) vars;
	const struct type *result;
	struct block *body;
	struct span span;
	int id;
};

/* One BPF program and where it is attached. */
struct probe {
	int id;
	const struct probe_kind *kind;
	probe_spec_list attach; /* concrete attach points, all served by this one program; types of `args` agree */
	struct str name;	/* what `probe` yields when there is one attach point */
	struct probe_args args;
	struct expr *predicate; /* NULL: none */
	struct block *body;
	VEC(struct var *) vars;
	struct span span;
	int source_probe;  /* which probe of the script it comes from, for `A or B` groups and messages */
	bool sleepable;
	bool wants_kstack; /* the body takes kernel stacks */
};

struct program {
	struct arena *arena;
	const struct source *source;
	struct types *types;
	struct config config;
	struct kernel *kernel; /* for CO-RE decisions only: codegen may ask has() */
	VEC(struct map *) maps;
	VEC(struct option_decl *) options;
	VEC(struct function *) functions;
	VEC(struct probe *) probes; /* in source order; begin and end among them */
	bool unsafe;
	struct str child;  /* -c was given: cpid is known at load */
};

void program_dump(const struct program *p, struct strbuf *out);

#endif
