// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf stat: faults, VM exits and remaps counted in the kernel. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/clock.h"
#include "user/base/msg.h"
#include "user/base/table.h"
#include "user/base/units.h"
#include "user/cmd/cmd.h"
#include "user/cmd/new_file.h"
#include "user/cmd/tracing.h"
#include "user/report/percentile.h"
#include "user/report/stat_kvm.h"
#include "user/report/stat_metrics.h"
#include "user/report/totals.h"

#define USAGE "ptrace-pf stat [OPTIONS] [-- COMMAND [ARGS]]"

struct stat_opts {
	struct tracing_opts tracing;
	const char *output;
	uint64_t every; /* ns; 0: only at the end */
	bool json, openmetrics, per_vcpu;
};

static const struct opt options[] = {
	{ 'o', "output", "FILE", "write here instead of stdout", OPT_STR,
	  offsetof(struct stat_opts, output), NULL },
	TRACING_OPT_ROWS(struct stat_opts, tracing),
	{ 0, "per-vcpu", NULL, "exits of each vCPU apart", OPT_FLAG,
	  offsetof(struct stat_opts, per_vcpu), NULL },
	{ 0, "json", NULL, "one JSON document", OPT_FLAG, offsetof(struct stat_opts, json), NULL },
	{ 0, "openmetrics", NULL, "a page of metrics, for Prometheus", OPT_FLAG,
	  offsetof(struct stat_opts, openmetrics), NULL },
	{ 0, "every", "TIME",
	  "write the page of metrics anew each TIME, such as 15s, to FILE of -o", OPT_TIME,
	  offsetof(struct stat_opts, every), NULL },
	{ 0 },
};

struct counts {
	struct ptev_stat stat;
	struct rec_totals totals;
	uint64_t duration;
	uint64_t origins[PTEV_NR_ORIGINS];
	struct kvm_count *exits;
	size_t nr_exits;
	enum fault_hook hook;
	bool faults, kvm, remap;
	bool by_end; /* filtered by outcome or latency */
};

static int ignore(void *ctx, const void *record, size_t size)
{
	(void)ctx;
	(void)record;
	(void)size;
	return 0;
}

static uint64_t nr_faults(const struct counts *c)
{
	uint64_t n = 0;
	unsigned int origin;

	for (origin = 0; origin < PTEV_NR_ORIGINS; origin++)
		n += c->origins[origin];
	return n;
}

static uint64_t nr_remaps(const struct counts *c)
{
	uint64_t n = 0;
	unsigned int event;

	for (event = 0; event < PTEV_NR_REMAPS; event++)
		n += c->stat.remaps[event];
	return n;
}

/* @over: nothing is on its way any more. */
static int count(struct counts *c, const struct tracing *t, bool over)
{
	unsigned int origin, ec;
	size_t i;
	int err;

	memset(c->origins, 0, sizeof(c->origins));
	session_totals(t->session, &c->totals);
	session_stats(t->session, &c->stat);
	c->duration = clock_ns(CLOCK_MONOTONIC) - t->info.start_mono;
	c->hook = session_hook(t->session);
	for (origin = 0; origin < PTEV_NR_ORIGINS; origin++)
		for (ec = 0; ec < PTEV_STAT_ECS; ec++)
			c->origins[origin] += c->stat.by_ec[origin][ec];
	c->totals.events = nr_faults(c) + nr_remaps(c);
	/* A fault is counted when it begins, unless its end decides: nothing can lose it then. */
	if (!c->by_end)
		memset(c->totals.lost, 0, sizeof(c->totals.lost));
	if (!over)
		c->totals.lost[PTEV_LOST_INFLIGHT] = 0;
	if (!c->kvm)
		return 0;
	if (!c->by_end)
		c->totals.lost[PTEV_LOST_STATE] = session_kvm_lost(t->session);
	err = session_kvm_counts(t->session, &c->exits, &c->nr_exits);
	for (i = 0; i < c->nr_exits && !err; i++)
		c->totals.events += c->exits[i].stat.count;
	return err;
}

/* Upper end of the histogram slot in which @share of all @n values are reached. */
static uint64_t quantile(const struct ptev_stat *s, uint64_t n, double share)
{
	uint64_t want = (uint64_t)(share * (double)n + 0.5), seen = 0;
	unsigned int slot;

	for (slot = 0; slot < PTEV_STAT_LAT; slot++) {
		seen += s->latency[slot];
		if (seen >= want && seen)
			break;
	}
	return slot < 63 ? 2ULL << slot : UINT64_MAX;
}

static uint64_t nr_latencies(const struct ptev_stat *s)
{
	uint64_t n = 0;
	unsigned int slot;

	for (slot = 0; slot < PTEV_STAT_LAT; slot++)
		n += s->latency[slot];
	return n;
}

