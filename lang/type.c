/* The table of types.  Every type is found by its identity, a run of bytes made of all that tells
 * it from others, so that equal types are the same pointer and comparing types is comparing
 * pointers. */
#include "lang/type.h"

#include "lang/support/bug.h"

/* The part of a type's identity that has a fixed size.  Composite types are named by the ids of
 * their parts. */
struct identity {
	uint64_t decl; /* address of the struct or enum declaration */
	int64_t params[4];
	uint32_t kind, size, count, limit;
	int32_t elem, as, mode, clock, nfields, is_signed;
};

static void put(struct strbuf *b, const void *bytes, size_t n)
{
	strbuf_add(b, (struct str){bytes, n});
}

/* All that distinguishes `t`.  `fixed` is storage for the common case without text and fields. */
static struct str identity_of(struct types *types, const struct type *t, struct identity *fixed)
{
	struct strbuf b = {.arena = types->arena};
	int i;

	memset(fixed, 0, sizeof(*fixed)); /* padding is part of the bytes */
	fixed->kind = t->kind;
	fixed->size = t->size;
	fixed->count = t->count;
	fixed->limit = t->limit;
	fixed->elem = t->elem ? t->elem->id : -1;
	fixed->as = t->as;
	fixed->mode = t->mode;
	fixed->clock = t->clock;
	fixed->nfields = t->nfields;
	fixed->is_signed = t->is_signed;
	fixed->decl = t->decl ? (uintptr_t)t->decl : (uintptr_t)t->enum_;
	memcpy(fixed->params, t->params, sizeof(fixed->params));
	if (!t->text.n && !t->nfields)
		return (struct str){(const char *)fixed, sizeof(*fixed)};
	put(&b, fixed, sizeof(*fixed));
	for (i = 0; i < t->nfields; i++) {
		put(&b, &t->fields[i].type->id, sizeof(int));
		put(&b, &t->fields[i].name.n, sizeof(size_t));
		strbuf_add(&b, t->fields[i].name);
	}
	strbuf_add(&b, t->text);
	return strbuf_str(&b);
}

static const struct type *intern(struct types *types, const struct type *wanted)
{
	struct identity fixed;
	struct str identity = identity_of(types, wanted, &fixed);
	struct type *t = table_get(&types->interned, identity);

	if (t)
		return t;
	t = NEW(types->arena, struct type);
	*t = *wanted;
	t->id = types->all.n;
	VEC_PUSH(types->arena, &types->all, t);
	table_put(&types->interned, identity, t);
	return t;
}

static const struct type *intern_plain(struct types *types, enum type_kind kind, uint32_t size,
				       uint32_t align)
{
	return intern(types, &(struct type){.kind = kind, .size = size, .align = align});
}

struct types *types_new(struct arena *a)
{
	struct types *t = NEW(a, struct types);

	t->arena = a;
	t->interned.arena = a;
	t->error = intern_plain(t, TYPE_ERROR, 0, 1);
	t->none = intern_plain(t, TYPE_NONE, 0, 1);
	t->boolean = intern_plain(t, TYPE_BOOL, 1, 1);
	t->s8 = type_int(t, 1, true);
	t->s16 = type_int(t, 2, true);
	t->s32 = type_int(t, 4, true);
	t->s64 = type_int(t, 8, true);
	t->u8 = type_int(t, 1, false);
	t->u16 = type_int(t, 2, false);
	t->u32 = type_int(t, 4, false);
	t->u64 = type_int(t, 8, false);
	t->voidptr = type_ptr(t, t->none, AS_NONE);
	return t;
}

const struct type *type_int(struct types *t, uint32_t size, bool is_signed)
{
	return intern(
		t, &(struct type){
			   .kind = TYPE_INT, .size = size, .align = size, .is_signed = is_signed});
}

const struct type *type_int_as(struct types *t, const struct type *int_type, enum addr_space as)
{
	struct type wanted = *int_type;

	wanted.as = as;
	return intern(t, &wanted);
}

const struct type *type_ptr(struct types *t, const struct type *to, enum addr_space as)
{
	return intern(
		t, &(struct type){.kind = TYPE_PTR, .size = 8, .align = 8, .elem = to, .as = as});
}

const struct type *type_array(struct types *t, const struct type *elem, uint32_t count)
{
	return intern(t, &(struct type){.kind = TYPE_ARRAY,
					.size = elem->size * count,
					.align = elem->align,
					.elem = elem,
					.count = count});
}

/* The declaration does not tell the alignment; the largest power of two that divides the size is
 * never too small. */
