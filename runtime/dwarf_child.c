/* The process that reads DWARF with libdw: keeps files open, finds functions by address, source lines and inlined frames.  It has
 * no rights and may die of what it reads: dwarf.c starts another one. */
#include "runtime/dwarf_child.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/dwarf.h"

enum { MAX_FILES = 32, MAX_RANGES = 1 << 23, MAX_DEPTH = 32, MAX_PLACES = 4096 };

struct dwarf_reader {
	struct dwarf_file files[MAX_FILES];
	uint64_t clock;
};

/* ---- attributes -------------------------------------------------------------------------------------------------------- */

bool die_attr(Dwarf_Die *die, unsigned name, Dwarf_Attribute *attr)
{
	return dwarf_attr_integrate(die, name, attr) != NULL;
}

bool die_unsigned(Dwarf_Die *die, unsigned name, uint64_t *value)
{
	Dwarf_Attribute attr;
	Dwarf_Word word;

	if (!die_attr(die, name, &attr) || dwarf_formudata(&attr, &word))
		return false;
	*value = word;
	return true;
}

struct str die_name(Dwarf_Die *die)
{
	Dwarf_Attribute attr;

	return die_attr(die, DW_AT_name, &attr) ? str_of(dwarf_formstring(&attr)) : STR("");
}

bool die_type(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attr;

	return die_attr(die, DW_AT_type, &attr) && dwarf_formref_die(&attr, type);
}

/* ---- walking ------------------------------------------------------------------------------------------------------------- */

typedef void (*die_fn)(struct dwarf_file *f, Dwarf_Die *die, void *arg);

static void walk_children(struct dwarf_file *f, Dwarf_Die *parent, die_fn fn, void *arg, int depth)
{
	Dwarf_Die die;

	if (depth > MAX_DEPTH || dwarf_child(parent, &die))
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
			fn(f, &die, arg);
			walk_children(f, &die, fn, arg, depth + 1);
			break;
		case DW_TAG_subprogram:
			fn(f, &die, arg);
			/* Rust and C++ have types in functions. */
			walk_children(f, &die, fn, arg, depth + 1);
			break;
		default:
			fn(f, &die, arg);
		}
	} while (!dwarf_siblingof(&die, &die));
}

static void walk_file(struct dwarf_file *f, die_fn fn, void *arg)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die, split;
	uint8_t type;

	while (!dwarf_get_units(f->dw, unit, &unit, NULL, &type, &die, &split)) {
		if (type == DW_UT_skeleton && split.addr) /* its types are in a .dwo file */
			die = split;
		walk_children(f, &die, fn, arg, 0);
	}
}

/* ---- functions ------------------------------------------------------------------------------------------------------------ */

static int compare_range(const void *left, const void *right)
{
	const struct dwarf_range *a = left, *b = right;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return a->high < b->high ? -1 : a->high > b->high;
}

struct range_list {
	struct dwarf_range *at;
	int n, cap;
};

static void add_function(struct dwarf_file *f, Dwarf_Die *die, void *arg)
{
	struct range_list *list = arg;
	Dwarf_Addr base, low, high;
	ptrdiff_t next = 0;

	(void)f;
	if (dwarf_tag(die) != DW_TAG_subprogram)
		return;
	while ((next = dwarf_ranges(die, next, &base, &low, &high)) > 0) {
		if (low >= high || list->n >= MAX_RANGES || !low)
			continue;
		if (list->n == list->cap) {
			list->cap = list->cap ? list->cap * 2 : 1024;
			list->at = realloc(list->at, (size_t)list->cap * sizeof(*list->at));
			if (!list->at)
				_exit(1);
		}
		list->at[list->n++] = (struct dwarf_range){low, high, *die};
	}
}

static void index_functions(struct dwarf_file *f)
{
	struct range_list list = {0};

	walk_file(f, add_function, &list);
	if (list.n)
		qsort(list.at, (size_t)list.n, sizeof(*list.at), compare_range);
	f->ranges = list.at;
	f->nranges = list.n;
}