static void row(struct table *t, uint64_t n, uint64_t of, const char *what)
{
	char text[UNITS_LEN];

	table_cell(t, "%s", units_count(text, n));
	table_cell(t, "%.2f%%", of ? 100.0 * (double)n / (double)of : 0.0);
	table_cell(t, "%s", what);
}

static void rows_by_error(struct table *t, const struct counts *c)
{
	unsigned int origin, ec;
	char bits[40], what[80];

	for (origin = 0; origin < PTEV_NR_ORIGINS; origin++) {
		if (!c->origins[origin])
			continue;
		row(t, c->origins[origin], nr_faults(c), name_origin(origin));
		for (ec = 0; ec < PTEV_STAT_ECS; ec++) {
			if (!c->stat.by_ec[origin][ec])
				continue;
			snprintf(what, sizeof(what), "  %s error=%s", name_origin(origin),
				 name_error_code(bits, ec));
			row(t, c->stat.by_ec[origin][ec], nr_faults(c), what);
		}
	}
}

static void rows_by_outcome(struct table *t, const struct counts *c)
{
	unsigned int i;
	char what[80];

	for (i = 0; i < PTEV_NR_OUTCOMES; i++) {
		if (!c->stat.by_outcome[i])
			continue;
		snprintf(what, sizeof(what), "outcome %s", name_outcome(i));
		row(t, c->stat.by_outcome[i], nr_faults(c), what);
	}
	if (c->stat.major)
		row(t, c->stat.major, nr_faults(c), "major");
}

/* A table of counts, with the sum of all in its first row; NULL: no memory. */
static struct table *counts_table(const char *what, uint64_t all)
{
	struct table *t = table_new(3);

	if (!t)
		return NULL;
	table_column(t, 0, "count", TABLE_RIGHT);
	table_column(t, 1, "share", TABLE_RIGHT);
	table_column(t, 2, what, TABLE_LEFT);
	row(t, all, all, "all");
	return t;
}

static int print_faults(FILE *out, const struct counts *c)
{
	uint64_t n = nr_latencies(&c->stat);
	char a[UNITS_LEN], b[UNITS_LEN], d[UNITS_LEN];
	struct table *t = counts_table("faults", nr_faults(c));
	int err;

	if (!t)
		return -ENOMEM;
	rows_by_error(t, c);
	rows_by_outcome(t, c);
	err = table_print(t, out, 0);
	table_free(t);
	if (n)
		fprintf(out, "\nlatency: mean %s, half below %s, 99%% below %s\n",
			units_time(a, c->stat.latency_sum / n),
			units_time(b, quantile(&c->stat, n, 0.5)),
			units_time(d, quantile(&c->stat, n, 0.99)));
	return err;
}

static int print_remaps(FILE *out, const struct counts *c)
{
	struct table *t = counts_table("remaps", nr_remaps(c));
	unsigned int event;
	int err;

	if (!t)
		return -ENOMEM;
	for (event = 0; event < PTEV_NR_REMAPS; event++)
		if (c->stat.remaps[event])
			row(t, c->stat.remaps[event], nr_remaps(c), name_remap(event));
	err = table_print(t, out, 0);
	table_free(t);
	return err;
}

static void print_lost(FILE *out, const struct rec_totals *totals)
{
	struct line l = { 0 };

	totals_lost_line(&l, totals);
	if (l.len)
		fprintf(out, "\n%.*s\n", (int)l.len, l.buf);
	line_free(&l);
}

static int print_text(FILE *out, const struct counts *c, bool per_vcpu)
{
	char a[UNITS_LEN];
	int err = 0;

	if (c->faults)
		err = print_faults(out, c);
	if (c->faults && c->kvm)
		fputc('\n', out);
	if (c->kvm && !err)
		err = stat_kvm_text(out, c->exits, c->nr_exits, per_vcpu);
	if ((c->faults || c->kvm) && c->remap)
		fputc('\n', out);
	if (c->remap && !err)
		err = print_remaps(out, c);
	if (c->totals.filtered)
		fprintf(out, "\nfiltered out: %s\n", units_count(a, c->totals.filtered));
	if (c->kvm)
		print_lost(out, &c->totals);
	fprintf(out, "\nhook %s, %s elapsed\n", name_hook(c->hook), units_time(a, c->duration));
	return err;
}

static void json_latency(struct json *j, const struct ptev_stat *s)
{
	unsigned int slot;

	json_array(j, "latency_histogram");
	for (slot = 0; slot < PTEV_STAT_LAT; slot++) {
		if (!s->latency[slot])
			continue;
		json_object(j, NULL);
		json_u64(j, "from_ns", slot ? 1ULL << slot : 0);
		json_u64(j, "below_ns", slot < 63 ? 2ULL << slot : UINT64_MAX);
		json_u64(j, "count", s->latency[slot]);
		json_end_object(j);
	}
	json_end_array(j);
	json_u64(j, "latency_sum_ns", s->latency_sum);
}

