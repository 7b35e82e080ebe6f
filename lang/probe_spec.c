/* The text of one attach point, taken apart (language.md 2.4 and 12).  Nothing is looked up: whether a function or event exists
 * is asked later. */
#include "lang/probe_spec.h"

#include "lang/parse.h"
#include "lang/support/bug.h"

/* One part between ':' (or '@', which is a part of its own). */
struct part {
	struct str text; /* without quotes */
	bool quoted;
	struct span span;
};

struct reader {
	struct arena *arena;
	struct diag *diag;
	struct span span; /* of the whole attach point */
	VEC(struct part) parts;
	struct probe_spec *spec;
	bool ok;
};

enum shape { SHAPE_SPECIAL, SHAPE_SYMBOL, SHAPE_PATH, SHAPE_RATE, SHAPE_COUNTER };

static const struct {
	enum shape shape;
	int least, most;
} shapes[] = {
#define PROBE_KIND(id, name, aliases, family, as, shape, argn, retval, func, wild, reverse, least, most, help) \
	{SHAPE_##shape, least, most},
#include "lang/probe_kinds.def"
#undef PROBE_KIND
};

#define FAIL(r, span, ...)                                                                         \
	do {                                                                                       \
		diag_add((r)->diag, (span), __VA_ARGS__);                                          \
		(r)->ok = false;                                                                   \
	} while (0)

/* ---- splitting ------------------------------------------------------------------------------------------------------- */

/* Where part of the text stands in the script; the whole attach point when parameters were put into it. */
static struct span part_span(const struct reader *r, struct str text, size_t begin, size_t end)
{
	struct span span = r->span;

	if (!span.source || span.end - span.begin != text.n)
		return span;
	span.end = span.begin + (uint32_t)end;
	span.begin += (uint32_t)begin;
	return span;
}

static void add_part(struct reader *r, struct str text, struct strbuf *part, bool quoted, size_t begin,
		     size_t end)
{
	struct part p = {str_copy(r->arena, strbuf_str(part)), quoted, part_span(r, text, begin, end)};

	VEC_PUSH(r->arena, &r->parts, p);
	*part = (struct strbuf){.arena = r->arena};
}

static void split(struct reader *r, struct str text)
{
	struct strbuf part = {.arena = r->arena};
	bool in_quotes = false, quoted = false;
	size_t begin = 0, i;

	for (i = 0; i < text.n; i++) {
		char c = text.s[i];

		if (c == '"') {
			in_quotes = !in_quotes;
			quoted = true;
		} else if (in_quotes) {
			if (c == '\\' && i + 1 < text.n)
				c = text.s[++i];
			strbuf_addc(&part, c);
		} else if (c == ':' || c == '@') {
			add_part(r, text, &part, quoted, begin, i);
			quoted = false;
			begin = i + 1;
			if (c == '@') {
				strbuf_addc(&part, c);
				add_part(r, text, &part, false, i, i + 1);
			}
		} else {
			strbuf_addc(&part, c);
		}
	}
	add_part(r, text, &part, quoted, begin, text.n);
}

/* ---- pieces that several kinds share ------------------------------------------------------------------------------------ */

/* Number of parts behind the provider; a trailing ':' makes none. */
static int arguments(const struct reader *r)
{
	int n = r->parts.n - 1;

	return n == 1 && !r->parts.at[1].text.n && !r->parts.at[1].quoted ? 0 : n;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_address(const struct part *p)
{
	return !p->quoted && p->text.n && is_digit(p->text.s[0]);
}

static bool number(struct reader *r, const struct part *p, struct str text, uint64_t *value)
{
	const char *why;

	if (parse_integer(text, false, value, &why))
		return true;
	FAIL(r, p->span, DIAG_PROBE_NUMBER, STR_ARG(text), why);
	return false;
}

/* function, function+offset, or an address. */
static void symbol(struct reader *r, const struct part *p, bool offset_allowed, bool address_allowed)
{
	struct probe_spec *s = r->spec;
	size_t plus = p->quoted ? p->text.n : str_find(p->text, '+');

	if (is_address(p)) {
		if (!address_allowed) {
			FAIL(r, p->span, DIAG_PROBE_ADDRESS, s->kind->name);
			return;
		}
		s->has_address = number(r, p, p->text, &s->address);
		return;
	}
	s->function = str_sub(p->text, 0, plus);
	if (plus == p->text.n)
		return;
	if (!offset_allowed) {
		FAIL(r, p->span, DIAG_PROBE_OFFSET, s->kind->name);
		diag_hint(r->diag, "it fires when the function returns, wherever that is");
		return;
	}
	s->has_offset = number(r, p, str_sub(p->text, plus + 1, SIZE_MAX), &s->offset);
	if (s->has_offset && str_is_pattern(s->function))
		FAIL(r, p->span, DIAG_PROBE_PATTERN_OFFSET);
}

/* ---- kinds ------------------------------------------------------------------------------------------------------------- */

static void read_special(struct reader *r)
{
	struct probe_spec *s = r->spec;

	if (s->kind->id == PROBE_BEGIN || s->kind->id == PROBE_END)
		return;
	if (s->kind->id != PROBE_SELF) {
		s->function = r->parts.at[1].text;
		return;
	}
	s->provider = r->parts.at[1].text;
	s->function = r->parts.at[2].text;
	if (!str_is(s->provider, "signal") || !str_is(s->function, "SIGUSR1")) {
		FAIL(r, r->span, DIAG_PROBE_SIGNAL);
		diag_hint(r->diag, "self:signal:SIGUSR1");
	}
}

static void read_symbol(struct reader *r)
{
	struct probe_spec *s = r->spec;
	const struct part *last = &r->parts.at[r->parts.n - 1];
	enum probe_kind_id kind = s->kind->id;

	if (kind == PROBE_ITER) {
		s->function = r->parts.at[1].text;
		if (arguments(r) == 2)
			s->path = r->parts.at[2].text;
		return;
	}
	if (arguments(r) >= 2)
		s->module = r->parts.at[1].text;
	if (kind == PROBE_TRACEPOINT && arguments(r) == 1) {
		/* t:*open* is t:*:*open* */
		if (!str_is_pattern(last->text)) {
			FAIL(r, r->span, DIAG_PROBE_CATEGORY);
			diag_hint(r->diag, "tracepoint:category:event, such as tracepoint:sched:sched_switch");
			return;
		}
		s->module = STR("*");
	}
	if ((kind == PROBE_FENTRY || kind == PROBE_FEXIT) && str_is(s->module, "bpf")) {
		FAIL(r, r->span, DIAG_PROBE_POSTPONED, "a BPF program");
		return;
	}
	symbol(r, last, kind == PROBE_KPROBE, kind == PROBE_KPROBE && arguments(r) == 1);
}

/* PATH@file.c:LINE[:COLUMN] */
static void read_source_line(struct reader *r)
{
	struct probe_spec *s = r->spec;
	uint64_t line = 0, column = 0;

	s->path = r->parts.at[1].text;
	if (r->parts.n < 5 || r->parts.n > 6 || !r->parts.at[3].text.n) {
		FAIL(r, r->span, DIAG_PROBE_LINE);
		diag_hint(r->diag, "%s:PATH@file.c:LINE or %s:PATH@file.c:LINE:COLUMN", s->kind->name,
			  s->kind->name);
		return;
	}
	if (s->kind->id == PROBE_URETPROBE) {
		FAIL(r, r->span, DIAG_PROBE_OFFSET, s->kind->name);
		return;
	}
	s->file = r->parts.at[3].text;
	if (!number(r, &r->parts.at[4], r->parts.at[4].text, &line) ||
	    (r->parts.n == 6 && !number(r, &r->parts.at[5], r->parts.at[5].text, &column)))
		return;
	if (!line || line > INT32_MAX || column > INT32_MAX)
		FAIL(r, r->parts.at[4].span, DIAG_PROBE_LINE);
	s->line = (uint32_t)line;
	s->column = (uint32_t)column;
}

static void read_path(struct reader *r)
{
	struct probe_spec *s = r->spec;
	struct part *parts = r->parts.at + 1;
	int n = arguments(r);
	const struct part *last = &parts[n - 1];

	if (n > 1 && parts[1].text.n == 1 && parts[1].text.s[0] == '@' && !parts[1].quoted) {
		read_source_line(r);
		return;
	}
	if (n > 1)
		s->path = parts[0].text;
	if (str_find(s->path, '!') < s->path.n && str_find(s->path, '/') < s->path.n) {
		FAIL(r, parts[0].span, DIAG_PROBE_POSTPONED, "libraries inside of archives");
		return;
	}
	if (s->kind->id == PROBE_USDT) {
		if (n == 3)
			s->provider = parts[1].text;
		s->function = last->text;
		return;
	}
	if (n == 3) {
		s->lang = parts[1].text;
		if (!str_is(s->lang, "cpp") && !str_is(s->lang, "c")) {
			FAIL(r, parts[1].span, DIAG_PROBE_LANG, STR_ARG(s->lang));
			diag_hint(r->diag, "a path or name that holds ':' is quoted: uprobe:\"/opt/a:b\":main");
			return;
		}
		s->function = last->text;
		return;
	}
	symbol(r, last, s->kind->id == PROBE_UPROBE, n == 2);
}

static void check_rate(struct reader *r, const struct part *p, struct str written)
{
	struct probe_spec *s = r->spec;

	if (s->period_ns >= 1000 || s->hz)
		return;
	FAIL(r, p->span, DIAG_PROBE_RATE, s->kind->name, STR_ARG(written));
	diag_hint(r->diag, "the shortest period is 1us");
}

static void read_rate(struct reader *r)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"hz", 0}, {"s", 1000000000}, {"ms", 1000000}, {"us", 1000}};
	struct probe_spec *s = r->spec;
	const struct part *unit = &r->parts.at[1], *last = &r->parts.at[r->parts.n - 1];
	uint64_t n;
	size_t i;

	if (!number(r, last, last->text, &n))
		return;
	if (arguments(r) == 1) {
		/* 5ms, or a plain number of nanoseconds; the full name counts microseconds */
		s->period_ns = n;
		s->function = STR("us");
		check_rate(r, last, last->text);
		return;
	}
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (str_is(unit->text, units[i].name))
			break;
	if (i == sizeof(units) / sizeof(units[0])) {
		FAIL(r, unit->span, DIAG_PROBE_UNIT, STR_ARG(unit->text));
		diag_hint(r->diag, "the units are hz, s, ms and us; or write %s:10ms", s->kind->name);
		return;
	}
	s->function = str_of(units[i].name);
	if (i == 0)
		s->hz = n;
	else if (__builtin_mul_overflow(n, units[i].ns, &s->period_ns))
		s->period_ns = 0;
	if (s->hz > 1000000000)
		s->hz = 0;
	check_rate(r, last, last->text);
}

