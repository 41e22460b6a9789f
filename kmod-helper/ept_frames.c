// SPDX-License-Identifier: GPL-2.0
/*
 * Guest-physical pages that lead to other frames: edits of the process' memory that a slot gives
 * the guest. So guest, VMM and KVM see the same page, and KVM makes the entry of EPT or NPT itself.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ept_frames.h"

struct making {
	const struct vm_calls *calls;
	const struct ptremap_ept *req;
	struct txn *txn;
	struct txn_side side; /* of the call's VM, but for the gpa */
};

static u32 what_of(u32 what)
{
	switch (what) {
	case PTREMAP_EPT_FRAME:
		return PTREMAP_FRAME;
	case PTREMAP_EPT_SWAP:
		return PTREMAP_SWAP;
	default:
		return PTREMAP_FRESH;
	}
}

/* @side has the VM and gets the gpa; *@va: where its process has that. */
static int locate(const struct making *m, struct txn_side *side, u64 gpa, u32 level, __u64 *va)
{
	unsigned long at = 0;
	int err = m->calls->locate(side->page.kvm, gpa, level == 2 ? 2 : 1, &at);

	side->page.gpa = gpa;
	*va = at;
	return err;
}

/* An item with all of it known. */
static int add(const struct making *m, const struct ptremap_ept_item *i,
	       const struct ptremap_item *item, struct txn_side *at, struct txn_side *from)
{
	struct ptremap_item it = *item;
	int err = locate(m, at, i->gpa, i->level, &it.va);

	if (!err && from && from->page.kvm)
		err = locate(m, from, i->other, i->level, &it.other_va);
	if (!err && from)
		it.other_pid = from->target->nr;
	return err ?: txn_add(m->txn, &it, at, from);
}

/* The VM that ->other is a gpa of; it has a reference then, for calls->put(). */
static int other_vm(const struct making *m, const struct ptremap_ept_item *i, struct txn_side *from)
{
	int err;

	from->page.fd = i->other_fd;
	err = m->calls->find(from->target->pid, &from->page.fd, &from->page.kvm);
	if (err)
		return err == -ENOENT ? -ENODEV : err;
	err = m->calls->check(from->page.kvm, from->target->mm);
	if (err)
		m->calls->put(from->page.kvm);
	return err;
}

static int check_va(u64 va, u32 level)
{
	unsigned long size = leaf_size(level == 2 ? 2 : 1);

	return va & (size - 1) || va >= (TASK_SIZE_MAX & PAGE_MASK) ? -EDOM : 0;
}

/* The other page is one of another process, or of its VM. */
static int add_other(const struct making *m, const struct ptremap_ept_item *i,
		     struct ptremap_item *item, struct txn_side *at)
{
	struct target other;
	struct txn_side from = { .target = &other };
	int err = target_check(i->other_pid, target_other_flags(i->flags))
			  ?: target_get(&other, i->other_pid, target_other_flags(i->flags));

	if (err)
		return err;
	if (i->other_fd == PTREMAP_EPT_PROCESS) {
		item->other_va = i->other;
		err = check_va(i->other, i->level) ?: add(m, i, item, at, &from);
	} else {
		err = other_vm(m, i, &from);
		if (!err) {
			err = add(m, i, item, at, &from);
			m->calls->put(from.page.kvm);
		}
	}
	target_put(&other);
	return err;
}

static int prepare(const struct making *m, const struct ptremap_ept_item *i)
{
	struct txn_side at = m->side, from = m->side;
	struct ptremap_item item = {
		.pid = m->side.target->nr,
		.what = what_of(i->what),
		.level = i->level,
		.flags = i->flags & PTREMAP_EPT_ITEM_EXPECT ? PTREMAP_ITEM_EXPECT : 0,
		.expected = i->expected,
	};

	if (i->what == PTREMAP_EPT_FRESH)
		return add(m, i, &item, &at, NULL);
	if (!i->other_pid && !(i->flags & PTREMAP_OTHER_PIDFD))
		return add(m, i, &item, &at, &from);
	return add_other(m, i, &item, &at);
}

static int prepare_all(const struct making *m, struct ptremap_ept_item *items)
{
	int err = 0;
	u32 i;

	for (i = 0; i < m->req->nr && !err; i++) {
		items[i].status = err = prepare(m, &items[i]);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

/* Item by item from its first edit. @err is of edit @failed. */
static void answer(const struct txn *t, struct ptremap_ept_item *items, u32 nr, int err, u32 failed)
{
	u32 i, at, next;

	for (i = at = 0; i < nr; i++, at = next) {
		next = at + (items[i].what == PTREMAP_EPT_SWAP ? 2 : 1);
		items[i].old = t->edits[at].item.old;
		items[i].new = t->edits[at].item.new;
		if (err && failed >= at && failed < next)
			items[i].status = err;
	}
}

static enum edit_how how_of(u32 flags)
{
	if (flags & PTREMAP_EPT_DRY_RUN)
		return EDIT_DRY_RUN;
	return flags & PTREMAP_EPT_REHEARSE ? EDIT_REHEARSE : EDIT_MAKE;
}

static int make(const struct making *m, struct ptremap_ept_item *items)
{
	u32 failed = 0;
	int err = prepare_all(m, items);

	if (err)
		return err;
	err = txn_install(m->txn, how_of(m->req->flags), &failed);
	answer(m->txn, items, m->req->nr, err, failed);
	return err;
}

/* Room for the edits of @items. */
static struct txn *new_txn(const struct ptremap_ept_item *items, u32 nr)
{
	struct ptremap_item *like = kvcalloc(nr, sizeof(*like), GFP_KERNEL_ACCOUNT);
	struct txn *t;
	u32 i;

	if (!like)
		return NULL;
	for (i = 0; i < nr; i++)
		like[i].what = what_of(items[i].what);
	t = txn_new(like, nr);
	kvfree(like);
	return t;
}

int ept_frames(const struct vm_calls *calls, struct kvm *kvm, const struct target *target,
	       const struct ptremap_ept *req, struct ptremap_ept_item *items, struct txn **made)
{
	struct making m = {
		.calls = calls,
		.req = req,
		.side = { .target = target, .page = { .kvm = kvm, .fd = req->fd } },
	};
	int err;

	/* What takes such an edit is that the page itself is acted on: there is nothing to make
	 * again. */
	if (req->flags & PTREMAP_EPT_STICKY)
		return -EOPNOTSUPP;
	m.txn = new_txn(items, req->nr);
	if (!m.txn)
		return -ENOMEM;
	m.txn->calls = calls;
	err = make(&m, items);
	if (err || how_of(req->flags) != EDIT_MAKE)
		txn_undo(m.txn);
	else
		*made = m.txn;
	return err;
}
