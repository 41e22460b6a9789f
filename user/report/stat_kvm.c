// SPDX-License-Identifier: GPL-2.0
#include "user/report/stat_kvm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/table.h"
#include "user/base/units.h"
#include "user/trace/kvm_names.h"

#define NR_SLOTS 64

void stat_kvm_add(struct ptev_kvm_stat *a, const struct ptev_kvm_stat *b)
{
	unsigned int slot;

	a->count += b->count;
	a->ended += b->ended;
	a->sum += b->sum;
	if (b->min < a->min)
		a->min = b->min;
	if (b->max > a->max)
		a->max = b->max;
	for (slot = 0; slot < NR_SLOTS; slot++)
		a->latency[slot] += b->latency[slot];
}

uint64_t stat_kvm_quantile(const struct ptev_kvm_stat *s, unsigned int percent)
{
	uint64_t want, seen = 0;
	unsigned int slot;

	if (!s->ended)
		return 0;
	want = s->ended - s->ended * (100 - percent) / 100;
	for (slot = 0; slot < NR_SLOTS - 1; slot++) {
		seen += s->latency[slot];
		if (seen >= want)
			break;
	}
	return slot < NR_SLOTS - 1 && 2ULL << slot < s->max ? 2ULL << slot : s->max;
}

/* Rows that are one in the table stand side by side. */
static int by_key(const void *pa, const void *pb)
{
	const struct ptev_kvm_key *a = &((const struct kvm_count *)pa)->key;
	const struct ptev_kvm_key *b = &((const struct kvm_count *)pb)->key;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->reason != b->reason)
		return a->reason < b->reason ? -1 : 1;
	return (a->vcpu > b->vcpu) - (a->vcpu < b->vcpu);
}

static int by_time(const void *pa, const void *pb)
{
	const struct kvm_count *a = pa, *b = pb;

	if (a->stat.sum != b->stat.sum)
		return a->stat.sum < b->stat.sum ? 1 : -1;
	return by_key(pa, pb);
}

/* The vCPUs of a VM added up, in place. Returns how many rows are left. */
static size_t merge_vcpus(struct kvm_count *rows, size_t n)
{
	size_t i, out = 0;

	for (i = 0; i < n; i++) {
		if (out && rows[out - 1].key.pid == rows[i].key.pid &&
		    rows[out - 1].key.reason == rows[i].key.reason)
			stat_kvm_add(&rows[out - 1].stat, &rows[i].stat);
		else
			rows[out++] = rows[i];
	}
	return out;
}

size_t stat_kvm_rows(struct kvm_count *counts, size_t n, bool per_vcpu)
{
	if (n)
		qsort(counts, n, sizeof(*counts), by_key);
	return per_vcpu ? n : merge_vcpus(counts, n);
}

static void put_times(struct table *t, const struct ptev_kvm_stat *s)
{
	const uint64_t times[] = { s->min, s->ended ? s->sum / s->ended : 0,
				   stat_kvm_quantile(s, 99), s->max };
	char text[UNITS_LEN];
	unsigned int i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		table_cell(t, "%s", s->ended ? units_time(text, times[i]) : "-");
}

static void put_row(struct table *t, const struct kvm_count *row, const struct ptev_kvm_stat *all,
		    bool per_vcpu)
{
	char text[UNITS_LEN], reason[40];

	table_cell(t, "%" PRIu32, row->key.pid);
	if (per_vcpu)
		table_cell(t, "%" PRIu32, row->key.vcpu);
	table_cell(t, "%s", name_exit_reason(reason, row->key.isa, row->key.reason));
	table_cell(t, "%s", units_count(text, row->stat.count));
	table_cell(t, "%.2f%%", 100.0 * (double)row->stat.count / (double)all->count);
	table_cell(t, "%.2f%%", all->sum ? 100.0 * (double)row->stat.sum / (double)all->sum : 0.0);
	put_times(t, &row->stat);
}

static struct table *new_table(bool per_vcpu)
{
	static const char *const columns[] = { "count", "share", "time", "min",
					       "mean",	"p99 <", "max" };
	struct table *t = table_new(9 + per_vcpu);
	unsigned int i, column = 0;

	if (!t)
		return NULL;
	table_column(t, column++, "vm", TABLE_RIGHT);
	if (per_vcpu)
		table_column(t, column++, "vcpu", TABLE_RIGHT);
	table_column(t, column++, "exits", TABLE_LEFT);
	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		table_column(t, column++, columns[i], TABLE_RIGHT);
	return t;
}

int stat_kvm_text(FILE *out, struct kvm_count *counts, size_t n, bool per_vcpu)
{
	struct ptev_kvm_stat all = { .min = UINT64_MAX };
	struct table *t = new_table(per_vcpu);
	char count[UNITS_LEN], time[UNITS_LEN];
	size_t i;
	int err;

	if (!t)
		return -ENOMEM;
	n = stat_kvm_rows(counts, n, per_vcpu);
	if (n)
		qsort(counts, n, sizeof(*counts), by_time);
	for (i = 0; i < n; i++)
		stat_kvm_add(&all, &counts[i].stat);
	for (i = 0; i < n; i++)
		put_row(t, &counts[i], &all, per_vcpu);
	err = table_print(t, out, 0);
	table_free(t);
	fprintf(out, "\n%s exits, %s outside the guests\n", units_count(count, all.count),
		units_time(time, all.sum));
	return err;
}

static void put_histogram(struct json *j, const struct ptev_kvm_stat *s)
{
	unsigned int slot;

	json_array(j, "latency_histogram");
	for (slot = 0; slot < NR_SLOTS; slot++) {
		if (!s->latency[slot])
			continue;
		json_object(j, NULL);
		json_u64(j, "from_ns", slot ? 1ULL << slot : 0);
		json_u64(j, "below_ns", slot < NR_SLOTS - 1 ? 2ULL << slot : UINT64_MAX);
		json_u64(j, "count", s->latency[slot]);
		json_end_object(j);
	}
	json_end_array(j);
}

void stat_kvm_json(struct json *j, struct kvm_count *counts, size_t n)
{
	char reason[40];
	size_t i;

	if (n)
		qsort(counts, n, sizeof(*counts), by_key);
	json_array(j, "exits");
	for (i = 0; i < n; i++) {
		const struct kvm_count *c = &counts[i];

		json_object(j, NULL);
		json_u64(j, "pid", c->key.pid);
		json_u64(j, "vcpu", c->key.vcpu);
		json_str(j, "isa", name_isa(c->key.isa));
		json_u64(j, "reason", c->key.reason);
		json_str(j, "reason_name", name_exit_reason(reason, c->key.isa, c->key.reason));
		json_u64(j, "count", c->stat.count);
		json_u64(j, "ended", c->stat.ended);
		json_u64(j, "latency_sum_ns", c->stat.sum);
		json_u64(j, "latency_min_ns", c->stat.ended ? c->stat.min : 0);
		json_u64(j, "latency_max_ns", c->stat.max);
		put_histogram(j, &c->stat);
		json_end_object(j);
	}
	json_end_array(j);
}
