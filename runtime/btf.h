/* Reading BTF: the kernel's description of its own types (Documentation/bpf/btf.rst, include/uapi/linux/btf.h).
 * Own reader instead of libbpf's: the blob is mapped where the kernel allows it (6.16 on), every access is checked, and the
 * only index is an offset and a link per type, so that asking for one name costs about a millisecond and 1.5 MB. */
#ifndef WT_BTF_H
#define WT_BTF_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>

#include "lang/support/arena.h"
#include "lang/support/str.h"

/* One blob: vmlinux, or a module whose ids and strings go on where its base's end. */
struct btf_file {
	struct str name; /* "vmlinux" or the module's name */
	const struct btf_file *base;
	const uint8_t *data;
	size_t size;
	bool mapped;	  /* munmap, else free */
	bool borrowed;	  /* data belongs to the caller */
	bool user;	  /* types of a program, from its DWARF */
	const uint8_t *types;
	uint32_t types_len;
	const char *strings; /* ends with NUL */
	uint32_t strings_len;
	uint32_t first_id, end_id;	 /* own types: [first_id, end_id); 0 is void */
	uint32_t first_string;		 /* offset of strings[0] */
	uint32_t *offsets;		 /* own type i: offset into types */
	uint32_t *next;			 /* own type i: next of equal hash, id + 1 of own numbering, 0 ends */
	uint32_t *heads;		 /* by hash of name_off */
	struct btf_texts *texts;	 /* how its strings are found */
	uint32_t *enums, nenums;	 /* ids of all enums, made when first asked for */
	bool signs_known;		 /* some enum is marked signed, so that the others are not */
};

/* Kinds to look for. */
#define BTF_MASK(kind) (1u << (kind))
#define BTF_MASK_ENUM (BTF_MASK(BTF_KIND_ENUM) | BTF_MASK(BTF_KIND_ENUM64))

/* Map or read a BTF file, a raw blob or an ELF file with a .BTF section.  NULL and *err (positive errno) when it cannot be
 * read, *why when it is damaged.  `base`: NULL for vmlinux.  The name is copied into `a`; close with btf_close(). */
struct btf_file *btf_open(struct arena *a, const char *path, struct str name, const struct btf_file *base, int *err,
			  const char **why);
/* The same over bytes that stay the caller's. */
struct btf_file *btf_parse(struct arena *a, const void *bytes, size_t size, struct str name, const struct btf_file *base,
			   const char **why);
void btf_close(struct btf_file *f); /* NULL is allowed */

/* Does all that its types refer to exist, and do chains of typedefs end?  For readers that do not look.  (btf_check.c) */
bool btf_is_sound(const struct btf_file *f);

/* Type `id`, of this file or its base; void (kind 0) for 0 and for ids that do not exist.  The whole variable part is known
 * to lie inside the blob. */
const struct btf_type *btf_type_at(const struct btf_file *f, uint32_t id);
/* Text at a string offset; empty when it is out of range. */
struct str btf_text(const struct btf_file *f, uint32_t off);
static inline struct str btf_name(const struct btf_file *f, const struct btf_type *t)
{
	return btf_text(f, t->name_off);
}

/* First own type of this name among kinds in `mask`; 0 when there is none. */
uint32_t btf_find(const struct btf_file *f, struct str name, uint32_t mask);
/* Call fn for each own type of a kind in `mask` whose name starts with `prefix`.  Stops at false. */
typedef bool (*btf_each_fn)(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg);
void btf_each_prefix(const struct btf_file *f, struct str prefix, uint32_t mask, btf_each_fn fn, void *arg);
/* The same for all own types of a kind in `mask`, in order of ids. */
void btf_each(const struct btf_file *f, uint32_t mask, btf_each_fn fn, void *arg);
/* Enum that has the constant `name`, and its value; 0 when there is none. */
uint32_t btf_find_enumerator(struct btf_file *f, struct str name, uint64_t *value);

/* Is an enum signed?  btf_enum_value() widens constant `i` accordingly and gives its name. */
bool btf_enum_is_signed(struct btf_file *f, const struct btf_type *t);
uint64_t btf_enum_value(const struct btf_type *t, uint32_t i, bool is_signed, uint32_t *name_off);

/* Without typedefs, const, volatile, restrict and tags; *typedef_name is the outermost typedef's name (else unchanged),
 * *user is set when a tag `user` was passed.  Both may be NULL. */
uint32_t btf_strip(const struct btf_file *f, uint32_t id, struct str *typedef_name, bool *user);
/* Bytes of a type; 0 when it has none.  Loops and overflows end as 0. */
uint32_t btf_size(const struct btf_file *f, uint32_t id);

static inline int btf_kind_of(const struct btf_type *t)
{
	return BTF_INFO_KIND(t->info);
}

/* The variable part of a type. */
static inline const void *btf_tail(const struct btf_type *t)
{
	return t + 1;
}

/* C text of a declaration: "struct task_struct *p", or with `spaced` stars as tracepoint formats have it: "char * p".
 * (btf_print.c) */
void btf_print_decl(struct strbuf *b, const struct btf_file *f, uint32_t id, struct str name, bool spaced);
/* Definition of a struct, union or enum, as in `struct list_head {\n\t...\n}`.  No semicolon behind it. */
void btf_print_definition(struct strbuf *b, const struct btf_file *f, uint32_t id, int indent);

#endif
