/* SPDX-License-Identifier: GPL-2.0 */
/* Records of several sources, each in order, put into one order of time. */
#ifndef RECORD_MERGE_H
#define RECORD_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"

/* Records that came one behind the other, none older than the one before: @pos to @end of data[].
 */
struct merge_run {
	uint64_t time; /* of the first that is left */
	size_t pos, end;
};

/* Starts as zeros. Sources in order make few runs, and only runs need to be compared. */
struct merge {
	uint8_t *data; /* records one behind the other, in the order of their arrival */
	size_t size, room;
	struct merge_run *runs; /* a heap: none is older than that at half its index */
	size_t nr, max;
	struct merge_run
		tail;  /* that grows at the end of data[]; with @pos == @end: there is none */
	uint64_t last; /* the time of its last record */
	size_t gone;   /* bytes of data[] that merge_next() has handed out */
};

typedef int (*merge_put)(void *ctx, const struct ptev_hdr *record);

/* Copies a record, whose time is where all records have it. 0 or -ENOMEM. */
int merge_add(struct merge *m, const struct ptev_hdr *record);
/*
 * Hands on the records up to and including @until, oldest first, those of one time in order of
 * arrival; later ones are kept. @put's error stops, is returned, and forgets everything.
 */
int merge_flush(struct merge *m, uint64_t until, merge_put put, void *ctx);
/*
 * The same one by one: the oldest record up to and including @until, valid until the next call of
 * any of these; NULL: there is none.
 */
const struct ptev_hdr *merge_next(struct merge *m, uint64_t until);
void merge_free(struct merge *m);

#endif
