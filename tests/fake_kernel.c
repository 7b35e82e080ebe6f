/* A kernel that is a table.  Its types are C text, read by the script's own reader; its files are texts, too. */
#include "tests/fake_kernel.h"

#include <errno.h>
#include <stdio.h>

#include "lang/c_defs.h"
#include "lang/parse.h"

static const char types_text[] =
	"typedef int pid_t; typedef unsigned int u32; typedef unsigned long u64; typedef unsigned long size_t; typedef long ssize_t;\n"
	"enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_MAX };\n"
	"struct mm_struct { unsigned long start_code; int users; };\n"
	"union value { int number; char letters[8]; };\n"
	"struct task_struct { int pid; int tgid; char comm[16]; struct task_struct *real_parent; struct mm_struct *mm;\n"
	"	unsigned flag_a : 3; unsigned flag_b : 5; union { int x; long y; }; enum pid_type kind; int numbers[4];\n"
	"	int grid[2][3]; union value value; void *security; };\n"
	"struct path { void *mnt; struct dentry *dentry; };\n"
	"struct file { struct path f_path; unsigned int f_flags; };\n"
	"struct sock { int sk_family; unsigned short sk_num; };\n"
	"struct seq_file { int n; };\n"
	"struct args_sched_switch { char prev_comm[16]; pid_t prev_pid; int prev_prio; pid_t next_pid; };\n"
	"struct args_sched_wakeup { char comm[16]; pid_t pid; };\n"
	"struct args_sys_enter_openat { int dfd; const char *filename; int flags; };\n"
	"struct args_sys_exit_read { long ret; };\n"
	"struct args_vfs_read { struct file *file; char *buf; size_t count; };\n"
	"struct args_raw_sched_switch { _Bool preempt; struct task_struct *prev; struct task_struct *next; };\n"
	"struct args_task { struct task_struct *task; };\n"
	"begin {}\n";

struct fake {
	struct kernel k; /* first: the window */
	struct arena *arena;
	uint32_t lacks;
	const struct types *types; /* whose declarations `defs` has */
	struct c_defs *defs;
};

static struct fake *fake_of(struct kernel *k)
{
	return (struct fake *)(void *)k;
}

static struct c_defs *defs_of(struct fake *f, struct types *t)
{
	static struct kernel no_kernel;
	static const struct cpp_options options;
	struct diag *d = diag_new(t->arena);
	const struct source *source;

	if (f->types == t)
		return f->defs;
	f->types = t;
	source = source_new(t->arena, STR("fake kernel"), str_of(types_text));
	f->defs = c_defs_read(t->arena, t, parse(t->arena, source, d), &no_kernel, &options, d);
	diag_report(d, stderr, (struct diag_style){0});
	return f->defs;
}

static const struct type *type_by_name(struct kernel *k, struct types *t, enum type_tag tag, struct str name)
{
	struct c_defs *defs = defs_of(fake_of(k), t);
	const struct type *type;

	if (str_starts(name, STR("args_")))
		return NULL;
	type = c_defs_type(defs, tag, name);
	if (type && type->kind == TYPE_STRUCT && type->decl->origin == ORIGIN_C) {
		type->decl->origin = ORIGIN_BTF;
		type->decl->module = STR("vmlinux");
	}
	return !type && tag == TAG_NONE ? c_defs_base_type(defs, name) : type;
}

static const struct type *enum_constant(struct kernel *k, struct types *t, struct str name, uint64_t *value)
{
	return c_defs_constant(defs_of(fake_of(k), t), name, value);
}

/* What can be traced: kind, category or module, name, arguments. */
static const struct fake_probe {
	enum probe_kind_id kind;
	const char *module, *name, *args;
	enum struct_origin origin;
} probes[] = {
	{PROBE_KPROBE, "", "vfs_read", NULL, 0},
	{PROBE_KPROBE, "", "vfs_write", NULL, 0},
	{PROBE_KPROBE, "", "do_nanosleep", NULL, 0},
	{PROBE_KRETPROBE, "", "vfs_read", NULL, 0},
	{PROBE_FENTRY, "vmlinux", "migrate_enable", NULL, 0},
	{PROBE_FENTRY, "vmlinux", "vfs_read", "args_vfs_read", ORIGIN_ARGS},
	{PROBE_FEXIT, "vmlinux", "vfs_read", "args_vfs_read", ORIGIN_ARGS},
	{PROBE_FEXIT, "vmlinux", "do_nanosleep", "args_task", ORIGIN_ARGS},
	{PROBE_TRACEPOINT, "sched", "sched_switch", "args_sched_switch", ORIGIN_TRACEPOINT},
	{PROBE_TRACEPOINT, "sched", "sched_wakeup", "args_sched_wakeup", ORIGIN_TRACEPOINT},
	{PROBE_TRACEPOINT, "syscalls", "sys_enter_openat", "args_sys_enter_openat", ORIGIN_TRACEPOINT},
	{PROBE_TRACEPOINT, "syscalls", "sys_exit_read", "args_sys_exit_read", ORIGIN_TRACEPOINT},
	{PROBE_RAWTRACEPOINT, "vmlinux", "sched_switch", "args_raw_sched_switch", ORIGIN_ARGS},
	{PROBE_UPROBE, "", "main", NULL, 0},
	{PROBE_URETPROBE, "", "main", NULL, 0},
	{PROBE_USDT, "", "fired", NULL, 0},
	{PROBE_SOFTWARE, "", "page-faults", NULL, 0},
	{PROBE_SOFTWARE, "", "cpu-clock", NULL, 0},
	{PROBE_HARDWARE, "", "cache-misses", NULL, 0},
	{PROBE_ITER, "", "task", "args_task", ORIGIN_CTX},
};

