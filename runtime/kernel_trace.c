/* Tracepoints: where tracefs is, which events there are, and the type of a record's fields.
 *
 * A record's layout is in tracefs' format files, and for most events also in BTF as struct trace_event_raw_CLASS, through
 * which an artefact can be moved to another kernel (CO-RE).  The format file does not name the class, so it is found by
 * comparing fields. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "runtime/machine.h"

#define TRACEFS_MAGIC_NUMBER 0x74726163

/* ---- tracefs ------------------------------------------------------------------------------------------------------- */

const char *machine_tracefs(struct machine *m)
{
	static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
	struct statfs fs;
	size_t i;

	if (!m->tracefs_tried) {
		m->tracefs_tried = true;
		for (i = 0; i < sizeof(places) / sizeof(*places) && !m->tracefs; i++)
			if (!statfs(places[i], &fs) && fs.f_type == TRACEFS_MAGIC_NUMBER)
				m->tracefs = places[i];
	}
	if (!m->tracefs)
		machine_refuse(m, "tracefs is not mounted; it holds the lists of tracepoints and functions "
				  "(mount -t tracefs tracefs /sys/kernel/tracing)");
	return m->tracefs;
}

char *machine_read_text(const char *path, size_t *size, int *err)
{
	size_t cap = 1 << 16, n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *buf = NULL, *more;

	*err = 0;
	if (fd < 0) {
		*err = errno;
		return NULL;
	}
	for (;;) {
		ssize_t got;

		if (!buf || cap - n < 4096) {
			more = realloc(buf, buf ? cap *= 2 : cap);
			if (!more || cap > (size_t)1 << 30) {
				*err = ENOMEM;
				break;
			}
			buf = more;
		}
		got = read(fd, buf + n, cap - n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			*err = errno;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	close(fd);
	if (*err) {
		free(buf);
		return NULL;
	}
	buf[n] = '\0';
	if (size)
		*size = n;
	return buf;
}

char *machine_tracefs_read(struct machine *m, const char *name, size_t *size, int *err)
{
	char path[512], *text;

	if (!machine_tracefs(m)) {
		*err = ENOENT;
		return NULL;
	}
	if (snprintf(path, sizeof(path), "%s/%s", m->tracefs, name) >= (int)sizeof(path)) {
		*err = ENAMETOOLONG;
		return NULL;
	}
	text = machine_read_text(path, size, err);
	if (!text)
		machine_refuse(m, "'%s' cannot be read: %s", path, strerror(*err));
	return text;
}

const char *machine_events(struct machine *m, int *err)
{
	*err = 0;
	if (!m->events)
		m->events = machine_tracefs_read(m, "available_events", &m->events_size, err);
	return m->events;
}

/* A part of an attach point that may stand for a directory of tracefs. */
static bool is_plain_name(struct str name)
{
	return name.n > 0 && name.n < 200 && name.s[0] != '.' && !memchr(name.s, '/', name.n) && !memchr(name.s, '\0', name.n);
}

struct trace_format *machine_trace_format(struct machine *m, struct arena *a, struct str category, struct str event, int *err)
{
	char name[512], *text;
	struct trace_format *format;
	size_t size;

	*err = ENOENT;
	if (!is_plain_name(category) || !is_plain_name(event))
		return NULL;
	snprintf(name, sizeof(name), "events/%.*s/%.*s/format", STR_ARG(category), STR_ARG(event));
	text = machine_tracefs_read(m, name, &size, err);
	if (!text)
		return NULL;
	format = trace_format_parse(a, str_copy(a, (struct str){text, size}));
	free(text);
	*err = format ? 0 : EINVAL;
	return format;
}

/* ---- listing ------------------------------------------------------------------------------------------------------- */

static bool tell(struct arena *a, const struct probe_spec *pattern, struct str category, struct str event, probe_name_fn fn,
		 void *arg)
{
	struct probe_spec full = *pattern;

	full.module = str_copy(a, category);
	full.function = str_copy(a, event);
	full.is_pattern = false;
	probe_spec_name(a, &full);
	return fn(&full, arg);
}

static bool event_exists(struct machine *m, struct str category, struct str event)
{
	char path[512];

	if (!is_plain_name(category) || !is_plain_name(event))
		return false;
	snprintf(path, sizeof(path), "%s/events/%.*s/%.*s/id", m->tracefs, STR_ARG(category), STR_ARG(event));
	return !access(path, F_OK);
}

static bool events_readable(const struct machine *m)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/events", m->tracefs);
	return !access(path, R_OK | X_OK) || errno != EACCES;
}

/* The two-part form with a wildcard, `t:*foo*`, leaves the category open. */
int trace_list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	struct machine *m = machine_of(k);
	struct str category = pattern->module.n ? pattern->module : STR("*"), rest;
	int err, n = 0;

	if (!machine_tracefs(m))
		return -ENOENT;
	if (!str_is_pattern(category) && !str_is_pattern(pattern->function)) {
		if (!event_exists(m, category, pattern->function))
			return events_readable(m) ? 0 : -EACCES;
		tell(a, pattern, category, pattern->function, fn, arg);
		return 1;
	}
	if (!machine_events(m, &err))
		return -err;
	rest = (struct str){m->events, m->events_size};
	while (rest.n) {
		size_t end = str_find(rest, '\n');
		struct str line = str_sub(rest, 0, end), cat, event;
		size_t colon = str_find(line, ':');

		rest = str_sub(rest, end + 1, rest.n);
		cat = str_sub(line, 0, colon);
		event = str_sub(line, colon + 1, line.n);
		if (colon == line.n || !str_match(category, cat) || !str_match(pattern->function, event))
			continue;
		n++;
		if (!tell(a, pattern, cat, event, fn, arg))
			break;
	}
	return n;
}

