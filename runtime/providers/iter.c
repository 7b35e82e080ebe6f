/* iter: a program run once for each object of a kind (tasks, files, sockets, ...) while a file is read.  What it prints through
 * the file comes out of that reading. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "runtime/machine.h"
#include "runtime/providers/providers.h"

#define BPFFS "/sys/fs/bpf"

struct iter_walk {
	struct arena *a;
	const struct probe_spec *pattern;
	probe_name_fn fn;
	void *arg;
	int n;
};

/* Targets are functions bpf_iter_NAME whose context is a struct bpf_iter__NAME. */
static bool take_target(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg)
{
	struct iter_walk *w = arg;
	struct probe_spec full = *w->pattern;

	(void)id;
	(void)t;
	name = str_sub(name, sizeof("bpf_iter_") - 1, name.n);
	if (!str_match(w->pattern->function, name) ||
	    !btf_find(f, str_printf(w->a, "bpf_iter__%.*s", STR_ARG(name)), BTF_MASK(BTF_KIND_STRUCT)))
		return true;
	full.function = str_copy(w->a, name);
	full.is_pattern = false;
	probe_spec_name(w->a, &full);
	w->n++;
	return w->fn(&full, w->arg);
}

static int list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	struct iter_walk w = {.a = a, .pattern = pattern, .fn = fn, .arg = arg};
	struct machine *m = machine_of(k);
	int i;

	if (!machine_btf(m))
		return -ENOENT;
	btf_each_prefix(m->btf, STR("bpf_iter_"), BTF_MASK(BTF_KIND_FUNC), take_target, &w);
	if (w.n && !str_is_pattern(pattern->function))
		return w.n;
	machine_list_modules(m);
	for (i = 0; i < m->modules.n; i++) {
		struct btf_file *f = machine_module_btf(m, m->modules.at[i].name);

		if (f)
			btf_each_prefix(f, STR("bpf_iter_"), BTF_MASK(BTF_KIND_FUNC), take_target, &w);
	}
	return w.n;
}

/* The fields of `ctx`. */
static bool args(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why)
{
	struct str name = str_printf(t->arena, "bpf_iter__%.*s", STR_ARG(spec->function));

	*out = (struct probe_args){.args = k->type_by_name(k, t, TAG_STRUCT, name)};
	if (!out->args)
		*why = machine_btf(machine_of(k)) ? "the kernel has no such iterator" : machine_of(k)->why;
	return out->args != NULL;
}

static bool try_target(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg)
{
	(void)f;
	(void)id;
	(void)t;
	diag_near_try(arg, str_sub(name, sizeof("bpf_iter_") - 1, name.n));
	return true;
}

static void near(struct kernel *k, const struct probe_spec *spec, struct diag_near *n)
{
	struct btf_file *f = machine_btf(machine_of(k));

	(void)spec;
	if (f)
		btf_each_prefix(f, STR("bpf_iter_"), BTF_MASK(BTF_KIND_FUNC), try_target, n);
}

static int prepare(struct live_probe *p, struct attach_env *env)
{
	int err = bpf_program__set_type(p->prog, BPF_PROG_TYPE_TRACING);

	if (!err)
		err = bpf_program__set_expected_attach_type(p->prog, BPF_TRACE_ITER);
	if (!err)
		err = bpf_program__set_attach_target(p->prog, 0, str_c(env->arena, p->row->attach.at[0]->function));
	if (err)
		probe_point_failed(p, 0, -err, "the kernel has no such iterator", "waketrace -l 'iter:*' lists them");
	return err;
}

static int attach(struct live_probe *p, struct attach_env *env)
{
	const struct probe_spec *spec = p->row->attach.at[0];
	union bpf_iter_link_info info;
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);
	struct bpf_link *link;

	memset(&info, 0, sizeof(info));
	if (str_is(spec->function, "cgroup")) { /* all, from the root down */
		info.cgroup.order = BPF_CGROUP_ITER_DESCENDANTS_PRE;
		opts.link_info = &info;
		opts.link_info_len = sizeof(info);
	}
	link = bpf_program__attach_iter(p->prog, &opts);
	if (!link) {
		probe_point_failed(p, 0, errno,
				   errno == EBADF || errno == EINVAL ? "this iterator needs a map to walk, which a script cannot name"
								     : NULL,
				   NULL);
		return 0;
	}
	probe_add_link(p, env, link, -1);
	probe_point_ok(p, 0);
	return 1;
}

static int pin(struct live_probe *p, struct attach_env *env, int out)
{
	const struct probe_spec *spec = p->row->attach.at[0];
	const char *path = str_starts(spec->path, STR("/")) ? str_c(env->arena, spec->path)
							    : arena_printf(env->arena, BPFFS "/%.*s", STR_ARG(spec->path));
	int err = bpf_link__pin(p->links.at[0].link, path);

	if (err == -EINVAL || err == -EPERM)
		p->points[0].why = "a pin must lie in a BPF file system, such as " BPFFS;
	else if (err == -EEXIST)
		p->points[0].why = "there is a file of that name; removing it ends the iterator that is pinned there";
	if (err)
		return err;
	dprintf(out, "Program pinned to %s\n", path);
	return 0;
}

static int walk(struct live_probe *p, struct attach_env *env, int out)
{
	char buf[8192];
	int fd, err = 0;

	if (p->links.n == 0)
		return -ENOENT;
	if (p->row->attach.at[0]->path.n)
		return pin(p, env, out);
	fd = bpf_iter_create(bpf_link__fd(p->links.at[0].link));
	if (fd < 0)
		return fd;
	while (!err) {
		ssize_t n = read(fd, buf, sizeof(buf)), at = 0;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		while (!err && at < n) {
			ssize_t put = write(out, buf + at, (size_t)(n - at));

			if (put < 0 && errno != EINTR)
				err = -errno;
			at += put > 0 ? put : 0;
		}
	}
	close(fd);
	return err;
}

const struct provider provider_iter = {
	.kind = PROBE_ITER, .list = list, .args = args, .near = near, .prepare = prepare, .attach = attach, .walk = walk};
