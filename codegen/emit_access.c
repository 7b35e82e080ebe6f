/* Fields, elements and what pointers point to.  Nothing is read here: the result is an address with its place, so that
 * `curtask.mm.pgd` reads two words and never a whole struct. */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

static LLVMValueRef as_pointer(struct emit *e, LLVMValueRef v)
{
	return LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMPointerTypeKind ? v : LLVMBuildIntToPtr(e->builder, v, e->ptr, "");
}

/* The address kept in a value of the form that its place wants: ptr, or i64 for foreign memory. */
static struct value addressed(struct emit *e, struct value base, const struct type *t, LLVMValueRef at)
{
	struct value v = value_at(t, at, base.place);

	if (base.place == PLACE_KERNEL || base.place == PLACE_USER || base.place == PLACE_ANY)
		v.v = value_address(e, v);
	return v;
}

static bool is_sample(struct emit *e, const struct type *t)
{
	const struct probe *p = emit_probe(e);

	return p && p->kind->family == CONTEXT_PERF && t->kind == TYPE_STRUCT && str_is(t->decl->name, "bpf_perf_event_data");
}

/* What ctx shows of a sample is not in memory: the verifier turns each load of eight bytes into what fetches the word.  So it is
 * copied word by word, and read from the copy. */
static struct value sample_copy(struct emit *e, const struct type *t)
{
	LLVMValueRef copy = memory_temp(e, t->size, "sample"), word;
	uint32_t at;

	for (at = 0; at + 8 <= t->size; at += 8) {
		word = load_int(e, memory_at(e, emit_context(e), at), e->i64);
		LLVMSetVolatile(word, true); /* not narrowed to the field that is wanted */
		store_int(e, memory_at(e, copy, at), word);
	}
	return value_at(t, copy, PLACE_BPF);
}

/* What a pointer value points to. */
static struct value pointed(struct emit *e, struct value p)
{
	const struct type *to = p.type->elem;

	if (is_sample(e, to)) /* there is but one: a variable that holds ctx leads to it too */
		return sample_copy(e, to);
	if (p.place == PLACE_REGISTER && p.trusted)
		return value_at(to, as_pointer(e, p.v), PLACE_TRUSTED);
	return value_at(to, value_number(e, p), place_of(p.type));
}

static bool is_core(const struct value *base)
{
	const struct struct_decl *d = base->type->decl;

	/* Our own copies have the layout of the kernel that compiled them. */
	if (base->place == PLACE_BPF)
		return false;
	return d->origin == ORIGIN_BTF && d->name.n && (!d->module.n || str_is(d->module, "vmlinux"));
}

static uint32_t low_bit(uint32_t n)
{
	return n & -n;
}

static struct value struct_field(struct emit *e, struct value base, const struct field *f)
{
	LLVMValueRef at = base.v;
	struct value v;
	uint32_t align;

	if (f->bit_size) {
		v = base;
		v.bits = f;
		v.bits_of = base.type;
		v.type = f->type;
		return v;
	}
	if (is_core(&base))
		at = core_field(e, as_pointer(e, at), base.type, f);
	else if (f->offset)
		at = LLVMGetTypeKind(LLVMTypeOf(at)) == LLVMPointerTypeKind
			     ? memory_at(e, at, f->offset)
			     : LLVMBuildAdd(e->builder, at, int_const(e, f->offset), "");
	v = addressed(e, base, f->type, at);
	align = base.align ? base.align : 8;
	if (f->offset && low_bit(f->offset) < align)
		align = low_bit(f->offset);
	if (align < f->type->align)
		v.align = align;
	return v;
}

struct value emit_field(struct emit *e, const struct expr *x)
{
	const struct expr *of = x->field.e;
	const struct field *f = x->field.field;
	struct value base;

	if (of->kind == EXPR_CALL && of->call.builtin == BUILTIN_args)
		return context_field(e, of->type, f);
	base = emit_expr(e, of);
	while (base.type->kind == TYPE_PTR)
		base = pointed(e, base);
	if (base.type->kind == TYPE_STRUCT && base.type->decl->origin == ORIGIN_CTX)
		return context_field(e, base.type, f);
	if (base.type->kind == TYPE_RECORD)
		return value_at(f->type, memory_at(e, value_memory(e, base), f->offset), PLACE_BPF);
	return struct_field(e, base, f);
}

struct value emit_tuple_at(struct emit *e, const struct expr *x)
{
	struct value base = emit_expr(e, x->tuple_at.e);
	const struct field *f = &base.type->fields[x->tuple_at.at];

