/* Texts and buffers: str(), buf(), comm, comparison.
 *
 * A text has a capacity; whole texts have a NUL in it, and one whose last byte is not NUL was cut
 * (manifest.h).  The kernel's string helpers always end with a NUL and return the bytes written,
 * NUL included: when that is the whole capacity, one more byte is read to tell a text that just
 * fits from one that does not. */
#include "codegen/emit_frame.h"
#include "codegen/emit_text.h"

enum {
	INLINE_COMPARE = 64
}; /* literals up to this length are compared byte by byte without a loop */

LLVMBasicBlockRef block_here(struct emit *e)
{
	return LLVMGetInsertBlock(e->builder);
}

LLVMValueRef join(struct emit *e, LLVMValueRef a, LLVMBasicBlockRef from_a, LLVMValueRef b,
		  LLVMBasicBlockRef from_b)
{
	LLVMValueRef phi = LLVMBuildPhi(e->builder, LLVMTypeOf(a), "");

	LLVMAddIncoming(phi, (LLVMValueRef[]){a, b}, (LLVMBasicBlockRef[]){from_a, from_b}, 2);
	return phi;
}

static LLVMValueRef compare(struct emit *e, LLVMIntPredicate how, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildICmp(e->builder, how, a, b, "");
}

/* ---- reading texts ---- */

/* Where a text is read from. */
struct text_source {
	enum value_place place; /* BPF: address is a ptr; KERNEL, USER, ANY: an i64 */
	LLVMValueRef address;
};

/* Copy at most `size` bytes, NUL included.  i64: bytes written, or a negative error. */
static LLVMValueRef read_text(struct emit *e, LLVMValueRef dest, LLVMValueRef size,
			      struct text_source from)
{
	LLVMBasicBlockRef kernel, user, after;
	LLVMValueRef k, u;

	if (from.place == PLACE_USER)
		return HELPER(e, probe_read_user_str, dest, size, from.address);
	if (from.place != PLACE_ANY)
		return HELPER(e, probe_read_kernel_str, dest, size, from.address);
	kernel = block_new(e, "kernel");
	user = block_new(e, "user");
	after = block_new(e, "");
	branch(e, compare(e, LLVMIntSLT, from.address, int_const(e, 0)), kernel, user);
	block_start(e, kernel);
	k = HELPER(e, probe_read_kernel_str, dest, size, from.address);
	jump(e, after);
	block_start(e, user);
	u = HELPER(e, probe_read_user_str, dest, size, from.address);
	jump(e, after);
	block_start(e, after);
	return join(e, k, kernel, u, user);
}

/* The byte at offset `at` of the source. */
static LLVMValueRef byte_of(struct emit *e, struct text_source from, uint32_t at, struct span span)
{
	LLVMValueRef cell;

	if (from.place == PLACE_BPF)
		return load_int(e, memory_at(e, from.address, at), e->i8);
	cell = memory_temp(e, 8, "next");
	probe_read(e, cell, int_const(e, 1),
		   LLVMBuildAdd(e->builder, from.address, int_const(e, at), ""), from.place, span);
	return load_int(e, cell, e->i8);
}

/* `may_be_cut` (i1) and `written` bytes fill the capacity: was the source longer?  Then it is
 * marked, and counted at `site` unless that is -1 (a copy of a text that was counted when it was
 * cut). */
static LLVMValueRef mark_cut(struct emit *e, LLVMValueRef may_be_cut, LLVMValueRef dest,
			     uint32_t capacity, struct text_source from, int site, struct span span)
{
	LLVMBasicBlockRef start = block_here(e), full = block_new(e, "full"),
			  cut = block_new(e, "cut"), after = block_new(e, ""), checked;
	LLVMValueRef last, phi;

	branch(e, may_be_cut, full, after);
	block_start(e, full);
	last = byte_of(e, from, capacity - 1, span);
	checked = block_here(e);
	branch(e, compare(e, LLVMIntNE, last, LLVMConstInt(e->i8, 0, false)), cut, after);
	block_start(e, cut);
	store_int(e, memory_at(e, dest, capacity - 1), last);
	if (site >= 0)
		site_hit(e, site, NULL);
	cut = block_here(e);
	jump(e, after);
	block_start(e, after);
	phi = LLVMBuildPhi(e->builder, e->i1, "cut");
	LLVMAddIncoming(phi,
			(LLVMValueRef[]){LLVMConstInt(e->i1, 0, false),
					 LLVMConstInt(e->i1, 0, false),
					 LLVMConstInt(e->i1, 1, false)},
			(LLVMBasicBlockRef[]){start, checked, cut}, 3);
	return phi;
}

