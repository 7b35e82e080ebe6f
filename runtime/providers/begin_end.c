/* begin, end, self, test and bench: raw tracepoint programs that are attached to nothing; the session runs them itself.
 * Raw tracepoints, because BPF_PROG_TEST_RUN takes them from 5.10 on, in the caller's own context. */
#include <bpf/libbpf.h>

#include "runtime/provider.h"
#include "runtime/providers/providers.h"

static int prepare(struct live_probe *p, struct attach_env *env)
{
	(void)env;
	return bpf_program__set_type(p->prog, BPF_PROG_TYPE_RAW_TRACEPOINT);
}

static int run(struct live_probe *p)
{
	return probe_run_once(p, NULL);
}

const struct provider provider_begin = {.kind = PROBE_BEGIN, .prepare = prepare, .run = run};
const struct provider provider_self = {.kind = PROBE_SELF, .prepare = prepare, .run = run};
const struct provider provider_test = {.kind = PROBE_TEST, .prepare = prepare, .run = run};
const struct provider provider_bench = {.kind = PROBE_BENCH, .prepare = prepare, .run = run};
const struct provider provider_end = {.kind = PROBE_END, .prepare = prepare, .run = run};