static struct dwarf_range *range_at(struct dwarf_file *f, uint64_t address)
{
	int low = 0, high = f->nranges, i;

	while (low < high) {
		int mid = low + (high - low) / 2;

		if (f->ranges[mid].low <= address)
			low = mid + 1;
		else
			high = mid;
	}
	for (i = low - 1; i >= 0 && i >= low - 16; i--)
		if (address < f->ranges[i].high)
			return &f->ranges[i];
	return NULL;
}

static char definition_letter(int tag)
{
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		return 's';
	case DW_TAG_union_type:
		return 'u';
	case DW_TAG_enumeration_type:
		return 'e';
	case DW_TAG_typedef:
		return 't';
	}
	return 0;
}

static void add_definition(struct dwarf_file *f, Dwarf_Die *die, void *arg)
{
	char letter = definition_letter(dwarf_tag(die));
	Dwarf_Attribute attr;
	struct str name, key;
	Dwarf_Die *kept;

	(void)arg;
	if (!letter)
		return;
	name = die_name(die);
	if (!name.n || dwarf_attr(die, DW_AT_declaration, &attr))
		return;
	key = str_printf(f->arena, "%c%.*s", letter, STR_ARG(name));
	if (table_get(&f->definitions, key))
		return;
	kept = NEW(f->arena, Dwarf_Die);
	*kept = *die;
	table_put(&f->definitions, key, kept);
}

static Dwarf_Die *find_definition(struct dwarf_file *f, struct str key)
{
	if (!f->definitions_known) {
		f->definitions_known = true;
		f->definitions.arena = f->arena;
		walk_file(f, add_definition, NULL);
	}
	return table_get(&f->definitions, key);
}

bool dwarf_definition(struct dwarf_file *f, Dwarf_Die *declaration, Dwarf_Die *out)
{
	struct str name = die_name(declaration);
	char letter = definition_letter(dwarf_tag(declaration));
	Dwarf_Die *found = find_definition(f, str_printf(f->arena, "%c%.*s", letter ? letter : 's', STR_ARG(name)));

	if (found)
		*out = *found;
	return found;
}

static const char *answer_type(struct dwarf_file *f, struct str key, struct strbuf *out)
{
	Dwarf_Die *type = find_definition(f, key);

	if (!type)
		return "its debug information has no such type";
	dwarf_tell_type(f, type, out);
	return NULL;
}


/* ---- lines ------------------------------------------------------------------------------------------------------------------ */

static bool unit_of(Dwarf_Die *die, Dwarf_Die *unit)
{
	return dwarf_diecu(die, unit, NULL, NULL) != NULL;
}

/* "src/a.c" fits "/home/x/src/a.c" and "src/a.c", not "/home/x/lib/a.c" or "/home/mysrc/a.c". */
static bool file_fits(struct str wanted, const char *path)
{
	struct str have = str_of(path);

	if (str_starts(wanted, STR("./")))
		wanted = str_sub(wanted, 2, wanted.n);
	return str_ends(have, wanted) && (have.n == wanted.n || wanted.s[0] == '/' || have.s[have.n - wanted.n - 1] == '/');
}

struct place {
	uint64_t block; /* the function, maybe inlined, that it is in */
	uint64_t address;
};

struct place_search {
	struct dwarf_file *f;
	struct str file;
	uint32_t line, column, nearest; /* next line behind that has code */
	bool file_seen;
	struct place places[MAX_PLACES];
	int n;
};

/* What an address is in, from inside to outside; their number.  To be freed.  (dwarf_getscopes() itself goes on from an inlined
 * function to where that was written, not to where it was put.) */
static int scopes_at(Dwarf_Die *unit, uint64_t address, Dwarf_Die **scopes)
{
	Dwarf_Die *written, innermost;
	int n = dwarf_getscopes(unit, address, &written);

	if (n <= 0)
		return 0;
	innermost = written[0];
	free(written);
	n = dwarf_getscopes_die(&innermost, scopes);
	return n > 0 ? n : 0;
}

