// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of VMs: whose they are, added and removed.
 *
 * Who adds or removes some holds ->mutex, publishes a new index, and only then goes through the
 * entries that are there, under KVM's mmu_lock for writing. make_spte() runs under mmu_lock, for
 * reading at least: what it makes after that has the new limits, and what it made before is seen.
 *
 * Locks: ->mutex, then the VM's SRCU, then mmu_lock. A vCPU's thread may wait for ->mutex; its
 * holder waits for no vCPU but for the end of what it does in the guest.
 */
#include <linux/delay.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "kvm_limits_impl.h"
#include "kvm_sptes.h"

/* Protects vms, and ->kvm of each. Raw, since hooks take it. */
static DEFINE_RAW_SPINLOCK(limits_lock);
static LIST_HEAD(vms);
static struct workqueue_struct *queue;

/* ---- the VMs ----------------------------------------------------------------------------------
 */

struct limits *limits_of(const struct kvm *kvm)
{
	struct limits *v;

	list_for_each_entry_rcu(v, &vms, link)
	{
		if (READ_ONCE(v->kvm) == kvm)
			return v;
	}
	return NULL;
}

bool limits_get(struct limits *v)
{
	return refcount_inc_not_zero(&v->refs);
}

/* Does not sleep. */
void limits_put(struct limits *v)
{
	unsigned long flags;

	if (!refcount_dec_and_test(&v->refs))
		return;
	raw_spin_lock_irqsave(&limits_lock, flags);
	list_del_rcu(&v->link);
	raw_spin_unlock_irqrestore(&limits_lock, flags);
	kvfree_rcu(rcu_dereference_raw(v->index), rcu);
	kvfree_rcu(rcu_dereference_raw(v->blocks), rcu);
	kfree_rcu(v, rcu);
}

struct kvm *limits_get_kvm(struct limits *v)
{
	unsigned long flags;
	struct kvm *kvm;

	raw_spin_lock_irqsave(&limits_lock, flags);
	kvm = v->kvm;
	if (kvm && !kvm_get_kvm_safe(kvm))
		kvm = NULL;
	raw_spin_unlock_irqrestore(&limits_lock, flags);
	return kvm;
}

void limits_queue(struct limits *v)
{
	if (limits_get(v) && !queue_work(queue, &v->work))
		limits_put(v);
}

bool limits_queue_close(struct limits *v, unsigned long jiffies_from_now)
{
	return queue_delayed_work(queue, &v->close, jiffies_from_now);
}

static void settle_work(struct work_struct *work)
{
	struct limits *v = container_of(work, struct limits, work);
	struct kvm *kvm = limits_get_kvm(v);

	limits_settle(v, kvm);
	if (kvm)
		kvm_put_kvm(kvm);
	limits_put(v);
}

static struct limits *new_limits(struct kvm *kvm)
{
	struct limits *v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	u32 i;

	if (!v)
		return NULL;
	refcount_set(&v->refs, 1);
	v->kvm = kvm;
	v->id = kvm;
	mutex_init(&v->mutex);
	INIT_LIST_HEAD(&v->limiters);
	INIT_WORK(&v->work, settle_work);
	INIT_DELAYED_WORK(&v->close, limits_close_work);
	for (i = 0; i < MAX_OPENED; i++)
		v->opened[i].first = ~0ULL;
	return v;
}

/* With a reference. */
static struct limits *find_limits(const struct kvm *kvm)
{
	struct limits *v;

	rcu_read_lock();
	v = limits_of(kvm);
	if (v && !limits_get(v))
		v = NULL;
	rcu_read_unlock();
	return v;
}

static DEFINE_MUTEX(making); /* so that no VM gets two */

static struct limits *find_or_make(struct kvm *kvm)
{
	unsigned long flags;
	struct limits *v;

	mutex_lock(&making);
	v = find_limits(kvm);
	if (!v) {
		v = new_limits(kvm);
		raw_spin_lock_irqsave(&limits_lock, flags);
		if (v)
			list_add_rcu(&v->link, &vms);
		raw_spin_unlock_irqrestore(&limits_lock, flags);
	}
	mutex_unlock(&making);
	return v;
}

void limits_end(const struct kvm *kvm)
{
	unsigned long flags;
	struct limits *v;

	v = limits_of(kvm);
	if (!v)
		return;
	raw_spin_lock_irqsave(&limits_lock, flags);
	v->ended_by = current->flags & PF_EXITING ? PTREMAP_CAUSE_EXIT : PTREMAP_CAUSE_VM;
	WRITE_ONCE(v->kvm, NULL);
	raw_spin_unlock_irqrestore(&limits_lock, flags);
	limits_queue(v);
}

/* ---- adding and removing -----------------------------------------------------------------------
 */