/* "category:event" is compared as a whole; an event of that very name in another category is the best answer of all. */
void trace_near(struct kernel *k, const struct probe_spec *spec, struct diag_near *near)
{
	struct machine *m = machine_of(k);
	bool whole = memchr(near->wanted.s, ':', near->wanted.n);
	struct str rest;
	int err;

	(void)spec;
	if (!machine_events(m, &err))
		return;
	rest = (struct str){m->events, m->events_size};
	while (rest.n) {
		size_t end = str_find(rest, '\n');
		struct str line = str_sub(rest, 0, end);
		size_t colon = str_find(line, ':');

		rest = str_sub(rest, end + 1, rest.n);
		diag_near_try(near, whole ? line : str_sub(line, colon + 1, line.n));
	}
}

/* Words that say nothing of what a function is about. */
static bool is_filler(struct str word)
{
	static const char *const fillers[] = {"",   "do",   "sys",   "x64", "ia32", "ksys", "vfs", "enter",
					      "se", "exit", "common", "raw", "impl", "to",   "of"};
	size_t i;

	for (i = 0; i < sizeof(fillers) / sizeof(*fillers); i++)
		if (str_is(word, fillers[i]))
			return true;
	return false;
}

static struct str next_word(struct str *rest)
{
	size_t n = str_find(*rest, '_');
	struct str word = str_sub(*rest, 0, n);

	*rest = str_sub(*rest, n + 1, rest->n);
	return word;
}

static bool has_word(struct str name, struct str word)
{
	while (name.n)
		if (str_eq(next_word(&name), word))
			return true;
	return false;
}

/* Letters of words that both have, less those of words that only one has. */
static int likeness(struct str function, struct str event)
{
	struct str rest = function, word;
	int score = 0;

	while (rest.n) {
		word = next_word(&rest);
		if (!is_filler(word))
			score += has_word(event, word) ? 4 * (int)word.n : -(int)word.n;
	}
	for (rest = event; rest.n;) {
		word = next_word(&rest);
		if (!is_filler(word) && !has_word(function, word))
			score -= (int)word.n;
	}
	return score;
}

const char *machine_nearest_tracepoint(struct machine *m, struct arena *a, struct str function)
{
	struct str rest, best = {0};
	int err, best_score = 0;

	if (!machine_events(m, &err))
		return NULL;
	rest = (struct str){m->events, m->events_size};
	while (rest.n) {
		size_t end = str_find(rest, '\n');
		struct str line = str_sub(rest, 0, end);
		int score = likeness(function, str_sub(line, str_find(line, ':') + 1, line.n));

		rest = str_sub(rest, end + 1, rest.n);
		if (str_starts(line, STR("syscalls:sys_exit")))
			score--; /* entries first */
		if (score > best_score) {
			best_score = score;
			best = line;
		}
	}
	return best.n ? arena_printf(a, "tracepoint:%.*s", STR_ARG(best)) : NULL;
}