/* Bytes without the NUL of what a string helper returned. */
static LLVMValueRef length_of(struct emit *e, LLVMValueRef written, uint32_t capacity)
{
	LLVMValueRef some = compare(e, LLVMIntSGT, written, int_const(e, 0));
	LLVMValueRef less = LLVMBuildSub(e->builder, written, int_const(e, 1), "");

	return clamp(e, LLVMBuildSelect(e->builder, some, less, int_const(e, 0), "length"),
		     capacity - 1);
}

/* What a call of str() reads, and how much. */
struct str_call {
	struct text_source from;
	uint32_t capacity;
	LLVMValueRef size;   /* i64, at most capacity */
	LLVMValueRef longer; /* i1: more than the capacity is asked for; NULL: never */
};

static struct text_source text_source(struct emit *e, const struct expr *x)
{
	struct value v;

	if (type_is_register(x->type))
		return (struct text_source){place_of(x->type), emit_i64(e, x)};
	v = emit_expr(e, x);
	if (v.place == PLACE_KERNEL || v.place == PLACE_USER || v.place == PLACE_ANY)
		return (struct text_source){v.place, value_address(e, v)};
	return (struct text_source){PLACE_BPF, value_memory(e, v)};
}

static struct str_call str_call(struct emit *e, const struct expr *call)
{
	const struct expr *len = call->call.args.n > 1 ? call->call.args.at[1] : NULL;
	struct str_call s = {.capacity = call->type->size};
	LLVMValueRef wanted;

	s.from = text_source(e, call->call.args.at[0]);
	s.size = int_const(e, s.capacity);
	if (len && len->kind == EXPR_INT) { /* the checker made the capacity of it, or warned that
					       it is too large */
		s.longer = len->integer.value > s.capacity ? LLVMConstInt(e->i1, 1, false) : NULL;
	} else if (len) {
		wanted = emit_i64(e, len);
		s.longer = compare(e, LLVMIntUGT, wanted, int_const(e, s.capacity));
		s.size = clamp(e, wanted, s.capacity);
	} else if (s.from.place != PLACE_BPF) {
		s.longer = LLVMConstInt(e->i1, 1, false);
	}
	return s;
}

/* Copy a text as a call of str() does; what goes wrong is counted at `span`. */
static struct text str_read(struct emit *e, struct str_call s, LLVMValueRef dest, struct span span)
{
	const char *helper =
		s.from.place == PLACE_USER ? "probe_read_user_str" : "probe_read_kernel_str";
	LLVMValueRef written, full;
	struct text t = {0};

	if (!LLVMIsConstant(s.size)) /* nothing is written when the length is 0 */
		store_int(e, dest, LLVMConstInt(e->i8, 0, false));
	written = read_text(e, dest, s.size, s.from);
	site_hit_if(e, compare(e, LLVMIntSLT, written, int_const(e, 0)),
		    site_new(e, SITE_HELPER, span, -1, helper), written);
	if (s.longer) {
		full = compare(e, LLVMIntEQ, written, int_const(e, s.capacity));
		full = LLVMBuildAnd(e->builder, s.longer, full, "");
		t.cut = mark_cut(e, full, dest, s.capacity, s.from,
				 site_new(e, SITE_STRING_CUT, span, -1, NULL), span);
	}
	t.length = length_of(e, written, s.capacity);
	return t;
}

struct text text_read(struct emit *e, LLVMValueRef dest, uint32_t capacity, enum value_place place,
		      LLVMValueRef address, struct span span)
{
	struct str_call s = {.from = {place, address},
			     .capacity = capacity,
			     .size = int_const(e, capacity),
			     .longer = LLVMConstInt(e->i1, 1, false)};

	return str_read(e, s, dest, span);
}

static struct text str_into(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	return str_read(e, str_call(e, call), dest, call->span);
}

struct value lower_str(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	struct value v;

	if (dest)
		memory_zero(e, dest, call->type->size, call->type->align);
	v = value_at(call->type, dest ? dest : memory_temp(e, call->type->size, "str"), PLACE_BPF);
	v.ragged = !dest;
	str_into(e, call, v.v);
	return v;
}

