/* Symbols of functions in ELF files: .symtab and .dynsym, from the file itself or from its separate debug file. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/elf_image.h"

#define HAVE_DECL_BASENAME 1 /* libiberty's header would declare its own */
#include <libiberty/demangle.h>

enum {
	MAX_TABLE = 1 << 30,   /* bytes of one symbol or string table */
	MAX_SYMBOLS = 1 << 24,
	MAX_MANGLED = 4096,    /* demangling takes more than linear time */
};

/* ---- reading ------------------------------------------------------------------------------------------------------- */

/* Append a string table to the image's names; its offset there, or -1. */
static int64_t add_names(struct elf_image *e, const uint8_t *bytes, size_t n)
{
	size_t at = e->names_size;
	char *names;

	if (n > MAX_TABLE || at + n + 1 > UINT32_MAX)
		return -1;
	names = realloc(e->names, at + n + 1);
	if (!names)
		return -1;
	memcpy(names + at, bytes, n);
	names[at + n] = '\0';
	e->names = names;
	e->names_size = at + n + 1;
	return (int64_t)at;
}

static bool in_code(const struct elf_image *e, uint64_t address)
{
	int i;

	for (i = 0; i < e->nsegments; i++)
		if (e->segments[i].executable && address >= e->segments[i].address &&
		    address - e->segments[i].address < e->segments[i].memory_size)
			return true;
	return false;
}

/* Functions, and labels of assembly that lie in code. */
static bool is_wanted(const struct elf_image *e, const Elf64_Sym *s)
{
	int type = ELF64_ST_TYPE(s->st_info);

	if (s->st_shndx == SHN_UNDEF || s->st_shndx == SHN_ABS || !s->st_name || !s->st_value)
		return false;
	if (type == STT_FUNC || type == STT_GNU_IFUNC)
		return true;
	return type == STT_NOTYPE && in_code(e, s->st_value);
}

/* A name@VERSION, which linkers leave in .symtab, is no name that anybody calls. */
static uint8_t rank_of(const Elf64_Sym *s, const char *name)
{
	int bind = ELF64_ST_BIND(s->st_info);
	uint8_t rank = bind == STB_GLOBAL ? 4 : bind == STB_WEAK ? 3 : 2;

	if (ELF64_ST_TYPE(s->st_info) == STT_NOTYPE)
		return 0;
	return strchr(name, '@') ? 1 : rank;
}

/* Add the functions of one symbol table of `from` to `e`. */
static void add_table(struct elf_image *e, const struct elf_image *from, const struct elf_section *table)
{
	size_t entry = from->is64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym), n, nstrings, count, i;
	uint8_t *bytes = NULL, *strings = NULL;
	struct elf_symbol *grown;
	int64_t base;

	if (table->entry_size != entry || table->link >= (uint64_t)from->nsections)
		return;
	bytes = elf_section_bytes(from, table, MAX_TABLE, &n);
	strings = elf_section_bytes(from, &from->sections[table->link], MAX_TABLE, &nstrings);
	if (!bytes || !strings)
		goto out;
	count = n / entry;
	if (count > MAX_SYMBOLS || (base = add_names(e, strings, nstrings)) < 0)
		goto out;
	grown = realloc(e->symbols, ((size_t)e->nsymbols + count + 1) * sizeof(*grown));
	if (!grown)
		goto out;
	e->symbols = grown;
	for (i = 0; i < count; i++) {
		Elf64_Sym s;
		Elf32_Sym s32;

		if (from->is64) {
			memcpy(&s, bytes + i * entry, sizeof(s));
		} else {
			memcpy(&s32, bytes + i * entry, sizeof(s32));
			s = (Elf64_Sym){s32.st_name, s32.st_info, s32.st_other, s32.st_shndx, s32.st_value, s32.st_size};
		}
		if (s.st_name >= nstrings || !is_wanted(e, &s))
			continue;
		e->symbols[e->nsymbols++] = (struct elf_symbol){.address = s.st_value,
								.size = s.st_size,
								.name = (uint32_t)(base + s.st_name),
								.rank = rank_of(&s, e->names + base + s.st_name),
								.indirect = ELF64_ST_TYPE(s.st_info) == STT_GNU_IFUNC};
	}
out:
	free(bytes);
	free(strings);
}

static bool find_data(const struct elf_image *e, const struct elf_section *table, struct str name, uint64_t *address,
		      uint64_t *size)
{
	size_t entry = e->is64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym), n = 0, nstrings = 0, i;
	uint8_t *bytes = NULL, *strings = NULL;
	bool found = false;

	if (table->entry_size == entry && table->link < (uint64_t)e->nsections) {
		bytes = elf_section_bytes(e, table, MAX_TABLE, &n);
		strings = elf_section_bytes(e, &e->sections[table->link], MAX_TABLE, &nstrings);
	}
	for (i = 0; bytes && strings && e->is64 && i < n / entry && !found; i++) {
		Elf64_Sym s;

		memcpy(&s, bytes + i * entry, sizeof(s));
		found = s.st_shndx != SHN_UNDEF && s.st_name < nstrings && str_is(name, (const char *)strings + s.st_name);
		*address = s.st_value;
		*size = s.st_size;
	}
	free(bytes);
	free(strings);
	return found;
}

