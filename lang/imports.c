/* Imports.  A script's items are appended to the importer's lists, imported ones first, so that their begin and end probes run
 * first; a header becomes one more C text. */
#include "lang/imports.h"

#include <errno.h>

#include "lang/parse.h"
#include "lang/support/table.h"

struct importer {
	struct arena *arena;
	struct kernel *kernel;
	struct diag *diag;
	struct script *into; /* gets everything, in order */
	struct table seen;   /* paths already read */
	bool in_blocks;	     /* imports inside of blocks count */
};

static void load_script(struct importer *m, const struct script *s, struct str dir);

/* ---- paths --------------------------------------------------------------------------------------------------------------- */

struct str path_dir(struct str path)
{
	while (path.n && path.s[path.n - 1] != '/')
		path.n--;
	while (path.n > 1 && path.s[path.n - 1] == '/')
		path.n--;
	return path;
}

/* Add one component; ".." takes the last one away. */
static void add_component(struct strbuf *out, size_t root, struct str part)
{
	size_t last = out->n;

	if (!part.n || str_is(part, "."))
		return;
	while (last > root && out->s[last - 1] != '/')
		last--;
	if (str_is(part, "..") && out->n > root && !str_is(str_sub(strbuf_str(out), last, SIZE_MAX), "..")) {
		out->n = last > root ? last - 1 : root;
		out->s[out->n] = '\0';
		return;
	}
	if (str_is(part, "..") && root)
		return; /* above / is / */
	if (out->n > root)
		strbuf_addc(out, '/');
	strbuf_add(out, part);
}

static void add_path(struct strbuf *out, size_t root, struct str path)
{
	while (path.n) {
		size_t n = str_find(path, '/');

		add_component(out, root, str_sub(path, 0, n));
		path = str_sub(path, n + 1, SIZE_MAX);
	}
}

struct str path_join(struct arena *a, struct str dir, struct str path)
{
	struct strbuf out = {.arena = a};
	bool absolute = path.n && path.s[0] == '/';
	struct str first = absolute || !dir.n ? path : dir;
	size_t root = first.n && first.s[0] == '/';

	if (root)
		strbuf_addc(&out, '/');
	add_path(&out, root, first);
	if (!absolute && dir.n)
		add_path(&out, root, path);
	if (!out.n)
		strbuf_addc(&out, '.');
	return strbuf_str(&out);
}

static bool is_shipped(struct str path)
{
	return str_starts(path, STR(SHIPPED_DIR));
}

/* ---- what is imported -------------------------------------------------------------------------------------------------------- */

/* The bytes of a file; NULL with *err set. */
static const struct source *read_source(struct importer *m, struct str path, int *err)
{
	size_t size = 0;
	char *bytes = m->kernel->read_file(m->kernel, m->arena, path, &size, err);

	return bytes ? source_new(m->arena, path, (struct str){bytes, size}) : NULL;
}

static void import_header(struct importer *m, const struct source *source)
{
	struct c_text c = {.text = source->text};

	c.span = (struct span){.source = source, .end = (uint32_t)source->text.n};
	VEC_PUSH(m->arena, &m->into->c_texts, c);
}

static void import_script(struct importer *m, const struct source *source, struct str path)
{
	struct script *s = parse_import(m->arena, source, m->diag);

	if (!s)
		return;
	if (s->has_config) {
		diag_add(m->diag, s->config_span, DIAG_IMPORT_CONFIG);
		diag_hint(m->diag, "settings belong into the script that is run");
	}
	load_script(m, s, path_dir(path));
}

static void import_file(struct importer *m, struct span span, struct str path, struct str written);

static bool is_importable(struct str path)
{
	return str_ends(path, STR(".bt")) || str_ends(path, STR(".wt")) || str_ends(path, STR(".h"));
}

static void import_directory(struct importer *m, struct span span, struct str path)
{
	struct str *names = NULL;
	int i, n = m->kernel->list_dir ? m->kernel->list_dir(m->kernel, m->arena, path, &names) : -ENOSYS;

	if (n == -EPERM) {
		diag_add(m->diag, span, DIAG_IMPORT_WRITABLE, STR_ARG(path));
		diag_hint(m->diag, "anybody could put a script there; chmod o-w makes it usable");
		return;
	}
	if (n < 0) {
		diag_add(m->diag, span, DIAG_IMPORT_MISSING, STR_ARG(path), strerror(-n));
		return;
	}
	for (i = 0; i < n; i++)
		if (is_importable(names[i]))
			import_file(m, span, path_join(m->arena, path, names[i]), names[i]);
}

