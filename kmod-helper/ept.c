// SPDX-License-Identifier: GPL-2.0
/* Changes of guest-physical pages: which family of them, and their transactions. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ept_frames.h"
#include "journal.h"
#include "ptremap.h"
#include "txn.h"
#include "vm.h"

/* Of PROTECT and CACHE; the others go through the host's mapping. */
static bool is_entry(const struct ptremap_ept_item *item)
{
	return item->what == PTREMAP_EPT_PROTECT || item->what == PTREMAP_EPT_CACHE;
}

static bool is_entry_ok(const struct ptremap_ept_item *i)
{
	const u32 all = PTREMAP_EPT_READ | PTREMAP_EPT_WRITE | PTREMAP_EPT_EXEC;

	if (i->other || i->other_pid || i->other_fd)
		return false;
	if (i->what == PTREMAP_EPT_CACHE)
		return !(i->set | i->clear) && i->cache <= PTREMAP_EPT_WB && i->cache != 2 &&
		       i->cache != 3;
	return !i->cache && i->set | i->clear && !(i->set & i->clear) &&
	       !((i->set | i->clear) & ~all);
}

static int check_item(const struct ptremap_ept_item *i)
{
	bool two = i->what == PTREMAP_EPT_FRAME || i->what == PTREMAP_EPT_SWAP;
	u32 flags = PTREMAP_EPT_ITEM_EXPECT | (is_entry(i) ? PTREMAP_EPT_ITEM_SPLIT : 0) |
		    (two ? PTREMAP_OTHER_PIDFD : 0);

	if (i->what < PTREMAP_EPT_PROTECT || i->what > PTREMAP_EPT_FRESH || i->flags & ~flags ||
	    i->level > 2 || i->reserved)
		return -EINVAL;
	if (is_entry(i))
		return is_entry_ok(i) ? 0 : -EINVAL;
	if (i->set | i->clear | i->cache)
		return -EINVAL;
	if (!two)
		return i->other || i->other_pid || i->other_fd ? -EINVAL : 0;
	if (!i->other_pid && !(i->flags & PTREMAP_OTHER_PIDFD))
		return i->other_fd ? -EINVAL : 0;
	return i->other_fd < PTREMAP_EPT_PROCESS ? -EINVAL : 0;
}

static int check_items(const struct ptremap_ept_item *items, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		int err = check_item(&items[i]);

		if (err)
			return err;
		if (is_entry(&items[i]) != is_entry(&items[0]))
			return -EINVAL;
	}
	return 0;
}

static int make_entries(const struct vm_calls *calls, struct kvm *kvm,
			const struct ptremap_ept *req, struct ptremap_ept_item *items,
			struct txn **made)
{
	struct txn *t;
	int err;

	if (!calls->protect || req->flags & PTREMAP_EPT_REHEARSE)
		return -EOPNOTSUPP;
	t = txn_new(NULL, 0);
	if (!t)
		return -ENOMEM;
	t->calls = calls;
	err = calls->protect(kvm, req, items, &t->protected);
	if (err || req->flags & PTREMAP_EPT_DRY_RUN) {
		txn_undo(t);
		return err;
	}
	txn_use_vm(t);
	*made = t;
	return 0;
}

/* @req has a number in the place of a pidfd, which its records get. */
static int make_of_target(const struct vm_calls *calls, const struct target *target,
			  struct ptremap_ept *req, struct ptremap_ept_item *items,
			  struct txn **made)
{
	struct kvm *kvm;
	int err = calls->find(target->pid, &req->fd, &kvm);

	if (err)
		return err;
	err = calls->check(kvm, target->mm);
	if (!err)
		err = is_entry(items) ? make_entries(calls, kvm, req, items, made)
				      : ept_frames(calls, kvm, target, req, items, made);
	calls->put(kvm);
	return err;
}

/* *@made stays NULL with PTREMAP_EPT_DRY_RUN and PTREMAP_EPT_REHEARSE; else it is for journal_add()
 * or txn_undo(). */
static int make(struct ptremap_ept *req, struct ptremap_ept_item *items, struct txn **made)
{
	const struct vm_calls *calls;
	struct ptremap_ept with_number = *req;
	struct target target;
	int err = check_items(items, req->nr) ?: target_check(req->pid, req->flags);

	if (err)
		return err;
	calls = vm_get_calls();
	if (!calls)
		return -EPROTONOSUPPORT;
	err = target_get(&target, req->pid, req->flags);
	if (!err) {
		with_number.pid = target.nr;
		err = make_of_target(calls, &target, &with_number, items, made);
		req->fd = with_number.fd;
		target_put(&target);
	}
	vm_put_calls(calls);
	return err;
}

static int check_call(struct ptremap_ept *req)
{
	const u32 lasting = PTREMAP_EPT_KEEP | PTREMAP_EPT_STICKY;

	req->id = 0;
	if (req->flags & ~(PTREMAP_EPT_DRY_RUN | lasting | PTREMAP_EPT_REHEARSE | PTREMAP_PIDFD) ||
	    (req->flags & PTREMAP_EPT_REHEARSE && req->flags & (PTREMAP_EPT_DRY_RUN | lasting)) ||
	    !req->nr || req->nr > PTREMAP_EPT_MAX || req->fd < -1)
		return -EINVAL;
	return 0;
}

static int add(struct txn *t, struct ptremap_ept *req, u64 maker)
{
	int err = journal_add(t, maker, req->flags & PTREMAP_EPT_KEEP, &req->id);

	if (err)
		txn_undo(t);
	return err;
}

int ptremap_ept_make(struct ptremap_ept *req, struct ptremap_ept_item *items, u64 maker)
{
	struct txn *t = NULL;
	int err = check_call(req) ?: make(req, items, &t);

	return err || !t ? err : add(t, req, maker);
}
EXPORT_SYMBOL_GPL(ptremap_ept_make);

int ptremap_ept_undo(u32 id)
{
	u32 restored;

	return journal_undo(id, &restored);
}
EXPORT_SYMBOL_GPL(ptremap_ept_undo);

/* The answers go to the caller before anybody knows of the transaction: it can still be undone. */
static int make_and_answer(struct ptremap_ept *req, struct ptremap_ept_item *items, u64 maker)
{
	struct txn *t = NULL;
	int err = make(req, items, &t);

	if (copy_to_user(u64_to_user_ptr(req->items), items, req->nr * sizeof(*items)) && !err)
		err = -EFAULT;
	if (!err && t)
		return add(t, req, maker);
	if (t)
		txn_undo(t);
	return err;
}

int call_ept(void *arg, struct file *file)
{
	struct ptremap_ept *req = arg;
	struct ptremap_ept_item *items;
	int err = check_call(req);
	u32 i;

	if (err)
		return err;
	items = vmemdup_user(u64_to_user_ptr(req->items), req->nr * sizeof(*items));
	if (IS_ERR(items))
		return PTR_ERR(items);
	for (i = 0; i < req->nr; i++)
		items[i].status = items[i].old = items[i].new = 0;
	err = make_and_answer(req, items, file_number(file));
	kvfree(items);
	return err;
}
