/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * An address space: a format, a root and the memory that the tables lie in. It stands for a
 * process, a guest, an EPT, an image alike; spaces compose (pt_mem_nested.h).
 */
#ifndef PT_SPACE_H
#define PT_SPACE_H

#include "pt_mem.h"
#include "pt_walk.h"

struct pt_space {
	const struct pt_fmt *fmt;
	pt_u64 root; /* CR3, EPTP, nCR3 or the top table's physical address */
	struct pt_mem *mem;
	/*
	 * Slot + 1 of the top table that holds the top table itself; 0: none. Then entries are read
	 * through that slot, and addresses given to ->mem are virtual ones.
	 */
	pt_u16 recursive;
};

/*
 * Virtual address of the entry of @level on the way to @ia, seen through the recursive slot
 * @slot of the top table: the slot takes the place of the upper indices.
 */
static __always_inline pt_u64 pt_recursive_addr(const struct pt_fmt *fmt, pt_u32 slot, pt_u64 ia,
						pt_u32 level)
{
	pt_u64 mask = fmt->va_bits == 64 ? ~(pt_u64)0 : PT_BIT(fmt->va_bits) - 1;
	pt_u64 va = (ia & mask) >> pt_level_shift(fmt, level) << fmt->entry_shift;
	pt_u32 i, unused = 64 - fmt->va_bits;

	for (i = 0; i < level; i++)
		va |= (pt_u64)slot << pt_level_shift(fmt, fmt->top - i);
	if (fmt->va_signed)
		va = (pt_u64)((__INT64_TYPE__)(va << unused) >> unused);
	return va;
}

/* Where to read the entry that the walk @w wants, in terms of ->mem. */
static __always_inline pt_u64 pt_space_addr(const struct pt_space *s, const struct pt_walk *w)
{
	if (__builtin_expect(!s->recursive, 1))
		return w->entry_pa;
	return pt_recursive_addr(s->fmt, s->recursive - 1U, w->ia, w->level);
}

/* A whole walk, entry by entry. ->addr is what ->mem was asked for. */
struct pt_path {
	struct pt_walk end; /* the last step; never PT_TABLE */
	pt_u8 top;	    /* entries at[top] down to at[end.level] were read, but see below */
	pt_u8 reads;	    /* how many: the last one is missing when end.why is UNREADABLE */
	struct {
		pt_u64 addr, entry;
	} at[PT_MAX_LEVEL + 1];
};

/* pt_walk_plain() at work: what it needs of space and memory, in registers. */
struct pt_plain {
	const struct pt_fmt *fmt;
	const pt_u8 *window;
	pt_u64 window_start, readable; /* so many of its offsets begin 8 bytes in the window */
	pt_u64 perm;		       /* bits that all entries had, but NX: that none had */
};

/* Reads and feeds the entry of @level, if it is in the window and plain; false if it is not. */
static __always_inline bool pt_plain_step(struct pt_plain *p, struct pt_walk *w,
					  struct pt_path *path, pt_u32 level)
{
	pt_u64 offset = w->entry_pa - p->window_start, entry;

	if (offset >= p->readable)
		return false;
	__builtin_memcpy(&entry, p->window + offset, 8);
	if ((entry & p->fmt->plain_mask[level]) != p->fmt->plain[level])
		return false;
	if (path) {
		path->at[level].addr = w->entry_pa;
		path->at[level].entry = entry;
	}
	p->perm &= entry ^ PT_NX;
	w->entry = entry;
	if (level == 1) {
		w->kind = PT_LEAF;
		w->pa = (entry & p->fmt->addr_mask) | (w->ia & 0xfff);
		return true;
	}
	w->level = (pt_u8)(level - 1);
	w->entry_pa = (entry & p->fmt->addr_mask) + (w->ia >> (12 + 9 * (level - 2)) & 511) * 8;
	return true;
}

/*
 * The short way through plain entries (pt_fmt.plain_mask) of 8 bytes in the memory's window: as
 * the stepper, with constants where it has variables. Where it stops the stepper goes on.
 */
static __always_inline void pt_walk_plain(struct pt_walk *w, const struct pt_space *s,
					  struct pt_path *path)
{
	struct pt_plain p = {
		.fmt = s->fmt,
		.window = s->mem->window,
		.window_start = s->mem->window_start,
		.readable = s->mem->window_len < 8 ? 0 : s->mem->window_len - 7,
		.perm = ~(pt_u64)0,
	};

	if (w->kind != PT_TABLE || s->recursive || s->fmt->entry_shift != 3)
		return;
	if ((w->level < 5 || pt_plain_step(&p, w, path, 5)) &&
	    (w->level < 4 || pt_plain_step(&p, w, path, 4)) && pt_plain_step(&p, w, path, 3) &&
	    pt_plain_step(&p, w, path, 2))
		pt_plain_step(&p, w, path, 1);
	w->perm = pt_entry_perm(s->fmt, 1, p.perm ^ PT_NX);
	if (path)
		path->reads = (pt_u8)(s->fmt->top - w->level + (w->kind == PT_LEAF));
}

/* Walks @ia; the answer, also for holes and bad entries, is @path. At most ->fmt->top reads. */
static __always_inline enum pt_kind pt_lookup(const struct pt_space *s, pt_u64 ia,
					      struct pt_path *path)
{
	struct pt_walk w;
	pt_u64 addr, entry;
	pt_u32 level;

	pt_walk_start(&w, s->fmt, s->root, ia);
	path->top = s->fmt->top;
	path->reads = 0;
	pt_walk_plain(&w, s, path);
	while (w.kind == PT_TABLE) {
		level = w.level;
		addr = pt_space_addr(s, &w);
		path->at[level].addr = addr;
		if (pt_mem_entry(s->mem, addr, s->fmt->entry_shift, &entry)) {
			path->at[level].entry = 0;
			pt_walk_fail(&w);
			break;
		}
		path->at[level].entry = entry;
		path->reads++;
		pt_walk_feed(&w, s->fmt, entry);
	}
	path->end = w;
	return (enum pt_kind)w.kind;
}

/*
 * Where @ia leads: 0 with *@pa, -ENOENT for a hole, -EFAULT for memory that cannot be read,
 * -EINVAL for a bad entry or address.
 */
static __always_inline int pt_translate(const struct pt_space *s, pt_u64 ia, pt_u64 *pa)
{
	struct pt_walk w;
	pt_u64 entry;

	pt_walk_start(&w, s->fmt, s->root, ia);
	pt_walk_plain(&w, s, NULL);
	while (w.kind == PT_TABLE) {
		if (pt_mem_entry(s->mem, pt_space_addr(s, &w), s->fmt->entry_shift, &entry))
			return -EFAULT;
		pt_walk_feed(&w, s->fmt, entry);
	}
	*pa = w.pa;
	if (w.kind == PT_LEAF)
		return 0;
	return w.kind == PT_HOLE ? -ENOENT : -EINVAL;
}

#endif
