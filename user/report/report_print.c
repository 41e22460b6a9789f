// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "user/base/json.h"
#include "user/base/table.h"
#include "user/base/units.h"
#include "user/report/report.h"
#include "user/report/totals.h"
#include "user/trace/names.h"

static const struct rec_info *info_of(const struct report_view *v)
{
	return v->report->tally.by.ctx.env.info;
}

/* A recording that was cut ends with its last event. */
static uint64_t duration_of(const struct report_view *v)
{
	uint64_t start = info_of(v)->start_mono ?: v->report->tally.first_time;
	uint64_t end = v->complete && v->totals->end_mono ? v->totals->end_mono
							  : v->report->tally.last_time;

	return end > start ? end - start : 0;
}

static double share_of(const struct report_view *v, uint64_t count)
{
	return (double)count / (double)v->report->tally.events;
}

/* "# key: " */
static void head(struct line *l, const char *key)
{
	line_str(l, "# ");
	line_str(l, key);
	line_str(l, ": ");
}

static void head_text(struct line *l, const char *key, const char *value)
{
	head(l, key);
	line_text(l, value);
	line_char(l, '\n');
}

static void head_count(struct line *l, const char *key, uint64_t value)
{
	head(l, key);
	line_dec(l, value);
	line_char(l, '\n');
}

/* Bad news first: whoever reads on knows what the numbers are worth. */
static void head_warnings(struct line *l, const struct report_view *v)
{
	if (!v->complete)
		head_text(l, "INCOMPLETE", TOTALS_CUT_TEXT);
	if (totals_lost(v->totals)) {
		head(l, "INCOMPLETE");
		totals_lost_line(l, v->totals);
		line_char(l, '\n');
	}
}

static void head_kernel(struct line *l, const struct rec_info *info)
{
	head(l, "kernel");
	line_text(l, info->release);
	line_str(l, " on ");
	line_text(l, info->hostname);
	line_char(l, '\n');
}

/* What else keeps the numbers from telling everything. */
static void head_counts(struct line *l, const struct report_view *v)
{
	const struct rec_totals *t = v->totals;

	head_count(l, "events", t->events);
	if (!v->complete) {
		head_text(l, "lost", "not known");
		return;
	}
	head_count(l, "lost", totals_lost(t));
	if (t->filtered)
		head_count(l, "filtered", t->filtered);
	if (t->missed_exit)
		head_count(l, "end not seen", t->missed_exit);
	if (t->missed_runs)
		head_count(l, "program runs missed", t->missed_runs);
	if (t->lost_children)
		head_count(l, "children that could not be followed", t->lost_children);
	if (t->lost_sideband)
		head_count(l, "side-band records lost (names may be missing)", t->lost_sideband);
}

/* A recording of perf itself comes from a tracepoint of its own. */
const char *report_hook(const struct rec_info *info)
{
	return info->hook == HOOK_AUTO ? "perf" : name_hook(info->hook);
}

/* Why kernel addresses have no names, where names are asked for. */
static void head_note(struct line *l, const struct report *r)
{
	const char *note = symbols_kernel_note(r->tally.by.ctx.env.symbols);
	unsigned int i;

	for (i = 0; note && i < r->tally.by.nr_keys; i++) {
		if (r->tally.by.keys[i]->needs_symbols) {
			head_text(l, "note", note);
			return;
		}
	}
}

static int print_header(const struct report_view *v)
{
	const struct rec_info *info = info_of(v);
	struct line l = { 0 };
	char buf[UNITS_LEN];
	int err;

	head_warnings(&l, v);
	head_text(&l, "command", info->command);
	head_kernel(&l, info);
	head_text(&l, "hook", report_hook(info));
	head_text(&l, "walks", info->walks ? "recorded" : "not recorded");
	head_text(&l, "duration", units_time(buf, duration_of(v)));
	head_counts(&l, v);
	head_text(&l, "recording", v->complete ? "complete" : "cut");
	head_note(&l, v->report);
	line_char(&l, '\n');
	err = line_write(&l, v->report->out);
	line_free(&l);
	/* Trouble with the stream itself is found after the last write. */
	return err == -ENOMEM ? err : 0;
}

static struct table *new_table(const struct report *r)
{
	unsigned int i, column = 0;
	struct table *t = table_new((r->opts.children ? 3 : 2) + (r->tally.has_latency ? 3 : 0) +
				    r->tally.by.nr_keys);

	if (!t)
		return NULL;
	if (r->opts.children)
		table_column(t, column++, "children", TABLE_RIGHT);
	table_column(t, column++, "share", TABLE_RIGHT);
	table_column(t, column++, "count", TABLE_RIGHT);
	if (r->tally.has_latency) {
		table_column(t, column++, "p50", TABLE_RIGHT);
		table_column(t, column++, "p99", TABLE_RIGHT);
		table_column(t, column++, "max", TABLE_RIGHT);
	}
	for (i = 0; i < r->tally.by.nr_keys; i++)
		table_column(t, column++, r->tally.by.keys[i]->name,
			     sort_key_is_number(r->tally.by.keys[i]) ? TABLE_RIGHT : TABLE_LEFT);
	return t;
}

