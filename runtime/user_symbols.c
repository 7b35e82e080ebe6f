/* Names of user functions: existence, wildcards, C++ and Rust names, and their places in the file. */
#include "runtime/user_symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/instructions.h"
#include "runtime/machine.h"
#include "runtime/user_paths.h"
#include "runtime/user_types.h"

enum { MAX_FUNCTION = 16 << 20 }; /* bytes that are looked through for an offset */

struct kept_image {
	char *path; /* as opened */
	struct elf_image *image;
};

int user_spec_pid(struct kernel *k, const struct probe_spec *spec)
{
	return spec->pid ? spec->pid : machine_of(k)->opt.pid;
}

struct elf_image *user_image(struct kernel *k, const char *path, int pid, const char **why)
{
	struct machine *m = machine_of(k);
	struct kept_image *kept;
	struct elf_image *image;
	const char *full = user_path_for(m->arena, path, pid);
	int err;

	m->images.arena = m->arena;
	kept = table_get(&m->images, str_of(full));
	if (kept)
		return kept->image;
	image = elf_image_open(full, &err, why);
	if (!image) {
		*why = *why ? arena_printf(m->arena, "'%s' cannot be probed: %s", path, *why)
			    : arena_printf(m->arena, "'%s' cannot be read: %s", path, strerror(err));
		return NULL;
	}
	elf_load_symbols(image, full, m->opt.debuginfo);
	kept = NEW(m->arena, struct kept_image);
	kept->image = image;
	table_put(&m->images, str_of(full), kept);
	return image;
}

