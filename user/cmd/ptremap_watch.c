// SPDX-License-Identifier: GPL-2.0
/* ptremap watch: what becomes of changes, as it happens. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "user/base/clock.h"
#include "user/base/msg.h"
#include "user/base/opts.h"
#include "user/cmd/changing.h"
#include "user/cmd/cmd.h"
#include "user/cmd/foreground.h"
#include "user/cmd/output.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/kernel/live.h"
#include "user/show/event_text.h"

#define USAGE "ptremap watch [OPTIONS]"
#define FOOTER                                                                             \
	"Everybody's changes are watched, from now on. Exit status: 130 after Ctrl-C, 0\n" \
	"after --for and --count."

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct watch_opts {
	uint32_t pid, id; /* 0: any */
	uint64_t for_ns, count;
	bool json;
};

static const struct opt options[] = {
	{ 0, "pid", "PID", "only what is changed in this process", OPT_U32,
	  offsetof(struct watch_opts, pid), NULL },
	{ 0, "id", "ID", "only this transaction", OPT_U32, offsetof(struct watch_opts, id), NULL },
	{ 0, "json", NULL, "one JSON object per event", OPT_FLAG, offsetof(struct watch_opts, json),
	  NULL },
	{ 0, "for", "SECONDS", "end after so long; 500ms, 2m and the like, too", OPT_CALL,
	  offsetof(struct watch_opts, for_ns), changing_parse_for },
	{ 0, "count", "N", "end after so many events", OPT_U64, offsetof(struct watch_opts, count),
	  NULL },
	{ 0 },
};

struct watching {
	const struct watch_opts *opts;
	int fd, signal_fd;
	uint64_t end;  /* CLOCK_MONOTONIC, ns; 0: none */
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

static int print_event(struct watching *w, const struct ptremap_event *e)
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
static int take_event(struct watching *w, struct ptremap_event *e)
{
	if (wanted(w->opts, e))
		w->seen++;
	else if (e->lost)
		e->type = PTREMAP_EVENT_LOST;
	else
		return 0;
	return print_event(w, e);
}

static bool is_enough(const struct watching *w)
{
	return w->opts->count && w->seen >= w->opts->count;
}

/* 0, or -errno of stdout; *@watch_error is of the watch. */
static int take_events(struct watching *w, int *watch_error)
{
	struct ptremap_event events[64];
	int i, n, err = 0;

	n = ptremap_watch_read(w->fd, events, ARRAY_SIZE(events));
	*watch_error = n < 0 && n != -EAGAIN && n != -EINTR ? n : 0;
	for (i = 0; i < n && !err && !is_enough(w); i++)
		err = take_event(w, &events[i]);
	if (!err && fflush(stdout))
		err = -errno;
	return err;
}

/* Until a signal, the time or the last event wanted, or until nobody reads what is printed. */
static int watch_events(struct watching *w)
{
	struct pollfd fds[] = {
		{ .fd = w->signal_fd, .events = POLLIN },
		{ .fd = w->fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* POLLERR: the reader has left */
	};
	struct signalfd_siginfo info;
	int ms, err, watch_error = 0;

	do {
		ms = wait_ms(w->end);
		if (poll(fds, ARRAY_SIZE(fds), ms) < 0 && errno != EINTR)
			return EXIT_FAILED;
		err = take_events(w, &watch_error);
		if (err)
			return output_status(err);
		if (watch_error) {
			msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(watch_error));
			return EXIT_FAILED;
		}
		if (fds[0].revents && read(w->signal_fd, &info, sizeof(info)) == sizeof(info))
			return 128 + (int)info.ssi_signo;
	} while (ms && !is_enough(w) && !fds[2].revents);
	return EXIT_DONE;
}

static int watch_live(const struct watch_opts *o, const struct live *live)
{
	struct watching w = {
		.opts = o,
		.end = o->for_ns ? clock_ns(CLOCK_MONOTONIC) + o->for_ns : 0,
		.style = { .fmt = live_space(live)->fmt, .linux_version = kinfo_version() },
	};
	int status = EXIT_FAILED;

	w.fd = ptremap_watch(live_fd(live), PTREMAP_WATCH_ALL | PTREMAP_WATCH_NONBLOCK,
			     PTREMAP_WATCH_MAX);
	if (w.fd < 0) {
		msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(w.fd));
		return EXIT_FAILED;
	}
	w.signal_fd = take_signals();
	if (w.signal_fd >= 0) {
		msg_note("watching");
		status = watch_events(&w);
		close(w.signal_fd);
	} else {
		msg_error("cannot take signals: %s", strerror(errno));
	}
	line_free(&w.line);
	close(w.fd);
	return status;
}

int cmd_watch(int argc, char **argv)
{
	struct watch_opts o = { 0 };
	struct live *live = NULL;
	int status, rest, err = opts_parse(options, USAGE, FOOTER, argc, argv, &o, &rest);

	if (!err)
		err = opts_no_more(argc, argv, rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	err = live_open(&live, 0, 0);
	if (!err)
		err = live_error(live);
	if (err)
		msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(err));
	status = err ? EXIT_FAILED : watch_live(&o, live);
	live_close(live);
	return status;
}
