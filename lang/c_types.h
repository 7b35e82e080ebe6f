/* Types of C as declared, with their sizes; turned into struct type when somebody asks.  Private to c_parse.c, c_layout.c and
 * c_defs.c.  (Types proper are interned with their size, so they cannot stand for a struct that is still being read.) */
#ifndef WT_C_TYPES_H
#define WT_C_TYPES_H

#include "lang/c_const.h"
#include "lang/c_defs.h"

enum c_type_kind { CT_VOID, CT_INT, CT_FLOAT, CT_POINTER, CT_ARRAY, CT_STRUCT, CT_ENUM, CT_FUNCTION, CT_KERNEL };

struct c_type;

struct c_member {
	struct str name; /* empty: anonymous struct or union, or a gap */
	const struct c_type *type;
	bool bitfield;
	uint32_t width;	 /* bitfield: bits */
	uint32_t align;	 /* __attribute__((aligned(N))), else 0 */
	bool packed;
	uint64_t bit;	 /* place, in bits from the start */
};

struct c_struct {
	struct str name;
	struct span span;
	bool is_union, packed, complete;
	bool open; /* its body is being read: a struct of the same tag inside would contain itself */
	uint32_t asked_align; /* aligned(N) of the whole */
	uint32_t pack;	      /* #pragma pack(N), 0: none */
	uint64_t size;
	uint32_t align;
	VEC(struct c_member) members;
	struct struct_decl *decl; /* made when first converted */
	struct c_defs *defs;
};

struct c_type {
	enum c_type_kind kind;
	uint64_t size;
	uint32_t align;
	bool is_signed;
	bool plain_char;	   /* char: arrays of it are text */
	const struct c_type *elem; /* pointer, array */
	uint64_t count;		   /* array */
	struct c_struct *st;
	struct enum_decl *enum_;   /* enum; NULL: only named so far */
	struct str tag;		   /* enum */
	const struct type *kernel; /* CT_KERNEL: from BTF */
};

struct c_constant {
	uint64_t value;
	const struct c_type *type;
};

struct c_defs {
	struct arena *arena;
	struct types *types;
	struct kernel *kernel;
	struct diag *diag;
	struct cpp *cpp;
	struct table structs, unions; /* tag -> struct c_struct */
	struct table enums;	      /* tag -> struct c_type */
	struct table typedefs;	      /* name -> struct c_type */
	struct table constants;	      /* name -> struct c_constant */
	VEC(struct str) missing;
	/* reading */
	struct c_cursor cursor;
	VEC(uint32_t) packs; /* #pragma pack(push), outermost first */
	uint32_t pack;	     /* the one in force */
	int depth;
};

/* c_parse.c: read all declarations of defs->cpp->out. */
void c_parse(struct c_defs *c);
/* The value of a whole list of tokens; false when they are no constant. */
bool c_parse_constant(struct c_defs *c, const c_tokens *tokens, int64_t *value, bool *is_unsigned);

/* c_layout.c: places of the members and size of the whole. */
void c_layout(struct c_struct *s);
const struct c_type *c_base_type(struct str name); /* "int", "char" ...; NULL when it is none */
const struct type *c_convert(struct c_defs *c, const struct c_type *t);

#endif
