/* BTF as C text, for listings: declarations of arguments and definitions of structs, unions and enums. */
#include "runtime/btf.h"

/* A damaged blob may describe types that contain themselves: not only the depth but the work is limited. */
enum { MAX_NESTING = 24, MAX_DECLARATIONS = 20000, MAX_TEXT = 1 << 20 };

struct printer {
	struct strbuf *b;
	const struct btf_file *f;
	bool spaced;
	int depth;
	int *budget; /* declarations that may still be printed */
};

static void print_decl(struct printer *p, uint32_t id, struct str name, int indent);
static void print_body(struct printer *p, const struct btf_type *t, int indent);

static void add(struct printer *p, const char *text)
{
	strbuf_add(p->b, str_of(text));
}

static void add_indent(struct printer *p, int indent)
{
	while (indent-- > 0)
		strbuf_addc(p->b, '\t');
}

static const char *tag_of(const struct btf_type *t)
{
	switch (btf_kind_of(t)) {
	case BTF_KIND_STRUCT:
		return "struct";
	case BTF_KIND_UNION:
		return "union";
	case BTF_KIND_FWD:
		return BTF_INFO_KFLAG(t->info) ? "union" : "struct";
	default:
		return "enum";
	}
}

/* The part of a type left of the name: qualifiers and the base type. */
static void print_base(struct printer *p, uint32_t id, int indent)
{
	const struct btf_type *t = btf_type_at(p->f, id);
	struct str name = btf_name(p->f, t);

	switch (btf_kind_of(t)) {
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
		add(p, btf_kind_of(t) == BTF_KIND_CONST ? "const " : btf_kind_of(t) == BTF_KIND_VOLATILE ? "volatile " : "");
		if (p->depth++ < MAX_NESTING)
			print_base(p, t->type, indent);
		p->depth--;
		return;
	case BTF_KIND_TYPE_TAG:
		if (p->depth++ < MAX_NESTING)
			print_base(p, t->type, indent);
		p->depth--;
		return;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		add(p, tag_of(t));
		strbuf_addc(p->b, ' ');
		if (name.n) {
			strbuf_add(p->b, name);
			return;
		}
		print_body(p, t, indent);
		return;
	case BTF_KIND_FWD:
		add(p, tag_of(t));
		strbuf_addc(p->b, ' ');
		strbuf_add(p->b, name);
		return;
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPEDEF:
		strbuf_add(p->b, name);
		return;
	default:
		add(p, "void");
	}
}

static bool needs_parens(const struct printer *p, uint32_t id)
{
	int kind = btf_kind_of(btf_type_at(p->f, id));

	return kind == BTF_KIND_ARRAY || kind == BTF_KIND_FUNC_PROTO;
}

/* Qualifiers between a pointer's star and what it points at end up left of the star: walk from the name outwards, building
 * the declarator, until a base type is reached. */
static void print_params(struct printer *p, const struct btf_type *proto, struct strbuf *into)
{
	const struct btf_param *param = btf_tail(proto);
	uint32_t n = BTF_INFO_VLEN(proto->info), i;
	struct printer inner = {.b = into, .f = p->f, .depth = p->depth + 1, .budget = p->budget};

	strbuf_addc(into, '(');
	for (i = 0; i < n && *p->budget > 0; i++) {
		if (i)
			strbuf_add(into, STR(", "));
		if (!param[i].type && !param[i].name_off)
			strbuf_add(into, STR("..."));
		else if (inner.depth < MAX_NESTING)
			print_decl(&inner, param[i].type, btf_text(p->f, param[i].name_off), 0);
	}
	if (!n)
		strbuf_add(into, STR("void"));
	strbuf_addc(into, ')');
}

/* Put `text` in front of the declarator. */
static void prepend(struct strbuf *d, const char *text)
{
	struct strbuf b = {.arena = d->arena};

	strbuf_add(&b, str_of(text));
	strbuf_add(&b, strbuf_str(d));
	*d = b;
}

