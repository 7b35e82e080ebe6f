/* The constructors that the grammar's actions call: statements, blocks and top-level items.
 *
 * Whether a block's last line is its value is known only when the block's use is known.  So every block is first built as if
 * somebody wanted its value, and build_body() takes that back for bodies of probes, loops and functions. */
#include "lang/build.h"
#include "lang/words.h"

static struct stmt *new_stmt(struct parser *p, struct span span, enum stmt_kind kind)
{
	return stmt_new(p->arena, kind, span);
}

static void over(struct parser *p, struct stmt *s, int height)
{
	build_raise(p, s->span, &s->height, height);
}

struct stmt *build_expr_stmt(struct parser *p, struct span span, struct expr *e)
{
	struct stmt *s = new_stmt(p, span, STMT_EXPR);

	s->expr = e;
	over(p, s, e->height);
	return s;
}

struct stmt *build_assign(struct parser *p, struct span span, struct expr *target, int op,
			  struct expr *value)
{
	struct stmt *s;

	if (op < 0 && target->kind == EXPR_NAME && str_is(target->name.name, "_")) {
		s = new_stmt(p, span, STMT_DISCARD);
		s->expr = value;
	} else {
		s = new_stmt(p, span, STMT_ASSIGN);
		s->assign.target = target;
		s->assign.compound = op >= 0;
		s->assign.op = op >= 0 ? (enum binary_op)op : BINARY_ADD;
		s->assign.value = value;
	}
	over(p, s, target->height);
	over(p, s, value->height);
	return s;
}

struct stmt *build_let(struct parser *p, struct span span, struct expr *var, struct type_expr *type,
		       struct expr *value)
{
	struct stmt *s = new_stmt(p, span, STMT_LET);

	s->let.var = var;
	s->let.type = type;
	s->let.value = value;
	over(p, s, type ? type->height : 0);
	over(p, s, value ? value->height : 0);
	return s;
}

struct stmt *build_jump(struct parser *p, struct span span, enum stmt_kind kind, struct expr *value)
{
	struct stmt *s = new_stmt(p, span, kind);

	s->expr = value;
	over(p, s, value ? value->height : 0);
	return s;
}

struct stmt *build_import_stmt(struct parser *p, struct span span, struct str path)
{
	struct stmt *s = new_stmt(p, span, STMT_IMPORT);
	struct import_node import = {.span = span, .path = path};

	s->import = path;
	VEC_PUSH(p->arena, &p->script->block_imports, import);
	return s;
}

struct stmt *build_if(struct parser *p, struct span span, struct expr *cond, struct block *then,
		      struct stmt *other)
{
	struct stmt *s = new_stmt(p, span, STMT_IF);

	if (!other)
		s->span.end = then->span.end; /* not the empty rule's place behind blanks */
	s->if_.cond = cond;
	s->if_.then = then;
	s->if_.other = other;
	s->if_.parens = cond->parens;
	over(p, s, cond->height);
	over(p, s, then->height);
	over(p, s, other ? other->height : 0);
	return s;
}

struct stmt *build_loop(struct parser *p, struct span span, enum stmt_kind kind, struct expr *cond,
			struct block *body)
{
	struct stmt *s = new_stmt(p, span, kind);

	s->loop.cond = cond;
	s->loop.body = body;
	s->loop.parens = cond->parens;
	over(p, s, cond->height);
	over(p, s, body->height);
	return s;
}

struct stmt *build_for(struct parser *p, struct span span, struct expr *var, struct expr *from,
		       struct expr *to)
{
	struct stmt *s = new_stmt(p, span, STMT_FOR);

	s->for_.var = var;
	if (to) {
		s->for_.from = from;
		s->for_.to = to;
		over(p, s, to->height);
	} else if (from->kind == EXPR_MAP && !from->map.key) {
		s->for_.map = from;
	} else {
		PARSE_ERROR(p, from->span, DIAG_BAD_FOR);
		PARSE_HINT(p, "for ($i : 0..10) { } or for ($kv : @map) { }");
		s->for_.map = from;
	}
	over(p, s, from->height);
	return s;
}

