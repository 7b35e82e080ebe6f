/* Which file a user address belongs to, and its name there.
 *
 * A process's maps are read when one of its addresses is first printed and again when an address is in none of them.  When
 * the process has exited meanwhile, what was recorded of it is used (mmap_events.c).  Images of files are kept by device and
 * inode, so that a thousand processes of one program cost one symbol table. */
#include "runtime/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "lang/support/table.h"
#include "runtime/machine.h"
#include "runtime/user_paths.h"

enum {
	MAX_PROCESSES = 65536,
	MAX_PATHS = 1 << 20,
	MAX_MAPPINGS = 65536,	      /* of one process */
	MAX_DEBUG_FILES = 256,	      /* kept open */
	MAX_LINES = 1 << 18,
	MAX_PERF_MAP = 256 << 20,     /* bytes of a perf-map file */
	RELOAD_NS = 100 * 1000 * 1000, /* an address outside of all mappings makes us read again, but not more often */
};

struct mapping {
	uint64_t start, end, offset;
	uint64_t dev, ino;
	struct str path;
	uint8_t build_id[BUILD_ID_MAX];
	int build_id_size;
};

struct jit_symbol {
	uint64_t start, size;
	struct str name;
};

struct mapping_list {
	struct mapping *at; /* malloc: there may be many processes, each with few */
	int n, cap;
};

struct process {
	uint32_t tgid;
	bool exited;	     /* only what is known is left */
	uint64_t read_ns;    /* when its maps were last read; 0 never */
	uint64_t checked_ns; /* when it was last seen to be the same process */
	uint64_t start_time; /* field 22 of /proc/PID/stat; 0 unknown */
	struct mapping_list maps, before; /* before: those of the programs that ran in it until the last exec */
	struct arena *jit_arena; /* NULL: no perf-map file */
	uint64_t jit_size;
	VEC(struct jit_symbol) jit;
};

struct processes {
	struct arena *arena, *scratch;
	struct arena *list; /* of by_tgid */
	bool demangle_names, lines;
	struct dwarf *dwarf; /* NULL: not asked yet */
	struct table line_cache; /* image and address -> frame_list or &no_lines */
	int debug_files;     /* kept open */
	const char *debuginfo;
	struct table by_tgid; /* 4 bytes -> struct process */
	struct table images;  /* device and inode, or path -> struct elf_image or &no_image */
	struct table paths;   /* of mappings: processes share most */
	struct elf_image *vdso;
};

static struct elf_image no_image;
static frame_list no_lines;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct processes *processes_open(bool demangle_names, bool lines, const char *debuginfo)
{
	struct arena *a = arena_new();
	struct processes *p = NEW(a, struct processes);

	p->arena = a;
	p->scratch = arena_new();
	p->demangle_names = demangle_names;
	p->lines = lines;
	p->debuginfo = debuginfo;
	p->list = arena_new();
	p->by_tgid.arena = p->list;
	p->images.arena = p->paths.arena = p->line_cache.arena = a;
	return p;
}

/* Begin anew: what was known of the process goes. */
static void forget_maps(struct process *proc)
{
	free(proc->maps.at);
	free(proc->before.at);
	proc->maps = proc->before = (struct mapping_list){0};
	arena_free(proc->jit_arena);
	proc->jit_arena = NULL;
	proc->jit.at = NULL;
	proc->jit.n = proc->jit.cap = 0;
}

/* A month of tracing sees more processes than can be kept. */
static void forget_processes(struct processes *p)
{
	int i;

	for (i = 0; i < p->by_tgid.n; i++)
		forget_maps(p->by_tgid.entries[i].value);
	arena_reset(p->list);
	p->by_tgid = (struct table){.arena = p->list};
}

void processes_close(struct processes *p)
{
	int i;

	if (!p)
		return;
	for (i = 0; i < p->images.n; i++)
		if (p->images.entries[i].value != &no_image)
			elf_image_close(p->images.entries[i].value);
	dwarf_close(p->dwarf);
	forget_processes(p);
	arena_free(p->list);
	elf_image_close(p->vdso);
	arena_free(p->scratch);
	arena_free(p->arena);
}

static struct process *process_get(struct processes *p, uint32_t tgid, bool make)
{
	struct str key = {(const char *)&tgid, sizeof(tgid)};
	struct process *proc = table_get(&p->by_tgid, key);

	if (proc || !make)
		return proc;
	if (p->by_tgid.n >= MAX_PROCESSES)
		forget_processes(p);
	proc = NEW(p->list, struct process);
	proc->tgid = tgid;
	table_put(&p->by_tgid, key, proc);
	return proc;
}

