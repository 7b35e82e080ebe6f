/* A function's types as BTF, and where the calling convention puts its parameters.  BTF because it is small, and because the other
 * side reads it already with care (btf.c, kernel_btf.c).  Types are taken from a list that grows as they name others, so that
 * nothing recurses; an entry's number in the list is its BTF id. */
#include "runtime/dwarf_child.h"

#include <dwarf.h>
#include <linux/btf.h>

#include "runtime/dwarf.h"

enum {
	MAX_TYPES = 20000,
	MAX_HOPS = 10,	     /* pointers followed from a parameter; what lies behind is only declared */
	MAX_MEMBERS = 16384,
	MAX_SIZE = 1 << 28,  /* bytes of a type */
	MAX_CHAIN = 64,	     /* typedefs of typedefs */
	KIND_FLOAT = 16,
	KIND_ENUM64 = 19,
};

struct entry {
	Dwarf_Die die;
	int dimension; /* of an array: this one and those behind it */
	int hops;
};

struct maker {
	struct dwarf_file *f;
	struct arena *arena;
	VEC(struct entry) todo; /* ids begin at 3: 1 and 2 are the function */
	struct table ids;	/* DIE and dimension -> id */
	struct strbuf types, strings;
	struct table texts; /* -> offset + 1 */
	int hops;	    /* of the entry being written */
};

enum { FIRST_ID = 3 };

/* ---- BTF -------------------------------------------------------------------------------------------------------------- */

static void put(struct strbuf *b, uint32_t word)
{
	strbuf_add(b, (struct str){(const char *)&word, sizeof(word)});
}

static uint32_t text_of(struct maker *m, struct str text)
{
	uintptr_t known;

	if (!text.n)
		return 0;
	if (text.n > 512)
		text.n = 512;
	known = (uintptr_t)table_get(&m->texts, text);
	if (!known) {
		known = m->strings.n + 1;
		table_put(&m->texts, text, (void *)known);
		strbuf_add(&m->strings, text);
		strbuf_addc(&m->strings, '\0');
	}
	return (uint32_t)known - 1;
}

static void put_type(struct maker *m, struct str name, uint32_t kind, uint32_t count, bool flag, uint32_t size_or_type)
{
	put(&m->types, text_of(m, name));
	put(&m->types, kind << 24 | count | (uint32_t)flag << 31);
	put(&m->types, size_or_type);
}

static uint32_t id_of_dimension(struct maker *m, Dwarf_Die *die, int dimension, int hops)
{
	struct {
		const void *at;
		uint64_t dimension;
	} key = {die->addr, (uint64_t)dimension};
	struct str text = {(const char *)&key, sizeof(key)};
	uintptr_t id = (uintptr_t)table_get(&m->ids, text);

	if (!id) {
		id = (uintptr_t)m->todo.n + FIRST_ID;
		table_put(&m->ids, text, (void *)id);
		VEC_PUSH(m->arena, &m->todo, (struct entry){*die, dimension, hops});
	}
	return (uint32_t)id;
}

/* The id of the type that a DIE has; 0, void, when it has none. */
static uint32_t id_of_type_of(struct maker *m, Dwarf_Die *die, int hops)
{
	Dwarf_Die type;

	if (!die_type(die, &type) || dwarf_tag(&type) == DW_TAG_unspecified_type || m->todo.n > 4 * MAX_TYPES)
		return 0;
	return id_of_dimension(m, &type, 0, hops);
}

static uint64_t size_of(Dwarf_Die *die)
{
	uint64_t size = 0;

	die_unsigned(die, DW_AT_byte_size, &size);
	return size > MAX_SIZE ? 0 : size;
}

static void put_base(struct maker *m, Dwarf_Die *die)
{
	uint64_t size = size_of(die), encoding = 0;
	uint32_t bits = 0;

	die_unsigned(die, DW_AT_encoding, &encoding);
	switch (encoding) {
	case DW_ATE_float:
	case DW_ATE_complex_float:
	case DW_ATE_imaginary_float:
	case DW_ATE_decimal_float:
		put_type(m, die_name(die), KIND_FLOAT, 0, false, (uint32_t)size);
		return;
	case DW_ATE_signed:
	case DW_ATE_signed_char:
		bits = BTF_INT_SIGNED << 24;
		break;
	case DW_ATE_boolean:
		bits = BTF_INT_BOOL << 24;
		break;
	}
	if (!size || size > 16)
		size = 1;
	put_type(m, die_name(die), BTF_KIND_INT, 0, false, (uint32_t)size);
	put(&m->types, bits | (uint32_t)size * 8);
}

