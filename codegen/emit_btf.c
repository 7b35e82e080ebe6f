/* Debug info, from which LLVM makes BTF: maps, variables, functions with their parameters, the place of every instruction, and
 * CO-RE relocations of kernel fields.
 *
 * File names are stand-ins ("/dev/null/N", which cannot be opened): LLVM would read a file of the script's name from the disk to
 * get at its lines.  elf_finish.c puts the real names and the script's lines in their place. */
#include "codegen/emit_frame.h"

#include "lang/source.h"

/* One field of a kernel struct: a local struct of that name which holds just this field.  One struct per field, because the kernel
 * wants members in order of their offsets and uses come in any order. */
struct core_struct {
	LLVMMetadataRef info;
	LLVMTypeRef type; /* what the intrinsic takes for its element type */
};

struct btf_maker {
	LLVMDIBuilderRef di;
	LLVMMetadataRef unit, u8, s32, u32, u64, voidptr;
	LLVMMetadataRef no_place;
	VEC(const struct source *) sources;
	VEC(LLVMMetadataRef) files;
	struct table by_name;
};

/* Runs on from one module to the next: LLVM keeps the globals of relocations by their names in a table of the process, also when
 * their module is gone. */
static int core_serial;

enum { COLUMN_MAX = 1023 };
enum { DW_ATE_BOOLEAN = 2, DW_ATE_SIGNED = 5, DW_ATE_UNSIGNED = 7, DW_TAG_STRUCTURE = 0x13, DW_TAG_UNION = 0x17 };

static LLVMMetadataRef basic(struct btf_maker *b, const char *name, uint32_t bytes, unsigned encoding)
{
	return LLVMDIBuilderCreateBasicType(b->di, name, strlen(name), bytes * 8ull, encoding, LLVMDIFlagZero);
}

static LLVMMetadataRef pointer_to(struct btf_maker *b, LLVMMetadataRef to)
{
	return LLVMDIBuilderCreatePointerType(b->di, to, 64, 64, 0, "", 0);
}

static LLVMMetadataRef array_of(struct btf_maker *b, LLVMMetadataRef elem, uint64_t bytes, uint32_t count)
{
	LLVMMetadataRef range = LLVMDIBuilderGetOrCreateSubrange(b->di, 0, count);

	return LLVMDIBuilderCreateArrayType(b->di, bytes * 8, 8, elem, &range, 1);
}

static LLVMMetadataRef file_of(struct emit *e, const struct source *s)
{
	struct btf_maker *b = e->btf;
	char *name;
	int i;

	for (i = 0; i < b->sources.n; i++)
		if (b->sources.at[i] == s)
			return b->files.at[i];
	name = arena_printf(e->arena, "/dev/null/%d", i);
	VEC_PUSH(e->arena, &b->sources, s);
	VEC_PUSH(e->arena, &b->files, LLVMDIBuilderCreateFile(b->di, name, strlen(name), "", 0));
	return b->files.at[i];
}

const struct source *const *btf_sources(struct emit *e)
{
	return e->btf->sources.at;
}

int btf_nsources(struct emit *e)
{
	return e->btf->sources.n;
}

void debug_open(struct emit *e)
{
	struct btf_maker *b = NEW(e->arena, struct btf_maker);
	LLVMMetadataRef version;

	e->btf = b;
	b->by_name.arena = e->arena;
	b->di = LLVMCreateDIBuilder(e->module);
	version = LLVMValueAsMetadata(int32_const(e, LLVMDebugMetadataVersion()));
	LLVMAddModuleFlag(e->module, LLVMModuleFlagBehaviorWarning, "Debug Info Version", 18, version);
	b->unit = LLVMDIBuilderCreateCompileUnit(b->di, LLVMDWARFSourceLanguageC11, file_of(e, e->program->source),
						 "waketrace", 9, true, "", 0, 0, "", 0, (LLVMDWARFEmissionKind)3, 0,
						 false, false, "", 0, "", 0);
	b->u8 = basic(b, "u8", 1, DW_ATE_UNSIGNED);
	b->s32 = basic(b, "int", 4, DW_ATE_SIGNED);
	b->u32 = basic(b, "u32", 4, DW_ATE_UNSIGNED);
	b->u64 = basic(b, "u64", 8, DW_ATE_UNSIGNED);
	b->voidptr = pointer_to(b, NULL);
}

/* ---- maps and variables ---- */

