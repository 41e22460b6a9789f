/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs have in common: a table of commands behind one main(). */
#ifndef CMD_PROGRAM_H
#define CMD_PROGRAM_H

#include <stddef.h>

#define EXIT_DONE	 0
#define EXIT_FAILED	 1
#define EXIT_USAGE	 2
#define EXIT_NOT_RUN	 126 /* the command exists but could not be executed */
#define EXIT_NOT_FOUND	 127
#define EXIT_INTERRUPTED 130 /* 128 + SIGINT */

struct command {
	const char *name;
	const char *help;
	/* argv[0] is the subcommand's name. Returns the exit status. */
	int (*run)(int argc, char **argv);
};

struct program {
	const char *name;
	const char *about;    /* one paragraph for --help */
	const char *statuses; /* what the exit statuses mean, for --help */
	const struct command *commands;
	size_t nr_commands;
};

/*
 * Runs the command that argv[1] names, or --help, or --version, and returns the exit status. A
 * stdout that cannot be written in the end is EXIT_FAILED, unless its reader has left.
 */
int program_main(const struct program *p, int argc, char **argv);

#endif
