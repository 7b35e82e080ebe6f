/* Script maps: their BPF maps, keys, reading, assignment and ++.  Aggregations are updated by emit_agg.c at the address found here. */
#include "codegen/emit_frame.h"
#include "codegen/emit_event.h"
#include "codegen/layout.h"

enum { BPF_HASH = 1, BPF_PERCPU_HASH = 5, BPF_LRU_HASH = 9, BPF_LRU_PERCPU_HASH = 10 };
enum { UPDATE_ANY = 0, UPDATE_NOEXIST = 1 };
enum { VALUE_LIMIT = 32 << 10 }; /* bytes of a per-CPU value */

/* One script map in the object. */
struct map_global {
	LLVMValueRef global;
	LLVMValueRef twin, turn; /* of a map that is drained (manifest.h), else NULL */
	struct map_layout layout;
};

static bool has_feature(const struct emit *e, enum kernel_feature f)
{
	struct kernel *k = e->program->kernel;

	return k && k->has && k->has(k, f);
}

LLVMValueRef map_declare(struct emit *e, const char *name, uint32_t bpf_type, uint32_t key_size, uint32_t value_size,
			 uint32_t max_entries, uint32_t flags)
{
	LLVMValueRef g = LLVMAddGlobal(e->module, map_def_type(e), name);

	map_def(e, g, name, bpf_type, key_size, value_size, max_entries, flags);
	return g;
}

/* A C identifier of at most 15 bytes that reads like the map's name. */
static struct str elf_name(struct emit *e, const struct map *map)
{
	char text[64];
	size_t i, n = map->name.n < 15 ? map->name.n : 15;

	for (i = 0; i < n; i++)
		text[i] = map->name.s[i];
	text[n] = 0;
	return str_sub(str_printf(e->arena, "m%d%s%s", map->id, n ? "_" : "", text), 0, 15);
}

static void map_define(struct emit *e, const struct map *map)
{
	bool big_keys = map->key && map->key->size > LAYOUT_KEY_LIMIT && has_feature(e, KERNEL_BIG_KEYS);
	struct map_layout l = layout_map(e->types, map, big_keys);
	struct map_global *g = &e->map_globals[map->id];
	uint32_t type = l.percpu ? l.lru ? BPF_LRU_PERCPU_HASH : BPF_PERCPU_HASH : l.lru ? BPF_LRU_HASH : BPF_HASH;
	struct manifest_map m = {
		.name = str_printf(e->arena, "@%.*s", STR_ARG(map->name)),
		.elf_name = elf_name(e, map),
		.key = map->key ? manifest_shape(e->arena, e->manifest, e->types, l.key) : -1,
		.value = manifest_shape(e->arena, e->manifest, e->types, l.value),
		.value_size = l.value_size,
		.percpu = l.percpu,
		.lru = l.lru,
		.max_entries = l.max_entries,
		.span = manifest_span(e->arena, e->manifest, map->first_use),
	};

	if (l.key_too_long)
		diag_add(e->diag, map->first_use, DIAG_KEY_TOO_LONG, STR_ARG(map->name), l.key_size, LAYOUT_KEY_LIMIT);
	if (l.percpu && l.value_size > VALUE_LIMIT)
		diag_add(e->diag, map->first_use, DIAG_VALUE_TOO_LONG, STR_ARG(map->name), l.value_size, VALUE_LIMIT);
	if (l.key_is_big)
		e->manifest->needs |= 1u << KERNEL_BIG_KEYS;
	g->layout = l;
	g->global = map_declare(e, str_c(e->arena, m.elf_name), type, l.key_size, l.value_size, l.max_entries, 0);
	if (event_drains(e, map)) {
		m.elf_twin = str_printf(e->arena, "twin_%d", map->id);
		m.elf_turn = str_printf(e->arena, "wt_turn_%d", map->id);
		g->twin = map_declare(e, str_c(e->arena, m.elf_twin), type, l.key_size, l.value_size, l.max_entries, 0);
		g->turn = bss_word(e, str_c(e->arena, m.elf_turn));
	}
	VEC_PUSH(e->arena, &e->manifest->maps, m);
}

void maps_define(struct emit *e)
{
	e->map_globals = NEW_ARRAY(e->arena, struct map_global, e->program->maps.n + 1);
	VEC_EACH(m, &e->program->maps)
		map_define(e, *m);
}

