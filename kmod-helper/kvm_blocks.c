// SPDX-License-Identifier: GPL-2.0
/*
 * KVM counts, for each block of 2 MiB and 1 GiB of a slot, the reasons against mapping it by one
 * entry (struct kvm_lpage_info); its page tracking, for one, counts there. These are ours. The
 * counts are read without a lock and changed under mmu_lock, held for writing.
 */
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "kvm_blocks.h"
#include "kvm_sptes.h"

static gfn_t base_of(gfn_t gfn, unsigned int level)
{
	return gfn & ~(spte_pages(level) - 1);
}

/* Where the slot has the block: slots begin anywhere. */
static gfn_t place_of(const struct kvm_memory_slot *slot, gfn_t gfn, unsigned int level)
{
	return gfn / spte_pages(level) - slot->base_gfn / spte_pages(level);
}

/* Ranges come in order, more or less: the same block again is seen at once, or counted twice. */
static void add_block(struct blocks *b, const struct kvm_memory_slot *slot, gfn_t gfn,
		      unsigned int level)
{
	u32 have = min(b->nr, b->room);
	const struct block *last = have ? &b->block[have - 1] : NULL;
	gfn_t base = base_of(gfn, level);
	struct kvm_lpage_info *infos = slot->arch.lpage_info[level - 2];
	struct block *to;

	if (last && last->base == base && last->level == level)
		return;
	if (b->nr < b->room) {
		to = &b->block[b->nr];
		*to = (struct block){ .base = base, .level = level };
		to->slot_info = slot->arch.lpage_info[0];
		to->info = &infos[place_of(slot, gfn, level)];
	}
	b->nr++;
}

/* Both ends of a range may be within a block of 2 MiB; each block of 1 GiB is of more than it. */
static void add_parts(struct blocks *b, const struct kvm_memory_slot *slot,
		      const struct block_range *r)
{
	gfn_t first = max(r->first, slot->base_gfn), gfn;
	gfn_t last = min(r->last, slot->base_gfn + slot->npages - 1);

	if (!slot->npages || first > last)
		return;
	if (base_of(r->first, 2) != r->first && base_of(first, 2) == base_of(r->first, 2))
		add_block(b, slot, first, 2);
	if (base_of(r->last + 1, 2) != r->last + 1 && base_of(last, 2) == base_of(r->last, 2))
		add_block(b, slot, last, 2);
	for (gfn = first; gfn <= last; gfn = base_of(gfn, 3) + spte_pages(3))
		add_block(b, slot, gfn, 3);
}

static void fill(struct blocks *b, struct kvm *kvm, const struct block_range *ranges, u32 nr)
{
	struct kvm_memory_slot *slot;
	int space, bucket;
	u32 i;

	for (space = 0; space < compat_nr_spaces(kvm); space++) {
		struct kvm_memslots *all = __kvm_memslots(kvm, space);

		kvm_for_each_memslot(slot, bucket, all)
		{
			if (slot->flags & KVM_MEMSLOT_INVALID)
				continue;
			for (i = 0; i < nr; i++)
				add_parts(b, slot, &ranges[i]);
		}
	}
}

struct blocks *blocks_of(struct kvm *kvm, const struct block_range *ranges, u32 nr)
{
	struct blocks none = {}, *b;

	fill(&none, kvm, ranges, nr);
	b = kvzalloc(struct_size(b, block, none.nr), GFP_KERNEL_ACCOUNT);
	if (!b)
		return NULL;
	b->room = none.nr;
	/* Without ->room nothing was the same as what came before: that needed more, not less. */
	fill(b, kvm, ranges, nr);
	b->nr = min(b->nr, b->room);
	return b;
}

void blocks_replace(struct kvm *kvm, struct blocks *new, const struct blocks *old)
{
	u32 i;

	write_lock(&kvm->mmu_lock);
	for (i = 0; new &&i < new->nr; i++)
		new->block[i].info->disallow_lpage++;
	for (i = 0; old && i < old->nr; i++) {
		if (!old->block[i].stale)
			old->block[i].info->disallow_lpage--;
	}
	write_unlock(&kvm->mmu_lock);
}

void blocks_forget(struct blocks *b, const struct kvm_memory_slot *slot)
{
	u32 i;

	for (i = 0; i < b->nr; i++) {
		if (b->block[i].slot_info == slot->arch.lpage_info[0])
			WRITE_ONCE(b->block[i].stale, true);
	}
}

bool blocks_have(const struct blocks *b, gfn_t gfn)
{
	u32 i;

	for (i = 0; i < b->nr; i++) {
		if (b->block[i].level == 2 && b->block[i].base == base_of(gfn, 2))
			return true;
	}
	return false;
}
