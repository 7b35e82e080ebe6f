/* Functions over memory, names, addresses and times: language.md 14.2 and 14.3. */
#include <sys/socket.h>

#include "lang/check.h"

static void bad_argument(struct checker *c, struct expr *e, const char *wanted, const struct type *t)
{
	FAIL(c, e, DIAG_ARG_TYPE, str_c(c->arena, e->call.name), wanted, STR_ARG(type_name(c->arena, t)));
}

/* Check the arguments; false when one has failed. */
static bool check_arguments(struct checker *c, struct expr *e)
{
	int i;

	for (i = 0; i < e->call.args.n; i++) {
		check_expr(c, e->call.args.at[i]);
		read_aggregate(c, &e->call.args.at[i]);
		if (failed(e->call.args.at[i]->type)) {
			expr_fail(c, e);
			return false;
		}
	}
	return true;
}

/* An integer that stands for an address becomes a pointer in the address space of the probe. */
static void address_argument(struct checker *c, struct expr **a)
{
	const struct type *t = (*a)->type;

	if (type_is_integer(t))
		cast_to(c, a, type_ptr(c->types, c->types->s8, t->as == AS_NONE ? space_here(c) : t->as));
}

static bool is_bytes(const struct type *t)
{
	return t->kind == TYPE_STRING || t->kind == TYPE_ARRAY || t->kind == TYPE_STRUCT;
}

/* buf(p, len): len may be left out for what has a size. */
static void check_buf(struct checker *c, struct expr *e)
{
	uint64_t cap = c->program->config.max_strlen > 4 ? c->program->config.max_strlen - 4 : 1;
	struct expr **len = e->call.args.n > 1 ? &e->call.args.at[1] : NULL;
	const struct type *t;

	if (!check_arguments(c, e))
		return;
	member_itself(&e->call.args.at[0]);
	t = e->call.args.at[0]->type;
	if (!type_is_integer(t) && t->kind != TYPE_PTR && !is_bytes(t)) {
		bad_argument(c, e, "an address, a string or an array", t);
		return;
	}
	if (!len && t->kind != TYPE_ARRAY) {
		FAIL(c, e, DIAG_BUF_LENGTH, STR_ARG(type_name(c->arena, t)));
		return;
	}
	if (len && (!need_integer(c, len, "the length of buf()") || is_negative(c, *len, "the length of buf()"))) {
		expr_fail(c, e);
		return;
	}
	if (is_bytes(t) && t->size < cap)
		cap = t->size;
	if (len && (*len)->kind == EXPR_INT && (*len)->integer.value < cap)
		cap = (*len)->integer.value;
	if (len)
		cast_to(c, len, c->types->u64);
	address_argument(c, &e->call.args.at[0]);
	e->type = type_buffer(c->types, cap ? (uint32_t)cap : 1);
}

static void check_strncmp(struct checker *c, struct expr *e)
{
	uint64_t n;
	int i;

	if (!check_arguments(c, e))
		return;
	for (i = 0; i < 2; i++)
		if (e->call.args.at[i]->type->kind != TYPE_STRING) {
			bad_argument(c, e, "two strings and a length", e->call.args.at[i]->type);
			return;
		}
	if (!literal_int(c, e->call.args.at[2], "strncmp", &n) || is_negative(c, e->call.args.at[2], "the length of strncmp()")) {
		expr_fail(c, e);
		return;
	}
	e->call.number = n > INT32_MAX ? INT32_MAX : (int)n;
	e->type = c->types->u64;
}

/* Up to NEEDLE_SHORT bytes are compared at once by codegen/emit_search.c; for more each byte is a step or two that the verifier follows. */
enum { NEEDLE_SHORT = 64, SEARCH_MAX = 1024 };

/* Bytes that are looked for at once: no more than the text searched can hold. */
static uint32_t longest_needle(const struct expr *call)
{
	const struct expr *in = call->call.args.at[0], *what = call->call.args.at[1];
	struct str rest = what->string.text;
	uint32_t longest = 0;

	if (what->kind != EXPR_STRING)
		return what->type->size < in->type->size ? what->type->size : in->type->size;
	while (rest.n) {
		size_t n = call->call.builtin == BUILTIN_glob ? str_find(rest, '*') : rest.n;

		if (n > longest)
			longest = (uint32_t)n;
		rest = str_sub(rest, n + 1, rest.n);
	}
	return longest;
}

