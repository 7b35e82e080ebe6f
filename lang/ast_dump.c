/* The tree as text for `-d ast` and the golden tests: one node a line, two blanks per level, types in brackets once known.
 * Bodies that the checker has worked on are dumped by the same code. */
#include "lang/ast.h"
#include "lang/support/bug.h"
#include "lang/type.h"

static void dump_stmt(const struct stmt *s, int indent, struct strbuf *out);

/* Indentation and the node's words; the line is ended by the caller. */
static void line(struct strbuf *out, int indent, const char *words)
{
	for (int i = 0; i < indent; i++)
		strbuf_add(out, STR("  "));
	strbuf_add(out, str_of(words));
}

static void text_line(struct strbuf *out, int indent, const char *words, struct str text)
{
	line(out, indent, words);
	strbuf_add(out, text);
	strbuf_addc(out, '\n');
}

static void add_escaped(struct strbuf *out, struct str text)
{
	strbuf_addc(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.s[i];

		if (c == '"' || c == '\\')
			strbuf_printf(out, "\\%c", c);
		else if (c == '\n')
			strbuf_add(out, STR("\\n"));
		else if (c < 0x20 || c >= 0x7f)
			strbuf_printf(out, "\\x%02x", c);
		else
			strbuf_addc(out, (char)c);
	}
	strbuf_addc(out, '"');
}

/* End the line of an expression, with its type when the checker has found one. */
static void end_expr(struct strbuf *out, const struct expr *e)
{
	if (e->type) {
		struct str name = type_name(out->arena, e->type);

		strbuf_printf(out, " [%.*s%s]", STR_ARG(name), e->is_literal ? ", literal" : "");
	}
	strbuf_addc(out, '\n');
}

static void dump_type(const struct type_expr *t, int indent, struct strbuf *out)
{
	static const char *const tags[] = {"", "struct ", "union ", "enum "};

	line(out, indent, "type ");
	if (t->of || t->of_type) {
		strbuf_add(out, STR("typeof"));
	} else {
		strbuf_add(out, str_of(tags[t->tag]));
		strbuf_add(out, t->name);
	}
	VEC_EACH (s, &t->suffixes)
		strbuf_add(out, s->kind == SUFFIX_POINTER ? STR("*") : STR("[]"));
	strbuf_addc(out, '\n');
	if (t->of)
		ast_dump_expr(t->of, indent + 1, out);
	if (t->of_type)
		dump_type(t->of_type, indent + 1, out);
	VEC_EACH (s, &t->suffixes)
		if (s->count)
			ast_dump_expr(s->count, indent + 1, out);
}

