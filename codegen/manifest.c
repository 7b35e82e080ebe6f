/* The manifest as bytes (docs/manifest.md).  One function per struct describes both directions, so
 * that writer and reader cannot disagree: `wire` either appends what a field holds, or fills the
 * field from the bytes.  Reading never goes past the end: after the first fault every read gives
 * zero and every list is empty. */
#include "codegen/manifest.h"

#include "codegen/manifest_internal.h"

struct wire {
	struct arena *arena;
	bool reading;
	struct strbuf out;	       /* writing */
	const unsigned char *at, *end; /* reading */
	const char *why;	       /* the first fault */
};

static void fault(struct wire *w, const char *why)
{
	if (!w->why)
		w->why = why;
	w->at = w->end;
}

/* ---- numbers and texts ---- */

static uint64_t read_number(struct wire *w)
{
	uint64_t value = 0;
	int shift;

	for (shift = 0; shift < 64; shift += 7) {
		unsigned char c;

		if (w->at == w->end) {
			fault(w, "it ends too early");
			return 0;
		}
		c = *w->at++;
		if (shift == 63 && c > 1)
			break;
		value |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return value;
	}
	fault(w, "a number is too long");
	return 0;
}

static void number(struct wire *w, uint64_t *value)
{
	uint64_t rest = *value;

	if (w->reading) {
		*value = read_number(w);
		return;
	}
	for (; rest >= 0x80; rest >>= 7)
		strbuf_addc(&w->out, (char)(rest | 0x80));
	strbuf_addc(&w->out, (char)rest);
}

/* A number that must stay under `limit` when read. */
static uint64_t bounded(struct wire *w, uint64_t value, uint64_t limit)
{
	number(w, &value);
	if (w->reading && value >= limit) {
		fault(w, "a number is out of range");
		return 0;
	}
	return value;
}

static void u32(struct wire *w, uint32_t *value)
{
	*value = (uint32_t)bounded(w, *value, (uint64_t)UINT32_MAX + 1);
}

static void s64(struct wire *w, int64_t *value)
{
	uint64_t zigzag = ((uint64_t)*value << 1) ^ (uint64_t)(*value < 0 ? -1 : 0);

	number(w, &zigzag);
	*value = (int64_t)((zigzag >> 1) ^ (0 - (zigzag & 1)));
}

/* An int; indexes use -1 for "none". */
static void s32(struct wire *w, int *value)
{
	int64_t wide = *value;

	s64(w, &wide);
	if (wide < INT32_MIN || wide > INT32_MAX) {
		fault(w, "a number is out of range");
		wide = 0;
	}
	*value = (int)wide;
}

static void flag(struct wire *w, bool *value)
{
	*value = bounded(w, *value, 2) != 0;
}

static void text(struct wire *w, struct str *value)
{
	uint64_t n = bounded(w, value->n, MANIFEST_BYTES_MAX);

	if (!w->reading) {
		strbuf_add(&w->out, *value);
		return;
	}
	if (n > (uint64_t)(w->end - w->at)) {
		fault(w, "a text ends too late");
		n = 0;
	}
	*value = str_copy(w->arena, (struct str){(const char *)w->at, n});
	w->at += n;
}

#define ENUM(w, value, limit)                                                                      \
	((value) = (__typeof__(value))bounded((w), (uint64_t)(value), (uint64_t)(limit)))

/* Length of a list.  An element takes `least` bytes at least, which bounds what a lying length can
 * allocate. */
static int count(struct wire *w, int n, int least)
{
	uint64_t wide = bounded(w, (uint64_t)n, INT32_MAX);

	if (w->reading && wide > (uint64_t)(w->end - w->at) / (uint64_t)least) {
		fault(w, "a list is longer than the manifest");
		wide = 0;
	}
	return (int)wide;
}

/* A list; `each` is called with every element, which takes `least` bytes or more. */
#define LIST(w, list, least, each)                                                                 \
	do {                                                                                       \
		(list)->n = count((w), (list)->n, (least));                                        \
		if ((w)->reading) {                                                                \
			(list)->cap = (list)->n;                                                   \
			(list)->at =                                                               \
				arena_alloc((w)->arena, sizeof(*(list)->at) * (size_t)(list)->n);  \
		}                                                                                  \
		for (int list_i_ = 0; list_i_ < (list)->n; list_i_++)                              \
			each((w), &(list)->at[list_i_]);                                           \
	} while (0)

