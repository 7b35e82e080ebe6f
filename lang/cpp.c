/* The preprocessor: directives and the expansion of macros.
 *
 * Expansion follows the usual algorithm: each token remembers the macros it came from and is not expanded by those again.  A
 * stream is a list of tokens put back, in front of a file (or of nothing, for the arguments of a macro). */
#include "lang/cpp.h"

#include <errno.h>

#include "lang/c_const.h"
#include "lang/imports.h"

/* Where a distribution keeps the headers of this machine's kind. */
#if defined(__aarch64__)
#define MACHINE_INCLUDE "/usr/include/aarch64-linux-gnu"
#elif defined(__riscv)
#define MACHINE_INCLUDE "/usr/include/riscv64-linux-gnu"
#elif defined(__s390x__)
#define MACHINE_INCLUDE "/usr/include/s390x-linux-gnu"
#elif defined(__powerpc64__)
#define MACHINE_INCLUDE "/usr/include/powerpc64le-linux-gnu"
#else
#define MACHINE_INCLUDE "/usr/include/x86_64-linux-gnu"
#endif

enum {
	MOST_TOKENS = 1000000, /* all headers of Linux for programs have fewer; each costs some 150 bytes */
	MOST_INCLUDES = 100, /* one inside another */
};

struct pending {
	struct c_token token;
	struct pending *next;
};

/* Where the state of #if and its kin is kept: one per nesting. */
struct condition {
	bool active;  /* this branch is read */
	bool taken;   /* this or an earlier branch was */
	bool outer;   /* the text around is read */
	bool in_else;
	struct span span;
};

struct stream {
	struct pending *pending;
	const struct source *source; /* NULL: nothing behind the list */
	uint32_t begin, at, end;
	bool foreign;
	bool script; /* the script itself, whose directory the caller knows */
	VEC(struct condition) conditions;
};

static void read_directive(struct cpp *p, struct stream *s, struct c_token hash);

struct cpp *cpp_new(struct arena *a, struct kernel *k, const struct cpp_options *opt, struct diag *d)
{
	struct cpp *p = NEW(a, struct cpp);
	const char *text = c_predefined();
	const struct source *source = source_new(a, STR("predefined"), str_of(text));

	p->arena = a;
	p->diag = d;
	p->kernel = k;
	p->opt = opt;
	p->macros.arena = p->once.arena = p->missing.arena = a;
	p->budget = MOST_TOKENS;
	cpp_read(p, source, true);
	return p;
}

/* Complaints about included files are of no use to whom only wanted a constant of them. */
#define CPP_ERROR(p, s, span, ...)                                                                 \
	do {                                                                                       \
		if (!(s)->foreign)                                                                 \
			diag_add((p)->diag, (span), __VA_ARGS__);                                  \
	} while (0)

/* ---- streams ------------------------------------------------------------------------------------------------------------- */

static void put_back(struct cpp *p, struct stream *s, struct c_token t)
{
	struct pending *item = NEW(p->arena, struct pending);

	item->token = t;
	item->next = s->pending;
	s->pending = item;
}

/* The next token, not yet expanded; directives are not looked at. */
static struct c_token take_raw(struct cpp *p, struct stream *s)
{
	struct c_token t = {0};

	if (p->budget-- <= 0)
		return t; /* the end, for whoever reads on */
	if (s->pending) {
		t = s->pending->token;
		s->pending = s->pending->next;
		return t;
	}
	if (s->source) {
		bool first = s->at == s->begin;

		t = c_lex(s->source, &s->at, s->end);
		t.line_start = t.line_start || first;
		t.foreign = s->foreign;
	}
	return t;
}

static bool reading(const struct stream *s)
{
	return !s->conditions.n || s->conditions.at[s->conditions.n - 1].active;
}

/* The next token that counts: directives are obeyed, text that #if leaves out is skipped. */
static struct c_token take(struct cpp *p, struct stream *s)
{
	for (;;) {
		struct c_token t = take_raw(p, s);

		if (t.kind == C_PUNCT && t.line_start && !s->pending && str_is(t.text, "#") && s->source)
			read_directive(p, s, t);
		else if (t.kind == C_END || reading(s))
			return t;
	}
}

