/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts over time and one more axis, for several series at once, in bounded memory: both axes
 * become coarser, by powers of two, as more falls into them.
 */
#ifndef HTML_BINS_H
#define HTML_BINS_H

#include <stdbool.h>
#include <stdint.h>

#include "user/base/hash.h"

#define BINS_COLUMNS	 1024 /* of time, at most */
#define BINS_FIRST_SHIFT 16   /* columns are 65 us wide in the beginning */

#define BINS_OTHER UINT64_MAX /* the series of all those that came when there were enough */

struct bins_cell {
	uint64_t series;
	uint64_t row;	 /* value >> ->row_shift */
	uint32_t column; /* (time - ->start) >> ->column_shift */
	uint64_t count;
};

struct bins {
	uint64_t start; /* of time, ns; what is earlier counts as that */
	uint32_t max, max_series;
	bool merges_rows;
	uint8_t column_shift, row_shift;
	struct hash_index index;
	struct bins_cell *cells;
	uint32_t nr, room;
	struct hash_index series_index;
	uint64_t *series; /* [max_series] */
	uint32_t nr_series;
};

/*
 * @max: how many cells there may be, more than @max_series. When there are more, columns are
 * merged, and with @merges_rows neighbouring rows, too; without it there may not be more rows than
 * @max, over all series. 0 or -ENOMEM.
 */
int bins_init(struct bins *b, uint64_t start, uint32_t max, uint32_t max_series, bool merges_rows);
/* Counts one event. 0 or -ENOMEM; -E2BIG: too many rows. */
int bins_add(struct bins *b, uint64_t series, uint64_t value, uint64_t time);
/* By series, row, column. Nothing can be added any more. */
void bins_sort(struct bins *b);
void bins_free(struct bins *b);

#endif
