/* Within the process that reads DWARF: dwarf_child.c (files, functions, lines) and dwarf_types.c (a function as BTF). */
#ifndef WT_DWARF_CHILD_H
#define WT_DWARF_CHILD_H

#include <elfutils/libdw.h>

#include "lang/support/str.h"
#include "lang/support/table.h"

struct dwarf_range { /* of code */
	uint64_t low, high;
	Dwarf_Die die; /* DW_TAG_subprogram */
};

struct dwarf_file {
	int fd; /* -1: free */
	uint64_t dev, ino, size, changed;
	uint64_t used; /* for giving up the one that was not asked for the longest */
	struct arena *arena;
	Dwarf *dw;
	struct dwarf_range *ranges; /* by `low` */
	int nranges;
	bool definitions_known;
	struct table definitions; /* s, u, e or t (typedef) and name -> Dwarf_Die, those of types that are not mere declarations */
};

/* Any attribute of a DIE or of what it was made from. */
bool die_attr(Dwarf_Die *die, unsigned name, Dwarf_Attribute *attr);
bool die_unsigned(Dwarf_Die *die, unsigned name, uint64_t *value);
struct str die_name(Dwarf_Die *die); /* empty: none */
bool die_type(Dwarf_Die *die, Dwarf_Die *type);
/* The definition of a type that is only declared where it is used; false when the file has none. */
bool dwarf_definition(struct dwarf_file *f, Dwarf_Die *declaration, Dwarf_Die *out);

/* The body of an answer to DWARF_ASK_FUNCTION.  NULL, or why not. */
const char *dwarf_tell_function(struct dwarf_file *f, Dwarf_Die *function, struct strbuf *out);
/* The same for a type: what a function without parameters returns. */
void dwarf_tell_type(struct dwarf_file *f, Dwarf_Die *type, struct strbuf *out);

/* What the process keeps.  Questions are answered into `out`; NULL, or why not.  Takes `fd` over.  (Apart from the process itself the
 * fuzzer asks.) */
struct dwarf_reader;
struct dwarf_request;
struct dwarf_reader *dwarf_reader_open(void); /* NULL: no memory */
const char *dwarf_reader_answer(struct dwarf_reader *r, const struct dwarf_request *request, struct str text, int fd, struct strbuf *out);
void dwarf_reader_close(struct dwarf_reader *r);

#endif
