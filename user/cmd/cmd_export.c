// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf export: a recording in a form that other programs read. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/abi_opt.h"
#include "user/cmd/cmd.h"
#include "user/cmd/input_opt.h"
#include "user/cmd/new_file.h"
#include "user/report/feed.h"

#define USAGE "ptrace-pf export [OPTIONS] --perfetto FILE"

struct export_cmd {
	struct feed_input input;
	const char *abi, *perfetto;
	struct trace_opts trace;
};

static const struct opt options[] = {
	INPUT_OPT_ROWS(struct export_cmd, input),
	{ 0, "perfetto", "FILE",
	  "write a trace for Perfetto's or Chrome's viewer (JSON); - is stdout", OPT_STR,
	  offsetof(struct export_cmd, perfetto), NULL },
	ABI_OPT_ROW(struct export_cmd, abi),
	{ 0 },
};

static struct sink *make(const struct sink_env *env, const void *opts)
{
	return sink_trace(env, opts);
}

static int export(struct export_cmd *o)
{
	struct new_file f;
	int err =
		new_file_open(&f, strcmp(o->perfetto, "-") ? o->perfetto : NULL, NEW_FILE_PRIVATE);

	if (err)
		return err;
	o->trace.out = f.out;
	o->trace.name = f.path;
	err = feed_files(&o->input, make, &o->trace);
	return new_file_done(&f, err);
}

int cmd_export(int argc, char **argv)
{
	struct export_cmd o = { .input = FEED_INPUT_INIT };
	struct abi *abi;
	int rest, err, status;

	err = opts_parse(options, USAGE, NULL, argc, argv, &o, &rest);
	if (!err)
		err = opts_no_more(argc, argv, rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (!o.perfetto) {
		msg_usage(USAGE, "--perfetto is missing: there is no other form");
		return EXIT_USAGE;
	}
	if (!abi_opt_open(&abi, o.abi, &status))
		return status;
	o.trace.abi = abi;
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves is -EPIPE, and no fault */
	input_opt_default(&o.input);
	err = export(&o);
	abi_free(abi);
	return err && err != -EPIPE ? EXIT_FAILED : EXIT_DONE;
}
