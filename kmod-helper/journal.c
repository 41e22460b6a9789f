// SPDX-License-Identifier: GPL-2.0
/*
 * The transactions that are in force: made, listed, undone, and taken back with their file.
 *
 * journal_lock protects the table of them. It is not held while pages are faulted in or memory of
 * the caller is touched, nor while one is made or undone; the guard does not take it.
 */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "journal.h"
#include "ptremap.h"
#include "txn.h"

static DEFINE_MUTEX(journal_lock);
static DEFINE_IDR(txns); /* by id; NULL: one that is being made */

/* Numbers come round again after 2^31 transactions; none is used twice at a time. */
static int reserve_id(void)
{
	int id;

	mutex_lock(&journal_lock);
	id = idr_alloc_cyclic(&txns, NULL, 1, 0, GFP_KERNEL);
	mutex_unlock(&journal_lock);
	return id;
}

/* NULL gives the number back. Watches are told before anybody can undo it. */
static void publish(int id, struct txn *t)
{
	mutex_lock(&journal_lock);
	if (t) {
		idr_replace(&txns, t, id);
		txn_tell_made(t);
	} else {
		idr_remove(&txns, id);
	}
	mutex_unlock(&journal_lock);
}

/* The answers go to the caller before anybody knows of the transaction: it can still be undone. */
static int make_and_answer(struct txn *t, const struct ptremap_edit *req,
			   struct ptremap_item *items)
{
	size_t len = req->nr * sizeof(*items);
	int err = txn_make(t, items, req->nr, req->flags & PTREMAP_EDIT_DRY_RUN);

	if (copy_to_user(u64_to_user_ptr(req->items), items, len) && !err)
		err = -EFAULT;
	return err;
}

int journal_add(struct txn *t, u64 maker, bool keep, u32 *id)
{
	int nr = reserve_id();

	if (nr < 0)
		return nr;
	t->id = *id = nr;
	t->maker = maker;
	t->keep = keep;
	publish(nr, t);
	return 0;
}

int journal_edit(struct ptremap_item *item, u64 maker, bool keep, u32 *id)
{
	const struct vm_calls *calls = vm_get_calls();
	struct txn *t = txn_new(item, 1);
	int err = -ENOMEM;

	if (t) {
		t->calls = calls;
		err = txn_make(t, item, 1, false) ?: journal_add(t, maker, keep, id);
		if (err)
			txn_undo(t);
	}
	vm_put_calls(calls);
	return err;
}

static int edit_items(struct ptremap_edit *req, struct file *file, struct ptremap_item *items,
		      const struct vm_calls *calls)
{
	bool dry_run = req->flags & PTREMAP_EDIT_DRY_RUN;
	int err, id = reserve_id();
	struct txn *t;

	if (id < 0)
		return id;
	t = txn_new(items, req->nr);
	if (t)
		t->calls = calls;
	err = t ? make_and_answer(t, req, items) : -ENOMEM;
	if (err || dry_run) {
		if (t)
			txn_undo(t);
		publish(id, NULL);
		return err;
	}
	t->id = req->id = id;
	t->maker = file_number(file);
	t->keep = req->flags & PTREMAP_EDIT_KEEP;
	publish(id, t);
	return 0;
}

int call_edit(void *arg, struct file *file)
{
	struct ptremap_edit *req = arg;
	struct ptremap_item *items;
	const struct vm_calls *calls;
	u32 i;
	int err;

	if (req->flags & ~(PTREMAP_EDIT_DRY_RUN | PTREMAP_EDIT_KEEP) || !req->nr ||
	    req->nr > PTREMAP_EDIT_MAX)
		return -EINVAL;
	req->id = 0;
	items = vmemdup_user(u64_to_user_ptr(req->items), req->nr * sizeof(*items));
	if (IS_ERR(items))
		return PTR_ERR(items);
	for (i = 0; i < req->nr; i++)
		items[i].status = items[i].old = items[i].new = 0;
	calls = vm_get_calls();
	err = edit_items(req, file, items, calls);
	vm_put_calls(calls);
	kvfree(items);
	return err;
}

/* Others may have listed it by now, or undone it. */
static void unmake(u32 id, int err)
{
	u32 restored = 0;

	if (err && id)
		journal_undo(id, &restored);
}

void edit_answered(void *arg, int err)
{
	const struct ptremap_edit *req = arg;

	unmake(req->id, err);
}

void map_answered(void *arg, int err)
{
	const struct ptremap_map *req = arg;

	unmake(req->id, err);
}

void ept_answered(void *arg, int err)
{
	const struct ptremap_ept *req = arg;

	unmake(req->id, err);
}

/* Its address and number reach the caller after it is known: whoever lists it finds them, too. */
int call_map(void *arg, struct file *file)
{
	struct ptremap_map *req = arg;
	int err, id = reserve_id();
	struct txn *t;

	if (id < 0)
		return id;
	req->id = 0;
	t = txn_new(NULL, 0);
	err = t ? map_make(&t->map, req) : -ENOMEM;
	if (err || req->flags & PTREMAP_MAP_DRY_RUN) {
		kvfree(t);
		publish(id, NULL);
		return err;
	}
	t->id = req->id = id;
	t->maker = file_number(file);
	t->keep = req->flags & PTREMAP_MAP_KEEP;
	publish(id, t);
	return 0;
}