static bool search_feasible(struct checker *c, struct expr *e)
{
	const struct expr *what = e->call.args.at[1];
	uint32_t size = e->call.args.at[0]->type->size;

	if (what->kind != EXPR_STRING && what->type->size > size)
		size = what->type->size;
	if (size <= SEARCH_MAX || longest_needle(e) <= NEEDLE_SHORT)
		return true;
	FAIL(c, e, DIAG_NEEDLE, builtin_row(e->call.builtin)->name, longest_needle(e), size);
	diag_hint(c->diag, "it looks for up to %d bytes in any text, and for more in texts of up to %d", NEEDLE_SHORT, SEARCH_MAX);
	return false;
}

/* strstr, strcontains, strcasecmp, glob: two strings; the pattern of glob() is a literal. */
static void check_two_strings(struct checker *c, struct expr *e)
{
	struct str pattern;
	int i;

	if (!check_arguments(c, e))
		return;
	for (i = 0; i < 2; i++)
		if (e->call.args.at[i]->type->kind != TYPE_STRING) {
			bad_argument(c, e, "two strings", e->call.args.at[i]->type);
			return;
		}
	if (e->call.builtin == BUILTIN_glob && !literal_string(c, e->call.args.at[1], "glob", &pattern)) {
		expr_fail(c, e);
		return;
	}
	if (e->call.builtin != BUILTIN_strcasecmp && !search_feasible(c, e))
		return;
	e->type = e->call.builtin == BUILTIN_strstr ? c->types->s64
		: e->call.builtin == BUILTIN_strcasecmp ? c->types->u64
							: c->types->boolean;
}

static void check_str_concat(struct checker *c, struct expr *e)
{
	uint32_t size = 0;
	int i;

	if (!check_arguments(c, e))
		return;
	for (i = 0; i < 2; i++) {
		const struct type *t = e->call.args.at[i]->type;

		if (t->kind != TYPE_STRING) {
			bad_argument(c, e, "two strings", t);
			return;
		}
		size += t->size;
	}
	if (e->call.args.at[0]->kind == EXPR_STRING && e->call.args.at[1]->kind == EXPR_STRING) {
		fold_to_string(c, e, str_printf(c->arena, "%.*s%.*s", STR_ARG(e->call.args.at[0]->string.text),
						STR_ARG(e->call.args.at[1]->string.text)));
		return;
	}
	if (size - 1 > c->program->config.max_strlen)
		size = (uint32_t)c->program->config.max_strlen + 1;
	e->type = type_string(c->types, size - 1);
}

/* memcmp(a, b, n): no more bytes than either has. */
static void check_memcmp(struct checker *c, struct expr *e)
{
	uint64_t most = c->program->config.max_strlen;
	int i;

	if (!check_arguments(c, e))
		return;
	for (i = 0; i < 2; i++) {
		const struct type *t;

		member_itself(&e->call.args.at[i]);
		t = e->call.args.at[i]->type;
		if (!is_bytes(t) && t->kind != TYPE_PTR && !type_is_integer(t)) {
			bad_argument(c, e, "strings, arrays or addresses", t);
			return;
		}
		address_argument(c, &e->call.args.at[i]);
		if (is_bytes(t) && t->size < most)
			most = t->size;
	}
	if (!need_integer(c, &e->call.args.at[2], "the length of memcmp()")) {
		expr_fail(c, e);
		return;
	}
	if (e->call.args.at[2]->kind == EXPR_INT) {
		if (e->call.args.at[2]->integer.value > most) {
			FAIL(c, e->call.args.at[2], DIAG_MEMCMP_LENGTH, most, e->call.args.at[2]->integer.value);
			expr_fail(c, e);
			return;
		}
		most = e->call.args.at[2]->integer.value;
	}
	cast_to(c, &e->call.args.at[2], c->types->u64);
	e->call.number = (int)most;
	e->type = c->types->s64;
}

