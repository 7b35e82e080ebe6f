/* Programs and functions: what happens around a body.
 *
 *   entry -> filter (-p) -> [scratch] -> predicate -> [scratch] -> body -> exit (gives scratch back) -> return
 *
 * Scratch memory is taken after the predicate, unless the predicate needs it; a body that needs none pays nothing.  Both places are
 * left open while the body is emitted and filled at the end. */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

/* ---- functions of any sort ---- */

LLVMValueRef function_begin_at(struct emit *e, struct function_cursor *back, const char *name, LLVMTypeRef result,
			       const LLVMTypeRef *params, int nparams, const char *const *names, bool global, struct span span,
			       struct unit *unit)
{
	LLVMTypeRef type = LLVMFunctionType(result, (LLVMTypeRef *)(uintptr_t)params, (unsigned)nparams, false);
	LLVMValueRef f = LLVMAddFunction(e->module, name, type);
	struct frame *frame = NEW(e->arena, struct frame);
	static const char *const attributes[] = {"noinline", "nounwind"};
	unsigned i, kind;

	back->frame = e->frame;
	back->block = e->frame ? LLVMGetInsertBlock(e->builder) : NULL;
	back->place = e->frame ? LLVMGetCurrentDebugLocation2(e->builder) : NULL;
	back->span = e->span;
	LLVMSetLinkage(f, global ? LLVMExternalLinkage : LLVMInternalLinkage);
	for (i = 0; i < 2; i++) {
		kind = LLVMGetEnumAttributeKindForName(attributes[i], strlen(attributes[i]));
		LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
					LLVMCreateEnumAttribute(e->context, kind, 0));
	}
	frame->function = f;
	frame->unit = unit;
	frame->entry = LLVMAppendBasicBlockInContext(e->context, f, "entry");
	frame->start = LLVMAppendBasicBlockInContext(e->context, f, "start");
	e->frame = frame;
	frame->scope = btf_subprogram(e, f, name, span, names, global);
	block_start(e, frame->start);
	emit_place(e, span.source ? span : (struct span){.source = e->program->source});
	return f;
}

/* Helper functions of the generated code have no script variables. */
LLVMValueRef function_begin(struct emit *e, struct function_cursor *back, const char *name, LLVMTypeRef result,
			    const LLVMTypeRef *params, int nparams, const char *const *names)
{
	struct unit *u = NEW(e->arena, struct unit);

	u->probe_index = -1;
	return function_begin_at(e, back, name, result, params, nparams, names, false, (struct span){0}, u);
}

void function_end(struct emit *e, struct function_cursor *back)
{
	block_start(e, e->frame->entry);
	LLVMBuildBr(e->builder, e->frame->start);
	e->frame = back->frame;
	e->span = back->span;
	if (back->frame) {
		block_start(e, back->block);
		LLVMSetCurrentDebugLocation2(e->builder, back->place);
	}
}

static struct unit *unit_new(struct emit *e, int nvars)
{
	struct unit *u = NEW(e->arena, struct unit);

	u->probe_index = -1;
	u->nvars = nvars;
	u->vars = NEW_ARRAY(e->arena, struct storage, nvars + 1);
	u->scratch_from = e->scratch_base;
	return u;
}

/* Room for what bodies of loops share, when there are such. */
static void share_frame(struct emit *e, struct expr *predicate, struct block *body)
{
	struct frame *f = e->frame;
	struct unit *u = f->unit;

	find_captures(e, u, predicate, body);
	switch (u->sharing) {
	case SHARING_NONE:
		return;
	case SHARING_IN_SCRATCH:
		u->shared_at = scratch_bytes(e, u->frame_size);
		return;
	case SHARING_ON_STACK:
		f->shared = stack_alloc(e, LLVMArrayType2(e->i64, u->frame_size / 8), 8, "shared");
		f->stack_used += u->frame_size;
		memory_zero(e, f->shared, u->frame_size, 8);
		LLVMBuildStore(e->builder, f->context, memory_at(e, f->shared, SHARED_CONTEXT));
		return;
	}
}

LLVMValueRef shared_word(struct emit *e, uint32_t offset)
{
	struct unit *u = e->frame->unit;

	return u->sharing == SHARING_IN_SCRATCH ? scratch_address(e, u->shared_at + offset) : memory_at(e, e->frame->shared, offset);
}

void bodies_stay(struct emit *e)
{
	struct frame *f;

	for (f = e->frame; f; f = f->outer)
		if (f->apart)
			loop_stays(e, f->apart);
}

/* ---- leaving ---- */

