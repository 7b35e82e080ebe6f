/* Any bytes as a script: its C definitions are read and its macros expanded, without files and without a kernel. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "lang/c_defs.h"
#include "lang/imports.h"
#include "lang/macros.h"
#include "lang/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *no_file(struct kernel *k, struct arena *a, struct str path, size_t *size, int *err)
{
	(void)k, (void)a, (void)path, (void)size;
	*err = ENOENT;
	return NULL;
}

static struct kernel nothing = {.read_file = no_file};

static struct expr *define(void *arg, struct str name, struct span *span, bool *unusable)
{
	return c_defs_define(arg, name, span, unusable);
}

/* Every struct's fields and every constant are asked for. */
static void ask_all(struct types *t, struct c_defs *c, const struct script *s)
{
	const struct field *fields;
	uint64_t value;

	VEC_EACH (text, &s->c_texts) {
		struct str name = text->text;

		while (name.n) {
			size_t n = 0;
			const struct type *type;

			while (n < name.n && (name.s[n] == '_' || (name.s[n] | 32) >= 'a') && (name.s[n] | 32) <= 'z')
				n++;
			type = c_defs_type(c, TAG_STRUCT, str_sub(name, 0, n));
			if (type)
				type_fields(t, type, &fields);
			c_defs_type(c, TAG_NONE, str_sub(name, 0, n));
			c_defs_constant(c, str_sub(name, 0, n), &value);
			name = str_sub(name, n + 1, SIZE_MAX);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct diag *diag = diag_new(arena);
	struct str text = {(const char *)data, size};
	struct script *script = parse(arena, source_new(arena, STR("fuzz"), text), diag);
	static const struct cpp_options options = {.have_btf = true};
	static FILE *nowhere;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (script && imports_load(arena, script, &nothing, (struct str){0}, true, diag)) {
		struct types *types = types_new(arena);
		struct macros *macros = macros_new(arena, diag);
		struct strbuf out = {.arena = arena};

		macros->define = define;
		macros->define_arg = c_defs_read(arena, types, script, &nothing, &options, diag);
		ask_all(types, macros->define_arg, script);
		macros_add(macros, script, false);
		macros_expand(macros, script);
		ast_dump(script, &out);
	}
	if (nowhere)
		diag_report(diag, nowhere, (struct diag_style){.json = size % 2});
	arena_free(arena);
	return 0;
}
