/* Listing of probes; types are in list_types.c. */
#include "runtime/list.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/list_types.h"
#include "runtime/machine.h"
#include "runtime/user_types.h"

struct found {
	struct str line;
	const struct probe_spec *spec; /* NULL: nothing more to tell */
};

struct lister {
	struct kernel *k;
	const struct list_options *opt;
	FILE *out, *err;
	struct arena *a;
	VEC(struct found) found;
	int printed;
	bool is_warned_functions;
};

static void warn(struct lister *l, const char *kind)
{
	const char *why = l->k->why ? l->k->why(l->k) : NULL;

	if (!l->opt->no_warnings)
		fprintf(l->err, "WARNING: %s probes cannot be listed: %s\n", kind, why ? why : "their source cannot be read");
}

/* ---- collecting ---------------------------------------------------------------------------------------------------- */

static void add(struct lister *l, struct str line, const struct probe_spec *spec)
{
	struct probe_spec *copy = NULL;

	if (spec && l->opt->details) {
		copy = NEW(l->a, struct probe_spec);
		*copy = *spec;
	}
	VEC_PUSH(l->a, &l->found, (struct found){line, copy});
}

static bool take(const struct probe_spec *full, void *arg)
{
	struct lister *l = arg;
	enum probe_kind_id id = full->kind->id;

	if (id == PROBE_SOFTWARE || id == PROBE_HARDWARE)
		add(l, str_printf(l->a, "%s:%.*s:", full->kind->name, STR_ARG(full->function)), full);
	else
		add(l, full->text, full);
	return true;
}

static void collect(struct lister *l, const struct probe_spec *spec)
{
	if (l->k->each_probe(l->k, l->a, spec, take, l) < 0)
		warn(l, spec->kind->name);
}

/* Kinds whose attach points are numbers: what may stand before the number. */
static void collect_units(struct lister *l, const struct probe_kind *kind, struct str pattern)
{
	static const char *const units[] = {"hz", "ms", "s", "us"};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (str_match(pattern, str_of(units[i])))
			add(l, str_printf(l->a, "%s:%s:", kind->name, units[i]), NULL);
}

/* One kind, the rest of the pattern behind its name. */
static void collect_kind(struct lister *l, const struct probe_kind *kind, struct str rest)
{
	struct probe_spec spec = {.kind = kind, .is_pattern = true};
	size_t colon = str_find(rest, ':');

	spec.text = str_printf(l->a, "%s:%.*s", kind->name, STR_ARG(rest));
	switch (kind->id) {
	case PROBE_BEGIN:
	case PROBE_END:
	case PROBE_TEST:
	case PROBE_BENCH:
	case PROBE_WATCHPOINT:
		return;
	case PROBE_SELF:
		if (str_match(rest, STR("signal:SIGUSR1")))
			add(l, STR("self:signal:SIGUSR1"), NULL);
		return;
	case PROBE_PROFILE:
	case PROBE_INTERVAL:
		collect_units(l, kind, str_sub(rest, 0, colon));
		return;
	case PROBE_SOFTWARE:
	case PROBE_HARDWARE:
		spec.function = str_sub(rest, 0, colon);
		spec.is_pattern = str_is_pattern(spec.function);
		break;
	case PROBE_ITER:
		spec.function = rest;
		break;
	case PROBE_KPROBE:
	case PROBE_KRETPROBE:
	case PROBE_FENTRY:
	case PROBE_FEXIT:
	case PROBE_RAWTRACEPOINT:
	case PROBE_TRACEPOINT:
		spec.function = rest;
		if (colon < rest.n) {
			spec.module = str_sub(rest, 0, colon);
			spec.function = str_sub(rest, colon + 1, rest.n);
		}
		spec.is_pattern = str_is_pattern(rest);
		break;
	case PROBE_UPROBE:
	case PROBE_URETPROBE:
	case PROBE_USDT:
	case PROBE_KIND_COUNT:
		return; /* see collect_user() */
	}
	if (spec.function.n)
		collect(l, &spec);
}

/* uprobe and usdt: the parser of attach points knows their forms. */
static void collect_user(struct lister *l, struct str text)
{
	probe_spec_list specs = {0};
	struct diag *diag = diag_new(l->a);

	/* "usdt:/path" and "uprobe:/path" mean all of the file's. */
	if (str_find(str_sub(text, str_find(text, ':') + 1, text.n), ':') + str_find(text, ':') + 1 == text.n)
		text = str_printf(l->a, "%.*s:*", STR_ARG(text));
	probe_spec_parse(l->a, text, (struct span){0}, diag, &specs);
	VEC_EACH (spec, &specs)
		if ((*spec)->kind->as == AS_USER)
			collect(l, *spec);
}

static bool is_user(const struct probe_kind *kind)
{
	return kind->id == PROBE_UPROBE || kind->id == PROBE_URETPROBE || kind->id == PROBE_USDT;
}

/* Kinds that a wildcard in the kind's place reaches. */
static bool is_kernel_side(enum probe_kind_id id)
{
	return id == PROBE_FENTRY || id == PROBE_HARDWARE || id == PROBE_ITER || id == PROBE_KPROBE || id == PROBE_RAWTRACEPOINT ||
	       id == PROBE_SOFTWARE || id == PROBE_TRACEPOINT;
}

