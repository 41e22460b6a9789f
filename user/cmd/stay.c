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

#define LOOK_MS	  500 /* between two looks at what the kernel took away */
#define NS_PER_MS 1000000u
#define MAX_TOLD  10 /* lines about what was taken */

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

	*s = (struct stay){ .signal_fd = -1, .ns = ns, .command = command, .child = LAUNCH_INIT };
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
	s->signal_fd = -1;
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

/* ---- what the kernel took away ---------------------------------------------------------- */

static void tell_ending(const struct ptremap_record *r)
{
	bool mapping = r->what == PTREMAP_MAPPED;

	msg_note("pid %" PRId32 ", 0x%llx: %s: %s", r->pid, r->va,
		 mapping ? "the mapping is gone" : "the original is back", record_ending(r));
}

/*
 * How many changes of transaction @id are not in force any more; *@active are. With @tell there is
 * a line for each.
 */
static unsigned int count_ended(int fd, uint32_t id, unsigned int *active, bool tell)
{
	struct ptremap_record *r;
	unsigned int ended = 0;
	size_t i, nr;

	*active = 0;
	if (ptremap_list(fd, &r, &nr)) {
		*active = 1; /* nobody knows */
		return 0;
	}
	for (i = 0; i < nr; i++) {
		if (r[i].id != id)
			continue;
		if (r[i].state == PTREMAP_ACTIVE)
			++*active;
		else if (ended++ < MAX_TOLD && tell)
			tell_ending(&r[i]);
	}
	free(r);
	if (tell && ended > MAX_TOLD)
		msg_note("... and %u more", ended - MAX_TOLD);
	if (ended || *active)
		return ended;
	if (tell)
		msg_note("transaction %" PRIu32 " was undone by somebody else", id);
	return 1;
}

static bool in_force(int fd, uint32_t id)
{
	unsigned int active;

	count_ended(fd, id, &active, false);
	return active > 0;
}

/* EXIT_FAILED if something was taken. */
static int tell_ended(int fd, uint32_t id)
{
	unsigned int active;

	return count_ended(fd, id, &active, true) ? EXIT_FAILED : EXIT_DONE;
}

/* ---- waiting ---------------------------------------------------------------------------- */

static int wait_for_command(struct stay *s)
{
	struct pollfd fds[] = {
		{ .fd = s->child.pidfd, .events = POLLIN },
		{ .fd = s->signal_fd, .events = POLLIN },
	};

	while (!fds[0].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			pass_on_signal(s);
	}
	return launch_end(&s->child);
}

static int run_command(struct stay *s)
{
	bool from_process;
	int sig = next_signal(s, &from_process), err;

	if (sig)
		return 128 + sig;
	err = launch_go(&s->child);
	/* -EPIPE of the go byte: the command was killed before it, by the same Ctrl-C perhaps. */
	return err && err != -EPIPE ? not_run(s->command[0], err) : wait_for_command(s);
}

/* Milliseconds until there is something to do: the end, or a look at what was taken. */
static int patience(uint64_t end)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), ms;

	if (!end)
		return LOOK_MS;
	if (now >= end)
		return 0;
	ms = (end - now + NS_PER_MS - 1) / NS_PER_MS;
	return ms < LOOK_MS ? (int)ms : LOOK_MS;
}

/* Returns the signal that ended it, or 0. */
static int wait_for_end(const struct stay *s, int fd, uint32_t id)
{
	uint64_t end = s->ns ? clock_ns(CLOCK_MONOTONIC) + s->ns : 0;
	struct pollfd signals = { .fd = s->signal_fd, .events = POLLIN };
	bool from_process;
	int ms;

	do {
		ms = patience(end);
		if (poll(&signals, 1, ms) > 0)
			return next_signal(s, &from_process);
	} while (ms && in_force(fd, id));
	return 0;
}

int stay_wait(struct stay *s, int fd, uint32_t id)
{
	int status = s->command ? run_command(s) : wait_for_end(s, fd, id);
	int ended = tell_ended(fd, id);

	if (s->command)
		return status;
	return status ? 128 + status : ended;
}
