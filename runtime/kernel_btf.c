/* The kernel's types for the language: BTF of vmlinux and of modules as struct type, struct_decl and enum_decl.
 * Fields of a struct are converted when first looked at.  Reading the blob itself is btf.c's. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "runtime/machine.h"

enum { MAX_NESTING = 24, MAX_MODULES = 4096, STRUCTS = BTF_MASK(BTF_KIND_STRUCT) | BTF_MASK(BTF_KIND_UNION) };

#define OWN_TYPES "/sys/kernel/btf/vmlinux" /* of the kernel that runs */

static const struct type *convert(struct machine *m, struct types *t, struct btf_file *f, uint32_t id, enum addr_space as,
				  int depth);

/* ---- files --------------------------------------------------------------------------------------------------------- */

struct btf_file *machine_btf(struct machine *m)
{
	const char *path = m->opt.btf, *why = NULL;
	int err;

	if (m->btf_tried) {
		if (!m->btf && m->btf_why)
			machine_refuse(m, "%s", m->btf_why);
		return m->btf;
	}
	m->btf_tried = true;
	if (!path)
		path = getenv("WAKETRACE_BTF");
	if (!path || !*path)
		path = getenv("BPFTRACE_BTF");
	if (!path || !*path)
		path = OWN_TYPES;
	m->btf_is_own = !strcmp(path, OWN_TYPES);
	m->btf = btf_open(m->arena, path, STR("vmlinux"), NULL, &err, &why);
	if (!m->btf) {
		if (why)
			machine_refuse(m, "the kernel's types in '%s' cannot be used: %s", path, why);
		else if (err == ENOENT && m->btf_is_own)
			machine_refuse(m, "the kernel's types are not known: there is no '%s' (the kernel is built without "
					  "CONFIG_DEBUG_INFO_BTF, or /sys is not mounted)", path);
		else
			machine_refuse(m, "the kernel's types in '%s' cannot be read: %s", path, strerror(err));
		m->btf_why = m->why;
	}
	return m->btf;
}

void machine_list_modules(struct machine *m)
{
	DIR *dir;
	struct dirent *e;

	if (m->modules_listed)
		return;
	m->modules_listed = true;
	dir = m->opt.btf ? NULL : opendir("/sys/kernel/btf"); /* modules of this kernel do not fit to another one */
	while (dir && (e = readdir(dir)) && m->modules.n < MAX_MODULES) {
		struct module_btf mod = {.name = str_copy(m->arena, str_of(e->d_name))};

		if (e->d_name[0] != '.' && strcmp(e->d_name, "vmlinux"))
			VEC_PUSH(m->arena, &m->modules, mod);
	}
	if (dir)
		closedir(dir);
}

static struct btf_file *open_module(struct machine *m, struct module_btf *mod)
{
	char path[300];
	const char *why;
	int err;

	if (!mod->tried && machine_btf(m)) {
		mod->tried = true;
		if (snprintf(path, sizeof(path), "/sys/kernel/btf/%.*s", STR_ARG(mod->name)) < (int)sizeof(path))
			mod->file = btf_open(m->arena, path, mod->name, m->btf, &err, &why);
	}
	return mod->file;
}

struct btf_file *machine_module_btf(struct machine *m, struct str module)
{
	if (!module.n || str_is(module, "vmlinux"))
		return machine_btf(m);
	machine_list_modules(m);
	VEC_EACH (mod, &m->modules)
		if (str_eq(mod->name, module))
			return open_module(m, mod);
	return NULL;
}

void machine_btf_close(struct machine *m)
{
	VEC_EACH (mod, &m->modules) {
		btf_close(mod->file);
		if (mod->fd > 0)
			close(mod->fd);
	}
	btf_close(m->btf);
}

/* ---- declarations -------------------------------------------------------------------------------------------------- */

/* Declarations belong to one table of types; a second compilation begins anew. */
static void use_types(struct machine *m, const struct types *t)
{
	if (m->decls_of == t)
		return;
	m->decls_of = t;
	m->decls = (struct table){.arena = t->arena};
	m->named = (struct table){.arena = t->arena};
}

struct decl_key {
	const struct btf_file *file;
	uint64_t id;
};

struct load_arg {
	struct machine *m;
	struct btf_file *file;
	uint32_t id;
};

/* The file in which type `id` itself stands: `f` or a base of it. */
static struct btf_file *owner_of(struct btf_file *f, uint32_t id)
{
	while (f->base && id < f->first_id)
		f = (struct btf_file *)(uintptr_t)f->base;
	return f;
}

