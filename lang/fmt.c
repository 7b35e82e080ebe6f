/* A script in canonical form: items, statements, and where comments and blank lines go.
 *
 * Comments are woven in by their place in the source.  One that stands behind something on its line stays there; one inside an
 * expression moves to the end of its statement; all others get lines of their own.  One blank line is kept where there were
 * any. */
#include "lang/fmt.h"

#include <stdlib.h>

#include "lang/fmt_internal.h"
#include "lang/support/bug.h"

static void print_stmt(struct printer *p, const struct stmt *s);

void fmt_add(struct printer *p, const char *text)
{
	strbuf_add(p->out, str_of(text));
}

void fmt_str(struct printer *p, struct str text)
{
	strbuf_add(p->out, text);
}

void fmt_newline(struct printer *p)
{
	strbuf_addc(p->out, '\n');
	for (int i = 0; i < p->indent; i++)
		fmt_add(p, "  ");
}

static struct str source_text(const struct printer *p, struct span span)
{
	return str_sub(p->script->source->text, span.begin, span.end - span.begin);
}

static int line_of(const struct printer *p, uint32_t offset)
{
	return source_place(p->script->source, offset).line;
}

/* Line of the last byte of what was printed last. */
static int last_line(const struct printer *p)
{
	return line_of(p, p->before ? p->before - 1 : 0);
}

/* ---- comments and blank lines ---------------------------------------------------------------------------------------- */

static const struct comment *next_comment(const struct printer *p, uint32_t before)
{
	const struct comment *c;

	if (p->comment >= p->script->comments.n)
		return NULL;
	c = &p->script->comments.at[p->comment];
	return c->span.begin < before ? c : NULL;
}

static void print_comment(struct printer *p, const struct comment *c)
{
	size_t n = c->text.n;

	while (n && (c->text.s[n - 1] == '\r' || c->text.s[n - 1] == ' ' || c->text.s[n - 1] == '\t'))
		n--;
	fmt_str(p, str_sub(c->text, 0, n));
	if (p->before < c->span.end)
		p->before = c->span.end;
	p->comment++;
}

/* What starts at `begin` comes next: a new line, after a blank one if there was one in the source. */
static void next_line(struct printer *p, uint32_t begin, bool first)
{
	int indent = p->indent;

	if (!first && line_of(p, begin) > last_line(p) + 1) {
		p->indent = 0;
		fmt_newline(p);
		p->indent = indent;
	}
	fmt_newline(p);
}

/* Comments inside of what was just printed, and those that follow it on its last line. */
static void trailing_comments(struct printer *p, uint32_t limit)
{
	const struct comment *c;

	while ((c = next_comment(p, limit)) &&
	       (c->span.begin < p->before || line_of(p, c->span.begin) == last_line(p))) {
		bool to_line_end = c->text.n > 1 && c->text.s[1] == '/';

		fmt_add(p, " ");
		print_comment(p, c);
		if (to_line_end)
			return; /* nothing can follow on this line */
	}
}