void emit_leave(struct emit *e)
{
	struct frame *f = e->frame;

	if (f->in_callback) {
		store_int(e, shared_word(e, SHARED_LEFT), int_const(e, 1));
		store_int(e, f->callback_result, int_const(e, 1));
	}
	jump(e, f->exit);
	block_start(e, block_new(e, "unreachable"));
}

static LLVMValueRef result_cell(struct emit *e)
{
	struct frame *f = e->frame;
	enum sharing sharing = f->unit->sharing;

	/* A program has no scratch memory when it begins and when it returns; a function has its caller's. */
	if (f->apart && !f->unit->fn)
		bodies_stay(e);
	if (sharing == SHARING_ON_STACK || (sharing == SHARING_IN_SCRATCH && f->unit->fn))
		return shared_word(e, SHARED_RESULT);
	if (!f->result_slot)
		f->result_slot = stack_alloc(e, e->i64, 8, "result");
	return f->result_slot;
}

void set_result(struct emit *e, const struct expr *x)
{
	const struct function *fn = e->frame->unit->fn;
	LLVMValueRef dest;

	if (!fn || type_is_register(fn->result)) {
		store_int(e, result_cell(e), emit_i64(e, x));
		return;
	}
	dest = e->frame->result_memory;
	if (e->frame->apart)
		bodies_stay(e);
	if (e->frame->in_callback)
		dest = LLVMBuildLoad2(e->builder, e->ptr, shared_word(e, SHARED_DEST), "");
	emit_to(e, x, dest);
}

LLVMValueRef emit_context(struct emit *e)
{
	struct frame *f = e->frame;

	f->unit->uses_context = true;
	if (f->apart)
		bodies_stay(e);
	if (f->in_callback)
		return LLVMBuildLoad2(e->builder, e->ptr, shared_word(e, SHARED_CONTEXT), "ctx");
	return f->context;
}

const struct probe *emit_probe(struct emit *e)
{
	return e->frame ? e->frame->unit->probe : NULL;
}

int emit_probe_index(struct emit *e)
{
	return e->frame ? e->frame->unit->probe_index : -1;
}

/* ---- programs ---- */

static const char *section_of(enum probe_kind_id kind)
{
	switch (kind) {
	case PROBE_BEGIN:
	case PROBE_END:
	case PROBE_SELF:
	case PROBE_TEST:
	case PROBE_BENCH:
	case PROBE_RAWTRACEPOINT:
		return "raw_tp";
	case PROBE_KPROBE:
	case PROBE_KRETPROBE:
	case PROBE_UPROBE:
	case PROBE_URETPROBE:
	case PROBE_USDT:
		return "kprobe";
	case PROBE_TRACEPOINT:
		return "tracepoint";
	case PROBE_FENTRY:
		return "fentry";
	case PROBE_FEXIT:
		return "fexit";
	case PROBE_PROFILE:
	case PROBE_INTERVAL:
	case PROBE_SOFTWARE:
	case PROBE_HARDWARE:
	case PROBE_WATCHPOINT:
		return "perf_event";
	case PROBE_ITER:
		return "iter";
	case PROBE_KIND_COUNT:
		break;
	}
	BUG("probe kind %d", kind);
}

/* A word of the kernel is watched whoever touches it. */
static bool watches_kernel(const struct probe *p)
{
	VEC_EACH(a, &p->attach)
		if ((int64_t)(*a)->address < 0)
			return true;
	return false;
}

/* Kinds whose events come from any process, which -p cannot narrow by attaching (language.md 12.1); before 5.13 (inherit_thread) those
 * of perf events come from children of that process too. */
static bool filters_pid(const struct probe *p)
{
	switch (p->kind->id) {
	case PROBE_KPROBE:
	case PROBE_KRETPROBE:
	case PROBE_FENTRY:
	case PROBE_FEXIT:
	case PROBE_TRACEPOINT:
	case PROBE_RAWTRACEPOINT:
	case PROBE_PROFILE:
	case PROBE_SOFTWARE:
	case PROBE_HARDWARE:
		return true;
	case PROBE_WATCHPOINT:
		return !watches_kernel(p);
	default:
		return false;
	}
}

static void emit_pid_filter(struct emit *e, LLVMBasicBlockRef skip)
{
	LLVMBasicBlockRef ask = block_new(e, "filter"), go = block_new(e, "");
	LLVMValueRef wanted = rodata_load(e, RODATA_FILTER_PID, 4, 0), mine;

	branch(e, LLVMBuildICmp(e->builder, LLVMIntNE, wanted, int32_const(e, 0), ""), ask, go);
	block_start(e, ask);
	mine = LLVMBuildTrunc(e->builder, LLVMBuildLShr(e->builder, pid_tgid(e, false), int_const(e, 32), ""), e->i32, "");
	branch(e, LLVMBuildICmp(e->builder, LLVMIntEQ, mine, wanted, ""), go, skip);
	block_start(e, go);
}

