/* Declarations of C, as far as types are concerned: struct, union, enum, typedef, with attributes, bit-fields and function
 * pointers.  Bodies of functions and initialisers are skipped by matching brackets. */
#include "lang/c_types.h"

enum { MOST_DEPTH = 100 };

static const struct c_type *bare_type(struct c_defs *c);

/* What stands in front of a declarator. */
struct specifiers {
	const struct c_type *type; /* NULL: none was there */
	bool is_typedef, packed;
	uint32_t align;
};

struct declarator {
	struct str name;
	struct span span;
	const struct c_type *type;
	bool packed;
	uint32_t align;
};

/* ---- tokens -------------------------------------------------------------------------------------------------------------- */

static const struct c_token *peek(struct c_defs *c)
{
	return c_peek(&c->cursor);
}

static bool take(struct c_defs *c, const char *text)
{
	return c_take(&c->cursor, text);
}

static bool next_is(struct c_defs *c, const char *text)
{
	return c_is(peek(c), text);
}

/* Complain about the next token unless it comes from an included file. */
static void complain(struct c_defs *c, const char *what)
{
	const struct c_token *t = peek(c);
	struct span span = t->span;

	if (t->kind == C_END && c->cursor.at > c->cpp->out.at)
		t = c->cursor.at - 1, span = t->span;
	if (!t->foreign)
		diag_add(c->diag, span, DIAG_C_SYNTAX, what);
}

/* Behind the bracket that closes the one here. */
static void skip_brackets(struct c_defs *c)
{
	int depth = 0;

	while (peek(c)->kind != C_END) {
		if (next_is(c, "(") || next_is(c, "[") || next_is(c, "{"))
			depth++;
		else if (next_is(c, ")") || next_is(c, "]") || next_is(c, "}"))
			depth--;
		c->cursor.at++;
		if (depth <= 0)
			return;
	}
}

/* Behind the next ';' that is in no bracket, or before a '}'. */
static void skip_to_semicolon(struct c_defs *c)
{
	while (peek(c)->kind != C_END && !next_is(c, "}")) {
		if (take(c, ";"))
			return;
		if (next_is(c, "(") || next_is(c, "[") || next_is(c, "{"))
			skip_brackets(c);
		else
			c->cursor.at++;
	}
}

/* #pragma pack(N), (), (push, N), (pop) */
static void change_pack(struct c_defs *c)
{
	struct str text = peek(c)->text;
	size_t comma = str_find(text, ',');
	struct str word = str_trim(str_sub(text, 0, comma)), number = str_trim(str_sub(text, comma + 1, SIZE_MAX));
	int64_t n = 0;
	bool is_unsigned;

	c->cursor.at++;
	if (str_is(word, "pop")) {
		c->pack = c->packs.n ? c->packs.at[--c->packs.n] : 0;
		return;
	}
	if (str_is(word, "push"))
		VEC_PUSH(c->arena, &c->packs, c->pack);
	else
		number = word;
	if (!number.n)
		c->pack = str_is(word, "push") ? c->pack : 0;
	else if (c_number(number, &n, &is_unsigned) && n > 0 && n <= 16)
		c->pack = (uint32_t)n;
}

/* ---- constants ------------------------------------------------------------------------------------------------------------- */

static bool constant_name(struct c_cursor *cursor, struct str name, int64_t *value)
{
	struct c_defs *c = cursor->arg;
	const struct c_constant *k = table_get(&c->constants, name);

	*value = k ? (int64_t)k->value : 0;
	return k != NULL;
}

/* The bytes of "abc" with its NUL: an escape is one of them. */
static int64_t text_size(struct str quoted)
{
	int64_t n = 1;

	for (size_t i = 1; i + 1 < quoted.n; i++, n++)
		i += quoted.s[i] == '\\';
	return n;
}

/* The cursor is c->cursor itself. */
static bool constant_sizeof(struct c_cursor *cursor, int64_t *value)
{
	struct c_defs *c = cursor->arg;
	const struct c_type *t;

	if (!take(c, "("))
		return false;
	if (peek(c)->kind == C_STRING) {
		*value = text_size(peek(c)->text);
		c->cursor.at++;
		return take(c, ")");
	}
	t = bare_type(c);
	*value = t ? (int64_t)t->size : 0;
	return t && take(c, ")");
}

