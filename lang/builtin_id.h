/* Ids of builtin functions and variables, one per row of builtins.def. */
#ifndef WT_BUILTIN_ID_H
#define WT_BUILTIN_ID_H

enum builtin_id {
	BUILTIN_NONE,
#define BUILTIN(name, ...) BUILTIN_##name,
#include "lang/builtins.def"
#undef BUILTIN
	BUILTIN_ID_COUNT
};

#endif
