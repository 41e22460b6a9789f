// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/csv.h"
#include "user/base/json.h"
#include "user/base/table.h"
#include "user/base/units.h"
#include "user/report/diff.h"
#include "user/report/totals.h"

static const char *const side_names[DIFF_SIDES] = { "old", "new" };
static const char *const noise_words[] = { "?", "within", "beyond" };

/* "# old: FILE: 1234 events, lost 0" */
static void head_run(FILE *out, const struct diff_run *r)
{
	struct line l = { 0 };

	line_str(&l, "# ");
	line_str(&l, side_names[r->side]);
	line_str(&l, ": ");
	line_text(&l, r->path);
	line_str(&l, ": ");
	line_dec(&l, r->totals.events);
	line_str(&l, " events, ");
	if (!r->complete)
		line_str(&l, "INCOMPLETE: " TOTALS_CUT_TEXT);
	else if (totals_lost(&r->totals))
		totals_lost_line(&l, &r->totals);
	else
		line_str(&l, "lost 0");
	line_char(&l, '\n');
	line_write(&l, out);
	line_free(&l);
}

static void head(FILE *out, const struct diff *d)
{
	unsigned int i, old = diff_runs(d, DIFF_OLD), now = diff_runs(d, DIFF_NEW);

	for (i = 0; i < d->nr_runs; i++)
		head_run(out, &d->runs[i]);
	if (old + now < 3)
		fprintf(out, "# noise: not known, for no side has two recordings\n\n");
	else
		fprintf(out, "# noise: by %u old and %u new recordings, 99%% (Welch's t-test)\n\n",
			old, now);
}

/* Of several recordings the mean, which may have a fraction. */
static void mean_cell(struct table *t, double mean, const char *sign)
{
	bool whole = mean - (double)(int64_t)mean == 0;

	table_cell(t, whole ? "%s%.0f" : "%s%.1f", sign, mean);
}

static void difference_cells(struct table *t, const struct diff_row *row)
{
	double old = row->mean[DIFF_OLD], difference = row->mean[DIFF_NEW] - old;

	mean_cell(t, difference, difference > 0 ? "+" : "");
	if (old > 0)
		table_cell(t, "%+.1f%%", 100 * difference / old);
	else
		table_cell(t, "-");
}

/* "16.9us > 18.0us", with a "!" if that is beyond noise. */
static void latency_cell(struct table *t, const struct diff_row *row, unsigned int percent,
			 enum noise noise)
{
	char text[DIFF_SIDES][UNITS_LEN] = { "-", "-" };
	unsigned int side;

	for (side = 0; side < DIFF_SIDES; side++)
		if (row->latency[side].count)
			units_time(text[side], percentile_at(&row->latency[side], percent));
	table_cell(t, "%s > %s%s", text[DIFF_OLD], text[DIFF_NEW],
		   noise == NOISE_BEYOND ? " !" : "  ");
}

static void text_row(struct table *t, const struct diff *d, uint32_t n)
{
	const struct diff_row *row = &d->rows[n];
	unsigned int i;

	table_cell(t, "%s", diff_change_name(row->change));
	mean_cell(t, row->mean[DIFF_OLD], "");
	mean_cell(t, row->mean[DIFF_NEW], "");
	difference_cells(t, row);
	table_cell(t, "%s", noise_words[row->count_noise]);
	if (d->has_latency) {
		latency_cell(t, row, 50, row->p50_noise);
		latency_cell(t, row, 99, row->p99_noise);
	}
	for (i = 0; i < d->nr_keys; i++)
		table_cell(t, "%s", diff_text(d, n, i));
}

static struct table *new_table(const struct diff *d)
{
	static const struct {
		const char *title;
		enum table_align align;
	} columns[] = {
		{ "change", TABLE_LEFT }, { "old", TABLE_RIGHT },   { "new", TABLE_RIGHT },
		{ "diff", TABLE_RIGHT },  { "", TABLE_RIGHT },	    { "noise", TABLE_LEFT },
		{ "p50  ", TABLE_RIGHT }, { "p99  ", TABLE_RIGHT },
	};
	unsigned int i, n = d->has_latency ? 8 : 6;
	struct table *t = table_new(n + d->nr_keys);

	if (!t)
		return NULL;
	for (i = 0; i < n; i++)
		table_column(t, i, columns[i].title, columns[i].align);
	for (i = 0; i < d->nr_keys; i++)
		table_column(t, n + i, d->keys[i]->name,
			     sort_key_is_number(d->keys[i]) ? TABLE_RIGHT : TABLE_LEFT);
	return t;
}

int diff_print_text(const struct diff *d, const struct diff_print *opts)
{
	struct table *t = new_table(d);
	uint32_t i, n, *order = diff_order(d, opts, &n);
	int err = -ENOMEM;

	if (t && order) {
		for (i = 0; i < n; i++)
			text_row(t, d, order[i]);
		head(opts->out, d);
		err = table_print(t, opts->out, 0);
		if (n < d->nr_rows)
			fprintf(opts->out, "# %u more rows\n", d->nr_rows - n);
	}
	table_free(t);
	free(order);
	return err;
}

static void json_key(struct json *j, const struct sort_key *key, const char *text)
{
	if (!sort_key_is_number(key))
		json_str(j, key->name, text);
	else if (*text >= '0' && *text <= '9')
		json_u64(j, key->name, strtoull(text, NULL, 10));
	else
		json_null(j, key->name);
}

