/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Percentiles of a stream of numbers in bounded memory: a log-linear histogram with 16 buckets
 * in every power of two. What percentile_at() answers is off by at most 1/32 (3.1 %); numbers
 * below 32, the smallest and the largest are exact. Memory grows with the octaves that are really
 * there, 128 bytes each, 8 KiB at most.
 */
#ifndef REPORT_PERCENTILE_H
#define REPORT_PERCENTILE_H

#include <stdint.h>

struct percentile { /* all zero: empty */
	uint64_t count, total, min, max;
	uint64_t *buckets; /* of octaves [first, first + octaves) */
	uint8_t first, octaves;
};

/* 0 or -ENOMEM. */
int percentile_add(struct percentile *p, uint64_t value);
/* Adds all of @from, exactly as if its values had been added one by one. 0 or -ENOMEM. */
int percentile_merge(struct percentile *p, const struct percentile *from);
/*
 * The smallest value that at least @percent (0..100) of all values do not exceed (nearest rank);
 * 0 when empty.
 */
uint64_t percentile_at(const struct percentile *p, unsigned int percent);
void percentile_free(struct percentile *p);

#endif
