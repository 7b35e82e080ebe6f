/* Positional parameters: $1, $2, ... of the command line (language.md 19.1). */
#include <ctype.h>

#include "lang/ast_walk.h"
#include "lang/check.h"

/* ---- which words are options ------------------------------------------------------------------------------------------- */

struct collector {
	struct ast_visitor visitor;
	struct arena *arena;
	struct declared_options options;
	uint64_t last_word; /* the largest N of $N */
};

static struct declared_option *by_name(const struct collector *k, struct str name)
{
	VEC_EACH(d, &k->options.list)
		if (str_eq(d->name, name))
			return d;
	return NULL;
}

static enum option_kind kind_of(const struct expr *e)
{
	if (e->call.args.n > 1 && e->call.args.at[1]->kind == EXPR_NAME && str_is(e->call.args.at[1]->name.name, "cgroupid"))
		return OPTION_CGROUP;
	const struct expr *d = e->call.args.n < 2 ? NULL : e->call.args.at[1];

	if (d && d->kind == EXPR_CALL && str_is(d->call.name, "list"))
		return d->call.args.n == 1 && d->call.args.at[0]->kind == EXPR_NAME &&
				       str_is(d->call.args.at[0]->name.name, "string")
			       ? OPTION_TEXTS
			       : OPTION_LIST;
	if (e->call.args.n < 2 || e->call.args.at[1]->kind == EXPR_BOOL)
		return OPTION_BOOL;
	return e->call.args.at[1]->kind == EXPR_STRING ? OPTION_STRING : OPTION_INT;
}

/* The same option may be asked for at many places; one of them has the help. */
static void note_getopt(struct collector *k, const struct expr *e)
{
	struct declared_option d = {.kind = kind_of(e)}, *old;
	struct str name;
	size_t comma;

	if (!str_is(e->call.name, "getopt") || !e->call.args.n || e->call.args.at[0]->kind != EXPR_STRING)
		return;
	name = e->call.args.at[0]->string.text;
	comma = str_find(name, ',');
	d.name = str_sub(name, 0, comma);
	d.letter = comma + 2 == name.n ? name.s[comma + 1] : 0;
	if (e->call.args.n > 2 && e->call.args.at[2]->kind == EXPR_STRING)
		d.help = e->call.args.at[2]->string.text;
	if (d.kind == OPTION_INT && e->call.args.at[1]->kind == EXPR_INT)
		d.usual = str_printf(k->arena, "%llu", (unsigned long long)e->call.args.at[1]->integer.value);
	old = by_name(k, d.name);
	if (!old)
		VEC_PUSH(k->arena, &k->options.list, d);
	else if (!old->help.n)
		old->help = d.help;
}

static void collect(struct ast_visitor *v, struct expr **e)
{
	if ((*e)->kind == EXPR_CALL)
		note_getopt((struct collector *)(void *)v, *e);
	else if ((*e)->kind == EXPR_POSITIONAL && (*e)->positional > ((struct collector *)(void *)v)->last_word)
		((struct collector *)(void *)v)->last_word = (*e)->positional;
	ast_walk_expr(v, *e);
}

static const struct declared_option *by_letter(const struct collector *k, char letter)
{
	VEC_EACH(d, &k->options.list)
		if (d->letter == letter)
			return d;
	return NULL;
}

/* How many words this option is: 0 when it is none, 2 when the next word is its value. */
static int option_words(const struct collector *k, struct str word)
{
	const struct declared_option *d;
	size_t i;

	if (word.n > 2 && str_starts(word, STR("--"))) {
		size_t equals = str_find(word, '=');

		d = by_name(k, str_sub(word, 2, equals - 2));
		return d && d->kind != OPTION_BOOL && equals == word.n ? 2 : 1;
	}
	if (word.n < 2 || word.s[0] != '-' || word.s[1] == '-')
		return 0;
	for (i = 1; i < word.n; i++) { /* -uv, -p5, -p 5 */
		d = by_letter(k, word.s[i]);
		if (!d)
			return i > 1;
		if (d->kind != OPTION_BOOL)
			return i + 1 < word.n ? 1 : 2;
	}
	return 1;
}

static struct collector collect_options(struct arena *a, const struct script *s)
{
	struct collector k = {.visitor = {.expr = collect}, .arena = a};
	int i;

	for (i = 0; i < s->probes.n; i++) {
		struct probe_node *p = s->probes.at[i];

		if (p->predicate)
			collect(&k.visitor, &p->predicate);
		ast_walk_block(&k.visitor, p->body);
	}
	for (i = 0; i < s->fns.n; i++)
		ast_walk_block(&k.visitor, s->fns.at[i]->body);
	return k;
}

struct declared_options params_declared(struct arena *a, const struct script *s)
{
	return collect_options(a, s).options;
}