LLVMTypeRef map_def_type(struct emit *e)
{
	return LLVMArrayType2(e->ptr, 5);
}

/* A number N in a map definition is the type `int (*)[N]`. */
static LLVMMetadataRef number_member(struct btf_maker *b, LLVMMetadataRef file, const char *name, uint32_t n,
				     unsigned at)
{
	LLVMMetadataRef type = pointer_to(b, array_of(b, b->s32, 4ull * n, n));

	return LLVMDIBuilderCreateMemberType(b->di, file, name, strlen(name), file, 0, 64, 64, at * 64ull,
					     LLVMDIFlagZero, type);
}

static void describe(struct emit *e, LLVMValueRef global, const char *name, LLVMMetadataRef type)
{
	struct btf_maker *b = e->btf;
	LLVMMetadataRef file = b->files.at[0];
	LLVMMetadataRef expr = LLVMDIBuilderCreateExpression(b->di, NULL, 0);
	LLVMMetadataRef var = LLVMDIBuilderCreateGlobalVariableExpression(b->di, b->unit, name, strlen(name), "", 0,
									  file, 0, type, false, expr, NULL, 0);

	LLVMGlobalSetMetadata(global, 0 /* dbg */, var);
}

void map_def(struct emit *e, LLVMValueRef global, const char *name, uint32_t bpf_type, uint32_t key_size,
	     uint32_t value_size, uint32_t max_entries, uint32_t flags)
{
	struct btf_maker *b = e->btf;
	LLVMMetadataRef file = b->files.at[0], members[5], type;
	unsigned n = 0;

	members[n] = number_member(b, file, "type", bpf_type, n);
	n++;
	members[n] = number_member(b, file, "max_entries", max_entries, n);
	n++;
	if (key_size) { /* a ring buffer has none */
		members[n] = number_member(b, file, "key_size", key_size, n);
		n++;
		members[n] = number_member(b, file, "value_size", value_size, n);
		n++;
	}
	if (flags) {
		members[n] = number_member(b, file, "map_flags", flags, n);
		n++;
	}
	type = LLVMDIBuilderCreateStructType(b->di, file, "", 0, file, 0, n * 64ull, 64, LLVMDIFlagZero, NULL, members, n,
					     0, NULL, "", 0);
	describe(e, global, name, type);
	LLVMSetInitializer(global, LLVMConstNull(map_def_type(e)));
	LLVMSetSection(global, ".maps");
	LLVMSetAlignment(global, 8);
}

void btf_variable(struct emit *e, LLVMValueRef global, const char *name, uint32_t size)
{
	describe(e, global, name, size == 4 ? e->btf->u32 : e->btf->u64);
}

void btf_array_variable(struct emit *e, LLVMValueRef global, const char *name, uint32_t size)
{
	describe(e, global, name, array_of(e->btf, e->btf->u8, size, size));
}

/* ---- functions and places ---- */

LLVMMetadataRef btf_subprogram(struct emit *e, LLVMValueRef function, const char *name, struct span span,
			       const char *const *params, bool global)
{
	struct btf_maker *b = e->btf;
	const struct source *source = span.source ? span.source : e->program->source;
	LLVMMetadataRef file = file_of(e, source), types[8], type, scope, t;
	unsigned line = span.source ? (unsigned)source_place(source, span.begin).line : 1;
	unsigned n = LLVMCountParams(function), i;

	types[0] = b->u64;
	for (i = 0; i < n; i++)
		types[i + 1] = LLVMTypeOf(LLVMGetParam(function, i)) == e->ptr ? b->voidptr : b->u64;
	type = LLVMDIBuilderCreateSubroutineType(b->di, file, types, n + 1, LLVMDIFlagZero);
	scope = LLVMDIBuilderCreateFunction(b->di, file, name, strlen(name), "", 0, file, line, type, !global, true, line,
					    LLVMDIFlagPrototyped, true);
	/* The kernel wants named parameters of a named function. */
	for (i = 0; i < n; i++) {
		t = types[i + 1];
		LLVMDIBuilderCreateParameterVariable(b->di, scope, params[i], strlen(params[i]), i + 1, file, line, t,
						     true, LLVMDIFlagZero);
	}
	LLVMSetSubprogram(function, scope);
	return scope;
}

