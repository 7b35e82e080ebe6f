/* Making event records, for the files that send events of their own form. */
#ifndef WT_EMIT_EVENT_H
#define WT_EMIT_EVENT_H

#include "codegen/emit_text.h"

/* Add an event to the manifest, with the place of the call; returns its id. */
int event_add(struct emit *e, const struct expr *call, struct manifest_event event);
/* Say at record + offset that a text lies at record + tail (i64). */
void event_put_text(struct emit *e, LLVMValueRef record, uint32_t offset, LLVMValueRef tail, struct text t);
/* Fill the header of a record in scratch memory and send its `size` (i64, bounded) bytes. */
void event_output(struct emit *e, const struct expr *call, int id, LLVMValueRef record, LLVMValueRef size);
/* emit_seq.c: is this the program of a pinned iterator, whose text is read from a file? */
bool seq_wanted(struct emit *e);
struct value seq_printf(struct emit *e, const struct expr *call);
/* Say that this kind of output cannot go there. */
struct value seq_refuse(struct emit *e, const struct expr *call);
/* Is the map taken out while it is printed, by print(@m); clear(@m) in some probe?  Then it has a twin (manifest.h). */
bool event_drains(struct emit *e, const struct map *map);

#endif