	return value_at(f->type, memory_at(e, value_memory(e, base), f->offset), PLACE_BPF);
}

struct value emit_deref(struct emit *e, const struct expr *x)
{
	struct value p = emit_expr(e, x->unary.e), v;

	v = pointed(e, p);
	v.type = x->type;
	return v;
}

LLVMValueRef element_size(struct emit *e, const struct type *t)
{
	if (t->kind == TYPE_STRUCT && t->decl->origin == ORIGIN_BTF && t->decl->name.n)
		return core_type_size(e, t);
	return int_const(e, t->size ? t->size : 1);
}

/* ---- elements ---- */

/* Memory that the verifier lets us index by a variable: 5.10 does not, on the stack. */
static LLVMValueRef indexable(struct emit *e, struct value v)
{
	LLVMValueRef at = value_memory(e, v), root = at, copy;

	while (LLVMIsAGetElementPtrInst(root))
		root = LLVMGetOperand(root, 0);
	if (!LLVMIsAAllocaInst(root))
		return at;
	copy = memory_scratch(e, v.type->size, "indexed");
	memory_copy(e, copy, at, v.type->size, v.type->align);
	return copy;
}

/* An index beyond the end gives zeros, and is counted. */
static struct value checked_element(struct emit *e, const struct expr *x, struct value base, uint32_t count,
				    const struct type *elem)
{
	LLVMValueRef at = indexable(e, base), index = emit_i64(e, x->index.index), over, v;
	LLVMBasicBlockRef inside = block_new(e, "inside"), outside = block_new(e, "outside"), after = block_new(e, "");
	int site = site_new(e, SITE_BOUNDS, x->span, -1, NULL);

	index = opaque(e, index);
	over = LLVMBuildICmp(e->builder, LLVMIntUGE, index, int_const(e, count), "");
	branch(e, over, outside, inside);
	block_start(e, outside);
	site_hit(e, site, NULL);
	jump(e, after);
	block_start(e, inside);
	at = memory_at_var(e, at, LLVMBuildMul(e->builder, index, int_const(e, elem->size), ""));
	if (type_is_register(elem)) {
		v = load_int(e, at, emit_register_type(e, elem));
		jump(e, after);
		block_start(e, after);
		return value_register(elem, join(e, LLVMConstNull(LLVMTypeOf(v)), outside, v, inside));
	}
	jump(e, after);
	block_start(e, after);
	return value_at(elem, join(e, zeros(e, elem->size), outside, at, inside), PLACE_BPF);
}

/* base + index * size, of foreign memory or at a constant index. */
static struct value element_at(struct emit *e, const struct expr *x, struct value base, const struct type *elem)
{
	LLVMValueRef index = emit_i64(e, x->index.index), offset;

	offset = LLVMBuildMul(e->builder, index, element_size(e, elem), "");
	if (LLVMGetTypeKind(LLVMTypeOf(base.v)) == LLVMPointerTypeKind)
		return addressed(e, base, elem, memory_at_var(e, base.v, offset));
	return addressed(e, base, elem, LLVMBuildAdd(e->builder, base.v, offset, ""));
}

struct value emit_index(struct emit *e, const struct expr *x)
{
	struct value base = emit_expr(e, x->index.e);
	const struct type *t = base.type;
	bool constant = x->index.index->kind == EXPR_INT;
	const struct field *f;
	uint32_t count;

	switch (t->kind) {
	case TYPE_TUPLE:
	case TYPE_RECORD:
		f = &t->fields[x->index.index->integer.value];
		return value_at(f->type, memory_at(e, value_memory(e, base), f->offset), PLACE_BPF);
	case TYPE_PTR:
		return element_at(e, x, pointed(e, base), x->type);
	case TYPE_STRING:
	case TYPE_ARRAY:
	case TYPE_BUFFER:
		break;
	default:
		BUG("indexing type kind %d", t->kind);
	}
	count = t->kind == TYPE_ARRAY ? t->count : t->size;
	if (base.place == PLACE_TRUSTED) /* a variable offset is not for BTF pointers */
		base = value_at(t, value_address(e, base), PLACE_KERNEL);
	/* Flexible arrays (count 0) and foreign memory have no end that we know better than the script. */
	if (base.place != PLACE_BPF && base.place != PLACE_CONTEXT)
		return element_at(e, x, base, x->type);
	if (constant && x->index.index->integer.value < count) {
		base.v = memory_at(e, value_memory(e, base), x->index.index->integer.value * x->type->size);
		base.place = PLACE_BPF;
		base.type = x->type;
		return base;
	}
	return checked_element(e, x, base, count, x->type);
}

