/* Searching in texts: strstr(), strcontains(), glob().
 *
 * The verifier walks every way through a loop, and keeps what it has yet to walk: a loop over a
 * thousand bytes may have one branch per step that depends on data, no more.  So eight bytes of the
 * text at a time are compared with eight bytes of what is looked for, under a mask, without
 * branches; all that can end the search at a place is folded into one number.
 *
 * The text searched is copied into scratch memory first: a variable offset into the stack is
 * refused before 5.12, loads need not be aligned there, and the copy gives the length. */
#include "codegen/emit_text.h"

enum { NEEDLE_WORDS = 8, WORD = 8 };

/* A text in scratch memory. */
struct haystack {
	LLVMValueRef at;
	LLVMValueRef length; /* i64 */
	uint32_t capacity;
	uint32_t slot; /* offset of a word behind the text */
};

/* What is looked for, in words; bits outside of the mask do not count. */
struct needle {
	LLVMValueRef length; /* i64 */
	LLVMValueRef word[NEEDLE_WORDS], mask[NEEDLE_WORDS];
	int words;
};

static LLVMValueRef compare(struct emit *e, LLVMIntPredicate how, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildICmp(e->builder, how, a, b, "");
}

static LLVMValueRef combine(struct emit *e, LLVMOpcode how, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildBinOp(e->builder, how, a, b, "");
}

static struct haystack haystack(struct emit *e, const struct expr *x)
{
	struct haystack h = {.capacity = x->type->size};

	h.slot = (h.capacity + (NEEDLE_WORDS + 2) * WORD) / WORD * WORD;
	h.at = memory_scratch(e, h.slot + WORD, "haystack");
	h.length = text_emit(e, x, h.at).length;
	return h;
}

/* ---- needles ---- */

static struct needle literal_needle(struct emit *e, struct str text)
{
	struct needle n = {.length = int_const(e, text.n)};
	size_t i;

	for (i = 0; i < text.n && i < NEEDLE_WORDS * WORD; i += WORD) {
		size_t rest = text.n - i < WORD ? text.n - i : WORD;
		uint64_t word = 0;

		memcpy(&word, text.s + i, rest);
		n.mask[n.words] = int_const(e, rest == WORD ? UINT64_MAX : (1ull << 8 * rest) - 1);
		n.word[n.words++] = int_const(e, word);
	}
	return n;
}

/* 1 when v is not 0, else 0, by arithmetic; LLVM would make a branch of a comparison. */
static LLVMValueRef is_set(struct emit *e, LLVMValueRef v)
{
	v = opaque(e, v);
	v = combine(e, LLVMOr, v, opaque(e, LLVMBuildNeg(e->builder, v, "")));
	return combine(e, LLVMLShr, v, int_const(e, 63));
}

/* The bytes of a text in memory, up to its NUL.  Those of a needle that is longer than can be
 * compared never match. */
static struct needle text_needle(struct emit *e, const struct expr *x, uint32_t most)
{
	uint32_t capacity = x->type->size, size = (capacity + 2 * WORD - 1) / WORD * WORD;
	LLVMValueRef at = memory_scratch(e, size, "needle"), open = int_const(e, UINT64_MAX);
	struct needle n;
	uint32_t i;