/* ---- structs ---- */

static uint64_t words_count(const char *words)
{
	uint64_t n = 1;

	for (; *words; words++)
		n += *words == ' ';
	return n;
}

static void config(struct wire *w, struct config *c)
{
#define CONFIG_INT(name, value, help) number(w, &c->name);
#define CONFIG_BOOL(name, value, help) flag(w, &c->name);
#define CONFIG_STRING(name, value, help) text(w, &c->name);
#define CONFIG_ENUM(name, words, value, help)                                                      \
	c->name = (int)bounded(w, (uint64_t)c->name, words_count(words));
#include "lang/config.def"
#undef CONFIG_INT
#undef CONFIG_BOOL
#undef CONFIG_STRING
#undef CONFIG_ENUM
}

static void source(struct wire *w, struct manifest_source *s)
{
	text(w, &s->name);
	text(w, &s->text);
}

static void span(struct wire *w, struct manifest_span *s)
{
	s32(w, &s->source);
	u32(w, &s->begin);
	u32(w, &s->end);
	s32(w, &s->parent);
}

static void shape_field(struct wire *w, struct shape_field *f)
{
	text(w, &f->name);
	s32(w, &f->shape);
	u32(w, &f->offset);
	u32(w, &f->bit_offset);
	u32(w, &f->bit_size);
}

static void shape_value(struct wire *w, struct shape_value *v)
{
	text(w, &v->name);
	number(w, &v->value);
}

static void shape(struct wire *w, struct shape *s)
{
	int i;

	ENUM(w, s->kind, TYPE_TSERIES + 1);
	flag(w, &s->is_signed);
	u32(w, &s->size);
	u32(w, &s->count);
	s32(w, &s->elem);
	text(w, &s->name);
	ENUM(w, s->mode, STACK_BUILD_ID + 1);
	u32(w, &s->limit);
	s32(w, &s->clock);
	flag(w, &s->user);
	for (i = 0; i < 4; i++)
		s64(w, &s->params[i]);
	LIST(w, &s->fields, 5, shape_field);
	LIST(w, &s->values, 2, shape_value);
}

static void map(struct wire *w, struct manifest_map *m)
{
	text(w, &m->name);
	text(w, &m->elf_name);
	text(w, &m->elf_twin);
	text(w, &m->elf_turn);
	s32(w, &m->key);
	s32(w, &m->value);
	u32(w, &m->value_size);
	flag(w, &m->percpu);
	flag(w, &m->lru);
	u32(w, &m->max_entries);
	s32(w, &m->span);
}

static void event_value(struct wire *w, struct event_value *v)
{
	s32(w, &v->shape);
	u32(w, &v->offset);
	flag(w, &v->pointed);
	flag(w, &v->literal);
}

static void report_code(struct wire *w, struct report_code *c)
{
	ENUM(w, c->op, REPORT_OP_COUNT);
	s64(w, &c->number);
	flag(w, &c->is_signed);
	text(w, &c->text);
}

static void report_expr(struct wire *w, struct manifest_report_expr *e)
{
	LIST(w, &e->code, 4, report_code);
	s32(w, &e->shape);
}

static void join(struct wire *w, struct manifest_join *j)
{
	s32(w, &j->map);
	flag(w, &j->drain);
}

static void event(struct wire *w, struct manifest_event *e)
{
	ENUM(w, e->kind, EVENT_KIND_COUNT);
	s32(w, &e->span);
	u32(w, &e->fixed_size);
	LIST(w, &e->values, 4, event_value);
	text(w, &e->format);
	s32(w, &e->map);
	number(w, &e->top);
	number(w, &e->div);
	flag(w, &e->descending);
	flag(w, &e->percentiles);
	LIST(w, &e->report, 2, report_expr);
	flag(w, &e->has_by);
	LIST(w, &e->where, 2, report_expr);
	LIST(w, &e->desc_if, 2, report_expr);
	flag(w, &e->drain);
	LIST(w, &e->joins, 2, join);
	s32(w, &e->top_option);
	number(w, &e->fit);
	text(w, &e->totals);
	s32(w, &e->code);
}