/* ---- bitfields ---- */

/* The 64 bits around a bitfield, wherever it lies: `shift` bits above it are foreign, `drop` bits below it too. */
static LLVMValueRef cut_out(struct emit *e, LLVMValueRef word, LLVMValueRef left, LLVMValueRef right, const struct type *t)
{
	word = LLVMBuildShl(e->builder, word, left, "");
	word = t->is_signed ? LLVMBuildAShr(e->builder, word, right, "") : LLVMBuildLShr(e->builder, word, right, "");
	return LLVMBuildTrunc(e->builder, word, emit_register_type(e, t), "");
}

static LLVMValueRef core_bitfield(struct emit *e, struct value v)
{
	LLVMValueRef base = as_pointer(e, v.v), word = memory_temp(e, 8, "bits"), from;
	LLVMValueRef offset = core_field_info(e, base, v.bits_of, v.bits, CORE_BYTE_OFFSET);
	LLVMValueRef size = core_field_info(e, base, v.bits_of, v.bits, CORE_BYTE_SIZE);
	LLVMValueRef left = core_field_info(e, base, v.bits_of, v.bits, CORE_LSHIFT);
	LLVMValueRef right = core_field_info(e, base, v.bits_of, v.bits, CORE_RSHIFT);
	enum value_place place = v.place == PLACE_TRUSTED ? PLACE_KERNEL : v.place;

	store_int(e, word, int_const(e, 0));
	from = LLVMBuildAdd(e->builder, value_address(e, v), offset, "");
	probe_read(e, word, clamp(e, size, 8), from, place, e->span);
	return cut_out(e, load_int(e, word, e->i64), left, right, v.type);
}

/* n bytes of our own memory as a number, one by one, whatever their alignment. */
static LLVMValueRef load_bytes(struct emit *e, LLVMValueRef from, uint32_t n)
{
	LLVMValueRef word = int_const(e, 0), byte;
	uint32_t at;

	for (at = 0; at < n; at++) {
		byte = LLVMBuildZExt(e->builder, load_int(e, memory_at(e, from, at), e->i8), e->i64, "");
		byte = LLVMBuildShl(e->builder, byte, int_const(e, at * 8), "");
		word = LLVMBuildOr(e->builder, word, byte, "");
	}
	return word;
}

LLVMValueRef bitfield_int(struct emit *e, struct value v)
{
	const struct field *f = v.bits;
	uint32_t first = f->bit_offset / 8, shift = f->bit_offset % 8, width = f->bit_size;
	uint32_t n = (shift + width + 7) / 8; /* bytes: nine of them when packing has put it so */
	struct value base = {.v = v.v, .type = v.bits_of, .place = v.place};
	LLVMValueRef memory, word, ninth;

	if (is_core(&base))
		return core_bitfield(e, v);
	if (v.place == PLACE_KERNEL || v.place == PLACE_USER || v.place == PLACE_ANY) {
		memory = memory_temp(e, n > 8 ? 16 : 8, "bits");
		store_int(e, memory, int_const(e, 0));
		probe_read(e, memory, int_const(e, n), LLVMBuildAdd(e->builder, v.v, int_const(e, first), ""), v.place, e->span);
		word = load_int(e, memory, e->i64);
	} else {
		memory = memory_at(e, v.v, first);
		word = load_bytes(e, memory, n > 8 ? 8 : n);
	}
	if (n > 8) {
		ninth = load_bytes(e, memory_at(e, memory, 8), 1);
		word = LLVMBuildLShr(e->builder, word, int_const(e, shift), "");
		word = LLVMBuildOr(e->builder, word, LLVMBuildShl(e->builder, ninth, int_const(e, 64 - shift), ""), "");
		shift = 0;
	}
	return cut_out(e, word, int_const(e, 64 - width - shift), int_const(e, 64 - width), v.type);
}

/* ---- fields by name alone ---- */

static bool is_core_step(const struct expr *field)
{
	struct value base = {.type = field->field.e->type, .place = PLACE_KERNEL};

	return base.type->kind == TYPE_STRUCT && is_core(&base);
}

