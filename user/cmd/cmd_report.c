// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf report: a recording in groups. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/base/opts.h"
#include "user/cmd/abi_opt.h"
#include "user/cmd/cmd.h"
#include "user/cmd/input_opt.h"
#include "user/cmd/new_file.h"
#include "user/html/page.h"
#include "user/report/feed.h"

#define DEFAULT_MIN 0.5 /* per cent */

struct report_cmd {
	struct feed_input input;
	const char *abi, *html;
	bool folded;
	struct report_opts report;
};

/* "caller", "callee,2.5" */
static int parse_calls(void *target, const char *arg)
{
	struct call_opts *calls = target;
	size_t len = strcspn(arg, ",");
	char *end = NULL;

	calls->order = CALL_NONE;
	calls->min = DEFAULT_MIN;
	if (len == 6 && !memcmp(arg, "caller", len))
		calls->order = CALL_CALLER;
	if (len == 6 && !memcmp(arg, "callee", len))
		calls->order = CALL_CALLEE;
	if (arg[len])
		calls->min =
			isdigit((unsigned char)arg[len + 1]) ? strtod(arg + len + 1, &end) : -1;
	if (calls->order && calls->min >= 0 && calls->min <= 100 && (!end || !*end))
		return 0;
	msg_error("-g %s: not caller or callee, or with a percentage such as callee,2.5", arg);
	return -EINVAL;
}

static const struct opt options[] = {
	INPUT_OPT_ROWS(struct report_cmd, input),
	{ 's', "sort", "KEYS",
	  "group by a comma list of comm, pid, tid, cpu, vma, file, symbol, dso, caller, srcline, access, "
	  "outcome, level, origin, page, event, vm, vcpu, reason, nr, call, what, cause (default: comm,symbol,outcome; "
	  "of VMs vm,vcpu,event,reason; with --abi also call)",
	  OPT_STR, offsetof(struct report_cmd, report.sort), NULL },
	{ 0, "json", NULL, "one JSON document", OPT_FLAG, offsetof(struct report_cmd, report.json),
	  NULL },
	{ 0, "csv", NULL, "comma-separated values, a line for each group", OPT_FLAG,
	  offsetof(struct report_cmd, report.csv), NULL },
	{ 0, "html", "FILE", "write a page for a browser, all in one file; - is stdout", OPT_STR,
	  offsetof(struct report_cmd, html), NULL },
	{ 'g', "call-graph", "ORDER[,MIN]",
	  "trees of call chains: caller (outermost function first) or callee; parts below MIN per cent "
	  "of all events (default 0.5) as a sum",
	  OPT_CALL, offsetof(struct report_cmd, report.calls), parse_calls },
	{ 0, "children", NULL, "count functions also for the events of those that they called",
	  OPT_FLAG, offsetof(struct report_cmd, report.children), NULL },
	{ 0, "no-inline", NULL, "leave inlined functions out of -g and --folded", OPT_FLAG,
	  offsetof(struct report_cmd, report.calls.no_inline), NULL },
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

	return o->folded ? sink_folded(env, o->report.calls.no_inline, NULL)
			 : sink_report(env, &o->report);
}

static struct sink *make_html(const struct sink_env *env, const void *opts)
{
	return sink_html(env, opts);
}

static int report_html(const struct report_cmd *o)
{
	struct html_opts html = { .abi = o->report.abi };
	struct new_file f;
	int err = new_file_open(&f, strcmp(o->html, "-") ? o->html : NULL, NEW_FILE_PRIVATE);

	if (err)
		return err;
	html.out = f.out;
	return new_file_done(&f, feed_files(&o->input, make_html, &html));
}

static bool has_form(const struct report_opts *o)
{
	return o->sort || o->json || o->csv || o->limit || o->calls.order || o->children;
}

static int check_forms(const struct report_cmd *o)
{
	if (o->report.json && o->report.csv)
		msg_error("--json and --csv exclude each other");
	else if (o->report.csv && o->report.calls.order)
		msg_error("--csv is a table: it does not go with -g");
	else if (o->report.calls.no_inline && !o->report.calls.order && !o->folded)
		msg_error("--no-inline is for -g and --folded");
	else
		return 0;
	return -EINVAL;
}

/* What is only for the other forms of a report. */
static int check_html(const struct report_cmd *o)
{
	if (!o->html || !(o->folded || has_form(&o->report)))
		return 0;
	msg_error("--html has all tables: it does not go with --sort, --json, --csv, --limit, -g, "
		  "--children or --folded");
	return -EINVAL;
}

static int check_folded(const struct report_cmd *o)
{
	if (!o->folded || !(has_form(&o->report) || o->abi))
		return 0;
	msg_error("--folded has no groups: it does not go with --sort, --json, --csv, --limit, -g, "
		  "--children or --abi");
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
