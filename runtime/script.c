/* Where a script's text comes from: -e, a shipped script, a file, standard input; and what --help says about a script. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lang/source.h"
#include "runtime/options.h"
#include "runtime/session_internal.h"

const char *read_whole(struct arena *a, const char *path, size_t *size)
{
	enum { CHUNK = 64 * 1024, MOST = 64 << 20 };
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO, err;
	struct strbuf text = {.arena = a};
	char *chunk = arena_alloc(a, CHUNK);
	ssize_t n;

	if (fd < 0)
		return NULL;
	while ((n = read(fd, chunk, CHUNK)) > 0 && text.n <= MOST) /* /dev/zero has no end */
		strbuf_add(&text, (struct str){chunk, (size_t)n});
	err = n > 0 ? EFBIG : errno;
	if (fd != STDIN_FILENO)
		close(fd);
	errno = err;
	if (n)
		return NULL;
	*size = text.n;
	return strbuf_str(&text).s;
}

const struct source *read_script(struct arena *a, const struct options *opt, struct diag *d)
{
	const char *text;
	size_t size;

	if (opt->has_program)
		return source_new(a, STR("stdin"), opt->program);
	if (opt->shipped.n)
		return source_new(a, str_printf(a, "%s.wt", opt->script), opt->shipped);
	text = read_whole(a, opt->script, &size);
	if (!text) {
		diag_add(d, (struct span){0}, DIAG_CANNOT_OPEN, opt->script, strerror(errno));
		if (errno == ENOENT && !strchr(opt->script, '/'))
			diag_hint(d, "waketrace --help lists the scripts that can be run by name");
		return NULL;
	}
	return source_new(a, strcmp(opt->script, "-") ? str_of(opt->script) : STR("stdin"), (struct str){text, size});
}

/* One line of the comment that opens a script, without its marks.  False: the comment is over. */
static bool comment_line(struct str line, bool *block, struct str *text)
{
	struct str t = str_trim(line);

	*text = t;
	if (str_starts(t, STR("#!")))
		return text->n = 0, true;
	if (*block) {
		if (str_ends(t, STR("*/"))) {
			t.n -= 2;
			*block = false;
		}
		if (t.n && t.s[0] == '*')
			t = str_sub(t, t.n > 1 && t.s[1] == ' ' ? 2 : 1, t.n);
	} else if (str_starts(t, STR("//"))) {
		t = str_sub(t, t.n > 2 && t.s[2] == ' ' ? 3 : 2, t.n);
	} else if (str_starts(t, STR("/*"))) {
		*block = !str_ends(t, STR("*/"));
		t = str_trim(str_sub(t, 2, *block ? t.n : t.n - 4));
	} else {
		return false;
	}
	*text = t;
	return true;
}

static void show_comment(const struct source *source, FILE *out)
{
	bool block = false, any = false;
	struct str text;
	int i, blank = 0;

	for (i = 1; i <= source->nlines && comment_line(source_line(source, i), &block, &text); i++) {
		blank = text.n ? blank : blank + 1;
		if (!text.n)
			continue;
		for (; any && blank; blank--)
			fputc('\n', out);
		blank = 0;
		any = true;
		fprintf(out, "%.*s\n", STR_ARG(text));
	}
	if (any)
		fputc('\n', out);
}

void script_help(const struct source *source, const struct manifest *options, FILE *out)
{
	if (source)
		show_comment(source, out);
	if (options->options.n) {
		fputs("Options:\n", out);
		script_options_help(options, out);
	} else {
		fputs("This script has no options of its own.\n", out);
	}
}

bool script_help_built(struct arena *a, struct str elf, FILE *out)
{
	struct str bytes = artefact_section(elf, MANIFEST_SECTION);
	const char *why = "it has no manifest";
	struct manifest *m = bytes.n ? manifest_read(a, bytes, &why) : NULL;

	if (!m) {
		fprintf(stderr, "ERROR: this is not a tool that waketrace can run: %s\n", why);
		return false;
	}
	script_help(m->sources.n ? source_new(a, m->sources.at[0].name, m->sources.at[0].text) : NULL, m, out);
	return true;
}
