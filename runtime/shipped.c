/* The scripts that ship with waketrace (scripts/), inside the binary: `waketrace NAME` needs no file and obeys no path.  Their
 * opening comments say what they are for and which group they belong to. */
#include "runtime/shipped.h"

/* shipped.inc has a line SHIPPED(symbol, "name", "path") for each file, written by CMake. */
#define SHIPPED(symbol, name, path)                                                                              \
	__asm__(".pushsection .rodata\n"                                                                         \
		".global shipped_" #symbol "\nshipped_" #symbol ":\n.incbin \"" path "\"\n"                     \
		".global shipped_" #symbol "_end\nshipped_" #symbol "_end:\n.byte 0\n.popsection\n");         \
	extern const char shipped_##symbol[], shipped_##symbol##_end[];
#include "runtime/shipped.inc"
#undef SHIPPED

static const struct {
	const char *name, *begin, *end;
} shipped[] = {
#define SHIPPED(symbol, name, path) {name, shipped_##symbol, shipped_##symbol##_end},
#include "runtime/shipped.inc"
#undef SHIPPED
	{NULL, NULL, NULL},
};

static const char *const groups[] = {
	"CPU and scheduler", "Memory", "Disk and files", "Network", "Security and processes", "Applications",
};

static struct str text_of(int i)
{
	return (struct str){shipped[i].begin, (size_t)(shipped[i].end - shipped[i].begin)};
}

struct str shipped_file(struct str path)
{
	int i;

	for (i = 0; shipped[i].name; i++)
		if (str_is(path, shipped[i].name))
			return text_of(i);
	return STR("");
}

/* The name of a script: that of its file without the suffix; empty: a part of the library. */
static struct str name_of(int i)
{
	struct str file = str_of(shipped[i].name);

	return str_find(file, '/') < file.n ? STR("") : str_sub(file, 0, str_find(file, '.'));
}

struct str shipped_script(struct str name)
{
	int i;

	for (i = 0; name.n && shipped[i].name; i++)
		if (str_eq(name, name_of(i)))
			return text_of(i);
	return STR("");
}

/* What stands behind `word` at the beginning of a line of the opening comment, without the full stop; empty: there is none. */
static struct str comment_after(struct str text, struct str word)
{
	while (text.n) {
		size_t end = str_find(text, '\n');
		struct str line = str_trim(str_sub(text, 0, end));

		text = str_sub(text, end + 1, text.n);
		while (line.n && strchr("/* ", line.s[0]))
			line = str_sub(line, 1, line.n);
		if (str_starts(line, word)) {
			line = str_trim(str_sub(line, word.n, line.n));
			return str_ends(line, STR(".")) ? str_sub(line, 0, line.n - 1) : line;
		}
	}
	return STR("");
}

/* Place in groups[]; their number: none of them. */
static size_t group_of(int i)
{
	struct str group = comment_after(text_of(i), STR("Group:"));
	size_t g;

	for (g = 0; g < sizeof(groups) / sizeof(*groups) && !str_is(group, groups[g]); g++)
		;
	return g;
}

static void list_group(size_t group, const char *title, FILE *out)
{
	bool any = false;
	int i;

	for (i = 0; shipped[i].name; i++) {
		struct str name = name_of(i), text = text_of(i);
		size_t line = str_find(text, '-'); /* "NAME - what for." */

		if (!name.n || group_of(i) != group)
			continue;
		if (!any)
			fprintf(out, "%s%s\n", group ? "\n" : "", title);
		any = true;
		while (line < text.n && !str_starts(str_sub(text, line, text.n), STR("- ")))
			line++;
		text = str_sub(text, line + 2, text.n);
		text = str_trim(str_sub(text, 0, str_find(text, '\n')));
		fprintf(out, "  %-16.*s%.*s\n", STR_ARG(name), STR_ARG(str_ends(text, STR(".")) ? str_sub(text, 0, text.n - 1) : text));
	}
}

void shipped_list(FILE *out)
{
	size_t g, n = sizeof(groups) / sizeof(*groups);

	for (g = 0; g < n; g++)
		list_group(g, groups[g], out);
	list_group(n, "Others", out);
}

void shipped_names(FILE *out)
{
	const char *blank = "";
	int i;

	for (i = 0; shipped[i].name; i++) {
		if (!name_of(i).n)
			continue;
		fprintf(out, "%s%.*s", blank, STR_ARG(name_of(i)));
		blank = " ";
	}
}
