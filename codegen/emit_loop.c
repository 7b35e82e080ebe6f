/* Loops.  `unroll` is emitted in place.  The body of a `for` or `while` becomes a function of its own that the kernel calls
 * (bpf_loop, bpf_for_each_map_elem); it gets the address of a struct on the program's stack, and shares variables through scratch
 * memory.  On kernels without bpf_loop `while` is emitted in place, and a range is walked there at most loop_limit times (the
 * verifier follows every turn).  Where that is too much for the verifier (emit->apart) the turns stay, at most APART_LIMIT of them, but
 * each calls a global function, which the verifier looks at once. */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

enum {
	CALLBACK_LIMIT = 1 << 23, /* turns that bpf_loop accepts */
	APART_LIMIT = 4096,	  /* turns of a loop in place whose body is a global function: some 15 instructions each for the verifier */
};

bool has_bpf_loop(const struct program *p)
{
	struct kernel *k = p->kernel;

	return k && k->has && k->has(k, KERNEL_BPF_LOOP);
}

bool loop_is_callback(struct emit *e, const struct stmt *s)
{
	return (s->kind == STMT_FOR && s->for_.map) || has_bpf_loop(e->program);
}

bool loop_is_apart(struct emit *e, const struct stmt *s)
{
	if (!e->apart || loop_is_callback(e, s))
		return false;
	VEC_EACH(stays, &e->staying)
		if (*stays == s)
			return false;
	return true;
}

void loop_stays(struct emit *e, const struct stmt *s)
{
	VEC_PUSH(e->arena, &e->staying, s);
}

/* ---- loops in place ---- */

static void loop_enter(struct emit *e, struct loop *l, const char *name)
{
	*l = (struct loop){.outer = e->frame->loop, .next = block_new(e, name), .end = block_new(e, "loop_end")};
	e->frame->loop = l;
}

void emit_unroll(struct emit *e, const struct stmt *s)
{
	struct loop l = {.outer = e->frame->loop, .end = block_new(e, "unrolled")};
	struct unit *u = e->frame->unit;
	uint32_t most = u->scratch_max;
	uint64_t i;

	e->frame->loop = &l;
	u->scratch_max = u->scratch_top;
	for (i = 0; i < s->loop.times; i++) {
		/* The first turn gave the body's variables their places: temporaries of later turns lie behind them. */
		if (i == 1)
			u->scratch_top = u->scratch_max;
		l.next = block_new(e, "turn");
		emit_block(e, s->loop.body);
		jump(e, l.next);
		block_start(e, l.next);
	}
	jump(e, l.end);
	block_start(e, l.end);
	e->frame->loop = l.outer;
	if (u->scratch_max < most)
		u->scratch_max = most;
}

static void after_jump(struct emit *e)
{
	block_start(e, block_new(e, "unreachable"));
}

void emit_break(struct emit *e)
{
	if (e->frame->loop) {
		jump(e, e->frame->loop->end);
	} else {
		store_int(e, e->frame->callback_result, int_const(e, 1));
		jump(e, e->frame->exit);
	}
	after_jump(e);
}

void emit_continue(struct emit *e)
{
	jump(e, e->frame->loop ? e->frame->loop->next : e->frame->exit);
	after_jump(e);
}

/* ---- callbacks ---- */

/* Begin the function that a loop's body becomes.  Its last parameter is the address of the shared struct. */
static LLVMValueRef callback_begin(struct emit *e, struct function_cursor *back, const struct stmt *s,
				   const LLVMTypeRef *params, int n, const char *const *names)
{
	struct frame *outer = e->frame;
	char *name = arena_printf(e->arena, "wt_loop_%d", e->nloops++);
	LLVMValueRef f = function_begin_at(e, back, name, e->i64, params, n, names, false, s->span, outer->unit);
	struct frame *frame = e->frame;

	frame->outer = outer;
	frame->in_callback = true;
	frame->shared = LLVMGetParam(f, (unsigned)n - 1);
	frame->callback_result = stack_alloc(e, e->i64, 8, "result");
	frame->exit = block_new(e, "exit");
	store_int(e, frame->callback_result, int_const(e, 0));
	/* LLVM drops it where the body needs none. */
	frame->scratch_slot = stack_alloc(e, e->ptr, 8, "scratch");
	LLVMBuildStore(e->builder, LLVMBuildLoad2(e->builder, e->ptr, shared_word(e, SHARED_SCRATCH), ""),
		       frame->scratch_slot);
	frame->unit->loop_depth++;
	return f;
}

