/* Kernel functions and raw tracepoints by name: existence, wildcards, typed arguments.
 *
 * Reading tracefs' list of traceable functions takes the kernel some 50 ms, so one plain name is first looked up in BTF;
 * whether it really can be attached to, the kernel says when it is done. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/machine.h"

/* ---- the list of traceable functions ------------------------------------------------------------------------------- */

static int compare_text(const char *a, size_t an, const char *b, size_t bn)
{
	int d = memcmp(a, b, an < bn ? an : bn);

	return d ? d : an < bn ? -1 : an > bn;
}

static int compare_function(const void *left, const void *right)
{
	const struct kernel_function *a = left, *b = right;
	int d = compare_text(a->name, a->length, b->name, b->length);

	return d ? d : compare_text(a->module ? a->module : "", a->module_length, b->module ? b->module : "", b->module_length);
}

/* One line: "vfs_read" or "ext4_file_open [ext4]".  False for what is not a function. */
static bool parse_function(struct kernel_function *f, const char *line, size_t n)
{
	const char *open = memchr(line, ' ', n), *tab = memchr(line, '\t', n);
	size_t length = open ? (size_t)(open - line) : n;

	if (tab && (!open || tab < open)) {
		open = tab;
		length = (size_t)(tab - line);
	}
	/* Left over from functions that were freed after boot. */
	if (!length || length > UINT16_MAX || (length > 26 && !memcmp(line, "__ftrace_invalid_address__", 26)))
		return false;
	*f = (struct kernel_function){.name = line, .length = (uint16_t)length};
	if (open) {
		const char *from = memchr(open, '[', n - length), *to = from ? memchr(from, ']', n - (size_t)(from - line)) : NULL;

		if (to && to - from - 1 > 0 && to - from < 256) {
			f->module = from + 1;
			f->module_length = (uint16_t)(to - from - 1);
		}
	}
	return true;
}

bool machine_functions(struct machine *m)
{
	size_t size, lines = 0;
	char *p, *end;

	if (m->functions_tried)
		return m->functions != NULL;
	m->functions_tried = true;
	if (m->opt.traceable_functions) {
		m->functions_text = machine_read_text(m->opt.traceable_functions, &size, &m->functions_err);
		if (!m->functions_text)
			machine_refuse(m, "'%s' cannot be read: %s", m->opt.traceable_functions, strerror(m->functions_err));
	} else {
		m->functions_text = machine_tracefs_read(m, "available_filter_functions", &size, &m->functions_err);
	}
	if (!m->functions_text)
		return false;
	end = m->functions_text + size;
	for (p = m->functions_text; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		lines++;
	m->functions = malloc((lines + 1) * sizeof(*m->functions));
	for (p = m->functions_text; m->functions && p < end;) {
		char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);

		if (parse_function(&m->functions[m->nfunctions], p, n))
			m->nfunctions++;
		p += n + 1;
	}
	if (m->functions)
		qsort(m->functions, (size_t)m->nfunctions, sizeof(*m->functions), compare_function);
	return m->functions != NULL;
}

void machine_functions_free(struct machine *m)
{
	free(m->functions);
	free(m->functions_text);
}

