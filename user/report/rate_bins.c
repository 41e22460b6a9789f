// SPDX-License-Identifier: GPL-2.0
#include "user/report/rate_bins.h"

#include <string.h>

/* Each bin takes its neighbour in. The first may begin in the middle of a wider one. */
static void widen(struct rate_bins *b)
{
	uint64_t counts[RATE_BINS][RATE_KINDS] = { 0 };
	uint64_t shift = b->start / b->width % 2;
	uint32_t i;
	unsigned int kind;

	for (i = 0; i < b->n; i++)
		for (kind = 0; kind < RATE_KINDS; kind++)
			counts[(i + shift) / 2][kind] += b->counts[i][kind];
	memcpy(b->counts, counts, sizeof(counts));
	b->start -= shift * b->width;
	b->n = (uint32_t)((b->n + shift + 1) / 2);
	b->width *= 2;
}

/* Makes the first bin begin at @start, which is earlier and leaves enough room. */
static void extend_down(struct rate_bins *b, uint64_t start)
{
	uint64_t more = (b->start - start) / b->width;

	memmove(b->counts + more, b->counts, b->n * sizeof(b->counts[0]));
	memset(b->counts, 0, more * sizeof(b->counts[0]));
	b->start = start;
	b->n += (uint32_t)more;
}

void rate_bins_add(struct rate_bins *b, uint64_t time, unsigned int kind)
{
	uint64_t first, last;

	if (!b->width) {
		b->width = RATE_FIRST_BIN;
		b->start = time - time % b->width;
		b->n = 1;
	}
	for (;; widen(b)) {
		first = time - time % b->width;
		last = b->start + (b->n - 1) * b->width;
		if (last < first)
			last = first;
		if (first > b->start)
			first = b->start;
		if ((last - first) / b->width < RATE_BINS)
			break;
	}
	if (first < b->start)
		extend_down(b, first);
	if ((last - first) / b->width >= b->n)
		b->n = (uint32_t)((last - first) / b->width) + 1;
	b->counts[(time - b->start) / b->width][kind % RATE_KINDS]++;
}

double rate_bins_rate(const struct rate_bins *b, uint32_t bin, unsigned int kind)
{
	return (double)b->counts[bin][kind] * 1e9 / (double)b->width;
}