/* has_field(): each step of the path is there on the kernel that loads the program. */
struct value lower_has_field(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef all = int_const(e, 1), one;
	const struct expr *x;

	(void)dest;
	for (x = call->call.args.at[0]; x->kind == EXPR_FIELD || x->kind == EXPR_UNARY;
	     x = x->kind == EXPR_FIELD ? x->field.e : x->unary.e) {
		if (x->kind != EXPR_FIELD || !is_core_step(x))
			continue;
		if (call->call.number > 1) /* the way without it could not be compiled: loading fails where it is absent */
			opaque(e, core_field_info(e, LLVMConstNull(e->ptr), x->field.e->type, x->field.field,
						  CORE_BYTE_OFFSET));
		one = core_field_info(e, LLVMConstNull(e->ptr), x->field.e->type, x->field.field, CORE_EXISTS);
		all = LLVMBuildAnd(e->builder, all, one, "");
	}
	return value_register(call->type, LLVMBuildTrunc(e->builder, all, e->i8, ""));
}

/* container_of(): the address less the places of the fields on the way. */
struct value lower_container_of(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef at = emit_i64(e, call->call.args.at[0]), offset;
	const struct expr *x;

	(void)dest;
	for (x = call->call.args.at[1]; x->kind == EXPR_FIELD; x = x->field.e) {
		offset = is_core_step(x) ? core_field_info(e, LLVMConstNull(e->ptr), x->field.e->type, x->field.field,
							   CORE_BYTE_OFFSET)
					 : int_const(e, x->field.field->offset);
		at = LLVMBuildSub(e->builder, at, offset, "");
	}
	return value_register(call->type, at);
}

/* ---- objects that a helper takes by type ---- */

/* The address of what x is or points to, as the verifier knows it.  A word of an iterator's context may be null: then control goes
 * to `absent`. */
static struct value known_object(struct emit *e, const struct expr *x, LLVMBasicBlockRef absent)
{
	const struct expr *of;
	LLVMBasicBlockRef there;
	struct value base;

	if (x->kind == EXPR_VAR && x->var.var->origin && var_is_here(e, x->var.var))
		x = x->var.var->origin;
	of = x->kind == EXPR_FIELD ? x->field.e : NULL;
	while (of && of->kind == EXPR_UNARY && of->unary.op == UNARY_DEREF)
		of = of->unary.e;
	if (!of || (of->kind == EXPR_CALL && of->call.builtin == BUILTIN_args))
		return emit_expr(e, x);
	if (of->kind == EXPR_CALL && of->call.builtin == BUILTIN_ctx) {
		base = emit_expr(e, x);
		base.v = load_int(e, base.v, e->i64);
		LLVMSetVolatile(base.v, true);
		base.place = PLACE_REGISTER;
		base.trusted = true;
		there = block_new(e, "there");
		branch(e, LLVMBuildICmp(e->builder, LLVMIntEQ, base.v, int_const(e, 0), ""), absent, there);
		block_start(e, there);
		return base;
	}
	base = known_object(e, of, absent);
	while (base.type->kind == TYPE_PTR)
		base = pointed(e, base);
	return struct_field(e, base, x->field.field);
}

LLVMValueRef known_address(struct emit *e, const struct expr *x, LLVMBasicBlockRef absent)
{
	struct value v = known_object(e, x, absent);

	if (x->type->kind != TYPE_PTR || v.place == PLACE_REGISTER)
		return v.v;
	if (v.place == PLACE_TRUSTED) { /* a pointer behind a pointer: it is read as it is, with what it points to */
		v.v = load_int(e, v.v, e->i64);
		LLVMSetVolatile(v.v, true);
		return v.v;
	}
	return value_number(e, v);
}

struct value lower_socket_cookie(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return value_register(call->type, HELPER(e, get_socket_cookie, known_address(e, call->call.args.at[0], NULL)));
}

/* bpf_d_path() ends with a NUL; where it fails the text is empty. */
struct value lower_path(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef at = memory_scratch(e, call->type->size, "path"), p, code;
	LLVMBasicBlockRef failed = block_new(e, "failed"), absent = block_new(e, "absent"), after = block_new(e, "");
	struct value v;

	(void)dest;
	p = known_address(e, call->call.args.at[0], absent);
	code = HELPER(e, d_path, p, at, int_const(e, call->type->size));
	branch(e, LLVMBuildICmp(e->builder, LLVMIntSLE, code, int_const(e, 0), ""), failed, after);
	block_start(e, failed);
	site_hit(e, site_new(e, SITE_HELPER, call->span, -1, "d_path"), code);
	jump(e, absent);
	block_start(e, absent);
	store_int(e, at, LLVMConstInt(e->i8, 0, false));
	jump(e, after);
	block_start(e, after);
	v = value_at(call->type, at, PLACE_BPF);
	v.ragged = true;
	return v;
}
