/* Bounds of a manifest that was read: an artefact may be damaged or hostile.  What passes here can
 * be followed without further checks: indexes lead to what exists, shapes to lower shapes, places
 * lie within their source, fields within their struct, values within their record, and report code
 * never pops an empty stack. */
#include "codegen/manifest_internal.h"

struct check {
	struct arena *arena;
	const struct manifest *m;
	const char *why;  /* the first fault */
	uint64_t *leaves; /* per shape: parts of one value as printed */
	int *depth;	  /* per shape: structs within structs */
};

/* Note that `what` number `i` is wrong, unless `good`. */
static bool expect(struct check *c, bool good, const char *what, int i)
{
	if (!good && !c->why)
		c->why = arena_printf(c->arena, "it is damaged: %s %d is out of bounds", what, i);
	return good;
}

static bool is_index(int i, int n)
{
	return i >= 0 && i < n;
}

static bool is_index_or_none(int i, int n)
{
	return i >= -1 && i < n;
}

/* A name that libbpf or the kernel takes as a C string. */
static bool is_name(struct str s, size_t longest)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.s[i] <= ' ' || s.s[i] > '~')
			return false;
	return s.n > 0 && s.n <= longest;
}

static bool has_no_nul(struct str s)
{
	return str_find(s, '\0') == s.n;
}

static void check_spans(struct check *c)
{
	const struct manifest *m = c->m;
	int i;

	for (i = 0; i < m->spans.n; i++) {
		const struct manifest_span *s = &m->spans.at[i];
		bool place = s->source == -1 ||
			     (is_index(s->source, m->sources.n) && s->begin <= s->end &&
			      s->end <= m->sources.at[s->source].text.n);

		expect(c, place && is_index_or_none(s->parent, i), "place", i);
	}
}

/* ---- shapes ---- */

/* The size that a shape's other properties ask for; UINT64_MAX: the properties are wrong; 0: any.
 */
static uint64_t expected_size(const struct check *c, const struct shape *s)
{
	const int64_t *p = s->params;

	switch (s->kind) {
	case TYPE_BOOL:
		return 1;
	case TYPE_MAC:
		return 6;
	case TYPE_PTR:
	case TYPE_KSYM:
	case TYPE_TIMESTAMP:
	case TYPE_CGROUP_PATH:
	case TYPE_USERNAME:
	case TYPE_COUNT:
	case TYPE_SUM:
		return 8;
	case TYPE_MIN:
	case TYPE_MAX:
	case TYPE_AVG:
	case TYPE_USYM:
	case TYPE_KSTACK:
		return 16;
	case TYPE_INET:
	case TYPE_STATS:
	case TYPE_USTACK:
		return 24;
	case TYPE_INT:
	case TYPE_ENUM:
		return s->size == 1 || s->size == 2 || s->size == 4 ? s->size : 8;
	case TYPE_BUFFER:
		return 4 + (uint64_t)s->count;
	case TYPE_ARRAY:
		return is_index(s->elem, (int)(s - c->m->shapes.at))
			       ? (uint64_t)s->count * c->m->shapes.at[s->elem].size
			       : UINT64_MAX;
	case TYPE_HIST:
		return p[0] >= 0 && p[0] <= 5 ? 8 * (uint64_t)hist_buckets((int)p[0]) : UINT64_MAX;
	case TYPE_LHIST:
		return p[0] < p[1] && p[2] >= 1 &&
				       ((uint64_t)p[1] - (uint64_t)p[0]) / (uint64_t)p[2] <= 4096
			       ? 8 * (uint64_t)lhist_buckets(p)
			       : UINT64_MAX;
	case TYPE_TSERIES:
		return p[0] >= 1 && p[1] >= 1 && p[1] <= 1000000 ? 24 * (uint64_t)p[1] : UINT64_MAX;
	case TYPE_STRING:
	case TYPE_STRUCT:
	case TYPE_TUPLE:
	case TYPE_RECORD:
		return s->size;
	case TYPE_NONE:
		return 0;
	case TYPE_ERROR:
		break;
	}
	return UINT64_MAX;
}

