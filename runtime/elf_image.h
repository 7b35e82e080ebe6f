/* ELF files of traced programs: symbols, segments, build id, notes.  The files are hostile: anybody may have written them, and
 * they may change while they are read.  So nothing is mapped (a truncated mapping kills), every part is copied with its bounds
 * checked, sizes are limited, and only regular files are opened. */
#ifndef WT_ELF_IMAGE_H
#define WT_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/support/arena.h"
#include "lang/support/str.h"
#include "lang/support/vec.h"

enum { BUILD_ID_MAX = 20 };

struct elf_segment {
	uint64_t offset, address, file_size, memory_size;
	bool executable;
};

struct elf_symbol {
	uint64_t address; /* as linked */
	uint64_t size;	  /* bytes, 0 unknown */
	uint32_t name;	  /* offset into the image's names */
	uint8_t rank;	  /* of several at one address the highest is shown: global before weak before local before name@VERSION */
	bool indirect;	  /* STT_GNU_IFUNC: the address is that of a chooser */
};

struct elf_section {
	uint32_t name, type;
	uint64_t flags, address, offset, size, link, entry_size;
};

struct elf_image {
	int fd;			/* -1 once closed or for memory */
	int debug_fd;		/* the owner's, closed with the image: see elf_debug_fd(); -1 */
	const uint8_t *memory;	/* instead of a file; the caller's */
	uint64_t size;		/* bytes of the file */
	uint64_t dev, ino;
	bool is64, is_executable_type; /* ET_EXEC: linked to a fixed address */
	uint16_t machine;
	struct elf_segment *segments;
	int nsegments;
	struct elf_section *sections;
	int nsections;
	char *section_names;
	size_t section_names_size;
	uint8_t build_id[BUILD_ID_MAX];
	int build_id_size; /* 0: none */
	/* Functions by address; filled by elf_load_symbols(). */
	bool symbols_loaded, has_symtab;
	struct elf_symbol *symbols;
	int nsymbols;
	char *names; /* NUL-terminated texts */
	size_t names_size;
};

/* Open a file and read its headers.  NULL, *err (positive errno) and, for what is no usable ELF file, *why. */
struct elf_image *elf_image_open(const char *path, int *err, const char **why);
/* The same over bytes of our own memory (the vdso, tests). */
struct elf_image *elf_image_memory(const void *bytes, size_t size, const char **why);
void elf_image_close(struct elf_image *e); /* NULL is allowed */

/* Copy `n` bytes at a file offset; false when they are not all there. */
bool elf_read(const struct elf_image *e, uint64_t offset, void *to, size_t n);
/* A section by name; NULL when there is none. */
const struct elf_section *elf_section(const struct elf_image *e, const char *name);
/* Its bytes, malloc'd and followed by a NUL; NULL when it is empty, larger than `most` or not in the file. */
uint8_t *elf_section_bytes(const struct elf_image *e, const struct elf_section *s, size_t most, size_t *n);

/* Read the symbols of .symtab and .dynsym, and those of a separate debug file when there is no .symtab: `debug_dirs` is
 * --debuginfo's list or NULL, `path` where the image was found (NULL: no search).  Sorted by address.  False when there is
 * nothing at all. */
bool elf_load_symbols(struct elf_image *e, const char *path, const char *debug_dirs);
static inline const char *elf_symbol_name(const struct elf_image *e, const struct elf_symbol *s)
{
	return e->names + s->name;
}
/* Symbols at exactly this name, first one; NULL.  With `from` the one after it. */
const struct elf_symbol *elf_find_symbol(const struct elf_image *e, struct str name, const struct elf_symbol *from);
/* The symbol that holds a linked address; NULL.  A symbol without a size reaches to the next one. */
const struct elf_symbol *elf_symbol_at(const struct elf_image *e, uint64_t address);

/* A new descriptor of the file that has DWARF: the image's own or its separate debug file; -1 when there is none. */
int elf_debug_fd(const struct elf_image *e, const char *path, const char *debug_dirs);

/* Linked address of a variable, and its bytes (0 unknown); false when no symbol table has it. */
bool elf_find_data(const struct elf_image *e, struct str name, uint64_t *address, uint64_t *size);
/* What .gnu_debugdata unpacks to, to be freed; NULL when there is none or it is damaged or too large.  (elf_minidebug.c) */
uint8_t *elf_unpack_minidebug(const struct elf_image *e, size_t *size);

/* Linked address <-> offset in the file, by the segments.  False when no segment has it. */
bool elf_address_to_offset(const struct elf_image *e, uint64_t address, uint64_t *offset);
bool elf_offset_to_address(const struct elf_image *e, uint64_t offset, uint64_t *address);

/* Notes of a section: calls fn with owner, type and bytes.  Stops at false. */
typedef bool (*elf_note_fn)(struct str owner, uint32_t type, const uint8_t *bytes, size_t n, void *arg);
void elf_each_note(const struct elf_image *e, const struct elf_section *s, elf_note_fn fn, void *arg);

/* A C++ or Rust name readable, in `a`; NULL when it is neither. */
const char *demangle(struct arena *a, const char *name);

#endif