/* The line of a node, without its children. */
static void dump_head(const struct expr *e, struct strbuf *out)
{
	switch (e->kind) {
	case EXPR_INT:
		strbuf_printf(out, "int %llu", (unsigned long long)e->integer.value);
		return;
	case EXPR_BOOL:
		strbuf_printf(out, "bool %s", e->boolean ? "true" : "false");
		return;
	case EXPR_STRING:
		strbuf_add(out, STR("string "));
		add_escaped(out, e->string.text);
		return;
	case EXPR_POSITIONAL:
		strbuf_printf(out, "parameter $%llu", (unsigned long long)e->positional);
		return;
	case EXPR_POSITIONAL_COUNT:
		strbuf_add(out, STR("parameter $#"));
		return;
	case EXPR_NAME:
		strbuf_printf(out, "name %.*s", STR_ARG(e->name.name));
		return;
	case EXPR_VAR:
		strbuf_printf(out, "variable $%.*s", STR_ARG(e->var.name));
		return;
	case EXPR_MAP:
		strbuf_printf(out, "map @%.*s", STR_ARG(e->map.name));
		return;
	case EXPR_CALL:
		strbuf_printf(out, "%s %.*s", e->call.parens ? "call" : "builtin", STR_ARG(e->call.name));
		return;
	case EXPR_UNARY:
		strbuf_printf(out, "unary %s", unary_op_text(e->unary.op));
		return;
	case EXPR_INCDEC:
		strbuf_printf(out, "%s %s", e->incdec.prefix ? "prefix" : "postfix",
			      e->incdec.increment ? "++" : "--");
		return;
	case EXPR_BINARY:
		strbuf_printf(out, "binary %s", binary_op_text(e->binary.op));
		return;
	case EXPR_TERNARY:
		strbuf_add(out, e->ternary.then ? STR("ternary") : STR("ternary ?:"));
		return;
	case EXPR_FIELD:
		strbuf_printf(out, "field %s%.*s", e->field.arrow ? "->" : ".", STR_ARG(e->field.name));
		return;
	case EXPR_TUPLE_AT:
		strbuf_printf(out, "element .%llu", (unsigned long long)e->tuple_at.at);
		return;
	case EXPR_INDEX:
		strbuf_add(out, STR("index"));
		return;
	case EXPR_CAST:
		strbuf_add(out, e->cast.implicit ? STR("implicit cast") : STR("cast"));
		return;
	case EXPR_TUPLE:
		strbuf_add(out, STR("tuple"));
		return;
	case EXPR_RECORD:
		strbuf_add(out, e->parens ? STR("record") : STR("named argument"));
		return;
	case EXPR_SIZEOF:
		strbuf_add(out, STR("sizeof"));
		return;
	case EXPR_OFFSETOF:
		strbuf_printf(out, "offsetof %.*s", STR_ARG(e->type_op.path));
		return;
	case EXPR_TYPEINFO:
		strbuf_add(out, STR("typeinfo"));
		return;
	case EXPR_TYPEOF:
		strbuf_add(out, e->type_op.bare ? STR("type argument") : STR("typeof"));
		return;
	case EXPR_COMPTIME:
		strbuf_add(out, STR("comptime"));
		return;
	case EXPR_BLOCK:
		strbuf_add(out, STR("block"));
		return;
	case EXPR_IF:
		strbuf_add(out, STR("if"));
		return;
	}
	BUG("expression kind %d", e->kind);
}

static void dump_tuple(const struct expr *e, int indent, struct strbuf *out)
{
	for (int i = 0; i < e->tuple.elems.n; i++) {
		if (i < e->tuple.names.n) {
			text_line(out, indent, "= ", e->tuple.names.at[i]);
			ast_dump_expr(e->tuple.elems.at[i], indent + 1, out);
		} else {
			ast_dump_expr(e->tuple.elems.at[i], indent, out);
		}
	}
}

static void dump_labelled(const struct block *b, const char *label, int indent, struct strbuf *out)
{
	text_line(out, indent, label, (struct str){"", 0});
	ast_dump_block(b, indent + 1, out);
}

static void dump_if(const struct expr *e, int indent, struct strbuf *out)
{
	ast_dump_expr(e->if_.cond, indent, out);
	dump_labelled(e->if_.then, "then", indent, out);
	if (!e->if_.other)
		return;
	text_line(out, indent, "else", (struct str){"", 0});
	ast_dump_expr(e->if_.other, indent + 1, out);
}

static void dump_type_op(const struct expr *e, int indent, struct strbuf *out)
{
	if (e->type_op.of_type)
		dump_type(e->type_op.of_type, indent, out);
	else
		ast_dump_expr(e->type_op.e, indent, out);
}

