// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/foreground.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>

#include "user/base/msg.h"
#include "user/cmd/program.h"

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

int not_run(const char *command, int err)
{
	if (err == -ENOENT) {
		msg_error("%s: command not found", command);
		return EXIT_NOT_FOUND;
	}
	msg_error("%s: %s", command, strerror(-err));
	return EXIT_NOT_RUN;
}
