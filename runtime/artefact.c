/* The few things asked of the artefact's ELF file directly: a section by name, a symbol by name.  The file may be anything:
 * every offset is checked.  All else is libbpf's. */
#include <elf.h>

#include "runtime/session_internal.h"

static const void *at(struct str elf, uint64_t offset, uint64_t size)
{
	if (offset > elf.n || size > elf.n - offset)
		return NULL;
	return elf.s + offset;
}

static bool header(struct str elf, Elf64_Ehdr *h)
{
	const void *p = at(elf, 0, sizeof(*h));

	if (!p)
		return false;
	memcpy(h, p, sizeof(*h));
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB) &&
	       h->e_shentsize == sizeof(Elf64_Shdr);
}

static bool section_at(struct str elf, const Elf64_Ehdr *h, unsigned index, Elf64_Shdr *out)
{
	const void *p = index < h->e_shnum ? at(elf, h->e_shoff + (uint64_t)index * sizeof(*out), sizeof(*out)) : NULL;

	if (p)
		memcpy(out, p, sizeof(*out));
	return p != NULL;
}

/* A NUL-terminated name in a table of strings. */
static struct str name_at(struct str elf, const Elf64_Shdr *table, uint64_t offset)
{
	const char *p = offset < table->sh_size ? at(elf, table->sh_offset, table->sh_size) : NULL;

	if (!p)
		return STR("");
	return (struct str){p + offset, strnlen(p + offset, table->sh_size - offset)};
}

static bool find_section(struct str elf, const char *name, Elf64_Ehdr *h, Elf64_Shdr *out, unsigned *index)
{
	Elf64_Shdr names;

	if (!header(elf, h) || !section_at(elf, h, h->e_shstrndx, &names))
		return false;
	for (*index = 0; section_at(elf, h, *index, out); ++*index)
		if (str_is(name_at(elf, &names, out->sh_name), name))
			return true;
	return false;
}

/* codegen writes the heads of sections last. */
struct str artefact_first(struct str tool)
{
	Elf64_Ehdr h;

	if (!header(tool, &h) || !at(tool, h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf64_Shdr)))
		return tool;
	return str_sub(tool, 0, h.e_shoff + (uint64_t)h.e_shnum * sizeof(Elf64_Shdr));
}

uint64_t artefact_instructions(struct str elf, const char *section)
{
	Elf64_Shdr s, names;
	uint64_t bytes = 0;
	Elf64_Ehdr h;
	unsigned i;

	if (!header(elf, &h) || !section_at(elf, &h, h.e_shstrndx, &names))
		return 0;
	for (i = 0; section_at(elf, &h, i, &s); i++)
		if (s.sh_flags & SHF_EXECINSTR && (!section || str_is(name_at(elf, &names, s.sh_name), section)))
			bytes += s.sh_size;
	return bytes / 8;
}

struct str artefact_section(struct str elf, const char *name)
{
	Elf64_Ehdr h;
	Elf64_Shdr s;
	unsigned index;
	const void *p;

	if (!find_section(elf, name, &h, &s, &index) || s.sh_type == SHT_NOBITS)
		return STR("");
	p = at(elf, s.sh_offset, s.sh_size);
	return p ? (struct str){p, s.sh_size} : STR("");
}

bool artefact_symbol(struct str elf, const char *section, struct str name, uint64_t *offset, uint64_t *size)
{
	Elf64_Ehdr h;
	Elf64_Shdr where, table, names;
	unsigned index, unused;
	uint64_t i;

	if (!find_section(elf, section, &h, &where, &index) || !find_section(elf, ".symtab", &h, &table, &unused) ||
	    !section_at(elf, &h, table.sh_link, &names))
		return false;
	for (i = 0; i < table.sh_size / sizeof(Elf64_Sym); i++) {
		const void *p = at(elf, table.sh_offset + i * sizeof(Elf64_Sym), sizeof(Elf64_Sym));
		Elf64_Sym sym;

		if (!p)
			return false;
		memcpy(&sym, p, sizeof(sym));
		if (sym.st_shndx != index || !str_eq(name_at(elf, &names, sym.st_name), name))
			continue;
		*offset = sym.st_value;
		*size = sym.st_size;
		return sym.st_value <= where.sh_size && sym.st_size <= where.sh_size - sym.st_value;
	}
	return false;
}
