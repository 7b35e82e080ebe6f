/* Values that are numbers in BPF and text in user space: network and hardware addresses, times,
 * users, cgroups. */
#include "codegen/emit_text.h"

enum { FAMILY_IPV4 = 2 /* AF_INET */, FAMILY_IPV6 = 10 /* AF_INET6 */ };

static const struct expr *argument(const struct expr *call, int i)
{
	return call->call.args.at[i];
}

/* { u8 family: 4 or 6, u8 has a port, u16 port, 4 zeros, u8 address[16] } */
struct value lower_ntop(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *address = argument(call, call->call.args.n - 1);
	LLVMValueRef at = dest ? dest : memory_temp(e, call->type->size, "inet"), family, given, is_4, is_6;
	struct value v;

	family = LLVMConstInt(e->i8, address->type->size == 16 ? 6 : 4, false);
	if (call->call.args.n > 1) {
		given = emit_i64(e, argument(call, 0));
		is_4 = LLVMBuildICmp(e->builder, LLVMIntEQ, given, int_const(e, FAMILY_IPV4), "");
		is_6 = LLVMBuildICmp(e->builder, LLVMIntEQ, given, int_const(e, FAMILY_IPV6), "");
		family = LLVMBuildSelect(e->builder, is_4, LLVMConstInt(e->i8, 4, false),
					 LLVMConstInt(e->i8, INET_OTHER, false), "");
		family = LLVMBuildSelect(e->builder, is_6, LLVMConstInt(e->i8, 6, false), family, "");
	}
	v = emit_expr(e, address);
	memory_zero(e, at, call->type->size, call->type->align);
	store_int(e, at, family);
	if (type_is_register(address->type))
		store_int(e, memory_at(e, at, 8),
			  LLVMBuildTrunc(e->builder, value_i64(e, v), e->i32, ""));
	else
		value_store(e, v, memory_at(e, at, 8));
	return value_at(call->type, at, PLACE_BPF);
}

struct value lower_endpoint(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef port = emit_int(e, argument(call, 1));
	struct value v = emit_expr(e, argument(call, 0));
	LLVMValueRef from = value_memory(e, v),
		     at = dest ? dest : memory_temp(e, call->type->size, "endpoint");

	memory_copy(e, at, from, call->type->size, call->type->align);
	store_int(e, memory_at(e, at, 1), LLVMConstInt(e->i8, 1, false));
	store_int(e, memory_at(e, at, 2), port);
	return value_at(call->type, at, PLACE_BPF);
}

struct value lower_macaddr(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *from = argument(call, 0);
	LLVMValueRef at = dest ? dest : memory_temp(e, call->type->size, "mac"), memory;
	struct value v = emit_expr(e, from);

	if (type_is_register(from->type)) {
		probe_read(e, at, int_const(e, 6), value_i64(e, v), place_of(from->type),
			   call->span);
	} else if (v.place == PLACE_KERNEL || v.place == PLACE_USER || v.place == PLACE_ANY) {
		probe_read(e, at, int_const(e, 6), value_address(e, v), v.place, call->span);
	} else {
		memory = value_memory(e, v);
		memory_copy(e, at, memory, 6, 1);
	}
	return value_at(call->type, at, PLACE_BPF);
}

struct value lower_cgroup_path(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return value_register(call->type, emit_i64(e, argument(call, 0)));
}

struct value lower_strftime(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef ns = emit_i64(e, argument(call, 1));

	(void)dest;
	return value_register(call->type, LLVMBuildXor(e->builder, ns, int_const(e, TIMESTAMP_SET), ""));
}

struct value lower_username(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef both = HELPER(e, get_current_uid_gid);

	(void)dest;
	return value_register(call->type,
			      LLVMBuildAnd(e->builder, both, int_const(e, UINT32_MAX), "uid"));
}

struct value lower_bswap(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef v = emit_int(e, argument(call, 0)), f;
	LLVMTypeRef type = LLVMTypeOf(v);

	(void)dest;
	if (call->type->size == 1)
		return value_register(call->type, v);
	f = LLVMGetIntrinsicDeclaration(e->module, LLVMLookupIntrinsicID("llvm.bswap", 10), &type,
					1);
	return value_register(call->type, LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(f), f,
							 &v, 1, "bswap"));
}
