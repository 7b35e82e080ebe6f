/* Names of the kernel's allocation flags for %gr.  The bits up to 22 have been the same from 5.10 to 7.x; what came later
 * differs between configurations and is shown as a number. */
#include "runtime/text.h"

#include <stdio.h>

enum {
	GFP_DMA_BIT = 1 << 0, HIGHMEM = 1 << 1, DMA32 = 1 << 2, MOVABLE = 1 << 3, RECLAIMABLE = 1 << 4, HIGH = 1 << 5,
	IO = 1 << 6, FS = 1 << 7, ZERO = 1 << 8, ATOMIC = 1 << 9, DIRECT_RECLAIM = 1 << 10, KSWAPD_RECLAIM = 1 << 11,
	WRITE = 1 << 12, NOWARN = 1 << 13, RETRY_MAYFAIL = 1 << 14, NOFAIL = 1 << 15, NORETRY = 1 << 16, MEMALLOC = 1 << 17,
	COMP = 1 << 18, NOMEMALLOC = 1 << 19, HARDWALL = 1 << 20, THISNODE = 1 << 21, ACCOUNT = 1 << 22,
	RECLAIM = DIRECT_RECLAIM | KSWAPD_RECLAIM,
	KERNEL = RECLAIM | IO | FS,
	USER = KERNEL | HARDWALL,
	HIGHUSER = USER | HIGHMEM,
	HIGHUSER_MOVABLE = HIGHUSER | MOVABLE,
	TRANSHUGE_LIGHT = (HIGHUSER_MOVABLE | COMP | NOMEMALLOC | NOWARN) & ~RECLAIM,
};

/* Composites first, the longest of them before their parts. */
static const struct {
	uint64_t bits;
	const char *name;
} flags_by_size[] = {
	{TRANSHUGE_LIGHT | DIRECT_RECLAIM, "GFP_TRANSHUGE"},
	{TRANSHUGE_LIGHT, "GFP_TRANSHUGE_LIGHT"},
	{HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE"},
	{HIGHUSER, "GFP_HIGHUSER"},
	{USER, "GFP_USER"},
	{KERNEL | ACCOUNT, "GFP_KERNEL_ACCOUNT"},
	{KERNEL, "GFP_KERNEL"},
	{RECLAIM | IO, "GFP_NOFS"},
	{HIGH | ATOMIC | KSWAPD_RECLAIM, "GFP_ATOMIC"},
	{HIGH | KSWAPD_RECLAIM, "GFP_ATOMIC"}, /* from 6.4 on without a bit of its own */
	{RECLAIM, "GFP_NOIO"},
	{KSWAPD_RECLAIM, "GFP_NOWAIT"},
	{GFP_DMA_BIT, "GFP_DMA"},
	{DMA32, "GFP_DMA32"},
	{HIGHMEM, "__GFP_HIGHMEM"},
	{MOVABLE, "__GFP_MOVABLE"},
	{RECLAIMABLE, "__GFP_RECLAIMABLE"},
	{HIGH, "__GFP_HIGH"},
	{IO, "__GFP_IO"},
	{FS, "__GFP_FS"},
	{ZERO, "__GFP_ZERO"},
	{ATOMIC, "__GFP_ATOMIC"},
	{DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM"},
	{WRITE, "__GFP_WRITE"},
	{NOWARN, "__GFP_NOWARN"},
	{RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL"},
	{NOFAIL, "__GFP_NOFAIL"},
	{NORETRY, "__GFP_NORETRY"},
	{MEMALLOC, "__GFP_MEMALLOC"},
	{COMP, "__GFP_COMP"},
	{NOMEMALLOC, "__GFP_NOMEMALLOC"},
	{HARDWALL, "__GFP_HARDWALL"},
	{THISNODE, "__GFP_THISNODE"},
	{ACCOUNT, "__GFP_ACCOUNT"},
};

void text_gfp(struct strbuf *out, uint64_t flags)
{
	const char *bar = "";
	size_t i;

	for (i = 0; i < sizeof(flags_by_size) / sizeof(*flags_by_size); i++) {
		if ((flags & flags_by_size[i].bits) != flags_by_size[i].bits)
			continue;
		strbuf_printf(out, "%s%s", bar, flags_by_size[i].name);
		flags &= ~flags_by_size[i].bits;
		bar = "|";
	}
	if (flags || !*bar)
		strbuf_printf(out, flags ? "%s0x%llx" : "%s%llu", bar, (unsigned long long)flags);
}
