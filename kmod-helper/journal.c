// SPDX-License-Identifier: GPL-2.0
/*
 * Transactions: several edits, all made or none, listed and undone together.
 *
 * journal_lock protects the lists and the ids. It is not held while pages are faulted in, which
 * may take as long as the target's pager likes; an edit is in the list of all edits from before
 * that on, so that no second one gets its page. The guard takes none of it.
 */
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "edit.h"
#include "journal.h"
#include "ptremap.h"
#include "trace.h"

struct txn {
	struct list_head link;
	const struct file *owner; /* NULL: kept */
	u32 id;
	u32 nr; /* of ->edits that edit_init() was called for */
	bool keep;
	struct edit edits[];
};

static DEFINE_MUTEX(journal_lock);
static LIST_HEAD(txns);
static LIST_HEAD(edits);
static u32 last_id;

/* ---- one transaction ------------------------------------------------------------------------- */

static int claim_page(struct edit *e)
{
	struct edit *other;
	int err = 0;

	mutex_lock(&journal_lock);
	list_for_each_entry(other, &edits, link)
		/* One that the kernel took away does not stand in the way of a new one. */
		if (other->mm == e->mm && other->va == e->va &&
		    (!other->state || other->state == PTREMAP_ACTIVE)) err = -EBUSY;
	if (!err)
		list_add_tail(&e->link, &edits);
	mutex_unlock(&journal_lock);
	return err;
}

static void drop_claims(struct txn *t)
{
	u32 i;

	mutex_lock(&journal_lock);
	for (i = 0; i < t->nr; i++)
		list_del_init(&t->edits[i].link);
	mutex_unlock(&journal_lock);
}

/*
 * Takes back what is active, flushes once, then lets go of pages and guards. The transaction is in
 * no list any more. Returns how many were active.
 */
static u32 txn_undo(struct txn *t)
{
	u32 i, restored = 0;

	for (i = t->nr; i-- > 0;)
		restored += edit_restore(&t->edits[i], PTREMAP_CAUSE_UNDO);
	if (restored)
		flush_all_cpus();
	for (i = 0; i < t->nr; i++) {
		edit_release(&t->edits[i]);
		/* One that the guard took back may be about to be released by its work. */
		cancel_work_sync(&t->edits[i].release_work);
	}
	drop_claims(t);
	kvfree(t);
	return restored;
}

/* ---- making one ------------------------------------------------------------------------------ */

#define USER_END (TASK_SIZE_MAX & PAGE_MASK)

static int check_va(u64 va)
{
	return va & ~PAGE_MASK || va >= USER_END ? -EDOM : 0;
}

static int check_item(const struct ptremap_item *i)
{
	bool two = i->what == PTREMAP_FRAME || i->what == PTREMAP_SWAP;

	if (i->what < PTREMAP_PROTECT || i->what > PTREMAP_TRAP || i->reserved ||
	    i->flags & ~PTREMAP_ITEM_EXPECT)
		return -EINVAL;
	if (i->what == PTREMAP_PROTECT) {
		if (!(i->set | i->clear) || i->set & i->clear ||
		    (i->set | i->clear) & ~PTREMAP_PROTECT_BITS)
			return -EINVAL;
	} else if (i->set | i->clear) {
		return -EINVAL;
	}
	if (!two && (i->other_pid || i->other_va))
		return -EINVAL;
	/* The kernel's half has no edits. */
	if (i->pid <= 0 || (two && i->other_pid <= 0))
		return -ESRCH;
	return check_va(i->va) ?: two ? check_va(i->other_va) : 0;
}

static int is_kvm_vm(const void *unused, struct file *file, unsigned int fd)
{
	return !strcmp(file->f_path.dentry->d_name.name, "kvm-vm");
}

/*
 * KVM keeps frame numbers of its own, which a silent exchange would leave stale. The locks are
 * held for as long as the files are looked through.
 */
static bool has_kvm_guest(pid_t nr)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	bool found = false;

	put_pid(pid);
	if (!task)
		return false;
	task_lock(task);
	if (task->files)
		found = iterate_fd(task->files, 0, is_kvm_vm, NULL);
	task_unlock(task);
	put_task_struct(task);
	return found;
}

