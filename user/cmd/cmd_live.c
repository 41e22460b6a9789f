// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf live: events to stdout as they come. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/abi_opt.h"
#include "user/cmd/cmd.h"
#include "user/cmd/tracing.h"
#include "user/report/feed.h"

struct live_opts {
	struct tracing_opts tracing;
	struct script_opts script;
	const char *abi;
};

static const struct opt options[] = {
	TRACING_OPT_ROWS(struct live_opts, tracing),
	TRACING_EVENT_ROWS(struct live_opts, tracing),
	{ 0, "json", NULL, "one JSON object per event and a last one with the totals", OPT_FLAG,
	  offsetof(struct live_opts, script.json), NULL },
	ABI_OPT_ROW(struct live_opts, abi),
	{ 0 },
};

/* Records shorter than the structure are handed on with the rest zero, as from a file. */
static int put(void *ctx, const void *record, size_t size)
{
	const struct ptev_hdr *hdr = record;
	struct ptev_fault whole = { 0 };

	if (hdr->type != PTEV_FAULT || size >= sizeof(whole))
		return feed_put(ctx, hdr);
	memcpy(&whole, record, size);
	return feed_put(ctx, &whole.hdr);
}

static int tick(void *ctx)
{
	(void)ctx;
	return fflush(stdout) ? -errno : 0;
}

static int live(struct live_opts *o, int argc, char **argv, char **command)
{
	struct rec_totals totals;
	struct tracing t;
	struct feed f;
	int err, status;

	status = tracing_start(&t, &o->tracing, true, argc, argv, command);
	if (status)
		return status;
	o->script.stacks = o->tracing.set.call_graph;
	err = feed_init(&f, &t.info);
	if (!err) {
		f.sink = sink_script(&f.env, &o->script);
		err = f.sink ? tracing_run(&t, put, tick, &f) : -ENOMEM;
	}
	if (!err && !t.exec_error) {
		session_totals(t.session, &totals);
		err = f.sink->finish(f.sink, &totals, true);
	}
	feed_end(&f);
	if (err && err != -EPIPE)
		msg_error("stdout: %s", strerror(-err));
	return tracing_end(&t, err);
}

int cmd_live(int argc, char **argv)
{
	struct live_opts o = { .tracing = TRACING_OPTS_INIT };
	struct abi *abi;
	int rest, err, status;

	err = opts_parse(options, "ptrace-pf live [OPTIONS] [-- COMMAND [ARGS]]", NULL, argc, argv,
			 &o, &rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (!abi_opt_open(&abi, o.abi, &status))
		return status;
	o.script.abi = o.tracing.abi = abi;
	status = live(&o, argc, argv, rest < argc ? argv + rest : NULL);
	abi_free(abi);
	return status;
}
