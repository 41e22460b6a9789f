/* SPDX-License-Identifier: GPL-2.0 */
/* How long a transaction stays in force: until a signal, for a time, or while a command runs. */
#ifndef CMD_STAY_H
#define CMD_STAY_H

#include <stdbool.h>
#include <stdint.h>

#include "user/trace/launch.h"

struct stay {
	int signal_fd;
	uint64_t ns;	/* 0: until a signal */
	char **command; /* or NULL */
	struct launch child;
};

/*
 * Forks @command, which waits, and takes SIGINT, SIGTERM and SIGHUP. EXIT_DONE, or the exit status
 * after one line on stderr; stay_end() is for the caller in any case.
 */
int stay_begin(struct stay *s, char **command, uint64_t ns);

/*
 * Lets the command run, and waits for what ends transaction @id of the device @fd: the command's
 * end, a signal, the time, or that the kernel has taken all of it away. What was taken before is
 * told on stderr. Returns the exit status: the command's; 128 + the signal; EXIT_DONE after the
 * time, EXIT_FAILED if something was taken in it.
 */
int stay_wait(struct stay *s, int fd, uint32_t id);

/* A command that was never let go leaves. */
void stay_end(struct stay *s);

#endif