static void attach(struct wire *w, struct probe_spec **at)
{
	struct probe_spec *s;
	enum probe_kind_id kind;

	if (w->reading)
		*at = NEW(w->arena, struct probe_spec);
	s = *at;
	kind = w->reading ? 0 : s->kind->id;
	ENUM(w, kind, PROBE_KIND_COUNT);
	s->kind = probe_kind(kind);
	text(w, &s->text);
	text(w, &s->module);
	text(w, &s->function);
	text(w, &s->path);
	text(w, &s->provider);
	text(w, &s->lang);
	text(w, &s->file);
	u32(w, &s->line);
	u32(w, &s->column);
	flag(w, &s->has_offset);
	number(w, &s->offset);
	flag(w, &s->has_address);
	number(w, &s->address);
	number(w, &s->period_ns);
	number(w, &s->hz);
	number(w, &s->count);
	s->watch_mode = (uint8_t)bounded(w, s->watch_mode, 8);
	s32(w, &s->pid);
	flag(w, &s->is_pattern);
	u32(w, &s->place);
}

static void probe(struct wire *w, struct manifest_probe *p)
{
	text(w, &p->elf_name);
	ENUM(w, p->kind, PROBE_KIND_COUNT);
	LIST(w, &p->attach, 20, attach);
	text(w, &p->name);
	s32(w, &p->span);
	s32(w, &p->source_probe);
	flag(w, &p->uses_cookie);
	flag(w, &p->uses_place);
	u32(w, &p->needs);
}

static void site(struct wire *w, struct manifest_site *s)
{
	ENUM(w, s->cause, SITE_CAUSE_COUNT);
	s32(w, &s->span);
	s32(w, &s->probe);
	s32(w, &s->map);
	text(w, &s->helper);
	s32(w, &s->event);
}

static void script_option(struct wire *w, struct manifest_option *o)
{
	text(w, &o->name);
	text(w, &o->help);
	text(w, &o->choices);
	o->letter = (char)bounded(w, (unsigned char)o->letter, 128);
	ENUM(w, o->kind, OPTION_CGROUP + 1);
	number(w, &o->number);
	flag(w, &o->settled);
	number(w, &o->settled_to);
	text(w, &o->text);
	text(w, &o->elf_name);
	u32(w, &o->size);
}

static void stacks(struct wire *w, struct manifest_stacks *s)
{
	text(w, &s->elf_name[0]);
	text(w, &s->elf_name[1]);
	u32(w, &s->depth);
	u32(w, &s->spare);
	flag(w, &s->user);
	flag(w, &s->build_id);
	s32(w, &s->depth_option);
	s32(w, &s->kept_option);
}

static void variable(struct wire *w, struct manifest_variable *v)
{
	text(w, &v->name);
	s32(w, &v->probe);
	s32(w, &v->span);
	text(w, &v->elf_name);
}

static void layout(struct wire *w, struct manifest_layout *l)
{
	text(w, &l->name);
	flag(w, &l->is_union);
	number(w, &l->hash);
}

static void manifest(struct wire *w, struct manifest *m)
{
	text(w, &m->license);
	config(w, &m->config);
	u32(w, &m->needs);
	u32(w, &m->asks);
	LIST(w, &m->layouts, 3, layout);
	LIST(w, &m->sources, 2, source);
	LIST(w, &m->spans, 4, span);
	LIST(w, &m->shapes, 16, shape);
	LIST(w, &m->maps, 9, map);
	LIST(w, &m->events, 13, event);
	LIST(w, &m->probes, 10, probe);
	LIST(w, &m->sites, 6, site);
	LIST(w, &m->options, 8, script_option);
	LIST(w, &m->stacks, 6, stacks);
	LIST(w, &m->variables, 4, variable);
}

/* ---- the whole ---- */

/* A manifest stores places in tables (kinds of probes, abilities, settings).  The hash of their
 * names, in order, tells whether reader and writer mean the same by a number. */
