/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM's entries of EPT and NPT: where they are, and their bits as KVM means them
 * (arch/x86/kvm/mmu/spte.h).
 */
#ifndef KVM_SPTES_H
#define KVM_SPTES_H

#include <linux/kvm_host.h>
#include <linux/types.h>

#include "uapi/ptremap.h"

#define SPTE_PRESENT BIT_ULL(11) /* as KVM sees it, whatever the CPU may do with the entry */
#define SPTE_HUGE    BIT_ULL(7)
#define ACCESS_ALL   (PTREMAP_EPT_READ | PTREMAP_EPT_WRITE | PTREMAP_EPT_EXEC)

struct spte_leaf {
	u64 *at;
	u64 value;
	gfn_t gfn; /* first one that it maps */
	u8 level;
};

static inline gfn_t spte_pages(unsigned int level)
{
	return 1ULL << (level - 1) * 9;
}

/* The machine has EPT; else NPT. */
bool sptes_are_ept(void);
/*
 * What has to be denied so that @access is: this format cannot express each of them alone. On
 * Intel's, write goes with read, and execute, too, where execute-only pages are not to be had; on
 * AMD's, all go with read.
 */
u32 spte_denied(u32 access);
/* What a present leaf lets the guest do. */
u32 spte_access(u64 spte);
/* @spte without @denied, as KVM would have made it: it does not give write access back unasked. */
u64 spte_deny(u64 spte, u32 denied);
/* @spte with the memory type @cache; 0: this format has none such. */
u64 spte_cache(u64 spte, u32 cache);
/*
 * KVM learns by faults what is accessed and written, and gives back then what @denied would take
 * from this entry: it is not changed in place.
 */
bool spte_gives_back(u64 spte, u32 denied);
/* Does KVM make entries that deny this? */
bool sptes_can_deny(u32 denied);

/* The level of a page table, @sp is KVM's struct kvm_mmu_page. */
unsigned int sptes_level(const void *sp);

/*
 * Calls @fn for each present leaf that maps pages of [@first, @last], in each root of the VM, those
 * of all address spaces and vCPUs. mmu_lock is held for writing, so that only the CPU's A and D
 * bits, and KVM's fast page faults, come between: write with try_cmpxchg. -EPROTOTYPE: the VM's
 * tables are of another kind, or not known here.
 */
int sptes_each(struct kvm *kvm, gfn_t first, gfn_t last,
	       void (*fn)(const struct spte_leaf *leaf, void *arg), void *arg);
/*
 * Makes KVM drop all its entries for these pages, as if the host had unmapped them; no vCPU uses
 * them any more when it returns. Sleeps; the VM has a reference of the caller's.
 */
void sptes_drop(struct kvm *kvm, gfn_t first, gfn_t last);

#endif
