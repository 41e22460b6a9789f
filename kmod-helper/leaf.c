// SPDX-License-Identifier: GPL-2.0
/*
 * Where leaves are; and why the guard (edit.c) holds for PMDs that map a huge page as well.
 *
 * Splits: __split_huge_pmd() tells the notifiers, for all of the huge page, before it looks at the
 * entry. So whoever acts on a part (munmap, mprotect, mremap, madvise, a copy on write) finds the
 * original. Whoever acts on the whole tells them as for PTEs. A guard covers the 2 MiB.
 *
 * Without a word come huge_pmd_set_accessed(), the reuse in do_huge_pmd_wp_page(),
 * do_huge_pmd_numa_page(), MADV_COLD and MADV_PAGEOUT, page_idle. They keep the frame; what they do
 * to the page that they find there, they do to one that is held. do_huge_pmd_wp_page() and
 * hugetlb_wp() reuse a page without asking whose it is: hence no frame that may only be read where
 * the process may write (new_frame() in edit.c).
 *
 * The page itself is not split, and so not swapped out, merged, or freed in part, while it has a
 * reference that no mapping accounts for (can_split_folio(), and once more when the count is
 * frozen), be it from the queue of deferred splits. This is true of the original, whose mapping is
 * counted though the entry leads elsewhere, and of the source, whose rmap does not know of ours.
 * page_vma_mapped_walk() compares frames. khugepaged leaves alone what a PMD maps already. The
 * table that was put by for a split belongs to the slot, not to the frame.
 *
 * hugetlb tells them in unmap_hugepage_range() (also for truncation and holes),
 * hugetlb_change_protection(), move_hugetlb_page_tables(), copy_hugetlb_page_range() (of shared
 * memory no entries are copied) and before a copy in hugetlb_wp(), which compares the entry again.
 * What it would take wrongly is refused: goes_together() in edit.c. A table that processes share
 * would show the edit to others, of which none has a guard: check_hugetlb() in hold.c. Truncation
 * looks for pages that were faulted in meanwhile by their frame (hugetlb_vma_maps_page()): one that
 * was edited in that moment, too, stays mapped, and is freed when the process unmaps it.
 */
#include <linux/mm.h>

#include "leaf.h"

pmd_t *leaf_pmd(struct mm_struct *mm, unsigned long va)
{
	pgd_t *pgd = pgd_offset(mm, va);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(*pgd) || pgd_bad(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, va);
	if (p4d_none(*p4d) || p4d_bad(*p4d))
		return NULL;
	pud = pud_offset(p4d, va);
	if (pud_none(*pud) || pud_leaf(*pud) || pud_bad(*pud))
		return NULL;
	return pmd_offset(pud, va);
}

/*
 * __release() and __acquire() are for sparse alone, which does not see that a lock stays held when
 * a function returns 0.
 */

/* A lock that @held has is held. Beside another one nobody waits: there is no order of them. */
static bool take(spinlock_t *ptl, const struct leaf *held)
{
	if (held && held->ptl == ptl)
		return true;
	if (!held)
		spin_lock(ptl);
	else if (!spin_trylock(ptl))
		return false;
	__release(ptl);
	return true;
}

static void give(spinlock_t *ptl, const struct leaf *held)
{
	if (held && held->ptl == ptl)
		return;
	__acquire(ptl);
	spin_unlock(ptl);
}

/*
 * RCU keeps the table from being freed until its lock is ours, which keeps it in its place
 * (pte_offset_map_lock() in mm/pgtable-generic.c, which modules cannot call).
 */
static int lock_pte(struct leaf *l, const struct leaf_place *p, pmd_t *pmd, const struct leaf *held)
{
	pmd_t seen = READ_ONCE(*pmd);

	if (pmd_none(seen) || !pmd_present(seen) || pmd_leaf(seen) || pmd_bad(seen))
		return -EAGAIN;
	l->ptl = pte_lockptr(p->mm, &seen);
	l->at = pte_offset_kernel(&seen, p->va);
	if (!take(l->ptl, held))
		return -EBUSY;
	if (pmd_same(seen, READ_ONCE(*pmd)))
		return 0;
	give(l->ptl, held);
	return -EAGAIN;
}

/* The lock is that of huge_pte_lockptr() as well: where PMDs are shared (hugetlb), too. */
static int lock_pmd(struct leaf *l, const struct leaf_place *p, pmd_t *pmd, const struct leaf *held)
{
	l->ptl = pmd_lockptr(p->mm, pmd);
	l->at = (pte_t *)pmd;
	if (!take(l->ptl, held))
		return -EBUSY;
	if (pmd_present(*pmd) && pmd_leaf(*pmd))
		return 0;
	give(l->ptl, held);
	return -EAGAIN;
}

/* -EBUSY: not to be had at this moment beside @held. */
static int lock_beside(struct leaf *l, const struct leaf_place *p, const struct leaf *held)
{
	pmd_t *pmd = leaf_pmd(p->mm, p->va);
	int err;

	if (!pmd)
		return -EAGAIN;
	rcu_read_lock();
	err = p->level == 2 ? lock_pmd(l, p, pmd, held) : lock_pte(l, p, pmd, held);
	if (err)
		rcu_read_unlock();
	else
		__release(RCU);
	return err;
}

int leaf_lock(struct leaf *l, struct mm_struct *mm, unsigned long va, unsigned int level)
{
	const struct leaf_place p = { .mm = mm, .va = va, .level = level };

	return lock_beside(l, &p, NULL);
}

int leaf_lock_two(struct leaf l[2], const struct leaf_place p[2])
{
	unsigned int first = 0;
	int err;

	/* Who did not get the second lock waits for that one, and holds nothing meanwhile. */
	for (;; first = !first) {
		err = lock_beside(&l[first], &p[first], NULL);
		if (err)
			return err;
		err = lock_beside(&l[!first], &p[!first], &l[first]);
		if (!err)
			return 0;
		leaf_unlock(&l[first]);
		if (err != -EBUSY)
			return err;
	}
}

void leaf_unlock_two(const struct leaf l[2])
{
	__acquire(RCU);
	give(l[1].ptl, &l[0]);
	rcu_read_unlock();
	leaf_unlock(&l[0]);
}

void leaf_unlock(const struct leaf *l)
{
	__acquire(RCU);
	__acquire(l->ptl);
	spin_unlock(l->ptl);
	rcu_read_unlock();
}