void params_collect(struct checker *c)
{
	struct collector k = collect_options(c->arena, c->script);
	int i, n;

	for (i = 0; i < c->opt->nparams; i += n) {
		n = option_words(&k, c->opt->params[i]);
		if (!n) {
			VEC_PUSH(c->arena, &c->positional, c->opt->params[i]);
			n = 1;
		}
	}
	if (c->opt->shipped && (uint64_t)c->positional.n > k.last_word)
		diag_add(c->diag, (struct span){0}, DIAG_PARAM_UNKNOWN, STR_ARG(c->positional.at[k.last_word]));
}

/* ---- their values -------------------------------------------------------------------------------------------------------- */

struct str param_text(struct checker *c, uint64_t n, bool *missing)
{
	*missing = n > (uint64_t)c->positional.n;
	return *missing || !n ? STR("") : c->positional.at[n - 1];
}

void param_missing(struct checker *c, uint64_t n, struct span span)
{
	struct str text = (span.source ? span.source : c->script->source)->text;
	size_t i;

	for (i = 0; i + 1 < text.n; i++)
		if (text.s[i] == '$' && text.s[i + 1] == '#')
			return;
	diag_add(c->diag, span, DIAG_PARAM_MISSING, n);
}

/* Where the value of option `d` begins in this word, 0 when the word is another one: --rate=9 7, --rate 6, -r9 2, -ur9 3. */
static size_t value_at(const struct collector *k, const struct declared_option *d, struct str word)
{
	size_t i = str_find(word, '=');

	if (word.s[1] == '-')
		return by_name(k, str_sub(word, 2, i - 2)) != d ? 0 : i < word.n ? i + 1 : i;
	for (i = 1; i < word.n; i++) {
		const struct declared_option *o = by_letter(k, word.s[i]);

		if (o == d)
			return i + 1;
		if (!o || o->kind != OPTION_BOOL)
			break;
	}
	return 0;
}

/* The value of an option among the words, the default when it was not given. */
static struct str option_value(struct checker *c, const struct collector *k, const struct declared_option *d)
{
	struct str value = d->usual;
	int i, n;

	for (i = 0; i < c->opt->nparams; i += n ? n : 1) {
		struct str word = c->opt->params[i];
		size_t at;

		n = option_words(k, word);
		at = n ? value_at(k, d, word) : 0;
		if (at)
			value = n == 1 ? str_sub(word, at, word.n) : i + 1 < c->opt->nparams ? c->opt->params[i + 1] : STR("");
	}
	return value;
}

/* profile:hz:$frequency is the option --frequency, a number: settled from now on. */
static bool substitute_option(struct checker *c, struct str name, struct span span, struct strbuf *out)
{
	struct collector k = collect_options(c->arena, c->script);
	const struct declared_option *d = by_name(&k, name);
	struct str text;
	const char *why;
	uint64_t *value = NEW(c->arena, uint64_t);

	if (d && d->kind == OPTION_INT) {
		text = option_value(c, &k, d);
		if (!parse_integer(text, false, value, &why)) {
			diag_add(c->diag, span, DIAG_ATTACH_OPTION_VALUE, STR_ARG(name), STR_ARG(text));
			return false;
		}
	} else {
		diag_add(c->diag, span, DIAG_ATTACH_OPTION, STR_ARG(name));
		diag_hint(c->diag, "getopt(\"%.*s\", 1, \"...\") somewhere in the script makes it one", STR_ARG(name));
		return false;
	}
	table_put(&c->settled, name, value);
	strbuf_printf(out, "%llu", (unsigned long long)*value);
	return true;
}

struct str param_substitute(struct checker *c, struct str text, struct span span, bool *absent)
{
	struct strbuf out = {.arena = c->arena};
	bool quoted = false, missing;
	size_t i;

	for (i = 0; i < text.n; i++) {
		char ch = text.s[i];
		uint64_t n = 0;

		if (ch == '"')
			quoted = !quoted;
		if (quoted && ch == '\\' && i + 1 < text.n)
			strbuf_addc(&out, text.s[i++]);
		if (quoted || ch != '$') {
			strbuf_addc(&out, text.s[i]);
			continue;
		}
		if (i + 1 < text.n && isalpha((unsigned char)text.s[i + 1])) {
			size_t from = ++i;

			while (i + 1 < text.n && (isalnum((unsigned char)text.s[i + 1]) || text.s[i + 1] == '_'))
				i++;
			if (!substitute_option(c, str_sub(text, from, i + 1 - from), span, &out))
				return text;
			continue;
		}
		if (i + 1 == text.n || text.s[i + 1] < '0' || text.s[i + 1] > '9') {
			diag_add(c->diag, span, DIAG_ATTACH_DOLLAR);
			diag_hint(c->diag, "put this part in double quotes if the name really holds a '$'");
			return text;
		}
		while (i + 1 < text.n && text.s[i + 1] >= '0' && text.s[i + 1] <= '9')
			n = n * 10 + (uint64_t)(text.s[++i] - '0');
		strbuf_add(&out, param_text(c, n, &missing));
		if (missing && absent)
			*absent = true;
		else if (missing)
			param_missing(c, n, span);
	}
	return strbuf_str(&out);
}
