/* Inside of the checker, shared by expand.c, fold.c, config.c and check_*.c.  Not for other rooms: the door is lang.h. */
#ifndef WT_CHECK_H
#define WT_CHECK_H

#include "lang/builtin.h"
#include "lang/c_defs.h"
#include "lang/lang.h"
#include "lang/parse.h"
#include "lang/support/bug.h"
#include "lang/support/table.h"

/* What the passes learn about a map; `map` is given to codegen. */
struct map_state {
	struct map map;
	bool flexible;	    /* value: only sign-flexible literals so far */
	bool key_flexible;  /* the same for a key that is one integer */
	bool has_signed, key_signed; /* a signed integer came in */
	bool scalar, keyed; /* forms seen */
	bool fixed_kind;
	struct span value_span, key_span; /* what gave the type, for messages */
	bool used;
	bool value_read; /* in this pass, an entry of it */
	bool assumed;	 /* nothing is stored in it: its entries read as zero */
	bool wrong; /* what it was assigned was wrong, which was said */
	bool read_in_kernel; /* an aggregate that is read in an expression */
	int clock;	     /* of nsecs() that was stored in it, as in clock_of() */
};

struct var_state {
	struct var var;
	bool flexible, has_signed; /* as in a map_state */
	struct option_decl *list; /* another name for an option that is a list; it has no value of its own */
	bool is_args;		  /* another name for `args` */
	bool declared; /* by let with a type: the size is fixed */
	bool worded;   /* declared as timestamp or cgroup_path_t, whose format or filter came with the first value */
	bool assigned;
	bool read;
	int clock; /* of nsecs() that was assigned last, as in clock_of() */
	struct span type_span;
};

struct scope {
	struct scope *up;
	VEC(struct var_state *) vars;
};

/* One body to check: a probe's or a function's.  Lives through all passes. */
struct unit {
	struct probe *probe;   /* one of the two is set */
	struct function *function;
	const struct probe_node *node;
	const struct fn_node *fn_node;
	const char *args_why; /* what the kernel says of arguments that are not known; NULL: nothing */
	VEC(struct var_state *) vars; /* in order of declaration, the same in each pass */
	int nvars;		      /* met so far in this pass */
	bool never;		      /* its predicate is a `comptime` that is false: there is nothing to attach */
};

/* A call of a function inside of another one. */
struct fn_edge {
	const struct function *from, *to;
	struct span span;
};

struct checker {
	struct arena *arena;
	struct types *types;
	struct kernel *kernel;
	struct diag *diag;
	struct program *program;
	const struct script *script;
	const struct lang_options *opt;
	struct c_defs *c_defs; /* NULL: the script defines nothing in C */
	VEC(struct str) positional; /* $1, $2 ...: words that are neither script options nor their values */
	struct table maps;    /* name -> struct map_state */
	struct table settled; /* options in attach points: name -> uint64_t */
	struct table options; /* name -> struct option_decl */
	struct table functions; /* name -> struct function */
	VEC(struct fn_edge) fn_edges; /* which functions call which, as met in this pass */
	VEC(struct unit *) units;
	struct unit *unit; /* the one being checked */
	struct scope *scope;
	const struct expr *aggregate; /* the call that is the right side of a map assignment just now: the only place for one */
	int loop_depth;	   /* for loops around us */
	int any_loop;	   /* loops of any kind around us: break and continue are allowed */
	bool changed;	   /* a type grew in this pass: another pass follows */
	int depth;
	const struct expr *part_of; /* what a field is taken of, or a size: there `args` of a tracepoint may stand */
	unsigned unstable_told;	    /* in this pass, one bit for each feature */
	bool has_trampolines; /* the script has fentry or fexit probes */
	bool left_out;	      /* there were probes whose comptime predicate is false */
};

/* config.c: defaults, config block, environment. */
void config_set(struct checker *c);
/* All settings as a record of constants in place of *e. */
void config_record(struct checker *c, struct expr *e);

/* May the script use a feature that bpftrace calls unstable?  Says so where it may not, and warns once where a setting wants it. */
enum unstable_feature { UNSTABLE_TSERIES, UNSTABLE_TYPEINFO, UNSTABLE_IMPORT_STATEMENT };
bool unstable_allowed(struct checker *c, struct span span, enum unstable_feature f);

/* params.c: positional parameters. */
/* The options that the getopt() calls of an expanded script declare, in the order of its text. */
struct declared_options params_declared(struct arena *a, const struct script *s);
/* Sort the words behind the script: which are options (the script's getopt() calls say so), which are $1, $2 ... */
void params_collect(struct checker *c);
/* Warn that $n was not given, unless the script asks for the number of parameters ($#) and so copes with it. */
void param_missing(struct checker *c, uint64_t n, struct span span);
struct str param_text(struct checker *c, uint64_t n, bool *missing);
/* `$N` inside an attach point's text replaced.  One that was not given is warned of, or sets *absent where that is not NULL. */
struct str param_substitute(struct checker *c, struct str text, struct span span, bool *absent);

