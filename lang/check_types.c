/* Types of expressions and the conversions between them (language.md 4, 9, 10). */
#include "lang/check.h"

enum { MAX_DEPTH = 512 };

bool failed(const struct type *t)
{
	return !t || t->kind == TYPE_ERROR;
}

struct str name_of(struct checker *c, const struct type *t)
{
	return type_name(c->arena, t);
}

void expr_fail(struct checker *c, struct expr *e)
{
	e->type = c->types->error;
}

static void wrap_cast(struct checker *c, struct expr **e, const struct type *to)
{
	struct expr *cast = expr_new(c->arena, EXPR_CAST, (*e)->span);

	cast->cast.e = *e;
	cast->cast.implicit = true;
	cast->type = to;
	*e = cast;
}

void cast_to(struct checker *c, struct expr **e, const struct type *to)
{
	struct expr *x = *e;

	if (failed(x->type) || failed(to) || x->type == to)
		return;
	if (x->kind == EXPR_INT && to->kind == TYPE_INT) {
		struct expr *copy = NEW(c->arena, struct expr);

		*copy = *x;
		copy->type = to;
		*e = copy;
		return;
	}
	if (x->kind == EXPR_STRING && to->kind == TYPE_STRING && to->size >= x->type->size) {
		struct expr *copy = NEW(c->arena, struct expr);

		*copy = *x;
		copy->type = to;
		*e = copy;
		return;
	}
	wrap_cast(c, e, to);
}

/* ---- promotion ------------------------------------------------------------------------------------------------------ */

static const struct type *promote_ints(struct checker *c, const struct type *a, bool af, const struct type *b, bool bf)
{
	uint32_t size = a->size > b->size ? a->size : b->size;
	const struct type *s = a->is_signed ? a : b, *u = a->is_signed ? b : a;

	if (a->is_signed == b->is_signed)
		return type_int(c->types, size, a->is_signed);
	/* A sign-flexible literal is non-negative: it fits the unsigned type when that is large enough. */
	if ((af && a->is_signed) || (bf && b->is_signed))
		return type_int(c->types, size, false);
	if ((af || bf))
		return type_int(c->types, size, true);
	if (s->size > u->size)
		return type_int(c->types, s->size, true);
	return type_int(c->types, size == 8 ? 8 : size * 2, true);
}

static const struct type *plain_int(struct checker *c, const struct type *t)
{
	if (t->kind == TYPE_BOOL)
		return c->types->u8;
	if (t->kind == TYPE_ENUM)
		return type_int(c->types, t->size, t->is_signed);
	return t;
}

static const struct type *promote_elements(struct checker *c, const struct type *a, const struct type *b)
{
	const struct type **elems = NEW_ARRAY(c->arena, const struct type *, a->nfields + 1);
	struct str *names = NEW_ARRAY(c->arena, struct str, a->nfields + 1);
	int i, j;

	if (a->nfields != b->nfields)
		return NULL;
	for (i = 0; i < a->nfields; i++) {
		j = i;
		names[i] = a->fields[i].name;
		if (a->kind == TYPE_RECORD) /* by name, in any order */
			for (j = 0; j < b->nfields && !str_eq(b->fields[j].name, names[i]); j++)
				;
		if (j == b->nfields)
			return NULL;
		elems[i] = promote(c, a->fields[i].type, false, b->fields[j].type, false);
		if (!elems[i])
			return NULL;
	}
	return a->kind == TYPE_TUPLE ? type_tuple(c->types, elems, a->nfields)
				     : type_record(c->types, names, elems, a->nfields);
}