static uint32_t align_of_size(uint32_t size)
{
	uint32_t align = size & -size;

	return align == 0 ? 1 : align > 8 ? 8 : align;
}

const struct type *type_struct(struct types *t, struct struct_decl *decl)
{
	return intern(t, &(struct type){.kind = TYPE_STRUCT,
					.size = decl->size,
					.align = align_of_size(decl->size),
					.decl = decl});
}

const struct type *type_enum(struct types *t, const struct enum_decl *decl, uint32_t size)
{
	return intern(t, &(struct type){.kind = TYPE_ENUM,
					.size = size,
					.align = size,
					.is_signed = decl->is_signed,
					.enum_ = decl});
}

const struct type *type_string(struct types *t, uint32_t capacity)
{
	return intern(t, &(struct type){.kind = TYPE_STRING, .size = capacity, .align = 1});
}

const struct type *type_buffer(struct types *t, uint32_t bytes)
{
	return intern(
		t,
		&(struct type){.kind = TYPE_BUFFER, .size = 4 + bytes, .align = 4, .count = bytes});
}

/* Tuples and records are laid out as C lays out a struct. */
static const struct type *composite(struct types *t, enum type_kind kind, const struct str *names,
				    const struct type *const *elems, int n)
{
	struct type wanted = {.kind = kind, .align = 1, .nfields = n};
	uint32_t end = 0;
	int i;

	wanted.fields = NEW_ARRAY(t->arena, struct field, n ? n : 1);
	for (i = 0; i < n; i++) {
		uint32_t align = elems[i]->align ? elems[i]->align : 1;

		end = (end + align - 1) & ~(align - 1);
		wanted.fields[i] = (struct field){.type = elems[i], .offset = end};
		if (names)
			wanted.fields[i].name = names[i];
		end += elems[i]->size;
		if (align > wanted.align)
			wanted.align = align;
	}
	wanted.size = (end + wanted.align - 1) & ~(wanted.align - 1);
	return intern(t, &wanted);
}

const struct type *type_tuple(struct types *t, const struct type *const *elems, int n)
{
	return composite(t, TYPE_TUPLE, NULL, elems, n);
}

const struct type *type_record(struct types *t, const struct str *names,
			       const struct type *const *elems, int n)
{
	return composite(t, TYPE_RECORD, names, elems, n);
}

const struct type *type_plain(struct types *t, enum type_kind kind)
{
	switch (kind) {
	case TYPE_INET:
		return intern_plain(t, kind, 24, 8);
	case TYPE_MAC:
		return intern_plain(t, kind, 6, 1);
	case TYPE_USYM:
		return intern_plain(t, kind, 16, 8);
	case TYPE_KSYM:
	case TYPE_USERNAME:
		return intern_plain(t, kind, 8, 8);
	case TYPE_COUNT:
		return type_aggregate(t, kind, false, NULL);
	default:
		BUG("type_plain of kind %d, which needs more than its kind", kind);
	}
}

const struct type *type_stack(struct types *t, enum type_kind kind, enum stack_mode mode,
			      uint32_t limit)
{
	return intern(t, &(struct type){.kind = kind,
					.size = kind == TYPE_KSTACK ? 16 : 24,
					.align = 8,
					.mode = mode,
					.limit = limit});
}

const struct type *type_timestamp(struct types *t, struct str format, int clock)
{
	return intern(t, &(struct type){.kind = TYPE_TIMESTAMP,
					.size = 8,
					.align = 8,
					.text = format,
					.clock = clock});
}

const struct type *type_cgroup_path(struct types *t, struct str filter)
{
	return intern(
		t, &(struct type){.kind = TYPE_CGROUP_PATH, .size = 8, .align = 8, .text = filter});
}

uint32_t hist_buckets(int k)
{
	return (1u << k) * (uint32_t)(64 - k) + 1;
}

uint32_t lhist_buckets(const int64_t params[4])
{
	uint64_t range = (uint64_t)params[1] - (uint64_t)params[0];
	uint64_t step = params[2] > 0 ? (uint64_t)params[2] : 1;

	return (uint32_t)(range / step + (range % step != 0)) + 2;
}

