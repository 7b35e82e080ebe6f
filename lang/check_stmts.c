/* Statements and bodies. */
#include "lang/check.h"

static void push_scope(struct checker *c)
{
	struct scope *s = NEW(c->arena, struct scope);

	s->up = c->scope;
	c->scope = s;
}

static void pop_scope(struct checker *c)
{
	VEC_EACH(v, &c->scope->vars)
		if (!(*v)->assigned && !(*v)->var.is_param && ((*v)->var.type ? (*v)->var.type->kind != TYPE_ERROR : !(*v)->read))
			diag_add(c->diag, (*v)->var.first_use, DIAG_VAR_NEVER_SET, STR_ARG((*v)->var.name));
	c->scope = c->scope->up;
}

static bool is_aggregate_call(const struct expr *e)
{
	const struct builtin *b = e->kind == EXPR_CALL ? builtin_find(e->call.name) : NULL;

	return b && b->runs == RUNS_AGG;
}

/* An aggregation anywhere but on the right side of a map assignment. */
static bool misplaced_aggregate(struct checker *c, struct expr *e)
{
	if (!is_aggregate_call(e))
		return false;
	FAIL(c, e, DIAG_AGGREGATE_PLACE, STR_ARG(e->call.name));
	diag_hint(c->diag, "@ = %.*s(...) or @[key] = %.*s(...)", STR_ARG(e->call.name), STR_ARG(e->call.name));
	return true;
}

/* `target op= value`: the value gets the type that the arithmetic is done in. */
static void check_compound(struct checker *c, struct stmt *s)
{
	struct expr *sum = expr_new(c->arena, EXPR_BINARY, s->span), *old = s->assign.target;
	const struct expr *value = s->assign.value;

	if (old->kind == EXPR_MAP) {
		struct map_state *m = map_state(c, old->map.name, old->span);

		if (!m->map.value) { /* an absent element counts as 0: the type comes from the value */
			struct expr *copy = expr_clone(c->arena, s->assign.value);

			check_expr(c, copy);
			if (!failed(copy->type)) {
				struct expr *target = expr_clone(c->arena, old);

				map_assign(c, target, &copy);
			}
		}
	}
	if (old->kind == EXPR_VAR)
		count_from_zero(c, old);
	sum->binary.op = s->assign.op;
	sum->binary.left = expr_clone(c->arena, old);
	sum->binary.right = s->assign.value;
	check_expr(c, sum);
	if (failed(sum->type)) {
		s->assign.target->type = c->types->error;
		return;
	}
	if (sum->kind == EXPR_BINARY && sum->binary.left == value) { /* n += p was turned into p + n */
		s->assign.compound = false;
		s->assign.value = sum;
		if (old->kind == EXPR_MAP)
			map_assign(c, old, &s->assign.value);
		else
			var_assign(c, old, &s->assign.value);
		return;
	}
	s->assign.value = sum->kind == EXPR_BINARY ? sum->binary.right : sum;
	if (sum->kind != EXPR_BINARY)
		BUG("compound assignment was folded");
	/* the target grows to hold the result */
	if (old->kind == EXPR_MAP)
		map_assign(c, old, &sum);
	else
		var_assign(c, old, &sum);
}

/* Nothing happens here when the program runs. */
static void nothing(struct checker *c, struct stmt *s)
{
	s->kind = STMT_BLOCK;
	s->block = NEW(c->arena, struct block);
	s->block->span = s->span;
}

/* What is assigned to is neither a variable nor a map. */
static void bad_target(struct checker *c, struct expr *target)
{
	if (target->kind == EXPR_NAME && !builtin_find(target->name.name)) {
		diag_add(c->diag, target->span, DIAG_ASSIGN_TARGET);
		diag_hint(c->diag, "variables are written with a dollar: $%.*s", STR_ARG(target->name.name));
		return;
	}
	check_expr(c, target);
	if (failed(target->type)) /* and has been told */
		return;
	if (target->kind == EXPR_TUPLE_AT || (target->kind == EXPR_FIELD && target->field.e->type->kind == TYPE_RECORD))
		diag_add(c->diag, target->span, DIAG_IMMUTABLE);
	else
		diag_add(c->diag, target->span, DIAG_ASSIGN_TARGET);
	diag_hint(c->diag, "assign to a $variable, a @map or a @map[key]");
}