/* ---- macros ---------------------------------------------------------------------------------------------------------------- */

static bool is_hidden(const struct c_token *t, const struct c_macro *m)
{
	for (const struct c_hidden *h = t->hidden; h; h = h->next)
		if (h->macro == m)
			return true;
	return false;
}

static const struct c_hidden *hide(struct cpp *p, const struct c_hidden *list, const struct c_macro *m)
{
	struct c_hidden *h = NEW(p->arena, struct c_hidden);

	h->macro = m;
	h->next = list;
	return h;
}

typedef VEC(c_tokens) argument_list;

/* Arguments up to the ')' that closes; false: the text ends before it. */
static bool take_arguments(struct cpp *p, struct stream *s, const struct c_macro *m, argument_list *args)
{
	c_tokens arg = {0};
	int depth = 1;

	for (;;) {
		struct c_token t = take(p, s);

		if (t.kind == C_END)
			return false;
		if (c_is(&t, "("))
			depth++;
		if (c_is(&t, ")") && --depth == 0)
			break;
		if (c_is(&t, ",") && depth == 1 && !(m->variadic && args->n >= m->params.n - 1)) {
			VEC_PUSH(p->arena, args, arg);
			memset(&arg, 0, sizeof(arg));
			continue;
		}
		VEC_PUSH(p->arena, &arg, t);
	}
	if (args->n || arg.n || m->params.n)
		VEC_PUSH(p->arena, args, arg);
	return true;
}

static int param_of(const struct c_macro *m, const struct c_token *t)
{
	for (int i = 0; t->kind == C_NAME && i < m->params.n; i++)
		if (str_eq(m->params.at[i], t->text))
			return i;
	return -1;
}

/* #x: the argument as a string. */
static struct c_token stringify(struct cpp *p, const c_tokens *arg, const struct c_token *at)
{
	struct strbuf text = {.arena = p->arena};
	struct c_token t = *at;

	strbuf_addc(&text, '"');
	VEC_EACH (a, arg) {
		if (a != arg->at && a->space_before)
			strbuf_addc(&text, ' ');
		for (size_t i = 0; i < a->text.n; i++) {
			if ((a->kind == C_STRING || a->kind == C_CHAR) && (a->text.s[i] == '"' || a->text.s[i] == '\\'))
				strbuf_addc(&text, '\\');
			strbuf_addc(&text, a->text.s[i]);
		}
	}
	strbuf_addc(&text, '"');
	t.kind = C_STRING;
	t.text = strbuf_str(&text);
	return t;
}

/* a ## b: one token of both texts. */
static void paste(struct cpp *p, c_tokens *out, const struct c_token *right)
{
	struct c_token *left;
	struct str text;
	const struct source *source;
	uint32_t at = 0;
	struct c_token t;

	if (!out->n) {
		VEC_PUSH(p->arena, out, *right);
		return;
	}
	left = &out->at[out->n - 1];
	text = str_printf(p->arena, "%.*s%.*s", STR_ARG(left->text), STR_ARG(right->text));
	source = source_new(p->arena, STR("pasted"), text);
	t = c_lex(source, &at, (uint32_t)text.n);
	left->kind = t.kind;
	left->text = t.text;
}

static void add_all(struct cpp *p, c_tokens *out, const c_tokens *tokens)
{
	VEC_EACH (t, tokens)
		VEC_PUSH(p->arena, out, *t);
}

static const c_tokens *argument_at(const argument_list *args, int i)
{
	static const c_tokens none;

	return i >= 0 && i < args->n ? &args->at[i] : &none; /* -1: no parameter */
}

