/* parse_tool STAGE FILE: what the text side of the front end makes of a script, without kernel and without root.
 * Stages: ast; front (imports, C definitions and macros too); c (what the C definitions are); fmt; roundtrip (formats and reads that again, prints nothing).  The golden tests compare what it prints; messages go to stderr.  FILE `-` is stdin. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lang/c_defs.h"
#include "lang/c_types.h"
#include "lang/fmt.h"
#include "lang/imports.h"
#include "lang/macros.h"
#include "lang/parse.h"

static struct str read_all(struct arena *a, FILE *in)
{
	struct strbuf text = {.arena = a};
	char piece[65536];
	size_t n;

	while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
		strbuf_add(&text, (struct str){piece, n});
	return strbuf_str(&text);
}

/* ---- a kernel that knows files only ---------------------------------------------------------------------------------- */

static char *read_file(struct kernel *k, struct arena *a, struct str path, size_t *size, int *err)
{
	char *name = str_c(a, path);
	struct stat st;
	struct str text;
	FILE *in;

	(void)k;
	if (stat(name, &st) || S_ISDIR(st.st_mode)) {
		*err = stat(name, &st) ? errno : EISDIR;
		return NULL;
	}
	in = fopen(name, "rb");
	if (!in) {
		*err = errno;
		return NULL;
	}
	text = read_all(a, in);
	fclose(in);
	*size = text.n;
	return str_c(a, text);
}

