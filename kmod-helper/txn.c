// SPDX-License-Identifier: GPL-2.0
/*
 * Making and undoing one transaction.
 *
 * Each edit claims its page from before that one is faulted in, which may take as long as its
 * memory's pager likes, until it is gone, so that no second one gets it. claim_lock protects the
 * claims and is held for nothing else. The guard does not take it.
 */
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "edit.h"
#include "ptremap.h"
#include "trace.h"
#include "txn.h"

static DEFINE_MUTEX(claim_lock);
static DEFINE_HASHTABLE(claims, 12); /* of edits, by claim_key() */

/* ---- claims ---------------------------------------------------------------------------------- */

static unsigned long claim_key(const struct mm_struct *mm, unsigned long va)
{
	return (unsigned long)mm + (va >> PAGE_SHIFT);
}

/* One that the kernel took away does not stand in the way of a new one. */
static bool in_the_way(struct edit *one, const struct edit *e)
{
	u8 state;

	if (one->mm != e->mm || one->va >= e->va + leaf_size(e->level) ||
	    e->va >= one->va + leaf_size(one->level))
		return false;
	state = edit_state(one);
	return !state || state == PTREMAP_ACTIVE;
}

/* By one whose page begins at @va. */
static bool is_claimed(const struct edit *e, unsigned long va)
{
	struct edit *one;

	hash_for_each_possible(claims, one, link, claim_key(e->mm, va))
	{
		if (in_the_way(one, e))
			return true;
	}
	return false;
}

/* A page that overlaps begins within this one, or is a huge one that this is a part of. */
static bool overlaps_claim(const struct edit *e)
{
	unsigned long va;

	for (va = e->va; va < e->va + leaf_size(e->level); va += PAGE_SIZE)
		if (is_claimed(e, va))
			return true;
	return is_claimed(e, e->va & PMD_MASK);
}

static int claim_page(struct edit *e)
{
	int err = 0;

	mutex_lock(&claim_lock);
	if (overlaps_claim(e))
		err = -EBUSY;
	else
		hash_add(claims, &e->link, claim_key(e->mm, e->va));
	mutex_unlock(&claim_lock);
	return err;
}

static void drop_claims(struct txn *t)
{
	u32 i;

	mutex_lock(&claim_lock);
	for (i = 0; i < t->nr; i++)
		hash_del(&t->edits[i].link);
	mutex_unlock(&claim_lock);
}

/* ---- the end of one ---------------------------------------------------------------------------
 */

/* All edits are complete by the time that one of them was taken: ->nr does not change any more. */
static void release_taken(struct work_struct *work)
{
	struct txn *t = container_of(work, struct txn, released);
	u32 i;

	for (i = 0; i < t->nr; i++) {
		u8 state = edit_state(&t->edits[i]);

		if (state == PTREMAP_TAKEN || state == PTREMAP_LOST)
			edit_release(&t->edits[i]);
	}
}

void txn_tell_made(struct txn *t)
{
	const struct watched by = { .maker = t->maker, .id = t->id, .keep = t->keep };
	u32 i;

	if (t->map)
		map_tell_made(t->map, &by);
	if (t->protected)
		t->vm->protect_tell_made(t->protected, &by);
	for (i = 0; i < t->nr; i++) {
		struct watched *w = &t->edits[i].watched;

		w->maker = by.maker;
		w->id = by.id;
		w->keep = by.keep;
		edit_tell_made(&t->edits[i]);
		cond_resched();
	}
}

void txn_use_vm(struct txn *t)
{
	if (t->vm)
		return;
	t->vm = t->calls;
	vm_begin_use();
}

u32 txn_undo(struct txn *t)
{
	u32 i, restored = 0;

	for (i = t->nr; i-- > 0;)
		restored += edit_restore_both(&t->edits[i], PTREMAP_CAUSE_UNDO);
	if (restored)
		flush_all_cpus();
	for (i = 0; i < t->nr; i++) {
		edit_release(&t->edits[i]);
		cond_resched();
	}
	/* No guard runs any more, but one that did may have left this to do. */
	cancel_work_sync(&t->released);
	for (i = 0; i < t->nr; i++)
		edit_tell_gone(&t->edits[i]);
	drop_claims(t);
	if (t->map)
		restored += map_undo(t->map);
	if (t->protected)
		restored += t->vm->unprotect(t->protected);
	if (t->vm)
		vm_end_use();
	kvfree(t);
	return restored;
}

