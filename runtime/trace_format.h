/* The format file of a tracepoint (tracefs: events/CATEGORY/EVENT/format), taken apart.  Pure text work; what the declarations
 * mean as types is in kernel_trace.c. */
#ifndef WT_TRACE_FORMAT_H
#define WT_TRACE_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "lang/support/arena.h"
#include "lang/support/str.h"
#include "lang/support/vec.h"

struct trace_field {
	struct str text;   /* the declaration as written: "char prev_comm[16]", "__data_loc char[] name" */
	struct str type;   /* without name, length and __data_loc: "const char *", "char" */
	struct str name;
	struct str length; /* between the brackets of an array: "16", "TASK_COMM_LEN", "" */
	bool is_array;
	bool data_loc;	/* __data_loc: u32, low 16 bits offset from the record's start, high 16 bits length */
	bool rel_loc;	/* __rel_loc: the same from the field's end */
	bool is_pointer;
	bool is_signed; /* as the file says; syscalls' fields are all called unsigned */
	bool common;	/* common_type ...: not for BPF */
	uint32_t offset, size; /* bytes */
};

struct trace_format {
	uint32_t id;
	VEC(struct trace_field) fields;
};

/* Texts point into `text`.  NULL when it is no format file. */
struct trace_format *trace_format_parse(struct arena *a, struct str text);

#endif
