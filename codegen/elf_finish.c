/* The last step on the object: LLVM's C interface can neither embed a script's text nor leave DWARF out, so both are done on the
 * bytes.  Everything else is copied as LLVM wrote it; what is not as LLVM writes it is our own mistake. */
#include <elf.h>

#include "codegen/elf_finish.h"
#include "lang/support/bug.h"
#include "lang/support/table.h"
#include "lang/support/vec.h"

#define STAND_IN "/dev/null/"

/* ---- .BTF and .BTF.ext (linux/btf.h, and Documentation/bpf/btf.rst) ---- */

struct btf_head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t head_size, types, types_size, strings, strings_size;
};

struct ext_head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t head_size, functions, functions_size, lines, lines_size;
};

struct ext_lines { /* of one section; the records follow */
	uint32_t section_name, count;
};

struct ext_line {
	uint32_t insn, file, text, line_column;
};

struct btf_texts {
	struct arena *arena;
	struct str old;	      /* LLVM's strings */
	struct strbuf more;   /* appended to them */
	struct table offsets; /* text -> offset + 1 */
	const struct source *const *sources;
	int nsources;
};

static uint32_t text_offset(struct btf_texts *t, struct str text)
{
	uintptr_t known = (uintptr_t)table_get(&t->offsets, text);
	uint32_t at = (uint32_t)(t->old.n + t->more.n);

	if (known)
		return (uint32_t)known - 1;
	strbuf_add(&t->more, text);
	strbuf_addc(&t->more, 0);
	table_put(&t->offsets, text, (void *)((uintptr_t)at + 1));
	return at;
}

/* The source behind a stand-in file name. */
static const struct source *source_of(const struct btf_texts *t, uint32_t name)
{
	size_t n = sizeof(STAND_IN) - 1;
	const char *text = name < t->old.n ? t->old.s + name : "";
	long number;

	if (strncmp(text, STAND_IN, n))
		return NULL;
	number = strtol(text + n, NULL, 10);
	return number >= 0 && number < t->nsources ? t->sources[number] : NULL;
}

static void finish_line(struct btf_texts *t, struct ext_line *l)
{
	enum { LONGEST = 256 };
	const struct source *s = source_of(t, l->file);
	struct str text;

	if (!s)
		return;
	text = str_sub(source_line(s, (int)(l->line_column >> 10)), 0, LONGEST);
	text = str_sub(text, 0, str_find(text, '\0'));
	l->file = text_offset(t, str_sub(s->name, 0, str_find(s->name, '\0')));
	l->text = text_offset(t, text);
}

static void finish_lines(struct btf_texts *t, char *ext, size_t size)
{
	const struct ext_head *h = (const struct ext_head *)ext;
	char *at = ext + h->head_size + h->lines, *end = at + h->lines_size;
	uint32_t record, i;

	if (end > ext + size || h->lines_size < 4)
		return;
	memcpy(&record, at, 4);
	at += 4;
	while (at + sizeof(struct ext_lines) <= end) {
		const struct ext_lines *section = (const struct ext_lines *)at;

		at += sizeof(*section);
		for (i = 0; i < section->count && at + record <= end; i++, at += record)
			finish_line(t, (struct ext_line *)at);
	}
}

/* ---- sections ---- */

struct section {
	Elf64_Shdr head;
	struct str name, bytes;
	uint32_t index; /* in the new file; 0: left out */
};

struct object {
	struct arena *arena;
	struct section *sections;
	uint32_t n;
	struct section *symbols;
	uint32_t *new_symbol; /* by old index; 0: left out */
};

static bool is_wanted(const struct section *s)
{
	/* DWARF, and relocations that only a linker would look at: libbpf goes by symbols. */
	return !str_starts(s->name, STR(".debug")) && !str_starts(s->name, STR(".rel.debug")) &&
	       !str_starts(s->name, STR(".rel.BTF"));
}

static void read_sections(struct object *o, struct str elf)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)elf.s;
	const Elf64_Shdr *heads;
	const char *names;
	uint32_t i, next = 1;

	if (elf.n < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) || h->e_shoff + h->e_shnum * sizeof(*heads) > elf.n)
		BUG("LLVM's object is no ELF file");
	heads = (const Elf64_Shdr *)(elf.s + h->e_shoff);
	names = elf.s + heads[h->e_shstrndx].sh_offset;
	o->n = h->e_shnum;
	o->sections = NEW_ARRAY(o->arena, struct section, o->n);
	for (i = 0; i < o->n; i++) {
		struct section *s = &o->sections[i];

		s->head = heads[i];
		s->name = str_of(names + heads[i].sh_name);
		s->bytes = (struct str){elf.s + heads[i].sh_offset, heads[i].sh_type == SHT_NOBITS ? 0 : heads[i].sh_size};
		if (i && is_wanted(s))
			s->index = next++;
		if (heads[i].sh_type == SHT_SYMTAB)
			o->symbols = s;
	}
}

static struct section *find(struct object *o, const char *name)
{
	uint32_t i;