/* A pattern without a kind searches the last part of all kernel-side kinds. */
static void collect_everywhere(struct lister *l, struct str pattern)
{
	int id;

	for (id = 0; id < PROBE_KIND_COUNT; id++) {
		const struct probe_kind *kind = probe_kind((enum probe_kind_id)id);

		if (!is_kernel_side(kind->id))
			continue;
		collect_kind(l, kind, kind->id == PROBE_TRACEPOINT ? str_printf(l->a, "*:%.*s", STR_ARG(pattern)) : pattern);
	}
	if (l->opt->pid) {
		collect_user(l, str_printf(l->a, "uprobe:*:%.*s", STR_ARG(pattern)));
		collect_user(l, str_printf(l->a, "usdt:*:%.*s", STR_ARG(pattern)));
	}
}

static void collect_pattern(struct lister *l, struct str pattern)
{
	size_t colon = str_find(pattern, ':');
	struct str name = str_sub(pattern, 0, colon), rest = str_sub(pattern, colon + 1, pattern.n);
	const struct probe_kind *kind;
	int id;

	if (!pattern.n)
		return;
	if (list_types(l->k, pattern, l->opt->details, l->a, l->out))
		return;
	if (colon == pattern.n) {
		kind = probe_kind_by_name(pattern);
		if (kind) {
			collect_kind(l, kind, STR("*"));
		} else if (memchr(pattern.s, '/', pattern.n) && !access(str_c(l->a, pattern), F_OK)) {
			collect_user(l, str_printf(l->a, "uprobe:%.*s:*", STR_ARG(pattern)));
			collect_user(l, str_printf(l->a, "usdt:%.*s:*", STR_ARG(pattern)));
		} else {
			collect_everywhere(l, pattern);
		}
		return;
	}
	for (id = 0; id < PROBE_KIND_COUNT; id++) {
		kind = probe_kind((enum probe_kind_id)id);
		if (str_is_pattern(name) ? !is_kernel_side(kind->id) || !str_match(name, str_of(kind->name))
					 : kind != probe_kind_by_name(name))
			continue;
		if (is_user(kind))
			collect_user(l, pattern);
		else
			collect_kind(l, kind, rest);
	}
}

/* ---- printing ------------------------------------------------------------------------------------------------------ */

static int compare_found(const void *left, const void *right)
{
	const struct found *a = left, *b = right;

	return str_cmp(a->line, b->line);
}

static void print_found(struct lister *l)
{
	int i;

	if (l->found.n)
		qsort(l->found.at, (size_t)l->found.n, sizeof(*l->found.at), compare_found);
	for (i = 0; i < l->found.n; i++) {
		if (i && str_eq(l->found.at[i].line, l->found.at[i - 1].line))
			continue;
		fwrite(l->found.at[i].line.s, 1, l->found.at[i].line.n, l->out);
		putc('\n', l->out);
		if (l->found.at[i].spec)
			list_arguments(l->k, l->found.at[i].spec, l->out, l->err);
		l->printed++;
	}
}

/* Commas inside quotes belong to a C++ name. */
static struct str next_pattern(struct str *rest)
{
	bool quoted = false;
	struct str part;
	size_t i;

	for (i = 0; i < rest->n && (quoted || rest->s[i] != ','); i++)
		if (rest->s[i] == '"')
			quoted = !quoted;
	part = str_trim(str_sub(*rest, 0, i));
	*rest = str_sub(*rest, i + 1, rest->n);
	return part;
}

int list_probes(struct kernel *k, struct str pattern, const struct list_options *opt, FILE *out, FILE *err)
{
	struct lister l = {.k = k, .opt = opt, .out = out, .err = err, .a = arena_new()};

	if (!opt->no_warnings && (str_ends(pattern, STR(".bt")) || str_ends(pattern, STR(".wt"))) && !str_is_pattern(pattern))
		fprintf(err, "WARNING: there is no file '%.*s'; it is taken as a pattern of probe names\n", STR_ARG(pattern));
	if (!pattern.n || str_is(pattern, "*"))
		collect_everywhere(&l, STR("*"));
	else
		while (pattern.n)
			collect_pattern(&l, next_pattern(&pattern));
	print_found(&l);
	arena_free(l.a);
	return l.printed;
}

/* ---- arguments ------------------------------------------------------------------------------------------------------ */

static void print_declaration(FILE *out, struct arena *a, struct btf_file *f, uint32_t type, struct str name)
{
	struct strbuf b = {.arena = a};

	btf_print_decl(&b, f, type, name, true);
	fprintf(out, "    %.*s\n", (int)b.n, b.s);
}

