/* SPDX-License-Identifier: GPL-2.0 */
/* A subcommand of a program as its user sees it: a line in, status and two streams out. */
#ifndef RUN_COMMAND_H
#define RUN_COMMAND_H

#include <stddef.h>

#define SAID_MAX (256U << 10)

struct said {
	int status;
	char out[SAID_MAX];
	char err[SAID_MAX];
};

/*
 * Runs @command with the words of @line, which are parted by single blanks; "PID" in a word stands
 * for this process. No word has blanks in it. @said belongs to the caller.
 */
void run_command(int (*command)(int argc, char **argv), const char *line, struct said *said);

/* Lines in @text. */
size_t nr_lines(const char *text);

#endif
