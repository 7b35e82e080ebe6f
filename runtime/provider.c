/* What all probe providers share: the table of kinds, links, and running a program once. */
#include "runtime/provider.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "runtime/providers/providers.h"

static const struct provider *const providers[] = {
	&provider_begin,
	&provider_end,
	&provider_self,
	&provider_test,
	&provider_bench,
	&provider_kprobe,
	&provider_kretprobe,
	&provider_fentry,
	&provider_fexit,
	&provider_tracepoint,
	&provider_rawtracepoint,
	&provider_profile,
	&provider_interval,
	&provider_software,
	&provider_hardware,
	&provider_uprobe,
	&provider_uretprobe,
	&provider_iter,
	&provider_usdt,
	&provider_watchpoint,
};

const struct provider *provider_of(enum probe_kind_id kind)
{
	size_t i;

	for (i = 0; i < sizeof(providers) / sizeof(*providers); i++)
		if (providers[i]->kind == kind)
			return providers[i];
	return NULL;
}

void probe_add_link(struct live_probe *p, struct attach_env *env, struct bpf_link *link, int fd)
{
	VEC_PUSH(env->arena, &p->links, (struct live_link){link, fd});
}

void probe_point_ok(struct live_probe *p, int point)
{
	p->points[point] = (struct live_point){.attached = true};
}

void probe_point_failed(struct live_probe *p, int point, int err, const char *why, const char *hint)
{
	p->points[point] = (struct live_point){.err = err, .why = why, .hint = hint};
}

void probe_drop_link(struct live_link *l)
{
	if (l->link)
		bpf_link__destroy(l->link);
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct live_link){.fd = -1};
}

void probe_detach(struct live_probe *p, struct progress *progress)
{
	if (p->links.n && p->provider && p->provider->missed)
		p->missed_unknown = !p->provider->missed(p, &p->missed);
	while (p->links.n > 0) {
		probe_drop_link(&p->links.at[--p->links.n]);
		progress_step(progress);
	}
	if (p->provider && p->provider->release)
		p->provider->release(p);
	p->own = NULL;
}

int probe_run_once(struct live_probe *p, uint32_t *result)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err = bpf_prog_test_run_opts(bpf_program__fd(p->prog), &opts);

	if (err)
		return err < 0 ? err : -errno;
	if (result)
		*result = opts.retval;
	return 0;
}
