/* Builtin variables and functions that run in the kernel or are folded: one function per family. */
#include "lang/check.h"

bool literal_int(struct checker *c, struct expr *e, const char *fn, uint64_t *value)
{
	if (!e->type)
		check_expr(c, e);
	if (failed(e->type))
		return false;
	if (e->kind == EXPR_INT) {
		*value = e->integer.value;
		return true;
	}
	diag_add(c->diag, e->span, DIAG_NEED_LITERAL_INT, fn);
	return false;
}

const char *integer_text(struct checker *c, const struct expr *e)
{
	if (e->type->is_signed)
		return arena_printf(c->arena, "%lld", (long long)e->integer.value);
	return arena_printf(c->arena, "%llu", (unsigned long long)e->integer.value);
}

bool is_negative(struct checker *c, const struct expr *e, const char *what)
{
	if (e->kind != EXPR_INT || !e->type->is_signed || (int64_t)e->integer.value >= 0)
		return false;
	diag_add(c->diag, e->span, DIAG_NEGATIVE, what);
	return true;
}

bool literal_string(struct checker *c, struct expr *e, const char *fn, struct str *text)
{
	if (!e->type && e->kind == EXPR_STRING)
		check_text(c, e, SIZE_MAX); /* it never is in the kernel: a format, a name, a path */
	else if (!e->type)
		check_expr(c, e);
	if (failed(e->type))
		return false;
	if (e->kind == EXPR_STRING) {
		*text = e->string.text;
		return true;
	}
	diag_add(c->diag, e->span, DIAG_NEED_LITERAL_STRING, fn);
	return false;
}

static const struct probe_kind *kind_here(struct checker *c)
{
	return c->unit->probe ? c->unit->probe->kind : NULL;
}

enum addr_space space_here(struct checker *c)
{
	struct probe *p = c->unit->probe;

	if (!p)
		return AS_NONE;
	if (p->kind->id == PROBE_TRACEPOINT && p->attach.n && str_is(p->attach.at[0]->module, "syscalls"))
		return AS_USER;
	return p->kind->as;
}

struct expr *task_field(struct checker *c, struct span span, const char *path)
{
	struct expr *e = expr_call(c->arena, span, STR("curtask")), *field;
	struct str rest = str_of(path);

	while (rest.n) {
		size_t n = str_find(rest, '.');

		field = expr_new(c->arena, EXPR_FIELD, span);
		field->field.e = e;
		field->field.name = str_sub(rest, 0, n);
		field->field.name_span = span;
		rest = str_sub(rest, n + 1, rest.n);
		e = field;
	}
	check_expr(c, e);
	return e;
}

static void not_here(struct checker *c, struct expr *e, const char *name, const char *where)
{
	const struct probe_kind *k = kind_here(c);

	if (!k) {
		FAIL(c, e, DIAG_NOT_IN_FUNCTION, name);
		diag_hint(c->diag, "pass what the probe has as an argument");
		return;
	}
	FAIL(c, e, DIAG_NOT_IN_PROBE, name, k->name);
	diag_hint(c->diag, "%s can be used in %s", name, where);
}

static const struct type *kernel_struct_pointer(struct checker *c, struct str name)
{
	const struct type *t = c->kernel->type_by_name(c->kernel, c->types, TAG_STRUCT, name);

	return type_ptr(c->types, t ? t : c->types->none, AS_KERNEL);
}

/* Context builtins are not reachable from the callback that a for loop's body becomes. */
static bool context_lost(struct checker *c, struct expr *e, const char *name)
{
	if (!c->loop_depth)
		return false;
	FAIL(c, e, DIAG_NOT_IN_LOOP, name);
	diag_hint(c->diag, "copy it to a variable before the loop");
	return true;
}

/* Bytes of a text read without a length.  Below the default there is one more for the NUL: max_strlen characters are whole. */
static uint64_t text_capacity(const struct checker *c)
{
	enum { DEFAULT = 1024 };
	uint64_t n = c->program->config.max_strlen;

	return n < DEFAULT ? n + 1 : n;
}

