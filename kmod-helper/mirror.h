/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors: what the parts of one share.
 *
 *	mirror.c	made and ended
 *	mirror_list.c	which there are
 *	mirror_calls.c	told what the guest has changed
 *	mirror_fault.c	an access where nothing is yet: what it leads to is found
 *	mirror_put.c	and becomes entries
 *	mirror_guest.c	the guest's memory, and walks through its tables
 *	mirror_held.c	what walks have given: found by address and by frame, kept by tag
 *	mirror_leaf.c	the window's entries in the process' tables
 *	mirror_host.c	what the kernel tells of the memory that is shown
 *
 * ->lock protects all that is held and the window's entries. Locks: mmap_lock, ->lock, those of the
 * page tables. Nothing that sleeps or allocates is done under it: notifiers take it. That of the
 * list comes before ->lock, and after no other.
 */
#ifndef MIRROR_H
#define MIRROR_H

#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/spinlock.h>

#include "part.h"
#include "pt/pt_space.h"
#include "ptremap.h"
#include "uapi/ptremap_mirror.h"

/* ---- what is held -----------------------------------------------------------------------------
 */

/* Pages that one array of them is for; as many bytes of addresses as CHUNK_PAGES have. */
#define CHUNK_SHIFT 7
#define CHUNK_PAGES (1U << CHUNK_SHIFT)
#define HUGE_PAGES  (1U << (PMD_SHIFT - PAGE_SHIFT))

/*
 * What a walk has given for one page of the window. A slot is a page's number, counted from the
 * 2 MiB that the window begins in. One for 2 MiB has the slot of its first page.
 */
struct held_entry {
	struct hlist_node link; /* of those with the same hash of ->gfn */
	u64 pte;		/* as in the window, PSE: of 2 MiB; 0: nothing is held */
	u32 gfn;
	u32 slot : 28;
	u32 root : 4;
};

struct mirror_root {
	u64 cr3;
	u32 cpu;		    /* PTREMAP_MIRROR_USER ... */
	u8 largest;		    /* shift of the guest's largest leaf that entries came from */
	struct held_entry **chunks; /* by slot >> CHUNK_SHIFT; pages, NULL where nothing was */
};

/* ---- the mirror -------------------------------------------------------------------------------
 */

struct mirror;

/* One for each of the two processes, or for both if they are one. */
struct mirror_notifier {
	struct mmu_notifier mn;
	struct mm_struct *mm; /* with a reference (mmgrab); NULL: it is not in use */
	struct mirror *mirror;
};

struct mirror {
	struct mapping map;	 /* the window: the first member */
	struct list_head listed; /* of all mirrors; empty: it is not, or no more */
	u32 flags;		 /* PTREMAP_MIRROR_* */
	u32 mode;		 /* enum ptremap_mirror_mode, which ->fmt was made from */
	u64 gva;
	u32 nr_slots; /* from slot 0 to the window's end, wherever that is in its 2 MiB */
	struct pt_fmt fmt;
	struct ptremap_mirror_range *ranges;
	u32 nr_ranges;
	struct mm_struct *ram; /* mm of the memory, with a reference (mmgrab) */
	pid_t ram_pid;	       /* its process */
	struct mirror_notifier notifiers[2];
	struct ptremap_mirror_page *page;

	spinlock_t lock; /* what follows */
	bool dead;	 /* nothing is filled any more, and the window's tables may have gone */
	u64 seq;	 /* is increased when what a walk gave may no longer be so */
	u32 busy;	 /* invalidations of the host that are going on, and what they are about */
	unsigned long busy_start, busy_end;
	u32 current_tag;
	struct mirror_root *roots[PTREMAP_MIRROR_TAGS];
	unsigned long *placed; /* bit per chunk: the window may have entries of it */
	struct hlist_head *by_gfn;
	u32 hash_mask;
	unsigned long *tables; /* SYNC: bit per page of the guest: a table that was walked */
};

static inline u64 slot_va(const struct mirror *m, u32 slot)
{
	return (m->map.req.va & PMD_MASK) + ((u64)slot << PAGE_SHIFT);
}

static inline u64 slot_gva(const struct mirror *m, u32 slot)
{
	return m->gva + (slot_va(m, slot) - m->map.req.va);
}

/* Of the window's page number @page. */
static inline u32 page_slot(const struct mirror *m, u64 page)
{
	return (m->map.req.va >> PAGE_SHIFT & (HUGE_PAGES - 1)) + page;
}

static inline struct mirror_root *current_root(const struct mirror *m)
{
	return m->roots[m->current_tag];
}

/* What call_mirror() gets: the file is not the caller's before it knows its number. */
struct mirror_call {
	struct ptremap_mirror req;
	struct file *file;
};
int call_mirror(void *arg, struct file *file);
void mirror_answered(void *arg, int err);

/* ---- mirror_list.c ----------------------------------------------------------------------------
 */
int call_mirror_list(void *arg, struct file *file);
/* From one to the other @m is listed; the second is harmless where the first was not. */
void mirror_list_add(struct mirror *m);
void mirror_list_remove(struct mirror *m);

/* ---- mirror_calls.c ---------------------------------------------------------------------------
 */