const struct type *promote(struct checker *c, const struct type *a, bool af, const struct type *b, bool bf)
{
	if (a == b || failed(b))
		return a;
	if (failed(a))
		return b;
	if (type_is_integer(a) && type_is_integer(b))
		return promote_ints(c, plain_int(c, a), af, plain_int(c, b), bf);
	if (a->kind != b->kind) {
		/* A pointer and an integer go together as an integer address (0 in place of NULL): as the pointer's number would,
		 * so that a type that has once become signed stays so. */
		if (a->kind == TYPE_PTR && b->kind == TYPE_INT)
			return bf ? a : promote_ints(c, c->types->u64, false, b, false);
		if (b->kind == TYPE_PTR && a->kind == TYPE_INT)
			return af ? b : promote_ints(c, a, false, c->types->u64, false);
		return NULL;
	}
	switch (a->kind) {
	case TYPE_STRING:
		return a->size > b->size ? a : b;
	case TYPE_BUFFER:
		return a->count > b->count ? a : b;
	case TYPE_PTR:
		return type_ptr(c->types, a->elem == b->elem ? a->elem : c->types->none, a->as == b->as ? a->as : AS_NONE);
	case TYPE_TUPLE:
	case TYPE_RECORD:
		return promote_elements(c, a, b);
	case TYPE_ARRAY:
		return a->elem == b->elem && a->count == b->count ? a : NULL;
	case TYPE_KSTACK:
	case TYPE_USTACK:
		return a->mode == b->mode ? (a->limit > b->limit ? a : b) : NULL;
	default:
		return NULL;
	}
}

bool is_flexible(const struct expr *e)
{
	return e->kind == EXPR_INT && e->flexible;
}

const struct type *promote_exprs(struct checker *c, const struct expr *a, const struct expr *b)
{
	return promote(c, a->type, is_flexible(a), b->type, is_flexible(b));
}

void no_value(struct checker *c, const struct expr *e)
{
	diag_add(c->diag, e->span, DIAG_NO_VALUE);
	if (e->kind == EXPR_FIELD)
		diag_hint(c->diag, "the field is a floating point number, or of a type that is not known here");
}

void read_aggregate(struct checker *c, struct expr **e)
{
	const struct type *t = (*e)->type;

	if (failed(t) || !type_is_castable_aggregate(t))
		return;
	if ((*e)->kind == EXPR_MAP && (*e)->map.map)
		((struct map_state *)(void *)(*e)->map.map)->read_in_kernel = true;
	wrap_cast(c, e, t->kind == TYPE_COUNT || !t->is_signed ? c->types->u64 : c->types->s64);
}

bool need_integer(struct checker *c, struct expr **e, const char *what)
{
	read_aggregate(c, e);
	if (failed((*e)->type))
		return false;
	if (type_is_integer((*e)->type) || (*e)->type->kind == TYPE_PTR)
		return true;
	diag_add(c->diag, (*e)->span, DIAG_NEED_INTEGER, what, STR_ARG(name_of(c, (*e)->type)));
	return false;
}

void check_condition(struct checker *c, struct expr *e)
{
	check_expr(c, e);
	if (failed(e->type))
		return;
	if (type_is_castable_aggregate(e->type)) {
		struct expr *inner = NEW(c->arena, struct expr);

		*inner = *e;
		read_aggregate(c, &inner);
		*e = *inner;
		return;
	}
	if (e->kind == EXPR_STRING) {
		fold_to_bool(c, e, e->string.text.n > 0);
		return;
	}
	if (type_is_integer(e->type) || e->type->kind == TYPE_PTR)
		return;
	diag_add(c->diag, e->span, DIAG_CONDITION_TYPE, STR_ARG(name_of(c, e->type)));
	if (e->type->kind == TYPE_STRING)
		diag_hint(c->diag, "compare it with a text, such as \"bash\", or with \"\"");
	expr_fail(c, e);
}

/* ---- operators -------------------------------------------------------------------------------------------------------- */

static void mismatch(struct checker *c, struct expr *e)
{
	FAIL(c, e, DIAG_OPERAND_TYPES, binary_op_text(e->binary.op), STR_ARG(name_of(c, e->binary.left->type)),
	     STR_ARG(name_of(c, e->binary.right->type)));
}

