// SPDX-License-Identifier: GPL-2.0
/* Latencies and addresses on a live view's page: as panels and as rows. */
#include <inttypes.h>
#include <stdio.h>

#include "user/base/units.h"
#include "user/report/top_body.h"
#include "user/report/top_text.h"

static void bar(struct line *l, unsigned int length)
{
	while (length--)
		line_char(l, '#');
}

/* A bar's share of what is left of the line; one character at least for what is not nothing. */
static unsigned int bar_length(const struct top_shape *shape, unsigned int used, uint64_t value,
			       uint64_t max)
{
	unsigned int width = shape->width > used + 4 ? shape->width - used : 4;

	if (!value)
		return 0;
	return 1 + (unsigned int)((double)(width - 1) * (double)value / (double)max);
}

static void slots_of(const struct top_latency *l, unsigned int *first, unsigned int *last,
		     uint64_t *max)
{
	unsigned int i;

	*first = TOP_SLOTS;
	*last = 0;
	*max = 0;
	for (i = 0; i < TOP_SLOTS; i++) {
		if (!l->last[i])
			continue;
		if (*first == TOP_SLOTS)
			*first = i;
		*last = i;
		if (l->last[i] > *max)
			*max = l->last[i];
	}
}

static uint64_t slot_start(unsigned int slot)
{
	return slot ? 1ULL << slot : 0;
}

static void latency_row(struct top_body *b, const struct top_latency *h, unsigned int slot,
			uint64_t max)
{
	struct line *l = top_page_line(b->page, TOP_PLAIN);
	char buf[UNITS_LEN];

	if (!l)
		return;
	top_text_right(l, units_time(buf, slot_start(slot)), TOP_TIME_WIDTH);
	line_str(l, "  ");
	top_text_right(l, units_time(buf, slot < 63 ? 2ULL << slot : UINT64_MAX), TOP_TIME_WIDTH);
	line_str(l, "  ");
	top_text_right(l, units_count(buf, h->last[slot]), TOP_TOTAL_WIDTH);
	snprintf(buf, sizeof(buf), "%.2f%%", 100 * (double)h->last[slot] / (double)h->p_last.count);
	line_str(l, "  ");
	top_text_right(l, buf, TOP_TIME_WIDTH);
	line_str(l, "  ");
	bar(l, bar_length(b->shape, 40, h->last[slot], max));
}

void top_body_latencies(struct top_body *b)
{
	const struct top_latency *h =
		&b->facts->model->latency[top_family_shown(b->facts->model, b->ui)];
	struct line *l = top_page_line(b->page, TOP_TITLE);
	unsigned int first_slot, last_slot;
	uint32_t i, first, end;
	uint64_t max;

	if (l)
		line_str(l,
			 "   from    below        count    share  latencies of the last interval");
	slots_of(h, &first_slot, &last_slot, &max);
	if (!max)
		return;
	end = top_body_window(b, last_slot - first_slot + 1, &first);
	for (i = first; i < end; i++)
		latency_row(b, h, first_slot + i, max);
}

static void address_row(struct top_body *b, const struct top_cell *cell, uint64_t max)
{
	struct line *l = top_page_line(b->page, TOP_PLAIN);
	char buf[2 * UNITS_LEN];

	if (!l)
		return;
	snprintf(buf, sizeof(buf), "%016" PRIx64 "-%016" PRIx64, cell->first, cell->last);
	if (cell->gap) {
		line_str(l, "...");
		return;
	}
	line_str(l, buf);
	top_text_right(l, top_rate_text(buf, top_rate(b->facts->model, cell->count.last)),
		       TOP_RATE_WIDTH + 2);
	top_text_right(l, units_count(buf, cell->count.total), TOP_TOTAL_WIDTH + 2);
	line_str(l, "  ");
	bar(l, bar_length(b->shape, 59, cell->count.last, max));
}

static uint64_t busiest(const struct top_cell *cells, uint32_t n)
{
	uint64_t max = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		if (cells[i].count.last > max)
			max = cells[i].count.last;
	return max;
}

void top_body_addresses(struct top_body *b)
{
	const struct top_model *m = b->facts->model;
	struct line *l = top_page_line(b->page, TOP_TITLE);
	struct top_cell cells[TOP_CELLS_MAX];
	uint32_t n, i, first, end;

	if (l)
		line_str(l, "addresses                           rate/s        total");
	n = top_strip_cells(&m->where[top_family_shown(m, b->ui)], cells, 64);
	end = top_body_window(b, n, &first);
	for (i = first; i < end; i++)
		address_row(b, &cells[i], busiest(cells, n));
}

void top_panel_latency(struct top_page *page, const struct top_latency *h,
		       const struct top_shape *shape)
{
	struct line *l = top_page_line(page, TOP_PLAIN);
	unsigned int first, last, i, level;
	char buf[UNITS_LEN];
	uint64_t max;

	if (!l)
		return;
	line_str(l, "latency ");
	slots_of(h, &first, &last, &max);
	if (!max) {
		line_str(l, h->any ? "none in the last interval" : "not known");
		return;
	}
	line_str(l, units_time(buf, slot_start(first)));
	line_char(l, ' ');
	for (i = first; i <= last; i++) {
		level = top_ink_level(h->last[i], max);
		line_str(l, level ? top_ink(level, shape->utf8) : " ");
	}
	line_char(l, ' ');
	line_str(l, units_time(buf, last < 63 ? 2ULL << last : UINT64_MAX));
	line_str(l, "  p50 ");
	line_str(l, units_time(buf, percentile_at(&h->p_last, 50)));
	line_str(l, "  p99 ");
	line_str(l, units_time(buf, percentile_at(&h->p_last, 99)));
	line_str(l, "  max ");
	line_str(l, units_time(buf, h->p_last.max));
}

static void strip(struct line *l, const struct top_cell *cells, uint32_t n, bool utf8)
{
	uint64_t max = busiest(cells, n);
	unsigned int level;
	uint32_t i;

	for (i = 0; i < n; i++) {
		level = top_ink_level(cells[i].count.last, max);
		if (cells[i].gap)
			line_char(l, '|');
		else if (!level)
			line_char(l, '.');
		else
			line_str(l, top_ink(level, utf8));
	}
}

void top_panel_addresses(struct top_page *page, const struct top_strip *s, enum top_family family,
			 const struct top_shape *shape)
{
	struct line *l = top_page_line(page, TOP_PLAIN);
	uint32_t max = shape->width < TOP_CELLS_MAX ? shape->width : TOP_CELLS_MAX, n;
	struct top_cell cells[TOP_CELLS_MAX];
	char buf[UNITS_LEN];

	if (!l)
		return;
	line_str(l, family == TOP_EXITS ? "guest-physical " : "addresses ");
	n = top_strip_cells(s, cells, max);
	if (!n) {
		line_str(l, "none");
		return;
	}
	line_hex(l, cells[0].first);
	line_char(l, '-');
	line_hex(l, cells[n - 1].last);
	line_str(l, ", a character is ");
	line_str(l, units_size(buf, cells[0].last - cells[0].first + 1));
	l = top_page_line(page, TOP_PLAIN);
	if (l)
		strip(l, cells, n, shape->utf8);
}
