/* Searching in texts: strstr(), strcontains(), glob().
 *
 * The verifier walks every way through a loop, and keeps what it has yet to walk: a loop over a
 * thousand bytes may have one branch per step that depends on data, no more.  So eight bytes of the
 * text at a time are compared with eight bytes of what is looked for, under a mask, without
 * branches; all that can end the search at a place is folded into one number.  Longer needles would
 * take too many words at every place: they are looked for byte by byte, without ever going back in
 * the text (Knuth, Morris, Pratt), which is at most two steps for each of its bytes.
 *
 * The text searched is copied into scratch memory first: a variable offset into the stack is
 * refused before 5.12, loads need not be aligned there, and the copy gives the length. */
#include "codegen/emit_text.h"

enum { NEEDLE_WORDS = 8, WORD = 8, STEPS_PER_TURN = 4 };

/* A text in scratch memory. */
struct haystack {
	LLVMValueRef at;
	LLVMValueRef length; /* i64 */
	uint32_t capacity;
	uint32_t slot; /* offset of two words behind the text */
};

/* What is looked for, in words; bits outside of the mask do not count.  A long one lies in memory instead, with its borders: u16
 * for each prefix, 1 + the length of the longest text that the prefix both begins and ends with (0: the empty prefix). */
struct needle {
	LLVMValueRef length; /* i64 */
	LLVMValueRef word[NEEDLE_WORDS], mask[NEEDLE_WORDS];
	int words;
	LLVMValueRef bytes, borders; /* NULL: in words */
	uint32_t room;		     /* elements of both, a power of two */
};

static LLVMValueRef compare(struct emit *e, LLVMIntPredicate how, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildICmp(e->builder, how, a, b, "");
}

static LLVMValueRef combine(struct emit *e, LLVMOpcode how, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildBinOp(e->builder, how, a, b, "");
}

/* v, out of memory whose content the verifier does not know: what comes next is walked once, not
 * once for each value. */
static LLVMValueRef forget(struct emit *e, LLVMValueRef slot, LLVMValueRef v)
{
	store_int(e, slot, v);
	v = load_int(e, slot, e->i64);
	LLVMSetVolatile(v, true);
	return v;
}

static uint32_t power_of_two(uint32_t least)
{
	uint32_t n = 1;

	while (n < least)
		n *= 2;
	return n;
}

/* The text x, with room behind it to compare `compared` bytes at any place. */
static struct haystack haystack(struct emit *e, const struct expr *x, uint32_t compared)
{
	struct haystack h = {.capacity = x->type->size};
	uint32_t room = h.capacity + compared + 2 * WORD, least = power_of_two(h.capacity);

	h.slot = (room > least ? room : least) / WORD * WORD;
	h.at = memory_scratch(e, h.slot + 2 * WORD, "haystack");
	h.length = forget(e, memory_at(e, h.at, h.slot), text_emit(e, x, h.at).length);
	return h;
}

/* ---- needles ---- */

static void set_u16(char *table, size_t at, size_t value)
{
	uint16_t v = (uint16_t)value;

	memcpy(table + 2 * at, &v, 2);
}

static size_t get_u16(const char *table, size_t at)
{
	uint16_t v;

	memcpy(&v, table + 2 * at, 2);
	return v;
}

static struct needle long_literal(struct emit *e, struct str text)
{
	struct needle n = {.length = int_const(e, text.n), .room = power_of_two((uint32_t)text.n + 1)};
	char *borders = arena_alloc(e->arena, 2 * n.room);
	size_t i, j = 0;

	set_u16(borders, 0, 0);
	set_u16(borders, 1, 1);
	for (i = 1; i < text.n; i++) {
		while (j && text.s[i] != text.s[j])
			j = get_u16(borders, j) - 1;
		j += text.s[i] == text.s[j];
		set_u16(borders, i + 1, j + 1);
	}
	n.bytes = literal(e, text, n.room);
	n.borders = literal(e, (struct str){borders, 2 * n.room}, 2 * n.room);
	return n;
}

static struct needle literal_needle(struct emit *e, struct str text)
{
	struct needle n = {.length = int_const(e, text.n)};
	size_t i;

