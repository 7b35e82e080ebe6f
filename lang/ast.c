/* Making and copying nodes of the tree. */
#include "lang/ast.h"

#include "lang/support/bug.h"

struct expr *expr_new(struct arena *a, enum expr_kind kind, struct span span)
{
	struct expr *e = NEW(a, struct expr);

	e->kind = kind;
	e->span = span;
	return e;
}

struct stmt *stmt_new(struct arena *a, enum stmt_kind kind, struct span span)
{
	struct stmt *s = NEW(a, struct stmt);

	s->kind = kind;
	s->span = span;
	return s;
}

struct expr *expr_int(struct arena *a, struct span span, uint64_t value)
{
	struct expr *e = expr_new(a, EXPR_INT, span);

	e->is_literal = true;
	e->integer.value = value;
	return e;
}

struct expr *expr_string(struct arena *a, struct span span, struct str text)
{
	struct expr *e = expr_new(a, EXPR_STRING, span);

	e->is_literal = true;
	e->string.text = text;
	return e;
}

struct expr *expr_call(struct arena *a, struct span span, struct str name)
{
	struct expr *e = expr_new(a, EXPR_CALL, span);

	e->call.name = name;
	e->call.name_span = span;
	return e;
}

const char *binary_op_text(enum binary_op op)
{
	static const char *const texts[] = {
		[BINARY_LOR] = "||", [BINARY_LAND] = "&&", [BINARY_OR] = "|",	[BINARY_XOR] = "^",
		[BINARY_AND] = "&",  [BINARY_EQ] = "==",   [BINARY_NE] = "!=",	[BINARY_LT] = "<",
		[BINARY_LE] = "<=",  [BINARY_GT] = ">",	   [BINARY_GE] = ">=",	[BINARY_SHL] = "<<",
		[BINARY_SHR] = ">>", [BINARY_ADD] = "+",   [BINARY_SUB] = "-",	[BINARY_MUL] = "*",
		[BINARY_DIV] = "/",  [BINARY_MOD] = "%",  [BINARY_IN] = "in",
	};

	return texts[op];
}

const char *unary_op_text(enum unary_op op)
{
	static const char *const texts[] = {
		[UNARY_NEG] = "-",   [UNARY_NOT] = "!",	    [UNARY_BITNOT] = "~",
		[UNARY_DEREF] = "*", [UNARY_ADDRESS] = "&",
	};

	return texts[op];
}

/* ---- copies ---------------------------------------------------------------------------------------------------------- */

static struct expr *clone_or_null(struct arena *a, const struct expr *e)
{
	return e ? expr_clone(a, e) : NULL;
}

static expr_list clone_list(struct arena *a, const expr_list *list)
{
	expr_list copy = {0};

	VEC_EACH (e, list)
		VEC_PUSH(a, &copy, expr_clone(a, *e));
	return copy;
}

struct type_expr *type_expr_clone(struct arena *a, const struct type_expr *t)
{
	struct type_expr *copy;

	if (!t)
		return NULL;
	copy = NEW(a, struct type_expr);
	*copy = *t;
	copy->of = clone_or_null(a, t->of);
	copy->of_type = type_expr_clone(a, t->of_type);
	memset(&copy->suffixes, 0, sizeof(copy->suffixes));
	VEC_EACH (s, &t->suffixes)
		VEC_PUSH(a, &copy->suffixes,
			 (struct type_suffix){s->kind, clone_or_null(a, s->count)});
	return copy;
}

static void clone_call(struct arena *a, struct expr *copy, const struct expr *e)
{
	copy->call.name = e->call.name;
	copy->call.args = clone_list(a, &e->call.args);
	copy->call.parens = e->call.parens;
	copy->call.name_span = e->call.name_span;
}

static void clone_tuple(struct arena *a, struct expr *copy, const struct expr *e)
{
	copy->tuple.elems = clone_list(a, &e->tuple.elems);
	VEC_EACH (name, &e->tuple.names)
		VEC_PUSH(a, &copy->tuple.names, *name);
}

