// SPDX-License-Identifier: GPL-2.0
/*
 * Entries of ordinary memory that lead to no page of a process.
 *
 * For the kernel there must be no page behind them, or it would map, lock, dirty and count what
 * nobody may touch so. Entries with both _PAGE_SPECIAL and _PAGE_DEVMAP are such: vm_normal_page()
 * gives NULL for them without complaint, zap and fork find nothing to count, mlock, KSM, migration,
 * khugepaged and /proc find no page. Two do not expect them in ordinary memory, and are kept away:
 *
 * get_user_pages() asks for the device's page map, finds none, has the page faulted in, and begins
 * anew, for as long as the entry is there. But it does so through handle_mm_fault(), without
 * registers, where a kprobe gives it the original back: who wants the page gets the process' own.
 * That also comes before a copy-on-write that a debugger forces, which would read the page by its
 * address in the wrong process (__wp_page_copy_user()).
 *
 * The multi-gen LRU warns of them when it ages pages by their entries (get_pte_pfn() in
 * mm/vmscan.c). It leaves mappings alone that have VM_RAND_READ, the advice MADV_RANDOM, and so
 * this sets it for as long. Whoever takes the advice back meanwhile gets the warning, and no harm.
 *
 * foreign_lock protects the list, which the kprobe reads under RCU. Lock order: mmap_lock, then
 * foreign_lock. The kprobe takes edit->lock and the page table's: neither is ever held, nor are
 * interrupts off, where a fault is handled.
 */
#include <linux/kprobes.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "entry.h"
#include "foreign.h"
#include "frames.h"

#ifndef CONFIG_KPROBES
#error "CONFIG_KPROBES is needed, to see get_user_pages() ask for a page"
#endif

#define PROBE_LINGERS (2 * HZ)

struct foreign {
	struct list_head link;
	struct edit *edit;
	struct held page;   /* a reference, of RAM that can have one */
	struct frames mmio; /* of device memory, else empty */
	unsigned long pfn;
	struct work_struct back; /* the original's way back, and the end of the edit */
	bool unflushed;		 /* it is back, but CPUs may not know yet */
	bool advised;		 /* VM_RAND_READ of its mapping is ours */
};

static DEFINE_MUTEX(foreign_lock);
static LIST_HEAD(foreigns);

/* ---- get_user_pages() ------------------------------------------------------------------------ */

static void give_back(struct work_struct *work)
{
	struct foreign *f = container_of(work, struct foreign, back);

	if (edit_restore(f->edit, PTREMAP_CAUSE_OTHER))
		f->unflushed = true;
	queue_work(system_unbound_wq, f->edit->released);
}

/*
 * At once, so that the fault finds the original. Other CPUs may use the old translation until
 * foreign_end() flushes, before it gives up what that leads to. Locks of a real-time kernel sleep,
 * which is not possible here: there get_user_pages() goes round until the work is done.
 */
static void want_back(struct foreign *f)
{
	if (READ_ONCE(f->edit->state) != PTREMAP_ACTIVE)
		return;
	if (!IS_ENABLED(CONFIG_PREEMPT_RT) && !irqs_disabled()) {
		if (!edit_restore(f->edit, PTREMAP_CAUSE_OTHER))
			return;
		f->unflushed = true;
	}
	queue_work(system_unbound_wq, &f->back);
}

/* handle_mm_fault(vma, address, flags, regs): without @regs no CPU has faulted. */
static int before_fault(struct kprobe *probe, struct pt_regs *regs)
{
	const struct vm_area_struct *vma = (void *)regs->di;
	unsigned long va = regs->si & PAGE_MASK;
	struct foreign *f;

	if (regs->cx)
		return 0;
	rcu_read_lock();
	list_for_each_entry_rcu(f, &foreigns, link) if (f->edit->va == va &&
							f->edit->mm == vma->vm_mm) want_back(f);
	rcu_read_unlock();
	return 0;
}
NOKPROBE_SYMBOL(before_fault);

/*
 * The kprobe is there for as long as the list is not empty, and some time longer, since both ways
 * are slow. foreign_lock is held.
 */
static struct kprobe fault_probe;
static bool probed;

static void stop_probe(struct work_struct *unused)
{
	mutex_lock(&foreign_lock);
	if (probed && list_empty(&foreigns)) {
		unregister_kprobe(&fault_probe);
		probed = false;
	}
	mutex_unlock(&foreign_lock);
}

static DECLARE_DELAYED_WORK(stop_probe_work, stop_probe);

static int start_probe(void)
{
	int err;

	if (probed)
		return 0;
	fault_probe = (struct kprobe){
		.symbol_name = "handle_mm_fault",
		.pre_handler = before_fault,
	};
	err = register_kprobe(&fault_probe);
	probed = !err;
	return err && err != -ENOMEM ? -EOPNOTSUPP : err;
}

static int add_to_list(struct foreign *f)
{
	int err;

	mutex_lock(&foreign_lock);
	err = start_probe();
	if (!err)
		list_add_rcu(&f->link, &foreigns);
	mutex_unlock(&foreign_lock);
	return err;
}

/* When it returns, the kprobe does not know of @f any more. */
static void take_off_list(struct foreign *f)
{
	mutex_lock(&foreign_lock);
	list_del_rcu(&f->link);
	mutex_unlock(&foreign_lock);
	synchronize_rcu_expedited();
	queue_delayed_work(system_unbound_wq, &stop_probe_work, PROBE_LINGERS);
}

