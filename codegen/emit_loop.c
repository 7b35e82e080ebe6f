/* Loops.  `unroll` is emitted in place.  The body of a `for` or `while` becomes a function of its own that the kernel calls
 * (bpf_loop, bpf_for_each_map_elem); it gets the address of a struct on the program's stack, and shares variables through scratch
 * memory.  On kernels without bpf_loop `while` is emitted in place, and a range is walked there at most loop_limit times (the
 * verifier follows every turn). */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

enum { CALLBACK_LIMIT = 1 << 23 }; /* turns that bpf_loop accepts */

bool has_bpf_loop(const struct program *p)
{
	struct kernel *k = p->kernel;

	return k && k->has && k->has(k, KERNEL_BPF_LOOP);
}

static bool loop_is_callback(struct emit *e, const struct stmt *s)
{
	return (s->kind == STMT_FOR && s->for_.map) || has_bpf_loop(e->program);
}

/* ---- which variables do callbacks share? ---- */

struct walk {
	struct emit *e;
	struct unit *unit;
	int depth, deepest; /* of callback loops */
	bool any;
	bool in_condition; /* of a `while` in place */
};

static void walk_block(struct walk *w, const struct block *b);
static void walk_expr(struct walk *w, const struct expr *x);

static void walk_var(struct walk *w, const struct var *v)
{
	struct storage *s;

	if (!v || v->id >= w->unit->nvars)
		return;
	s = &w->unit->vars[v->id];
	s->ends_loop |= w->in_condition;
	if (s->depth < 0)
		s->depth = w->depth;
	else if (s->depth != w->depth)
		s->captured = true;
}

static void walk_exprs(struct walk *w, const expr_list *list)
{
	VEC_EACH(x, list)
		walk_expr(w, *x);
}

static void walk_expr(struct walk *w, const struct expr *x)
{
	if (!x)
		return;
	switch (x->kind) {
	case EXPR_VAR:
		walk_var(w, x->var.var);
		return;
	case EXPR_MAP:
		walk_expr(w, x->map.key);
		return;
	case EXPR_CALL:
		walk_exprs(w, &x->call.args);
		return;
	case EXPR_UNARY:
		walk_expr(w, x->unary.e);
		return;
	case EXPR_INCDEC:
		walk_expr(w, x->incdec.target);
		return;
	case EXPR_BINARY:
		walk_expr(w, x->binary.left);
		walk_expr(w, x->binary.right);
		return;
	case EXPR_TERNARY:
		walk_expr(w, x->ternary.cond);
		walk_expr(w, x->ternary.then);
		walk_expr(w, x->ternary.other);
		return;
	case EXPR_FIELD:
		walk_expr(w, x->field.e);
		return;
	case EXPR_TUPLE_AT:
		walk_expr(w, x->tuple_at.e);
		return;
	case EXPR_INDEX:
		walk_expr(w, x->index.e);
		walk_expr(w, x->index.index);
		return;
	case EXPR_CAST:
		walk_expr(w, x->cast.e);
		return;
	case EXPR_TUPLE:
	case EXPR_RECORD:
		walk_exprs(w, &x->tuple.elems);
		return;
	case EXPR_BLOCK:
		walk_block(w, x->block);
		return;
	case EXPR_IF:
		walk_expr(w, x->if_.cond);
		walk_block(w, x->if_.then);
		walk_expr(w, x->if_.other);
		return;
	case EXPR_COMPTIME:
		walk_expr(w, x->comptime);
		return;
	case EXPR_INT:
	case EXPR_BOOL:
	case EXPR_STRING:
	case EXPR_POSITIONAL:
	case EXPR_POSITIONAL_COUNT:
	case EXPR_NAME:
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPEOF:
		return;
	}
}

static void walk_loop(struct walk *w, const struct stmt *s, const struct expr *first, const struct block *body)
{
	bool callback = loop_is_callback(w->e, s);

	w->any |= callback;
	w->depth += callback;
	if (w->depth > w->deepest)
		w->deepest = w->depth;
	w->in_condition = s->kind == STMT_WHILE && !callback;
	walk_expr(w, first);
	w->in_condition = false;
	walk_block(w, body);
	w->depth -= callback;
}

static void walk_stmt(struct walk *w, const struct stmt *s)
{
	if (!s)
		return;
	switch (s->kind) {
	case STMT_EXPR:
	case STMT_DISCARD:
	case STMT_RETURN:
		walk_expr(w, s->expr);
		return;
	case STMT_ASSIGN:
		walk_expr(w, s->assign.target);
		walk_expr(w, s->assign.value);
		return;
	case STMT_LET:
		walk_expr(w, s->let.var);
		walk_expr(w, s->let.value);
		return;
	case STMT_IF:
		walk_expr(w, s->if_.cond);
		walk_block(w, s->if_.then);
		walk_stmt(w, s->if_.other);
		return;
	case STMT_FOR:
		walk_expr(w, s->for_.from);
		walk_expr(w, s->for_.to);
		walk_loop(w, s, s->for_.var, s->for_.body);
		return;
	case STMT_WHILE:
		walk_loop(w, s, s->loop.cond, s->loop.body);
		return;
	case STMT_UNROLL:
		walk_expr(w, s->loop.cond);
		walk_block(w, s->loop.body);
		return;
	case STMT_BLOCK:
		walk_block(w, s->block);
		return;
	case STMT_BREAK:
	case STMT_CONTINUE:
	case STMT_IMPORT:
		return;
	}
}

static void walk_block(struct walk *w, const struct block *b)
{
	VEC_EACH(s, &b->stmts)
		walk_stmt(w, *s);
	walk_expr(w, b->value);
}