/* Operators and accesses: nodes with one to three operands and little else. */
static void clone_operands(struct arena *a, struct expr *copy, const struct expr *e)
{
	if (e->kind == EXPR_UNARY) {
		copy->unary.op = e->unary.op;
		copy->unary.e = expr_clone(a, e->unary.e);
	} else if (e->kind == EXPR_INCDEC) {
		copy->incdec = e->incdec;
		copy->incdec.target = expr_clone(a, e->incdec.target);
	} else if (e->kind == EXPR_BINARY) {
		copy->binary.op = e->binary.op;
		copy->binary.left = expr_clone(a, e->binary.left);
		copy->binary.right = expr_clone(a, e->binary.right);
	} else if (e->kind == EXPR_TERNARY) {
		copy->ternary.cond = expr_clone(a, e->ternary.cond);
		copy->ternary.then = clone_or_null(a, e->ternary.then);
		copy->ternary.other = expr_clone(a, e->ternary.other);
	} else if (e->kind == EXPR_FIELD) {
		copy->field = e->field;
		copy->field.e = expr_clone(a, e->field.e);
		copy->field.field = NULL;
	} else if (e->kind == EXPR_TUPLE_AT) {
		copy->tuple_at.at = e->tuple_at.at;
		copy->tuple_at.e = expr_clone(a, e->tuple_at.e);
	} else if (e->kind == EXPR_INDEX) {
		copy->index.e = expr_clone(a, e->index.e);
		copy->index.index = expr_clone(a, e->index.index);
	} else {
		copy->cast.written = type_expr_clone(a, e->cast.written);
		copy->cast.e = expr_clone(a, e->cast.e);
		copy->cast.implicit = e->cast.implicit;
	}
}

struct expr *expr_clone(struct arena *a, const struct expr *e)
{
	struct expr *copy = expr_new(a, e->kind, e->span);

	copy->parens = e->parens;
	copy->height = e->height;
	copy->is_literal = e->is_literal;
	switch (e->kind) {
	case EXPR_INT:
		copy->integer = e->integer;
		return copy;
	case EXPR_BOOL:
		copy->boolean = e->boolean;
		return copy;
	case EXPR_STRING:
		copy->string = e->string;
		return copy;
	case EXPR_POSITIONAL:
		copy->positional = e->positional;
		return copy;
	case EXPR_POSITIONAL_COUNT:
		return copy;
	case EXPR_NAME:
		copy->name = e->name;
		return copy;
	case EXPR_VAR:
		copy->var.name = e->var.name;
		return copy;
	case EXPR_MAP:
		copy->map.name = e->map.name;
		copy->map.key = clone_or_null(a, e->map.key);
		copy->map.key_list = e->map.key_list;
		return copy;
	case EXPR_CALL:
		clone_call(a, copy, e);
		return copy;
	case EXPR_UNARY:
	case EXPR_INCDEC:
	case EXPR_BINARY:
	case EXPR_TERNARY:
	case EXPR_FIELD:
	case EXPR_TUPLE_AT:
	case EXPR_INDEX:
	case EXPR_CAST:
		clone_operands(a, copy, e);
		return copy;
	case EXPR_TUPLE:
	case EXPR_RECORD:
		clone_tuple(a, copy, e);
		return copy;
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPEOF:
		copy->type_op = e->type_op;
		copy->type_op.e = clone_or_null(a, e->type_op.e);
		copy->type_op.of_type = type_expr_clone(a, e->type_op.of_type);
		return copy;
	case EXPR_COMPTIME:
		copy->comptime = expr_clone(a, e->comptime);
		return copy;
	case EXPR_BLOCK:
		copy->block = block_clone(a, e->block);
		return copy;
	case EXPR_IF:
		copy->if_.cond = expr_clone(a, e->if_.cond);
		copy->if_.then = block_clone(a, e->if_.then);
		copy->if_.other = clone_or_null(a, e->if_.other);
		return copy;
	}
	BUG("expression kind %d", e->kind);
}