struct value lower_comm(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef at;

	if (call->call.args.n)
		return comm_of(e, call, dest);
	at = dest ? dest : memory_temp(e, call->type->size, "comm");
	memory_zero(e, at, call->type->size, 1); /* some kernels leave what is behind the NUL as it was */
	HELPER(e, get_current_comm, at, int_const(e, call->type->size));
	return value_at(call->type, at, PLACE_BPF);
}

struct text text_emit(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	uint32_t capacity = x->type->size;
	struct text_source from = {.place = PLACE_BPF};
	LLVMValueRef written, full;
	struct text t;

	if (x->kind == EXPR_CALL && x->call.builtin == BUILTIN_str)
		return str_into(e, x, dest);
	from.address = emit_memory_of(e, x);
	if (x->kind == EXPR_STRING) {
		size_t n = str_find(x->string.text, '\0'); /* "a\0b" is over behind its a */

		t = (struct text){.length = int_const(e, n < capacity ? n : capacity - 1)};
		memory_copy(e, dest, from.address, capacity, 1);
		return t;
	}
	written = read_text(e, dest, int_const(e, capacity), from);
	full = compare(e, LLVMIntEQ, written, int_const(e, capacity));
	t.cut = mark_cut(e, full, dest, capacity, from, -1, x->span);
	t.length = length_of(e, written, capacity);
	return t;
}

/* ---- buffers ---- */

/* Copy what a call of buf() names to `dest`, which has call->type->count bytes.  i64: how many they
 * are. */
static LLVMValueRef buf_into(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *len = call->call.args.n > 1 ? call->call.args.at[1] : NULL;
	struct text_source from = text_source(e, call->call.args.at[0]);
	LLVMValueRef n = int_const(e, call->type->count);

	if (len && len->kind != EXPR_INT) /* a literal length is the type's */
		n = clamp(e, emit_i64(e, len), call->type->count);
	if (from.place == PLACE_BPF)
		HELPER(e, probe_read_kernel, dest, n, from.address);
	else
		probe_read(e, dest, n, from.address, from.place, call->span);
	return n;
}

struct value lower_buf(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	LLVMValueRef at = dest ? dest : memory_temp(e, call->type->size, "buf"), n;

	if (dest)
		memory_zero(e, dest, call->type->size, call->type->align);
	n = buf_into(e, call, memory_at(e, at, 4));
	store_int(e, at, LLVMBuildTrunc(e->builder, n, e->i32, ""));
	return value_at(call->type, at, PLACE_BPF);
}

struct text buffer_emit(struct emit *e, const struct expr *x, LLVMValueRef dest)
{
	LLVMValueRef from, length;

	if (x->kind == EXPR_CALL && x->call.builtin == BUILTIN_buf)
		return (struct text){.length = buf_into(e, x, dest)};
	from = emit_memory_of(e, x);
	length = LLVMBuildZExt(e->builder, load_int(e, from, e->i32), e->i64, "");
	length = clamp(e, length, x->type->count);
	HELPER(e, probe_read_kernel, dest, length, memory_at(e, from, 4));
	return (struct text){.length = length};
}

/* ---- copies that may lose bytes ---- */

static void cut_copy_buffer(struct emit *e, LLVMValueRef src, const struct type *to,
			    LLVMValueRef dest, int site)
{
	LLVMValueRef length = load_int(e, src, e->i32), most = int32_const(e, to->count);
	LLVMValueRef over = compare(e, LLVMIntUGT, length, most);

	store_int(e, dest, LLVMBuildSelect(e->builder, over, most, length, ""));
	memory_copy(e, memory_at(e, dest, 4), memory_at(e, src, 4), to->count, 4);
	site_hit_if(e, over, site, NULL);
}

void text_cut_copy(struct emit *e, const struct type *from, LLVMValueRef src, const struct type *to,
		   LLVMValueRef dest, int site)
{
	LLVMValueRef last;
	int i;

	if (from == to) {
		memory_copy(e, dest, src, to->size, to->align);
		return;
	}
	switch (to->kind) {
	case TYPE_STRING: /* of a longer text the last byte copied is not NUL: that marks it as cut
			   */
		memory_copy(e, dest, src, to->size, 1);
		last = load_int(e, memory_at(e, dest, to->size - 1), e->i8);
		site_hit_if(e, compare(e, LLVMIntNE, last, LLVMConstInt(e->i8, 0, false)), site,
			    NULL);
		return;
	case TYPE_BUFFER:
		cut_copy_buffer(e, src, to, dest, site);
		return;
	default:
		break;
	}
	memory_zero(e, dest, to->size, to->align); /* padding */
	for (i = 0; i < to->nfields; i++)
		text_cut_copy(e, from->fields[i].type, memory_at(e, src, from->fields[i].offset),
			      to->fields[i].type, memory_at(e, dest, to->fields[i].offset), site);
}

