/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Page tables in a buffer: memory and allocator in one, for builders and tests. */
#ifndef PT_ARENA_H
#define PT_ARENA_H

#include "pt_mem.h"

/*
 * Every table has a page of its own, a PAE root too. Entries are exchanged atomically; allocating
 * and freeing is for one thread at a time.
 */
struct pt_arena {
	struct pt_mem mem;
	struct pt_alloc alloc;
	pt_u8 *bytes;
	pt_u64 base, size; /* addresses [base, base + size) lie in ->bytes */
	pt_u64 used;	   /* bytes of the buffer, from its start, that were ever handed out */
	pt_u64 free_list;  /* address of the first free page; 0: none (address 0 is never given) */
	pt_u64 live;	   /* bytes handed out and not given back, in whole pages */
	pt_u64 bad_frees; /* refused: no page of this arena, or free already. A bug of the caller */
};

/*
 * @buffer, aligned to 8 bytes, is the memory at the addresses from @base on, @size of them (both
 * multiples of 4096). With @allocate tables come from it, bottom up; otherwise its contents are
 * tables already, all of it counts as handed out, and only what is freed is given again.
 * The buffer stays the caller's and must outlive the arena. -EINVAL: misaligned, or wraps.
 */
int pt_arena_init(struct pt_arena *arena, void *buffer, pt_u64 base, pt_u64 size, bool allocate);

#endif
