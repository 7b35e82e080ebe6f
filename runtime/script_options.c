/* Options that a script declares with getopt(): the words behind the script become values for its .rodata (language.md 19.2 and
 * the long, one-letter and list forms that are ours). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "lang/parse.h"
#include "runtime/session_internal.h"

struct words {
	struct arena *arena;
	const struct manifest *manifest;
	struct kernel *kernel;
	const struct str *at;
	int n, next;
	char **lists; /* by option: a list as far as it was read */
	bool (*put)(void *arg, const struct manifest_option *o, const void *bytes, uint32_t size);
	void *arg;
};

static int usage(const struct words *w)
{
	if (w->manifest->options.n) {
		fputs("HINT: expected program options:\n", stderr);
		script_options_help(w->manifest, stderr);
	} else {
		fputs("HINT: this script has no options of its own\n", stderr);
	}
	return 1;
}

/* "  -p, --pid NUMBER        only this process" */
void script_options_help(const struct manifest *m, FILE *out)
{
	static const char *const value[] = {
		[OPTION_BOOL] = "", [OPTION_UINT] = " NUMBER", [OPTION_INT] = " NUMBER", [OPTION_STRING] = " TEXT", [OPTION_LIST] = " N,N...", [OPTION_TEXTS] = " TEXT,...", [OPTION_CGROUP] = " PATH",
	};

	VEC_EACH(o, &m->options) {
		char letter[4] = {o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? ',' : ' ', 0};
		int n = fprintf(out, "  %s --%.*s%s", letter, STR_ARG(o->name), value[o->kind]);

		fprintf(out, "%*s%.*s\n", o->help.n ? n < 28 ? 28 - n : 2 : 0, "", STR_ARG(o->help));
	}
}

static const struct manifest_option *by_name(const struct manifest *m, struct str name)
{
	VEC_EACH(o, &m->options)
		if (str_eq(o->name, name))
			return o;
	return NULL;
}

static const struct manifest_option *by_letter(const struct manifest *m, char letter)
{
	VEC_EACH(o, &m->options)
		if (o->letter && o->letter == letter)
			return o;
	return NULL;
}

static int wrong(const struct manifest_option *o, const char *what, struct str value)
{
	fprintf(stderr, "ERROR: option --%.*s takes %s, not '%.*s'\n", STR_ARG(o->name), what, STR_ARG(value));
	return 1;
}

static bool to_bool(struct str text, uint64_t *value)
{
	*value = str_is(text, "1") || str_is_nocase(text, "true");
	return *value || str_is(text, "0") || str_is_nocase(text, "false");
}

/* As $1 is read: decimal, 0x, octal, 1e6, 5ms; with a sign only where the option is signed. */
static bool to_number(struct str text, bool is_signed, uint64_t *value)
{
	bool negative = text.n && text.s[0] == '-';
	const char *why;

	if (!parse_integer(text, true, value, &why))
		return false;
	return is_signed ? negative == ((int64_t)*value < 0) || !*value : !negative;
}

/* One element of a list; 0, or the status after a message. */
static int put_element(const struct manifest_option *o, char *at, struct str text, struct str value)
{
	uint64_t number;

	if (o->kind == OPTION_TEXTS) {
		if (text.n >= LIST_TEXT) {
			fprintf(stderr, "ERROR: option --%.*s takes texts of at most %d bytes\n", STR_ARG(o->name), LIST_TEXT - 1);
			return 1;
		}
		memcpy(at, text.s, text.n);
		return 0;
	}
	if (!to_number(text, true, &number))
		return wrong(o, "numbers separated by commas", value);
	memcpy(at, &number, sizeof(number));
	return 0;
}

/* "1,2,3" into { u64 count; elements }; an option given again goes on where it was. */
static int put_list(struct words *w, const struct manifest_option *o, struct str value)
{
	uint32_t each = o->kind == OPTION_TEXTS ? LIST_TEXT : 8;
	uint64_t room = o->size < 8 ? 0 : (o->size - 8) / each, n;
	char **list = &w->lists[o - w->manifest->options.at];
	struct str rest = value;

	if (!*list)
		*list = arena_alloc(w->arena, o->size);
	memcpy(&n, *list, sizeof(n));
	while (rest.n) {
		size_t comma = str_find(rest, ',');

		if (n == room) {
			fprintf(stderr, "ERROR: option --%.*s takes at most %llu values\n", STR_ARG(o->name), (unsigned long long)room);
			return 1;
		}
		if (put_element(o, *list + 8 + n * each, str_sub(rest, 0, comma), value))
			return 1;
		n++;
		rest = str_sub(rest, comma + 1, rest.n);
	}
	memcpy(*list, &n, sizeof(n));
	return w->put(w->arg, o, *list, o->size) ? 0 : 1;
}

/* Is the text one of the words that the option may be? */
static bool is_choice(const struct manifest_option *o, struct str value)
{
	struct str rest = o->choices;

	while (rest.n) {
		size_t blank = str_find(rest, ' ');

		if (str_eq(str_sub(rest, 0, blank), value))
			return true;
		rest = str_sub(rest, blank + 1, rest.n);
	}
	return !o->choices.n;
}

