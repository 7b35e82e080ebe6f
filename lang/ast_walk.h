/* Walking a tree without a switch of one's own: each function calls the visitor for the direct children of a node. */
#ifndef WT_AST_WALK_H
#define WT_AST_WALK_H

#include "lang/ast.h"

/* What to do with a child.  `expr` gets the place where the child hangs, so that it can be replaced; it calls
 * ast_walk_expr() itself to go deeper.  A NULL slot: go deeper (block), or leave alone (type). */
struct ast_visitor {
	void (*expr)(struct ast_visitor *v, struct expr **e);
	void (*stmt)(struct ast_visitor *v, struct stmt *s);
	void (*block)(struct ast_visitor *v, struct block *b);
	void (*type)(struct ast_visitor *v, struct type_expr *t);
};

void ast_walk_expr(struct ast_visitor *v, struct expr *e);
void ast_walk_stmt(struct ast_visitor *v, struct stmt *s);
void ast_walk_block(struct ast_visitor *v, struct block *b);
void ast_walk_type(struct ast_visitor *v, struct type_expr *t);

#endif
