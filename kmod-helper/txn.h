/* SPDX-License-Identifier: GPL-2.0 */
/* One transaction: several edits, all made or none; or one mapping. */
#ifndef TXN_H
#define TXN_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include "edit.h"
#include "map.h"
#include "ptremap.h"
#include "vm.h"

struct txn {
	struct list_head link;	     /* the journal's, while it undoes several */
	struct work_struct released; /* lets go of what the guard took */
	u64 maker;		     /* number of the file that made it */
	bool keep;
	struct mapping *map;		/* of PTREMAP_MAP; then there are no edits */
	struct vm_protected *protected; /* of PTREMAP_EPT, PROTECT and CACHE; the same */
	const struct vm_calls *calls;	/* while it is being made, by who has vm_get_calls() */
	const struct vm_calls *vm;	/* ->calls, of one that needs them until its end */
	u32 id;
	u32 nr; /* of ->edits that edit_init() was called for */
	struct edit edits[];
};

/* A page that an edit is about, or gets its frame from. */
struct txn_side {
	const struct target *target;
	struct gpage page; /* what it is to a VM, if that was asked for */
};

/* Room for the edits of @items, as ->what says. txn_undo() frees it. NULL: no memory. */
struct txn *txn_new(const struct ptremap_item *items, u32 nr);
/*
 * Makes the edits of @items (with @dry_run: all but the edits themselves), and puts the answers
 * there. On failure some may have been made: txn_undo() is for the caller in any case.
 */
int txn_make(struct txn *t, struct ptremap_item *items, u32 nr, bool dry_run);
/*
 * The two steps of txn_make(): adds the edit, or the two of a SWAP, of @item, whose processes are
 * numbers and opened, @from only if it has another; then installs all. *@failed: which edit did.
 */
int txn_add(struct txn *t, const struct ptremap_item *item, const struct txn_side *at,
	    const struct txn_side *from);
int txn_install(struct txn *t, enum edit_how how, u32 *failed);
/* @t needs ->calls until txn_undo(). */
void txn_use_vm(struct txn *t);
/* Tells watches of all of it. ->id, ->maker and ->keep are set; it cannot be undone yet. */
void txn_tell_made(struct txn *t);
/*
 * Takes back what is active, flushes once, lets go of pages and guards, and frees @t. Nobody else
 * may know of it. Returns how many edits were active. Sleeps.
 */
u32 txn_undo(struct txn *t);

#endif