bool elf_find_data(const struct elf_image *e, struct str name, uint64_t *address, uint64_t *size)
{
	const struct elf_section *all = elf_section(e, ".symtab"), *exported = elf_section(e, ".dynsym");

	return (all && find_data(e, all, name, address, size)) || (exported && find_data(e, exported, name, address, size));
}

static bool add_tables(struct elf_image *e, const struct elf_image *from, bool dynamic)
{
	const struct elf_section *s = elf_section(from, dynamic ? ".dynsym" : ".symtab");

	if (!s || s->type == SHT_NOBITS)
		return false;
	add_table(e, from, s);
	return true;
}

/* ---- separate debug files ------------------------------------------------------------------------------------------ */

static bool same_build(const struct elf_image *a, const struct elf_image *b)
{
	return a->build_id_size && a->build_id_size == b->build_id_size &&
	       !memcmp(a->build_id, b->build_id, (size_t)a->build_id_size);
}

/* The CRC of .gnu_debuglink (that of zip), over the debug file. */
static bool crc_fits(const struct elf_image *debug, uint32_t wanted)
{
	uint32_t crc = 0xffffffff;
	uint8_t buf[16384];
	uint64_t at;

	for (at = 0; at < debug->size;) {
		size_t n = debug->size - at < sizeof(buf) ? (size_t)(debug->size - at) : sizeof(buf), i;
		int bit;

		if (!elf_read(debug, at, buf, n))
			return false;
		for (i = 0; i < n; i++) {
			crc ^= buf[i];
			for (bit = 0; bit < 8; bit++)
				crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
		}
		at += n;
	}
	return ~crc == wanted;
}

/* Open a candidate; it must be of the same build: by build id, or where there is none by checksum. */
static struct elf_image *try_debug_file(const struct elf_image *e, const char *path, bool has_crc, uint32_t crc)
{
	struct elf_image *d;
	const char *why;
	int err;

	d = elf_image_open(path, &err, &why);
	if (!d)
		return NULL;
	if (e->ino != d->ino || e->dev != d->dev) {
		if (e->build_id_size ? same_build(e, d) : has_crc && crc_fits(d, crc))
			return d;
	}
	elf_image_close(d);
	return NULL;
}

static struct elf_image *by_build_id(const struct elf_image *e, const char *dir)
{
	char path[4096];
	int n, i;

	if (e->build_id_size < 2)
		return NULL;
	n = snprintf(path, sizeof(path), "%s/.build-id/%02x/", dir, e->build_id[0]);
	if (n < 0 || n > (int)sizeof(path) - 64)
		return NULL;
	for (i = 1; i < e->build_id_size; i++)
		n += snprintf(path + n, sizeof(path) - (size_t)n, "%02x", e->build_id[i]);
	snprintf(path + n, sizeof(path) - (size_t)n, ".debug");
	return try_debug_file(e, path, false, 0);
}

/* .gnu_debuglink: a file name, padding, a checksum.  Looked for beside the file, in .debug/ there, and below `dir`. */
static struct elf_image *by_debuglink(const struct elf_image *e, const char *image_path, const char *dir)
{
	const struct elf_section *s = elf_section(e, ".gnu_debuglink");
	struct elf_image *d = NULL;
	const char *slash = strrchr(image_path, '/');
	int length = slash ? (int)(slash - image_path) : 1, i;
	uint8_t *bytes = NULL;
	char path[3][4096];
	size_t n, name;
	uint32_t crc;

	if (s)
		bytes = elf_section_bytes(e, s, 4096, &n);
	if (!bytes)
		return NULL;
	name = strlen((char *)bytes);
	if (((name + 4) & ~(size_t)3) + 4 > n || memchr(bytes, '/', name) || !name)
		goto out;
	memcpy(&crc, bytes + ((name + 4) & ~(size_t)3), 4);
	snprintf(path[0], sizeof(path[0]), "%.*s/%s", length, slash ? image_path : ".", (char *)bytes);
	snprintf(path[1], sizeof(path[1]), "%.*s/.debug/%s", length, slash ? image_path : ".", (char *)bytes);
	snprintf(path[2], sizeof(path[2]), "%s%.*s/%s", dir, length, slash ? image_path : "", (char *)bytes);
	for (i = 0; i < 3 && !d; i++)
		d = try_debug_file(e, path[i], true, crc);
out:
	free(bytes);
	return d;
}

static struct elf_image *find_debug_file(const struct elf_image *e, const char *path, const char *dirs)
{
	struct elf_image *d = NULL;
	char dir[2048];