static const struct c_type *constant_cast(struct c_cursor *cursor)
{
	struct c_defs *c = cursor->arg;
	const struct c_token *start = cursor->at;
	const struct c_type *t;

	cursor->at++;
	t = bare_type(c);
	if (t && take(c, ")"))
		return t;
	cursor->at = start;
	return NULL;
}

static bool constant(struct c_defs *c, int64_t *value)
{
	return c_const(&c->cursor, value);
}

/* ---- attributes ---------------------------------------------------------------------------------------------------------------- */

static bool is_attribute_word(const struct c_token *t)
{
	return c_is(t, "__attribute__") || c_is(t, "__attribute") || c_is(t, "__packed") || c_is(t, "_Alignas") ||
	       c_is(t, "__aligned");
}

static void aligned(struct c_defs *c, uint32_t *align)
{
	int64_t n = 16;
	const struct c_type *t;

	if (take(c, "(")) {
		const struct c_token *start = c->cursor.at;

		t = bare_type(c);
		if (t && next_is(c, ")")) {
			n = t->align;
		} else {
			c->cursor.at = start;
			if (!constant(c, &n))
				n = 1;
		}
		while (peek(c)->kind != C_END && !next_is(c, ")"))
			c->cursor.at++;
		take(c, ")");
	}
	if (n > 0 && n <= 4096 && !(n & (n - 1)) && (uint32_t)n > *align)
		*align = (uint32_t)n;
}

/* packed and aligned count, all else is skipped. */
static void attributes(struct c_defs *c, bool *packed, uint32_t *align)
{
	while (is_attribute_word(peek(c))) {
		if (take(c, "__packed")) {
			*packed = true;
			continue;
		}
		if (take(c, "_Alignas") || take(c, "__aligned")) {
			aligned(c, align);
			continue;
		}
		c->cursor.at++;
		if (!take(c, "(") || !take(c, "("))
			return;
		while (peek(c)->kind != C_END && !next_is(c, ")")) {
			if (take(c, "packed") || take(c, "__packed__")) {
				*packed = true;
			} else if (take(c, "aligned") || take(c, "__aligned__")) {
				aligned(c, align);
			} else {
				c->cursor.at++;
				if (next_is(c, "("))
					skip_brackets(c);
			}
		}
		take(c, ")");
		take(c, ")");
	}
}

/* ---- declarators ------------------------------------------------------------------------------------------------------------------ */

static struct c_type *new_type(struct c_defs *c, enum c_type_kind kind, uint64_t size, uint32_t align)
{
	struct c_type *t = NEW(c->arena, struct c_type);

	t->kind = kind;
	t->size = size;
	t->align = align;
	return t;
}

static const struct c_type *pointer_to(struct c_defs *c, const struct c_type *elem)
{
	struct c_type *t = new_type(c, CT_POINTER, 8, 8);

	t->elem = elem;
	return t;
}

static const struct c_type *array_of(struct c_defs *c, const struct c_type *elem, int64_t count)
{
	struct c_type *t = new_type(c, CT_ARRAY, 0, elem->align);

	t->elem = elem;
	t->count = count > 0 ? (uint64_t)count : 0;
	if (__builtin_mul_overflow(elem->size, t->count, &t->size) || t->size > INT32_MAX)
		t->size = t->count = 0;
	return t;
}

/* Keywords that say nothing about layout. */
static bool skip_qualifier(struct c_defs *c)
{
	static const char *const words[] = {
		"const", "volatile", "restrict", "__const", "__volatile__", "__restrict", "__restrict__",
		"__extension__", "extern", "static", "inline", "__inline", "__inline__", "register", "auto",
		"_Noreturn", "_Atomic", "_Thread_local", "__thread", "__user", "__rcu", "__kernel", "__iomem",
		"__percpu", "__force", "__bitwise", "__always_inline", NULL,
	};

	for (int i = 0; words[i]; i++)
		if (take(c, words[i]))
			return true;
	return false;
}

