/* Within the process that reads DWARF: dwarf_child.c (files, functions, lines), dwarf_types.c (a function as BTF) and dwarf_params.c
 * (where its parameters are). */
#ifndef WT_DWARF_CHILD_H
#define WT_DWARF_CHILD_H

#include <elfutils/libdw.h>

#include "lang/support/str.h"
#include "lang/support/table.h"
#include "lang/type.h"

enum { DWARF_MAX_SIZE = 1 << 28 }; /* bytes of a type */

struct dwarf_range { /* of code */
	uint64_t low, high;
	Dwarf_Die die; /* DW_TAG_subprogram */
};

struct dwarf_file {
	int fd; /* -1: free */
	uint64_t dev, ino, size, changed;
	uint64_t used; /* for giving up the one that was not asked for the longest */
	struct arena *arena;
	Dwarf *dw;     /* NULL: it has no debug information */
	Elf *elf;      /* opened for its unwind tables alone */
	Dwarf_CFI *cfi; /* of .eh_frame */
	bool cfi_known;
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
uint64_t dwarf_size(Dwarf_Die *type);
/* Where a member begins in its struct; false when that depends on the object. */
bool dwarf_member_offset(Dwarf_Die *die, uint64_t *bytes);
/* The definition of a type that is only declared where it is used; false when the file has none. */
bool dwarf_definition(struct dwarf_file *f, Dwarf_Die *declaration, Dwarf_Die *out);

/* The tables by which the frames of a program are unwound; NULL: it has none. */
Dwarf_CFI *dwarf_unwind_tables(struct dwarf_file *f);

/* A place in a function. */
struct code_place {
	struct dwarf_file *file, *image; /* what has the debug information, and what has the code (often the same) */
	uint64_t address;
	Dwarf_Die *function; /* whose frame it is */
	Dwarf_Die *scope;    /* whose parameters are asked for: the function, or one that is inlined into it */
};

/* The body of an answer to DWARF_ASK_FUNCTION. */
void dwarf_tell_function(const struct code_place *at, struct strbuf *out);
/* The same for a type: what a function without parameters returns. */
void dwarf_tell_type(struct dwarf_file *f, Dwarf_Die *type, struct strbuf *out);

/* ---- dwarf_params.c ---- */

struct convention {
	unsigned integers, floats, stack; /* registers and bytes taken */
};

/* What a function's result takes before its parameters come. */
void dwarf_convention(struct dwarf_file *f, Dwarf_Die *function, struct convention *c);
/* Where the next parameter is at the first instruction. */
struct arg_place dwarf_place_at_entry(struct dwarf_file *f, struct convention *c, Dwarf_Die *param, uint64_t entry);
/* Where a parameter is at any other one. */
struct arg_place dwarf_place_inside(const struct code_place *at, Dwarf_Die *param);

/* ---- dwarf_child.c ---- */

/* What the process keeps.  Questions are answered into `out`; NULL, or why not.  Takes `fds` over: the
 * file with the debug information, and the program itself where that is another one (else -1).  (Apart from the process itself the
 * fuzzer asks.) */
struct dwarf_reader;
struct dwarf_request;
struct dwarf_reader *dwarf_reader_open(void); /* NULL: no memory */
const char *dwarf_reader_answer(struct dwarf_reader *r, const struct dwarf_request *request, struct str text, const int fds[2],
				struct strbuf *out);
void dwarf_reader_close(struct dwarf_reader *r);

#endif
