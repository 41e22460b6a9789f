// SPDX-License-Identifier: GPL-2.0
/*
 * Where KVM makes entries, drops slots, and ends: looked at where these functions begin, under
 * their callers' locks, with preemption off. None of this sleeps.
 */
#include "divert.h"
#include "kvm_limits_impl.h"
#include "kvm_sptes.h"

/* ---- entries ----------------------------------------------------------------------------------
 *
 * bool make_spte(vcpu, sp, slot, pte_access, gfn, pfn, old_spte, ...), arch/x86/kvm/mmu/spte.c,
 * from 6.1 to 6.12. mmu_lock is held.
 */

/* ACC_*_MASK of arch/x86/kvm/mmu/spte.h. */
#define ACC_EXEC  1
#define ACC_WRITE 2
#define ACC_USER  4 /* under EPT: read */
#define ACC_ALL	  7
/* KVM warns of 0, where it finds no bit of an access in it either. */
#define ACC_NONE BIT(16)

static u64 restricted(u64 access, u32 denied)
{
	if (denied & PTREMAP_EPT_READ)
		access &= ~ACC_USER;
	if (denied & PTREMAP_EPT_WRITE)
		access &= ~ACC_WRITE;
	if (denied & PTREMAP_EPT_EXEC)
		access &= ~ACC_EXEC;
	return access & ACC_ALL ? access : access | ACC_NONE;
}

/* What @l denies to an entry that is about to be made where @old was. *@look: see LIMIT_LOOK. */
static u32 deny_entry(struct limit *l, u64 old, bool *look)
{
	bool anew = !(old & SPTE_PRESENT);

	if (test_bit(LIMIT_TAKEN, &l->state))
		return 0;
	if (l->kind == LIMIT_ONCE && anew && test_bit(LIMIT_BUILT, &l->state)) {
		*look |= limit_take(l, PTREMAP_CAUSE_ZAP);
		return 0;
	}
	if (l->has_cache || (l->kind == LIMIT_ONCE && anew)) {
		set_bit(LIMIT_LOOK, &l->state);
		*look = true;
	}
	return l->denied;
}

static u32 deny_range(struct limits *v, gfn_t first, gfn_t last, u64 old, bool *look)
{
	const struct index *x = limits_index(v);
	u32 denied = 0;
	int i;

	if (!x)
		return 0;
	for_each_in(i, x, first, last)
	{
		const struct index_entry *e = &x->entry[i];

		if (e->first > first || e->last < last) {
			WRITE_ONCE(v->mixed, true);
			*look = true;
			return ACCESS_ALL;
		}
		denied |= deny_entry(e->limit, old, look);
	}
	return limits_opened(v, first, last) ? 0 : denied;
}

/*
 * Of a guest's guest entries are made on its own tables' word: those are left alone. So are those
 * of SMM's own memory.
 */
static bool at_make_spte(struct pt_regs *regs)
{
	const struct kvm_vcpu *vcpu = (void *)regs->di;
	const struct kvm_memory_slot *slot = (void *)regs->dx;
	gfn_t pages = spte_pages(sptes_level((void *)regs->si)), gfn = regs->r8 & ~(pages - 1);
	u64 old = *(u64 *)(regs->sp + sizeof(u64)); /* the first one on the stack */
	struct limits *v = limits_of(vcpu->kvm);
	bool look = false;
	u32 denied;

	if (!v || vcpu->arch.mmu != &vcpu->arch.root_mmu || slot->as_id)
		return false;
	denied = deny_range(v, gfn, gfn + pages - 1, old, &look);
	if (denied)
		regs->cx = restricted(regs->cx, denied);
	if (look)
		limits_queue(v);
	return false;
}

/* ---- slots, VMs --------------------------------------------------------------------------------
 */

/* A slot that is deleted or moved; KVM drops its entries next, and nobody can make new ones. */
static bool at_flush_slot(struct pt_regs *regs)
{
	const struct kvm_memory_slot *slot = (void *)regs->si;
	struct limits *v = limits_of((void *)regs->di);
	const struct index *x;
	struct blocks *b;
	int i;

	if (!v || !slot->npages)
		return false;
	b = limits_blocks(v);
	if (b)
		blocks_forget(b, slot);
	x = limits_index(v);
	if (!x || slot->as_id)
		return false;
	for_each_in(i, x, slot->base_gfn, slot->base_gfn + slot->npages - 1)
	{
		if (x->entry[i].limit->kind == LIMIT_ONCE)
			limit_take(x->entry[i].limit, PTREMAP_CAUSE_SLOT);
	}
	limits_queue(v);
	return false;
}

static bool at_destroy(struct pt_regs *regs)
{
	limits_end((void *)regs->di);
	return false;
}

/* In the order in which they begin to work; the last one is what makes limits. */
static struct divert hooks[] = {
	{ .name = "kvm_arch_pre_destroy_vm", .look = at_destroy },
	{ .name = "kvm_arch_flush_shadow_memslot", .look = at_flush_slot },
	{ .name = "make_spte", .look = at_make_spte },
};

void build_hooks_exit(void)
{
	u32 i;

	for (i = ARRAY_SIZE(hooks); i-- > 0;)
		divert_remove(&hooks[i]);
}

int build_hooks_init(void)
{
	int err = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(hooks) && !err; i++)
		err = divert_add(&hooks[i]);
	if (err)
		build_hooks_exit();
	return err;
}