/* What ctx points to: the registers, the sample, or the object that an iterator is at. */
static const struct type *context_type(struct checker *c)
{
	const struct probe *p = c->unit->probe;

	if (!p)
		return c->types->voidptr;
	switch (p->kind->family) {
	case CONTEXT_REGS:
		return kernel_struct_pointer(c, STR("pt_regs"));
	case CONTEXT_PERF:
		return kernel_struct_pointer(c, STR("bpf_perf_event_data"));
	case CONTEXT_ITER:
		return p->args.args ? type_ptr(c->types, p->args.args, AS_KERNEL) : c->types->voidptr;
	default:
		return c->types->voidptr;
	}
}

static void check_args(struct checker *c, struct expr *e)
{
	struct probe *p = c->unit->probe;

	if (context_lost(c, e, "args"))
		return;
	if (!p || p->kind->family == CONTEXT_NONE || p->kind->family == CONTEXT_PERF || p->kind->family == CONTEXT_ITER ||
	    p->kind->id == PROBE_KRETPROBE) {
		not_here(c, e, "args", "tracepoint, rawtracepoint, kprobe, fentry, fexit and (with debug information) uprobe");
		return;
	}
	if (!p->args.args) {
		FAIL(c, e, DIAG_NO_ARGS, STR_ARG(p->name));
		if (p->kind->id == PROBE_URETPROBE)
			diag_hint(c->diag, "arguments are gone when a function returns: keep them from a uprobe, in a map by tid");
		else if (p->kind->id == PROBE_UPROBE || p->kind->id == PROBE_KPROBE)
			diag_hint(c->diag, "%s; arg0, arg1, ... need none", c->unit->args_why ? c->unit->args_why : "typed arguments need debug information");
		else
			diag_hint(c->diag, "%s", c->unit->args_why ? c->unit->args_why : "it takes none, or the kernel tells nothing of them");
		return;
	}
	e->type = p->args.args;
}

static void check_arg(struct checker *c, struct expr *e)
{
	const struct probe_kind *k = kind_here(c);

	if (context_lost(c, e, "argN"))
		return;
	if (!k || !k->has_argn) {
		not_here(c, e, "argN", "kprobe, fentry, fexit, uprobe, usdt and rawtracepoint");
		if (k && k->id == PROBE_TRACEPOINT)
			diag_hint(c->diag, "arguments have names here: args.NAME; list them with -lv");
		return;
	}
	if ((k->id == PROBE_KPROBE || k->id == PROBE_UPROBE) && e->call.number > 5) {
		FAIL(c, e, DIAG_ARG_NUMBER, e->call.number);
		diag_hint(c->diag, "further arguments are on the stack: *(uint64 *)(reg(\"sp\") + 8)");
		return;
	}
	if ((k->id == PROBE_FENTRY || k->id == PROBE_FEXIT) && e->call.number >= c->unit->probe->args.count) {
		FAIL(c, e, DIAG_ARG_BEYOND, e->call.number);
		diag_hint(c->diag, "arguments have names here: args.NAME; list them with -lv");
		return;
	}
	e->type = type_int_as(c->types, c->types->u64, k->as);
}

static void check_retval(struct checker *c, struct expr *e)
{
	struct probe *p = c->unit->probe;

	if (context_lost(c, e, "retval"))
		return;
	if (!p || !p->kind->has_retval) {
		not_here(c, e, "retval", "kretprobe, uretprobe and fexit");
		if (p && p->kind->id == PROBE_TRACEPOINT)
			diag_hint(c->diag, "an exit tracepoint has args.ret");
		return;
	}
	if (p->kind->id != PROBE_FEXIT)
		e->type = type_int_as(c->types, c->types->u64, p->kind->as);
	else if (p->args.retval)
		e->type = p->args.retval;
	else
		FAIL(c, e, DIAG_NO_RETVAL, STR_ARG(p->name));
}

void check_retval_parts(struct checker *c, struct expr *e)
{
	const struct probe *p = c->unit->probe;

	if (e->kind == EXPR_CALL && e->call.builtin == BUILTIN_retval && p && p->kind->id == PROBE_URETPROBE && p->args.retval)
		e->type = p->args.retval;
}

static bool word_argument(struct expr *call, struct str *word)
{
	struct expr *a;

	if (!call->call.args.n)
		return false;
	a = call->call.args.at[0];
	*word = a->kind == EXPR_NAME ? a->name.name : a->kind == EXPR_STRING ? a->string.text : STR("");
	return word->n > 0;
}

