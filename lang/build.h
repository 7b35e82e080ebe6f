/* Constructors called by the grammar's actions (build.c, build_stmt.c).  They link nodes and keep their heights. */
#ifndef WT_BUILD_H
#define WT_BUILD_H

#include "lang/parser_state.h"

struct expr *build_int(struct parser *p, struct span span, struct integer_token token);
struct expr *build_string(struct parser *p, struct span span, struct string_token token);
struct expr *build_bool(struct parser *p, struct span span, bool value);
struct expr *build_name(struct parser *p, struct span span, struct str name);
struct expr *build_var(struct parser *p, struct span span, struct str name);
struct expr *build_map(struct parser *p, struct span span, struct str name, expr_list *keys);
struct expr *build_positional(struct parser *p, struct span span, uint64_t n);
struct expr *build_call(struct parser *p, struct span span, struct str name, struct span name_span,
			expr_list args);
struct expr *build_named_arg(struct parser *p, struct span span, struct str name, struct expr *e);
struct expr *build_unary(struct parser *p, struct span span, enum unary_op op, struct expr *e);
struct expr *build_incdec(struct parser *p, struct span span, struct expr *e, bool increment,
			  bool prefix);
struct expr *build_binary(struct parser *p, struct span span, enum binary_op op, struct expr *left,
			  struct expr *right);
struct expr *build_ternary(struct parser *p, struct span span, struct expr *cond, struct expr *then,
			   struct expr *other);
struct expr *build_field(struct parser *p, struct span span, struct expr *e, struct str name,
			 struct span name_span, bool arrow);
struct expr *build_tuple_at(struct parser *p, struct span span, struct expr *e, uint64_t at);
struct expr *build_index(struct parser *p, struct span span, struct expr *e, struct expr *index);
struct expr *build_cast(struct parser *p, struct span span, struct type_expr *type, struct expr *e);
struct expr *build_parens(struct expr *e);
struct expr *build_tuple(struct parser *p, struct span span, expr_list elems);
/* `record` NULL: a new one. */
struct expr *build_record(struct parser *p, struct span span, struct expr *record, struct str name,
			  struct expr *e);
/* One of `e` and `type` is set. */
struct expr *build_type_op(struct parser *p, struct span span, enum expr_kind kind, struct expr *e,
			   struct type_expr *type);
struct expr *build_comptime(struct parser *p, struct span span, struct expr *e);
struct expr *build_block_expr(struct parser *p, struct span span, struct block *b);
struct expr *build_if_expr(struct parser *p, struct span span, struct expr *cond,
			   struct block *then, struct expr *other);

struct type_expr *build_type(struct parser *p, struct span span, enum type_tag tag,
			     struct str name);
struct type_expr *build_typeof(struct parser *p, struct span span, struct expr *e,
			       struct type_expr *type);
struct type_expr *build_pointer(struct parser *p, struct span span, struct type_expr *t);
struct type_expr *build_array(struct parser *p, struct span span, struct type_expr *t,
			      struct expr *count);

struct stmt *build_expr_stmt(struct parser *p, struct span span, struct expr *e);
/* `op` < 0: plain '='. */
struct stmt *build_assign(struct parser *p, struct span span, struct expr *target, int op,
			  struct expr *value);
struct stmt *build_let(struct parser *p, struct span span, struct expr *var, struct type_expr *type,
		       struct expr *value);
struct stmt *build_jump(struct parser *p, struct span span, enum stmt_kind kind,
			struct expr *value);
struct stmt *build_import_stmt(struct parser *p, struct span span, struct str path);
struct stmt *build_if(struct parser *p, struct span span, struct expr *cond, struct block *then,
		      struct stmt *other);
struct stmt *build_loop(struct parser *p, struct span span, enum stmt_kind kind, struct expr *cond,
			struct block *body);
/* What stands between `for` and its block; `to` NULL: a map. */
struct stmt *build_for(struct parser *p, struct span span, struct expr *var, struct expr *from,
		       struct expr *to);
struct stmt *build_for_body(struct parser *p, struct span span, struct stmt *s, struct block *body,
			    bool parens);
struct stmt *build_block_stmt(struct parser *p, struct span span, struct block *b);

/* A block collects its statements; build_block() closes it, `last` is a statement without ';' or NULL. */
struct block *build_block_new(struct parser *p);
void build_block_add(struct parser *p, struct block *b, struct stmt *s, bool semicolon);
struct block *build_block(struct parser *p, struct span span, struct block *b, struct stmt *last);
/* The block is a body whose value nobody takes: its trailing expression becomes a statement. */
struct block *build_body(struct parser *p, struct block *b);

void build_c_text(struct parser *p, struct span span);
void build_config(struct parser *p, struct span span);
void build_config_entry(struct parser *p, struct span span, struct str key, struct span value_span,
			struct str value, bool quoted);
void build_import(struct parser *p, struct span span, struct str path);
void build_map_decl(struct parser *p, struct span span, struct str name, struct str kind,
		    struct span kind_span, struct expr *max);
void build_attach(struct parser *p, struct span span, struct attach_token token);
void build_probe(struct parser *p, struct span span, struct span head, bool alternatives,
		 struct expr *predicate, struct block *body);
/* An item had errors: forget its attach points and parameters. */
void build_forget(struct parser *p);
/* `sigil` is '$', '@' or 0. */
void build_param(struct parser *p, struct span span, int sigil, struct str name,
		 struct type_expr *type);
void build_macro(struct parser *p, struct span span, struct str name, struct block *body);
void build_fn(struct parser *p, struct span span, struct str name, struct type_expr *result,
	      struct block *body);

/* A node at `span` stands above one of height `child`.  A tree that gets too high is an error. */
void build_raise(struct parser *p, struct span span, uint16_t *height, int child);

#endif
