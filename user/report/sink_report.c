// SPDX-License-Identifier: GPL-2.0
#include "user/report/report.h"

#include <errno.h>
#include <stdlib.h>

static int fault(struct sink *sink, const struct ptev_fault *f)
{
	return tally_fault(&((struct report *)sink)->tally, f);
}

static int vmexit(struct sink *sink, const struct ptev_vmexit *e)
{
	return tally_vmexit(&((struct report *)sink)->tally, e);
}

static int remap(struct sink *sink, const struct ptev_remap *r)
{
	return tally_remap(&((struct report *)sink)->tally, r);
}

/* Most events first; groups of one size by their keys, so that equal input gives equal output. */
static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct report *r = ctx;
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	if (r->tally.groups[a].count != r->tally.groups[b].count)
		return r->tally.groups[a].count < r->tally.groups[b].count ? 1 : -1;
	return groups_compare(&r->tally.by, a, b);
}

static int print(const struct report *r, const struct report_view *view)
{
	int err = r->opts.json	? report_print_json(view)
		  : r->opts.csv ? report_print_csv(view)
				: report_print_text(view);

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
	uint32_t *order = calloc(r->tally.by.n + 1, sizeof(*order));
	uint32_t i;
	int err;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < r->tally.by.n; i++)
		order[i] = i;
	qsort_r(order, r->tally.by.n, sizeof(*order), compare, r);
	view.order = order;
	view.rows = r->tally.by.n;
	if (r->opts.limit && r->opts.limit < view.rows)
		view.rows = r->opts.limit;
	err = print(r, &view);
	free(order);
	return err;
}

static int join(struct sink *sink, const struct sink *part)
{
	return tally_join(&((struct report *)sink)->tally, &((const struct report *)part)->tally);
}

static void report_free(struct sink *sink)
{
	tally_free(&((struct report *)sink)->tally);
	free(sink);
}

struct sink *sink_report(const struct sink_env *env, const struct report_opts *opts)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	if (groups_init(&r->tally.by, env, opts->abi, opts->sort)) {
		free(r);
		return NULL;
	}
	r->sink = (struct sink){ .fault = fault,
				 .vmexit = vmexit,
				 .remap = remap,
				 .finish = finish,
				 .free = report_free };
	if (groups_can_join(&r->tally.by))
		r->sink.join = join;
	r->opts = *opts;
	r->out = opts->out ? opts->out : stdout;
	return &r->sink;
}
