/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Address spaces as a sequence of ranges. pt_iter pulls one item for each entry that ends a walk
 * (a hole is as large as the level it is found at: a missing 512 GiB is one item); pt_merge makes
 * one item of neighbours that say the same. Both are plain structures on the caller's stack, hold
 * nothing, and may be dropped at any time.
 */
#ifndef PT_ITER_H
#define PT_ITER_H

#include "pt_space.h"

struct pt_item {
	pt_u64 start, last; /* input addresses, both included, clipped to the range asked for */
	pt_u64 pa;	    /* PT_LEAF: where ->start leads; PT_TABLE: the next table */
	pt_u64 entry;	    /* 0 when it could not be read */
	pt_u64 addr;	    /* of the entry, in terms of the space's memory; 0 with level 0 */
	pt_u8 level;	    /* of the entry; 0: there is none (no paging, not canonical) */
	pt_u8 kind;	    /* enum pt_kind */
	pt_u8 why;	    /* enum pt_why */
	pt_u8 perm;	    /* PT_PERM_* of all levels, as in struct pt_walk */
};

#define PT_ITER_TABLES 1 /* also yield table entries, before what is below them */

#define PT_CHUNK 64 /* bytes of a table that are read at once */

struct pt_iter {
	const struct pt_space *space;
	pt_u64 next, last; /* what is still to be looked at */
	pt_u64 from;	   /* start of the item returned last */
	pt_u64 budget;	   /* entries that may still be examined */
	pt_u8 flags;
	pt_u8 done;
	pt_u8 level;	  /* of the table that ->next is looked up in; the top one when done */
	pt_u8 from_level; /* of the one that ->from was looked up in */
	struct {
		pt_u64 table; /* address of the table, in terms of the space's memory */
		pt_u8 perm;   /* of the levels above */
		pt_u8 bad;    /* the chunk could not be read as a whole */
		pt_u16 chunk; /* which one is in ->bytes; PT_NO_CHUNK: none */
		pt_u8 bytes[PT_CHUNK] __attribute__((aligned(8)));
	} at[PT_MAX_LEVEL + 1];
};

#define PT_NO_CHUNK 0xffff

/*
 * Starts at @start; @last is the last address, included; ~0 is fine. @flags: PT_ITER_*. Addresses
 * that cannot be walked come as PT_HOLE items with ->why PT_WHY_NONCANONICAL: the gap between the
 * halves of a linear address space, and all above va_bits of the other spaces. @budget bounds the
 * work on tables that loop (0: without end). -EINVAL: start > last.
 */
int pt_iter_init(struct pt_iter *it, const struct pt_space *space, pt_u64 start, pt_u64 last,
		 unsigned int flags, pt_u64 budget);

/*
 * 1 with the next item; 0 at the end; -E2BIG when the budget is used up (->next tells where; with
 * a new ->budget it goes on); *@item means something only with 1. Items come in the order of
 * addresses, and those that are no tables cover the range without gap or overlap. Memory that
 * cannot be read is an item: PT_BAD, PT_WHY_UNREADABLE, one for all neighbouring entries of a table
 * that cannot be read. A chunk of up to PT_CHUNK bytes is read once; what changes in it later is
 * not seen but by pt_iter_again().
 */
int pt_iter_next(struct pt_iter *it, struct pt_item *item);

/* After a PT_TABLE item: do not look below it. After others it does nothing. */
void pt_iter_skip(struct pt_iter *it);

/*
 * Goes back to the item returned last, because its entry was changed, and forgets all that was
 * read: pt_iter_next() shows what is there now. After a PT_TABLE item call it before what is below.
 */
void pt_iter_again(struct pt_iter *it);

struct pt_merge {
	struct pt_iter it;
	struct pt_item pending; /* begins the next range */
	int status;		/* of pt_iter_next() that filled ->pending */
	pt_u64 ignore;		/* entry bits that may differ */
	bool any_level;		/* leaves of several sizes may make one range */
};

/* What two neighbours need not agree on. */
#define PT_MERGE_AD	   1 /* accessed and dirty bits */
#define PT_MERGE_ATTR	   2 /* all entry bits; permissions of all levels still count */
#define PT_MERGE_ANY_LEVEL 4 /* the size of leaves */

/*
 * As pt_iter_init(). Made one item (the first, with ->last of the last) are neighbouring leaves
 * whose addresses follow each other, whose entries say the same (PS, the place of the PAT bit and
 * the address left out) and that have the same permissions; neighbouring holes whose entries are
 * alike, and those of several levels if the entries are 0, or may differ; neighbouring ranges that
 * cannot be read. Bad entries are shown one by one.
 */
int pt_merge_init(struct pt_merge *m, const struct pt_space *space, pt_u64 start, pt_u64 last,
		  unsigned int merge, pt_u64 budget);

/* As pt_iter_next(). -E2BIG comes after the last item that was found, and is final. */
int pt_merge_next(struct pt_merge *m, struct pt_item *item);

#endif
