// SPDX-License-Identifier: GPL-2.0
/* Limits in the entries that are there, and what is left to do when some were taken. */
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <asm/cacheflush.h>

#include "compat.h"
#include "kvm_limits_impl.h"
#include "kvm_sptes.h"

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
	    spte_gives_back(old, l->denied)) {
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

void limit_flush_caches(struct kvm *kvm, const struct limit *l)
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
		limit_flush_caches(kvm, l);
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
	if (limits_update(v, kvm))
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