LLVMValueRef map_global(struct emit *e, const struct map *map)
{
	const struct map_global *g = &e->map_globals[map->id];
	LLVMValueRef turn;

	if (!g->twin)
		return g->global;
	turn = load_int(e, g->turn, e->i32);
	LLVMSetVolatile(turn, true);
	turn = LLVMBuildTrunc(e->builder, turn, e->i1, "turn");
	return LLVMBuildSelect(e->builder, turn, g->twin, g->global, "");
}

const struct type *map_key_type(struct emit *e, const struct map *map)
{
	return e->map_globals[map->id].layout.key;
}

/* ---- keys and addresses ---- */

LLVMValueRef emit_map_key(struct emit *e, const struct map *map, const struct expr *key)
{
	const struct map_layout *l = &e->map_globals[map->id].layout;
	LLVMValueRef at = memory_temp(e, l->key_size, "key"), whole;

	if (!key) {
		store_int(e, at, int_const(e, 0));
	} else if (l->key_shrunk) {
		whole = memory_temp(e, key->type->size, "long_key");
		emit_to(e, key, whole);
		text_cut_copy(e, key->type, whole, l->key, at, site_new(e, SITE_KEY_CUT, key->span, map->id, NULL));
	} else {
		emit_to(e, key, at);
	}
	return at;
}

LLVMValueRef map_lookup(struct emit *e, const struct map *map, LLVMValueRef key)
{
	return HELPER(e, map_lookup_elem, map_global(e, map), key);
}

static int update_site(struct emit *e, const struct map *map, struct span span)
{
	return site_new(e, SITE_MAP_UPDATE, span, map->id, "map_update_elem");
}

LLVMValueRef map_lookup_or_insert(struct emit *e, const struct map *map, LLVMValueRef key, struct span span,
				  LLVMBasicBlockRef failed)
{
	LLVMBasicBlockRef absent = block_new(e, "absent"), found = block_new(e, "found"), full = block_new(e, "full"),
			  from_first, from_again;
	LLVMValueRef bpf_map = map_global(e, map), first, again, code, phi;

	/* The same map all through: it may be turned to its twin in between. */
	first = HELPER(e, map_lookup_elem, bpf_map, key);
	from_first = LLVMGetInsertBlock(e->builder);
	branch(e, is_null(e, first), absent, found);

	block_start(e, absent);
	/* Somebody else may be first: then the value is there all the same. */
	code = HELPER(e, map_update_elem, bpf_map, key, zeros(e, e->map_globals[map->id].layout.value_size),
		      int_const(e, UPDATE_NOEXIST));
	again = HELPER(e, map_lookup_elem, bpf_map, key);
	from_again = LLVMGetInsertBlock(e->builder);
	branch(e, is_null(e, again), full, found);

	block_start(e, full);
	site_hit(e, update_site(e, map, span), code);
	jump(e, failed);

	block_start(e, found);
	phi = LLVMBuildPhi(e->builder, e->ptr, "value");
	LLVMAddIncoming(phi, (LLVMValueRef[]){first, again}, (LLVMBasicBlockRef[]){from_first, from_again}, 2);
	return phi;
}

/* ---- reading ---- */

static void count_absent(struct emit *e, const struct expr *x)
{
	site_hit(e, site_new(e, SITE_LOOKUP, x->span, x->map.map->id, "map_lookup_elem"), NULL);
}

static struct value read_register(struct emit *e, const struct expr *x, LLVMValueRef at)
{
	LLVMTypeRef type = emit_register_type(e, x->type);
	LLVMBasicBlockRef found = block_new(e, "found"), absent = block_new(e, "absent"), after = block_new(e, "");
	LLVMValueRef v;

	branch(e, is_null(e, at), absent, found);
	block_start(e, found);
	v = load_int(e, at, type);
	jump(e, after);
	block_start(e, absent);
	count_absent(e, x);
	absent = LLVMGetInsertBlock(e->builder);
	jump(e, after);
	block_start(e, after);
	return value_register(x->type, join(e, v, found, LLVMConstNull(type), absent));
}

/* The copy is made at once: the element may be gone, and its memory another's, a moment later. */
static struct value read_memory(struct emit *e, const struct expr *x, LLVMValueRef at, LLVMValueRef dest)
{
	LLVMBasicBlockRef found = block_new(e, "found"), absent = block_new(e, "absent"), after = block_new(e, "");

