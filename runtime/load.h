/* Between load.c and refusal.c. */
#ifndef WT_LOAD_H
#define WT_LOAD_H

struct session;

/* Say in one sentence which probe and which line the kernel refused and why, with the log only for -v.  The exit status. */
int refusal_explain(struct session *s, int err);

/* Would smaller code help: too many paths, too much stack, a loop laid out as the verifier does not like it? */
bool refusal_is_of_size(struct session *s, int err);

#endif
