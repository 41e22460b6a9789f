// SPDX-License-Identifier: GPL-2.0
/*
 * Making an edit, whose header comment (edit.c) says why it is safe. The halves of a swap are made
 * together: both entries are written with both page tables locked, while no vCPU has either page.
 * So a guest sees both pages exchanged, or none.
 *
 * A rehearsal writes what an edit would write, and the original again, under the same locks. In
 * between the entry is PROT_NONE: a thread that meets it has a fault, which waits for the lock, and
 * finds the original; get_user_pages_fast() leaves it to such a fault. What CPUs have in their TLBs
 * is the original. So neither the guest nor its VMM can tell, but by the time that it takes, and
 * nothing is to be flushed for it but what KVM forgets.
 *
 * Locks: mmap_lock of both processes, then both edit->lock, by address, then the page tables'.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/userfaultfd_k.h>

#include "edit.h"
#include "entry.h"
#include "foreign.h"
#include "trace.h"

#define TRIES 16

/* An edit, or the two of a swap: what is made at once. */
struct making {
	struct edit *edit[2];
	unsigned int nr;
	unsigned long seq[2]; /* of its guard */
	struct vm_area_struct *vma[2];
	struct leaf leaf[2];
};

/* ---- the entry ------------------------------------------------------------------------------- */

/*
 * A page that may only be read must not become writable by the kernel's hand: it makes entries of
 * shared memory writable, and those that lead to anonymous pages which it knows as exclusive
 * (do_wp_page()). Of others it makes a copy, before which the guard is called; but not in each case
 * of huge ones (do_huge_pmd_wp_page(), hugetlb_wp()).
 */
static int new_frame(const struct edit *e, const struct vm_area_struct *vma, pte_t old, pte_t *new)
{
	bool may_write = vma->vm_flags & VM_WRITE;

	if (e->foreign)
		return foreign_entry(e, vma, old, new);
	if (may_write && !e->source.writable &&
	    (e->level == 2 || vma->vm_flags & VM_SHARED || PageAnon(e->source.page)))
		return -EROFS;
	*new = entry_frame(old, e->level, e->source.page,
			   may_write && e->source.writable && !pte_uffd_wp(old));
	return 0;
}

/*
 * W may be set where it is, or where the page is the process' own, which a fork ends (its file
 * system may end it, too): then the page is held again. D stands for a write, which needs W.
 */
static int new_protection(const struct edit *e, pte_t old, pte_t *new)
{
	struct page *page = e->old.page;

	if (e->item.set & _PAGE_RW && !pte_write(old) &&
	    !(PageAnon(page) && PageAnonExclusive(page)))
		return -EAGAIN;
	*new = entry_protect(old, e->item.set, e->item.clear);
	return e->item.set & _PAGE_DIRTY && !pte_write(*new) ? -EROFS : 0;
}

static int new_entry(const struct edit *e, const struct vm_area_struct *vma, pte_t old, pte_t *new)
{
	switch (e->item.what) {
	case PTREMAP_PROTECT:
		return new_protection(e, old, new);
	case PTREMAP_TRAP:
		*new = entry_trap(old, e->level);
		return 0;
	default:
		return new_frame(e, vma, old, new);
	}
}

static bool differs(const struct edit *e, pte_t seen)
{
	return e->item.flags & PTREMAP_ITEM_EXPECT &&
	       (pte_val(seen) ^ e->item.expected) & ~(u64)(_PAGE_ACCESSED | _PAGE_DIRTY);
}

/* What is there, and what comes there. ->lock and the page table's are held. */
static int plan_entry(struct edit *e, const struct vm_area_struct *vma, pte_t seen)
{
	int err;

	if (!pte_present(seen) || pte_protnone(seen) ||
	    entry_pfn(seen, e->level) != page_to_pfn(e->old.page))
		return -EAGAIN;
	e->item.old = pte_val(seen);
	if (differs(e, seen))
		return -ESTALE;
	e->old_pte = seen;
	err = new_entry(e, vma, seen, &e->new_pte);
	if (!err)
		e->item.new = pte_val(e->new_pte);
	return err;
}