/* The innermost function, also an inlined one, that an address is in. */
static uint64_t block_at(Dwarf_Die *unit, uint64_t address)
{
	Dwarf_Die *scopes = NULL;
	int n = scopes_at(unit, address, &scopes), i;
	uint64_t block = 0;

	for (i = 0; i < n && !block; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
			block = dwarf_dieoffset(&scopes[i]);
	}
	free(scopes);
	return block;
}

/* The innermost function of a place that is inlined there; false: none is. */
static bool inlined_at(Dwarf_Die *function, uint64_t address, Dwarf_Die *out)
{
	Dwarf_Die unit, *scopes = NULL;
	int n = unit_of(function, &unit) ? scopes_at(&unit, address, &scopes) : 0, i;
	bool found = false;

	for (i = 0; i < n && !found && dwarf_tag(&scopes[i]) != DW_TAG_subprogram; i++)
		if (dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine) {
			*out = scopes[i];
			found = true;
		}
	free(scopes);
	return found;
}

static const char *answer_function(struct dwarf_file *f, struct dwarf_file *image, const struct dwarf_request *r, struct strbuf *out)
{
	struct dwarf_range *range = range_at(f, r->address);
	struct code_place at = {.file = f, .image = image, .address = r->address};
	Dwarf_Die inlined;

	if (!range)
		return "its debug information does not know the function";
	at.function = at.scope = &range->die;
	if (r->innermost && inlined_at(&range->die, r->address, &inlined))
		at.scope = &inlined;
	dwarf_tell_function(&at, out);
	return NULL;
}

static void note_place(struct place_search *s, Dwarf_Die *unit, uint64_t address)
{
	uint64_t block = block_at(unit, address);
	int i;

	if (!range_at(s->f, address))
		return; /* code that the linker threw away */
	for (i = 0; i < s->n; i++)
		if (s->places[i].block == block) {
			if (address < s->places[i].address)
				s->places[i].address = address;
			return;
		}
	if (s->n < MAX_PLACES)
		s->places[s->n++] = (struct place){block, address};
}

static void search_unit(struct place_search *s, Dwarf_Die *unit)
{
	Dwarf_Lines *lines;
	size_t n, i;

	if (dwarf_getsrclines(unit, &lines, &n))
		return;
	for (i = 0; i < n; i++) {
		Dwarf_Line *l = dwarf_onesrcline(lines, i);
		const char *path = dwarf_linesrc(l, NULL, NULL);
		Dwarf_Addr address;
		bool begins, ends;
		int line, column;

		if (!path || !file_fits(s->file, path))
			continue;
		s->file_seen = true;
		if (dwarf_lineno(l, &line) || dwarf_linecol(l, &column) || dwarf_lineaddr(l, &address) ||
		    dwarf_linebeginstatement(l, &begins) || dwarf_lineendsequence(l, &ends) || !begins || ends)
			continue;
		if ((uint32_t)line > s->line && (!s->nearest || (uint32_t)line < s->nearest))
			s->nearest = (uint32_t)line;
		if ((uint32_t)line == s->line && (!s->column || (uint32_t)column == s->column))
			note_place(s, unit, address);
	}
}

static const char *answer_places(struct dwarf_file *f, const struct dwarf_request *r, struct str file, struct strbuf *out)
{
	struct place_search *s = NEW(out->arena, struct place_search);
	Dwarf_CU *unit = NULL;
	Dwarf_Die die, split;
	int i;

	*s = (struct place_search){.f = f, .file = file, .line = r->line, .column = r->column};
	while (!dwarf_get_units(f->dw, unit, &unit, NULL, NULL, &die, &split))
		search_unit(s, &die);
	for (i = 0; i < s->n; i++)
		strbuf_add(out, (struct str){(const char *)&s->places[i].address, 8});
	if (s->n)
		return NULL;
	if (!s->file_seen)
		return arena_printf(out->arena, "no source file '%.*s' was compiled into it", STR_ARG(file));
	if (s->nearest)
		return arena_printf(out->arena, "no code begins at line %u%s of '%.*s'; the next line that has code is %u", r->line,
				    r->column ? " and that column" : "", STR_ARG(file), s->nearest);
	return arena_printf(out->arena, "no code begins at line %u of '%.*s'", r->line, STR_ARG(file));
}