static void import_file(struct importer *m, struct span span, struct str path, struct str written)
{
	const struct source *source;
	int err = 0;

	if (table_get(&m->seen, path))
		return;
	table_put(&m->seen, path, m);
	if (str_ends(path, STR(".bpf.c"))) {
		diag_add(m->diag, span, DIAG_IMPORT_BPF_C, STR_ARG(written));
		diag_hint(m->diag, "that needs a C compiler while tracing; a function can be written in the script: fn name($a : int64) : int64 { }");
		return;
	}
	source = read_source(m, path, &err);
	if (!source && err == EISDIR) {
		import_directory(m, span, path);
		return;
	}
	if (!is_importable(path)) {
		diag_add(m->diag, span, DIAG_IMPORT_TYPE, STR_ARG(written));
		diag_hint(m->diag, "scripts (.wt, .bt), headers (.h) and directories can be imported");
		return;
	}
	if (!source) {
		diag_add(m->diag, span, DIAG_IMPORT_MISSING, STR_ARG(written), strerror(err));
		diag_hint(m->diag, "looked for %.*s", STR_ARG(path));
		return;
	}
	if (str_ends(path, STR(".h")))
		import_header(m, source);
	else
		import_script(m, source, path);
}

/* Move the elements of one list behind those of another. */
#define APPEND(m, to, from)                                                                        \
	VEC_EACH (item_, from)                                                                     \
	VEC_PUSH((m)->arena, to, *item_)

/* What an import means: a file beside the script, else the shipped one of that name (a copy of a shipped script still finds its
 * library), and for a shipped script only a shipped one. */
static struct str import_path(struct importer *m, struct str dir, struct str written)
{
	struct str beside = path_join(m->arena, is_shipped(written) ? STR("") : dir, written), shipped;
	size_t size;
	int err = 0;

	if (is_shipped(written) || is_shipped(dir)) /* no way out by ".." */
		return is_shipped(beside) ? beside : str_printf(m->arena, SHIPPED_DIR "/%.*s", STR_ARG(written));
	if (m->kernel->read_file(m->kernel, m->arena, beside, &size, &err) || err != ENOENT)
		return beside;
	shipped = path_join(m->arena, STR(SHIPPED_DIR), written);
	return m->kernel->read_file(m->kernel, m->arena, shipped, &size, &err) ? shipped : beside;
}

static void load_imports(struct importer *m, const struct import_node *imports, int n, struct str dir)
{
	for (int i = 0; i < n; i++)
		import_file(m, imports[i].span, import_path(m, dir, imports[i].path), imports[i].path);
}

/* The imports of `s`, then its own items. */
static void load_script(struct importer *m, const struct script *s, struct str dir)
{
	load_imports(m, s->imports.at, s->imports.n, dir);
	if (m->in_blocks)
		load_imports(m, s->block_imports.at, s->block_imports.n, dir);
	APPEND(m, &m->into->c_texts, &s->c_texts);
	APPEND(m, &m->into->map_decls, &s->map_decls);
	APPEND(m, &m->into->macros, &s->macros);
	APPEND(m, &m->into->fns, &s->fns);
	APPEND(m, &m->into->probes, &s->probes);
}

bool imports_load(struct arena *a, struct script *s, struct kernel *k, struct str dir, bool in_blocks, struct diag *d)
{
	struct script all = {0};
	struct importer m = {.arena = a, .kernel = k, .diag = d, .into = &all, .seen.arena = a, .in_blocks = in_blocks};
	int errors = diag_errors(d);

	if (!s->imports.n && !(in_blocks && s->block_imports.n))
		return true;
	if (s->source)
		table_put(&m.seen, path_join(a, (struct str){0}, s->source->name), &m);
	load_script(&m, s, dir);
	memcpy(&s->c_texts, &all.c_texts, sizeof(all.c_texts));
	memcpy(&s->map_decls, &all.map_decls, sizeof(all.map_decls));
	memcpy(&s->macros, &all.macros, sizeof(all.macros));
	memcpy(&s->fns, &all.fns, sizeof(all.fns));
	memcpy(&s->probes, &all.probes, sizeof(all.probes));
	return diag_errors(d) == errors;
}