static void read_watchpoint(struct reader *r)
{
	struct probe_spec *s = r->spec;
	struct part *parts = r->parts.at + 1;
	static const char letters[] = "rwx";
	size_t i;

	s->has_address = number(r, &parts[0], parts[0].text, &s->address);
	if (!number(r, &parts[1], parts[1].text, &s->count))
		return;
	if (s->count != 1 && s->count != 2 && s->count != 4 && s->count != 8)
		FAIL(r, parts[1].span, DIAG_PROBE_WATCH_LENGTH);
	for (i = 0; i < parts[2].text.n; i++) {
		const char *letter = strchr(letters, parts[2].text.s[i]);
		uint8_t bit = letter && *letter ? (uint8_t)(1u << (letter - letters)) : 0;

		if (!bit || (s->watch_mode & bit)) {
			s->watch_mode = 0;
			break;
		}
		s->watch_mode |= bit;
	}
	/* What the debug registers of x86 can do: reads alone cannot be told from writes, and instructions stand alone. */
	if (s->watch_mode != 2 && s->watch_mode != 3 && s->watch_mode != 4) {
		FAIL(r, parts[2].span, DIAG_PROBE_WATCH_MODE, STR_ARG(parts[2].text));
		diag_hint(r->diag, "the modes are rw (accesses), w (writes) and x (instructions)");
	}
}