/* ->mutex is held. NULL: no memory. */
static struct block_range *ranges_of(const struct index *x)
{
	struct block_range *ranges = kvcalloc(x->nr ?: 1, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
	u32 i;

	for (i = 0; ranges && i < x->nr; i++)
		ranges[i] = (struct block_range){ x->entry[i].first, x->entry[i].last };
	return ranges;
}

/*
 * ->mutex is held. SRCU is, from when the slots are looked at until the blocks are known: a slot
 * that goes meanwhile does so behind that, and blocks_forget() sees them.
 */
static int update_blocks(struct limits *v, struct kvm *kvm, const struct index *x)
{
	struct blocks *old = rcu_dereference_raw(v->blocks), *new;
	struct block_range *ranges = ranges_of(x);
	int idx;

	if (!ranges)
		return -ENOMEM;
	idx = srcu_read_lock(&kvm->srcu);
	new = blocks_of(kvm, ranges, x->nr);
	if (new) {
		blocks_replace(kvm, new, old);
		rcu_assign_pointer(v->blocks, new);
	}
	srcu_read_unlock(&kvm->srcu, idx);
	kvfree(ranges);
	if (!new)
		return -ENOMEM;
	kvfree_rcu(old, rcu);
	return 0;
}

int limits_update(struct limits *v, struct kvm *kvm)
{
	struct index *old = rcu_dereference_raw(v->index), *new = index_make(v);
	int err = new ? 0 : -ENOMEM;

	if (!err && kvm)
		err = update_blocks(v, kvm, new);
	if (err) {
		kvfree(new);
		return err;
	}
	rcu_assign_pointer(v->index, new);
	kvfree_rcu(old, rcu);
	return 0;
}

/* ->mutex is held. One page has one limit of a transaction's, of those that are in force. */
static bool overlaps(const struct limits *v, const struct limiter *by)
{
	const struct index *x = rcu_dereference_raw(v->index);
	u32 n;
	int i;

	for (n = 0; x && n < by->nr; n++) {
		for_each_in(i, x, by->limits[n].first, by->limits[n].last)
		{
			if (x->entry[i].limit->kind != LIMIT_WATCH &&
			    !test_bit(LIMIT_TAKEN, &x->entry[i].limit->state))
				return true;
		}
	}
	return false;
}

int limits_add(struct kvm *kvm, struct limiter *by, bool alone)
{
	struct limits *v = find_or_make(kvm);
	u32 i;
	int err;

	if (!v)
		return -ENOMEM;
	for (i = 0; i < by->nr; i++)
		by->limits[i].by = by;
	by->of = v;
	mutex_lock(&v->mutex);
	if (alone && overlaps(v, by)) {
		err = -EBUSY;
	} else {
		/* What was opened for others' sake would let accesses by that are by's to see. */
		limits_close(v, kvm);
		list_add_tail(&by->link, &v->limiters);
		err = limits_update(v, kvm);
		if (err)
			list_del(&by->link);
	}
	mutex_unlock(&v->mutex);
	if (err)
		limits_put(v);
	return err;
}

/* Neighbours are dropped together. */
static void drop_all(struct kvm *kvm, const struct limiter *by)
{
	u32 i, to;

	for (i = 0; i < by->nr; i = to) {
		for (to = i + 1;
		     to < by->nr && by->limits[to].first == by->limits[to - 1].last + 1;)
			to++;
		sptes_drop(kvm, by->limits[i].first, by->limits[to - 1].last);
		cond_resched();
	}
}

/*
 * Without memory for a new index, the old one goes on with limits that were taken, which say
 * nothing any more; then they must not be found by anybody, and there is none.
 */
static void forget(struct limits *v, struct kvm *kvm, struct limiter *by)
{
	struct index *old;

	list_del(&by->link);
	if (!limits_update(v, kvm))
		return;
	old = rcu_dereference_raw(v->index);
	rcu_assign_pointer(v->index, NULL);
	kvfree_rcu(old, rcu);
}

u32 limits_remove(struct limiter *by)
{
	struct limits *v = by->of;
	struct kvm *kvm = limits_get_kvm(v);
	u32 i, n = 0;

	mutex_lock(&v->mutex);
	for (i = 0; i < by->nr; i++)
		n += limit_take(&by->limits[i], kvm ? PTREMAP_CAUSE_UNDO : v->ended_by);
	forget(v, kvm, by);
	mutex_unlock(&v->mutex);
	synchronize_rcu();
	if (kvm) {
		drop_all(kvm, by);
		for (i = 0; i < by->nr; i++)
			limit_flush_caches(kvm, &by->limits[i]);
		kvm_put_kvm(kvm);
	}
	limits_put(v);
	return n;
}

/* ---- the module --------------------------------------------------------------------------------
 */

int limits_init(void)
{
	int err;

	queue = alloc_workqueue("ptremap_kvm", WQ_UNBOUND, 0);
	if (!queue)
		return -ENOMEM;
	err = build_hooks_init();
	if (err)
		destroy_workqueue(queue);
	return err;
}

/* No limits are left; works may be. */
void limits_exit(void)
{
	/* Nobody has limits any more; each VM stays here until its last work is done. */
	while (!list_empty_careful(&vms))
		msleep(10);
	build_hooks_exit();
	destroy_workqueue(queue);
}