void user_images_close(struct kernel *k)
{
	struct machine *m = machine_of(k);
	int i;

	for (i = 0; i < m->images.n; i++)
		elf_image_close(((struct kept_image *)m->images.entries[i].value)->image);
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

/* A readable name without its parameters: "ns::f(int)" -> "ns::f".  Parentheses of "operator()" and of template arguments
 * are part of the name. */
static struct str without_parameters(struct str name)
{
	int depth = 0;
	size_t i;

	for (i = 0; i < name.n; i++) {
		if (str_starts(str_sub(name, i, name.n), STR("operator()"))) {
			i += sizeof("operator()") - 2;
			continue;
		}
		if (name.s[i] == '<')
			depth++;
		else if (name.s[i] == '>' && depth)
			depth--;
		else if (name.s[i] == '(' && !depth && i && !str_starts(str_sub(name, i, name.n), STR("(anonymous namespace)")))
			return str_sub(name, 0, i);
	}
	return name;
}

static bool readable_fits(struct str pattern, struct str readable)
{
	if (without_parameters(pattern).n == pattern.n)
		readable = without_parameters(readable);
	return str_is_pattern(pattern) ? str_match(pattern, readable) : str_eq(pattern, readable);
}

/* Names that a wildcard is not meant to catch: those of the linker's and compiler's own making. */
static bool is_internal(const char *name)
{
	return !*name || name[0] == '.' || strchr(name, '@');
}

struct user_walk {
	struct arena *a;
	const struct probe_spec *pattern;
	probe_name_fn fn;
	void *arg;
	int n;
	bool stopped;
};

static void tell(struct user_walk *w, struct str path, struct str name)
{
	struct probe_spec full = *w->pattern;

	full.path = str_copy(w->a, path);
	full.function = str_copy(w->a, name);
	full.is_pattern = false;
	probe_spec_name(w->a, &full);
	w->n++;
	w->stopped = !w->fn(&full, w->arg);
}

static int compare_text(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Every symbol of an image that fits, each name once. */
static void walk_image(struct user_walk *w, struct str path, const struct elf_image *e)
{
	bool cpp = w->pattern->lang.n > 0;
	const char **names = malloc(((size_t)e->nsymbols + 1) * sizeof(*names));
	struct arena *scratch = arena_new();
	int n = 0, i;

	for (i = 0; names && i < e->nsymbols; i++) {
		const char *name = elf_symbol_name(e, &e->symbols[i]);

		if (cpp) {
			name = demangle(scratch, name);
			if (name && readable_fits(w->pattern->function, str_of(name)))
				names[n++] = name;
		} else if (!is_internal(name) && e->symbols[i].rank && str_match(w->pattern->function, str_of(name))) {
			names[n++] = name;
		}
	}
	if (n)
		qsort(names, (size_t)n, sizeof(*names), compare_text);
	for (i = 0; i < n && !w->stopped; i++)
		if (!i || strcmp(names[i], names[i - 1]))
			tell(w, path, str_of(names[i]));
	free(names);
	arena_free(scratch);
}

/* Does one image have what a spec without wildcards asks for? */
static bool is_in(struct kernel *k, struct arena *a, const struct probe_spec *spec)
{
	offset_list offsets = {0};
	const char *why = NULL;

	if (user_offsets(k, a, spec, &offsets, &why) > 0)
		return true;
	machine_of(k)->why = why ? arena_printf(machine_of(k)->arena, "%s", why) : NULL;
	return false;
}

int uprobe_list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	struct machine *m = machine_of(k);
	struct user_walk w = {.a = a, .pattern = pattern, .fn = fn, .arg = arg};
	int pid = user_spec_pid(k, pattern);
	path_list paths = {0};
	const char *why = NULL;

	user_paths(a, pattern->path, pid, PATHS_LIBRARIES, &paths, &why);
	if (!paths.n) {
		machine_refuse(m, "%s", why);
		return -ENOENT;
	}
	VEC_EACH (path, &paths) {
		struct probe_spec one = *pattern;
		struct elf_image *e;

		one.path = *path;
		if (w.stopped)
			break;
		if (str_is_pattern(pattern->function)) {
			e = user_image(k, path->s, pid, &why);
			if (e)
				walk_image(&w, *path, e);
			else if (paths.n == 1)
				machine_refuse(m, "%s", why);
		} else if (is_in(k, a, &one) || m->opt.unsafe) {
			tell(&w, *path, pattern->function);
		}
	}
	return w.n;
}

void uprobe_near(struct kernel *k, const struct probe_spec *spec, struct diag_near *near)
{
	struct arena *scratch = arena_new();
	int pid = user_spec_pid(k, spec), i;
	path_list paths = {0};
	const char *why;

	user_paths(scratch, spec->path, pid, PATHS_LIBRARIES, &paths, &why);
	VEC_EACH (path, &paths) {
		struct elf_image *e = user_image(k, path->s, pid, &why);

		if (e && elf_find_symbol(e, spec->function, NULL))
			continue; /* the name is right, something else is not: its offset */
		for (i = 0; e && i < e->nsymbols; i++)
			diag_near_try(near, str_of(elf_symbol_name(e, &e->symbols[i])));
	}
	arena_free(scratch);
}

/* ---- places -------------------------------------------------------------------------------------------------------- */

static bool add_offset(struct arena *a, const struct elf_image *e, uint64_t address, offset_list *out)
{
	uint64_t offset;

	if (!elf_address_to_offset(e, address, &offset))
		return false;
	VEC_EACH (o, out)
		if (*o == offset)
			return true;
	VEC_PUSH(a, out, offset);
	return true;
}

static void add_cpp(struct arena *a, const struct elf_image *e, const struct probe_spec *spec, offset_list *out)
{
	struct arena *scratch = arena_new();
	int i;

	for (i = 0; i < e->nsymbols; i++) {
		const char *name = demangle(scratch, elf_symbol_name(e, &e->symbols[i]));

		if (name && readable_fits(spec->function, str_of(name)))
			add_offset(a, e, e->symbols[i].address + spec->offset, out);
	}
	arena_free(scratch);
}

static bool is_go(const struct elf_image *e)
{
	return elf_section(e, ".go.buildinfo") || elf_section(e, ".gopclntab") || elf_section(e, ".note.go.buildid");
}

/* Does an instruction begin `offset` bytes behind a function's start?  Counted from there, since x86 has no other way to tell. */
static bool is_boundary(const struct elf_image *e, const struct elf_symbol *s, uint64_t offset)
{
	uint64_t from, at = 0;
	uint8_t *code;
	bool found;

	if (e->machine != EM_X86_64 || offset > MAX_FUNCTION || !elf_address_to_offset(e, s->address, &from))
		return e->machine != EM_X86_64;
	code = malloc(offset + 16);
	if (!code || !elf_read(e, from, code, offset)) {
		free(code);
		return false;
	}
	while (at < offset) {
		/* The last one may reach beyond what was read: it then ends behind `offset` too. */
		size_t n = instruction_length(code + at, offset - at);

		if (!n)
			break;
		at += n;
	}
	found = at == offset;
	free(code);
	return found;
}

static int at_symbol(struct arena *a, const struct elf_image *e, const struct probe_spec *spec, bool unsafe, offset_list *out,
		     const char **why)
{
	const struct elf_symbol *s = elf_find_symbol(e, spec->function, NULL);

	if (!s) {
		*why = e->nsymbols == 0 ? arena_printf(a, "'%.*s' has no symbols, and no separate debug file was found", STR_ARG(spec->path))
		       : e->has_symtab	? arena_printf(a, "'%.*s' has no function '%.*s'", STR_ARG(spec->path), STR_ARG(spec->function))
					: arena_printf(a, "'%.*s' is stripped: only its exported functions are known, and '%.*s' is none",
						       STR_ARG(spec->path), STR_ARG(spec->function));
		return 0;
	}
	if (spec->has_offset && s->size && spec->offset >= s->size) {
		*why = arena_printf(a, "the offset lies outside of the function: '%.*s' has %llu bytes", STR_ARG(spec->function),
				    (unsigned long long)s->size);
		return 0;
	}
	if (spec->offset && !unsafe && !s->size) {
		*why = arena_printf(a, "'%.*s' has no size, so it cannot be seen what lies at an offset; --unsafe tries it", STR_ARG(spec->function));
		return 0;
	}
	if (spec->offset && !unsafe && !is_boundary(e, s, spec->offset)) {
		*why = arena_printf(a, "no instruction begins at '%.*s+%llu': a probe there would damage the program (--unsafe forces it)",
				    STR_ARG(spec->function), (unsigned long long)spec->offset);
		return 0;
	}
	add_offset(a, e, s->address + spec->offset, out);
	return out->n;
}

/* All places of a source line: functions may be compiled more than once, and inlined. */
static int at_line(struct kernel *k, struct arena *a, const struct elf_image *e, const struct probe_spec *spec, offset_list *out,
		   const char **why)
{
	address_list addresses = {0};
	int fd = user_debug_fd(k, spec, why);

	if (fd < 0)
		return 0;
	if (dwarf_places(machine_of(k)->dwarf, a, fd, spec->file, spec->line, spec->column, &addresses, why)) {
		*why = "its debug information does not fit the program";
		VEC_EACH (address, &addresses)
			add_offset(a, e, *address, out);
	} else {
		*why = arena_printf(a, "'%.*s': %s", STR_ARG(spec->path), *why);
	}
	close(fd);
	return out->n;
}

/* An address as linked, which must be where an instruction of a known function begins. */
static int at_address(struct arena *a, const struct elf_image *e, const struct probe_spec *spec, bool unsafe, offset_list *out,
		      const char **why)
{
	const struct elf_symbol *s = elf_symbol_at(e, spec->address);
	unsigned long long address = spec->address;

	if (!unsafe && !s)
		*why = arena_printf(a, "address 0x%llx is in no known function of '%.*s' (--unsafe tries it)", address, STR_ARG(spec->path));
	else if (!unsafe && !is_boundary(e, s, spec->address - s->address))
		*why = arena_printf(a, "no instruction begins at 0x%llx: a probe there would damage the program (--unsafe forces it)", address);
	else if (!add_offset(a, e, spec->address, out))
		*why = arena_printf(a, "address 0x%llx is in no segment of '%.*s'", address, STR_ARG(spec->path));
	return out->n;
}

static int all_offsets(struct kernel *k, struct arena *a, const struct probe_spec *spec, offset_list *out, const char **why)
{
	struct elf_image *e = user_image(k, str_c(a, spec->path), user_spec_pid(k, spec), why);

	if (!e)
		return 0;
	if (spec->kind->id == PROBE_URETPROBE && is_go(e)) {
		*why = "a return probe would crash a Go program: Go moves its stacks, and with them the return address that the kernel "
		       "replaced";
		return 0;
	}
	if (spec->file.n)
		return at_line(k, a, e, spec, out, why);
	if (spec->has_address && !spec->function.n)
		return at_address(a, e, spec, machine_of(k)->opt.unsafe, out, why);
	if (spec->lang.n)
		add_cpp(a, e, spec, out);
	else
		at_symbol(a, e, spec, machine_of(k)->opt.unsafe, out, why);
	if (!out->n && !*why)
		*why = arena_printf(a, "'%.*s' has no function '%.*s'", STR_ARG(spec->path), STR_ARG(spec->function));
	return out->n;
}

int user_offsets(struct kernel *k, struct arena *a, const struct probe_spec *spec, offset_list *out, const char **why)
{
	offset_list all = {0};

	if (!spec->place)
		return all_offsets(k, a, spec, out, why);
	if (all_offsets(k, a, spec, &all, why) >= (int)spec->place) {
		VEC_PUSH(a, out, all.at[spec->place - 1]);
		return 1;
	}
	*why = all.n ? arena_printf(a, "'%.*s' was replaced since the script was compiled", STR_ARG(spec->path)) : *why;
	return 0;
}

int kernel_user_places(struct kernel *k, const struct probe_spec *spec)
{
	struct arena *scratch = arena_new();
	offset_list offsets = {0};
	const char *why = NULL;
	int n = spec->kind->id == PROBE_USDT ? 1 : user_offsets(k, scratch, spec, &offsets, &why);

	arena_free(scratch);
	return n;
}

/* ---- variables ----------------------------------------------------------------------------------------------------- */

static struct elf_image *image_of_variable(struct kernel *k, struct arena *a, const struct probe_spec *spec, struct str name,
					   uint64_t *address, uint64_t *size, const char **why)
{
	struct elf_image *e = user_image(k, str_c(a, spec->path), user_spec_pid(k, spec), why);

	if (!e || (e->is64 && elf_find_data(e, name, address, size)))
		return e;
	*why = e->has_symtab ? arena_printf(a, "'%.*s' has no symbol '%.*s'", STR_ARG(spec->path), STR_ARG(name))
			     : arena_printf(a, "'%.*s' is stripped, or of 32 bits: '%.*s' is not among what it exports", STR_ARG(spec->path),
					    STR_ARG(name));
	return NULL;
}

bool kernel_user_symbol(struct kernel *k, const struct probe_spec *spec, struct str name, uint64_t *size)
{
	struct machine *m = machine_of(k);
	const char *why = NULL;
	uint64_t address;

	if (image_of_variable(k, m->arena, spec, name, &address, size, &why))
		return true;
	machine_refuse(m, "%s", why);
	return false;
}

bool user_variable(struct kernel *k, struct arena *a, const struct probe_spec *spec, struct str name, uint64_t *address, uint64_t *place,
		   const char **why)
{
	uint64_t size;
	struct elf_image *e = image_of_variable(k, a, spec, name, address, &size, why);
	offset_list offsets = {0};

	*place = 0;
	if (!e || e->is_executable_type)
		return e != NULL;
	if (spec->kind->id == PROBE_USDT) { /* each of its places is told in the map of places */
		*place = 1;
		return true;
	}
	if (user_offsets(k, a, spec, &offsets, why) == 1 && elf_offset_to_address(e, offsets.at[0], place))
		return true;
	if (offsets.n > 1)
		*why = arena_printf(a, "%.*s is at %d places, and which one was hit is not told", STR_ARG(spec->text), offsets.n);
	return false;
}