/* The edit of @pid's @va; @other: where FRAME and SWAP get theirs from. */
static int add_edit(struct txn *t, const struct ptremap_item *item, struct target *target, u64 va)
{
	struct edit *e = &t->edits[t->nr];
	int err;

	e->mm = target->mm;
	err = edit_init(e, item, item->pid, va);
	if (err)
		return err;
	t->nr++;
	return claim_page(e);
}

/* A swap is two edits, each with the other's frame. */
static int add_swap(struct txn *t, const struct ptremap_item *item, struct target *one,
		    struct target *other)
{
	struct ptremap_item back = *item;
	int err = add_edit(t, item, one, item->va);

	if (err)
		return err;
	back.pid = item->other_pid;
	back.va = item->other_va;
	back.other_pid = item->pid;
	back.other_va = item->va;
	back.flags = 0;
	err = add_edit(t, &back, other, back.va);
	if (!err)
		err = edit_prepare(&t->edits[t->nr - 1], one->mm);
	return err ?: edit_prepare(&t->edits[t->nr - 2], other->mm);
}

static int prepare_item(struct txn *t, const struct ptremap_item *item)
{
	bool two = item->what == PTREMAP_FRAME || item->what == PTREMAP_SWAP;
	struct target one, other = {};
	int err = check_item(item);

	if (err)
		return err;
	err = target_get(&one, item->pid, 0);
	if (err)
		return err;
	if (two)
		err = target_get(&other, item->other_pid, 0);
	if (err)
		goto out;
	if (item->what != PTREMAP_PROTECT && item->what != PTREMAP_TRAP &&
	    (has_kvm_guest(item->pid) || (two && has_kvm_guest(item->other_pid))))
		err = -EXDEV;
	else if (item->what == PTREMAP_SWAP)
		err = add_swap(t, item, &one, &other);
	else
		err = add_edit(t, item, &one, item->va)
			      ?: edit_prepare(&t->edits[t->nr - 1], other.mm);
	if (two)
		target_put(&other);
out:
	target_put(&one);
	return err;
}

