/* Reading BTF: checking a blob once, then finding types by id and by name.  What the types mean to the language is in
 * kernel_btf.c. */
#include "runtime/btf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HASH_BITS = 16,
	MAX_BLOB = 512 << 20, /* no kernel is near it */
	MAX_DEPTH = 32,	      /* of typedefs, arrays: longer chains are loops */
};

static uint32_t hash_of(uint32_t name_off)
{
	return (name_off * 0x9e3779b1u) >> (32 - HASH_BITS);
}

/* Bytes behind struct btf_type, or -1 for a kind that is not known: its size cannot be told, so nothing behind it either. */
static int64_t tail_size(const struct btf_type *t)
{
	uint64_t n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
		return sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return (int64_t)(n * sizeof(struct btf_member));
	case BTF_KIND_ENUM:
		return (int64_t)(n * sizeof(struct btf_enum));
	case BTF_KIND_ENUM64:
		return (int64_t)(n * sizeof(struct btf_enum64));
	case BTF_KIND_FUNC_PROTO:
		return (int64_t)(n * sizeof(struct btf_param));
	case BTF_KIND_VAR:
		return sizeof(struct btf_var);
	case BTF_KIND_DATASEC:
		return (int64_t)(n * sizeof(struct btf_var_secinfo));
	case BTF_KIND_DECL_TAG:
		return sizeof(struct btf_decl_tag);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	}
	return -1;
}

/* Walk the types once: note where each begins, and link those of equal name hash. */
static const char *index_types(struct btf_file *f)
{
	size_t most = f->types_len / sizeof(struct btf_type);
	uint32_t n = 0, at = 0, i;

	f->offsets = malloc((most + 1) * sizeof(uint32_t));
	if (!f->offsets)
		return "out of memory";
	while (at < f->types_len) {
		const struct btf_type *t = (const void *)(f->types + at);
		int64_t tail;

		if (f->types_len - at < sizeof(*t))
			return "a type is cut off";
		tail = tail_size(t);
		if (tail < 0)
			return "it has a kind of type that this version does not know";
		if ((uint64_t)tail > f->types_len - at - sizeof(*t))
			return "a type is cut off";
		f->offsets[n++] = at;
		at += (uint32_t)(sizeof(*t) + (uint64_t)tail);
	}
	if (n > UINT32_MAX - f->first_id)
		return "too many types";
	f->end_id = f->first_id + n;
	f->next = malloc((n + (size_t)1) * sizeof(uint32_t));
	f->heads = calloc((size_t)1 << HASH_BITS, sizeof(uint32_t));
	if (!f->next || !f->heads)
		return "out of memory";
	for (i = n; i-- > 0;) { /* backwards, so that the first of a name is found first */
		const struct btf_type *t = (const void *)(f->types + f->offsets[i]);
		uint32_t h;

		if (!t->name_off)
			continue;
		h = hash_of(t->name_off);
		f->next[i] = f->heads[h];
		f->heads[h] = i + 1;
	}
	return NULL;
}

/* Find the two sections of the blob.  NULL when all is well. */
static const char *read_header(struct btf_file *f)
{
	struct btf_header h;
	uint64_t begin;

	if (f->size < sizeof(h))
		return "it is too short";
	memcpy(&h, f->data, sizeof(h));
	if (h.magic != BTF_MAGIC)
		return "it is not BTF of this byte order";
	if (h.version != BTF_VERSION)
		return "it has an unknown version";
	if (h.hdr_len < sizeof(h) || h.hdr_len > f->size)
		return "its header is damaged";
	begin = h.hdr_len;
	if (h.type_off % 4 || h.hdr_len % 4 || (uint64_t)h.type_off + h.type_len > f->size - begin ||
	    (uint64_t)h.str_off + h.str_len > f->size - begin)
		return "its sections lie outside of it";
	f->types = f->data + begin + h.type_off;
	f->types_len = h.type_len;
	f->strings = (const char *)f->data + begin + h.str_off;
	f->strings_len = h.str_len;
	/* A split blob has its own strings without the empty one at 0, and may have none. */
	if (f->strings_len && f->strings[f->strings_len - 1])
		return "its strings do not end";
	if (!f->strings_len && !f->base)
		return "it has no strings";
	return NULL;
}

