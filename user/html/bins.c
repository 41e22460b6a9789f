// SPDX-License-Identifier: GPL-2.0
#include "user/html/bins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LAST_SHIFT 63
#define LAST_VALUE (UINT64_MAX >> 1) /* what LAST_SHIFT makes 0 */

int bins_init(struct bins *b, uint64_t start, uint32_t max, uint32_t max_series, bool merges_rows)
{
	*b = (struct bins){
		.start = start,
		.max = max,
		.max_series = max_series,
		.merges_rows = merges_rows,
		.column_shift = BINS_FIRST_SHIFT,
		.series = calloc(max_series, sizeof(uint64_t)),
	};
	return b->series ? 0 : -ENOMEM;
}

static bool same_series(const void *ctx, uint32_t slot, const void *key)
{
	return ((const struct bins *)ctx)->series[slot] == *(const uint64_t *)key;
}

/* *@series, or what it counts as. */
static int find_series(struct bins *b, uint64_t *series)
{
	uint64_t hash = hash_u64(*series);
	int err;

	if (hash_find(&b->series_index, hash, same_series, b, series) >= 0)
		return 0;
	if (b->nr_series == b->max_series) {
		*series = BINS_OTHER;
		return 0;
	}
	err = hash_add(&b->series_index, hash, b->nr_series);
	if (!err)
		b->series[b->nr_series++] = *series;
	return err;
}

static uint64_t hash_of(const struct bins_cell *c)
{
	return hash_u64(hash_u64(hash_u64(c->series) ^ c->row) ^ c->column);
}

static bool same_place(const void *ctx, uint32_t slot, const void *key)
{
	const struct bins_cell *a = &((const struct bins *)ctx)->cells[slot], *b = key;

	return a->series == b->series && a->row == b->row && a->column == b->column;
}

static int make_room(struct bins *b)
{
	uint32_t room = b->room ? b->room * 2 : 256;
	struct bins_cell *cells;

	if (b->nr < b->room)
		return 0;
	cells = reallocarray(b->cells, room, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	b->cells = cells;
	b->room = room;
	return 0;
}

/* Adds ->count of @cell to the cell in its place. */
static int put(struct bins *b, const struct bins_cell *cell)
{
	uint64_t hash = hash_of(cell);
	int64_t slot = hash_find(&b->index, hash, same_place, b, cell);
	int err;

	if (slot >= 0) {
		b->cells[slot].count += cell->count;
		return 0;
	}
	err = make_room(b);
	if (!err)
		err = hash_add(&b->index, hash, b->nr);
	if (!err)
		b->cells[b->nr++] = *cell;
	return err;
}

/* Each cell is put again, never behind where it was: cells only become fewer. */
static int coarsen(struct bins *b, unsigned int columns, unsigned int rows)
{
	uint32_t i, nr = b->nr;
	struct bins_cell cell;
	int err = 0;

	hash_free(&b->index);
	b->nr = 0;
	for (i = 0; !err && i < nr; i++) {
		cell = b->cells[i];
		cell.column >>= columns;
		cell.row >>= rows;
		err = put(b, &cell);
	}
	b->column_shift = (uint8_t)(b->column_shift + columns);
	b->row_shift = (uint8_t)(b->row_shift + rows);
	return err;
}

/* Which axis: the one whose merging leaves fewer cells is not known before, so they take turns. */
static int make_fewer(struct bins *b)
{
	bool columns = b->column_shift < LAST_SHIFT;
	bool rows = b->merges_rows && b->row_shift < LAST_SHIFT &&
		    (!columns || b->row_shift <= b->column_shift - BINS_FIRST_SHIFT);

	if (!rows && !columns)
		return -E2BIG;
	return coarsen(b, !rows, rows);
}

static uint64_t at_most(uint64_t value)
{
	return value < LAST_VALUE ? value : LAST_VALUE;
}

int bins_add(struct bins *b, uint64_t series, uint64_t value, uint64_t time)
{
	uint64_t ns = time > b->start ? at_most(time - b->start) : 0;
	struct bins_cell cell = { .series = series, .count = 1 };
	int err = find_series(b, &cell.series);

	while (!err && ns >> b->column_shift >= BINS_COLUMNS)
		err = coarsen(b, 1, 0);
	if (err)
		return err;
	cell.column = (uint32_t)(ns >> b->column_shift);
	cell.row = at_most(value) >> b->row_shift;
	err = put(b, &cell);
	while (!err && b->nr > b->max)
		err = make_fewer(b);
	return err;
}

static int compare(const void *pa, const void *pb)
{
	const struct bins_cell *a = pa, *b = pb;

	if (a->series != b->series)
		return a->series < b->series ? -1 : 1;
	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

void bins_sort(struct bins *b)
{
	hash_free(&b->index);
	if (b->nr)
		qsort(b->cells, b->nr, sizeof(*b->cells), compare);
}

void bins_free(struct bins *b)
{
	hash_free(&b->index);
	hash_free(&b->series_index);
	free(b->cells);
	free(b->series);
	memset(b, 0, sizeof(*b));
}
