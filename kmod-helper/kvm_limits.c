// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of VMs: found by page, put into the entries that are there, and taken back.
 *
 * Who adds or removes some holds ->mutex, publishes a new index, and only then goes through the
 * entries that are there, under KVM's mmu_lock for writing. make_spte() runs under mmu_lock, for
 * reading at least: what it makes after that has the new limits, and what it made before is seen.
 *
 * Locks: ->mutex, then the VM's SRCU, then mmu_lock. A vCPU's thread may wait for ->mutex; its
 * holder waits for no vCPU but for the end of what it does in the guest.
 */
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <asm/cacheflush.h>

#include "compat.h"
#include "kvm_limits_impl.h"
#include "kvm_sptes.h"

#define CLOSE_JIFFIES 2

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

/* With a reference, or NULL: it has ended. */
static struct kvm *get_kvm(struct limits *v)
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

static void settle_work(struct work_struct *work)
{
	struct limits *v = container_of(work, struct limits, work);
	struct kvm *kvm = get_kvm(v);

	limits_settle(v, kvm);
	if (kvm)
		kvm_put_kvm(kvm);
	limits_put(v);
}

static void close_work(struct work_struct *work);

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
	INIT_DELAYED_WORK(&v->close, close_work);
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

/* ---- finding them ------------------------------------------------------------------------------
 */

int index_upto(const struct index *x, gfn_t gfn)
{
	u32 from = 0, to = x->nr;

	while (from < to) {
		u32 mid = from + (to - from) / 2;

		if (x->entry[mid].first <= gfn)
			from = mid + 1;
		else
			to = mid;
	}
	return (int)from - 1;
}

