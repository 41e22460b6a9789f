/* SPDX-License-Identifier: GPL-2.0 */
/* A command that waits at its exec until tracing has been switched on. */
#ifndef TRACE_LAUNCH_H
#define TRACE_LAUNCH_H

#include <sys/types.h>

struct launch {
	pid_t pid;
	int pidfd;    /* readable when the command has ended */
	int go_fd;    /* closing it without a byte makes the child leave */
	int error_fd; /* errno of a failed exec */
};

#define LAUNCH_INIT                                                 \
	{                                                           \
		.pid = -1, .pidfd = -1, .go_fd = -1, .error_fd = -1 \
	}

/* For launch_prepare(): what is a terminal of stdin, stdout and stderr becomes /dev/null. */
#define LAUNCH_OFF_TERMINAL (-1)

/* 0 when execvp() would find an executable @file, else -ENOENT or -EACCES. */
int launch_find(const char *file);
/*
 * Forks; the child blocks before its exec. Its stdout becomes what @out_fd is (STDOUT_FILENO:
 * stays). 0 or -errno. Undone by launch_end().
 */
int launch_prepare(struct launch *l, char *const argv[], int out_fd);
/* Lets the child exec and waits until it has. 0, or the exec's -errno. */
int launch_go(struct launch *l);
/*
 * Reaps the child and closes everything; a child that was never let go leaves quietly.
 * Returns the shell's idea of its status: exit code, or 128 + signal.
 */
int launch_end(struct launch *l);
/* Closes everything and leaves the child to itself. */
void launch_abandon(struct launch *l);

#endif
