// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/foreground.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>

#include "user/base/clock.h"
#include "user/base/msg.h"
#include "user/cmd/program.h"

#define NS_PER_MS 1000000u

int take_signals(void)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction old;
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		sigaddset(&set, ending[i]);
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler == SIG_IGN)
		sigdelset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int wait_ms(uint64_t end)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), ms;

	if (!end)
		return -1;
	ms = now < end ? (end - now + NS_PER_MS - 1) / NS_PER_MS : 0;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

int not_run(const char *command, int err)
{
	if (err == -ENOENT) {
		msg_error("%s: command not found", command);
		return EXIT_NOT_FOUND;
	}
	msg_error("%s: %s", command, strerror(-err));
	return EXIT_NOT_RUN;
}