/* ---- the record's type in BTF -------------------------------------------------------------------------------------- */

struct class_search {
	struct machine *m;
	struct trace_format *format;
	struct str event;
	uint32_t best;
	size_t best_common; /* letters that its name shares with the event's */
	bool best_exact;
};

static size_t common_prefix(struct str a, struct str b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.s[n] == b.s[n])
		n++;
	return n;
}

/* Member of a raw struct for a field of the format: the same name, or __data_loc_NAME. */
static const struct btf_member *raw_member(const struct btf_file *f, const struct btf_type *t, const struct trace_field *field)
{
	const struct btf_member *m = btf_tail(t);
	uint32_t i;

	for (i = 0; i < BTF_INFO_VLEN(t->info); i++) {
		struct str name = btf_text(f, m[i].name_off);

		if (field->data_loc || field->rel_loc) {
			struct str prefix = field->data_loc ? STR("__data_loc_") : STR("__rel_loc_");

			if (!str_starts(name, prefix))
				continue;
			name = str_sub(name, prefix.n, name.n);
		}
		if (str_eq(name, field->name))
			return &m[i];
	}
	return NULL;
}

/* Does the struct have exactly these fields at these places?  Beside them it has `ent` and `__data`. */
static bool same_layout(const struct btf_file *f, const struct btf_type *t, const struct trace_format *format)
{
	uint32_t n = 0;

	VEC_EACH (field, &format->fields) {
		const struct btf_member *m;
		uint32_t bit;

		if (field->common)
			continue;
		m = raw_member(f, t, field);
		if (!m)
			return false;
		bit = BTF_INFO_KFLAG(t->info) ? BTF_MEMBER_BIT_OFFSET(m->offset) : m->offset;
		if (bit != field->offset * 8 || btf_size(f, m->type) != field->size)
			return false;
		n++;
	}
	return BTF_INFO_VLEN(t->info) - n <= 2;
}

static bool try_class(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg)
{
	struct class_search *s = arg;
	struct str class = str_sub(name, sizeof("trace_event_raw_") - 1, name.n);
	size_t common = common_prefix(class, s->event);

	if (!same_layout(f, t, s->format))
		return true;
	if (str_eq(class, s->event)) {
		s->best = id;
		s->best_exact = true;
		return false;
	}
	if (!s->best || common > s->best_common) {
		s->best = id;
		s->best_common = common;
	}
	return true;
}

/* The raw struct whose layout is that of `format`.  When several classes have it, the one whose name is most like the event's
 * is taken: sched_wakeup is of class sched_wakeup_template.  No letter in common is no evidence. */
static uint32_t find_class(struct machine *m, struct trace_format *format, struct str event, struct btf_file **file)
{
	struct class_search s = {.m = m, .format = format, .event = event};
	struct str own = str_printf(m->arena, "trace_event_raw_%.*s", STR_ARG(event));
	uint32_t id;
	int i;

	*file = machine_btf(m);
	if (!*file)
		return 0;
	id = btf_find(*file, own, BTF_MASK(BTF_KIND_STRUCT));
	if (id && same_layout(*file, btf_type_at(*file, id), format))
		return id;
	btf_each_prefix(*file, STR("trace_event_raw_"), BTF_MASK(BTF_KIND_STRUCT), try_class, &s);
	if (s.best && s.best_common >= 3)
		return s.best;
	machine_list_modules(m);
	for (i = 0; i < m->modules.n; i++) {
		s.best = 0;
		s.best_common = 0;
		*file = machine_module_btf(m, m->modules.at[i].name);
		if (!*file)
			continue;
		btf_each_prefix(*file, STR("trace_event_raw_"), BTF_MASK(BTF_KIND_STRUCT), try_class, &s);
		if (s.best && s.best_common >= 3)
			return s.best;
	}
	return 0;
}

