/* SPDX-License-Identifier: GPL-2.0 */
/* The subcommands of ptrace-pf and the exit statuses that they return. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#define EXIT_DONE	 0
#define EXIT_FAILED	 1
#define EXIT_USAGE	 2
#define EXIT_NOT_RUN	 126 /* the command exists but could not be executed */
#define EXIT_NOT_FOUND	 127
#define EXIT_INTERRUPTED 130 /* 128 + SIGINT */

#define DEFAULT_FILE "ptrace-pf.data"

struct command {
	const char *name;
	const char *help;
	/* argv[0] is the subcommand's name. Returns the exit status. */
	int (*run)(int argc, char **argv);
};

int cmd_record(int argc, char **argv);
int cmd_live(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_script(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

#endif
