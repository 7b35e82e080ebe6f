/* Events: what BPF asks of user space, as records in the ring buffer (docs/manifest.md).
 *
 * A record without texts has a constant size: room for it is reserved in the ring buffer and filled
 * there.  A record with texts is built in scratch memory, each text read straight to where it
 * belongs behind the one before, and sent with as many bytes as it has.  Either way all values are
 * evaluated before anything is sent, so that no record is half-written; a full ring buffer drops
 * the whole event and counts it. */
#include "codegen/emit_event.h"
#include "codegen/layout.h"
#include "lang/builtin.h"

enum { RINGBUF = 27, RINGBUF_BYTES = 256 * 1024 /* the runtime sets the real size */ };

struct event_state {
	LLVMValueRef ringbuf;
	bool drains_known;
	VEC(const struct expr *)
	drains; /* print() and report() calls that also take the entries out */
	VEC(const struct map *) drained;
	VEC(const struct expr *) dropped; /* clear() calls that such a print does */
};

/* A record on its way. */
struct record {
	const struct expr *call;
	const struct expr *const *values;
	int nvalues;
	struct manifest_event event;
	struct event_layout layout;
	bool has_text;
	int id;
};

static struct event_state *state(struct emit *e)
{
	struct event_state *s = e->events;

	if (!s) {
		s = NEW(e->arena, struct event_state);
		e->events = s;
	}
	return s;
}

static LLVMValueRef ringbuf(struct emit *e)
{
	struct event_state *s = state(e);

	if (!s->ringbuf)
		s->ringbuf = map_declare(e, ELF_RINGBUF, RINGBUF, 0, 0, RINGBUF_BYTES, 0);
	return s->ringbuf;
}

/* ---- placing ---- */

/* Does every text in the value stand in the script? */
static bool is_literal_text(const struct expr *x)
{
	switch (x->kind) {
	case EXPR_STRING:
		return true;
	case EXPR_TERNARY:
		return x->ternary.then && is_literal_text(x->ternary.then) &&
		       is_literal_text(x->ternary.other);
	case EXPR_CAST:
		return is_literal_text(x->cast.e);
	case EXPR_TUPLE:
	case EXPR_RECORD:
		VEC_EACH (elem, &x->tuple.elems)
			if (!type_is_integer((*elem)->type) && !is_literal_text(*elem))
				return false;
		return true;
	default:
		return false;
	}
}

static void place_values(struct emit *e, struct record *r)
{
	int i;

	r->layout = layout_event();
	for (i = 0; i < r->nvalues; i++) {
		const struct expr *x = r->values[i];
		struct event_value v = {.pointed = layout_is_pointed(x->type),
					.literal = is_literal_text(x)};

		v.shape = manifest_shape(e->arena, e->manifest, e->types, x->type);
		v.offset = layout_event_add(&r->layout, x->type, v.pointed);
		r->has_text |= v.pointed;
		VEC_PUSH(e->arena, &r->event.values, v);
	}
	r->layout.fixed = (r->layout.fixed + 7) & ~7u;
	r->event.fixed_size = r->layout.fixed;
	r->id = event_add(e, r->call, r->event);
}

/* The counter of this event being lost. */
static int lost_site(struct emit *e, const struct expr *call, int id, const char *helper)
{
	int site = site_new(e, SITE_LOST_EVENT, call->span, e->manifest->events.at[id].map, helper);

	e->manifest->sites.at[site].event = id;
	return site;
}

/* ---- sending ---- */

int event_add(struct emit *e, const struct expr *call, struct manifest_event event)
{
	event.span = manifest_span(e->arena, e->manifest, call->span);
	VEC_PUSH(e->arena, &e->manifest->events, event);
	return e->manifest->events.n - 1;
}

void event_put_text(struct emit *e, LLVMValueRef record, uint32_t offset, LLVMValueRef tail,
		    struct text t)
{
	LLVMValueRef bytes = LLVMBuildTrunc(e->builder, t.length, e->i32, ""), cut;