static int list_dir(struct kernel *k, struct arena *a, struct str path, struct str **names)
{
	struct dirent **entries;
	int i, n = scandir(str_c(a, path), &entries, NULL, alphasort);

	(void)k;
	if (n < 0)
		return -errno;
	*names = NEW_ARRAY(a, struct str, n + 1);
	for (i = 0; i < n; i++) {
		(*names)[i] = str_copy(a, str_of(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return n;
}

static struct kernel files_only = {.read_file = read_file, .list_dir = list_dir};
static const struct cpp_options cpp_defaults = {.have_btf = true};

static struct expr *define(void *arg, struct str name, struct span *span, bool *unusable)
{
	return c_defs_define(arg, name, span, unusable);
}

/* All that is done to the text before types matter. */
static bool front(struct arena *a, struct script *script, struct str dir, struct diag *d)
{
	struct macros *macros = macros_new(a, d);
	int errors = diag_errors(d);

	if (!imports_load(a, script, &files_only, dir, true, d))
		return false;
	macros->define_arg = c_defs_read(a, types_new(a), script, &files_only, &cpp_defaults, d);
	macros->define = define;
	macros_add(macros, script, false);
	return macros_expand(macros, script) && diag_errors(d) == errors;
}

static void dump_struct(struct c_defs *c, const char *tag, struct c_struct *s, struct strbuf *out)
{
	const struct field *fields;
	const struct type *t = c_defs_type(c, s->is_union ? TAG_UNION : TAG_STRUCT, s->name);
	int n = t ? type_fields(c->types, t, &fields) : 0;

	strbuf_printf(out, "%s %.*s size %llu align %u\n", tag, STR_ARG(s->name), (unsigned long long)s->size, s->align);
	for (int i = 0; i < n; i++) {
		struct str name = type_name(c->arena, fields[i].type);

		strbuf_printf(out, "  %u %.*s : %.*s", fields[i].offset, STR_ARG(fields[i].name), STR_ARG(name));
		if (fields[i].bit_size)
			strbuf_printf(out, " bits %u+%u", fields[i].bit_offset, fields[i].bit_size);
		strbuf_addc(out, '\n');
	}
}

/* The #defines that are numbers, except those of the headers that are always read. */
static void dump_define(struct c_defs *c, struct str name, struct strbuf *out)
{
	bool unusable, minus;
	struct span span;
	uint64_t value;
	const struct c_macro *m = table_get(&c->cpp->macros, name);
	struct expr *e = m && !(m->span.source && str_is(m->span.source->name, "predefined"))
				 ? c_defs_define(c, name, &span, &unusable)
				 : NULL;

	if (e && e->kind == EXPR_NAME && c_defs_constant(c, e->name.name, &value)) /* another name for an enum's constant */
		strbuf_printf(out, "define %.*s = %lld\n", STR_ARG(name), (long long)value);
	minus = e && e->kind == EXPR_UNARY && e->unary.op == UNARY_NEG;
	if (minus)
		e = e->unary.e;
	if (e && e->kind == EXPR_INT)
		strbuf_printf(out, "define %.*s = %s%llu\n", STR_ARG(name), minus ? "-" : "", (unsigned long long)e->integer.value);
}

/* All that c_defs knows, in the order of the source. */
static bool dump_c(struct arena *a, const struct script *script, bool defines, struct strbuf *out, struct diag *d)
{
	struct c_defs *c = c_defs_read(a, types_new(a), script, &files_only, &cpp_defaults, d);
	int i;

	for (i = 0; i < c->structs.n; i++)
		dump_struct(c, "struct", c->structs.entries[i].value, out);
	for (i = 0; i < c->unions.n; i++)
		dump_struct(c, "union", c->unions.entries[i].value, out);
	for (i = 0; i < c->typedefs.n; i++) {
		struct str name = c->typedefs.entries[i].key;
		struct str type = type_name(a, c_defs_type(c, TAG_NONE, name));

		strbuf_printf(out, "typedef %.*s : %.*s\n", STR_ARG(name), STR_ARG(type));
	}
	for (i = 0; i < c->constants.n; i++) {
		uint64_t value;
		struct str name = c->constants.entries[i].key;
		struct str type = type_name(a, c_defs_constant(c, name, &value));

		strbuf_printf(out, "constant %.*s = %lld : %.*s\n", STR_ARG(name), (long long)value, STR_ARG(type));
	}
	for (i = 0; defines && i < c->cpp->macros.n; i++)
		dump_define(c, c->cpp->macros.entries[i].key, out);
	for (i = 0; i < c->missing.n; i++)
		strbuf_printf(out, "left to BTF: %.*s\n", STR_ARG(c->missing.at[i]));
	return diag_errors(d) == 0;
}

/* ---- stages ------------------------------------------------------------------------------------------------------------ */

/* What --fmt prints must be read as the same tree and stay as it is.  False after a message. */
static bool check_round_trip(struct arena *a, const struct script *script, struct diag *d)
{
	struct strbuf tree = {.arena = a}, text = {.arena = a}, tree2 = {.arena = a}, text2 = {.arena = a};
	const struct script *again;

	ast_dump(script, &tree);
	fmt_script(a, script, &text);
	again = parse(a, source_new(a, STR("formatted"), strbuf_str(&text)), d);
	if (!again)
		return false;
	ast_dump(again, &tree2);
	fmt_script(a, again, &text2);
	if (!str_eq(strbuf_str(&tree), strbuf_str(&tree2)))
		fprintf(stderr, "another tree after formatting:\n%s", text.s);
	else if (!str_eq(strbuf_str(&text), strbuf_str(&text2)))
		fprintf(stderr, "formatted twice:\n%s---\n%s", text.s, text2.s);
	else
		return true;
	return false;
}

/* Print the stage; false when there was nothing to print. */
static bool show(struct arena *a, const char *stage, const struct source *source, struct diag *d)
{
	struct script *script = parse(a, source, d);
	struct strbuf out = {.arena = a};
	bool defines = !strcmp(stage, "defines"), c = defines || !strcmp(stage, "c");

	if (!script)
		return false;
	if (!strcmp(stage, "front") && !front(a, script, (struct str){0}, d))
		return false;
	if (!strcmp(stage, "ast") || !strcmp(stage, "front"))
		ast_dump(script, &out);
	else if (!strcmp(stage, "fmt"))
		fmt_script(a, script, &out);
	else if (c && !dump_c(a, script, defines, &out, d))
		return false;
	else if (!c)
		return check_round_trip(a, script, d);
	fwrite(out.s, 1, out.n, stdout);
	return true;
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct diag *diag = diag_new(arena);
	const struct source *source;
	const char *name;
	FILE *in;
	bool ok;

	if (argc != 3) {
		fputs("usage: parse_tool ast|front|c|defines|fmt|roundtrip FILE\n", stderr);
		return 2;
	}
	in = strcmp(argv[2], "-") ? fopen(argv[2], "rb") : stdin;
	if (!in) {
		perror(argv[2]);
		return 2;
	}
	name = strrchr(argv[2], '/') ? strrchr(argv[2], '/') + 1 : argv[2];
	source = source_new(arena, in == stdin ? STR("stdin") : str_of(name), read_all(arena, in));
	if (in != stdin)
		fclose(in);
	ok = show(arena, argv[1], source, diag);
	diag_report(diag, stderr, (struct diag_style){0});
	arena_free(arena);
	return ok ? 0 : 1;
}
