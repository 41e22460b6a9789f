// SPDX-License-Identifier: GPL-2.0
#include "user/report/feed.h"

#include <errno.h>
#include <string.h>

#include "user/base/msg.h"

int feed_init(struct feed *f, const struct rec_info *info)
{
	memset(f, 0, sizeof(*f));
	f->env.info = info;
	f->env.procs = procs_new();
	f->env.symbols = symbols_new(info->boot_id);
	if (f->env.procs && f->env.symbols)
		return 0;
	feed_end(f);
	return -ENOMEM;
}

int feed_put(struct feed *f, const struct ptev_hdr *record)
{
	if (record->type == PTEV_FAULT)
		return f->sink->fault(f->sink, (const struct ptev_fault *)record);
	if (record->type == PTEV_REMAP)
		return f->sink->remap(f->sink, (const struct ptev_remap *)record);
	if (record->type == PTEV_KSYM)
		return symbols_feed(f->env.symbols, (const struct ptev_ksym *)record);
	if (ptev_is_event(record->type))
		return f->sink->vmexit(f->sink, (const struct ptev_vmexit *)record);
	return procs_feed(f->env.procs, record);
}

int feed_put_live(void *f, const void *record, size_t size)
{
	const struct ptev_hdr *hdr = record;
	struct ptev_fault whole = { 0 };

	if (hdr->type != PTEV_FAULT || size >= sizeof(whole))
		return feed_put(f, hdr);
	memcpy(&whole, record, size);
	return feed_put(f, &whole.hdr);
}

void feed_end(struct feed *f)
{
	if (f->sink)
		f->sink->free(f->sink);
	symbols_free(f->env.symbols);
	procs_free(f->env.procs);
	memset(f, 0, sizeof(*f));
}

/* A recording and its next record. */
struct source {
	const char *path;
	struct rec_reader *reader;
	const struct ptev_hdr *next; /* NULL: there is no more */
	int ret;		     /* of the last rec_next() */
};

struct sources {
	struct source each[FEED_FILES_MAX];
	unsigned int nr;
	struct rec_info info; /* of all */
};

/* All records have it in one place. */
static uint64_t time_of(const struct ptev_hdr *record)
{
	return ((const struct ptev_task *)record)->time;
}

static void advance(struct source *s)
{
	s->ret = rec_next(s->reader, &s->next);
}

/* The source of the oldest record; NULL: all are at their end. */
static struct source *oldest(struct sources *all)
{
	struct source *found = NULL;
	unsigned int i;

	for (i = 0; i < all->nr; i++) {
		struct source *s = &all->each[i];

		if (s->next && (!found || time_of(s->next) < time_of(found->next)))
			found = s;
	}
	return found;
}

/* Whether the times of @info can be compared with those of ->info; if not, says so. */
static int check_boot(const struct sources *all, const struct source *s,
		      const struct rec_info *info)
{
	const struct rec_info *sum = &all->info;
	const char *first = all->each->path;

	if (strcmp(sum->boot_id, info->boot_id)) {
		msg_error("%s: not of the same boot as %s: their times have nothing in common",
			  s->path, first);
		return -EINVAL;
	}
	if (*info->boot_id)
		return 0;
	if (strcmp(sum->hostname, info->hostname) || strcmp(sum->release, info->release)) {
		msg_error("%s: not of the same machine and kernel as %s: their times have nothing "
			  "in common",
			  s->path, first);
		return -EINVAL;
	}
	msg_note("%s: perf does not say of which boot it is: taken to be of that of %s", s->path,
		 first);
	return 0;
}

/* Makes ->info tell of one more recording. */
static int join_info(struct sources *all, const struct source *s)
{
	const struct rec_info *info = rec_info(s->reader);
	struct rec_info *sum = &all->info;
	int err;

	if (s == all->each) {
		*sum = *info;
		return 0;
	}
	err = check_boot(all, s, info);
	if (err)
		return err;
	if (info->start_mono < sum->start_mono)
		sum->start_mono = info->start_mono;
	sum->kvm |= info->kvm;
	sum->no_faults &= info->no_faults;
	sum->remaps |= info->remaps;
	sum->walks |= info->walks;
	sum->stacks |= info->stacks;
	return 0;
}