static void latency_cells(struct table *t, const struct percentile *p)
{
	uint64_t values[] = { percentile_at(p, 50), percentile_at(p, 99), p->max };
	char buf[UNITS_LEN];
	unsigned int i;

	for (i = 0; i < 3; i++)
		table_cell(t, "%s", p->count ? units_time(buf, values[i]) : "-");
}

static void row_cells(struct table *t, const struct report_view *v, uint32_t group)
{
	const struct report *r = v->report;
	const struct tally_group *g = &r->tally.groups[group];
	char buf[SORT_TEXT_MAX];
	unsigned int i;

	if (r->opts.children)
		table_cell(t, "%.2f%%", 100 * share_of(v, g->inclusive));
	table_cell(t, "%.2f%%", 100 * share_of(v, g->count));
	table_cell(t, "%" PRIu64, g->count);
	if (r->tally.has_latency)
		latency_cells(t, &g->latency);
	for (i = 0; i < r->tally.by.nr_keys; i++)
		table_cell(t, "%s",
			   sort_key_text(&r->tally.by.ctx, r->tally.by.keys[i],
					 groups_ids(&r->tally.by, group)[i], buf));
}

int report_print_text(const struct report_view *v)
{
	struct table *t = new_table(v->report);
	uint32_t i;
	int err;

	if (!t)
		return -ENOMEM;
	for (i = 0; i < v->rows; i++)
		row_cells(t, v, v->order[i]);
	err = print_header(v);
	if (!err)
		err = table_print(t, v->report->out, 0);
	if (v->rows < v->report->tally.by.n)
		fprintf(v->report->out, "# %u more rows\n", v->report->tally.by.n - v->rows);
	if (!err && v->report->opts.calls.order)
		report_calls_text(v);
	table_free(t);
	return err;
}

static void json_latency(struct json *j, const struct percentile *p)
{
	if (!p->count) {
		json_null(j, "latency_ns");
		return;
	}
	json_object(j, "latency_ns");
	json_u64(j, "p50", percentile_at(p, 50));
	json_u64(j, "p90", percentile_at(p, 90));
	json_u64(j, "p99", percentile_at(p, 99));
	json_u64(j, "max", p->max);
	json_u64(j, "total", p->total);
	json_end_object(j);
}

static void json_group(struct json *j, const struct report_view *v, uint32_t group)
{
	const struct report *r = v->report;
	const struct tally_group *g = &r->tally.groups[group];
	char buf[SORT_TEXT_MAX];
	unsigned int i;
	uint64_t id;

	json_object(j, NULL);
	for (i = 0; i < r->tally.by.nr_keys; i++) {
		id = groups_ids(&r->tally.by, group)[i];
		if (id == SORT_NOTHING && sort_key_is_number(r->tally.by.keys[i]))
			json_null(j, r->tally.by.keys[i]->name);
		else if (sort_key_is_number(r->tally.by.keys[i]))
			json_u64(j, r->tally.by.keys[i]->name, id);
		else
			json_str(j, r->tally.by.keys[i]->name,
				 sort_key_text(&r->tally.by.ctx, r->tally.by.keys[i], id, buf));
	}
	json_u64(j, "count", g->count);
	json_double(j, "share", share_of(v, g->count));
	if (r->opts.children) {
		json_u64(j, "children", g->inclusive);
		json_double(j, "children_share", share_of(v, g->inclusive));
	}
	json_latency(j, &g->latency);
	if (r->opts.calls.order)
		report_calls_json(j, v, group);
	json_end_object(j);
}

static void json_header(struct json *j, const struct report_view *v)
{
	const struct rec_info *info = info_of(v);
	unsigned int i;

	totals_json(j, v->totals, v->complete);
	json_str(j, "command", info->command);
	json_str(j, "kernel", info->release);
	json_str(j, "hostname", info->hostname);
	json_str(j, "hook", report_hook(info));
	json_bool(j, "walks", info->walks);
	json_u64(j, "duration_ns", duration_of(v));
	json_array(j, "sort");
	for (i = 0; i < v->report->tally.by.nr_keys; i++)
		json_str(j, NULL, v->report->tally.by.keys[i]->name);
	json_end_array(j);
	json_u64(j, "groups_total", v->report->tally.by.n);
	if (v->report->opts.calls.order)
		json_u64(j, "calls_cut", v->report->calls.tree.cut);
}

int report_print_json(const struct report_view *v)
{
	struct json j;
	uint32_t i;

	json_init(&j, v->report->out);
	json_object(&j, NULL);
	json_header(&j, v);
	json_array(&j, "groups");
	for (i = 0; i < v->rows; i++)
		json_group(&j, v, v->order[i]);
	json_end_array(&j);
	json_end_object(&j);
	json_end_line(&j);
	return 0;
}