	if (t.cut) {
		cut = LLVMBuildSelect(e->builder, t.cut, int32_const(e, EVENT_CUT),
				      int32_const(e, 0), "");
		bytes = LLVMBuildOr(e->builder, bytes, cut, "");
	}
	store_int(e, memory_at(e, record, offset), LLVMBuildTrunc(e->builder, tail, e->i32, ""));
	store_int(e, memory_at(e, record, offset + 4), bytes);
}

/* The pieces of a line are put together by user space: those of one CPU are one after the other. */
static void store_id(struct emit *e, LLVMValueRef record, int id)
{
	LLVMValueRef cpu;

	store_int(e, record, LLVMConstInt(e->i16, (uint64_t)id, false));
	cpu = e->manifest->events.at[id].kind == EVENT_PRINTF
		      ? LLVMBuildTrunc(e->builder, HELPER(e, get_smp_processor_id), e->i16, "")
		      : LLVMConstInt(e->i16, 0, false);
	store_int(e, memory_at(e, record, 2), cpu);
}

void event_output(struct emit *e, const struct expr *call, int id, LLVMValueRef record,
		  LLVMValueRef size)
{
	LLVMValueRef failed;

	store_id(e, record, id);
	store_int(e, memory_at(e, record, 4), LLVMBuildTrunc(e->builder, size, e->i32, ""));
	failed = HELPER(e, ringbuf_output, ringbuf(e), record, size, int_const(e, 0));
	site_hit_if(e, LLVMBuildICmp(e->builder, LLVMIntNE, failed, int_const(e, 0), ""),
		    lost_site(e, call, id, "ringbuf_output"), failed);
}

static bool is_aggregate_element(const struct expr *x)
{
	return x->kind == EXPR_MAP && type_is_aggregate(x->type);
}

/* The value, with what must be computed computed; memory of others may still have to be read. */
static struct value evaluate(struct emit *e, const struct expr *x)
{
	struct value v;

	if (is_aggregate_element(x)) {
		v = value_at(x->type, memory_temp(e, x->type->size, "merged"), PLACE_BPF);
		aggregate_merge(e, x, v.v);
		return v;
	}
	v = emit_expr(e, x);
	return type_is_register(x->type) ? value_register(x->type, value_number(e, v)) : v;
}

static void send_fixed(struct emit *e, const struct record *r)
{
	struct value *values = NEW_ARRAY(e->arena, struct value, r->nvalues);
	LLVMBasicBlockRef full = block_new(e, "full"), room = block_new(e, "room"),
			  after = block_new(e, "");
	LLVMValueRef at;
	int i;

	for (i = 0; i < r->nvalues; i++)
		values[i] = evaluate(e, r->values[i]);
	at = HELPER(e, ringbuf_reserve, ringbuf(e), int_const(e, r->layout.fixed), int_const(e, 0));
	branch(e, is_null(e, at), full, room);
	block_start(e, room);
	store_id(e, at, r->id);
	store_int(e, memory_at(e, at, 4), int32_const(e, r->layout.fixed));
	for (i = 0; i < r->nvalues; i++)
		value_store(e, values[i], memory_at(e, at, r->event.values.at[i].offset));
	HELPER(e, ringbuf_submit, at, int_const(e, 0));
	jump(e, after);
	block_start(e, full);
	site_hit(e, lost_site(e, r->call, r->id, "ringbuf_reserve"), NULL);
	jump(e, after);
	block_start(e, after);
}

/* A text or buffer at record + tail; returns where the next one goes, at most `most`. */
static LLVMValueRef put_pointed(struct emit *e, const struct expr *x, LLVMValueRef record,
				uint32_t offset, LLVMValueRef tail, uint32_t most)
{
	LLVMValueRef dest = memory_at_var(e, record, tail);
	struct text t =
		x->type->kind == TYPE_BUFFER ? buffer_emit(e, x, dest) : text_emit(e, x, dest);

	event_put_text(e, record, offset, tail, t);
	/* Through memory: the verifier forgets in which of many ways the length came about, and walks the rest once. */
	tail = LLVMBuildTrunc(e->builder, LLVMBuildAdd(e->builder, tail, t.length, "tail"), e->i32, "");
	store_int(e, memory_at(e, record, 4), tail);
	tail = load_int(e, memory_at(e, record, 4), e->i32);
	LLVMSetVolatile(tail, true);
	return clamp(e, LLVMBuildZExt(e->builder, tail, e->i64, ""), most);
}

