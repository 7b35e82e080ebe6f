/* What the checker asks of a script's C definitions. */
#include "lang/c_defs.h"

#include "lang/c_types.h"
#include "lang/parse.h"
#include "lang/words.h"

struct c_defs *c_defs_read(struct arena *a, struct types *t, const struct script *s, struct kernel *k,
			   const struct cpp_options *opt, struct diag *d)
{
	struct c_defs *c = NEW(a, struct c_defs);

	c->arena = a;
	c->types = t;
	c->kernel = k;
	c->diag = d;
	c->structs.arena = c->unions.arena = c->enums.arena = c->typedefs.arena = c->constants.arena = a;
	c->cpp = cpp_new(a, k, opt, d);
	if (opt->have_btf)
		cpp_read(c->cpp, source_new(a, STR("predefined"), STR("#define BPFTRACE_HAVE_BTF 1\n")), true);
	if (!opt->have_btf || opt->kernel_headers) { /* scripts then include the kernel's own headers */
		cpp_read(c->cpp, source_new(a, STR("predefined"),
					    STR("#define __KERNEL__ 1\n#define __BPF_TRACING__ 1\n"
						"#define KBUILD_MODNAME \"waketrace\"\n")),
			 true);
	}
	for (int i = 0; i < opt->nincludes; i++) {
		struct str line = str_printf(a, "#include \"%.*s\"\n", STR_ARG(opt->includes[i]));

		cpp_read(c->cpp, source_new(a, STR("--include"), line), false);
	}
	cpp_read_script(c->cpp, s);
	if (!c->cpp->too_large)
		c_parse(c);
	for (int i = 0; i < c->cpp->missing.n; i++)
		VEC_PUSH(a, &c->missing, c->cpp->missing.entries[i].key);
	return c;
}

const struct type *c_defs_type(struct c_defs *c, enum type_tag tag, struct str name)
{
	const struct c_type *t = NULL;
	struct c_struct *s;
	struct c_type of_struct = {.kind = CT_STRUCT};

	switch (tag) {
	case TAG_NONE:
		t = table_get(&c->typedefs, name);
		break;
	case TAG_ENUM:
		t = table_get(&c->enums, name);
		break;
	case TAG_STRUCT:
	case TAG_UNION:
		s = table_get(tag == TAG_UNION ? &c->unions : &c->structs, name);
		if (!s || !s->complete)
			return NULL;
		of_struct.st = s;
		t = &of_struct;
		break;
	}
	return t ? c_convert(c, t) : NULL;
}

const struct type *c_defs_base_type(struct c_defs *c, struct str name)
{
	const struct c_type *t = c_base_type(name);

	return t ? c_convert(c, t) : NULL;
}

const struct type *c_defs_constant(struct c_defs *c, struct str name, uint64_t *value)
{
	const struct c_constant *k = table_get(&c->constants, name);

	if (!k)
		return NULL;
	*value = k->value;
	return c_convert(c, k->type);
}

/* The body as a number: macros in it are expanded as C does it. */
static struct expr *integer_of(struct c_defs *c, const struct c_macro *m)
{
	c_tokens body = {m->body.at, m->body.n, m->body.cap}, expanded;
	struct expr *e;
	int64_t value;
	bool is_unsigned;

	c->cpp->budget = 100000; /* a body of its own; the file's may be used up */
	expanded = cpp_expand(c->cpp, &body);
	/* one plain number keeps the way it is written */
	if (m->body.n == 1 && m->body.at[0].kind == C_NUMBER && !c_number(m->body.at[0].text, &value, &is_unsigned))
		return NULL;
	/* A name left over may be an enum's constant: alone it keeps its enum, as an expression of the script.  Except where it is
	 * the macro's own: `#define X (X - 1)` over a constant X. */
	if (expanded.n == 1 && expanded.at[0].kind == C_NAME && !str_eq(expanded.at[0].text, m->name))
		return NULL;
	if (!c_parse_constant(c, &expanded, &value, &is_unsigned))
		return NULL;
	is_unsigned = is_unsigned || value >= 0;
	e = expr_int(c->arena, m->span, is_unsigned ? (uint64_t)value : 0 - (uint64_t)value);
	if (!is_unsigned) {
		struct expr *minus = expr_new(c->arena, EXPR_UNARY, m->span);

		minus->unary.op = UNARY_NEG;
		minus->unary.e = e;
		minus->height = 1;
		e = minus;
	}
	return e;
}

struct expr *c_defs_define(struct c_defs *c, struct str name, struct span *span, bool *unusable)
{
	const struct c_macro *m = table_get(&c->cpp->macros, name);
	const struct c_token *first, *last;
	struct expr *e;

	*unusable = false;
	/* a header may use any name; only the script itself can mean to replace a builtin */
	if (!m || m->function || !m->body.n || (m->body.n == 1 && str_eq(m->body.at[0].text, name)) || (m->foreign && word_is_builtin(name)))
		return NULL;
	*span = m->span;
	e = integer_of(c, m);
	if (e)
		return e;
	first = &m->body.at[0];
	last = &m->body.at[m->body.n - 1];
	if (first->span.source == last->span.source && first->span.source)
		e = parse_expression(c->arena, first->span.source, first->span.begin, last->span.end);
	*unusable = !e;
	return e;
}

bool c_defs_unusable(struct c_defs *c, struct str name, bool *empty)
{
	const struct c_macro *m = table_get(&c->cpp->macros, name);

	*empty = m && !m->function && !m->body.n;
	return m && !m->foreign && (m->function || *empty);
}

int c_defs_missing(const struct c_defs *c, const struct str **names)
{
	*names = c->missing.at;
	return c->missing.n;
}