/* The body with the arguments put in. */
static c_tokens substitute(struct cpp *p, const struct c_macro *m, const argument_list *args)
{
	c_tokens out = {0};

	for (int i = 0; i < m->body.n; i++) {
		const struct c_token *t = &m->body.at[i];
		int param = param_of(m, t);
		bool before_paste = i + 1 < m->body.n && c_is(&m->body.at[i + 1], "##");

		if (m->function && c_is(t, "#") && i + 1 < m->body.n && param_of(m, t + 1) >= 0) {
			struct c_token s = stringify(p, argument_at(args, param_of(m, t + 1)), t);

			VEC_PUSH(p->arena, &out, s);
			i++;
		} else if (c_is(t, "##") && i + 1 < m->body.n) {
			const struct c_token *right = &m->body.at[++i];
			const c_tokens *arg = argument_at(args, param_of(m, right));

			if (param_of(m, right) < 0) {
				paste(p, &out, right);
			} else if (arg->n) {
				c_tokens rest = {arg->at + 1, arg->n - 1, arg->n - 1};

				if (i >= 2 && c_is(&m->body.at[i - 2], ","))
					VEC_PUSH(p->arena, &out, arg->at[0]); /* , ## __VA_ARGS__ */
				else
					paste(p, &out, arg->at);
				add_all(p, &out, &rest);
			} else if (out.n && c_is(&out.at[out.n - 1], ",")) {
				out.n--; /* , ## of no arguments takes the comma away */
			}
		} else if (param >= 0 && before_paste) {
			add_all(p, &out, argument_at(args, param));
		} else if (param >= 0) {
			c_tokens expanded = cpp_expand(p, argument_at(args, param));

			add_all(p, &out, &expanded);
		} else {
			VEC_PUSH(p->arena, &out, *t);
		}
	}
	return out;
}

/* Is the next token that counts a '('?  It is left where it is. */
static bool paren_follows(struct cpp *p, struct stream *s)
{
	struct c_token t = take(p, s);

	if (t.kind != C_END)
		put_back(p, s, t);
	return c_is(&t, "(");
}

/* Put the expansion of `t` back into the stream; false: it is no macro here. */
static bool expand_token(struct cpp *p, struct stream *s, struct c_token t)
{
	const struct c_macro *m = t.kind == C_NAME ? table_get(&p->macros, t.text) : NULL;
	argument_list args = {0};
	const struct c_hidden *hidden;
	c_tokens body;

	if (!m || is_hidden(&t, m))
		return false;
	if (m->function) {
		if (!paren_follows(p, s))
			return false;
		take(p, s);
		if (!take_arguments(p, s, m, &args))
			return false;
	}
	body = substitute(p, m, &args);
	hidden = hide(p, t.hidden, m);
	for (int i = body.n - 1; i >= 0; i--) {
		struct c_token copy = body.at[i];

		/* from the argument: its own history counts too */
		copy.hidden = copy.hidden ? hide(p, copy.hidden, m) : hidden;
		copy.foreign = t.foreign;
		copy.line_start = false;
		copy.span = t.span;
		put_back(p, s, copy);
	}
	return true;
}

c_tokens cpp_expand(struct cpp *p, const c_tokens *tokens)
{
	struct stream s = {0};
	c_tokens out = {0};
	struct c_token t;

	for (int i = tokens->n - 1; i >= 0; i--)
		put_back(p, &s, tokens->at[i]);
	while (s.pending && (t = take_raw(p, &s)).kind != C_END)
		if (!expand_token(p, &s, t))
			VEC_PUSH(p->arena, &out, t);
	return out;
}

/* ---- directives --------------------------------------------------------------------------------------------------------------- */

/* The tokens up to the end of the line. */
static c_tokens rest_of_line(struct cpp *p, struct stream *s)
{
	c_tokens line = {0};

	for (;;) {
		uint32_t before = s->at;
		struct c_token t = c_lex(s->source, &s->at, s->end);

		if (t.kind == C_END || t.line_start) {
			s->at = before;
			return line;
		}
		if (p->budget-- <= 0)
			return line;
		t.foreign = s->foreign;
		VEC_PUSH(p->arena, &line, t);
	}
}

