/* Expressions and types in canonical form.  Parentheses are printed where they were written, so that no precedence has to be
 * worked out again. */
#include "lang/fmt_internal.h"
#include "lang/support/bug.h"

/* Longer lines are broken at the arguments of a call or at && and ||. */
enum { MOST_COLUMNS = 100, CONTINUATION = 2 };

static void print(struct printer *p, const struct expr *e, bool broken);

static int column(const struct printer *p)
{
	size_t n = p->out->n;

	while (n && p->out->s[n - 1] != '\n')
		n--;
	return (int)(p->out->n - n);
}

/* As one line where that fits (or holds a block, which breaks it anyhow), else broken. */
void fmt_expr(struct printer *p, const struct expr *e)
{
	struct strbuf text = {.arena = p->arena}, *out = p->out;
	struct printer flat = *p;

	flat.out = &text;
	print(&flat, e, false);
	if (column(p) + (int)text.n <= MOST_COLUMNS || str_find(strbuf_str(&text), '\n') < text.n ||
	    (e->kind != EXPR_CALL && e->kind != EXPR_BINARY)) {
		*p = flat;
		p->out = out;
		strbuf_add(out, strbuf_str(&text));
		return;
	}
	print(p, e, true);
}

static void continue_line(struct printer *p)
{
	p->indent += CONTINUATION;
	fmt_newline(p);
	p->indent -= CONTINUATION;
}

static void print_list(struct printer *p, const expr_list *list, bool broken)
{
	for (int i = 0; i < list->n; i++) {
		if (i) {
			fmt_add(p, ",");
			if (broken)
				continue_line(p);
			else
				fmt_add(p, " ");
		}
		if (broken)
			fmt_expr(p, list->at[i]);
		else
			print(p, list->at[i], false);
	}
}

static void print_named(struct printer *p, const struct expr *e)
{
	for (int i = 0; i < e->tuple.elems.n; i++) {
		if (i)
			fmt_add(p, ", ");
		fmt_str(p, e->tuple.names.at[i]);
		fmt_add(p, "=");
		print(p, e->tuple.elems.at[i], false);
	}
}

static void print_tuple(struct printer *p, const struct expr *e)
{
	if (e->parens)
		fmt_add(p, "(");
	if (e->kind == EXPR_RECORD)
		print_named(p, e);
	else
		print_list(p, &e->tuple.elems, false);
	if (e->kind == EXPR_TUPLE && e->tuple.elems.n == 1)
		fmt_add(p, ",");
	if (e->parens)
		fmt_add(p, ")");
}

/* `- -x` and `& &x` keep their blank: without it they would be other operators. */
static void print_prefix(struct printer *p, const char *op, const struct expr *e)
{
	struct strbuf operand = {.arena = p->arena}, *out = p->out;

	fmt_add(p, op);
	p->out = &operand;
	print(p, e, false);
	p->out = out;
	if (operand.n && operand.s[0] == op[0] && op[0] != '!' && op[0] != '~' && op[0] != '*')
		fmt_add(p, " ");
	fmt_str(p, strbuf_str(&operand));
}

static void print_type_op(struct printer *p, const struct expr *e, const char *word)
{
	bool bare = e->kind == EXPR_TYPEOF && e->type_op.bare;

	if (!bare) {
		fmt_add(p, word);
		fmt_add(p, "(");
	}
	if (e->type_op.of_type)
		fmt_type(p, e->type_op.of_type);
	else
		print(p, e->type_op.e, false);
	if (e->kind == EXPR_OFFSETOF) {
		fmt_add(p, ", ");
		fmt_str(p, e->type_op.path);
	}
	if (!bare)
		fmt_add(p, ")");
}

static void print_map(struct printer *p, const struct expr *e)
{
	fmt_add(p, "@");
	fmt_str(p, e->map.name);
	if (!e->map.key)
		return;
	fmt_add(p, "[");
	if (e->map.key_list)
		print_list(p, &e->map.key->tuple.elems, false);
	else
		print(p, e->map.key, false);
	fmt_add(p, "]");
}

static void print_binary(struct printer *p, const struct expr *e, bool broken)
{
	enum binary_op op = e->binary.op;

	/* only chains of && and || are broken, one operand a line */
	broken = broken && (op == BINARY_LAND || op == BINARY_LOR);
	print(p, e->binary.left, broken && e->binary.left->kind == EXPR_BINARY && !e->binary.left->parens);
	fmt_add(p, " ");
	fmt_add(p, binary_op_text(op));
	if (broken)
		continue_line(p);
	else
		fmt_add(p, " ");
	if (broken)
		fmt_expr(p, e->binary.right);
	else
		print(p, e->binary.right, false);
}

static void print_if(struct printer *p, const struct expr *e)
{
	fmt_add(p, "if ");
	print(p, e->if_.cond, false);
	fmt_add(p, " ");
	fmt_block(p, e->if_.then);
	fmt_add(p, " else ");
	print(p, e->if_.other, false);
}