static void callback_end(struct emit *e, struct function_cursor *back)
{
	struct frame *f = e->frame;

	jump(e, f->exit);
	block_start(e, f->exit);
	LLVMBuildRet(e->builder, load_int(e, f->callback_result, e->i64));
	f->unit->loop_depth--;
	function_end(e, back);
}

/* After the loop: a `return` in its body leaves the program. */
static void follow_leave(struct emit *e)
{
	LLVMBasicBlockRef left = block_new(e, "left"), after = block_new(e, "");
	LLVMValueRef flag = load_int(e, shared_word(e, SHARED_LEFT), e->i64);

	branch(e, LLVMBuildICmp(e->builder, LLVMIntNE, flag, int_const(e, 0), ""), left, after);
	block_start(e, left);
	if (e->frame->in_callback)
		store_int(e, e->frame->callback_result, int_const(e, 1));
	jump(e, e->frame->exit);
	block_start(e, after);
}

/* ---- bodies that are global functions ---- */

/* u64 wt_loop_N(u64 level, u64 at): 1 ends the loop.  level: of the run's scratch memory; at: the range's number, or how many turns
 * `while` has had. */
static LLVMValueRef apart_begin(struct emit *e, struct function_cursor *back, const struct stmt *s)
{
	static const char *const names[] = {"level", "at"};
	LLVMTypeRef params[] = {e->i64, e->i64};
	struct frame *outer = e->frame;
	char *name = arena_printf(e->arena, "wt_loop_%d", e->nloops++);
	LLVMValueRef f = function_begin_at(e, back, name, e->i64, params, 2, names, true, s->span, outer->unit);
	struct frame *frame = e->frame;

	frame->outer = outer;
	frame->in_callback = true;
	frame->apart = s;
	frame->callback_result = stack_alloc(e, e->i64, 8, "result");
	frame->exit = block_new(e, "exit");
	store_int(e, frame->callback_result, int_const(e, 1));
	scratch_find(e, LLVMGetParam(f, 0), frame->exit);
	store_int(e, frame->callback_result, int_const(e, 0));
	frame->unit->loop_depth++;
	return f;
}

/* Call a body (at: i64), and go on at `next` or `end`. */
static void apart_call(struct emit *e, LLVMValueRef f, LLVMValueRef at, LLVMBasicBlockRef next, LLVMBasicBlockRef end)
{
	LLVMValueRef args[] = {scratch_level(e), at}, r;

	r = LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(f), f, args, 2, "");
	branch(e, LLVMBuildICmp(e->builder, LLVMIntEQ, r, int_const(e, 0), ""), next, end);
}

/* Before the loop: nothing has left it yet. */
static void apart_enter(struct emit *e)
{
	store_int(e, shared_word(e, SHARED_LEFT), int_const(e, 0));
}

/* ---- ranges ---- */

static LLVMIntPredicate less_than(const struct type *t)
{
	return t->is_signed ? LLVMIntSLT : LLVMIntULT;
}

/* A turn whose body stands here: the body may change $i. */
static void turn_in_place(struct emit *e, const struct stmt *s, LLVMValueRef i)
{
	store_int(e, var_address(e, s->for_.var->var.var), i);
	emit_block(e, s->for_.body);
	jump(e, e->frame->loop->next);
}

static LLVMValueRef range_body(struct emit *e, const struct stmt *s)
{
	const struct var *v = s->for_.var->var.var;
	struct function_cursor back;
	LLVMValueRef f = apart_begin(e, &back, s), i = LLVMGetParam(f, 1);

	store_int(e, var_address(e, v), LLVMBuildTrunc(e->builder, i, emit_register_type(e, v->type), ""));
	emit_block(e, s->for_.body);
	callback_end(e, &back);
	return f;
}