/* First entry of this name; NULL when there is none. */
static const struct kernel_function *find_function(const struct machine *m, struct str name)
{
	int low = 0, high = m->nfunctions;

	while (low < high) {
		int mid = low + (high - low) / 2;

		if (compare_text(m->functions[mid].name, m->functions[mid].length, name.s, name.n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < m->nfunctions && str_eq((struct str){m->functions[low].name, m->functions[low].length}, name))
		return &m->functions[low];
	return NULL;
}

bool machine_is_traceable(struct machine *m, struct str name)
{
	return machine_functions(m) && find_function(m, name);
}

static struct str module_of(const struct kernel_function *f)
{
	return f->module ? (struct str){f->module, f->module_length} : STR("vmlinux");
}

bool machine_module_loaded(struct str module)
{
	char path[300];

	if (str_is(module, "vmlinux"))
		return true;
	if (!module.n || memchr(module.s, '/', module.n) ||
	    snprintf(path, sizeof(path), "/sys/module/%.*s", STR_ARG(module)) >= (int)sizeof(path))
		return false;
	return !access(path, F_OK);
}

/* ---- kallsyms, for single names ------------------------------------------------------------------------------------ */

/* Lines: "ffffffff81000000 T name" and "ffffffffc0000000 t name\t[module]".  The file is read in pieces: it has some ten
 * megabytes, of which one line is wanted. */
static int find_kallsyms(struct arena *a, struct str module, struct str name, int most, uint64_t **addresses)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	VEC(uint64_t) found = {0};
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while (f && found.n < most && (n = getline(&line, &cap, f)) > 0) {
		struct str rest = {line, (size_t)n}, sym;

		if (rest.n < 20 || rest.s[16] != ' ' || rest.s[18] != ' ')
			continue;
		sym = str_trim(str_sub(rest, 19, rest.n));
		if (sym.n < name.n || memcmp(sym.s, name.s, name.n))
			continue;
		rest = str_sub(sym, name.n, sym.n);
		if (rest.n && rest.s[0] != '\t' && rest.s[0] != ' ')
			continue;
		rest = str_trim(rest);
		if (rest.n > 2)
			rest = str_sub(rest, 1, rest.n - 2); /* [module] */
		if (module.n && !str_eq(rest.n ? rest : STR("vmlinux"), module))
			continue;
		VEC_PUSH(a, &found, strtoull(line, NULL, 16));
	}
	free(line);
	if (f)
		fclose(f);
	*addresses = found.at;
	return found.n;
}

uint64_t machine_kallsyms_address(struct str module, struct str name)
{
	struct arena *a = arena_new();
	uint64_t *addresses, address = 0;

	if (find_kallsyms(a, module, name, 1, &addresses))
		address = addresses[0];
	arena_free(a);
	return address;
}

int machine_kallsyms_all(struct arena *a, struct str module, struct str name, uint64_t **addresses)
{
	return find_kallsyms(a, module, name, 1024, addresses);
}

/* ---- existence and wildcards --------------------------------------------------------------------------------------- */

bool machine_has_function(struct machine *m, struct str module, struct str name)
{
	struct btf_file *f;
	const struct kernel_function *fn;

	if (!m->opt.traceable_functions && machine_btf(m) && machine_func_proto(m, module, name, &f))
		return true;
	if (m->opt.btf && !m->opt.traceable_functions)
		return false;
	if (machine_functions(m)) {
		fn = find_function(m, name);
		for (; fn && fn < m->functions + m->nfunctions && fn->length == name.n && !memcmp(fn->name, name.s, name.n); fn++)
			if (!module.n || str_eq(module_of(fn), module))
				return true;
		if (m->opt.traceable_functions)
			return false;
	}
	/* The list has one name per address; system calls without arguments, among others, have several. */
	return machine_kallsyms_has(m, module, name);
}

/* Pieces of functions that the compiler split off, and names that the kernel makes up. */
static bool is_hidden(struct str name)
{
	return memmem(name.s, name.n, ".part.", 6) != NULL || str_starts(name, STR("__cfi_")) || str_starts(name, STR("__pfx_"));
}

static bool tell(struct arena *a, const struct probe_spec *pattern, struct str module, struct str name, probe_name_fn fn,
		 void *arg)
{
	struct probe_spec full = *pattern;

	full.module = str_copy(a, module);
	full.function = str_copy(a, name);
	full.is_pattern = false;
	probe_spec_name(a, &full);
	return fn(&full, arg);
}

/* Of several names of one address the list has one.  For system calls without arguments that is __do_sys_X, where people write
 * __x64_sys_X: that name is given too. */
static bool other_syscall_name(struct machine *m, struct arena *a, struct str name, struct str *other)
{
	const struct str prefix = STR("__do_sys_");

	if (!str_starts(name, prefix))
		return false;
	*other = str_printf(a, "__x64_sys_%.*s", STR_ARG(str_sub(name, prefix.n, name.n)));
	return !find_function(m, *other);
}

static int btf_functions(struct machine *m, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg);

/* kprobe and kretprobe.  The name keeps a module only where the pattern has one. */
int functions_list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	struct machine *m = machine_of(k);
	struct str last = {0};
	int i, n = 0;

	if (pattern->has_address && !pattern->function.n) {
		fn(pattern, arg);
		return 1;
	}
	if (!str_is_pattern(pattern->function) && !str_is_pattern(pattern->module)) {
		if (pattern->module.n && !machine_module_loaded(pattern->module)) {
			machine_refuse(m, "module '%.*s' is not loaded", STR_ARG(pattern->module));
			return -ENOENT;
		}
		if (!m->opt.unsafe && !machine_has_function(m, pattern->module, pattern->function)) {
			const char *why = machine_why_no_function(m, a, pattern);

			if (why)
				machine_refuse(m, "%s", why);
			return 0;
		}
		fn(pattern, arg);
		return 1;
	}
	if (m->opt.btf && !m->opt.traceable_functions)
		return btf_functions(m, a, pattern, fn, arg);
	if (!machine_functions(m))
		return m->functions_err ? -m->functions_err : -ENOENT;
	for (i = 0; i < m->nfunctions; i++) {
		struct str name = {m->functions[i].name, m->functions[i].length}, other;

		if (other_syscall_name(m, a, name, &other) && !pattern->module.n && str_match(pattern->function, other)) {
			n++;
			if (!tell(a, pattern, STR(""), other, fn, arg))
				break;
		}
		if (!str_match(pattern->function, name) || is_hidden(name))
			continue;
		if (pattern->module.n && !str_match(pattern->module, module_of(&m->functions[i])))
			continue;
		if (str_eq(name, last) && !pattern->module.n)
			continue; /* several static functions of one name are one attach point */
		last = name;
		n++;
		if (!tell(a, pattern, pattern->module.n ? module_of(&m->functions[i]) : STR(""), name, fn, arg))
			break;
	}
	return n;
}

