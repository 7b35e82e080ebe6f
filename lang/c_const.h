/* Constant expressions of C: of #if, of array sizes, of enum values. */
#ifndef WT_C_CONST_H
#define WT_C_CONST_H

#include "lang/cpp.h"

struct c_type;

/* A place in a list of tokens; reading beyond the end gives C_END. */
struct c_cursor {
	const struct c_token *at, *end;
	int depth;
	/* What a name stands for; false: nothing constant.  NULL: every name is 0, as in #if. */
	bool (*name)(struct c_cursor *c, struct str name, int64_t *value);
	/* sizeof, behind the word; false: not understood.  NULL: there is none. */
	bool (*size_of)(struct c_cursor *c, int64_t *value);
	/* Take a type in parentheses that starts here (a cast); NULL: there is none. */
	const struct c_type *(*cast)(struct c_cursor *c);
	void *arg;
	bool is_unsigned; /* what c_const() gave */
};

const struct c_token *c_peek(const struct c_cursor *c);
bool c_take(struct c_cursor *c, const char *text);

/* The value of the longest expression here; false when there is none or it is not constant. */
bool c_const(struct c_cursor *c, int64_t *value);

/* A number or character token. */
bool c_number(struct str text, int64_t *value, bool *is_unsigned);

#endif
