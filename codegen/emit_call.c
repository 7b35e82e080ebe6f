/* Calls: the table of lowerings, and the builtins that are a helper call or less.  Texts, events, stacks and aggregations have files
 * of their own. */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

#define LOWER_KERNEL(name) lower_##name
#define LOWER_USER(name) lower_##name
#define LOWER_AGG(name) lower_##name
#define LOWER_COMPILE(name) NULL

static lower_fn *const lowerings[BUILTIN_ID_COUNT] = {
#define BUILTIN(name, form, runs, ...) [BUILTIN_##name] = LOWER_##runs(name),
#include "lang/builtins.def"
#undef BUILTIN
};

/* The value of a script option, which the runtime puts into .rodata. */
static struct value script_option(struct emit *e, const struct expr *x)
{
	const struct option_decl *o = x->call.option;
	const char *name = arena_printf(e->arena, "wt_opt_%d", o->id);
	LLVMValueRef v;

	if (!type_is_register(x->type))
		return value_at(x->type, rodata_address(e, name, o->text, x->type->size), PLACE_BPF);
	v = rodata_load(e, name, 8, o->number);
	return value_register(x->type, LLVMBuildIntCast2(e->builder, v, emit_register_type(e, x->type), false, ""));
}

struct value emit_call(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	if (x->call.fn)
		return fn_call(e, x, dest);
	if (x->call.builtin == BUILTIN_getopt)
		return script_option(e, x);
	if (x->call.builtin <= BUILTIN_NONE || x->call.builtin >= BUILTIN_ID_COUNT || !lowerings[x->call.builtin])
		BUG("no lowering for %.*s()", STR_ARG(x->call.name));
	return lowerings[x->call.builtin](e, x, dest);
}

/* A result of a helper in the width of the call's type. */
static struct value number(struct emit *e, const struct expr *call, LLVMValueRef v)
{
	return value_register(call->type, LLVMBuildIntCast2(e->builder, v, emit_register_type(e, call->type), false, ""));
}

/* ---- process ---- */

/* u64 wt_ns_pid_tgid(): as bpf_get_current_pid_tgid, in the tracer's pid namespace; 0 for a task outside of it. */
static LLVMValueRef ns_function(struct emit *e)
{
	LLVMValueRef f, at, code, dev, ino, v;
	struct function_cursor back;

	if (e->ns_function)
		return e->ns_function;
	f = function_begin(e, &back, "wt_ns_pid_tgid", e->i64, NULL, 0, NULL);
	e->ns_function = f;
	at = stack_alloc(e, e->i64, 8, "ids"); /* { u32 pid; u32 tgid } */
	dev = rodata_load(e, RODATA_PIDNS_DEV, 8, 0);
	ino = rodata_load(e, RODATA_PIDNS_INO, 8, 0);
	code = HELPER(e, get_ns_current_pid_tgid, dev, ino, at, int_const(e, 8));
	v = LLVMBuildSelect(e->builder, LLVMBuildICmp(e->builder, LLVMIntEQ, code, int_const(e, 0), ""),
			    load_int(e, at, e->i64), int_const(e, 0), "");
	LLVMBuildRet(e->builder, v);
	function_end(e, &back);
	return f;
}

LLVMValueRef pid_tgid(struct emit *e, bool init_namespace)
{
	LLVMBasicBlockRef inside, outside, after;
	LLVMValueRef ino, a, b, f;

	if (init_namespace)
		return HELPER(e, get_current_pid_tgid);
	f = ns_function(e);
	inside = block_new(e, "namespace");
	outside = block_new(e, "initial");
	after = block_new(e, "");
	ino = rodata_load(e, RODATA_PIDNS_INO, 8, 0);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntNE, ino, int_const(e, 0), ""), inside, outside);
	block_start(e, inside);
	a = LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(f), f, NULL, 0, "");
	jump(e, after);
	block_start(e, outside);
	b = HELPER(e, get_current_pid_tgid);
	jump(e, after);
	block_start(e, after);
	return join(e, a, inside, b, outside);
}

struct value lower_pid(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return number(e, call, LLVMBuildLShr(e->builder, pid_tgid(e, call->call.number == 1), int_const(e, 32), ""));
}

