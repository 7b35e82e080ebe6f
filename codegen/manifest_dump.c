/* The manifest as JSON, for -d manifest and golden tests: one line per thing, shapes as the names
 * of their types.  Settings are shown where they differ from their defaults, and of sources only
 * the size, so that a dump shows what the script chose. */
#include "codegen/manifest_internal.h"

static void add_text(struct strbuf *b, struct str s)
{
	size_t i;

	strbuf_addc(b, '"');
	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.s[i];

		if (c == '"' || c == '\\')
			strbuf_printf(b, "\\%c", c);
		else if (c == '\n')
			strbuf_add(b, STR("\\n"));
		else if (c < 0x20 || c > 0x7e)
			strbuf_printf(b, "\\u%04x", c);
		else
			strbuf_addc(b, (char)c);
	}
	strbuf_addc(b, '"');
}

/* `, "name": ` inside an object that has begun. */
static void key(struct strbuf *b, const char *name)
{
	if (b->s[b->n - 1] != '{')
		strbuf_add(b, STR(", "));
	strbuf_printf(b, "\"%s\": ", name);
}

static void put_text(struct strbuf *b, const char *name, struct str value)
{
	key(b, name);
	add_text(b, value);
}

static void put_number(struct strbuf *b, const char *name, uint64_t value)
{
	key(b, name);
	strbuf_printf(b, "%llu", (unsigned long long)value);
}

static void put_signed(struct strbuf *b, const char *name, int64_t value)
{
	key(b, name);
	strbuf_printf(b, "%lld", (long long)value);
}

static void put_flag(struct strbuf *b, const char *name, bool value)
{
	key(b, name);
	strbuf_add(b, value ? STR("true") : STR("false"));
}

/* Most optional things are left out when they are empty or zero. */
static void put_text_if(struct strbuf *b, const char *name, struct str value)
{
	if (value.n)
		put_text(b, name, value);
}

static void put_number_if(struct strbuf *b, const char *name, uint64_t value)
{
	if (value)
		put_number(b, name, value);
}

static void put_flag_if(struct strbuf *b, const char *name, bool value)
{
	if (value)
		put_flag(b, name, true);
}

static void put_features(struct strbuf *b, const char *name, uint32_t needs)
{
	static const char *const names[] = {
#define KERNEL_FEATURE(id, name, help) [KERNEL_##id] = name,
#include "lang/kernel_features.def"
#undef KERNEL_FEATURE
	};
	const char *comma = "";
	int i;

	key(b, name);
	strbuf_addc(b, '[');
	for (i = 0; i < KERNEL_FEATURE_COUNT; i++) {
		if (!(needs >> i & 1))
			continue;
		strbuf_printf(b, "%s\"%s\"", comma, names[i]);
		comma = ", ";
	}
	strbuf_addc(b, ']');
}

