/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The memory under page tables. A kind of memory is a structure that begins with struct pt_mem
 * and finds the rest of itself from it. Addresses are what the tables hold: physical ones, or
 * the guest-physical ones of a guest, or (pt_space.recursive) virtual ones.
 */
#ifndef PT_MEM_H
#define PT_MEM_H

#include "pt_os.h"
#include "pt_types.h"

struct pt_mem;

struct pt_mem_ops {
	/*
	 * Reads @len bytes at @addr, all or nothing. 0, or -errno; -EFAULT: nothing is there. The
	 * core asks for aligned pieces that lie within one page.
	 */
	int (*read)(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len);
	/*
	 * Stores @new in the aligned entry of @size (4 or 8) bytes at @addr if it holds *@old, as
	 * one atomic step. 0; -EAGAIN: it holds another value, which is now *@old; or -errno.
	 * NULL: this memory is only read (-EROFS).
	 */
	int (*cmpxchg)(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new);
	/*
	 * Entries that translated input addresses @start to @last were changed: forget what was
	 * cached of them (TLBs, a software TLB). Called before a table that was taken out is given
	 * back. May be NULL.
	 */
	void (*flush)(struct pt_mem *mem, pt_u64 start, pt_u64 last);
};

struct pt_mem {
	const struct pt_mem_ops *ops;
	/*
	 * Addresses from ->window_start on, ->window_len of them, lie at ->window in this program's
	 * own memory and are read without a call. NULL and 0: none. Constant while in use.
	 */
	const pt_u8 *window;
	pt_u64 window_start;
	pt_u64 window_len;
};

static __always_inline int pt_mem_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	pt_u64 offset = addr - mem->window_start;

	if (offset < mem->window_len && len <= mem->window_len - offset) {
		__builtin_memcpy(buf, mem->window + offset, len);
		return 0;
	}
	return mem->ops->read(mem, addr, buf, len);
}

/* One entry of 1 << @shift (4 or 8) bytes, zero-extended. */
static __always_inline int pt_mem_entry(struct pt_mem *mem, pt_u64 addr, pt_u32 shift,
					pt_u64 *entry)
{
	pt_u32 half;
	int err;

	if (shift == 3)
		return pt_mem_read(mem, addr, entry, 8);
	err = pt_mem_read(mem, addr, &half, 4);
	*entry = err ? 0 : half;
	return err;
}

/* Table pages for pt_map() and pt_split(). */
struct pt_alloc {
	/*
	 * A zeroed, @bytes-aligned table of @bytes bytes (4096; PAE's root: 32) that the tables'
	 * memory can read and write; its address goes to *@addr. 0 or -ENOMEM.
	 */
	int (*alloc)(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 *addr);
	/* Takes it back; nothing refers to it any more, flushed. */
	void (*free)(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 addr);
};

#endif