/* pid, pid(init), pid(curr_ns): number 1 is the initial namespace. */
static void check_pid(struct checker *c, struct expr *e)
{
	struct str word;

	e->call.number = 0;
	e->type = c->types->u32;
	if (!e->call.args.n)
		return;
	if (word_argument(e, &word) && (str_is(word, "init") || str_is(word, "curr_ns"))) {
		e->call.number = str_is(word, "init");
		e->call.args.n = 0;
		return;
	}
	FAIL(c, e, DIAG_BAD_WORD, STR_ARG(e->call.name), "curr_ns or init");
}

static void check_nsecs(struct checker *c, struct expr *e)
{
	static const char *const clocks[] = {"boot", "monotonic", "tai", "sw_tai"};
	struct str word;
	int i;

	e->call.number = 0;
	e->type = c->types->u64;
	if (!e->call.args.n)
		return;
	for (i = 0; word_argument(e, &word) && i < 4; i++)
		if (str_is(word, clocks[i])) {
			e->call.number = i;
			e->call.args.n = 0;
			return;
		}
	FAIL(c, e, DIAG_BAD_WORD, STR_ARG(e->call.name), "boot, monotonic, tai or sw_tai");
}

static void check_func(struct checker *c, struct expr *e)
{
	const struct probe_kind *k = kind_here(c);

	if (!k || !k->has_func) {
		not_here(c, e, "func", "kprobe, kretprobe, fentry, fexit, uprobe and uretprobe");
		return;
	}
	if (context_lost(c, e, "func"))
		return;
	e->type = type_plain(c->types, k->as == AS_USER ? TYPE_USYM : TYPE_KSYM);
}

static bool stack_mode(struct str word, enum stack_mode *mode)
{
	static const char *const words[] = {"bpftrace", "perf", "raw", "build_id"};
	int i;

	for (i = 0; i < 4; i++)
		if (str_is(word, words[i])) {
			*mode = (enum stack_mode)i;
			return true;
		}
	return str_is(word, "waketrace") && (*mode = STACK_BPFTRACE, true);
}

/* Argument `i` of a stack: a constant, or an option that gives the number when the script starts; absent: *n stays. */
static bool stack_number(struct checker *c, struct expr *e, int i, const char *name, uint64_t *n, struct expr **option)
{
	struct expr *x = i < e->call.args.n ? e->call.args.at[i] : NULL;

	if (!x)
		return true;
	if (x->kind != EXPR_CALL || !str_is(x->call.name, "getopt"))
		return literal_int(c, x, name, n) && !is_negative(c, x, "the number of frames or stacks");
	check_expr(c, x);
	if (failed(x->type))
		return false;
	if (!x->call.option || !type_is_integer(x->type)) {
		diag_add(c->diag, x->span, DIAG_REPORT_NUMBER);
		return false;
	}
	*option = x;
	return true;
}

enum { TASK_FRAMES = 127 };

/* A task as first argument is taken out of the arguments; NULL: there is none. */
static struct expr *task_argument(struct checker *c, struct expr *e)
{
	enum stack_mode mode;
	struct expr *a;
	const struct type *t;
	int mark = diag_mark(c->diag);

	if (!e->call.args.n)
		return NULL;
	a = e->call.args.at[0];
	if (a->kind == EXPR_INT || a->kind == EXPR_STRING || (a->kind == EXPR_NAME && stack_mode(a->name.name, &mode)))
		return NULL;
	a = expr_clone(c->arena, a);
	check_expr(c, a);
	t = a->type;
	if (failed(t) || t->kind != TYPE_PTR || t->elem->kind != TYPE_STRUCT || !str_is(t->elem->decl->name, "task_struct")) {
		diag_rewind(c->diag, mark);
		return NULL;
	}
	e->call.args.at++;
	e->call.args.n--;
	e->call.args.cap--;
	return a;
}