/* One name is found soonest by looking through all strings; a script with a list of functions asks for thousands. */
enum { MANY_SEARCHES = 32 };

struct btf_texts {
	int searches;
	uint32_t *slots; /* by hash of the text, then the next free one: its offset + 1; NULL: not made */
	uint32_t mask;
};

static struct btf_file *parse(struct arena *a, struct btf_file *f, struct str name, const struct btf_file *base,
			      const char **why)
{
	const char *bad;

	f->name = str_copy(a, name);
	f->base = base;
	f->texts = NEW(a, struct btf_texts);
	f->first_id = base ? base->end_id : 1;
	f->first_string = base ? base->first_string + base->strings_len : 0;
	bad = read_header(f);
	if (!bad)
		bad = index_types(f);
	if (!bad)
		return f;
	if (why)
		*why = bad;
	btf_close(f);
	return NULL;
}

struct btf_file *btf_parse(struct arena *a, const void *bytes, size_t size, struct str name, const struct btf_file *base,
			   const char **why)
{
	struct btf_file *f = NEW(a, struct btf_file);

	f->data = bytes;
	f->size = size;
	f->borrowed = true;
	return parse(a, f, name, base, why);
}

/* All of a file that may not tell its size.  NULL and *err. */
static uint8_t *read_whole(int fd, size_t hint, size_t *size, int *err)
{
	size_t cap = hint + 1, n = 0;
	uint8_t *buf = malloc(cap);

	while (buf) {
		ssize_t got = read(fd, buf + n, cap - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*err = errno;
			free(buf);
			return NULL;
		}
		if (got == 0) {
			*size = n;
			return buf;
		}
		n += (size_t)got;
		if (n > MAX_BLOB) {
			*err = EFBIG;
			free(buf);
			return NULL;
		}
		if (n == cap) {
			uint8_t *more = realloc(buf, cap *= 2);

			if (!more)
				free(buf);
			buf = more;
		}
	}
	*err = ENOMEM;
	return NULL;
}

/* BTF inside a 64-bit ELF file: move the view to its .BTF section.  Left alone when it is no ELF file. */
static const char *find_elf_section(struct btf_file *f)
{
	Elf64_Ehdr eh;
	Elf64_Shdr names, sh;
	uint64_t i;

	if (f->size < sizeof(eh) || memcmp(f->data, ELFMAG, SELFMAG))
		return NULL;
	memcpy(&eh, f->data, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_shentsize != sizeof(sh) || eh.e_shstrndx >= eh.e_shnum ||
	    eh.e_shoff > f->size || (uint64_t)eh.e_shnum * sizeof(sh) > f->size - eh.e_shoff)
		return "its ELF sections are damaged";
	memcpy(&names, f->data + eh.e_shoff + eh.e_shstrndx * sizeof(sh), sizeof(names));
	for (i = 0; i < eh.e_shnum; i++) {
		memcpy(&sh, f->data + eh.e_shoff + i * sizeof(sh), sizeof(sh));
		if (names.sh_offset > f->size || names.sh_size > f->size - names.sh_offset ||
		    sh.sh_name > names.sh_size || names.sh_size - sh.sh_name < sizeof(".BTF") ||
		    memcmp(f->data + names.sh_offset + sh.sh_name, ".BTF", sizeof(".BTF")))
			continue;
		if (sh.sh_offset > f->size || sh.sh_size > f->size - sh.sh_offset || sh.sh_type == SHT_NOBITS)
			return "its .BTF section lies outside of the file";
		if (sh.sh_offset % 4)
			return "its .BTF section is not aligned";
		/* Only the view moves; free() and munmap() need the beginning, so the copy below is made. */
		uint8_t *copy = malloc(sh.sh_size + 1);

		if (!copy)
			return "out of memory";
		memcpy(copy, f->data + sh.sh_offset, sh.sh_size);
		if (f->mapped)
			munmap((void *)(uintptr_t)f->data, f->size);
		else
			free((void *)(uintptr_t)f->data);
		f->mapped = false;
		f->data = copy;
		f->size = sh.sh_size;
		return NULL;
	}
	return "it has no .BTF section";
}

