// SPDX-License-Identifier: GPL-2.0
/*
 * Guarded rewriting of one leaf: a PTE, or a PMD that maps a huge page.
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
 * A process writes through an edit only to what it, or the one that lent the page, could write to
 * itself; not to copy-on-write pages, nor to pages whose file system wants to hear of it first.
 *
 * Of PMDs the same is true: leaf.c says why.
 *
 * KVM's frame numbers: guest.c.
 *
 * Locks: mmap_lock, then edit->lock, then the page table's. The guard takes but the last two, never
 * sleeps, and is called with neither held. Watches are told under none of these locks, after the
 * flush.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <asm/tlbflush.h>

#include "edit.h"
#include "entry.h"
#include "foreign.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

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

/* ---- taking it back -------------------------------------------------------------------------- */

/* The page table is locked, so that only the CPU's A and D come between. Returns what was there. */
static pte_t put_back(struct edit *e)
{
	bool same_frame = entry_pfn(e->old_pte, e->level) == entry_pfn(e->new_pte, e->level);
	pte_t seen = ptep_get(e->leaf.at);
	pte_t want;

	do {
		want = same_frame ? entry_carry(e->old_pte, seen) : e->old_pte;
	} while (!try_cmpxchg(&e->leaf.at->pte, &seen.pte, want.pte));
	return seen;
}

/* ->lock is held. */
static void restore_locked(struct edit *e, enum ptremap_cause cause)
{
	pte_t now;

	spin_lock(e->leaf.ptl);
	now = ptep_get(e->leaf.at);
	if (pte_present(now) && entry_pfn(now, e->level) == entry_pfn(e->new_pte, e->level)) {
		e->dirtied = pte_dirty(put_back(e));
		e->state = PTREMAP_TAKEN;
	} else {
		e->state = PTREMAP_LOST;
	}
	spin_unlock(e->leaf.ptl);
	e->cause = cause;
}

/* One that is not active yet is not installed after what brought us here: install looks. */
static bool shut_out_guests(struct edit *e)
{
	guest_enter(e);
	if (edit_state(e) == PTREMAP_ACTIVE) {
		guest_begin(e);
		return true;
	}
	guest_leave(e);
	return false;
}

static void let_guests_in(struct edit *e)
{
	guest_done(e);
	guest_leave(e);
}

/* True: it was active. */
static bool restore(struct edit *e, enum ptremap_cause cause)
{
	bool active;

	spin_lock(&e->lock);
	active = e->state == PTREMAP_ACTIVE;
	if (active)
		restore_locked(e, cause);
	spin_unlock(&e->lock);
	if (active)
		trace_ptremap_restore(e->pid, e->va, pte_val(e->old_pte), cause);
	return active;
}

bool edit_restore(struct edit *e, enum ptremap_cause cause)
{
	bool active;

	if (!shut_out_guests(e))
		return false;
	active = restore(e, cause);
	let_guests_in(e);
	return active;
}

/* Guests are let in when both are back: none sees the one without the other. */
unsigned int edit_restore_both(struct edit *e, enum ptremap_cause cause)
{
	struct edit *twin = e->twin;
	unsigned int restored = 0;
	bool one = shut_out_guests(e), two = twin && shut_out_guests(twin);

	if (one)
		restored += restore(e, cause);
	if (two)
		restored += restore(twin, cause);
	if (two)
		let_guests_in(twin);
	if (one)
		let_guests_in(e);
	return restored;
}

bool edit_take(struct edit *e, enum ptremap_cause cause)
{
	struct edit *twin = e->twin;
	bool taken, two;

	if (!shut_out_guests(e))
		return false;
	two = twin && shut_out_guests(twin);
	taken = restore(e, cause);
	if (two && taken && restore(twin, cause))
		twin->aside = true;
	if (two)
		let_guests_in(twin);
	let_guests_in(e);
	return taken;
}

void edit_record(struct edit *e, struct ptremap_record *r)
{
	spin_lock(&e->lock);
	*r = (struct ptremap_record){
		.id = e->watched.id,
		.what = guest_what(e),
		.pid = e->pid,
		.state = e->state,
		.cause = e->cause,
		.keep = e->watched.keep,
		.level = e->level,
		.va = e->va,
		.old = pte_val(e->old_pte),
		.new = pte_val(e->new_pte),
		.gpa = e->guest.page.gpa,
		.vm_fd = e->guest.page.fd,
		.flags = e->guest.page.kvm ? PTREMAP_RECORD_VM : 0,
	};
	spin_unlock(&e->lock);
}

void edit_tell_gone(struct edit *e)
{
	struct ptremap_record r;

	edit_record(e, &r);
	watch_gone(&e->watched, &r);
}

/* The guard may have taken it by now, and found that nobody knew of it. */
void edit_tell_made(struct edit *e)
{
	struct ptremap_record r;

	edit_record(e, &r);
	r.state = PTREMAP_ACTIVE;
	r.cause = PTREMAP_CAUSE_NONE;
	if (watch_made(&e->watched, &r))
		edit_tell_gone(e);
}