/* [N] and (parameters) behind a name; the last one binds the base. */
static const struct c_type *suffixes(struct c_defs *c, const struct c_type *base)
{
	int64_t count = 0;

	if (c->depth > MOST_DEPTH)
		return base;
	if (next_is(c, "(")) {
		skip_brackets(c);
		return new_type(c, CT_FUNCTION, 1, 1);
	}
	if (!take(c, "["))
		return base;
	while (skip_qualifier(c))
		;
	if (!next_is(c, "]") && !constant(c, &count)) {
		complain(c, "the size of this array is not a constant");
		while (peek(c)->kind != C_END && !next_is(c, "]") && !next_is(c, ";"))
			c->cursor.at++;
	} else if (count < 0 || count > INT32_MAX) {
		complain(c, count < 0 ? "an array cannot have fewer than 0 elements" : "this array is too large");
	}
	if (!take(c, "]"))
		complain(c, "a ']' is missing here");
	c->depth++;
	base = suffixes(c, base);
	c->depth--;
	return array_of(c, base, count);
}

static bool starts_type(struct c_defs *c);

/* A '(' here opens a nested declarator, not parameters. */
static bool nested_declarator(struct c_defs *c)
{
	const struct c_token *start = c->cursor.at;
	bool nested;

	if (!take(c, "("))
		return false;
	nested = !next_is(c, ")") && !starts_type(c);
	c->cursor.at = start;
	return nested;
}

static void declarator(struct c_defs *c, const struct c_type *base, struct declarator *d)
{
	const struct c_token *inner, *behind;

	if (c->depth++ > MOST_DEPTH) {
		c->depth--;
		return;
	}
	attributes(c, &d->packed, &d->align);
	while (take(c, "*")) {
		base = pointer_to(c, base);
		do
			attributes(c, &d->packed, &d->align);
		while (skip_qualifier(c));
	}
	while (skip_qualifier(c))
		;
	attributes(c, &d->packed, &d->align);
	if (nested_declarator(c)) {
		/* first what follows the ')', which binds the base, then what stands inside */
		inner = c->cursor.at + 1;
		skip_brackets(c);
		base = suffixes(c, base);
		behind = c->cursor.at;
		c->cursor.at = inner;
		declarator(c, base, d);
		c->cursor.at = behind;
	} else {
		if (peek(c)->kind == C_NAME && !is_attribute_word(peek(c))) {
			d->name = peek(c)->text;
			d->span = peek(c)->span;
			c->cursor.at++;
		}
		d->type = suffixes(c, base);
	}
	attributes(c, &d->packed, &d->align);
	c->depth--;
}

/* ---- structs, unions, enums ---------------------------------------------------------------------------------------------------------- */

static bool specify(struct c_defs *c, struct specifiers *s);

/* Why nothing can contain such a type; NULL: it can. */
static const char *no_member(const struct c_type *t)
{
	while (t->kind == CT_ARRAY)
		t = t->elem;
	if (t->kind == CT_STRUCT && !t->st->complete)
		return "this struct is not known, so that nothing can contain it";
	if (t->kind == CT_VOID)
		return "void has no size, so that nothing can contain it";
	return t->kind == CT_FUNCTION ? "nothing can contain a function, only a pointer to one" : NULL;
}

/* Of that name, also in anonymous structs and unions. */
static bool has_member(const struct c_struct *s, struct str name)
{
	VEC_EACH(m, &s->members)
		if (m->name.n ? str_eq(m->name, name) : m->type->kind == CT_STRUCT && has_member(m->type->st, name))
			return true;
	return false;
}

static void add_member(struct c_defs *c, struct c_struct *s, const struct specifiers *spec, struct declarator *d)
{
	struct c_member m = {.name = d->name, .type = d->type, .align = d->align > spec->align ? d->align : spec->align,
			     .packed = d->packed};
	const char *problem;
	int64_t width;

	if (take(c, ":")) {
		m.bitfield = true;
		if (!constant(c, &width) || width < 0 || width > 64 || (uint64_t)width > m.type->size * 8) {
			complain(c, "the width of this bit-field does not fit its type");
			width = 1;
		}
		m.width = (uint32_t)width;
		attributes(c, &m.packed, &m.align);
	}
	problem = no_member(m.type);
	if (!problem && m.name.n && has_member(s, m.name))
		problem = "there is a member of this name already";
	if (problem) {
		complain(c, problem);
		return;
	}
	VEC_PUSH(c->arena, &s->members, m);
}