static uint32_t aggregate_size(enum type_kind kind, const int64_t params[4])
{
	switch (kind) {
	case TYPE_COUNT:
	case TYPE_SUM:
		return 8;
	case TYPE_MIN:
	case TYPE_MAX:
	case TYPE_AVG:
		return 16;
	case TYPE_STATS:
		return 24;
	case TYPE_HIST:
		return 8 * hist_buckets((int)params[0]);
	case TYPE_LHIST:
		return 8 * lhist_buckets(params);
	case TYPE_TSERIES:
		return 24 * (uint32_t)params[1];
	default:
		BUG("type kind %d is no aggregate", kind);
	}
}

const struct type *type_aggregate(struct types *t, enum type_kind kind, bool is_signed,
				  const int64_t params[4])
{
	struct type wanted = {.kind = kind, .align = 8, .is_signed = is_signed};

	if (params)
		memcpy(wanted.params, params, sizeof(wanted.params));
	wanted.size = aggregate_size(kind, wanted.params);
	return intern(t, &wanted);
}

bool type_is_integer(const struct type *t)
{
	return t->kind == TYPE_INT || t->kind == TYPE_BOOL || t->kind == TYPE_ENUM;
}

bool type_is_aggregate(const struct type *t)
{
	return t->kind >= TYPE_COUNT;
}

bool type_is_castable_aggregate(const struct type *t)
{
	return t->kind >= TYPE_COUNT && t->kind <= TYPE_AVG;
}

bool type_is_printable(const struct type *t)
{
	int i;

	switch (t->kind) {
	case TYPE_NONE:
	case TYPE_HIST:
	case TYPE_LHIST:
	case TYPE_TSERIES:
		return false;
	case TYPE_ARRAY:
		return type_is_printable(t->elem);
	case TYPE_TUPLE:
	case TYPE_RECORD:
		for (i = 0; i < t->nfields; i++) /* a member without a value prints as null */
			if (t->fields[i].type->kind != TYPE_NONE &&
			    !type_is_printable(t->fields[i].type))
				return false;
		return t->nfields > 0 || t->kind == TYPE_RECORD;
	case TYPE_ERROR:
	case TYPE_INT:
	case TYPE_BOOL:
	case TYPE_ENUM:
	case TYPE_PTR:
	case TYPE_STRUCT:
	case TYPE_STRING:
	case TYPE_BUFFER:
	case TYPE_INET:
	case TYPE_MAC:
	case TYPE_KSYM:
	case TYPE_USYM:
	case TYPE_KSTACK:
	case TYPE_USTACK:
	case TYPE_TIMESTAMP:
	case TYPE_CGROUP_PATH:
	case TYPE_USERNAME:
	case TYPE_COUNT:
	case TYPE_SUM:
	case TYPE_MIN:
	case TYPE_MAX:
	case TYPE_AVG:
	case TYPE_STATS:
		return true;
	}
	BUG("type kind %d", t->kind);
}

bool type_is_register(const struct type *t)
{
	switch (t->kind) {
	case TYPE_INT:
	case TYPE_BOOL:
	case TYPE_ENUM:
	case TYPE_PTR:
	case TYPE_KSYM:
	case TYPE_TIMESTAMP:
	case TYPE_CGROUP_PATH:
	case TYPE_USERNAME:
		return true;
	default:
		return false;
	}
}

int type_fields(struct types *types, const struct type *of, const struct field **fields)
{
	struct struct_decl *decl;

	switch (of->kind) {
	case TYPE_TUPLE:
	case TYPE_RECORD:
		*fields = of->fields;
		return of->nfields;
	case TYPE_STRUCT:
		decl = of->decl;
		if (!decl->loaded) {
			decl->loaded = true; /* first: a struct may lead back to itself while it is
						loaded */
			if (decl->load)
				decl->load(decl, types, decl->load_arg);
		}
		*fields = decl->fields.at;
		return decl->fields.n;
	default:
		*fields = NULL;
		return 0;
	}
}

const struct field *type_field(struct types *types, const struct type *of, struct str name)
{
	const struct field *fields;
	int n = type_fields(types, of, &fields), i;

	for (i = 0; i < n; i++)
		if (name.n && str_eq(fields[i].name, name))
			return &fields[i];
	return NULL;
}

/* ---- names ---- */

static const char *const stack_mode_names[] = {
	[STACK_BPFTRACE] = "bpftrace",
	[STACK_PERF] = "perf",
	[STACK_RAW] = "raw",
	[STACK_BUILD_ID] = "build_id",
};