/* kstack, kstack(3), kstack(perf), kstack(perf, 3), kstack(3, 1000); the type carries mode and limit. */
static void check_stack(struct checker *c, struct expr *e)
{
	bool user = e->call.builtin == BUILTIN_ustack;
	enum stack_mode mode = (enum stack_mode)c->program->config.stack_mode;
	const char *name = user ? "ustack" : "kstack";
	uint64_t limit = 127, kept = 0;
	struct expr *task = task_argument(c, e);
	struct str word;
	int i = 0;

	if (task && user) {
		FAIL(c, e, DIAG_USTACK_TASK);
		diag_hint(c->diag, "write ustack, without a task");
		return;
	}
	if (word_argument(e, &word)) {
		if (!stack_mode(word, &mode)) {
			FAIL(c, e, DIAG_BAD_WORD, STR_ARG(e->call.name), "bpftrace, perf, raw or build_id");
			return;
		}
		i = 1;
	}
	if (mode == STACK_BUILD_ID && !user) {
		if (i) {
			FAIL(c, e, DIAG_BUILD_ID_KSTACK);
			return;
		}
		diag_add(c->diag, e->span, DIAG_BUILD_ID_RAW);
		diag_hint(c->diag, "kstack(raw) says so");
		mode = STACK_RAW;
	}
	if (!stack_number(c, e, i, name, &limit, &e->call.limit) || !stack_number(c, e, i + 1, name, &kept, &e->call.kept)) {
		expr_fail(c, e);
		return;
	}
	if (limit < 1 || limit > 1024) {
		FAIL(c, e, DIAG_STACK_LIMIT, name, limit);
		return;
	}
	if (kept > MOST_STACKS) {
		FAIL(c, e, DIAG_STACKS_KEPT, name, MOST_STACKS, kept);
		return;
	}
	if (i + 2 < e->call.args.n) {
		FAIL(c, e, DIAG_ARG_COUNT, name, "at most a mode, a limit and how many stacks to keep", e->call.args.n);
		return;
	}
	e->call.args.n = 0;
	if (task) {
		if (limit > TASK_FRAMES || e->call.limit || e->call.kept || kept) {
			FAIL(c, e, DIAG_TASK_STACK_LIMIT, TASK_FRAMES);
			return;
		}
		VEC_PUSH(c->arena, &e->call.args, task);
	}
	e->call.number = (int)kept;
	e->type = type_stack(c->types, user ? TYPE_USTACK : TYPE_KSTACK, mode, (uint32_t)limit);
}

static void check_probe_name(struct checker *c, struct expr *e, bool only_type)
{
	static const char *const types[PROBE_KIND_COUNT] = {
		[PROBE_BEGIN] = "special", [PROBE_END] = "special", [PROBE_SELF] = "special", [PROBE_BENCH] = "benchmark",
	};
	struct probe *p = c->unit->probe;

	if (!p)
		not_here(c, e, "probe", "probes, not in functions");
	else if (only_type)
		fold_to_string(c, e, str_of(types[p->kind->id] ? types[p->kind->id] : p->kind->name));
	else
		fold_to_string(c, e, p->name);
}

/* comm, comm(pid): the task of that number is found by a function of the kernel. */
static void check_comm(struct checker *c, struct expr *e)
{
	const struct probe *p = c->unit->probe;
	struct expr **pid;

	e->type = type_string(c->types, 16);
	if (!e->call.args.n)
		return;
	pid = &e->call.args.at[0];
	check_expr(c, *pid);
	if (!need_integer(c, pid, "the process of comm()")) {
		expr_fail(c, e);
		return;
	}
	cast_to(c, pid, c->types->u32);
	if (!p) {
		not_here(c, e, "comm()", "probes");
		return;
	}
	if (!c->kernel->kfunc || !c->kernel->kfunc(c->kernel, STR("bpf_task_from_pid"), p->kind)) {
		FAIL(c, e, DIAG_COMM_OF, p->kind->name);
		diag_hint(c->diag, "Linux 6.2 and newer do in fentry and fexit, 6.12 in tracepoints too; keep names in a map by pid instead");
		return;
	}
	e->call.aid = task_field(c, e->span, "comm");
	member_itself(&e->call.aid);
}