/* ---- structs ------------------------------------------------------------------------------------------------------------ */

static bool member_offset(Dwarf_Die *die, uint64_t *bytes)
{
	Dwarf_Attribute attr;
	Dwarf_Word word;
	Dwarf_Op *ops;
	size_t n;

	*bytes = 0;
	if (!dwarf_attr(die, DW_AT_data_member_location, &attr))
		return true;
	if (!dwarf_formudata(&attr, &word)) {
		*bytes = word;
		return true;
	}
	if (dwarf_getlocation(&attr, &ops, &n) || n != 1 || ops[0].atom != DW_OP_plus_uconst)
		return false; /* a virtual base: where it is depends on the object */
	*bytes = ops[0].number;
	return true;
}

struct member {
	uint32_t name, type, bit, width;
};

static bool read_member(struct maker *m, Dwarf_Die *die, struct member *out)
{
	uint64_t bytes, bits, width = 0, storage;
	Dwarf_Die type;
	Dwarf_Attribute attr;

	/* Members that no object has: they are declarations (static ones, in C++). */
	if (dwarf_attr(die, DW_AT_external, &attr) || dwarf_attr(die, DW_AT_declaration, &attr) || !member_offset(die, &bytes))
		return false;
	if (bytes > MAX_SIZE / 8)
		return false;
	bits = bytes * 8;
	if (die_unsigned(die, DW_AT_bit_size, &width)) {
		uint64_t at;

		if (die_unsigned(die, DW_AT_data_bit_offset, &at))
			bits = at;
		else if (die_unsigned(die, DW_AT_bit_offset, &at)) { /* DWARF 3: counted from the other end of the storage */
			if (!die_unsigned(die, DW_AT_byte_size, &storage))
				storage = die_type(die, &type) ? size_of(&type) : 0;
			bits += storage * 8 - at - width;
		}
	}
	if (bits >= 1 << 24 || width > 64)
		return false; /* more than BTF can say */
	out->name = dwarf_tag(die) == DW_TAG_member ? text_of(m, die_name(die)) : 0;
	out->type = id_of_type_of(m, die, m->hops);
	out->bit = (uint32_t)bits;
	out->width = (uint32_t)width;
	return true;
}

static void put_struct(struct maker *m, Dwarf_Die *die)
{
	bool is_union = dwarf_tag(die) == DW_TAG_union_type, fields = false;
	VEC(struct member) members = {0};
	Dwarf_Attribute attr;
	Dwarf_Die child, definition;

	if (dwarf_attr(die, DW_AT_declaration, &attr) && dwarf_definition(m->f, die, &definition))
		die = &definition;
	if (m->hops > MAX_HOPS || m->todo.n > MAX_TYPES || dwarf_attr(die, DW_AT_declaration, &attr)) {
		put_type(m, die_name(die), BTF_KIND_FWD, 0, is_union, 0);
		return;
	}
	if (!dwarf_child(die, &child))
		do {
			int tag = dwarf_tag(&child);
			struct member one;

			if ((tag == DW_TAG_member || tag == DW_TAG_inheritance) && members.n < MAX_MEMBERS &&
			    read_member(m, &child, &one)) {
				VEC_PUSH(m->arena, &members, one);
				fields |= one.width > 0;
			}
		} while (!dwarf_siblingof(&child, &child));
	put_type(m, die_name(die), is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT, (uint32_t)members.n, fields, (uint32_t)size_of(die));
	VEC_EACH (one, &members) {
		put(&m->types, one->name);
		put(&m->types, one->type);
		put(&m->types, one->bit | (fields ? one->width << 24 : 0));
	}
}

static void put_enum(struct maker *m, Dwarf_Die *die)
{
	uint64_t size = size_of(die);
	VEC(struct { uint32_t name; int64_t value; }) values = {0};
	bool negative = false, wide = false;
	Dwarf_Die child;

	if (!dwarf_child(die, &child))
		do {
			Dwarf_Attribute attr;
			Dwarf_Sword value;

			if (dwarf_tag(&child) != DW_TAG_enumerator || values.n >= MAX_MEMBERS ||
			    !dwarf_attr(&child, DW_AT_const_value, &attr) || dwarf_formsdata(&attr, &value))
				continue;
			VEC_PUSH(m->arena, &values, (__typeof__(*values.at)){text_of(m, die_name(&child)), value});
			negative |= value < 0;
			wide |= value != (int32_t)value && (uint64_t)value != (uint32_t)value;
		} while (!dwarf_siblingof(&child, &child));
	if (size != 1 && size != 2 && size != 8)
		size = 4;
	put_type(m, die_name(die), wide ? KIND_ENUM64 : BTF_KIND_ENUM, (uint32_t)values.n, negative, (uint32_t)size);
	VEC_EACH (v, &values) {
		put(&m->types, v->name);
		put(&m->types, (uint32_t)v->value);
		if (wide)
			put(&m->types, (uint32_t)((uint64_t)v->value >> 32));
	}
}