static void send_texts(struct emit *e, const struct record *r)
{
	uint32_t size = layout_event_max(&r->layout), most = r->layout.fixed;
	LLVMValueRef record = memory_scratch(e, size, "event"), tail = int_const(e, most);
	int i;

	for (i = 0; i < r->nvalues; i++) {
		const struct expr *x = r->values[i];
		uint32_t offset = r->event.values.at[i].offset;

		if (r->event.values.at[i].pointed) {
			most += x->type->size;
			tail = put_pointed(e, x, record, offset, tail, most);
		} else if (is_aggregate_element(x)) {
			aggregate_merge(e, x, memory_at(e, record, offset));
		} else {
			emit_to(e, x, memory_at(e, record, offset));
		}
	}
	event_output(e, r->call, r->id, record, tail);
}

static struct value send(struct emit *e, const struct expr *call, struct manifest_event event,
			 const struct expr *const *values, int nvalues)
{
	struct record r = {.call = call, .values = values, .nvalues = nvalues, .event = event};

	if (seq_wanted(e))
		return event.kind == EVENT_PRINTF ? seq_printf(e, call) : seq_refuse(e, call);
	place_values(e, &r);
	/* Where registers are scarce no value waits for the others. */
	if (r.has_text || (e->frugal && nvalues > 1))
		send_texts(e, &r);
	else
		send_fixed(e, &r);
	return value_none(e);
}

/* ---- drains ---- */

/* The map that a statement prints, reports or clears as a whole; NULL for other statements. */
static const struct map *whole_map(const struct stmt *s, enum builtin_id *builtin)
{
	const struct expr *x = s->kind == STMT_EXPR ? s->expr : NULL;

	if (!x || x->kind != EXPR_CALL)
		return NULL;
	*builtin = x->call.builtin;
	switch (x->call.builtin) {
	case BUILTIN_report:
		return x->call.report->map;
	case BUILTIN_print:
	case BUILTIN_clear:
	case BUILTIN_zero:
		x = x->call.args.at[0];
		return x->kind == EXPR_MAP && !x->map.key ? x->map.map : NULL;
	default:
		return NULL;
	}
}

/* Is this report(@other, ..., join = @map)? */
static bool joins(const struct stmt *s, enum builtin_id builtin, const struct map *map)
{
	if (builtin == BUILTIN_report)
		VEC_EACH (m, &s->expr->call.report->joined)
			if (*m == map)
				return true;
	return false;
}

/* Only the order of what user space does counts between a print and its clear: other events may
 * stand there. */
static bool is_event(const struct stmt *s)
{
	const struct expr *x = s->kind == STMT_EXPR ? s->expr : NULL;
	const struct builtin *b = x && x->kind == EXPR_CALL ? builtin_row(x->call.builtin) : NULL;

	return b && b->runs == RUNS_USER && b->id != BUILTIN_exit;
}

/* clear(@m) is statement `at`: the print(@m) or report(@m, ...) before it does both. */
static void find_drain(struct emit *e, const stmt_list *stmts, int at, const struct map *map)
{
	struct event_state *s = state(e);
	int i;

	for (i = at - 1; i >= 0 && is_event(stmts->at[i]); i--) {
		enum builtin_id builtin = BUILTIN_NONE;

		if (whole_map(stmts->at[i], &builtin) != map && !joins(stmts->at[i], builtin, map))
			continue;
		if (builtin == BUILTIN_print || builtin == BUILTIN_report) {
			VEC_PUSH(e->arena, &s->drains, stmts->at[i]->expr);
			VEC_PUSH(e->arena, &s->drained, map);
			VEC_PUSH(e->arena, &s->dropped, stmts->at[at]->expr);
		}
		return;
	}
}