/* ---- types of fields ----------------------------------------------------------------------------------------------- */

/* Names that need no BTF.  Sizes of the C type, not of the slot: an int argument of a system call has an 8-byte slot whose
 * upper half is whatever the register held. */
static const struct {
	const char *name;
	uint8_t size;
	bool is_signed;
} base_types[] = {
	{"char", 1, true}, {"signed char", 1, true}, {"unsigned char", 1, false}, {"u8", 1, false}, {"__u8", 1, false},
	{"s8", 1, true}, {"short", 2, true}, {"unsigned short", 2, false}, {"u16", 2, false}, {"__u16", 2, false},
	{"__be16", 2, false}, {"int", 4, true}, {"unsigned", 4, false}, {"unsigned int", 4, false}, {"u32", 4, false},
	{"__u32", 4, false}, {"__be32", 4, false}, {"s32", 4, true}, {"__s32", 4, true}, {"long", 8, true},
	{"unsigned long", 8, false}, {"long long", 8, true}, {"unsigned long long", 8, false}, {"u64", 8, false},
	{"__u64", 8, false}, {"s64", 8, true}, {"__s64", 8, true}, {"size_t", 8, false}, {"ssize_t", 8, true},
	{"pid_t", 4, true}, {"uid_t", 4, false}, {"gid_t", 4, false}, {"umode_t", 2, false}, {"mode_t", 4, false},
	{"loff_t", 8, true}, {"off_t", 8, true}, {"dev_t", 4, false}, {"sector_t", 8, false}, {"ino_t", 8, false},
	{"gfp_t", 4, false}, {"qid_t", 4, false}, {"key_t", 4, true}, {"clockid_t", 4, true}, {"timer_t", 4, true},
	{"aio_context_t", 8, false}, {"key_serial_t", 4, true}, {"mqd_t", 4, true}, {"rwf_t", 4, true},
};

static struct str without_const(struct str type)
{
	type = str_trim(type);
	while (str_starts(type, STR("const ")) || str_starts(type, STR("volatile ")))
		type = str_trim(str_sub(type, type.s[0] == 'c' ? 6 : 9, type.n));
	return type;
}

/* A named type through BTF: "struct page", "enum zone_type", "fl_owner_t". */
static const struct type *named_type(struct machine *m, struct types *t, struct str name)
{
	enum type_tag tag = str_starts(name, STR("struct "))  ? TAG_STRUCT
			    : str_starts(name, STR("union ")) ? TAG_UNION
			    : str_starts(name, STR("enum "))  ? TAG_ENUM
							      : TAG_NONE;

	if (tag != TAG_NONE)
		name = str_trim(str_sub(name, str_find(name, ' '), name.n));
	return kernel_type_by_name(&m->k, t, tag, name);
}

static const struct type *int_of_size(struct types *t, uint32_t size, bool is_signed)
{
	return size == 1 || size == 2 || size == 4 || size == 8 ? type_int(t, size, is_signed)
								: type_array(t, t->u8, size);
}

/* Type of one value of `name` in a slot of `size` bytes. */
static const struct type *scalar_type(struct machine *m, struct types *t, struct str name, uint32_t size, bool is_signed,
				      bool syscall)
{
	const struct type *named;
	size_t i;

	name = without_const(name);
	if (str_is(name, "bool") || str_is(name, "_Bool"))
		return size == 1 ? t->boolean : int_of_size(t, size, is_signed);
	for (i = 0; i < sizeof(base_types) / sizeof(*base_types); i++)
		if (str_is(name, base_types[i].name)) {
			if (syscall && base_types[i].size <= size)
				return type_int(t, base_types[i].size, base_types[i].is_signed);
			return int_of_size(t, size, is_signed);
		}
	named = named_type(m, t, name);
	if (named && (named->size == size || (syscall && named->size && named->size <= size)))
		return named;
	return int_of_size(t, size, is_signed);
}

