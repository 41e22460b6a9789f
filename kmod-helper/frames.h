/* SPDX-License-Identifier: GPL-2.0 */
/* What a mapping leads to: page frames, kept from being freed, and the cache type that they need.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <linux/mm_types.h>

#include "hold.h"
#include "uapi/ptremap.h"

struct frames {
	u32 source;	    /* enum ptremap_source */
	u32 cache;	    /* enum ptremap_cache */
	bool write;	    /* they are going to be written to */
	unsigned long nr;   /* pages that are held; or of MMIO */
	struct held *held;  /* NULL: MMIO */
	unsigned long pfn;  /* MMIO: the first one */
	void __iomem *mmio; /* the kernel's own mapping: nobody maps the same with another type */
};

/*
 * Holds the pages that @req names, with the errors that uapi/ptremap.h has for them. @other, the mm
 * of PTREMAP_MAP_FRAMES, has a reference (mmget). On failure nothing is held.
 */
int frames_get(struct frames *f, const struct ptremap_map *req, struct mm_struct *other);
unsigned long frames_pfn(const struct frames *f, unsigned long i);
/* For the VMA that maps them. */
pgprot_t frames_pgprot(const struct frames *f, pgprot_t prot);
/*
 * The page of RAM at @pa, of a kind that @force allows (PTREMAP_ITEM_FORCE_*), with the errors that
 * uapi/ptremap.h has. *@forced: processes have no pages of its kind, and it has no reference if
 * @h->page is NULL: it is free, or reserved. hold_release() gives it back.
 */
int frames_hold_ram(u64 pa, u32 force, struct held *h, bool *forced);
/* No entry leads to them any more, and no TLB has one. Sleeps. */
void frames_put(struct frames *f);

#endif