/* ---- making one ------------------------------------------------------------------------------ */

#define USER_END (TASK_SIZE_MAX & PAGE_MASK)

static int check_va(u64 va, unsigned int level)
{
	return va & (leaf_size(level) - 1) || va >= USER_END ? -EDOM : 0;
}

/* The bit of PAT has two places. */
static u64 protect_bits(const struct ptremap_item *i)
{
	return i->level == 2 ? PTREMAP_PROTECT_BITS_2M : PTREMAP_PROTECT_BITS;
}

static bool is_physical(const struct ptremap_item *i)
{
	return i->what == PTREMAP_RAM || i->what == PTREMAP_MMIO;
}

static int check_pa(u64 pa)
{
	if (pa & ~PAGE_MASK)
		return -EDOM;
	return pa >= PT_BIT(boot_cpu_data.x86_phys_bits) ? -ERANGE : 0;
}

static int check_item(const struct ptremap_item *i)
{
	bool two = i->what == PTREMAP_FRAME || i->what == PTREMAP_SWAP;
	u32 flags = PTREMAP_ITEM_EXPECT | PTREMAP_PIDFD | (two ? PTREMAP_OTHER_PIDFD : 0) |
		    (i->what == PTREMAP_RAM ? PTREMAP_ITEM_FORCE : 0);
	int err;

	if (i->what < PTREMAP_PROTECT || i->what > PTREMAP_MMIO || i->flags & ~flags ||
	    i->level > (is_physical(i) ? 1 : 2))
		return -EINVAL;
	if (i->what == PTREMAP_PROTECT) {
		if (!(i->set | i->clear) || i->set & i->clear ||
		    (i->set | i->clear) & ~protect_bits(i))
			return -EINVAL;
	} else if (i->set | i->clear) {
		return -EINVAL;
	}
	if ((!two && i->other_pid) || (!two && !is_physical(i) && i->other_va))
		return -EINVAL;
	/* do_numa_page() is what lets the next access through. */
	if (i->what == PTREMAP_TRAP && !IS_ENABLED(CONFIG_NUMA_BALANCING))
		return -EOPNOTSUPP;
	/* The kernel's half has no edits. */
	err = target_check(i->pid, i->flags);
	if (!err && two)
		err = target_check(i->other_pid, target_other_flags(i->flags));
	if (err)
		return err;
	if (is_physical(i))
		return check_va(i->va, i->level) ?: check_pa(i->other_va);
	return check_va(i->va, i->level) ?: two ? check_va(i->other_va, i->level) : 0;
}

/* What is behind an address is shown to those VMs that have it; RAM and device memory to none. */
static int attach(struct txn *t, struct edit *e, const struct txn_side *side)
{
	const struct edit *before = e == t->edits ? NULL : e - 1;
	int err;

	if (!edit_has_frame(e))
		return 0;
	if (!t->calls && guest_is_there(side->target->pid))
		return -EXDEV;
	/* The halves of swaps take turns. */
	if (before && before->mm != e->mm && before != t->edits)
		before--;
	err = guest_attach(e, t->calls, side->page.kvm ? &side->page : NULL, before);
	return err ?: e->guest.vms && is_physical(&e->item) ? -EXDEV : 0;
}

/* The caller has a reference to the mm of @side (mmget). */
static int add_edit(struct txn *t, const struct ptremap_item *item, const struct txn_side *side)
{
	struct edit *e = &t->edits[t->nr];
	int err = edit_init(e, item, side->target->mm, &t->released);

	if (err)
		return err;
	t->nr++;
	return claim_page(e) ?: attach(t, e, side);
}

static int add_one(struct txn *t, const struct ptremap_item *item, const struct txn_side *at,
		   const struct txn_side *from)
{
	struct edit *e = &t->edits[t->nr];

	return add_edit(t, item, at) ?:
	       edit_hold_source(e, from ? from->target->mm : NULL) ?:
	       edit_hold_old(e);
}

/* Each gets the other's frame. Own copies first: where one is made, the page is another one. */
static int add_swap(struct txn *t, const struct ptremap_item *item, const struct txn_side *at,
		    const struct txn_side *with)
{
	struct edit *one = &t->edits[t->nr], *two = one + 1;
	struct ptremap_item back = *item;
	int err;

	back.pid = item->other_pid;
	back.va = item->other_va;
	back.other_pid = item->pid;
	back.other_va = item->va;
	back.flags = 0;
	err = add_edit(t, item, at) ?: add_edit(t, &back, with);
	if (!err)
		err = edit_hold_source(one, with->target->mm)
			      ?: edit_hold_source(two, at->target->mm);
	if (!err)
		err = edit_hold_old(one) ?: edit_hold_old(two);
	if (err)
		return err;
	one->twin = two;
	two->twin = one;
	return one->old.page != two->source.page || two->old.page != one->source.page ? -EAGAIN : 0;
}