/* for $i : from..to, in place, or with a call of its body in place. */
static void range_in_place(struct emit *e, const struct stmt *s)
{
	const struct var *v = s->for_.var->var.var;
	LLVMTypeRef type = emit_register_type(e, v->type);
	LLVMValueRef from = emit_int(e, s->for_.from), to = emit_int(e, s->for_.to), i, n, one, f = NULL;
	LLVMValueRef at = stack_alloc(e, type, 8, "next_i"), turns = stack_alloc(e, e->i64, 8, "turns");
	LLVMBasicBlockRef body, more, cut, head;
	uint32_t limit = e->loop_limit;
	struct loop l;

	if (loop_is_apart(e, s)) {
		f = range_body(e, s);
		limit = APART_LIMIT;
		apart_enter(e);
	}
	store_int(e, at, from);
	store_int(e, turns, int_const(e, 0));
	loop_enter(e, &l, "range_next");
	head = block_new(e, "range");
	more = block_new(e, "more");
	body = block_new(e, "body");
	cut = block_new(e, "cut");
	jump(e, head);
	block_start(e, head);
	i = load_int(e, at, type);
	branch(e, LLVMBuildICmp(e->builder, less_than(v->type), i, to, ""), more, l.end);
	block_start(e, more);
	n = load_int(e, turns, e->i64);
	branch(e, LLVMBuildICmp(e->builder, LLVMIntULT, n, int_const(e, limit), ""), body, cut);
	block_start(e, cut);
	site_hit(e, site_new(e, SITE_LOOP_CUT, s->span, -1, NULL), NULL);
	jump(e, l.end);
	block_start(e, body);
	if (f)
		apart_call(e, f, LLVMBuildZExt(e->builder, load_int(e, at, type), e->i64, ""), l.next, l.end);
	else
		turn_in_place(e, s, load_int(e, at, type));
	block_start(e, l.next);
	one = LLVMConstInt(type, 1, false);
	store_int(e, at, LLVMBuildAdd(e->builder, load_int(e, at, type), one, ""));
	store_int(e, turns, LLVMBuildAdd(e->builder, load_int(e, turns, e->i64), int_const(e, 1), ""));
	jump(e, head);
	block_start(e, l.end);
	e->frame->loop = l.outer;
	if (f)
		follow_leave(e);
}

/* The number of turns, 0 when the range is empty: to - from as an unsigned difference. */
static LLVMValueRef range_turns(struct emit *e, const struct type *t, LLVMValueRef from, LLVMValueRef to)
{
	LLVMValueRef some = LLVMBuildICmp(e->builder, less_than(t), from, to, ""), n;

	n = convert_int(e, LLVMBuildSub(e->builder, to, from, ""), e->types->u64, e->types->u64);
	return LLVMBuildSelect(e->builder, some, n, int_const(e, 0), "turns");
}

static void range_by_loop(struct emit *e, const struct stmt *s)
{
	static const char *const names[] = {"index", "frame"};
	const struct var *v = s->for_.var->var.var;
	const struct type *t = v->type, *wide = t->is_signed ? e->types->s64 : e->types->u64;
	uint32_t first = SHARED_LOOPS + 8 * (uint32_t)e->frame->unit->loop_depth;
	LLVMTypeRef params[] = {e->i64, e->ptr};
	LLVMValueRef from, to, f, i, turns, too_many, most = int_const(e, CALLBACK_LIMIT);
	LLVMBasicBlockRef some, after;
	struct function_cursor back;

	e->frame->unit->needs |= 1u << KERNEL_BPF_LOOP;
	from = convert_int(e, emit_int(e, s->for_.from), s->for_.from->type, wide);
	to = convert_int(e, emit_int(e, s->for_.to), s->for_.to->type, wide);
	turns = range_turns(e, wide, from, to);
	store_int(e, shared_word(e, first), from);

	f = callback_begin(e, &back, s, params, 2, names);
	i = load_int(e, shared_word(e, first), e->i64);
	i = LLVMBuildAdd(e->builder, i, LLVMGetParam(f, 0), "");
	store_int(e, var_address(e, v), convert_int(e, i, wide, t));
	emit_block(e, s->for_.body);
	callback_end(e, &back);

	too_many = LLVMBuildICmp(e->builder, LLVMIntUGT, turns, most, "");
	turns = opaque(e, LLVMBuildSelect(e->builder, too_many, most, turns, ""));
	/* A callback that the verifier sees called no times is dropped, and then missed (docs/verifier.md). */
	some = block_new(e, "some");
	after = block_new(e, "");
	branch(e, LLVMBuildICmp(e->builder, LLVMIntNE, turns, int_const(e, 0), ""), some, after);
	block_start(e, some);
	HELPER(e, loop, turns, f, e->frame->shared, int_const(e, 0));
	site_hit_if(e, too_many, site_new(e, SITE_LOOP_CUT, s->span, -1, NULL), NULL);
	follow_leave(e);
	jump(e, after);
	block_start(e, after);
}