/* Width of a member in bits when it is a bitfield, else 0.  Two encodings: the struct's flag, or (gcc and pahole of old) an INT
 * whose bits are fewer than its size. */
static uint32_t bitfield_of(const struct btf_file *f, const struct btf_type *parent, const struct btf_member *m, uint32_t *bit)
{
	const struct btf_type *t;

	*bit = m->offset;
	if (BTF_INFO_KFLAG(parent->info)) {
		*bit = BTF_MEMBER_BIT_OFFSET(m->offset);
		return BTF_MEMBER_BITFIELD_SIZE(m->offset);
	}
	t = btf_type_at(f, btf_strip(f, m->type, NULL, NULL));
	if (btf_kind_of(t) == BTF_KIND_INT) {
		uint32_t v = *(const uint32_t *)btf_tail(t);

		if (BTF_INT_BITS(v) < t->size * 8u) {
			*bit += BTF_INT_OFFSET(v);
			return BTF_INT_BITS(v);
		}
	}
	return 0;
}

/* Add the members of struct `id` to `decl`, those of anonymous members among them. */
static void add_members(struct load_arg *l, struct types *types, struct struct_decl *decl, uint32_t id, uint32_t base_bits,
			int depth)
{
	struct btf_file *f = l->file;
	const struct btf_type *t = btf_type_at(f, id);
	const struct btf_member *m = btf_tail(t);
	uint32_t n = BTF_INFO_VLEN(t->info), i;

	for (i = 0; i < n; i++) {
		struct field field = {.name = btf_text(f, m[i].name_off)};
		uint32_t bit, width = bitfield_of(f, t, &m[i], &bit), inner;

		bit += base_bits;
		inner = btf_strip(f, m[i].type, NULL, NULL);
		if (!field.name.n) {
			if (depth < MAX_NESTING && (BTF_MASK(btf_kind_of(btf_type_at(f, inner))) & STRUCTS))
				add_members(l, types, decl, inner, bit, depth + 1);
			continue;
		}
		field.type = convert(l->m, types, f, m[i].type, AS_NONE, 0);
		field.offset = bit / 8;
		if (width) {
			uint32_t unit = field.type->size ? field.type->size * 8 : 8;

			field.bit_offset = bit;
			field.bit_size = width;
			field.offset = bit / unit * (unit / 8);
		}
		VEC_PUSH(types->arena, &decl->fields, field);
	}
}

/* A struct that is only declared here may be defined in a module. */
static bool find_definition(struct load_arg *l, struct struct_decl *decl)
{
	struct machine *m = l->m;
	uint32_t mask = BTF_MASK(decl->is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT), id;

	if (l->file->user)
		return false; /* dwarf_types.c has looked everywhere */
	id = btf_find(m->btf, decl->name, mask);
	if (id) {
		l->file = m->btf;
		l->id = id;
		return true;
	}
	machine_list_modules(m);
	VEC_EACH (mod, &m->modules) {
		struct btf_file *f = open_module(m, mod);

		id = f ? btf_find(f, decl->name, mask) : 0;
		if (!id)
			continue;
		l->file = f;
		l->id = id;
		decl->module = f->name;
		return true;
	}
	return false;
}

static void load_struct(struct struct_decl *decl, struct types *types, void *arg)
{
	struct load_arg *l = arg;
	const struct btf_type *t = btf_type_at(l->file, l->id);

	/* The size stays 0: types are interned with it. */
	if (btf_kind_of(t) == BTF_KIND_FWD) {
		if (!find_definition(l, decl))
			return;
		decl->btf_id = l->id;
	}
	add_members(l, types, decl, l->id, 0, 0);
}

/* `alias`: the typedef through which an anonymous struct was reached. */
static struct struct_decl *struct_of(struct machine *m, struct types *types, struct btf_file *f, uint32_t id, struct str alias)
{
	struct decl_key key = {.file = owner_of(f, id), .id = id};
	struct str key_text = {(const char *)&key, sizeof(key)};
	const struct btf_type *t = btf_type_at(f, id);
	struct struct_decl *decl;
	struct load_arg *l;

