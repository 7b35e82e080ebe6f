/* The tree of a script.  The parser makes it exactly as written; the checker fills the fields marked "checker" on its own
 * clone of each probe body and hands that to codegen (program.h).  All nodes live in the compilation's arena. */
#ifndef WT_AST_H
#define WT_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "lang/builtin_id.h"
#include "lang/support/arena.h"
#include "lang/support/span.h"
#include "lang/support/str.h"
#include "lang/support/vec.h"

struct type;
struct expr;
struct stmt;
struct block;
struct map;
struct var;
struct format;
struct report;
struct option_decl;
struct function;
struct field;

typedef VEC(struct expr *) expr_list; /* the two list types are the tree's only typedefs */
typedef VEC(struct stmt *) stmt_list;

/* ---- types as written ---------------------------------------------------------------------------------------------- */

enum type_tag { TAG_NONE, TAG_STRUCT, TAG_UNION, TAG_ENUM };

enum type_suffix_kind { SUFFIX_POINTER, SUFFIX_ARRAY };

struct type_suffix {
	enum type_suffix_kind kind;
	struct expr *count; /* SUFFIX_ARRAY: NULL for [] */
};

/* `struct foo*`, `int32[4]*`, `typeof(e)`; suffixes read left to right. */
struct type_expr {
	struct span span;
	uint16_t height;
	enum type_tag tag;
	struct str name;	/* empty for typeof */
	struct expr *of;	/* typeof(expr), else NULL */
	struct type_expr *of_type; /* typeof(type), else NULL */
	VEC(struct type_suffix) suffixes;
};

/* ---- expressions --------------------------------------------------------------------------------------------------- */

enum unary_op { UNARY_NEG, UNARY_NOT, UNARY_BITNOT, UNARY_DEREF, UNARY_ADDRESS };
enum binary_op {
	BINARY_LOR, BINARY_LAND,
	BINARY_OR, BINARY_XOR, BINARY_AND,
	BINARY_EQ, BINARY_NE, BINARY_LT, BINARY_LE, BINARY_GT, BINARY_GE,
	BINARY_SHL, BINARY_SHR,
	BINARY_ADD, BINARY_SUB, BINARY_MUL, BINARY_DIV, BINARY_MOD,
	BINARY_IN, /* x in list: an option of the script that is a list */
};

enum expr_kind {
	EXPR_INT,	   /* 42, 1e6, 5ms, a folded constant, an enum constant (type = enum) */
	EXPR_BOOL,
	EXPR_STRING,	   /* text after escapes */
	EXPR_POSITIONAL,   /* $1; gone after check (folded to INT or STRING) */
	EXPR_POSITIONAL_COUNT, /* $# */
	EXPR_NAME,	   /* identifier: builtin variable, enum constant, #define, macro; checker: turned into CALL, INT ... */
	EXPR_VAR,	   /* $x */
	EXPR_MAP,	   /* @m, @m[k] */
	EXPR_CALL,	   /* f(args) of a builtin, macro or fn; also builtin variables once checked (no args) */
	EXPR_UNARY,
	EXPR_INCDEC,	   /* ++x x++ --x x-- */
	EXPR_BINARY,
	EXPR_TERNARY,	   /* c ? a : b; c ?: b has then == NULL */
	EXPR_FIELD,	   /* e.f and e->f */
	EXPR_TUPLE_AT,	   /* e.0 */
	EXPR_INDEX,	   /* e[i] */
	EXPR_CAST,	   /* (T)e; also inserted by the checker (implicit = true, written = NULL) */
	EXPR_TUPLE,	   /* (1, a), (1,), () */
	EXPR_RECORD,	   /* (x = 1, y = 2) */
	EXPR_SIZEOF, EXPR_OFFSETOF, EXPR_TYPEINFO, EXPR_TYPEOF, /* EXPR_TYPEOF only as macro argument */
	EXPR_COMPTIME,	   /* comptime e */
	EXPR_BLOCK,	   /* { stmts; value } */
	EXPR_IF,	   /* if c { ...; a } else { ...; b } */
};