	if (text.n > NEEDLE_WORDS * WORD)
		return long_literal(e, text);
	for (i = 0; i < text.n; i += WORD) {
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
	return opaque(e, combine(e, LLVMLShr, v, int_const(e, 63)));
}

static struct needle long_text(struct emit *e, const struct expr *x);

/* The bytes of a text in memory, up to its NUL.  Those of a needle that is longer than the `most` that the text searched can hold
 * never match. */
static struct needle text_needle(struct emit *e, const struct expr *x, uint32_t most)
{
	uint32_t capacity = x->type->size, size = (capacity + 2 * WORD - 1) / WORD * WORD;
	LLVMValueRef at, open = int_const(e, UINT64_MAX);
	struct needle n = {0};
	uint32_t i;

	if (capacity > NEEDLE_WORDS * WORD && most > NEEDLE_WORDS * WORD)
		return long_text(e, x);
	at = memory_scratch(e, size, "needle");
	memory_zero(e, at, size, 8);
	n.length = forget(e, memory_scratch(e, WORD, "length"), text_emit(e, x, at).length);
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

/* Going through a text from left to right with a long needle: bytes i-j to i of the text are the first j of the needle. */
struct walk {
	LLVMValueRef text, length; /* ptr, i64 */
	uint32_t room;		   /* bytes at `text`, a power of two */
	const struct needle *needle;
	bool learn; /* the text is the needle itself, whose borders this finds: write them */
	LLVMValueRef i, j;
};

/* All bits when v is 1, none when it is 0; LLVM would make a branch of what it sees through. */
static LLVMValueRef spread(struct emit *e, LLVMValueRef v)
{
	return opaque(e, LLVMBuildNeg(e->builder, v, ""));
}

/* Element i of a table with `room` elements of `bytes` bytes. */
static LLVMValueRef element_at(struct emit *e, LLVMValueRef table, LLVMValueRef i, uint32_t room, unsigned bytes)
{
	i = combine(e, LLVMAnd, i, int_const(e, room - 1));
	return memory_at_var(e, table, combine(e, LLVMMul, i, int_const(e, bytes)));
}

/* 1 while there is more to compare: i is in the text, j in the needle. */
static LLVMValueRef goes_on(struct emit *e, const struct walk *w)
{
	LLVMValueRef left = combine(e, LLVMSub, w->i, w->length);

	left = combine(e, LLVMAnd, left, combine(e, LLVMSub, w->j, w->needle->length));
	return opaque(e, combine(e, LLVMLShr, left, int_const(e, 63)));
}

/* 1 when v, which is below 2^63, is 0, else 0. */
static LLVMValueRef is_zero(struct emit *e, LLVMValueRef v)
{
	v = combine(e, LLVMSub, opaque(e, v), int_const(e, 1));
	return opaque(e, combine(e, LLVMLShr, v, int_const(e, 63)));
}

/* b where `mask` (all bits or none) is set, else a. */
static LLVMValueRef choose(struct emit *e, LLVMValueRef mask, LLVMValueRef a, LLVMValueRef b)
{
	return combine(e, LLVMXor, a, combine(e, LLVMAnd, combine(e, LLVMXor, a, b), mask));
}

static LLVMValueRef load_element(struct emit *e, LLVMValueRef table, LLVMValueRef i, uint32_t room, LLVMTypeRef type)
{
	LLVMValueRef v = load_int(e, element_at(e, table, i, room, type == e->i8 ? 1 : 2), type);

	return LLVMBuildZExt(e->builder, v, e->i64, "");
}

/* One byte: where it is the needle's next one both go on; else the longest border of what matched is tried at the same byte, and
 * the byte is passed when nothing had matched.  Nothing happens at the end. */
static void step(struct emit *e, struct walk *w)
{
	const struct needle *n = w->needle;
	LLVMValueRef live = goes_on(e, w), one = int_const(e, 1), border, same, none, moves, next;

	same = combine(e, LLVMXor, load_element(e, w->text, w->i, w->room, e->i8),
		       load_element(e, n->bytes, w->j, n->room, e->i8));
	same = is_zero(e, same);
	border = load_element(e, n->borders, w->j, n->room, e->i16);
	none = is_zero(e, border);
	moves = combine(e, LLVMAnd, live, combine(e, LLVMOr, same, none));
	next = combine(e, LLVMAdd, combine(e, LLVMSub, border, one), none);
	next = choose(e, spread(e, same), next, combine(e, LLVMAdd, w->j, one));
	w->j = choose(e, spread(e, live), w->j, next);
	w->i = combine(e, LLVMAdd, w->i, moves);
	if (!w->learn)
		return;
	moves = spread(e, moves); /* when i stayed: element 0 is 0 already */
	next = combine(e, LLVMAnd, combine(e, LLVMAdd, w->j, one), moves);
	store_int(e, element_at(e, n->borders, combine(e, LLVMAnd, w->i, moves), n->room, 2),
		  LLVMBuildTrunc(e->builder, next, e->i16, ""));
}

/* Walk from i and j = 0 on until goes_on() says no.  `slot` has two words, through which i and j become numbers that the verifier
 * does not know: it counts the turns alone. */
static void walk(struct emit *e, struct walk *w, LLVMValueRef slot)
{
	LLVMValueRef slots[] = {slot, memory_at(e, slot, WORD)}, turn, more;
	LLVMBasicBlockRef before = block_here(e), loop = block_new(e, "walk"), next = block_new(e, ""), after = block_new(e, "");
	int k;

	store_int(e, slots[0], w->i);
	store_int(e, slots[1], int_const(e, 0));
	jump(e, loop);
	block_start(e, loop);
	turn = LLVMBuildPhi(e->builder, e->i64, "turn");
	w->i = load_int(e, slots[0], e->i64);
	LLVMSetVolatile(w->i, true);
	w->j = load_int(e, slots[1], e->i64);
	LLVMSetVolatile(w->j, true);
	for (k = 0; k < STEPS_PER_TURN; k++)
		step(e, w);
	store_int(e, slots[0], w->i);
	store_int(e, slots[1], w->j);
	branch(e, compare(e, LLVMIntNE, goes_on(e, w), int_const(e, 0)), next, after);
	block_start(e, next);
	more = combine(e, LLVMAdd, turn, int_const(e, 1));
	LLVMAddIncoming(turn, (LLVMValueRef[]){int_const(e, 0), more}, (LLVMBasicBlockRef[]){before, next}, 2);
	branch(e, compare(e, LLVMIntULE, more, int_const(e, 2 * w->room / STEPS_PER_TURN)), loop, after);
	block_start(e, after);
	w->i = load_int(e, slots[0], e->i64);
	LLVMSetVolatile(w->i, true);
	w->j = load_int(e, slots[1], e->i64);
	LLVMSetVolatile(w->j, true);
}

/* A text that is known only at run time; its borders are found by looking for it in itself. */
static struct needle long_text(struct emit *e, const struct expr *x)
{
	struct needle n = {.room = power_of_two(x->type->size)};
	struct walk w = {.needle = &n, .room = n.room, .learn = true, .i = int_const(e, 1)};
	LLVMValueRef slot = memory_scratch(e, 2 * WORD, "walk");

