/* Calls of macros are replaced by copies of their bodies.
 *
 * One walk does it all: a body's copy is walked with the arguments bound to its parameters; a parameter's use becomes a copy of
 * the argument, which was expanded where the call stands and is not walked again.  So `m(m(1))` is no recursion, while a macro
 * whose body leads back to itself is one.  Variables of a body get names of their own, maps must be passed in. */
#include "lang/macros.h"

#include "lang/ast_walk.h"
#include "lang/words.h"

enum {
	/* All bodies together; macros that call others twice double at each level. */
	MOST_EXPANSIONS = 100000,
	/* Nodes of all arguments that were put in place of parameters; a parameter that is used twice doubles at each level, too. */
	MOST_COPIES = 1000000,
	/* Depth of the tree with all bodies in it, as for a tree as written. */
	MOST_LEVELS = 1000,
};

struct definition {
	const struct macro_node *node;
	bool standard;
	bool define; /* an object-like #define */
};

typedef VEC(struct definition) definition_list;

/* The body being walked: what its parameters mean. */
struct frame {
	struct frame *up;	/* the call stands in that macro's body; NULL: in the script */
	const struct macro_node *macro;
	bool standard;
	bool define;		/* a #define: its names are those of the place where it is used */
	expr_list args;		/* bound to the parameters, already expanded */
	const struct expansion *from;
	struct str prefix;	/* of its own variables */
	struct span call;
};

struct expander {
	struct ast_visitor visitor; /* first: the visitor is cast back */
	struct macros *macros;
	struct frame *frame; /* NULL in the script itself */
	int depth;
	int deepest; /* reached below the node being walked */
	bool failed;
};

static void expand_expr(struct ast_visitor *v, struct expr **slot);
static void expand_stmt(struct ast_visitor *v, struct stmt *s);
static void expand_block(struct ast_visitor *v, struct block *b);
static void expand_type(struct ast_visitor *v, struct type_expr *t);

#define ERROR(x, span, ...)                                                                        \
	do {                                                                                       \
		diag_add((x)->macros->diag, (span), __VA_ARGS__);                                  \
		(x)->failed = true;                                                                \
	} while (0)

/* ---- the definitions ----------------------------------------------------------------------------------------------------- */

struct macros *macros_new(struct arena *a, struct diag *d)
{
	struct macros *m = NEW(a, struct macros);

	m->arena = a;
	m->diag = d;
	m->names.arena = a;
	m->errors = diag_errors(d);
	return m;
}

static bool same_signature(const struct macro_node *a, const struct macro_node *b)
{
	if (a->params.n != b->params.n)
		return false;
	for (int i = 0; i < a->params.n; i++)
		if (a->params.at[i].kind != b->params.at[i].kind)
			return false;
	return true;
}

static void add(struct macros *m, const struct macro_node *node, bool standard, bool define)
{
	definition_list *list = table_get(&m->names, node->name);

	if (!list) {
		list = NEW(m->arena, definition_list);
		table_put(&m->names, node->name, list);
	}
	VEC_EACH (d, list)
		if (d->standard == standard && same_signature(d->node, node)) {
			diag_add(m->diag, node->span, DIAG_MACRO_REDEFINED, STR_ARG(node->name));
			diag_note(m->diag, d->node->span, "the first is here");
			return;
		}
	VEC_PUSH(m->arena, list, (struct definition){node, standard, define});
}

void macros_add(struct macros *m, const struct script *s, bool standard)
{
	VEC_EACH (node, &s->macros)
		add(m, *node, standard, false);
}

/* An object-like #define is a macro without parameters. */
static void add_define(struct macros *m, struct span span, struct str name, struct expr *value)
{
	struct macro_node *node = NEW(m->arena, struct macro_node);

	node->span = span;
	node->name = name;
	node->body = NEW(m->arena, struct block);
	node->body->span = value->span;
	node->body->value = value;
	node->body->height = (uint16_t)(value->height + 1);
	add(m, node, false, true);
}

