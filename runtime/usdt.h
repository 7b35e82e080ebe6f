/* Static probes of user programs: notes of type stapsdt in ELF files (systemtap's sys/sdt.h). */
#ifndef WT_RUNTIME_USDT_H
#define WT_RUNTIME_USDT_H

#include "codegen/usdt.h"
#include "lang/support/vec.h"
#include "runtime/elf_image.h"

/* One place of a static probe; several may have the same name. */
struct usdt_note {
	struct str provider, name, args; /* args as written: "-4@%edi 8@16(%rbp)" */
	uint64_t offset;		 /* of the instruction in the file */
	uint64_t semaphore;		 /* offset in the file of the counter that switches the probe on; 0 none */
};
typedef VEC(struct usdt_note) usdt_list;

/* All notes of an image, in `a`.  Damaged ones are left out. */
void usdt_read(struct arena *a, const struct elf_image *e, usdt_list *out);
/* What variables are looked up in, and the linked address of the probe's place. */
struct usdt_scope {
	const struct elf_image *image;
	uint64_t address;
};

/* Take argument texts apart (x86_64).  False when one cannot be read (floating point) or understood: it is USDT_ARG_NONE, which reads as
 * 0.  `scope` NULL: no variables. */
bool usdt_parse_args(struct str text, const struct usdt_scope *scope, struct usdt_place *out);

#endif