struct btf_walk {
	struct machine *m;
	struct arena *a;
	const struct probe_spec *pattern;
	probe_name_fn fn;
	void *arg;
	int n;
	bool stopped, traceable; /* the list of traceable functions can be asked */
	bool no_module;		 /* names stay without a module, as those of kprobes */
	size_t prefix;
};

static bool walk_func(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg)
{
	struct btf_walk *w = arg;

	(void)id;
	(void)t;
	if (!str_match(w->pattern->function, name) || is_hidden(name))
		return true;
	if (w->traceable && !find_function(w->m, name))
		return true;
	w->n++;
	w->stopped = !tell(w->a, w->pattern, w->no_module ? STR("") : f->name, name, w->fn, w->arg);
	return !w->stopped;
}

static bool walk_event(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg)
{
	struct btf_walk *w = arg;

	(void)id;
	(void)t;
	name = str_sub(name, w->prefix, name.n);
	if (!str_match(w->pattern->function, name))
		return true;
	w->n++;
	w->stopped = !tell(w->a, w->pattern, f->name, name, w->fn, w->arg);
	return !w->stopped;
}

/* Call `walk` on vmlinux and on every module that the pattern's module part fits. */
static int walk_files(struct btf_walk *w, bool events)
{
	struct machine *m = w->m;
	struct str module = w->pattern->module.n ? w->pattern->module : STR("*");
	int i;

	if (!machine_btf(m))
		return -ENOENT;
	machine_list_modules(m);
	for (i = -1; i < m->modules.n && !w->stopped; i++) {
		struct str name = i < 0 ? STR("vmlinux") : m->modules.at[i].name;
		struct btf_file *f = str_match(module, name) ? machine_module_btf(m, name) : NULL;

		if (f && events)
			btf_each_prefix(f, STR("btf_trace_"), BTF_MASK(BTF_KIND_TYPEDEF), walk_event, w);
		else if (f)
			btf_each(f, BTF_MASK(BTF_KIND_FUNC), walk_func, w);
	}
	return w->n;
}

/* Functions of another kernel, whose list of traceable ones is not at hand. */
static int btf_functions(struct machine *m, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	struct btf_walk w = {.m = m, .a = a, .pattern = pattern, .fn = fn, .arg = arg, .no_module = !pattern->module.n};

	return walk_files(&w, false);
}