struct expr {
	enum expr_kind kind;
	bool parens;	 /* written in parentheses (the span is what stands inside them) */
	uint16_t height; /* levels below this node; the parser refuses trees that are too high to walk */
	struct span span;
	/* checker: */
	const struct type *type; /* NULL before */
	bool is_literal;	 /* written as, or folded to, a constant */
	bool flexible;		 /* EXPR_INT: takes the other operand's sign (language.md 10.1) */
	union {
		struct {
			uint64_t value;	      /* two's complement */
			struct str text;      /* as written, for --fmt; empty when folded */
		} integer;
		bool boolean;
		struct {
			struct str text;    /* value */
			struct str written; /* between the quotes, for --fmt */
		} string;
		uint64_t positional; /* N of $N */
		struct {
			struct str name;
		} name;
		struct {
			struct str name; /* without $ */
			struct var *var; /* checker */
		} var;
		struct {
			struct str name;  /* without @; empty for @ */
			struct expr *key; /* NULL: scalar, or the whole map as an argument.  Several keys are one EXPR_TUPLE */
			bool key_list;	  /* written @m[a, b], not @m[(a, b)] */
			struct map *map;  /* checker */
		} map;
		struct {
			struct str name;
			/* A named argument `by = e` is an EXPR_RECORD of one element with parens == false (a record passed
			 * as an argument has it true).  A type argument `struct T` is an EXPR_TYPEOF with bare set. */
			expr_list args;
			bool parens;	     /* false: a builtin variable */
			struct span name_span;
			/* checker: */
			enum builtin_id builtin; /* BUILTIN_NONE for fn */
			struct function *fn;
			struct format *format;	/* printf and its kin: args after the format are the values */
			struct report *report;
			struct option_decl *option; /* getopt */
			struct expr *limit, *kept; /* kstack, ustack: the getopt() that gives the limit, or how many; NULL */
			struct expr *aid; /* comm(pid), uaddr(): a field of the current task that says where to look; NULL */
			int number;		/* argN: N; others: builtin's own meaning */
		} call;
		struct {
			enum unary_op op;
			struct expr *e;
		} unary;
		struct {
			struct expr *target; /* VAR or MAP */
			bool increment, prefix;
			bool value_used; /* checker: false as a statement */
		} incdec;
		struct {
			enum binary_op op;
			struct expr *left, *right;
		} binary;
		struct {
			struct expr *cond, *then, *other;
		} ternary;
		struct {
			struct expr *e;
			struct str name;
			bool arrow;
			struct span name_span;
			const struct field *field; /* checker: of the struct, or the record's/args' element */
		} field;
		struct {
			struct expr *e;
			uint64_t at;
		} tuple_at;
		struct {
			struct expr *e, *index;
		} index;
		struct {
			struct type_expr *written;
			struct expr *e;
			bool implicit;
		} cast;
		struct {
			expr_list elems;
			VEC(struct str) names; /* EXPR_RECORD: one per element */
		} tuple; /* also EXPR_RECORD */
		struct {
			struct expr *e;		/* one of e and of_type is set */
			struct type_expr *of_type;
			struct str path;	/* offsetof: "a.b.c" */
			struct span path_span;	/* offsetof */
			bool bare;		/* EXPR_TYPEOF: an argument written `struct T`, without typeof() */
		} type_op;
		struct expr *comptime;
		struct block *block; /* EXPR_BLOCK */
		struct {
			struct expr *cond; /* may be EXPR_COMPTIME */
			struct block *then;
			struct expr *other; /* EXPR_BLOCK or EXPR_IF or NULL */
		} if_;
	};
};

/* ---- statements ---------------------------------------------------------------------------------------------------- */

enum stmt_kind {
	STMT_EXPR,     /* e; */
	STMT_ASSIGN,   /* target = value; target op= value */
	STMT_LET,      /* let $x [: type] [= value]; */
	STMT_DISCARD,  /* _ = e; */
	STMT_IF,
	STMT_FOR,      /* for ($i : a..b) and for ($kv : @m) */
	STMT_WHILE,
	STMT_UNROLL,
	STMT_RETURN,
	STMT_BREAK,
	STMT_CONTINUE,
	STMT_BLOCK,
	STMT_IMPORT,
};

struct block {
	struct span span;
	uint16_t height;
	stmt_list stmts;
	struct expr *value; /* trailing expression without ';', else NULL; in probe, loop and function bodies the parser makes
			     * it a STMT_EXPR instead */
	bool value_was_stmt;	    /* the value is a trailing `if` or block, written as a statement */
};

