/* SPDX-License-Identifier: GPL-2.0 */
/* Blocks of 2 MiB and 1 GiB that KVM must not map as a whole, since a part of them has limits. */
#ifndef KVM_BLOCKS_H
#define KVM_BLOCKS_H

#include <linux/kvm_host.h>
#include <linux/rcupdate.h>

struct block {
	gfn_t base;
	u8 level;
	bool stale;				 /* its slot has gone, and the count with it */
	struct kvm_lpage_info *slot_info, *info; /* of level 2 of its slot; its own */
};

struct blocks {
	struct rcu_head rcu;
	u32 nr, room;
	struct block block[];
};

/* A range of pages that are alike. */
struct block_range {
	gfn_t first, last;
};

/* What @ranges call for, in the slots as they are. NULL: no memory. The caller has kvm->srcu. */
struct blocks *blocks_of(struct kvm *kvm, const struct block_range *ranges, u32 nr);
/* Counts @new in KVM's own counts, and @old no longer; either may be NULL. */
void blocks_replace(struct kvm *kvm, struct blocks *new, const struct blocks *old);
/* The slot is going. From where KVM flushes it: does not sleep. */
void blocks_forget(struct blocks *b, const struct kvm_memory_slot *slot);
/* Is there a block that has @gfn? */
bool blocks_have(const struct blocks *b, gfn_t gfn);

#endif