void foreign_exit(void)
{
	cancel_delayed_work_sync(&stop_probe_work);
	stop_probe(NULL);
}

/* ---- the multi-gen LRU ----------------------------------------------------------------------- */

#define NOT_AGED (VM_RAND_READ | VM_SEQ_READ)

int foreign_prepare(struct edit *e)
{
	struct foreign *f = e->foreign;
	struct vm_area_struct *vma;

	if (!f || !IS_ENABLED(CONFIG_LRU_GEN))
		return 0;
	if (mmap_write_lock_killable(e->mm))
		return -EINTR;
	vma = find_vma(e->mm, e->va);
	if (!hold_check(vma, e->va, 1) && !(vma->vm_flags & NOT_AGED)) {
		compat_vma_flags(vma, VM_RAND_READ, 0);
		f->advised = true;
	}
	mmap_write_unlock(e->mm);
	return 0;
}

/* Another edit in @vma needs the advice still, and takes it back in its turn. */
static bool pass_advice_on(const struct foreign *f, const struct vm_area_struct *vma)
{
	struct foreign *other;
	bool found = false;

	mutex_lock(&foreign_lock);
	list_for_each_entry(other, &foreigns, link)
	{
		unsigned long va = other->edit->va;

		if (found || other == f || other->edit->mm != vma->vm_mm || va < vma->vm_start ||
		    va >= vma->vm_end)
			continue;
		other->advised = found = true;
	}
	mutex_unlock(&foreign_lock);
	return found;
}

/* Parts that were split off the mapping, or moved, keep the advice. A reference to the mm is taken
 * for as long. */
static void take_advice_back(struct foreign *f)
{
	struct mm_struct *mm = f->edit->mm;
	struct vm_area_struct *vma;

	if (!mmget_not_zero(mm))
		return;
	mmap_write_lock(mm);
	vma = find_vma(mm, f->edit->va);
	if (f->advised && !hold_check(vma, f->edit->va, 1) && !pass_advice_on(f, vma))
		compat_vma_flags(vma, 0, VM_RAND_READ);
	f->advised = false;
	mmap_write_unlock(mm);
	mmput(mm);
}

/* ---- what it leads to ------------------------------------------------------------------------ */

/*
 * The kernel's own mapping of it sees to the cache type. Where there is a page map after all,
 * get_user_pages() would take pages from there.
 */
static int hold_mmio(u64 pa, struct foreign *f)
{
	const struct ptremap_map one = {
		.source = PTREMAP_MAP_MMIO,
		.cache = PTREMAP_CACHE_UC,
		.from = pa,
		.len = PAGE_SIZE,
	};
	struct dev_pagemap *map = get_dev_pagemap(PHYS_PFN(pa), NULL);

	if (map) {
		put_dev_pagemap(map);
		return -EOPNOTSUPP;
	}
	return frames_get(&f->mmio, &one, NULL);
}

static void release(struct foreign *f)
{
	frames_put(&f->mmio);
	hold_release(&f->page, false);
	kfree(f);
}

static struct foreign *new_foreign(struct edit *e)
{
	struct foreign *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return NULL;
	f->edit = e;
	f->pfn = PHYS_PFN(e->item.other_va);
	INIT_WORK(&f->back, give_back);
	return f;
}

static int hold_in(struct foreign *f, struct edit *e, bool *is_foreign)
{
	u64 pa = e->item.other_va;
	int err;

	*is_foreign = e->item.what == PTREMAP_MMIO;
	err = *is_foreign ? hold_mmio(pa, f)
			  : frames_hold_ram(pa, e->item.flags, &f->page, is_foreign);
	return err ?: *is_foreign ? add_to_list(f) : 0;
}

int foreign_hold(struct edit *e)
{
	struct foreign *f = new_foreign(e);
	bool is_foreign;
	int err;

	if (!f)
		return -ENOMEM;
	err = hold_in(f, e, &is_foreign);
	if (!err && is_foreign) {
		e->foreign = f;
		return 0;
	}
	if (!err) {
		e->source = f->page;
		f->page.page = NULL;
	}
	release(f);
	return err;
}

int foreign_entry(const struct edit *e, const struct vm_area_struct *vma, pte_t old, pte_t *new)
{
	const struct foreign *f = e->foreign;
	pgprot_t prot = __pgprot(pte_flags(old) & ~(pteval_t)_PAGE_CACHE_MASK);

	/* A fork copies entries of such memory, and the guard is not told (vma_needs_copy()). */
	if (vma->vm_flags & VM_SHARED && vma->vm_flags & VM_UFFD_WP)
		return -EOPNOTSUPP;
	if (IS_ENABLED(CONFIG_LRU_GEN) && !(vma->vm_flags & NOT_AGED))
		return -EAGAIN;
	if (e->item.what == PTREMAP_MMIO)
		prot = frames_pgprot(&f->mmio, prot);
	*new = entry_foreign(f->pfn, prot, vma->vm_flags & VM_WRITE && !pte_uffd_wp(old));
	return 0;
}

void foreign_end(struct edit *e)
{
	struct foreign *f = e->foreign;

	if (!f)
		return;
	/* First, so that nobody passes on the advice to one that will not take it back any more. */
	take_off_list(f);
	if (IS_ENABLED(CONFIG_LRU_GEN))
		take_advice_back(f);
	cancel_work_sync(&f->back);
	if (f->unflushed)
		flush_all_cpus();
	edit_tell_gone(e);
	release(f);
	e->foreign = NULL;
}