/* Older kernels (5.10, 6.1) cannot walk their stack in tracepoints of system calls, for they hand on the registers of the user
 * program.  They can in raw_syscalls, whose records are laid out alike but come for every call: { common, id, ... }. */
static void emit_syscall_filter(struct emit *e, const struct probe_spec *spec, LLVMBasicBlockRef skip)
{
	enum { ID_OFFSET = 8 };
	int number = str_is(spec->module, "syscalls") ? syscall_number(spec->function) : -1;
	LLVMBasicBlockRef ask, go;
	LLVMValueRef raw, id;

	if (number < 0)
		return;
	ask = block_new(e, "filter");
	go = block_new(e, "");
	raw = rodata_load(e, manifest_probe_word(e->arena, RODATA_RAW_SYSCALL, spec).s, 4, 0);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntNE, raw, int32_const(e, 0), ""), ask, go);
	block_start(e, ask);
	id = load_int(e, memory_at(e, e->frame->context, ID_OFFSET), e->i32);
	LLVMSetVolatile(id, true);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntEQ, id, int32_const(e, (uint32_t)number), ""), go, skip);
	block_start(e, go);
}

/* Behind the last object an iterator's program is run once more, without an object: { meta, object, ... }. */
static void emit_end_filter(struct emit *e, LLVMBasicBlockRef skip)
{
	enum { OBJECT_OFFSET = 8 };
	LLVMBasicBlockRef go = block_new(e, "");
	LLVMValueRef object = load_int(e, memory_at(e, e->frame->context, OBJECT_OFFSET), e->i64);

	LLVMSetVolatile(object, true);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntNE, object, int_const(e, 0), ""), go, skip);
	block_start(e, go);
}

static struct manifest_probe *probe_row(struct emit *e, const struct probe *p, const char *elf_name)
{
	struct manifest_probe row = {
		.elf_name = str_of(elf_name),
		.kind = p->kind->id,
		.name = p->name,
		.span = manifest_span(e->arena, e->manifest, p->span),
		.source_probe = p->source_probe,
	};

	VEC_EACH(a, &p->attach)
		VEC_PUSH(e->arena, &row.attach, *a);
	VEC_PUSH(e->arena, &e->manifest->probes, row);
	return &e->manifest->probes.at[e->manifest->probes.n - 1];
}

/* The tracer prints the value that test and benchmark probes return; the kernel wants 0 of all others. */
static bool returns_value(enum probe_kind_id kind)
{
	return kind == PROBE_TEST || kind == PROBE_BENCH;
}

/* The blocks around a body, while some of them are still open. */
struct outline {
	LLVMBasicBlockRef early;  /* scratch is taken here when the predicate needs it */
	LLVMBasicBlockRef test;	  /* predicate */
	LLVMBasicBlockRef no;	  /* it was false */
	LLVMBasicBlockRef late;	  /* scratch is taken here when only the body needs it */
	LLVMBasicBlockRef body;
	LLVMBasicBlockRef skip;	  /* leaves without having taken scratch */
	LLVMBasicBlockRef leave;  /* returns */
	bool predicate_scratch;
};

static void emit_body(struct emit *e, const struct probe *p, struct outline *o)
{
	struct frame *f = e->frame;
	LLVMBasicBlockRef exit;

	o->early = block_new(e, "early");
	o->test = block_new(e, "predicate");
	o->no = block_new(e, "no");
	o->late = block_new(e, "late");
	o->body = block_new(e, "body");
	o->skip = block_new(e, "skip");
	o->leave = block_new(e, "leave");
	f->exit = exit = block_new(e, "exit");
	if (filters_pid(p))
		emit_pid_filter(e, o->skip);
	if (p->kind->id == PROBE_TRACEPOINT && p->wants_kstack && p->attach.n == 1)
		emit_syscall_filter(e, p->attach.at[0], o->skip);
	if (p->kind->family == CONTEXT_ITER)
		emit_end_filter(e, o->skip);
	share_frame(e, p->predicate, p->body);
	if (returns_value(p->kind->id))
		store_int(e, result_cell(e), int_const(e, 0));
	jump(e, o->early);

	block_start(e, o->test);
	if (p->predicate) {
		struct mark m = memory_mark(e);

		emit_place(e, p->predicate->span);
		f->exit = o->no; /* of a `return` in a block */
		branch(e, emit_cond(e, p->predicate), o->late, o->no);
		f->exit = exit;
		memory_release(e, m);
	} else {
		jump(e, o->late);
	}
	o->predicate_scratch = f->unit->uses_scratch;
	block_start(e, o->body);
	emit_block(e, p->body);
	jump(e, f->exit);
}