struct stmt *stmt_clone(struct arena *a, const struct stmt *s)
{
	struct stmt *copy = stmt_new(a, s->kind, s->span);

	copy->semicolon = s->semicolon;
	copy->height = s->height;
	switch (s->kind) {
	case STMT_EXPR:
	case STMT_DISCARD:
	case STMT_RETURN:
	case STMT_BREAK:
	case STMT_CONTINUE:
		copy->expr = clone_or_null(a, s->expr);
		return copy;
	case STMT_ASSIGN:
		copy->assign = s->assign;
		copy->assign.target = expr_clone(a, s->assign.target);
		copy->assign.value = expr_clone(a, s->assign.value);
		return copy;
	case STMT_LET:
		copy->let.var = expr_clone(a, s->let.var);
		copy->let.type = type_expr_clone(a, s->let.type);
		copy->let.value = clone_or_null(a, s->let.value);
		return copy;
	case STMT_IF:
		copy->if_.cond = expr_clone(a, s->if_.cond);
		copy->if_.then = block_clone(a, s->if_.then);
		copy->if_.other = s->if_.other ? stmt_clone(a, s->if_.other) : NULL;
		copy->if_.parens = s->if_.parens;
		return copy;
	case STMT_FOR:
		copy->for_.var = expr_clone(a, s->for_.var);
		copy->for_.from = clone_or_null(a, s->for_.from);
		copy->for_.to = clone_or_null(a, s->for_.to);
		copy->for_.map = clone_or_null(a, s->for_.map);
		copy->for_.body = block_clone(a, s->for_.body);
		copy->for_.parens = s->for_.parens;
		return copy;
	case STMT_WHILE:
	case STMT_UNROLL:
		copy->loop.cond = expr_clone(a, s->loop.cond);
		copy->loop.body = block_clone(a, s->loop.body);
		copy->loop.parens = s->loop.parens;
		return copy;
	case STMT_BLOCK:
		copy->block = block_clone(a, s->block);
		return copy;
	case STMT_IMPORT:
		copy->import = s->import;
		return copy;
	}
	BUG("statement kind %d", s->kind);
}

struct block *block_clone(struct arena *a, const struct block *b)
{
	struct block *copy = NEW(a, struct block);

	copy->span = b->span;
	copy->height = b->height;
	copy->value_was_stmt = b->value_was_stmt;
	VEC_EACH (s, &b->stmts)
		VEC_PUSH(a, &copy->stmts, stmt_clone(a, *s));
	copy->value = clone_or_null(a, b->value);
	return copy;
}

/* ---- values that nobody takes ------------------------------------------------------------------------------------------ */

/* `e` was a statement: an if whose branches have values, or a block with one. */
static struct stmt *value_to_stmt(struct arena *a, struct expr *e)
{
	struct stmt *s, *first = NULL, **link = &first;

	for (; e->kind == EXPR_IF; e = e->if_.other) {
		s = stmt_new(a, STMT_IF, e->span);
		s->height = e->height;
		s->if_.cond = e->if_.cond;
		s->if_.parens = e->if_.cond->parens;
		s->if_.then = e->if_.then;
		block_drop_value(a, s->if_.then);
		*link = s;
		link = &s->if_.other;
	}
	s = stmt_new(a, STMT_BLOCK, e->span);
	s->height = e->height;
	s->block = e->block;
	block_drop_value(a, s->block);
	*link = s;
	return first;
}

void block_drop_value(struct arena *a, struct block *b)
{
	struct expr *value = b->value;
	struct stmt *s;

	if (!value)
		return;
	b->value = NULL;
	if (b->value_was_stmt) {
		s = value_to_stmt(a, value);
	} else {
		s = stmt_new(a, STMT_EXPR, value->span);
		s->expr = value;
		s->height = (uint16_t)(value->height + 1);
	}
	VEC_PUSH(a, &b->stmts, s);
	if (b->height <= s->height)
		b->height = (uint16_t)(s->height + 1);
}