/* expand.c: attach points to units. */
void expand_probes(struct checker *c);
void expand_drop_never(struct checker *c);

/* nearest.c: CATEGORY:EVENT of the tracepoint nearest to a kernel function; empty when none is known. */
struct str nearest_tracepoint(struct checker *c, struct str function);
/* Why tracing this kernel function can hang the kernel; NULL: nothing is known against it. */
const char *danger_of(struct checker *c, const struct probe_spec *s);

/* check_comptime.c: what is known while compiling. */
/* May this condition, as written, say which branch is there at all?  `comptime e`, and has_field() also through ! && ||. */
bool decides(const struct expr *cond);
/* What such a condition says, once it is checked: 1 holds, 0 does not, -1 unknown before the program runs. */
int decided(const struct expr *cond);
/* Once checked: says it for every kernel; has_field() of a field that is here is asked again when the program is loaded. */
bool settled(const struct expr *cond);
/* What is left of a branch on `cond` when only one way (a block or a value or neither) could be compiled: a checked block that a
 * kernel with another answer refuses to load. */
struct expr *only_branch(struct checker *c, struct expr *cond, struct span span, struct block *live, struct expr *value);
/* A branch that is dead here may be right or not.  Check it between these two: false, when it had errors, and then nothing of
 * what it did to maps, variables and diagnostics is left. */
struct attempt {
	int mark, errors, nmaps, nprogram_maps, nvars, nunit_vars, nscope_vars;
	bool changed;
	struct map_state *maps;
	struct var_state *vars, **order;
};
void attempt_begin(struct checker *c, struct attempt *a);
bool attempt_end(struct checker *c, struct attempt *a);
void check_comptime_call(struct checker *c, struct expr *e);
/* typeinfo() of a type: a record of constants. */
void check_typeinfo(struct checker *c, struct expr *e, const struct type *t);

/* fold.c: an expression over constants becomes one constant, in place. */
void fold_binary(struct checker *c, struct expr *e);
void fold_unary(struct checker *c, struct expr *e);
/* EXPR_INT of `value` in place of *e, typed as a literal. */
void fold_to_int(struct checker *c, struct expr *e, uint64_t value, bool negative);
void fold_to_bool(struct checker *c, struct expr *e, bool value);
void fold_to_string(struct checker *c, struct expr *e, struct str text);
/* The type of a literal of that value (language.md 10.1). */
const struct type *literal_type(struct checker *c, uint64_t value, bool negative);

/* check_types.c: expressions. */
void check_expr(struct checker *c, struct expr *e);
/* A condition: integer, bool, enum or pointer. */
void check_condition(struct checker *c, struct expr *e);
/* Wrap *e in an implicit cast to `to` unless it has that type. */
void cast_to(struct checker *c, struct expr **e, const struct type *to);
/* The type that holds both (language.md 10.6); NULL when they do not go together.  `af`, `bf`: sign-flexible. */
const struct type *promote(struct checker *c, const struct type *a, bool af, const struct type *b, bool bf);
const struct type *promote_exprs(struct checker *c, const struct expr *a, const struct expr *b);
/* An integer value whatever it was: aggregates are read, bool and enum pass.  False with a diagnostic. */
bool need_integer(struct checker *c, struct expr **e, const char *what);
/* A sign-flexible literal (language.md 10.1). */
bool is_flexible(const struct expr *e);
/* Can an integer of type `t` hold this literal? */
bool literal_fits(const struct expr *value, const struct type *t);
/* Give a literal text its type; one that has `capacity` bytes or more is refused. */
void check_text(struct checker *c, struct expr *e, uint64_t capacity);
/* A readable aggregate becomes an integer; others stay. */
void read_aggregate(struct checker *c, struct expr **e);
/* The type that is written there (check_casts.c); NULL with a diagnostic when there is none. */
const struct type *resolve_type(struct checker *c, const struct type_expr *te);
void check_cast(struct checker *c, struct expr *e);
/* sizeof, offsetof, typeof. */
void check_type_op(struct checker *c, struct expr *e);
/* A type's name for messages, in the checker's arena. */
struct str name_of(struct checker *c, const struct type *t);
/* Set by a failed expression: agrees with everything. */
void expr_fail(struct checker *c, struct expr *e);
bool failed(const struct type *t);

/* check_parts.c: fields, elements, tuples and records. */
/* `retval` whose parts are asked for: in a uretprobe the declared type of the result, when debug information tells one. */
void check_retval_parts(struct checker *c, struct expr *e);
void check_field(struct checker *c, struct expr *e);
void check_tuple_at(struct checker *c, struct expr *e);
void check_index(struct checker *c, struct expr *e);
void check_tuple(struct checker *c, struct expr *e);

