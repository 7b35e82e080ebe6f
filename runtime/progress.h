/* Attaching and detaching thousands of probes takes seconds: what has been done is shown on a terminal, and Ctrl-C is seen between
 * two steps. */
#ifndef WT_PROGRESS_H
#define WT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* "Attaching"; NULL: nothing is shown */
	int done, total;
	bool shown;	/* a line stands on the terminal */
	bool stopped;	/* progress_step() has seen SIGINT or SIGTERM */
	int64_t due_ns; /* CLOCK_MONOTONIC: when the line is written next */
};

/* `visible`: show it, if stderr is a terminal and it takes long. */
void progress_begin(struct progress *p, const char *what, int total, bool visible);
/* One more step is done.  False when SIGINT or SIGTERM waits to be taken (both are blocked meanwhile); it is left waiting. */
bool progress_step(struct progress *p);
/* Take the line away. */
void progress_end(struct progress *p);

#endif