/* ---- maps ---------------------------------------------------------------------------------------------------------- */

static bool take_hex(struct str *rest, uint64_t *value)
{
	size_t i;

	*value = 0;
	for (i = 0; i < rest->n && i < 16; i++) {
		unsigned c = (unsigned char)rest->s[i], d = c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10;

		if (d > 15)
			break;
		*value = *value << 4 | d;
	}
	*rest = str_sub(*rest, i, rest->n);
	return i > 0;
}

static bool take_char(struct str *rest, char c)
{
	if (!rest->n || rest->s[0] != c)
		return false;
	*rest = str_sub(*rest, 1, rest->n);
	return true;
}

/* 7f6f0a000000-7f6f0a021000 r-xp 00000000 fe:01 1234    /path, maybe with blanks */
bool map_line_parse(struct str line, struct map_line *out)
{
	uint64_t major, minor;
	size_t i;

	*out = (struct map_line){0};
	if (!take_hex(&line, &out->start) || !take_char(&line, '-') || !take_hex(&line, &out->end) || !take_char(&line, ' '))
		return false;
	if (line.n < 5 || line.s[4] != ' ' || out->end <= out->start)
		return false;
	out->executable = line.s[2] == 'x';
	line = str_sub(line, 5, line.n);
	if (!take_hex(&line, &out->offset) || !take_char(&line, ' ') || !take_hex(&line, &major) || !take_char(&line, ':') ||
	    !take_hex(&line, &minor) || !take_char(&line, ' '))
		return false;
	out->dev = makedev((unsigned)major, (unsigned)minor);
	for (i = 0; i < line.n && line.s[i] >= '0' && line.s[i] <= '9'; i++)
		out->ino = out->ino * 10 + (uint64_t)(line.s[i] - '0');
	while (i < line.n && line.s[i] == ' ')
		i++;
	out->path = str_sub(line, i, line.n);
	return true;
}

static void list_push(struct mapping_list *list, struct mapping m)
{
	if (list->n >= MAX_MAPPINGS)
		return;
	if (list->n == list->cap) {
		int cap = list->cap ? list->cap * 2 : 8;
		struct mapping *at = realloc(list->at, (size_t)cap * sizeof(*at));

		if (!at)
			return;
		list->at = at;
		list->cap = cap;
	}
	list->at[list->n++] = m;
}

static void push_mapping(struct process *proc, struct mapping m)
{
	list_push(&proc->maps, m);
}

/* Another program runs there from now on, but addresses that were taken before may still be printed. */
static void turn_over(struct process *proc)
{
	int i;

	for (i = 0; i < proc->maps.n; i++)
		list_push(&proc->before, proc->maps.at[i]);
	proc->maps.n = 0;
	proc->read_ns = 0;
	proc->exited = false;
}

static struct str shared_path(struct processes *p, struct str path)
{
	struct str *known = table_get(&p->paths, path);

	if (known)
		return *known;
	if (p->paths.n >= MAX_PATHS)
		return STR("");
	known = NEW(p->arena, struct str);
	*known = str_copy(p->arena, path);
	table_put(&p->paths, path, known);
	return *known;
}

/* Add a mapping; older ones that it covers are cut or forgotten, as mmap does. */
static void add_mapping(struct process *proc, struct mapping m)
{
	int i;

	for (i = 0; i < proc->maps.n; i++) {
		struct mapping *old = &proc->maps.at[i];

		if (old->start >= m.end || old->end <= m.start)
			continue;
		if (old->start < m.start && old->end > m.end) {
			struct mapping tail = *old;

			tail.offset += m.end - tail.start;
			tail.start = m.end;
			old->end = m.start;
			push_mapping(proc, tail);
			break;
		}
		if (old->start < m.start) {
			old->end = m.start;
		} else if (old->end > m.end) {
			old->offset += m.end - old->start;
			old->start = m.end;
		} else {
			*old = proc->maps.at[--proc->maps.n];
			i--;
		}
	}
	push_mapping(proc, m);
}

/* Read its maps.  False when the process is gone; what is known stays then. */
static bool read_maps(struct processes *p, struct process *proc)
{
	char name[64], *text;
	struct str rest;
	size_t size;
	int err;

	snprintf(name, sizeof(name), "/proc/%u/maps", proc->tgid);
	text = machine_read_text(name, &size, &err);
	proc->read_ns = now_ns();
	if (!text)
		return false;
	if (!size) { /* a zombie: its memory is gone but not its number */
		free(text);
		return false;
	}
	/* What is not mapped any more stays known until something else comes to its place. */
	for (rest = (struct str){text, size}; rest.n;) {
		size_t n = str_find(rest, '\n');
		struct map_line line;

		if (map_line_parse(str_sub(rest, 0, n), &line) && line.executable)
			add_mapping(proc, (struct mapping){.start = line.start,
							   .end = line.end,
							   .offset = line.offset,
							   .dev = line.dev,
							   .ino = line.ino,
							   .path = shared_path(p, line.path)});
		rest = str_sub(rest, n + 1, rest.n);
	}
	free(text);
	return true;
}