static void define(struct cpp *p, struct stream *s, const c_tokens *line, struct span span)
{
	struct c_macro *m = NEW(p->arena, struct c_macro);
	int i = 1;

	if (!line->n || line->at[0].kind != C_NAME) {
		CPP_ERROR(p, s, span, DIAG_C_DIRECTIVE, "#define needs a name");
		return;
	}
	m->name = line->at[0].text;
	m->span = line->at[0].span;
	m->foreign = s->foreign;
	if (line->n > 1 && c_is(&line->at[1], "(") && !line->at[1].space_before) {
		m->function = true;
		for (i = 2; i < line->n && !c_is(&line->at[i], ")"); i++) {
			if (c_is(&line->at[i], "...")) {
				m->variadic = true;
				if (i && !c_is(&line->at[i - 1], ",") && !c_is(&line->at[i - 1], "("))
					continue; /* args...: the name is there already */
				VEC_PUSH(p->arena, &m->params, STR("__VA_ARGS__"));
			} else if (line->at[i].kind == C_NAME) {
				VEC_PUSH(p->arena, &m->params, line->at[i].text);
			} else if (!c_is(&line->at[i], ",")) {
				break;
			}
		}
		if (i >= line->n || !c_is(&line->at[i], ")")) {
			CPP_ERROR(p, s, m->span, DIAG_C_DIRECTIVE, "the parameters of this #define have no end");
			return;
		}
		i++;
	}
	for (; i < line->n; i++)
		VEC_PUSH(p->arena, &m->body, line->at[i]);
	table_put(&p->macros, m->name, m);
}

/* `defined X`, `defined(X)` and __has_include become 0 or 1 before anything is expanded. */
static c_tokens resolve_defined(struct cpp *p, const c_tokens *line)
{
	c_tokens out = {0};

	for (int i = 0; i < line->n; i++) {
		struct c_token t = line->at[i];
		bool parens;

		if (c_is(&t, "defined") && i + 1 < line->n) {
			parens = c_is(&line->at[i + 1], "(");
			i += parens ? 2 : 1;
			t.kind = C_NUMBER;
			t.text = i < line->n && table_get(&p->macros, line->at[i].text) ? STR("1") : STR("0");
			i += parens;
		} else if (t.kind == C_NAME && str_starts(t.text, STR("__has_")) && i + 1 < line->n &&
			   c_is(&line->at[i + 1], "(")) {
			int depth = 0;

			for (i++; i < line->n; i++) {
				depth += c_is(&line->at[i], "(") - c_is(&line->at[i], ")");
				if (!depth)
					break;
			}
			t.kind = C_NUMBER;
			t.text = STR("0");
		}
		VEC_PUSH(p->arena, &out, t);
	}
	return out;
}

static bool condition_holds(struct cpp *p, struct stream *s, const c_tokens *line, struct span span)
{
	c_tokens resolved = resolve_defined(p, line), expanded = cpp_expand(p, &resolved);
	struct c_cursor c = {.at = expanded.at, .end = expanded.n ? expanded.at + expanded.n : expanded.at};
	int64_t value = 0;

	if (!c_const(&c, &value) || c_peek(&c)->kind != C_END) {
		CPP_ERROR(p, s, span, DIAG_C_DIRECTIVE, "this condition is not a constant");
		return false;
	}
	return value != 0;
}

static void begin_condition(struct cpp *p, struct stream *s, struct span span, bool holds)
{
	struct condition c = {.active = holds, .taken = holds, .outer = reading(s), .span = span};

	if (!c.outer)
		c.active = c.taken = false;
	VEC_PUSH(p->arena, &s->conditions, c);
}

static void next_branch(struct cpp *p, struct stream *s, const c_tokens *line, struct span span, struct str word)
{
	struct condition *c = s->conditions.n ? &s->conditions.at[s->conditions.n - 1] : NULL;
	bool holds = true;

	if (!c || c->in_else) {
		CPP_ERROR(p, s, span, DIAG_C_DIRECTIVE, "there is no #if that this belongs to");
		return;
	}
	if (str_is(word, "else"))
		c->in_else = true;
	else if (c->outer && !c->taken)
		holds = condition_holds(p, s, line, span);
	c->active = c->outer && !c->taken && holds;
	c->taken = c->taken || c->active;
}

/* #if and its kin; false: another directive. */
static bool conditional(struct cpp *p, struct stream *s, struct str word, const c_tokens *line, struct span span)
{
	bool named = line->n && line->at[0].kind == C_NAME;

	if (str_is(word, "if")) {
		begin_condition(p, s, span, reading(s) && condition_holds(p, s, line, span));
	} else if (str_is(word, "ifdef")) {
		begin_condition(p, s, span, named && table_get(&p->macros, line->at[0].text));
	} else if (str_is(word, "ifndef")) {
		begin_condition(p, s, span, named && !table_get(&p->macros, line->at[0].text));
	} else if (str_is(word, "elif") || str_is(word, "else")) {
		next_branch(p, s, line, span, word);
	} else if (str_is(word, "endif")) {
		if (s->conditions.n)
			s->conditions.n--;
		else
			CPP_ERROR(p, s, span, DIAG_C_DIRECTIVE, "there is no #if that this belongs to");
	} else {
		return false;
	}
	return true;
}