/* debugf(): what the kernel's own printf takes. */
static void check_debugf(struct checker *c, struct expr *e)
{
	struct str text, bad = {0};
	int i = 1, p;

	e->type = c->types->none;
	if (!literal_string(c, e->call.args.at[0], "debugf", &text) || !check_arguments(c, e))
		return;
	e->call.format = format_parse(c->arena, text, &bad);
	for (p = 0; e->call.format && p < e->call.format->pieces.n; p++) {
		const struct format_piece *piece = &e->call.format->pieces.at[p];

		if (piece->conv != CONV_TEXT && piece->conv != CONV_SIGNED && piece->conv != CONV_UNSIGNED &&
		    piece->conv != CONV_HEX && piece->conv != CONV_POINTER && piece->conv != CONV_STRING)
			bad = piece->text;
	}
	if (bad.n) {
		FAIL(c, e->call.args.at[0], DIAG_DEBUGF_FORMAT, STR_ARG(bad));
		return;
	}
	if (e->call.args.n - 1 != e->call.format->nvalues) {
		FAIL(c, e, DIAG_FORMAT_COUNT, e->call.format->nvalues, e->call.args.n - 1);
		return;
	}
	for (p = 0; p < e->call.format->pieces.n; p++) {
		const struct format_piece *piece = &e->call.format->pieces.at[p];
		const struct type *t;

		if (piece->conv == CONV_TEXT)
			continue;
		t = e->call.args.at[i]->type;
		if (piece->conv == CONV_STRING ? t->kind != TYPE_STRING : !type_is_integer(t) && t->kind != TYPE_PTR) {
			FAIL(c, e->call.args.at[i], DIAG_FORMAT_TYPE, STR_ARG(piece->text), STR_ARG(type_name(c->arena, t)));
			return;
		}
		i++;
	}
	diag_add(c->diag, e->span, DIAG_DEBUGF);
}

/* ntop(addr), ntop(family, addr) */
static void check_ntop(struct checker *c, struct expr *e)
{
	int last = e->call.args.n - 1;
	const struct expr *family = e->call.args.at[0];
	const struct type *t;

	if (!check_arguments(c, e))
		return;
	if (last && family->kind == EXPR_INT && family->integer.value != AF_INET && family->integer.value != AF_INET6) {
		FAIL(c, e, DIAG_FAMILY, family->integer.value);
		diag_hint(c->diag, "AF_INET is %d, AF_INET6 is %d", AF_INET, AF_INET6);
		return;
	}
	member_itself(&e->call.args.at[last]);
	t = e->call.args.at[last]->type;
	if (last && !need_integer(c, &e->call.args.at[0], "the family of ntop()")) {
		expr_fail(c, e);
		return;
	}
	if (type_is_integer(t))
		cast_to(c, &e->call.args.at[last], c->types->u64);
	else if (!is_bytes(t) || (t->size != 4 && t->size != 16)) {
		bad_argument(c, e, "an address of 4 or 16 bytes", t);
		return;
	}
	if (last)
		cast_to(c, &e->call.args.at[0], c->types->u64);
	e->type = type_plain(c->types, TYPE_INET);
}

/* The port goes where an address alone has zeros: see TYPE_INET. */
static void check_endpoint(struct checker *c, struct expr *e)
{
	const struct type *t;

	if (!check_arguments(c, e))
		return;
	t = e->call.args.at[0]->type;
	if (t->kind != TYPE_INET) {
		bad_argument(c, e, "an address, as of ntop()", t);
		return;
	}
	if (!need_integer(c, &e->call.args.at[1], "the port of endpoint()")) {
		expr_fail(c, e);
		return;
	}
	cast_to(c, &e->call.args.at[1], type_int(c->types, 2, false));
	e->type = t;
}