static bool check_field(struct check *c, int owner, const struct shape_field *f)
{
	const struct shape *s = &c->m->shapes.at[owner];
	uint64_t end;

	if (!is_index(f->shape, owner))
		return false;
	if (f->bit_size) {
		end = ((uint64_t)f->bit_offset + f->bit_size + 7) / 8;
		return f->bit_size <= 64 && end <= s->size &&
		       (c->m->shapes.at[f->shape].kind == TYPE_INT ||
			c->m->shapes.at[f->shape].kind == TYPE_BOOL ||
			c->m->shapes.at[f->shape].kind == TYPE_ENUM);
	}
	return (uint64_t)f->offset + c->m->shapes.at[f->shape].size <= s->size;
}

/* Unions and arrays of empty elements print more parts than they have bytes: count them, so that a
 * small manifest cannot ask for years of printing. */
static bool count_leaves(struct check *c, int i)
{
	const struct shape *s = &c->m->shapes.at[i];
	uint64_t leaves = 1;
	int depth = 0, k;

	if (s->kind == TYPE_ARRAY) {
		leaves += c->leaves[s->elem] * s->count;
		depth = c->depth[s->elem];
	} else if (s->kind == TYPE_BUFFER || s->kind == TYPE_STRING) {
		leaves += s->size / 8;
	}
	for (k = 0; k < s->fields.n; k++) {
		leaves += c->leaves[s->fields.at[k].shape];
		if (c->depth[s->fields.at[k].shape] > depth)
			depth = c->depth[s->fields.at[k].shape];
		if (leaves > MANIFEST_LEAVES_MAX)
			return false;
	}
	c->leaves[i] = leaves;
	c->depth[i] = depth + 1;
	return leaves <= MANIFEST_LEAVES_MAX && depth < 2 * MANIFEST_DEPTH_MAX;
}

static void check_shapes(struct check *c)
{
	const struct manifest *m = c->m;
	int i, k;

	c->leaves = NEW_ARRAY(c->arena, uint64_t, m->shapes.n);
	c->depth = NEW_ARRAY(c->arena, int, m->shapes.n);
	for (i = 0; i < m->shapes.n && !c->why; i++) {
		const struct shape *s = &m->shapes.at[i];
		bool has_fields =
			s->kind == TYPE_STRUCT || s->kind == TYPE_TUPLE || s->kind == TYPE_RECORD;
		bool good = s->size <= MANIFEST_SHAPE_MAX && expected_size(c, s) == s->size &&
			    (has_fields || !s->fields.n) &&
			    (s->kind == TYPE_ARRAY || s->elem == -1) &&
			    (s->kind == TYPE_ENUM || !s->values.n) && is_index(s->clock, 3);

		for (k = 0; good && k < s->fields.n; k++)
			good = check_field(c, i, &s->fields.at[k]);
		expect(c, good && count_leaves(c, i), "shape", i);
	}
}

/* ---- maps, events, probes ---- */

static void check_maps(struct check *c)
{
	const struct manifest *m = c->m;
	int i;

	for (i = 0; i < m->maps.n; i++) {
		const struct manifest_map *map = &m->maps.at[i];

		expect(c,
		       is_name(map->elf_name, 15) && has_no_nul(map->name) &&
			       (!map->elf_twin.n || (is_name(map->elf_twin, 15) && is_name(map->elf_turn, 255))) &&
			       is_index_or_none(map->key, m->shapes.n) &&
			       is_index(map->value, m->shapes.n) &&
			       map->value_size >= m->shapes.at[map->value].size &&
			       map->value_size <= MANIFEST_SHAPE_MAX &&
			       is_index_or_none(map->span, m->spans.n),
		       "map", i);
	}
}