/* A uint64 meets an int64: it will be taken as signed. */
static bool mixed_signs(const struct type *l, const struct expr *le, const struct type *r, const struct expr *re)
{
	bool lu = l->kind == TYPE_INT && l->size == 8 && !l->is_signed && le->kind != EXPR_INT;
	bool ru = r->kind == TYPE_INT && r->size == 8 && !r->is_signed && re->kind != EXPR_INT;

	return (lu && r->is_signed && r->size == 8 && !is_flexible(re)) || (ru && l->is_signed && l->size == 8 && !is_flexible(le));
}

static void check_comparison(struct checker *c, struct expr *e)
{
	const struct type *l = e->binary.left->type, *r = e->binary.right->type;
	bool equality = e->binary.op == BINARY_EQ || e->binary.op == BINARY_NE;
	const struct type *common = promote_exprs(c, e->binary.left, e->binary.right);

	if (!common) {
		mismatch(c, e);
		return;
	}
	e->type = c->types->boolean;
	switch (common->kind) {
	case TYPE_INT:
		if (common == c->types->s64 && mixed_signs(l, e->binary.left, r, e->binary.right)) {
			diag_add(c->diag, e->span, DIAG_UNSIGNED_TO_SIGNED);
			diag_hint(c->diag, "cast one side: (uint64) or (int64)");
		}
		break;
	case TYPE_BOOL:
	case TYPE_ENUM:
		break;
	case TYPE_PTR:
		if (l->kind == TYPE_PTR && r->kind == TYPE_PTR && l->elem != r->elem && l->elem->kind != TYPE_NONE &&
		    r->elem->kind != TYPE_NONE)
			diag_add(c->diag, e->span, DIAG_DISTINCT_POINTERS, STR_ARG(name_of(c, l)), STR_ARG(name_of(c, r)));
		if (l->as != AS_NONE && r->as != AS_NONE && l->as != r->as)
			diag_add(c->diag, e->span, DIAG_ADDRESS_SPACES);
		break;
	case TYPE_STRING:
		if (!equality)
			mismatch(c, e);
		return; /* capacities may differ */
	case TYPE_ARRAY:
	case TYPE_TUPLE:
	case TYPE_RECORD:
	case TYPE_INET:
	case TYPE_MAC:
	case TYPE_BUFFER:
	case TYPE_KSYM:
	case TYPE_USYM:
	case TYPE_KSTACK:
	case TYPE_USTACK:
		if (!equality) {
			mismatch(c, e);
			return;
		}
		break;
	default:
		mismatch(c, e);
		return;
	}
	cast_to(c, &e->binary.left, common);
	cast_to(c, &e->binary.right, common);
}

static bool pointer_arithmetic(struct checker *c, struct expr *e)
{
	enum binary_op op = e->binary.op;
	const struct type *l = e->binary.left->type, *r = e->binary.right->type;

	if (l->kind != TYPE_PTR && r->kind != TYPE_PTR)
		return false;
	if (l->kind == TYPE_PTR && type_is_integer(r) && (op == BINARY_ADD || op == BINARY_SUB)) {
		cast_to(c, &e->binary.right, c->types->s64);
		e->type = l;
		return true;
	}
	if (r->kind == TYPE_PTR && type_is_integer(l) && op == BINARY_ADD) {
		struct expr *swap = e->binary.left;

		e->binary.left = e->binary.right;
		e->binary.right = swap;
		cast_to(c, &e->binary.right, c->types->s64);
		e->type = r;
		return true;
	}
	mismatch(c, e);
	if (l->kind == TYPE_PTR && r->kind == TYPE_PTR)
		diag_hint(c->diag, "cast both to uint64 to calculate with addresses");
	else
		diag_hint(c->diag, "a pointer takes + and - of a number; cast it to calculate with its address: (uint64)p");
	return true;
}