static void put_text(struct strbuf *out, struct str text)
{
	uint32_t n = text.n > DWARF_MAX_TEXT ? DWARF_MAX_TEXT : (uint32_t)text.n;

	strbuf_add(out, (struct str){(const char *)&n, sizeof(n)});
	strbuf_add(out, str_sub(text, 0, n));
}

static void put_frame(struct strbuf *out, struct str function, struct str file, uint32_t line)
{
	put_text(out, function);
	put_text(out, file);
	strbuf_add(out, (struct str){(const char *)&line, sizeof(line)});
}

/* A file of a unit's list, as DW_AT_call_file numbers them. */
static struct str file_number(Dwarf_Die *unit, uint64_t number)
{
	Dwarf_Files *files;
	size_t n;

	if (dwarf_getsrcfiles(unit, &files, &n) || number >= n)
		return STR("");
	return str_of(dwarf_filesrc(files, number, NULL, NULL));
}

static const char *answer_frames(struct dwarf_file *f, const struct dwarf_request *r, struct strbuf *out)
{
	struct dwarf_range *range = range_at(f, r->address);
	struct str file = STR("");
	uint32_t line = 0;
	Dwarf_Die unit, *scopes = NULL;
	Dwarf_Line *l;
	int number, n, i;

	if (!range || !unit_of(&range->die, &unit))
		return "not known";
	l = dwarf_getsrc_die(&unit, r->address);
	if (l && !dwarf_lineno(l, &number)) {
		file = str_of(dwarf_linesrc(l, NULL, NULL));
		line = (uint32_t)number;
	}
	n = scopes_at(&unit, r->address, &scopes);
	for (i = 0; i < n; i++) {
		uint64_t call_file = 0, call_line = 0;
		int tag = dwarf_tag(&scopes[i]);

		if (tag == DW_TAG_subprogram)
			break;
		if (tag != DW_TAG_inlined_subroutine)
			continue;
		put_frame(out, die_name(&scopes[i]), file, line);
		die_unsigned(&scopes[i], DW_AT_call_file, &call_file);
		die_unsigned(&scopes[i], DW_AT_call_line, &call_line);
		file = file_number(&unit, call_file);
		line = (uint32_t)call_line;
	}
	free(scopes);
	put_frame(out, STR(""), file, line);
	return NULL;
}

/* ---- files -------------------------------------------------------------------------------------------------------------------- */

static void forget_file(struct dwarf_file *f)
{
	if (f->cfi)
		dwarf_cfi_end(f->cfi);
	if (f->dw)
		dwarf_end(f->dw);
	if (f->elf)
		elf_end(f->elf);
	if (f->fd >= 0)
		close(f->fd);
	free(f->ranges);
	arena_free(f->arena);
	*f = (struct dwarf_file){.fd = -1};
}

Dwarf_CFI *dwarf_unwind_tables(struct dwarf_file *f)
{
	Elf *elf = f->dw ? dwarf_getelf(f->dw) : NULL;

	if (f->cfi_known)
		return f->cfi;
	f->cfi_known = true;
	if (!elf)
		elf = f->elf = elf_begin(f->fd, ELF_C_READ, NULL);
	f->cfi = elf ? dwarf_getcfi_elf(elf) : NULL;
	return f->cfi;
}

/* Takes `fd` over.  NULL: it cannot be looked at; it may have no debug information. */
static struct dwarf_file *file_of(struct dwarf_reader *r, int fd)
{
	struct dwarf_file *f, *oldest = &r->files[0];
	struct stat st;

