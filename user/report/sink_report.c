// SPDX-License-Identifier: GPL-2.0
#include "user/report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/report/view.h"

/* Room for what is counted of the group @slot. */
static int make_room(struct report *r, int64_t slot)
{
	uint32_t room = r->room ? r->room * 2 : 64;
	struct group *groups;

	if (slot < r->room)
		return 0;
	groups = room > r->room ? reallocarray(r->groups, room, sizeof(*groups)) : NULL;
	if (!groups)
		return -ENOMEM;
	memset(groups + r->room, 0, (room - r->room) * sizeof(*groups));
	r->groups = groups;
	r->room = room;
	return 0;
}

static int64_t find_group(struct report *r, const struct ptev_hdr *event)
{
	int64_t slot = groups_find(&r->by, event);
	int err = slot < 0 ? 0 : make_room(r, slot);

	return err ? err : slot;
}

/* @latency: NULL if the end was not seen. */
static int count(struct report *r, const struct ptev_hdr *event, uint64_t time,
		 const __u64 *latency)
{
	int64_t slot = find_group(r, event);

	if (slot < 0)
		return (int)slot;
	r->events++;
	r->groups[slot].count++;
	if (time > r->last_time)
		r->last_time = time;
	if (!latency)
		return 0;
	r->has_latency = true;
	return percentile_add(&r->groups[slot].latency, *latency);
}

static int fault(struct sink *sink, const struct ptev_fault *f)
{
	return count((struct report *)sink, &f->hdr, f->time,
		     fault_parts(f) & PTEV_F_EXIT ? &f->x.latency : NULL);
}

static int vmexit(struct sink *sink, const struct ptev_vmexit *e)
{
	return count((struct report *)sink, &e->hdr, e->time,
		     e->flags & PTEV_K_LATENCY ? &e->latency : NULL);
}

/* Most events first; groups of one size by their keys, so that equal input gives equal output. */
static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct report *r = ctx;
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	if (r->groups[a].count != r->groups[b].count)
		return r->groups[a].count < r->groups[b].count ? 1 : -1;
	return groups_compare(&r->by, a, b);
}

static int print(const struct report *r, const struct report_view *view)
{
	int err = r->opts.json ? report_print_json(view) : report_print_text(view);

	if (err)
		return err;
	errno = 0;
	if (!fflush(r->out) && !ferror(r->out))
		return 0;
	return errno ? -errno : -EIO;
}

static int finish(struct sink *sink, const struct rec_totals *totals, bool complete)
{
	struct report *r = (struct report *)sink;
	struct report_view view = { .report = r, .totals = totals, .complete = complete };
	uint32_t *order = calloc(r->by.n + 1, sizeof(*order));
	uint32_t i;
	int err;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < r->by.n; i++)
		order[i] = i;
	qsort_r(order, r->by.n, sizeof(*order), compare, r);
	view.order = order;
	view.rows = r->by.n;
	if (r->opts.limit && r->opts.limit < view.rows)
		view.rows = r->opts.limit;
	err = print(r, &view);
	free(order);
	return err;
}

static void report_free(struct sink *sink)
{
	struct report *r = (struct report *)sink;
	uint32_t i;

	for (i = 0; i < r->room; i++)
		percentile_free(&r->groups[i].latency);
	free(r->groups);
	groups_free(&r->by);
	free(r);
}

struct sink *sink_report(const struct sink_env *env, const struct report_opts *opts)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	if (groups_init(&r->by, env, opts->abi, opts->sort)) {
		free(r);
		return NULL;
	}
	r->sink = (struct sink){
		.fault = fault, .vmexit = vmexit, .finish = finish, .free = report_free
	};
	r->opts = *opts;
	r->out = opts->out ? opts->out : stdout;
	return &r->sink;
}
