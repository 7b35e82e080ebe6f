/* The constructors that the grammar's actions call: expressions and types.  Statements and items: build_stmt.c. */
#include "lang/build.h"

void build_raise(struct parser *p, struct span span, uint16_t *height, int child)
{
	if (child < *height)
		return;
	if (child >= MAX_NESTING) {
		PARSE_ERROR(p, span, DIAG_TOO_DEEP, MAX_NESTING);
		p->stopped = true;
		child = MAX_NESTING - 1;
	}
	*height = (uint16_t)(child + 1);
}

/* The new node stands above `child`, which may be NULL. */
static void over(struct parser *p, struct expr *e, const struct expr *child)
{
	if (child)
		build_raise(p, e->span, &e->height, child->height);
}

static void over_all(struct parser *p, struct expr *e, const expr_list *list)
{
	VEC_EACH (child, list)
		over(p, e, *child);
}

struct expr *build_int(struct parser *p, struct span span, struct integer_token token)
{
	struct expr *e = expr_int(p->arena, span, token.value);

	e->integer.text = token.text;
	return e;
}

struct expr *build_string(struct parser *p, struct span span, struct string_token token)
{
	struct expr *e = expr_string(p->arena, span, token.text);

	e->string.written = token.written;
	return e;
}

struct expr *build_bool(struct parser *p, struct span span, bool value)
{
	struct expr *e = expr_new(p->arena, EXPR_BOOL, span);

	e->boolean = value;
	e->is_literal = true;
	return e;
}

struct expr *build_name(struct parser *p, struct span span, struct str name)
{
	struct expr *e = expr_new(p->arena, EXPR_NAME, span);

	e->name.name = name;
	return e;
}

struct expr *build_var(struct parser *p, struct span span, struct str name)
{
	struct expr *e = expr_new(p->arena, EXPR_VAR, span);

	e->var.name = name;
	return e;
}

struct expr *build_positional(struct parser *p, struct span span, uint64_t n)
{
	struct expr *e = expr_new(p->arena, EXPR_POSITIONAL, span);

	e->positional = n;
	return e;
}

struct expr *build_map(struct parser *p, struct span span, struct str name, expr_list *keys)
{
	struct expr *e = expr_new(p->arena, EXPR_MAP, span);

	e->map.name = name;
	if (!keys)
		return e;
	if (keys->n == 1) {
		e->map.key = keys->at[0];
	} else {
		struct span inside = keys->at[0]->span;

		inside.end = keys->at[keys->n - 1]->span.end;
		e->map.key = expr_new(p->arena, EXPR_TUPLE, inside);
		e->map.key->tuple.elems = *keys;
		e->map.key_list = true;
		over_all(p, e->map.key, keys);
	}
	over(p, e, e->map.key);
	return e;
}

struct expr *build_call(struct parser *p, struct span span, struct str name, struct span name_span,
			expr_list args)
{
	struct expr *e = expr_call(p->arena, span, name);

	e->call.args = args;
	e->call.parens = true;
	e->call.name_span = name_span;
	over_all(p, e, &args);
	return e;
}

struct expr *build_named_arg(struct parser *p, struct span span, struct str name, struct expr *value)
{
	struct expr *e = expr_new(p->arena, EXPR_RECORD, span);

	VEC_PUSH(p->arena, &e->tuple.elems, value);
	VEC_PUSH(p->arena, &e->tuple.names, name);
	over(p, e, value);
	return e;
}

struct expr *build_unary(struct parser *p, struct span span, enum unary_op op, struct expr *operand)
{
	struct expr *e = expr_new(p->arena, EXPR_UNARY, span);

	e->unary.op = op;
	e->unary.e = operand;
	over(p, e, operand);
	return e;
}

struct expr *build_incdec(struct parser *p, struct span span, struct expr *target, bool increment,
			  bool prefix)
{
	struct expr *e = expr_new(p->arena, EXPR_INCDEC, span);

	e->incdec.target = target;
	e->incdec.increment = increment;
	e->incdec.prefix = prefix;
	e->incdec.value_used = true;
	over(p, e, target);
	return e;
}

struct expr *build_binary(struct parser *p, struct span span, enum binary_op op, struct expr *left,
			  struct expr *right)
{
	struct expr *e = expr_new(p->arena, EXPR_BINARY, span);

	e->binary.op = op;
	e->binary.left = left;
	e->binary.right = right;
	over(p, e, left);
	over(p, e, right);
	return e;
}

struct expr *build_ternary(struct parser *p, struct span span, struct expr *cond, struct expr *then,
			   struct expr *other)
{
	struct expr *e = expr_new(p->arena, EXPR_TERNARY, span);

	e->ternary.cond = cond;
	e->ternary.then = then;
	e->ternary.other = other;
	over(p, e, cond);
	over(p, e, then);
	over(p, e, other);
	return e;
}

