/* A kprobe and a kretprobe on the same functions through one link: the kernel calls one program at entry and at return. */
#ifndef WT_PROVIDERS_KPROBE_SESSION_H
#define WT_PROVIDERS_KPROBE_SESSION_H

#include "runtime/provider.h"

/* Give each other as `partner` the kprobes and kretprobes of the script that may share a link: both have the same functions, and
 * no other probe of the script runs there, whose order with them would change.  `probes` have their rows, nothing else. */
void kprobe_sessions_pair(struct arena *a, struct live_probe *probes, int n);

/* Before load: make the program that the kernel shall call for `entry` and its partner.  False: the kernel does not take it, the
 * two are attached each by its own link. */
bool kprobe_session_open(struct live_probe *entry, struct attach_env *env);
/* After load: let it call both programs.  The program to attach, or -errno. */
int kprobe_session_program(struct live_probe *entry);
/* Runs of it that the kernel left out. */
uint64_t kprobe_session_missed(const struct live_probe *entry);
void kprobe_session_close(struct live_probe *entry);

#endif