static void read_counter(struct reader *r)
{
	struct probe_spec *s = r->spec;

	if (s->kind->id == PROBE_WATCHPOINT) {
		read_watchpoint(r);
		return;
	}
	s->function = r->parts.at[1].text;
	if (arguments(r) == 2 && r->parts.at[2].text.n && !str_is(r->parts.at[2].text, "*"))
		number(r, &r->parts.at[2], r->parts.at[2].text, &s->count);
}

/* ---- one kind, several kinds ------------------------------------------------------------------------------------------------ */

static char *wanted_parts(struct arena *a, int least, int most)
{
	if (most == 0)
		return arena_printf(a, "nothing");
	if (least == most)
		return arena_printf(a, "%d part%s", most, most == 1 ? "" : "s");
	return arena_printf(a, "%d to %d parts", least, most);
}

static bool check_parts(struct reader *r)
{
	const struct probe_kind *kind = r->spec->kind;
	int n = arguments(r), least = shapes[kind->id].least, most = shapes[kind->id].most, i;
	bool line = shapes[kind->id].shape == SHAPE_PATH && r->parts.n > 2 &&
		    str_is(r->parts.at[2].text, "@") && !r->parts.at[2].quoted;

	if (kind->id == PROBE_FENTRY || kind->id == PROBE_FEXIT)
		most = n == 3 && str_is(r->parts.at[1].text, "bpf") ? 3 : most;
	if (!line && (n < least || n > most)) {
		FAIL(r, r->span, DIAG_PROBE_PARTS, kind->name, wanted_parts(r->arena, least, most), n);
		diag_hint(r->diag, "%s", kind->help);
		return false;
	}
	for (i = 1; i < r->parts.n && n; i++) {
		struct part *p = &r->parts.at[i];
		/* usdt::name: any file; software:faults: the default period */
		bool may_be_empty = (kind->id == PROBE_USDT && i == 1) ||
				    ((kind->id == PROBE_SOFTWARE || kind->id == PROBE_HARDWARE) && i == 2);

		if (!p->text.n && !may_be_empty) {
			FAIL(r, p->span, DIAG_PROBE_EMPTY_PART);
			diag_hint(r->diag, "%s", kind->help);
			return false;
		}
		if (str_is_pattern(p->text) && !kind->wildcards && !may_be_empty && !p->quoted) {
			FAIL(r, p->span, DIAG_PROBE_WILDCARD, kind->name);
			return false;
		}
	}
	return true;
}