struct stmt *build_for_body(struct parser *p, struct span span, struct stmt *s, struct block *body,
			    bool parens)
{
	s->span = span;
	s->for_.body = body;
	s->for_.parens = parens;
	over(p, s, body->height);
	return s;
}

struct stmt *build_block_stmt(struct parser *p, struct span span, struct block *b)
{
	struct stmt *s = new_stmt(p, span, STMT_BLOCK);

	s->block = b;
	over(p, s, b->height);
	return s;
}

/* ---- blocks and their values ---- */

/* Do all ways through this if or block give a value? */
static bool has_value(const struct stmt *s)
{
	for (; s && s->kind == STMT_IF; s = s->if_.other)
		if (!s->if_.then->value)
			return false;
	return s && s->kind == STMT_BLOCK && s->block->value;
}

static struct expr *stmt_to_value(struct parser *p, struct stmt *s)
{
	struct expr *e, *first = NULL, **link = &first;

	for (; s->kind == STMT_IF; s = s->if_.other) {
		e = build_if_expr(p, s->span, s->if_.cond, s->if_.then, NULL);
		e->height = s->height;
		*link = e;
		link = &e->if_.other;
	}
	*link = build_block_expr(p, s->span, s->block);
	return first;
}

/* Nobody takes the value of this if or block. */
static void discard_stmt_value(struct parser *p, struct stmt *s)
{
	for (; s && s->kind == STMT_IF; s = s->if_.other)
		block_drop_value(p->arena, s->if_.then);
	if (s && s->kind == STMT_BLOCK)
		block_drop_value(p->arena, s->block);
}

struct block *build_block_new(struct parser *p)
{
	return NEW(p->arena, struct block);
}

void build_block_add(struct parser *p, struct block *b, struct stmt *s, bool semicolon)
{
	struct stmt *last = b->stmts.n ? b->stmts.at[b->stmts.n - 1] : NULL;

	/* What is not last, or ends with ';', is not the block's value. */
	if (last && (last->kind == STMT_IF || last->kind == STMT_BLOCK)) {
		discard_stmt_value(p, last);
		last->semicolon = last->semicolon || !s;
	}
	if (!s)
		return;
	s->semicolon = semicolon;
	VEC_PUSH(p->arena, &b->stmts, s);
	build_raise(p, s->span, &b->height, s->height);
}

struct block *build_block(struct parser *p, struct span span, struct block *b, struct stmt *last)
{
	struct stmt *tail;

	b->span = span;
	if (last && last->kind == STMT_EXPR) {
		build_block_add(p, b, NULL, false);
		b->value = last->expr;
		build_raise(p, span, &b->height, last->height);
		return b;
	}
	if (last) {
		build_block_add(p, b, last, false);
		return b;
	}
	tail = b->stmts.n ? b->stmts.at[b->stmts.n - 1] : NULL;
	if (!tail || tail->semicolon || (tail->kind != STMT_IF && tail->kind != STMT_BLOCK))
		return b;
	if (has_value(tail)) {
		b->stmts.n--;
		b->value = stmt_to_value(p, tail);
		b->value_was_stmt = true;
	} else {
		discard_stmt_value(p, tail);
	}
	return b;
}

struct block *build_body(struct parser *p, struct block *b)
{
	block_drop_value(p->arena, b);
	return b;
}

/* ---- top-level items ---- */

/* Something that must stand before probes, macros and functions comes after one. */
static bool after_code(const struct parser *p)
{
	const struct script *s = p->script;

	return s->probes.n || s->macros.n || s->fns.n || s->map_decls.n;
}

void build_c_text(struct parser *p, struct span span)
{
	struct c_text c = {span, parser_text(p, span)};

	if (after_code(p)) {
		span.end = span.begin + (uint32_t)str_find(c.text, '\n');
		PARSE_ERROR(p, span, DIAG_C_AFTER_PROBES);
	}
	VEC_PUSH(p->arena, &p->script->c_texts, c);
}