/* ---- includes -------------------------------------------------------------------------------------------------------------------- */

static const struct source *try_file(struct cpp *p, struct str dir, struct str name)
{
	struct str path = path_join(p->arena, dir, name);
	size_t size = 0;
	int err = 0;
	char *bytes = p->kernel->read_file ? p->kernel->read_file(p->kernel, p->arena, path, &size, &err) : NULL;

	return bytes ? source_new(p->arena, path, (struct str){bytes, size}) : NULL;
}

static const struct source *find_header(struct cpp *p, struct str name, bool quoted, struct str here)
{
	static const char *const system_dirs[] = {"/usr/local/include", MACHINE_INCLUDE, "/usr/include"};
	const char *builtin = c_builtin_header(name);
	const struct source *source = NULL;

	if (quoted)
		source = try_file(p, here, name);
	for (int i = 0; !source && i < p->opt->ninclude_dirs; i++)
		source = try_file(p, p->opt->include_dirs[i], name);
	if (!source && builtin)
		return source_new(p->arena, name, str_of(builtin));
	for (size_t i = 0; !source && i < sizeof(system_dirs) / sizeof(system_dirs[0]); i++)
		source = try_file(p, str_of(system_dirs[i]), name);
	return source;
}

/* The name in "..." or <...>. */
static struct str header_name(struct cpp *p, const c_tokens *line, bool *quoted)
{
	struct strbuf name = {.arena = p->arena};

	*quoted = line->n && line->at[0].kind == C_STRING;
	if (*quoted)
		return str_sub(line->at[0].text, 1, line->at[0].text.n >= 2 ? line->at[0].text.n - 2 : 0);
	if (!line->n || !c_is(&line->at[0], "<"))
		return (struct str){0};
	for (int i = 1; i < line->n; i++) {
		if (c_is(&line->at[i], ">"))
			return strbuf_str(&name);
		if (line->at[i].space_before && i > 1)
			strbuf_addc(&name, ' ');
		strbuf_add(&name, line->at[i].text);
	}
	return (struct str){0};
}

static void read_header(struct cpp *p, const struct source *source)
{
	p->depth++;
	cpp_read(p, source, true);
	p->depth--;
}

/* A header of the kernel, <linux/sched.h> or <net/sock.h>, need not be there: BTF has its types. */
static bool left_to_btf(const struct cpp *p, struct str name, bool quoted)
{
	return p->opt->have_btf && !quoted && (str_find(name, '/') < name.n || str_is(name, "vmlinux.h"));
}

static void include(struct cpp *p, struct stream *s, const c_tokens *line, struct span span)
{
	bool quoted;
	struct str name = header_name(p, line, &quoted);
	struct str here = s->script ? p->opt->dir : path_dir(s->source->name);
	const struct source *source;
	const char *constants;
	c_tokens expanded;

	if (!name.n) {
		expanded = cpp_expand(p, line);
		name = header_name(p, &expanded, &quoted);
	}
	if (!name.n) {
		CPP_ERROR(p, s, span, DIAG_C_DIRECTIVE, "#include needs \"file\" or <file>");
		return;
	}
	if (p->depth >= MOST_INCLUDES) {
		if (!p->too_large)
			diag_add(p->diag, span, DIAG_C_INCLUDE_DEPTH, MOST_INCLUDES);
		p->budget = 0;
		p->too_large = true;
		return;
	}
	constants = quoted ? NULL : c_header_constants(name);
	source = find_header(p, name, quoted, here);
	if (source && table_get(&p->once, source->name))
		return;
	if (source)
		read_header(p, source);
	else if (left_to_btf(p, name, quoted))
		table_put(&p->missing, name, p);
	if (constants)
		read_header(p, source_new(p->arena, name, str_of(constants)));
	if (!source && !constants && !left_to_btf(p, name, quoted) && !s->foreign) {
		diag_add(p->diag, span, DIAG_C_INCLUDE, STR_ARG(name));
		diag_hint(p->diag, quoted ? "it was looked for beside the script and in the directories of -I"
					  : "-I DIR adds a directory; types of the kernel need no header where the kernel has BTF");
	}
}