	if (!dest)
		dest = memory_temp(e, x->type->size, "value");
	branch(e, is_null(e, at), absent, found);
	block_start(e, found);
	memory_copy(e, dest, at, x->type->size, x->type->align);
	jump(e, after);
	block_start(e, absent);
	memory_zero(e, dest, x->type->size, x->type->align);
	count_absent(e, x);
	jump(e, after);
	block_start(e, after);
	return value_at(x->type, dest, PLACE_BPF);
}

struct value map_read_into(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	const struct map *map = x->map.map;
	LLVMValueRef at;

	if (type_is_aggregate(x->type)) {
		if (!dest)
			dest = memory_temp(e, x->type->size, "merged");
		aggregate_merge(e, x, dest);
		return value_at(x->type, dest, PLACE_BPF);
	}
	at = map_lookup(e, map, emit_map_key(e, map, x->map.key));
	return type_is_register(x->type) ? read_register(e, x, at) : read_memory(e, x, at, dest);
}

struct value emit_map_read(struct emit *e, const struct expr *x)
{
	return map_read_into(e, x, NULL);
}

/* ---- writing ---- */

static void update(struct emit *e, const struct map *map, LLVMValueRef key, LLVMValueRef value, struct span span)
{
	LLVMValueRef code = HELPER(e, map_update_elem, map_global(e, map), key, value, int_const(e, UPDATE_ANY));

	site_hit_if(e, LLVMBuildICmp(e->builder, LLVMIntNE, code, int_const(e, 0), ""), update_site(e, map, span), code);
}

static void assign_aggregate(struct emit *e, const struct stmt *s)
{
	const struct expr *target = s->assign.target, *call = s->assign.value;
	const struct map *map = target->map.map;
	LLVMBasicBlockRef failed = block_new(e, "map_full");
	LLVMValueRef key = emit_map_key(e, map, target->map.key);
	LLVMValueRef at = map_lookup_or_insert(e, map, key, target->span, failed);

	e->aggregate_map = map;
	emit_call(e, call, at);
	e->aggregate_map = NULL;
	jump(e, failed);
	block_start(e, failed);
}

static LLVMValueRef add_atomic(struct emit *e, LLVMValueRef at, LLVMValueRef v)
{
	/* An atomic add of a known 0 would become an atomic or, which 5.10 does not know (emit_agg.c). */
	if (!LLVMIsAConstantInt(v) || !LLVMConstIntGetZExtValue(v))
		v = opaque(e, v);
	return LLVMBuildAtomicRMW(e->builder, LLVMAtomicRMWBinOpAdd, at, v, LLVMAtomicOrderingMonotonic, false);
}

static bool can_add(const struct type *t)
{
	return t->kind == TYPE_INT && t->size >= 4;
}

/* @m[k] += v, without a moment in which another CPU's addition could be lost. */
static void assign_add(struct emit *e, const struct stmt *s)
{
	const struct expr *target = s->assign.target;
	const struct map *map = target->map.map;
	LLVMBasicBlockRef failed = block_new(e, "map_full");
	LLVMValueRef v = convert_int(e, emit_int(e, s->assign.value), s->assign.value->type, target->type), at;

	if (s->assign.op == BINARY_SUB)
		v = LLVMBuildNeg(e->builder, v, "");
	at = map_lookup_or_insert(e, map, emit_map_key(e, map, target->map.key), target->span, failed);
	add_atomic(e, at, v);
	jump(e, failed);
	block_start(e, failed);
}

/* @m[k] op= v */
static void assign_compound(struct emit *e, const struct stmt *s)
{
	const struct expr *target = s->assign.target, *value = s->assign.value;
	const struct map *map = target->map.map;
	LLVMValueRef key, old, v, at;
	LLVMBasicBlockRef failed;

	if (can_add(target->type) && (s->assign.op == BINARY_ADD || s->assign.op == BINARY_SUB)) {
		assign_add(e, s);
		return;
	}
	v = emit_int(e, value);
	failed = block_new(e, "map_full");
	key = emit_map_key(e, map, target->map.key);
	at = map_lookup_or_insert(e, map, key, target->span, failed);
	old = load_int(e, at, emit_register_type(e, target->type));
	v = compound_value(e, s, value_register(target->type, old), v);
	store_int(e, at, v);
	jump(e, failed);
	block_start(e, failed);
}