u8 edit_state(struct edit *e)
{
	u8 state;

	spin_lock(&e->lock);
	state = e->state;
	spin_unlock(&e->lock);
	return state;
}

/*
 * An entry that was replaced unseen: whoever did it gave back a reference to the page that the
 * entry led to, which was ours, and none to the page that it should have led to. Both stay. Of what
 * is no page to the kernel it gave back none, and there foreign_end() does; the original stays.
 */
static bool keeps_pages(const struct edit *e)
{
	if (e->state != PTREMAP_LOST || (!e->source.page && !e->foreign))
		return false;
	pr_warn("ptremap: pid %d: the entry of 0x%lx was replaced unseen; its pages are lost\n",
		e->pid, e->va);
	return true;
}

void edit_release(struct edit *e)
{
	bool lost;

	if (test_and_set_bit(0, &e->is_released))
		return;
	/* Of what it did itself the kernel has told them. */
	if ((e->cause == PTREMAP_CAUSE_UNDO || e->aside) && (e->source.page || e->foreign))
		hold_tell_others(e->mm, e->va, e->level);
	/* The guard may have the last reference to the mm, which foreign_end() looks at. */
	if (e->guarded) {
		mmgrab(e->mm);
		mmu_interval_notifier_remove(&e->guard);
	}
	guest_end(e);
	lost = keeps_pages(e);
	foreign_end(e);
	if (e->guarded)
		mmdrop(e->mm);
	if (lost)
		return;
	hold_release(&e->source, e->dirtied);
	hold_release(&e->old, false);
}

/* Called before the kernel acts on a range that has the page in it. */
static bool guard_invalidate(struct mmu_interval_notifier *guard,
			     const struct mmu_notifier_range *range, unsigned long seq)
{
	struct edit *e = container_of(guard, struct edit, guard);

	spin_lock(&e->lock);
	mmu_interval_set_seq(guard, seq);
	spin_unlock(&e->lock);
	if (edit_take(e, cause_of(range->event))) {
		flush_all_cpus();
		edit_tell_gone(e);
		if (e->twin)
			edit_tell_gone(e->twin);
		/* The pages are wanted back soon, and this may be reclaim: not from here. */
		queue_work(system_unbound_wq, e->released);
	}
	return true;
}

static const struct mmu_interval_notifier_ops guard_ops = { .invalidate = guard_invalidate };

/* ---- making it ------------------------------------------------------------------------------- */

/* The first guard of an mm takes mmap_lock for writing, for which a killed caller does not wait. */
static int insert_guard(struct edit *e)
{
	unsigned long size = leaf_size(e->level);
	int err;

	if (smp_load_acquire(&e->mm->notifier_subscriptions))
		return mmu_interval_notifier_insert(&e->guard, e->mm, e->va, size, &guard_ops);
	if (mmap_write_lock_killable(e->mm))
		return -EINTR;
	err = mmu_interval_notifier_insert_locked(&e->guard, e->mm, e->va, size, &guard_ops);
	mmap_write_unlock(e->mm);
	return err;
}

int edit_init(struct edit *e, const struct ptremap_item *item, struct mm_struct *mm,
	      struct work_struct *released)
{
	int err;

	spin_lock_init(&e->lock);
	e->released = released;
	e->item = *item;
	e->mm = mm;
	e->pid = item->pid;
	e->va = item->va;
	e->level = item->level == 2 ? 2 : 1;
	err = insert_guard(e);
	e->guarded = !err;
	return err;
}

bool edit_has_frame(const struct edit *e)
{
	return e->item.what != PTREMAP_PROTECT && e->item.what != PTREMAP_TRAP;
}

int edit_hold_source(struct edit *e, struct mm_struct *other)
{
	if (!edit_has_frame(e))
		return 0;
	if (e->item.what == PTREMAP_FRESH)
		return hold_fresh(&e->source, e->level);
	if (e->item.what == PTREMAP_RAM || e->item.what == PTREMAP_MMIO)
		return foreign_hold(e);
	return hold_leaf(other, e->item.other_va, e->level, HOLD_LEND, &e->source);
}

/*
 * hugetlb takes each page in its memory for one of its own, and no entry there for a NUMA hint:
 * hugetlb_fault() would come back forever. It reads entries as if they were of level 1, where the
 * bit of PAT is one of the frame's number.
 */
static bool goes_together(const struct edit *e)
{
	if (e->item.what == PTREMAP_TRAP || e->item.set & _PAGE_PAT_LARGE)
		return !PageHuge(e->old.page);
	return !e->source.page || PageHuge(e->source.page) == PageHuge(e->old.page);
}

int edit_hold_old(struct edit *e)
{
	bool own = e->item.what == PTREMAP_PROTECT && e->item.set & _PAGE_RW;
	int err = hold_leaf(e->mm, e->va, e->level, own ? HOLD_OWN : HOLD_KEEP, &e->old);

	if (err)
		return err;
	return goes_together(e) ? foreign_prepare(e) : -EOPNOTSUPP;
}
