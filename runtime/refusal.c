/* A program was refused: one sentence that names the probe, the line of the script and the reason; the kernel's own log comes
 * after it, and only when asked for. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "runtime/lines.h"
#include "runtime/load.h"
#include "runtime/session_internal.h"

/* libbpf says "prog 'NAME': BPF program load failed". */
static struct live_probe *refused_probe(struct session *s)
{
	const char *text = s->libbpf_log.n ? s->libbpf_log.s : "", *at;
	int i;

	for (at = strstr(text, "prog '"); at; at = strstr(at + 1, "prog '")) {
		const char *name = at + strlen("prog '");
		struct str found = {name, strcspn(name, "'")};

		for (i = 0; i < s->manifest->probes.n; i++)
			if (str_eq(s->manifest->probes.at[i].elf_name, found))
				return &s->probes[i];
	}
	return NULL;
}

static struct str next_line(struct str *rest)
{
	size_t n = str_find(*rest, '\n');
	struct str line = str_sub(*rest, 0, n);

	*rest = str_sub(*rest, n + 1, rest->n);
	return line;
}

/* What the log tells: the number of the last instruction it was at, and its last words. */
struct log_facts {
	long instruction; /* -1: none */
	struct str at;	  /* its line */
	struct str reason;
	struct str relocation; /* the line of a field or type that this kernel does not have */
};

static struct log_facts read_log(struct str log)
{
	struct log_facts f = {.instruction = -1};

	while (log.n) {
		struct str line = next_line(&log);
		char *end;
		long n;

		if (line.n && isdigit((unsigned char)line.s[0])) {
			n = strtol(line.s, &end, 10);
			if (end[0] == ':' && end[1] == ' ' && (end[2] == '(' || end[2] == '<')) {
				f.instruction = n;
				f.at = line;
			} else if (end[0] == ':')
				continue; /* registers at a branch */
			continue;
		}
		if (str_starts(line, STR("failed to resolve CO-RE relocation"))) {
			f.relocation = line;
			continue;
		}
		if (!line.n || line.s[0] == ';' || str_starts(line, STR("processed ")) || str_starts(line, STR("verification time")) ||
		    str_starts(line, STR("stack depth")) || str_starts(line, STR("-- ")) || str_starts(line, STR("from ")) ||
		    str_starts(line, STR("last_idx")) || str_starts(line, STR("parent ")) || str_starts(line, STR("regs=")) ||
		    str_starts(line, STR("mark_precise")) || isspace((unsigned char)line.s[0]))
			continue;
		f.reason = line;
	}
	return f;
}

static bool has(struct str text, const char *part)
{
	return text.n && memmem(text.s, text.n, part, strlen(part));
}

/* "bpf_d_path" out of "... bpf_d_path#147" in the reason, or else in the line of the call. */
static struct str helper_in(const struct log_facts *f)
{
	struct str text = has(f->reason, "bpf_") ? f->reason : f->at, name;
	const char *at = text.n ? memmem(text.s, text.n, "bpf_", 4) : NULL;

	if (!at)
		return STR("a helper");
	name = str_sub(text, (size_t)(at - text.s), text.n);
	name.n = str_find(name, '#');
	name.n = str_find(name, ' ');
	return name;
}

/* "struct task_struct.foo" out of "failed to resolve CO-RE relocation <byte_off> [12] struct task_struct.foo (0:3 @ offset 8)". */
static struct str field_in(struct str line)
{
	size_t bracket = str_find(line, ']');
	struct str name = str_sub(line, bracket + 2, line.n);

	name.n = str_find(name, '(');
	return str_trim(name);
}

/* ENOSPC: it walked for so long that its log did not fit, and what stands last there is not the reason. */
static bool has_too_many_paths(struct str reason, int err)
{
	return err == -ENOSPC || has(reason, "too large") || has(reason, "too complex");
}

