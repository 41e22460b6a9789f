/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One changed leaf: what it was, what it is, what it keeps alive, and the guard that puts the
 * original back before the kernel acts on the page.
 *
 * Life of an edit, each step by one function:
 *	edit_init	holds the mm (until edit_release) and registers the guard
 *	edit_prepare	holds the pages
 *	edit_install	the entry is replaced; ->state is PTREMAP_ACTIVE from here
 *	edit_restore	the original is back (by undo, or by the guard); flush, then
 *	edit_release	gives the pages, the guard and the mm back
 */
#ifndef EDIT_H
#define EDIT_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "uapi/ptremap.h"

struct edit {
	struct mmu_interval_notifier guard;
	struct list_head link; /* in the list of all edits: no two for one page */
	struct work_struct release_work;
	struct mm_struct *mm; /* by mmgrab(): its tables may go, it does not */
	unsigned long va;
	struct page *old_page, *new_page; /* each with a reference; the same page for PROTECT */
	struct ptremap_item item;
	pid_t pid;

	spinlock_t lock; /* ->state and what follows; taken outside of the page table's lock */
	u8 state;	 /* enum ptremap_state; 0 before it was installed */
	u8 cause;
	bool guarded;	      /* ->guard is registered */
	bool source_writable; /* ->new_page may be written through this mapping */
	unsigned long released;
	/* Valid while active: a table is not freed before the guard was called for its range. */
	pte_t *pte;
	spinlock_t *ptl;
	pte_t old, new;
};

int edit_init(struct edit *e, const struct ptremap_item *item, pid_t pid, u64 va);
/* @other: whose page at ->item.other_va FRAME and SWAP want; the caller has it from target_get().
 */
int edit_prepare(struct edit *e, struct mm_struct *other);
int edit_install(struct edit *e, bool dry_run);
/* True: it was active, and the caller has to flush before it goes on. */
bool edit_restore(struct edit *e, enum ptremap_cause cause);
/* Sleeps. After it no guard runs for @e. */
void edit_release(struct edit *e);
/* All CPUs forget all translations; PCIDs and global ones, too. May not be called with a lock
 * that is taken with interrupts off. */
void flush_all_cpus(void);

#endif
