// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf record: events into a file. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/base/clock.h"
#include "user/base/msg.h"
#include "user/base/units.h"
#include "user/cmd/abi_opt.h"
#include "user/cmd/cmd.h"
#include "user/cmd/tracing.h"
#include "user/report/totals.h"

#define FLUSH_NS  1000000000u
#define LEVEL_MAX 22 /* ZSTD_maxCLevel() */

struct record_opts {
	struct tracing_opts tracing;
	const char *output, *abi;
	uint32_t level; /* of the compression */
	bool quiet;
};

static const struct opt options[] = {
	{ 'o', "output", "FILE", "write here (default " DEFAULT_FILE "; '-': stdout)", OPT_STR,
	  offsetof(struct record_opts, output), NULL },
	{ 'z', "compression-level", "N", "of zstd, 1 (fast) to 22 (small); 0: none (default 1)",
	  OPT_U32, offsetof(struct record_opts, level), NULL },
	TRACING_OPT_ROWS(struct record_opts, tracing),
	TRACING_EVENT_ROWS(struct record_opts, tracing),
	{ 0, "abi", "NAME|FILE",
	  "record what hypercalls point to by this ABI: a name (help lists them), or a file of your "
	  "own, see ptrace-pf-abi(5)",
	  OPT_STR, offsetof(struct record_opts, abi), NULL },
	{ 'q', "quiet", NULL, "no progress and no summary", OPT_FLAG,
	  offsetof(struct record_opts, quiet), NULL },
	{ 0 },
};

struct recording {
	struct rec_writer *writer;
	struct tracing *tracing;
	uint64_t last_flush;
	bool progress;
	bool write_failed;
};

static int put(void *ctx, const void *record, size_t size)
{
	struct recording *r = ctx;
	int err = rec_put(r->writer, record, size);

	/* A full disk ends neither the command nor the counting of what is lost by it. */
	if (err && !r->write_failed) {
		msg_error("cannot write the recording: %s; going on, what is lost is counted",
			  strerror(-err));
		r->write_failed = true;
	}
	return 0;
}

static void show_progress(const struct recording *r)
{
	struct rec_totals totals;
	char events[UNITS_LEN], size[UNITS_LEN];

	session_totals(r->tracing->session, &totals);
	fprintf(stderr, "\r%s events, %s\033[K", units_count(events, totals.events),
		units_size(size, rec_bytes(r->writer)));
}

/* What is older than a second is in the file, whatever happens to this process. */
static int tick(void *ctx)
{
	struct recording *r = ctx;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (now - r->last_flush < FLUSH_NS)
		return 0;
	r->last_flush = now;
	if (rec_flush(r->writer))
		r->write_failed = true;
	if (r->progress)
		show_progress(r);
	return 0;
}

static void summary(const struct rec_totals *totals, uint64_t bytes, const char *path)
{
	char events[UNITS_LEN], lost[UNITS_LEN], size[UNITS_LEN], each[UNITS_LEN];
	int i;

	msg_note("%s events, %s lost, %s in %s", units_count(events, totals->events),
		 units_count(lost, totals_lost(totals)), units_size(size, bytes), path);
	for (i = 0; i < PTEV_NR_LOST; i++)
		if (totals->lost[i])
			msg_note("lost: %s %s", units_count(each, totals->lost[i]),
				 name_lost((unsigned int)i));
	if (totals->missed_runs)
		msg_note(
			"%s runs of a program were skipped by the kernel (recursion), in any process",
			units_count(each, totals->missed_runs));
	if (totals->lost_sideband)
		msg_note("%s names or mappings were dropped by perf: some may be missing",
			 units_count(each, totals->lost_sideband));
	if (totals->lost_children)
		msg_note("%s children could not be followed",
			 units_count(each, totals->lost_children));
}

static int finish(struct recording *r, const struct record_opts *o)
{
	struct rec_totals totals;
	uint64_t bytes;
	int err;

	if (rec_flush(r->writer))
		r->write_failed = true;
	session_totals(r->tracing->session, &totals);
	totals.lost[PTEV_LOST_WRITE] = rec_unwritten(r->writer);
	totals.events -= totals.lost[PTEV_LOST_WRITE];
	totals.end_mono = clock_ns(CLOCK_MONOTONIC);
	bytes = rec_bytes(r->writer);
	err = rec_close(r->writer, &totals);
	if (r->progress)
		fputs("\r\033[K", stderr);
	if (!o->quiet)
		summary(&totals, bytes, o->output);
	return err ? err : r->write_failed ? -ENOSPC : 0;
}

static int record(struct record_opts *o, int argc, char **argv, char **command)
{
	struct recording r = { 0 };
	struct tracing t;
	int err, status;

	status = tracing_start(&t, &o->tracing, true, argc, argv, command);
	if (status)
		return status;
	r.tracing = &t;
	r.last_flush = clock_ns(CLOCK_MONOTONIC);
	r.progress = !o->quiet && isatty(STDERR_FILENO);
	t.info.zstd = o->level;
	err = rec_create(&r.writer, o->output, &t.info);
	if (err) {
		tracing_end(&t, err);
		return EXIT_FAILED;
	}
	err = tracing_run(&t, put, tick, &r);
	if (t.exec_error)
		rec_discard(r.writer); /* nothing was traced: an older recording stays */
	else if (finish(&r, o))
		err = -EIO;
	return tracing_end(&t, err);
}

int cmd_record(int argc, char **argv)
{
	struct record_opts o = { .tracing = TRACING_OPTS_INIT, .output = DEFAULT_FILE, .level = 1 };
	struct abi *abi;
	int rest, err, status;

	err = opts_parse(options, "ptrace-pf record [OPTIONS] [-- COMMAND [ARGS]]", NULL, argc,
			 argv, &o, &rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (o.level > LEVEL_MAX) {
		msg_error("--compression-level %u: levels are 0 to %d", o.level, LEVEL_MAX);
		return EXIT_USAGE;
	}
	if (!abi_opt_open(&abi, o.abi, &status))
		return status;
	o.tracing.abi = abi;
	o.tracing.set.stdout_taken = !strcmp(o.output, "-");
	status = record(&o, argc, argv, rest < argc ? argv + rest : NULL);
	abi_free(abi);
	return status;
}