static const char *const plain_names[] = {
	[TYPE_ERROR] = "unknown",
	[TYPE_NONE] = "none",
	[TYPE_BOOL] = "bool",
	[TYPE_INET] = "inet[24]",
	[TYPE_MAC] = "macaddr_t",
	[TYPE_KSYM] = "ksym_t",
	[TYPE_USYM] = "usym_t",
	[TYPE_TIMESTAMP] = "timestamp",
	[TYPE_CGROUP_PATH] = "cgroup_path_t",
	[TYPE_USERNAME] = "username_t",
	[TYPE_COUNT] = "count_t",
	[TYPE_SUM] = "sum_t",
	[TYPE_MIN] = "min_t",
	[TYPE_MAX] = "max_t",
	[TYPE_AVG] = "avg_t",
	[TYPE_STATS] = "stats_t",
	[TYPE_HIST] = "hist_t",
	[TYPE_LHIST] = "lhist_t",
	[TYPE_TSERIES] = "tseries_t",
};

static void add_name(struct strbuf *b, const struct type *t);

static void add_tagged(struct strbuf *b, const char *tag, struct str name)
{
	if (name.n)
		strbuf_printf(b, "%s %.*s", tag, STR_ARG(name));
	else
		strbuf_printf(b, "%s <anonymous>", tag);
}

/* Names are spelled as bpftrace spells them, since scripts see them: typeinfo(e).full_type. */
static void add_tuple(struct strbuf *b, const struct type *t)
{
	int i;

	strbuf_addc(b, '(');
	for (i = 0; i < t->nfields; i++) {
		if (i)
			strbuf_addc(b, ',');
		add_name(b, t->fields[i].type);
	}
	strbuf_addc(b, ')');
}

static void add_record(struct strbuf *b, const struct type *t)
{
	int i;

	strbuf_add(b, STR("record { "));
	for (i = 0; i < t->nfields; i++) {
		strbuf_printf(b, "%s.%.*s = ", i ? ", " : "", STR_ARG(t->fields[i].name));
		add_name(b, t->fields[i].type);
	}
	strbuf_add(b, STR(" }"));
}

static void add_pointer(struct strbuf *b, const struct type *t)
{
	if (t->elem->kind == TYPE_NONE)
		strbuf_add(b, STR("void"));
	else
		add_name(b, t->elem);
	strbuf_add(b, STR(" *"));
}

static void add_name(struct strbuf *b, const struct type *t)
{
	switch (t->kind) {
	case TYPE_INT:
		strbuf_printf(b, "%sint%u", t->is_signed ? "" : "u", t->size * 8);
		return;
	case TYPE_ENUM:
		add_tagged(b, "enum", t->enum_->name);
		return;
	case TYPE_PTR:
		add_pointer(b, t);
		return;
	case TYPE_ARRAY:
		add_name(b, t->elem);
		strbuf_printf(b, "[%u]", t->count);
		return;
	case TYPE_STRUCT:
		if (str_starts(t->decl->name, STR("args of "))) /* no struct of C, but what a probe sees */
			strbuf_add(b, t->decl->name);
		else
			add_tagged(b, t->decl->is_union ? "union" : "struct", t->decl->name);
		return;
	case TYPE_STRING:
		strbuf_printf(b, "string[%u]", t->size);
		return;
	case TYPE_BUFFER:
		strbuf_printf(b, "buffer[%u]", t->count);
		return;
	case TYPE_TUPLE:
		add_tuple(b, t);
		return;
	case TYPE_RECORD:
		add_record(b, t);
		return;
	case TYPE_KSTACK:
	case TYPE_USTACK:
		strbuf_printf(b, "%cstack_%s_%u", t->kind == TYPE_KSTACK ? 'k' : 'u',
			      stack_mode_names[t->mode], t->limit);
		return;
	case TYPE_SUM:
	case TYPE_MIN:
	case TYPE_MAX:
	case TYPE_AVG:
	case TYPE_STATS:
		strbuf_printf(b, "%s%s", t->is_signed ? "" : "u", plain_names[t->kind]);
		return;
	case TYPE_ERROR:
	case TYPE_NONE:
	case TYPE_BOOL:
	case TYPE_INET:
	case TYPE_MAC:
	case TYPE_KSYM:
	case TYPE_USYM:
	case TYPE_TIMESTAMP:
	case TYPE_CGROUP_PATH:
	case TYPE_USERNAME:
	case TYPE_COUNT:
	case TYPE_HIST:
	case TYPE_LHIST:
	case TYPE_TSERIES:
		strbuf_add(b, str_of(plain_names[t->kind]));
		return;
	}
}

struct str type_name(struct arena *a, const struct type *t)
{
	struct strbuf b = {.arena = a};

	add_name(&b, t);
	return strbuf_str(&b);
}
