// SPDX-License-Identifier: GPL-2.0
/* Pages with limits that are open for a moment. */
#include <linux/kvm_host.h>
#include <linux/timekeeping.h>

#include "kvm_limits_impl.h"
#include "kvm_sptes.h"

#define CLOSE_JIFFIES 2

bool limits_opened(const struct limits *v, gfn_t first, gfn_t last)
{
	u32 i;

	for (i = 0; i < MAX_OPENED; i++) {
		if (READ_ONCE(v->opened[i].first) <= first && last <= READ_ONCE(v->opened[i].last))
			return true;
	}
	return false;
}

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

void limits_close(struct limits *v, struct kvm *kvm)
{
	u32 i;

	for (i = 0; i < MAX_OPENED; i++)
		close_one(v, kvm, &v->opened[i]);
}

void limits_close_work(struct work_struct *work)
{
	struct limits *v = container_of(to_delayed_work(work), struct limits, close);
	struct kvm *kvm = limits_get_kvm(v);

	mutex_lock(&v->mutex);
	limits_close(v, kvm);
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
		limits_close(v, kvm);
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
	if (limits_get(v) && !limits_queue_close(v, CLOSE_JIFFIES))
		limits_put(v);
}
