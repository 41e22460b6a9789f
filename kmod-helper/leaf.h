/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The entry that maps a page in the tables of a process: where it is, and the lock that it has. A
 * pte_t stands for those of level 2, too, as in the kernel's code for hugetlb.
 */
#ifndef LEAF_H
#define LEAF_H

#include <linux/mm.h>

struct leaf {
	pte_t *at;
	spinlock_t *ptl;
};

struct leaf_place {
	struct mm_struct *mm;
	unsigned long va;
	unsigned int level;
};

/*
 * Locks the entry of @va at @level. mmap_lock is held for reading, and a VMA is there. -EAGAIN: the
 * tables have no such entry at this moment; at level 2, none that is present and maps a page.
 * Success ends with leaf_unlock(), which is to come soon: RCU is held, too.
 */
int leaf_lock(struct leaf *l, struct mm_struct *mm, unsigned long va, unsigned int level);
void leaf_unlock(const struct leaf *l);
/* The same of two entries at once, which may have one lock. Both end together. */
int leaf_lock_two(struct leaf l[2], const struct leaf_place p[2]);
void leaf_unlock_two(const struct leaf l[2]);

/*
 * Where the entry of level 2 is; NULL: there is no table for it. mmap_lock is held for reading and
 * a VMA is there, which keeps the tables above those of PTEs, or the caller knows otherwise that
 * they stay.
 */
pmd_t *leaf_pmd(struct mm_struct *mm, unsigned long va);

static inline unsigned long leaf_size(unsigned int level)
{
	return level == 2 ? PMD_SIZE : PAGE_SIZE;
}

#endif
