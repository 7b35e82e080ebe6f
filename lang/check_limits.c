/* Sizes and counts that the kernel or the settings bound. */
#include "lang/check.h"

void check_limits(struct checker *c)
{
	const struct config *f = &c->program->config;
	uint64_t attached = 0;
	int i;

	for (i = 0; i < c->program->probes.n; i++)
		attached += (uint64_t)c->program->probes.at[i]->attach.n;
	if (attached > f->max_probes) {
		diag_add(c->diag, (struct span){0}, DIAG_TOO_MANY_PROBES, attached, f->max_probes);
		diag_hint(c->diag, "config = { max_probes = %llu } allows it; attaching may take long", (unsigned long long)attached);
	}
	if ((uint64_t)c->program->probes.n > f->max_bpf_progs) {
		diag_add(c->diag, (struct span){0}, DIAG_TOO_MANY_PROGRAMS, c->program->probes.n, f->max_bpf_progs);
		diag_hint(c->diag, "without `probe` and `args` in its body, one program serves all functions of a wildcard");
	}
}
