// SPDX-License-Identifier: GPL-2.0
/*
 * An access to the window where nothing is yet, or where it may only be read.
 *
 * What the tag holds answers at once, for all of the chunk. Otherwise the guest's tables are
 * walked, and pages around the one that was accessed are found on the way. Nothing of this is done
 * under the lock; then, under it, it counts if nothing has changed since the walk began (->seq),
 * neither by the guest nor by the host, and is tried again if something has.
 *
 * A page is writable in the window only after a write, when get_user_pages() has made it ready for
 * one, and the guest's entry was marked dirty.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "mirror.h"

#define TRIES  64
#define AROUND 16 /* pages that one fault may bring, in a block of as many */

/* One page that a walk has led to. The first one is that of the fault. */
struct found {
	struct page *page; /* with a reference */
	const struct ptremap_mirror_range *range;
	unsigned long hva;
	u64 gfn;
	u32 slot;
	u8 rights; /* PTREMAP_MAP_*; WRITE only if it may be written to at once */
};

struct fill {
	struct mirror *m;
	struct vm_fault *vmf;
	u32 access; /* PTREMAP_MAP_* */
	u32 slot;
	u64 seq;
	u32 tag;
	struct mirror_root root; /* a copy, without chunks */
	struct guest_walk walk;
	struct found found[AROUND];
	u32 nr_found;
};

static u32 access_of(const struct vm_fault *vmf)
{
	if (vmf->flags & FAULT_FLAG_WRITE)
		return PTREMAP_MAP_WRITE;
	return vmf->flags & FAULT_FLAG_INSTRUCTION ? PTREMAP_MAP_EXEC : PTREMAP_MAP_READ;
}

/* ---- telling why not ----------------------------------------------------------------------------
 */

/* Readers take no lock: seq is 0 while the rest is written. */
static void tell(struct fill *f, u8 why, u64 gpa)
{
	const struct pt_walk *end = &f->walk.path.end;
	struct ptremap_mirror_page *page = f->m->page;
	struct ptremap_mirror_record *r;

	spin_lock(&f->m->lock);
	r = &page->record[(page->last + 1) % PTREMAP_MIRROR_RECORDS];
	WRITE_ONCE(r->seq, 0);
	smp_wmb();
	r->va = f->vmf->real_address;
	r->gva = slot_gva(f->m, f->slot) + offset_in_page(r->va);
	r->gpa = gpa;
	r->entry = end->entry;
	r->error_code = f->walk.error_code;
	r->tid = task_pid_vnr(current);
	r->tag = f->tag;
	r->why = why;
	r->access = f->access;
	r->level = end->level;
	smp_wmb();
	WRITE_ONCE(r->seq, page->last + 1);
	smp_wmb();
	WRITE_ONCE(page->last, page->last + 1);
	spin_unlock(&f->m->lock);
}

/* -EPERM: the access is told of, and gets SIGSEGV. */
static int refuse(struct fill *f, u8 why, u64 gpa)
{
	tell(f, why, gpa);
	return -EPERM;
}

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

static bool covers(u64 pte, u32 access)
{
	return access == PTREMAP_MAP_WRITE  ? pte & PT_RW
	       : access == PTREMAP_MAP_EXEC ? !(pte & PT_NX)
					    : true;
}

/* The entry of 4 KiB for @slot that is a part of a huge one, which has the bits at other places. */
static u64 part_of_huge(const struct held_entry *e, u32 slot)
{
	return (e->pte & ~PT_PS) + ((u64)(slot - e->slot) << PAGE_SHIFT);
}

/* ---- what is held -------------------------------------------------------------------------------
 */

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

/* -EAGAIN: there was no memory for a table just now. */
static int put_held(struct fill *f, const struct held_entry *e)
{
	if (e->pte & PT_PS && leaf_put_huge(f->vmf, e->pte))
		return 0;
	if (!leaf_table(f->vmf))
		return -EAGAIN;
	put_chunk(f, current_root(f->m), f->slot & ~(CHUNK_PAGES - 1));
	return 0;
}

/* 0: the window has it now. -ENOENT: a walk is needed; the root to begin at is in @f. */
static int from_held(struct fill *f)
{
	struct mirror *m = f->m;
	const struct held_entry *e;
	int err = -ENOENT;

	spin_lock(&m->lock);
	m->page->faults++;
	e = m->dead ? NULL : held_find(current_root(m), m, f->slot);
	if (m->dead)
		err = -EIO;
	else if (e && covers(e->pte, f->access))
		err = put_held(f, e);
	m->page->again += !err;
	f->seq = m->seq;
	f->tag = m->current_tag;
	f->root = *current_root(m);
	spin_unlock(&m->lock);
	return err;
}

/* ---- finding ------------------------------------------------------------------------------------
 */

/* Where the walk has ended. -ENXIO: not in memory; or why the host has no page. */
static int find_page(struct fill *f, u32 slot, u32 access, unsigned int gup)
{
	u64 gpa = f->walk.path.end.pa & PAGE_MASK;
	const struct ptremap_mirror_range *range = mirror_range(f->m, gpa);
	bool write = access == PTREMAP_MAP_WRITE;
	struct found *to = &f->found[f->nr_found];
	int err;

	if (!range || (write && range->flags & PTREMAP_MIRROR_RANGE_RO))
		return -ENXIO;
	err = guest_page(f->m, range, gpa, gup | (write ? FOLL_WRITE : 0), &to->page);
	if (err)
		return err;
	to->range = range;
	to->hva = range->hva + (gpa - range->gpa);
	to->gfn = gpa >> PAGE_SHIFT;
	to->slot = slot;
	to->rights = f->walk.rights & ~(write ? 0 : PTREMAP_MAP_WRITE);
	if (!(f->m->flags & PTREMAP_MIRROR_EXEC))
		to->rights &= ~PTREMAP_MAP_EXEC;
	f->nr_found++;
	return 0;
}

