// SPDX-License-Identifier: GPL-2.0
#include "user/report/percentile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SUB_BITS 4
#define SUBS	 (1u << SUB_BITS) /* buckets in an octave */

/*
 * Octave 0 has the numbers below 16, one bucket each; octave o > 0 has [16 << (o - 1), 16 << o),
 * buckets of 1 << (o - 1) numbers.
 */
static unsigned int octave_of(uint64_t value)
{
	return value < SUBS ? 0 : 64 - SUB_BITS - (unsigned int)__builtin_clzll(value);
}

static unsigned int sub_of(uint64_t value, unsigned int octave)
{
	return (unsigned int)(octave ? value >> (octave - 1) : value) & (SUBS - 1);
}

/* The middle of a bucket. */
static uint64_t value_of(unsigned int octave, unsigned int sub)
{
	if (!octave)
		return sub;
	return ((uint64_t)(SUBS + sub) << (octave - 1)) + ((uint64_t)1 << (octave - 1)) / 2;
}

/* Makes room for @octave. */
static int cover(struct percentile *p, unsigned int octave)
{
	unsigned int end = p->first + p->octaves;
	unsigned int first = p->octaves && p->first < octave ? p->first : octave;
	uint64_t *buckets;

	if (end < octave + 1)
		end = octave + 1;
	buckets = calloc((end - first) * SUBS, sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	if (p->octaves)
		memcpy(buckets + (p->first - first) * SUBS, p->buckets,
		       p->octaves * SUBS * sizeof(*buckets));
	free(p->buckets);
	p->buckets = buckets;
	p->first = (uint8_t)first;
	p->octaves = (uint8_t)(end - first);
	return 0;
}

int percentile_add(struct percentile *p, uint64_t value)
{
	unsigned int octave = octave_of(value);
	int err;

	/* One comparison: an octave below ->first wraps to a large number. */
	if (octave - p->first >= p->octaves) {
		err = cover(p, octave);
		if (err)
			return err;
	}
	p->buckets[(octave - p->first) * SUBS + sub_of(value, octave)]++;
	if (!p->count || value < p->min)
		p->min = value;
	if (value > p->max)
		p->max = value;
	p->total += value;
	p->count++;
	return 0;
}

int percentile_merge(struct percentile *p, const struct percentile *from)
{
	unsigned int i, last = from->first + from->octaves - 1u;
	int err = 0;

	if (!from->count)
		return 0;
	if (!p->octaves || from->first < p->first)
		err = cover(p, from->first);
	if (!err && last >= p->first + p->octaves)
		err = cover(p, last);
	if (err)
		return err;
	for (i = 0; i < from->octaves * SUBS; i++)
		p->buckets[(from->first - p->first) * SUBS + i] += from->buckets[i];
	if (!p->count || from->min < p->min)
		p->min = from->min;
	if (from->max > p->max)
		p->max = from->max;
	p->total += from->total;
	p->count += from->count;
	return 0;
}

static uint64_t clamp(const struct percentile *p, uint64_t value)
{
	if (value < p->min)
		return p->min;
	return value > p->max ? p->max : value;
}

uint64_t percentile_at(const struct percentile *p, unsigned int percent)
{
	uint64_t seen = 0, rank = (p->count * percent + 99) / 100;
	unsigned int i;

	if (rank >= p->count)
		return p->max;
	for (i = 0; i < p->octaves * SUBS; i++) {
		seen += p->buckets[i];
		if (seen && seen >= rank)
			return clamp(p, value_of(p->first + i / SUBS, i % SUBS));
	}
	return p->max;
}

void percentile_free(struct percentile *p)
{
	free(p->buckets);
	*p = (struct percentile){ 0 };
}