struct btf_file *btf_open(struct arena *a, const char *path, struct str name, const struct btf_file *base, int *err,
			  const char **why)
{
	struct btf_file *f = NEW(a, struct btf_file);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	const char *bad;

	*err = 0;
	if (fd < 0 || fstat(fd, &st)) {
		*err = errno;
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		*err = EINVAL;
		close(fd);
		return NULL;
	}
	/* sysfs gives the true size.  Mapping it works from 6.16 on and saves copying some megabytes. */
	f->size = (size_t)st.st_size;
	if (f->size && f->size <= MAX_BLOB) {
		void *map = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (map != MAP_FAILED) {
			f->data = map;
			f->mapped = true;
		}
	}
	if (!f->data)
		f->data = read_whole(fd, (size_t)st.st_size < MAX_BLOB ? (size_t)st.st_size : 0, &f->size, err);
	close(fd);
	if (!f->data)
		return NULL;
	bad = find_elf_section(f);
	if (bad) {
		if (why)
			*why = bad;
		*err = EINVAL;
		btf_close(f);
		return NULL;
	}
	f = parse(a, f, name, base, why);
	if (!f)
		*err = EINVAL;
	return f;
}

void btf_close(struct btf_file *f)
{
	if (!f)
		return;
	free(f->offsets);
	free(f->next);
	free(f->heads);
	free(f->enums);
	if (f->texts)
		free(f->texts->slots);
	f->texts = NULL;
	if (f->data && f->mapped)
		munmap((void *)(uintptr_t)f->data, f->size);
	else if (f->data && !f->borrowed)
		free((void *)(uintptr_t)f->data);
	f->offsets = f->next = f->heads = f->enums = NULL;
	f->data = NULL;
}

const struct btf_type *btf_type_at(const struct btf_file *f, uint32_t id)
{
	static const struct btf_type nothing;

	while (f && id < f->first_id)
		f = f->base;
	if (!f || id >= f->end_id)
		return &nothing;
	return (const void *)(f->types + f->offsets[id - f->first_id]);
}

struct str btf_text(const struct btf_file *f, uint32_t off)
{
	while (f && off < f->first_string)
		f = f->base;
	if (!f || off - f->first_string >= f->strings_len)
		return STR("");
	return str_of(f->strings + (off - f->first_string));
}

static uint32_t hash_of_text(const char *s, size_t n)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	size_t i;

	for (i = 0; i < n; i++)
		hash = (hash ^ (uint8_t)s[i]) * 16777619u;
	return hash;
}

static void index_strings(const struct btf_file *f)
{
	struct btf_texts *t = f->texts;
	uint32_t count = 0, at, i;

	for (at = 0; at < f->strings_len; at++)
		count += !f->strings[at];
	for (t->mask = 1023; t->mask / 2 < count; t->mask = t->mask * 2 + 1)
		;
	t->slots = calloc((size_t)t->mask + 1, sizeof(*t->slots));
	for (at = 0; t->slots && at < f->strings_len; at += (uint32_t)strlen(f->strings + at) + 1) {
		i = hash_of_text(f->strings + at, strlen(f->strings + at)) & t->mask;
		while (t->slots[i])
			i = (i + 1) & t->mask;
		t->slots[i] = at + 1;
	}
}

/* Does the file have an index by now? */
static bool is_indexed(const struct btf_file *f)
{
	if (!f->texts || f->user)
		return false;
	if (!f->texts->slots && ++f->texts->searches == MANY_SEARCHES)
		index_strings(f);
	return f->texts->slots;
}

/* The same as next_string(); *at is the number of slots looked at. */
static uint32_t next_indexed(const struct btf_file *f, struct str name, uint32_t *at)
{
	const struct btf_texts *t = f->texts;
	uint32_t slot;

	while ((slot = t->slots[(hash_of_text(name.s, name.n) + *at) & t->mask])) {
		const char *text = f->strings + slot - 1;

		++*at;
		if (!strncmp(text, name.s, name.n) && !text[name.n])
			return f->first_string + slot - 1;
	}
	return UINT32_MAX;
}