static void close_body(struct emit *e, const struct probe *p, struct outline *o)
{
	struct frame *f = e->frame;
	bool scratch = f->unit->uses_scratch;

	if (scratch && !f->scratch_slot)
		f->scratch_slot = stack_alloc(e, e->ptr, 8, "scratch");
	block_start(e, o->early);
	if (scratch && o->predicate_scratch)
		scratch_acquire(e, o->early, o->test, o->skip);
	else
		jump(e, o->test);
	block_start(e, o->late);
	if (scratch && !o->predicate_scratch)
		scratch_acquire(e, o->late, o->body, o->skip);
	else
		jump(e, o->body);
	block_start(e, o->no);
	jump(e, scratch && o->predicate_scratch ? f->exit : o->skip);
	block_start(e, f->exit);
	if (scratch)
		scratch_free(e);
	jump(e, o->leave);
	block_start(e, o->skip);
	jump(e, o->leave);
	block_start(e, o->leave);
	if (returns_value(p->kind->id))
		LLVMBuildRet(e->builder, load_int(e, result_cell(e), e->i64));
	else
		LLVMBuildRet(e->builder, int_const(e, 0));
}

void emit_program(struct emit *e, const struct probe *p)
{
	static const char *const names[] = {"ctx"};
	struct unit *u = unit_new(e, p->vars.n);
	char *name = arena_printf(e->arena, "%s_%d", p->kind->name, p->id);
	LLVMTypeRef params[] = {e->ptr};
	struct outline o = {0};
	struct function_cursor back;
	LLVMValueRef f;

	u->probe = p;
	u->probe_index = e->manifest->probes.n;
	probe_row(e, p, name);
	f = function_begin_at(e, &back, name, e->i64, params, 1, names, false, p->span, u);
	LLVMSetLinkage(f, LLVMExternalLinkage);
	LLVMSetSection(f, section_of(p->kind->id));
	e->frame->context = LLVMGetParam(f, 0);
	emit_body(e, p, &o);
	close_body(e, p, &o);
	function_end(e, &back);
	if (u->scratch_max > e->scratch_size)
		e->scratch_size = u->scratch_max;
	e->manifest->probes.at[u->probe_index].needs = u->needs;
}

/* ---- fn ----
 *
 * A BPF subprogram: u64 f(ctx, scratch, [result memory,] arguments...).  Arguments that do not fit into five registers go through a
 * block of words on the caller's stack. */

struct fn_state {
	LLVMValueRef function;
	bool in_work, uses_scratch, uses_context, packed, has_dest;
	uint32_t needs;
};

static struct fn_state *fn_state(struct emit *e, const struct function *fn)
{
	if (!e->functions)
		e->functions = NEW_ARRAY(e->arena, struct fn_state, e->program->functions.n + 1);
	return &e->functions[fn->id];
}

static void fn_signature(const struct function *fn, struct fn_state *s)
{
	s->has_dest = fn->result->kind != TYPE_NONE && !type_is_register(fn->result);
	s->packed = fn->params.n > 3 - s->has_dest;
}

/* The parameters become variables. */
static void fn_parameters(struct emit *e, const struct function *fn, const struct fn_state *s)
{
	LLVMValueRef f = e->frame->function, v;
	unsigned at = 2u + s->has_dest;
	int i;

	for (i = 0; i < fn->params.n; i++) {
		const struct var *var = fn->params.at[i];
		LLVMTypeRef type = type_is_register(var->type) ? e->i64 : e->ptr;
		LLVMValueRef to = var_address(e, var);

		if (s->packed) {
			v = LLVMBuildLoad2(e->builder, type, memory_at(e, LLVMGetParam(f, at), 8ull * (unsigned)i), "");
		} else {
			v = LLVMGetParam(f, at++);
		}
		if (type_is_register(var->type))
			store_int(e, to, LLVMBuildTrunc(e->builder, v, emit_register_type(e, var->type), ""));
		else
			memory_copy(e, to, v, var->type->size, var->type->align);
	}
}