	while (dirs && *dirs && !d) {
		size_t n = strcspn(dirs, ":");

		if (*dirs == '+' && n > 1) { /* "+DIR": with checksum; ours are always checked */
			dirs++;
			n--;
		}
		if (n < sizeof(dir)) {
			memcpy(dir, dirs, n);
			dir[n] = '\0';
			d = by_build_id(e, dir);
			if (!d)
				d = by_debuglink(e, path, dir);
		}
		dirs += n;
		dirs += *dirs == ':';
	}
	if (!d)
		d = by_build_id(e, "/usr/lib/debug");
	return d ? d : by_debuglink(e, path, "/usr/lib/debug");
}

static bool has_dwarf(const struct elf_image *e)
{
	const struct elf_section *s = elf_section(e, ".debug_info");

	return (s && s->type != SHT_NOBITS) || elf_section(e, ".zdebug_info");
}

int elf_debug_fd(const struct elf_image *e, const char *path, const char *debug_dirs)
{
	struct elf_image *d;
	int fd = -1;

	if (e->fd < 0)
		return -1;
	if (has_dwarf(e))
		return fcntl(e->fd, F_DUPFD_CLOEXEC, 3);
	d = find_debug_file(e, path, debug_dirs);
	if (d && has_dwarf(d))
		fd = fcntl(d->fd, F_DUPFD_CLOEXEC, 3);
	elf_image_close(d);
	return fd;
}

/* ---- asking -------------------------------------------------------------------------------------------------------- */

static int compare_symbol(const void *left, const void *right)
{
	const struct elf_symbol *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1;
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return a->name < b->name ? -1 : a->name > b->name;
}

static void add_minidebug(struct elf_image *e)
{
	struct elf_image *inner = NULL;
	const char *why;
	size_t size;
	uint8_t *bytes = elf_unpack_minidebug(e, &size);

	if (bytes)
		inner = elf_image_memory(bytes, size, &why);
	if (inner)
		e->has_symtab = add_tables(e, inner, false);
	elf_image_close(inner);
	free(bytes);
}

bool elf_load_symbols(struct elf_image *e, const char *path, const char *debug_dirs)
{
	if (e->symbols_loaded)
		return e->nsymbols > 0;
	e->symbols_loaded = true;
	e->has_symtab = add_tables(e, e, false);
	if (!e->has_symtab && path) {
		struct elf_image *d = find_debug_file(e, path, debug_dirs);

		if (d)
			e->has_symtab = add_tables(e, d, false);
		elf_image_close(d);
	}
	if (!e->has_symtab)
		add_minidebug(e);
	add_tables(e, e, true);
	if (e->nsymbols)
		qsort(e->symbols, (size_t)e->nsymbols, sizeof(*e->symbols), compare_symbol);
	return e->nsymbols > 0;
}

const struct elf_symbol *elf_find_symbol(const struct elf_image *e, struct str name, const struct elf_symbol *from)
{
	const struct elf_symbol *s = from ? from + 1 : e->symbols;

	for (; s && s < e->symbols + e->nsymbols; s++) {
		const char *n = elf_symbol_name(e, s);

		if (!strncmp(n, name.s, name.n)) {
			/* name@VERSION of old libraries; .symtab has such names */
			if (!n[name.n] || n[name.n] == '@')
				return s;
		}
	}
	return NULL;
}

const struct elf_symbol *elf_symbol_at(const struct elf_image *e, uint64_t address)
{
	int low = 0, high = e->nsymbols, i;
	uint64_t start;

	while (low < high) {
		int mid = low + (high - low) / 2;

		if (e->symbols[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	/* Labels and empty symbols inside a function must not hide it: look back for one that really holds the address. */
	for (i = low - 1; i >= 0 && i >= low - 64; i--)
		if (e->symbols[i].size && address - e->symbols[i].address < e->symbols[i].size)
			goto found;
	i = low - 1;
	if (i < 0 || e->symbols[i].size || !in_code(e, e->symbols[i].address) || !in_code(e, address))
		return NULL;
found:
	/* Of those at one address the best name is the first. */
	start = e->symbols[i].address;
	while (i > 0 && e->symbols[i - 1].address == start &&
	       (e->symbols[i - 1].size == e->symbols[i].size || !e->symbols[i].size))
		i--;
	return &e->symbols[i];
}

const char *demangle(struct arena *a, const char *name)
{
	char *text;
	const char *copy;

	if (strncmp(name, "_Z", 2) && strncmp(name, "_R", 2))
		return NULL;
	if (strlen(name) > MAX_MANGLED)
		return NULL;
	/* Rust's legacy names look like C++ ones with a hash behind; libiberty tells them apart by itself. */
	text = cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO | DMGL_RET_DROP);
	if (!text)
		return NULL;
	copy = str_c(a, str_of(text));
	free(text);
	return copy;
}