static int open_sources(struct sources *all, const struct feed_input *in)
{
	int err = 0;

	for (all->nr = 0; all->nr < in->nr && !err; all->nr++) {
		struct source *s = &all->each[all->nr];

		s->path = in->paths[all->nr];
		err = rec_open(&s->reader, s->path);
		if (!err)
			err = join_info(all, s);
	}
	return err;
}

static void add_totals(struct rec_totals *sum, const struct rec_totals *t)
{
	unsigned int i;

	sum->events += t->events;
	for (i = 0; i < PTEV_NR_LOST; i++)
		sum->lost[i] += t->lost[i];
	sum->filtered += t->filtered;
	sum->missed_exit += t->missed_exit;
	sum->missed_runs += t->missed_runs;
	sum->lost_children += t->lost_children;
	sum->lost_sideband += t->lost_sideband;
	if (t->end_mono > sum->end_mono)
		sum->end_mono = t->end_mono;
}

static bool all_totals(const struct sources *all, struct rec_totals *sum)
{
	struct rec_totals t;
	bool complete = true;
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < all->nr; i++) {
		complete = rec_totals(all->each[i].reader, &t) && complete;
		add_totals(sum, &t);
	}
	return complete;
}

/* A recording's build IDs on their way to the symbols. */
struct ids_ctx {
	struct symbols *symbols;
	uint32_t source;
};

static int put_build_id(void *ctx, const char *path, const void *bytes, size_t size)
{
	const struct ids_ctx *to = ctx;
	struct build_id id;

	if (build_id_set(&id, bytes, size))
		return 0;
	return symbols_build_id(to->symbols, path, &id, to->source);
}

int feed_build_ids(struct feed *f, const struct rec_reader *r, uint32_t source)
{
	struct ids_ctx ctx = { f->env.symbols, source };

	return rec_build_ids(r, put_build_id, &ctx);
}

/* Names and mappings always; events of the time that is wanted. */
int feed_wanted(struct feed *f, const struct feed_input *in, const struct ptev_hdr *record,
		uint64_t *events)
{
	if (ptev_is_event(record->type)) {
		if (time_of(record) < in->from || time_of(record) > in->to)
			return 0;
		++*events;
	}
	return feed_put(f, record);
}

/* All records in the order of time. The totals are of what there is; @complete: of all. */
static int feed_in_order(struct feed *f, struct sources *all, const struct feed_input *in,
			 struct rec_totals *totals, bool *complete, uint64_t *events)
{
	struct source *s;
	unsigned int i;
	int err = 0;

	for (i = 0; i < all->nr; i++)
		advance(&all->each[i]);
	while (!err && (s = oldest(all))) {
		err = feed_wanted(f, in, s->next, events);
		advance(s);
	}
	*complete = all_totals(all, totals);
	return err;
}

/* Events up to the end or to where a file is damaged; the totals of what there is. */
static int feed_all(struct feed *f, struct sources *all, const struct feed_input *in,
		    feed_sink make, const void *opts)
{
	struct rec_totals totals;
	uint64_t events = 0;
	bool complete = true;
	int err = 0, failed = 0;
	unsigned int i;

	if (all->nr == 1)
		err = feed_parts(f, in, all->each->reader, make, opts, &totals, &events);
	err = err ? (err < 0 ? err : 0) : feed_in_order(f, all, in, &totals, &complete, &events);
	if (!err) {
		if (in->from || in->to != UINT64_MAX)
			totals.events = events;
		err = f->sink->finish(f->sink, &totals, complete);
	}
	if (err && err != -EPIPE)
		msg_error("%s: %s", f->sink->output ? f->sink->output : "stdout", strerror(-err));
	for (i = 0; i < all->nr && !failed; i++)
		failed = all->each[i].ret;
	return err ? err : failed;
}

int feed_files(const struct feed_input *in, feed_sink make, const void *opts)
{
	struct sources all = { .nr = 0 };
	int err = open_sources(&all, in);
	struct feed f;
	uint32_t i;

	if (!err)
		err = feed_init(&f, &all.info);
	if (!err) {
		for (i = 0; i < all.nr && !err; i++)
			err = feed_build_ids(&f, all.each[i].reader, i);
		f.sink = err ? NULL : make(&f.env, opts);
		if (!err)
			err = f.sink ? feed_all(&f, &all, in, make, opts) : -EINVAL;
		feed_end(&f);
	}
	while (all.nr)
		rec_reader_close(all.each[--all.nr].reader);
	return err;
}
