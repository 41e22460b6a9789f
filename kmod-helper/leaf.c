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

/*
 * RCU keeps the table from being freed until its lock is ours, which keeps it in its place
 * (pte_offset_map_lock() in mm/pgtable-generic.c, which modules cannot call).
 */
static int lock_pte(struct leaf *l, struct mm_struct *mm, pmd_t *pmd, unsigned long va)
{
	pmd_t seen = READ_ONCE(*pmd);

	if (pmd_none(seen) || !pmd_present(seen) || pmd_leaf(seen) || pmd_bad(seen))
		return -EAGAIN;
	l->ptl = pte_lockptr(mm, &seen);
	l->at = pte_offset_kernel(&seen, va);
	spin_lock(l->ptl);
	if (pmd_same(seen, READ_ONCE(*pmd))) {
		__release(l->ptl);
		return 0;
	}
	spin_unlock(l->ptl);
	return -EAGAIN;
}

/* The lock is that of huge_pte_lockptr() as well: where PMDs are shared (hugetlb), too. */
static int lock_pmd(struct leaf *l, struct mm_struct *mm, pmd_t *pmd)
{
	l->ptl = pmd_lock(mm, pmd);
	l->at = (pte_t *)pmd;
	if (pmd_present(*pmd) && pmd_leaf(*pmd)) {
		__release(l->ptl);
		return 0;
	}
	spin_unlock(l->ptl);
	return -EAGAIN;
}

int leaf_lock(struct leaf *l, struct mm_struct *mm, unsigned long va, unsigned int level)
{
	pmd_t *pmd = leaf_pmd(mm, va);
	int err;

	if (!pmd)
		return -EAGAIN;
	rcu_read_lock();
	err = level == 2 ? lock_pmd(l, mm, pmd) : lock_pte(l, mm, pmd, va);
	if (err)
		rcu_read_unlock();
	else
		__release(RCU);
	return err;
}

void leaf_unlock(const struct leaf *l)
{
	__acquire(RCU);
	__acquire(l->ptl);
	spin_unlock(l->ptl);
	rcu_read_unlock();
}
