// SPDX-License-Identifier: GPL-2.0
#include "user/report/top_model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/report/view.h"

#define ROWS_KEPT   8192 /* more than these, and those without events go */
#define DEFAULT_KEY "pid,comm"

/* Both kinds of events unless the keys make sense for one only. */
static const struct {
	const char *sort, *sort_abi;
	bool faults, exits;
} views[TOP_GROUPED] = {
	[TOP_PROCESS] = { DEFAULT_KEY, DEFAULT_KEY, true, true },
	[TOP_VMA] = { "pid,vma", "pid,vma", true, false },
	[TOP_OUTCOME] = { "event,outcome,access,origin", "event,outcome,access,origin", true,
			  true },
	[TOP_VM] = { "vm,vcpu,event,reason,nr", "vm,vcpu,event,reason,call", false, true },
};

/* Room for the row @group; rows are zero before they are used. */
static int make_room(struct top_view *v, int64_t group)
{
	uint32_t room = v->room ? v->room * 2 : 64;
	struct top_row *rows;

	if (group < v->room)
		return 0;
	rows = reallocarray(v->rows, room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	memset(rows + v->room, 0, (room - v->room) * sizeof(*rows));
	v->rows = rows;
	v->room = room;
	return 0;
}

static int count_row(struct top_view *v, const struct ptev_hdr *event, const __u64 *latency)
{
	int64_t group;
	int err;

	if (v->by.n >= TOP_ROWS_MAX) {
		v->others.now++;
		return 0;
	}
	group = groups_find(&v->by, event);
	if (group < 0)
		return (int)group;
	err = make_room(v, group);
	if (err)
		return err;
	v->rows[group].count.now++;
	return latency ? percentile_add(&v->rows[group].now, *latency) : 0;
}

static int count_latency(struct top_latency *l, uint64_t ns)
{
	l->any = true;
	l->now[ns ? 63 - __builtin_clzll(ns) : 0]++;
	return percentile_add(&l->p_now, ns);
}

static int count(struct top_model *m, enum top_family family, const struct ptev_hdr *event,
		 const __u64 *latency)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < TOP_GROUPED && !err; i++)
		if (family == TOP_FAULTS ? views[i].faults : views[i].exits)
			err = count_row(&m->views[i], event, latency);
	if (!err && latency)
		err = count_latency(&m->latency[family], *latency);
	return err;
}

static int fault(struct sink *sink, const struct ptev_fault *f)
{
	struct top_model *m = (struct top_model *)sink;
	int err =
		count(m, TOP_FAULTS, &f->hdr, fault_parts(f) & PTEV_F_EXIT ? &f->x.latency : NULL);

	m->kinds[f->origin % PTEV_NR_ORIGINS].now++;
	return err ? err : top_strip_add(&m->where[TOP_FAULTS], f->address);
}

static int vmexit(struct sink *sink, const struct ptev_vmexit *e)
{
	struct top_model *m = (struct top_model *)sink;
	int err = count(m, TOP_EXITS, &e->hdr, e->flags & PTEV_K_LATENCY ? &e->latency : NULL);

	m->kinds[e->hdr.type == PTEV_HYPERCALL	 ? TOP_HYPERCALL
		 : e->hdr.type == PTEV_VIOLATION ? TOP_VIOLATION
						 : TOP_EXIT]
		.now++;
	if (err || e->hdr.type != PTEV_VIOLATION || !(e->flags & PTEV_K_GPA))
		return err;
	return top_strip_add(&m->where[TOP_EXITS], ((const struct ptev_violation *)e)->gpa);
}

static int remap(struct sink *sink, const struct ptev_remap *r __attribute__((unused)))
{
	((struct top_model *)sink)->kinds[TOP_REMAP].now++;
	return 0;
}

/* Everything is counted already; how the stream ended is for whoever shows it. */
static int finish(struct sink *sink __attribute__((unused)),
		  const struct rec_totals *totals __attribute__((unused)),
		  bool complete __attribute__((unused)))
{
	return 0;
}

static void free_row(struct top_row *row)
{
	percentile_free(&row->now);
	percentile_free(&row->last);
	row->count = (struct top_count){ 0 };
}

static void view_free(struct top_view *v)
{
	uint32_t i;

	for (i = 0; i < v->room; i++)
		free_row(&v->rows[i]);
	free(v->rows);
	v->rows = NULL;
	v->room = 0;
	groups_free(&v->by);
}

static void latency_turn(struct percentile *now, struct percentile *last)
{
	percentile_free(last);
	*last = *now;
	*now = (struct percentile){ 0 };
}