	use_types(m, types);
	decl = table_get(&m->decls, key_text);
	if (decl)
		return decl;
	f = owner_of(f, id);
	decl = NEW(types->arena, struct struct_decl);
	l = NEW(types->arena, struct load_arg);
	*l = (struct load_arg){.m = m, .file = f, .id = id};
	decl->name = btf_name(f, t);
	if (!decl->name.n)
		decl->core_name = alias; /* for CO-RE an anonymous struct is known by its typedef */
	decl->is_union = btf_kind_of(t) == BTF_KIND_UNION || (btf_kind_of(t) == BTF_KIND_FWD && BTF_INFO_KFLAG(t->info));
	decl->origin = f->user ? ORIGIN_C : ORIGIN_BTF;
	decl->size = btf_kind_of(t) == BTF_KIND_FWD ? 0 : t->size;
	decl->module = f->user ? STR("") : f->name;
	decl->btf_id = id;
	decl->load = load_struct;
	decl->load_arg = l;
	table_put(&m->decls, key_text, decl);
	return decl;
}

static const struct enum_decl *enum_of(struct machine *m, struct types *types, struct btf_file *f, uint32_t id)
{
	struct decl_key key = {.file = owner_of(f, id), .id = id};
	struct str key_text = {(const char *)&key, sizeof(key)};
	const struct btf_type *t = btf_type_at(f, id);
	uint32_t n = BTF_INFO_VLEN(t->info), i, off;
	struct enum_decl *decl;

	use_types(m, types);
	decl = table_get(&m->decls, key_text);
	if (decl)
		return decl;
	f = owner_of(f, id);
	decl = NEW(types->arena, struct enum_decl);
	decl->name = btf_name(f, t);
	decl->is_signed = btf_enum_is_signed(f, t);
	for (i = 0; i < n; i++) {
		struct enum_value v = {.value = btf_enum_value(t, i, decl->is_signed, &off)};

		v.name = btf_text(f, off);
		VEC_PUSH(types->arena, &decl->values, v);
	}
	table_put(&m->decls, key_text, decl);
	return decl;
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static const struct type *convert_int(struct types *types, const struct btf_type *t)
{
	uint32_t v = *(const uint32_t *)btf_tail(t);

	if (BTF_INT_ENCODING(v) & BTF_INT_BOOL && t->size == 1)
		return types->boolean;
	switch (t->size) {
	case 1:
	case 2:
	case 4:
	case 8:
		return type_int(types, t->size, BTF_INT_ENCODING(v) & BTF_INT_SIGNED);
	case 16: /* __int128 */
		return type_array(types, types->u64, 2);
	}
	return types->none;
}

static bool is_char(const struct btf_file *f, uint32_t id)
{
	const struct btf_type *t = btf_type_at(f, btf_strip(f, id, NULL, NULL));

	return btf_kind_of(t) == BTF_KIND_INT && t->size == 1 && str_is(btf_name(f, t), "char");
}

static const struct type *convert_array(struct machine *m, struct types *types, struct btf_file *f, const struct btf_type *t,
					int depth)
{
	const struct btf_array *arr = btf_tail(t);
	const struct type *elem;

	/* A char array is text.  One without a length is what follows a struct: its address matters, not its bytes. */
	if (arr->nelems && is_char(f, arr->type))
		return type_string(types, arr->nelems);
	elem = convert(m, types, f, arr->type, AS_NONE, depth + 1);
	if ((uint64_t)elem->size * arr->nelems > INT32_MAX)
		return types->none;
	return type_array(types, elem, arr->nelems);
}

static const struct type *convert(struct machine *m, struct types *types, struct btf_file *f, uint32_t id, enum addr_space as,
				  int depth)
{
	struct str alias = {0};
	bool user = false;
	const struct btf_type *t;

	if (depth > MAX_NESTING)
		return types->none;
	id = btf_strip(f, id, &alias, NULL);
	t = btf_type_at(f, id);
	switch (btf_kind_of(t)) {
	case BTF_KIND_INT:
		return convert_int(types, t);
	case BTF_KIND_PTR: {
		const struct type *to;

		btf_strip(f, t->type, NULL, &user);
		to = convert(m, types, f, t->type, AS_NONE, depth + 1);
		return type_ptr(types, to, user ? AS_USER : as);
	}
	case BTF_KIND_ARRAY:
		return convert_array(m, types, f, t, depth);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_FWD:
		return type_struct(types, struct_of(m, types, f, id, alias));
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		if (t->size != 1 && t->size != 2 && t->size != 4 && t->size != 8)
			return types->none;
		if (!BTF_INFO_VLEN(t->info))
			return type_int(types, t->size, false); /* only declared */
		return type_enum(types, enum_of(m, types, f, id), t->size);
	}
	return types->none; /* void, functions, floating point */
}

const struct type *machine_type(struct machine *m, struct types *t, struct btf_file *f, uint32_t id, enum addr_space as)
{
	return convert(m, t, f, id, as, 0);
}

static uint32_t mask_of(enum type_tag tag)
{
	switch (tag) {
	case TAG_STRUCT:
		return BTF_MASK(BTF_KIND_STRUCT);
	case TAG_UNION:
		return BTF_MASK(BTF_KIND_UNION);
	case TAG_ENUM:
		return BTF_MASK_ENUM;
	case TAG_NONE:
		return BTF_MASK(BTF_KIND_TYPEDEF) | BTF_MASK(BTF_KIND_INT);
	}
	return 0;
}

/* vmlinux first, then the modules: a type that no built-in code has is rare enough to open them all. */
static uint32_t find_type(struct machine *m, struct str name, uint32_t mask, struct btf_file **file)
{
	uint32_t id;

	*file = machine_btf(m);
	if (!*file)
		return 0;
	id = btf_find(*file, name, mask);
	if (id)
		return id;
	machine_list_modules(m);
	VEC_EACH (mod, &m->modules) {
		*file = open_module(m, mod);
		id = *file ? btf_find(*file, name, mask) : 0;
		if (id)
			return id;
	}
	return 0;
}

const struct type *kernel_type_by_name(struct kernel *k, struct types *t, enum type_tag tag, struct str name)
{
	static const struct type unknown;
	struct machine *m = machine_of(k);
	struct str key = str_printf(t->arena, "%d%.*s", (int)tag, STR_ARG(name));
	const struct type *found;
	struct btf_file *f;
	uint32_t id;

	use_types(m, t);
	m->why = NULL;
	if (!machine_btf(m)) /* modules describe theirs in terms of the kernel's */
		return NULL;
	found = table_get(&m->named, key);
	if (found)
		return found == &unknown ? NULL : found;
	id = find_type(m, name, mask_of(tag), &f);
	found = id ? convert(m, t, f, id, AS_NONE, 0) : NULL;
	table_put(&m->named, key, (void *)(uintptr_t)(found ? found : &unknown));
	return found;
}

const struct type *kernel_enum_constant(struct kernel *k, struct types *t, struct str name, uint64_t *value)
{
	struct machine *m = machine_of(k);
	struct btf_file *f = machine_btf(m);
	uint32_t id = f ? btf_find_enumerator(f, name, value) : 0;

	if (f && !id) {
		machine_list_modules(m);
		VEC_EACH (mod, &m->modules) {
			f = open_module(m, mod);
			id = f ? btf_find_enumerator(f, name, value) : 0;
			if (id)
				break;
		}
	}
	return id ? convert(m, t, f, id, AS_NONE, 0) : NULL;
}

static bool try_type(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg)
{
	(void)f;
	(void)id;
	(void)t;
	diag_near_try(arg, name);
	return true;
}

void kernel_near_types(struct kernel *k, struct diag_near *near)
{
	struct btf_file *f = machine_btf(machine_of(k));

	if (f)
		btf_each(f, STRUCTS | BTF_MASK_ENUM, try_type, near);
}

/* ---- functions ----------------------------------------------------------------------------------------------------- */

static const struct btf_type *proto_in(struct btf_file *f, struct str name)
{
	uint32_t id = f ? btf_find(f, name, BTF_MASK(BTF_KIND_FUNC)) : 0;
	const struct btf_type *proto = id ? btf_type_at(f, btf_type_at(f, id)->type) : NULL;

	return proto && btf_kind_of(proto) == BTF_KIND_FUNC_PROTO ? proto : NULL;
}

const struct btf_type *machine_func_proto(struct machine *m, struct str module, struct str name, struct btf_file **file)
{
	const struct btf_type *proto;

	*file = machine_module_btf(m, module);
	proto = proto_in(*file, name);
	if (proto || module.n || !machine_btf(m))
		return proto;
	machine_list_modules(m);
	VEC_EACH (mod, &m->modules) {
		*file = open_module(m, mod);
		proto = proto_in(*file, name);
		if (proto)
			return proto;
	}
	return NULL;
}

/* Objects of types that the kernel holds are found by going through all of them. */
static int open_kernel_object(struct str module)
{
	uint32_t id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		char name[64] = "";
		struct bpf_btf_info info = {.name = (uint64_t)(uintptr_t)name, .name_len = sizeof(name)};
		uint32_t size = sizeof(info);
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0)
			continue; /* gone meanwhile */
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.kernel_btf && str_is(module, name))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

