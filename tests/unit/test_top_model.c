// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/top_feed.h"

#include <stdlib.h>

#include "user/report/top_rows.h"

static uint32_t nr_rows(const struct top_fixture *x, enum top_view_id view)
{
	return x->model->views[view].by.n;
}

/* Text of the first key of each row in order, with spaces between them. */
static const char *rows_text(const struct top_fixture *x, enum top_view_id view, enum top_column by,
			     bool reverse, const char *filter, char *out)
{
	const struct groups *g = &x->model->views[view].by;
	char buf[SORT_TEXT_MAX];
	uint32_t n, i, *rows = top_rows(x->model, view, by, reverse, filter, &n);

	*out = 0;
	cr_assert_not_null(rows);
	for (i = 0; i < n; i++) {
		strcat(out, i ? " " : "");
		strcat(out, sort_key_text(&g->ctx, g->keys[0], groups_ids(g, rows[i])[0], buf));
	}
	free(rows);
	return out;
}

Test(top_model, windows)
{
	struct top_fixture x;
	const struct top_row *row;

	top_start(&x, (struct top_model_opts){ 0 });
	cr_assert_eq(top_model_zero(x.model, TOP_SECOND), 0);
	top_fault(&x, 10, 0x1000, 0);
	top_fault(&x, 10, 0x2000, 0);
	cr_assert_eq(top_model_total(x.model), 0, "nothing is shown before the window ends");
	cr_assert_eq(top_model_turn(x.model, 3 * TOP_SECOND), 0);
	cr_assert_eq(x.model->window, 2 * TOP_SECOND);
	cr_assert_eq(top_model_last(x.model), 2);
	cr_assert_eq(top_rate(x.model, 2), 1.0);
	top_fault(&x, 10, 0x3000, 0);
	row = &x.model->views[TOP_PROCESS].rows[0];
	cr_assert_eq(row->count.now, 1);
	cr_assert_eq(row->count.last, 2);
	cr_assert_eq(row->count.total, 2);
	cr_assert_eq(top_model_turn(x.model, 4 * TOP_SECOND), 0);
	cr_assert_eq(row->count.last, 1);
	cr_assert_eq(row->count.total, 3);
	cr_assert_eq(top_model_turn(x.model, 5 * TOP_SECOND), 0);
	cr_assert_eq(row->count.last, 0);
	cr_assert_eq(top_model_total(x.model), 3);
	cr_assert_eq(top_model_last(x.model), 0);
	/* A clock that stands is no reason to divide by it. */
	cr_assert_eq(top_model_turn(x.model, 5 * TOP_SECOND), 0);
	cr_assert_eq(top_rate(x.model, 7), 0.0);
	top_stop(&x);
}

Test(top_model, latencies_are_of_the_last_window)
{
	struct top_fixture x;
	const struct top_latency *l;

	top_start(&x, (struct top_model_opts){ 0 });
	l = &x.model->latency[TOP_FAULTS];
	cr_assert_not(l->any);
	top_fault(&x, 10, 0x1000, 1);
	top_fault(&x, 10, 0x1000, 1024);
	top_fault(&x, 10, 0x1000, 2047);
	top_fault(&x, 10, 0x1000, 0); /* not known */
	cr_assert_eq(top_model_turn(x.model, TOP_SECOND), 0);
	cr_assert(l->any);
	cr_assert_eq(l->last[0], 1);
	cr_assert_eq(l->last[10], 2);
	cr_assert_eq(l->p_last.count, 3);
	cr_assert_eq(x.model->views[TOP_PROCESS].rows[0].last.max, 2047);
	cr_assert_not(x.model->latency[TOP_EXITS].any);
	cr_assert_eq(top_model_turn(x.model, 2 * TOP_SECOND), 0);
	cr_assert_eq(l->last[10], 0);
	cr_assert_eq(x.model->views[TOP_PROCESS].rows[0].last.count, 0);
	cr_assert(l->any);
	top_stop(&x);
}

Test(top_model, exits_and_faults_have_their_views)
{
	struct top_fixture x;
	struct top_cell cells[4];

	top_start(&x, (struct top_model_opts){ 0 });
	top_fault(&x, 10, 0x7000000, 0);
	top_violation(&x, 20, 0, 0x5000);
	top_violation(&x, 20, 1, 0x5000);
	top_call(&x, 20, 1, 5);
	top_call(&x, 20, 1, 6);
	top_call(&x, 20, 1, 6);
	cr_assert_eq(top_model_turn(x.model, TOP_SECOND), 0);
	cr_assert_eq(nr_rows(&x, TOP_PROCESS), 2);
	cr_assert_eq(nr_rows(&x, TOP_VMA), 1);
	cr_assert_eq(nr_rows(&x, TOP_OUTCOME), 3); /* anon..., violation, hypercall */
	cr_assert_eq(nr_rows(&x, TOP_VM), 4);
	cr_assert_eq(x.model->kinds[TOP_HYPERCALL].last, 3);
	cr_assert_eq(x.model->kinds[TOP_VIOLATION].last, 2);
	cr_assert_eq(x.model->kinds[PTEV_USER].last, 1);
	cr_assert_eq(x.model->latency[TOP_EXITS].p_last.count, 5);
	cr_assert_eq(top_strip_cells(&x.model->where[TOP_EXITS], cells, 4), 1);
	cr_assert_eq(cells[0].first, 0x5000);
	cr_assert_eq(cells[0].count.last, 2);
	top_stop(&x);
}