static bool check_value(struct check *c, const struct manifest_event *e,
			const struct event_value *v)
{
	const struct shape *s;

	if (!is_index(v->shape, c->m->shapes.n))
		return false;
	s = &c->m->shapes.at[v->shape];
	if (v->pointed && s->kind != TYPE_STRING && s->kind != TYPE_BUFFER)
		return false;
	return v->offset >= 8 && (uint64_t)v->offset + (v->pointed ? 8 : s->size) <= e->fixed_size;
}

/* Report code pops no more than it pushed and leaves one value. */
static bool check_report(struct check *c, const struct manifest_report_expr *e)
{
	int stack = 0;

	if (e->code.n > MANIFEST_CODE_MAX || !is_index(e->shape, c->m->shapes.n))
		return false;
	VEC_EACH (code, &e->code) {
		switch (code->op) {
		case REPORT_INT:
		case REPORT_KEY:
		case REPORT_VALUE:
		case REPORT_TEXT:
			stack++;
			break;
		case REPORT_LOOKUP:
			if (stack < 1 || code->number < 0 || code->number >= c->m->maps.n)
				return false;
			break;
		case REPORT_PART:
			if (stack < 1 || code->number < 0 || code->number > INT32_MAX)
				return false;
			break;
		case REPORT_NEG:
		case REPORT_NOT:
		case REPORT_BITNOT:
		case REPORT_REVERSED:
		case REPORT_CGROUP:
		case REPORT_ADDRESSES:
			if (stack < 1)
				return false;
			break;
		case REPORT_FOLDED:
		case REPORT_CONCAT:
			if (code->number < 1 || code->number > stack)
				return false;
			stack -= (int)code->number - 1;
			break;
		case REPORT_SELECT:
			if (stack < 3)
				return false;
			stack -= 2;
			break;
		case REPORT_BINARY:
			if (stack < 2 || code->number < 0 || code->number > BINARY_MOD)
				return false;
			stack--;
			break;
		case REPORT_ENDPOINT:
		case REPORT_GLOB:
		case REPORT_SCALED:
			if (stack < 2)
				return false;
			stack--;
			break;
		case REPORT_OPTION:
			if (!is_index(code->number, c->m->options.n))
				return false;
			stack++;
			break;
		case REPORT_OP_COUNT:
			return false;
		}
	}
	return stack == 1;
}

/* Looks at no entry and no map. */
static bool is_of_options(const struct manifest_report_expr *e)
{
	VEC_EACH (code, &e->code)
		if (code->op == REPORT_KEY || code->op == REPORT_VALUE || code->op == REPORT_LOOKUP)
			return false;
	return true;
}

static bool needs_map(enum event_kind kind)
{
	return kind == EVENT_PRINT_MAP || kind == EVENT_CLEAR || kind == EVENT_ZERO ||
	       kind == EVENT_REPORT;
}

static void check_events(struct check *c)
{
	const struct manifest *m = c->m;
	int i;

	for (i = 0; i < m->events.n; i++) {
		const struct manifest_event *e = &m->events.at[i];
		bool good = e->fixed_size >= 8 && e->fixed_size <= MANIFEST_SHAPE_MAX &&
			    is_index_or_none(e->span, m->spans.n) &&
			    is_index_or_none(e->map, m->maps.n) &&
			    (!needs_map(e->kind) || e->map >= 0) &&
			    (e->kind != EVENT_PRINT_VALUE || e->values.n == 1) &&
			    (!e->has_by || e->report.n > 0);

		VEC_EACH (v, &e->values)
			good = good && check_value(c, e, v);
		VEC_EACH (r, &e->report)
			good = good && check_report(c, r);
		VEC_EACH (r, &e->where)
			good = good && check_report(c, r);
		VEC_EACH (r, &e->desc_if)
			good = good && check_report(c, r) && is_of_options(r);
		good = good && e->where.n <= 1 && e->desc_if.n <= 1;
		good = good && is_index(e->top_option, m->options.n + 1);
		VEC_EACH (j, &e->joins)
			good = good && e->map >= 0 && is_index(j->map, m->maps.n) &&
			       m->maps.at[j->map].key == m->maps.at[e->map].key;
		expect(c, good, "event", i);
	}
}