enum { NPROBES = sizeof(probes) / sizeof(*probes) };

static bool fits(const struct fake_probe *p, const struct probe_spec *s)
{
	return p->kind == s->kind->id && str_match(s->function, str_of(p->name)) &&
	       (!s->module.n || str_match(s->module, str_of(p->module)));
}

static int each_probe(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	int i, n = 0;

	(void)k;
	if (str_is(pattern->module, "unreadable"))
		return -EIO;
	for (i = 0; i < NPROBES; i++) {
		struct probe_spec full = *pattern;

		if (!fits(&probes[i], pattern))
			continue;
		full.function = str_of(probes[i].name);
		if (*probes[i].module)
			full.module = str_of(probes[i].module);
		full.is_pattern = false;
		probe_spec_name(a, &full);
		n++;
		if (!fn(&full, arg))
			break;
	}
	return n;
}

static bool args_of(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why)
{
	int i;

	*out = (struct probe_args){0};
	*why = NULL;
	for (i = 0; i < NPROBES; i++) {
		const struct type *type;

		if (!fits(&probes[i], spec) || !probes[i].args)
			continue;
		type = c_defs_type(defs_of(fake_of(k), t), TAG_STRUCT, str_of(probes[i].args));
		type->decl->origin = probes[i].origin;
		type->decl->name = str_printf(t->arena, "args of %.*s", STR_ARG(spec->text));
		if (spec->kind->id == PROBE_FENTRY && !type->decl->hidden.n) /* as if vfs_read(..., float ratio) */
			VEC_PUSH(t->arena, &type->decl->hidden, ((struct hidden_arg){STR("ratio"), "it is passed in a floating-point register"}));
		out->args = type;
		out->count = type->decl->fields.n;
		out->retval = probes[i].kind == PROBE_FEXIT && !str_is(spec->function, "do_nanosleep") ? t->s64 : NULL;
		return true;
	}
	return false;
}

static bool has(struct kernel *k, enum kernel_feature feature)
{
	return !(fake_of(k)->lacks >> feature & 1);
}

static uint64_t symbol_address(struct kernel *k, struct str name)
{
	(void)k;
	return str_is(name, "jiffies") ? 0xffffffff82000000 : 0;
}

static bool user_symbol(struct kernel *k, const struct probe_spec *spec, struct str name, uint64_t *size)
{
	(void)k, (void)spec;
	*size = 4;
	return str_is(name, "counter");
}

static uint64_t cgroup_id(struct kernel *k, struct str path, int *err)
{
	(void)k;
	*err = ENOENT;
	return str_is(path, "/sys/fs/cgroup") ? 1 : 0;
}

static const struct {
	const char *path, *text;
} files[] = {
	{"good.wt", "macro twice(x) { x * 2 }\n"},
	{"good.h", "#define FROM_HEADER 5\n"},
	{"config.wt", "config = { max_strlen = 5 }\n"},
	{"wrong.wt", "begin { print(5 }\n"},
	{"wrong.h", "struct {\n"},
	{"self.h", "#include \"self.h\"\n"},
	{"prog.bpf.c", "int f(void) { return 1; }\n"},
	{"data.txt", "text\n"},
	{"open/x.wt", "begin { }\n"},
};

static const char *file_text(struct str path)
{
	size_t i;

	if (str_starts(path, STR("./")))
		path = str_sub(path, 2, path.n);
	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (str_is(path, files[i].path))
			return files[i].text;
	return NULL;
}

static char *read_file(struct kernel *k, struct arena *a, struct str path, size_t *size, int *err)
{
	const char *text = file_text(path);

	(void)k;
	*err = str_ends(path, STR("open")) ? EISDIR : ENOENT;
	if (!text)
		return NULL;
	*size = strlen(text);
	return str_c(a, str_of(text));
}

/* Everybody may write to the only directory that there is. */
static int list_dir(struct kernel *k, struct arena *a, struct str path, struct str **names)
{
	(void)k, (void)a, (void)names;
	return str_ends(path, STR("open")) ? -EPERM : -ENOENT;
}

static void near_probes(struct kernel *k, const struct probe_spec *spec, struct diag_near *near)
{
	int i;

	for (i = 0; i < NPROBES; i++) {
		if (probes[i].kind != spec->kind->id)
			continue;
		if (memchr(near->wanted.s, ':', near->wanted.n))
			diag_near_try(near, str_printf(fake_of(k)->arena, "%s:%s", probes[i].module, probes[i].name));
		else
			diag_near_try(near, str_of(probes[i].name));
	}
}

static void near_types(struct kernel *k, struct diag_near *near)
{
	static const char *const names[] = {"task_struct", "mm_struct", "file", "path", "sock", "pid_type", "value"};
	size_t i;

	(void)k;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		diag_near_try(near, str_of(names[i]));
}

struct kernel *fake_kernel(struct arena *a, uint32_t lacks)
{
	struct fake *f = NEW(a, struct fake);

	f->arena = a;
	f->lacks = lacks;
	f->k = (struct kernel){
		.type_by_name = type_by_name,
		.enum_constant = enum_constant,
		.args_of = args_of,
		.each_probe = each_probe,
		.has = has,
		.symbol_address = symbol_address,
		.user_symbol = user_symbol,
		.cgroup_id = cgroup_id,
		.read_file = read_file,
		.list_dir = list_dir,
		.near_probes = near_probes,
		.near_types = near_types,
		.ncpus = 2,
		.self_pid = 1,
	};
	return &f->k;
}
