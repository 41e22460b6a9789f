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

#include "mirror_fill.h"

#define TRIES 64

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

/* ---- what is held -------------------------------------------------------------------------------
 */

static bool covers(u64 pte, u32 access)
{
	return access == PTREMAP_MAP_WRITE  ? pte & PT_RW
	       : access == PTREMAP_MAP_EXEC ? !(pte & PT_NX)
					    : true;
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
		err = fill_from_held(f, e);
	m->page->again += !err;
	f->seq = m->seq;
	f->tag = m->current_tag;
	f->root = *current_root(m);
	spin_unlock(&m->lock);
	return err;
}

/* ---- finding ------------------------------------------------------------------------------------
 */

static u8 leaf_shift(const struct fill *f)
{
	u32 level = f->walk.path.end.level;

	return level ? pt_level_shift(&f->m->fmt, level) : PAGE_SHIFT;
}

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
	f->largest = max_t(u8, f->largest, leaf_shift(f));
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

/* Could the walk be of a leaf that has all of its 2 MiB in the window? */
static bool may_be_huge(const struct fill *f)
{
	u64 start = f->vmf->address & PMD_MASK;
	const struct mapping *w = &f->m->map;

	return f->walk.path.end.level != 1 && f->m->fmt.top && !f->m->tables &&
	       start >= w->req.va && start + PMD_SIZE <= w->req.va + w->req.len &&
	       pmd_none(READ_ONCE(*f->vmf->pmd));
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
	err = fill_put(f, huge);
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
	f->nr_found = f->largest = 0;
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
 * if it is the kernel that accesses the window for it. Under lockdown nothing more is shown.
 */
vm_fault_t mirror_fault(struct vm_fault *vmf)
{
	struct fill *f = kmalloc(sizeof(*f), GFP_KERNEL);
	int err = check_lockdown() ?: -EAGAIN, i;

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
