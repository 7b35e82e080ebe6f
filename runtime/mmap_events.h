/* What processes map, fork, execute and when they exit, recorded as it happens (perf events of every CPU), so that those that
 * have exited still have names. */
#ifndef WT_MMAP_EVENTS_H
#define WT_MMAP_EVENTS_H

#include "runtime/processes.h"

struct mmap_events;

/* Start recording into `p`.  `pid` 0: all processes, else that one and its children.  NULL and *err = -errno. */
struct mmap_events *mmap_events_open(struct processes *p, int pid, int *err);
void mmap_events_close(struct mmap_events *e); /* NULL is allowed */
int mmap_events_fd(const struct mmap_events *e); /* to poll */
/* Take what has been recorded. */
void mmap_events_serve(struct mmap_events *e);
/* Records that the kernel could not deliver. */
uint64_t mmap_events_lost(const struct mmap_events *e);

#endif
