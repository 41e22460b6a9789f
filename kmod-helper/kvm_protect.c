// SPDX-License-Identifier: GPL-2.0
/*
 * PROTECT and CACHE: transactions of limits.
 *
 * Each item is looked at first, under KVM's mmu_lock; then all limits are made known, and put into
 * the entries that are there. What an item finds that is not as it was when it was looked at, KVM
 * has changed meanwhile, and its new entries have the limits already.
 */
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "kvm_limits.h"
#include "kvm_protect.h"
#include "kvm_sptes.h"

#define AD_BITS (sptes_are_ept() ? 0x300ULL : (u64)(_PAGE_ACCESSED | _PAGE_DIRTY))

/* What an item adds to its limit, at the same index. ->watched: under no lock of ours. */
struct item {
	struct ptremap_ept_item asked;
	struct watched watched;
	unsigned long hva;
};

struct vm_protected {
	struct limiter limiter;
	pid_t pid;
	s32 vm_fd;
	bool sticky, added;
	u32 nr;
	struct limit *limits;
	struct item items[];
};

/* ---- what can be done --------------------------------------------------------------------------
 */

int protect_check_vm(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	int i, nr = atomic_read(&kvm->online_vcpus);

	for (i = 0; i < nr; i++) {
		vcpu = kvm_get_vcpu(kvm, i);
		if (vcpu->arch.guest_state_protected)
			return -ENOKEY;
		if (!vcpu->arch.root_mmu.root_role.direct ||
		    vcpu->arch.root_mmu.root_role.level < 4)
			return -EPROTOTYPE;
		if (READ_ONCE(vcpu->arch.mmu) != &vcpu->arch.root_mmu)
			return -EMULTIHOP;
	}
	return nr ? 0 : -EPROTOTYPE;
}

/* kvm->srcu is held. */
static int check_slot(struct kvm *kvm, struct item *it, const struct limit *l)
{
	const struct kvm_memory_slot *slot = gfn_to_memslot(kvm, l->first);

	if (!slot || slot->flags & KVM_MEMSLOT_INVALID || l->last >= slot->base_gfn + slot->npages)
		return -EADDRNOTAVAIL;
	if (slot->flags & KVM_MEM_READONLY)
		return -EROFS;
	it->hva = slot->userspace_addr + (l->first - slot->base_gfn) * PAGE_SIZE;
	return 0;
}

/* What was asked for must be what comes out; but on Intel's machines write goes with read. */
static int plan(const struct ptremap_ept_item *i, struct limit *l, bool sticky)
{
	u64 pages = spte_pages(i->level == 2 ? 2 : 1);

	if (i->gpa & (pages * PAGE_SIZE - 1))
		return -EDOM;
	*l = (struct limit){
		.first = i->gpa >> PAGE_SHIFT,
		.last = (i->gpa >> PAGE_SHIFT) + pages - 1,
		.kind = sticky ? LIMIT_STICKY : LIMIT_ONCE,
	};
	if (i->what == PTREMAP_EPT_CACHE) {
		l->has_cache = true;
		l->cache = i->cache;
		return spte_cache(SPTE_PRESENT, i->cache) ? 0 : -EOPNOTSUPP;
	}
	l->denied = spte_denied(i->clear);
	if (!sptes_can_deny(l->denied))
		return -EOPNOTSUPP;
	if (sptes_are_ept() && i->clear & PTREMAP_EPT_READ)
		return l->denied & ~(i->clear | PTREMAP_EPT_WRITE) ? -EOPNOTSUPP : 0;
	return l->denied != i->clear ? -EOPNOTSUPP : 0;
}

/* ---- looking -----------------------------------------------------------------------------------
 */

struct look {
	bool found;
	struct spte_leaf leaf;
};

/* Of several roots the first one that has it speaks. */
static void look_at_leaf(const struct spte_leaf *leaf, void *arg)
{
	struct look *look = arg;

	if (look->found)
		return;
	look->found = true;
	look->leaf = *leaf;
}

static u64 planned(const struct limit *l, u64 spte)
{
	spte = spte_deny(spte, l->denied);
	return l->has_cache ? spte_cache(spte, l->cache) : spte;
}

/*
 * What is there, and what would be. Where KVM has nothing yet, both are 0, and what it makes has
 * the limits. Access that KVM did not give is not for us to give.
 */
static int judge(struct ptremap_ept_item *i, const struct limit *l, const struct look *look)
{
	unsigned int level = i->level == 2 ? 2 : 1;
	bool same = look->found && look->leaf.level == level;

	i->old = look->found ? look->leaf.value : 0;
	i->new = same ? planned(l, look->leaf.value) : 0;
	if (i->flags & PTREMAP_EPT_ITEM_EXPECT && (i->old ^ i->expected) & ~AD_BITS)
		return -ESTALE;
	if (level == 2 && !same)
		return -ENOTBLK;
	if (level == 1 && look->found && !same && !(i->flags & PTREMAP_EPT_ITEM_SPLIT))
		return -EISDIR;
	if (i->set && (!same || i->set & ~spte_access(look->leaf.value)))
		return -EOPNOTSUPP;
	return 0;
}

