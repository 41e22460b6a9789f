// SPDX-License-Identifier: GPL-2.0
/*
 * The window's entries. The kernel knows them as those of device memory: special, without a count
 * of any page. They are written here, not with vmf_insert_pfn(), because that cannot replace an
 * entry, and under a spin lock, so that the notifier that takes an entry away never waits.
 *
 * The window's tables stay while the mirror is not ->dead: they are freed by what unmaps the
 * window, and that tells the notifier first (mirror_host.c). Faults have mmap_lock as well.
 */
#include <linux/mm.h>
#include <linux/smp.h>
#include <asm/pgalloc.h>
#include <asm/tlbflush.h>

#include "compat.h"
#include "edit.h"
#include "leaf.h"
#include "mirror.h"

/* As pmd_install() of mm/memory.c, which modules cannot call: the kernel has made a table ready. */
bool leaf_table(struct vm_fault *vmf)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	spinlock_t *ptl = pmd_lock(mm, vmf->pmd);
	bool there;

	if (pmd_none(*vmf->pmd) && vmf->prealloc_pte) {
		mm_inc_nr_ptes(mm);
		smp_wmb(); /* its zeros are seen before it is: mm/memory.c, pmd_install() */
		pmd_populate(mm, vmf->pmd, vmf->prealloc_pte);
		vmf->prealloc_pte = NULL;
	}
	there = !pmd_none(*vmf->pmd) && !pmd_leaf(*vmf->pmd);
	spin_unlock(ptl);
	return there;
}

/* The table of PTEs for @va, or NULL. */
static pmd_t *small(struct mm_struct *mm, unsigned long va)
{
	pmd_t *pmd = leaf_pmd(mm, va);

	return pmd && !pmd_none(*pmd) && !pmd_leaf(*pmd) ? pmd : NULL;
}

void leaf_put(struct mirror *m, u32 slot, u64 pte)
{
	struct mm_struct *mm = m->map.mm;
	unsigned long va = slot_va(m, slot);
	pmd_t *pmd = small(mm, va);
	spinlock_t *ptl;

	if (!pmd)
		return;
	ptl = pte_lockptr(mm, pmd);
	spin_lock(ptl);
	set_pte(pte_offset_kernel(pmd, va), __pte(pte));
	spin_unlock(ptl);
	__set_bit(slot >> CHUNK_SHIFT, m->placed);
}

bool leaf_put_huge(struct vm_fault *vmf, u64 pte)
{
	struct mirror *m = container_of(vmf->vma->vm_private_data, struct mirror, map);
	u32 slot = page_slot(m, vmf->pgoff) & ~(HUGE_PAGES - 1);
	spinlock_t *ptl = pmd_lock(vmf->vma->vm_mm, vmf->pmd);
	bool huge;

	if (pmd_none(*vmf->pmd))
		set_pmd(vmf->pmd, compat_pmd_special(__pmd(pte)));
	huge = pmd_leaf(*vmf->pmd);
	spin_unlock(ptl);
	if (huge)
		__set_bit(slot >> CHUNK_SHIFT, m->placed);
	return huge;
}

/* @va to @end lie in one table. */
static bool clear_small(struct mm_struct *mm, pmd_t *pmd, unsigned long va, unsigned long end)
{
	spinlock_t *ptl = pte_lockptr(mm, pmd);
	pte_t *pte = pte_offset_kernel(pmd, va);
	bool cleared = false;

	spin_lock(ptl);
	for (; va < end; va += PAGE_SIZE, pte++) {
		if (pte_none(*pte))
			continue;
		pte_clear(mm, va, pte);
		cleared = true;
	}
	spin_unlock(ptl);
	return cleared;
}

static bool clear_huge(struct mm_struct *mm, pmd_t *pmd)
{
	spinlock_t *ptl = pmd_lock(mm, pmd);
	bool cleared = pmd_leaf(*pmd);

	if (cleared)
		pmd_clear(pmd);
	spin_unlock(ptl);
	return cleared;
}

bool leaf_clear(struct mirror *m, u32 slot, u32 nr)
{
	unsigned long from = slot_va(m, slot), va = max(from, m->map.req.va), next;
	unsigned long end = min(from + ((u64)nr << PAGE_SHIFT), m->map.req.va + m->map.req.len);
	struct mm_struct *mm = m->map.mm;
	bool cleared = false;
	pmd_t *pmd;

	if (m->dead)
		return false;
	for (; va < end; va = next) {
		next = pmd_addr_end(va, end);
		pmd = leaf_pmd(mm, va);
		if (!pmd || pmd_none(*pmd))
			continue;
		if (pmd_leaf(*pmd))
			cleared |= clear_huge(mm, pmd);
		else
			cleared |= clear_small(mm, pmd, va, next);
	}
	return cleared;
}

/* mmap_lock is held, and no invalidation of @va goes on: host_changed(). */
bool leaf_is_huge(struct mm_struct *mm, unsigned long va, unsigned long pfn, bool write)
{
	pmd_t *at = leaf_pmd(mm, va), pmd;

	if (!at)
		return false;
	pmd = READ_ONCE(*at);
	return pmd_present(pmd) && pmd_leaf(pmd) && !pmd_devmap(pmd) &&
	       pmd_pfn(pmd) + (va >> PAGE_SHIFT & (HUGE_PAGES - 1)) == pfn &&
	       (pmd_write(pmd) || !write);
}

static void flush_one_cpu(void *unused)
{
	__flush_tlb_all();
}

/*
 * arch/x86/mm/tlb.c: CPUs that run the process now, or would without loading CR3, are in its mask;
 * others compare the generation when they come to run it again (switch_mm_irqs_off()). Its
 * increment is inc_mm_tlb_gen(), which modules do not have. Interrupts are on.
 */
void leaf_flush(struct mirror *m)
{
	atomic64_inc_return(&m->map.mm->context.tlb_gen);
	on_each_cpu_mask(mm_cpumask(m->map.mm), flush_one_cpu, NULL, true);
}