void check_builtin_variable(struct checker *c, struct expr *e, const struct builtin *b)
{
	struct types *t = c->types;

	e->call.builtin = b->id;
	switch (b->id) {
	case BUILTIN_pid:
	case BUILTIN_tid:
		check_pid(c, e);
		return;
	case BUILTIN_nsecs:
		check_nsecs(c, e);
		return;
	case BUILTIN_uid:
	case BUILTIN_gid:
	case BUILTIN_elapsed:
	case BUILTIN_cpu:
	case BUILTIN_ncpus:
	case BUILTIN_numaid:
	case BUILTIN_cgroup:
	case BUILTIN_rand:
	case BUILTIN_cpid:
		e->type = t->u64;
		return;
	case BUILTIN_has_cpid:
		if (c->opt->for_later) /* -c is given when the tool runs */
			e->type = t->boolean;
		else
			fold_to_bool(c, e, c->opt->has_child);
		return;
	case BUILTIN_comm:
		check_comm(c, e);
		return;
	case BUILTIN_jiffies:
		e->type = t->u64;
		return;
	case BUILTIN_usermode:
		e->type = t->u8;
		return;
	case BUILTIN_username:
		e->type = type_plain(t, TYPE_USERNAME);
		return;
	case BUILTIN_curtask:
		e->type = kernel_struct_pointer(c, STR("task_struct"));
		return;
	case BUILTIN_func:
		check_func(c, e);
		return;
	case BUILTIN_probe:
	case BUILTIN_probetype:
		check_probe_name(c, e, b->id == BUILTIN_probetype);
		return;
	case BUILTIN_default_str_length:
		fold_to_int(c, e, text_capacity(c), false);
		return;
	case BUILTIN_config:
		config_record(c, e);
		return;
	case BUILTIN_args:
		check_args(c, e);
		return;
	case BUILTIN_arg:
		check_arg(c, e);
		return;
	case BUILTIN_retval:
		check_retval(c, e);
		return;
	case BUILTIN_ctx:
		if (!context_lost(c, e, "ctx"))
			e->type = context_type(c);
		return;
	case BUILTIN_kstack:
	case BUILTIN_ustack:
		check_stack(c, e);
		return;
	default:
		BUG("builtin variable %s", b->name);
	}
}

/* ---- functions ------------------------------------------------------------------------------------------------------ */

static void check_str(struct checker *c, struct expr *e)
{
	struct expr *p = e->call.args.at[0];
	uint64_t cap = e->call.args.n > 1 ? c->program->config.max_strlen : text_capacity(c), len;
	bool is_param = p->kind == EXPR_POSITIONAL;
	struct str text;
	bool missing;

	if (is_param) { /* str($1) is always the text */
		text = param_text(c, p->positional, &missing);
		if (missing)
			param_missing(c, p->positional, p->span);
		fold_to_string(c, p, str_copy(c->arena, text));
	} else if (p->kind == EXPR_BINARY && p->binary.op == BINARY_ADD && p->binary.left->kind == EXPR_POSITIONAL) {
		text = param_text(c, p->binary.left->positional, &missing);
		fold_to_string(c, p->binary.left, str_copy(c->arena, text));
	}
	check_expr(c, p);
	if (e->call.args.n > 1) {
		check_expr(c, e->call.args.at[1]);
		if (!need_integer(c, &e->call.args.at[1], "the length of str()") ||
		    is_negative(c, e->call.args.at[1], "the length of str()")) {
			expr_fail(c, e);
			return;
		}
	}
	p = e->call.args.at[0];
	if (failed(p->type)) {
		expr_fail(c, e);
		return;
	}
	if (e->call.args.n > 1 && e->call.args.at[1]->kind == EXPR_INT) {
		len = e->call.args.at[1]->integer.value;
		if (len > cap)
			diag_add(c->diag, e->call.args.at[1]->span, DIAG_STR_LENGTH, len, cap);
		else
			cap = len ? len : 1;
	}
	if (p->kind == EXPR_STRING) {
		fold_to_string(c, e, str_sub(p->string.text, 0, e->call.args.n > 1 ? cap : p->string.text.n));
		return;
	}
	if (p->kind == EXPR_INT && p->is_literal && p->flexible && p->type->as == AS_NONE) {
		fold_to_string(c, e, str_printf(c->arena, "%llu", (unsigned long long)p->integer.value));
		return;
	}
	if (e->call.args.n > 1)
		cast_to(c, &e->call.args.at[1], c->types->u64);
	if (type_is_integer(p->type)) {
		enum addr_space as = p->type->as == AS_NONE ? space_here(c) : p->type->as;

		cast_to(c, &e->call.args.at[0], type_ptr(c->types, c->types->s8, as));
	} else if (p->type->kind == TYPE_STRING || (p->type->kind == TYPE_ARRAY && p->type->elem->size == 1)) {
		if (e->call.args.n == 1 && p->type->kind == TYPE_STRING) {
			struct expr *inner = p;

			*e = *inner;
			return;
		}
		cap = p->type->size < cap ? p->type->size : cap;
	} else if (p->type->kind != TYPE_PTR) {
		FAIL(c, e, DIAG_ARG_TYPE, "str", "an address or a string", STR_ARG(type_name(c->arena, p->type)));
		return;
	}
	e->type = type_string(c->types, (uint32_t)cap);
}