static void find_drains(struct emit *e, const struct block *b);

static void find_drains_in(struct emit *e, const struct stmt *s)
{
	switch (s->kind) {
	case STMT_IF:
		find_drains(e, s->if_.then);
		if (s->if_.other)
			find_drains_in(e, s->if_.other);
		return;
	case STMT_FOR:
		find_drains(e, s->for_.body);
		return;
	case STMT_WHILE:
	case STMT_UNROLL:
		find_drains(e, s->loop.body);
		return;
	case STMT_BLOCK:
		find_drains(e, s->block);
		return;
	case STMT_EXPR:
	case STMT_ASSIGN:
	case STMT_LET:
	case STMT_DISCARD:
	case STMT_RETURN:
	case STMT_BREAK:
	case STMT_CONTINUE:
	case STMT_IMPORT:
		return;
	}
}

static void find_drains(struct emit *e, const struct block *b)
{
	int i;

	for (i = 0; b && i < b->stmts.n; i++) {
		enum builtin_id builtin = BUILTIN_NONE;
		const struct map *map = whole_map(b->stmts.at[i], &builtin);

		if (map && builtin == BUILTIN_clear)
			find_drain(e, &b->stmts, i, map);
		else
			find_drains_in(e, b->stmts.at[i]);
	}
}

static void know_drains(struct emit *e)
{
	struct event_state *s = state(e);

	if (s->drains_known)
		return;
	s->drains_known = true;
	VEC_EACH (p, &e->program->probes)
		find_drains(e, (*p)->body);
	VEC_EACH (f, &e->program->functions)
		find_drains(e, (*f)->body);
}

static bool is_drain(struct emit *e, const struct expr *call, const struct map *map)
{
	struct event_state *s = state(e);
	int i;

	know_drains(e);
	for (i = 0; i < s->drains.n; i++)
		if (s->drains.at[i] == call && s->drained.at[i] == map)
			return true;
	return false;
}

bool event_drains(struct emit *e, const struct map *map)
{
	know_drains(e);
	VEC_EACH (m, &state(e)->drained)
		if (*m == map)
			return true;
	return false;
}

static bool is_dropped(struct emit *e, const struct expr *call)
{
	know_drains(e);
	VEC_EACH (x, &state(e)->dropped)
		if (*x == call)
			return true;
	return false;
}

/* ---- the builtins ---- */

/* printf and its kin: a format, then its values. */
static struct value send_format(struct emit *e, const struct expr *call, enum event_kind kind)
{
	struct manifest_event event = {.kind = kind, .format = call->call.format->text, .map = -1};

	return send(e, call, event, (const struct expr *const *)call->call.args.at + 1,
		    call->call.args.n - 1);
}

struct value lower_printf(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return send_format(e, call, EVENT_PRINTF);
}

struct value lower_cat(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return send_format(e, call, EVENT_CAT);
}

struct value lower_system(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return send_format(e, call, EVENT_SYSTEM);
}

struct value lower_errorf(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return send_format(e, call, EVENT_ERRORF);
}

struct value lower_warnf(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return send_format(e, call, EVENT_WARNF);
}

static uint64_t number_argument(const struct expr *call, int i)
{
	return i < call->call.args.n ? call->call.args.at[i]->integer.value : 0;
}

static struct manifest_report_expr report_code(struct emit *e, const struct report_expr *x)
{
	struct manifest_report_expr out = {
		.shape = manifest_shape(e->arena, e->manifest, e->types, x->type)};

	VEC_EACH (code, &x->code) {
		struct report_code c = *code;

		if (c.map)
			c.number = c.map->id;
		c.map = NULL;
		VEC_PUSH(e->arena, &out.code, c);
	}
	return out;
}

/* Postfix code of report(), or of `by` of print(). */
static void add_report(struct emit *e, struct manifest_event *event, const struct report_expr *x)
{
	VEC_PUSH(e->arena, &event->report, report_code(e, x));
}

