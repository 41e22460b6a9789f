/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Recordings of two sides, old and new, compared by groups: each recording is fed into a sink of
 * its own, which leaves its numbers here under the texts of its keys.
 */
#ifndef REPORT_DIFF_H
#define REPORT_DIFF_H

#include "user/base/hash.h"
#include "user/report/intern.h"
#include "user/report/noise.h"
#include "user/report/percentile.h"
#include "user/report/sink.h"
#include "user/report/sort_keys.h"

#define DIFF_RUNS_MAX 256 /* recordings of both sides */

enum diff_side { DIFF_OLD, DIFF_NEW, DIFF_SIDES };

enum diff_change { DIFF_SAME, DIFF_GREW, DIFF_SHRANK, DIFF_APPEARED, DIFF_GONE };

/* What one recording has of one group. */
struct diff_cell {
	uint64_t count;
	uint64_t latencies; /* how many are behind the two */
	uint64_t p50, p99;  /* ns */
};

struct diff_row {
	struct percentile latency[DIFF_SIDES]; /* of all recordings of a side */
	/* Filled in by diff_judge(). */
	double mean[DIFF_SIDES]; /* events of a recording */
	enum diff_change change;
	enum noise count_noise, p50_noise, p99_noise;
};

struct diff_run {
	const char *path; /* the caller's */
	enum diff_side side;
	struct rec_totals totals;
	bool complete;
};

struct diff {		       /* starts as zero but for the first three */
	unsigned int max_runs; /* recordings that there will be, at most DIFF_RUNS_MAX */
	const char *sort;      /* NULL: what suits the first recording */
	const struct abi *abi; /* of hypercalls, or NULL */
	const struct sort_key *keys[SORT_KEYS_MAX];
	unsigned int nr_keys; /* 0: before the first recording */
	struct diff_run runs[DIFF_RUNS_MAX];
	unsigned int nr_runs;
	struct intern texts;
	struct hash_index index;
	uint32_t *names;	 /* ->nr_keys of each row */
	struct diff_row *rows;	 /* [nr_rows] */
	struct diff_cell *cells; /* ->max_runs of each row */
	uint32_t nr_rows, room;
	bool has_latency;
};

/* Reads a recording into one side. 0 or -errno, said on stderr; -E2BIG: one too many. */
int diff_read(struct diff *d, const char *path, enum diff_side side);
/* After the last one: fills in the rest of each row. */
void diff_judge(struct diff *d);
void diff_free(struct diff *d);

/* The recordings of a side; how many are there. */
unsigned int diff_runs(const struct diff *d, enum diff_side side);

static inline const struct diff_cell *diff_cells(const struct diff *d, uint32_t row)
{
	return d->cells + (size_t)row * d->max_runs;
}

static inline const char *diff_text(const struct diff *d, uint32_t row, unsigned int key)
{
	return intern_text(&d->texts, d->names[(size_t)row * d->nr_keys + key]);
}

/* For the sink: the row that has these texts, made if there is none. Or -ENOMEM. */
int64_t diff_find(struct diff *d, const uint32_t *names);

struct diff_print {
	uint32_t limit;	  /* rows; 0: all */
	bool only_beyond; /* rows with a difference beyond noise */
	FILE *out;
};

/* Largest difference first. Each 0 or -ENOMEM. */
int diff_print_text(const struct diff *d, const struct diff_print *opts);
int diff_print_json(const struct diff *d, const struct diff_print *opts);
int diff_print_csv(const struct diff *d, const struct diff_print *opts);

/* For the printers: the rows in order, to be freed; *@n of them. */
uint32_t *diff_order(const struct diff *d, const struct diff_print *opts, uint32_t *n);
const char *diff_change_name(enum diff_change change);

#endif