static void print_decl(struct printer *p, uint32_t id, struct str name, int indent)
{
	struct strbuf d = {.arena = p->b->arena};
	bool pointer = false;
	int depth;

	if (--*p->budget < 0 || p->b->n > MAX_TEXT)
		return;
	strbuf_add(&d, name);
	for (depth = 0; depth < MAX_NESTING; depth++) {
		const struct btf_type *t = btf_type_at(p->f, id);
		int kind = btf_kind_of(t);

		if (kind == BTF_KIND_PTR) {
			prepend(&d, pointer || !p->spaced || !d.n ? "*" : "* ");
			pointer = true;
			if (needs_parens(p, t->type)) {
				prepend(&d, "(");
				strbuf_addc(&d, ')');
			}
			id = t->type;
		} else if (kind == BTF_KIND_ARRAY) {
			const struct btf_array *arr = btf_tail(t);

			strbuf_printf(&d, "[%u]", arr->nelems);
			id = arr->type;
		} else if (kind == BTF_KIND_FUNC_PROTO) {
			print_params(p, t, &d);
			id = t->type;
		} else if ((kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_RESTRICT ||
			    kind == BTF_KIND_TYPE_TAG) &&
			   (btf_kind_of(btf_type_at(p->f, t->type)) == BTF_KIND_PTR || kind == BTF_KIND_TYPE_TAG)) {
			if (kind == BTF_KIND_CONST)
				prepend(&d, d.n ? "const " : "const");
			id = t->type;
		} else {
			break;
		}
	}
	print_base(p, id, indent);
	if (d.n) {
		strbuf_addc(p->b, ' ');
		strbuf_add(p->b, strbuf_str(&d));
	}
}

static void print_enumerators(struct printer *p, const struct btf_type *t, int indent)
{
	uint32_t n = BTF_INFO_VLEN(t->info), i, off;
	bool is_signed = btf_enum_is_signed((struct btf_file *)(uintptr_t)p->f, t);

	for (i = 0; i < n && p->b->n < MAX_TEXT; i++) {
		uint64_t v = btf_enum_value(t, i, is_signed, &off);

		add_indent(p, indent + 1);
		strbuf_add(p->b, btf_text(p->f, off));
		if (is_signed)
			strbuf_printf(p->b, " = %lld,\n", (long long)v);
		else
			strbuf_printf(p->b, " = %llu,\n", (unsigned long long)v);
	}
}

/* `{ members }` of a struct, union or enum. */
static void print_body(struct printer *p, const struct btf_type *t, int indent)
{
	const struct btf_member *m = btf_tail(t);
	uint32_t n = BTF_INFO_VLEN(t->info), i;

	if (p->depth >= MAX_NESTING) {
		add(p, "{ ... }");
		return;
	}
	p->depth++;
	add(p, "{\n");
	if (BTF_MASK(btf_kind_of(t)) & BTF_MASK_ENUM) {
		print_enumerators(p, t, indent);
		n = 0;
	}
	for (i = 0; i < n && *p->budget > 0; i++) {
		add_indent(p, indent + 1);
		print_decl(p, m[i].type, btf_text(p->f, m[i].name_off), indent + 1);
		if (BTF_INFO_KFLAG(t->info) && BTF_MEMBER_BITFIELD_SIZE(m[i].offset))
			strbuf_printf(p->b, ": %u", BTF_MEMBER_BITFIELD_SIZE(m[i].offset));
		add(p, ";\n");
	}
	add_indent(p, indent);
	strbuf_addc(p->b, '}');
	p->depth--;
}

void btf_print_decl(struct strbuf *b, const struct btf_file *f, uint32_t id, struct str name, bool spaced)
{
	int budget = MAX_DECLARATIONS;
	struct printer p = {.b = b, .f = f, .spaced = spaced, .budget = &budget};

	print_decl(&p, id, name, 0);
}

void btf_print_definition(struct strbuf *b, const struct btf_file *f, uint32_t id, int indent)
{
	int budget = MAX_DECLARATIONS;
	struct printer p = {.b = b, .f = f, .budget = &budget};
	const struct btf_type *t = btf_type_at(f, id);
	struct str name = btf_name(f, t);

	strbuf_printf(b, "%s ", tag_of(t));
	if (name.n) {
		strbuf_add(b, name);
		strbuf_addc(b, ' ');
	}
	print_body(&p, t, indent);
}
