/* What DWARF tells of a program: parameters of functions, places of source lines, lines of addresses.  The files are hostile and
 * libdw follows what they say, so it runs in a process of its own without rights (dwarf_child.c), which is given open files,
 * limited in memory, and stopped when an answer takes too long.  Its answers are checked like any foreign bytes. */
#ifndef WT_DWARF_H
#define WT_DWARF_H

#include "lang/support/arena.h"
#include "lang/support/str.h"
#include "lang/support/vec.h"
#include "lang/type.h"

struct dwarf;

/* Starts nothing yet.  Never NULL. */
struct dwarf *dwarf_open(struct arena *a);
void dwarf_close(struct dwarf *d); /* NULL is allowed; ends the process */

/* Types are told as BTF: type 1 is the FUNC, type 2 its FUNC_PROTO with as many parameters as `params` has. */
struct dwarf_function {
	struct arg_place *params;
	int nparams;
	const uint8_t *btf;
	size_t btf_size;
};

/* A linked address in a program.  Files stay the caller's. */
struct dwarf_place {
	int fd;	      /* the file with the debug information */
	int image_fd; /* the program itself; -1: the same */
	uint64_t address;
	bool innermost; /* the function that is inlined there, if one is, not the one that it was put into */
};

/* The function of a place, and where its parameters are there.  Answers live in `a`.  False and *why when there is none or the file
 * cannot be understood. */
bool dwarf_function(struct dwarf *d, struct arena *a, const struct dwarf_place *at, struct dwarf_function *out, const char **why);

/* A type as what a function without parameters returns; `key` is its name behind s (struct), u (union), e (enum) or t (typedef). */
bool dwarf_type(struct dwarf *d, struct arena *a, int fd, struct str key, struct dwarf_function *out, const char **why);

/* Linked addresses at which line `line` of `file` (a path, or the end of one) begins, one for each function that it is compiled
 * into.  `column` 0: any. */
typedef VEC(uint64_t) address_list;
bool dwarf_places(struct dwarf *d, struct arena *a, int fd, struct str file, uint32_t line, uint32_t column, address_list *out,
		  const char **why);

/* Where an address comes from: the innermost inlined function first, the real one last. */
struct dwarf_frame {
	struct str function; /* empty for the last: its symbol names it */
	struct str file;     /* empty: unknown */
	uint32_t line;
};
typedef VEC(struct dwarf_frame) frame_list;
bool dwarf_frames(struct dwarf *d, struct arena *a, int fd, uint64_t address, frame_list *out);

/* ---- between the two processes, and for the fuzzer ---- */

enum dwarf_question { DWARF_ASK_FUNCTION, DWARF_ASK_PLACES, DWARF_ASK_FRAMES, DWARF_ASK_TYPE };

struct dwarf_request { /* followed by `text_size` bytes; the files come along as SCM_RIGHTS */
	uint32_t question, line, column, text_size, innermost, unused;
	uint64_t address;
};

struct dwarf_reply { /* followed by `size` bytes */
	uint32_t ok; /* 0: the bytes say why not */
	uint32_t size;
};

enum { DWARF_MAX_TEXT = 4096, DWARF_MAX_REPLY = 64 << 20, DWARF_MAX_PARAMS = 255 };

/* The bodies of answers.  False when they are malformed. */
bool dwarf_read_function(struct arena *a, struct str body, struct dwarf_function *out);
bool dwarf_read_places(struct arena *a, struct str body, address_list *out);
bool dwarf_read_frames(struct arena *a, struct str body, frame_list *out);

/* The other process: answers until `fd` is closed. */
_Noreturn void dwarf_serve(int fd);

#endif
