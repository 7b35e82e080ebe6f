/* What the files of the manifest library share. */
#ifndef WT_MANIFEST_INTERNAL_H
#define WT_MANIFEST_INTERNAL_H

#include "codegen/manifest.h"

enum {
	MANIFEST_HEADER = 32,		/* bytes before the payload */
	MANIFEST_BYTES_MAX = 64 << 20,	/* a whole manifest */
	MANIFEST_DEPTH_MAX = 32,	/* structs within structs */
	MANIFEST_SHAPE_MAX = 64 << 20,	/* bytes of one value */
	MANIFEST_LEAVES_MAX = 16 << 20, /* parts of one value, counted as they are printed */
	MANIFEST_CODE_MAX = 4096,	/* steps of one report expression */
};

/* Are all indexes, offsets and sizes of a decoded manifest within bounds?  Else *why says what is
 * wrong. */
bool manifest_check(struct arena *a, const struct manifest *m, const char **why);

#endif
