// SPDX-License-Identifier: GPL-2.0
/*
 * Guarded rewriting of one PTE.
 *
 * Why it is safe. The kernel tells MMU notifiers before it acts on a mapping: unmaps, write
 * protects, migrates, reclaims, copies, collapses it, or ends the process. The guard of an edit is
 * such a notifier; there it puts the original entry back and flushes, so that the kernel finds what
 * it knows. The few changes that it makes without a word (A and D bits, write access to a page that
 * is the process' own, the end of a PROT_NONE entry in do_numa_page()) leave the frame as it is,
 * and edit_restore() takes any entry with the expected frame for its own. An entry is never made
 * empty: the kernel would fill it with a page without asking.
 *
 * Both frames have a reference while the edit is active: neither is freed, nor, since reclaim and
 * migration count references, moved away under it.
 *
 * Locks: edit->lock, then the page table's. The guard takes no other, never sleeps, and is called
 * with neither held.
 */
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <asm/tlbflush.h>

#include "compat.h"
#include "edit.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define TRIES 16

static void flush_one_cpu(void *unused)
{
	__flush_tlb_all();
}

void flush_all_cpus(void)
{
	on_each_cpu(flush_one_cpu, NULL, 1);
}

static enum ptremap_cause cause_of(enum mmu_notifier_event event)
{
	switch (event) {
	case MMU_NOTIFY_UNMAP:
		return PTREMAP_CAUSE_UNMAP;
	case MMU_NOTIFY_CLEAR:
		return PTREMAP_CAUSE_CLEAR;
	case MMU_NOTIFY_PROTECTION_VMA:
	case MMU_NOTIFY_PROTECTION_PAGE:
		return PTREMAP_CAUSE_PROTECT;
	case MMU_NOTIFY_SOFT_DIRTY:
		return PTREMAP_CAUSE_SOFT_DIRTY;
	case MMU_NOTIFY_RELEASE:
		return PTREMAP_CAUSE_EXIT;
	case MMU_NOTIFY_MIGRATE:
		return PTREMAP_CAUSE_MIGRATE;
	default:
		return PTREMAP_CAUSE_OTHER;
	}
}

/* What the CPU, or the kernel for it, noted in the entry since: it is not lost with the edit. */
static pte_t carry_ad(pte_t entry, pte_t from)
{
	if (pte_young(from))
		entry = pte_mkyoung(entry);
	if (pte_dirty(from))
		entry = pte_mkdirty(entry);
	return entry;
}

/*
 * Puts @old into *@pte, with the A and D of what is there if @keep_ad; returns what was there. The
 * page table is locked, so that only the CPU's A and D come between.
 */
static pte_t put_back(pte_t *pte, pte_t old, bool keep_ad)
{
	pte_t seen = ptep_get(pte);
	pte_t want;

	do {
		want = keep_ad ? carry_ad(old, seen) : old;
	} while (!try_cmpxchg(&pte->pte, &seen.pte, want.pte));
	return seen;
}

/*
 * ->lock is held. Puts the original back, with A and D as they became if it is the same frame. The
 * page of a frame edit that was written to is marked dirty by edit_release(), from ->new.
 */
static void restore_locked(struct edit *e, enum ptremap_cause cause)
{
	bool same_frame = pte_pfn(e->old) == pte_pfn(e->new);
	pte_t now;

	spin_lock(e->ptl);
	now = ptep_get(e->pte);
	if (!pte_present(now) || pte_pfn(now) != pte_pfn(e->new)) {
		e->state = PTREMAP_LOST;
	} else {
		e->new = put_back(e->pte, e->old, same_frame);
		e->state = PTREMAP_TAKEN;
	}
	spin_unlock(e->ptl);
	e->cause = cause;
}

bool edit_restore(struct edit *e, enum ptremap_cause cause)
{
	bool active;

	spin_lock(&e->lock);
	active = e->state == PTREMAP_ACTIVE;
	if (active)
		restore_locked(e, cause);
	spin_unlock(&e->lock);
	if (active)
		trace_ptremap_restore(e->pid, e->va, pte_val(e->old), cause);
	return active;
}

/* Called before the kernel acts on a range that has the page in it. */
static bool guard_invalidate(struct mmu_interval_notifier *guard,
			     const struct mmu_notifier_range *range, unsigned long seq)
{
	struct edit *e = container_of(guard, struct edit, guard);

	spin_lock(&e->lock);
	mmu_interval_set_seq(guard, seq);
	spin_unlock(&e->lock);
	if (edit_restore(e, cause_of(range->event))) {
		flush_all_cpus();
		/* The pages are wanted back soon, and this may be reclaim: not from here. */
		schedule_work(&e->release_work);
	}
	return true;
}