/* Offsets of `name` in the strings of `f` itself; a blob that was not deduplicated has several.  From *at on; UINT32_MAX
 * when there is no more. */
static uint32_t next_string(const struct btf_file *f, struct str name, uint32_t *at)
{
	while (*at < f->strings_len) {
		const char *from = f->strings + *at;
		const char *hit = memmem(from, f->strings_len - *at, name.s, name.n);

		if (!hit)
			break;
		*at = (uint32_t)(hit - f->strings) + 1;
		if ((hit == f->strings || !hit[-1]) && hit + name.n < f->strings + f->strings_len && !hit[name.n])
			return f->first_string + (uint32_t)(hit - f->strings);
	}
	*at = f->strings_len;
	return UINT32_MAX;
}

static uint32_t find_by_offset(const struct btf_file *f, uint32_t name_off, uint32_t mask)
{
	uint32_t i = f->heads[hash_of(name_off)];

	for (; i; i = f->next[i - 1]) {
		const struct btf_type *t = (const void *)(f->types + f->offsets[i - 1]);

		if (t->name_off == name_off && (mask & BTF_MASK(btf_kind_of(t))))
			return f->first_id + i - 1;
	}
	return 0;
}

uint32_t btf_find(const struct btf_file *f, struct str name, uint32_t mask)
{
	const struct btf_file *s;

	if (!name.n)
		return 0;
	/* A module's type may use a string of its base. */
	for (s = f; s; s = s->base) {
		uint32_t (*next)(const struct btf_file *, struct str, uint32_t *) = is_indexed(s) ? next_indexed : next_string;
		uint32_t at = 0, off;

		while ((off = next(s, name, &at)) != UINT32_MAX) {
			uint32_t id = find_by_offset(f, off, mask);

			if (id)
				return id;
		}
	}
	return 0;
}

void btf_each_prefix(const struct btf_file *f, struct str prefix, uint32_t mask, btf_each_fn fn, void *arg)
{
	const struct btf_file *s;

	for (s = f; s; s = s->base) {
		const char *p = s->strings, *end = s->strings + s->strings_len;

		while (p < end && (p = memmem(p, (size_t)(end - p), prefix.s, prefix.n))) {
			uint32_t off = s->first_string + (uint32_t)(p - s->strings);
			uint32_t i = p == s->strings || !p[-1] ? f->heads[hash_of(off)] : 0;

			for (; i; i = f->next[i - 1]) {
				const struct btf_type *t = (const void *)(f->types + f->offsets[i - 1]);

				if (t->name_off == off && (mask & BTF_MASK(btf_kind_of(t))) &&
				    !fn(f, f->first_id + i - 1, t, btf_name(f, t), arg))
					return;
			}
			p++;
		}
	}
}

void btf_each(const struct btf_file *f, uint32_t mask, btf_each_fn fn, void *arg)
{
	uint32_t id;

	for (id = f->first_id; id < f->end_id; id++) {
		const struct btf_type *t = (const void *)(f->types + f->offsets[id - f->first_id]);

		if ((mask & BTF_MASK(btf_kind_of(t))) && !fn(f, id, t, btf_name(f, t), arg))
			return;
	}
}

/* Enums are few among the types; their constants are searched each time, which takes some 50 us. */
static bool index_enums(struct btf_file *f)
{
	uint32_t id, n = 0;

	if (f->enums)
		return true;
	for (id = f->first_id; id < f->end_id; id++) {
		const struct btf_type *t = btf_type_at(f, id);

		if (!(BTF_MASK(btf_kind_of(t)) & BTF_MASK_ENUM))
			continue;
		n++;
		f->signs_known |= BTF_INFO_KFLAG(t->info);
	}
	f->enums = malloc((n + (size_t)1) * sizeof(uint32_t));
	if (!f->enums)
		return false;
	for (id = f->first_id; id < f->end_id; id++)
		if (BTF_MASK(btf_kind_of(btf_type_at(f, id))) & BTF_MASK_ENUM)
			f->enums[f->nenums++] = id;
	return true;
}