/* One line of a struct's body. */
static void member_line(struct c_defs *c, struct c_struct *s)
{
	struct specifiers spec = {0};
	struct declarator d;

	if (take(c, ";"))
		return;
	if (peek(c)->kind == C_PACK) {
		change_pack(c);
		return;
	}
	if (!specify(c, &spec)) {
		complain(c, peek(c)->kind == C_NAME ? "there is no type of this name" : "a member starts with its type");
		skip_to_semicolon(c);
		return;
	}
	if (next_is(c, ";")) {
		memset(&d, 0, sizeof(d));
		d.type = spec.type;
		d.packed = spec.packed;
		if (spec.type->kind == CT_STRUCT)
			add_member(c, s, &spec, &d); /* anonymous */
		take(c, ";");
		return;
	}
	do {
		memset(&d, 0, sizeof(d));
		d.type = spec.type;
		declarator(c, spec.type, &d);
		add_member(c, s, &spec, &d);
	} while (take(c, ","));
	if (!take(c, ";") && !next_is(c, "}")) {
		complain(c, "a ';' is missing here");
		skip_to_semicolon(c);
	}
}

static struct c_struct *struct_named(struct c_defs *c, bool is_union, struct str tag)
{
	struct table *t = is_union ? &c->unions : &c->structs;
	struct c_struct *s = tag.n ? table_get(t, tag) : NULL;

	if (s)
		return s;
	s = NEW(c->arena, struct c_struct);
	s->name = tag;
	s->is_union = is_union;
	s->align = 1;
	s->defs = c;
	if (tag.n)
		table_put(t, tag, s);
	return s;
}

/* A type of the kernel that the script names without defining it. */
static const struct c_type *from_kernel(struct c_defs *c, enum type_tag tag, struct str name)
{
	const struct type *k = c->kernel->type_by_name ? c->kernel->type_by_name(c->kernel, c->types, tag, name) : NULL;
	struct c_type *t;

	if (!k)
		return NULL;
	t = new_type(c, CT_KERNEL, k->size, k->align ? k->align : 1);
	t->kernel = k;
	t->is_signed = k->is_signed;
	return t;
}

static const struct c_type *type_of_struct(struct c_defs *c, struct c_struct *s)
{
	struct c_type *t = new_type(c, CT_STRUCT, s->size, s->align);

	t->st = s;
	return t;
}

static const struct c_type *struct_specifier(struct c_defs *c, bool is_union)
{
	bool packed = false;
	uint32_t align = 0;
	struct str tag = {0};
	struct span span;
	struct c_struct *s;
	const struct c_type *t;

	attributes(c, &packed, &align);
	span = peek(c)->span;
	if (peek(c)->kind == C_NAME) {
		tag = peek(c)->text;
		c->cursor.at++;
	}
	attributes(c, &packed, &align);
	s = struct_named(c, is_union, tag);
	if (!take(c, "{")) {
		/* by value it must be complete: perhaps the kernel knows it.  A pointer asks later. */
		if (!s->complete && !s->open && !next_is(c, "*") && !next_is(c, ";") &&
		    (t = from_kernel(c, is_union ? TAG_UNION : TAG_STRUCT, tag)))
			return t;
		return type_of_struct(c, s);
	}
	if (s->complete || s->open) {
		if (!peek(c)->foreign) {
			diag_add(c->diag, span, DIAG_C_REDEFINED, is_union ? "union" : "struct", STR_ARG(tag));
			if (s->span.source)
				diag_note(c->diag, s->span, "the first is here");
		}
		s = struct_named(c, is_union, (struct str){0});
	}
	s->span = span;
	s->open = true;
	if (c->depth++ > MOST_DEPTH) {
		complain(c, "structs are nested too deep");
		c->cursor.at = c->cursor.end;
	}
	while (peek(c)->kind != C_END && !next_is(c, "}"))
		member_line(c, s);
	c->depth--;
	take(c, "}");
	attributes(c, &packed, &align);
	s->packed = packed;
	s->asked_align = align;
	s->pack = c->pack;
	c_layout(s);
	return type_of_struct(c, s);
}