struct stmt {
	enum stmt_kind kind;
	bool semicolon; /* followed by ';' (an `if` or block so ended is not its block's value) */
	uint16_t height;
	struct span span;
	union {
		struct expr *expr; /* STMT_EXPR, STMT_DISCARD; STMT_RETURN: may be NULL */
		struct {
			struct expr *target; /* VAR, MAP (others are reported by the checker) */
			bool compound;	     /* op= */
			enum binary_op op;
			struct expr *value;
		} assign;
		struct {
			struct expr *var; /* EXPR_VAR */
			struct type_expr *type;
			struct expr *value;
		} let;
		struct {
			struct expr *cond;
			struct block *then;
			struct stmt *other; /* STMT_BLOCK or STMT_IF or NULL */
			bool parens;	    /* written with parentheses, for --fmt */
		} if_;
		struct {
			struct expr *var;	  /* EXPR_VAR */
			struct expr *from, *to;	  /* range; NULL for a map */
			struct expr *map;	  /* EXPR_MAP without key; NULL for a range */
			struct block *body;
			bool parens;
		} for_;
		struct {
			struct expr *cond; /* STMT_UNROLL: the count */
			struct block *body;
			bool parens;
			uint64_t times; /* STMT_UNROLL, checker */
		} loop; /* WHILE, UNROLL */
		struct block *block;
		struct str import;
	};
};

/* ---- the script ---------------------------------------------------------------------------------------------------- */

/* One attach point as written, before probe_spec.c takes it apart. */
struct attach_text {
	struct span span;
	struct str text; /* raw, quotes included, `$N` not yet replaced, without `name=` */
	struct str user_name; /* of `name=kprobe:f`; empty when there is none */
};

struct probe_node {
	struct span span;
	VEC(struct attach_text) attach;
	struct span head;      /* from the first attach point to the last */
	bool alternatives;     /* `A or B { }`: the first that exists */
	struct expr *predicate; /* NULL when there is none */
	struct block *body;
};

struct param {
	struct span span;
	struct str name;
	enum { PARAM_EXPR, PARAM_VAR, PARAM_MAP } kind; /* fn: always PARAM_VAR */
	struct type_expr *type;				/* fn only */
};

struct macro_node {
	struct span span;
	struct str name;
	VEC(struct param) params;
	struct block *body;
};

struct fn_node {
	struct span span;
	struct str name;
	VEC(struct param) params;
	struct type_expr *result;
	struct block *body;
};

struct map_decl_node {
	struct span span;
	struct str name; /* without @ */
	struct str kind; /* hash, lruhash, percpuhash, percpulruhash */
	struct span kind_span;
	struct expr *max_entries;
};

struct config_entry {
	struct span span, value_span;
	struct str key, value; /* value as text; strings without quotes */
	bool quoted;
};

struct import_node {
	struct span span;
	struct str path;
};

/* A directive line or a struct/union/enum definition, left to the C reader (lang/c_defs.c). */
struct c_text {
	struct span span;
	struct str text;
};

/* A comment, kept for --fmt; the text has its slashes. */
struct comment {
	struct span span;
	struct str text;
};

struct script {
	const struct source *source;
	VEC(struct c_text) c_texts;
	bool has_config;
	struct span config_span;
	VEC(struct config_entry) config;
	VEC(struct import_node) imports;
	VEC(struct import_node) block_imports; /* written inside of blocks: a setting allows them */
	VEC(struct map_decl_node) map_decls;
	VEC(struct macro_node *) macros;
	VEC(struct fn_node *) fns;
	VEC(struct probe_node *) probes;
	VEC(struct comment) comments; /* in order of place; those inside c_texts are not listed */
};

/* ---- making, copying and showing it --------------------------------------------------------------------------------- */

struct expr *expr_new(struct arena *a, enum expr_kind kind, struct span span);
struct stmt *stmt_new(struct arena *a, enum stmt_kind kind, struct span span);
struct expr *expr_int(struct arena *a, struct span span, uint64_t value);
struct expr *expr_string(struct arena *a, struct span span, struct str text);
struct expr *expr_call(struct arena *a, struct span span, struct str name);

/* Deep copies without what the checker filled in. */
struct expr *expr_clone(struct arena *a, const struct expr *e);
struct stmt *stmt_clone(struct arena *a, const struct stmt *s);
struct block *block_clone(struct arena *a, const struct block *b);
struct type_expr *type_expr_clone(struct arena *a, const struct type_expr *t); /* NULL gives NULL */

/* Nobody takes the block's value: its trailing expression becomes a statement. */
void block_drop_value(struct arena *a, struct block *b);

/* Readable dump: one node a line, two spaces per level; types in brackets once they are known. */
void ast_dump(const struct script *s, struct strbuf *out);
void ast_dump_block(const struct block *b, int indent, struct strbuf *out);
void ast_dump_expr(const struct expr *e, int indent, struct strbuf *out);

const char *binary_op_text(enum binary_op op); /* "+" */
const char *unary_op_text(enum unary_op op);

#endif
