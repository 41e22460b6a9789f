/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the benchmarks share: a clock, medians, and rows of the table that a run ends with. A row
 * goes to the file that BENCH_ROWS names (lib.sh says what is in it), if it names one. All values
 * are costs: less is better.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEDIAN_MAX 128

struct cost {
	const char *name; /* of what was done */
	double value;
};

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of up to MEDIAN_MAX values, which stay in their order; 0 of none. */
static inline double median(const double *values, size_t nr)
{
	double sorted[MEDIAN_MAX];

	nr = nr < MEDIAN_MAX ? nr : MEDIAN_MAX;
	memcpy(sorted, values, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), compare_doubles);
	return nr ? sorted[nr / 2] : 0;
}

/* @unit: ns, bytes or x. */
static inline void row_of_ratio(const char *what, const char *unit, struct cost ours,
				struct cost peer, double ratio)
{
	const char *path = getenv("BENCH_ROWS");
	FILE *out = path ? fopen(path, "ae") : NULL;

	if (!out)
		return;
	fprintf(out, "%s\t%s\t%s\t%.6g\t%s\t%.6g\t%.6g\n", what, unit, ours.name, ours.value,
		peer.name, peer.value, ratio);
	fclose(out);
}

static inline void row(const char *what, const char *unit, struct cost ours, struct cost peer)
{
	row_of_ratio(what, unit, ours, peer, ours.value / peer.value);
}

/* What comes behind has this title. */
static inline void rows_about(const char *title)
{
	const char *path = getenv("BENCH_ROWS");
	FILE *out = path ? fopen(path, "ae") : NULL;

	if (!out)
		return;
	fprintf(out, "%s\n", title);
	fclose(out);
}

/*
 * Of @nr rounds in which both took their turns, seconds for @amount things: the costs are the
 * medians in nanoseconds of one, the ratio is the median of the rounds'.
 */
static inline void row_of_rounds(const char *what, const char *ours, const double *seconds,
				 const char *peer, const double *peers, size_t nr, double amount)
{
	double ratio[MEDIAN_MAX];
	size_t i;

	for (i = 0; i < nr && i < MEDIAN_MAX; i++)
		ratio[i] = seconds[i] / peers[i];
	row_of_ratio(what, "ns", (struct cost){ ours, median(seconds, nr) / amount * 1e9 },
		     (struct cost){ peer, median(peers, nr) / amount * 1e9 }, median(ratio, i));
}

#endif