static void json_remaps(struct json *j, const struct ptev_stat *s)
{
	unsigned int event;

	json_object(j, "remaps");
	for (event = 0; event < PTEV_NR_REMAPS; event++)
		json_u64(j, name_remap(event), s->remaps[event]);
	json_end_object(j);
}

static int print_json(FILE *out, const struct counts *c)
{
	unsigned int origin, ec, i;
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	totals_json(&j, &c->totals, true);
	json_str(&j, "hook", name_hook(c->hook));
	json_u64(&j, "duration_ns", c->duration);
	json_object(&j, "origin");
	for (origin = 0; origin < PTEV_NR_ORIGINS; origin++)
		json_u64(&j, name_origin(origin), c->origins[origin]);
	json_end_object(&j);
	json_array(&j, "error_codes");
	for (i = 0; i < PTEV_NR_ORIGINS * PTEV_STAT_ECS; i++) {
		origin = i / PTEV_STAT_ECS;
		ec = i % PTEV_STAT_ECS;
		if (!c->stat.by_ec[origin][ec])
			continue;
		json_object(&j, NULL);
		json_str(&j, "origin", name_origin(origin));
		json_u64(&j, "error_code", ec);
		json_u64(&j, "count", c->stat.by_ec[origin][ec]);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_object(&j, "outcome");
	for (i = 0; i < PTEV_NR_OUTCOMES; i++)
		if (c->stat.by_outcome[i])
			json_u64(&j, name_outcome(i), c->stat.by_outcome[i]);
	json_end_object(&j);
	json_u64(&j, "major", c->stat.major);
	json_latency(&j, &c->stat);
	if (c->kvm)
		stat_kvm_json(&j, c->exits, c->nr_exits);
	if (c->remap)
		json_remaps(&j, &c->stat);
	json_end_object(&j);
	json_end_line(&j);
	return 0;
}

static void print_metrics(FILE *out, const struct counts *c, bool per_vcpu)
{
	const struct stat_metrics m = {
		.faults = c->faults ? &c->stat : NULL,
		.totals = &c->totals,
		.exits_counted = c->kvm,
		.remaps = c->remap ? (const uint64_t *)c->stat.remaps : NULL,
		.per_vcpu = per_vcpu,
		.exits = c->exits,
		.nr_exits = c->nr_exits,
		.duration = c->duration,
		.hook = name_hook(c->hook),
	};

	stat_metrics_print(out, &m);
}

static int print(const struct stat_opts *o, const struct counts *c)
{
	struct new_file f;
	int err = new_file_open(&f, o->output, NEW_FILE_PUBLIC);

	if (err)
		return err;
	if (o->openmetrics)
		print_metrics(f.out, c, o->per_vcpu);
	else
		err = o->json ? print_json(f.out, c) : print_text(f.out, c, o->per_vcpu);
	return new_file_done(&f, err);
}

struct stat_run {
	const struct stat_opts *o;
	struct tracing t;
	struct counts c;
	uint64_t next; /* page, CLOCK_MONOTONIC */
};

static int count_and_print(struct stat_run *run, bool over)
{
	int err = count(&run->c, &run->t, over);

	if (err)
		msg_error("cannot read the counters: %s", strerror(-err));
	else
		err = print(run->o, &run->c);
	free(run->c.exits);
	run->c.exits = NULL;
	return err;
}

static int tick(void *ctx)
{
	struct stat_run *run = ctx;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (!run->o->every || now < run->next)
		return 0;
	run->next = now + run->o->every;
	return count_and_print(run, false);
}

/* Why the options cannot stand together, or NULL. */
static const char *contradiction(const struct stat_opts *o)
{
	if (o->json && o->openmetrics)
		return "--json and --openmetrics exclude each other";
	if (o->every && (!o->openmetrics || !o->output))
		return "--every is for a page of metrics in a file: add --openmetrics and -o";
	return NULL;
}

int cmd_stat(int argc, char **argv)
{
	struct stat_opts o = { .tracing = TRACING_OPTS_INIT };
	struct stat_run run = { .o = &o };
	int rest, err, status;

	err = opts_parse(options, USAGE, NULL, argc, argv, &o, &rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (contradiction(&o)) {
		msg_usage(USAGE, "%s", contradiction(&o));
		return EXIT_USAGE;
	}
	o.tracing.cfg.stat = 1;
	status = tracing_start(&run.t, &o.tracing, false, argc, argv,
			       rest < argc ? argv + rest : NULL);
	if (status)
		return status;
	run.t.output_later = o.output;
	run.c.by_end = o.tracing.cfg.outcomes || o.tracing.cfg.min_latency;
	run.c.faults = o.tracing.cfg.origins;
	run.c.kvm = o.tracing.cfg.kvm;
	run.c.remap = o.tracing.cfg.remap;
	err = tracing_run(&run.t, ignore, tick, &run);
	if (!err && !run.t.exec_error)
		err = count_and_print(&run, true);
	return tracing_end(&run.t, err);
}