static bool whole_map(struct checker *c, struct expr *e, const char *fn)
{
	if (e->kind != EXPR_MAP || e->map.key) {
		diag_add(c->diag, e->span, DIAG_NEED_MAP, fn);
		return false;
	}
	check_map(c, e, true);
	return !failed(e->type);
}

/* Key argument of delete(@m, k) and has_key(@m, k): typed like @m[k]; moved into the map expression. */
static bool key_argument(struct checker *c, struct expr *map, struct expr *key, const char *fn)
{
	struct map_state *m = map_state(c, map->map.name, map->span);

	if (map->kind != EXPR_MAP || map->map.key) {
		diag_add(c->diag, map->span, DIAG_NEED_MAP, fn);
		return false;
	}
	if (m->scalar && !m->keyed) {
		diag_add(c->diag, map->span, DIAG_SCALAR_ARG, fn, STR_ARG(m->map.name));
		return false;
	}
	map->map.key = key;
	check_map(c, map, false);
	return !failed(map->type);
}

static void check_delete(struct checker *c, struct expr *e)
{
	struct expr *m = e->call.args.at[0];
	struct map_state *state;

	e->type = c->types->boolean;
	if (m->kind != EXPR_MAP) {
		FAIL(c, e, DIAG_NEED_MAP, "delete");
		return;
	}
	if (e->call.args.n == 2) {
		if (!key_argument(c, m, e->call.args.at[1], "delete"))
			expr_fail(c, e);
		e->call.args.n = 1;
		return;
	}
	state = map_state(c, m->map.name, m->span);
	if (!m->map.key && state->keyed && !state->scalar) {
		FAIL(c, e, DIAG_DELETE_KEY, STR_ARG(m->map.name));
		diag_hint(c->diag, "delete(@%.*s, key) removes one entry, clear(@%.*s) all", STR_ARG(m->map.name),
			  STR_ARG(m->map.name));
		return;
	}
	check_map(c, m, false);
	if (failed(m->type))
		expr_fail(c, e);
}

/* find(@m, k, $v): the variable takes the value's type, as by an assignment. */
static void check_find(struct checker *c, struct expr *e)
{
	struct expr *m = e->call.args.at[0], *var = e->call.args.at[2], *value = NEW(c->arena, struct expr);

	e->type = c->types->boolean;
	if (var->kind != EXPR_VAR) {
		FAIL(c, e, DIAG_NEED_VAR, "find");
		return;
	}
	if (m->kind != EXPR_MAP || m->map.key) {
		FAIL(c, e, DIAG_NEED_MAP, "find");
		return;
	}
	if (!key_argument(c, m, e->call.args.at[1], "find")) {
		expr_fail(c, e);
		return;
	}
	if (type_is_aggregate(m->type) && !type_is_castable_aggregate(m->type)) {
		FAIL(c, e, DIAG_FOR_TYPE, STR_ARG(type_name(c->arena, m->type)));
		return;
	}
	*value = *m;
	e->call.number = !var_find(c, var->var.name); /* declared here: zero when nothing is found */
	var_assign(c, var, &value);
	if (failed(var->type))
		expr_fail(c, e);
	e->call.args.at[1] = var;
	e->call.args.n = 2;
}