void processes_read_all(struct processes *p)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;

	while (dir && (e = readdir(dir)) && p->by_tgid.n < MAX_PROCESSES / 2) {
		unsigned long tgid = strtoul(e->d_name, NULL, 10);

		if (tgid)
			read_maps(p, process_get(p, (uint32_t)tgid, true));
	}
	if (dir)
		closedir(dir);
}

/* When the process began, in clock ticks since boot; 0 when it is gone. */
static uint64_t start_time_of(uint32_t tgid)
{
	char name[64], *text, *at;
	uint64_t start = 0;
	int err, field;

	snprintf(name, sizeof(name), "/proc/%u/stat", tgid);
	text = machine_read_text(name, NULL, &err);
	at = text ? strrchr(text, ')') : NULL; /* the name before it may hold anything */
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		start = strtoull(at, NULL, 10);
	free(text);
	return start;
}

/* Numbers of processes are used again. */
static void check_identity(struct process *proc)
{
	uint64_t now = now_ns(), start;

	if (proc->exited || (proc->checked_ns && now - proc->checked_ns < RELOAD_NS))
		return;
	proc->checked_ns = now;
	start = start_time_of(proc->tgid);
	if (start && proc->start_time && start != proc->start_time)
		turn_over(proc);
	if (start)
		proc->start_time = start;
}

static const struct mapping *find_in(const struct mapping_list *list, uint64_t address)
{
	int i;

	for (i = list->n - 1; i >= 0; i--) /* the newest first */
		if (address >= list->at[i].start && address < list->at[i].end)
			return &list->at[i];
	return NULL;
}

static const struct mapping *find_mapping(const struct process *proc, uint64_t address)
{
	return find_in(&proc->maps, address);
}

static const struct mapping *mapping_of(struct processes *p, struct process *proc, uint64_t address)
{
	const struct mapping *m;

	check_identity(proc);
	m = find_mapping(proc, address);
	if (!m && !proc->exited && (!proc->read_ns || now_ns() - proc->read_ns >= RELOAD_NS)) {
		if (!read_maps(p, proc))
			proc->exited = true;
		m = find_mapping(proc, address);
	}
	return m ? m : find_in(&proc->before, address);
}

/* ---- images -------------------------------------------------------------------------------------------------------- */

/* The vdso is no file but is mapped into ourselves too. */
static struct elf_image *vdso_image(struct processes *p)
{
	const char *bytes = (const char *)getauxval(AT_SYSINFO_EHDR), *why;

	if (!p->vdso && bytes) {
		p->vdso = elf_image_memory(bytes, (size_t)sysconf(_SC_PAGESIZE) * 2, &why);
		if (p->vdso)
			elf_load_symbols(p->vdso, NULL, NULL);
	}
	return p->vdso;
}

/* Where we can open what a mapping names: in the process's own view, through the mapping itself (also when the file has been
 * deleted), or as it is. */
/* Is it the file that was mapped?  Some file systems (btrfs, overlayfs) tell maps another device than stat: the inode must do. */
static bool is_that_file(const struct elf_image *e, const struct mapping *m)
{
	if (m->build_id_size)
		return e->build_id_size == m->build_id_size && !memcmp(e->build_id, m->build_id, (size_t)m->build_id_size);
	return !m->ino || e->ino == m->ino;
}

static struct elf_image *open_mapped(const struct process *proc, const struct mapping *m)
{
	struct elf_image *e = NULL;
	char path[3][4200];
	const char *why;
	int i, err;

	snprintf(path[0], sizeof(path[0]), "/proc/%u/root%.*s", proc->tgid, STR_ARG(m->path));
	snprintf(path[1], sizeof(path[1]), "/proc/%u/map_files/%llx-%llx", proc->tgid, (unsigned long long)m->start,
		 (unsigned long long)m->end);
	snprintf(path[2], sizeof(path[2]), "%.*s", STR_ARG(m->path));
	for (i = proc->exited ? 2 : 0; i < 3; i++) {
		e = elf_image_open(path[i], &err, &why);
		if (e && is_that_file(e, m))
			break;
		elf_image_close(e);
		e = NULL;
	}
	return e;
}