static int compare_entries(const void *a, const void *b)
{
	const struct index_entry *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void finish_index(struct index *x)
{
	gfn_t reach = 0;
	u32 i;

	sort(x->entry, x->nr, sizeof(x->entry[0]), compare_entries, NULL);
	for (i = 0; i < x->nr; i++) {
		reach = max(reach, x->entry[i].last);
		x->entry[i].reach = reach;
	}
}

/* ->mutex is held. Those that were taken are left out. */
static struct index *make_index(const struct limits *v)
{
	struct limiter *by;
	struct index *x;
	size_t room = 0;
	u32 i;

	list_for_each_entry(by, &v->limiters, link) room += by->nr;
	x = kvzalloc(struct_size(x, entry, room), GFP_KERNEL_ACCOUNT);
	if (!x)
		return NULL;
	list_for_each_entry(by, &v->limiters, link)
	{
		for (i = 0; i < by->nr; i++) {
			struct limit *l = &by->limits[i];

			if (!test_bit(LIMIT_TAKEN, &l->state))
				x->entry[x->nr++] = (struct index_entry){ l->first, l->last, 0, l };
		}
	}
	finish_index(x);
	return x;
}

bool limits_opened(const struct limits *v, gfn_t first, gfn_t last)
{
	u32 i;

	for (i = 0; i < MAX_OPENED; i++) {
		if (READ_ONCE(v->opened[i].first) <= first && last <= READ_ONCE(v->opened[i].last))
			return true;
	}
	return false;
}

u32 limits_deny(const struct limits *v, gfn_t gfn, u32 access, u32 kinds)
{
	const struct index *x = rcu_dereference(v->index);
	u32 denied = 0;
	int i;

	if (!x || limits_opened(v, gfn, gfn))
		return 0;
	for_each_in(i, x, gfn, gfn)
	{
		const struct limit *l = x->entry[i].limit;

		if (kinds & BIT(l->kind) && !test_bit(LIMIT_TAKEN, &l->state))
			denied |= l->denied & access;
	}
	return denied;
}

bool limit_take(struct limit *l, enum ptremap_cause cause)
{
	if (test_and_set_bit(LIMIT_TAKEN, &l->state))
		return false;
	l->cause = cause;
	return true;
}

u32 limits_end_by_access(const struct limits *v, gfn_t gfn, u32 access)
{
	const struct index *x = rcu_dereference(v->index);
	u32 n = 0;
	int i;

	for_each_in(i, x, gfn, gfn)
	{
		struct limit *l = x->entry[i].limit;

		if (l->kind == LIMIT_ONCE && l->denied & access)
			n += limit_take(l, PTREMAP_CAUSE_ACCESS);
	}
	return n;
}

u32 limits_tell(const struct limits *v, const struct ptremap_access *a)
{
	const struct index *x = rcu_dereference(v->index);
	gfn_t gfn = a->gpa >> PAGE_SHIFT;
	u32 n = 0;
	int i;

	if (!x)
		return 0;
	for_each_in(i, x, gfn, gfn)
	{
		struct limit *l = x->entry[i].limit;

		if (l->kind != LIMIT_WATCH ||
		    (a->type == PTREMAP_ACCESS_DONE && !(l->on & a->access)))
			continue;
		l->by->seen(l, a);
		n++;
	}
	return n;
}

bool limits_are_mixed(const struct limits *v)
{
	return READ_ONCE(v->mixed);
}

/* ---- the entries that are there ----------------------------------------------------------------
 */

struct application {
	const struct limit *limit;
	bool built;
	/* Of those that cannot be changed in place. */
	gfn_t drop_first, drop_last;
};

static void drop_later(struct application *a, const struct spte_leaf *leaf)
{
	a->drop_first = min(a->drop_first, leaf->gfn);
	a->drop_last = max(a->drop_last, leaf->gfn + spte_pages(leaf->level) - 1);
}

static u64 limited(const struct limit *l, u64 spte)
{
	spte = spte_deny(spte, l->denied);
	return l->has_cache ? spte_cache(spte, l->cache) : spte;
}

static void apply_to_leaf(const struct spte_leaf *leaf, void *arg)
{
	struct application *a = arg;
	const struct limit *l = a->limit;
	u64 old = leaf->value;

	if (leaf->gfn < l->first || leaf->gfn + spte_pages(leaf->level) - 1 > l->last ||
	    spte_tracks_by_faults(old)) {
		drop_later(a, leaf);
		return;
	}
	a->built = true;
	while (!try_cmpxchg64(leaf->at, &old, limited(l, old)))
		;
}

static void flush_page(struct kvm *kvm, gfn_t gfn)
{
	unsigned long hva = gfn_to_hva(kvm, gfn);
	struct page *page;

	if (kvm_is_error_hva(hva) || compat_get_page(kvm->mm, hva, FOLL_NOWAIT, &page) != 1)
		return;
	clflush_cache_range(page_address(page), PAGE_SIZE);
	put_page(page);
}

/* Lines of another memory type must not stay in the caches. The VM's process may have ended. */
static void flush_caches(struct kvm *kvm, const struct limit *l)
{
	gfn_t gfn;
	int idx;

	if (!l->has_cache || !mmget_not_zero(kvm->mm))
		return;
	idx = srcu_read_lock(&kvm->srcu);
	mmap_read_lock(kvm->mm);
	for (gfn = l->first; gfn <= l->last; gfn++)
		flush_page(kvm, gfn);
	mmap_read_unlock(kvm->mm);
	srcu_read_unlock(&kvm->srcu, idx);
	mmput(kvm->mm);
}

static int apply(struct kvm *kvm, struct limit *l)
{
	struct application a = { .limit = l, .drop_first = ~0ULL };
	int err;

	write_lock(&kvm->mmu_lock);
	err = sptes_each(kvm, l->first, l->last, apply_to_leaf, &a);
	if (a.built)
		set_bit(LIMIT_BUILT, &l->state);
	kvm_flush_remote_tlbs(kvm);
	write_unlock(&kvm->mmu_lock);
	if (a.drop_first <= a.drop_last)
		sptes_drop(kvm, a.drop_first, a.drop_last);
	if (a.built)
		flush_caches(kvm, l);
	return err;
}

int limits_apply(struct kvm *kvm, struct limiter *by)
{
	int err = 0;
	u32 i;

	for (i = 0; i < by->nr && !err; i++) {
		err = apply(kvm, &by->limits[i]);
		cond_resched();
	}
	return err;
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

/* ->mutex is held. @kvm: NULL when the VM has ended. */
static int update(struct limits *v, struct kvm *kvm)
{
	struct index *old = rcu_dereference_raw(v->index), *new = make_index(v);
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
		list_add_tail(&by->link, &v->limiters);
		err = update(v, kvm);
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
	if (!update(v, kvm))
		return;
	old = rcu_dereference_raw(v->index);
	rcu_assign_pointer(v->index, NULL);
	kvfree_rcu(old, rcu);
}

u32 limits_remove(struct limiter *by)
{
	struct limits *v = by->of;
	struct kvm *kvm = get_kvm(v);
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
			flush_caches(kvm, &by->limits[i]);
		kvm_put_kvm(kvm);
	}
	limits_put(v);
	return n;
}

/* ---- what is left to do ------------------------------------------------------------------------
 */

/* ->mutex is held. */
static void settle_limit(struct limits *v, struct kvm *kvm, struct limit *l)
{
	if (!kvm)
		limit_take(l, v->ended_by);
	if (test_bit(LIMIT_TAKEN, &l->state)) {
		if (test_and_set_bit(LIMIT_TOLD, &l->state))
			return;
		if (kvm)
			sptes_drop(kvm, l->first, l->last);
		if (l->by->taken)
			l->by->taken(l);
	} else if (test_and_clear_bit(LIMIT_LOOK, &l->state)) {
		apply(kvm, l);
	}
}

static void settle_limiter(struct limits *v, struct kvm *kvm, struct limiter *by)
{
	u32 i;

	for (i = 0; i < by->nr; i++)
		settle_limit(v, kvm, &by->limits[i]);
	if (!kvm && by->ended)
		by->ended(by);
}

/* ->mutex is held. Blocks of slots that are new; what KVM has there is made anew, in parts. */
static void settle_mixed(struct limits *v, struct kvm *kvm)
{
	const struct blocks *b;
	u32 i;

	WRITE_ONCE(v->mixed, false);
	if (update(v, kvm))
		return;
	b = rcu_dereference_raw(v->blocks);
	for (i = 0; i < b->nr; i++)
		sptes_drop(kvm, b->block[i].base,
			   b->block[i].base + spte_pages(b->block[i].level) - 1);
}

void limits_settle(struct limits *v, struct kvm *kvm)
{
	struct limiter *by;

	mutex_lock(&v->mutex);
	list_for_each_entry(by, &v->limiters, link) settle_limiter(v, kvm, by);
	if (kvm && READ_ONCE(v->mixed))
		settle_mixed(v, kvm);
	mutex_unlock(&v->mutex);
}

/* ---- pages that are open for a moment ----------------------------------------------------------
 */

static void tell_open(struct limits *v, gfn_t gfn, u32 type)
{
	struct ptremap_access a = { .time = ktime_get_ns(),
				    .gpa = gfn << PAGE_SHIFT,
				    .type = type };

	rcu_read_lock();
	limits_tell(v, &a);
	rcu_read_unlock();
}

/* ->mutex is held. No longer open, then dropped: KVM makes entries with limits. */
static void close_one(struct limits *v, struct kvm *kvm, struct opened *o)
{
	gfn_t first = o->first, last = o->last;

	if (first > last)
		return;
	WRITE_ONCE(o->last, 0);
	WRITE_ONCE(o->first, ~0ULL);
	if (!kvm)
		return;
	sptes_drop(kvm, first, last);
	tell_open(v, first, PTREMAP_ACCESS_CLOSED);
}

static void close_all(struct limits *v, struct kvm *kvm)
{
	u32 i;

	for (i = 0; i < MAX_OPENED; i++)
		close_one(v, kvm, &v->opened[i]);
}

static void close_work(struct work_struct *work)
{
	struct limits *v = container_of(to_delayed_work(work), struct limits, close);
	struct kvm *kvm = get_kvm(v);

	mutex_lock(&v->mutex);
	close_all(v, kvm);
	mutex_unlock(&v->mutex);
	if (kvm)
		kvm_put_kvm(kvm);
	limits_put(v);
}

/* ->mutex is held. As much as one entry may map. */
static struct opened around(const struct limits *v, gfn_t gfn)
{
	gfn_t base = gfn & ~(spte_pages(2) - 1);

	if (blocks_have(rcu_dereference_raw(v->blocks), gfn))
		return (struct opened){ gfn, gfn };
	return (struct opened){ base, base + spte_pages(2) - 1 };
}

static void add_opened(struct limits *v, struct kvm *kvm, gfn_t gfn)
{
	struct opened new = around(v, gfn);
	u32 i;

	for (i = 0; i < MAX_OPENED && v->opened[i].first <= v->opened[i].last; i++)
		;
	if (i == MAX_OPENED) {
		close_all(v, kvm);
		i = 0;
	}
	WRITE_ONCE(v->opened[i].first, new.first);
	WRITE_ONCE(v->opened[i].last, new.last);
}

void limits_open(struct limits *v, struct kvm *kvm, gfn_t gfn)
{
	mutex_lock(&v->mutex);
	if (!limits_opened(v, gfn, gfn))
		add_opened(v, kvm, gfn);
	mutex_unlock(&v->mutex);
	if (limits_get(v) && !queue_delayed_work(queue, &v->close, CLOSE_JIFFIES))
		limits_put(v);
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
	build_hooks_exit();
	destroy_workqueue(queue);
}
