/* The table of probe kinds, from the rows of probe_kinds.def.  Apart from probe_spec.c, so that the
 * manifest needs no parser. */
#include "lang/probe_spec.h"

#define PROBE_KIND(id_, name_, aliases_, family_, as_, shape_, argn_, retval_, func_, wild_,       \
		   reverse_, least_, most_, help_)                                                 \
	{.id = PROBE_##id_,                                                                        \
	 .name = name_,                                                                            \
	 .aliases = aliases_,                                                                      \
	 .family = CONTEXT_##family_,                                                              \
	 .as = AS_##as_,                                                                           \
	 .has_argn = argn_,                                                                        \
	 .has_retval = retval_,                                                                    \
	 .has_func = func_,                                                                        \
	 .wildcards = wild_,                                                                       \
	 .reverse = reverse_,                                                                      \
	 .help = help_},

static const struct probe_kind kinds[] = {
#include "lang/probe_kinds.def"
};

const struct probe_kind *probe_kind(enum probe_kind_id id)
{
	return &kinds[id];
}

static bool is_alias(struct str aliases, struct str name)
{
	while (aliases.n) {
		size_t n = str_find(aliases, ' ');

		if (str_eq(str_sub(aliases, 0, n), name))
			return true;
		aliases = str_sub(aliases, n + 1, aliases.n);
	}
	return false;
}

const struct probe_kind *probe_kind_by_name(struct str name)
{
	int i;

	for (i = 0; i < PROBE_KIND_COUNT; i++)
		if (str_is_nocase(name, kinds[i].name) ||
		    (name.n && is_alias(str_of(kinds[i].aliases), name)))
			return &kinds[i];
	return NULL;
}