static void check_assign(struct checker *c, struct stmt *s)
{
	struct expr *target = s->assign.target;

	if (target->kind != EXPR_VAR && target->kind != EXPR_MAP) {
		bad_target(c, target);
		return;
	}
	if (s->assign.compound) {
		if (!misplaced_aggregate(c, s->assign.value))
			check_compound(c, s);
		return;
	}
	if (target->kind == EXPR_VAR) {
		if (misplaced_aggregate(c, s->assign.value))
			return;
		check_expr(c, s->assign.value);
		if (list_assign(c, target, s->assign.value) || args_assign(c, target, s->assign.value)) {
			nothing(c, s);
			return;
		}
		var_assign(c, target, &s->assign.value);
		return;
	}
	if (is_aggregate_call(s->assign.value)) {
		c->aggregate = s->assign.value;
		check_expr(c, s->assign.value);
	} else {
		check_expr(c, s->assign.value);
	}
	map_assign(c, target, &s->assign.value);
}

static void check_let(struct checker *c, struct stmt *s)
{
	struct expr *var = s->let.var;
	const struct type *t = NULL;
	struct var_state *v;

	if (var_find(c, var->var.name)) {
		diag_add(c->diag, var->span, DIAG_VAR_REDECLARED, STR_ARG(var->var.name));
		diag_note(c->diag, var_find(c, var->var.name)->var.first_use, "it was declared here");
		return;
	}
	if (s->let.value)
		check_expr(c, s->let.value);
	if (s->let.value && !s->let.type && (list_assign(c, var, s->let.value) || args_assign(c, var, s->let.value))) {
		nothing(c, s);
		return;
	}
	if (s->let.type)
		t = resolve_type(c, s->let.type);
	v = var_declare(c, var->var.name, var->span);
	var->var.var = &v->var;
	if (t && !failed(t)) {
		v->declared = true;
		if (v->var.type != t && !v->worded) {
			c->changed = true;
			v->var.type = t;
			v->type_span = s->let.type->span;
		}
	}
	var->type = v->var.type ? v->var.type : c->types->error;
	if (s->let.value) {
		var_assign(c, var, &s->let.value);
	} else {
		v->read = false;
	}
}

static bool is_quiet(const struct expr *e)
{
	return failed(e->type) || e->type->kind == TYPE_NONE || e->kind == EXPR_INCDEC;
}

static void check_expr_stmt(struct checker *c, struct stmt *s)
{
	struct expr *e = s->expr;

	if (misplaced_aggregate(c, e))
		return;
	check_expr(c, e);
	if (e->kind == EXPR_INCDEC)
		e->incdec.value_used = false;
	if (e->kind == EXPR_TERNARY || e->kind == EXPR_IF || e->kind == EXPR_BLOCK)
		return;
	if (s->kind == STMT_EXPR && !is_quiet(e)) {
		diag_add(c->diag, e->span, DIAG_DISCARDED);
		diag_hint(c->diag, "write `_ = ...` to say that the value is not wanted");
	}
}

static void check_if(struct checker *c, struct stmt *s);

static void check_else(struct checker *c, struct stmt *other)
{
	if (other && other->kind == STMT_IF)
		check_if(c, other);
	else if (other)
		check_block(c, other->block);
}

/* The condition decides: the branch that is not taken is gone before its types are looked at.  One that another kernel could take
 * stays when it is right for this one too. */
static void check_decided_if(struct checker *c, struct stmt *s)
{
	bool yes = decided(s->if_.cond);
	struct stmt *other = s->if_.other;
	struct block *live;
	struct expr *left;
	struct attempt a;

	if (yes)
		check_block(c, s->if_.then);
	else
		check_else(c, other);
	if (!settled(s->if_.cond)) {
		attempt_begin(c, &a);
		if (yes)
			check_else(c, other);
		else
			check_block(c, s->if_.then);
		if (attempt_end(c, &a))
			return;
	}
	live = yes ? s->if_.then : other && other->kind == STMT_BLOCK ? other->block : NULL;
	if (!yes && other && !live) { /* `else if` */
		live = NEW(c->arena, struct block);
		live->span = other->span;
		VEC_PUSH(c->arena, &live->stmts, other);
	}
	left = only_branch(c, s->if_.cond, s->span, live, NULL);
	s->kind = STMT_BLOCK;
	s->block = left->block;
}

static void check_if(struct checker *c, struct stmt *s)
{
	bool may_decide = decides(s->if_.cond);

	check_condition(c, s->if_.cond);
	if (may_decide && failed(s->if_.cond->type))
		return; /* nobody knows which branch is meant */
	if (may_decide && decided(s->if_.cond) >= 0) {
		check_decided_if(c, s);
		return;
	}
	check_block(c, s->if_.then);
	check_else(c, s->if_.other);
}

