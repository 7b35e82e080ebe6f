/* Settings: defaults, the script's config block, then the environment (which wins). */
#include "lang/check.h"

#include <ctype.h>

struct setting {
	const char *name;
	enum { SET_INT, SET_BOOL, SET_STRING, SET_ENUM } kind;
	size_t offset;
	const char *words;
};

static const struct setting settings[] = {
#define CONFIG_INT(name, value, help) {#name, SET_INT, offsetof(struct config, name), NULL},
#define CONFIG_BOOL(name, value, help) {#name, SET_BOOL, offsetof(struct config, name), NULL},
#define CONFIG_STRING(name, value, help) {#name, SET_STRING, offsetof(struct config, name), NULL},
#define CONFIG_ENUM(name, words, value, help) {#name, SET_ENUM, offsetof(struct config, name), words},
#include "lang/config.def"
#undef CONFIG_INT
#undef CONFIG_BOOL
#undef CONFIG_STRING
#undef CONFIG_ENUM
};

enum { NSETTINGS = sizeof(settings) / sizeof(*settings) };

/* Old names that still work, and names that mean nothing any more. */
static const char *const renamed[][2] = {
	{"strlen", "max_strlen"},
	{"no_cpp_demangle", "cpp_demangle"},
	{"cat_bytes_max", "max_cat_bytes"},
	{"map_keys_max", "max_map_keys"},
};
static const char *const obsolete[] = {
	"symbol_source", "max_type_res_iterations", "unstable_addr", "unstable_import",
	"unstable_macro", "unstable_map_decl", "use_blazesym", "max_ast_nodes", "debug_output",
};
static const char *const environment_only[] = {"btf", "kernel_build", "kernel_source", "vmlinux"};

static void defaults(struct config *f)
{
#define CONFIG_INT(name, value, help) f->name = value;
#define CONFIG_BOOL(name, value, help) f->name = value;
#define CONFIG_STRING(name, value, help) f->name = STR(value);
#define CONFIG_ENUM(name, words, value, help) f->name = value;
#include "lang/config.def"
#undef CONFIG_INT
#undef CONFIG_BOOL
#undef CONFIG_STRING
#undef CONFIG_ENUM
}

static const struct setting *find(struct str name)
{
	int i;

	for (i = 0; i < NSETTINGS; i++)
		if (str_is(name, settings[i].name))
			return &settings[i];
	return NULL;
}

/* "STACK_MODE", "BPFTRACE_STACK_MODE" and "WAKETRACE_STACK_MODE" are "stack_mode". */
static struct str plain_name(struct arena *a, struct str name)
{
	char *copy = str_c(a, name);
	struct str n = {copy, name.n};
	size_t i;

	for (i = 0; i < n.n; i++)
		copy[i] = (char)tolower((unsigned char)copy[i]);
	if (str_starts(n, STR("bpftrace_")))
		return str_sub(n, 9, n.n);
	if (str_starts(n, STR("waketrace_")))
		return str_sub(n, 10, n.n);
	return n;
}

static bool parse_bool(struct str text, bool *value)
{
	*value = str_is_nocase(text, "true") || str_is(text, "1");
	return *value || str_is_nocase(text, "false") || str_is(text, "0");
}

static int word_index(const char *words, struct str text)
{
	struct str rest = str_of(words);
	int i;

	for (i = 0; rest.n; i++) {
		size_t n = str_find(rest, ' ');

		if (str_is_nocase(str_sub(rest, 0, n), text.s))
			return i;
		rest = str_sub(rest, n + 1, rest.n);
	}
	return -1;
}

/* Unstable features take booleans too (true = enable, false = error); cache_user_symbols takes 1 and 0. */
static int enum_value(const struct setting *s, struct str text)
{
	bool flag;
	int i = word_index(s->words, text);

	if (i >= 0 || !parse_bool(text, &flag))
		return i;
	if (!strncmp(s->name, "unstable_", 9))
		return flag ? 2 : 0;
	return !strcmp(s->name, "cache_user_symbols") ? (flag ? 2 : 0) : -1;
}

/* Some settings have bounds. */
static bool in_range(struct checker *c, const struct setting *s, uint64_t number, struct span span)
{
	static const struct {
		const char *name;
		int most;
	} bounds[] = {{"max_strlen", 64 * 1024}, {"max_map_keys", 1 << 30}, {"max_stacks", MOST_STACKS}};
	size_t i;

	for (i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
		if (strcmp(s->name, bounds[i].name) || (number && number <= (uint64_t)bounds[i].most))
			continue;
		diag_add(c->diag, span, DIAG_CONFIG_RANGE, s->name, 1, bounds[i].most);
		return false;
	}
	return true;
}

