/* The program's context: registers, trace records, words, by family of probe. */
#include "codegen/emit_frame.h"

/* struct pt_regs as programs see it, by architecture; arguments and result as the calling convention has them. */
struct regs {
	const char *name;
	uint32_t offset;
};

#if defined(__x86_64__)
static const struct regs regs[] = {
	{"r15", 0}, {"r14", 8}, {"r13", 16}, {"r12", 24}, {"bp", 32}, {"bx", 40}, {"r11", 48}, {"r10", 56}, {"r9", 64},
	{"r8", 72}, {"ax", 80}, {"cx", 88}, {"dx", 96}, {"si", 104}, {"di", 112}, {"orig_rax", 120}, {"ip", 128}, {"pc", 128},
	{"cs", 136}, {"flags", 144}, {"sp", 152}, {"ss", 160},
};
static const uint32_t arg_offsets[] = {112, 104, 96, 88, 72, 64};
enum { RETVAL_OFFSET = 80 };
#elif defined(__aarch64__)
static const struct regs regs[] = {
	{"r0", 0}, {"r1", 8}, {"r2", 16}, {"r3", 24}, {"r4", 32}, {"r5", 40}, {"r6", 48}, {"r7", 56}, {"r8", 64}, {"r9", 72},
	{"r10", 80}, {"r11", 88}, {"r12", 96}, {"r13", 104}, {"r14", 112}, {"r15", 120}, {"r16", 128}, {"r17", 136},
	{"r18", 144}, {"r19", 152}, {"r20", 160}, {"r21", 168}, {"r22", 176}, {"r23", 184}, {"r24", 192}, {"r25", 200},
	{"r26", 208}, {"r27", 216}, {"r28", 224}, {"r29", 232}, {"r30", 240}, {"sp", 248}, {"pc", 256}, {"ip", 256},
	{"pstate", 264},
};
static const uint32_t arg_offsets[] = {0, 8, 16, 24, 32, 40, 48, 56};
enum { RETVAL_OFFSET = 0 };
#else
#error "the registers of this architecture are not described yet"
#endif

static LLVMValueRef context_word(struct emit *e, uint32_t offset)
{
	LLVMValueRef v = load_int(e, memory_at(e, emit_context(e), offset), e->i64);

	/* One load of the context as it stands: LLVM must neither split nor move it. */
	LLVMSetVolatile(v, true);
	return v;
}

LLVMValueRef context_arg(struct emit *e, int n)
{
	const struct probe *p = emit_probe(e);

	if (p->kind->family == CONTEXT_WORDS)
		return context_word(e, (uint32_t)n * 8);
	if (n < 0 || n >= (int)(sizeof(arg_offsets) / sizeof(*arg_offsets)))
		BUG("arg%d", n);
	return context_word(e, arg_offsets[n]);
}

LLVMValueRef context_retval(struct emit *e)
{
	const struct probe *p = emit_probe(e);

	if (p->kind->family == CONTEXT_WORDS) /* behind the arguments */
		return context_word(e, (uint32_t)p->args.count * 8);
	return context_word(e, RETVAL_OFFSET);
}

LLVMValueRef context_register(struct emit *e, struct str name)
{
	size_t i;

	for (i = 0; i < sizeof(regs) / sizeof(*regs); i++)
		if (str_is(name, regs[i].name))
			return context_word(e, regs[i].offset);
	BUG("register %.*s", STR_ARG(name));
}

/* The words of fentry, fexit and raw tracepoints.  Pointers to structs of the kernel are known to the verifier in fentry and fexit:
 * they are followed directly.  In raw tracepoints they are numbers. */
static struct value word_field(struct emit *e, const struct field *f)
{
	const struct probe *p = emit_probe(e);
	LLVMValueRef word;
	struct value v;

	/* 5.10 lets programs load pointers to structs, to void and to char, but none to numbers: those are read like any memory of
	 * the kernel.  So are structs passed by value. */
	if (!type_is_register(f->type) || (f->type->kind == TYPE_PTR && type_is_integer(f->type->elem) && f->type->elem->size > 1)) {
		word = LLVMBuildAdd(e->builder, forget_pointer(e, emit_context(e)), int_const(e, f->offset), "");
		return value_at(f->type, word, PLACE_KERNEL);
	}
	word = context_word(e, f->offset & ~7u);
	v = value_register(f->type, LLVMBuildTrunc(e->builder, word, emit_register_type(e, f->type), ""));
	v.trusted = p->kind->id != PROBE_RAWTRACEPOINT && f->type->kind == TYPE_PTR;
	return v;
}

