/* printf() of a pinned iterator.  Nobody waits for its records in the ring buffer: the text is what is read from the pinned file, so
 * the kernel formats it.  It knows numbers and texts only (bpf_seq_printf, 5.10). */
#include "codegen/emit_event.h"
#include "codegen/emit_frame.h"

enum { MAX_VALUES = 12 /* MAX_SEQ_PRINTF_VARARGS of 5.10 */ };

bool seq_wanted(struct emit *e)
{
	const struct probe *p = emit_probe(e);

	return p && p->kind->id == PROBE_ITER && p->attach.at[0]->path.n;
}

struct value seq_refuse(struct emit *e, const struct expr *call)
{
	diag_add(e->diag, call->span, DIAG_PINNED_OUTPUT);
	diag_hint(e->diag, "without a pin every kind of output works");
	return value_none(e);
}

/* The kernel's spelling of a directive; false when it has none. */
static bool add_directive(struct strbuf *b, const struct format_piece *p)
{
	const char *flags[] = {p->left ? "-" : "", p->plus ? "+" : "", p->zero ? "0" : ""};
	size_t i;

	if (p->alternate)
		return false;
	strbuf_add(b, STR("%"));
	for (i = 0; i < 3; i++)
		strbuf_add(b, str_of(flags[i]));
	if (p->width)
		strbuf_printf(b, "%u", p->width);
	switch (p->conv) {
	case CONV_SIGNED:
		strbuf_add(b, STR("lld"));
		return true;
	case CONV_UNSIGNED:
		strbuf_add(b, STR("llu"));
		return true;
	case CONV_HEX:
		strbuf_add(b, STR("llx"));
		return true;
	case CONV_HEX_UPPER:
		strbuf_add(b, STR("llX"));
		return true;
	case CONV_STRING:
		strbuf_add(b, STR("s"));
		return true;
	default:
		return false;
	}
}

static void add_text(struct strbuf *b, struct str text)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		if (text.s[i] == '%')
			strbuf_addc(b, '%');
		strbuf_addc(b, text.s[i]);
	}
}

/* The number as the directive's width has it, so that the kernel's 64-bit form prints the same. */
static LLVMValueRef narrowed(struct emit *e, LLVMValueRef v, const struct format_piece *p)
{
	LLVMTypeRef type = LLVMIntTypeInContext(LLVMGetTypeContext(e->i64), p->bits);

	if (p->bits == 64)
		return v;
	v = LLVMBuildTrunc(e->builder, v, type, "");
	return p->conv == CONV_SIGNED ? LLVMBuildSExt(e->builder, v, e->i64, "") : LLVMBuildZExt(e->builder, v, e->i64, "");
}

static LLVMValueRef word_of(struct emit *e, const struct expr *x, const struct format_piece *p)
{
	LLVMValueRef at;

	if (p->conv != CONV_STRING)
		return narrowed(e, emit_i64(e, x), p);
	at = memory_temp(e, x->type->size, "text");
	emit_to(e, x, at);
	return LLVMBuildPtrToInt(e->builder, at, e->i64, "");
}

/* The file being read: ctx->meta->seq. */
static LLVMValueRef seq_file(struct emit *e)
{
	LLVMValueRef meta = LLVMBuildLoad2(e->builder, e->ptr, emit_context(e), "meta"), seq;

	LLVMSetVolatile(meta, true);
	seq = LLVMBuildLoad2(e->builder, e->ptr, meta, "seq");
	LLVMSetVolatile(seq, true);
	return seq;
}

struct value seq_printf(struct emit *e, const struct expr *call)
{
	struct strbuf text = {.arena = e->arena};
	int n = call->call.args.n - 1, i = 0;
	LLVMValueRef words = n ? stack_alloc(e, LLVMArrayType2(e->i64, (uint64_t)n), 8, "words") : LLVMConstNull(e->ptr);

	if (n > MAX_VALUES)
		return seq_refuse(e, call);
	VEC_EACH(p, &call->call.format->pieces) {
		const struct expr *x;

		if (p->conv == CONV_TEXT) {
			add_text(&text, p->text);
			continue;
		}
		x = call->call.args.at[1 + i];
		if (!add_directive(&text, p) || (p->conv == CONV_STRING ? x->type->kind != TYPE_STRING : !type_is_register(x->type)))
			return seq_refuse(e, call);
		store_int(e, memory_at(e, words, (uint32_t)i++ * 8), word_of(e, x, p));
	}
	HELPER(e, seq_printf, seq_file(e), literal(e, strbuf_str(&text), (uint32_t)text.n + 1), int_const(e, text.n + 1), words,
	       int_const(e, (uint64_t)n * 8));
	return value_none(e);
}
