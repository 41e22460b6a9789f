// SPDX-License-Identifier: GPL-2.0
/*
 * KVM's entries of EPT and NPT.
 *
 * The roots of a VM are in a list of KVM's "TDP MMU", of which the headers that modules get have
 * the head alone. What is known here of its members are the first fields, alike from 6.1 to 6.12;
 * each is checked against the page of the table that it says it is for, which says the same.
 */
#include <linux/kvm_host.h>
#include <linux/mmu_notifier.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/vmx.h>

#include "compat.h"
#include "kvm_sptes.h"

/* The first fields of struct kvm_mmu_page (arch/x86/kvm/mmu/mmu_internal.h). */
struct table {
	struct list_head link;
	struct hlist_node hash_link;
	u8 tdp_mmu_page, more[3];
	union kvm_mmu_page_role role;
	gfn_t gfn;
	u64 *spt;
};

/* "MMU-writable": a fault may make it writable without asking. The place depends on the format. */
#define EPT_MMU_WRITABLE BIT_ULL(58)
#define NPT_MMU_WRITABLE BIT_ULL(10)
#define EPT_AD_TYPE	 GENMASK_ULL(53, 52) /* not 0: the CPU does not write A and D, or not D */
#define EPT_SAVED_SHIFT	 54 /* of such an entry: R and X, which the next access gives back */
#define EPT_TYPE_SHIFT	 3
#define EPT_TYPE_MASK	 (7ULL << EPT_TYPE_SHIFT)
#define EPT_IGNORE_PAT	 BIT_ULL(6)

bool sptes_are_ept(void)
{
	return boot_cpu_has(X86_FEATURE_VMX);
}

static bool has_execute_only(void)
{
	u64 cap;

	return !rdmsrl_safe(MSR_IA32_VMX_EPT_VPID_CAP, &cap) && cap & VMX_EPT_EXECUTE_ONLY_BIT;
}

u32 spte_denied(u32 access)
{
	if (!(access & PTREMAP_EPT_READ))
		return access;
	if (sptes_are_ept() && has_execute_only())
		return access | PTREMAP_EPT_WRITE;
	return ACCESS_ALL;
}

u32 spte_access(u64 spte)
{
	if (sptes_are_ept())
		return spte &
		       (VMX_EPT_READABLE_MASK | VMX_EPT_WRITABLE_MASK | VMX_EPT_EXECUTABLE_MASK);
	if (!(spte & _PAGE_PRESENT))
		return 0;
	return PTREMAP_EPT_READ | (spte & _PAGE_RW ? PTREMAP_EPT_WRITE : 0) |
	       (spte & _PAGE_NX ? 0 : PTREMAP_EPT_EXEC);
}

u64 spte_deny(u64 spte, u32 denied)
{
	bool ept = sptes_are_ept();

	if (denied & PTREMAP_EPT_WRITE)
		spte &= ~(_PAGE_RW | (ept ? EPT_MMU_WRITABLE : NPT_MMU_WRITABLE));
	if (ept)
		return spte & ~(u64)(denied & ACCESS_ALL);
	if (denied & PTREMAP_EPT_READ)
		spte &= ~(u64)_PAGE_PRESENT;
	if (denied & PTREMAP_EPT_EXEC)
		spte |= _PAGE_NX;
	return spte;
}

/*
 * Of NPT's PAT bit KVM knows nothing; without it, the host's own PAT has WB, WC, UC- and UC
 * (arch/x86/mm/pat/memtype.c).
 */
static u64 npt_cache(u64 spte, u32 cache)
{
	spte &= ~(u64)(_PAGE_PWT | _PAGE_PCD);
	switch (cache) {
	case PTREMAP_EPT_WB:
		return spte;
	case PTREMAP_EPT_WC:
		return spte | _PAGE_PWT;
	case PTREMAP_EPT_UC:
		return spte | _PAGE_PWT | _PAGE_PCD;
	default:
		return 0;
	}
}

u64 spte_cache(u64 spte, u32 cache)
{
	if (!sptes_are_ept())
		return npt_cache(spte, cache);
	return (spte & ~EPT_TYPE_MASK) | (u64)cache << EPT_TYPE_SHIFT | EPT_IGNORE_PAT;
}

bool spte_gives_back(u64 spte, u32 denied)
{
	if (!sptes_are_ept() || !(spte & EPT_AD_TYPE))
		return false;
	return spte_deny(spte, denied) != spte || (spte >> EPT_SAVED_SHIFT & denied);
}

/* Without execute-only pages KVM makes no entry that cannot be read. */
bool sptes_can_deny(u32 denied)
{
	return !(denied & PTREMAP_EPT_READ) || !sptes_are_ept() || has_execute_only();
}

