/* The providers of this build; the table is in provider.c. */
#ifndef WT_PROVIDERS_H
#define WT_PROVIDERS_H

#include "runtime/provider.h"

extern const struct provider provider_begin, provider_end, provider_self, provider_test, provider_bench;
extern const struct provider provider_kprobe, provider_kretprobe;
extern const struct provider provider_fentry, provider_fexit;
extern const struct provider provider_tracepoint, provider_rawtracepoint;
extern const struct provider provider_profile, provider_interval, provider_software, provider_hardware;
extern const struct provider provider_uprobe, provider_uretprobe;
extern const struct provider provider_iter, provider_usdt, provider_watchpoint;

/* Put the program of `p` on one place of a file, also counting in its semaphore (file offset, 0 none); `pid` <= 0: every
 * process.  0 or -errno. */
int uprobe_attach_offset(struct live_probe *p, struct attach_env *env, const char *path, uint64_t offset, uint64_t semaphore,
			 int pid, bool is_return_probe, uint64_t cookie);

/* Before the object is opened, and after it is closed: fentry and fexit tell libbpf their functions themselves. */
void fentry_targets_begin(struct attach_env *env);
void fentry_targets_end(struct attach_env *env);

/* Take down the attach points of a watchpoint probe that watch this address; their number. */
int watchpoint_remove(struct live_probe *p, uint64_t address);

#endif