static LLVMValueRef field_address(struct emit *e, LLVMValueRef base, const struct type *args, const struct field *f)
{
	return args->decl->core_name.n ? core_field(e, base, args, f) : memory_at(e, base, f->offset);
}

/* __data_loc: the low half of the word says where in the record the text begins. */
static struct value data_loc(struct emit *e, const struct type *args, const struct field *f)
{
	LLVMValueRef base = emit_context(e), word;
	struct field raw = *f;

	raw.name = str_printf(e->arena, "__data_loc_%.*s", STR_ARG(f->name)); /* so the raw struct calls it */
	raw.type = e->types->u32;
	word = load_int(e, field_address(e, base, args, &raw), e->i32);
	LLVMSetVolatile(word, true);
	word = LLVMBuildZExt(e->builder, LLVMBuildAnd(e->builder, word, int32_const(e, 0xffff), ""), e->i64, "");
	/* An address for helpers: the context's own, as a number. */
	return value_register(f->type, LLVMBuildAdd(e->builder, forget_pointer(e, base), word, ""));
}

static struct value record_field(struct emit *e, const struct type *args, const struct field *f)
{
	LLVMValueRef base = emit_context(e), at;
	struct value v;

	if (f->data_loc)
		return data_loc(e, args, f);
	at = field_address(e, base, args, f);
	if (type_is_register(f->type)) {
		v = value_register(f->type, load_int(e, at, emit_register_type(e, f->type)));
		LLVMSetVolatile(v.v, true);
		return v;
	}
	/* Texts and arrays: the record is kernel memory like any other. */
	return value_at(f->type, forget_pointer(e, at), PLACE_KERNEL);
}

/* A parameter that is one word. */
static struct value user_word(struct emit *e, const struct field *f, LLVMValueRef word)
{
	LLVMValueRef temp;

	if (type_is_register(f->type))
		return value_register(f->type, LLVMBuildTrunc(e->builder, word, emit_register_type(e, f->type), ""));
	temp = memory_temp(e, 8, "arg");
	store_int(e, temp, word);
	return value_at(f->type, temp, PLACE_BPF);
}

static struct value user_arg(struct emit *e, const struct field *f)
{
	const struct arg_place *p = &f->place;
	LLVMValueRef word, temp;

	switch ((enum arg_where)p->where) {
	case ARG_NOWHERE:
		break; /* the checker shows none of these */
	case ARG_REGISTER:
		return user_word(e, f, context_word(e, p->a * 8));
	case ARG_SUM:
		word = LLVMBuildAdd(e->builder, context_word(e, p->a * 8), int_const(e, (uint64_t)(int64_t)(int32_t)p->b), "");
		return user_word(e, f, word);
	case ARG_CONSTANT:
		return user_word(e, f, int_const(e, p->a | (uint64_t)p->b << 32));
	case ARG_TWO_REGISTERS:
		temp = memory_temp(e, 16, "arg");
		store_int(e, temp, context_word(e, p->a * 8));
		store_int(e, memory_at(e, temp, 8), context_word(e, p->b * 8));
		return value_at(f->type, temp, PLACE_BPF);
	case ARG_MEMORY:
		word = LLVMBuildAdd(e->builder, context_word(e, p->a * 8), int_const(e, (uint64_t)(int64_t)(int32_t)p->b), "");
		return value_at(f->type, word, PLACE_USER);
	case ARG_REFERENCE:
		return value_at(f->type, context_word(e, p->a * 8), PLACE_USER);
	}
	BUG("argument place %u", p->where);
}

struct value context_field(struct emit *e, const struct type *args, const struct field *f)
{
	switch (args->decl->origin) {
	case ORIGIN_TRACEPOINT:
		return record_field(e, args, f);
	case ORIGIN_ARGS:
		return word_field(e, f);
	case ORIGIN_UARGS:
		return user_arg(e, f);
	case ORIGIN_CTX:
	case ORIGIN_BTF:
	case ORIGIN_C:
		break;
	}
	return value_at(f->type, memory_at(e, emit_context(e), f->offset), PLACE_CONTEXT);
}
