/* SPDX-License-Identifier: GPL-2.0 */
/* One fault of a window at work: what was found, and what is to be put there. */
#ifndef MIRROR_FILL_H
#define MIRROR_FILL_H

#include "mirror.h"

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
	u8 largest; /* shift of the largest leaf of these */
};

/*
 * mirror_put.c: both are called under ->lock. What the tag holds, with all of its chunk; or what
 * was found, if nothing has changed since ->seq; with @huge as 2 MiB if the host has them. 0;
 * -EAGAIN: the fault is to be handled again; -EIO: the mirror is dead.
 */
int fill_from_held(struct fill *f, const struct held_entry *e);
int fill_put(struct fill *f, bool huge);

#endif