static void check_loop_body(struct checker *c, struct block *b, bool callback)
{
	c->loop_depth += callback;
	c->any_loop++;
	check_block(c, b);
	c->any_loop--;
	c->loop_depth -= callback;
}

/* The type of $kv in `for ($kv : @m)`: (key, value); aggregates are read. */
static const struct type *entry_type(struct checker *c, struct expr *map)
{
	const struct type *parts[2] = {map->map.map->key, map->map.map->value};

	if (!parts[0]) {
		diag_add(c->diag, map->span, DIAG_FOR_SCALAR, STR_ARG(map->map.name));
		return NULL;
	}
	if (type_is_aggregate(parts[1])) {
		if (!type_is_castable_aggregate(parts[1])) {
			diag_add(c->diag, map->span, DIAG_FOR_TYPE, STR_ARG(type_name(c->arena, parts[1])));
			return NULL;
		}
		((struct map_state *)(void *)map->map.map)->read_in_kernel = true;
		parts[1] = parts[1]->kind == TYPE_COUNT || !parts[1]->is_signed ? c->types->u64 : c->types->s64;
	}
	return type_tuple(c->types, parts, 2);
}

static const struct type *range_type(struct checker *c, struct stmt *s)
{
	const struct type *t;

	check_expr(c, s->for_.from);
	check_expr(c, s->for_.to);
	if (!need_integer(c, &s->for_.from, "the start of a range") || !need_integer(c, &s->for_.to, "the end of a range"))
		return NULL;
	t = promote_exprs(c, s->for_.from, s->for_.to);
	if (!t || t->kind != TYPE_INT)
		return NULL;
	cast_to(c, &s->for_.from, t);
	cast_to(c, &s->for_.to, t);
	return t;
}

static void check_for(struct checker *c, struct stmt *s)
{
	struct expr *var = s->for_.var;
	const struct type *t;
	struct var_state *v;

	if (s->for_.map) {
		check_map(c, s->for_.map, true);
		t = failed(s->for_.map->type) ? NULL : entry_type(c, s->for_.map);
		if (t && !c->kernel->has(c->kernel, KERNEL_FOR_EACH_MAP)) {
			diag_add(c->diag, s->for_.map->span, DIAG_FOR_MAP_KERNEL);
			diag_hint(c->diag, "it needs Linux 5.13; print(@m) and report(@m, ...) work here");
		}
	} else {
		t = range_type(c, s);
	}
	if (var_find(c, var->var.name)) {
		diag_add(c->diag, var->span, DIAG_FOR_SHADOWS, STR_ARG(var->var.name));
		return;
	}
	push_scope(c);
	c->loop_depth++;
	v = var_declare(c, var->var.name, var->span);
	c->loop_depth--;
	v->assigned = true;
	v->declared = true;
	if (t && v->var.type != t) {
		v->var.type = t;
		v->type_span = var->span;
		c->changed = true;
	}
	var->var.var = &v->var;
	var->type = t ? t : c->types->error;
	if (t)
		check_loop_body(c, s->for_.body, true);
	pop_scope(c);
}

static void check_unroll(struct checker *c, struct stmt *s)
{
	uint64_t n;

	check_expr(c, s->loop.cond);
	if (literal_int(c, s->loop.cond, "unroll", &n)) {
		if (n < 1 || n > 100)
			diag_add(c->diag, s->loop.cond->span, DIAG_UNROLL, integer_text(c, s->loop.cond));
		s->loop.times = n;
	}
	check_loop_body(c, s->loop.body, false);
}

static void check_return(struct checker *c, struct stmt *s)
{
	const struct type *want = c->unit->function ? c->unit->function->result : NULL;

	if (!s->expr) {
		if (want && want->kind != TYPE_NONE)
			diag_add(c->diag, s->span, DIAG_RETURN_MISSING, STR_ARG(type_name(c->arena, want)));
		return;
	}
	check_expr(c, s->expr);
	read_aggregate(c, &s->expr);
	if (failed(s->expr->type))
		return;
	if (!want) {
		if (!type_is_integer(s->expr->type) && s->expr->type->kind != TYPE_PTR)
			diag_add(c->diag, s->expr->span, DIAG_RETURN_TYPE, STR_ARG(type_name(c->arena, s->expr->type)));
		else
			cast_to(c, &s->expr, c->types->s64);
		return;
	}
	if (s->expr->kind == EXPR_INT && want->kind == TYPE_INT && !literal_fits(s->expr, want)) {
		diag_add(c->diag, s->expr->span, DIAG_LITERAL_RANGE, STR_ARG(type_name(c->arena, want)));
		return;
	}
	if (!(type_is_integer(want) && type_is_integer(s->expr->type)) && promote(c, want, false, s->expr->type, false) != want) {
		diag_add(c->diag, s->expr->span, DIAG_RETURN_MISMATCH, STR_ARG(type_name(c->arena, want)),
			 STR_ARG(type_name(c->arena, s->expr->type)));
		return;
	}
	cast_to(c, &s->expr, want);
}