static void put_config(struct strbuf *b, const struct config *c)
{
	key(b, "config");
	strbuf_addc(b, '{');
#define CONFIG_INT(name, value, help)                                                              \
	if (c->name != (value))                                                                    \
		put_number(b, #name, c->name);
#define CONFIG_BOOL(name, value, help)                                                             \
	if (c->name != (bool)(value))                                                              \
		put_flag(b, #name, c->name);
#define CONFIG_STRING(name, value, help)                                                           \
	if (!str_is(c->name, value))                                                               \
		put_text(b, #name, c->name);
#define CONFIG_ENUM(name, words, value, help)                                                      \
	if (c->name != (value))                                                                    \
		put_signed(b, #name, c->name);
#include "lang/config.def"
#undef CONFIG_INT
#undef CONFIG_BOOL
#undef CONFIG_STRING
#undef CONFIG_ENUM
	strbuf_addc(b, '}');
}

/* ---- shapes ---- */

static const char *const kind_names[] = {
	[TYPE_ERROR] = "error",
	[TYPE_NONE] = "none",
	[TYPE_INT] = "int",
	[TYPE_BOOL] = "bool",
	[TYPE_ENUM] = "enum",
	[TYPE_PTR] = "pointer",
	[TYPE_ARRAY] = "array",
	[TYPE_STRUCT] = "struct",
	[TYPE_STRING] = "string",
	[TYPE_BUFFER] = "buffer",
	[TYPE_TUPLE] = "tuple",
	[TYPE_RECORD] = "record",
	[TYPE_INET] = "inet",
	[TYPE_MAC] = "macaddr",
	[TYPE_KSYM] = "ksym",
	[TYPE_USYM] = "usym",
	[TYPE_KSTACK] = "kstack",
	[TYPE_USTACK] = "ustack",
	[TYPE_TIMESTAMP] = "timestamp",
	[TYPE_CGROUP_PATH] = "cgroup_path",
	[TYPE_USERNAME] = "username",
	[TYPE_COUNT] = "count",
	[TYPE_SUM] = "sum",
	[TYPE_MIN] = "min",
	[TYPE_MAX] = "max",
	[TYPE_AVG] = "avg",
	[TYPE_STATS] = "stats",
	[TYPE_HIST] = "hist",
	[TYPE_LHIST] = "lhist",
	[TYPE_TSERIES] = "tseries",
};

/* A short name for references; structs and enums are spelled out in the list of shapes. */
static void add_shape_name(struct strbuf *b, const struct manifest *m, int i, int depth)
{
	const struct shape *s;
	int k;

	if (i < 0 || depth > 8) {
		strbuf_add(b, i < 0 ? STR("none") : STR("..."));
		return;
	}
	s = &m->shapes.at[i];
	switch (s->kind) {
	case TYPE_INT:
		strbuf_printf(b, "%sint%u", s->is_signed ? "" : "u", s->size * 8);
		return;
	case TYPE_STRING:
		strbuf_printf(b, "string[%u]", s->size);
		return;
	case TYPE_BUFFER:
		strbuf_printf(b, "buffer[%u]", s->count);
		return;
	case TYPE_ARRAY:
		add_shape_name(b, m, s->elem, depth + 1);
		strbuf_printf(b, "[%u]", s->count);
		return;
	case TYPE_ENUM:
	case TYPE_STRUCT:
		strbuf_printf(b, "%s %.*s", kind_names[s->kind], STR_ARG(s->name));
		return;
	case TYPE_TUPLE:
	case TYPE_RECORD:
		strbuf_addc(b, '(');
		for (k = 0; k < s->fields.n && k < 16; k++) {
			strbuf_add(b, k ? STR(", ") : STR(""));
			add_shape_name(b, m, s->fields.at[k].shape, depth + 1);
		}
		strbuf_addc(b, ')');
		return;
	default:
		strbuf_add(b, str_of(kind_names[s->kind]));
		return;
	}
}

static void put_shape(struct strbuf *b, const char *name, const struct manifest *m, int shape)
{
	struct strbuf text = {.arena = b->arena};

	add_shape_name(&text, m, shape, 0);
	put_text(b, name, strbuf_str(&text));
}

static void put_fields(struct strbuf *b, const struct manifest *m, const struct shape *s)
{
	if (!s->fields.n)
		return;
	key(b, "fields");
	strbuf_addc(b, '[');
	VEC_EACH (f, &s->fields) {
		strbuf_add(b, f == s->fields.at ? STR("{") : STR(", {"));
		put_text_if(b, "name", f->name);
		put_shape(b, "shape", m, f->shape);
		put_number(b, "offset", f->offset);
		if (f->bit_size) {
			put_number(b, "bit_offset", f->bit_offset);
			put_number(b, "bit_size", f->bit_size);
		}
		strbuf_addc(b, '}');
	}
	strbuf_addc(b, ']');
}

static void shape(struct strbuf *b, const struct manifest *m, const struct shape *s)
{
	put_text(b, "kind", str_of(kind_names[s->kind]));
	put_number(b, "size", s->size);
	put_flag_if(b, "signed", s->is_signed);
	put_number_if(b, "count", s->count);
	if (s->elem >= 0)
		put_shape(b, "elem", m, s->elem);
	put_text_if(b, "name", s->name);
	if (s->kind == TYPE_KSTACK || s->kind == TYPE_USTACK) {
		put_number(b, "mode", s->mode);
		put_number(b, "limit", s->limit);
	}
	put_number_if(b, "clock", (uint64_t)s->clock);
	put_flag_if(b, "user", s->user);
	if (s->kind == TYPE_HIST || s->kind == TYPE_LHIST || s->kind == TYPE_TSERIES) {
		key(b, "params");
		strbuf_printf(b, "[%lld, %lld, %lld, %lld]", (long long)s->params[0],
			      (long long)s->params[1], (long long)s->params[2],
			      (long long)s->params[3]);
	}
	put_fields(b, m, s);
	if (s->values.n) {
		key(b, "values");
		strbuf_addc(b, '{');
		VEC_EACH (v, &s->values) {
			strbuf_add(b, v == s->values.at ? STR("") : STR(", "));
			add_text(b, v->name);
			strbuf_printf(b, ": %lld", (long long)v->value);
		}
		strbuf_addc(b, '}');
	}
}

/* ---- the lists ---- */

static void put_span(struct strbuf *b, const struct manifest *m, int span)
{
	if (span < 0)
		return;
	key(b, "span");
	strbuf_printf(b, "[%u, %u]", m->spans.at[span].begin, m->spans.at[span].end);
}

static void put_map_name(struct strbuf *b, const struct manifest *m, int map)
{
	if (map >= 0)
		put_text(b, "map", m->maps.at[map].name);
}

static void source(struct strbuf *b, const struct manifest *m, const struct manifest_source *s)
{
	(void)m;
	put_text(b, "name", s->name);
	put_number(b, "size", s->text.n);
}

static void map(struct strbuf *b, const struct manifest *m, const struct manifest_map *map_)
{
	put_text(b, "name", map_->name);
	put_text(b, "elf_name", map_->elf_name);
	if (map_->elf_twin.n) {
		put_text(b, "elf_twin", map_->elf_twin);
		put_text(b, "elf_turn", map_->elf_turn);
	}
	put_shape(b, "key", m, map_->key);
	put_shape(b, "value", m, map_->value);
	put_number(b, "value_size", map_->value_size);
	put_flag_if(b, "percpu", map_->percpu);
	put_flag_if(b, "lru", map_->lru);
	put_number(b, "max_entries", map_->max_entries);
	put_span(b, m, map_->span);
}

static const char *const event_names[] = {
	[EVENT_PRINTF] = "printf",
	[EVENT_PRINT_VALUE] = "print_value",
	[EVENT_PRINT_MAP] = "print_map",
	[EVENT_CLEAR] = "clear",
	[EVENT_ZERO] = "zero",
	[EVENT_TIME] = "time",
	[EVENT_EXIT] = "exit",
	[EVENT_REPORT] = "report",
	[EVENT_CAT] = "cat",
	[EVENT_JOIN] = "join",
	[EVENT_SYSTEM] = "system",
	[EVENT_ERRORF] = "errorf",
	[EVENT_WARNF] = "warnf",
	[EVENT_UNWATCH] = "unwatch",
	[EVENT_SKBOUTPUT] = "skboutput",
	[EVENT_CLS] = "cls",
	[EVENT_WALK] = "walk",
};

static void put_report(struct strbuf *b, const struct manifest_report_expr *e, bool first)
{
	static const char *const ops[] = {"int", "key", "value",  "part",  "lookup",
					  "neg", "not", "bitnot", "binary", "reversed", "addresses", "folded", "endpoint", "option",
					  "text", "select", "concat", "cgroup", "glob", "scaled"};

	strbuf_add(b, first ? STR("\"") : STR(", \""));
	VEC_EACH (c, &e->code) {
		strbuf_printf(b, "%s%s", c == e->code.at ? "" : " ", ops[c->op]);
		if (c->op == REPORT_INT || c->op == REPORT_PART || c->op == REPORT_LOOKUP || c->op == REPORT_OPTION ||
		    c->op == REPORT_BINARY || c->op == REPORT_FOLDED || c->op == REPORT_CONCAT)
			strbuf_printf(b, ":%lld", (long long)c->number);
	}
	strbuf_addc(b, '"');
}

static void event(struct strbuf *b, const struct manifest *m, const struct manifest_event *e)
{
	put_text(b, "kind", str_of(event_names[e->kind]));
	put_map_name(b, m, e->map);
	put_text_if(b, "format", e->format);
	put_number(b, "fixed_size", e->fixed_size);
	if (e->values.n) {
		key(b, "values");
		strbuf_addc(b, '[');
		VEC_EACH (v, &e->values) {
			strbuf_add(b, v == e->values.at ? STR("{") : STR(", {"));
			put_shape(b, "shape", m, v->shape);
			put_number(b, "offset", v->offset);
			put_flag_if(b, "pointed", v->pointed);
			put_flag_if(b, "literal", v->literal);
			strbuf_addc(b, '}');
		}
		strbuf_addc(b, ']');
	}
	put_number_if(b, "top", e->top);
	put_number_if(b, "div", e->div);
	put_flag_if(b, "descending", e->descending);
	put_flag_if(b, "percentiles", e->percentiles);
	if (e->top_option)
		put_text(b, "top_option", m->options.at[e->top_option - 1].name);
	put_flag_if(b, "drain", e->drain);
	if (e->report.n) {
		key(b, "report");
		strbuf_addc(b, '[');
		VEC_EACH (r, &e->report)
			put_report(b, r, r == e->report.at);
		strbuf_addc(b, ']');
		put_flag_if(b, "has_by", e->has_by);
	}
	VEC_EACH (j, &e->joins) {
		put_text(b, j->drain ? "join_drain" : "join", m->maps.at[j->map].name);
	}
	if (e->kind == EVENT_EXIT && !e->values.n)
		put_signed(b, "code", e->code);
	put_span(b, m, e->span);
}

static void probe(struct strbuf *b, const struct manifest *m, const struct manifest_probe *p)
{
	put_text(b, "name", p->name);
	put_text(b, "elf_name", p->elf_name);
	put_text(b, "kind", str_of(probe_kind(p->kind)->name));
	key(b, "attach");
	strbuf_addc(b, '[');
	VEC_EACH (s, &p->attach) {
		strbuf_add(b, s == p->attach.at ? STR("") : STR(", "));
		add_text(b, (*s)->text);
	}
	strbuf_addc(b, ']');
	put_signed(b, "source_probe", p->source_probe);
	put_flag_if(b, "uses_cookie", p->uses_cookie);
	if (p->needs)
		put_features(b, "needs", p->needs);
	put_span(b, m, p->span);
}

static const char *const cause_names[] = {
	[SITE_LOST_EVENT] = "lost_event", [SITE_MAP_UPDATE] = "map_update",
	[SITE_KEY_CUT] = "key_cut",	  [SITE_STRING_CUT] = "string_cut",
	[SITE_STACK] = "stack",		  [SITE_DIVIDE] = "divide",
	[SITE_BOUNDS] = "bounds",	  [SITE_RECURSION] = "recursion",
	[SITE_HELPER] = "helper",	  [SITE_LOOKUP] = "lookup",
	[SITE_LOOP_CUT] = "loop_cut",	  [SITE_NO_CHILD] = "no_child",
	[SITE_SIGNAL] = "signal",
};

static void site(struct strbuf *b, const struct manifest *m, const struct manifest_site *s)
{
	put_text(b, "cause", str_of(cause_names[s->cause]));
	put_text_if(b, "helper", s->helper);
	if (s->cause == SITE_LOST_EVENT)
		put_number(b, "event", (uint64_t)s->event);
	put_map_name(b, m, s->map);
	if (s->probe >= 0)
		put_text(b, "probe", m->probes.at[s->probe].elf_name);
	put_span(b, m, s->span);
}

static void script_option(struct strbuf *b, const struct manifest *m,
			  const struct manifest_option *o)
{
	static const char *const kinds[] = {
		[OPTION_BOOL] = "bool",	    [OPTION_UINT] = "uint", [OPTION_INT] = "int",	[OPTION_STRING] = "string",
		[OPTION_LIST] = "list",	    [OPTION_TEXTS] = "texts", [OPTION_CGROUP] = "cgroup",
	};

	(void)m;
	put_text(b, "name", o->name);
	if (o->letter)
		put_text(b, "letter", (struct str){&o->letter, 1});
	put_text(b, "kind", str_of(kinds[o->kind]));
	if (o->kind == OPTION_STRING)
		put_text(b, "default", o->text);
	else
		put_signed(b, "default", (int64_t)o->number);
	put_text_if(b, "help", o->help);
	put_text_if(b, "choices", o->choices);
	put_flag_if(b, "settled", o->settled);
	put_text(b, "elf_name", o->elf_name);
	put_number(b, "size", o->size);
}

static void stacks(struct strbuf *b, const struct manifest *m, const struct manifest_stacks *s)
{
	(void)m;
	put_text(b, "first", s->elf_name[0]);
	put_text(b, "second", s->elf_name[1]);
	put_number(b, "depth", s->depth);
	put_number_if(b, "spare", s->spare);
	put_flag_if(b, "user", s->user);
	put_flag_if(b, "build_id", s->build_id);
	put_number_if(b, "depth_option", s->depth_option);
	put_number_if(b, "kept_option", s->kept_option);
}

static void variable(struct strbuf *b, const struct manifest *m, const struct manifest_variable *v)
{
	(void)m;
	put_text(b, "name", v->name);
	put_number(b, "probe", (uint64_t)v->probe);
	put_text(b, "word", v->elf_name);
}

/* `"name": [` with one element per line. */
#define LIST(b, m, name, list, each)                                                               \
	do {                                                                                       \
		strbuf_printf((b), ",\n  \"%s\": [", (name));                                      \
		VEC_EACH (e_, (list)) {                                                            \
			strbuf_add((b), e_ == (list)->at ? STR("\n    {") : STR(",\n    {"));      \
			each((b), (m), e_);                                                        \
			strbuf_addc((b), '}');                                                     \
		}                                                                                  \
		strbuf_add((b), (list)->n ? STR("\n  ]") : STR("]"));                              \
	} while (0)

static void layout(struct strbuf *b, const struct manifest *m, const struct manifest_layout *l)
{
	(void)m;
	put_text(b, l->is_union ? "union" : "struct", l->name);
}

void manifest_dump(const struct manifest *m, struct strbuf *out)
{
	strbuf_add(out, STR("{"));
	put_number(out, "version", MANIFEST_VERSION);
	put_text(out, "license", m->license);
	put_features(out, "needs", m->needs);
	if (m->asks)
		put_features(out, "asks", m->asks);
	put_config(out, &m->config);
	LIST(out, m, "sources", &m->sources, source);
	LIST(out, m, "shapes", &m->shapes, shape);
	LIST(out, m, "maps", &m->maps, map);
	LIST(out, m, "events", &m->events, event);
	LIST(out, m, "probes", &m->probes, probe);
	LIST(out, m, "sites", &m->sites, site);
	LIST(out, m, "options", &m->options, script_option);
	LIST(out, m, "stacks", &m->stacks, stacks);
	LIST(out, m, "variables", &m->variables, variable);
	LIST(out, m, "layouts", &m->layouts, layout);
	strbuf_add(out, STR("\n}\n"));
}