static int put_value(struct words *w, const struct manifest_option *o, struct str value)
{
	uint64_t number = 0;
	int err = 0;
	char *text;

	switch (o->kind) {
	case OPTION_BOOL:
		if (!to_bool(value, &number))
			return wrong(o, "true or false", value);
		break;
	case OPTION_CGROUP:
		if (to_number(value, false, &number))
			break;
		number = w->kernel->cgroup_id(w->kernel, value, &err);
		if (!number) {
			fprintf(stderr, "ERROR: option --%.*s takes the path of a cgroup (version 2) or its id; '%.*s': %s\n", STR_ARG(o->name),
				STR_ARG(value), strerror(err));
			return 1;
		}
		break;
	case OPTION_UINT:
	case OPTION_INT:
		if (!to_number(value, o->kind == OPTION_INT, &number))
			return wrong(o, o->kind == OPTION_INT ? "a number" : "a number without a sign", value);
		if (o->settled && number != o->settled_to) {
			fprintf(stderr, "ERROR: option --%.*s was settled when this tool was built, as %llu\n", STR_ARG(o->name),
				(unsigned long long)o->settled_to);
			return 1;
		}
		break;
	case OPTION_LIST:
	case OPTION_TEXTS:
		return put_list(w, o, value);
	case OPTION_STRING:
		if (value.n >= o->size) {
			fprintf(stderr, "ERROR: the text of option --%.*s is longer than %u bytes (max_strlen)\n", STR_ARG(o->name),
				o->size ? o->size - 1 : 0);
			return 1;
		}
		if (!is_choice(o, value))
			return wrong(o, arena_printf(w->arena, "one of: %.*s", STR_ARG(o->choices)), value);
		text = arena_alloc(w->arena, o->size);
		memcpy(text, value.s, value.n);
		return w->put(w->arg, o, text, o->size) ? 0 : 1;
	}
	return w->put(w->arg, o, &number, o->size < 8 ? o->size : 8) ? 0 : 1;
}

static int missing_value(const struct manifest_option *o)
{
	fprintf(stderr, "ERROR: option --%.*s needs a value: --%.*s=VALUE\n", STR_ARG(o->name), STR_ARG(o->name));
	return 1;
}

/* The value of an option that was written without `=`: the next word, none for switches. */
static int put_next(struct words *w, const struct manifest_option *o)
{
	if (o->kind == OPTION_BOOL)
		return put_value(w, o, STR("true"));
	if (w->next >= w->n)
		return missing_value(o);
	return put_value(w, o, w->at[w->next++]);
}

static int unexpected(struct words *w, struct str word)
{
	fprintf(stderr, "ERROR: the script has no option %.*s\n", STR_ARG(word));
	return usage(w);
}

static int long_option(struct words *w, struct str word)
{
	struct str name = str_sub(word, 2, word.n);
	size_t equals = str_find(name, '=');
	const struct manifest_option *o = by_name(w->manifest, str_sub(name, 0, equals));

	if (!o && str_is(name, "help"))
		return usage(w);
	if (!o)
		return unexpected(w, str_sub(word, 0, equals + 2));
	if (equals < name.n)
		return put_value(w, o, str_sub(name, equals + 1, name.n));
	return put_next(w, o);
}

/* -p 5, -p5, -uv. */
static int letters(struct words *w, struct str word)
{
	size_t i;

	for (i = 1; i < word.n; i++) {
		const struct manifest_option *o = by_letter(w->manifest, word.s[i]);
		int status;

		if (!o)
			return unexpected(w, str_printf(w->arena, "-%c", word.s[i]));
		if (o->kind != OPTION_BOOL && i + 1 < word.n)
			return put_value(w, o, str_sub(word, i + 1, word.n));
		status = put_next(w, o);
		if (status)
			return status;
	}
	return 0;
}

/* A word like -5 is a number, hence a positional parameter, unless the script has an option -5; so is any other of a script without
 * one-letter options. */
static bool has_letters(const struct manifest *m, struct str word)
{
	if (word.n < 2 || isdigit((unsigned char)word.s[1]))
		return word.n == 2 && by_letter(m, word.s[1]);
	VEC_EACH(o, &m->options)
		if (o->letter)
			return true;
	return false;
}

static bool is_option(struct str word)
{
	return word.n > 1 && word.s[0] == '-' && !isdigit((unsigned char)word.s[1]);
}

static int settled_word(struct str word)
{
	fprintf(stderr, "ERROR: '%.*s': positional parameters were settled when this tool was built\n", STR_ARG(word));
	fputs("HINT: waketrace build SCRIPT WORD... -o TOOL builds it with others\n", stderr);
	return 1;
}

int script_options_apply(struct arena *a, const struct manifest *m, struct kernel *kernel, const struct str *words, int nwords,
			 bool built, bool (*put)(void *arg, const struct manifest_option *o, const void *bytes, uint32_t size), void *arg)
{
	struct words w = {a, m, kernel, words, nwords, 0, NEW_ARRAY(a, char *, m->options.n + 1), put, arg};

	while (w.next < w.n) {
		struct str word = w.at[w.next++];
		int status = 0;

		if (word.n > 2 && str_starts(word, STR("--")))
			status = long_option(&w, word);
		else if (word.n > 1 && word.s[0] == '-' && word.s[1] != '-' && has_letters(m, word))
			status = letters(&w, word);
		else if (built)
			status = is_option(word) ? unexpected(&w, word) : settled_word(word);
		if (status)
			return status;
	}
	return 0;
}
