/* The table of builtins, made from builtins.def. */
#include "lang/builtin.h"

static const struct builtin rows[] = {
#define BUILTIN(name, form, runs, least, most, help)                                               \
	[BUILTIN_##name] = {BUILTIN_##name, #name, FORM_##form, RUNS_##runs, least, most, help},
#include "lang/builtins.def"
#undef BUILTIN
};

static const struct {
	const char *name, *arguments, *help;
} library[] = {
#define BUILTIN(...)
#define LIBRARY(name, arguments, help) {#name, arguments, help},
#include "lang/builtins.def"
#undef BUILTIN
};

int builtin_arg_number(struct str name)
{
	size_t i;
	int n = 0;

	if (name.n < 4 || name.n > 6 || !str_starts(name, STR("arg")))
		return -1;
	for (i = 3; i < name.n; i++) {
		if (name.s[i] < '0' || name.s[i] > '9')
			return -1;
		n = n * 10 + (name.s[i] - '0');
	}
	return n;
}

const struct builtin *builtin_find(struct str name)
{
	int i;

	if (builtin_arg_number(name) >= 0)
		return &rows[BUILTIN_arg];
	for (i = 1; i < BUILTIN_ID_COUNT; i++)
		if (i != BUILTIN_arg && str_is(name, rows[i].name))
			return &rows[i];
	return NULL;
}

const struct builtin *builtin_row(enum builtin_id id)
{
	return &rows[id];
}

void builtin_near(struct diag_near *near, bool functions, bool variables)
{
	int i;

	for (i = 1; i < BUILTIN_ID_COUNT; i++)
		if ((functions && rows[i].form != FORM_VAR) || (variables && rows[i].form != FORM_FN))
			diag_near_try(near, str_of(i == BUILTIN_arg ? "arg0" : rows[i].name));
}

bool builtin_help(struct str name, struct strbuf *out)
{
	static const char *const places[] = {"in the kernel", "in user space", "aggregation", "while compiling"};
	bool found = false;
	int i;

	for (i = 1; i < BUILTIN_ID_COUNT; i++) {
		const struct builtin *b = &rows[i];

		if (name.n && !str_is(name, b->name))
			continue;
		found = true;
		strbuf_printf(out, "%s%s  (%s)\n    %s\n", i == BUILTIN_arg ? "argN" : b->name,
			      b->form == FORM_FN ? "()" : "", places[b->runs], b->help);
	}
	for (i = 0; i < (int)(sizeof(library) / sizeof(*library)); i++) {
		if (name.n && !str_is(name, library[i].name))
			continue;
		found = true;
		strbuf_printf(out, "%s(%s)  (standard library)\n    %s\n", library[i].name, library[i].arguments, library[i].help);
	}
	return found;
}
