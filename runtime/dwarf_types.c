/* A function's types as BTF: because it is small, and because the other side reads it already with care (btf.c, kernel_btf.c).  Types
 * are taken from a list that grows as they name others, so that nothing recurses; an entry's number in the list is its BTF id. */
#include "runtime/dwarf_child.h"

#include <dwarf.h>
#include <linux/btf.h>

#include "runtime/dwarf.h"

enum {
	MAX_TYPES = 20000,
	MAX_HOPS = 10,	     /* pointers followed from a parameter; what lies behind is only declared */
	MAX_MEMBERS = 16384,
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

uint64_t dwarf_size(Dwarf_Die *die)
{
	uint64_t size = 0;

	die_unsigned(die, DW_AT_byte_size, &size);
	return size > DWARF_MAX_SIZE ? 0 : size;
}

static void put_base(struct maker *m, Dwarf_Die *die)
{
	uint64_t size = dwarf_size(die), encoding = 0;
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

bool dwarf_member_offset(Dwarf_Die *die, uint64_t *bytes)
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
	if (dwarf_attr(die, DW_AT_external, &attr) || dwarf_attr(die, DW_AT_declaration, &attr) || !dwarf_member_offset(die, &bytes))
		return false;
	if (bytes > DWARF_MAX_SIZE / 8)
		return false;
	bits = bytes * 8;
	if (die_unsigned(die, DW_AT_bit_size, &width)) {
		uint64_t at;

		if (die_unsigned(die, DW_AT_data_bit_offset, &at))
			bits = at;
		else if (die_unsigned(die, DW_AT_bit_offset, &at)) { /* DWARF 3: counted from the other end of the storage */
			if (!die_unsigned(die, DW_AT_byte_size, &storage))
				storage = die_type(die, &type) ? dwarf_size(&type) : 0;
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
	put_type(m, die_name(die), is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT, (uint32_t)members.n, fields, (uint32_t)dwarf_size(die));
	VEC_EACH (one, &members) {
		put(&m->types, one->name);
		put(&m->types, one->type);
		put(&m->types, one->bit | (fields ? one->width << 24 : 0));
	}
}

static void put_enum(struct maker *m, Dwarf_Die *die)
{
	uint64_t size = dwarf_size(die);
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
	return n > DWARF_MAX_SIZE ? 0 : n;
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
	put_type(m, die_name(die), BTF_KIND_STRUCT, 0, false, (uint32_t)dwarf_size(die));
}

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

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

/* Parameters as an answer lists them. */
struct parameters {
	struct maker *m;
	VEC(struct arg_place) places;
	struct strbuf list; /* name and type of each */
};

static void add_parameter(struct parameters *p, Dwarf_Die *param, struct arg_place place)
{
	VEC_PUSH(p->m->arena, &p->places, place);
	put(&p->list, text_of(p->m, die_name(param)));
	put(&p->list, id_of_type_of(p->m, param, 0));
}

/* The next parameter from *die on, which is stepped; false: no more. */
static bool next_parameter(Dwarf_Die *parent, Dwarf_Die *die, bool first)
{
	int end = first ? dwarf_child(parent, die) : dwarf_siblingof(die, die);

	while (!end && dwarf_tag(die) != DW_TAG_formal_parameter)
		end = dwarf_siblingof(die, die);
	return !end;
}

static void add_at_entry(struct parameters *p, const struct code_place *at)
{
	struct convention convention;
	Dwarf_Die param;
	bool more;

	dwarf_convention(at->file, at->scope, &convention);
	for (more = next_parameter(at->scope, &param, true); more && p->places.n < DWARF_MAX_PARAMS;
	     more = next_parameter(at->scope, &param, false))
		add_parameter(p, &param, dwarf_place_at_entry(at->file, &convention, &param, at->address));
}

/* The copy of a parameter in an inlined function. */
static bool copy_of(Dwarf_Die *scope, Dwarf_Die *original, Dwarf_Die *copy)
{
	Dwarf_Attribute attr;
	Dwarf_Die origin;
	bool more;

	for (more = next_parameter(scope, copy, true); more; more = next_parameter(scope, copy, false))
		if (dwarf_attr(copy, DW_AT_abstract_origin, &attr) && dwarf_formref_die(&attr, &origin) &&
		    dwarf_dieoffset(&origin) == dwarf_dieoffset(original))
			return true;
	return false;
}

/* A function that is compiled into several places lists its parameters once; those that a copy has lost are missing there. */
static void add_inside(struct parameters *p, const struct code_place *at)
{
	Dwarf_Die original = *at->scope, param, copy;
	Dwarf_Attribute attr;
	bool has_original = dwarf_attr(at->scope, DW_AT_abstract_origin, &attr) && dwarf_formref_die(&attr, &original), more;

	for (more = next_parameter(&original, &param, true); more && p->places.n < DWARF_MAX_PARAMS;
	     more = next_parameter(&original, &param, false)) {
		struct arg_place lost = {ARG_NOWHERE, ABSENT_OPTIMISED, 0};

		if (!has_original)
			add_parameter(p, &param, dwarf_place_inside(at, &param));
		else
			add_parameter(p, &param, copy_of(at->scope, &param, &copy) ? dwarf_place_inside(at, &copy) : lost);
	}
}

void dwarf_tell_function(const struct code_place *at, struct strbuf *out)
{
	struct maker m = maker_of(at->file, out->arena);
	struct parameters p = {.m = &m, .list = {.arena = out->arena}};
	Dwarf_Addr entry = 0;
	uint32_t result;

	result = id_of_type_of(&m, at->scope, 0);
	if (at->scope == at->function && !dwarf_entrypc(at->function, &entry) && entry == at->address)
		add_at_entry(&p, at);
	else
		add_inside(&p, at);
	tell(&m, die_name(at->scope).n ? die_name(at->scope) : STR("f"),
	     (struct str){(const char *)p.places.at, sizeof(*p.places.at) * (size_t)p.places.n}, strbuf_str(&p.list), result, out);
}
