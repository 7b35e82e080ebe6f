/* Names of other tasks, through functions of the kernel; and variables of traced programs. */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

/* ---- functions of the kernel ---- */

/* Declared, and weak: kernels without it load what does not call it. */
static LLVMValueRef kernel_function(struct emit *e, const char *name, LLVMTypeRef result, LLVMTypeRef param)
{
	LLVMValueRef f = LLVMGetNamedFunction(e->module, name);

	if (f)
		return f;
	f = LLVMAddFunction(e->module, name, LLVMFunctionType(result, &param, 1, false));
	LLVMSetLinkage(f, LLVMExternalWeakLinkage);
	LLVMSetSection(f, ".ksyms");
	btf_kernel_function(e, f, name);
	return f;
}

static LLVMValueRef call_kernel(struct emit *e, LLVMValueRef f, LLVMValueRef argument)
{
	return LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(f), f, &argument, 1, "");
}

/* ---- comm(pid) ---- */

struct value comm_of(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *field = call->call.aid;
	const struct type *of = field->field.e->type;
	LLVMBasicBlockRef found = block_new(e, "found"), absent = block_new(e, "absent"), after = block_new(e, "");
	LLVMValueRef at = dest ? dest : memory_temp(e, call->type->size, "comm"), pid = emit_int(e, call->call.args.at[0]), task, address;

	if (!feature_now(e, KERNEL_TASK_FROM_PID))
		BUG("comm(pid) passed the checker");
	memory_zero(e, at, call->type->size, 1);
	task = call_kernel(e, kernel_function(e, "bpf_task_from_pid", e->ptr, e->i32), pid);
	branch(e, is_null(e, task), absent, found);
	block_start(e, found);
	address = core_field(e, task, of->kind == TYPE_PTR ? of->elem : of, field->field.field);
	HELPER(e, probe_read_kernel_str, at, int_const(e, call->type->size), address);
	call_kernel(e, kernel_function(e, "bpf_task_release", e->void_, e->ptr), task);
	jump(e, after);
	block_start(e, absent);
	memory_copy(e, at, literal(e, STR("N/A"), call->type->size), call->type->size, 1);
	site_hit(e, site_new(e, SITE_HELPER, call->span, -1, "task_from_pid"), NULL);
	jump(e, after);
	block_start(e, after);
	return value_at(call->type, at, PLACE_BPF);
}

/* ---- uaddr() ---- */

/* The two words of a variable: its address, and that of the attach point. */
static const char *variable_word(struct emit *e, const struct probe *p, struct str name, struct span span)
{
	const struct probe_spec *at = p->attach.at[0];
	struct str hashed = str_printf(e->arena, "%.*s %u %.*s", STR_ARG(at->text), at->place, STR_ARG(name));
	struct probe_spec key = {.text = hashed};
	struct str word = manifest_probe_word(e->arena, RODATA_VARIABLE, &key);

	VEC_EACH(v, &e->manifest->variables)
		if (str_eq(v->elf_name, word))
			return word.s;
	VEC_PUSH(e->arena, &e->manifest->variables,
		 ((struct manifest_variable){.name = name,
					     .probe = emit_probe_index(e),
					     .span = manifest_span(e->arena, e->manifest, span),
					     .elf_name = word}));
	return word.s;
}

/* Where the attach point was met in this process. */
static LLVMValueRef met_at(struct emit *e, const struct expr *call)
{
	LLVMBasicBlockRef ask, old, after, asked;
	LLVMValueRef none = int_const(e, 0), ip, v;

	if (emit_probe(e)->kind->id != PROBE_URETPROBE)
		return context_register(e, STR("ip"));
	/* Kernels whose helper knows user probes (6.6) take the function off the list of pending ones before the program runs; the older
	 * ones, whose helper says 0, still have it there. */
	ask = block_new(e, "ask");
	old = block_new(e, "pending");
	after = block_new(e, "");
	branch(e, feature(e, KERNEL_FUNC_IP), ask, old);
	block_start(e, ask);
	ip = HELPER(e, get_func_ip, emit_context(e));
	asked = block_here(e);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntNE, ip, none, ""), after, old);
	block_start(e, old);
	v = emit_i64(e, call->call.aid);
	old = block_here(e);
	jump(e, after);
	block_start(e, after);
	return join(e, ip, asked, v, old);
}

struct value lower_uaddr(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct probe *p = emit_probe(e);
	const char *word = variable_word(e, p, call->call.args.at[0]->string.text, call->span);
	LLVMValueRef words = rodata_address(e, word, STR(""), 16), address, place, moved;
	LLVMBasicBlockRef from, move = block_new(e, "move"), after = block_new(e, "");

	(void)dest;
	address = load_int(e, words, e->i64);
	place = load_int(e, memory_at(e, words, 8), e->i64);
	LLVMSetVolatile(address, true);
	LLVMSetVolatile(place, true);
	from = block_here(e);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntNE, place, int_const(e, 0), ""), move, after);
	block_start(e, move);
	if (p->kind->id == PROBE_USDT) {
		e->manifest->probes.at[emit_probe_index(e)].uses_place = true;
		place = usdt_address(e);
	}
	moved = LLVMBuildAdd(e->builder, address, LLVMBuildSub(e->builder, met_at(e, call), place, ""), "");
	move = block_here(e);
	jump(e, after);
	block_start(e, after);
	return value_register(call->type, join(e, address, from, moved, move));
}
