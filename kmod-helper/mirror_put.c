// SPDX-License-Identifier: GPL-2.0
/*
 * What a fault has found becomes entries: held, and in the window. All of it is under the mirror's
 * lock, and nothing of it sleeps.
 */
#include "compat.h"
#include "mirror_fill.h"

/* ---- entries ------------------------------------------------------------------------------------
 */

static pgprot_t prot_of(const struct fill *f, u8 rights)
{
	unsigned long flags = f->vmf->vma->vm_flags & ~(VM_WRITE | VM_EXEC);

	return vm_get_page_prot(flags | (rights & PTREMAP_MAP_EXEC ? VM_EXEC : 0));
}

static u64 entry_of(const struct fill *f, unsigned long pfn, u8 rights)
{
	pte_t pte = pte_mkyoung(pte_mkspecial(pfn_pte(pfn, prot_of(f, rights))));

	if (rights & PTREMAP_MAP_WRITE)
		pte = compat_pte_mkwrite(pte_mkdirty(pte));
	return pte_val(pte);
}

/* The entry of 4 KiB for @slot that is a part of a huge one, which has the bits at other places. */
static u64 part_of_huge(const struct held_entry *e, u32 slot)
{
	return (e->pte & ~PT_PS) + ((u64)(slot - e->slot) << PAGE_SHIFT);
}

/* ---- from what is held ---------------------------------------------------------------------- */

static void put_chunk(struct fill *f, const struct mirror_root *root, u32 first)
{
	const struct held_entry *e;
	u32 slot;

	for (slot = first; slot < first + CHUNK_PAGES; slot++) {
		e = held_find(root, f->m, slot);
		if (e && e->pte & PT_PS)
			leaf_put(f->m, slot, part_of_huge(e, slot));
		else if (e)
			leaf_put(f->m, slot, e->pte);
	}
}

int fill_from_held(struct fill *f, const struct held_entry *e)
{
	if (e->pte & PT_PS && leaf_put_huge(f->vmf, e->pte))
		return 0;
	if (!leaf_table(f->vmf))
		return -EAGAIN;
	put_chunk(f, current_root(f->m), f->slot & ~(CHUNK_PAGES - 1));
	return 0;
}

/* ---- putting ------------------------------------------------------------------------------------
 */

/*
 * SYNC. A table that was not protected when it was read may have been written to since: the walk is
 * made again. The tables of ->walk are those of all that was found. A page that is about to be
 * written to, and is a table on its own way, cannot be protected from that.
 */
static int protect_tables(struct fill *f)
{
	bool write = f->access == PTREMAP_MAP_WRITE, flush = false;
	struct mirror *m = f->m;
	u32 i, n = 0;
	u64 gfn;

	for (i = 0; i < f->walk.nr_tables; i++) {
		gfn = f->walk.table[i].gfn;
		if ((write && gfn == f->found[0].gfn) ||
		    __test_and_set_bit(mirror_frame_index(m, gfn), m->tables))
			continue;
		flush |= held_drop_gfns(m, gfn, gfn, true);
		n++;
	}
	if (flush)
		leaf_flush(m);
	return n ? -EAGAIN : 0;
}

/* SYNC. A write to a table: whatever came from it is forgotten, and then it is no table any more.
 */
static int unprotect(struct fill *f)
{
	struct mirror *m = f->m;

	if (f->access != PTREMAP_MAP_WRITE ||
	    !__test_and_clear_bit(mirror_frame_index(m, f->found[0].gfn), m->tables))
		return 0;
	if (held_drop_all(m))
		leaf_flush(m);
	m->page->unsynced++;
	m->seq++;
	return -EAGAIN;
}

/* Is all of the host's 2 MiB the guest's memory? */
static bool range_has_huge(const struct found *one, u32 in)
{
	u64 gpa = (one->gfn - in) << PAGE_SHIFT;

	return gpa >= one->range->gpa && gpa + PMD_SIZE <= one->range->gpa + one->range->len;
}

/*
 * All of the 2 MiB around it, if guest and host have them as one. The walk is that of the fault:
 * nothing around is looked for then.
 */
static bool put_huge(struct fill *f)
{
	const struct found *one = &f->found[0];
	unsigned long pfn = page_to_pfn(one->page);
	u32 slot = f->slot & ~(HUGE_PAGES - 1), in = f->slot - slot;
	struct held_entry *e = held_place(current_root(f->m), slot);
	u64 pte;

	if (!e || (one->gfn & (HUGE_PAGES - 1)) != in || (pfn & (HUGE_PAGES - 1)) != in ||
	    !range_has_huge(one, in) ||
	    !leaf_is_huge(f->m->ram, one->hva, pfn, one->rights & PTREMAP_MAP_WRITE) ||
	    !pmd_none(*f->vmf->pmd))
		return false;
	pte = entry_of(f, pfn - in, one->rights) | PT_PS;
	held_drop_slots(f->m, f->tag, slot, slot + HUGE_PAGES - 1);
	leaf_put_huge(f->vmf, pte);
	held_set(f->m, f->tag, e, slot, one->gfn - in, pte);
	f->m->page->huge++;
	return true;
}

static void put_small(struct fill *f, const struct found *one)
{
	struct held_entry *e = held_place(current_root(f->m), one->slot);
	u64 pte = entry_of(f, page_to_pfn(one->page), one->rights);

	/* Another frame: no TLB may have the old one when the notifier is not to find it any more.
	 */
	if (e->pte && (e->pte ^ pte) & PTE_PFN_MASK && held_drop(f->m, e))
		leaf_flush(f->m);
	held_set(f->m, f->tag, e, one->slot, one->gfn, pte);
	leaf_put(f->m, one->slot, pte);
	f->m->page->entries++;
}

/* Of those around only what is new, and whose memory is not being changed. */
static void put_found(struct fill *f)
{
	const struct mirror_root *root = current_root(f->m);
	u32 i;

	put_small(f, &f->found[0]);
	for (i = 1; i < f->nr_found; i++) {
		if (!held_find(root, f->m, f->found[i].slot) &&
		    !host_changed(f->m, f->seq, f->found[i].hva))
			put_small(f, &f->found[i]);
	}
}

int fill_put(struct fill *f, bool huge)
{
	struct mirror *m = f->m;
	struct held_entry *old;
	int err;

	if (m->dead)
		return -EIO;
	if (host_changed(m, f->seq, f->found[0].hva))
		return -EAGAIN;
	err = m->tables ? unprotect(f) ?: protect_tables(f) : 0;
	if (err)
		return err;
	current_root(m)->largest = max(current_root(m)->largest, f->largest);
	m->page->walked++;
	if (huge && put_huge(f))
		return 0;
	if (!leaf_table(f->vmf))
		return -EAGAIN;
	/* A huge one that may only be read, of which this page is now another. */
	old = held_find(current_root(m), m, f->slot);
	if (old && old->pte & PT_PS && held_drop(m, old))
		leaf_flush(m);
	put_found(f);
	return 0;
}
