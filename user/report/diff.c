// SPDX-License-Identifier: GPL-2.0
#include "user/report/diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *diff_change_name(enum diff_change change)
{
	static const char *const names[] = { "same", "grew", "shrank", "appeared", "gone" };

	return names[change];
}

unsigned int diff_runs(const struct diff *d, enum diff_side side)
{
	unsigned int i, n = 0;

	for (i = 0; i < d->nr_runs; i++)
		n += d->runs[i].side == side;
	return n;
}

static bool same_names(const void *ctx, uint32_t slot, const void *key)
{
	const struct diff *d = ctx;

	return !memcmp(d->names + (size_t)slot * d->nr_keys, key, d->nr_keys * sizeof(*d->names));
}

static int make_room(struct diff *d)
{
	uint32_t room = d->room ? d->room * 2 : 64;
	struct diff_cell *cells;
	struct diff_row *rows;
	uint32_t *names;

	if (d->nr_rows < d->room)
		return 0;
	if (room < d->room)
		return -ENOMEM;
	rows = reallocarray(d->rows, room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	d->rows = rows;
	names = reallocarray(d->names, room, d->nr_keys * sizeof(*names));
	if (!names)
		return -ENOMEM;
	d->names = names;
	cells = reallocarray(d->cells, room, d->max_runs * sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	d->cells = cells;
	d->room = room;
	return 0;
}

int64_t diff_find(struct diff *d, const uint32_t *names)
{
	uint64_t hash = hash_bytes(names, d->nr_keys * sizeof(*names));
	int64_t row = hash_find(&d->index, hash, same_names, d, names);
	int err;

	if (row >= 0)
		return row;
	err = make_room(d);
	if (!err)
		err = hash_add(&d->index, hash, d->nr_rows);
	if (err)
		return err;
	memcpy(d->names + (size_t)d->nr_rows * d->nr_keys, names, d->nr_keys * sizeof(*names));
	memset(d->cells + (size_t)d->nr_rows * d->max_runs, 0, d->max_runs * sizeof(*d->cells));
	d->rows[d->nr_rows] = (struct diff_row){ 0 };
	return d->nr_rows++;
}

static enum diff_change change_of(const struct diff_row *row)
{
	double old = row->mean[DIFF_OLD], now = row->mean[DIFF_NEW];

	if (old < now)
		return old > 0 ? DIFF_GREW : DIFF_APPEARED;
	if (old > now)
		return now > 0 ? DIFF_SHRANK : DIFF_GONE;
	return DIFF_SAME;
}

/*
 * Percentiles are the middle of a bucket that is a 16th of its value wide: two that are equal may
 * be that far apart, which as an error has the variance of a uniform distribution.
 */
static void least_of_latency(struct noise_side *s)
{
	s->least = s->mean / 16 * s->mean / 16 / 12;
}

/* A recording without such events counts as 0; of latencies only those count that there are. */
static void judge_row(const struct diff *d, struct diff_row *row, const struct diff_cell *cells)
{
	struct noise_side counts[DIFF_SIDES] = { 0 }, p50[DIFF_SIDES] = { 0 },
			  p99[DIFF_SIDES] = { 0 };
	unsigned int i;

	for (i = 0; i < d->nr_runs; i++) {
		enum diff_side side = d->runs[i].side;

		noise_add(&counts[side], (double)cells[i].count);
		if (!cells[i].latencies)
			continue;
		noise_add(&p50[side], (double)cells[i].p50);
		noise_add(&p99[side], (double)cells[i].p99);
	}
	for (i = 0; i < DIFF_SIDES; i++) {
		least_of_latency(&p50[i]);
		least_of_latency(&p99[i]);
	}
	row->mean[DIFF_OLD] = counts[DIFF_OLD].mean;
	row->mean[DIFF_NEW] = counts[DIFF_NEW].mean;
	row->change = change_of(row);
	row->count_noise = noise_compare(&counts[DIFF_OLD], &counts[DIFF_NEW]);
	row->p50_noise = noise_compare(&p50[DIFF_OLD], &p50[DIFF_NEW]);
	row->p99_noise = noise_compare(&p99[DIFF_OLD], &p99[DIFF_NEW]);
}

void diff_judge(struct diff *d)
{
	uint32_t i;

	for (i = 0; i < d->nr_rows; i++)
		judge_row(d, &d->rows[i], diff_cells(d, i));
}

static double distance(const struct diff *d, uint32_t row)
{
	return fabs(d->rows[row].mean[DIFF_NEW] - d->rows[row].mean[DIFF_OLD]);
}

/* Where nothing has changed in number, by number: then texts, so that the order is always one. */
static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct diff *d = ctx;
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	double far_a = distance(d, a), far_b = distance(d, b);
	unsigned int i;
	int order;

	if (far_a < far_b || far_a > far_b)
		return far_a < far_b ? 1 : -1;
	far_a = d->rows[a].mean[DIFF_NEW];
	far_b = d->rows[b].mean[DIFF_NEW];
	if (far_a < far_b || far_a > far_b)
		return far_a < far_b ? 1 : -1;
	for (i = 0; i < d->nr_keys; i++) {
		order = strcmp(diff_text(d, a, i), diff_text(d, b, i));
		if (order)
			return order;
	}
	return 0;
}

static bool wanted(const struct diff_row *row, const struct diff_print *opts)
{
	return !opts->only_beyond || row->count_noise == NOISE_BEYOND ||
	       row->p50_noise == NOISE_BEYOND || row->p99_noise == NOISE_BEYOND;
}

uint32_t *diff_order(const struct diff *d, const struct diff_print *opts, uint32_t *n)
{
	uint32_t *order = calloc(d->nr_rows + 1, sizeof(*order)), i;

	*n = 0;
	if (!order)
		return NULL;
	for (i = 0; i < d->nr_rows; i++)
		if (wanted(&d->rows[i], opts))
			order[(*n)++] = i;
	qsort_r(order, *n, sizeof(*order), compare, (void *)d);
	if (opts->limit && *n > opts->limit)
		*n = opts->limit;
	return order;
}

void diff_free(struct diff *d)
{
	uint32_t i;

	for (i = 0; i < d->nr_rows; i++) {
		percentile_free(&d->rows[i].latency[DIFF_OLD]);
		percentile_free(&d->rows[i].latency[DIFF_NEW]);
	}
	free(d->rows);
	free(d->names);
	free(d->cells);
	hash_free(&d->index);
	intern_free(&d->texts);
}