struct expr *build_field(struct parser *p, struct span span, struct expr *of, struct str name,
			 struct span name_span, bool arrow)
{
	struct expr *e = expr_new(p->arena, EXPR_FIELD, span);

	e->field.e = of;
	e->field.name = name;
	e->field.name_span = name_span;
	e->field.arrow = arrow;
	over(p, e, of);
	return e;
}

struct expr *build_tuple_at(struct parser *p, struct span span, struct expr *of, uint64_t at)
{
	struct expr *e = expr_new(p->arena, EXPR_TUPLE_AT, span);

	if (of->kind == EXPR_INT && !of->parens) {
		PARSE_ERROR(p, span, DIAG_SYNTAX, "there are no numbers with a fraction");
		PARSE_HINT(p, "a range is written with two dots: 0..5");
	}
	e->tuple_at.e = of;
	e->tuple_at.at = at;
	over(p, e, of);
	return e;
}

struct expr *build_index(struct parser *p, struct span span, struct expr *of, struct expr *index)
{
	struct expr *e = expr_new(p->arena, EXPR_INDEX, span);

	e->index.e = of;
	e->index.index = index;
	over(p, e, of);
	over(p, e, index);
	return e;
}

struct expr *build_cast(struct parser *p, struct span span, struct type_expr *type,
			struct expr *operand)
{
	struct expr *e = expr_new(p->arena, EXPR_CAST, span);

	e->cast.written = type;
	e->cast.e = operand;
	build_raise(p, span, &e->height, type->height);
	over(p, e, operand);
	return e;
}

struct expr *build_parens(struct expr *e)
{
	e->parens = true;
	return e;
}

struct expr *build_tuple(struct parser *p, struct span span, expr_list elems)
{
	struct expr *e = expr_new(p->arena, EXPR_TUPLE, span);

	e->parens = true;
	e->tuple.elems = elems;
	over_all(p, e, &elems);
	return e;
}

struct expr *build_record(struct parser *p, struct span span, struct expr *record, struct str name,
			  struct expr *value)
{
	if (!record)
		record = expr_new(p->arena, EXPR_RECORD, span);
	VEC_PUSH(p->arena, &record->tuple.elems, value);
	VEC_PUSH(p->arena, &record->tuple.names, name);
	record->span = span;
	over(p, record, value);
	return record;
}

struct expr *build_type_op(struct parser *p, struct span span, enum expr_kind kind,
			   struct expr *operand, struct type_expr *type)
{
	struct expr *e = expr_new(p->arena, kind, span);

	e->type_op.e = operand;
	e->type_op.of_type = type;
	over(p, e, operand);
	if (type)
		build_raise(p, span, &e->height, type->height);
	return e;
}

struct expr *build_comptime(struct parser *p, struct span span, struct expr *operand)
{
	struct expr *e = expr_new(p->arena, EXPR_COMPTIME, span);

	e->comptime = operand;
	over(p, e, operand);
	return e;
}

struct expr *build_block_expr(struct parser *p, struct span span, struct block *b)
{
	struct expr *e = expr_new(p->arena, EXPR_BLOCK, span);

	e->block = b;
	build_raise(p, span, &e->height, b->height);
	return e;
}

struct expr *build_if_expr(struct parser *p, struct span span, struct expr *cond,
			   struct block *then, struct expr *other)
{
	struct expr *e = expr_new(p->arena, EXPR_IF, span);

	e->if_.cond = cond;
	e->if_.then = then;
	e->if_.other = other;
	over(p, e, cond);
	over(p, e, other);
	build_raise(p, span, &e->height, then->height);
	return e;
}

/* ---- types ---- */

struct type_expr *build_type(struct parser *p, struct span span, enum type_tag tag, struct str name)
{
	struct type_expr *t = NEW(p->arena, struct type_expr);

	t->span = span;
	t->tag = tag;
	t->name = name;
	return t;
}

struct type_expr *build_typeof(struct parser *p, struct span span, struct expr *e,
			       struct type_expr *type)
{
	struct type_expr *t = build_type(p, span, TAG_NONE, (struct str){"", 0});

	t->of = e;
	t->of_type = type;
	build_raise(p, span, &t->height, e ? e->height : type->height);
	return t;
}

struct type_expr *build_pointer(struct parser *p, struct span span, struct type_expr *t)
{
	t->span = span;
	VEC_PUSH(p->arena, &t->suffixes, (struct type_suffix){.kind = SUFFIX_POINTER});
	return t;
}

struct type_expr *build_array(struct parser *p, struct span span, struct type_expr *t,
			      struct expr *count)
{
	t->span = span;
	VEC_PUSH(p->arena, &t->suffixes, (struct type_suffix){SUFFIX_ARRAY, count});
	if (count)
		build_raise(p, span, &t->height, count->height);
	return t;
}