/* An argument in parentheses is an expression, whatever stands inside. */
static bool fits(const struct param *param, const struct expr *arg)
{
	if (arg->kind == EXPR_RECORD && !arg->parens)
		return false; /* a named argument */
	switch (param->kind) {
	case PARAM_EXPR:
		return true;
	case PARAM_VAR:
		return arg->kind == EXPR_VAR && !arg->parens;
	case PARAM_MAP:
		return arg->kind == EXPR_MAP && !arg->map.key && !arg->parens;
	}
	return false;
}

/* How well a definition fits the arguments: the number of variables and maps by reference; -1: not at all. */
static int fitness(const struct macro_node *node, const expr_list *args)
{
	int n = 0;

	if (node->params.n != args->n)
		return -1;
	for (int i = 0; i < args->n; i++) {
		if (!fits(&node->params.at[i], args->at[i]))
			return -1;
		n += node->params.at[i].kind != PARAM_EXPR;
	}
	return n;
}

static const struct definition *best_of(const definition_list *list, const expr_list *args, bool standard)
{
	const struct definition *best = NULL;
	int best_fitness = -1;

	VEC_EACH (d, list) {
		int n = d->standard == standard ? fitness(d->node, args) : -1;

		if (n > best_fitness) {
			best = d;
			best_fitness = n;
		}
	}
	return best;
}

/* The script's own come first, but the library calls its own. */
static const struct definition *choose(const struct expander *x, const definition_list *list,
				       const expr_list *args)
{
	bool standard = x->frame && x->frame->standard;
	const struct definition *d = best_of(list, args, standard);

	return d ? d : best_of(list, args, !standard);
}

static const char *kind_name(const struct param *param)
{
	return param->kind == PARAM_VAR ? "a variable" : param->kind == PARAM_MAP ? "a map" : "a value";
}

/* No definition takes these arguments: say what each one wants. */
static void no_match(struct expander *x, const struct expr *call, const definition_list *list)
{
	ERROR(x, call->span, DIAG_MACRO_MISMATCH, STR_ARG(call->call.name));
	VEC_EACH (d, list) {
		const struct macro_node *node = d->node;
		const struct param *wrong = NULL;

		if (node->params.n != call->call.args.n) {
			diag_note(x->macros->diag, node->span, "this one takes %d argument%s, %d given",
				  node->params.n, node->params.n == 1 ? "" : "s", call->call.args.n);
			continue;
		}
		for (int i = 0; i < node->params.n && !wrong; i++)
			if (!fits(&node->params.at[i], call->call.args.at[i]))
				wrong = &node->params.at[i];
		if (wrong)
			diag_note(x->macros->diag, wrong->span, "this one wants %s here", kind_name(wrong));
	}
}

/* ---- the walk -------------------------------------------------------------------------------------------------------------- */

/* Nodes of a body's copy belong to this expansion. */
static void place(const struct expander *x, struct span *span)
{
	if (x->frame && span->source)
		span->from = x->frame->from;
}

/* Whose parameters and variables the names here are: the innermost macro's; NULL: the script's. */
static const struct frame *naming_frame(const struct expander *x)
{
	const struct frame *f = x->frame;

	while (f && f->define)
		f = f->up;
	return f;
}

static int param_index(const struct expander *x, int kind, struct str name)
{
	const struct frame *f = naming_frame(x);
	const struct macro_node *macro = f ? f->macro : NULL;

	for (int i = 0; macro && i < macro->params.n; i++)
		if ((int)macro->params.at[i].kind == kind && str_eq(macro->params.at[i].name, name))
			return i;
	return -1;
}

struct counter {
	struct ast_visitor visitor; /* first: the visitor is cast back */
	int nodes;
};

static void count_node(struct ast_visitor *v, struct expr **e)
{
	((struct counter *)(void *)v)->nodes++;
	ast_walk_expr(v, *e);
}

