/* SPDX-License-Identifier: GPL-2.0 */
/* The report sink: groups of events, counted while they pass, printed at the end. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/report/call_graph.h"
#include "user/report/sink.h"
#include "user/report/tally.h"

struct report {
	struct sink sink;
	struct report_opts opts;
	FILE *out;
	struct tally tally;
	struct call_graph calls;
	struct frames frames; /* of the event at hand */
	unsigned int what;    /* FRAMES_* */
};

/* What the printers are given: @order has the @rows groups to be printed. */
struct report_view {
	const struct report *report;
	const struct rec_totals *totals;
	const uint32_t *order;
	uint32_t rows;
	bool complete;
};

/* What recorded the events: a hook, or perf. */
const char *report_hook(const struct rec_info *info);
/* Each prints the whole report. 0, or -ENOMEM. */
int report_print_text(const struct report_view *view);
int report_print_json(const struct report_view *view);
/* The call graphs of the rows: below the table, or of one group in its object. */
void report_calls_text(const struct report_view *view);
void report_calls_json(struct json *j, const struct report_view *view, uint32_t group);
int report_print_csv(const struct report_view *view);

#endif