static const struct mmu_interval_notifier_ops guard_ops = { .invalidate = guard_invalidate };

static void release_work(struct work_struct *work)
{
	edit_release(container_of(work, struct edit, release_work));
}

/* The guard has a reference to the mm of its own (mmgrab), until edit_release(). */
int edit_init(struct edit *e, const struct ptremap_item *item, pid_t pid, u64 va)
{
	int err;

	INIT_LIST_HEAD(&e->link);
	INIT_WORK(&e->release_work, release_work);
	spin_lock_init(&e->lock);
	e->item = *item;
	e->pid = pid;
	e->va = va;
	err = mmu_interval_notifier_insert(&e->guard, e->mm, va, PAGE_SIZE, &guard_ops);
	e->guarded = !err;
	return err;
}

/*
 * mmap_lock is held for reading. A reference to the page at @va, faulted in; *@writable if the
 * process may write to it through this page alone. A huge page's mapping is split into small ones.
 */
static int get_page_at(struct mm_struct *mm, unsigned long va, bool write, bool force,
		       struct page **page)
{
	unsigned int flags = FOLL_SPLIT_PMD | (write ? FOLL_WRITE : 0) | (force ? FOLL_FORCE : 0);
	struct vm_area_struct *vma = find_vma(mm, va);
	long nr;

	if (!vma || vma->vm_start > va)
		return -ENOENT;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP) || is_vm_hugetlb_page(vma))
		return -EOPNOTSUPP;
	nr = compat_get_page(mm, va, flags, page);
	if (nr == 1)
		return 0;
	return nr == -ENOMEM || nr == -EINTR ? nr : force ? -EROFS : -ENOENT;
}

/*
 * Copy-on-write pages: a page that is to become writable must be the process' own. So must the
 * page whose frame another process gets, if that one can write.
 */
static int hold_page(struct mm_struct *mm, unsigned long va, bool write, bool force,
		     struct page **page)
{
	int err;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	err = get_page_at(mm, va, write, force, page);
	mmap_read_unlock(mm);
	return err;
}

static int hold_source(struct edit *e, struct mm_struct *mm, unsigned long va)
{
	int err = hold_page(mm, va, true, false, &e->new_page);

	e->source_writable = !err;
	return err == -ENOENT ? hold_page(mm, va, false, false, &e->new_page) : err;
}

static int hold_fresh(struct edit *e)
{
	e->new_page = alloc_page(GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT);
	e->source_writable = true;
	return e->new_page ? 0 : -ENOMEM;
}

int edit_prepare(struct edit *e, struct mm_struct *other)
{
	bool own = e->item.what == PTREMAP_PROTECT && e->item.set & _PAGE_RW;
	int err;

	switch (e->item.what) {
	case PTREMAP_FRAME:
	case PTREMAP_SWAP:
		err = hold_source(e, other, e->item.other_va);
		break;
	case PTREMAP_FRESH:
		err = hold_fresh(e);
		break;
	default:
		err = 0;
	}
	return err ?: hold_page(e->mm, e->va, own, own, &e->old_page);
}

/* Finds and locks the PTE of @va. NULL: there is no table. mmap_lock is held for reading; the
 * table cannot be freed while ours is the lock on it, and RCU holds it until then (pte_offset_map()
 * in mm/pgtable-generic.c, which modules cannot call). */
