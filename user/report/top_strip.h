/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where in an address space something happens: counts by blocks of addresses, in bounded memory.
 * Blocks are pages at first, and twice as large each time there are too many of them.
 */
#ifndef REPORT_TOP_STRIP_H
#define REPORT_TOP_STRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "user/base/hash.h"
#include "user/report/top_count.h"

#define TOP_STRIP_BLOCKS 4096

struct top_strip { /* all zero: empty */
	struct hash_index index;
	struct top_block {
		uint64_t block; /* address >> shift */
		struct top_count count;
	} blocks[TOP_STRIP_BLOCKS];
	uint32_t n;
	unsigned int shift;
};

#define TOP_STRIP_SHIFT 12

/* 0 or -ENOMEM. */
int top_strip_add(struct top_strip *s, uint64_t address);
void top_strip_turn(struct top_strip *s);
void top_strip_free(struct top_strip *s);

/* A stretch of addresses in which something happened, or a gap in which nothing ever did. */
struct top_cell {
	bool gap;
	uint64_t first, last; /* addresses, both included; of a gap: what lies between */
	struct top_count count;
};

/*
 * All that was counted as at most @max cells in order of address: all of one size but the gaps, and
 * that as small as will do. Returns how many.
 */
uint32_t top_strip_cells(const struct top_strip *s, struct top_cell *cells, uint32_t max);

#endif
