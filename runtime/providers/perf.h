/* perf events, on which most kinds of probes hang.  Links are made with a cookie, mostly the index of the attach point, where
 * the kernel can do that (5.15 on); older kernels take the program by ioctl, without a cookie. */
#ifndef WT_PROVIDERS_PERF_H
#define WT_PROVIDERS_PERF_H

#include <linux/perf_event.h>

#include "runtime/provider.h"

/* perf_event_open(2), close-on-exec.  A fd, or -errno. */
int perf_open(struct perf_event_attr *attr, int pid, int cpu);
/* Attach the program of `p` to an event and start it.  The event is owned by `p` from here on, also on failure.
 * 0 or -errno. */
int perf_attach(struct live_probe *p, struct attach_env *env, int event_fd, uint64_t cookie);
enum perf_pmu { PMU_KPROBE, PMU_UPROBE };
/* Type number of a perf PMU; -errno when the kernel has none. */
int perf_pmu_type(struct attach_env *env, enum perf_pmu pmu);
/* The bit of attr.config that says "return probe", from the PMU's format file; -errno. */
int perf_pmu_retprobe_bit(struct attach_env *env, enum perf_pmu pmu);
/* Online CPUs in order; *n of them, in `a`. */
int *perf_online_cpus(struct arena *a, int *n);
/* Open `attr` on every online CPU (pid 0), or on all threads of a process, and attach.  0 or -errno (what was made stays with
 * `p`). */
int perf_attach_to(struct live_probe *p, struct attach_env *env, struct perf_event_attr *attr, int point, int pid);
/* The same for env->pid. */
int perf_attach_everywhere(struct live_probe *p, struct attach_env *env, struct perf_event_attr *attr, int point);

#endif
