/* Stacks as text. */
#include "runtime/stacks.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "runtime/text.h"

struct frames {
	const struct stack_source *s;
	struct strbuf out;
	const struct shape *shape;
	bool raw;
};

/* What is between a traced place and the program that runs there.  Neither belongs to what is traced; frames of these names
 * further up do: they are somebody else's. */
static bool is_machinery(const char *name)
{
	static const char *const prefixes[] = {
		"bpf_prog_",	     "bpf_trampoline_",	    "bpf_trace_run",	   "__bpf_trace_",
		"__traceiter_",	     "__bpf_prog_enter",    "__bpf_prog_exit",	   "bpf_get_stack",
		"__bpf_get_stack", "__bpf_get_task_stack", "bpf_get_task_stack",   "trace_call_bpf",	    "perf_trace_",	   "perf_syscall_", "bpf_dispatcher_",
		"kprobe_perf_func",  "kretprobe_perf_func", "kprobe_dispatcher",   "kprobe_multi_link_",
		"fprobe_handler",    "fprobe_exit_handler", "kprobe_ftrace_handler", "perf_trace_run_bpf_submit",
		"fprobe_entry",	     "fprobe_return",	    "fprobe_ftrace_entry", "bpf_kprobe_multi",
		"uprobe_dispatcher", "uprobe_perf_func",    "uretprobe_dispatcher"};
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static bool is_own(const struct stack_source *s, uint64_t ip)
{
	int i;

	for (i = 0; i < s->nown; i++)
		if (ip >= s->own[i][0] && ip < s->own[i][1])
			return true;
	return false;
}

int stack_own_frames(const struct stack_source *s, const uint64_t *ips, int n)
{
	bool seen = false;
	uint64_t offset;
	int i;

	for (i = 0; i < n; i++) {
		const char *name = kallsyms_name(s->kallsyms, ips[i], &offset);

		/* A trampoline that is already taken down has no name. */
		if (is_own(s, ips[i]) || (name ? is_machinery(name) : seen && !kallsyms_empty(s->kallsyms)))
			seen = true;
		else
			break;
	}
	return seen ? i : 0;
}

static void add_symbol(struct frames *f, struct str name, uint64_t offset)
{
	if (f->raw)
		strbuf_add(&f->out, name);
	else
		text_escape(&f->out, name);
	strbuf_printf(&f->out, "+%llu", (unsigned long long)offset);
}

static void add_number(struct frames *f, uint64_t ip)
{
	strbuf_printf(&f->out, "0x%llx", (unsigned long long)ip);
}

static void add_kernel_frame(struct frames *f, uint64_t ip, bool is_return)
{
	uint64_t offset = 0;
	/* A call that never returns may end a function: the call's own place names it, not what follows. */
	const char *name = kallsyms_name(f->s->kallsyms, is_return ? ip - 1 : ip, &offset);

	if (f->shape->mode == STACK_PERF)
		strbuf_printf(&f->out, "\t%llx ", (unsigned long long)ip);
	else
		strbuf_add(&f->out, STR("        "));
	if (name)
		add_symbol(f, str_of(name), offset + is_return);
	else
		add_number(f, ip);
	strbuf_addc(&f->out, '\n');
}

static void add_text(struct frames *f, struct str text)
{
	if (f->raw)
		strbuf_add(&f->out, text);
	else
		text_escape(&f->out, text);
}

/* Without a symbol: what can be looked up later is better than an address that means nothing once the process is gone. */
static void add_place(struct frames *f, const struct user_name *name, uint64_t ip)
{
	int i;

	if (name->build_id_size) {
		for (i = 0; i < name->build_id_size; i++)
			strbuf_printf(&f->out, "%02x", name->build_id[i]);
		strbuf_printf(&f->out, "+0x%llx", (unsigned long long)name->file_offset);
	} else if (name->path.n && name->path.s[0] == '/') {
		add_text(f, name->path);
		strbuf_printf(&f->out, "+0x%llx", (unsigned long long)name->file_offset);
	} else {
		add_number(f, ip);
	}
}

static void add_line(struct frames *f, const struct dwarf_frame *frame)
{
	if (!frame->file.n)
		return;
	strbuf_addc(&f->out, '@');
	add_text(f, frame->file);
	if (frame->line)
		strbuf_printf(&f->out, ":%u", frame->line);
}

/* Functions that the compiler put into the one that the frame is in: the innermost first, as if they had been called. */
static void add_inlined(struct frames *f, const frame_list *lines, uint64_t ip)
{
	int i;

	for (i = 0; i < lines->n - 1; i++) {
		const struct dwarf_frame *frame = &lines->at[i];

		if (f->shape->mode == STACK_PERF) {
			strbuf_printf(&f->out, "\t%llx ", (unsigned long long)ip);
			add_text(f, frame->function);
			strbuf_add(&f->out, STR(" (inlined)\n"));
		} else {
			strbuf_add(&f->out, STR("        [inlined] "));
			add_text(f, frame->function);
			add_line(f, frame);
			strbuf_addc(&f->out, '\n');
		}
	}
}

static void add_user_frame(struct frames *f, uint32_t tgid, uint64_t ip, bool is_return)
{
	const frame_list *lines = NULL;
	struct user_name name;

	processes_name(f->s->processes, tgid, ip, is_return, &name);
	if (f->s->show_debug_info)
		lines = processes_lines(f->s->processes, &name, is_return);
	if (lines)
		add_inlined(f, lines, ip);
	if (f->shape->mode == STACK_PERF)
		strbuf_printf(&f->out, "\t%llx ", (unsigned long long)ip);
	else
		strbuf_add(&f->out, STR("        "));
	if (name.symbol.n)
		add_symbol(f, name.symbol, name.offset);
	else
		add_place(f, &name, ip);
	if (lines && f->shape->mode != STACK_PERF)
		add_line(f, &lines->at[lines->n - 1]);
	if (f->shape->mode == STACK_PERF) {
		strbuf_add(&f->out, STR(" ("));
		if (!name.path.n)
			strbuf_add(&f->out, STR("[unknown]"));
		else
			add_text(f, name.path);
		strbuf_addc(&f->out, ')');
	}
	strbuf_addc(&f->out, '\n');
}

static void add_build_ids(struct frames *f, const struct bpf_stack_build_id *ids, uint32_t n)
{
	uint32_t i, j;

	for (i = 0; i < n && ids[i].status != BPF_STACK_BUILD_ID_EMPTY; i++) {
		if (ids[i].status == BPF_STACK_BUILD_ID_VALID) {
			for (j = 0; j < BPF_BUILD_ID_SIZE; j++)
				strbuf_printf(&f->out, "%02x", ids[i].build_id[j]);
			strbuf_printf(&f->out, " 0x%llx\n", (unsigned long long)ids[i].offset);
		} else {
			strbuf_printf(&f->out, "%llx\n", (unsigned long long)ids[i].ip);
		}
	}
}

/* A stack that could not be taken is said to be so; one that cannot exist (the user stack of a kernel thread) is empty. */
static struct str not_taken(struct frames *f, int64_t err)
{
	if (err == -EFAULT || err == -EINVAL)
		return STR("\n");
	return str_printf(f->out.arena, "\n        [stack not taken: %s]\n",
			  err == -EEXIST ? "another stack has its place" : strerror(err < 0 && err > -4096 ? (int)-err : EIO));
}

/* `twice`: the stack of a tracepoint, where older kernels (5.10, 6.1) give the first frame from the registers and once more from the
 * walk.  No call returns to the place where a tracepoint is. */
static void add_frames(struct frames *f, const uint64_t *ips, uint32_t limit, uint32_t tgid, bool user, bool twice)
{
	int n = 0, first, i;

	while (n < STACK_MAX_FRAMES && ips[n])
		n++;
	first = user ? 0 : stack_own_frames(f->s, ips, n);
	if (twice && n > first + 1 && ips[first] == ips[first + 1])
		first++;
	for (i = first; i < n && (uint32_t)(i - first) < limit; i++) {
		if (f->shape->mode == STACK_RAW)
			strbuf_printf(&f->out, "%llx\n", (unsigned long long)ips[i]);
		else if (user)
			add_user_frame(f, tgid, ips[i], i > 0);
		else
			add_kernel_frame(f, ips[i], i > 0);
	}
}

struct str stack_text(const struct stack_source *s, struct arena *a, const struct shape *shape, const void *bytes, bool raw)
{
	struct frames f = {.s = s, .out = {.arena = a}, .shape = shape, .raw = raw};
	bool user = shape->kind == TYPE_USTACK;
	union stack_value *value = s->value;
	uint32_t map, limit, tgid = 0, id;
	int64_t signed_id;
	int fd;

	memcpy(&signed_id, bytes, 8);
	memcpy(&map, (const char *)bytes + 8, 4);
	memcpy(&limit, (const char *)bytes + 12, 4);
	if (user)
		memcpy(&tgid, (const char *)bytes + 16, 4);
	if (signed_id < 0)
		return not_taken(&f, signed_id);
	if (!limit) /* what an absent element of a map is read as */
		return STR("\n");
	id = (uint32_t)signed_id;
	if (map / 2 >= (uint32_t)s->npairs)
		return not_taken(&f, -EIO);
	fd = s->fds[map / 2][map % 2];
	memset(value, 0, sizeof(*value)); /* the last one's frames must not show behind a shorter one */
	if (fd < 0 || bpf_map_lookup_elem(fd, &id, value))
		return not_taken(&f, -EIO);
	strbuf_addc(&f.out, '\n');
	if (shape->mode == STACK_BUILD_ID && user)
		add_build_ids(&f, value->ids, limit < STACK_MAX_FRAMES ? limit : STACK_MAX_FRAMES);
	else
		add_frames(&f, value->ips, limit, tgid, user, !user && s->fds[map / 2][2] == 1);
	return strbuf_str(&f.out);
}