struct keeping {
	struct top_view *view;
	uint32_t kept;
};

/* A row without events in the last window goes, and those that stay move up. */
static bool keep(void *ctx, uint32_t group)
{
	struct keeping *k = ctx;
	struct top_row *rows = k->view->rows;

	if (!rows[group].count.last) {
		top_count_add(&k->view->others, &rows[group].count);
		free_row(&rows[group]);
		return false;
	}
	if (k->kept != group) {
		rows[k->kept] = rows[group];
		rows[group] = (struct top_row){ 0 };
	}
	k->kept++;
	return true;
}

/* Names are interned for good: when there are too many, the view begins anew with its rows. */
static int begin_anew(struct top_model *m, struct top_view *v)
{
	uint32_t i;

	for (i = 0; i < v->by.n; i++)
		top_count_add(&v->others, &v->rows[i].count);
	view_free(v);
	return groups_init(&v->by, &m->env, m->abi, v->sort);
}

static int view_turn(struct top_model *m, struct top_view *v)
{
	struct keeping k = { .view = v };
	uint32_t i;

	if (v->by.ctx.vmas.n > TOP_NAMES || v->by.ctx.names.strings.n > TOP_NAMES) {
		int err = begin_anew(m, v);

		if (err)
			return err;
	}
	top_count_turn(&v->others);
	for (i = 0; i < v->by.n; i++) {
		top_count_turn(&v->rows[i].count);
		latency_turn(&v->rows[i].now, &v->rows[i].last);
	}
	return v->by.n > ROWS_KEPT ? groups_keep(&v->by, keep, &k) : 0;
}

int top_model_turn(struct top_model *m, uint64_t now)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < TOP_GROUPED && !err; i++)
		err = view_turn(m, &m->views[i]);
	for (i = 0; i < TOP_KINDS; i++)
		top_count_turn(&m->kinds[i]);
	for (i = 0; i < TOP_FAMILIES; i++) {
		struct top_latency *l = &m->latency[i];

		memcpy(l->last, l->now, sizeof(l->last));
		memset(l->now, 0, sizeof(l->now));
		latency_turn(&l->p_now, &l->p_last);
		top_strip_turn(&m->where[i]);
	}
	m->window = now > m->from ? now - m->from : 0;
	m->from = now;
	return err;
}

static void forget(struct top_model *m)
{
	unsigned int i;

	for (i = 0; i < TOP_GROUPED; i++) {
		view_free(&m->views[i]);
		m->views[i].others = (struct top_count){ 0 };
	}
	memset(m->kinds, 0, sizeof(m->kinds));
	for (i = 0; i < TOP_FAMILIES; i++) {
		percentile_free(&m->latency[i].p_now);
		percentile_free(&m->latency[i].p_last);
		m->latency[i] = (struct top_latency){ .any = m->latency[i].any };
		top_strip_free(&m->where[i]);
	}
}

int top_model_zero(struct top_model *m, uint64_t now)
{
	unsigned int i;
	int err = 0;

	forget(m);
	for (i = 0; i < TOP_GROUPED && !err; i++)
		err = groups_init(&m->views[i].by, &m->env, m->abi, m->views[i].sort);
	m->window = 0;
	m->from = now;
	return err;
}

void top_model_free(struct top_model *m)
{
	if (m)
		forget(m);
	free(m);
}

static void sink_free(struct sink *sink)
{
	top_model_free((struct top_model *)sink);
}

struct top_model *top_model_new(const struct sink_env *env, const struct top_model_opts *opts)
{
	struct top_model *m = calloc(1, sizeof(*m));
	unsigned int i;

	if (!m)
		return NULL;
	m->sink = (struct sink){ .fault = fault,
				 .vmexit = vmexit,
				 .remap = remap,
				 .finish = finish,
				 .free = sink_free };
	m->env = *env;
	m->abi = opts->abi;
	for (i = 0; i < TOP_GROUPED; i++)
		m->views[i].sort = opts->abi ? views[i].sort_abi : views[i].sort;
	if (opts->sort)
		m->views[TOP_PROCESS].sort = opts->sort;
	if (!top_model_zero(m, 0))
		return m;
	top_model_free(m);
	return NULL;
}

uint64_t top_model_total(const struct top_model *m)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < TOP_KINDS; i++)
		sum += m->kinds[i].total;
	return sum;
}

uint64_t top_model_last(const struct top_model *m)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < TOP_KINDS; i++)
		sum += m->kinds[i].last;
	return sum;
}

double top_rate(const struct top_model *m, uint64_t count)
{
	return m->window ? (double)count * 1e9 / (double)m->window : 0;
}
