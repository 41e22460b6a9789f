/* SPDX-License-Identifier: GPL-2.0 */
/* The report sink: groups of events, counted while they pass, printed at the end. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "user/base/line.h"
#include "user/report/groups.h"
#include "user/report/percentile.h"
#include "user/report/sink.h"

struct group {
	uint64_t count;
	struct percentile latency; /* of those whose end was seen */
};

struct report {
	struct sink sink;
	struct report_opts opts;
	FILE *out;
	struct groups by;
	struct group *groups; /* [by.n] */
	uint32_t room;
	uint64_t events;
	uint64_t last_time; /* of an event */
	bool has_latency;
};

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