/* ---- comparison ---- */

/* The text of a literal of the script, or n = 0 and s = NULL. */
static struct str literal_text(struct value v)
{
	struct str none = {NULL, 0}, text;
	LLVMValueRef init;
	size_t n;

	if (v.place != PLACE_BPF || !LLVMIsAGlobalVariable(v.v) ||
	    LLVMGetLinkage(v.v) != LLVMPrivateLinkage)
		return none;
	init = LLVMGetInitializer(v.v);
	if (!init || (!LLVMIsAConstantDataSequential(init) && !LLVMIsAConstantAggregateZero(init)))
		return none;
	if (LLVMIsAConstantAggregateZero(init))
		return STR("");
	text.s = LLVMGetAsString(init, &n);
	text.n = n;
	return str_sub(text, 0, str_find(text, '\0'));
}

/* Bytes of a text that count in a comparison of at most `limit` characters. */
static uint32_t comparable(const struct type *t, uint32_t limit)
{
	return t->size < limit ? t->size : limit;
}

/* text == literal over at most `limit` characters.  A NUL is part of it, so that a prefix is not
 * equal. */
static LLVMValueRef equals_literal(struct emit *e, LLVMValueRef text, uint32_t capacity,
				   struct str literal, uint32_t limit)
{
	uint32_t n = (uint32_t)literal.n + 1, i;
	LLVMBasicBlockRef differs, same, after;

	if (n > limit)
		n = limit;
	if (n > capacity) /* the text cannot hold it */
		return LLVMConstInt(e->i1, 0, false);
	differs = block_new(e, "differs");
	after = block_new(e, "");
	for (i = 0; i < n; i++) {
		unsigned char c = i < literal.n ? (unsigned char)literal.s[i] : 0;
		LLVMBasicBlockRef next = block_new(e, "");

		branch(e,
		       compare(e, LLVMIntEQ, load_int(e, memory_at(e, text, i), e->i8),
			       LLVMConstInt(e->i8, c, false)),
		       next, differs);
		block_start(e, next);
	}
	same = block_here(e);
	jump(e, after);
	block_start(e, differs);
	jump(e, after);
	block_start(e, after);
	return join(e, LLVMConstInt(e->i1, 1, false), same, LLVMConstInt(e->i1, 0, false), differs);
}

/* An ASCII capital becomes small. */
static LLVMValueRef fold_case(struct emit *e, LLVMValueRef c)
{
	LLVMValueRef from_a = LLVMBuildSub(e->builder, c, LLVMConstInt(e->i8, 'A', false), "");
	LLVMValueRef capital = compare(e, LLVMIntULT, from_a, LLVMConstInt(e->i8, 26, false));

	return LLVMBuildSelect(e->builder, capital,
			       LLVMBuildOr(e->builder, c, LLVMConstInt(e->i8, 0x20, false), ""), c,
			       "");
}

/* a == b over `n` bytes or up to a NUL, by a loop that the verifier can count; `fold`: small and
 * capital letters are the same. */
static LLVMValueRef equals_loop(struct emit *e, LLVMValueRef a, LLVMValueRef b, uint32_t n,
				bool fold)
{
	LLVMBasicBlockRef before = block_here(e), loop = block_new(e, "compare"),
			  same = block_new(e, "same"), next = block_new(e, ""),
			  differs = block_new(e, "differs"), equal = block_new(e, "equal"),
			  after = block_new(e, "");
	LLVMValueRef i, x, y, more;

	jump(e, loop);
	block_start(e, loop);
	i = LLVMBuildPhi(e->builder, e->i64, "i");
	x = load_int(e, memory_at_var(e, a, i), e->i8);
	y = load_int(e, memory_at_var(e, b, i), e->i8);
	if (fold) {
		x = fold_case(e, x);
		y = fold_case(e, y);
	}
	branch(e, compare(e, LLVMIntEQ, x, y), same, differs);
	block_start(e, same);
	branch(e, compare(e, LLVMIntEQ, x, LLVMConstInt(e->i8, 0, false)), equal, next);
	block_start(e, next);
	more = LLVMBuildAdd(e->builder, i, int_const(e, 1), "");
	LLVMAddIncoming(i, (LLVMValueRef[]){int_const(e, 0), more},
			(LLVMBasicBlockRef[]){before, next}, 2);
	branch(e, compare(e, LLVMIntULT, more, int_const(e, n)), loop, equal);
	block_start(e, differs);
	jump(e, after);
	block_start(e, equal);
	jump(e, after);
	block_start(e, after);
	return join(e, LLVMConstInt(e->i1, 0, false), differs, LLVMConstInt(e->i1, 1, false),
		    equal);
}