static void check_jump(struct checker *c, struct stmt *s)
{
	if (!c->any_loop)
		diag_add(c->diag, s->span, DIAG_JUMP, s->kind == STMT_BREAK ? "break" : "continue");
}

static void check_stmt(struct checker *c, struct stmt *s)
{
	switch (s->kind) {
	case STMT_EXPR:
	case STMT_DISCARD:
		check_expr_stmt(c, s);
		return;
	case STMT_ASSIGN:
		check_assign(c, s);
		return;
	case STMT_LET:
		check_let(c, s);
		return;
	case STMT_IF:
		check_if(c, s);
		return;
	case STMT_FOR:
		check_for(c, s);
		return;
	case STMT_WHILE:
		check_condition(c, s->loop.cond);
		check_loop_body(c, s->loop.body, false);
		return;
	case STMT_UNROLL:
		check_unroll(c, s);
		return;
	case STMT_RETURN:
		check_return(c, s);
		return;
	case STMT_BREAK:
	case STMT_CONTINUE:
		check_jump(c, s);
		return;
	case STMT_BLOCK:
		check_block(c, s->block);
		return;
	case STMT_IMPORT:
		unstable_allowed(c, s->span, UNSTABLE_IMPORT_STATEMENT); /* imports.c has read it */
		nothing(c, s);
		return;
	}
	BUG("statement kind %d", s->kind);
}

static bool ends_here(const struct stmt *s)
{
	return s->kind == STMT_RETURN || s->kind == STMT_BREAK || s->kind == STMT_CONTINUE ||
	       (s->kind == STMT_EXPR && s->expr->kind == EXPR_CALL && s->expr->call.builtin == BUILTIN_exit);
}

void check_block(struct checker *c, struct block *b)
{
	int i;

	push_scope(c);
	for (i = 0; i < b->stmts.n; i++) {
		check_stmt(c, b->stmts.at[i]);
		if (ends_here(b->stmts.at[i]) && i + 1 < b->stmts.n)
			diag_add(c->diag, b->stmts.at[i + 1]->span, DIAG_UNREACHABLE);
	}
	if (b->value) {
		if (!misplaced_aggregate(c, b->value))
			check_expr(c, b->value);
		read_aggregate(c, &b->value);
	}
	pop_scope(c);
}

/* One pass over one body: on a fresh copy, so that the casts of an earlier pass are gone. */
void check_unit(struct checker *c, struct unit *u)
{
	c->unit = u;
	c->scope = NULL;
	c->loop_depth = c->any_loop = c->depth = 0;
	u->nvars = 0;
	push_scope(c);
	if (u->probe) {
		struct probe *p = u->probe;

		p->predicate = u->node->predicate ? expr_clone(c->arena, u->node->predicate) : NULL;
		p->body = block_clone(c->arena, u->node->body);
		if (p->predicate) {
			bool may_decide = decides(p->predicate);

			check_condition(c, p->predicate);
			u->never = false;
			if (may_decide && settled(p->predicate) && !decided(p->predicate)) {
				p->body->stmts.n = 0;
				/* has_field() is asked again on the kernel that loads the program; comptime is not. */
				u->never = u->node->predicate->kind == EXPR_COMPTIME;
			}
		}
		check_block(c, p->body);
	} else {
		struct function *f = u->function;
		int i;

		f->body = block_clone(c->arena, u->fn_node->body);
		f->params.n = 0;
		for (i = 0; i < u->fn_node->params.n; i++) {
			const struct param *param = &u->fn_node->params.at[i];
			struct var_state *v = var_declare(c, param->name, param->span);

			v->var.is_param = v->declared = v->assigned = true;
			v->var.type = resolve_type(c, param->type);
			VEC_PUSH(c->arena, &f->params, &v->var);
		}
		check_block(c, f->body);
	}
	pop_scope(c);
}