/* Too many copies were made: said once. */
static bool too_many_copies(struct expander *x, struct expr *arg)
{
	struct counter c = {.visitor = {.expr = count_node}};

	if (x->macros->copies <= MOST_COPIES) {
		count_node(&c.visitor, &arg);
		x->macros->copies += c.nodes;
		if (x->macros->copies > MOST_COPIES)
			ERROR(x, x->frame->call, DIAG_MACRO_TOO_MANY);
	}
	return x->macros->copies > MOST_COPIES;
}

/* The argument in place of its parameter.  In parentheses: a variable so passed is a value and cannot be changed. */
static struct expr *argument(struct expander *x, int index)
{
	struct expr *arg = naming_frame(x)->args.at[index];

	if (too_many_copies(x, arg))
		return expr_new(x->macros->arena, EXPR_INT, arg->span);
	arg = expr_clone(x->macros->arena, arg);
	if (x->depth + arg->height > MOST_LEVELS)
		ERROR(x, x->frame->call, DIAG_TOO_DEEP, MOST_LEVELS);
	if (x->deepest < x->depth + arg->height)
		x->deepest = x->depth + arg->height;
	arg->parens = arg->kind != EXPR_RECORD || arg->parens;
	return arg;
}

static void bind_var(struct expander *x, struct expr *e)
{
	const struct frame *f = naming_frame(x);
	int i = param_index(x, PARAM_VAR, e->var.name);

	if (i >= 0)
		e->var.name = f->args.at[i]->var.name;
	else if (f)
		e->var.name = str_printf(x->macros->arena, "%.*s.%.*s", STR_ARG(f->prefix), STR_ARG(e->var.name));
}

static void bind_map(struct expander *x, struct expr *e)
{
	const struct frame *f = naming_frame(x);
	int i = param_index(x, PARAM_MAP, e->map.name);

	if (i >= 0) {
		e->map.name = f->args.at[i]->map.name;
	} else if (f) {
		ERROR(x, e->span, DIAG_MACRO_MAP, STR_ARG(e->map.name));
		diag_hint(x->macros->diag, "pass the map to the macro: macro %.*s(@m) { }",
			  STR_ARG(f->macro->name));
	}
}

static bool calls_itself(struct expander *x, const struct expr *call, const struct macro_node *node)
{
	struct strbuf chain = {.arena = x->macros->arena};
	struct frame *f, *first = NULL;

	for (f = x->frame; f; f = f->up)
		if (f->macro == node)
			first = f;
	if (!first)
		return false;
	strbuf_add(&chain, node->name);
	/* innermost first in the list; the chain reads from the outside in */
	for (f = x->frame; f && f != first; f = f->up) {
		struct strbuf longer = {.arena = x->macros->arena};

		strbuf_printf(&longer, "%.*s -> %.*s", STR_ARG(f->macro->name), STR_ARG(strbuf_str(&chain)));
		chain = longer;
	}
	ERROR(x, call->span, DIAG_MACRO_RECURSION, STR_ARG(node->name));
	diag_hint(x->macros->diag, "%.*s -> %.*s", STR_ARG(node->name), STR_ARG(strbuf_str(&chain)));
	return true;
}

/* Each expansion's variables are told apart; the first one's have the plainest names. */
static struct str variable_prefix(struct expander *x, const struct macro_node *node)
{
	if (x->macros->expansions == 1)
		return node->name;
	return str_printf(x->macros->arena, "%.*s#%d", STR_ARG(node->name), x->macros->expansions);
}

/* The body of `d` in place of `call`, whose arguments are expanded. */
static struct expr *expand_call(struct expander *x, struct expr *call, const struct definition *d,
				expr_list args)
{
	struct arena *a = x->macros->arena;
	struct expansion *from = NEW(a, struct expansion);
	struct frame frame = {.up = x->frame, .macro = d->node, .standard = d->standard, .define = d->define, .args = args,
			      .from = from, .call = call->span};
	struct expr *result = expr_new(a, EXPR_BLOCK, d->node->body->span);

	if (calls_itself(x, call, d->node))
		return call;
	if (++x->macros->expansions > MOST_EXPANSIONS) {
		if (x->macros->expansions == MOST_EXPANSIONS + 1)
			ERROR(x, call->span, DIAG_MACRO_TOO_MANY);
		x->failed = true;
		return call;
	}
	from->call = call->span;
	frame.prefix = variable_prefix(x, d->node);
	x->frame = &frame;
	result->parens = true;
	result->block = block_clone(a, d->node->body);
	place(x, &result->span);
	expand_block(&x->visitor, result->block);
	x->frame = frame.up;
	/* a body that is only a value is that value, and stays a literal when it is one */
	if (!result->block->stmts.n && result->block->value && !result->block->value_was_stmt) {
		result = result->block->value;
		result->parens = true;
	}
	return result;
}

