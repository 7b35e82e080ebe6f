/* Names of builtins, from the rows of builtins.def. */
#include "lang/words.h"

/* arg0, sarg3 ... */
static bool is_numbered_arg(struct str name)
{
	if (str_starts(name, STR("s")))
		name = str_sub(name, 1, SIZE_MAX);
	if (!str_starts(name, STR("arg")) || name.n == 3)
		return false;
	for (size_t i = 3; i < name.n; i++)
		if (name.s[i] < '0' || name.s[i] > '9')
			return false;
	return true;
}

bool word_is_builtin(struct str name)
{
#define BUILTIN(row, ...)                                                                          \
	if (str_is(name, #row))                                                                    \
		return true;
#include "lang/builtins.def"
#undef BUILTIN
	return is_numbered_arg(name);
}

bool word_is_value(struct str name)
{
#define VAR true
#define VAR_FN true
#define FN false
#define BUILTIN(row, form, ...)                                                                    \
	if (form && str_is(name, #row))                                                            \
		return true;
#include "lang/builtins.def"
#undef BUILTIN
#undef VAR
#undef VAR_FN
#undef FN
	return is_numbered_arg(name);
}

bool word_is_reserved(struct str name)
{
	static const char *const words[] = {"args", "ctx", "kstack", "nsecs", "pid", "tid", "ustack"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_is(name, words[i]))
			return true;
	return is_numbered_arg(name);
}
