// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf script: every event of a recording, as a line or as a JSON object. */
#include <errno.h>
#include <signal.h>

#include "user/base/opts.h"
#include "user/cmd/abi_opt.h"
#include "user/cmd/cmd.h"
#include "user/cmd/input_opt.h"
#include "user/report/feed.h"

struct script_cmd {
	struct feed_input input;
	const char *abi;
	struct script_opts script;
};

static const struct opt options[] = {
	INPUT_OPT_ROWS(struct script_cmd, input),
	{ 0, "json", NULL, "one JSON object per event and a last one with the totals", OPT_FLAG,
	  offsetof(struct script_cmd, script.json), NULL },
	{ 0, "no-walks", NULL, "leave the page-table walks out", OPT_FLAG,
	  offsetof(struct script_cmd, script.no_walk), NULL },
	{ 'g', "call-graph", NULL, "print call chains where they were recorded", OPT_FLAG,
	  offsetof(struct script_cmd, script.stacks), NULL },
	ABI_OPT_ROW(struct script_cmd, abi),
	{ 0 },
};

static struct sink *make(const struct sink_env *env, const void *opts)
{
	return sink_script(env, opts);
}

int cmd_script(int argc, char **argv)
{
	struct script_cmd o = { .input = FEED_INPUT_INIT };
	struct abi *abi;
	int rest, err, status;

	err = opts_parse(options, "ptrace-pf script [OPTIONS]", NULL, argc, argv, &o, &rest);
	if (!err)
		err = opts_no_more(argc, argv, rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (!abi_opt_open(&abi, o.abi, &status))
		return status;
	o.script.abi = abi;
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves is -EPIPE, and no fault */
	input_opt_default(&o.input);
	err = feed_files(&o.input, make, &o.script);
	abi_free(abi);
	return err && err != -EPIPE ? EXIT_FAILED : EXIT_DONE;
}
