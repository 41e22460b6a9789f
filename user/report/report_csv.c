// SPDX-License-Identifier: GPL-2.0
/* A report as comma-separated values: a line of names, then one for each group. */
#include <inttypes.h>

#include "user/base/csv.h"
#include "user/base/msg.h"
#include "user/report/report.h"
#include "user/report/totals.h"

static const unsigned int percents[] = { 50, 90, 99 };

#define NR_PERCENTS (sizeof(percents) / sizeof(percents[0]))

static void put_names(struct csv *c, const struct groups *by, bool children)
{
	unsigned int i;

	for (i = 0; i < by->nr_keys; i++)
		csv_str(c, by->keys[i]->name);
	csv_str(c, "count");
	csv_str(c, "share");
	if (children)
		csv_str(c, "children");
	csv_str(c, "p50_ns");
	csv_str(c, "p90_ns");
	csv_str(c, "p99_ns");
	csv_str(c, "max_ns");
	csv_str(c, "total_ns");
	csv_end_line(c);
}

static void put_latency(struct csv *c, const struct percentile *p)
{
	unsigned int i;

	for (i = 0; i < NR_PERCENTS; i++) {
		if (p->count)
			csv_u64(c, percentile_at(p, percents[i]));
		else
			csv_str(c, NULL);
	}
	if (p->count) {
		csv_u64(c, p->max);
		csv_u64(c, p->total);
	} else {
		csv_str(c, NULL);
		csv_str(c, NULL);
	}
}

static void put_group(struct csv *c, const struct tally *t, uint32_t group, bool children)
{
	const struct tally_group *g = &t->groups[group];
	char buf[SORT_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < t->by.nr_keys; i++)
		csv_str(c, sort_key_text(&t->by.ctx, t->by.keys[i], groups_ids(&t->by, group)[i],
					 buf));
	csv_u64(c, g->count);
	csv_double(c, (double)g->count / (double)t->events);
	if (children)
		csv_u64(c, g->inclusive);
	put_latency(c, &g->latency);
	csv_end_line(c);
}

/* Lines of groups are no place for what is missing in them. */
static void note_losses(const struct report_view *v)
{
	if (!v->complete)
		msg_note("%s", TOTALS_CUT_TEXT);
	else if (totals_lost(v->totals))
		msg_note("lost %" PRIu64 " of %" PRIu64 " events", totals_lost(v->totals),
			 totals_lost(v->totals) + v->totals->events);
}

int report_print_csv(const struct report_view *v)
{
	const struct report *r = v->report;
	struct csv c = { .out = r->out };
	uint32_t i;

	note_losses(v);
	put_names(&c, &r->tally.by, r->opts.children);
	for (i = 0; i < v->rows; i++)
		put_group(&c, &r->tally, v->order[i], r->opts.children);
	return 0;
}
