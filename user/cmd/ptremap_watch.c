// SPDX-License-Identifier: GPL-2.0
/* ptremap watch: what becomes of changes, or what a guest does, as it happens. */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "user/base/clock.h"
#include "user/base/msg.h"
#include "user/base/opts.h"
#include "user/cmd/changing.h"
#include "user/cmd/cmd.h"
#include "user/cmd/output.h"
#include "user/cmd/watch_access.h"
#include "user/cmd/watching.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/kernel/live.h"
#include "user/show/event_text.h"

#define USAGE "ptremap watch [OPTIONS]"
#define FOOTER                                                                                 \
	"Everybody's changes are watched, from now on; with --vm what a guest reads, writes\n" \
	"or runs there. The guest goes on. Exit status: 130 after Ctrl-C, 0 after --for and\n" \
	"--count, and when the VM has ended."

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct watch_opts {
	uint32_t pid, id; /* 0: any */
	uint64_t for_ns, count;
	bool json;
	uint32_t vm; /* 0: changes are watched, and not a guest's accesses */
	struct opt_number vm_fd;
	struct access_opts access;
};

static const struct opt options[] = {
	{ 0, "pid", "PID", "only what is changed in this process", OPT_U32,
	  offsetof(struct watch_opts, pid), NULL },
	{ 0, "id", "ID", "only this transaction", OPT_U32, offsetof(struct watch_opts, id), NULL },
	{ 0, "vm", "PID", "what the guest of this process does, instead of changes", OPT_U32,
	  offsetof(struct watch_opts, vm), NULL },
	{ 0, "vm-fd", "FD", "its descriptor of the VM, where it has several", OPT_NUMBER,
	  offsetof(struct watch_opts, vm_fd), NULL },
	{ 0, "gpa", "RANGE",
	  "with --vm: START or START-LAST, guest-physical; may be given several times", OPT_CALL,
	  offsetof(struct watch_opts, access), watch_parse_gpa },
	{ 0, "on", "ACCESS", "with --vm: of the letters r, w, x; without it all of them", OPT_CALL,
	  offsetof(struct watch_opts, access), watch_parse_on },
	{ 0, "json", NULL, "one JSON object per event", OPT_FLAG, offsetof(struct watch_opts, json),
	  NULL },
	{ 0, "for", "SECONDS", "end after so long; 500ms, 2m and the like, too", OPT_CALL,
	  offsetof(struct watch_opts, for_ns), changing_parse_for },
	{ 0, "count", "N", "end after so many events", OPT_U64, offsetof(struct watch_opts, count),
	  NULL },
	{ 0 },
};

struct watch_changes {
	struct watching watching;
	const struct watch_opts *opts;
	uint64_t seen; /* events that were printed */
	struct entry_view style;
	struct line line;
};

static bool wanted(const struct watch_opts *o, const struct ptremap_event *e)
{
	const struct ptremap_record *r = &e->record;

	return e->type != PTREMAP_EVENT_LOST && (!o->pid || (uint32_t)r->pid == o->pid) &&
	       (!o->id || r->id == o->id);
}

static int print_event(struct watch_changes *w, const struct ptremap_event *e)
{
	struct json j;

	if (!w->opts->json) {
		event_line(&w->line, e);
		return line_write(&w->line, stdout);
	}
	json_init(&j, stdout);
	event_json(&j, e, &w->style);
	return output_error();
}

/* What was missed may have been wanted: it is told whatever came behind it. */
static int take_event(struct watch_changes *w, struct ptremap_event *e)
{
	if (wanted(w->opts, e))
		w->seen++;
	else if (e->lost)
		e->type = PTREMAP_EVENT_LOST;
	else
		return 0;
	return print_event(w, e);
}

static bool is_enough(const struct watch_changes *w)
{
	return w->opts->count && w->seen >= w->opts->count;
}

static int take_events(struct watching *watching, int *error, bool *done)
{
	struct watch_changes *w = (struct watch_changes *)watching;
	struct ptremap_event events[64];
	int i, n, err = 0;

	n = ptremap_watch_read(watching->fd, events, ARRAY_SIZE(events));
	*error = n < 0 && n != -EAGAIN && n != -EINTR ? n : 0;
	for (i = 0; i < n && !err && !is_enough(w); i++)
		err = take_event(w, &events[i]);
	*done = is_enough(w);
	return err;
}

static int watch_live(const struct watch_opts *o, const struct live *live)
{
	struct watch_changes w = {
		.watching = { .take = take_events, .explain = ptremap_strerror },
		.opts = o,
		.style = { .fmt = live_space(live)->fmt, .linux_version = kinfo_version() },
	};
	int status;

	w.watching.end = o->for_ns ? clock_ns(CLOCK_MONOTONIC) + o->for_ns : 0;
	w.watching.fd = ptremap_watch(live_fd(live), PTREMAP_WATCH_ALL | PTREMAP_WATCH_NONBLOCK,
				      PTREMAP_WATCH_MAX);
	if (w.watching.fd < 0) {
		msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(w.watching.fd));
		return EXIT_FAILED;
	}
	status = watching_run(&w.watching);
	line_free(&w.line);
	close(w.watching.fd);
	return status;
}

static int watch_changes(const struct watch_opts *o)
{
	struct live *live = NULL;
	int status, err = live_open(&live, 0, 0);

	if (!err)
		err = live_error(live);
	if (err)
		msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(err));
	status = err ? EXIT_FAILED : watch_live(o, live);
	live_close(live);
	return status;
}

static int check_opts(const struct watch_opts *o)
{
	const char *why = NULL;

	if (o->vm && (o->pid || o->id))
		why = "--vm watches a guest's accesses; --pid and --id are of changes";
	else if (!o->vm && (o->access.nr || o->vm_fd.given || o->access.on))
		why = "--gpa, --on and --vm-fd need --vm";
	else if (o->vm && !o->access.nr)
		why = "--vm needs --gpa: which addresses?";
	else if (o->vm > INT32_MAX || o->vm_fd.value > INT32_MAX)
		why = "--vm or --vm-fd is too large";
	if (!why)
		return 0;
	msg_usage(USAGE, "%s", why);
	return -EINVAL;
}

static int watch_any(struct watch_opts *o)
{
	if (!o->vm)
		return watch_changes(o);
	o->access.pid = (int)o->vm;
	o->access.vm_fd = o->vm_fd.given ? (int)o->vm_fd.value : -1;
	o->access.end = o->for_ns ? clock_ns(CLOCK_MONOTONIC) + o->for_ns : 0;
	o->access.count = o->count;
	o->access.json = o->json;
	return watch_accesses(&o->access);
}

int cmd_watch(int argc, char **argv)
{
	struct watch_opts o = { 0 };
	int status, rest, err = opts_parse(options, USAGE, FOOTER, argc, argv, &o, &rest);

	if (!err)
		err = opts_no_more(argc, argv, rest) ?: check_opts(&o);
	if (err)
		status = err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	else
		status = watch_any(&o);
	watch_accesses_free(&o.access);
	return status;
}