struct value lower_tid(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef both = pid_tgid(e, call->call.number == 1);

	(void)dest;
	return number(e, call, LLVMBuildAnd(e->builder, both, int_const(e, UINT32_MAX), ""));
}

struct value lower_uid(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return number(e, call, LLVMBuildAnd(e->builder, HELPER(e, get_current_uid_gid), int_const(e, UINT32_MAX), ""));
}

struct value lower_gid(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return number(e, call, LLVMBuildLShr(e->builder, HELPER(e, get_current_uid_gid), int_const(e, 32), ""));
}

struct value lower_curtask(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return value_register(call->type, HELPER(e, get_current_task));
}

struct value lower_cgroup(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return number(e, call, HELPER(e, get_current_cgroup_id));
}

struct value lower_cpid(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef v = rodata_load(e, RODATA_CHILD_PID, 4, 0);

	(void)dest;
	site_hit_if(e, LLVMBuildICmp(e->builder, LLVMIntEQ, v, int32_const(e, 0), ""),
		    site_new(e, SITE_NO_CHILD, call->span, -1, NULL), NULL);
	return number(e, call, v);
}

struct value lower_has_cpid(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef v = rodata_load(e, RODATA_CHILD_PID, 4, 0);

	(void)dest;
	return number(e, call, LLVMBuildICmp(e->builder, LLVMIntNE, v, int32_const(e, 0), ""));
}

/* ---- time and place ---- */

/* Nanoseconds since boot: kernels before 5.8 have no such clock for BPF, and none of those is ours. */
static LLVMValueRef boot_ns(struct emit *e)
{
	return HELPER(e, ktime_get_boot_ns);
}

struct value lower_nsecs(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	switch (call->call.number) {
	case 1:
		return number(e, call, HELPER(e, ktime_get_ns));
	case 2:
		if (feature_now(e, KERNEL_TAI_TIME))
			return number(e, call, HELPER(e, ktime_get_tai_ns));
		diag_add(e->diag, call->span, DIAG_NO_TAI);
		return number(e, call, int_const(e, 0));
	case 3: /* TAI as boot time plus the difference at load */
		return number(e, call, LLVMBuildAdd(e->builder, boot_ns(e), rodata_load(e, RODATA_TAI_OFFSET, 8, 0), ""));
	default:
		return number(e, call, boot_ns(e));
	}
}

struct value lower_elapsed(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return number(e, call, LLVMBuildSub(e->builder, boot_ns(e), rodata_load(e, RODATA_START_NS, 8, 0), ""));
}

struct value lower_cpu(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return number(e, call, HELPER(e, get_smp_processor_id));
}

struct value lower_ncpus(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return number(e, call, rodata_load(e, RODATA_NCPUS, 4, 1));
}

struct value lower_numaid(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return number(e, call, HELPER(e, get_numa_node_id));
}

struct value lower_rand(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	/* The helper's upper half is undefined. */
	return number(e, call, LLVMBuildAnd(e->builder, HELPER(e, get_prandom_u32), int_const(e, UINT32_MAX), ""));
}

/* ---- probe ---- */

struct value lower_probe(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct probe *p = emit_probe(e);

	(void)dest;
	return value_at(call->type, literal(e, p ? p->name : STR(""), call->type->size), PLACE_BPF);
}

struct value lower_probetype(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct probe *p = emit_probe(e);

	(void)dest;
	return value_at(call->type, literal(e, str_of(p ? p->kind->name : ""), call->type->size), PLACE_BPF);
}

struct value lower_ctx(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	struct value v = value_register(call->type, LLVMBuildPtrToInt(e->builder, emit_context(e), e->i64, ""));

	(void)dest;
	v.trusted = true; /* arithmetic on it would be refused */
	return v;
}

struct value lower_arg(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	if (emit_probe(e)->kind->id == PROBE_USDT)
		return value_register(call->type, usdt_arg(e, call->call.number));
	return value_register(call->type, context_arg(e, call->call.number));
}

struct value lower_retval(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef v = context_retval(e);

	(void)dest;
	if (!type_is_register(call->type))
		BUG("retval of type kind %d", call->type->kind);
	return number(e, call, v);
}

