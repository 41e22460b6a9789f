// SPDX-License-Identifier: GPL-2.0
#include "user/report/top_rows.h"

#include <stdlib.h>
#include <string.h>

static const char *const column_names[TOP_COLUMNS] = {
	"rate", "total", "p50", "p99", "max", "keys"
};
static const char *const view_names[TOP_VIEWS] = { "process", "vma",	 "outcome",
						   "vm",      "latency", "address" };

const char *top_column_name(enum top_column column)
{
	return column_names[column];
}

const char *top_view_name(enum top_view_id view)
{
	return view_names[view];
}

static int find(const char *const *names, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

int top_column_find(const char *name)
{
	return find(column_names, TOP_COLUMNS, name);
}

int top_view_find(const char *name)
{
	return find(view_names, TOP_VIEWS, name);
}

/* Worked out once for each row, since percentiles cost something. */
struct sortable {
	uint32_t group;
	uint64_t value;
};

struct order {
	const struct groups *by;
	const struct top_row *rows;
	int sign;
};

static uint64_t value_of(const struct top_row *row, enum top_column by)
{
	switch (by) {
	case TOP_BY_RATE:
		return row->count.last;
	case TOP_BY_TOTAL:
		return row->count.total;
	case TOP_BY_P50:
		return percentile_at(&row->last, 50);
	case TOP_BY_P99:
		return percentile_at(&row->last, 99);
	case TOP_BY_MAX:
		return row->last.max;
	default:
		return 0;
	}
}

/* Then by total, so that rows without events do not dance, then by keys. */
static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct sortable *a = pa, *b = pb;
	const struct order *o = ctx;
	uint64_t total_a = o->rows[a->group].count.total, total_b = o->rows[b->group].count.total;

	if (a->value != b->value)
		return a->value < b->value ? o->sign : -o->sign;
	if (o->sign > 0 && total_a != total_b)
		return total_a < total_b ? 1 : -1;
	return groups_compare(o->by, a->group, b->group);
}

static int compare_keys(const void *pa, const void *pb, void *ctx)
{
	const struct sortable *a = pa, *b = pb;
	const struct order *o = ctx;

	return o->sign * groups_compare(o->by, a->group, b->group);
}

static bool matches(const struct groups *by, uint32_t group, const char *filter)
{
	char buf[SORT_TEXT_MAX];
	unsigned int i;

	if (!*filter)
		return true;
	for (i = 0; i < by->nr_keys; i++)
		if (strcasestr(sort_key_text(&by->ctx, by->keys[i], groups_ids(by, group)[i], buf),
			       filter))
			return true;
	return false;
}

uint32_t *top_rows(const struct top_model *m, enum top_view_id view, enum top_column by,
		   bool reverse, const char *filter, uint32_t *n)
{
	const struct top_view *v = &m->views[view];
	struct order order = { &v->by, v->rows, reverse ? -1 : 1 };
	struct sortable *all = calloc(v->by.n + 1, sizeof(*all));
	uint32_t *out = calloc(v->by.n + 1, sizeof(*out));
	uint32_t i;

	*n = 0;
	for (i = 0; i < v->by.n && all && out; i++)
		if (v->rows[i].count.total && matches(&v->by, i, filter))
			all[(*n)++] = (struct sortable){ i, value_of(&v->rows[i], by) };
	if (*n)
		qsort_r(all, *n, sizeof(*all), by == TOP_BY_KEYS ? compare_keys : compare, &order);
	for (i = 0; i < *n; i++)
		out[i] = all[i].group;
	if (!all) {
		free(out);
		out = NULL;
	}
	free(all);
	return out;
}