/* ---- while ---- */

static void while_in_place(struct emit *e, const struct stmt *s)
{
	LLVMBasicBlockRef body;
	struct loop l;

	loop_enter(e, &l, "while");
	body = block_new(e, "body");
	jump(e, l.next);
	block_start(e, l.next);
	branch(e, emit_cond(e, s->loop.cond), body, l.end);
	block_start(e, body);
	emit_block(e, s->loop.body);
	jump(e, l.next);
	block_start(e, l.end);
	e->frame->loop = l.outer;
}

/* A turn of a body that is a function begins with the condition. */
static LLVMBasicBlockRef while_turn(struct emit *e, const struct stmt *s)
{
	LLVMBasicBlockRef body = block_new(e, "body"), stop = block_new(e, "stop");

	branch(e, emit_cond(e, s->loop.cond), body, stop);
	block_start(e, stop);
	store_int(e, e->frame->callback_result, int_const(e, 1));
	jump(e, e->frame->exit);
	block_start(e, body);
	return stop;
}

static void while_by_loop(struct emit *e, const struct stmt *s)
{
	static const char *const names[] = {"index", "frame"};
	LLVMTypeRef params[] = {e->i64, e->ptr};
	LLVMValueRef most = int_const(e, CALLBACK_LIMIT), f, turns;
	struct function_cursor back;

	e->frame->unit->needs |= 1u << KERNEL_BPF_LOOP;
	f = callback_begin(e, &back, s, params, 2, names);
	while_turn(e, s);
	emit_block(e, s->loop.body);
	callback_end(e, &back);
	turns = HELPER(e, loop, most, f, e->frame->shared, int_const(e, 0));
	site_hit_if(e, LLVMBuildICmp(e->builder, LLVMIntEQ, turns, most, ""), site_new(e, SITE_LOOP_CUT, s->span, -1, NULL), NULL);
	follow_leave(e);
}

/* The turn behind the last one that is allowed only asks whether there would be one. */
static LLVMValueRef while_body(struct emit *e, const struct stmt *s)
{
	LLVMBasicBlockRef stop, cut, go;
	struct function_cursor back;
	LLVMValueRef f = apart_begin(e, &back, s);

	stop = while_turn(e, s);
	cut = block_new(e, "cut");
	go = block_new(e, "turn");
	branch(e, LLVMBuildICmp(e->builder, LLVMIntULT, LLVMGetParam(f, 1), int_const(e, APART_LIMIT), ""), go, cut);
	block_start(e, cut);
	site_hit(e, site_new(e, SITE_LOOP_CUT, s->span, -1, NULL), NULL);
	jump(e, stop);
	block_start(e, go);
	emit_block(e, s->loop.body);
	callback_end(e, &back);
	return f;
}

static void while_apart(struct emit *e, const struct stmt *s)
{
	LLVMValueRef f = while_body(e, s), turns = stack_alloc(e, e->i64, 8, "turns"), n;
	LLVMBasicBlockRef turn;
	struct loop l;

	apart_enter(e);
	store_int(e, turns, int_const(e, 0));
	loop_enter(e, &l, "while");
	turn = block_new(e, "turn");
	jump(e, l.next);
	block_start(e, l.next);
	n = load_int(e, turns, e->i64);
	store_int(e, turns, LLVMBuildAdd(e->builder, n, int_const(e, 1), ""));
	branch(e, LLVMBuildICmp(e->builder, LLVMIntULE, n, int_const(e, APART_LIMIT), ""), turn, l.end);
	block_start(e, turn);
	apart_call(e, f, n, l.next, l.end);
	block_start(e, l.end);
	e->frame->loop = l.outer;
	follow_leave(e);
}