static void json_noise(struct json *j, const char *name, enum noise noise)
{
	if (noise == NOISE_UNKNOWN)
		json_null(j, name);
	else
		json_bool(j, name, noise == NOISE_BEYOND);
}

static void json_percentile(struct json *j, const char *name, const struct percentile *p,
			    unsigned int percent)
{
	if (p->count)
		json_u64(j, name, percentile_at(p, percent));
	else
		json_null(j, name);
}

static void json_side(struct json *j, const struct diff *d, uint32_t n, enum diff_side side)
{
	const struct diff_row *row = &d->rows[n];
	unsigned int i;

	json_object(j, side_names[side]);
	json_array(j, "counts");
	for (i = 0; i < d->nr_runs; i++)
		if (d->runs[i].side == side)
			json_u64(j, NULL, diff_cells(d, n)[i].count);
	json_end_array(j);
	json_double(j, "mean", row->mean[side]);
	json_percentile(j, "p50_ns", &row->latency[side], 50);
	json_percentile(j, "p99_ns", &row->latency[side], 99);
	json_end_object(j);
}

static void json_row(struct json *j, const struct diff *d, uint32_t n)
{
	const struct diff_row *row = &d->rows[n];
	unsigned int i;

	json_object(j, NULL);
	for (i = 0; i < d->nr_keys; i++)
		json_key(j, d->keys[i], diff_text(d, n, i));
	json_str(j, "change", diff_change_name(row->change));
	json_side(j, d, n, DIFF_OLD);
	json_side(j, d, n, DIFF_NEW);
	json_double(j, "difference", row->mean[DIFF_NEW] - row->mean[DIFF_OLD]);
	json_noise(j, "beyond_noise", row->count_noise);
	json_noise(j, "p50_beyond_noise", row->p50_noise);
	json_noise(j, "p99_beyond_noise", row->p99_noise);
	json_end_object(j);
}

static void json_runs(struct json *j, const struct diff *d, enum diff_side side)
{
	unsigned int i;

	json_array(j, side_names[side]);
	for (i = 0; i < d->nr_runs; i++) {
		if (d->runs[i].side != side)
			continue;
		json_object(j, NULL);
		json_str(j, "file", d->runs[i].path);
		totals_json(j, &d->runs[i].totals, d->runs[i].complete);
		json_end_object(j);
	}
	json_end_array(j);
}

int diff_print_json(const struct diff *d, const struct diff_print *opts)
{
	uint32_t i, n, *order = diff_order(d, opts, &n);
	struct json j;

	if (!order)
		return -ENOMEM;
	json_init(&j, opts->out);
	json_object(&j, NULL);
	json_runs(&j, d, DIFF_OLD);
	json_runs(&j, d, DIFF_NEW);
	json_array(&j, "sort");
	for (i = 0; i < d->nr_keys; i++)
		json_str(&j, NULL, d->keys[i]->name);
	json_end_array(&j);
	json_u64(&j, "rows_total", d->nr_rows);
	json_array(&j, "rows");
	for (i = 0; i < n; i++)
		json_row(&j, d, order[i]);
	json_end_array(&j);
	json_end_object(&j);
	json_end_line(&j);
	free(order);
	return 0;
}

static void csv_noise(struct csv *c, enum noise noise)
{
	csv_str(c, noise == NOISE_UNKNOWN ? NULL : noise == NOISE_BEYOND ? "true" : "false");
}

static void csv_latencies(struct csv *c, const struct diff_row *row, unsigned int percent)
{
	unsigned int side;

	for (side = 0; side < DIFF_SIDES; side++) {
		if (row->latency[side].count)
			csv_u64(c, percentile_at(&row->latency[side], percent));
		else
			csv_str(c, NULL);
	}
}

static void csv_row(struct csv *c, const struct diff *d, uint32_t n)
{
	const struct diff_row *row = &d->rows[n];
	unsigned int i;

	for (i = 0; i < d->nr_keys; i++)
		csv_str(c, diff_text(d, n, i));
	csv_str(c, diff_change_name(row->change));
	csv_double(c, row->mean[DIFF_OLD]);
	csv_double(c, row->mean[DIFF_NEW]);
	csv_double(c, row->mean[DIFF_NEW] - row->mean[DIFF_OLD]);
	csv_noise(c, row->count_noise);
	csv_latencies(c, row, 50);
	csv_noise(c, row->p50_noise);
	csv_latencies(c, row, 99);
	csv_noise(c, row->p99_noise);
	csv_end_line(c);
}

int diff_print_csv(const struct diff *d, const struct diff_print *opts)
{
	static const char *const titles[] = {
		"change",
		"old",
		"new",
		"difference",
		"beyond_noise",
		"old_p50_ns",
		"new_p50_ns",
		"p50_beyond_noise",
		"old_p99_ns",
		"new_p99_ns",
		"p99_beyond_noise",
	};
	uint32_t i, n, *order = diff_order(d, opts, &n);
	struct csv c = { .out = opts->out };

	if (!order)
		return -ENOMEM;
	for (i = 0; i < d->nr_keys; i++)
		csv_str(&c, d->keys[i]->name);
	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		csv_str(&c, titles[i]);
	csv_end_line(&c);
	for (i = 0; i < n; i++)
		csv_row(&c, d, order[i]);
	free(order);
	return 0;
}