bool machine_func_target(struct machine *m, struct str module, struct str name, uint32_t *id, int *fd)
{
	struct btf_file *f;

	if (!m->btf_is_own || !machine_func_proto(m, module, name, &f))
		return false;
	*id = btf_find(f, name, BTF_MASK(BTF_KIND_FUNC));
	*fd = 0;
	VEC_EACH (mod, &m->modules) {
		if (mod->file != f)
			continue;
		if (!mod->fd)
			mod->fd = open_kernel_object(mod->name);
		*fd = mod->fd;
	}
	return *fd >= 0;
}

/* `typedef void (*btf_trace_EVENT)(void *__data, ...)` exists for every tracepoint but its parameters have no names;
 * __traceiter_EVENT (5.10 on) and __bpf_trace_EVENT (named after the class) have them. */
const struct btf_type *machine_raw_proto(struct machine *m, struct str module, struct str event, struct btf_file **file)
{
	static const char *const forms[] = {"__traceiter_", "__bpf_trace_", "__probestub_"};
	const struct btf_type *proto;
	struct str name = str_printf(m->arena, "btf_trace_%.*s", STR_ARG(event));
	uint32_t id;
	size_t i;

	*file = machine_module_btf(m, module);
	id = *file ? btf_find(*file, name, BTF_MASK(BTF_KIND_TYPEDEF)) : 0;
	if (!id && !module.n && m->btf) {
		machine_list_modules(m);
		VEC_EACH (mod, &m->modules) {
			*file = open_module(m, mod);
			id = *file ? btf_find(*file, name, BTF_MASK(BTF_KIND_TYPEDEF)) : 0;
			if (id)
				break;
		}
	}
	if (!id)
		return NULL;
	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		proto = proto_in(*file, str_printf(m->arena, "%s%.*s", forms[i], STR_ARG(event)));
		if (proto)
			return proto;
	}
	id = btf_strip(*file, id, NULL, NULL);
	proto = btf_type_at(*file, id);
	if (btf_kind_of(proto) == BTF_KIND_PTR)
		proto = btf_type_at(*file, proto->type);
	return btf_kind_of(proto) == BTF_KIND_FUNC_PROTO ? proto : NULL;
}