/* All of them: print(args).  One of them: context_field(). */
struct value lower_args(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct field *fields;
	int n = type_fields(e->types, call->type, &fields), i;

	(void)dest;
	for (i = 0; i < n && !fields[i].data_loc; i++)
		;
	if (i < n) {
		diag_add(e->diag, call->span, DIAG_DATA_LOC, STR_ARG(fields[i].name));
		diag_hint(e->diag, "print or keep those that you need: str(args.%.*s)", STR_ARG(fields[i].name));
	}
	if (call->type->kind == TYPE_STRUCT && call->type->decl->origin == ORIGIN_UARGS) {
		LLVMValueRef copy = memory_temp(e, call->type->size, "args");

		memory_zero(e, copy, call->type->size, 8);
		VEC_EACH (f, &call->type->decl->fields)
			value_store(e, context_field(e, call->type, f), memory_at(e, copy, f->offset));
		return value_at(call->type, copy, PLACE_BPF);
	}
	/* Words may be pointers that the verifier lets nobody load (emit_context.c): taken as plain memory of the kernel. */
	/* The first words of a trace record are out of a program's reach as well. */
	if (call->type->kind == TYPE_STRUCT &&
	    (call->type->decl->origin == ORIGIN_ARGS || call->type->decl->origin == ORIGIN_TRACEPOINT))
		return value_at(call->type, forget_pointer(e, emit_context(e)), PLACE_KERNEL);
	return value_at(call->type, emit_context(e), PLACE_CONTEXT);
}

/* ---- len ---- */

/* A callback that only gets called: bpf_for_each_map_elem returns how often. */
static LLVMValueRef count_function(struct emit *e)
{
	static const char *const names[] = {"map", "key", "value", "ctx"};
	LLVMTypeRef params[] = {e->ptr, e->ptr, e->ptr, e->ptr};
	struct function_cursor back;

	if (e->count_function)
		return e->count_function;
	e->count_function = function_begin(e, &back, "wt_count", e->i64, params, 4, names);
	LLVMBuildRet(e->builder, int_const(e, 0));
	function_end(e, &back);
	return e->count_function;
}

static LLVMValueRef map_length(struct emit *e, const struct expr *call, const struct map *map)
{
	LLVMValueRef nothing = LLVMConstNull(e->ptr);

	if (feature_now(e, KERNEL_FOR_EACH_MAP))
		return for_each_entry(e, map, count_function(e), nothing);
	diag_add(e->diag, call->span, DIAG_LEN_KERNEL);
	return int_const(e, 0);
}

/* The stack itself is taken once more: its id does not tell how many frames it has. */
static LLVMValueRef stack_length(struct emit *e, const struct expr *stack)
{
	enum { USER_STACK = 1 << 8, WORD = 8 };
	uint32_t bytes = stack->type->limit * WORD;
	LLVMValueRef at = memory_scratch(e, bytes, "frames"), n, failed;

	n = HELPER(e, get_stack, emit_context(e), at, int_const(e, bytes),
		   int_const(e, stack->type->kind == TYPE_USTACK ? USER_STACK : 0));
	failed = LLVMBuildICmp(e->builder, LLVMIntSLT, n, int_const(e, 0), "");
	n = LLVMBuildUDiv(e->builder, n, int_const(e, WORD), "");
	return LLVMBuildSelect(e->builder, failed, int_const(e, 0), n, "");
}

struct value lower_len(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *of = call->call.args.at[0];

	(void)dest;
	if (of->kind == EXPR_CALL && of->call.builtin == BUILTIN_getopt)
		return number(e, call, list_length(e, of->call.option));
	if (of->kind == EXPR_MAP && !of->map.key)
		return number(e, call, map_length(e, call, of->map.map));
	if (of->kind == EXPR_CALL && !of->call.args.n && (of->call.builtin == BUILTIN_kstack || of->call.builtin == BUILTIN_ustack))
		return number(e, call, stack_length(e, of));
	diag_add(e->diag, call->span, DIAG_LEN_STACK);
	return number(e, call, int_const(e, 0));
}
