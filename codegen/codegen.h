/* The door of code generation: checked program -> artefact. */
#ifndef WT_CODEGEN_H
#define WT_CODEGEN_H

#include "codegen/manifest.h"
#include "lang/program.h"

/* One BPF ELF object with BTF, BTF.ext (line info, CO-RE relocations) and the manifest in section .waketrace. */
struct artefact {
	struct str elf; /* owned by the compilation's arena */
};

/* What -d asks for; each is NULL or an empty buffer to be filled. */
struct codegen_dump {
	struct strbuf *ir, *ir_opt, *assembly, *manifest;
	bool verify; /* verify the module even in release builds */
};

/* NULL when something cannot be expressed on BPF (diagnostics say what).  `form`: 0 is the quick one; the next ones, up to
 * codegen_forms() - 1, are for programs that are too much for the verifier: as little stack and as few registers in use at a time as
 * can be, which is slower, and loops that the verifier walks turn by turn are cut earlier. */
const struct artefact *codegen_emit(struct arena *a, const struct program *p, int form, struct codegen_dump *dump, struct diag *d);
int codegen_forms(const struct program *p);

/* Version of the LLVM inside, as in "19.1.7". */
const char *codegen_llvm_version(struct arena *a);

#endif
