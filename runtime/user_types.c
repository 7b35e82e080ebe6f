/* Parameters of user functions: typed `args` of uprobes, fields of what a uretprobe returns, -lv. */
#include "runtime/user_types.h"

#include <unistd.h>

#include "runtime/machine.h"
#include "runtime/user_paths.h"
#include "runtime/user_symbols.h"

int user_debug_fd(struct kernel *k, const struct probe_spec *spec, const char **why)
{
	struct machine *m = machine_of(k);
	int pid = user_spec_pid(k, spec), fd;
	char *path = str_c(m->arena, spec->path);
	struct elf_image *e = user_image(k, path, pid, why);

	if (!e)
		return -1;
	if (!m->dwarf)
		m->dwarf = dwarf_open(m->arena);
	fd = elf_debug_fd(e, user_path_for(m->arena, path, pid), m->opt.debuginfo);
	if (fd < 0)
		*why = arena_printf(m->arena, "'%s' has no debug information, and no separate debug file was found", path);
	return fd;
}

/* The types that came with an answer. */
static bool read_types(struct machine *m, const struct probe_spec *spec, struct user_function *out, const char **why)
{
	*why = "its debug information is damaged";
	out->file = btf_parse(m->arena, out->places.btf, out->places.btf_size, spec->path, NULL, why);
	if (!out->file)
		return false;
	out->file->user = true;
	VEC_PUSH(m->arena, &m->user_btf, out->file);
	out->proto = btf_type_at(out->file, 2);
	return btf_kind_of(out->proto) == BTF_KIND_FUNC_PROTO && BTF_INFO_VLEN(out->proto->info) == (uint32_t)out->places.nparams;
}

bool user_function(struct kernel *k, struct arena *a, const struct probe_spec *spec, struct user_function *out, const char **why)
{
	struct dwarf_place at = {.innermost = spec->file.n > 0};
	struct machine *m = machine_of(k);
	offset_list offsets = {0};
	struct elf_image *e;
	bool known;

	*out = (struct user_function){0};
	if (!user_offsets(k, a, spec, &offsets, why))
		return false;
	e = user_image(k, str_c(a, spec->path), user_spec_pid(k, spec), why);
	if (!e || !elf_offset_to_address(e, offsets.at[0], &at.address))
		return false;
	at.fd = user_debug_fd(k, spec, why);
	if (at.fd < 0)
		return false;
	at.image_fd = e->fd;
	known = dwarf_function(m->dwarf, m->arena, &at, &out->places, why);
	close(at.fd);
	if (!known) {
		*why = arena_printf(m->arena, "of '%.*s' no types are known: %s", STR_ARG(spec->function.n ? spec->function : spec->text), *why);
		return false;
	}
	return read_types(m, spec, out, why);
}

const struct type *user_type_by_name(struct kernel *k, struct types *t, const struct probe_spec *spec, enum type_tag tag, struct str name)
{
	static const char letters[] = {[TAG_NONE] = 't', [TAG_STRUCT] = 's', [TAG_UNION] = 'u', [TAG_ENUM] = 'e'};
	struct machine *m = machine_of(k);
	struct str key = str_printf(m->arena, "%c%.*s", letters[tag], STR_ARG(name)), place;
	struct user_function *known;
	const char *why;
	int fd;

	if (!spec->path.n)
		return NULL;
	place = str_printf(m->arena, "%.*s/%.*s", STR_ARG(key), STR_ARG(spec->path));
	known = table_get(&m->user_named, place);
	if (!known) {
		known = NEW(m->arena, struct user_function); /* without a file: there is none */
		table_put(&m->user_named, place, known);
		fd = user_debug_fd(k, spec, &why);
		if (fd >= 0 && (!dwarf_type(m->dwarf, m->arena, fd, key, &known->places, &why) || !read_types(m, spec, known, &why)))
			known->file = NULL;
		if (fd >= 0)
			close(fd);
	}
	return known->file ? machine_type(m, t, known->file, known->proto->type, AS_USER) : NULL;
}

void user_types_close(struct machine *m)
{
	VEC_EACH (f, &m->user_btf)
		btf_close(*f);
	m->user_btf.n = 0;
	dwarf_close(m->dwarf);
}

#if defined(__x86_64__)
enum { PT_REGS_WORDS = 21 };
#elif defined(__aarch64__)
enum { PT_REGS_WORDS = 34 };
#endif

/* A type that a program can hold: no floating point, nothing of unknown size. */
static bool is_usable(const struct type *t)
{
	return t->kind != TYPE_NONE && t->kind != TYPE_ERROR && t->size;
}

/* Does the place have room for all of the type? */
static bool fits(const struct arg_place *p, const struct type *t)
{
	uint32_t most = p->where == ARG_TWO_REGISTERS ? 16 : p->where == ARG_MEMORY || p->where == ARG_REFERENCE ? 1 << 20 : 8;

	if (p->where == ARG_NOWHERE || t->size > most)
		return false;
	return p->where == ARG_CONSTANT || (p->a < PT_REGS_WORDS && (p->where != ARG_TWO_REGISTERS || p->b < PT_REGS_WORDS));
}

/* Why programs cannot read a parameter, in words behind "it". */
static const char *absence(struct arena *a, const struct arg_place *p)
{
	if (p->where == ARG_NOWHERE)
		switch (p->a) {
		case ABSENT_OPTIMISED:
			return "it is optimised out at this place";
		case ABSENT_COMPUTED:
			return "the debug information tells no place of it here, only how to compute it";
		case ABSENT_EARLY:
			return arena_printf(a, "it is where the debug information says from %u bytes behind the function's beginning on, and at the beginning itself", p->b);
		}
	return "it is passed in a floating-point register, or its place is not told";
}

static const struct type *args_struct(struct machine *m, struct types *t, const struct probe_spec *spec, const struct user_function *fn)
{
	const struct btf_param *param = btf_tail(fn->proto);
	struct struct_decl *decl = NEW(t->arena, struct struct_decl);
	int i;

	decl->name = str_printf(t->arena, "args of %.*s", STR_ARG(spec->text));
	decl->origin = ORIGIN_UARGS;
	decl->loaded = true;
	for (i = 0; i < fn->places.nparams; i++) {
		struct field field = {.name = btf_text(fn->file, param[i].name_off), .place = fn->places.params[i]};

		if (!field.name.n)
			field.name = str_printf(t->arena, "arg%d", i);
		field.type = machine_type(m, t, fn->file, param[i].type, AS_USER);
		if (!is_usable(field.type) || !fits(&field.place, field.type)) {
			VEC_PUSH(t->arena, &decl->hidden, ((struct hidden_arg){field.name, absence(t->arena, &field.place)}));
			continue;
		}
		field.offset = (decl->size + 7) & ~7u;
		decl->size = field.offset + field.type->size;
		VEC_PUSH(t->arena, &decl->fields, field);
	}
	decl->size = (decl->size + 7) & ~7u;
	return type_struct(t, decl);
}

bool uprobe_args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why)
{
	struct user_function fn;

	if (!user_function(k, t->arena, spec, &fn, why))
		return false;
	if (spec->kind->id == PROBE_URETPROBE) {
		const struct type *result = machine_type(machine_of(k), t, fn.file, fn.proto->type, AS_USER);

		out->retval = result->kind == TYPE_PTR ? result : NULL;
	} else {
		out->args = args_struct(machine_of(k), t, spec, &fn);
		out->count = fn.places.nparams;
	}
	return true;
}
