/* The one place that knows which children each kind of node has. */
#include "lang/ast_walk.h"

#include "lang/support/bug.h"

static void visit(struct ast_visitor *v, struct expr **e)
{
	if (*e)
		v->expr(v, e);
}

static void visit_list(struct ast_visitor *v, expr_list *list)
{
	VEC_EACH (e, list)
		visit(v, e);
}

static void visit_block(struct ast_visitor *v, struct block *b)
{
	if (!b)
		return;
	if (v->block)
		v->block(v, b);
	else
		ast_walk_block(v, b);
}

static void visit_stmt(struct ast_visitor *v, struct stmt *s)
{
	if (!s)
		return;
	if (v->stmt)
		v->stmt(v, s);
	else
		ast_walk_stmt(v, s);
}

static void visit_type(struct ast_visitor *v, struct type_expr *t)
{
	if (t && v->type)
		v->type(v, t);
}

void ast_walk_type(struct ast_visitor *v, struct type_expr *t)
{
	visit(v, &t->of);
	visit_type(v, t->of_type);
	VEC_EACH (s, &t->suffixes)
		visit(v, &s->count);
}

void ast_walk_expr(struct ast_visitor *v, struct expr *e)
{
	switch (e->kind) {
	case EXPR_INT:
	case EXPR_BOOL:
	case EXPR_STRING:
	case EXPR_POSITIONAL:
	case EXPR_POSITIONAL_COUNT:
	case EXPR_NAME:
	case EXPR_VAR:
		return;
	case EXPR_MAP:
		visit(v, &e->map.key);
		return;
	case EXPR_CALL:
		visit_list(v, &e->call.args);
		return;
	case EXPR_UNARY:
		visit(v, &e->unary.e);
		return;
	case EXPR_INCDEC:
		visit(v, &e->incdec.target);
		return;
	case EXPR_BINARY:
		visit(v, &e->binary.left);
		visit(v, &e->binary.right);
		return;
	case EXPR_TERNARY:
		visit(v, &e->ternary.cond);
		visit(v, &e->ternary.then);
		visit(v, &e->ternary.other);
		return;
	case EXPR_FIELD:
		visit(v, &e->field.e);
		return;
	case EXPR_TUPLE_AT:
		visit(v, &e->tuple_at.e);
		return;
	case EXPR_INDEX:
		visit(v, &e->index.e);
		visit(v, &e->index.index);
		return;
	case EXPR_CAST:
		visit_type(v, e->cast.written);
		visit(v, &e->cast.e);
		return;
	case EXPR_TUPLE:
	case EXPR_RECORD:
		visit_list(v, &e->tuple.elems);
		return;
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPEOF:
		visit(v, &e->type_op.e);
		visit_type(v, e->type_op.of_type);
		return;
	case EXPR_COMPTIME:
		visit(v, &e->comptime);
		return;
	case EXPR_BLOCK:
		visit_block(v, e->block);
		return;
	case EXPR_IF:
		visit(v, &e->if_.cond);
		visit_block(v, e->if_.then);
		visit(v, &e->if_.other);
		return;
	}
	BUG("expression kind %d", e->kind);
}

void ast_walk_stmt(struct ast_visitor *v, struct stmt *s)
{
	switch (s->kind) {
	case STMT_EXPR:
	case STMT_DISCARD:
	case STMT_RETURN:
		visit(v, &s->expr);
		return;
	case STMT_ASSIGN:
		visit(v, &s->assign.target);
		visit(v, &s->assign.value);
		return;
	case STMT_LET:
		visit(v, &s->let.var);
		visit_type(v, s->let.type);
		visit(v, &s->let.value);
		return;
	case STMT_IF:
		visit(v, &s->if_.cond);
		visit_block(v, s->if_.then);
		visit_stmt(v, s->if_.other);
		return;
	case STMT_FOR:
		visit(v, &s->for_.var);
		visit(v, &s->for_.from);
		visit(v, &s->for_.to);
		visit(v, &s->for_.map);
		visit_block(v, s->for_.body);
		return;
	case STMT_WHILE:
	case STMT_UNROLL:
		visit(v, &s->loop.cond);
		visit_block(v, s->loop.body);
		return;
	case STMT_BREAK:
	case STMT_CONTINUE:
	case STMT_IMPORT:
		return;
	case STMT_BLOCK:
		visit_block(v, s->block);
		return;
	}
	BUG("statement kind %d", s->kind);
}

void ast_walk_block(struct ast_visitor *v, struct block *b)
{
	VEC_EACH (s, &b->stmts)
		visit_stmt(v, *s);
	visit(v, &b->value);
}