void emit_while(struct emit *e, const struct stmt *s)
{
	if (loop_is_callback(e, s))
		while_by_loop(e, s);
	else if (loop_is_apart(e, s))
		while_apart(e, s);
	else
		while_in_place(e, s);
}

/* ---- maps ---- */

/* Store (key, value) of this turn in the loop's variable. */
static void store_entry(struct emit *e, const struct stmt *s, LLVMValueRef key, LLVMValueRef value)
{
	const struct var *v = s->for_.var->var.var;
	const struct map *map = s->for_.map->map.map;
	const struct type *pair = v->type;
	const struct field *k = &pair->fields[0], *n = &pair->fields[1];
	LLVMValueRef at = var_address(e, v);
	struct expr of_key, of_map;

	memory_zero(e, at, pair->size, pair->align);
	value_store(e, value_cast(e, value_at(map_key_type(e, map), key, PLACE_BPF), k->type, NULL),
		    memory_at(e, at, k->offset));
	if (!type_is_aggregate(map->value)) {
		value_store(e, value_cast(e, value_at(map->value, value, PLACE_BPF), n->type, NULL),
			    memory_at(e, at, n->offset));
		return;
	}
	/* The callback is shown one CPU's copy: read the whole under the key just stored. */
	of_key = (struct expr){.kind = EXPR_TUPLE_AT, .span = s->span, .type = k->type, .tuple_at = {s->for_.var, 0}};
	of_map = *s->for_.map;
	of_map.map.key = &of_key;
	of_map.type = map->value;
	value = convert_int(e, aggregate_read(e, &of_map), map->value->is_signed ? e->types->s64 : e->types->u64, n->type);
	store_int(e, memory_at(e, at, n->offset), value);
}

/* The verifier wants to know which map it is: a map and its twin (manifest.h) are walked by a call each.  One has an argument more,
 * which the helper ignores, so that LLVM cannot make one call of them. */
LLVMValueRef for_each_entry(struct emit *e, const struct map *map, LLVMValueRef f, LLVMValueRef context)
{
	LLVMBasicBlockRef odd, even, after;
	LLVMValueRef at = map_global(e, map), a, b;

	if (!LLVMIsASelectInst(at))
		return HELPER(e, for_each_map_elem, at, f, context, int_const(e, 0));
	odd = block_new(e, "twin");
	even = block_new(e, "map");
	after = block_new(e, "");
	branch(e, LLVMGetOperand(at, 0), odd, even);
	block_start(e, odd);
	a = HELPER(e, for_each_map_elem, LLVMGetOperand(at, 1), f, context, int_const(e, 0), int_const(e, 0));
	jump(e, after);
	block_start(e, even);
	b = HELPER(e, for_each_map_elem, LLVMGetOperand(at, 2), f, context, int_const(e, 0));
	jump(e, after);
	block_start(e, after);
	return join(e, a, odd, b, even);
}

static void map_by_callback(struct emit *e, const struct stmt *s)
{
	static const char *const names[] = {"map", "key", "value", "frame"};
	LLVMTypeRef params[] = {e->ptr, e->ptr, e->ptr, e->ptr};
	const struct map *map = s->for_.map->map.map;
	struct function_cursor back;
	LLVMValueRef f;

	e->frame->unit->needs |= 1u << KERNEL_FOR_EACH_MAP;
	f = callback_begin(e, &back, s, params, 4, names);
	store_entry(e, s, LLVMGetParam(f, 1), LLVMGetParam(f, 2));
	emit_block(e, s->for_.body);
	callback_end(e, &back);
	for_each_entry(e, map, f, e->frame->shared);
	follow_leave(e);
}

void emit_for(struct emit *e, const struct stmt *s)
{
	if (s->for_.map)
		map_by_callback(e, s);
	else if (loop_is_callback(e, s))
		range_by_loop(e, s);
	else
		range_in_place(e, s);
}
