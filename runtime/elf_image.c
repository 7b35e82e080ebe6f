/* Headers, sections and segments of hostile ELF files.  Symbols are in elf_symbols.c. */
#include "runtime/elf_image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MAX_SECTIONS = 1 << 17,
	MAX_SEGMENTS = 1 << 12,
	MAX_NAMES = 16 << 20,
	MAX_NOTES = 16 << 20,
};

bool elf_read(const struct elf_image *e, uint64_t offset, void *to, size_t n)
{
	size_t got = 0;

	if (offset > e->size || n > e->size - offset)
		return false;
	if (e->memory) {
		memcpy(to, e->memory + offset, n);
		return true;
	}
	while (got < n) {
		ssize_t r = pread(e->fd, (char *)to + got, n - got, (off_t)(offset + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false; /* the file has shrunk meanwhile */
		got += (size_t)r;
	}
	return true;
}

static bool read_header(struct elf_image *e, Elf64_Ehdr *h)
{
	Elf32_Ehdr h32;

	if (!elf_read(e, 0, h->e_ident, EI_NIDENT) || memcmp(h->e_ident, ELFMAG, SELFMAG) || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	e->is64 = h->e_ident[EI_CLASS] == ELFCLASS64;
	if (e->is64)
		return elf_read(e, 0, h, sizeof(*h));
	if (h->e_ident[EI_CLASS] != ELFCLASS32 || !elf_read(e, 0, &h32, sizeof(h32)))
		return false;
	h->e_type = h32.e_type;
	h->e_machine = h32.e_machine;
	h->e_phoff = h32.e_phoff;
	h->e_shoff = h32.e_shoff;
	h->e_phentsize = h32.e_phentsize;
	h->e_phnum = h32.e_phnum;
	h->e_shentsize = h32.e_shentsize;
	h->e_shnum = h32.e_shnum;
	h->e_shstrndx = h32.e_shstrndx;
	return true;
}

static bool read_segments(struct elf_image *e, const Elf64_Ehdr *h)
{
	size_t entry = e->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), i;

	if (!h->e_phnum)
		return true;
	if (h->e_phentsize != entry || h->e_phnum > MAX_SEGMENTS)
		return false;
	e->segments = calloc(h->e_phnum, sizeof(*e->segments));
	if (!e->segments)
		return false;
	for (i = 0; i < h->e_phnum; i++) {
		Elf64_Phdr p;
		Elf32_Phdr p32;

		if (e->is64 ? !elf_read(e, h->e_phoff + i * entry, &p, sizeof(p))
			    : !elf_read(e, h->e_phoff + i * entry, &p32, sizeof(p32)))
			return false;
		if (!e->is64)
			p = (Elf64_Phdr){.p_type = p32.p_type,
					 .p_flags = p32.p_flags,
					 .p_offset = p32.p_offset,
					 .p_vaddr = p32.p_vaddr,
					 .p_filesz = p32.p_filesz,
					 .p_memsz = p32.p_memsz};
		if (p.p_type == PT_LOAD)
			e->segments[e->nsegments++] = (struct elf_segment){.offset = p.p_offset,
									   .address = p.p_vaddr,
									   .file_size = p.p_filesz,
									   .memory_size = p.p_memsz,
									   .executable = p.p_flags & PF_X};
	}
	return true;
}

static bool read_section(const struct elf_image *e, uint64_t at, struct elf_section *s)
{
	Elf64_Shdr h;
	Elf32_Shdr h32;

	if (e->is64) {
		if (!elf_read(e, at, &h, sizeof(h)))
			return false;
		*s = (struct elf_section){h.sh_name,   h.sh_type, h.sh_flags, h.sh_addr,
					  h.sh_offset, h.sh_size, h.sh_link,  h.sh_entsize};
		return true;
	}
	if (!elf_read(e, at, &h32, sizeof(h32)))
		return false;
	*s = (struct elf_section){h32.sh_name,	 h32.sh_type, h32.sh_flags, h32.sh_addr,
				  h32.sh_offset, h32.sh_size, h32.sh_link,  h32.sh_entsize};
	return true;
}

/* Sections are a convenience: a file without them (or with damaged ones) still has segments. */
static void read_sections(struct elf_image *e, const Elf64_Ehdr *h)
{
	size_t entry = e->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	uint64_t n = h->e_shnum, names = h->e_shstrndx, i;
	struct elf_section first;

	if (!h->e_shoff || h->e_shentsize != entry || !read_section(e, h->e_shoff, &first))
		return;
	if (!n)
		n = first.size; /* more than 65,279 sections */
	if (names == SHN_XINDEX)
		names = first.link;
	if (n > MAX_SECTIONS || h->e_shoff > e->size || n * entry > e->size - h->e_shoff)
		return;
	e->sections = calloc(n + 1, sizeof(*e->sections));
	if (!e->sections)
		return;
	for (i = 0; i < n; i++)
		if (!read_section(e, h->e_shoff + i * entry, &e->sections[i]))
			return;
	if (names >= n)
		return;
	e->section_names = (char *)elf_section_bytes(e, &e->sections[names], MAX_NAMES, &e->section_names_size);
	if (e->section_names)
		e->nsections = (int)n;
}

const struct elf_section *elf_section(const struct elf_image *e, const char *name)
{
	int i;

	/* The text is followed by a NUL, so that the last name ends. */
	for (i = 0; i < e->nsections; i++)
		if (e->sections[i].name < e->section_names_size && !strcmp(e->section_names + e->sections[i].name, name))
			return &e->sections[i];
	return NULL;
}

uint8_t *elf_section_bytes(const struct elf_image *e, const struct elf_section *s, size_t most, size_t *n)
{
	uint8_t *bytes;

	if (s->type == SHT_NOBITS || !s->size || s->size > most || s->size > e->size)
		return NULL;
	bytes = malloc(s->size + 1);
	if (!bytes)
		return NULL;
	if (!elf_read(e, s->offset, bytes, s->size)) {
		free(bytes);
		return NULL;
	}
	bytes[s->size] = 0;
	*n = s->size;
	return bytes;
}

void elf_each_note(const struct elf_image *e, const struct elf_section *s, elf_note_fn fn, void *arg)
{
	size_t n, at = 0;
	uint8_t *bytes = elf_section_bytes(e, s, MAX_NOTES, &n);

	while (bytes && n - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h; /* the same words in both classes */
		uint64_t owner, desc, end;

		memcpy(&h, bytes + at, sizeof(h));
		owner = at + sizeof(h);
		desc = owner + (((uint64_t)h.n_namesz + 3) & ~3ull);
		end = desc + (((uint64_t)h.n_descsz + 3) & ~3ull);
		if (desc > n || desc + h.n_descsz > n)
			break;
		struct str name = {(const char *)bytes + owner, h.n_namesz};

		if (name.n && !name.s[name.n - 1])
			name.n--;
		if (!fn(name, h.n_type, bytes + desc, h.n_descsz, arg))
			break;
		if (end > n)
			break;
		at = end;
	}
	free(bytes);
}

static bool take_build_id(struct str owner, uint32_t type, const uint8_t *bytes, size_t n, void *arg)
{
	struct elf_image *e = arg;

	if (type != NT_GNU_BUILD_ID || !str_is(owner, "GNU"))
		return true;
	e->build_id_size = n > BUILD_ID_MAX ? BUILD_ID_MAX : (int)n;
	memcpy(e->build_id, bytes, (size_t)e->build_id_size);
	return false;
}

static struct elf_image *read_image(struct elf_image *e, const char **why)
{
	const struct elf_section *s;
	Elf64_Ehdr h;

	memset(&h, 0, sizeof(h));
	if (!read_header(e, &h)) {
		*why = "it is not an ELF file of this machine's kind";
		goto bad;
	}
	if (h.e_type != ET_EXEC && h.e_type != ET_DYN) {
		*why = "it is neither a program nor a shared library";
		goto bad;
	}
	e->machine = h.e_machine;
	e->is_executable_type = h.e_type == ET_EXEC;
	if (!read_segments(e, &h)) {
		*why = "its program headers are damaged";
		goto bad;
	}
	read_sections(e, &h);
	s = elf_section(e, ".note.gnu.build-id");
	if (s)
		elf_each_note(e, s, take_build_id, e);
	return e;
bad:
	elf_image_close(e);
	return NULL;
}

struct elf_image *elf_image_open(const char *path, int *err, const char **why)
{
	struct elf_image *e;
	struct stat st;
	/* O_NONBLOCK: opening a FIFO must not wait for a writer; what is no regular file is refused before it is read. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	*why = NULL;
	*err = 0;
	if (fd < 0) {
		*err = errno;
		return NULL;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		*why = "it is not a regular file";
		*err = EINVAL;
		close(fd);
		return NULL;
	}
	e = calloc(1, sizeof(*e));
	if (!e) {
		*err = ENOMEM;
		close(fd);
		return NULL;
	}
	e->fd = fd;
	e->debug_fd = -1;
	e->size = (uint64_t)st.st_size;
	e->dev = st.st_dev;
	e->ino = st.st_ino;
	e = read_image(e, why);
	if (!e)
		*err = ENOEXEC;
	return e;
}

struct elf_image *elf_image_memory(const void *bytes, size_t size, const char **why)
{
	struct elf_image *e = calloc(1, sizeof(*e));

	*why = NULL;
	if (!e)
		return NULL;
	e->fd = e->debug_fd = -1;
	e->memory = bytes;
	e->size = size;
	return read_image(e, why);
}

void elf_image_close(struct elf_image *e)
{
	if (!e)
		return;
	if (e->fd >= 0)
		close(e->fd);
	if (e->debug_fd >= 0)
		close(e->debug_fd);
	free(e->segments);
	free(e->sections);
	free(e->section_names);
	free(e->symbols);
	free(e->names);
	free(e);
}

bool elf_address_to_offset(const struct elf_image *e, uint64_t address, uint64_t *offset)
{
	int i;

	for (i = 0; i < e->nsegments; i++) {
		const struct elf_segment *s = &e->segments[i];

		if (address >= s->address && address - s->address < s->file_size) {
			*offset = address - s->address + s->offset;
			return true;
		}
	}
	return false;
}

bool elf_offset_to_address(const struct elf_image *e, uint64_t offset, uint64_t *address)
{
	int i, pass;

	/* Segments overlap in the file where a page is mapped twice; code is what is asked for. */
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < e->nsegments; i++) {
			const struct elf_segment *s = &e->segments[i];

			if (s->executable == !pass && offset >= s->offset && offset - s->offset < s->file_size) {
				*address = offset - s->offset + s->address;
				return true;
			}
		}
	return false;
}
