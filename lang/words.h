/* What the text side must know of builtin names: which can be no type, no parameter, no macro. */
#ifndef WT_WORDS_H
#define WT_WORDS_H

#include <stdbool.h>

#include "lang/support/str.h"

/* A row of builtins.def. */
bool word_is_builtin(struct str name);
/* A builtin that is a value without parentheses, so that `(pid) - 1` is a subtraction and sizeof(comm) asks for a value. */
bool word_is_value(struct str name);
/* The few builtins that nothing in a script can replace: args, pid, arg0 ... */
bool word_is_reserved(struct str name);

#endif