	for (i = 1; i < o->n; i++)
		if (str_is(o->sections[i].name, name))
			return &o->sections[i];
	return NULL;
}

/* Symbols of sections that are left out go with them. */
static void renumber_symbols(struct object *o)
{
	struct section *s = o->symbols;
	const Elf64_Sym *old = (const Elf64_Sym *)s->bytes.s;
	uint32_t n = (uint32_t)(s->bytes.n / sizeof(*old)), i, kept = 0;
	Elf64_Sym *now = NEW_ARRAY(o->arena, Elf64_Sym, n);

	o->new_symbol = NEW_ARRAY(o->arena, uint32_t, n);
	for (i = 0; i < n; i++) {
		Elf64_Sym sym = old[i];

		if (i == s->head.sh_info) /* the first that is not local */
			s->head.sh_info = kept;
		if (sym.st_shndx != SHN_UNDEF && sym.st_shndx < o->n) {
			if (!o->sections[sym.st_shndx].index)
				continue;
			sym.st_shndx = (uint16_t)o->sections[sym.st_shndx].index;
		}
		o->new_symbol[i] = kept;
		now[kept++] = sym;
	}
	s->bytes = (struct str){(const char *)now, kept * sizeof(*now)};
}

static void renumber_relocations(struct object *o, struct section *s)
{
	uint32_t n = (uint32_t)(s->bytes.n / sizeof(Elf64_Rel)), i;
	Elf64_Rel *now = (Elf64_Rel *)(uintptr_t)str_copy(o->arena, s->bytes).s;

	for (i = 0; i < n; i++)
		now[i].r_info = ELF64_R_INFO((uint64_t)o->new_symbol[ELF64_R_SYM(now[i].r_info)], ELF64_R_TYPE(now[i].r_info));
	s->bytes.s = (const char *)now;
	s->head.sh_info = o->sections[s->head.sh_info].index;
}

static void finish_btf(struct object *o, const struct source *const *sources, int nsources)
{
	struct section *btf = find(o, ".BTF"), *ext = find(o, ".BTF.ext");
	struct btf_texts t = {.arena = o->arena, .sources = sources, .nsources = nsources};
	struct strbuf all = {.arena = o->arena};
	struct btf_head *h;
	char *lines;

	if (!btf || !ext)
		return;
	strbuf_add(&all, btf->bytes);
	h = (struct btf_head *)all.s;
	t.old = str_sub(btf->bytes, h->head_size + h->strings, h->strings_size);
	t.more.arena = t.offsets.arena = o->arena;
	lines = str_c(o->arena, ext->bytes);
	finish_lines(&t, lines, ext->bytes.n);
	h->strings_size += (uint32_t)t.more.n;
	strbuf_add(&all, strbuf_str(&t.more));
	btf->bytes = strbuf_str(&all);
	ext->bytes.s = lines;
}

static void pad(struct strbuf *out, uint64_t align)
{
	while (align > 1 && out->n % align)
		strbuf_addc(out, 0);
}

static struct str write_object(struct object *o, const Elf64_Ehdr *old)
{
	struct strbuf out = {.arena = o->arena};
	Elf64_Ehdr head = *old;
	Elf64_Shdr none = {0};
	uint32_t i;

	head.e_shnum = 1;
	strbuf_add(&out, (struct str){(const char *)&head, sizeof(head)});
	for (i = 1; i < o->n; i++) {
		struct section *s = &o->sections[i];

		if (!s->index)
			continue;
		head.e_shnum++;
		pad(&out, s->head.sh_addralign);
		s->head.sh_offset = out.n;
		if (s->head.sh_type != SHT_NOBITS)
			s->head.sh_size = s->bytes.n;
		s->head.sh_link = s->head.sh_link < o->n ? o->sections[s->head.sh_link].index : 0;
		strbuf_add(&out, s->bytes);
	}
	pad(&out, 8);
	head.e_shoff = out.n;
	head.e_shstrndx = (uint16_t)o->sections[old->e_shstrndx].index;
	strbuf_add(&out, (struct str){(const char *)&none, sizeof(none)});
	for (i = 1; i < o->n; i++)
		if (o->sections[i].index)
			strbuf_add(&out, (struct str){(const char *)&o->sections[i].head, sizeof(Elf64_Shdr)});
	memcpy(out.s, &head, sizeof(head));
	return strbuf_str(&out);
}

struct str elf_finish(struct arena *a, struct str elf, const struct source *const *sources, int nsources)
{
	struct object o = {.arena = a};
	uint32_t i;

	read_sections(&o, elf);
	if (!o.symbols)
		BUG("LLVM's object has no symbols");
	renumber_symbols(&o);
	for (i = 1; i < o.n; i++)
		if (o.sections[i].index && o.sections[i].head.sh_type == SHT_REL)
			renumber_relocations(&o, &o.sections[i]);
	finish_btf(&o, sources, nsources);
	return write_object(&o, (const Elf64_Ehdr *)elf.s);
}