/* Thousands of images may be kept, so few keep a descriptor. */
static void load_and_close(struct processes *p, struct elf_image *e, const char *path)
{
	elf_load_symbols(e, path, p->debuginfo);
	if (p->lines && p->debug_files < MAX_DEBUG_FILES) {
		e->debug_fd = elf_debug_fd(e, path, p->debuginfo);
		p->debug_files += e->debug_fd >= 0;
	}
	close(e->fd);
	e->fd = -1;
	e->size = 0;
}

static struct elf_image *image_of(struct processes *p, const struct process *proc, const struct mapping *m)
{
	struct {
		uint64_t dev, ino;
	} id = {m->dev, m->ino};
	struct str key = m->build_id_size ? (struct str){(const char *)m->build_id, (size_t)m->build_id_size}
			 : m->ino	  ? (struct str){(const char *)&id, sizeof(id)}
					  : m->path;
	struct elf_image *e;

	if (str_is(m->path, "[vdso]"))
		return vdso_image(p);
	if (!m->path.n || m->path.s[0] != '/')
		return NULL;
	e = table_get(&p->images, key);
	if (!e) {
		e = open_mapped(proc, m);
		if (e)
			load_and_close(p, e, str_c(p->scratch, m->path));
		table_put(&p->images, key, e ? e : &no_image);
	}
	return e == &no_image ? NULL : e;
}

/* ---- perf-map files of JITs (tools/perf/Documentation/jit-interface.txt) --------------------------------------------- */

bool perf_map_line_parse(struct str line, uint64_t *start, uint64_t *size, struct str *name)
{
	if (!take_hex(&line, start) || !take_char(&line, ' ') || !take_hex(&line, size) || !take_char(&line, ' '))
		return false;
	*name = line;
	return line.n > 0 && *size > 0 && *start + *size > *start;
}

/* The number that the process has in its own pid namespace, by which it names its file. */
static uint32_t inner_pid(uint32_t tgid)
{
	char name[64], *text, *at;
	uint32_t pid = tgid;
	int err;

	snprintf(name, sizeof(name), "/proc/%u/status", tgid);
	text = machine_read_text(name, NULL, &err);
	at = text ? strstr(text, "\nNSpid:") : NULL;
	if (at) {
		char *end = strchr(at + 1, '\n');

		if (end)
			*end = '\0';
		at = strrchr(at, '\t');
		if (at)
			pid = (uint32_t)strtoul(at, NULL, 10);
	}
	free(text);
	return pid;
}

