// SPDX-License-Identifier: GPL-2.0
/*
 * References to pages. mmap_lock is held for reading while a page is looked up, and while it is
 * faulted in; the reference lasts until hold_release().
 */
#include <linux/backing-dev.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>

#include "compat.h"
#include "entry.h"
#include "hold.h"
#include "leaf.h"

#ifndef CONFIG_DEVICE_MIGRATION
#error "CONFIG_DEVICE_MIGRATION is needed, for migrate_vma_setup()"
#endif

#define TRIES 16
/* Pages that others are told of at a time. */
#define TELL 32

/*
 * Of hugetlb only pages of 2 MiB, and none whose table others may have, too: those would get the
 * change without a guard (page_table_shareable() in mm/hugetlb.c).
 */
static int check_hugetlb(struct vm_area_struct *vma, unsigned long va)
{
	bool shareable = vma->vm_flags & VM_MAYSHARE && vma->vm_start <= (va & PUD_MASK) &&
			 vma->vm_end >= (va & PUD_MASK) + PUD_SIZE;

	return vma_kernel_pagesize(vma) != PMD_SIZE || shareable ? -EOPNOTSUPP : 0;
}

/* Other file systems than tmpfs may have huge pages whose write access is their own business. */
static int check_huge(struct vm_area_struct *vma, unsigned long va)
{
	if (is_vm_hugetlb_page(vma))
		return check_hugetlb(vma, va);
	if (vma->vm_file && file_inode(vma->vm_file)->i_sb->s_magic != TMPFS_MAGIC)
		return -EOPNOTSUPP;
	return va + PMD_SIZE > vma->vm_end ? -ENOTBLK : 0;
}

int hold_check(struct vm_area_struct *vma, unsigned long va, unsigned int level)
{
	if (!vma || va < vma->vm_start || va >= vma->vm_end)
		return -ENOENT;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP | COMPAT_SHADOW_STACK))
		return -EOPNOTSUPP;
	if (level == 2)
		return check_huge(vma, va);
	return is_vm_hugetlb_page(vma) ? -EOPNOTSUPP : 0;
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
 * To be written to, memory that is read-only now gets a copy of its own, which hugetlb has not. A
 * huge page is not copied, but split: then there is none.
 */
static bool may_own(const struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_WRITE)
		return true;
	return is_cow_mapping(vma->vm_flags) && !(vma->vm_flags & VM_HUGETLB);
}

/*
 * Lent pages that may be written to are pinned, as memory for DMA is: they are written to from
 * elsewhere, too. Others get a plain reference.
 */
static int get_page_at(struct mm_struct *mm, unsigned long va, unsigned int level,
		       enum hold_use use, struct held *h)
{
	struct vm_area_struct *vma = find_vma(mm, va);
	unsigned int flags = level == 2 ? 0 : FOLL_SPLIT_PMD;
	int err = hold_check(vma, va, level);

	if (err)
		return err;
	if (use == HOLD_OWN) {
		if (!may_own(vma))
			return -EROFS;
		flags |= FOLL_WRITE | FOLL_FORCE;
	}
	h->writable = use == HOLD_LEND && vma->vm_flags & VM_WRITE && !tracks_dirty(vma);
	h->pinned = h->writable;
	if (h->pinned)
		return error_of(compat_pin_page(mm, va, flags | FOLL_WRITE, &h->page));
	return error_of(compat_get_page(mm, va, flags, &h->page));
}

/*
 * The page that was got must be a whole huge one with an entry of level 2. One that nobody owns is
 * the kernel's page of zeros, or lent itself.
 */
static int check_leaf(struct mm_struct *mm, unsigned long va, struct page *page)
{
	struct leaf leaf;
	unsigned long pfn;

	if (leaf_lock(&leaf, mm, va, 2))
		return -ENOTBLK;
	pfn = entry_pfn(ptep_get(leaf.at), 2);
	leaf_unlock(&leaf);
	if (pfn != page_to_pfn(page))
		return -EAGAIN;
	if (!PageHead(page) || compound_order(page) != PMD_SHIFT - PAGE_SHIFT)
		return -ENOTBLK;
	return PageHuge(page) || PageAnon(page) || page->mapping ? 0 : -ENOTBLK;
}

/* On failure @h holds nothing, or what is there to be let go of when mmap_lock is not held. */
static int try_hold(struct mm_struct *mm, unsigned long va, unsigned int level, enum hold_use use,
		    struct held *h)
{
	int err;

	*h = (struct held){};
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	err = get_page_at(mm, va, level, use, h);
	if (err)
		h->page = NULL;
	else if (level == 2)
		err = check_leaf(mm, va, h->page);
	mmap_read_unlock(mm);
	return err;
}

int hold_leaf(struct mm_struct *mm, unsigned long va, unsigned int level, enum hold_use use,
	      struct held *h)
{
	int err = -EAGAIN, i;

	for (i = 0; i < TRIES && err == -EAGAIN; i++) {
		err = try_hold(mm, va, level, use, h);
		if (err)
			hold_release(h, false);
	}
	return err;
}

/*
 * Rather none than that a process is killed for it; for a huge one no memory is moved to make room
 * for it, either.
 */
int hold_fresh(struct held *h, unsigned int level)
{
	gfp_t gfp = GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT | __GFP_NOWARN;
	unsigned int order = 0;

	if (level == 2) {
		gfp |= __GFP_COMP | __GFP_NORETRY;
		order = PMD_SHIFT - PAGE_SHIFT;
	} else {
		gfp |= __GFP_RETRY_MAYFAIL;
	}
	*h = (struct held){ .page = alloc_pages(gfp, order), .writable = true };
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
 * (migrate_vma_setup() with no flag). It would split a huge page, but for the caller's reference.
 */
static void tell_some(struct vm_area_struct *vma, unsigned long va, unsigned long end)
{
	unsigned long src[TELL], dst[TELL];
	struct migrate_vma nothing = {
		.vma = vma,
		.start = va,
		.end = end,
		.src = src,
		.dst = dst,
		.pgmap_owner = THIS_MODULE,
	};

	migrate_vma_setup(&nothing);
}

/* mmap_lock is taken for reading, and a reference to @mm. */
void hold_tell_others(struct mm_struct *mm, unsigned long va, unsigned int level)
{
	unsigned long end = va + leaf_size(level), at, next;
	/* Migration refuses the VMAs of hugetlb, of which it finds no page anyway: this is for
	 * what it tells before it looks. */
	struct vm_area_struct stand_in = { .vm_mm = mm, .vm_start = va, .vm_end = end }, *vma;

	if (!mmget_not_zero(mm))
		return;
	mmap_read_lock(mm);
	vma = find_vma(mm, va);
	if (!hold_check(vma, va, level)) {
		if (is_vm_hugetlb_page(vma))
			vma = &stand_in;
		for (at = va; at < end; at = next) {
			next = min(at + TELL * PAGE_SIZE, end);
			tell_some(vma, at, next);
		}
	}
	mmap_read_unlock(mm);
	mmput(mm);
}
