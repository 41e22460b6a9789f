// SPDX-License-Identifier: GPL-2.0
#include "user/report/top_body.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/base/units.h"
#include "user/report/top_text.h"

#define ALL_FROM 100 /* columns from which on there is room for every latency */

char *top_rate_text(char *buf, double rate)
{
	if (rate > 0 && rate < 10)
		snprintf(buf, UNITS_LEN, "%.1f", rate);
	else
		units_count(buf, (uint64_t)(rate + 0.5));
	return buf;
}

enum top_family top_family_shown(const struct top_model *m, const struct top_ui *ui)
{
	return ui->view == TOP_VM || m->env.info->no_faults ? TOP_EXITS : TOP_FAULTS;
}

uint32_t top_body_window(const struct top_body *b, uint32_t n, uint32_t *first)
{
	uint32_t shown = b->max && b->max < n ? b->max : n;

	if (b->ui->scroll > n - shown)
		b->ui->scroll = n - shown;
	*first = b->ui->scroll;
	b->page->rows = shown;
	return *first + shown;
}

static bool has_column(const struct top_body *b, enum top_column c)
{
	const struct top_model *m = b->facts->model;
	const enum top_view_id view = b->ui->view;

	if (c < TOP_BY_P50)
		return true;
	if (!m->latency[TOP_EXITS].any && (view == TOP_VM || !m->latency[TOP_FAULTS].any))
		return false;
	return c == TOP_BY_P99 || c == b->ui->column || !b->shape->height ||
	       b->shape->width >= ALL_FROM;
}

static size_t column_width(enum top_column c)
{
	return c == TOP_BY_RATE	   ? TOP_RATE_WIDTH
	       : c == TOP_BY_TOTAL ? TOP_TOTAL_WIDTH
				   : TOP_TIME_WIDTH;
}

static void column_text(char *buf, const struct top_body *b, const struct top_row *row,
			enum top_column c)
{
	const struct percentile *p = &row->last;

	if (c == TOP_BY_RATE)
		top_rate_text(buf, top_rate(b->facts->model, row->count.last));
	else if (c == TOP_BY_TOTAL)
		units_count(buf, row->count.total);
	else if (!p->count)
		snprintf(buf, UNITS_LEN, "-");
	else
		units_time(buf,
			   c == TOP_BY_MAX ? p->max : percentile_at(p, c == TOP_BY_P50 ? 50 : 99));
}

/* The star says what the order is. */
static void column_title(char *buf, const struct top_body *b, enum top_column c, const char *name)
{
	snprintf(buf, UNITS_LEN, "%s%s", b->ui->column == c ? "*" : "", name);
}

static void numbers(struct line *l, const struct top_body *b, const struct top_row *row)
{
	char buf[UNITS_LEN];
	unsigned int c;

	for (c = 0; c < TOP_BY_KEYS; c++) {
		if (!has_column(b, c))
			continue;
		if (row)
			column_text(buf, b, row, c);
		else
			column_title(buf, b, c, c ? top_column_name(c) : "rate/s");
		top_text_right(l, buf, column_width(c));
		line_str(l, "  ");
	}
}

/* Each column of keys is as wide as what is shown of it; the last one has no end. */
static void key_widths(const struct groups *by, const uint32_t *rows, uint32_t first, uint32_t end,
		       size_t *widths)
{
	char buf[SORT_TEXT_MAX];
	size_t columns;
	unsigned int i;
	uint32_t row;

	for (i = 0; i < by->nr_keys; i++) {
		widths[i] = strlen(by->keys[i]->name) + 1;
		for (row = first; row < end; row++) {
			columns = top_text_columns(sort_key_text(
				&by->ctx, by->keys[i], groups_ids(by, rows[row])[i], buf));
			if (columns > widths[i])
				widths[i] = columns;
		}
	}
	widths[by->nr_keys - 1] = TOP_TEXT_ALL;
}

static void key(struct line *l, const struct groups *by, unsigned int i, const char *text,
		const size_t *widths)
{
	if (sort_key_is_number(by->keys[i]))
		top_text_right(l, text, widths[i]);
	else
		top_text_left(l, text, widths[i]);
	if (i + 1 < by->nr_keys)
		line_str(l, "  ");
}

static void key_title(struct top_body *b, const struct groups *by, const size_t *widths)
{
	struct line *l = top_page_line(b->page, TOP_TITLE);
	char buf[UNITS_LEN];
	unsigned int i;

	if (!l)
		return;
	numbers(l, b, NULL);
	for (i = 0; i < by->nr_keys; i++) {
		column_title(buf, b, i ? TOP_COLUMNS : TOP_BY_KEYS, by->keys[i]->name);
		key(l, by, i, buf, widths);
	}
}

static void key_row(struct top_body *b, const struct top_view *v, uint32_t group,
		    const size_t *widths)
{
	struct line *l = top_page_line(b->page, TOP_PLAIN);
	char buf[SORT_TEXT_MAX];
	unsigned int i;

	if (!l)
		return;
	numbers(l, b, &v->rows[group]);
	for (i = 0; i < v->by.nr_keys; i++)
		key(l, &v->by, i,
		    sort_key_text(&v->by.ctx, v->by.keys[i], groups_ids(&v->by, group)[i], buf),
		    widths);
}

/* What there is instead of rows, or of some of them. */
static void note(struct top_body *b, const struct top_view *v, uint32_t n)
{
	const struct rec_info *info = b->facts->model->env.info;
	const char *why = NULL;
	char buf[UNITS_LEN];
	struct line *l;

	if (b->ui->view == TOP_VM && !info->kvm)
		why = "no VM exits in this session: ask with -e hypercall,violation,exit";
	else if (b->ui->view == TOP_VMA && info->no_faults)
		why = "no faults in this session: ask with -e fault";
	else if (!n && b->ui->filter[0])
		why = "no row has the filter's text";
	if (!why && !v->others.total)
		return;
	l = top_page_line(b->page, TOP_PLAIN);
	if (!l)
		return;
	if (why) {
		line_str(l, why);
		return;
	}
	line_str(l, "and of rows that were put away: ");
	line_str(l, units_count(buf, v->others.total));
}

static void grouped(struct top_body *b)
{
	const struct top_view *v = &b->facts->model->views[b->ui->view];
	size_t widths[SORT_KEYS_MAX];
	uint32_t n, i, first, end, *rows;

	rows = top_rows(b->facts->model, b->ui->view, b->ui->column, b->ui->reverse, b->ui->filter,
			&n);
	if (!rows) {
		b->page->failed = true;
		return;
	}
	end = top_body_window(b, n, &first);
	key_widths(&v->by, rows, first, end, widths);
	key_title(b, &v->by, widths);
	for (i = first; i < end; i++)
		key_row(b, v, rows[i], widths);
	free(rows);
	if (!b->max || end - first < b->max)
		note(b, v, n);
}

void top_body(struct top_page *page, const struct top_facts *facts, struct top_ui *ui,
	      const struct top_shape *shape, unsigned int max)
{
	/* The title is one of the lines. */
	struct top_body b = { page, facts, ui, shape, max > 1 ? max - 1 : max };

	switch (ui->view) {
	case TOP_LATENCY:
		top_body_latencies(&b);
		break;
	case TOP_ADDRESS:
		top_body_addresses(&b);
		break;
	default:
		grouped(&b);
	}
}