/* Only a regular file of the process's own user, or root's, is believed: anybody can write to /tmp. */
static int open_perf_map(const struct process *proc, uint64_t *size)
{
	char path[2][128];
	struct stat st, owner;
	int i, fd = -1;

	snprintf(path[0], sizeof(path[0]), "/proc/%u/root/tmp/perf-%u.map", proc->tgid, inner_pid(proc->tgid));
	snprintf(path[1], sizeof(path[1]), "/tmp/perf-%u.map", proc->tgid);
	for (i = 0; i < 2 && fd < 0; i++)
		fd = open(path[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	snprintf(path[0], sizeof(path[0]), "/proc/%u", proc->tgid);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > MAX_PERF_MAP ||
	    (st.st_uid && (stat(path[0], &owner) ? !proc->exited : owner.st_uid != st.st_uid))) {
		close(fd);
		return -1;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

static void read_perf_map(struct process *proc)
{
	uint64_t size;
	int fd = open_perf_map(proc, &size);
	char *text;
	struct str rest;
	ssize_t got = 0;

	if (fd < 0)
		return;
	if (proc->jit_arena && size == proc->jit_size) {
		close(fd);
		return;
	}
	text = malloc(size + 1);
	if (text)
		got = pread(fd, text, size, 0);
	close(fd);
	arena_free(proc->jit_arena);
	proc->jit_arena = arena_new();
	proc->jit.at = NULL;
	proc->jit.n = proc->jit.cap = 0;
	proc->jit_size = size;
	for (rest = (struct str){text, got > 0 ? (size_t)got : 0}; rest.n;) {
		size_t n = str_find(rest, '\n');
		struct jit_symbol s;

		if (perf_map_line_parse(str_sub(rest, 0, n), &s.start, &s.size, &s.name)) {
			s.name = str_copy(proc->jit_arena, s.name);
			VEC_PUSH(proc->jit_arena, &proc->jit, s);
		}
		rest = str_sub(rest, n + 1, rest.n);
	}
	free(text);
}

static const struct jit_symbol *find_jit(const struct process *proc, uint64_t address)
{
	int i;

	for (i = proc->jit.n - 1; i >= 0; i--) /* code is recompiled: the newest line counts */
		if (address - proc->jit.at[i].start < proc->jit.at[i].size)
			return &proc->jit.at[i];
	return NULL;
}

static const struct jit_symbol *jit_symbol(struct process *proc, uint64_t address)
{
	const struct jit_symbol *s = find_jit(proc, address);

	if (s)
		return s;
	read_perf_map(proc);
	return find_jit(proc, address);
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

static void name_in_image(struct processes *p, const struct elf_image *e, uint64_t file_offset, bool is_return,
			  struct user_name *out)
{
	const struct elf_symbol *s;
	const char *name, *readable;
	uint64_t address;

	if (!elf_offset_to_address(e, file_offset, &address))
		return;
	out->address = address;
	/* A call that does not return may be a function's last instruction: look where the call is, not behind it. */
	s = elf_symbol_at(e, is_return ? address - 1 : address);
	if (!s)
		return;
	name = elf_symbol_name(e, s);
	readable = p->demangle_names ? demangle(p->scratch, name) : NULL;
	out->symbol = str_of(readable ? readable : name);
	out->offset = address - s->address;
}

void processes_name(struct processes *p, uint32_t tgid, uint64_t address, bool is_return, struct user_name *out)
{
	struct process *proc = process_get(p, tgid, true);
	const struct mapping *m;

	arena_reset(p->scratch);
	*out = (struct user_name){0};
	if (!proc)
		return;
	m = mapping_of(p, proc, is_return ? address - 1 : address);
	if (m && m->path.n && !str_starts(m->path, STR("//anon"))) {
		out->path = m->path;
		out->file_offset = address - m->start + m->offset;
		out->image = image_of(p, proc, m);
		out->build_id_size = m->build_id_size ? m->build_id_size : out->image ? out->image->build_id_size : 0;
		out->build_id = m->build_id_size ? m->build_id : out->image ? out->image->build_id : NULL;
		if (out->image)
			name_in_image(p, out->image, out->file_offset, is_return, out);
	}
	if (!out->symbol.n && !out->image) {
		const struct jit_symbol *s = jit_symbol(proc, is_return ? address - 1 : address);

		if (s) {
			out->symbol = s->name;
			out->offset = address - s->start;
		}
	}
}

const frame_list *processes_lines(struct processes *p, const struct user_name *name, bool is_return)
{
	struct {
		const struct elf_image *image;
		uint64_t address;
	} id = {name->image, name->address - is_return};
	struct str key = {(const char *)&id, sizeof(id)};
	frame_list *known;

	if (!name->image || name->image->debug_fd < 0 || !name->address)
		return NULL;
	known = table_get(&p->line_cache, key);
	if (!known && p->line_cache.n < MAX_LINES) {
		if (!p->dwarf)
			p->dwarf = dwarf_open(p->arena);
		known = NEW(p->arena, frame_list);
		if (!dwarf_frames(p->dwarf, p->arena, name->image->debug_fd, id.address, known))
			known = &no_lines;
		table_put(&p->line_cache, key, known);
	}
	return known && known->n ? known : NULL;
}

/* ---- what was recorded ----------------------------------------------------------------------------------------------- */

void processes_mapped(struct processes *p, uint32_t tgid, const struct recorded_mapping *r)
{
	struct process *proc = process_get(p, tgid, true);
	struct mapping m = {.start = r->start,
			    .end = r->start + r->length,
			    .offset = r->offset,
			    .dev = r->dev,
			    .ino = r->ino,
			    .path = shared_path(p, r->path),
			    .build_id_size = r->build_id_size};

	memcpy(m.build_id, r->build_id, sizeof(m.build_id));
	if (proc && m.end > m.start)
		add_mapping(proc, m);
}

void processes_forked(struct processes *p, uint32_t parent, uint32_t child)
{
	struct process *from, *to;

	if (parent == child)
		return;
	if (p->by_tgid.n + 2 > MAX_PROCESSES) /* making the second must not forget the first */
		forget_processes(p);
	from = process_get(p, parent, true);
	to = process_get(p, child, true);
	if (!from->maps.n && !from->exited)
		read_maps(p, from); /* it was there before recording began */
	turn_over(to); /* the number may be used again */
	VEC_EACH (m, &from->maps)
		push_mapping(to, *m);
	to->checked_ns = to->start_time = 0;
}

void processes_execed(struct processes *p, uint32_t tgid)
{
	struct process *proc = process_get(p, tgid, false);

	if (proc)
		turn_over(proc);
}

void processes_exited(struct processes *p, uint32_t tgid)
{
	struct process *proc = process_get(p, tgid, false);

	if (proc)
		proc->exited = true;
}