/* once, and pack, which changes the layout of what follows. */
static void pragma(struct cpp *p, struct stream *s, const c_tokens *line)
{
	struct c_token t;

	if (line->n && str_is(line->at[0].text, "once"))
		table_put(&p->once, s->source->name, p);
	if (line->n < 3 || !str_is(line->at[0].text, "pack"))
		return;
	t = line->at[0];
	t.kind = C_PACK;
	t.span.begin = line->at[1].span.end;
	t.span.end = line->at[line->n - 1].span.begin;
	t.text = str_sub(s->source->text, t.span.begin, t.span.end - t.span.begin);
	VEC_PUSH(p->arena, &p->out, t);
}

static void read_directive(struct cpp *p, struct stream *s, struct c_token hash)
{
	c_tokens line = rest_of_line(p, s);
	struct c_token word = line.n ? line.at[0] : hash;
	c_tokens rest = {line.at ? line.at + 1 : NULL, line.n ? line.n - 1 : 0, line.n ? line.n - 1 : 0};
	struct span span = word.span;

	if (!line.n || word.kind == C_NUMBER)
		return; /* a lone #, or # 12 "file" */
	span.begin = hash.span.begin;
	span.end = line.at[line.n - 1].span.end;
	if (conditional(p, s, word.text, &rest, span) || !reading(s))
		return;
	if (str_is(word.text, "define")) {
		define(p, s, &rest, span);
	} else if (str_is(word.text, "undef")) {
		if (rest.n)
			table_put(&p->macros, rest.at[0].text, NULL);
	} else if (str_is(word.text, "include") || str_is(word.text, "include_next") || str_is(word.text, "import")) {
		include(p, s, &rest, span);
	} else if (str_is(word.text, "error")) {
		struct str text = str_sub(s->source->text, span.begin, span.end - span.begin);

		CPP_ERROR(p, s, span, DIAG_C_ERROR, STR_ARG(text));
	} else if (str_is(word.text, "pragma")) {
		pragma(p, s, &rest);
	} else if (!str_is(word.text, "warning") && !str_is(word.text, "line") && !str_is(word.text, "ident")) {
		CPP_ERROR(p, s, span, DIAG_C_DIRECTIVE, "there is no such directive");
		if (!s->foreign)
			diag_hint(p->diag, "a comment starts with //");
	}
}

static void read_stream(struct cpp *p, struct stream *s)
{
	struct c_token t;

	while ((t = take(p, s)).kind != C_END)
		if (!expand_token(p, s, t))
			VEC_PUSH(p->arena, &p->out, t);
	if (p->budget <= 0 && !p->too_large) {
		diag_add(p->diag, (struct span){.source = s->source, .begin = s->begin, .end = s->begin + 1},
			 DIAG_C_TOO_LARGE);
		p->too_large = true;
	}
}

static void check_conditions(struct cpp *p, struct stream *s)
{
	if (s->conditions.n)
		CPP_ERROR(p, s, s->conditions.at[s->conditions.n - 1].span, DIAG_C_DIRECTIVE, "this has no #endif");
}

void cpp_read(struct cpp *p, const struct source *source, bool foreign)
{
	struct stream s = {.source = source, .end = (uint32_t)source->text.n, .foreign = foreign};

	read_stream(p, &s);
	check_conditions(p, &s);
}

void cpp_read_script(struct cpp *p, const struct script *script)
{
	struct stream s = {0};

	/* the texts of one script are one stream: an #if may stand around several */
	VEC_EACH (c, &script->c_texts) {
		if (c->span.source != s.source) {
			check_conditions(p, &s);
			s.conditions.n = 0;
			s.script = c->span.source == script->source;
		}
		s.source = c->span.source;
		s.begin = s.at = c->span.begin;
		s.end = c->span.end;
		read_stream(p, &s);
	}
	check_conditions(p, &s);
}