static void check_macaddr(struct checker *c, struct expr *e)
{
	const struct type *t;

	if (!check_arguments(c, e))
		return;
	member_itself(&e->call.args.at[0]);
	t = e->call.args.at[0]->type;
	if (!type_is_integer(t) && t->kind != TYPE_PTR && (!is_bytes(t) || t->size < 6)) {
		bad_argument(c, e, "an address or 6 bytes", t);
		return;
	}
	address_argument(c, &e->call.args.at[0]);
	e->type = type_plain(c->types, TYPE_MAC);
}

static void check_cgroup_path(struct checker *c, struct expr *e)
{
	struct str filter = {"", 0};

	check_expr(c, e->call.args.at[0]);
	if (!need_integer(c, &e->call.args.at[0], "the id of cgroup_path()") ||
	    (e->call.args.n > 1 && !literal_string(c, e->call.args.at[1], "cgroup_path", &filter))) {
		expr_fail(c, e);
		return;
	}
	cast_to(c, &e->call.args.at[0], c->types->u64);
	e->type = type_cgroup_path(c->types, filter);
}

int clock_of(const struct expr *x)
{
	while (x->kind == EXPR_CAST)
		x = x->cast.e;
	if (x->kind == EXPR_VAR && x->var.var)
		return ((const struct var_state *)(const void *)x->var.var)->clock;
	if (x->kind == EXPR_MAP && x->map.map)
		return ((const struct map_state *)(const void *)x->map.map)->clock;
	if (x->kind != EXPR_CALL || x->call.builtin != BUILTIN_nsecs)
		return 0;
	return x->call.number == 1 ? -1 : x->call.number == 2 ? 1 : x->call.number == 3 ? 2 : 0;
}

static void check_strftime(struct checker *c, struct expr *e)
{
	struct expr **ns = &e->call.args.at[1];
	struct str format;

	if (!literal_string(c, e->call.args.at[0], "strftime", &format)) {
		expr_fail(c, e);
		return;
	}
	check_expr(c, *ns);
	if (!need_integer(c, ns, "the time of strftime()")) {
		expr_fail(c, e);
		return;
	}
	if (clock_of(*ns) < 0) {
		FAIL(c, e, DIAG_STRFTIME_CLOCK);
		diag_hint(c->diag, "use nsecs, nsecs(boot) or nsecs(tai)");
		return;
	}
	if (is_negative(c, *ns, "a time")) {
		expr_fail(c, e);
		return;
	}
	e->type = type_timestamp(c->types, format, clock_of(*ns));
	cast_to(c, ns, c->types->u64);
}

static void check_bswap(struct checker *c, struct expr *e)
{
	const struct type *t;

	check_expr(c, e->call.args.at[0]);
	if (!need_integer(c, &e->call.args.at[0], "the argument of bswap()")) {
		expr_fail(c, e);
		return;
	}
	t = e->call.args.at[0]->type;
	e->type = type_int(c->types, t->size, false);
	cast_to(c, &e->call.args.at[0], e->type);
}

void check_data_call(struct checker *c, struct expr *e)
{
	switch (e->call.builtin) {
	case BUILTIN_buf:
		check_buf(c, e);
		return;
	case BUILTIN_strncmp:
		check_strncmp(c, e);
		return;
	case BUILTIN_str_concat:
		check_str_concat(c, e);
		return;
	case BUILTIN_memcmp:
		check_memcmp(c, e);
		return;
	case BUILTIN_debugf:
		check_debugf(c, e);
		return;
	case BUILTIN_strstr:
	case BUILTIN_strcontains:
	case BUILTIN_strcasecmp:
	case BUILTIN_glob:
		check_two_strings(c, e);
		return;
	case BUILTIN_ntop:
		check_ntop(c, e);
		return;
	case BUILTIN_endpoint:
		check_endpoint(c, e);
		return;
	case BUILTIN_macaddr:
		check_macaddr(c, e);
		return;
	case BUILTIN_cgroup_path:
		check_cgroup_path(c, e);
		return;
	case BUILTIN_strftime:
		check_strftime(c, e);
		return;
	case BUILTIN_bswap:
		check_bswap(c, e);
		return;
	default:
		check_system_call(c, e);
	}
}