/* ---- list and undo --------------------------------------------------------------------------- */

/* Up to @max records. Returns how many there are. journal_lock is held. */
static u32 fill_records(struct ptremap_record *records, u32 max)
{
	struct txn *t;
	u32 i, n = 0;
	int id;

	idr_for_each_entry(&txns, t, id)
	{
		if (t->map && n < max)
			map_record(t->map, &records[n]);
		for (i = 0; i < t->nr && n + i < max; i++)
			edit_record(&t->edits[i], &records[n + i]);
		n += t->map ? 1 : t->nr;
		if (t->protected)
			n += t->vm->protect_records(t->protected, max ? &records[n] : NULL,
						    max - min(n, max));
	}
	return n;
}

bool journal_is_active(u32 id)
{
	struct ptremap_record record;
	bool active = false;
	struct txn *t;
	u32 i;

	mutex_lock(&journal_lock);
	t = idr_find(&txns, id);
	for (i = 0; t && i < t->nr && !active; i++)
		active = edit_state(&t->edits[i]) == PTREMAP_ACTIVE;
	if (t && t->protected && t->vm->protect_records(t->protected, &record, 1))
		active = record.state == PTREMAP_ACTIVE;
	mutex_unlock(&journal_lock);
	return active;
}

int record_size(u32 *size)
{
	*size = *size ?: PTREMAP_RECORD_SIZE_1;
	return *size < PTREMAP_RECORD_SIZE_1 || *size > PAGE_SIZE || *size % 8 ? -EINVAL : 0;
}

/* What the caller knows of each record; what it knows beyond them is 0. */
static int copy_records(u64 to, u32 size, const struct ptremap_record *records, u32 nr)
{
	char __user *at = u64_to_user_ptr(to);
	u32 i, len = min_t(u32, size, sizeof(*records));

	if (size == sizeof(*records))
		return copy_to_user(at, records, nr * sizeof(*records)) ? -EFAULT : 0;
	for (i = 0; i < nr; i++, at += size) {
		if (copy_to_user(at, &records[i], len) || clear_user(at + len, size - len))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

int call_list(void *arg, struct file *file)
{
	struct ptremap_list *req = arg;
	struct ptremap_record *records;
	u32 max;
	int err;

	if (req->flags || record_size(&req->record_size))
		return -EINVAL;
	mutex_lock(&journal_lock);
	max = min(req->nr, fill_records(NULL, 0));
	mutex_unlock(&journal_lock);
	/* Those that come up meanwhile are for the next call. */
	records = kvcalloc(max, sizeof(*records), GFP_KERNEL_ACCOUNT);
	if (!records)
		return -ENOMEM;
	mutex_lock(&journal_lock);
	req->nr = fill_records(records, max);
	mutex_unlock(&journal_lock);
	max = min(max, req->nr);
	err = copy_records(req->records, req->record_size, records, max);
	kvfree(records);
	return err;
}

/* Undoes each transaction that @match wants, the youngest first; adds edits to *@restored. */
static u32 undo_matching(bool (*match)(const struct txn *t, const void *key), const void *key,
			 u32 *restored)
{
	struct txn *t, *next;
	LIST_HEAD(out);
	u32 nr = 0;
	int id;

	mutex_lock(&journal_lock);
	idr_for_each_entry(&txns, t, id)
	{
		if (!match(t, key))
			continue;
		idr_remove(&txns, id);
		list_add(&t->link, &out);
	}
	mutex_unlock(&journal_lock);
	list_for_each_entry_safe(t, next, &out, link)
	{
		*restored += txn_undo(t);
		nr++;
	}
	return nr;
}

static bool match_any(const struct txn *t, const void *unused)
{
	return true;
}

static bool match_maker(const struct txn *t, const void *number)
{
	return !t->keep && t->maker == *(const u64 *)number;
}

static bool match_vm(const struct txn *t, const void *unused)
{
	return t->vm;
}

int journal_undo(u32 id, u32 *restored)
{
	struct txn *t;

	mutex_lock(&journal_lock);
	t = idr_find(&txns, id);
	if (t)
		idr_remove(&txns, id);
	mutex_unlock(&journal_lock);
	if (!t)
		return -ENOENT;
	*restored += txn_undo(t);
	return 0;
}

int call_undo(void *arg, struct file *file)
{
	struct ptremap_undo *req = arg;

	if (req->flags)
		return -EINVAL;
	req->restored = 0;
	if (req->id)
		return journal_undo(req->id, &req->restored);
	undo_matching(match_any, NULL, &req->restored);
	return 0;
}

void journal_undo_vm(void)
{
	u32 restored = 0;

	undo_matching(match_vm, NULL, &restored);
}

void journal_close(u64 number)
{
	u32 restored = 0;

	undo_matching(match_maker, &number, &restored);
}

void journal_exit(void)
{
	u32 restored = 0;

	undo_matching(match_any, NULL, &restored);
	idr_destroy(&txns);
}