/* The attach point read as one of `kind`; NULL with a diagnostic on error. */
static struct probe_spec *read_as(struct reader *r, const struct probe_kind *kind)
{
	struct probe_spec *s = NEW(r->arena, struct probe_spec);

	s->span = r->span;
	s->kind = kind;
	r->spec = s;
	r->ok = true;
	if (!check_parts(r))
		return NULL;
	switch (shapes[kind->id].shape) {
	case SHAPE_SPECIAL:
		read_special(r);
		break;
	case SHAPE_SYMBOL:
		read_symbol(r);
		break;
	case SHAPE_PATH:
		read_path(r);
		break;
	case SHAPE_RATE:
		read_rate(r);
		break;
	case SHAPE_COUNTER:
		read_counter(r);
		break;
	}
	if (!r->ok)
		return NULL;
	s->is_pattern = kind->wildcards && (str_is_pattern(s->module) || str_is_pattern(s->function) ||
					    str_is_pattern(s->path) || str_is_pattern(s->provider));
	probe_spec_name(r->arena, s);
	return s;
}

static void unknown_kind(struct reader *r)
{
	const struct part *provider = &r->parts.at[0];
	struct diag_near near = {.wanted = provider->text};
	int i;

	if (!provider->text.n) {
		FAIL(r, r->span, DIAG_PROBE_NO_KIND);
		diag_hint(r->diag, "kprobe:vfs_read, tracepoint:sched:sched_switch, interval:1s ...");
		return;
	}
	for (i = 0; i < PROBE_KIND_COUNT; i++)
		diag_near_try(&near, str_of(probe_kind((enum probe_kind_id)i)->name));
	FAIL(r, provider->span, DIAG_PROBE_KIND, STR_ARG(provider->text));
	if (near.best.n)
		diag_hint(r->diag, "did you mean '%.*s'?", STR_ARG(near.best));
	else if (str_is(provider->text, "config"))
		diag_hint(r->diag, "settings have a '=': config = { max_strlen = 64 }");
	else
		diag_hint(r->diag, "a probe starts with its type, such as kprobe:, tracepoint: or interval:");
}

/* Every kind whose name fits and which can have these parts. */
static int read_all(struct reader *r, struct str pattern, probe_spec_list *out)
{
	/* A lone '*' means what the kernel offers; user-space probes want their type named. */
	bool kernel_side = str_is(pattern, "*");
	int i, n = 0;

	for (i = 0; i < PROBE_KIND_COUNT; i++) {
		const struct probe_kind *kind = probe_kind((enum probe_kind_id)i);
		int mark = diag_mark(r->diag);
		struct probe_spec *s;

		if (!kind->wildcards || !str_match(pattern, str_of(kind->name)) ||
		    (kernel_side && shapes[i].shape == SHAPE_PATH))
			continue;
		s = read_as(r, kind);
		diag_rewind(r->diag, mark);
		if (!s)
			continue;
		VEC_PUSH(r->arena, out, s);
		n++;
	}
	if (!n) {
		FAIL(r, r->span, DIAG_PROBE_KIND, STR_ARG(pattern));
		diag_hint(r->diag, "no type of probe that fits this pattern has these parts");
	}
	return n;
}