/* Comments before `limit` on lines of their own; true when there were any. */
static bool own_line_comments(struct printer *p, uint32_t limit, bool first)
{
	const struct comment *c;
	bool any = false;

	while ((c = next_comment(p, limit))) {
		next_line(p, c->span.begin, first);
		print_comment(p, c);
		first = false;
		any = true;
	}
	return any;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------------- */

/* The line inside a block on which `begin` starts; comments before it go first. */
static void block_line(struct printer *p, uint32_t begin, bool *first)
{
	if (own_line_comments(p, begin, *first))
		*first = false;
	next_line(p, begin, *first);
	*first = false;
}

/* Comments that stand on the line of the '{' and before all else. */
static void comments_behind_brace(struct printer *p, const struct block *b)
{
	uint32_t limit = b->stmts.n ? b->stmts.at[0]->span.begin : b->value ? b->value->span.begin : b->span.end;
	const struct comment *c = next_comment(p, b->span.begin);

	/* what was inside the head of the statement goes on lines of its own */
	if (c)
		return;
	p->before = b->span.begin + 1;
	trailing_comments(p, limit);
}

void fmt_block(struct printer *p, const struct block *b)
{
	bool first = true;

	fmt_add(p, "{");
	if (!b->stmts.n && !b->value && !next_comment(p, b->span.end)) {
		fmt_add(p, " }");
		p->before = b->span.end;
		return;
	}
	comments_behind_brace(p, b);
	if (p->before < b->span.begin + 1)
		p->before = b->span.begin + 1;
	p->indent++;
	VEC_EACH (s, &b->stmts) {
		block_line(p, (*s)->span.begin, &first);
		print_stmt(p, *s);
		p->before = (*s)->span.end;
		trailing_comments(p, b->span.end);
	}
	if (b->value) {
		block_line(p, b->value->span.begin, &first);
		fmt_expr(p, b->value);
		p->before = b->value->span.end;
		trailing_comments(p, b->span.end);
	}
	own_line_comments(p, b->span.end, first);
	p->indent--;
	fmt_newline(p);
	fmt_add(p, "}");
	p->before = b->span.end;
}

/* The body of a probe, macro or function: its brace has a line of its own. */
static void print_body(struct printer *p, const struct block *b)
{
	bool empty = !b->stmts.n && !b->value && !next_comment(p, b->span.end);

	fmt_newline(p);
	if (empty)
		fmt_add(p, "{\n}");
	else
		fmt_block(p, b);
	p->before = b->span.end;
}

/* ---- statements ------------------------------------------------------------------------------------------------------------ */

static void print_if(struct printer *p, const struct stmt *s)
{
	fmt_add(p, "if ");
	fmt_expr(p, s->if_.cond);
	fmt_add(p, " ");
	fmt_block(p, s->if_.then);
	if (!s->if_.other)
		return;
	fmt_add(p, " else ");
	print_stmt(p, s->if_.other);
}

static void print_for(struct printer *p, const struct stmt *s)
{
	fmt_add(p, s->for_.parens ? "for (" : "for ");
	fmt_expr(p, s->for_.var);
	fmt_add(p, " : ");
	if (s->for_.map) {
		fmt_expr(p, s->for_.map);
	} else {
		fmt_expr(p, s->for_.from);
		fmt_add(p, "..");
		fmt_expr(p, s->for_.to);
	}
	fmt_add(p, s->for_.parens ? ") " : " ");
	fmt_block(p, s->for_.body);
}

static void print_let(struct printer *p, const struct stmt *s)
{
	fmt_add(p, "let ");
	fmt_expr(p, s->let.var);
	if (s->let.type) {
		fmt_add(p, " : ");
		fmt_type(p, s->let.type);
	}
	if (s->let.value) {
		fmt_add(p, " = ");
		fmt_expr(p, s->let.value);
	}
}

static void print_assign(struct printer *p, const struct stmt *s)
{
	fmt_expr(p, s->assign.target);
	fmt_add(p, " ");
	if (s->assign.compound)
		fmt_add(p, binary_op_text(s->assign.op));
	fmt_add(p, "= ");
	fmt_expr(p, s->assign.value);
}

/* `"path"` as written, from the text of the whole import. */
static void print_quoted_part(struct printer *p, struct span span)
{
	struct str text = source_text(p, span);
	size_t from = str_find(text, '"'), to = text.n;

	while (to > from && text.s[to - 1] != '"')
		to--;
	fmt_str(p, str_sub(text, from, to - from));
}

static void print_stmt(struct printer *p, const struct stmt *s)
{
	switch (s->kind) {
	case STMT_EXPR:
		fmt_expr(p, s->expr);
		break;
	case STMT_ASSIGN:
		print_assign(p, s);
		break;
	case STMT_LET:
		print_let(p, s);
		break;
	case STMT_DISCARD:
		fmt_add(p, "_ = ");
		fmt_expr(p, s->expr);
		break;
	case STMT_RETURN:
		fmt_add(p, "return");
		if (s->expr) {
			fmt_add(p, " ");
			fmt_expr(p, s->expr);
		}
		break;
	case STMT_BREAK:
		fmt_add(p, "break");
		break;
	case STMT_CONTINUE:
		fmt_add(p, "continue");
		break;
	case STMT_IMPORT:
		fmt_add(p, "import ");
		print_quoted_part(p, s->span);
		break;
	case STMT_IF:
		print_if(p, s);
		fmt_add(p, s->semicolon ? ";" : "");
		return;
	case STMT_FOR:
		print_for(p, s);
		return;
	case STMT_WHILE:
	case STMT_UNROLL:
		fmt_add(p, s->kind == STMT_WHILE ? "while " : "unroll ");
		fmt_expr(p, s->loop.cond);
		fmt_add(p, " ");
		fmt_block(p, s->loop.body);
		return;
	case STMT_BLOCK:
		fmt_block(p, s->block);
		fmt_add(p, s->semicolon ? ";" : "");
		return;
	}
	fmt_add(p, ";");
}

/* ---- items ------------------------------------------------------------------------------------------------------------------- */

enum item_kind { ITEM_C, ITEM_CONFIG, ITEM_IMPORT, ITEM_MAP, ITEM_MACRO, ITEM_FN, ITEM_PROBE };

struct item {
	enum item_kind kind;
	struct span span;
	const void *node;
};

static int by_place(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return (a->span.begin > b->span.begin) - (a->span.begin < b->span.begin);
}

typedef VEC(struct item) item_list;

static item_list all_items(struct arena *a, const struct script *s)
{
	item_list items = {0};

	VEC_EACH (c, &s->c_texts)
		VEC_PUSH(a, &items, (struct item){ITEM_C, c->span, c});
	if (s->has_config)
		VEC_PUSH(a, &items, (struct item){ITEM_CONFIG, s->config_span, NULL});
	VEC_EACH (i, &s->imports)
		VEC_PUSH(a, &items, (struct item){ITEM_IMPORT, i->span, i});
	VEC_EACH (m, &s->map_decls)
		VEC_PUSH(a, &items, (struct item){ITEM_MAP, m->span, m});
	VEC_EACH (m, &s->macros)
		VEC_PUSH(a, &items, (struct item){ITEM_MACRO, (*m)->span, *m});
	VEC_EACH (f, &s->fns)
		VEC_PUSH(a, &items, (struct item){ITEM_FN, (*f)->span, *f});
	VEC_EACH (probe, &s->probes)
		VEC_PUSH(a, &items, (struct item){ITEM_PROBE, (*probe)->span, *probe});
	if (items.n)
		qsort(items.at, (size_t)items.n, sizeof(*items.at), by_place);
	return items;
}

/* Comments in the head of an item, before `limit`; a `//` one ends the line. */
static void head_comments(struct printer *p, uint32_t limit)
{
	trailing_comments(p, limit);
	own_line_comments(p, limit, true);
}

/* A predicate that starts with a star keeps a blank, or it would open a comment. */
static void print_predicate(struct printer *p, const struct expr *predicate)
{
	struct strbuf text = {.arena = p->arena}, *out = p->out;

	p->out = &text;
	fmt_expr(p, predicate);
	p->out = out;
	fmt_add(p, text.n && text.s[0] == '*' ? "/ " : "/");
	fmt_str(p, strbuf_str(&text));
	fmt_add(p, "/");
}

static void print_probe(struct printer *p, const struct probe_node *probe)
{
	uint32_t end_of_head = probe->body->span.begin;

	for (int i = 0; i < probe->attach.n; i++) {
		const struct attach_text *attach = &probe->attach.at[i];
		bool last = i == probe->attach.n - 1;

		if (i)
			fmt_newline(p);
		if (i && probe->alternatives)
			fmt_add(p, "or ");
		if (attach->user_name.n) {
			fmt_str(p, attach->user_name);
			fmt_add(p, "=");
		}
		fmt_str(p, attach->text);
		if (!last && !probe->alternatives)
			fmt_add(p, ",");
		p->before = attach->span.end;
		head_comments(p, last ? probe->predicate ? probe->predicate->span.begin : end_of_head
				      : probe->attach.at[i + 1].span.begin);
	}
	if (probe->predicate) {
		fmt_newline(p);
		print_predicate(p, probe->predicate);
		p->before = probe->predicate->span.end;
		head_comments(p, end_of_head);
	}
	print_body(p, probe->body);
}

static void print_params(struct printer *p, const struct param *params, int n)
{
	static const char *const sigils[] = {[PARAM_EXPR] = "", [PARAM_VAR] = "$", [PARAM_MAP] = "@"};

	fmt_add(p, "(");
	for (int i = 0; i < n; i++) {
		if (i)
			fmt_add(p, ", ");
		fmt_add(p, sigils[params[i].kind]);
		fmt_str(p, params[i].name);
		if (params[i].type) {
			fmt_add(p, " : ");
			fmt_type(p, params[i].type);
		}
	}
	fmt_add(p, ")");
}

static void print_config(struct printer *p)
{
	const struct script *s = p->script;
	bool first = true;

	fmt_add(p, "config = {");
	p->before = s->config_span.begin + 1;
	p->indent++;
	VEC_EACH (entry, &s->config) {
		block_line(p, entry->span.begin, &first);
		fmt_str(p, entry->key);
		fmt_add(p, " = ");
		fmt_str(p, source_text(p, entry->value_span));
		fmt_add(p, ";");
		p->before = entry->span.end;
		trailing_comments(p, s->config_span.end);
	}
	if (own_line_comments(p, s->config_span.end, first))
		first = false;
	p->indent--;
	if (!first)
		fmt_newline(p);
	else
		fmt_add(p, " ");
	fmt_add(p, "}");
}

static void print_item(struct printer *p, const struct item *item)
{
	const struct map_decl_node *map = item->node;
	const struct macro_node *macro = item->node;
	const struct fn_node *fn = item->node;

	switch (item->kind) {
	case ITEM_C:
		fmt_str(p, source_text(p, item->span));
		break;
	case ITEM_CONFIG:
		print_config(p);
		break;
	case ITEM_IMPORT:
		fmt_add(p, "import ");
		print_quoted_part(p, item->span);
		fmt_add(p, ";");
		break;
	case ITEM_MAP:
		fmt_add(p, "let @");
		fmt_str(p, map->name);
		fmt_add(p, " = ");
		fmt_str(p, map->kind);
		fmt_add(p, "(");
		fmt_expr(p, map->max_entries);
		fmt_add(p, ");");
		break;
	case ITEM_MACRO:
		fmt_add(p, "macro ");
		fmt_str(p, macro->name);
		print_params(p, macro->params.at, macro->params.n);
		print_body(p, macro->body);
		break;
	case ITEM_FN:
		fmt_add(p, "fn ");
		fmt_str(p, fn->name);
		print_params(p, fn->params.at, fn->params.n);
		fmt_add(p, " : ");
		fmt_type(p, fn->result);
		print_body(p, fn->body);
		break;
	case ITEM_PROBE:
		print_probe(p, item->node);
		break;
	}
	p->before = item->span.end;
}

/* Items with bodies stand apart; short ones stay together as they were. */
static bool has_body(const struct item *item)
{
	return item->kind == ITEM_MACRO || item->kind == ITEM_FN || item->kind == ITEM_PROBE ||
	       item->kind == ITEM_CONFIG;
}

void fmt_script(struct arena *a, const struct script *s, struct strbuf *out)
{
	struct printer p = {.arena = a, .script = s, .out = out};
	struct str text = s->source->text;
	item_list items = all_items(a, s);
	bool first = true;

	if (str_starts(text, STR("#!"))) {
		p.before = (uint32_t)str_find(text, '\n');
		fmt_str(&p, str_trim(str_sub(text, 0, p.before)));
		first = false;
	}
	for (int i = 0; i < items.n; i++) {
		const struct item *item = &items.at[i];
		const struct comment *c = next_comment(&p, item->span.begin);
		uint32_t begin = c ? c->span.begin : item->span.begin;
		bool apart = i && (has_body(item) || has_body(item - 1)) && line_of(&p, begin) <= last_line(&p) + 1;

		if (apart)
			strbuf_addc(out, '\n');
		while ((c = next_comment(&p, item->span.begin))) {
			if (!first)
				next_line(&p, c->span.begin, false);
			print_comment(&p, c);
			first = false;
		}
		if (!first)
			next_line(&p, item->span.begin, false);
		print_item(&p, item);
		first = false;
		trailing_comments(&p, i + 1 < items.n ? items.at[i + 1].span.begin : UINT32_MAX);
	}
	own_line_comments(&p, UINT32_MAX, first);
	strbuf_addc(out, '\n');
}