/* The same for long texts, a word at a time: one branch per step, so that several comparisons in one program stay within what
 * the verifier keeps in mind.  Both lie in memory where loads need not be aligned; `n` is a multiple of 8. */
static LLVMValueRef equals_words(struct emit *e, LLVMValueRef a, LLVMValueRef b, uint32_t n)
{
	LLVMBuilderRef u = e->builder;
	LLVMBasicBlockRef before = block_here(e), loop = block_new(e, "compare"), next = block_new(e, ""),
			  after = block_new(e, "");
	LLVMValueRef i, x, differ, zero, more, mask;

	jump(e, loop);
	block_start(e, loop);
	i = LLVMBuildPhi(u, e->i64, "i");
	x = load_int(e, memory_at_var(e, a, i), e->i64);
	differ = LLVMBuildXor(u, x, load_int(e, memory_at_var(e, b, i), e->i64), "");
	/* the lowest bit of `zero` is the top bit of the first NUL in x */
	zero = LLVMBuildAnd(u, LLVMBuildSub(u, x, int_const(e, 0x0101010101010101u), ""), LLVMBuildNot(u, x, ""), "");
	zero = LLVMBuildAnd(u, zero, int_const(e, 0x8080808080808080u), "");
	branch(e, compare(e, LLVMIntNE, LLVMBuildOr(u, differ, zero, ""), int_const(e, 0)), after, next);
	block_start(e, next);
	more = LLVMBuildAdd(u, i, int_const(e, 8), "");
	LLVMAddIncoming(i, (LLVMValueRef[]){int_const(e, 0), more}, (LLVMBasicBlockRef[]){before, next}, 2);
	branch(e, compare(e, LLVMIntULT, more, int_const(e, n)), loop, after);
	block_start(e, after);
	/* what differs up to the NUL (all bits, when there is none) counts; after the last step nothing differs */
	mask = LLVMBuildXor(u, zero, LLVMBuildSub(u, zero, int_const(e, 1), ""), "");
	return compare(e, LLVMIntEQ, LLVMBuildAnd(u, differ, mask, ""), int_const(e, 0));
}

/* Where long texts can be compared a word at a time: nothing of that size lives on the stack. */
static bool by_words(struct emit *e, uint32_t n)
{
	return n > INLINE_COMPARE && n > e->program->config.on_stack_limit && n % 8 == 0;
}

/* Are the first `limit` characters of two texts equal? */
static LLVMValueRef text_equal(struct emit *e, struct value a, struct value b, uint32_t limit)
{
	struct str text = literal_text(b);
	uint32_t n;

	if (!text.s && literal_text(a).s) {
		struct value swap = a;

		a = b;
		b = swap;
		text = literal_text(b);
	}
	if (!limit)
		return LLVMConstInt(e->i1, 1, false);
	a.v = value_memory(e, a);
	if (text.s && text.n <= INLINE_COMPARE)
		return equals_literal(e, a.v, a.type->size, text, limit);
	b.v = value_memory(e, b);
	n = comparable(a.type, comparable(b.type, limit));
	return by_words(e, n) ? equals_words(e, a.v, b.v, n) : equals_loop(e, a.v, b.v, n, false);
}

LLVMValueRef string_equal(struct emit *e, struct value a, struct value b)
{
	return text_equal(e, a, b, UINT32_MAX);
}

struct value lower_strncmp(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	struct value a = emit_expr(e, call->call.args.at[0]),
		     b = emit_expr(e, call->call.args.at[1]);
	LLVMValueRef equal = text_equal(e, a, b, (uint32_t)call->call.number);

	(void)dest;
	return value_register(
		call->type,
		LLVMBuildZExt(e->builder, LLVMBuildNot(e->builder, equal, ""), e->i64, "strncmp"));
}

