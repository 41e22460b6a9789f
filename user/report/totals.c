// SPDX-License-Identifier: GPL-2.0
#include "user/report/totals.h"

#include <stddef.h>

#include "user/base/msg.h"
#include "user/trace/names.h"

uint64_t totals_lost(const struct rec_totals *totals)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < PTEV_NR_LOST; i++)
		sum += totals->lost[i];
	return sum;
}

void totals_lost_line(struct line *l, const struct rec_totals *totals)
{
	uint64_t lost = totals_lost(totals);
	const char *separator = ": ";
	unsigned int i;

	if (!lost)
		return;
	line_str(l, "lost ");
	line_dec(l, lost);
	line_str(l, " of ");
	line_dec(l, totals->events + lost);
	line_str(l, " events");
	for (i = 0; i < PTEV_NR_LOST; i++) {
		if (!totals->lost[i])
			continue;
		line_str(l, separator);
		line_str(l, name_lost(i));
		line_char(l, ' ');
		line_dec(l, totals->lost[i]);
		separator = ", ";
	}
}

void totals_note(const struct rec_totals *totals, bool complete)
{
	struct line line = { 0 };

	totals_lost_line(&line, totals);
	line_char(&line, '\0');
	if (line.len > 1 && !line.failed)
		msg_note("%s", line.buf);
	line_free(&line);
	if (!complete)
		msg_note("%s", TOTALS_CUT_TEXT);
}

static void count_json(struct json *j, const char *key, uint64_t value, bool known)
{
	if (known)
		json_u64(j, key, value);
	else
		json_null(j, key);
}

void totals_json(struct json *j, const struct rec_totals *totals, bool complete)
{
	unsigned int i;

	json_u64(j, "events", totals->events);
	json_object(j, "lost");
	count_json(j, "total", totals_lost(totals), complete);
	for (i = 0; i < PTEV_NR_LOST; i++)
		count_json(j, name_lost(i), totals->lost[i], complete);
	json_end_object(j);
	count_json(j, "filtered", totals->filtered, complete);
	count_json(j, "missed_exit", totals->missed_exit, complete);
	count_json(j, "missed_runs", totals->missed_runs, complete);
	count_json(j, "lost_children", totals->lost_children, complete);
	count_json(j, "lost_sideband", totals->lost_sideband, complete);
	json_bool(j, "complete", complete);
}
