/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The stepper: one page-table walk as a state machine without I/O. It names the entry that it
 * needs (->entry_pa), the caller reads it by whatever means it has and feeds the value. No
 * function pointers, no loops: the same code is verified as BPF, linked into user space and
 * compiled into a kernel module.
 *
 *	pt_walk_start(&w, fmt, root, va);
 *	while (w.kind == PT_TABLE && read(w.entry_pa, &entry) == 0)
 *		pt_walk_feed(&w, fmt, entry);
 */
#ifndef PT_WALK_H
#define PT_WALK_H

#include "pt_fmt.h"

enum pt_kind {
	PT_TABLE, /* not at the end: ->entry_pa is wanted */
	PT_LEAF,  /* ->pa is where the address leads */
	PT_HOLE,  /* the entry of ->level is not present */
	PT_BAD,	  /* the walk cannot go on: see ->why */
};

/* Why a walk ended without a leaf. */
enum pt_why {
	PT_WHY_NONE,	     /* it did not */
	PT_WHY_NOT_PRESENT,  /* PT_HOLE */
	PT_WHY_NONCANONICAL, /* the input address itself; no entry was read */
	PT_WHY_RESERVED,     /* a reserved bit is set (in EPT: a misconfiguration) */
	PT_WHY_EPT_ACCESS,   /* EPT misconfiguration: access bits that may not stand together */
	PT_WHY_EPT_MEMTYPE,  /* EPT misconfiguration: memory type 2, 3 or 7 */
	PT_WHY_UNREADABLE,   /* the memory under the entry could not be read */
};

/* What all entries so far allow. PT_PERM_XU is PT_PERM_X unless mode-based execute is on. */
#define PT_PERM_R   1
#define PT_PERM_W   2
#define PT_PERM_X   4
#define PT_PERM_U   8  /* x86: user-mode accesses; EPT has no such bit, it is always set there */
#define PT_PERM_XU  16 /* EPT: instruction fetches from user-mode linear addresses */
#define PT_PERM_ALL 31

struct pt_walk {
	pt_u64 ia;	 /* the input address */
	pt_u64 entry_pa; /* physical address of the entry that is wanted, or was fed last */
	pt_u64 entry;	 /* value fed last */
	pt_u64 pa;	 /* output address; valid when kind is PT_LEAF */
	pt_u8 level;	 /* of the entry that is wanted, or was fed last; 0: paging is off */
	pt_u8 kind;	 /* enum pt_kind */
	pt_u8 why;	 /* enum pt_why */
	pt_u8 perm;	 /* PT_PERM_*, of the entries fed that were present and not bad */
};

/* PT_PERM_* that one present entry of @level leaves over. */
static __always_inline pt_u8 pt_entry_perm(const struct pt_fmt *fmt, pt_u32 level, pt_u64 entry)
{
	pt_u64 user_exec = fmt->feat.ept_mbec ? entry >> 10 & 1 : entry >> 2 & 1;

	if (fmt->ept)
		return (pt_u8)((entry & 7) | PT_PERM_U | user_exec << 4);
	if (fmt->free_levels >> level & 1)
		return PT_PERM_ALL;
	/* R/W and U/S lie at bits 1 and 2, NX at 63. */
	return (pt_u8)(PT_PERM_R | (entry & PT_RW) | (entry & PT_US) << 1 |
		       (entry & PT_NX ? 0 : PT_PERM_X | PT_PERM_XU));
}

/* Where a present @entry of @level leads: a page, or the next table. */
static __always_inline pt_u64 pt_entry_addr(const struct pt_fmt *fmt, pt_u32 level, pt_u64 entry,
					    int leaf)
{
	pt_u64 pa = entry & fmt->addr_mask;

	if (!leaf || level == 1)
		return pa;
	return (pa & ~(pt_level_size(fmt, level) - 1)) | (entry & fmt->pse36_mask) << 19;
}

static __always_inline int pt_entry_is_leaf(const struct pt_fmt *fmt, pt_u32 level, pt_u64 entry)
{
	return level == 1 || ((entry & PT_PS) && (fmt->leaf_levels >> level & 1));
}

/* PT_TABLE, PT_LEAF, PT_HOLE or PT_BAD, for one @entry of @level; @why may not be NULL. */
static __always_inline enum pt_kind pt_entry_kind(const struct pt_fmt *fmt, pt_u32 level,
						  pt_u64 entry, pt_u8 *why)
{
	int leaf = pt_entry_is_leaf(fmt, level, entry);

	*why = PT_WHY_NONE;
	if (!(entry & fmt->present))
		*why = PT_WHY_NOT_PRESENT;
	else if (entry & (leaf ? fmt->rsvd_leaf[level] : fmt->rsvd_table[level]))
		*why = PT_WHY_RESERVED;
	else if (fmt->bad_access >> pt_ept_access(entry) & 1)
		*why = PT_WHY_EPT_ACCESS;
	else if (leaf && fmt->bad_memtype >> (entry >> 3 & 7) & 1)
		*why = PT_WHY_EPT_MEMTYPE;
	else
		return leaf ? PT_LEAF : PT_TABLE;
	return *why == PT_WHY_NOT_PRESENT ? PT_HOLE : PT_BAD;
}

/*
 * @root: CR3, EPTP or nCR3, or the physical address of the top table; bits outside ->root_mask
 * (PCID, flags, the encryption bit) are ignored. Without paging the walk is at its end at once.
 */
static __always_inline void pt_walk_start(struct pt_walk *w, const struct pt_fmt *fmt, pt_u64 root,
					  pt_u64 ia)
{
	w->ia = ia;
	w->level = fmt->top;
	w->entry_pa = 0;
	w->entry = 0;
	w->pa = 0;
	w->kind = PT_TABLE;
	w->why = PT_WHY_NONE;
	w->perm = PT_PERM_ALL;
	if (!pt_canonical(fmt, ia)) {
		w->kind = PT_BAD;
		w->why = PT_WHY_NONCANONICAL;
	} else if (!fmt->top) {
		w->kind = PT_LEAF;
		w->pa = ia;
	} else {
		w->entry_pa = (root & fmt->root_mask) +
			      ((pt_u64)pt_index(fmt, ia, fmt->top) << fmt->entry_shift);
	}
}

/* Takes the value of ->entry_pa. Only to be called while ->kind is PT_TABLE. */
static __always_inline void pt_walk_feed(struct pt_walk *w, const struct pt_fmt *fmt, pt_u64 entry)
{
	pt_u64 offset;

	w->entry = entry;
	w->kind = (pt_u8)pt_entry_kind(fmt, w->level, entry, &w->why);
	if (w->kind > PT_LEAF)
		return;
	w->perm &= pt_entry_perm(fmt, w->level, entry);
	if (w->kind == PT_LEAF) {
		offset = pt_level_size(fmt, w->level) - 1;
		w->pa = pt_entry_addr(fmt, w->level, entry, 1) | (w->ia & offset);
		return;
	}
	w->level--;
	w->entry_pa = (entry & fmt->addr_mask) +
		      ((pt_u64)pt_index(fmt, w->ia, w->level) << fmt->entry_shift);
}

/* The entry at ->entry_pa could not be read: the walk ends here. */
static __always_inline void pt_walk_fail(struct pt_walk *w)
{
	w->kind = PT_BAD;
	w->why = PT_WHY_UNREADABLE;
}

#endif