/* A #define becomes a macro when it is first used; false: there is none of this name. */
static bool find_define(struct expander *x, const struct expr *name)
{
	struct span span;
	bool unusable;
	struct expr *value = x->macros->define(x->macros->define_arg, name->name.name, &span, &unusable);

	if (value) {
		add_define(x->macros, span, name->name.name, value);
	} else if (unusable) {
		ERROR(x, name->span, DIAG_C_DEFINE, STR_ARG(name->name.name));
		diag_note(x->macros->diag, span, "it is defined here");
	}
	return value != NULL;
}

/* A call, or a bare name, of a macro. */
static void expand_macro(struct expander *x, struct expr **slot, struct str name, expr_list args)
{
	struct macros *m = x->macros;
	const definition_list *list = table_get(&m->names, name);
	const struct definition *d;
	struct expr *e = *slot;

	if (word_is_reserved(name))
		return;
	if (!list && e->kind == EXPR_NAME && m->define && find_define(x, e))
		list = table_get(&m->names, name);
	if (!list)
		return;
	d = choose(x, list, &args);
	if (d) {
		*slot = expand_call(x, e, d, args);
		return;
	}
	/* `comm(pid)` beside a macro comm(); a bare name may be anything */
	if (e->kind == EXPR_CALL && !word_is_builtin(name))
		no_match(x, e, list);
}

/* Targets of assignments: a parameter that is a value cannot be one. */
static void check_target(struct expander *x, const struct expr *target)
{
	struct span span;

	while (target->kind == EXPR_FIELD || target->kind == EXPR_INDEX)
		target = target->kind == EXPR_FIELD ? target->field.e : target->index.e;
	if (target->kind != EXPR_NAME || param_index(x, PARAM_EXPR, target->name.name) < 0)
		return;
	span = target->span;
	place(x, &span);
	ERROR(x, span, DIAG_MACRO_VALUE, STR_ARG(target->name.name));
	diag_hint(x->macros->diag, "a macro changes what it takes by reference: macro %.*s($x, @m) { }",
		  STR_ARG(x->frame->macro->name));
}

/* sizeof(x), typeof(x) of a parameter: its argument, be it a type or a value. */
static bool bind_type_op(struct expander *x, struct expr *e)
{
	struct type_expr *t = e->type_op.of_type;
	int i = t && t->tag == TAG_NONE && !t->of && !t->of_type && !t->suffixes.n
			? param_index(x, PARAM_EXPR, t->name)
			: -1;

	if (i < 0 || naming_frame(x)->args.at[i]->kind == EXPR_TYPEOF)
		return false;
	e->type_op.of_type = NULL;
	e->type_op.e = argument(x, i);
	return true;
}

static void expand_type(struct ast_visitor *v, struct type_expr *t)
{
	struct expander *x = (struct expander *)v;
	int i = t->tag == TAG_NONE && !t->of && !t->of_type ? param_index(x, PARAM_EXPR, t->name) : -1;

	place(x, &t->span);
	ast_walk_type(v, t);
	if (i < 0)
		return;
	/* a type parameter: typeof(the argument), be it a type or a value */
	if (naming_frame(x)->args.at[i]->kind == EXPR_TYPEOF) {
		struct expr *arg = expr_clone(x->macros->arena, naming_frame(x)->args.at[i]);

		t->of = arg->type_op.e;
		t->of_type = arg->type_op.of_type;
	} else {
		t->of = argument(x, i);
	}
}