struct value lower_strlen(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *x = call->call.args.at[0];
	uint32_t capacity =
		x->type->kind == TYPE_PTR ? (uint32_t)e->program->config.max_strlen : x->type->size;
	struct text_source from;
	LLVMValueRef written;

	(void)dest;
	if (x->type->kind == TYPE_STRING)
		return value_register(call->type,
				      text_emit(e, x, memory_temp(e, capacity, "strlen")).length);
	from = text_source(e, x);
	written = read_text(e, memory_temp(e, capacity + 1, "strlen"), int_const(e, capacity + 1),
			    from);
	return value_register(call->type, length_of(e, written, capacity + 1));
}

struct value lower_strcasecmp(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *x = call->call.args.at[0], *y = call->call.args.at[1];
	LLVMValueRef a = emit_memory_of(e, x), b = emit_memory_of(e, y);
	LLVMValueRef equal = equals_loop(e, a, b, comparable(x->type, y->type->size), true);

	(void)dest;
	return value_register(call->type,
			      LLVMBuildZExt(e->builder, LLVMBuildNot(e->builder, equal, ""), e->i64,
					    "strcasecmp"));
}

/* ---- putting together, comparing bytes ---- */

/* The second text is put where the first one ends; both go to scratch memory, where that may be at any place. */
struct value lower_str_concat(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *a = call->call.args.at[0], *b = call->call.args.at[1];
	uint32_t first = a->type->size, second = b->type->size;
	LLVMValueRef at = memory_scratch(e, first + second + 8, "concat"), from = memory_scratch(e, second, "second"), end;
	struct value v;

	(void)dest;
	end = text_emit(e, a, at).length;
	text_emit(e, b, from);
	end = memory_at_var(e, at, clamp(e, end, first - 1));
	HELPER(e, probe_read_kernel, end, int_const(e, second), from);
	store_int(e, memory_at(e, end, second), LLVMConstInt(e->i8, 0, false)); /* a cut text has none */
	v = value_at(call->type, at, PLACE_BPF);
	v.ragged = true;
	return v;
}

/* The first `n` of at most `most` bytes of x in scratch memory, zeros behind them. */
static LLVMValueRef first_bytes(struct emit *e, const struct expr *x, LLVMValueRef n, uint32_t most, struct span span)
{
	uint32_t size = (most + 7) / 8 * 8;
	LLVMValueRef at = memory_scratch(e, size, "bytes"), whole;
	struct value v;

	if (x->type->kind == TYPE_PTR) {
		v = emit_expr(e, x);
		memory_zero(e, at, size, 8);
		probe_read(e, at, n, value_i64(e, v), place_of(x->type), span);
		return at;
	}
	whole = memory_scratch(e, (x->type->size + 7) / 8 * 8, "whole");
	emit_to(e, x, whole);
	memory_zero(e, at, size, 8);
	HELPER(e, probe_read_kernel, at, n, whole);
	return at;
}

/* a - b of the first bytes that differ, or 0: a loop that the verifier can count, with one branch a step that depends on data. */
struct value lower_memcmp(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	uint32_t most = (uint32_t)call->call.number;
	LLVMValueRef n, a, b, i, x, y, more, differ, end = int_const(e, most);
	LLVMBasicBlockRef before, loop, next, after;

	(void)dest;
	if (!most)
		return value_register(call->type, int_const(e, 0));
	n = call->call.args.at[2]->kind == EXPR_INT ? end : clamp(e, emit_i64(e, call->call.args.at[2]), most);
	a = first_bytes(e, call->call.args.at[0], n, most, call->span);
	b = first_bytes(e, call->call.args.at[1], n, most, call->span);
	before = block_here(e);
	loop = block_new(e, "compare");
	next = block_new(e, "");
	after = block_new(e, "");
	jump(e, loop);
	block_start(e, loop);
	i = LLVMBuildPhi(e->builder, e->i64, "i");
	x = LLVMBuildZExt(e->builder, load_int(e, memory_at_var(e, a, i), e->i8), e->i64, "");
	y = LLVMBuildZExt(e->builder, load_int(e, memory_at_var(e, b, i), e->i8), e->i64, "");
	differ = LLVMBuildSub(e->builder, x, y, "");
	branch(e, compare(e, LLVMIntNE, differ, int_const(e, 0)), after, next);
	block_start(e, next);
	more = LLVMBuildAdd(e->builder, i, int_const(e, 1), "");
	LLVMAddIncoming(i, (LLVMValueRef[]){int_const(e, 0), more}, (LLVMBasicBlockRef[]){before, next}, 2);
	branch(e, compare(e, LLVMIntULT, more, end), loop, after);
	block_start(e, after);
	return value_register(call->type, join(e, differ, loop, differ, next));
}