/* Context words that an argument takes: structs by value of up to 16 bytes take two. */
static uint32_t words_of(const struct type *type)
{
	return type->size > 8 ? (type->size + 7) / 8 : 1;
}

void machine_proto_args(struct machine *m, struct types *t, struct btf_file *f, const struct btf_type *proto, int skip,
			bool with_result, struct str name, struct probe_args *out)
{
	const struct btf_param *param = btf_tail(proto);
	uint32_t n = BTF_INFO_VLEN(proto->info), i, word = 0;
	struct struct_decl *decl = NEW(t->arena, struct struct_decl);

	decl->name = str_printf(t->arena, "args of %.*s", STR_ARG(name));
	decl->origin = ORIGIN_ARGS;
	decl->module = f->name;
	decl->loaded = true;
	for (i = (uint32_t)skip; i < n; i++) {
		struct field field = {.name = btf_text(f, param[i].name_off), .offset = word * 8};

		if (!param[i].type && i == n - 1)
			break; /* ... */
		if (!field.name.n)
			field.name = str_printf(t->arena, "arg%u", i - (uint32_t)skip);
		field.type = convert(m, t, f, param[i].type, AS_KERNEL, 0);
		word += words_of(field.type);
		VEC_PUSH(t->arena, &decl->fields, field);
	}
	out->count = (int)word;
	out->retval = with_result && proto->type ? convert(m, t, f, proto->type, AS_KERNEL, 0) : NULL;
	if (out->retval && out->retval->kind == TYPE_NONE)
		out->retval = NULL;
	if (out->retval && type_is_register(out->retval)) {
		/* The word behind the arguments; print(args) shows it, no script can name it. */
		struct field result = {.name = STR("$retval"), .type = out->retval, .offset = word++ * 8};

		VEC_PUSH(t->arena, &decl->fields, result);
	}
	decl->size = word * 8;
	out->args = type_struct(t, decl);
}