/* A function that several modules have.  That of vmlinux is meant where there is one: looking further would open the types of all
 * modules. */
static bool is_ambiguous(struct machine *m, struct arena *a, struct str name, const struct btf_file *first)
{
	struct str list = first->name;
	int i, n = 1;

	if (str_is(first->name, "vmlinux"))
		return false;
	for (i = 0; i < m->modules.n; i++) {
		struct btf_file *f = machine_module_btf(m, m->modules.at[i].name);

		if (f && f != first && btf_find(f, name, BTF_MASK(BTF_KIND_FUNC))) {
			list = str_printf(a, "%.*s, %.*s", STR_ARG(list), STR_ARG(f->name));
			n++;
		}
	}
	if (n > 1)
		machine_refuse(m, "several modules have it (%.*s): write the module before the function", STR_ARG(list));
	return n > 1;
}

int fentry_list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	struct machine *m = machine_of(k);
	struct btf_walk w = {.m = m, .a = a, .pattern = pattern, .fn = fn, .arg = arg};
	struct btf_file *f;

	if (!machine_btf(m))
		return -ENOENT;
	if (str_is_pattern(pattern->function) || str_is_pattern(pattern->module)) {
		w.traceable = (!m->opt.btf || m->opt.traceable_functions) && machine_functions(m);
		return walk_files(&w, false);
	}
	if (pattern->module.n && !machine_module_loaded(pattern->module)) {
		machine_refuse(m, "module '%.*s' is not loaded", STR_ARG(pattern->module));
		return -ENOENT;
	}
	if (!machine_func_proto(m, pattern->module, pattern->function, &f)) {
		const char *why = machine_why_no_function(m, a, pattern);

		if (why)
			machine_refuse(m, "%s", why);
		return 0;
	}
	if (!pattern->module.n && is_ambiguous(m, a, pattern->function, f))
		return 0;
	tell(a, pattern, f->name, pattern->function, fn, arg);
	return 1;
}

bool fentry_args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why)
{
	struct machine *m = machine_of(k);
	struct btf_file *f;
	const struct btf_type *proto;

	m->why = NULL;
	proto = machine_func_proto(m, spec->module, spec->function, &f);
	*out = (struct probe_args){0};
	if (!proto) {
		*why = m->why ? m->why : "the kernel's types (BTF) do not have this function";
		return false;
	}
	machine_proto_args(m, t, f, proto, 0, spec->kind->has_retval, spec->text, out);
	return true;
}

/* Words of struct pt_regs that arguments come in. */
#if defined(__x86_64__)
static const uint8_t argument_words[] = {14, 13, 12, 11, 9, 8};
#elif defined(__aarch64__)
static const uint8_t argument_words[] = {0, 1, 2, 3, 4, 5, 6, 7};
#else
#error "the argument registers of this architecture are not described yet"
#endif

/* The same arguments where a kprobe finds them: in registers.  What comes on the stack, and all that follows a struct by value, is
 * not shown. */
bool kprobe_args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why)
{
	struct struct_decl *decl;
	size_t i;

	if (spec->offset || spec->has_address) {
		*why = "arguments are known where a function begins";
		*out = (struct probe_args){0};
		return false;
	}
	if (!fentry_args(k, t, spec, out, why))
		return false;
	decl = (struct struct_decl *)out->args->decl; /* just made by machine_proto_args() */
	decl->origin = ORIGIN_UARGS;
	for (i = 0; i < (size_t)decl->fields.n; i++) {
		struct field *f = &decl->fields.at[i];

		if (i == sizeof(argument_words) || !type_is_register(f->type))
			break;
		f->place = (struct arg_place){.where = ARG_REGISTER, .a = argument_words[i]};
	}
	for (size_t j = i; j < (size_t)decl->fields.n; j++)
		VEC_PUSH(t->arena, &decl->hidden, ((struct hidden_arg){decl->fields.at[j].name, "it is not passed in a register of its own"}));
	decl->fields.n = (int)i;
	decl->size = (uint32_t)i * 8;
	return true;
}

