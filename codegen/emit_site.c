/* Sites: counters of what went wrong at a place of the script.  Counting is a function of its own, so that the hot path carries
 * only a test and a call. */
#include "codegen/emit_frame.h"

int site_new(struct emit *e, enum site_cause cause, struct span span, int map, const char *helper)
{
	struct str key = str_printf(e->arena, "%d %p %u %u %d %d %s", cause, (const void *)span.source, span.begin,
				    span.end, emit_probe_index(e), map, helper ? helper : "");
	struct manifest_site s = {
		.cause = cause,
		.span = manifest_span(e->arena, e->manifest, span),
		.probe = emit_probe_index(e),
		.map = map,
		.helper = str_of(helper),
	};
	int *known = table_get(&e->site_index, key);

	if (known)
		return *known;
	VEC_PUSH(e->arena, &e->manifest->sites, s);
	known = NEW(e->arena, int);
	*known = e->manifest->sites.n - 1;
	table_put(&e->site_index, key, known);
	return *known;
}

/* void wt_site(u32 site, s64 code): count and remember. */
static LLVMValueRef site_function(struct emit *e)
{
	static const char *const names[] = {"site", "code"};
	LLVMTypeRef params[] = {e->i64, e->i64};
	struct function_cursor back;
	LLVMValueRef f, key, at, cell;
	LLVMBasicBlockRef found, done;

	if (e->site_function)
		return e->site_function;
	e->sites_map = LLVMAddGlobal(e->module, map_def_type(e), ELF_SITES);
	f = function_begin(e, &back, "wt_site", e->i64, params, 2, names);
	e->site_function = f;
	key = LLVMBuildAlloca(e->builder, e->i32, "key");
	store_int(e, key, LLVMBuildTrunc(e->builder, LLVMGetParam(f, 0), e->i32, ""));
	at = HELPER(e, map_lookup_elem, e->sites_map, key);
	found = LLVMAppendBasicBlockInContext(e->context, f, "found");
	done = LLVMAppendBasicBlockInContext(e->context, f, "done");
	branch(e, is_null(e, at), done, found);
	block_start(e, found);
	/* Atomic: an interrupt's probe may count here between load and store. */
	LLVMBuildAtomicRMW(e->builder, LLVMAtomicRMWBinOpAdd, at, int_const(e, 1), LLVMAtomicOrderingMonotonic, false);
	cell = memory_at(e, at, 8);
	store_int(e, cell, LLVMGetParam(f, 1));
	jump(e, done);
	block_start(e, done);
	LLVMBuildRet(e->builder, int_const(e, 0));
	function_end(e, &back);
	return f;
}

void site_hit(struct emit *e, int site, LLVMValueRef code)
{
	LLVMValueRef f = site_function(e);
	LLVMValueRef args[] = {int_const(e, (uint64_t)site), code ? code : int_const(e, 0)};

	LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(f), f, args, 2, "");
}

void site_hit_if(struct emit *e, LLVMValueRef cond, int site, LLVMValueRef code)
{
	LLVMBasicBlockRef hit = block_new(e, "site"), after = block_new(e, "");

	branch(e, cond, hit, after);
	block_start(e, hit);
	site_hit(e, site, code);
	jump(e, after);
	block_start(e, after);
}

void sites_close(struct emit *e)
{
	enum { PERCPU_ARRAY = 6 };

	if (e->sites_map)
		map_def(e, e->sites_map, ELF_SITES, PERCPU_ARRAY, 4, 16, (uint32_t)e->manifest->sites.n, 0);
}
