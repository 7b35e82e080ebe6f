/* Kernel functions that are not there, or not open to probes, and why: compilers rename functions (.isra, .constprop, .part, .cold)
 * and inline them, and the kernel keeps its own tracing out of its tracing. */
#include <stdlib.h>

#include "runtime/machine.h"

/* One line of /proc/kallsyms, taken apart. */
struct line {
	uint64_t address;
	struct str name, module; /* module: "vmlinux" when none is named */
};

static bool parse_line(struct line *l, struct str text)
{
	struct str rest;
	size_t end;

	if (text.n < 20 || text.s[16] != ' ' || text.s[18] != ' ')
		return false;
	rest = str_trim(str_sub(text, 19, text.n));
	for (end = 0; end < rest.n && rest.s[end] != ' ' && rest.s[end] != '\t';)
		end++;
	l->address = strtoull(text.s, NULL, 16);
	l->name = str_sub(rest, 0, end);
	rest = str_trim(str_sub(rest, end, rest.n));
	l->module = rest.n > 2 ? str_sub(rest, 1, rest.n - 2) : STR("vmlinux");
	return true;
}

static struct str next_line(struct str *rest)
{
	size_t end = str_find(*rest, '\n');
	struct str line = str_sub(*rest, 0, end);

	*rest = str_sub(*rest, end + 1, rest->n);
	return line;
}

/* ---- renamed, inlined ---------------------------------------------------------------------------------------------- */

struct search {
	struct str wanted, module;
	struct str split, elsewhere; /* "NAME.isra.0"; the module that has NAME where another was asked for */
	struct str piece;	     /* a part of it only: .part, .cold */
	bool exact;		     /* it is there after all */
	bool looked;		     /* the file could be read */
};

static bool is_piece(struct str name, size_t from)
{
	struct str tail = str_sub(name, from, name.n);

	return memmem(tail.s, tail.n, ".part.", 6) || memmem(tail.s, tail.n, ".cold", 5);
}

static void look_at(struct search *s, struct arena *a, const struct line *l)
{
	if (!str_starts(l->name, s->wanted))
		return;
	if (l->name.n == s->wanted.n) {
		if (!s->module.n || str_eq(l->module, s->module))
			s->exact = true;
		else if (!s->elsewhere.n)
			s->elsewhere = str_copy(a, l->module);
		return;
	}
	if (l->name.s[s->wanted.n] != '.' || (s->module.n && !str_eq(l->module, s->module)))
		return;
	if (is_piece(l->name, s->wanted.n))
		s->piece = s->piece.n ? s->piece : str_copy(a, l->name);
	else if (!s->split.n)
		s->split = str_copy(a, l->name);
}

static bool has_type(struct machine *m, const struct probe_spec *spec)
{
	struct btf_file *f;

	return machine_btf(m) && machine_func_proto(m, spec->module, spec->function, &f);
}

static const char *in_words(struct machine *m, struct arena *a, const struct probe_spec *spec, const struct search *s)
{
	const struct str *name = s->split.n ? &s->split : &s->piece;
	bool open = name->n && machine_is_traceable(m, *name);
	bool trampoline = spec->kind->id == PROBE_FENTRY || spec->kind->id == PROBE_FEXIT;

	if (s->exact)
		return trampoline ? "the kernel has no types (BTF) of it; kprobe works there" : NULL;
	if (s->split.n && open && !trampoline)
		return arena_printf(a, "the compiler renamed it, and its arguments may differ: try %s:%.*s", spec->kind->name, STR_ARG(*name));
	if (s->split.n)
		return arena_printf(a, "the compiler renamed it to %.*s, %s", STR_ARG(*name),
				    open ? "which has no types: a kprobe can be set there" : "which cannot be probed");
	if (s->piece.n)
		return arena_printf(a, "the compiler inlined it and kept only a part of it, %.*s", STR_ARG(*name));
	if (s->elsewhere.n)
		return arena_printf(a, "it is in %.*s", STR_ARG(s->elsewhere));
	return has_type(m, spec) ? "the compiler inlined it wherever it is called" : NULL;
}

/* Asked once for each name: the kernel takes some 50 ms to write the file, and scripts ask again for each alternative and each kind
 * of probe. */
static const struct search *search_of(struct machine *m, struct str module, struct str name)
{
	struct str key = str_printf(m->arena, "%.*s:%.*s", STR_ARG(module), STR_ARG(name));
	struct search *s = table_get(&m->searches, key);
	size_t size = 0;
	int err;
	char *text;
	struct str rest;
	struct line l;

	if (s)
		return s;
	s = NEW(m->arena, struct search);
	*s = (struct search){.wanted = str_copy(m->arena, name), .module = str_copy(m->arena, module)};
	text = m->opt.btf ? NULL : machine_read_text("/proc/kallsyms", &size, &err);
	s->looked = text != NULL;
	rest = (struct str){text ? text : "", size};
	while (rest.n)
		if (parse_line(&l, next_line(&rest)))
			look_at(s, m->arena, &l);
	free(text);
	m->searches.arena = m->arena;
	table_put(&m->searches, key, s);
	return s;
}

bool machine_kallsyms_has(struct machine *m, struct str module, struct str name)
{
	return search_of(m, module, name)->exact;
}

const char *machine_why_no_function(struct machine *m, struct arena *a, const struct probe_spec *spec)
{
	const struct search *s = search_of(m, spec->module, spec->function);

	return s->looked ? in_words(m, a, spec, s) : NULL;
}

uint64_t machine_function_size(struct str module, struct str name)
{
	uint64_t address = machine_kallsyms_address(module, name), next = UINT64_MAX;
	size_t size;
	int err;
	char *text = address ? machine_read_text("/proc/kallsyms", &size, &err) : NULL;
	struct str rest = {text ? text : "", text ? size : 0};
	struct line l;

	while (rest.n)
		if (parse_line(&l, next_line(&rest)) && l.address > address && l.address < next)
			next = l.address;
	free(text);
	return next == UINT64_MAX ? 0 : next - address;
}

/* ---- closed to kprobes --------------------------------------------------------------------------------------------- */

/* Lines: "0xffffffff81000000-0xffffffff81000012	name".  Where debugfs is not mounted nothing is known. */
static void read_closed(struct machine *m)
{
	size_t size;
	int err;
	char *text = machine_read_text("/sys/kernel/debug/kprobes/blacklist", &size, &err);
	struct str rest = {text ? text : "", text ? size : 0};

	m->closed.arena = m->arena;
	while (rest.n) {
		struct str line = next_line(&rest), name = str_trim(str_sub(line, str_find(line, '\t') + 1, line.n));

		if (name.n)
			table_put(&m->closed, str_copy(m->arena, name), m);
	}
	free(text);
}

bool kernel_closed(struct kernel *k, const struct probe_spec *spec)
{
	struct machine *m = machine_of(k);

	if (m->opt.btf || (spec->kind->id != PROBE_KPROBE && spec->kind->id != PROBE_KRETPROBE))
		return false;
	if (!m->closed_tried)
		read_closed(m);
	m->closed_tried = true;
	return table_get(&m->closed, spec->function) != NULL;
}
