// SPDX-License-Identifier: GPL-2.0
#include "user/sym/map_log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/sym/array.h"

/* Events per leaf of the tree: so many are searched one by one. */
#define BLOCK 32

/* Views from @keep on are out of date. */
static void drop_views(struct map_log *log, size_t keep)
{
	while (log->nviews > keep)
		free(log->views[--log->nviews].spans);
}

size_t map_log_count(const struct map_log *log, uint64_t time)
{
	size_t low = 0, high = log->n;

	if (!high || log->events[high - 1].since <= time)
		return high;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (log->events[mid].since <= time)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int map_log_add(struct map_log *log, uint64_t since, const struct proc_map *map)
{
	struct map_event *events = log->events;
	size_t at = map_log_count(log, since);

	events = array_room(events, log->n, &log->size, sizeof(*events));
	if (!events)
		return -ENOMEM;
	log->events = events;
	memmove(&events[at + 1], &events[at], (log->n - at) * sizeof(*events));
	events[at] = (struct map_event){ .since = since, .map = *map };
	log->n++;
	drop_views(log, at / BLOCK);
	return 0;
}

int map_log_split(struct map_log *log, uint64_t since, struct map_log *later)
{
	size_t keep = since ? map_log_count(log, since - 1) : 0;
	size_t n = log->n - keep;

	*later = (struct map_log){ 0 };
	if (!n)
		return 0;
	later->events = malloc(n * sizeof(*later->events));
	if (!later->events)
		return -ENOMEM;
	memcpy(later->events, &log->events[keep], n * sizeof(*later->events));
	later->n = later->size = n;
	log->n = keep;
	drop_views(log, keep / BLOCK);
	return 0;
}

void map_log_free(struct map_log *log)
{
	drop_views(log, 0);
	free(log->views);
	free(log->events);
	*log = (struct map_log){ 0 };
}

static void emit(struct map_view *view, uint64_t start, uint64_t last, size_t event)
{
	view->spans[view->n++] = (struct map_span){ start, last, event };
}

/* Lays @top over @view: where both have a mapping, that of @top is the newer one. */
static int overlay(struct map_view *view, const struct map_view *top)
{
	struct map_view out = { 0 };
	uint64_t settled = 0; /* below this address all is in @out */
	size_t i, j = 0;

	/* Each span of @top may split one of @view in two. */
	out.spans = malloc((view->n + 2 * top->n + 1) * sizeof(*out.spans));
	if (!out.spans)
		return -ENOMEM;
	for (i = 0; i < view->n; i++) {
		const struct map_span *s = &view->spans[i];
		uint64_t start = s->start > settled ? s->start : settled;

		for (; j < top->n && top->spans[j].start <= s->last; j++) {
			if (start < top->spans[j].start)
				emit(&out, start, top->spans[j].start - 1, s->event);
			out.spans[out.n++] = top->spans[j];
			settled = top->spans[j].last + 1;
			if (start < settled)
				start = settled;
		}
		if (start <= s->last)
			emit(&out, start, s->last, s->event);
	}
	for (; j < top->n; j++)
		out.spans[out.n++] = top->spans[j];
	free(view->spans);
	*view = out;
	return 0;
}

/* View of the events of one block. */
static int block_view(const struct map_log *log, size_t block, struct map_view *view)
{
	size_t i;

	*view = (struct map_view){ 0 };
	for (i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
		struct map_span span = { log->events[i].map.start, log->events[i].map.last, i };

		if (overlay(view, &(struct map_view){ &span, 1 }))
			return -ENOMEM;
	}
	return 0;
}

/* Number of blocks that node @i (counted from 1) of a Fenwick tree sums up; the last is i - 1. */
static size_t node_blocks(size_t i)
{
	return i & -i;
}

/* Replaces @view by @older with @view laid over it. */
static int underlay(struct map_view *view, const struct map_view *older)
{
	struct map_view sum = { .n = older->n };

	/* One more, so that an empty view is no special case for malloc(). */
	sum.spans = malloc((older->n + 1) * sizeof(*sum.spans));
	if (!sum.spans)
		return -ENOMEM;
	if (older->n)
		memcpy(sum.spans, older->spans, older->n * sizeof(*sum.spans));
	if (overlay(&sum, view)) {
		free(sum.spans);
		return -ENOMEM;
	}
	free(view->spans);
	*view = sum;
	return 0;
}

static int add_view(struct map_log *log)
{
	struct map_view *views = log->views;
	size_t node = log->nviews + 1;
	struct map_view view;
	size_t i;
	int err;

	views = array_room(views, log->nviews, &log->views_size, sizeof(*views));
	if (!views)
		return -ENOMEM;
	log->views = views;
	err = block_view(log, node - 1, &view);
	for (i = node - 1; !err && i > node - node_blocks(node); i -= node_blocks(i))
		err = underlay(&view, &views[i - 1]);
	if (err) {
		free(view.spans);
		return err;
	}
	views[log->nviews++] = view;
	return 0;
}

/* Does the range hold the address? Narrows the probe to inside or to outside of it. */
static bool probe_range(struct map_probe *probe, uint64_t start, uint64_t last)
{
	if (last < probe->address) {
		if (probe->lo <= last)
			probe->lo = last + 1;
		return false;
	}
	if (start > probe->address) {
		if (probe->hi >= start)
			probe->hi = start - 1;
		return false;
	}
	if (probe->lo < start)
		probe->lo = start;
	if (probe->hi > last)
		probe->hi = last;
	return true;
}

static const struct map_span *view_find(const struct map_view *view, struct map_probe *probe)
{
	size_t low = 0, high = view->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (view->spans[mid].last < probe->address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low)
		probe_range(probe, view->spans[low - 1].start, view->spans[low - 1].last);
	if (low < view->n && probe_range(probe, view->spans[low].start, view->spans[low].last))
		return &view->spans[low];
	return NULL;
}

const struct proc_map *map_log_find(struct map_log *log, size_t count, struct map_probe *probe)
{
	const struct map_span *span;
	size_t i, node;

	/* Without memory for more views, more events are searched one by one. */
	while (log->nviews < count / BLOCK && !add_view(log))
		;
	node = count / BLOCK < log->nviews ? count / BLOCK : log->nviews;
	for (i = count; i > node * BLOCK; i--) {
		const struct proc_map *map = &log->events[i - 1].map;

		if (probe_range(probe, map->start, map->last))
			return map;
	}
	for (; node; node -= node_blocks(node)) {
		span = view_find(&log->views[node - 1], probe);
		if (span)
			return &log->events[span->event].map;
	}
	return NULL;
}

const struct proc_map *map_log_first(struct map_log *log, struct map_probe *probe)
{
	size_t i;

	/* Mostly there is none, which is quickly known. */
	if (!map_log_find(log, log->n, probe))
		return NULL;
	for (i = 0; i < log->n; i++) {
		const struct proc_map *map = &log->events[i].map;

		if (probe_range(probe, map->start, map->last))
			return map;
	}
	return NULL;
}
