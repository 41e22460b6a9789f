// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf report: a recording in groups. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <stdbool.h>

#include "user/base/msg.h"
#include "user/base/opts.h"
#include "user/cmd/abi_opt.h"
#include "user/cmd/cmd.h"
#include "user/cmd/input_opt.h"
#include "user/cmd/new_file.h"
#include "user/html/page.h"
#include "user/report/feed.h"

struct report_cmd {
	struct feed_input input;
	const char *abi, *html;
	bool folded;
	struct report_opts report;
};

static const struct opt options[] = {
	INPUT_OPT_ROWS(struct report_cmd, input),
	{ 's', "sort", "KEYS",
	  "group by a comma list of comm, pid, tid, cpu, vma, file, symbol, dso, access, outcome, level, "
	  "origin, page, event, vm, vcpu, reason, nr, call, what, cause (default: comm,symbol,outcome; "
	  "of VMs vm,vcpu,event,reason; with --abi also call)",
	  OPT_STR, offsetof(struct report_cmd, report.sort), NULL },
	{ 0, "json", NULL, "one JSON document", OPT_FLAG, offsetof(struct report_cmd, report.json),
	  NULL },
	{ 0, "csv", NULL, "comma-separated values, a line for each group", OPT_FLAG,
	  offsetof(struct report_cmd, report.csv), NULL },
	{ 0, "html", "FILE", "write a page for a browser, all in one file; - is stdout", OPT_STR,
	  offsetof(struct report_cmd, html), NULL },
	{ 0, "limit", "N", "print the N largest groups (default: all)", OPT_U32,
	  offsetof(struct report_cmd, report.limit), NULL },
	{ 0, "folded", NULL, "the call chains as lines \"comm;caller;...;function count\"",
	  OPT_FLAG, offsetof(struct report_cmd, folded), NULL },
	{ 'j', "jobs", "N", "use N threads (default: what suits the machine and the recording)",
	  OPT_U32, offsetof(struct report_cmd, input.jobs), NULL },
	ABI_OPT_ROW(struct report_cmd, abi),
	{ 0 },
};

static struct sink *make(const struct sink_env *env, const void *opts)
{
	const struct report_cmd *o = opts;

	return o->folded ? sink_folded(env, NULL) : sink_report(env, &o->report);
}

static struct sink *make_html(const struct sink_env *env, const void *opts)
{
	return sink_html(env, opts);
}

static int report_html(const struct report_cmd *o)
{
	struct html_opts html = { .abi = o->report.abi };
	struct new_file f;
	int err = new_file_open(&f, strcmp(o->html, "-") ? o->html : NULL);

	if (err)
		return err;
	html.out = f.out;
	return new_file_done(&f, feed_files(&o->input, make_html, &html));
}

static bool has_form(const struct report_opts *o)
{
	return o->sort || o->json || o->csv || o->limit;
}

static int check_forms(const struct report_cmd *o)
{
	if (!o->report.json || !o->report.csv)
		return 0;
	msg_error("--json and --csv exclude each other");
	return -EINVAL;
}

/* What is only for the other forms of a report. */
static int check_html(const struct report_cmd *o)
{
	if (!o->html || !(o->folded || has_form(&o->report)))
		return 0;
	msg_error("--html has all tables: it does not go with --sort, --json, --csv, --limit or "
		  "--folded");
	return -EINVAL;
}

static int check_folded(const struct report_cmd *o)
{
	if (!o->folded || !(has_form(&o->report) || o->abi))
		return 0;
	msg_error("--folded has no groups: it does not go with --sort, --json, --csv, --limit or "
		  "--abi");
	return -EINVAL;
}

int cmd_report(int argc, char **argv)
{
	struct report_cmd o = { .input = FEED_INPUT_INIT };
	struct abi *abi;
	int rest, err, status;

	err = opts_parse(options, "ptrace-pf report [OPTIONS]", NULL, argc, argv, &o, &rest);
	if (!err)
		err = opts_no_more(argc, argv, rest) ?: check_forms(&o) ?: check_html(&o) ?: check_folded(&o);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (!abi_opt_open(&abi, o.abi, &status))
		return status;
	o.report.abi = abi;
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves is -EPIPE, and no fault */
	input_opt_default(&o.input);
	err = o.html ? report_html(&o) : feed_files(&o.input, make, &o);
	abi_free(abi);
	return err && err != -EPIPE ? EXIT_FAILED : EXIT_DONE;
}
