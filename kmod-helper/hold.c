// SPDX-License-Identifier: GPL-2.0
/*
 * References to pages. mmap_lock is held for reading while a page is looked up, and while it is
 * faulted in; the reference lasts until hold_release().
 */
#include <linux/backing-dev.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>

#include "compat.h"
#include "hold.h"

#ifndef CONFIG_DEVICE_MIGRATION
#error "CONFIG_DEVICE_MIGRATION is needed, for migrate_vma_setup()"
#endif

#define TRIES 16

int hold_check(const struct vm_area_struct *vma, unsigned long va)
{
	if (!vma || va < vma->vm_start || va >= vma->vm_end)
		return -ENOENT;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP | VM_HUGETLB | COMPAT_SHADOW_STACK))
		return -EOPNOTSUPP;
	return 0;
}

/*
 * Its file system wants to be asked before a clean page is written to, by a fault; through another
 * entry there would be none (vma_needs_dirty_tracking() in mm/mmap.c).
 */
static bool tracks_dirty(const struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED) || !vma->vm_file)
		return false;
	return (vma->vm_ops && (vma->vm_ops->page_mkwrite || vma->vm_ops->pfn_mkwrite)) ||
	       mapping_can_writeback(vma->vm_file->f_mapping);
}

static int error_of(long nr)
{
	switch (nr) {
	case 1:
		return 0;
	case -ENOMEM:
	case -EINTR:
		return nr;
	case -EBUSY:
	case -EAGAIN:
		return -EAGAIN;
	default:
		return -ENOENT;
	}
}

/*
 * Lent pages that may be written to are pinned, as memory for DMA is: they are written to from
 * elsewhere, too. Others get a plain reference.
 */
static int get_page_at(struct mm_struct *mm, unsigned long va, enum hold_use use, struct held *h)
{
	struct vm_area_struct *vma = find_vma(mm, va);
	unsigned int flags = FOLL_SPLIT_PMD;
	int err = hold_check(vma, va);

	if (err)
		return err;
	if (use == HOLD_OWN) {
		if (!(vma->vm_flags & VM_WRITE) && !is_cow_mapping(vma->vm_flags))
			return -EROFS;
		flags |= FOLL_WRITE | FOLL_FORCE;
	}
	h->writable = use == HOLD_LEND && vma->vm_flags & VM_WRITE && !tracks_dirty(vma);
	h->pinned = h->writable;
	if (h->pinned)
		return error_of(compat_pin_page(mm, va, flags | FOLL_WRITE, &h->page));
	return error_of(compat_get_page(mm, va, flags, &h->page));
}

int hold_page(struct mm_struct *mm, unsigned long va, enum hold_use use, struct held *h)
{
	int err = -EAGAIN, i;

	for (i = 0; i < TRIES && err == -EAGAIN; i++) {
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		err = get_page_at(mm, va, use, h);
		mmap_read_unlock(mm);
	}
	if (err)
		h->page = NULL;
	return err;
}

/* Rather none than that a process is killed for it. */
int hold_fresh(struct held *h)
{
	*h = (struct held){
		.page = alloc_page(GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT | __GFP_RETRY_MAYFAIL |
				   __GFP_NOWARN),
		.writable = true,
	};
	return h->page ? 0 : -ENOMEM;
}

void hold_release(struct held *h, bool dirtied)
{
	if (!h->page)
		return;
	if (h->pinned) {
		unpin_user_pages_dirty_lock(&h->page, 1, dirtied);
	} else {
		if (dirtied)
			set_page_dirty_lock(h->page);
		put_page(h->page);
	}
	h->page = NULL;
}

/*
 * The kernel tells them when a migration begins; one that asks for no pages does nothing else
 * (migrate_vma_setup() with no flag). mmap_lock is taken for reading, and a
 * reference to @mm.
 */
void hold_tell_others(struct mm_struct *mm, unsigned long va)
{
	unsigned long src, dst;
	struct migrate_vma nothing = {
		.start = va,
		.end = va + PAGE_SIZE,
		.src = &src,
		.dst = &dst,
		.pgmap_owner = THIS_MODULE,
	};

	if (!mmget_not_zero(mm))
		return;
	mmap_read_lock(mm);
	nothing.vma = find_vma(mm, va);
	if (!hold_check(nothing.vma, va))
		migrate_vma_setup(&nothing);
	mmap_read_unlock(mm);
	mmput(mm);
}
