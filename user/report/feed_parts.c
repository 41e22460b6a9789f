// SPDX-License-Identifier: GPL-2.0
/* A recording by several threads that share nothing but its side band: see rec_take_part(). */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "user/report/feed.h"

#define PARTS_MAX 32
/* Each thread has its own symbols: more would not stay within what a report may take. */
#define PARTS_DEFAULT 4
/* Below, one thread is done before several have read the kernel's symbols. */
#define WORTH_IT (8u << 20)

struct parts;

struct part {
	struct parts *all;
	pthread_t thread;
	struct rec_reader *reader;
	struct feed feed;
	uint64_t events;
	int err;
};

struct parts {
	const struct feed_input *in;
	struct rec_board *board;
	unsigned int nr;
	struct part each[PARTS_MAX];
};

static unsigned int count_parts(const struct feed_input *in, const struct rec_reader *r)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (in->jobs)
		return in->jobs < PARTS_MAX ? in->jobs : PARTS_MAX;
	if (rec_file_size(r) < WORTH_IT || cpus < 1)
		return 1;
	return cpus < PARTS_DEFAULT ? (unsigned int)cpus : PARTS_DEFAULT;
}

/* Everything but the thread. */
static int part_init(struct parts *all, struct part *p, feed_sink make, const void *opts)
{
	int err = rec_open(&p->reader, all->in->paths[0]);

	p->all = all;
	if (!err)
		err = rec_take_part(p->reader, all->board, (unsigned int)(p - all->each));
	if (!err)
		err = feed_init(&p->feed, rec_info(p->reader));
	if (!err)
		err = feed_build_ids(&p->feed, p->reader, 0);
	if (err)
		return err;
	p->feed.sink = make(&p->feed.env, opts);
	return p->feed.sink ? 0 : -ENOMEM;
}

static int init_all(struct parts *all, feed_sink make, const void *opts)
{
	unsigned int i;
	int err;

	all->board = rec_board_new(all->nr);
	err = all->board ? 0 : -ENOMEM;
	for (i = 0; i < all->nr && !err; i++)
		err = part_init(all, &all->each[i], make, opts);
	return err;
}

static void *run(void *ctx)
{
	struct part *p = ctx;
	const struct ptev_hdr *record;
	int ret = 1;

	while (!p->err && (ret = rec_next(p->reader, &record)) == 1)
		p->err = feed_wanted(&p->feed, p->all->in, record, &p->events);
	if (!p->err && (ret || !rec_part_whole(p->reader)))
		p->err = ret < 0 ? ret : -EINVAL;
	if (p->err)
		rec_board_stop(p->all->board);
	return NULL;
}

/* Signals are for the thread that was there before. */
static int start(struct part *p)
{
	sigset_t every, old;
	int err;

	sigfillset(&every);
	pthread_sigmask(SIG_BLOCK, &every, &old);
	err = pthread_create(&p->thread, NULL, run, p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

/* The first part is this thread's. */
static int run_all(struct parts *all)
{
	unsigned int i, started;
	int err = 0;

	for (started = 1; started < all->nr && !err; started++)
		err = start(&all->each[started]);
	if (err) {
		started--;
		rec_board_stop(all->board);
	} else {
		run(all->each);
	}
	for (i = 1; i < started; i++)
		pthread_join(all->each[i].thread, NULL);
	for (i = 0; i < all->nr && !err; i++)
		err = all->each[i].err;
	return err;
}

static int join_all(struct feed *f, struct parts *all, uint64_t *events)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < all->nr && !err; i++) {
		struct part *p = &all->each[i];

		err = f->sink->join(f->sink, p->feed.sink);
		*events += p->events;
		/* Why there are no symbols is found out when one is asked for. */
		if (symbols_kernel_note(p->feed.env.symbols))
			symbols_find(f->env.symbols, f->env.procs, 0, UINT64_MAX, 0);
	}
	return err;
}

static void free_all(struct parts *all)
{
	unsigned int i;

	for (i = 0; i < all->nr; i++) {
		feed_end(&all->each[i].feed);
		rec_reader_close(all->each[i].reader);
	}
	rec_board_free(all->board);
	free(all);
}

int feed_parts(struct feed *f, const struct feed_input *in, const struct rec_reader *r,
	       feed_sink make, const void *opts, struct rec_totals *totals, uint64_t *events)
{
	struct parts *all;
	unsigned int nr = count_parts(in, r);
	int ret = 0;

	if (nr < 2 || !f->sink->join || !rec_has_parts(r))
		return 0;
	all = calloc(1, sizeof(*all));
	if (!all)
		return 0;
	all->in = in;
	all->nr = nr;
	if (!init_all(all, make, opts) && !run_all(all)) {
		rec_totals(all->each->reader, totals);
		ret = join_all(f, all, events) ?: 1;
	}
	free_all(all);
	return ret;
}