static pte_t *lock_pte(struct mm_struct *mm, unsigned long va, spinlock_t **ptl)
{
	pgd_t *pgd = pgd_offset(mm, va);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd, seen;
	pte_t *pte;

	if (pgd_none(*pgd) || pgd_bad(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, va);
	if (p4d_none(*p4d) || p4d_bad(*p4d))
		return NULL;
	pud = pud_offset(p4d, va);
	if (pud_none(*pud) || pud_leaf(*pud) || pud_bad(*pud))
		return NULL;
	pmd = pmd_offset(pud, va);
	rcu_read_lock();
	seen = READ_ONCE(*pmd);
	if (pmd_none(seen) || !pmd_present(seen) || pmd_leaf(seen) || pmd_bad(seen))
		goto none;
	*ptl = pte_lockptr(mm, &seen);
	pte = pte_offset_kernel(&seen, va);
	spin_lock(*ptl);
	rcu_read_unlock();
	if (pmd_same(seen, READ_ONCE(*pmd)))
		return pte;
	spin_unlock(*ptl);
	return NULL;
none:
	rcu_read_unlock();
	return NULL;
}

static pte_t protect(pte_t pte, u64 set, u64 clear)
{
	/* W and D stand together in odd ways on CPUs with shadow stacks: the kernel's own way. */
	if (clear & _PAGE_RW)
		pte = pte_wrprotect(pte);
	if (clear & _PAGE_DIRTY)
		pte = pte_mkclean(pte);
	pte = __pte((pte_val(pte) & ~(clear & ~(u64)(_PAGE_RW | _PAGE_DIRTY))) |
		    (set & ~(u64)(_PAGE_RW | _PAGE_DIRTY)));
	if (set & _PAGE_DIRTY)
		pte = pte_mkdirty(pte);
	return set & _PAGE_RW ? compat_pte_mkwrite(pte) : pte;
}

/* As pte_modify() with PAGE_NONE does, whose masks modules cannot name. The frame's bits come out
 * inverted (arch/x86/include/asm/pgtable-invert.h). */
static pte_t protnone(pte_t pte)
{
	pteval_t keep = _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_PWT | _PAGE_PCD | _PAGE_PAT |
			_PAGE_SPECIAL | _PAGE_SOFT_DIRTY;

	return pfn_pte(pte_pfn(pte), __pgprot((pte_flags(pte) & keep) | _PAGE_PROTNONE));
}

static pte_t new_entry(const struct edit *e, pte_t old)
{
	pte_t pte;

	switch (e->item.what) {
	case PTREMAP_PROTECT:
		return protect(old, e->item.set, e->item.clear);
	case PTREMAP_TRAP:
		return protnone(old);
	default:
		/* Not special, as the zero page's entry was: there is a page behind it. */
		pte = pfn_pte(page_to_pfn(e->new_page),
			      __pgprot(pte_flags(old) & ~(pteval_t)_PAGE_SPECIAL));
		pte = pte_mkclean(pte);
		return e->source_writable ? pte : pte_wrprotect(pte);
	}
}

static bool differs(const struct edit *e, pte_t seen)
{
	return e->item.flags & PTREMAP_ITEM_EXPECT &&
	       (pte_val(seen) ^ e->item.expected) & ~(u64)(_PAGE_ACCESSED | _PAGE_DIRTY);
}

/* ->lock and the page table's are held. */
static int install_locked(struct edit *e, pte_t *pte, bool dry_run)
{
	pte_t seen = ptep_get(pte);

	if (!pte_present(seen) || pte_protnone(seen) || pte_pfn(seen) != page_to_pfn(e->old_page))
		return -EAGAIN;
	e->item.old = pte_val(seen);
	if (differs(e, seen))
		return -ESTALE;
	do {
		e->old = seen;
		e->new = new_entry(e, seen);
	} while (!dry_run && !try_cmpxchg(&pte->pte, &seen.pte, e->new.pte));
	e->item.old = pte_val(e->old);
	e->item.new = pte_val(e->new);
	if (dry_run)
		return 0;
	e->pte = pte;
	e->state = PTREMAP_ACTIVE;
	return 0;
}

/* mmap_lock is held for reading. */
static int try_install(struct edit *e, unsigned long seq, bool dry_run)
{
	spinlock_t *ptl;
	pte_t *pte;
	int err = -EAGAIN;

	spin_lock(&e->lock);
	if (mmu_interval_read_retry(&e->guard, seq))
		goto out;
	pte = lock_pte(e->mm, e->va, &ptl);
	if (!pte)
		goto out;
	e->ptl = ptl;
	err = install_locked(e, pte, dry_run);
	spin_unlock(ptl);
out:
	spin_unlock(&e->lock);
	return err;
}

/* The page that is there now instead of the one that was held. */
static int hold_again(struct edit *e)
{
	bool own = e->item.what == PTREMAP_PROTECT && e->item.set & _PAGE_RW;

	put_page(e->old_page);
	e->old_page = NULL;
	return hold_page(e->mm, e->va, own, own, &e->old_page);
}

int edit_install(struct edit *e, bool dry_run)
{
	unsigned long seq;
	int err = -EAGAIN, i;

	for (i = 0; i < TRIES && err == -EAGAIN; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		err = i ? hold_again(e) : 0;
		if (err)
			break;
		seq = mmu_interval_read_begin(&e->guard);
		if (mmap_read_lock_killable(e->mm))
			return -EINTR;
		err = try_install(e, seq, dry_run);
		mmap_read_unlock(e->mm);
	}
	if (!err && !dry_run)
		trace_ptremap_edit(e->pid, e->va, e->item.what, e->item.old, e->item.new);
	return err;
}

void edit_release(struct edit *e)
{
	if (test_and_set_bit(0, &e->released))
		return;
	if (e->guarded)
		mmu_interval_notifier_remove(&e->guard);
	if (e->new_page) {
		if (e->state && e->source_writable && pte_dirty(e->new))
			set_page_dirty_lock(e->new_page);
		put_page(e->new_page);
	}
	if (e->old_page && e->state != PTREMAP_LOST)
		put_page(e->old_page);
}