static int find_first(struct fill *f)
{
	u64 gva = slot_gva(f->m, f->slot) + offset_in_page(f->vmf->real_address);
	int err = guest_walk_to(&f->walk, &f->root, gva, f->access, true);

	if (err)
		return err;
	if (f->walk.why)
		return refuse(f, f->walk.why,
			      f->walk.why == PTREMAP_MIRROR_TABLE ? f->walk.lost : 0);
	err = find_page(f, f->slot, f->access, 0);
	if (!err)
		return 0;
	return refuse(f, err == -ENXIO ? PTREMAP_MIRROR_MMIO : PTREMAP_MIRROR_HOST,
		      f->walk.path.end.pa);
}

/* Was it accessed before? A page that was not must not be found as one that was. */
static bool marked(const struct fill *f)
{
	u32 level = f->walk.path.end.level;

	return !(f->m->flags & PTREMAP_MIRROR_AD) || !level || f->walk.path.at[level].entry & PT_A;
}

/* Pages in the same table, to be read, as far as the host has them at hand. */
static void find_around(struct fill *f)
{
	u32 first = max(f->slot & ~(AROUND - 1), page_slot(f->m, 0));
	u32 last = min((f->slot & ~(AROUND - 1)) + AROUND,
		       page_slot(f->m, f->m->map.req.len >> PAGE_SHIFT));
	u32 slot;

	for (slot = first; slot < last; slot++) {
		if (slot == f->slot ||
		    guest_walk_to(&f->walk, &f->root, slot_gva(f->m, slot), PTREMAP_MAP_READ,
				  false) ||
		    f->walk.why || !marked(f))
			continue;
		find_page(f, slot, PTREMAP_MAP_READ, FOLL_NOFAULT);
	}
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

/* Could the walk be of a leaf that has all of its 2 MiB in the window? */
static bool may_be_huge(const struct fill *f)
{
	u64 start = f->vmf->address & PMD_MASK;
	const struct mapping *w = &f->m->map;

	return f->walk.path.end.level != 1 && f->m->fmt.top && !f->m->tables &&
	       start >= w->req.va && start + PMD_SIZE <= w->req.va + w->req.len &&
	       pmd_none(READ_ONCE(*f->vmf->pmd));
}

/* ->lock is held. */
static int put_all(struct fill *f, bool huge)
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

/* The chunk of @slot, without a lock; it may be made in vain. */
static int make_chunk(struct fill *f, u32 slot)
{
	struct held_entry **at, *chunk;

	at = &f->root.chunks[slot >> CHUNK_SHIFT];
	if (READ_ONCE(*at))
		return 0;
	chunk = (struct held_entry *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	if (cmpxchg(at, NULL, chunk))
		free_page((unsigned long)chunk);
	return 0;
}

static int find_and_put(struct fill *f)
{
	bool huge;
	int err = find_first(f);

	if (err)
		return err;
	huge = may_be_huge(f);
	err = make_chunk(f, f->slot) ?: huge ? make_chunk(f, f->slot & ~(HUGE_PAGES - 1)) : 0;
	if (err)
		return err;
	if (!huge && !(f->m->tables && f->access == PTREMAP_MAP_WRITE))
		find_around(f);
	spin_lock(&f->m->lock);
	err = put_all(f, huge);
	spin_unlock(&f->m->lock);
	return err;
}

/* ---- the fault ----------------------------------------------------------------------------------
 */

static int fill_once(struct fill *f)
{
	int err = from_held(f);

	if (err != -ENOENT)
		return err;
	err = guest_lock(f->m);
	if (err)
		return err == -ENXIO ? refuse(f, PTREMAP_MIRROR_HOST, 0) : err;
	f->nr_found = 0;
	guest_walk_init(&f->walk, f->m);
	err = find_and_put(f);
	while (f->nr_found)
		put_page(f->found[--f->nr_found].page);
	guest_walk_end(&f->walk);
	guest_unlock(f->m);
	return err;
}

static vm_fault_t answer(int err)
{
	switch (err) {
	case 0:
	case -EAGAIN: /* the access comes again */
		return VM_FAULT_NOPAGE;
	case -EPERM:
		return VM_FAULT_SIGSEGV;
	case -ENOMEM:
		return VM_FAULT_OOM;
	default:
		return VM_FAULT_SIGBUS;
	}
}

/*
 * mmap_lock of the window's process is held for reading. Who is being killed is not kept here, even
 * if it is the kernel that accesses the window for it.
 */
vm_fault_t mirror_fault(struct vm_fault *vmf)
{
	struct fill *f = kmalloc(sizeof(*f), GFP_KERNEL);
	int err = -EAGAIN, i;

	if (!f)
		return VM_FAULT_OOM;
	f->m = container_of(vmf->vma->vm_private_data, struct mirror, map);
	f->vmf = vmf;
	f->access = access_of(vmf);
	f->slot = page_slot(f->m, vmf->pgoff);
	memset(&f->walk, 0, sizeof(f->walk));
	for (i = 0; i < TRIES && err == -EAGAIN; i++) {
		if (fatal_signal_pending(current))
			err = -EINTR;
		else
			err = fill_once(f);
		cond_resched();
	}
	kfree(f);
	return answer(err);
}