static const struct type *pointer_type(struct machine *m, struct types *t, struct str name, enum addr_space as)
{
	const struct type *to = t->none;
	size_t i;

	name = without_const(str_trim(str_sub(name, 0, name.n - 1)));
	if (str_ends(name, STR("const")))
		name = str_trim(str_sub(name, 0, name.n - 5));
	if (str_ends(name, STR("*")))
		to = pointer_type(m, t, name, as);
	else if (str_starts(name, STR("struct ")) || str_starts(name, STR("union ")) || str_starts(name, STR("enum ")))
		to = named_type(m, t, name);
	for (i = 0; i < sizeof(base_types) / sizeof(*base_types) && to == t->none; i++)
		if (str_is(name, base_types[i].name))
			to = type_int(t, base_types[i].size, base_types[i].is_signed);
	return type_ptr(t, to ? to : t->none, as);
}

static const struct type *array_type(struct machine *m, struct types *t, const struct trace_field *f)
{
	struct str base = without_const(f->type);
	const struct type *elem;
	uint32_t count = 0;
	size_t i;

	if (str_is(base, "char"))
		return f->size ? type_string(t, f->size) : type_array(t, t->s8, 0);
	for (i = 0; i < f->length.n && f->length.s[i] >= '0' && f->length.s[i] <= '9' && count < 65536; i++)
		count = count * 10 + (uint32_t)(f->length.s[i] - '0');
	if (count && f->size % count == 0) {
		elem = f->is_pointer ? t->voidptr : scalar_type(m, t, base, f->size / count, f->is_signed, false);
		return type_array(t, elem, count);
	}
	elem = scalar_type(m, t, base, 1, f->is_signed, false);
	return type_array(t, elem, f->size);
}

static const struct type *field_type(struct machine *m, struct types *t, const struct trace_field *f, bool syscall)
{
	enum addr_space as = syscall ? AS_USER : AS_KERNEL;

	if (f->data_loc)
		return type_int_as(t, t->s64, AS_KERNEL);
	if (f->rel_loc)
		return t->u32;
	if (f->is_array)
		return array_type(m, t, f);
	if (f->is_pointer && f->size == 8)
		return pointer_type(m, t, f->type, as);
	return scalar_type(m, t, f->type, f->size, f->is_signed, syscall);
}

/* Pointers of a record are the kernel's own. */
static const struct type *as_kernel(struct types *t, const struct type *type)
{
	return type->kind == TYPE_PTR && type->as == AS_NONE ? type_ptr(t, type->elem, AS_KERNEL) : type;
}

bool trace_args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why)
{
	struct machine *m = machine_of(k);
	bool syscall = str_is(spec->module, "syscalls");
	struct trace_format *format;
	struct struct_decl *decl;
	struct btf_file *f = NULL;
	uint32_t id;
	int err;

	format = machine_trace_format(m, t->arena, spec->module, spec->function, &err);
	if (!format) {
		*why = err == EINVAL ? "its format file cannot be understood" : m->why;
		return false;
	}
	decl = NEW(t->arena, struct struct_decl);
	decl->name = str_printf(t->arena, "args of %.*s", STR_ARG(spec->text));
	decl->origin = ORIGIN_TRACEPOINT;
	decl->loaded = true;
	/* The layout of the system calls' records is fixed by the kernel's interface, so that they need no BTF. */
	id = syscall ? 0 : find_class(m, format, spec->function, &f);
	if (id) {
		decl->core_name = btf_name(f, btf_type_at(f, id));
		decl->btf_id = id;
		decl->module = f->name;
	}
	VEC_EACH (field, &format->fields) {
		const struct btf_member *member = id ? raw_member(f, btf_type_at(f, id), field) : NULL;
		struct field out_field = {.name = field->name, .offset = field->offset, .data_loc = field->data_loc};

		if (field->common)
			continue;
		if (member && !field->data_loc && !field->rel_loc)
			out_field.type = as_kernel(t, machine_type(m, t, f, member->type, AS_KERNEL));
		else
			out_field.type = field_type(m, t, field, syscall);
		if (field->offset + field->size > decl->size)
			decl->size = field->offset + field->size;
		VEC_PUSH(t->arena, &decl->fields, out_field);
	}
	decl->size = (decl->size + 7) & ~7u;
	*out = (struct probe_args){.args = type_struct(t, decl)};
	return true;
}