int probe_spec_parse(struct arena *a, struct str text, struct span span, struct diag *d,
		     probe_spec_list *out)
{
	struct reader r = {.arena = a, .diag = d, .span = span, .ok = true};
	const struct probe_kind *kind;
	struct probe_spec *s;

	split(&r, text);
	if (str_is_pattern(r.parts.at[0].text) && !r.parts.at[0].quoted)
		return read_all(&r, r.parts.at[0].text, out);
	kind = probe_kind_by_name(r.parts.at[0].text);
	if (!kind) {
		unknown_kind(&r);
		return 0;
	}
	s = read_as(&r, kind);
	if (!s)
		return 0;
	VEC_PUSH(a, out, s);
	return 1;
}

/* ---- the full name ------------------------------------------------------------------------------------------------------------ */

static void add(struct strbuf *out, struct str part)
{
	strbuf_addc(out, ':');
	strbuf_add(out, part);
}

static void name_path(struct probe_spec *s, struct strbuf *out)
{
	if (s->file.n) {
		add(out, s->path);
		strbuf_printf(out, "@%.*s:%u", STR_ARG(s->file), s->line);
		if (s->column)
			strbuf_printf(out, ":%u", s->column);
		return;
	}
	if (s->path.n || s->kind->id == PROBE_USDT)
		add(out, s->path);
	if (s->lang.n) {
		add(out, s->lang);
		strbuf_printf(out, ":\"%.*s\"", STR_ARG(s->function));
		return;
	}
	if (s->provider.n)
		add(out, s->provider);
	if (s->has_address && !s->function.n)
		strbuf_printf(out, ":0x%llx", (unsigned long long)s->address);
	else
		add(out, s->function);
}

static void name_rate(struct probe_spec *s, struct strbuf *out)
{
	struct str unit = s->function.n ? s->function : s->hz ? STR("hz") : STR("us");
	uint64_t ns = str_is(unit, "s") ? 1000000000 : str_is(unit, "ms") ? 1000000 : 1000;
	uint64_t n = s->hz ? s->hz : s->period_ns / ns;

	add(out, unit);
	strbuf_addc(out, ':');
	if (n)
		strbuf_printf(out, "%llu", (unsigned long long)n);
}

static void name_counter(struct probe_spec *s, struct strbuf *out)
{
	static const char letters[] = "rwx";

	if (s->kind->id != PROBE_WATCHPOINT) {
		add(out, s->function);
		if (s->count)
			strbuf_printf(out, ":%llu", (unsigned long long)s->count);
		return;
	}
	strbuf_printf(out, ":0x%llx:%llu:", (unsigned long long)s->address,
		      (unsigned long long)s->count);
	for (int i = 0; i < 3; i++)
		if (s->watch_mode & (1u << i))
			strbuf_addc(out, letters[i]);
}

static void name_symbol(struct probe_spec *s, struct strbuf *out)
{
	if (s->module.n)
		add(out, s->module);
	if (s->has_address && !s->function.n)
		strbuf_printf(out, ":0x%llx", (unsigned long long)s->address);
	else
		add(out, s->function);
	if (s->kind->id == PROBE_ITER && s->path.n)
		add(out, s->path);
}

void probe_spec_name(struct arena *a, struct probe_spec *s)
{
	struct strbuf out = {.arena = a};

	strbuf_add(&out, str_of(s->kind->name));
	switch (shapes[s->kind->id].shape) {
	case SHAPE_SPECIAL:
		if (s->provider.n)
			add(&out, s->provider);
		if (s->function.n)
			add(&out, s->function);
		break;
	case SHAPE_SYMBOL:
		name_symbol(s, &out);
		break;
	case SHAPE_PATH:
		name_path(s, &out);
		break;
	case SHAPE_RATE:
		name_rate(s, &out);
		break;
	case SHAPE_COUNTER:
		name_counter(s, &out);
		break;
	}
	if (s->has_offset)
		strbuf_printf(&out, "+%llu", (unsigned long long)s->offset);
	s->text = strbuf_str(&out);
}