static void enum_values(struct c_defs *c, struct c_type *t)
{
	int64_t value = 0;
	bool large = false;

	while (peek(c)->kind == C_NAME) {
		struct enum_value v = {.name = peek(c)->text};
		struct c_constant *k = NEW(c->arena, struct c_constant);
		bool ignored = false;
		uint32_t align = 0;

		if (table_get(&c->constants, v.name))
			complain(c, "there is a constant of this name already");
		c->cursor.at++;
		attributes(c, &ignored, &align);
		if (take(c, "=") && !constant(c, &value)) {
			complain(c, "the value of this constant cannot be computed");
			while (peek(c)->kind != C_END && !next_is(c, ",") && !next_is(c, "}"))
				c->cursor.at++;
		}
		v.value = (uint64_t)value;
		t->enum_->is_signed = t->enum_->is_signed || value < 0;
		large = large || value > UINT32_MAX || value < INT32_MIN;
		k->value = v.value;
		k->type = t;
		table_put(&c->constants, v.name, k);
		VEC_PUSH(c->arena, &t->enum_->values, v);
		value = (int64_t)((uint64_t)value + 1);
		if (!take(c, ","))
			break;
	}
	if (!take(c, "}")) {
		complain(c, "a ',' or '}' is missing here");
		while (peek(c)->kind != C_END && !take(c, "}"))
			c->cursor.at++;
	}
	t->size = t->align = large ? 8 : 4;
	t->is_signed = t->enum_->is_signed;
}

/* __attribute__((packed)): the smallest size that has room for all values. */
static void pack_enum(struct c_type *t)
{
	int64_t low = 0, high = 0;

	VEC_EACH(v, &t->enum_->values) {
		int64_t value = (int64_t)v->value;

		low = value < low ? value : low;
		high = value > high ? value : high;
	}
	for (uint32_t size = 1; size < t->size; size *= 2) {
		int64_t most = (INT64_C(1) << (size * 8 - (low < 0))) - 1;

		if (high <= most && low >= -most - 1) {
			t->size = t->align = size;
			return;
		}
	}
}

/* enum NAME : TYPE { }; NULL (and nothing taken) when there is no type. */
static const struct c_type *underlying_type(struct c_defs *c)
{
	const struct c_token *start = c->cursor.at;
	const struct c_type *t = take(c, ":") ? bare_type(c) : NULL;

	if (t && next_is(c, "{"))
		return t;
	c->cursor.at = start;
	return NULL;
}

static const struct c_type *enum_specifier(struct c_defs *c)
{
	struct str tag = {0};
	struct c_type *t;
	const struct c_type *k, *underlying;
	bool packed = false;
	uint32_t align = 0;

	attributes(c, &packed, &align);
	if (peek(c)->kind == C_NAME) {
		tag = peek(c)->text;
		c->cursor.at++;
	}
	underlying = underlying_type(c);
	t = tag.n ? table_get(&c->enums, tag) : NULL;
	if (!next_is(c, "{")) {
		if (!t && (k = from_kernel(c, TAG_ENUM, tag)))
			return k;
		if (t)
			return t;
	}
	if (!t || t->enum_) {
		t = new_type(c, CT_ENUM, 4, 4);
		t->tag = tag;
		if (tag.n)
			table_put(&c->enums, tag, t);
	}
	if (!take(c, "{"))
		return t;
	t->enum_ = NEW(c->arena, struct enum_decl);
	t->enum_->name = tag;
	enum_values(c, t);
	attributes(c, &packed, &align);
	if (packed)
		pack_enum(t);
	if (underlying) {
		t->size = t->align = (uint32_t)underlying->size;
		t->is_signed = t->enum_->is_signed = underlying->is_signed;
	}
	return t;
}

/* ---- specifiers ------------------------------------------------------------------------------------------------------------------------- */

/* signed unsigned short int long char in any order and number. */
static const struct c_type *int_words(struct c_defs *c)
{
	int sign = 0, longs = 0, shorts = 0, chars = 0, ints = 0, doubles = 0;

	for (;; c->cursor.at++) {
		if (next_is(c, "signed") || next_is(c, "__signed__") || next_is(c, "__signed"))
			sign = 1;
		else if (next_is(c, "unsigned"))
			sign = 2;
		else if (next_is(c, "long"))
			longs++;
		else if (next_is(c, "short"))
			shorts++;
		else if (next_is(c, "char"))
			chars++;
		else if (next_is(c, "int"))
			ints++;
		else if (next_is(c, "double"))
			doubles++;
		else if (!next_is(c, "const") && !next_is(c, "volatile"))
			break;
	}
	if (doubles)
		return c_base_type(longs ? STR("long double") : STR("double"));
	if (chars)
		return c_base_type(sign == 2 ? STR("unsigned char") : sign ? STR("signed char") : STR("char"));
	if (shorts)
		return c_base_type(sign == 2 ? STR("unsigned short") : STR("short"));
	if (longs)
		return c_base_type(sign == 2 ? STR("unsigned long") : STR("long"));
	return sign || ints ? c_base_type(sign == 2 ? STR("unsigned") : STR("int")) : NULL;
}