/* As planned. Meanwhile nobody but the CPU writes to it, which sets A and D. */
static void write_entry(struct edit *e, const struct vm_area_struct *vma, const struct leaf *leaf,
			bool hidden)
{
	pte_t seen = e->old_pte, new;

	do {
		plan_entry(e, vma, seen);
		new = hidden ? entry_trap(e->new_pte, e->level) : e->new_pte;
	} while (!try_cmpxchg(&leaf->at->pte, &seen.pte, new.pte));
}

/* ---- all that is made at once ---------------------------------------------------------------- */

static int plan_all(const struct making *m)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < m->nr && !err; i++)
		err = plan_entry(m->edit[i], m->vma[i], ptep_get(m->leaf[i].at));
	return err;
}

static void write_all(const struct making *m)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		write_entry(m->edit[i], m->vma[i], &m->leaf[i], false);
		m->edit[i]->leaf = m->leaf[i];
		m->edit[i]->state = PTREMAP_ACTIVE;
	}
}

/* Rehearsals that nr_hidden entries, and those of them that are over: for who takes no lock. */
static atomic_t nr_hidden = ATOMIC_INIT(0), nr_shown = ATOMIC_INIT(0);

bool rehearsal_none(unsigned int *seq)
{
	unsigned int over = atomic_read_acquire(&nr_shown);

	*seq = atomic_read_acquire(&nr_hidden);
	return *seq == over;
}

bool rehearsal_since(unsigned int seq)
{
	smp_rmb(); /* what was read of entries, before the count */
	return atomic_read(&nr_hidden) != seq;
}

/* CPUs do not write to entries that are PROT_NONE. */
static void write_and_back(const struct making *m)
{
	unsigned int i;

	atomic_inc(&nr_hidden);
	smp_mb__after_atomic(); /* the count before the entries: rehearsal_since() */
	for (i = 0; i < m->nr; i++)
		write_entry(m->edit[i], m->vma[i], &m->leaf[i], true);
	for (i = m->nr; i-- > 0;)
		WRITE_ONCE(m->leaf[i].at->pte, m->edit[i]->old_pte.pte);
	atomic_inc_return_release(&nr_shown);
}

static int lock_leaves(struct making *m)
{
	struct leaf_place at[2];
	unsigned int i;

	for (i = 0; i < m->nr; i++)
		at[i] = (struct leaf_place){ .mm = m->edit[i]->mm,
					     .va = m->edit[i]->va,
					     .level = m->edit[i]->level };
	if (m->nr == 2)
		return leaf_lock_two(m->leaf, at);
	return leaf_lock(m->leaf, at->mm, at->va, at->level);
}

static void unlock_leaves(const struct making *m)
{
	if (m->nr == 2)
		leaf_unlock_two(m->leaf);
	else
		leaf_unlock(m->leaf);
}

/* Every ->lock is held. */
static int install_locked(struct making *m, enum edit_how how)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < m->nr && !err; i++) {
		if (mmu_interval_read_retry(&m->edit[i]->guard, m->seq[i]))
			return -EAGAIN;
		err = guest_check(m->edit[i]);
	}
	if (!err)
		err = lock_leaves(m);
	if (err)
		return err;
	err = plan_all(m);
	if (!err && how == EDIT_MAKE)
		write_all(m);
	else if (!err && how == EDIT_REHEARSE)
		write_and_back(m);
	unlock_leaves(m);
	return err;
}

/* mmap_lock is held for reading. The kernel may have been here since the pages were held. */
static int find_vmas(struct making *m, enum edit_how how)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		const struct edit *e = m->edit[i];

		m->vma[i] = find_vma(e->mm, e->va);
		if (hold_check(m->vma[i], e->va, e->level))
			return -EAGAIN;
		/* Who waits there looks at the entry without its lock, and would not be woken
		 * again. */
		if (how == EDIT_REHEARSE && userfaultfd_wp(m->vma[i]))
			return -EOPNOTSUPP;
	}
	return 0;
}

static int lock_and_install(struct making *m, enum edit_how how)
{
	struct edit *one = m->edit[0];
	int err;

	spin_lock(&one->lock);
	err = install_locked(m, how);
	spin_unlock(&one->lock);
	return err;
}

