/* SPDX-License-Identifier: GPL-2.0 */
/* Pages of processes: which may be changed, and references to them. */
#ifndef HOLD_H
#define HOLD_H

#include <linux/mm_types.h>
#include <linux/types.h>

/* What a page is wanted for. */
enum hold_use {
	HOLD_KEEP, /* its entry is going to be changed */
	HOLD_OWN,  /* the same, and the process is going to write to it: a copy of its own, even
		    * where its memory is read-only now */
	HOLD_LEND, /* another entry is going to lead to it */
};

struct held {
	struct page *page; /* a huge one's first */
	bool pinned; /* a fork of its process copies it at once: it stays the page that is there */
	bool writable; /* lent: whoever has it may write, as its process may */
};

/* -ENOENT, -EOPNOTSUPP: as in uapi/ptremap.h. mmap_lock is held for reading. */
int hold_check(struct vm_area_struct *vma, unsigned long va, unsigned int level);
/*
 * A reference to the page at @va, which is faulted in; it goes with hold_release(). @level 1: the
 * mapping of a huge page is split into small ones; 2: it is a huge page, and -ENOTBLK if none is
 * mapped there. The caller has a reference to @mm (mmget).
 */
int hold_leaf(struct mm_struct *mm, unsigned long va, unsigned int level, enum hold_use use,
	      struct held *h);

static inline int hold_page(struct mm_struct *mm, unsigned long va, enum hold_use use,
			    struct held *h)
{
	return hold_leaf(mm, va, 1, use, h);
}

/* A new page of zeros, for a leaf of @level. */
int hold_fresh(struct held *h, unsigned int level);
/* Sleeps if @dirtied, which says that it was written to. */
void hold_release(struct held *h, bool dirtied);
/*
 * Whoever looks at the memory of @mm through tables of its own (KVM, devices) forgets the page at
 * @va, which the caller holds: the next look finds what is there now. Sleeps. Nothing to do if @mm
 * has no users any more.
 */
void hold_tell_others(struct mm_struct *mm, unsigned long va, unsigned int level);

#endif