void emit_map_assign(struct emit *e, const struct stmt *s)
{
	const struct expr *target = s->assign.target;
	const struct map *map = target->map.map;
	LLVMValueRef key, value;

	if (type_is_aggregate(map->value)) {
		assign_aggregate(e, s);
		return;
	}
	if (s->assign.compound) {
		assign_compound(e, s);
		return;
	}
	/* The value comes first, as in bpftrace: what it changes, the key sees. */
	value = memory_temp(e, target->type->size, "value");
	emit_to(e, s->assign.value, value);
	key = emit_map_key(e, map, target->map.key);
	update(e, map, key, value, target->span);
}

/* ++ and --: an atomic addition everywhere.  Where the value is used, one that returns it; a kernel without it (5.10) adds and
 * then loads, so that the count is exact and only the value seen may be a neighbour's. */
LLVMValueRef map_incdec(struct emit *e, const struct expr *x)
{
	const struct expr *target = x->incdec.target;
	const struct map *map = target->map.map;
	LLVMTypeRef type = emit_register_type(e, target->type);
	LLVMValueRef one = LLVMConstInt(type, 1, false), at, old, phi;
	LLVMBasicBlockRef failed = block_new(e, "map_full"), after = block_new(e, ""), from;

	if (target->type->kind == TYPE_PTR)
		one = element_size(e, target->type->elem);
	if (!x->incdec.increment)
		one = LLVMBuildNeg(e->builder, one, "");
	at = map_lookup_or_insert(e, map, emit_map_key(e, map, target->map.key), target->span, failed);
	if (!can_add(target->type)) {
		old = load_int(e, at, type);
		store_int(e, at, LLVMBuildAdd(e->builder, old, one, ""));
	} else if (!x->incdec.value_used) {
		old = LLVMConstNull(type);
		add_atomic(e, at, one);
	} else if (feature_now(e, KERNEL_ATOMIC_FETCH)) {
		old = add_atomic(e, at, one);
	} else {
		add_atomic(e, at, one);
		old = load_int(e, at, type);
		LLVMSetVolatile(old, true);
		old = LLVMBuildSub(e->builder, old, one, "");
	}
	from = LLVMGetInsertBlock(e->builder);
	jump(e, after);
	block_start(e, failed);
	jump(e, after);
	block_start(e, after);
	phi = join(e, old, from, LLVMConstNull(type), failed);
	return x->incdec.prefix ? LLVMBuildAdd(e->builder, phi, one, "") : phi;
}

/* ---- builtins ---- */

struct value lower_delete(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *x = call->call.args.at[0];
	LLVMValueRef code;

	(void)dest;
	code = HELPER(e, map_delete_elem, map_global(e, x->map.map), emit_map_key(e, x->map.map, x->map.key));
	code = LLVMBuildICmp(e->builder, LLVMIntEQ, code, int_const(e, 0), "");
	return value_register(call->type, LLVMBuildZExt(e->builder, code, emit_register_type(e, call->type), "deleted"));
}

/* find(@m, k, $v): args are the map with its key, and the variable. */
struct value lower_find(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *x = call->call.args.at[0];
	const struct var *var = call->call.args.at[1]->var.var;
	LLVMBasicBlockRef found = block_new(e, "found"), absent = block_new(e, "absent"), after = block_new(e, "");
	LLVMValueRef at, to = var_address(e, var);
	struct value v;

	(void)dest;
	at = map_lookup(e, x->map.map, emit_map_key(e, x->map.map, x->map.key));
	branch(e, is_null(e, at), absent, found);
	block_start(e, found);
	if (type_is_aggregate(x->type))
		v = value_register(x->type->kind == TYPE_COUNT || !x->type->is_signed ? e->types->u64 : e->types->s64,
				   aggregate_read(e, x));
	else
		v = value_at(x->type, at, PLACE_BPF);
	value_store(e, value_cast(e, v, var->type, NULL), to);
	found = LLVMGetInsertBlock(e->builder);
	jump(e, after);
	block_start(e, absent);
	if (call->call.number) /* declared here */
		var_clear(e, var);
	absent = LLVMGetInsertBlock(e->builder);
	jump(e, after);
	block_start(e, after);
	return value_register(call->type, join(e, LLVMConstInt(e->i8, 1, false), found, LLVMConstInt(e->i8, 0, false), absent));
}

struct value lower_has_key(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *x = call->call.args.at[0];
	LLVMValueRef at = map_lookup(e, x->map.map, emit_map_key(e, x->map.map, x->map.key)), there;

	(void)dest;
	there = LLVMBuildIsNotNull(e->builder, at, "");
	return value_register(call->type, LLVMBuildZExt(e->builder, there, emit_register_type(e, call->type), "has_key"));
}