static void walk_node(struct expander *x, struct expr **slot)
{
	struct expr *e = *slot;
	int i;

	switch (e->kind) {
	case EXPR_NAME:
		i = param_index(x, PARAM_EXPR, e->name.name);
		if (i >= 0)
			*slot = argument(x, i);
		else
			expand_macro(x, slot, e->name.name, (expr_list){0});
		return;
	case EXPR_VAR:
		bind_var(x, e);
		return;
	case EXPR_MAP:
		bind_map(x, e);
		ast_walk_expr(&x->visitor, e);
		return;
	case EXPR_CALL:
		place(x, &e->call.name_span);
		ast_walk_expr(&x->visitor, e);
		expand_macro(x, slot, e->call.name, e->call.args);
		return;
	case EXPR_INCDEC:
		check_target(x, e->incdec.target);
		break;
	case EXPR_FIELD:
		place(x, &e->field.name_span);
		break;
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPEOF:
		place(x, &e->type_op.path_span);
		if (bind_type_op(x, e))
			return;
		break;
	default:
		break;
	}
	ast_walk_expr(&x->visitor, e);
}

/* One level deeper; heights are measured again on the way back, since arguments are copied by them. */
static int enter(struct expander *x)
{
	int deepest = x->deepest;

	x->deepest = ++x->depth;
	return deepest;
}

static uint16_t leave(struct expander *x, int deepest)
{
	int height = x->deepest - x->depth;

	x->depth--;
	if (x->deepest < deepest)
		x->deepest = deepest;
	return (uint16_t)height;
}

static void expand_expr(struct ast_visitor *v, struct expr **slot)
{
	struct expander *x = (struct expander *)v;
	int deepest;

	place(x, &(*slot)->span);
	if (x->failed)
		return;
	deepest = enter(x);
	if (x->depth > MOST_LEVELS)
		ERROR(x, (*slot)->span, DIAG_TOO_DEEP, MOST_LEVELS);
	else
		walk_node(x, slot);
	(*slot)->height = leave(x, deepest);
}

static void expand_stmt(struct ast_visitor *v, struct stmt *s)
{
	struct expander *x = (struct expander *)v;
	struct expr *before;
	int deepest;

	place(x, &s->span);
	if (x->failed)
		return;
	if (s->kind == STMT_ASSIGN)
		check_target(x, s->assign.target);
	before = s->kind == STMT_EXPR ? s->expr : NULL;
	deepest = enter(x);
	ast_walk_stmt(v, s);
	s->height = leave(x, deepest);
	/* A macro called for what it does: nobody takes the value of its body. */
	if (before && s->expr != before && s->expr->kind == EXPR_BLOCK) {
		struct block *body = s->expr->block;

		block_drop_value(x->macros->arena, body);
		s->kind = STMT_BLOCK;
		s->block = body;
	}
}

static void expand_block(struct ast_visitor *v, struct block *b)
{
	struct expander *x = (struct expander *)v;

	int deepest;

	place(x, &b->span);
	deepest = enter(x);
	ast_walk_block(v, b);
	b->height = leave(x, deepest);
}

static void expand_body(struct expander *x, struct block *b)
{
	x->failed = false; /* one error per body: what follows from it is not shown */
	expand_block(&x->visitor, b);
}

bool macros_expand(struct macros *m, struct script *s)
{
	struct expander x = {.visitor = {expand_expr, expand_stmt, expand_block, expand_type}, .macros = m};
	VEC_EACH (decl, &s->map_decls) {
		x.failed = false;
		expand_expr(&x.visitor, &decl->max_entries);
	}
	VEC_EACH (fn, &s->fns)
		expand_body(&x, (*fn)->body);
	VEC_EACH (probe, &s->probes) {
		x.failed = false;
		if ((*probe)->predicate)
			expand_expr(&x.visitor, &(*probe)->predicate);
		expand_body(&x, (*probe)->body);
	}
	return diag_errors(m->diag) == m->errors;
}
