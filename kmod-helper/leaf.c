// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>

#include "leaf.h"

/* mmap_lock is held for reading and a VMA is there, which keeps the tables above those of PTEs. */
static pmd_t *find_pmd(struct mm_struct *mm, unsigned long va)
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
	if (pmd_same(seen, READ_ONCE(*pmd)))
		return 0;
	spin_unlock(l->ptl);
	return -EAGAIN;
}

/* The lock is that of huge_pte_lockptr() as well: where PMDs are shared (hugetlb), too. */
static int lock_pmd(struct leaf *l, struct mm_struct *mm, pmd_t *pmd)
{
	l->ptl = pmd_lock(mm, pmd);
	l->at = (pte_t *)pmd;
	if (pmd_present(*pmd) && pmd_leaf(*pmd))
		return 0;
	spin_unlock(l->ptl);
	return -EAGAIN;
}

int leaf_lock(struct leaf *l, struct mm_struct *mm, unsigned long va, unsigned int level)
{
	pmd_t *pmd = find_pmd(mm, va);
	int err;

	if (!pmd)
		return -EAGAIN;
	rcu_read_lock();
	err = level == 2 ? lock_pmd(l, mm, pmd) : lock_pte(l, mm, pmd, va);
	if (err)
		rcu_read_unlock();
	return err;
}

void leaf_unlock(const struct leaf *l)
{
	spin_unlock(l->ptl);
	rcu_read_unlock();
}
