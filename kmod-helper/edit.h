/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One changed leaf: what it was, what it is, what it keeps alive, and the guard that puts the
 * original back before the kernel acts on the page.
 *
 * Life of an edit, each step by one function:
 *	edit_init	registers the guard, which holds the mm (mmgrab) until edit_release
 *	edit_hold_*	hold the pages
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

#include "guest.h"
#include "hold.h"
#include "leaf.h"
#include "uapi/ptremap.h"
#include "watch.h"

enum edit_how {
	EDIT_DRY_RUN, /* all but that the entry is written */
	EDIT_MAKE,
	EDIT_REHEARSE, /* written, and written back, while nobody gets through it */
};

struct edit {
	struct mmu_interval_notifier guard;
	struct hlist_node link;	      /* of the claims: no two edits for one page */
	struct work_struct *released; /* is queued when the guard has taken the edit */
	struct edit *twin;	      /* the other half of a swap: they go together */
	struct mm_struct *mm;	      /* its tables may go, it does not until edit_release() */
	unsigned long va;
	struct held old, source; /* ->source: of FRAME, SWAP and FRESH, where the entry leads to */
	struct foreign *foreign; /* instead of ->source, where that is no page of a process */
	struct guest guest;
	struct ptremap_item item;
	pid_t pid;
	u8 level;		   /* 1 or 2 */
	bool guarded;		   /* ->guard is registered */
	unsigned long is_released; /* bit 0 */
	struct watched watched;

	spinlock_t lock; /* ->state and what follows; taken outside of the page table's lock */
	u8 state;	 /* enum ptremap_state; 0 before it was installed */
	u8 cause;
	bool dirtied; /* ->source was written to through the entry */
	bool aside;   /* its twin was taken, and it with that: nobody acts on its page */
	/* Valid while active: a table is not freed before the guard was called for its range. */
	struct leaf leaf;
	pte_t old_pte, new_pte;
};

/* The caller has a reference to @mm (mmget). @released: see above. */
int edit_init(struct edit *e, const struct ptremap_item *item, struct mm_struct *mm,
	      struct work_struct *released);
/* The page that the entry is to lead to; @other is the mm of ->item.other_va, if it has one. */
int edit_hold_source(struct edit *e, struct mm_struct *other);
/* The page that it leads to now. After edit_hold_source(): they must go together. */
int edit_hold_old(struct edit *e);
/* Of a swap: both halves, by a call for the first one. The caller flushes. */
int edit_install(struct edit *e, enum edit_how how);
/*
 * For who follows PROT_NONE entries without their lock: those of a rehearsal lead elsewhere. True:
 * none is hidden now; rehearsal_since() tells whether one was since then.
 */
bool rehearsal_none(unsigned int *seq);
bool rehearsal_since(unsigned int seq);
/* True: it was active, and the caller has to flush before it goes on. */
bool edit_restore(struct edit *e, enum ptremap_cause cause);
/*
 * The same of both halves of a swap, if @e was active: half of one would leave one page twice, the
 * other nowhere. No guest sees that.
 */
bool edit_take(struct edit *e, enum ptremap_cause cause);
/* The same of those of both that are active: how many were. */
unsigned int edit_restore_both(struct edit *e, enum ptremap_cause cause);
/* It leads to another page than before. */
bool edit_has_frame(const struct edit *e);
/* What is known of it, at this moment. */
void edit_record(struct edit *e, struct ptremap_record *r);
/* Tell those who watch; GONE only once all CPUs have flushed. */
void edit_tell_made(struct edit *e);
void edit_tell_gone(struct edit *e);
/* Its state, at this moment. */
u8 edit_state(struct edit *e);
/* Sleeps. After it no guard runs for @e. The second call for an edit does nothing, at once. */
void edit_release(struct edit *e);
/* All CPUs forget all translations; PCIDs and global ones, too. May not be called with a lock
 * that is taken with interrupts off. */
void flush_all_cpus(void);

#endif
