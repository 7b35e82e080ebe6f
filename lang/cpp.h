/* A small C preprocessor: definitions, conditionals and includes, for the C texts of a script (language.md 7).
 * It gives tokens; c_parse.c reads declarations from them.  Files are read through struct kernel only. */
#ifndef WT_CPP_H
#define WT_CPP_H

#include "lang/ast.h"
#include "lang/kernel.h"
#include "lang/source.h"
#include "lang/support/diag.h"
#include "lang/support/table.h"

/* C_PACK: a #pragma pack; its text is what stands in the parentheses. */
enum c_token_kind { C_END, C_NAME, C_NUMBER, C_CHAR, C_STRING, C_PUNCT, C_PACK };

struct c_macro;

/* Macros that a token came from and that it is not expanded by again. */
struct c_hidden {
	const struct c_macro *macro;
	const struct c_hidden *next;
};

struct c_token {
	enum c_token_kind kind;
	struct str text; /* as written */
	struct span span;
	bool line_start, space_before;
	bool foreign; /* from an included file: what is not understood there is skipped in silence */
	const struct c_hidden *hidden;
};

typedef VEC(struct c_token) c_tokens;

struct c_macro {
	struct str name;
	struct span span;
	bool function, variadic, foreign;
	VEC(struct str) params;
	c_tokens body;
};

struct cpp_options {
	struct str dir;			/* of the script, for #include "..." */
	const struct str *include_dirs; /* -I */
	int ninclude_dirs;
	bool kernel_headers; /* as in struct lang_options */
	const struct str *includes;	/* --include */
	int nincludes;
	bool have_btf; /* kernel headers that are not found are no error: their types come from BTF */
};

struct cpp {
	struct arena *arena;
	struct diag *diag;
	struct kernel *kernel;
	const struct cpp_options *opt;
	struct table macros;  /* name -> struct c_macro; NULL after #undef */
	struct table once;    /* files with #pragma once */
	struct table missing; /* headers left to BTF */
	c_tokens out;
	int depth;	      /* of includes */
	int budget;	      /* tokens that may still be made */
	bool too_large;	      /* it was used up, and that was said */
};

struct cpp *cpp_new(struct arena *a, struct kernel *k, const struct cpp_options *opt, struct diag *d);
/* Preprocess the C texts of a script, or one file; their tokens go to cpp->out. */
void cpp_read_script(struct cpp *p, const struct script *script);
void cpp_read(struct cpp *p, const struct source *source, bool foreign);
/* All macros in `tokens` expanded. */
c_tokens cpp_expand(struct cpp *p, const c_tokens *tokens);

/* cpp_lex.c: one token from `*at` on; C_END at `end`. */
struct c_token c_lex(const struct source *source, uint32_t *at, uint32_t end);
bool c_is(const struct c_token *t, const char *punct_or_name);

/* c_headers.c: text of a header that is always there, such as stdint.h; NULL when there is none of that name. */
const char *c_builtin_header(struct str name);

/*
 * c_headers.c: constants that scripts expect of a header of the C library or of the kernel's inside, which BTF does not have:
 * AF_INET of <sys/socket.h>, TASK_RUNNING of <linux/sched.h>. To be read behind the header where it is found, and instead of
 * it where not; each is defined only if nothing else did. NULL when there are none.
 */
const char *c_header_constants(struct str name);
const char *c_predefined(void);

#endif