static void check_arithmetic(struct checker *c, struct expr *e)
{
	enum binary_op op = e->binary.op;
	struct expr *l = e->binary.left, *r = e->binary.right;
	bool is_signed;
	const struct type *t;

	if (op == BINARY_ADD && l->kind == EXPR_STRING && r->kind == EXPR_INT) {
		fold_binary(c, e);
		return;
	}
	if (pointer_arithmetic(c, e))
		return;
	l = e->binary.left, r = e->binary.right;
	if (!type_is_integer(l->type) || !type_is_integer(r->type)) {
		mismatch(c, e);
		return;
	}
	if (op == BINARY_SHL || op == BINARY_SHR)
		is_signed = l->type->is_signed && !is_flexible(l);
	else if (is_flexible(l) && is_flexible(r))
		is_signed = true;
	else
		is_signed = op == BINARY_SUB || (l->type->is_signed && !is_flexible(l)) ||
			    (r->type->is_signed && !is_flexible(r));
	t = is_signed ? c->types->s64 : c->types->u64;
	if (is_signed && ((l->type == c->types->u64 && l->kind != EXPR_INT && op != BINARY_SUB) ||
			  (r->type == c->types->u64 && r->kind != EXPR_INT && op != BINARY_SUB)))
		diag_add(c->diag, e->span, DIAG_UNSIGNED_TO_SIGNED);
	e->type = t;
	fold_binary(c, e);
	if (e->kind != EXPR_BINARY || failed(e->type))
		return;
	cast_to(c, &e->binary.left, t);
	cast_to(c, &e->binary.right, op == BINARY_SHL || op == BINARY_SHR ? c->types->u64 : t);
}

static void check_logic(struct checker *c, struct expr *e)
{
	bool is_and = e->binary.op == BINARY_LAND, may_decide = decides(e->binary.left);

	check_condition(c, e->binary.left);
	if (may_decide && settled(e->binary.left) && decided(e->binary.left) == !is_and) {
		fold_to_bool(c, e, !is_and); /* what the right side asks is not there */
		return;
	}
	check_condition(c, e->binary.right);
	e->type = c->types->boolean;
	if (failed(e->binary.left->type) || failed(e->binary.right->type))
		return;
	fold_binary(c, e);
}

static void check_binary(struct checker *c, struct expr *e)
{
	enum binary_op op = e->binary.op;

	if (op == BINARY_LOR || op == BINARY_LAND) {
		check_logic(c, e);
		return;
	}
	if (op == BINARY_IN) {
		check_in(c, e);
		return;
	}
	check_expr(c, e->binary.left);
	check_expr(c, e->binary.right);
	read_aggregate(c, &e->binary.left);
	read_aggregate(c, &e->binary.right);
	if (failed(e->binary.left->type) || failed(e->binary.right->type)) {
		expr_fail(c, e);
		return;
	}
	if (op >= BINARY_EQ && op <= BINARY_GE) {
		fold_binary(c, e);
		if (e->kind == EXPR_BINARY)
			check_comparison(c, e);
		return;
	}
	check_arithmetic(c, e);
}

static void check_deref(struct checker *c, struct expr *e)
{
	const struct type *t = e->unary.e->type;

	if (type_is_integer(t)) { /* *addr loads 64 bits */
		cast_to(c, &e->unary.e, type_ptr(c->types, c->types->u64, t->as));
		e->type = c->types->u64;
	} else if (t->kind != TYPE_PTR) {
		FAIL(c, e, DIAG_DEREF_TYPE, STR_ARG(name_of(c, t)));
	} else if (t->elem->kind == TYPE_NONE) {
		FAIL(c, e, DIAG_DEREF_VOID);
		diag_hint(c->diag, "cast it first: *(uint32 *)p");
	} else {
		e->type = t->elem;
	}
}