bool find_captures(struct emit *e, struct unit *u, const struct expr *predicate, const struct block *body)
{
	struct walk w = {.e = e, .unit = u};

	walk_expr(&w, predicate);
	walk_block(&w, body);
	u->frame_size = SHARED_LOOPS + 8 * (uint32_t)w.deepest;
	return w.any;
}

/* ---- loops in place ---- */

static void loop_enter(struct emit *e, struct loop *l, const char *name)
{
	*l = (struct loop){.outer = e->frame->loop, .next = block_new(e, name), .end = block_new(e, "loop_end")};
	e->frame->loop = l;
}

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

/* ---- ranges ---- */

static LLVMIntPredicate less_than(const struct type *t)
{
	return t->is_signed ? LLVMIntSLT : LLVMIntULT;
}

/* for $i : from..to, in place; cut at loop_limit turns. */
static void range_in_place(struct emit *e, const struct stmt *s)
{
	const struct var *v = s->for_.var->var.var;
	LLVMTypeRef type = emit_register_type(e, v->type);
	LLVMValueRef from = emit_int(e, s->for_.from), to = emit_int(e, s->for_.to), i, n, one;
	LLVMValueRef at = stack_alloc(e, type, 8, "next_i"), turns = stack_alloc(e, e->i64, 8, "turns");
	LLVMBasicBlockRef body, more, cut, head;
	struct loop l;

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
	branch(e, LLVMBuildICmp(e->builder, LLVMIntULT, n, int_const(e, e->loop_limit), ""), body, cut);
	block_start(e, cut);
	site_hit(e, site_new(e, SITE_LOOP_CUT, s->span, -1, NULL), NULL);
	jump(e, l.end);
	block_start(e, body);
	store_int(e, var_address(e, v), load_int(e, at, type)); /* the body may change $i */
	emit_block(e, s->for_.body);
	jump(e, l.next);
	block_start(e, l.next);
	one = LLVMConstInt(type, 1, false);
	store_int(e, at, LLVMBuildAdd(e->builder, load_int(e, at, type), one, ""));
	store_int(e, turns, LLVMBuildAdd(e->builder, load_int(e, turns, e->i64), int_const(e, 1), ""));
	jump(e, head);
	block_start(e, l.end);
	e->frame->loop = l.outer;
}

/* ---- callbacks ---- */

/* Begin the function that a loop's body becomes.  Its last parameter is the address of the shared struct. */
static LLVMValueRef callback_begin(struct emit *e, struct function_cursor *back, const struct stmt *s,
				   const LLVMTypeRef *params, int n, const char *const *names)
{
	struct frame *outer = e->frame;
	char *name = arena_printf(e->arena, "wt_loop_%d", e->nloops++);
	LLVMValueRef f = function_begin_at(e, back, name, e->i64, params, n, names, s->span, outer->unit);
	struct frame *frame = e->frame;

	frame->outer = outer;
	frame->in_callback = true;
	frame->shared = LLVMGetParam(f, (unsigned)n - 1);
	frame->callback_result = stack_alloc(e, e->i64, 8, "result");
	frame->exit = block_new(e, "exit");
	store_int(e, frame->callback_result, int_const(e, 0));
	/* LLVM drops it where the body needs none. */
	frame->scratch_slot = stack_alloc(e, e->ptr, 8, "scratch");
	LLVMBuildStore(e->builder, LLVMBuildLoad2(e->builder, e->ptr, memory_at(e, frame->shared, SHARED_SCRATCH), ""),
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
	LLVMValueRef flag = load_int(e, memory_at(e, e->frame->shared, SHARED_LEFT), e->i64);

	branch(e, LLVMBuildICmp(e->builder, LLVMIntNE, flag, int_const(e, 0), ""), left, after);
	block_start(e, left);
	if (e->frame->in_callback)
		store_int(e, e->frame->callback_result, int_const(e, 1));
	jump(e, e->frame->exit);
	block_start(e, after);
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
	store_int(e, memory_at(e, e->frame->shared, first), from);

	f = callback_begin(e, &back, s, params, 2, names);
	i = load_int(e, memory_at(e, e->frame->shared, first), e->i64);
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

/* A turn begins with the condition. */
static void while_by_loop(struct emit *e, const struct stmt *s)
{
	static const char *const names[] = {"index", "frame"};
	LLVMTypeRef params[] = {e->i64, e->ptr};
	LLVMValueRef most = int_const(e, CALLBACK_LIMIT), f, turns;
	LLVMBasicBlockRef body, stop;
	struct function_cursor back;

	e->frame->unit->needs |= 1u << KERNEL_BPF_LOOP;
	f = callback_begin(e, &back, s, params, 2, names);
	body = block_new(e, "body");
	stop = block_new(e, "stop");
	branch(e, emit_cond(e, s->loop.cond), body, stop);
	block_start(e, stop);
	store_int(e, e->frame->callback_result, int_const(e, 1));
	jump(e, e->frame->exit);
	block_start(e, body);
	emit_block(e, s->loop.body);
	callback_end(e, &back);
	turns = HELPER(e, loop, most, f, e->frame->shared, int_const(e, 0));
	site_hit_if(e, LLVMBuildICmp(e->builder, LLVMIntEQ, turns, most, ""), site_new(e, SITE_LOOP_CUT, s->span, -1, NULL), NULL);
	follow_leave(e);
}

void emit_while(struct emit *e, const struct stmt *s)
{
	if (loop_is_callback(e, s))
		while_by_loop(e, s);
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