static void print_call(struct printer *p, const struct expr *e, bool broken)
{
	fmt_str(p, e->call.name);
	fmt_add(p, "(");
	print_list(p, &e->call.args, broken);
	fmt_add(p, ")");
}

static void print_ternary(struct printer *p, const struct expr *e)
{
	print(p, e->ternary.cond, false);
	fmt_add(p, e->ternary.then ? " ? " : " ?: ");
	if (e->ternary.then) {
		print(p, e->ternary.then, false);
		fmt_add(p, " : ");
	}
	print(p, e->ternary.other, false);
}

static void print_access(struct printer *p, const struct expr *e)
{
	if (e->kind == EXPR_FIELD) {
		print(p, e->field.e, false);
		fmt_add(p, e->field.arrow ? "->" : ".");
		fmt_str(p, e->field.name);
	} else if (e->kind == EXPR_TUPLE_AT) {
		print(p, e->tuple_at.e, false);
		strbuf_printf(p->out, ".%llu", (unsigned long long)e->tuple_at.at);
	} else {
		print(p, e->index.e, false);
		fmt_add(p, "[");
		print(p, e->index.index, false);
		fmt_add(p, "]");
	}
}

static void print_bare(struct printer *p, const struct expr *e, bool broken)
{
	switch (e->kind) {
	case EXPR_INT:
		fmt_str(p, e->integer.text);
		return;
	case EXPR_BOOL:
		fmt_add(p, e->boolean ? "true" : "false");
		return;
	case EXPR_STRING:
		fmt_add(p, "\"");
		fmt_str(p, e->string.written);
		fmt_add(p, "\"");
		return;
	case EXPR_POSITIONAL:
		strbuf_printf(p->out, "$%llu", (unsigned long long)e->positional);
		return;
	case EXPR_POSITIONAL_COUNT:
		fmt_add(p, "$#");
		return;
	case EXPR_NAME:
		fmt_str(p, e->name.name);
		return;
	case EXPR_VAR:
		fmt_add(p, "$");
		fmt_str(p, e->var.name);
		return;
	case EXPR_MAP:
		print_map(p, e);
		return;
	case EXPR_CALL:
		print_call(p, e, broken);
		return;
	case EXPR_UNARY:
		print_prefix(p, unary_op_text(e->unary.op), e->unary.e);
		return;
	case EXPR_INCDEC:
		if (e->incdec.prefix) {
			print_prefix(p, e->incdec.increment ? "++" : "--", e->incdec.target);
		} else {
			print(p, e->incdec.target, false);
			fmt_add(p, e->incdec.increment ? "++" : "--");
		}
		return;
	case EXPR_BINARY:
		print_binary(p, e, broken);
		return;
	case EXPR_TERNARY:
		print_ternary(p, e);
		return;
	case EXPR_FIELD:
	case EXPR_TUPLE_AT:
	case EXPR_INDEX:
		print_access(p, e);
		return;
	case EXPR_CAST:
		fmt_add(p, "(");
		fmt_type(p, e->cast.written);
		fmt_add(p, ")");
		print(p, e->cast.e, false);
		return;
	case EXPR_TUPLE:
	case EXPR_RECORD:
		print_tuple(p, e);
		return;
	case EXPR_SIZEOF:
		print_type_op(p, e, "sizeof");
		return;
	case EXPR_OFFSETOF:
		print_type_op(p, e, "offsetof");
		return;
	case EXPR_TYPEINFO:
		print_type_op(p, e, "typeinfo");
		return;
	case EXPR_TYPEOF:
		print_type_op(p, e, "typeof");
		return;
	case EXPR_COMPTIME:
		fmt_add(p, "comptime ");
		print(p, e->comptime, false);
		return;
	case EXPR_BLOCK:
		fmt_block(p, e->block);
		return;
	case EXPR_IF:
		print_if(p, e);
		return;
	}
	BUG("expression kind %d", e->kind);
}

static void print(struct printer *p, const struct expr *e, bool broken)
{
	bool parens = e->parens && e->kind != EXPR_TUPLE && e->kind != EXPR_RECORD;

	if (parens)
		fmt_add(p, "(");
	print_bare(p, e, broken);
	if (parens)
		fmt_add(p, ")");
}

void fmt_type(struct printer *p, const struct type_expr *t)
{
	static const char *const tags[] = {"", "struct ", "union ", "enum "};

	if (t->of || t->of_type) {
		fmt_add(p, "typeof(");
		if (t->of)
			print(p, t->of, false);
		else
			fmt_type(p, t->of_type);
		fmt_add(p, ")");
	} else {
		fmt_add(p, tags[t->tag]);
		fmt_str(p, t->name);
	}
	VEC_EACH (s, &t->suffixes) {
		if (s->kind == SUFFIX_POINTER) {
			fmt_add(p, "*");
			continue;
		}
		fmt_add(p, "[");
		if (s->count)
			print(p, s->count, false);
		fmt_add(p, "]");
	}
}