	memory_zero(e, at, size, 8);
	n.length = text_emit(e, x, at).length;
	if (most > capacity)
		most = capacity;
	n.words = (int)((most + WORD - 1) / WORD);
	for (i = 0; i < (uint32_t)n.words; i++) {
		LLVMValueRef w = load_int(e, memory_at(e, at, i * WORD), e->i64), zero, first;

		/* the lowest bit of `zero` is the top bit of the first NUL; no NUL: 0 */
		zero = combine(e, LLVMSub, w, int_const(e, 0x0101010101010101u));
		zero = combine(e, LLVMAnd, zero, LLVMBuildNot(e->builder, w, ""));
		zero = combine(e, LLVMAnd, zero, int_const(e, 0x8080808080808080u));
		first = combine(e, LLVMXor, zero, combine(e, LLVMSub, zero, int_const(e, 1)));
		/* all bytes before the NUL; without one all of them */
		first = combine(e, LLVMLShr, first, int_const(e, 8));
		first = combine(e, LLVMOr, first,
				combine(e, LLVMSub, is_set(e, zero), int_const(e, 1)));
		n.mask[i] = combine(e, LLVMAnd, first, open);
		n.word[i] = combine(e, LLVMAnd, w, n.mask[i]);
		open = combine(e, LLVMAnd, open,
			       combine(e, LLVMSub, is_set(e, zero), int_const(e, 1)));
	}
	return n;
}

/* 0 when the bytes of the needle stand at `at`. */
static LLVMValueRef difference(struct emit *e, LLVMValueRef at, const struct needle *n)
{
	LLVMValueRef all = int_const(e, 0);
	int i;

	for (i = 0; i < n->words; i++) {
		LLVMValueRef w = load_int(e, memory_at(e, at, (uint64_t)i * WORD), e->i64);

		w = combine(e, LLVMXor, combine(e, LLVMAnd, w, n->mask[i]), n->word[i]);
		all = combine(e, LLVMOr, all, w);
	}
	return all;
}

/* ---- searching ---- */

/* v, out of memory whose content the verifier does not know: what comes next is walked once, not
 * once for each value. */
static LLVMValueRef forget(struct emit *e, LLVMValueRef slot, LLVMValueRef v)
{
	store_int(e, slot, v);
	v = load_int(e, slot, e->i64);
	LLVMSetVolatile(v, true);
	return v;
}

/* First place from `start` on where the needle stands, or a place so high that it does not fit
 * before the end. */
static LLVMValueRef search(struct emit *e, const struct haystack *h, LLVMValueRef start,
			   const struct needle *n)
{
	LLVMBasicBlockRef before = block_here(e), loop = block_new(e, "find"),
			  next = block_new(e, ""), after = block_new(e, "");
	LLVMValueRef i, miss, low, beyond, more, phi;

	jump(e, loop);
	block_start(e, loop);
	i = LLVMBuildPhi(e->builder, e->i64, "i");
	miss = difference(e, memory_at_var(e, h->at, i), n);
	/* the top bit of a difference says that i is too small, or too large */
	low = combine(e, LLVMLShr, opaque(e, combine(e, LLVMSub, i, start)), int_const(e, 63));
	beyond = combine(e, LLVMLShr, opaque(e, combine(e, LLVMSub, h->length, i)), int_const(e, 63));
	miss = combine(e, LLVMXor, is_set(e, combine(e, LLVMOr, miss, low)), int_const(e, 1));
	miss = combine(e, LLVMOr, miss, opaque(e, beyond));
	branch(e, compare(e, LLVMIntNE, miss, int_const(e, 0)), after, next);
	block_start(e, next);
	more = combine(e, LLVMAdd, i, int_const(e, 1));
	LLVMAddIncoming(i, (LLVMValueRef[]){int_const(e, 0), more},
			(LLVMBasicBlockRef[]){before, next}, 2);
	branch(e, compare(e, LLVMIntULT, more, int_const(e, h->capacity)), loop, after);
	block_start(e, after);
	phi = LLVMBuildPhi(e->builder, e->i64, "place");
	LLVMAddIncoming(phi, (LLVMValueRef[]){i, more}, (LLVMBasicBlockRef[]){loop, next}, 2);
	return clamp(e, forget(e, memory_at(e, h->at, h->slot), phi), h->capacity);
}

/* Does the needle end before the text does, when it begins at `place`? */
static LLVMValueRef fits(struct emit *e, const struct haystack *h, LLVMValueRef place,
			 const struct needle *n)
{
	return compare(e, LLVMIntULE, combine(e, LLVMAdd, place, n->length), h->length);
}