static bool check_attach(const struct probe_spec *s, enum probe_kind_id kind)
{
	return s->kind->id == kind && has_no_nul(s->text) && has_no_nul(s->module) &&
	       has_no_nul(s->function) && has_no_nul(s->path) && has_no_nul(s->provider) &&
	       has_no_nul(s->lang) && has_no_nul(s->file);
}

static void check_probes(struct check *c)
{
	const struct manifest *m = c->m;
	int i;

	for (i = 0; i < m->probes.n; i++) {
		const struct manifest_probe *p = &m->probes.at[i];
		bool good = is_name(p->elf_name, 255) && has_no_nul(p->name) &&
			    is_index_or_none(p->span, m->spans.n);

		VEC_EACH (s, &p->attach)
			good = good && check_attach(*s, p->kind);
		expect(c, good && p->attach.n > 0, "probe", i);
	}
}

static void check_rest(struct check *c)
{
	const struct manifest *m = c->m;
	int i;

	for (i = 0; i < m->sites.n; i++) {
		const struct manifest_site *s = &m->sites.at[i];

		expect(c,
		       is_index_or_none(s->span, m->spans.n) &&
			       is_index_or_none(s->probe, m->probes.n) &&
			       is_index_or_none(s->map, m->maps.n) && has_no_nul(s->helper) &&
			       (s->cause != SITE_LOST_EVENT || is_index(s->event, m->events.n)),
		       "counter", i);
	}
	for (i = 0; i < m->options.n; i++) {
		const struct manifest_option *o = &m->options.at[i];
		uint32_t least = o->kind == OPTION_LIST ? 16 : o->kind == OPTION_TEXTS ? 8 + LIST_TEXT : 1;

		expect(c,
		       is_name(o->elf_name, 255) && is_name(o->name, 255) && o->size >= least && o->size <= 1 << 20 &&
			       (o->kind != OPTION_LIST || o->size % 8 == 0) &&
			       (o->kind != OPTION_TEXTS || o->size % LIST_TEXT == 8),
		       "option", i);
	}
	for (i = 0; i < m->stacks.n; i++) {
		const struct manifest_stacks *s = &m->stacks.at[i];

		expect(c,
		       is_name(s->elf_name[0], 15) && (!s->elf_name[1].n || is_name(s->elf_name[1], 15)) &&
			       s->depth >= 1 && s->depth <= 1 << 16 && s->spare <= 1 << 16 &&
			       is_index(s->depth_option, m->options.n + 1) && is_index(s->kept_option, m->options.n + 1),
		       "stack map", i);
	}
	for (i = 0; i < m->variables.n; i++) {
		const struct manifest_variable *v = &m->variables.at[i];

		expect(c,
		       is_name(v->elf_name, 255) && has_no_nul(v->name) && is_index(v->probe, m->probes.n) &&
			       m->probes.at[v->probe].attach.n > 0 && is_index_or_none(v->span, m->spans.n),
		       "variable", i);
	}
	for (i = 0; i < m->sources.n; i++)
		expect(c, has_no_nul(m->sources.at[i].name), "source", i);
	for (i = 0; i < m->layouts.n; i++)
		expect(c, has_no_nul(m->layouts.at[i].name), "layout", i);
}

bool manifest_check(struct arena *a, const struct manifest *m, const char **why)
{
	struct check c = {.arena = a, .m = m};

	check_spans(&c);
	check_shapes(&c);
	if (!c.why) { /* the rest follows shapes */
		check_maps(&c);
		check_events(&c);
		check_probes(&c);
		check_rest(&c);
	}
	if (!c.why && !has_no_nul(m->license))
		c.why = "it is damaged: a setting holds a NUL";
	*why = c.why;
	return !c.why;
}
