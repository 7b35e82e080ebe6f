/* User addresses to names, by process: what a process has mapped, and the symbols of those files.  Maps, files and perf-map
 * files are written by the traced: all of it is untrusted. */
#ifndef WT_PROCESSES_H
#define WT_PROCESSES_H

#include "lang/support/str.h"
#include "runtime/dwarf.h"
#include "runtime/elf_image.h"

struct processes;

struct user_name {
	struct str symbol; /* empty: unknown.  Readable (demangled) */
	uint64_t offset;   /* from the symbol's start */
	struct str path;   /* of the file; empty: none */
	const struct elf_image *image; /* of the file; NULL: none */
	uint64_t file_offset;	       /* of the address in the file, when there is one */
	uint64_t address;	       /* as linked, when there is an image */
	const uint8_t *build_id;       /* of the file, as it was mapped; NULL: unknown */
	int build_id_size;
};

/* `lines`: debug information will be asked for, see processes_lines(). */
struct processes *processes_open(bool demangle_names, bool lines, const char *debuginfo);
void processes_close(struct processes *p); /* NULL is allowed */

/* `tgid` as seen from our pid namespace.  Texts live until the next call. */
void processes_name(struct processes *p, uint32_t tgid, uint64_t address, bool is_return, struct user_name *out);

/* Source lines of what processes_name() has just told, and the functions inlined there; NULL: not known.  Kept for good. */
const frame_list *processes_lines(struct processes *p, const struct user_name *name, bool is_return);

/* Read the maps of all processes that there are now, so that they have names when they have exited. */
void processes_read_all(struct processes *p);

/* ---- for those that have exited: what was mapped, recorded in time (mmap_events.c) ---- */
struct recorded_mapping {
	uint64_t start, length, offset, dev, ino;
	uint8_t build_id[BUILD_ID_MAX];
	int build_id_size; /* 0: not told, then dev and ino are */
	struct str path;
};
void processes_mapped(struct processes *p, uint32_t tgid, const struct recorded_mapping *m);
void processes_forked(struct processes *p, uint32_t parent, uint32_t child);
void processes_execed(struct processes *p, uint32_t tgid);
void processes_exited(struct processes *p, uint32_t tgid);

/* One line of /proc/PID/maps; false when it is not well-formed.  The path points into the line. */
struct map_line {
	uint64_t start, end, offset, dev, ino;
	bool executable;
	struct str path;
};
bool map_line_parse(struct str line, struct map_line *out);
/* One line of a perf-map file: "START SIZE name", hexadecimal. */
bool perf_map_line_parse(struct str line, uint64_t *start, uint64_t *size, struct str *name);

#endif
