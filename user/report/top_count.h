/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers by window of time: what a live view shows is that of the last whole one. */
#ifndef REPORT_TOP_COUNT_H
#define REPORT_TOP_COUNT_H

#include <stdint.h>

struct top_count {
	uint64_t now;	/* in the window that is filling */
	uint64_t last;	/* in the one before */
	uint64_t total; /* up to the end of that one */
};

static inline void top_count_turn(struct top_count *c)
{
	c->last = c->now;
	c->total += c->now;
	c->now = 0;
}

static inline void top_count_add(struct top_count *a, const struct top_count *b)
{
	a->now += b->now;
	a->last += b->last;
	a->total += b->total;
}

#endif