/* check_maps.c: maps and variables, and how their types grow. */
struct map_state *map_state(struct checker *c, struct str name, struct span span);
void check_map(struct checker *c, struct expr *e, bool whole_allowed);
/* The value of a map, or of an entry.  A map in which nothing is ever stored reads as an int8 of zero, which is warned of. */
void check_map_value(struct checker *c, struct expr *e);
/* No type grows any more: give such maps their type.  False: there are none. */
bool assume_values(struct checker *c);
/* Give the map's value (or variable) at least this type; casts *value to what it has then. */
void map_assign(struct checker *c, struct expr *target, struct expr **value);
void var_assign(struct checker *c, struct expr *target, struct expr **value);
/* `$a = args`: the variable becomes another name for it.  False: an assignment like others. */
bool args_assign(struct checker *c, struct expr *target, const struct expr *value);
void map_key(struct checker *c, struct expr *e);
struct var_state *var_find(struct checker *c, struct str name);
struct var_state *var_declare(struct checker *c, struct str name, struct span span);
void check_var(struct checker *c, struct expr *e);
/* `let $n; $n += 2`: a variable that has no type yet is a number when it is counted with. */
void count_from_zero(struct checker *c, const struct expr *var);
void grow_for_incdec(struct checker *c, struct expr *target, bool increment);
void declare_maps(struct checker *c);
void finish_maps(struct checker *c);

/* check_names.c: what an identifier means. */
void check_name(struct checker *c, struct expr *e);
bool names_value(struct checker *c, struct str name);

/* check_calls.c, check_output.c: functions. */
void check_call(struct checker *c, struct expr *e);
void check_builtin_variable(struct checker *c, struct expr *e, const struct builtin *b);
void check_output_call(struct checker *c, struct expr *e);
void check_report(struct checker *c, struct expr *e);
void check_print_options(struct checker *c, struct expr *e);
void check_aggregate_call(struct checker *c, struct expr *e);
void check_getopt(struct checker *c, struct expr *e);
/* A text of a struct's member is widened by one, so that one without a NUL is whole (language.md 7).  The member itself. */
void member_itself(struct expr **e);
/* The option that e names, when it is a list (a call of getopt(), or a variable that stands for one): *e becomes that call. */
struct option_decl *list_option(struct checker *c, struct expr *e);
/* `$list = getopt("name", list(int64))`: the variable becomes another name for the option.  False: it is no list. */
bool list_assign(struct checker *c, struct expr *target, struct expr *value);
void check_in(struct checker *c, struct expr *e);
/* check_data.c: functions over memory, names, addresses and times. */
void check_data_call(struct checker *c, struct expr *e);
/* check_system.c: registers, symbols, signals, names of numbers. */
void check_system_call(struct checker *c, struct expr *e);
/* A field of the current task, by its path "a.b.c". */
struct expr *task_field(struct checker *c, struct span span, const char *path);
/* Where plain addresses point to in the probe being checked. */
enum addr_space space_here(struct checker *c);
/* A literal integer, string or word (identifier) as an argument; false with a diagnostic. */
bool literal_int(struct checker *c, struct expr *e, const char *fn, uint64_t *value);

/* A literal number as messages show it, with its sign. */
const char *integer_text(struct checker *c, const struct expr *e);

/* The hint for a name that has such a #define. */
#define DEFINE_WITH_PARAMETERS "a #define with parameters counts in C definitions only; in a script write: macro %.*s(x) { ... }"
bool literal_string(struct checker *c, struct expr *e, const char *fn, struct str *text);
/* Is this a literal below zero?  Says then that `what` cannot be. */
bool is_negative(struct checker *c, const struct expr *e, const char *what);
/* Says that the expression gives no value. */
void no_value(struct checker *c, const struct expr *e);
/* Is it a function of bpftrace that is left out for now?  Says so then. */
bool is_postponed(struct checker *c, struct str name, struct span span);
/* Why nothing is known of the kernel's types; NULL: they are known. */
const char *types_why(struct checker *c);
/* The clock that a time was taken from, as in TYPE_TIMESTAMP; -1: one that has no date. */
int clock_of(const struct expr *x);

/* check_stmts.c */
void check_block(struct checker *c, struct block *b);
void check_unit(struct checker *c, struct unit *u);

/* check_limits.c: sizes and counts that the kernel or the settings bound. */
void check_limits(struct checker *c);
bool check_written_points(struct checker *c);
bool check_written_points(struct checker *c);

#define FAIL(c, e, ...)                                                                            \
	do {                                                                                       \
		diag_add((c)->diag, (e)->span, __VA_ARGS__);                                       \
		expr_fail((c), (e));                                                               \
	} while (0)

#endif
