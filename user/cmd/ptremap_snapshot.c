// SPDX-License-Identifier: GPL-2.0
/* ptremap snapshot: this machine's tables into an image, for the other commands. */
#include <errno.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/cmd/new_file.h"
#include "user/cmd/range_opts.h"
#include "user/cmd/target.h"

#define USAGE "ptremap snapshot [OPTIONS] (--pid PID | --kernel) -o FILE [START[-LAST]]..."

struct snapshot_opts {
	struct space_opts space;
	const char *output;
};

static const struct opt options[] = {
	LIVE_OPT_ROWS(struct snapshot_opts, space),
	{ 'o', "output", "FILE", "the image", OPT_STR, offsetof(struct snapshot_opts, output),
	  NULL },
	{ 0 },
};

static int check(const struct snapshot_opts *o, int argc, char **argv, int rest)
{
	if (o->space.nr_sources != 1)
		msg_usage(USAGE, "--pid or --kernel, one of them");
	else if (!o->output)
		msg_usage(USAGE, "--output is missing");
	else
		return range_check(argc, argv, rest, USAGE);
	return -EINVAL;
}

static int save(struct target *t, const char *path, int argc, char **argv, int rest)
{
	uint64_t start, last;
	struct new_file f;
	int err, status = EXIT_DONE;

	if (rest == argc)
		status = target_load(t, t->start, t->last);
	for (; !status && rest < argc; rest++)
		if (!range_parse(argv[rest], &start, &last))
			status = target_load(t, start, last);
	if (status)
		return status;
	if (new_file_open(&f, path, NEW_FILE_PRIVATE))
		return EXIT_FAILED;
	err = live_save(t->live, f.out);
	if (err)
		msg_error("%s: %s", path, strerror(-err));
	return new_file_done(&f, err) ? EXIT_FAILED : EXIT_DONE;
}

int cmd_snapshot(int argc, char **argv)
{
	struct snapshot_opts o = { .space = SPACE_OPTS_INIT };
	struct target t;
	int rest, err, status;

	err = opts_parse(options, USAGE, "Both addresses of a range belong to it.", argc, argv, &o,
			 &rest);
	if (!err)
		err = check(&o, argc, argv, rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	status = target_open(&t, &o.space, 0, NULL, USAGE);
	if (status)
		return status;
	status = save(&t, o.output, argc, argv, rest);
	target_close(&t);
	return status;
}