/* The loader compares kinds of types with the kernel's, not names. */
void btf_kernel_function(struct emit *e, LLVMValueRef function, const char *name)
{
	struct btf_maker *b = e->btf;
	LLVMTypeRef type = LLVMGlobalGetValueType(function), result = LLVMGetReturnType(type), param;
	LLVMMetadataRef file = b->files.at[0], types[2], task;

	LLVMGetParamTypes(type, &param);
	task = pointer_to(b, LLVMDIBuilderCreateStructType(b->di, file, "task_struct", 11, file, 0, 64, 64, LLVMDIFlagZero, NULL, NULL, 0, 0,
							   NULL, "", 0));
	types[0] = result == e->void_ ? NULL : task;
	types[1] = param == e->ptr ? task : b->s32;
	LLVMSetSubprogram(function, LLVMDIBuilderCreateFunction(
					    b->di, file, name, strlen(name), "", 0, file, 0,
					    LLVMDIBuilderCreateSubroutineType(b->di, file, types, 2, LLVMDIFlagZero), false, false, 0,
					    LLVMDIFlagPrototyped, true));
}

void emit_place(struct emit *e, struct span span)
{
	LLVMMetadataRef scope = e->frame->scope, file;
	struct place at;

	while (span.from && span.from->call.source)
		span = span.from->call; /* a macro's lines are those of its caller */
	if (!span.source)
		return;
	e->span = span;
	at = source_place(span.source, span.begin);
	if (span.source != e->program->source) {
		file = file_of(e, span.source);
		scope = LLVMDIBuilderCreateLexicalBlockFile(e->btf->di, scope, file, 0);
	}
	if (at.column > COLUMN_MAX) /* BTF has ten bits for it, and LLVM does not look */
		at.column = COLUMN_MAX;
	LLVMSetCurrentDebugLocation2(e->builder, LLVMDIBuilderCreateDebugLocation(e->context, (unsigned)at.line,
										  (unsigned)at.column, scope, NULL));
}

/* ---- CO-RE ---- */

static LLVMMetadataRef core_type(struct emit *e, const struct type *t)
{
	struct btf_maker *b = e->btf;
	LLVMMetadataRef file = b->files.at[0];
	struct str name;

	/* Only the kind of a field's type is compared when a relocation is resolved. */
	switch (t->kind) {
	case TYPE_PTR:
		return b->voidptr;
	case TYPE_BOOL:
		return basic(b, "bool", 1, DW_ATE_BOOLEAN);
	case TYPE_ENUM:
		name = t->enum_->name;
		return LLVMDIBuilderCreateEnumerationType(b->di, file, name.s ? name.s : "", name.n, file, 0, t->size * 8ull,
							  t->size * 8, NULL, 0, b->s32);
	case TYPE_ARRAY:
		return array_of(b, core_type(e, t->elem), t->size, t->count);
	case TYPE_STRING:
	case TYPE_BUFFER:
		return array_of(b, basic(b, "char", 1, DW_ATE_SIGNED), t->size, t->size);
	case TYPE_STRUCT:
		name = t->decl->name;
		return t->decl->is_union ? LLVMDIBuilderCreateUnionType(b->di, file, name.s ? name.s : "", name.n, file, 0,
									t->size * 8ull, 8, LLVMDIFlagZero, NULL, 0, 0, "", 0)
					 : LLVMDIBuilderCreateStructType(b->di, file, name.s ? name.s : "", name.n, file, 0,
									 t->size * 8ull, 8, LLVMDIFlagZero, NULL, NULL, 0, 0,
									 NULL, "", 0);
	default:
		return t->size == 8 ? b->u64 : t->size == 4 ? b->u32 : t->size == 1 ? b->u8 : basic(b, "u16", 2, DW_ATE_UNSIGNED);
	}
}

static LLVMMetadataRef member_of(struct emit *e, const struct field *f)
{
	struct btf_maker *b = e->btf;
	LLVMMetadataRef type = core_type(e, f->type);
	uint64_t bits = f->type->size * 8ull;

	if (f->bit_size)
		return LLVMDIBuilderCreateBitFieldMemberType(b->di, b->unit, f->name.s, f->name.n, b->files.at[0], 0,
							     f->bit_size, f->bit_offset,
							     f->bit_offset - f->bit_offset % (f->type->size * 8),
							     LLVMDIFlagBitField, type);
	return LLVMDIBuilderCreateMemberType(b->di, b->unit, f->name.s, f->name.n, b->files.at[0], 0, bits,
					     f->type->align * 8, f->offset * 8ull, LLVMDIFlagZero, type);
}