static void fn_body(struct emit *e, const struct function *fn, struct fn_state *s)
{
	struct frame *f = e->frame;

	f->context = LLVMGetParam(f->function, 0);
	f->result_memory = s->has_dest ? LLVMGetParam(f->function, 2) : NULL;
	f->exit = block_new(e, "exit");
	f->scratch_slot = stack_alloc(e, e->ptr, 8, "scratch");
	LLVMBuildStore(e->builder, LLVMGetParam(f->function, 1), f->scratch_slot);
	share_frame(e, NULL, fn->body);
	if (f->shared)
		LLVMBuildStore(e->builder, LLVMGetParam(f->function, 1), memory_at(e, f->shared, SHARED_SCRATCH));
	if (f->shared && s->has_dest)
		LLVMBuildStore(e->builder, f->result_memory, memory_at(e, f->shared, SHARED_DEST));
	store_int(e, result_cell(e), int_const(e, 0));
	if (s->has_dest)
		memory_zero(e, f->result_memory, fn->result->size, fn->result->align);
	fn_parameters(e, fn, s);
	emit_block(e, fn->body);
	jump(e, f->exit);
	block_start(e, f->exit);
	LLVMBuildRet(e->builder, load_int(e, result_cell(e), e->i64));
}

void emit_function(struct emit *e, const struct function *fn)
{
	static const char *const words[] = {"arguments"};
	struct fn_state *s = fn_state(e, fn);
	const char *names[8] = {"ctx", "scratch"};
	LLVMTypeRef params[8] = {e->ptr, e->ptr};
	struct unit *u = unit_new(e, fn->vars.n);
	struct function_cursor back;
	int n = 2, i;

	fn_signature(fn, s);
	if (s->has_dest) {
		names[n] = "result";
		params[n++] = e->ptr;
	}
	for (i = 0; i < (s->packed ? 1 : fn->params.n); i++) {
		names[n] = s->packed ? words[0] : str_c(e->arena, fn->params.at[i]->name);
		params[n++] = s->packed || !type_is_register(fn->params.at[i]->type) ? e->ptr : e->i64;
	}
	u->fn = fn;
	s->in_work = true;
	s->function = function_begin_at(e, &back, arena_printf(e->arena, "fn_%.*s", STR_ARG(fn->name)), e->i64, params, n,
					names, false, fn->span, u);
	fn_body(e, fn, s);
	function_end(e, &back);
	s->in_work = false;
	s->uses_scratch = u->uses_scratch;
	s->uses_context = u->uses_context;
	s->needs = u->needs;
	e->scratch_base += u->scratch_max;
}

/* Called functions come first: their scratch memory lies before their callers'. */
void function_ready(struct emit *e, const struct function *fn)
{
	struct fn_state *s = fn_state(e, fn);

	if (s->in_work)
		BUG("fn %.*s calls itself", STR_ARG(fn->name));
	if (!s->function)
		emit_function(e, fn);
}

static LLVMValueRef argument(struct emit *e, const struct expr *x, const struct type *to)
{
	if (type_is_register(to))
		return LLVMBuildIntCast2(e->builder, emit_int(e, x), e->i64, x->type->is_signed, "");
	return emit_memory_of(e, x);
}

struct value fn_call(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	const struct function *fn = x->call.fn;
	struct fn_state *s = fn_state(e, fn);
	LLVMValueRef args[8], words, r;
	unsigned n = 2;
	int i;

	if (s->has_dest)
		args[n++] = dest = dest ? dest : memory_temp(e, fn->result->size, "result");
	if (s->packed) {
		words = memory_temp(e, 8 * (uint32_t)fn->params.n, "arguments");
		for (i = 0; i < fn->params.n; i++)
			LLVMBuildStore(e->builder, argument(e, x->call.args.at[i], fn->params.at[i]->type),
				       memory_at(e, words, 8ull * (unsigned)i));
		args[n++] = words;
	}
	for (i = 0; i < fn->params.n && !s->packed; i++)
		args[n++] = argument(e, x->call.args.at[i], fn->params.at[i]->type);
	args[0] = s->uses_context ? emit_context(e) : LLVMConstNull(e->ptr);
	args[1] = s->uses_scratch ? scratch_base(e) : LLVMConstNull(e->ptr);
	e->frame->unit->needs |= s->needs;
	r = LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(s->function), s->function, args, n, "");
	if (fn->result->kind == TYPE_NONE)
		return value_none(e);
	if (s->has_dest)
		return value_at(fn->result, dest, PLACE_BPF);
	return value_register(fn->result, LLVMBuildTrunc(e->builder, r, emit_register_type(e, fn->result), ""));
}
