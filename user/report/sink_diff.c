// SPDX-License-Identifier: GPL-2.0
/* The sink behind diff_read(): counts a recording, then leaves its rows with the others'. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/report/diff.h"
#include "user/report/feed.h"
#include "user/report/tally.h"

struct diff_sink {
	struct sink sink;
	struct diff *diff;
	struct diff_run *run;
	unsigned int nr; /* of the run */
	struct tally tally;
};

static int fault(struct sink *sink, const struct ptev_fault *f)
{
	return tally_fault(&((struct diff_sink *)sink)->tally, f);
}

static int vmexit(struct sink *sink, const struct ptev_vmexit *e)
{
	return tally_vmexit(&((struct diff_sink *)sink)->tally, e);
}

static int remap(struct sink *sink, const struct ptev_remap *r)
{
	return tally_remap(&((struct diff_sink *)sink)->tally, r);
}

/* Numbers of a group's texts among those of all recordings. */
static int names_of(struct diff_sink *s, uint32_t group, uint32_t *names)
{
	const uint64_t *ids = groups_ids(&s->tally.by, group);
	char buf[SORT_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < s->tally.by.nr_keys; i++) {
		int64_t name =
			intern_id(&s->diff->texts, sort_key_text(&s->tally.by.ctx,
								 s->tally.by.keys[i], ids[i], buf));

		if (name < 0)
			return (int)name;
		names[i] = (uint32_t)name;
	}
	return 0;
}

static int leave_row(struct diff_sink *s, uint32_t group)
{
	const struct tally_group *g = &s->tally.groups[group];
	uint32_t names[SORT_KEYS_MAX];
	struct diff_cell *cell;
	int64_t row;
	int err = names_of(s, group, names);

	row = err ? err : diff_find(s->diff, names);
	if (row < 0)
		return (int)row;
	/* Groups may have one text: two mappings of a heap that has grown, say. */
	cell = s->diff->cells + (size_t)row * s->diff->max_runs + s->nr;
	cell->count += g->count;
	if (!g->latency.count)
		return 0;
	s->diff->has_latency = true;
	if (g->latency.count > cell->latencies) {
		cell->p50 = percentile_at(&g->latency, 50);
		cell->p99 = percentile_at(&g->latency, 99);
	}
	cell->latencies += g->latency.count;
	return percentile_merge(&s->diff->rows[row].latency[s->run->side], &g->latency);
}

static int finish(struct sink *sink, const struct rec_totals *totals, bool complete)
{
	struct diff_sink *s = (struct diff_sink *)sink;
	uint32_t i;
	int err = 0;

	s->run->totals = *totals;
	s->run->complete = complete;
	for (i = 0; i < s->tally.by.n && !err; i++)
		err = leave_row(s, i);
	return err;
}

static int join(struct sink *sink, const struct sink *part)
{
	return tally_join(&((struct diff_sink *)sink)->tally,
			  &((const struct diff_sink *)part)->tally);
}

static void sink_free(struct sink *sink)
{
	tally_free(&((struct diff_sink *)sink)->tally);
	free(sink);
}

/* The keys of the first recording are those of all; their names, for the next. */
static void list_keys(char *list, const struct diff *d)
{
	unsigned int i;

	*list = 0;
	for (i = 0; i < d->nr_keys; i++) {
		strcat(list, i ? "," : "");
		strcat(list, d->keys[i]->name);
	}
}

static struct sink *make(const struct sink_env *env, const void *opts)
{
	struct diff *d = *(struct diff *const *)opts;
	struct diff_sink *s = calloc(1, sizeof(*s));
	char list[SORT_KEYS_MAX * 16];

	if (!s)
		return NULL;
	list_keys(list, d);
	if (groups_init(&s->tally.by, env, d->abi, d->nr_keys ? list : d->sort)) {
		free(s);
		return NULL;
	}
	memcpy(d->keys, s->tally.by.keys, sizeof(d->keys));
	d->nr_keys = s->tally.by.nr_keys;
	s->sink = (struct sink){ .fault = fault,
				 .vmexit = vmexit,
				 .remap = remap,
				 .finish = finish,
				 .free = sink_free };
	if (groups_can_join(&s->tally.by))
		s->sink.join = join;
	s->sink.output = d->runs[d->nr_runs].path;
	s->diff = d;
	s->nr = d->nr_runs;
	s->run = &d->runs[s->nr];
	return &s->sink;
}

int diff_read(struct diff *d, const char *path, enum diff_side side)
{
	struct feed_input in = FEED_INPUT_INIT;
	int err;

	if (d->nr_runs == d->max_runs)
		return -E2BIG;
	d->runs[d->nr_runs] = (struct diff_run){ .path = path, .side = side };
	in.paths[in.nr++] = path;
	err = feed_files(&in, make, &d);
	if (!err)
		d->nr_runs++;
	return err;
}
