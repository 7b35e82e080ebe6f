/* Kernel types by pattern. */
#include "runtime/list_types.h"

#include <stdlib.h>

#include "runtime/machine.h"

struct found_type {
	struct str name;
	const struct btf_file *file;
	uint32_t id;
};

struct type_search {
	struct arena *a;
	struct str pattern;
	VEC(struct found_type) found;
};

static bool take_type(const struct btf_file *f, uint32_t id, const struct btf_type *t, struct str name, void *arg)
{
	struct type_search *s = arg;

	(void)t;
	if (name.n && str_match(s->pattern, name))
		VEC_PUSH(s->a, &s->found, (struct found_type){name, f, id});
	return true;
}

static int compare_type(const void *left, const void *right)
{
	const struct found_type *a = left, *b = right;
	int d = str_cmp(a->name, b->name);

	return d ? d : (a->id > b->id) - (a->id < b->id);
}

bool list_types(struct kernel *k, struct str pattern, bool details, struct arena *a, FILE *out)
{
	static const struct {
		const char *tag;
		uint32_t mask;
	} tags[] = {
		{"struct", BTF_MASK(BTF_KIND_STRUCT)},
		{"union", BTF_MASK(BTF_KIND_UNION)},
		{"enum", BTF_MASK_ENUM},
	};
	struct machine *m = machine_of(k);
	struct type_search s = {.a = a};
	size_t tag;
	int i;

	for (tag = 0; tag < 3; tag++)
		if (str_starts(pattern, str_of(tags[tag].tag)) && pattern.n > strlen(tags[tag].tag) &&
		    pattern.s[strlen(tags[tag].tag)] == ' ')
			break;
	if (tag == 3)
		return false;
	s.pattern = str_trim(str_sub(pattern, strlen(tags[tag].tag), pattern.n));
	machine_list_modules(m);
	for (i = -1; machine_btf(m) && i < m->modules.n; i++) {
		struct btf_file *f = i < 0 ? m->btf : machine_module_btf(m, m->modules.at[i].name);

		if (f)
			btf_each(f, tags[tag].mask, take_type, &s);
		if (i < 0 && s.found.n && !str_is_pattern(s.pattern))
			break; /* one name, found in the kernel itself */
	}
	if (s.found.n)
		qsort(s.found.at, (size_t)s.found.n, sizeof(*s.found.at), compare_type);
	for (i = 0; i < s.found.n; i++) {
		struct found_type *t = &s.found.at[i];

		if (i && str_eq(t->name, t[-1].name))
			continue;
		if (details) {
			struct strbuf b = {.arena = a};

			btf_print_definition(&b, t->file, t->id, 0);
			fprintf(out, "%.*s: %.*s;\n\n", STR_ARG(t->file->name), (int)b.n, b.s);
		} else {
			fprintf(out, "%s %.*s\n", tags[tag].tag, STR_ARG(t->name));
		}
	}
	return true;
}