static void check_len(struct checker *c, struct expr *e)
{
	struct expr *a = e->call.args.at[0];
	struct map_state *m;

	e->type = c->types->s64;
	if (list_option(c, a))
		return;
	if (a->kind == EXPR_MAP && !a->map.key) {
		m = map_state(c, a->map.name, a->span);
		if (m->scalar && !m->keyed)
			FAIL(c, e, DIAG_SCALAR_ARG, "len", STR_ARG(a->map.name));
		else if (!whole_map(c, a, "len"))
			expr_fail(c, e);
		return;
	}
	if (!a->type)
		check_expr(c, a);
	if (failed(a->type))
		expr_fail(c, e);
	else if (a->type->kind != TYPE_KSTACK && a->type->kind != TYPE_USTACK)
		FAIL(c, e, DIAG_ARG_TYPE, "len", "a map or a stack", STR_ARG(type_name(c->arena, a->type)));
}

static void check_sym(struct checker *c, struct expr *e)
{
	struct expr **a = &e->call.args.at[0];

	check_expr(c, *a);
	if (!failed((*a)->type) && ((*a)->type->kind == TYPE_KSYM || (*a)->type->kind == TYPE_USYM)) {
		*e = **a;
		return;
	}
	if (!need_integer(c, a, e->call.builtin == BUILTIN_ksym ? "the address of ksym()" : "the address of usym()")) {
		expr_fail(c, e);
		return;
	}
	cast_to(c, a, c->types->u64);
	e->type = type_plain(c->types, e->call.builtin == BUILTIN_ksym ? TYPE_KSYM : TYPE_USYM);
}

static void check_space(struct checker *c, struct expr *e)
{
	enum addr_space as = e->call.builtin == BUILTIN_kptr ? AS_KERNEL : AS_USER;
	struct expr **a = &e->call.args.at[0];
	const struct type *t;

	check_expr(c, *a);
	t = (*a)->type;
	if (failed(t)) {
		expr_fail(c, e);
		return;
	}
	if (t->kind == TYPE_PTR) {
		cast_to(c, a, type_ptr(c->types, t->elem, as));
	} else if (type_is_integer(t)) {
		struct expr *copy = *a;

		cast_to(c, &copy, type_int_as(c->types, c->types->u64, as));
		*a = copy;
	} else {
		FAIL(c, e, DIAG_ARG_TYPE, str_c(c->arena, e->call.name), "an address", STR_ARG(type_name(c->arena, t)));
		return;
	}
	{
		struct expr *inner = *a;

		*e = *inner;
	}
}

static bool count_arguments(struct checker *c, struct expr *e, const struct builtin *b)
{
	int n = e->call.args.n;

	if (n >= b->least && n <= b->most)
		return true;
	if (b->least == b->most)
		FAIL(c, e, DIAG_ARG_COUNT, b->name,
		     str_c(c->arena, str_printf(c->arena, b->least == 0 ? "no arguments" : b->least == 1 ? "one argument" : "%d arguments",
						b->least)), n);
	else
		FAIL(c, e, DIAG_ARG_COUNT, b->name, arena_printf(c->arena, "%d to %d arguments", b->least, b->most), n);
	diag_hint(c->diag, "%s", b->help);
	return false;
}

bool is_postponed(struct checker *c, struct str name, struct span span)
{
	bool stack = str_is(name, "dw_ustack");

	if (!stack && !str_is(name, "skboutput"))
		return false;
	diag_add(c->diag, span, DIAG_POSTPONED, STR_ARG(name),
		 stack ? "user stacks are not unwound by debug information" : "packets are not written to files");
	if (stack)
		diag_hint(c->diag, "ustack follows frame pointers");
	return true;
}