/* Installs all edits of @t. On failure the caller undoes those that were. */
static int install_all(struct txn *t, bool dry_run, u32 *failed)
{
	int err = 0;
	u32 i;

	for (i = 0; i < t->nr && !err; i++) {
		struct edit *e = &t->edits[i];

		/* Its tables must not be torn down under lock_pte(). */
		if (!mmget_not_zero(e->mm)) {
			err = -ESRCH;
		} else {
			err = edit_install(e, dry_run);
			mmput(e->mm);
		}
		*failed = i;
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

static int run_items(struct txn *t, struct ptremap_item *items, u32 nr, bool dry_run)
{
	u32 i, at, failed = 0;
	int err = 0;

	for (i = 0; i < nr && !err; i++) {
		items[i].status = err = prepare_item(t, &items[i]);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	if (err) {
		trace_ptremap_refuse(items[i - 1].pid, items[i - 1].va, items[i - 1].what, err);
		return err;
	}
	err = install_all(t, dry_run, &failed);
	if (!err && !dry_run)
		flush_all_cpus();
	for (i = at = 0; i < nr; i++) {
		u32 next = answer(&items[i], t, at);

		if (err && failed >= at && failed < next)
			items[i].status = err;
		at = next;
	}
	if (err)
		trace_ptremap_refuse(t->edits[failed].pid, t->edits[failed].va,
				     t->edits[failed].item.what, err);
	return err;
}

static void txn_publish(struct txn *t, u32 *id)
{
	mutex_lock(&journal_lock);
	*id = t->id = ++last_id;
	list_add_tail(&t->link, &txns);
	mutex_unlock(&journal_lock);
}

static int edit_items(struct ptremap_edit *req, struct file *file, struct ptremap_item *items)
{
	bool dry_run = req->flags & PTREMAP_EDIT_DRY_RUN;
	struct txn *t;
	int err;

	t = kvzalloc(struct_size(t, edits, 2 * (size_t)req->nr), GFP_KERNEL_ACCOUNT);
	if (!t)
		return -ENOMEM;
	t->keep = req->flags & PTREMAP_EDIT_KEEP;
	t->owner = t->keep ? NULL : file;
	err = run_items(t, items, req->nr, dry_run);
	if (err || dry_run)
		txn_undo(t);
	else
		txn_publish(t, &req->id);
	return err;
}

int call_edit(void *arg, struct file *file)
{
	struct ptremap_edit *req = arg;
	void __user *user = u64_to_user_ptr(req->items);
	struct ptremap_item *items;
	u32 i;
	int err;

	if (req->flags & ~(PTREMAP_EDIT_DRY_RUN | PTREMAP_EDIT_KEEP) || !req->nr ||
	    req->nr > PTREMAP_EDIT_MAX)
		return -EINVAL;
	req->id = 0;
	items = vmemdup_user(user, req->nr * sizeof(*items));
	if (IS_ERR(items))
		return PTR_ERR(items);
	for (i = 0; i < req->nr; i++)
		items[i].status = items[i].old = items[i].new = 0;
	err = edit_items(req, file, items);
	/* The caller learns what was done even if it gave memory that it may not write. */
	if (copy_to_user(user, items, req->nr * sizeof(*items)) && !err)
		err = -EFAULT;
	kvfree(items);
	return err;
}

/* ---- list and undo --------------------------------------------------------------------------- */

static void fill_record(struct ptremap_record *r, const struct txn *t, struct edit *e)
{
	spin_lock(&e->lock);
	*r = (struct ptremap_record){
		.id = t->id,
		.what = e->item.what,
		.pid = e->pid,
		.state = e->state,
		.cause = e->cause,
		.keep = t->keep,
		.va = e->va,
		.old = pte_val(e->old),
		.new = pte_val(e->new),
	};
	spin_unlock(&e->lock);
}

int call_list(void *arg, struct file *file)
{
	struct ptremap_list *req = arg;
	struct ptremap_record __user *user = u64_to_user_ptr(req->records);
	struct ptremap_record r;
	struct txn *t;
	u32 i, n = 0;
	int err = 0;

	if (req->flags || req->reserved)
		return -EINVAL;
	mutex_lock(&journal_lock);
	list_for_each_entry(t, &txns, link)
	{
		for (i = 0; i < t->nr; i++, n++) {
			if (n >= req->nr || err)
				continue;
			fill_record(&r, t, &t->edits[i]);
			err = copy_to_user(user + n, &r, sizeof(r)) ? -EFAULT : 0;
		}
	}
	mutex_unlock(&journal_lock);
	req->nr = n;
	return err;
}

/* Undoes each transaction that @match wants; returns how many, and edits in *@restored. */
static u32 undo_matching(bool (*match)(const struct txn *t, const void *key), const void *key,
			 u32 *restored)
{
	struct txn *t, *next;
	LIST_HEAD(out);
	u32 nr = 0;

	mutex_lock(&journal_lock);
	list_for_each_entry_safe(t, next, &txns, link) if (match(t, key))
		list_move(&t->link, &out); /* the youngest first */
	mutex_unlock(&journal_lock);
	list_for_each_entry_safe(t, next, &out, link)
	{
		*restored += txn_undo(t);
		nr++;
	}
	return nr;
}

static bool match_id(const struct txn *t, const void *key)
{
	u32 id = *(const u32 *)key;

	return !id || t->id == id;
}

static bool match_owner(const struct txn *t, const void *key)
{
	return t->owner == key;
}

int call_undo(void *arg, struct file *file)
{
	struct ptremap_undo *req = arg;
	u32 nr;

	if (req->flags)
		return -EINVAL;
	req->restored = 0;
	nr = undo_matching(match_id, &req->id, &req->restored);
	return req->id && !nr ? -ENOENT : 0;
}

void journal_close(const struct file *file)
{
	u32 restored = 0;

	undo_matching(match_owner, file, &restored);
}

void journal_exit(void)
{
	u32 all = 0, restored = 0;

	undo_matching(match_id, &all, &restored);
}
