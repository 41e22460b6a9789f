/* SPDX-License-Identifier: GPL-2.0 */
/* Which rows of a view are shown, and in what order. */
#ifndef REPORT_TOP_ROWS_H
#define REPORT_TOP_ROWS_H

#include "user/report/top_model.h"

/* What rows are ordered by: latencies are those of the last window. */
enum top_column {
	TOP_BY_RATE,
	TOP_BY_TOTAL,
	TOP_BY_P50,
	TOP_BY_P99,
	TOP_BY_MAX,
	TOP_BY_KEYS,
	TOP_COLUMNS,
};

const char *top_column_name(enum top_column column); /* rate total p50 p99 max keys */
const char *top_view_name(enum top_view_id view);    /* process vma outcome vm latency address */
/* The column, or view, of this name; -1: there is none. */
int top_column_find(const char *name);
int top_view_find(const char *name);

/*
 * The rows of @view (one of those with keys) that have @filter in the text of one of their keys,
 * whatever the case of letters ("": all of them), largest first, by keys smallest first; @reverse:
 * the other way round. Rows that are equal are in the order of their keys. Returns an array of
 * groups to be freed, and how many in *@n; NULL without memory.
 */
uint32_t *top_rows(const struct top_model *m, enum top_view_id view, enum top_column by,
		   bool reverse, const char *filter, uint32_t *n);

#endif