Test(top_model, order_and_filter)
{
	char out[256];
	struct top_fixture x;
	int i;

	top_start(&x, (struct top_model_opts){ .sort = "comm" });
	top_comm(&x, 30, "ABBA");
	for (i = 0; i < 3; i++)
		top_fault(&x, 10, 0x1000, 100);
	cr_assert_eq(top_model_turn(x.model, TOP_SECOND), 0);
	top_fault(&x, 20, 0x1000, 5000);
	top_fault(&x, 20, 0x1000, 5000);
	top_fault(&x, 30, 0x1000, 700);
	cr_assert_eq(top_model_turn(x.model, 2 * TOP_SECOND), 0);
	cr_assert_str_eq(rows_text(&x, TOP_PROCESS, TOP_BY_RATE, false, "", out), "other ABBA app");
	cr_assert_str_eq(rows_text(&x, TOP_PROCESS, TOP_BY_RATE, true, "", out), "app ABBA other");
	cr_assert_str_eq(rows_text(&x, TOP_PROCESS, TOP_BY_TOTAL, false, "", out),
			 "app other ABBA");
	cr_assert_str_eq(rows_text(&x, TOP_PROCESS, TOP_BY_P99, false, "", out), "other ABBA app");
	cr_assert_str_eq(rows_text(&x, TOP_PROCESS, TOP_BY_MAX, true, "", out), "app ABBA other");
	cr_assert_str_eq(rows_text(&x, TOP_PROCESS, TOP_BY_KEYS, false, "", out), "ABBA app other");
	cr_assert_str_eq(rows_text(&x, TOP_PROCESS, TOP_BY_KEYS, true, "", out), "other app ABBA");
	cr_assert_str_eq(rows_text(&x, TOP_PROCESS, TOP_BY_RATE, false, "Ab", out), "ABBA");
	cr_assert_str_eq(rows_text(&x, TOP_PROCESS, TOP_BY_RATE, false, "nobody", out), "");
	top_stop(&x);
}

/* Rows that are silent go when there are too many; what they counted is not forgotten. */
Test(top_model, silent_rows_are_put_away)
{
	struct top_fixture x;
	const struct top_view *v;
	uint32_t i;

	top_start(&x, (struct top_model_opts){ .sort = "page" });
	v = &x.model->views[TOP_PROCESS];
	for (i = 0; i < 10000; i++)
		top_fault(&x, 10, (uint64_t)i << 12, 50);
	cr_assert_eq(top_model_turn(x.model, TOP_SECOND), 0);
	cr_assert_eq(v->by.n, 10000, "all were just active");
	for (i = 0; i < 10000; i += 100)
		top_fault(&x, 10, (uint64_t)i << 12, 70);
	cr_assert_eq(top_model_turn(x.model, 2 * TOP_SECOND), 0);
	cr_assert_eq(v->by.n, 100);
	cr_assert_eq(v->others.total, 9900);
	for (i = 0; i < 100; i++) {
		cr_assert_eq(v->rows[i].count.total, 2);
		cr_assert_eq(v->rows[i].last.max, 70);
		cr_assert_eq(groups_ids(&v->by, i)[0], (uint64_t)i * 100 << 12);
	}
	/* What stayed is found again, what went comes anew. */
	top_fault(&x, 10, 300 << 12, 50);
	top_fault(&x, 10, 301 << 12, 50);
	cr_assert_eq(v->by.n, 101);
	cr_assert_eq(v->rows[3].count.now, 1);
	cr_assert_eq(top_model_total(x.model), 10100);
	top_stop(&x);
}

Test(top_model, a_window_has_no_more_rows_than_fit)
{
	struct top_fixture x;
	const struct top_view *v;
	uint32_t i;

	top_start(&x, (struct top_model_opts){ .sort = "page" });
	v = &x.model->views[TOP_PROCESS];
	for (i = 0; i < TOP_ROWS_MAX + 500; i++)
		top_fault(&x, 10, (uint64_t)i << 12, 0);
	cr_assert_eq(top_model_turn(x.model, TOP_SECOND), 0);
	cr_assert_eq(v->by.n, TOP_ROWS_MAX);
	cr_assert_eq(v->others.last, 500);
	cr_assert_eq(top_model_total(x.model), TOP_ROWS_MAX + 500);
	top_stop(&x);
}