/* ---- raw tracepoints ----------------------------------------------------------------------------------------------- */

/* Without BTF of its module a tracepoint still has a name. */
static bool event_named(struct machine *m, struct str name)
{
	int err;
	const char *events = machine_events(m, &err);
	struct str rest = {events ? events : "", events ? m->events_size : 0};

	while (rest.n) {
		size_t end = str_find(rest, '\n');
		struct str line = str_sub(rest, 0, end);

		if (str_eq(str_sub(line, str_find(line, ':') + 1, line.n), name))
			return true;
		rest = str_sub(rest, end + 1, rest.n);
	}
	return false;
}

int rawtp_list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	struct machine *m = machine_of(k);
	struct btf_walk w = {.m = m, .a = a, .pattern = pattern, .fn = fn, .arg = arg, .prefix = sizeof("btf_trace_") - 1};
	struct btf_file *f;

	if (str_is_pattern(pattern->function) || str_is_pattern(pattern->module))
		return walk_files(&w, true);
	if (pattern->module.n && !machine_module_loaded(pattern->module)) {
		machine_refuse(m, "module '%.*s' is not loaded", STR_ARG(pattern->module));
		return -ENOENT;
	}
	if (machine_raw_proto(m, pattern->module, pattern->function, &f)) {
		tell(a, pattern, f->name, pattern->function, fn, arg);
		return 1;
	}
	if (!event_named(m, pattern->function))
		return 0;
	fn(pattern, arg);
	return 1;
}

bool rawtp_args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why)
{
	struct machine *m = machine_of(k);
	struct btf_file *f;
	const struct btf_type *proto;

	m->why = NULL;
	proto = machine_raw_proto(m, spec->module, spec->function, &f);
	*out = (struct probe_args){0};
	if (!proto) {
		*why = m->why ? m->why : "the kernel's types (BTF) do not have this tracepoint";
		return false;
	}
	machine_proto_args(m, t, f, proto, 1, false, spec->text, out);
	return true;
}

/* ---- suggestions --------------------------------------------------------------------------------------------------- */

static bool try_name(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg)
{
	(void)f;
	(void)id;
	(void)t;
	diag_near_try(arg, name);
	return true;
}

static bool try_event(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg)
{
	return try_name(f, id, t, str_sub(name, sizeof("btf_trace_") - 1, name.n), arg);
}

struct near_function {
	struct machine *m;
	struct diag_near *near;
	bool traceable; /* the list of traceable functions can be asked */
};

static bool try_function(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg)
{
	struct near_function *n = arg;

	(void)f, (void)id, (void)t;
	if (!n->traceable || find_function(n->m, name))
		diag_near_try(n->near, name);
	return true;
}

/* Only what can be probed is worth a suggestion: what has types for fentry and fexit, and in any case what is in the list of traceable
 * functions, where that can be read. */
void functions_near(struct kernel *k, const struct probe_spec *spec, struct diag_near *near)
{
	struct machine *m = machine_of(k);
	bool typed = spec->kind->id == PROBE_FENTRY || spec->kind->id == PROBE_FEXIT;
	struct near_function n = {.m = m, .near = near};
	struct btf_file *f;
	int i;

	n.traceable = (!m->opt.btf || m->opt.traceable_functions) && machine_functions(m);
	f = typed || !n.traceable ? machine_module_btf(m, spec->module) : NULL;
	if (f)
		btf_each(f, BTF_MASK(BTF_KIND_FUNC), try_function, &n);
	for (i = 0; !typed && n.traceable && i < m->nfunctions; i++)
		if (!spec->module.n || str_eq(module_of(&m->functions[i]), spec->module))
			diag_near_try(near, (struct str){m->functions[i].name, m->functions[i].length});
}

void rawtp_near(struct kernel *k, const struct probe_spec *spec, struct diag_near *near)
{
	struct btf_file *f = machine_module_btf(machine_of(k), spec->module);

	if (f)
		btf_each_prefix(f, STR("btf_trace_"), BTF_MASK(BTF_KIND_TYPEDEF), try_event, near);
}