static void check_unary(struct checker *c, struct expr *e)
{
	const struct type *t;

	if (e->unary.op == UNARY_NOT) {
		check_condition(c, e->unary.e);
		e->type = c->types->boolean;
		if (!failed(e->unary.e->type))
			fold_unary(c, e);
		return;
	}
	if (e->unary.op == UNARY_ADDRESS) {
		struct expr *of = e->unary.e;

		if (of->kind != EXPR_VAR && (of->kind != EXPR_MAP || of->map.key)) {
			FAIL(c, e, DIAG_ADDRESS_OF);
			return;
		}
		if (of->kind == EXPR_MAP)
			check_map(c, of, true);
		else
			check_expr(c, of);
		if (of->kind == EXPR_CALL) { /* another name for `args` */
			FAIL(c, e, DIAG_ADDRESS_OF);
			return;
		}
		/* What lies at a map's address is the kernel's own struct, not a value. */
		e->type = failed(of->type) ? c->types->error
					   : type_ptr(c->types, of->kind == EXPR_MAP ? c->types->none : of->type, AS_KERNEL);
		return;
	}
	check_expr(c, e->unary.e);
	read_aggregate(c, &e->unary.e);
	t = e->unary.e->type;
	if (failed(t)) {
		expr_fail(c, e);
		return;
	}
	if (e->unary.op == UNARY_DEREF) {
		check_retval_parts(c, e->unary.e);
		check_deref(c, e);
		return;
	}
	if (!type_is_integer(t)) {
		FAIL(c, e, DIAG_UNARY_TYPE, unary_op_text(e->unary.op), STR_ARG(name_of(c, t)));
		return;
	}
	e->type = e->unary.op == UNARY_NEG || t->is_signed ? c->types->s64 : c->types->u64;
	fold_unary(c, e);
	if (e->kind == EXPR_UNARY)
		cast_to(c, &e->unary.e, e->type);
}

static void check_incdec(struct checker *c, struct expr *e)
{
	struct expr *target = e->incdec.target;

	if (target->kind != EXPR_VAR && target->kind != EXPR_MAP) {
		FAIL(c, e, DIAG_INCDEC_TARGET, e->incdec.increment ? "++" : "--");
		return;
	}
	grow_for_incdec(c, target, e->incdec.increment);
	e->incdec.value_used = true; /* check_stmts.c clears it for a statement */
	if (failed(target->type))
		expr_fail(c, e);
	else
		e->type = target->type;
}

/* The condition of a ternary decides: is it but one of its arms now? */
static bool decided_ternary(struct checker *c, struct expr *e)
{
	bool yes = decided(e->ternary.cond);
	struct expr *live = yes ? e->ternary.then : e->ternary.other, *dead = yes ? e->ternary.other : e->ternary.then;
	struct attempt a;

	check_expr(c, live);
	if (!settled(e->ternary.cond)) {
		attempt_begin(c, &a);
		check_expr(c, dead);
		if (attempt_end(c, &a))
			return false;
		live = only_branch(c, e->ternary.cond, e->span, NULL, live);
	}
	*e = *live;
	return true;
}