static int look_at_item(struct kvm *kvm, struct ptremap_ept_item *i, const struct limit *l)
{
	struct look look = {};
	int err;

	write_lock(&kvm->mmu_lock);
	err = sptes_each(kvm, l->first, l->last, look_at_leaf, &look);
	write_unlock(&kvm->mmu_lock);
	return err ?: judge(i, l, &look);
}

static int prepare_item(struct kvm *kvm, struct vm_protected *p, struct ptremap_ept_item *asked,
			u32 n)
{
	int idx, err = plan(asked, &p->limits[n], p->sticky);

	if (err)
		return err;
	idx = srcu_read_lock(&kvm->srcu);
	err = check_slot(kvm, &p->items[n], &p->limits[n]);
	srcu_read_unlock(&kvm->srcu, idx);
	if (!err)
		err = look_at_item(kvm, asked, &p->limits[n]);
	p->items[n].asked = *asked;
	return err;
}

/* -EBUSY: one page is in two of them. */
static int check_twice(const struct vm_protected *p, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		if (p->limits[i].first <= p->limits[n].last &&
		    p->limits[n].first <= p->limits[i].last)
			return -EBUSY;
	}
	return 0;
}

static int prepare(struct kvm *kvm, struct vm_protected *p, struct ptremap_ept_item *items)
{
	int err = 0;
	u32 i;

	for (i = 0; i < p->nr && !err; i++) {
		err = prepare_item(kvm, p, &items[i], i) ?: check_twice(p, i);
		items[i].status = err;
		cond_resched();
	}
	return err;
}

/* ---- records -----------------------------------------------------------------------------------
 */

static void fill_record(const struct vm_protected *p, u32 n, struct ptremap_record *r)
{
	const struct limit *l = &p->limits[n];
	const struct item *it = &p->items[n];
	bool taken = test_bit(LIMIT_TAKEN, &l->state);

	*r = (struct ptremap_record){
		.id = it->watched.id,
		.what = it->asked.what,
		.pid = p->pid,
		.state = taken ? PTREMAP_TAKEN : PTREMAP_ACTIVE,
		.cause = taken ? l->cause : PTREMAP_CAUSE_NONE,
		.keep = it->watched.keep,
		.level = it->asked.level == 2 ? 2 : 1,
		.va = it->hva,
		.old = it->asked.old,
		.new = it->asked.new,
		.gpa = it->asked.gpa,
		.vm_fd = p->vm_fd,
		.flags = PTREMAP_RECORD_VM | (p->sticky ? PTREMAP_RECORD_STICKY : 0),
	};
}

u32 protect_records(struct vm_protected *p, struct ptremap_record *records, u32 max)
{
	u32 i;

	for (i = 0; i < min(p->nr, max); i++)
		fill_record(p, i, &records[i]);
	return p->nr;
}

static void tell_gone(struct vm_protected *p, u32 n)
{
	struct ptremap_record r;

	fill_record(p, n, &r);
	watch_gone(&p->items[n].watched, &r);
}

void protect_tell_made(struct vm_protected *p, const struct watched *by)
{
	struct ptremap_record r;
	u32 i;

	for (i = 0; i < p->nr; i++) {
		struct watched *w = &p->items[i].watched;

		w->maker = by->maker;
		w->id = by->id;
		w->keep = by->keep;
		fill_record(p, i, &r);
		r.state = PTREMAP_ACTIVE;
		r.cause = PTREMAP_CAUSE_NONE;
		if (watch_made(w, &r))
			tell_gone(p, i);
	}
}

static void taken(struct limit *l)
{
	struct vm_protected *p = container_of(l->by, struct vm_protected, limiter);

	tell_gone(p, l - p->limits);
}

/* ---- making and undoing ------------------------------------------------------------------------
 */

static struct vm_protected *new_protected(const struct ptremap_ept *req)
{
	struct vm_protected *p;

	p = kvzalloc(struct_size(p, items, req->nr), GFP_KERNEL_ACCOUNT);
	if (!p)
		return NULL;
	p->limits = kvcalloc(req->nr, sizeof(*p->limits), GFP_KERNEL_ACCOUNT);
	if (!p->limits) {
		kvfree(p);
		return NULL;
	}
	p->nr = req->nr;
	p->pid = req->pid;
	p->vm_fd = req->fd;
	p->sticky = req->flags & PTREMAP_EPT_STICKY;
	p->limiter = (struct limiter){ .limits = p->limits, .nr = p->nr, .taken = taken };
	return p;
}

u32 protect_undo(struct vm_protected *p)
{
	u32 i, n = p->added ? limits_remove(&p->limiter) : 0;

	for (i = 0; i < p->nr; i++)
		tell_gone(p, i);
	kvfree(p->limits);
	kvfree(p);
	return n;
}

int protect_make(struct kvm *kvm, const struct ptremap_ept *req, struct ptremap_ept_item *items,
		 struct vm_protected **made)
{
	struct vm_protected *p;
	int err = protect_check_vm(kvm);

	if (err)
		return err;
	p = new_protected(req);
	if (!p)
		return -ENOMEM;
	err = prepare(kvm, p, items);
	if (!err && !(req->flags & PTREMAP_EPT_DRY_RUN)) {
		err = limits_add(kvm, &p->limiter, true);
		p->added = !err;
		err = err ?: limits_apply(kvm, &p->limiter);
	}
	if (err || req->flags & PTREMAP_EPT_DRY_RUN)
		protect_undo(p);
	else
		*made = p;
	return err;
}