/* These choose how bpftrace keeps symbols; here they are looked up when they are printed, and kept while they are right. */
static void tell_no_effect(struct checker *c, const struct setting *s, struct span span)
{
	const struct config *f = &c->program->config;

	if ((!strcmp(s->name, "cache_user_symbols") && f->cache_user_symbols != 2) ||
	    (!strcmp(s->name, "lazy_symbolication") && !f->lazy_symbolication)) {
		diag_add(c->diag, span, DIAG_CONFIG_NO_EFFECT, s->name);
		diag_hint(c->diag, "symbols of programs are looked up when they are printed, and kept as long as they are right");
	}
}

static bool assign(struct checker *c, const struct setting *s, struct str text, struct span span)
{
	char *at = (char *)&c->program->config + s->offset;
	const char *why;
	uint64_t number;
	bool flag;

	switch (s->kind) {
	case SET_INT:
		if (!parse_integer(text, true, &number, &why) || (int64_t)number < 0) {
			diag_add(c->diag, span, DIAG_CONFIG_NUMBER, s->name, STR_ARG(text));
			return false;
		}
		*(uint64_t *)(void *)at = number;
		return in_range(c, s, number, span);
	case SET_BOOL:
		if (!parse_bool(text, &flag)) {
			diag_add(c->diag, span, DIAG_CONFIG_BOOL, s->name, STR_ARG(text));
			diag_hint(c->diag, "true, false, 1 or 0");
			return false;
		}
		*(bool *)(void *)at = flag;
		tell_no_effect(c, s, span);
		return true;
	case SET_STRING:
		*(struct str *)(void *)at = str_copy(c->arena, text);
		return true;
	case SET_ENUM: {
		int i = enum_value(s, str_copy(c->arena, text));

		if (i < 0) {
			diag_add(c->diag, span, DIAG_CONFIG_WORD, s->name, STR_ARG(text));
			diag_hint(c->diag, "one of: %s", s->words);
			return false;
		}
		*(int *)(void *)at = i;
		tell_no_effect(c, s, span);
		return true;
	}
	}
	BUG("setting kind %d", s->kind);
}

static bool is_one_of(struct str name, const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_is(name, list[i]))
			return true;
	return false;
}

static struct str modern_name(struct checker *c, struct str name, struct span span)
{
	size_t i;

	for (i = 0; i < sizeof(renamed) / sizeof(*renamed); i++)
		if (str_is(name, renamed[i][0])) {
			diag_add(c->diag, span, DIAG_CONFIG_RENAMED, renamed[i][0], renamed[i][1]);
			return str_of(renamed[i][1]);
		}
	return name;
}

static void set_from_block(struct checker *c, const struct config_entry *entry)
{
	struct str name = plain_name(c->arena, entry->key);
	const struct setting *s;
	struct diag_near near = {.wanted = name};
	int i;

	if (is_one_of(name, obsolete, sizeof(obsolete) / sizeof(*obsolete))) {
		diag_add(c->diag, entry->span, DIAG_CONFIG_OBSOLETE, STR_ARG(name));
		return;
	}
	if (is_one_of(name, environment_only, sizeof(environment_only) / sizeof(*environment_only))) {
		diag_add(c->diag, entry->span, DIAG_CONFIG_ENV_ONLY, STR_ARG(name));
		return;
	}
	if (str_is(name, "no_cpp_demangle")) {
		struct str flipped = str_is(entry->value, "1") || str_is_nocase(entry->value, "true") ? STR("false")
												     : STR("true");

		diag_add(c->diag, entry->span, DIAG_CONFIG_RENAMED, "no_cpp_demangle", "cpp_demangle");
		assign(c, find(STR("cpp_demangle")), flipped, entry->value_span);
		return;
	}
	name = modern_name(c, name, entry->span);
	s = find(name);
	if (s) {
		assign(c, s, entry->value, entry->value_span);
		return;
	}
	diag_add(c->diag, entry->span, DIAG_CONFIG_UNKNOWN, STR_ARG(name));
	for (i = 0; i < NSETTINGS; i++)
		diag_near_try(&near, str_of(settings[i].name));
	if (near.best.n)
		diag_hint(c->diag, "did you mean '%.*s'?", STR_ARG(near.best));
}

static void set_from_environment(struct checker *c)
{
	const char *const *env = c->opt->env;
	struct span nowhere = {0};

	for (; env && *env; env++) {
		struct str line = str_of(*env);
		size_t eq = str_find(line, '=');
		struct str name = plain_name(c->arena, str_sub(line, 0, eq));
		const struct setting *s = find(modern_name(c, name, nowhere));

		if (!s || assign(c, s, str_sub(line, eq + 1, line.n), nowhere))
			continue;
		diag_hint(c->diag, "it is set by %.*s in the environment", (int)eq, line.s);
		if (c->opt->bad_environment)
			*c->opt->bad_environment = true;
	}
}