static bool is_int_word(const struct c_token *t)
{
	static const char *const words[] = {"signed", "__signed__", "__signed", "unsigned", "long", "short", "char", "int",
					    "double", NULL};

	for (int i = 0; words[i]; i++)
		if (c_is(t, words[i]))
			return true;
	return false;
}

/* typeof(type); of an expression nothing is known here. */
static const struct c_type *typeof_specifier(struct c_defs *c)
{
	const struct c_token *start = c->cursor.at;
	const struct c_type *t = NULL;

	if (take(c, "("))
		t = bare_type(c);
	c->cursor.at = start;
	skip_brackets(c);
	return t ? t : c_base_type(STR("int"));
}

/* A typedef may stand before what it names: a struct or an enum is looked up again when it is used. */
static const struct c_type *as_known_now(struct c_defs *c, const struct c_type *t)
{
	const struct c_type *now;
	struct c_type *copy;

	if (t->kind == CT_ENUM && !t->enum_) {
		now = table_get(&c->enums, t->tag);
		return now ? now : t;
	}
	if (t->kind != CT_STRUCT || t->size == t->st->size)
		return t;
	copy = NEW(c->arena, struct c_type);
	*copy = *t;
	copy->size = t->st->size;
	copy->align = t->align > t->st->align ? t->align : t->st->align;
	return copy;
}

/* A name that is a type: of the script, of C, of the kernel. */
static const struct c_type *named_type(struct c_defs *c, struct str name)
{
	const struct c_type *t = table_get(&c->typedefs, name);

	if (t)
		return as_known_now(c, t);
	t = c_base_type(name);
	return t ? t : from_kernel(c, TAG_NONE, name);
}

static bool starts_type(struct c_defs *c)
{
	static const char *const words[] = {"struct", "union", "enum", "const", "volatile", "typeof", "__typeof__", NULL};
	const struct c_token *t = peek(c);

	if (t->kind != C_NAME)
		return false;
	for (int i = 0; words[i]; i++)
		if (c_is(t, words[i]))
			return true;
	return is_int_word(t) || table_get(&c->typedefs, t->text) || c_base_type(t->text);
}

static const struct c_type *type_specifier(struct c_defs *c)
{
	const struct c_type *t;

	if (take(c, "struct"))
		return struct_specifier(c, false);
	if (take(c, "union"))
		return struct_specifier(c, true);
	if (take(c, "enum"))
		return enum_specifier(c);
	if (take(c, "typeof") || take(c, "__typeof__") || take(c, "__typeof"))
		return typeof_specifier(c);
	if (is_int_word(peek(c)))
		return int_words(c);
	if (peek(c)->kind != C_NAME)
		return NULL;
	t = named_type(c, peek(c)->text);
	if (t)
		c->cursor.at++;
	return t;
}

/* Everything before the declarator; false when there is no type among it. */
static bool specify(struct c_defs *c, struct specifiers *s)
{
	for (;;) {
		attributes(c, &s->packed, &s->align);
		if (take(c, "typedef"))
			s->is_typedef = true;
		else if (skip_qualifier(c))
			continue;
		else if (!s->type && (s->type = type_specifier(c)))
			continue;
		else
			break;
	}
	return s->type != NULL;
}

/* A type alone, as in sizeof() and casts; NULL (and nothing taken) when there is none. */
static const struct c_type *bare_type(struct c_defs *c)
{
	const struct c_token *start = c->cursor.at;
	struct specifiers s = {0};
	struct declarator d = {0};

	if (!starts_type(c) || c->depth > MOST_DEPTH)
		return NULL;
	c->depth++;
	if (specify(c, &s)) {
		d.type = s.type;
		declarator(c, s.type, &d);
	}
	c->depth--;
	if (!d.type || d.name.n) {
		c->cursor.at = start;
		return NULL;
	}
	return d.type;
}