void ast_dump_expr(const struct expr *e, int indent, struct strbuf *out)
{
	line(out, indent, "");
	dump_head(e, out);
	end_expr(out, e);
	indent++;
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
		if (e->map.key)
			ast_dump_expr(e->map.key, indent, out);
		return;
	case EXPR_CALL:
		VEC_EACH (arg, &e->call.args)
			ast_dump_expr(*arg, indent, out);
		return;
	case EXPR_UNARY:
		ast_dump_expr(e->unary.e, indent, out);
		return;
	case EXPR_INCDEC:
		ast_dump_expr(e->incdec.target, indent, out);
		return;
	case EXPR_BINARY:
		ast_dump_expr(e->binary.left, indent, out);
		ast_dump_expr(e->binary.right, indent, out);
		return;
	case EXPR_TERNARY:
		ast_dump_expr(e->ternary.cond, indent, out);
		if (e->ternary.then)
			ast_dump_expr(e->ternary.then, indent, out);
		ast_dump_expr(e->ternary.other, indent, out);
		return;
	case EXPR_FIELD:
		ast_dump_expr(e->field.e, indent, out);
		return;
	case EXPR_TUPLE_AT:
		ast_dump_expr(e->tuple_at.e, indent, out);
		return;
	case EXPR_INDEX:
		ast_dump_expr(e->index.e, indent, out);
		ast_dump_expr(e->index.index, indent, out);
		return;
	case EXPR_CAST:
		if (e->cast.written)
			dump_type(e->cast.written, indent, out);
		ast_dump_expr(e->cast.e, indent, out);
		return;
	case EXPR_TUPLE:
	case EXPR_RECORD:
		dump_tuple(e, indent, out);
		return;
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPEOF:
		dump_type_op(e, indent, out);
		return;
	case EXPR_COMPTIME:
		ast_dump_expr(e->comptime, indent, out);
		return;
	case EXPR_BLOCK:
		ast_dump_block(e->block, indent, out);
		return;
	case EXPR_IF:
		dump_if(e, indent, out);
		return;
	}
	BUG("expression kind %d", e->kind);
}

static void dump_assign(const struct stmt *s, int indent, struct strbuf *out)
{
	line(out, indent, "assign ");
	if (s->assign.compound)
		strbuf_add(out, str_of(binary_op_text(s->assign.op)));
	strbuf_add(out, STR("=\n"));
	ast_dump_expr(s->assign.target, indent + 1, out);
	ast_dump_expr(s->assign.value, indent + 1, out);
}

static void dump_if_stmt(const struct stmt *s, int indent, struct strbuf *out)
{
	line(out, indent, "if\n");
	ast_dump_expr(s->if_.cond, indent + 1, out);
	dump_labelled(s->if_.then, "then", indent + 1, out);
	if (!s->if_.other)
		return;
	line(out, indent + 1, "else\n");
	dump_stmt(s->if_.other, indent + 2, out);
}

static void dump_for(const struct stmt *s, int indent, struct strbuf *out)
{
	line(out, indent, s->for_.map ? "for map\n" : "for range\n");
	ast_dump_expr(s->for_.var, indent + 1, out);
	if (s->for_.map) {
		ast_dump_expr(s->for_.map, indent + 1, out);
	} else {
		ast_dump_expr(s->for_.from, indent + 1, out);
		ast_dump_expr(s->for_.to, indent + 1, out);
	}
	dump_labelled(s->for_.body, "body", indent + 1, out);
}

static void dump_stmt(const struct stmt *s, int indent, struct strbuf *out)
{
	switch (s->kind) {
	case STMT_EXPR:
		ast_dump_expr(s->expr, indent, out);
		return;
	case STMT_DISCARD:
		line(out, indent, "discard\n");
		ast_dump_expr(s->expr, indent + 1, out);
		return;
	case STMT_ASSIGN:
		dump_assign(s, indent, out);
		return;
	case STMT_LET:
		line(out, indent, "let\n");
		ast_dump_expr(s->let.var, indent + 1, out);
		if (s->let.type)
			dump_type(s->let.type, indent + 1, out);
		if (s->let.value)
			ast_dump_expr(s->let.value, indent + 1, out);
		return;
	case STMT_IF:
		dump_if_stmt(s, indent, out);
		return;
	case STMT_FOR:
		dump_for(s, indent, out);
		return;
	case STMT_WHILE:
	case STMT_UNROLL:
		line(out, indent, s->kind == STMT_WHILE ? "while\n" : "unroll\n");
		ast_dump_expr(s->loop.cond, indent + 1, out);
		dump_labelled(s->loop.body, "body", indent + 1, out);
		return;
	case STMT_RETURN:
		line(out, indent, "return\n");
		if (s->expr)
			ast_dump_expr(s->expr, indent + 1, out);
		return;
	case STMT_BREAK:
		line(out, indent, "break\n");
		return;
	case STMT_CONTINUE:
		line(out, indent, "continue\n");
		return;
	case STMT_BLOCK:
		line(out, indent, "block\n");
		ast_dump_block(s->block, indent + 1, out);
		return;
	case STMT_IMPORT:
		text_line(out, indent, "import ", s->import);
		return;
	}
	BUG("statement kind %d", s->kind);
}

