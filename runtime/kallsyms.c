/* /proc/kallsyms as a sorted table.  Only names and addresses are kept. */
#include "runtime/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lang/support/str.h"

enum { CHUNK = 1 << 16 };

/* How far behind a symbol an address may lie and still be named after it.  What the kernel itself generates (modules
 * "__builtin__ftrace", "__builtin__kprobes") has a page for each. */
enum reach { REACH_DATA, REACH_CODE, REACH_PAGE };
static const uint64_t reaches[] = {[REACH_DATA] = 64 << 20, [REACH_CODE] = 1 << 20, [REACH_PAGE] = 4095};

struct symbol {
	uint64_t address;
	uint32_t name;
	enum reach reach;
};

struct kallsyms {
	struct symbol *at;
	size_t n, cap;
	char *names;
	size_t names_n, names_cap;
	bool sorted, failed;
};

static bool add(struct kallsyms *k, uint64_t address, enum reach reach, const char *name, size_t length)
{
	if (k->n == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 1 << 16;
		struct symbol *at = realloc(k->at, cap * sizeof(*at));

		if (!at)
			return false;
		k->at = at;
		k->cap = cap;
	}
	if (k->names_cap - k->names_n < length + 1) {
		size_t cap = k->names_cap ? k->names_cap * 2 : 1 << 20;
		char *names;

		while (cap - k->names_n < length + 1)
			cap *= 2;
		if (cap > UINT32_MAX)
			return false;
		names = realloc(k->names, cap);
		if (!names)
			return false;
		k->names = names;
		k->names_cap = cap;
	}
	if (k->n && address < k->at[k->n - 1].address)
		k->sorted = false;
	k->at[k->n++] = (struct symbol){address, (uint32_t)k->names_n, reach};
	memcpy(k->names + k->names_n, name, length);
	k->names[k->names_n + length] = '\0';
	k->names_n += length + 1;
	return true;
}

static enum reach reach_of(char type, struct str module)
{
	if (str_starts(module, STR("\t[__builtin__")))
		return REACH_PAGE;
	return (type | 32) == 't' || (type | 32) == 'w' ? REACH_CODE : REACH_DATA;
}

/* "ffffffff81000000 T name" or with "\t[module]" behind. */
static void parse_line(struct kallsyms *k, const char *line, const char *end)
{
	uint64_t address = 0;
	const char *p = line, *name;

	for (; p < end && *p != ' '; p++) {
		unsigned c = (unsigned char)*p, digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;

		if (digit > 15)
			return;
		address = address << 4 | digit;
	}
	/* Per-CPU symbols have small values, and without privileges all are 0. */
	if (end - p < 4 || p[2] != ' ' || address < 1ull << 63)
		return;
	name = p + 3;
	for (p = name; p < end && *p != '\t' && *p != ' '; p++)
		;
	if (p > name && !add(k, address, reach_of(name[-2], (struct str){p, (size_t)(end - p)}), name, (size_t)(p - name)))
		k->failed = true;
}

static int compare(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->name < b->name ? -1 : a->name > b->name; /* as listed: of aliases the kernel shows the first */
}

static struct kallsyms *table_new(void)
{
	struct kallsyms *k = calloc(1, sizeof(*k));

	if (!k)
		abort(); /* a few bytes: nothing works any more */
	k->sorted = true;
	return k;
}

static void finish(struct kallsyms *k)
{
	if (!k->sorted)
		qsort(k->at, k->n, sizeof(*k->at), compare);
	k->sorted = true;
}

struct kallsyms *kallsyms_parse(const char *text, size_t size)
{
	struct kallsyms *k = table_new();
	const char *end = text + size;

	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));

		parse_line(k, text, nl ? nl : end);
		text = nl ? nl + 1 : end;
	}
	finish(k);
	return k;
}

struct kallsyms *kallsyms_read(void)
{
	struct kallsyms *k = table_new();
	int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	char buf[CHUNK];
	size_t kept = 0;

	while (fd >= 0 && !k->failed) {
		ssize_t n = read(fd, buf + kept, sizeof(buf) - kept);
		char *line = buf, *end, *nl;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		end = buf + kept + n;
		while ((nl = memchr(line, '\n', (size_t)(end - line)))) {
			parse_line(k, line, nl);
			line = nl + 1;
		}
		kept = (size_t)(end - line);
		if (kept == sizeof(buf))
			kept = 0; /* no line is that long */
		memmove(buf, line, kept);
	}
	if (fd >= 0)
		close(fd);
	finish(k);
	return k;
}

void kallsyms_free(struct kallsyms *k)
{
	if (!k)
		return;
	free(k->at);
	free(k->names);
	free(k);
}

bool kallsyms_empty(const struct kallsyms *k)
{
	return !k->n;
}

/* Marks of the linker and of compilers, which say less than another name of the same address. */
static bool is_mark(const char *name)
{
	static const char *const begins[] = {"__start_", "__stop_", "__end_", "__begin_", "_stext", "_etext", "_sdata", "_edata",
					     "__func__.", "__key.", "__already_done.", "__UNIQUE_ID_", "__ksymtab_", "__pfx_", "__cfi_"};
	static const char *const ends[] = {"_start", "_begin", "_end"};
	size_t n = strlen(name), i;

	for (i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (name[0] == '_' && n > strlen(ends[i]) && !strcmp(name + n - strlen(ends[i]), ends[i]))
			return true;
	return false;
}

/* Of several names of one address the first, as the kernel lists them, that is not a mark. */
static const char *best_name(const struct kallsyms *k, size_t at)
{
	size_t first, i;

	for (first = at; first && k->at[first - 1].address == k->at[at].address;)
		first--;
	for (i = first; i <= at; i++)
		if (!is_mark(k->names + k->at[i].name))
			return k->names + k->at[i].name;
	return k->names + k->at[first].name;
}

const char *kallsyms_name(const struct kallsyms *k, uint64_t address, uint64_t *offset)
{
	size_t low = 0, high = k->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (k->at[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	low--;
	*offset = address - k->at[low].address;
	/* Sizes are not told: what is far behind the last symbol of a region belongs to nobody. */
	if (*offset > reaches[k->at[low].reach])
		return NULL;
	return best_name(k, low);
}
