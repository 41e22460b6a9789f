// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/watching.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/cmd/foreground.h"
#include "user/cmd/output.h"
#include "user/kernel/helper.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* *@done, or an error, or neither. 0, or -errno of stdout. */
static int take_and_flush(struct watching *w, int *watch_error, bool *done)
{
	int err = w->take(w, watch_error, done);

	if (!err && fflush(stdout))
		err = -errno;
	return err;
}

static int watch_until(struct watching *w, int signal_fd)
{
	struct pollfd fds[] = {
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = w->fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* POLLERR: the reader has left */
	};
	struct signalfd_siginfo info;
	int ms, err, watch_error = 0;
	bool done = false;

	do {
		ms = wait_ms(w->end);
		if (poll(fds, ARRAY_SIZE(fds), ms) < 0 && errno != EINTR)
			return EXIT_FAILED;
		err = take_and_flush(w, &watch_error, &done);
		if (err)
			return output_status(err);
		if (watch_error) {
			msg_error("%s: %s", PTREMAP_DEVICE, w->explain(watch_error));
			return EXIT_FAILED;
		}
		if (fds[0].revents && read(signal_fd, &info, sizeof(info)) == sizeof(info))
			return 128 + (int)info.ssi_signo;
	} while (ms && !done && !fds[2].revents);
	return EXIT_DONE;
}

int watching_run(struct watching *w)
{
	int status, signal_fd = take_signals();

	if (signal_fd < 0) {
		msg_error("cannot take signals: %s", strerror(errno));
		return EXIT_FAILED;
	}
	msg_note("watching");
	status = watch_until(w, signal_fd);
	close(signal_fd);
	return status;
}
