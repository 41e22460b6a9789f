// SPDX-License-Identifier: GPL-2.0
/* Pages with limits that are open for a moment. */
#include <linux/kvm_host.h>
#include <linux/timekeeping.h>

#include "kvm_limits_impl.h"
#include "kvm_sptes.h"

#define CLOSE_JIFFIES 2
/* Of several pages that are needed at once none may close before the next one has been opened. */
#define MORE_MS 20

bool limits_opened(const struct limits *v, gfn_t first, gfn_t last)
{
	u32 i, n = smp_load_acquire(&v->nr_opened);

	for (i = 0; i < n; i++) {
		if (READ_ONCE(v->opened[i].first) <= first && last <= READ_ONCE(v->opened[i].last))
			return true;
	}
	return false;
}

static void tell(const struct limits *v, const struct ptremap_access *a)
{
	rcu_read_lock();
	limits_tell(v, a);
	rcu_read_unlock();
}

static void close_one(struct limits *v, struct kvm *kvm, const struct opened *o)
{
	limits_drop(v, kvm, o->first, o->last);
	tell(v, &(struct ptremap_access){ .time = ktime_get_ns(),
					  .gpa = o->first << PAGE_SHIFT,
					  .type = PTREMAP_ACCESS_CLOSED });
}

/*
 * No longer open, then dropped: KVM makes entries with limits. Whoever makes one and still looks
 * through what was open does so under mmu_lock: that is waited for, before the array is used again.
 */
void limits_close(struct limits *v, struct kvm *kvm)
{
	u32 i, n = v->nr_opened;

	WRITE_ONCE(v->nr_opened, 0);
	if (!kvm || !n)
		return;
	write_lock(&kvm->mmu_lock);
	write_unlock(&kvm->mmu_lock);
	for (i = 0; i < n; i++)
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
static struct opened around(const struct limits *v, const struct ptremap_access *a)
{
	gfn_t gfn = a->gpa >> PAGE_SHIFT, pages = spte_pages(2);
	struct opened o = { .first = gfn, .last = gfn, .rip = a->rip, .vcpu = a->vcpu };

	if (!blocks_have(rcu_dereference_raw(v->blocks), gfn)) {
		o.first = gfn & ~(pages - 1);
		o.last = o.first + pages - 1;
	}
	return o;
}

static void add_opened(struct limits *v, struct kvm *kvm, const struct ptremap_access *a)
{
	struct opened new = around(v, a), *o;

	if (v->nr_opened == MAX_OPENED)
		limits_close(v, kvm);
	o = &v->opened[v->nr_opened];
	o->rip = new.rip;
	o->vcpu = new.vcpu;
	WRITE_ONCE(o->first, new.first);
	WRITE_ONCE(o->last, new.last);
	smp_store_release(&v->nr_opened, v->nr_opened + 1);
}

/* ->mutex is held. Has the same vCPU opened others for what it is still at? */
static bool needs_others(const struct limits *v, const struct ptremap_access *a)
{
	u32 i;

	for (i = 0; i < v->nr_opened; i++) {
		if (v->opened[i].vcpu == a->vcpu && v->opened[i].rip == a->rip)
			return true;
	}
	return false;
}

/*
 * Told before it is so, and in order with what else is opened and closed. What needs several pages,
 * as the delivery of an interrupt does, opens them one by one, and all at once must be open in the
 * end: so each gives the others more time.
 */
void limits_open(struct limits *v, struct kvm *kvm, const struct ptremap_access *a)
{
	gfn_t gfn = a->gpa >> PAGE_SHIFT;
	bool later;

	mutex_lock(&v->mutex);
	later = needs_others(v, a);
	tell(v, a);
	if (!limits_opened(v, gfn, gfn))
		add_opened(v, kvm, a);
	mutex_unlock(&v->mutex);
	limits_queue_close(v, later ? msecs_to_jiffies(MORE_MS) : CLOSE_JIFFIES, later);
}