	if (fstat(fd, &st)) {
		close(fd);
		return NULL;
	}
	for (f = r->files; f < r->files + MAX_FILES; f++) {
		if (f->fd >= 0 && f->dev == st.st_dev && f->ino == st.st_ino && f->size == (uint64_t)st.st_size &&
		    f->changed == (uint64_t)st.st_mtime) {
			close(fd);
			f->used = ++r->clock;
			return f;
		}
		if (f->used < oldest->used)
			oldest = f;
	}
	forget_file(oldest);
	*oldest = (struct dwarf_file){.fd = fd,
				      .dev = st.st_dev,
				      .ino = st.st_ino,
				      .size = (uint64_t)st.st_size,
				      .changed = (uint64_t)st.st_mtime,
				      .used = ++r->clock,
				      .arena = arena_new()};
	oldest->dw = dwarf_begin(fd, DWARF_C_READ);
	if (oldest->dw)
		index_functions(oldest);
	return oldest;
}

/* ---- serving ------------------------------------------------------------------------------------------------------------------- */

static bool read_all(int fd, void *to, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, (char *)to + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

static bool write_all(int fd, const void *from, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t w = send(fd, (const char *)from + done, n - done, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		done += (size_t)w;
	}
	return true;
}

/* A request and the files that come with it; the second may be missing (-1). */
static bool receive(int from, struct dwarf_request *request, char *text, int fds[2])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec part = {request, sizeof(*request)};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0 || !read_all(from, (char *)request + n, sizeof(*request) - (size_t)n))
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || request->text_size > DWARF_MAX_TEXT)
		return false;
	fds[1] = -1;
	memcpy(fds, CMSG_DATA(c), c->cmsg_len >= CMSG_LEN(2 * sizeof(int)) ? 2 * sizeof(int) : sizeof(int));
	return read_all(from, text, request->text_size);
}

const char *dwarf_reader_answer(struct dwarf_reader *r, const struct dwarf_request *request, struct str text, const int fds[2],
				struct strbuf *out)
{
	struct dwarf_file *f = file_of(r, fds[0]), *image = fds[1] < 0 ? NULL : file_of(r, fds[1]);

	if (!f || !f->dw)
		return "it has no debug information (DWARF)";
	switch ((enum dwarf_question)request->question) {
	case DWARF_ASK_FUNCTION:
		return answer_function(f, image ? image : f, request, out);
	case DWARF_ASK_PLACES:
		return answer_places(f, request, text, out);
	case DWARF_ASK_FRAMES:
		return answer_frames(f, request, out);
	case DWARF_ASK_TYPE:
		return answer_type(f, text, out);
	}
	return "no such question";
}

struct dwarf_reader *dwarf_reader_open(void)
{
	struct dwarf_reader *r = calloc(1, sizeof(*r));
	int i;

	for (i = 0; r && i < MAX_FILES; i++)
		r->files[i].fd = -1;
	return r;
}

void dwarf_reader_close(struct dwarf_reader *r)
{
	int i;

	for (i = 0; r && i < MAX_FILES; i++)
		forget_file(&r->files[i]);
	free(r);
}

_Noreturn void dwarf_serve(int fd)
{
	struct dwarf_reader *r = dwarf_reader_open();
	struct arena *scratch = arena_new();
	char text[DWARF_MAX_TEXT + 1];
	struct dwarf_request request;
	int files[2];

	while (r && receive(fd, &request, text, files)) {
		struct strbuf out = {.arena = scratch};
		const char *why = dwarf_reader_answer(r, &request, (struct str){text, request.text_size}, files, &out);
		struct str body = why ? str_of(why) : strbuf_str(&out);
		struct dwarf_reply reply = {.ok = !why, .size = (uint32_t)body.n};

		if (!write_all(fd, &reply, sizeof(reply)) || !write_all(fd, body.s, body.n))
			break;
		arena_reset(scratch);
	}
	_exit(0);
}
