/* SPDX-License-Identifier: GPL-2.0 */
/* The report sink: groups of events, counted while they pass, printed at the end. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "user/base/hash.h"
#include "user/base/line.h"
#include "user/report/percentile.h"
#include "user/report/sink.h"
#include "user/report/sort_keys.h"

struct group {
	uint64_t count;
	struct percentile latency; /* of those whose end was seen */
};

struct report {
	struct sink sink;
	struct report_opts opts;
	FILE *out;
	struct sort_ctx ctx;
	const struct sort_key *keys[SORT_KEYS_MAX];
	unsigned int nr_keys;
	struct hash_index index;
	struct group *groups;
	uint64_t *ids; /* ->nr_keys of each group */
	uint32_t nr_groups, room;
	uint64_t events;
	uint64_t first_time, last_time; /* of events */
	bool has_latency;
};

/* ->nr_keys values of a group. */
static inline const uint64_t *report_ids(const struct report *r, uint32_t group)
{
	return r->ids + (size_t)group * r->nr_keys;
}

/* What the printers are given: @order has the @rows groups to be printed. */
struct report_view {
	const struct report *report;
	const struct rec_totals *totals;
	const uint32_t *order;
	uint32_t rows;
	bool complete;
};

/* Each prints the whole report. 0, or -ENOMEM. */
int report_print_text(const struct report_view *view);
int report_print_json(const struct report_view *view);

#endif