#define MIRROR_CPU_BITS \
	(PTREMAP_MIRROR_USER | PTREMAP_MIRROR_WP | PTREMAP_MIRROR_SMEP | PTREMAP_MIRROR_SMAP)
long mirror_ioctl(struct file *file, unsigned int cmd, unsigned long user);
/* The window shows the tables at @cr3 from now on. 0 or -ENOMEM. */
int mirror_set_root(struct mirror *m, u32 tag, u64 cr3, u32 cpu);

/* ---- mirror_fault.c ---------------------------------------------------------------------------
 */
vm_fault_t mirror_fault(struct vm_fault *vmf);

/* ---- mirror_guest.c ---------------------------------------------------------------------------
 */

/* The range that has @gpa, or NULL. */
const struct ptremap_mirror_range *mirror_range(const struct mirror *m, u64 gpa);
/* The number of a frame that a range has, all ranges being counted through. */
u64 mirror_frame_index(const struct mirror *m, u64 gfn);

/* A walk through the guest's tables, whose pages are held meanwhile. */
struct guest_walk {
	struct pt_mem mem; /* the first member */
	struct mirror *mirror;
	struct {
		u64 gfn;
		struct page *page;
	} table[PT_MAX_LEVEL];
	u32 nr_tables;
	u64 lost; /* address of the entry that could not be read */
	int err;  /* why */
	struct pt_path path;
	u64 error_code;
	u8 why;	    /* enum ptremap_mirror_why; 0: it ends in a page, which ->rights are for */
	u8 rights;  /* PTREMAP_MAP_* */
	bool dirty; /* the leaf is marked so, or nobody cares */
};

/*
 * Begins and ends walks; between them mmap_lock of the mirror's ->ram is held, by guest_lock(), or
 * because it is the faulting process' own. -EAGAIN: it is somebody else's just now; -ENXIO: that
 * process has ended.
 */
int guest_lock(struct mirror *m);
void guest_unlock(struct mirror *m);
void guest_walk_init(struct guest_walk *w, struct mirror *m);
void guest_walk_end(struct guest_walk *w);
/*
 * Walks @gva for @access (PTREMAP_MAP_*), and with @mark sets A and D as the guest's CPU does. 0
 * with ->why; -EAGAIN: the tables changed meanwhile.
 */
int guest_walk_to(struct guest_walk *w, const struct mirror_root *root, u64 gva, u32 access,
		  bool mark);
/* The page at @gpa of @range, with a reference; @gup: FOLL_*. */
int guest_page(struct mirror *m, const struct ptremap_mirror_range *range, u64 gpa,
	       unsigned int gup, struct page **page);

/* ---- mirror_held.c ----------------------------------------------------------------------------
 * Under ->lock, unless it says otherwise.
 */
int held_init(struct mirror *m);
void held_exit(struct mirror *m);
/* Not under the lock: an empty root. NULL: no memory. */
struct mirror_root *held_new_root(const struct mirror *m);
void held_free_root(const struct mirror *m, struct mirror_root *root);
/* What is held for @slot, or NULL. */
struct held_entry *held_find(const struct mirror_root *root, const struct mirror *m, u32 slot);
/* A place for @slot; NULL: its chunk is missing. */
struct held_entry *held_place(const struct mirror_root *root, u32 slot);
/* Fills an entry, whose place may have been taken: @pte for @gfn. */
void held_set(struct mirror *m, u32 tag, struct held_entry *e, u32 slot, u32 gfn, u64 pte);
/* These forget: true: the window had entries of it, and the TLBs are to be flushed. */
bool held_drop(struct mirror *m, struct held_entry *e);
bool held_drop_slots(struct mirror *m, u32 tag, u32 first, u32 last);
bool held_drop_all(struct mirror *m);
/* What leads to frames @first to @last; with @writable that alone may be written to. */
bool held_drop_gfns(struct mirror *m, u64 first, u64 last, bool writable);
/* Empties the window; what is held stays. */
bool held_unplace(struct mirror *m);

/* ---- mirror_leaf.c ----------------------------------------------------------------------------
 * Under ->lock, and while the mirror is not ->dead: the window's tables stay.
 */
/* Makes sure that there is a table under the entry that faulted. False: it maps 2 MiB. */
bool leaf_table(struct vm_fault *vmf);
/* An entry of 4 KiB, where there is a table for it. */
void leaf_put(struct mirror *m, u32 slot, u64 pte);
/* One of 2 MiB, if nothing is there. True: it is there now, or another CPU had put it there. */
bool leaf_put_huge(struct vm_fault *vmf, u64 pte);
/* Clears @nr pages from @slot on, and 2 MiB entries that these are a part of. */
bool leaf_clear(struct mirror *m, u32 slot, u32 nr);
/* Does the process that has the memory map @pfn there by an entry of 2 MiB, to be written to? */
bool leaf_is_huge(struct mm_struct *mm, unsigned long va, unsigned long pfn, bool write);
/* The TLBs of all CPUs that run the window's process. */
void leaf_flush(struct mirror *m);

/* ---- mirror_host.c ----------------------------------------------------------------------------
 */
int host_watch(struct mirror *m);
void host_unwatch(struct mirror *m);
/* Under ->lock: could what was found out at @seq of the page at @hva have changed? */
bool host_changed(const struct mirror *m, u64 seq, unsigned long hva);

#endif
