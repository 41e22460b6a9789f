// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/stay.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "user/base/clock.h"
#include "user/base/msg.h"
#include "user/cmd/foreground.h"
#include "user/cmd/program.h"
#include "user/kernel/helper.h"
#include "user/show/plan_text.h"

#define NS_PER_MS     1000000u
#define MAX_TOLD      10 /* lines about what was taken */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- signals and the command ------------------------------------------------------------ */

/* Before signals are taken: the command keeps the mask. It wants SIGPIPE, which we ignore. */
static int launch(struct stay *s)
{
	int err = launch_find(s->command[0]);

	if (err)
		return not_run(s->command[0], err);
	signal(SIGPIPE, SIG_DFL);
	err = launch_prepare(&s->child, s->command, STDOUT_FILENO);
	if (!err)
		return EXIT_DONE;
	msg_error("cannot fork: %s", strerror(-err));
	return EXIT_FAILED;
}

int stay_begin(struct stay *s, char **command, uint64_t ns)
{
	int status;

	*s = (struct stay){ .signal_fd = -1,
			    .watch = -1,
			    .process = -1,
			    .ns = ns,
			    .command = command,
			    .child = LAUNCH_INIT };
	status = command ? launch(s) : EXIT_DONE;
	if (status)
		return status;
	s->signal_fd = take_signals();
	if (s->signal_fd >= 0)
		return EXIT_DONE;
	msg_error("cannot take signals: %s", strerror(errno));
	return EXIT_FAILED;
}

void stay_end(struct stay *s)
{
	launch_end(&s->child);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->watch >= 0)
		close(s->watch);
	if (s->process >= 0)
		close(s->process);
	s->signal_fd = s->watch = s->process = -1;
}

/* 0: there was none. */
static int next_signal(const struct stay *s, bool *from_process)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	*from_process = info.ssi_code <= 0; /* SI_USER and the like; not a terminal's */
	return (int)info.ssi_signo;
}

/* A terminal's signals the command has got itself. It decides what becomes of them. */
static void pass_on_signal(const struct stay *s)
{
	bool from_process = false;
	int sig = next_signal(s, &from_process);

	if (!sig || !from_process)
		return;
	kill(s->child.pid, sig);
	kill(s->child.pid, SIGCONT); /* a stopped one could not take it */
}

/* ---- what the kernel takes away --------------------------------------------------------- */

/* Each change is up to two entries, and each of them is made and gone once: no event is lost. */
#define EVENTS_PER_CHANGE 4

int stay_watch(struct stay *s, int fd, size_t changes)
{
	s->watch = ptremap_watch(fd, PTREMAP_WATCH_NONBLOCK, (uint32_t)changes * EVENTS_PER_CHANGE);
	if (s->watch >= 0)
		return EXIT_DONE;
	msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(s->watch));
	return EXIT_FAILED;
}

static void tell_ending(const struct ptremap_record *r)
{
	bool mapping = r->what == PTREMAP_MAPPED;

	msg_note("pid %" PRId32 ", 0x%llx: %s: %s", r->pid, r->va,
		 mapping ? "the mapping is gone" : "the original is back", record_ending(r));
}

static void take_event(struct stay *s, const struct ptremap_event *e)
{
	if (e->type == PTREMAP_EVENT_MADE) {
		s->active++;
		return;
	}
	s->active--;
	if (e->record.cause == PTREMAP_CAUSE_UNDO)
		s->undone++;
	else if (s->taken++ < MAX_TOLD)
		tell_ending(&e->record);
}

/* The rights to it are gone, say: the change stays for as long as it was to, untold of. */
static void give_up_watch(struct stay *s, int err)
{
	msg_error("%s: %s; what becomes of the change is not known any more", PTREMAP_DEVICE,
		  ptremap_strerror(err));
	close(s->watch);
	s->watch = -1;
}

/* All that happened to transaction @id until now. */
static void take_events(struct stay *s, uint32_t id)
{
	struct ptremap_event events[32];
	int i, n;

	if (s->watch < 0)
		return;
	while ((n = ptremap_watch_read(s->watch, events, ARRAY_SIZE(events))) > 0)
		for (i = 0; i < n; i++)
			if (events[i].record.id == id)
				take_event(s, &events[i]);
	if (n != -EAGAIN && n != -EINTR)
		give_up_watch(s, n);
}

/* The status of what was waited for to its end. */
static int tell_ended(const struct stay *s, uint32_t id)
{
	if (s->taken > MAX_TOLD)
		msg_note("... and %u more", s->taken - MAX_TOLD);
	if (s->undone)
		msg_note("transaction %" PRIu32 " was undone by somebody else", id);
	return s->taken || s->undone ? EXIT_FAILED : EXIT_DONE;
}

/* ---- waiting ---------------------------------------------------------------------------- */

static int wait_for_command(struct stay *s, uint32_t id)
{
	struct pollfd fds[] = {
		{ .fd = s->child.pidfd, .events = POLLIN },
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = s->watch, .events = POLLIN },
	};

	while (!fds[0].revents) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			pass_on_signal(s);
		if (fds[2].revents)
			take_events(s, id);
		fds[2].fd = s->watch;
	}
	return launch_end(&s->child);
}

static int run_command(struct stay *s, uint32_t id)
{
	bool from_process;
	int sig = next_signal(s, &from_process), err;

	if (sig)
		return 128 + sig;
	err = launch_go(&s->child);
	/* -EPIPE of the go byte: the command was killed before it, by the same Ctrl-C perhaps. */
	return err && err != -EPIPE ? not_run(s->command[0], err) : wait_for_command(s, id);
}

/* Returns the signal that ended it, or 0. */
static int wait_for_end(struct stay *s, uint32_t id)
{
	uint64_t end = s->ns ? clock_ns(CLOCK_MONOTONIC) + s->ns : 0;
	struct pollfd fds[] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = s->watch, .events = POLLIN },
		{ .fd = s->process, .events = POLLIN },
	};
	bool from_process;
	int ms;

	do {
		ms = wait_ms(end);
		if (poll(fds, ARRAY_SIZE(fds), ms) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			return next_signal(s, &from_process);
		take_events(s, id);
		fds[1].fd = s->watch;
	} while (ms && s->active && !fds[2].revents);
	return 0;
}

int stay_wait(struct stay *s, uint32_t id)
{
	int status = s->command ? run_command(s, id) : wait_for_end(s, id);
	int ended;

	take_events(s, id);
	ended = tell_ended(s, id);
	if (s->command)
		return status;
	return status ? 128 + status : ended;
}