static struct core_struct *core_struct(struct emit *e, const struct struct_decl *d, const struct field *f)
{
	struct btf_maker *b = e->btf;
	struct str name = d->core_name.n ? d->core_name : d->name;
	struct str key = str_printf(e->arena, "%d %.*s.%.*s", d->is_union, STR_ARG(name), STR_ARG(f ? f->name : STR("")));
	struct core_struct *c = table_get(&b->by_name, key);
	LLVMMetadataRef member, file = b->files.at[0];
	uint64_t bits = f ? (f->offset + (uint64_t)f->type->size) * 8 : 8;
	unsigned n = f ? 1 : 0;

	if (c)
		return c;
	/* LLVM keeps one relocation for all of the same struct name, kind, value and index: a name for each field, of which the kernel
	 * is shown what stands before the last three underscores. */
	if (f && name.n && !str_ends(name, STR("_")))
		name = str_printf(e->arena, "%.*s___%d", STR_ARG(name), core_serial++);
	c = NEW(e->arena, struct core_struct);
	c->type = LLVMStructCreateNamed(e->context, str_c(e->arena, name));
	LLVMStructSetBody(c->type, &e->i64, 1, false);
	if (f)
		member = member_of(e, f);
	if (d->is_union)
		c->info = LLVMDIBuilderCreateUnionType(b->di, b->unit, name.s, name.n, file, 0, bits, 8, LLVMDIFlagZero,
						       &member, n, 0, "", 0);
	else
		c->info = LLVMDIBuilderCreateStructType(b->di, b->unit, name.s, name.n, file, 0, bits, 8, LLVMDIFlagZero,
							NULL, &member, n, 0, NULL, "", 0);
	table_put(&b->by_name, key, c);
	return c;
}

static LLVMValueRef intrinsic_call(struct emit *e, const char *name, LLVMTypeRef *types, unsigned ntypes,
				   LLVMValueRef *args, unsigned nargs)
{
	LLVMValueRef f = LLVMGetIntrinsicDeclaration(e->module, LLVMLookupIntrinsicID(name, strlen(name)), types, ntypes);

	return LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(f), f, args, nargs, "");
}

static void set_core_info(struct emit *e, LLVMValueRef call, const struct core_struct *c)
{
	unsigned kind = LLVMGetMDKindIDInContext(e->context, "llvm.preserve.access.index", 26);

	LLVMSetMetadata(call, kind, LLVMMetadataAsValue(e->context, c->info));
}

LLVMValueRef core_field(struct emit *e, LLVMValueRef base, const struct type *of, const struct field *f)
{
	struct core_struct *c = core_struct(e, of->decl, f);
	LLVMTypeRef types[] = {e->ptr, e->ptr};
	LLVMValueRef zero = int32_const(e, 0), call, args[] = {base, zero, zero};
	LLVMAttributeRef element;

	if (of->decl->is_union) {
		call = intrinsic_call(e, "llvm.preserve.union.access.index", types, 2, args, 2);
	} else {
		call = intrinsic_call(e, "llvm.preserve.struct.access.index", types, 2, args, 3);
		element = LLVMCreateTypeAttribute(e->context, LLVMGetEnumAttributeKindForName("elementtype", 11), c->type);
		LLVMAddCallSiteAttribute(call, 1, element);
	}
	set_core_info(e, call, c);
	return call;
}

LLVMValueRef core_field_info(struct emit *e, LLVMValueRef base, const struct type *of, const struct field *f, int info)
{
	LLVMValueRef args[] = {core_field(e, base, of, f), int_const(e, (uint64_t)info)};

	return LLVMBuildZExt(e->builder, intrinsic_call(e, "llvm.bpf.preserve.field.info", &e->ptr, 1, args, 2), e->i64, "");
}

LLVMValueRef core_type_size(struct emit *e, const struct type *t)
{
	LLVMValueRef args[] = {int32_const(e, (uint32_t)core_serial++), int_const(e, 1 /* the size */)}, call;

	call = intrinsic_call(e, "llvm.bpf.preserve.type.info", NULL, 0, args, 2);
	set_core_info(e, call, core_struct(e, t->decl, NULL));
	return LLVMBuildZExt(e->builder, call, e->i64, "");
}

void debug_close(struct emit *e)
{
	LLVMDIBuilderFinalize(e->btf->di);
	LLVMDisposeDIBuilder(e->btf->di);
}