static int lock_both_and_install(struct making *m, enum edit_how how)
{
	struct edit *one = min(m->edit[0], m->edit[1]), *two = max(m->edit[0], m->edit[1]);
	int err;

	spin_lock(&one->lock);
	spin_lock_nested(&two->lock, SINGLE_DEPTH_NESTING);
	err = install_locked(m, how);
	spin_unlock(&two->lock);
	spin_unlock(&one->lock);
	return err;
}

static int try_install(struct making *m, enum edit_how how)
{
	int err = find_vmas(m, how);

	if (err)
		return err;
	return m->nr == 2 ? lock_both_and_install(m, how) : lock_and_install(m, how);
}

static int try_without_guests(struct making *m, enum edit_how how)
{
	unsigned int i;
	int err;

	for (i = 0; i < m->nr; i++)
		guest_enter(m->edit[i]);
	for (i = 0; i < m->nr && how != EDIT_DRY_RUN; i++)
		guest_begin(m->edit[i]);
	err = try_install(m, how);
	for (i = 0; i < m->nr && how != EDIT_DRY_RUN; i++)
		guest_done(m->edit[i]);
	for (i = 0; i < m->nr; i++)
		guest_leave(m->edit[i]);
	return err;
}

/* The page that is there now instead of the one that was held. That of a swap went elsewhere. */
static int hold_again(struct edit *e)
{
	const struct page *before = e->old.page;
	int err;

	hold_release(&e->old, false);
	err = edit_hold_old(e);
	return err ?: e->item.what == PTREMAP_SWAP && e->old.page != before ? -ESTALE : 0;
}

static int renew(struct making *m)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < m->nr && !err; i++)
		err = guest_renew(m->edit[i]) ?: hold_again(m->edit[i]);
	return err;
}

/* Nobody waits for one lock while he holds the other. */
static int lock_mms(struct mm_struct *a, struct mm_struct *b)
{
	for (;;) {
		if (mmap_read_lock_killable(a))
			return -EINTR;
		if (a == b || mmap_read_trylock(b))
			return 0;
		mmap_read_unlock(a);
		swap(a, b);
	}
}

static int install_again(struct making *m, bool first, enum edit_how how)
{
	struct mm_struct *mm = m->edit[0]->mm, *other = m->edit[m->nr - 1]->mm;
	unsigned int i;
	int err;

	if (fatal_signal_pending(current))
		return -EINTR;
	err = first ? 0 : renew(m);
	if (err)
		return err;
	for (i = 0; i < m->nr; i++)
		m->seq[i] = mmu_interval_read_begin(&m->edit[i]->guard);
	err = lock_mms(mm, other);
	if (err)
		return err;
	err = try_without_guests(m, how);
	mmap_read_unlock(mm);
	if (other != mm)
		mmap_read_unlock(other);
	return err;
}

static int install(struct making *m, enum edit_how how)
{
	int err = -EAGAIN;
	unsigned int i;

	for (i = 0; i < TRIES && err == -EAGAIN; i++)
		err = install_again(m, !i, how);
	for (i = 0; i < m->nr && !err && how != EDIT_DRY_RUN; i++) {
		struct edit *e = m->edit[i];

		trace_ptremap_edit(e->pid, e->va, e->item.what, e->item.old, e->item.new);
		if (how == EDIT_REHEARSE)
			trace_ptremap_restore(e->pid, e->va, e->item.old, PTREMAP_CAUSE_UNDO);
	}
	return err;
}

/* References to the mms, so that no tables are torn down under lock_leaves(). */
int edit_install(struct edit *e, enum edit_how how)
{
	struct making m = { .edit = { e, e->twin }, .nr = e->twin ? 2 : 1 };
	unsigned int i;
	int err = 0;

	for (i = 0; i < m.nr && mmget_not_zero(m.edit[i]->mm); i++)
		;
	err = i < m.nr ? -ESRCH : install(&m, how);
	while (i-- > 0)
		mmput(m.edit[i]->mm);
	return err;
}