static void check_values(struct checker *c)
{
	static const char *const licenses[] = {"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL",
					       "Dual MIT/GPL", "Dual MPL/GPL"};
	struct config *f = &c->program->config;

	if (!is_one_of(f->license, licenses, sizeof(licenses) / sizeof(*licenses))) {
		diag_add(c->diag, c->script->config_span, DIAG_CONFIG_LICENSE, STR_ARG(f->license));
		diag_hint(c->diag, "the kernel gives its tracing helpers to GPL, GPL v2, GPL and additional rights, "
				   "Dual BSD/GPL, Dual MIT/GPL and Dual MPL/GPL programs");
	}
}

void config_set(struct checker *c)
{
	VEC(struct config_entry) entries = {c->script->config.at, c->script->config.n, c->script->config.cap};

	defaults(&c->program->config);
	VEC_EACH(entry, &entries)
		set_from_block(c, entry);
	set_from_environment(c);
	check_values(c);
}

bool unstable_allowed(struct checker *c, struct span span, enum unstable_feature f)
{
	const struct config *config = &c->program->config;
	const struct {
		const char *what, *setting;
		int level;
	} features[] = {
		[UNSTABLE_TSERIES] = {"tseries()", "unstable_tseries", config->unstable_tseries},
		[UNSTABLE_TYPEINFO] = {"typeinfo()", "unstable_typeinfo", config->unstable_typeinfo},
		[UNSTABLE_IMPORT_STATEMENT] = {"import inside of a block", "unstable_import_statement",
					       config->unstable_import_statement},
	};

	if (features[f].level == 2 || (features[f].level && c->unstable_told & 1u << f))
		return true;
	if (features[f].level)
		diag_add(c->diag, span, DIAG_UNSTABLE_USED, features[f].what);
	else
		diag_add(c->diag, span, DIAG_UNSTABLE, features[f].what, features[f].setting);
	diag_hint(c->diag, "config = { %s = enable }%s", features[f].setting, features[f].level ? " says that this is known" : "");
	c->unstable_told |= 1u << f;
	return features[f].level;
}

/* ---- as a value ------------------------------------------------------------------------------------------------------- */

static void add_element(struct checker *c, struct expr *record, const char *name)
{
	struct expr *value = expr_new(c->arena, EXPR_INT, record->span);
	const struct setting *s = find(str_of(name));
	const char *at = s ? (const char *)&c->program->config + s->offset : NULL;
	struct str rest;
	int i;

	VEC_PUSH(c->arena, &record->tuple.elems, value);
	VEC_PUSH(c->arena, &record->tuple.names, str_of(name));
	if (!s) { /* use_blazesym: taken with a warning, off */
		fold_to_bool(c, value, false);
		return;
	}
	switch (s->kind) {
	case SET_INT:
		fold_to_int(c, value, *(const uint64_t *)(const void *)at, false);
		return;
	case SET_BOOL:
		fold_to_bool(c, value, *(const bool *)at);
		return;
	case SET_STRING:
		fold_to_string(c, value, *(const struct str *)(const void *)at);
		return;
	case SET_ENUM:
		rest = str_of(s->words);
		for (i = *(const int *)(const void *)at; i > 0; i--)
			rest = str_sub(rest, str_find(rest, ' ') + 1, rest.n);
		fold_to_string(c, value, str_sub(rest, 0, str_find(rest, ' ')));
		return;
	}
}

void config_record(struct checker *c, struct expr *e)
{
	/* In bpftrace's order; what it does not have in there is found by its name, but not printed. */
	static const char *const order[] = {
		"cpp_demangle", "lazy_symbolication", "print_maps_on_exit", "use_blazesym", "show_debug_info", "log_size",
		"max_bpf_progs", "max_cat_bytes", "max_map_keys", "max_probes", "max_strlen", "on_stack_limit", "perf_rb_pages",
		"str_trunc_trailer", "unstable_import_statement", "unstable_tseries", "unstable_typeinfo",
		"unstable_dw_ustack", "missing_probes", "stack_mode", "license",
	}, *const own[] = {"cache_user_symbols", "max_stacks", "print_percentiles"};
	bool is_part = c->part_of == e;
	struct span span = e->span;
	size_t i;

	memset(e, 0, sizeof(*e));
	e->kind = EXPR_RECORD;
	e->span = span;
	e->parens = true;
	for (i = 0; i < sizeof(order) / sizeof(*order); i++)
		add_element(c, e, order[i]);
	for (i = 0; is_part && i < sizeof(own) / sizeof(*own); i++)
		add_element(c, e, own[i]);
	check_tuple(c, e);
}