/* ---- declarations ------------------------------------------------------------------------------------------------------------------------ */

static void add_typedef(struct c_defs *c, const struct specifiers *spec, const struct declarator *d)
{
	struct c_type *t;

	if (!d->name.n || !d->type)
		return;
	t = NEW(c->arena, struct c_type);
	*t = *d->type;
	if (d->align > t->align || spec->align > t->align)
		t->align = d->align > spec->align ? d->align : spec->align;
	table_put(&c->typedefs, d->name, t);
}

static void skip_asm(struct c_defs *c)
{
	while (take(c, "asm") || take(c, "__asm__") || take(c, "__asm") || take(c, "volatile") || take(c, "__volatile__"))
		;
	if (next_is(c, "("))
		skip_brackets(c);
}

static bool is_asm(struct c_defs *c)
{
	return next_is(c, "asm") || next_is(c, "__asm__") || next_is(c, "__asm");
}

/* In a script the ';' may be left out behind a definition. */
static bool is_definition(const struct specifiers *s)
{
	return s->type->kind == CT_STRUCT || s->type->kind == CT_ENUM;
}

static bool starts_definition(struct c_defs *c)
{
	return next_is(c, "struct") || next_is(c, "union") || next_is(c, "enum") || next_is(c, "typedef");
}

static void declaration(struct c_defs *c)
{
	struct specifiers spec = {0};
	struct declarator d;

	if (is_asm(c)) {
		skip_asm(c);
		take(c, ";");
		return;
	}
	if (next_is(c, "_Static_assert") || next_is(c, "static_assert") || !specify(c, &spec)) {
		if (!next_is(c, "_Static_assert") && !next_is(c, "static_assert"))
			complain(c, peek(c)->kind == C_NAME ? "there is no type of this name" : "a declaration was expected here");
		skip_to_semicolon(c);
		take(c, "}");
		return;
	}
	if (take(c, ";") || (is_definition(&spec) && starts_definition(c)))
		return;
	do {
		memset(&d, 0, sizeof(d));
		d.packed = spec.packed;
		declarator(c, spec.type, &d);
		if (is_asm(c))
			skip_asm(c);
		attributes(c, &d.packed, &d.align);
		if (spec.is_typedef)
			add_typedef(c, &spec, &d);
		if (next_is(c, "{")) {
			skip_brackets(c); /* the body of a function */
			return;
		}
		if (take(c, "="))
			while (peek(c)->kind != C_END && !next_is(c, ",") && !next_is(c, ";")) {
				if (next_is(c, "(") || next_is(c, "[") || next_is(c, "{"))
					skip_brackets(c);
				else
					c->cursor.at++;
			}
	} while (take(c, ","));
	if (take(c, ";"))
		return;
	if (!is_definition(&spec)) {
		complain(c, "a ';' is missing here");
		skip_to_semicolon(c);
	}
}

static struct c_cursor cursor_over(struct c_defs *c, const c_tokens *tokens)
{
	return (struct c_cursor){
		.at = tokens->at,
		.end = tokens->n ? tokens->at + tokens->n : tokens->at,
		.name = constant_name,
		.size_of = constant_sizeof,
		.cast = constant_cast,
		.arg = c,
	};
}

bool c_parse_constant(struct c_defs *c, const c_tokens *tokens, int64_t *value, bool *is_unsigned)
{
	bool ok;

	c->cursor = cursor_over(c, tokens);
	c->depth = 0;
	ok = constant(c, value) && peek(c)->kind == C_END;
	*is_unsigned = c->cursor.is_unsigned;
	return ok;
}

void c_parse(struct c_defs *c)
{
	c->cursor = cursor_over(c, &c->cpp->out);
	while (peek(c)->kind != C_END) {
		const struct c_token *before = c->cursor.at;

		c->depth = 0;
		c->cursor.depth = 0;
		if (peek(c)->kind == C_PACK)
			change_pack(c);
		else if (!take(c, ";"))
			declaration(c);
		if (c->cursor.at == before)
			c->cursor.at++; /* whatever it is, go on */
	}
}
