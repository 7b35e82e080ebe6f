/* Constants: literals and the variables that the runtime sets before load.  All in one section, .rodata, which is frozen: the
 * verifier takes its values for known.  And the words in .bss that the runtime changes while programs run. */
#include "codegen/emit_frame.h"

LLVMValueRef int_const(struct emit *e, uint64_t v)
{
	return LLVMConstInt(e->i64, v, false);
}

LLVMValueRef int32_const(struct emit *e, uint32_t v)
{
	return LLVMConstInt(e->i32, v, false);
}

static LLVMValueRef constant_global(struct emit *e, const char *name, LLVMValueRef init, uint32_t align)
{
	LLVMValueRef g = LLVMAddGlobal(e->module, LLVMTypeOf(init), name);

	LLVMSetInitializer(g, init);
	LLVMSetGlobalConstant(g, true);
	LLVMSetSection(g, ".rodata");
	LLVMSetAlignment(g, align);
	return g;
}

static LLVMValueRef padded_bytes(struct emit *e, struct str text, uint32_t size)
{
	char *bytes = arena_alloc(e->arena, size ? size : 1);

	memcpy(bytes, text.s ? text.s : "", text.n < size ? text.n : size);
	return LLVMConstStringInContext2(e->context, bytes, size, true);
}

LLVMValueRef literal(struct emit *e, struct str text, uint32_t size)
{
	struct strbuf key = {.arena = e->arena};
	LLVMValueRef g;

	strbuf_printf(&key, "%u:", size);
	strbuf_add(&key, text); /* may hold NULs */
	g = table_get(&e->strings, strbuf_str(&key));
	if (g)
		return g;
	g = constant_global(e, "text", padded_bytes(e, text, size), 8);
	LLVMSetLinkage(g, LLVMPrivateLinkage);
	table_put(&e->strings, strbuf_str(&key), g);
	return g;
}

LLVMValueRef rodata_load(struct emit *e, const char *name, uint32_t bytes, uint64_t initial)
{
	LLVMTypeRef type = bytes == 4 ? e->i32 : e->i64;
	LLVMValueRef g = table_get(&e->rodata, str_of(name)), v;

	if (!g) {
		g = constant_global(e, name, LLVMConstInt(type, initial, false), bytes);
		btf_variable(e, g, name, bytes);
		table_put(&e->rodata, str_of(name), g);
	}
	v = LLVMBuildLoad2(e->builder, type, g, name);
	LLVMSetVolatile(v, true);
	return v;
}

LLVMValueRef rodata_address(struct emit *e, const char *name, struct str initial, uint32_t size)
{
	LLVMValueRef g = table_get(&e->rodata, str_of(name));

	if (!g) {
		/* Externally initialised: LLVM must not read the default out of it. */
		g = constant_global(e, name, padded_bytes(e, initial, size), 8);
		LLVMSetExternallyInitialized(g, true);
		btf_array_variable(e, g, name, size);
		table_put(&e->rodata, str_of(name), g);
	}
	return g;
}

LLVMValueRef bss_word(struct emit *e, const char *name)
{
	LLVMValueRef g = LLVMAddGlobal(e->module, e->i32, name);

	LLVMSetInitializer(g, int32_const(e, 0));
	LLVMSetSection(g, ".bss");
	LLVMSetAlignment(g, 8);
	btf_variable(e, g, name, 4);
	return g;
}

LLVMValueRef feature(struct emit *e, enum kernel_feature f)
{
	LLVMValueRef bits = rodata_load(e, RODATA_FEATURES, 8, 0);

	e->manifest->asks |= 1u << f;
	bits = LLVMBuildAnd(e->builder, bits, int_const(e, 1ull << f), "");
	return LLVMBuildICmp(e->builder, LLVMIntNE, bits, int_const(e, 0), "has_feature");
}

bool feature_now(struct emit *e, enum kernel_feature f)
{
	struct kernel *k = e->program->kernel;

	if (!k || !k->has || !k->has(k, f))
		return false;
	e->frame->unit->needs |= 1u << f;
	return true;
}

LLVMValueRef zeros(struct emit *e, uint32_t size)
{
	if (size > e->zeros_size)
		e->zeros_size = size;
	/* Its size is known only when all is emitted: rodata_close() puts the real one in its place. */
	if (!e->zeros)
		e->zeros = LLVMAddGlobal(e->module, e->i64, "zeros_later");
	return e->zeros;
}

/* Private constants would be "mergeable" to LLVM, and go into a second section of the same name, which libbpf does not expect. */
static void publish_literals(struct emit *e)
{
	LLVMValueRef g;

	for (g = LLVMGetFirstGlobal(e->module); g; g = LLVMGetNextGlobal(g)) {
		if (LLVMGetLinkage(g) != LLVMPrivateLinkage)
			continue;
		LLVMSetLinkage(g, LLVMExternalLinkage);
		LLVMSetVisibility(g, LLVMHiddenVisibility);
	}
}

void rodata_close(struct emit *e)
{
	LLVMValueRef g;

	if (e->zeros) {
		g = constant_global(e, "wt_zeros", LLVMConstNull(LLVMArrayType2(e->i8, e->zeros_size)), 8);
		LLVMSetLinkage(g, LLVMPrivateLinkage);
		LLVMReplaceAllUsesWith(e->zeros, g);
		LLVMDeleteGlobal(e->zeros);
	}
	publish_literals(e);
}