/* ---- the rest ------------------------------------------------------------------------------------------------------------- */

static uint64_t elements_of(Dwarf_Die *range)
{
	uint64_t n = 0;

	if (!die_unsigned(range, DW_AT_count, &n) && die_unsigned(range, DW_AT_upper_bound, &n))
		n++; /* a C array's lower bound is 0 */
	return n > MAX_SIZE ? 0 : n;
}

/* int a[2][3] is one DIE with two ranges: an array of arrays in BTF. */
static void put_array(struct maker *m, struct entry *e)
{
	int seen = 0, more = 0;
	uint64_t elements = 0;
	uint32_t element;
	Dwarf_Die child;

	if (!dwarf_child(&e->die, &child))
		do {
			if (dwarf_tag(&child) != DW_TAG_subrange_type)
				continue;
			if (seen == e->dimension)
				elements = elements_of(&child);
			more = seen++ > e->dimension;
		} while (!dwarf_siblingof(&child, &child));
	element = more ? id_of_dimension(m, &e->die, e->dimension + 1, e->hops) : id_of_type_of(m, &e->die, e->hops);
	put_type(m, STR(""), BTF_KIND_ARRAY, 0, false, 0);
	put(&m->types, element);
	put(&m->types, 0); /* of the index: nobody asks */
	put(&m->types, (uint32_t)elements);
}

static void put_entry(struct maker *m, struct entry *e)
{
	Dwarf_Die *die = &e->die;

	m->hops = e->hops;
	switch (dwarf_tag(die)) {
	case DW_TAG_base_type:
		put_base(m, die);
		return;
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		put_type(m, STR(""), BTF_KIND_PTR, 0, false, id_of_type_of(m, die, e->hops + 1));
		return;
	case DW_TAG_const_type:
		put_type(m, STR(""), BTF_KIND_CONST, 0, false, id_of_type_of(m, die, e->hops));
		return;
	case DW_TAG_volatile_type:
	case DW_TAG_atomic_type:
		put_type(m, STR(""), BTF_KIND_VOLATILE, 0, false, id_of_type_of(m, die, e->hops));
		return;
	case DW_TAG_restrict_type:
		put_type(m, STR(""), BTF_KIND_RESTRICT, 0, false, id_of_type_of(m, die, e->hops));
		return;
	case DW_TAG_typedef:
	case DW_TAG_template_alias:
		put_type(m, die_name(die), BTF_KIND_TYPEDEF, 0, false, id_of_type_of(m, die, e->hops));
		return;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_interface_type:
	case DW_TAG_union_type:
		put_struct(m, die);
		return;
	case DW_TAG_enumeration_type:
		put_enum(m, die);
		return;
	case DW_TAG_array_type:
		put_array(m, e);
		return;
	case DW_TAG_subroutine_type:
		put_type(m, STR(""), BTF_KIND_FUNC_PROTO, 0, false, 0);
		return;
	case DW_TAG_ptr_to_member_type:
		put_type(m, STR("unsigned long"), BTF_KIND_INT, 0, false, 8);
		put(&m->types, 64);
		return;
	}
	put_type(m, die_name(die), BTF_KIND_STRUCT, 0, false, (uint32_t)size_of(die));
}

/* ---- where parameters are --------------------------------------------------------------------------------------------------- */