static void unknown_function(struct checker *c, struct expr *e)
{
	struct diag_near near = {.wanted = e->call.name};
	bool empty;
	int i;

	expr_fail(c, e);
	if (is_postponed(c, e->call.name, e->call.name_span))
		return;
	diag_add(c->diag, e->call.name_span, DIAG_UNKNOWN_FUNCTION, STR_ARG(e->call.name));
	if (c->c_defs && c_defs_unusable(c->c_defs, e->call.name, &empty) && !empty) {
		diag_hint(c->diag, DEFINE_WITH_PARAMETERS, STR_ARG(e->call.name));
		return;
	}
	builtin_near(&near, true, false);
	for (i = 0; i < c->functions.n; i++)
		diag_near_try(&near, c->functions.entries[i].key);
	VEC_EACH(m, &c->script->macros)
		diag_near_try(&near, (*m)->name);
	if (near.best.n)
		diag_hint(c->diag, "did you mean '%.*s'?", STR_ARG(near.best));
	for (i = 0; i < e->call.args.n; i++) /* their own mistakes are worth telling too */
		if (e->call.args.at[i]->kind != EXPR_MAP && e->call.args.at[i]->kind != EXPR_NAME)
			check_expr(c, e->call.args.at[i]);
}

static void check_fn_call(struct checker *c, struct expr *e, struct function *f)
{
	int i;

	if (e->call.args.n != f->params.n) {
		FAIL(c, e, DIAG_ARG_COUNT, str_c(c->arena, f->name),
		     f->params.n == 1 ? "one argument" : arena_printf(c->arena, "%d arguments", f->params.n), e->call.args.n);
		return;
	}
	e->call.fn = f;
	e->type = f->result;
	if (c->unit->function)
		VEC_PUSH(c->arena, &c->fn_edges, (struct fn_edge){c->unit->function, f, e->span});
	for (i = 0; i < f->params.n; i++) {
		struct expr **a = &e->call.args.at[i];
		const struct type *to = f->params.at[i]->type;

		check_expr(c, *a);
		read_aggregate(c, a);
		if (failed((*a)->type) || failed(to))
			continue;
		if (!(type_is_integer(to) && type_is_integer((*a)->type)) && promote_exprs(c, *a, *a) != to &&
		    promote(c, to, false, (*a)->type, false) != to) {
			diag_add(c->diag, (*a)->span, DIAG_FN_ARG, STR_ARG(f->params.at[i]->name),
				 STR_ARG(type_name(c->arena, to)), STR_ARG(type_name(c->arena, (*a)->type)));
			continue;
		}
		cast_to(c, a, to);
	}
}

void check_call(struct checker *c, struct expr *e)
{
	struct function *f = table_get(&c->functions, e->call.name);
	const struct builtin *b = f ? NULL : builtin_find(e->call.name);

	if (f) {
		check_fn_call(c, e, f);
		return;
	}
	if (!b) {
		unknown_function(c, e);
		return;
	}
	e->call.builtin = b->id;
	if (b->id == BUILTIN_arg)
		e->call.number = builtin_arg_number(e->call.name);
	if (!count_arguments(c, e, b))
		return;
	if (b->form != FORM_FN) {
		check_builtin_variable(c, e, b);
		return;
	}
	if (b->runs == RUNS_USER) {
		check_output_call(c, e);
		return;
	}
	if (b->runs == RUNS_AGG) {
		if (c->aggregate != e) {
			FAIL(c, e, DIAG_AGGREGATE_PLACE, STR_ARG(e->call.name));
			diag_hint(c->diag, "@ = %.*s(...) or @[key] = %.*s(...)", STR_ARG(e->call.name), STR_ARG(e->call.name));
			return;
		}
		c->aggregate = NULL; /* not in its own arguments */
		check_aggregate_call(c, e);
		return;
	}
	switch (b->id) {
	case BUILTIN_str:
		check_str(c, e);
		return;
	case BUILTIN_delete:
		check_delete(c, e);
		return;
	case BUILTIN_has_key:
		e->type = c->types->boolean;
		if (!key_argument(c, e->call.args.at[0], e->call.args.at[1], "has_key"))
			expr_fail(c, e);
		e->call.args.n = 1;
		return;
	case BUILTIN_find:
		check_find(c, e);
		return;
	case BUILTIN_len:
		check_len(c, e);
		return;
	case BUILTIN_ksym:
	case BUILTIN_usym:
		check_sym(c, e);
		return;
	case BUILTIN_getopt:
		check_getopt(c, e);
		return;
	case BUILTIN_kptr:
	case BUILTIN_uptr:
		check_space(c, e);
		return;
	default:
		check_comptime_call(c, e);
	}
}
