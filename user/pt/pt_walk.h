/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The stepper: one page-table walk as a state machine without I/O. It names the entry that it
 * needs (->entry_pa), the caller reads it by whatever means it has and feeds the value. No
 * function pointers, no loops: the same code is verified as BPF and linked into user space.
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
	PT_BAD,	  /* the entry of ->level has reserved bits set, or the address is not canonical */
};

struct pt_walk {
	pt_u64 ia;	 /* the input address (va) */
	pt_u64 entry_pa; /* physical address of the entry that is wanted, or was fed last */
	pt_u64 entry;	 /* value fed last */
	pt_u64 pa;	 /* output address; valid when kind is PT_LEAF */
	pt_u8 level;	 /* level of the entry that is wanted, or was fed last */
	pt_u8 kind;	 /* enum pt_kind */
};

/*
 * @root: physical address of the top table; bits outside ->addr_mask (PCID, flags of CR3, the
 * encryption bit) are ignored.
 */
static __always_inline void pt_walk_start(struct pt_walk *w, const struct pt_fmt *fmt, pt_u64 root,
					  pt_u64 ia)
{
	w->ia = ia;
	w->level = fmt->top;
	w->entry_pa = (root & fmt->addr_mask) + 8 * (pt_u64)pt_index(ia, fmt->top);
	w->entry = 0;
	w->pa = 0;
	w->kind = pt_canonical(fmt, ia) ? PT_TABLE : PT_BAD;
}

/* Takes the value of ->entry_pa. Only to be called while ->kind is PT_TABLE. */
static __always_inline void pt_walk_feed(struct pt_walk *w, const struct pt_fmt *fmt, pt_u64 entry)
{
	pt_u64 offset = pt_level_size(w->level) - 1;
	int leaf = w->level == 1 || ((entry & PT_PS) && (fmt->leaf_levels >> w->level & 1));

	w->entry = entry;
	if (!(entry & PT_P)) {
		w->kind = PT_HOLE;
		return;
	}
	if (entry & (leaf ? fmt->rsvd_leaf[w->level] : fmt->rsvd_table[w->level])) {
		w->kind = PT_BAD;
		return;
	}
	if (leaf) {
		w->kind = PT_LEAF;
		w->pa = (entry & fmt->addr_mask & ~offset) | (w->ia & offset);
		return;
	}
	w->level--;
	w->entry_pa = (entry & fmt->addr_mask) + 8 * (pt_u64)pt_index(w->ia, w->level);
}

#endif
