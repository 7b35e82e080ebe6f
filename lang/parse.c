/* parse(): from bytes to the tree.  The work is done by the scanner (lexer.l, scan.c), the grammar (parser.y) and its
 * constructors (build.c, build_stmt.c). */
#include "lang/parse.h"

#include "lang/parser_state.h"
#include "lang/parser.tab.h"

/* Bytes that no text holds.  Escape may stand in a string that colours its output. */
static bool is_binary(unsigned char c)
{
	return c == 0x7f || (c < 0x20 && !strchr("\a\b\t\n\v\f\r\033", c)) || !c;
}

static bool check_text(const struct source *source, struct diag *d)
{
	struct str text = source->text;
	size_t i;

	if (text.n > INT32_MAX - 16) {
		diag_add(d, (struct span){0}, DIAG_TOO_LONG);
		return false;
	}
	for (i = 0; i < text.n; i++)
		if (is_binary((unsigned char)text.s[i])) {
			diag_add(d, (struct span){0}, DIAG_NOT_TEXT, STR_ARG(source->name),
				 (unsigned char)text.s[i], i);
			return false;
		}
	return true;
}

static bool is_empty(const struct script *s)
{
	return !s->c_texts.n && !s->has_config && !s->imports.n && !s->map_decls.n && !s->macros.n &&
	       !s->fns.n && !s->probes.n;
}

/* Run the parser over p->source; false when it ran out of memory or into errors. */
static bool run(struct parser *p)
{
	int errors = diag_errors(p->diag);

	p->script = NEW(p->arena, struct script);
	p->script->source = p->source;
	p->flex = scanner_new(p);
	/* The result says no more than the count of errors: what was recovered from counts too. */
	if ((!p->flex || script_parse(p)) && diag_errors(p->diag) == errors)
		diag_add(p->diag, (struct span){0}, DIAG_TOO_LONG);
	scanner_free(p->flex);
	return diag_errors(p->diag) == errors;
}

struct script *parse_import(struct arena *a, const struct source *source, struct diag *d)
{
	struct parser p = {.arena = a, .source = source, .spans = source, .diag = d};

	return check_text(source, d) && run(&p) ? p.script : NULL;
}

struct script *parse(struct arena *a, const struct source *source, struct diag *d)
{
	struct script *s = parse_import(a, source, d);

	if (!s || !is_empty(s))
		return s;
	diag_add(d, (struct span){0}, DIAG_EMPTY_SCRIPT, STR_ARG(source->name));
	return NULL;
}

struct expr *parse_expression(struct arena *a, const struct source *source, uint32_t begin, uint32_t end)
{
	struct source view = *source; /* ends where the expression does, so that nothing looks beyond */
	struct parser p = {.arena = a, .source = &view, .spans = source, .diag = diag_new(a), .at = begin,
			   .previous = TOKEN_START_EXPRESSION, .expression = true};

	view.text = str_sub(source->text, 0, end);
	return check_text(&view, p.diag) && run(&p) ? p.result : NULL;
}