	n.bytes = memory_scratch(e, n.room, "needle");
	n.borders = memory_scratch(e, 2 * n.room, "borders");
	n.length = forget(e, slot, text_emit(e, x, n.bytes).length);
	store_int(e, n.borders, LLVMConstInt(e->i16, 0, false));
	store_int(e, memory_at(e, n.borders, 2), LLVMConstInt(e->i16, 1, false));
	w.text = n.bytes;
	w.length = n.length;
	walk(e, &w, slot);
	return n;
}

static LLVMValueRef search_long(struct emit *e, const struct haystack *h, LLVMValueRef start, const struct needle *n)
{
	struct walk w = {.text = h->at, .length = h->length, .room = power_of_two(h->capacity), .needle = n, .i = start};
	LLVMValueRef slot = memory_at(e, h->at, h->slot);

	walk(e, &w, slot);
	return clamp(e, forget(e, slot, combine(e, LLVMSub, w.i, w.j)), h->capacity);
}

static LLVMValueRef search_words(struct emit *e, const struct haystack *h, LLVMValueRef start,
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

/* First place from `start` on where the needle stands, or a place so high that it does not fit
 * before the end. */
static LLVMValueRef search(struct emit *e, const struct haystack *h, LLVMValueRef start, const struct needle *n)
{
	return n->bytes ? search_long(e, h, start, n) : search_words(e, h, start, n);
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
	struct haystack h = haystack(e, x, NEEDLE_WORDS * WORD);
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
	LLVMValueRef at = memory_at_var(e, h->at, place);
	size_t i;

	for (i = 0; i < literal.n; i += NEEDLE_WORDS * WORD) {
		struct needle n = literal_needle(e, str_sub(literal, i, NEEDLE_WORDS * WORD));

		go_on_if(e, compare(e, LLVMIntEQ, difference(e, memory_at(e, at, i), &n), int_const(e, 0)), no);
	}
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
	struct haystack h = haystack(e, call->call.args.at[0], (uint32_t)pattern.n + NEEDLE_WORDS * WORD);

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
