/* SPDX-License-Identifier: GPL-2.0 */
/* How long a transaction stays in force: until a signal, for a time, or while a command runs. */
#ifndef CMD_STAY_H
#define CMD_STAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/trace/launch.h"

struct stay {
	int signal_fd;
	uint64_t ns;	/* 0: until a signal */
	char **command; /* or NULL */
	struct launch child;
	int watch;	     /* of the transaction; -1: none */
	int process;	     /* a pidfd: its end ends the waiting, too; -1: none */
	unsigned int active; /* its items that are in force */
	unsigned int taken;  /* those that the kernel took, each told in a line, if not too many */
	unsigned int undone; /* those that somebody else took back */
};

/*
 * Forks @command, which waits, and takes SIGINT, SIGTERM and SIGHUP. EXIT_DONE, or the exit status
 * after one line on stderr; stay_end() is for the caller in any case.
 */
int stay_begin(struct stay *s, char **command, uint64_t ns);

/*
 * Watches what is made with the device @fd from now on: one transaction of up to @changes changes.
 * EXIT_DONE, or EXIT_FAILED after one line on stderr.
 */
int stay_watch(struct stay *s, int fd, size_t changes);

/*
 * Lets the command run, and waits for what ends transaction @id, which was made since stay_watch():
 * the command's end, a signal, the time, or that nothing of it is in force any more. What is taken
 * is told on stderr at once. Returns the exit status: the command's; 128 + the signal; EXIT_DONE
 * after the time, EXIT_FAILED if something was taken in it.
 */
int stay_wait(struct stay *s, uint32_t id);

/* A command that was never let go leaves. */
void stay_end(struct stay *s);

#endif