/* The reason in plain words, as far as it is known. */
static const char *plain_reason(struct session *s, const struct log_facts *f, int err, const char **hint)
{
	if (f->relocation.n)
		return arena_printf(s->arena, "this kernel has no %.*s", STR_ARG(field_in(f->relocation)));
	if (has(f->reason, "unknown func") || has(f->reason, "cannot use helper") || has(f->reason, "not allowed in probe"))
		return arena_printf(s->arena, "this kernel does not let this kind of probe call %.*s", STR_ARG(helper_in(f)));
	if (has(f->reason, "invalid func")) { /* a helper that this kernel is too old for: it knows only the number */
		size_t number = str_find(f->reason, '#');

		return arena_printf(s->arena, "this kernel has no BPF helper %.*s", STR_ARG(str_sub(f->reason, number, f->reason.n)));
	}
	if (has(f->reason, "GPL")) {
		*hint = "set `license = \"GPL\"` in the config block";
		return "its licence does not allow the kernel functions that it calls";
	}
	if (has_too_many_paths(f->reason, err)) {
		*hint = "make loops shorter or split the probe";
		return "the verifier gave up: the program has too many paths";
	}
	if (has(f->reason, "combined stack size")) {
		*hint = "use fewer or shorter strings and tuples, or lower on_stack_limit in the config block";
		return "the program needs more stack than BPF has";
	}
	if (err == -EPERM && !f->reason.n) {
		*hint = "waketrace needs CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN); a locked-down kernel refuses even these";
		return "operation not permitted";
	}
	if (f->reason.n)
		return arena_printf(s->arena, "the verifier says: %.*s", STR_ARG(f->reason));
	return strerror(-err);
}

/* From the statement's first byte to its end. */
static struct span statement_span(struct session *s, const struct line_place *place)
{
	int i, which = 0;
	const struct source *source;
	struct span span = {0};
	struct str line;
	size_t from;

	for (i = 0; i < s->manifest->sources.n; i++)
		if (str_eq(s->manifest->sources.at[i].name, place->file))
			which = i;
	if (!s->manifest->sources.n)
		return span;
	source = s->sources[which];
	if (!place->line || place->line > (uint32_t)source->nlines)
		return span;
	line = source_line(source, (int)place->line);
	from = place->column ? place->column - 1 : 0;
	if (from >= line.n)
		from = 0;
	span.source = source;
	span.begin = source->lines[place->line - 1] + (uint32_t)from;
	span.end = span.begin + (uint32_t)str_find(str_sub(line, from, line.n), ';');
	return span;
}

static struct span refused_span(struct session *s, const struct live_probe *p, long instruction)
{
	struct str section = str_of(bpf_program__section_name(p->prog));
	uint64_t start, size;
	struct line_place place;

	/* Behind the program's own instructions stand the functions that it calls: their places are not known. */
	if (instruction >= 0 && artefact_symbol(s->elf, section.s, p->row->elf_name, &start, &size) && (uint64_t)instruction * 8 < size &&
	    line_of_instruction(s->elf, section, start + (uint64_t)instruction * 8, &place)) {
		struct span span = statement_span(s, &place);

		if (span.source)
			return span;
	}
	return session_span(s, p->row->span);
}

static void show_log(struct session *s, struct str log)
{
	if (!log.n)
		return;
	if (s->opt->verbose || s->opt->dump_verifier)
		fprintf(stderr, "The verifier's log:\n%.*s\n", STR_ARG(log));
}

static struct str refusal_log(struct session *s, const struct live_probe *p)
{
	size_t size = 0;
	const char *own = p ? bpf_program__log_buf(p->prog, &size) : NULL;

	return str_of(own && *own ? own : s->verifier_log);
}

bool refusal_is_of_size(struct session *s, int err)
{
	struct live_probe *p = refused_probe(s);
	struct str reason = read_log(refusal_log(s, p)).reason;

	return p && (has_too_many_paths(reason, err) || has(reason, "combined stack size") || has(reason, "back-edge") ||
		     has(reason, "infinite loop"));
}

int refusal_explain(struct session *s, int err)
{
	struct live_probe *p = refused_probe(s);
	struct str log = refusal_log(s, p);
	struct log_facts facts = read_log(log);
	const char *hint = NULL, *reason = plain_reason(s, &facts, err, &hint);

	if (!p) { /* a map, or BTF */
		session_message(s, -1, DIAG_ERROR, err == -EPERM ? "waketrace needs CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN)" : NULL,
				"the kernel did not take the script's maps or programs: %s", strerror(-err));
		if (s->libbpf_log.n && s->opt->verbose)
			fprintf(stderr, "libbpf's messages:\n%s", s->libbpf_log.s);
		return 255;
	}
	if (!hint && log.n && !s->opt->verbose)
		hint = "-v shows the verifier's log";
	diag_print_now(stderr, s->opt->style, refused_span(s, p, facts.instruction), DIAG_ERROR,
		       arena_printf(s->arena, "the kernel refused the program of %.*s: %s", STR_ARG(p->row->name), reason), hint, true);
	show_log(s, log);
	return 255;
}