int txn_add(struct txn *t, const struct ptremap_item *item, const struct txn_side *at,
	    const struct txn_side *from)
{
	return item->what == PTREMAP_SWAP ? add_swap(t, item, at, from)
					  : add_one(t, item, at, from);
}

static int prepare_item(struct txn *t, const struct ptremap_item *asked)
{
	bool two = asked->what == PTREMAP_FRAME || asked->what == PTREMAP_SWAP;
	struct ptremap_item item = *asked; /* with numbers in the place of pidfds */
	struct target one, other = {};
	const struct txn_side at = { .target = &one }, from = { .target = &other };
	int err = check_item(asked);

	if (err)
		return err;
	err = target_get(&one, asked->pid, asked->flags);
	if (err)
		return err;
	if (two)
		err = target_get(&other, asked->other_pid, target_other_flags(asked->flags));
	if (err)
		goto out;
	item.pid = one.nr;
	item.other_pid = other.nr;
	item.flags &= ~(PTREMAP_PIDFD | PTREMAP_OTHER_PIDFD);
	err = txn_add(t, &item, &at, two ? &from : NULL);
	if (two)
		target_put(&other);
out:
	target_put(&one);
	return err;
}

/* Installs all edits of @t. On failure the caller undoes those that were. */
static int install_all(struct txn *t, enum edit_how how, u32 *failed)
{
	int err = 0;
	u32 i;

	for (i = 0; i < t->nr && !err; i += t->edits[i].twin ? 2 : 1) {
		err = edit_install(&t->edits[i], how);
		*failed = i;
		cond_resched();
	}
	return err;
}

static u32 edits_of(const struct ptremap_item *item)
{
	return item->what == PTREMAP_SWAP ? 2 : 1;
}

/* Item @n's answers from its first edit. Returns the index of the next item's. */
static u32 answer(struct ptremap_item *item, const struct txn *t, u32 first)
{
	if (first < t->nr) {
		item->old = t->edits[first].item.old;
		item->new = t->edits[first].item.new;
	}
	return first + edits_of(item);
}

struct txn *txn_new(const struct ptremap_item *items, u32 nr)
{
	size_t edits = 0;
	struct txn *t;
	u32 i;

	for (i = 0; i < nr; i++)
		edits += edits_of(&items[i]);
	t = kvzalloc(struct_size(t, edits, edits), GFP_KERNEL_ACCOUNT);
	if (t)
		INIT_WORK(&t->released, release_taken);
	return t;
}

int txn_install(struct txn *t, enum edit_how how, u32 *failed)
{
	int err = install_all(t, how, failed);
	u32 i;

	if (!err && how == EDIT_MAKE) {
		flush_all_cpus();
		err = t->calls ? 0 : guest_check_late(t->edits, t->nr, failed);
	}
	for (i = 0; i < t->nr; i++)
		if (t->edits[i].guest.vms)
			txn_use_vm(t);
	if (err)
		trace_ptremap_refuse(t->edits[*failed].pid, t->edits[*failed].va,
				     t->edits[*failed].item.what, err);
	return err;
}

static int prepare_items(struct txn *t, struct ptremap_item *items, u32 nr)
{
	int err = 0;
	u32 i;

	for (i = 0; i < nr && !err; i++) {
		items[i].status = err = prepare_item(t, &items[i]);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	if (err)
		trace_ptremap_refuse(target_number(items[i - 1].pid, items[i - 1].flags),
				     items[i - 1].va, items[i - 1].what, err);
	return err;
}

int txn_make(struct txn *t, struct ptremap_item *items, u32 nr, bool dry_run)
{
	u32 i, at, failed = 0;
	int err = prepare_items(t, items, nr);

	if (err)
		return err;
	err = txn_install(t, dry_run ? EDIT_DRY_RUN : EDIT_MAKE, &failed);
	for (i = at = 0; i < nr; i++) {
		u32 next = answer(&items[i], t, at);

		if (err && failed >= at && failed < next)
			items[i].status = err;
		at = next;
	}
	return err;
}