/* Words of struct pt_regs. */
#if defined(__x86_64__)
static const uint8_t argument_words[] = {14, 13, 12, 11, 9, 8};
static const uint8_t dwarf_words[] = {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0};
enum { STACK_START = 8 }; /* behind the return address */
#elif defined(__aarch64__)
static const uint8_t argument_words[] = {0, 1, 2, 3, 4, 5, 6, 7};
static const uint8_t dwarf_words[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
				      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
enum { STACK_START = 0 };
#endif

enum { ARGUMENT_REGISTERS = sizeof(argument_words), FLOAT_REGISTERS = 8 };

struct shape {
	uint64_t size;
	bool integer[2], floating[2]; /* what its first and second eight bytes hold */
	bool memory;		      /* goes over the stack whatever it holds */
	bool reference;		      /* its address is passed */
	bool aggregate;
};

static void classify(struct dwarf_file *f, Dwarf_Die *die, uint64_t at, struct shape *s, int depth)
{
	uint64_t convention = 0, encoding = 0, offset;
	Dwarf_Die type, child, copy;
	Dwarf_Attribute attr;
	uint64_t size;

	for (type = *die; depth < MAX_CHAIN; depth++) {
		int tag = dwarf_tag(&type);

		if (tag != DW_TAG_typedef && tag != DW_TAG_const_type && tag != DW_TAG_volatile_type && tag != DW_TAG_restrict_type &&
		    tag != DW_TAG_atomic_type)
			break;
		copy = type;
		if (!die_type(&copy, &type))
			return;
	}
	if (depth >= MAX_CHAIN)
		return;
	size = size_of(&type);
	switch (dwarf_tag(&type)) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		if (dwarf_attr(&type, DW_AT_declaration, &attr) && dwarf_definition(f, &type, &copy)) {
			type = copy;
			size = size_of(&type);
		}
		s->aggregate = true;
		if (die_unsigned(&type, DW_AT_calling_convention, &convention) && convention == DW_CC_pass_by_reference)
			s->reference = true;
		if (at + size > 16)
			s->memory = true;
		else if (!dwarf_child(&type, &child))
			do {
				int tag = dwarf_tag(&child);

				if ((tag == DW_TAG_member || tag == DW_TAG_inheritance) &&
				    !dwarf_attr(&child, DW_AT_external, &attr) && !dwarf_attr(&child, DW_AT_declaration, &attr) &&
				    member_offset(&child, &offset) && die_type(&child, &copy))
					classify(f, &copy, at + offset, s, depth + 1);
			} while (!dwarf_siblingof(&child, &child));
		break;
	case DW_TAG_array_type:
		/* Only inside of structs.  Elements of 16 bytes at most, so each eight bytes hold what the first element holds. */
		s->aggregate = true;
		copy = type;
		if (die_type(&copy, &type))
			for (offset = at; offset < 16; offset += 8)
				classify(f, &type, offset, s, depth + 1);
		return;
	case DW_TAG_base_type:
		die_unsigned(&type, DW_AT_encoding, &encoding);
		if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float) {
			if (size > 8)
				s->memory = true; /* long double */
			else if (at < 16)
				s->floating[at / 8] = true;
			break;
		}
		if (at < 16)
			s->integer[at / 8] = true;
		if (size > 8 && at == 0)
			s->integer[1] = true;
		break;
	case DW_TAG_unspecified_type:
		return;
	default: /* pointers, references, enums */
		if (!size)
			size = 8;
		if (at < 16)
			s->integer[at / 8] = true;
	}
	if (at + size > s->size)
		s->size = at + size;
}

struct convention {
	unsigned integers, floats, stack; /* registers and bytes taken */
};

static struct arg_place pass(struct convention *c, const struct shape *s)
{
	unsigned integers = 0, floats = 0, i;
	struct arg_place p = {ARG_NOWHERE, 0, 0};

	if (s->reference) {
		if (c->integers < ARGUMENT_REGISTERS)
			return (struct arg_place){ARG_REFERENCE, argument_words[c->integers++], 0};
		c->stack += 8;
		return p;
	}
	for (i = 0; i < 2; i++) {
		integers += s->integer[i];
		floats += !s->integer[i] && s->floating[i];
	}
	if (!s->memory && !integers && !floats)
		return p; /* an empty class, or unknown */
	if (s->memory || c->integers + integers > ARGUMENT_REGISTERS || c->floats + floats > FLOAT_REGISTERS) {
		p = (struct arg_place){ARG_STACK, 0, STACK_START + c->stack};
		c->stack += ((unsigned)(s->size > MAX_SIZE ? 0 : s->size) + 7) & ~7u;
		return p;
	}
	if (!floats && integers == 1)
		p = (struct arg_place){ARG_REGISTER, argument_words[c->integers], 0};
	else if (!floats)
		p = (struct arg_place){ARG_TWO_REGISTERS, argument_words[c->integers], argument_words[c->integers + 1]};
	c->integers += integers;
	c->floats += floats;
	return p;
}

static bool register_word(const Dwarf_Op *op, uint32_t *word)
{
	unsigned n = op->atom - DW_OP_reg0;

	if (op->atom < DW_OP_reg0 || n >= sizeof(dwarf_words))
		return false;
	*word = dwarf_words[n];
	return true;
}