/* Kernels before 6.0 did not record signedness (no enum has the flag).  There a small negative value tells. */
bool btf_enum_is_signed(struct btf_file *f, const struct btf_type *t)
{
	const struct btf_enum *e = btf_tail(t);
	uint32_t i;

	if (BTF_INFO_KFLAG(t->info))
		return true;
	if (btf_kind_of(t) == BTF_KIND_ENUM64 || !index_enums(f) || f->signs_known)
		return false;
	for (i = 0; i < BTF_INFO_VLEN(t->info); i++)
		if (e[i].val < 0 && e[i].val > -65536)
			return true;
	return false;
}

uint64_t btf_enum_value(const struct btf_type *t, uint32_t i, bool is_signed, uint32_t *name_off)
{
	if (btf_kind_of(t) == BTF_KIND_ENUM) {
		const struct btf_enum *e = (const struct btf_enum *)btf_tail(t) + i;

		*name_off = e->name_off;
		return is_signed ? (uint64_t)(int64_t)e->val : (uint32_t)e->val;
	}
	const struct btf_enum64 *e = (const struct btf_enum64 *)btf_tail(t) + i;

	*name_off = e->name_off;
	return (uint64_t)e->val_hi32 << 32 | e->val_lo32;
}

static bool has_enumerator(struct btf_file *f, uint32_t id, uint32_t name_off, uint64_t *value)
{
	const struct btf_type *t = btf_type_at(f, id);
	uint32_t i, off;

	for (i = 0; i < BTF_INFO_VLEN(t->info); i++) {
		btf_enum_value(t, i, false, &off);
		if (off != name_off)
			continue;
		*value = btf_enum_value(t, i, btf_enum_is_signed(f, t), &off);
		return true;
	}
	return false;
}

uint32_t btf_find_enumerator(struct btf_file *f, struct str name, uint64_t *value)
{
	const struct btf_file *s;
	uint32_t i;

	if (!name.n || !index_enums(f))
		return 0;
	for (s = f; s; s = s->base) {
		uint32_t at = 0, off;

		while ((off = next_string(s, name, &at)) != UINT32_MAX)
			for (i = 0; i < f->nenums; i++)
				if (has_enumerator(f, f->enums[i], off, value))
					return f->enums[i];
	}
	return 0;
}

uint32_t btf_strip(const struct btf_file *f, uint32_t id, struct str *typedef_name, bool *user)
{
	bool named = false;
	int depth;

	for (depth = 0; depth < MAX_DEPTH; depth++) {
		const struct btf_type *t = btf_type_at(f, id);

		switch (btf_kind_of(t)) {
		case BTF_KIND_TYPEDEF:
			if (typedef_name && !named) {
				*typedef_name = btf_name(f, t);
				named = true;
			}
			break;
		case BTF_KIND_TYPE_TAG:
			if (user && str_is(btf_name(f, t), "user"))
				*user = true;
			break;
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
			break;
		default:
			return id;
		}
		id = t->type;
	}
	return 0;
}

uint32_t btf_size(const struct btf_file *f, uint32_t id)
{
	uint64_t times = 1;
	int depth;

	for (depth = 0; depth < MAX_DEPTH; depth++) {
		const struct btf_type *t;
		uint64_t size;

		id = btf_strip(f, id, NULL, NULL);
		t = btf_type_at(f, id);
		switch (btf_kind_of(t)) {
		case BTF_KIND_INT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FLOAT:
			size = times * t->size;
			return size > INT32_MAX ? 0 : (uint32_t)size;
		case BTF_KIND_PTR:
			size = times * 8;
			return size > INT32_MAX ? 0 : (uint32_t)size;
		case BTF_KIND_ARRAY: {
			const struct btf_array *arr = btf_tail(t);

			times *= arr->nelems;
			if (times > INT32_MAX)
				return 0;
			id = arr->type;
			break;
		}
		default:
			return 0;
		}
	}
	return 0;
}