struct value lower_print(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *x = call->call.args.at[0];
	const struct report *r = call->call.report;
	struct manifest_event event = {.kind = EVENT_PRINT_VALUE, .map = -1};

	(void)dest;
	if (x->kind != EXPR_MAP || x->map.key)
		return send(e, call, event, (const struct expr *const *)call->call.args.at, 1);
	event = (struct manifest_event){.kind = EVENT_PRINT_MAP,
					.map = x->map.map->id,
					.top = number_argument(call, 1),
					.div = number_argument(call, 2),
					.drain = is_drain(e, call, x->map.map)};
	if (r && r->top)
		event.top = r->top;
	if (r && r->top_option)
		event.top_option = r->top_option->id + 1;
	if (r) {
		event.descending = r->descending;
		event.percentiles = r->percentiles;
	}
	if (r && r->by.code.n) {
		event.has_by = true;
		add_report(e, &event, &r->by);
	}
	return send(e, call, event, NULL, 0);
}

static struct value send_map(struct emit *e, const struct expr *call, enum event_kind kind)
{
	return send(
		e, call,
		(struct manifest_event){.kind = kind, .map = call->call.args.at[0]->map.map->id},
		NULL, 0);
}

struct value lower_clear(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return is_dropped(e, call) ? value_none(e) : send_map(e, call, EVENT_CLEAR);
}

struct value lower_zero(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return send_map(e, call, EVENT_ZERO);
}

struct value lower_time(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	struct manifest_event event = {.kind = EVENT_TIME, .format = STR("%H:%M:%S\n"), .map = -1};

	(void)dest;
	if (call->call.args.n)
		event.format = call->call.args.at[0]->string.text;
	return send(e, call, event, NULL, 0);
}

struct value lower_exit(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct expr *code = call->call.args.n ? call->call.args.at[0] : NULL;
	struct manifest_event event = {.kind = EVENT_EXIT, .map = -1};

	(void)dest;
	if (code && code->kind == EXPR_INT) {
		event.code = (int)code->integer.value;
		code = NULL;
	}
	send(e, call, event, &code, code != NULL);
	emit_leave(e);
	return value_none(e);
}

struct value lower_unwatch(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	struct manifest_event event = {.kind = EVENT_UNWATCH, .map = -1};
	const struct expr *address = call->call.args.at[0];

	(void)dest;
	return send(e, call, event, &address, 1);
}

struct value lower_report(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	const struct report *r = call->call.report;
	struct manifest_event event = {.kind = EVENT_REPORT,
				       .map = r->map->id,
				       .format = r->format->text,
				       .top = r->top,
				       .descending = r->descending,
				       .has_by = r->by.code.n > 0,
				       .drain = is_drain(e, call, r->map)};

	(void)dest;
	VEC_EACH (x, &r->values)
		add_report(e, &event, x);
	if (event.has_by)
		add_report(e, &event, &r->by);
	if (r->top_option)
		event.top_option = r->top_option->id + 1;
	if (r->where.code.n)
		VEC_PUSH(e->arena, &event.where, report_code(e, &r->where));
	if (r->descending_if.code.n)
		VEC_PUSH(e->arena, &event.desc_if, report_code(e, &r->descending_if));
	event.fit = r->fit;
	if (r->totals)
		event.totals = r->totals->text;
	VEC_EACH (m, &r->joined)
		VEC_PUSH(e->arena, &event.joins, ((struct manifest_join){(*m)->id, is_drain(e, call, *m)}));
	return send(e, call, event, NULL, 0);
}

struct value lower_cls(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return send(e, call, (struct manifest_event){.kind = EVENT_CLS, .map = -1}, NULL, 0);
}

struct value lower_walk(struct emit *e, const struct expr *call, LLVMValueRef dest)
{
	(void)dest;
	return send(e, call, (struct manifest_event){.kind = EVENT_WALK, .map = -1}, NULL, 0);
}