static void check_ternary(struct checker *c, struct expr *e)
{
	bool may_decide = decides(e->ternary.cond);
	const struct type *common;

	if (!e->ternary.then) { /* a ?: b */
		e->ternary.then = expr_clone(c->arena, e->ternary.cond);
	}
	check_condition(c, e->ternary.cond);
	if (may_decide && failed(e->ternary.cond->type)) {
		expr_fail(c, e);
		return;
	}
	if (may_decide && decided(e->ternary.cond) >= 0) {
		if (decided_ternary(c, e))
			return;
	} else {
		check_expr(c, e->ternary.then);
		check_expr(c, e->ternary.other);
	}
	read_aggregate(c, &e->ternary.then);
	read_aggregate(c, &e->ternary.other);
	if (failed(e->ternary.cond->type) || failed(e->ternary.then->type) || failed(e->ternary.other->type)) {
		e->type = failed(e->ternary.then->type) ? e->ternary.other->type : e->ternary.then->type;
		return;
	}
	common = promote_exprs(c, e->ternary.then, e->ternary.other);
	if (!common) {
		FAIL(c, e, DIAG_BRANCH_TYPES, STR_ARG(name_of(c, e->ternary.then->type)),
		     STR_ARG(name_of(c, e->ternary.other->type)));
		return;
	}
	if (common == c->types->s64 && mixed_signs(e->ternary.then->type, e->ternary.then, e->ternary.other->type, e->ternary.other))
		diag_add(c->diag, e->span, DIAG_UNSIGNED_TO_SIGNED);
	cast_to(c, &e->ternary.then, common);
	cast_to(c, &e->ternary.other, common);
	e->type = common;
	if (e->ternary.cond->kind == EXPR_BOOL || e->ternary.cond->kind == EXPR_INT) {
		bool yes = e->ternary.cond->kind == EXPR_BOOL ? e->ternary.cond->boolean : e->ternary.cond->integer.value;
		struct expr *taken = yes ? e->ternary.then : e->ternary.other;

		*e = *taken;
	}
}

/* ---- the door ------------------------------------------------------------------------------------------------------- */

static void check_literal(struct checker *c, struct expr *e)
{
	if (e->kind == EXPR_INT) {
		e->type = literal_type(c, e->integer.value, false);
		e->flexible = true;
	} else {
		e->type = c->types->boolean;
	}
	e->is_literal = true;
}

void check_text(struct checker *c, struct expr *e, uint64_t capacity)
{
	struct str text = e->string.text;

	if (text.n >= capacity) {
		FAIL(c, e, DIAG_TEXT_TOO_LONG, text.n, (unsigned long long)capacity - 1);
		if (text.n < 65536)
			diag_hint(c->diag, "config = { max_strlen = %zu }", text.n + 1);
		return;
	}
	e->type = type_string(c->types, (uint32_t)text.n + 1);
	e->is_literal = true;
}

static void check_positional(struct checker *c, struct expr *e)
{
	const char *why;
	uint64_t value, n = e->positional;
	struct str text;
	bool missing;

	if (e->kind == EXPR_POSITIONAL_COUNT) {
		for (n = 0; param_text(c, n + 1, &missing), !missing; n++)
			;
		fold_to_int(c, e, n, false);
		e->type = c->types->u64;
		return;
	}
	text = param_text(c, n, &missing);
	if (missing)
		param_missing(c, n, e->span);
	if (missing)
		fold_to_int(c, e, 0, false);
	else if (parse_integer(text, true, &value, &why))
		fold_to_int(c, e, value, text.s[0] == '-' && value);
	else
		fold_to_string(c, e, str_copy(c->arena, text));
}

static void check_block_value(struct checker *c, struct expr *e)
{
	check_block(c, e->block);
	e->type = e->block->value ? e->block->value->type : c->types->none;
}

static struct expr **block_value(struct expr *e)
{
	return e && e->kind == EXPR_BLOCK ? &e->block->value : NULL;
}

/* The condition decides: is it but one of its arms now? */
static bool decided_if_value(struct checker *c, struct expr *e)
{
	struct expr *then = expr_new(c->arena, EXPR_BLOCK, e->if_.then->span), *live, *dead;
	bool yes = decided(e->if_.cond);
	struct attempt a;

	then->block = e->if_.then;
	live = yes ? then : e->if_.other;
	dead = yes ? e->if_.other : then;
	if (live)
		check_expr(c, live);
	if (!settled(e->if_.cond)) {
		attempt_begin(c, &a);
		if (dead)
			check_expr(c, dead);
		if (attempt_end(c, &a))
			return false;
	}
	*e = *only_branch(c, e->if_.cond, e->span, NULL, live);
	return true;
}

