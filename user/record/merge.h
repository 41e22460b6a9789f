/* SPDX-License-Identifier: GPL-2.0 */
/* Records of several sources, each in order, put into one order of time. */
#ifndef RECORD_MERGE_H
#define RECORD_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"

struct merge_entry {
	uint64_t time;
	size_t offset; /* in data; also the order of arrival */
};

/* Starts as zeros. The entries are a heap: none is older than that at half its index. */

struct merge {
	uint8_t *data; /* records one behind the other */
	size_t size, room;
	struct merge_entry *entries;
	size_t nr, max;
	size_t gone; /* bytes of data[] that merge_next() has handed out */
};

typedef int (*merge_put)(void *ctx, const struct ptev_hdr *record);

/* Copies a record of @time. 0 or -ENOMEM. */
int merge_add(struct merge *m, const struct ptev_hdr *record, uint64_t time);
/*
 * Hands on the records up to and including @until, oldest first, those of one time in order of
 * arrival; later ones are kept. @put's error stops, is returned, and forgets everything.
 */
int merge_flush(struct merge *m, uint64_t until, merge_put put, void *ctx);
/*
 * The same one by one: 1 and the oldest record up to and including @until, valid until the next
 * call of any of these; 0: there is none; -ENOMEM, which forgets some of them.
 */
int merge_next(struct merge *m, uint64_t until, const struct ptev_hdr **record);
void merge_free(struct merge *m);

#endif