void build_config(struct parser *p, struct span span)
{
	if (p->script->has_config) {
		PARSE_ERROR(p, span, DIAG_DUPLICATE_CONFIG);
		PARSE_NOTE(p, p->script->config_span, "the first is here");
	} else if (after_code(p)) {
		PARSE_ERROR(p, span, DIAG_CONFIG_AFTER_PROBES);
	}
	p->script->has_config = true;
	p->script->config_span = span;
}

void build_config_entry(struct parser *p, struct span span, struct str key, struct span value_span,
			struct str value, bool quoted)
{
	struct config_entry entry = {.span = span, .value_span = value_span, .key = key, .value = value,
				     .quoted = quoted};

	VEC_PUSH(p->arena, &p->script->config, entry);
}

void build_import(struct parser *p, struct span span, struct str path)
{
	struct import_node import = {span, path};

	if (after_code(p))
		PARSE_ERROR(p, span, DIAG_IMPORT_AFTER_PROBES);
	VEC_PUSH(p->arena, &p->script->imports, import);
}

void build_map_decl(struct parser *p, struct span span, struct str name, struct str kind,
		    struct span kind_span, struct expr *max)
{
	struct map_decl_node decl = {.span = span, .name = name, .kind = kind, .kind_span = kind_span,
				     .max_entries = max};

	VEC_PUSH(p->arena, &p->script->map_decls, decl);
}

void build_attach(struct parser *p, struct span span, struct attach_token token)
{
	struct attach_text attach = {.text = token.text, .user_name = token.user_name};

	attach.span = span;
	attach.span.begin = span.end - (uint32_t)token.text.n;
	VEC_PUSH(p->arena, &p->attach, attach);
}

void build_forget(struct parser *p)
{
	p->attach.n = p->params.n = 0;
}

/* Hand a list over and start a new one. */
#define TAKE_LIST(to, from)                                                                        \
	do {                                                                                       \
		(to)->at = (from)->at;                                                             \
		(to)->n = (from)->n;                                                               \
		(to)->cap = (from)->cap;                                                           \
		memset((from), 0, sizeof(*(from)));                                                \
	} while (0)

void build_probe(struct parser *p, struct span span, struct span head, bool alternatives,
		 struct expr *predicate, struct block *body)
{
	struct probe_node *probe = NEW(p->arena, struct probe_node);
	uint16_t height = 0;

	probe->span = span;
	probe->head = head;
	TAKE_LIST(&probe->attach, &p->attach);
	probe->alternatives = alternatives;
	probe->predicate = predicate;
	probe->body = body;
	build_raise(p, span, &height, predicate ? predicate->height : 0);
	VEC_PUSH(p->arena, &p->script->probes, probe);
}

void build_param(struct parser *p, struct span span, int sigil, struct str name,
		 struct type_expr *type)
{
	struct param param = {.span = span, .name = name, .type = type};

	param.kind = sigil == '$' ? PARAM_VAR : sigil == '@' ? PARAM_MAP : PARAM_EXPR;
	if (!sigil && word_is_reserved(name))
		PARSE_ERROR(p, span, DIAG_RESERVED_PARAMETER, STR_ARG(name));
	VEC_EACH (earlier, &p->params)
		if (earlier->kind == param.kind && str_eq(earlier->name, name))
			PARSE_ERROR(p, span, DIAG_DUPLICATE_PARAMETER,
				    STR_ARG(str_sub(parser_text(p, earlier->span), 0, name.n + (sigil ? 1 : 0))));
	VEC_PUSH(p->arena, &p->params, param);
}

void build_macro(struct parser *p, struct span span, struct str name, struct block *body)
{
	struct macro_node *macro = NEW(p->arena, struct macro_node);

	macro->span = span;
	macro->name = name;
	TAKE_LIST(&macro->params, &p->params);
	macro->body = body;
	VEC_PUSH(p->arena, &p->script->macros, macro);
}

void build_fn(struct parser *p, struct span span, struct str name, struct type_expr *result,
	      struct block *body)
{
	struct fn_node *fn = NEW(p->arena, struct fn_node);

	fn->span = span;
	fn->name = name;
	TAKE_LIST(&fn->params, &p->params);
	fn->result = result;
	fn->body = body;
	VEC_PUSH(p->arena, &p->script->fns, fn);
}
