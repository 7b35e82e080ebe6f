/* Addresses become names: kernel symbols, user symbols by process, and stacks as text.  The answers of struct names (names.h)
 * that the printers use.
 *
 * Nothing is read before an address is printed: /proc/kallsyms once, then as often as an address is newer than what is known
 * (modules, BPF programs); a process's maps when one of its addresses is first seen, and again when an address lies outside of
 * what is known.  Files of traced processes are hostile: see elf_symbols.h. */
#ifndef WT_SYMBOLS_H
#define WT_SYMBOLS_H

#include "runtime/names.h"

struct symbols;
struct manifest;

struct symbols_options {
	const struct config *config; /* cpp_demangle, cache_user_symbols, show_debug_info; NULL: defaults */
	const char *debuginfo;	     /* --debuginfo; NULL */
	const uint32_t *own_programs; /* ids of the session's BPF programs: their frames are left out of kernel stacks */
	int nown_programs;
};

/* Opens nothing.  The arrays of `opt` are copied; `config` must outlive it.  Never NULL. */
struct symbols *symbols_open(const struct symbols_options *opt);
void symbols_close(struct symbols *s); /* NULL is allowed */

/* Where stacks are: the two BPF stack maps of a pair (manifest_stacks), asked by index into manifest->stacks, fd -1: none; and
 * the spare frames of the pair.
 * `pair` is what TYPE_KSTACK's second word says: index of the pair * 2 + which of the two. */
void symbols_stack_maps(struct symbols *s, const int (*fds)[3], int npairs);

/* The names that printers ask; valid until symbols_close(). */
struct names *symbols_names(struct symbols *s);

/* Ids of the session's programs, when they are only known after symbols_open(). */
void symbols_own_programs(struct symbols *s, const uint32_t *ids, int n);

/* Start recording what processes map, so that those that have exited still have names (PERF_RECORD_MMAP2 events of every CPU).
 * Only for scripts that print user addresses.  `pid` 0: all.  0 or -errno (then such addresses stay numbers). */
int symbols_record_maps(struct symbols *s, int pid);
/* A descriptor to poll; when it is readable call symbols_serve().  -1: nothing is recorded. */
int symbols_poll_fd(const struct symbols *s);
void symbols_serve(struct symbols *s);

#endif
