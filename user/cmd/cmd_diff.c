// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf diff: recordings against recordings. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/abi_opt.h"
#include "user/cmd/cmd.h"
#include "user/cmd/output.h"
#include "user/report/diff.h"
#include "user/report/totals.h"

#define USAGE "ptrace-pf diff [OPTIONS] [OLD[,OLD...] NEW[,NEW...]]"

struct diff_opts {
	const char *sort, *abi;
	struct diff_print print;
	bool json, csv;
};

static const struct opt options[] = {
	{ 's', "sort", "KEYS",
	  "group by these keys of report's, a comma list (default: what report has)", OPT_STR,
	  offsetof(struct diff_opts, sort), NULL },
	{ 0, "json", NULL, "one JSON document", OPT_FLAG, offsetof(struct diff_opts, json), NULL },
	{ 0, "csv", NULL, "comma-separated values, a line for each group", OPT_FLAG,
	  offsetof(struct diff_opts, csv), NULL },
	{ 0, "limit", "N", "print the N groups that differ most (default: all)", OPT_U32,
	  offsetof(struct diff_opts, print.limit), NULL },
	{ 0, "beyond-noise", NULL,
	  "print only groups that differ by more than recordings of a side do among themselves",
	  OPT_FLAG, offsetof(struct diff_opts, print.only_beyond), NULL },
	ABI_OPT_ROW(struct diff_opts, abi),
	{ 0 },
};

/* How many recordings a comma list has. */
static unsigned int count(const char *list)
{
	unsigned int n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

/* The recordings of a comma list, whose commas become ends of strings. */
static int read_side(struct diff *d, char *list, enum diff_side side)
{
	char *path;
	int err = 0;

	while (!err && (path = strsep(&list, ",")))
		err = diff_read(d, path, side);
	return err;
}

/* Rows alone are no place for what is missing in them. */
static void note_losses(const struct diff *d)
{
	unsigned int i;

	for (i = 0; i < d->nr_runs; i++) {
		const struct diff_run *r = &d->runs[i];

		if (!r->complete)
			msg_note("%s: %s", r->path, TOTALS_CUT_TEXT);
		else if (totals_lost(&r->totals))
			msg_note("%s: lost %" PRIu64 " of %" PRIu64 " events", r->path,
				 totals_lost(&r->totals),
				 r->totals.events + totals_lost(&r->totals));
	}
}

static int print(const struct diff *d, const struct diff_opts *o)
{
	int err;

	if (o->csv) {
		note_losses(d);
		err = diff_print_csv(d, &o->print);
	} else {
		err = o->json ? diff_print_json(d, &o->print) : diff_print_text(d, &o->print);
	}
	errno = 0;
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = errno ? -errno : -EIO;
	return err;
}

/* What is wrong with a recording has been said where it was found. */
static int compare(struct diff *d, const struct diff_opts *o, const char *old, const char *now)
{
	char *lists[DIFF_SIDES] = { strdup(old), strdup(now) };
	int err = lists[DIFF_OLD] && lists[DIFF_NEW] ? 0 : -ENOMEM;
	int status = EXIT_FAILED;

	d->max_runs = count(old) + count(now);
	if (d->max_runs > DIFF_RUNS_MAX) {
		msg_error("more than %d recordings", DIFF_RUNS_MAX);
		err = -E2BIG;
	}
	if (!err)
		err = read_side(d, lists[DIFF_OLD], DIFF_OLD);
	if (!err)
		err = read_side(d, lists[DIFF_NEW], DIFF_NEW);
	if (!err) {
		diff_judge(d);
		status = output_status(print(d, o));
	}
	diff_free(d); /* the paths are those of the lists */
	free(lists[DIFF_OLD]);
	free(lists[DIFF_NEW]);
	return status;
}

static int wrong_use(const struct diff_opts *o, int words)
{
	if (words != 0 && words != 2)
		msg_usage(USAGE, "it takes OLD and NEW, or none of them");
	else if (o->json && o->csv)
		msg_usage(USAGE, "--json and --csv exclude each other");
	else
		return 0;
	return EXIT_USAGE;
}

int cmd_diff_recordings(int argc, char **argv)
{
	struct diff_opts o = { .print.out = stdout };
	struct diff d = { 0 };
	struct abi *abi;
	int rest, err, status;

	err = opts_parse(options, USAGE, NULL, argc, argv, &o, &rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	status = wrong_use(&o, argc - rest);
	if (status)
		return status;
	if (!abi_opt_open(&abi, o.abi, &status))
		return status;
	d.sort = o.sort;
	d.abi = abi;
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves is -EPIPE, and no fault */
	if (rest < argc)
		status = compare(&d, &o, argv[rest], argv[rest + 1]);
	else
		status = compare(&d, &o, DEFAULT_FILE ".old", DEFAULT_FILE);
	abi_free(abi);
	return status;
}
