/* SPDX-License-Identifier: GPL-2.0 */
/* What became of everything that happened, in words and as JSON; the same in every output. */
#ifndef REPORT_TOTALS_H
#define REPORT_TOTALS_H

#include <stdbool.h>
#include <stdint.h>

#include "user/base/json.h"
#include "user/record/record.h"
#include "user/base/line.h"

uint64_t totals_lost(const struct rec_totals *totals); /* of all causes */
/* "lost 12 of 200012 events: ring_full 10, in_flight 2"; nothing when nothing was lost. */
void totals_lost_line(struct line *line, const struct rec_totals *totals);
/* On stderr, where stdout has only events: what is missing among them, and whether they end. */
void totals_note(const struct rec_totals *totals, bool complete);
/*
 * Members of the object that is open: "events", "lost" {"total", "ring_full", "no_state",
 * "in_flight", "write_error"}, "filtered", "missed_exit", "missed_runs", "lost_children",
 * "lost_sideband", "complete". In a recording that was cut nobody counted: null, except for
 * "events".
 */
void totals_json(struct json *json, const struct rec_totals *totals, bool complete);

#define TOTALS_CUT_TEXT \
	"the recording does not end properly (recorder killed, file cut or damaged): what was lost is not known"

#endif