/* Index of the second argument in the first, or -1. */
static LLVMValueRef find_argument(struct emit *e, const struct expr *call)
{
	const struct expr *x = call->call.args.at[0], *y = call->call.args.at[1];
	struct haystack h = haystack(e, x);
	LLVMValueRef place;
	struct needle n;

	n = y->kind == EXPR_STRING ? literal_needle(e, y->string.text)
				   : text_needle(e, y, x->type->size);
	place = search(e, &h, int_const(e, 0), &n);
	return LLVMBuildSelect(e->builder, fits(e, &h, place, &n), place, int_const(e, UINT64_MAX),
			       "found");
}

struct value lower_strstr(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return value_register(call->type, find_argument(e, call));
}

static struct value boolean(struct emit *e, const struct expr *call, LLVMValueRef yes)
{
	return value_register(call->type, LLVMBuildZExt(e->builder, yes, e->i8, ""));
}

struct value lower_strcontains(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return boolean(e, call, compare(e, LLVMIntSGE, find_argument(e, call), int_const(e, 0)));
}

/* ---- patterns ---- */

static void go_on_if(struct emit *e, LLVMValueRef yes, LLVMBasicBlockRef no)
{
	LLVMBasicBlockRef next = block_new(e, "");

	branch(e, yes, next, no);
	block_start(e, next);
}

/* The literal stands at `place`, which is bounded. */
static void match_at(struct emit *e, const struct haystack *h, LLVMValueRef place,
		     struct str literal, LLVMBasicBlockRef no)
{
	struct needle n = literal_needle(e, literal);

	if (literal.n)
		go_on_if(e,
			 compare(e, LLVMIntEQ, difference(e, memory_at_var(e, h->at, place), &n),
				 int_const(e, 0)),
			 no);
}

/* The parts of a pattern between its stars match one after the other; the first where the text
 * begins, the last where it ends. */
static void match_pattern(struct emit *e, const struct haystack *h, struct str pattern,
			  LLVMBasicBlockRef no)
{
	size_t n = str_find(pattern, '*');
	LLVMValueRef pos = int_const(e, n), end;

	match_at(e, h, int_const(e, 0), str_sub(pattern, 0, n), no);
	if (n == pattern.n) { /* no star: the whole text */
		go_on_if(e, compare(e, LLVMIntEQ, h->length, pos), no);
		return;
	}
	for (pattern = str_sub(pattern, n + 1, pattern.n); (n = str_find(pattern, '*')) < pattern.n;
	     pattern = str_sub(pattern, n + 1, pattern.n)) {
		struct needle part = literal_needle(e, str_sub(pattern, 0, n));
		LLVMValueRef place;

		if (!n)
			continue;
		place = search(e, h, pos, &part);
		go_on_if(e, fits(e, h, place, &part), no);
		pos = combine(e, LLVMAdd, place, part.length);
	}
	end = combine(e, LLVMAdd, pos, int_const(e, pattern.n));
	go_on_if(e, compare(e, LLVMIntULE, end, h->length), no);
	/* Through memory: on a way that cannot be taken 5.10 may have got impossible bounds for the length. */
	end = combine(e, LLVMSub, h->length, int_const(e, pattern.n));
	end = clamp(e, forget(e, memory_at(e, h->at, h->slot), end), h->capacity);
	match_at(e, h, end, pattern, no);
}

struct value lower_glob(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	struct str pattern = call->call.args.at[1]->string.text;
	LLVMBasicBlockRef no = block_new(e, "differs"), yes, after = block_new(e, "");
	struct haystack h = haystack(e, call->call.args.at[0]);

	(void)dest;
	match_pattern(e, &h, pattern, no);
	yes = block_here(e);
	jump(e, after);
	block_start(e, no);
	jump(e, after);
	block_start(e, after);
	return value_register(call->type, join(e, LLVMConstInt(e->i8, 1, false), yes,
					       LLVMConstInt(e->i8, 0, false), no));
}
