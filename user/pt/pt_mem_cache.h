/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * A cache in front of any memory: whole 4 KiB pages. Where a page cannot be read as a whole (an
 * image ends within it) reads pass through. It never invalidates by itself: what is under it may
 * have changed, and only the caller knows. Writes go through it.
 */
#ifndef PT_MEM_CACHE_H
#define PT_MEM_CACHE_H

#include "pt_mem.h"

struct pt_cache_line {
	pt_u64 page; /* address; ~0: empty */
	pt_u8 bytes[4096] __attribute__((aligned(8)));
};

/* For one thread at a time: a read may replace a line. */
struct pt_mem_cache {
	struct pt_mem mem;
	struct pt_mem *under;
	struct pt_cache_line *lines;
	pt_u32 mask;	     /* lines - 1 */
	pt_u64 hits, misses; /* of reads, each page that one touches for itself */
};

/*
 * @lines, @nr of them (a power of two), are the caller's and must outlive the cache, as must
 * @under. Direct-mapped by page number. A flush goes on to @under and forgets its range here, too:
 * tables seen through a recursive slot lie at addresses that tables translate. -EINVAL: @nr is no
 * power of two.
 */
int pt_mem_cache_init(struct pt_mem_cache *cache, struct pt_mem *under, struct pt_cache_line *lines,
		      pt_u32 nr);

/* Forgets the pages that [@start, @last] touches; 0 and ~0 forget all. */
void pt_mem_cache_invalidate(struct pt_mem_cache *cache, pt_u64 start, pt_u64 last);

#endif