Test(top_model, zero)
{
	struct top_fixture x;

	top_start(&x, (struct top_model_opts){ 0 });
	top_fault(&x, 10, 0x1000, 5);
	top_violation(&x, 20, 0, 0x5000);
	cr_assert_eq(top_model_turn(x.model, TOP_SECOND), 0);
	top_fault(&x, 10, 0x1000, 5);
	cr_assert_eq(top_model_zero(x.model, 2 * TOP_SECOND), 0);
	cr_assert_eq(top_model_turn(x.model, 3 * TOP_SECOND), 0);
	cr_assert_eq(top_model_total(x.model), 0);
	cr_assert_eq(nr_rows(&x, TOP_PROCESS), 0);
	cr_assert_eq(x.model->where[TOP_FAULTS].n, 0);
	cr_assert(x.model->latency[TOP_FAULTS].any, "that there are latencies is known");
	top_fault(&x, 10, 0x1000, 5);
	cr_assert_eq(top_model_turn(x.model, 4 * TOP_SECOND), 0);
	cr_assert_eq(top_model_total(x.model), 1);
	top_stop(&x);
}

Test(top_model, names)
{
	int i;

	for (i = 0; i < TOP_VIEWS; i++)
		cr_assert_eq(top_view_find(top_view_name((enum top_view_id)i)), i);
	for (i = 0; i < TOP_COLUMNS; i++)
		cr_assert_eq(top_column_find(top_column_name((enum top_column)i)), i);
	cr_assert_eq(top_view_find("rate"), -1);
	cr_assert_eq(top_column_find(""), -1);
}

Test(top_strip, cells_and_gaps)
{
	struct top_strip *s = calloc(1, sizeof(*s));
	struct top_cell cells[64];
	uint32_t n;

	cr_assert_eq(top_strip_cells(s, cells, 64), 0);
	top_strip_add(s, 0x10000);
	top_strip_add(s, 0x10fff);
	top_strip_add(s, 0x11000);
	top_strip_add(s, 0x7ffff7fff000);
	top_strip_turn(s);
	n = top_strip_cells(s, cells, 64);
	cr_assert_eq(n, 4);
	cr_assert_eq(cells[0].first, 0x10000);
	cr_assert_eq(cells[0].last, 0x10fff);
	cr_assert_eq(cells[0].count.last, 2);
	cr_assert_eq(cells[1].first, 0x11000);
	cr_assert(cells[2].gap);
	cr_assert_eq(cells[2].first, 0x12000);
	cr_assert_eq(cells[2].last, 0x7ffff7ffefff);
	cr_assert_eq(cells[3].first, 0x7ffff7fff000);
	/* Less room: larger cells, the gap stays a gap. */
	n = top_strip_cells(s, cells, 3);
	cr_assert_eq(n, 3);
	cr_assert_eq(cells[0].first, 0x10000);
	cr_assert_eq(cells[0].last, 0x11fff);
	cr_assert_eq(cells[0].count.last, 3);
	cr_assert(cells[1].gap);
	/* One cell has it all. */
	cr_assert_eq(top_strip_cells(s, cells, 1), 1);
	cr_assert_eq(cells[0].count.last, 4);
	cr_assert_leq(cells[0].first, 0x10000);
	cr_assert_geq(cells[0].last, 0x7ffff7fff000);
	cr_assert_eq(top_strip_cells(s, cells, 0), 0);
	top_strip_free(s);
	free(s);
}

/* More pages than blocks: nothing is lost, each cell holds what its addresses say. */
Test(top_strip, blocks_grow)
{
	struct top_strip *s = calloc(1, sizeof(*s));
	struct top_cell cells[100];
	uint64_t i, sum = 0, pages = 20000;
	uint32_t n;

	for (i = 0; i < pages; i++)
		cr_assert_eq(top_strip_add(s, i << 12), 0);
	cr_assert_eq(top_strip_add(s, UINT64_MAX), 0);
	cr_assert_leq(s->n, TOP_STRIP_BLOCKS);
	cr_assert_gt(s->shift, TOP_STRIP_SHIFT);
	top_strip_turn(s);
	n = top_strip_cells(s, cells, 100);
	cr_assert_leq(n, 100);
	cr_assert_geq(n, 40, "the room is used: %u", n);
	for (i = 0; i + 2 < n; i++) {
		uint64_t size = cells[i].last - cells[i].first + 1;

		cr_assert_not(cells[i].gap);
		cr_assert_eq(cells[i].first, i * size);
		sum += cells[i].count.last;
		if (cells[i].last < pages << 12)
			cr_assert_eq(cells[i].count.last, size >> 12);
	}
	cr_assert_eq(sum, pages);
	cr_assert(cells[n - 2].gap);
	cr_assert_eq(cells[n - 1].last, UINT64_MAX);
	top_strip_free(s);
	free(s);
}
