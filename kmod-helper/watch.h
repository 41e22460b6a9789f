/* SPDX-License-Identifier: GPL-2.0 */
/* Watches: file descriptors that tell what becomes of transactions. */
#ifndef WATCH_H
#define WATCH_H

#include <linux/types.h>

#include "uapi/ptremap.h"

/* What is known of one item, so that each MADE gets one GONE, and nothing else does. Starts as 0.
 */
struct watched {
	u64 maker; /* number of the device's file that made it: see watch_number() */
	u32 id;	   /* of the transaction */
	bool keep;
	bool made; /* MADE was told */
	bool over; /* it is no longer in force */
};

/* Of a file of the device, from its open on. No two files ever have the same one; 0 is none's. */
u64 watch_number(void);
/*
 * Tells MADE with @r to who watches; ->maker is known by now. True: it was taken back meanwhile,
 * and watch_gone() is for the caller to call again. Does not sleep.
 */
bool watch_made(struct watched *w, const struct ptremap_record *r);
/*
 * Tells GONE with @r, if MADE was told and this is the first call. To be called when no CPU uses
 * the changed entry any more; under no lock of a page table, nor with interrupts off. Does not
 * sleep or allocate: guards call it.
 */
void watch_gone(struct watched *w, const struct ptremap_record *r);
/* The file of this number is being closed: those that watch it alone read to the end. */
void watch_end(u64 number);
/* The second half of call_watch(): the descriptor is the caller's, or (@err) is given back. */
void watch_answered(void *arg, int err);

#endif
