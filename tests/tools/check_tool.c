/* check_tool FILE.cases: many small scripts in one file, each with what the checker has to say of it, against the kernel of
 * tests/fake_kernel.c.  The same file comes out, with what is said now; tests/golden.py compares.
 *
 *     ==== a title
 *     :: unsafe | pid | child | shipped | param WORD | env NAME=VALUE | lacks FEATURE | filter REGEX | include FILE      (none or more)
 *     the script
 *     ---- IDS OF THE DIAGNOSTICS, as in diag_ids.def
 *     the messages, warnings too
 *
 * What stands before the first title is a comment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/codegen.h"
#include "lang/lang.h"
#include "tests/fake_kernel.h"

struct one_case {
	struct arena *arena;
	struct strbuf script;
	struct lang_options opt;
	VEC(struct str) params, includes;
	VEC(const char *) env;
	uint32_t lacks;
};

static void set_option(struct one_case *c, struct str line)
{
	static const char *const features[] = {
#define KERNEL_FEATURE(id, name, help) [KERNEL_##id] = name,
#include "lang/kernel_features.def"
#undef KERNEL_FEATURE
	};
	size_t blank = str_find(line, ' ');
	struct str word = str_sub(line, 0, blank), value = str_sub(line, blank + 1, line.n);
	int f;

	if (str_is(word, "unsafe"))
		c->opt.unsafe = true;
	else if (str_is(word, "pid"))
		c->opt.has_pid = true;
	else if (str_is(word, "child"))
		c->opt.has_child = true;
	else if (str_is(word, "shipped"))
		c->opt.shipped = true;
	else if (str_is(word, "param"))
		VEC_PUSH(c->arena, &c->params, value);
	else if (str_is(word, "include"))
		VEC_PUSH(c->arena, &c->includes, value);
	else if (str_is(word, "env"))
		VEC_PUSH(c->arena, &c->env, str_c(c->arena, value));
	else if (str_is(word, "filter"))
		c->opt.probe_filter = value;
	for (f = 0; str_is(word, "lacks") && f < KERNEL_FEATURE_COUNT; f++)
		if (str_is(value, features[f]))
			c->lacks |= 1u << f;
}

static void show_ids(const struct diag *d)
{
	static const char *const names[] = {
#define DIAG(id, severity, text) #id,
#include "lang/support/diag_ids.def"
#undef DIAG
	};
	int id;

	fputs("----", stdout);
	for (id = 0; id < DIAG_COUNT; id++)
		if (diag_has(d, (enum diag_id)id, (enum diag_id)id))
			printf(" %s", names[id]);
	putchar('\n');
}

/* The whole front end and code generation. */
static void run_case(struct one_case *c)
{
	struct diag *d = diag_new(c->arena);
	struct kernel *k = fake_kernel(c->arena, c->lacks);
	struct codegen_dump dump = {.verify = true};
	const struct program *p;

	VEC_PUSH(c->arena, &c->env, NULL);
	c->opt.env = c->env.at;
	c->opt.params = c->params.at;
	c->opt.nparams = c->params.n;
	c->opt.includes = c->includes.at;
	c->opt.nincludes = c->includes.n;
	c->opt.script_dir = STR(".");
	p = lang_check(c->arena, source_new(c->arena, STR("x"), strbuf_str(&c->script)), k, &c->opt, d);
	if (p)
		codegen_emit(c->arena, p, 0, &dump, d);
	show_ids(d);
	fflush(stdout);
	diag_report(d, stdout, (struct diag_style){0});
	arena_free(c->arena);
	*c = (struct one_case){0};
}

int main(int argc, char **argv)
{
	enum { COMMENT, SCRIPT, MESSAGES } part = COMMENT;
	struct one_case c = {0};
	size_t cap = 0;
	char *line = NULL;
	FILE *in = argc == 2 ? fopen(argv[1], "rb") : NULL;
	ssize_t n;

	if (!in) {
		fputs("usage: check_tool FILE.cases\n", stderr);
		return 2;
	}
	while ((n = getline(&line, &cap, in)) > 0) {
		struct str text = {line, (size_t)n};
		bool title = str_starts(text, STR("==== "));

		if (title && part == SCRIPT) /* no ---- yet: a new case */
			run_case(&c);
		if (title) {
			part = SCRIPT;
			c.arena = arena_new();
			c.script.arena = c.arena;
		} else if (part == SCRIPT && str_starts(text, STR("----"))) {
			part = MESSAGES;
			run_case(&c);
		} else if (part == SCRIPT && str_starts(text, STR(":: "))) {
			set_option(&c, str_copy(c.arena, str_sub(text, 3, text.n - 4)));
		} else if (part == SCRIPT) {
			strbuf_add(&c.script, text);
		}
		if (part != MESSAGES)
			fwrite(line, 1, (size_t)n, stdout);
	}
	if (part == SCRIPT)
		run_case(&c);
	free(line);
	fclose(in);
	return 0;
}