static uint64_t tables_hash(void)
{
	static const char names[] =
#define KERNEL_FEATURE(id, name, help) name ","
#include "lang/kernel_features.def"
#undef KERNEL_FEATURE
#define PROBE_KIND(id, name, ...) name ","
#include "lang/probe_kinds.def"
#undef PROBE_KIND
#define CONFIG_INT(name, value, help) #name ","
#define CONFIG_BOOL(name, value, help) #name ","
#define CONFIG_STRING(name, value, help) #name ","
#define CONFIG_ENUM(name, words, value, help) #name ":" words ","
#include "lang/config.def"
#undef CONFIG_INT
#undef CONFIG_BOOL
#undef CONFIG_STRING
#undef CONFIG_ENUM
		;
	unsigned char counts[] = {TYPE_TSERIES,	 EVENT_KIND_COUNT, SITE_CAUSE_COUNT,
				  REPORT_FOLDED, BINARY_MOD,	   OPTION_CGROUP};

	return str_hash(STR(names)) ^ str_hash((struct str){(const char *)counts, sizeof(counts)});
}

static void put_le(struct strbuf *b, uint64_t value, int bytes)
{
	for (; bytes; bytes--, value >>= 8)
		strbuf_addc(b, (char)value);
}

static uint64_t get_le(const char *at, int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | (unsigned char)at[bytes];
	return value;
}

static const char magic[4] = {'W', 'T', 'M', 'F'};

struct str manifest_write(struct arena *a, const struct manifest *m)
{
	struct manifest copy = *m;
	struct wire w = {.arena = a, .out = {.arena = a}};
	struct strbuf whole = {.arena = a};
	struct str payload;

	manifest(&w, &copy);
	payload = strbuf_str(&w.out);
	strbuf_add(&whole, (struct str){magic, sizeof(magic)});
	put_le(&whole, MANIFEST_VERSION, 4);
	put_le(&whole, tables_hash(), 8);
	put_le(&whole, payload.n, 8);
	put_le(&whole, str_hash(payload), 8);
	strbuf_add(&whole, payload);
	return strbuf_str(&whole);
}

/* The bytes behind the header, or empty with *why set. */
static struct str open_header(struct arena *a, struct str bytes, const char **why)
{
	struct str none = {NULL, 0}, payload;

	if (bytes.n < MANIFEST_HEADER || memcmp(bytes.s, magic, sizeof(magic)) != 0) {
		*why = "this is not a waketrace manifest";
		return none;
	}
	if (get_le(bytes.s + 4, 4) != MANIFEST_VERSION) {
		*why = arena_printf(a, "its format is version %u, this waketrace reads version %d",
				    (unsigned)get_le(bytes.s + 4, 4), MANIFEST_VERSION);
		return none;
	}
	if (get_le(bytes.s + 8, 8) != tables_hash()) {
		*why = "it was made by another version of waketrace; build it again";
		return none;
	}
	payload = str_sub(bytes, MANIFEST_HEADER, bytes.n);
	if (payload.n > MANIFEST_BYTES_MAX || get_le(bytes.s + 16, 8) != payload.n ||
	    get_le(bytes.s + 24, 8) != str_hash(payload)) {
		*why = "it is damaged";
		return none;
	}
	return payload;
}

struct manifest *manifest_read(struct arena *a, struct str bytes, const char **why)
{
	struct manifest *m = NEW(a, struct manifest);
	struct wire w = {.arena = a, .reading = true};
	struct str payload = open_header(a, bytes, why);

	if (!payload.s)
		return NULL;
	w.at = (const unsigned char *)payload.s;
	w.end = w.at + payload.n;
	manifest(&w, m);
	if (!w.why && w.at != w.end)
		w.why = "it goes on behind its end";
	if (w.why) {
		*why = arena_printf(a, "it is damaged: %s", w.why);
		return NULL;
	}
	return manifest_check(a, m, why) ? m : NULL;
}

struct str manifest_probe_word(struct arena *a, const char *prefix, const struct probe_spec *spec)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a: names of functions may hold what names of variables may not */
	size_t i;

	for (i = 0; i < spec->text.n; i++)
		hash = (hash ^ (uint8_t)spec->text.s[i]) * 0x100000001b3;
	return str_printf(a, "%s%016llx", prefix, (unsigned long long)hash);
}