/* Compilers say where a parameter is at the function's first instruction when they were free to choose (Rust, gcc's own copies of
 * functions).  Places in the frame do not count: it does not exist yet. */
static void believe_location(Dwarf_Die *param, uint64_t entry, struct arg_place *p)
{
	Dwarf_Attribute attr;
	size_t n[1];
	Dwarf_Op *ops[1];
	uint32_t a, b;

	if (!dwarf_attr(param, DW_AT_location, &attr) || dwarf_getlocation_addr(&attr, entry, ops, n, 1) != 1)
		return;
	if (n[0] == 1 && register_word(ops[0], &a))
		*p = (struct arg_place){p->where == ARG_REFERENCE ? ARG_REFERENCE : ARG_REGISTER, a, 0};
	else if (n[0] == 4 && register_word(&ops[0][0], &a) && register_word(&ops[0][2], &b) && ops[0][1].atom == DW_OP_piece &&
		 ops[0][1].number == 8 && ops[0][3].atom == DW_OP_piece)
		*p = (struct arg_place){ARG_TWO_REGISTERS, a, b};
	else if (n[0] == 1 && ops[0][0].atom >= DW_OP_reg16 && ops[0][0].atom <= DW_OP_reg31)
		*p = (struct arg_place){ARG_NOWHERE, 0, 0};
}

static struct maker maker_of(struct dwarf_file *f, struct arena *a)
{
	struct maker m = {.f = f, .arena = a, .ids = {.arena = a}, .texts = {.arena = a}, .types = {.arena = a}, .strings = {.arena = a}};

	strbuf_addc(&m.strings, '\0');
	return m;
}

/* The answer: places of the parameters, then all types; `list` has a name and a type for each parameter. */
static void tell(struct maker *m, struct str name, struct str places, struct str list, uint32_t result, struct strbuf *out)
{
	struct btf_header header = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(header)};
	uint32_t nparams = (uint32_t)(places.n / sizeof(struct arg_place));
	int i;

	put_type(m, name, BTF_KIND_FUNC, 0, false, 2);
	put_type(m, STR(""), BTF_KIND_FUNC_PROTO, nparams, false, result);
	strbuf_add(&m->types, list);
	for (i = 0; i < m->todo.n; i++) { /* the list grows and moves */
		struct entry e = m->todo.at[i];

		put_entry(m, &e);
	}
	put(out, nparams);
	strbuf_add(out, places);
	header.type_len = (uint32_t)m->types.n;
	header.str_off = header.type_len;
	header.str_len = (uint32_t)m->strings.n;
	strbuf_add(out, (struct str){(const char *)&header, sizeof(header)});
	strbuf_add(out, strbuf_str(&m->types));
	strbuf_add(out, strbuf_str(&m->strings));
}

void dwarf_tell_type(struct dwarf_file *f, Dwarf_Die *type, struct strbuf *out)
{
	struct maker m = maker_of(f, out->arena);
	uint32_t id = id_of_dimension(&m, type, 0, 0);

	tell(&m, STR("f"), STR(""), STR(""), id, out);
}

const char *dwarf_tell_function(struct dwarf_file *f, Dwarf_Die *function, struct strbuf *out)
{
	struct maker m = maker_of(f, out->arena);
	VEC(struct arg_place) params = {0};
	struct strbuf list = {.arena = out->arena};
	struct convention convention = {0};
	Dwarf_Addr entry = 0;
	Dwarf_Die child, type;
	uint32_t result;

	dwarf_entrypc(function, &entry);
	result = id_of_type_of(&m, function, 0);
	if (die_type(function, &type)) {
		struct shape s = {0};

		classify(f, &type, 0, &s, 0);
		convention.integers = s.reference || (s.memory && s.aggregate); /* where the result is to be put comes first */
	}
	if (!dwarf_child(function, &child))
		do {
			struct shape s = {0};
			struct arg_place p;

			if (dwarf_tag(&child) != DW_TAG_formal_parameter || params.n >= DWARF_MAX_PARAMS)
				continue;
			if (die_type(&child, &type))
				classify(f, &type, 0, &s, 0);
			p = pass(&convention, &s);
			believe_location(&child, entry, &p);
			VEC_PUSH(out->arena, &params, p);
			put(&list, text_of(&m, die_name(&child)));
			put(&list, id_of_type_of(&m, &child, 0));
		} while (!dwarf_siblingof(&child, &child));
	tell(&m, die_name(function).n ? die_name(function) : STR("f"),
	     (struct str){(const char *)params.at, sizeof(*params.at) * (size_t)params.n}, strbuf_str(&list), result, out);
	return NULL;
}
