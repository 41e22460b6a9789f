// SPDX-License-Identifier: GPL-2.0
#include "user/report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"

static int add_calls(struct report *r, uint32_t group, uint32_t from)
{
	if (r->opts.calls.order == CALL_NONE)
		return 0;
	return call_graph_add(&r->calls, group, r->frames.at + from, r->frames.nr - from);
}

/* The next function behind @i that is none of those that were inlined into it, or NULL. */
static const struct frame *caller_of(const struct frames *f, uint32_t i)
{
	while (++i < f->nr)
		if (!f->at[i].inlined)
			return &f->at[i];
	return NULL;
}

/* Each function that led to the event has it among those of its callees. */
static int count_callers(struct report *r, const struct ptev_fault *f)
{
	struct sort_ctx *ctx = &r->tally.by.ctx;
	int64_t group = 0;
	uint32_t i;

	for (i = r->frames.own; i < r->frames.nr && group >= 0; i++) {
		if (r->frames.at[i].inlined)
			continue;
		ctx->frame = &r->frames.at[i];
		ctx->caller = caller_of(&r->frames, i);
		group = tally_caller(&r->tally, f);
		if (group >= 0)
			group = add_calls(r, (uint32_t)group, i);
		else if (group == -EEXIST)
			group = 0;
	}
	ctx->frame = NULL;
	return group < 0 ? (int)group : 0;
}

static int fault(struct sink *sink, const struct ptev_fault *f)
{
	struct report *r = (struct report *)sink;
	int err = tally_fault(&r->tally, f);

	if (err || !(r->opts.children || r->opts.calls.order))
		return err;
	err = frames_of_fault(&r->frames, &r->tally.by.ctx.env, f, r->what);
	if (err >= 0)
		err = add_calls(r, r->tally.last, 0);
	return err ?: r->opts.children ? count_callers(r, f) : 0;
}

static int vmexit(struct sink *sink, const struct ptev_vmexit *e)
{
	return tally_vmexit(&((struct report *)sink)->tally, e);
}

static int remap(struct sink *sink, const struct ptev_remap *r)
{
	return tally_remap(&((struct report *)sink)->tally, r);
}

static uint64_t size_of(const struct report *r, uint32_t group)
{
	const struct tally_group *g = &r->tally.groups[group];

	return r->opts.children ? g->inclusive : g->count;
}

/* Most events first; groups of one size by their keys, so that equal input gives equal output. */
static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct report *r = ctx;
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	if (size_of(r, a) != size_of(r, b))
		return size_of(r, a) < size_of(r, b) ? 1 : -1;
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
	err = r->opts.calls.order ? call_graph_sort(&r->calls, r->tally.by.n) : 0;
	if (!err)
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
	struct report *r = (struct report *)sink;

	tally_free(&r->tally);
	call_graph_free(&r->calls);
	frames_free(&r->frames);
	free(r);
}

/* Which parts of frames the report has use for. */
static unsigned int wanted_frames(const struct report *r)
{
	unsigned int i, what = 0;

	if (r->opts.calls.order && !r->opts.calls.no_inline)
		what |= FRAMES_INLINED;
	for (i = 0; i < r->tally.by.nr_keys; i++)
		if (r->opts.children && !strcmp(r->tally.by.keys[i]->name, "srcline"))
			what |= FRAMES_LINES;
	return what;
}

struct sink *sink_report(const struct sink_env *env, const struct report_opts *opts)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	if ((opts->calls.order || opts->children) && !env->info->stacks) {
		msg_error("the recording has no call chains: record with -g");
		free(r);
		return NULL;
	}
	if (groups_init(&r->tally.by, env, opts->abi, opts->sort)) {
		free(r);
		return NULL;
	}
	r->sink = (struct sink){ .fault = fault,
				 .vmexit = vmexit,
				 .remap = remap,
				 .finish = finish,
				 .free = report_free };
	/* Chains are not joined. */
	if (groups_can_join(&r->tally.by) && !opts->calls.order && !opts->children)
		r->sink.join = join;
	r->opts = *opts;
	r->out = opts->out ? opts->out : stdout;
	r->what = wanted_frames(r);
	if (call_graph_init(&r->calls, opts->calls.order)) {
		report_free(&r->sink);
		return NULL;
	}
	return &r->sink;
}