void ast_dump_block(const struct block *b, int indent, struct strbuf *out)
{
	VEC_EACH (s, &b->stmts)
		dump_stmt(*s, indent, out);
	if (b->value) {
		line(out, indent, "value\n");
		ast_dump_expr(b->value, indent + 1, out);
	}
}

static void dump_params(const struct param *params, int n, struct strbuf *out)
{
	static const char *const sigils[] = {[PARAM_EXPR] = "", [PARAM_VAR] = "$", [PARAM_MAP] = "@"};

	for (int i = 0; i < n; i++) {
		line(out, 1, "parameter ");
		strbuf_add(out, str_of(sigils[params[i].kind]));
		strbuf_add(out, params[i].name);
		strbuf_addc(out, '\n');
		if (params[i].type)
			dump_type(params[i].type, 2, out);
	}
}

static void dump_probe(const struct probe_node *p, struct strbuf *out)
{
	line(out, 0, p->alternatives ? "probe, first that exists\n" : "probe\n");
	VEC_EACH (attach, &p->attach) {
		line(out, 1, "attach ");
		strbuf_add(out, attach->text);
		if (attach->user_name.n)
			strbuf_printf(out, " named %.*s", STR_ARG(attach->user_name));
		strbuf_addc(out, '\n');
	}
	if (p->predicate) {
		line(out, 1, "predicate\n");
		ast_dump_expr(p->predicate, 2, out);
	}
	line(out, 1, "body\n");
	ast_dump_block(p->body, 2, out);
}

static void dump_declarations(const struct script *s, struct strbuf *out)
{
	VEC_EACH (c, &s->c_texts) {
		line(out, 0, "C ");
		add_escaped(out, c->text);
		strbuf_addc(out, '\n');
	}
	VEC_EACH (entry, &s->config) {
		strbuf_printf(out, "config %.*s = ", STR_ARG(entry->key));
		if (entry->quoted)
			add_escaped(out, entry->value);
		else
			strbuf_add(out, entry->value);
		strbuf_addc(out, '\n');
	}
	VEC_EACH (import, &s->imports)
		text_line(out, 0, "import ", import->path);
	VEC_EACH (decl, &s->map_decls) {
		strbuf_printf(out, "map @%.*s = %.*s\n", STR_ARG(decl->name), STR_ARG(decl->kind));
		ast_dump_expr(decl->max_entries, 1, out);
	}
}

void ast_dump(const struct script *s, struct strbuf *out)
{
	dump_declarations(s, out);
	VEC_EACH (macro, &s->macros) {
		text_line(out, 0, "macro ", (*macro)->name);
		dump_params((*macro)->params.at, (*macro)->params.n, out);
		line(out, 1, "body\n");
		ast_dump_block((*macro)->body, 2, out);
	}
	VEC_EACH (fn, &s->fns) {
		text_line(out, 0, "fn ", (*fn)->name);
		dump_params((*fn)->params.at, (*fn)->params.n, out);
		line(out, 1, "result\n");
		dump_type((*fn)->result, 2, out);
		line(out, 1, "body\n");
		ast_dump_block((*fn)->body, 2, out);
	}
	VEC_EACH (probe, &s->probes)
		dump_probe(*probe, out);
}
