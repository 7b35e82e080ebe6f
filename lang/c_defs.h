/* The C definitions of a script: structs, unions, enums, typedefs and #defines (language.md 7). */
#ifndef WT_C_DEFS_H
#define WT_C_DEFS_H

#include "lang/cpp.h"
#include "lang/type.h"

struct c_defs;

/* Read the C texts of `s` with what they include.  Types that they name but do not define are asked of `k`.  Errors are
 * reported; what could be read is there all the same. */
struct c_defs *c_defs_read(struct arena *a, struct types *t, const struct script *s, struct kernel *k,
			   const struct cpp_options *opt, struct diag *d);

/* A type that the script defined, by tag or (TAG_NONE) as a typedef.  NULL: ask the kernel. */
const struct type *c_defs_type(struct c_defs *c, enum type_tag tag, struct str name);

/* Types of one word that C, the kernel and scripts call by this name ("int", "size_t", "u32"): when the kernel does not know
 * them either. */
const struct type *c_defs_base_type(struct c_defs *c, struct str name);

/* A constant of an enum of the script: its type, NULL when there is none of that name. */
const struct type *c_defs_constant(struct c_defs *c, struct str name, uint64_t *value);

/* What an object-like #define stands for: an integer, or its body as an expression.  NULL: there is no #define of that name,
 * or (*unusable) its body is no expression.  A new tree each time. */
struct expr *c_defs_define(struct c_defs *c, struct str name, struct span *span, bool *unusable);

/* Is there a #define of that name that a script cannot use, as it has parameters or (*empty) nothing behind its name? */
bool c_defs_unusable(struct c_defs *c, struct str name, bool *empty);

/* Headers that were not found and were left to BTF; for a hint when a name is not known. */
int c_defs_missing(const struct c_defs *c, const struct str **names);

#endif
