/* SPDX-License-Identifier: GPL-2.0 */
/* What commands that stay until a signal, or while another command runs, have in common. */
#ifndef CMD_FOREGROUND_H
#define CMD_FOREGROUND_H

#include <stdint.h>

/*
 * Blocks SIGINT, SIGTERM and SIGHUP and returns a descriptor that does not block (signalfd(2)), or
 * -1. nohup is obeyed. An ignored SIGINT is not: a script's "&" makes it so, and yet "kill -INT" is
 * how scripts end us. SIGPIPE is ignored from here on: writes say -EPIPE.
 */
int take_signals(void);

/* What poll(2) is to wait until @end (CLOCK_MONOTONIC, ns): 0: it is past. @end 0: for ever, -1. */
int wait_ms(uint64_t end);

/* A line on stderr: @command could not be run, because of @err (-errno). Returns the status. */
int not_run(const char *command, int err);

#endif