/* Parameters from `skip` on.  `numbered`: arg0, arg1 as kprobes know them. */
static void print_proto(FILE *out, struct arena *a, struct btf_file *f, const struct btf_type *proto, uint32_t skip, bool numbered)
{
	const struct btf_param *param = btf_tail(proto);
	uint32_t n = BTF_INFO_VLEN(proto->info), i;

	for (i = skip; i < n; i++) {
		struct str name = btf_text(f, param[i].name_off);

		if (numbered || !name.n)
			name = str_printf(a, "arg%u", i - skip);
		if (param[i].type)
			print_declaration(out, a, f, param[i].type, name);
	}
}

static void print_function(struct machine *m, const struct probe_spec *spec, struct arena *a, FILE *out)
{
	bool is_return = spec->kind->id == PROBE_KRETPROBE;
	struct btf_file *f;
	const struct btf_type *proto = machine_func_proto(m, spec->module, spec->function, &f);

	if (!proto)
		return;
	if (!is_return)
		print_proto(out, a, f, proto, 0, spec->kind->id == PROBE_KPROBE);
	if (spec->kind->has_retval && proto->type)
		print_declaration(out, a, f, proto->type, STR("retval"));
}

/* A function that the debug information does not know (of assembly, say) has no lines; a file without any is said to have none. */
static void print_user_function(struct kernel *k, const struct probe_spec *spec, struct arena *a, FILE *out, FILE *err)
{
	struct machine *m = machine_of(k);
	const char *why = NULL;
	struct user_function fn;
	int fd = user_debug_fd(k, spec, &why);

	m->undescribed.arena = m->arena;
	if (fd < 0) {
		if (!table_get(&m->undescribed, spec->path))
			fprintf(err, "WARNING: the parameters of functions are not known: %s\n", why);
		table_put(&m->undescribed, spec->path, m);
		return;
	}
	close(fd);
	if (!user_function(k, a, spec, &fn, &why))
		return;
	if (spec->kind->id == PROBE_UPROBE)
		print_proto(out, a, fn.file, fn.proto, 0, false);
	else if (fn.proto->type)
		print_declaration(out, a, fn.file, fn.proto->type, STR("retval"));
}

static void print_tracepoint(struct machine *m, const struct probe_spec *spec, struct arena *a, FILE *out, FILE *err)
{
	int e;
	struct trace_format *format = machine_trace_format(m, a, spec->module, spec->function, &e);

	if (!format) {
		fprintf(err, "WARNING: the fields of %.*s are not known: %s\n", STR_ARG(spec->text), strerror(e));
		return;
	}
	VEC_EACH (field, &format->fields)
		if (!field->common)
			fprintf(out, "    %.*s\n", STR_ARG(field->text));
}

static void print_iterator(struct machine *m, const struct probe_spec *spec, struct arena *a, FILE *out)
{
	struct btf_file *f = machine_btf(m);
	struct str name = str_printf(a, "bpf_iter__%.*s", STR_ARG(spec->function));
	uint32_t id = f ? btf_find(f, name, BTF_MASK(BTF_KIND_STRUCT)) : 0, i;
	const struct btf_type *t = btf_type_at(f, id);
	const struct btf_member *member = btf_tail(t);

	for (i = 0; id && i < BTF_INFO_VLEN(t->info); i++) {
		const struct btf_type *inner = btf_type_at(f, member[i].type);

		/* Pointers stand in anonymous unions, so that they have 64 bits everywhere. */
		if (!member[i].name_off && BTF_INFO_VLEN(inner->info) && btf_kind_of(inner) == BTF_KIND_UNION) {
			const struct btf_member *in = btf_tail(inner);

			if (!str_is(btf_text(f, in->name_off), "meta"))
				print_declaration(out, a, f, in->type, btf_text(f, in->name_off));
		} else if (member[i].name_off) {
			print_declaration(out, a, f, member[i].type, btf_text(f, member[i].name_off));
		}
	}
}

void list_arguments(struct kernel *k, const struct probe_spec *spec, FILE *out, FILE *err)
{
	struct machine *m = machine_of(k);
	struct arena *a = arena_new();
	const struct btf_type *proto;
	struct btf_file *f;

	switch (spec->kind->id) {
	case PROBE_KPROBE:
	case PROBE_KRETPROBE:
	case PROBE_FENTRY:
	case PROBE_FEXIT:
		print_function(m, spec, a, out);
		break;
	case PROBE_TRACEPOINT:
		print_tracepoint(m, spec, a, out, err);
		break;
	case PROBE_RAWTRACEPOINT:
		proto = machine_raw_proto(m, spec->module, spec->function, &f);
		if (proto)
			print_proto(out, a, f, proto, 1, false);
		break;
	case PROBE_ITER:
		print_iterator(m, spec, a, out);
		break;
	case PROBE_UPROBE:
	case PROBE_URETPROBE:
		print_user_function(k, spec, a, out, err);
		break;
	case PROBE_BEGIN:
	case PROBE_END:
	case PROBE_SELF:
	case PROBE_TEST:
	case PROBE_BENCH:
	case PROBE_USDT:
	case PROBE_PROFILE:
	case PROBE_INTERVAL:
	case PROBE_SOFTWARE:
	case PROBE_HARDWARE:
	case PROBE_WATCHPOINT:
	case PROBE_KIND_COUNT:
		break;
	}
	arena_free(a);
}