static void check_if_value(struct checker *c, struct expr *e)
{
	bool may_decide = decides(e->if_.cond), arms_checked = false;
	const struct type *then, *other, *common;
	struct expr **v;

	check_condition(c, e->if_.cond);
	if (may_decide && failed(e->if_.cond->type)) {
		expr_fail(c, e);
		return;
	}
	if (may_decide && decided(e->if_.cond) >= 0) {
		if (decided_if_value(c, e))
			return;
		arms_checked = true;
	}
	if (!arms_checked)
		check_block(c, e->if_.then);
	then = e->if_.then->value ? e->if_.then->value->type : c->types->none;
	if (!e->if_.other) {
		e->type = c->types->none;
		return;
	}
	if (!arms_checked)
		check_expr(c, e->if_.other);
	other = e->if_.other->type;
	if (failed(then) || failed(other)) {
		e->type = failed(then) ? other : then;
		return;
	}
	v = block_value(e->if_.other);
	common = e->if_.then->value && v && *v ? promote_exprs(c, e->if_.then->value, *v) : promote(c, then, false, other, false);
	if (!common) {
		FAIL(c, e, DIAG_BRANCH_TYPES, STR_ARG(name_of(c, then)), STR_ARG(name_of(c, other)));
		return;
	}
	if (e->if_.then->value)
		cast_to(c, &e->if_.then->value, common);
	if (v && *v)
		cast_to(c, v, common);
	else if (e->if_.other->kind == EXPR_IF)
		cast_to(c, &e->if_.other, common);
	if (v)
		e->if_.other->type = common;
	e->type = common;
}

static void check_comptime(struct checker *c, struct expr *e)
{
	struct expr *inner = e->comptime;

	check_expr(c, inner);
	if (failed(inner->type)) {
		expr_fail(c, e);
		return;
	}
	if (!inner->is_literal) {
		FAIL(c, e, DIAG_COMPTIME);
		return;
	}
	*e = *inner;
}

static void check_kind(struct checker *c, struct expr *e)
{
	switch (e->kind) {
	case EXPR_INT:
	case EXPR_BOOL:
		check_literal(c, e);
		return;
	case EXPR_STRING:
		check_text(c, e, c->program->config.max_strlen);
		return;
	case EXPR_POSITIONAL:
	case EXPR_POSITIONAL_COUNT:
		check_positional(c, e);
		return;
	case EXPR_NAME:
		check_name(c, e);
		return;
	case EXPR_VAR:
		check_var(c, e);
		return;
	case EXPR_MAP:
		check_map_value(c, e);
		return;
	case EXPR_CALL:
		check_call(c, e);
		return;
	case EXPR_UNARY:
		check_unary(c, e);
		return;
	case EXPR_INCDEC:
		check_incdec(c, e);
		return;
	case EXPR_BINARY:
		check_binary(c, e);
		return;
	case EXPR_TERNARY:
		check_ternary(c, e);
		return;
	case EXPR_FIELD:
		check_field(c, e);
		return;
	case EXPR_TUPLE_AT:
		check_tuple_at(c, e);
		return;
	case EXPR_INDEX:
		check_index(c, e);
		return;
	case EXPR_CAST:
		check_cast(c, e);
		return;
	case EXPR_TUPLE:
	case EXPR_RECORD:
		check_tuple(c, e);
		return;
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPEOF:
		check_type_op(c, e);
		return;
	case EXPR_COMPTIME:
		check_comptime(c, e);
		return;
	case EXPR_BLOCK:
		check_block_value(c, e);
		return;
	case EXPR_IF:
		check_if_value(c, e);
		return;
	}
	BUG("expression kind %d", e->kind);
}

void check_expr(struct checker *c, struct expr *e)
{
	if (e->type && (e->is_literal || e->kind == EXPR_CAST) && e->kind != EXPR_NAME)
		return; /* already folded, or put in by us */
	if (++c->depth > MAX_DEPTH) {
		FAIL(c, e, DIAG_TOO_DEEP, MAX_DEPTH);
	} else {
		check_kind(c, e);
	}
	c->depth--;
}