unsigned int sptes_level(const void *sp)
{
	const struct table *table = sp;

	return table->role.level;
}

/* ---- all leaves of a range --------------------------------------------------------------------
 */

struct visit {
	gfn_t first, last;
	void (*fn)(const struct spte_leaf *leaf, void *arg);
	void *arg;
};

static bool is_leaf(u64 spte, unsigned int level)
{
	return level == 1 || spte & SPTE_HUGE;
}

/* @gfn: the first one that @table maps. Levels are 5 at most, and so is the depth of this. */
static void visit_table(const struct visit *v, u64 *table, gfn_t gfn, unsigned int level)
{
	gfn_t pages = spte_pages(level), from = max(v->first, gfn);
	unsigned int i;

	for (i = (from - gfn) / pages; i < 512 && gfn + i * pages <= v->last; i++) {
		struct spte_leaf leaf = {
			.at = &table[i],
			.value = READ_ONCE(table[i]),
			.gfn = gfn + i * pages,
			.level = level,
		};

		if (!(leaf.value & SPTE_PRESENT))
			continue;
		if (is_leaf(leaf.value, level))
			v->fn(&leaf, v->arg);
		else
			visit_table(v, __va(leaf.value & __PHYSICAL_MASK & PAGE_MASK), leaf.gfn,
				    level - 1);
	}
}

static bool is_root(const struct table *root)
{
	return root->tdp_mmu_page == 1 && root->role.direct && root->role.level >= 4 &&
	       root->role.level <= 5 && virt_addr_valid(root->spt) &&
	       page_private(virt_to_page(root->spt)) == (unsigned long)root;
}

/* None in the list, but a vCPU has one: the VM has tables of another kind. */
static bool has_other_root(struct kvm *kvm)
{
	int i, nr = atomic_read(&kvm->online_vcpus);

	for (i = 0; i < nr; i++) {
		if (VALID_PAGE(READ_ONCE(kvm_get_vcpu(kvm, i)->arch.root_mmu.root.hpa)))
			return true;
	}
	return false;
}

int sptes_each(struct kvm *kvm, gfn_t first, gfn_t last,
	       void (*fn)(const struct spte_leaf *leaf, void *arg), void *arg)
{
	const struct visit v = { .first = first, .last = last, .fn = fn, .arg = arg };
	struct table *root;

	/* Where tables are of another kind, kernels before 6.3 leave the list as zeros. */
	if (!kvm->arch.tdp_mmu_roots.next || list_empty(&kvm->arch.tdp_mmu_roots))
		return has_other_root(kvm) ? -EPROTOTYPE : 0;
	list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link)
	{
		if (!is_root(root))
			return -EPROTOTYPE;
		if (spte_pages(root->role.level + 1) > first)
			visit_table(&v, root->spt, 0, root->role.level);
	}
	return 0;
}

/* ---- dropping them -----------------------------------------------------------------------------
 */

/* What the host does before and after it unmaps something: KVM's own notifier takes it. */
static void drop_hva(struct kvm *kvm, unsigned long start, unsigned long end)
{
	struct mmu_notifier_range range = {
		.mm = kvm->mm,
		.start = start,
		.end = end,
		.flags = MMU_NOTIFIER_RANGE_BLOCKABLE,
		.event = MMU_NOTIFY_CLEAR,
	};

	kvm->mmu_notifier.ops->invalidate_range_start(&kvm->mmu_notifier, &range);
	kvm->mmu_notifier.ops->invalidate_range_end(&kvm->mmu_notifier, &range);
}

static void drop_in_slot(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t first,
			 gfn_t last)
{
	gfn_t from = max(first, slot->base_gfn), to = min(last, slot->base_gfn + slot->npages - 1);

	if (!slot->npages || from > to)
		return;
	drop_hva(kvm, slot->userspace_addr + (from - slot->base_gfn) * PAGE_SIZE,
		 slot->userspace_addr + (to - slot->base_gfn + 1) * PAGE_SIZE);
}

/* SRCU keeps the slots; what has gone with its slot KVM has dropped itself. */
void sptes_drop(struct kvm *kvm, gfn_t first, gfn_t last)
{
	int idx = srcu_read_lock(&kvm->srcu), space, bucket;
	struct kvm_memory_slot *slot;

	for (space = 0; space < compat_nr_spaces(kvm); space++) {
		struct kvm_memslots *all = __kvm_memslots(kvm, space);

		kvm_for_each_memslot(slot, bucket, all) drop_in_slot(kvm, slot, first, last);
	}
	srcu_read_unlock(&kvm->srcu, idx);
}
