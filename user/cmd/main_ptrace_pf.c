// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf: looks at page faults, with the page-table walk in each event. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"

static const struct command commands[] = {
	{ "record", "trace into a file", cmd_record },
	{ "live", "trace to the terminal, one line per fault", cmd_live },
	{ "stat", "count in the kernel and print totals", cmd_stat },
	{ "report", "summarise a recording, grouped and sorted", cmd_report },
	{ "script", "print a recording, one line or JSON object per fault", cmd_script },
	{ "doctor", "say what this kernel offers and what is missing", cmd_doctor },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	size_t i;

	fputs("usage: ptrace-pf COMMAND [OPTIONS]\n\n"
	      "Traces page faults with the page-table walk as it was in each event.\n\n",
	      out);
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\n'ptrace-pf COMMAND --help' lists a command's options.\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage, 128 + N ended by signal N;\n"
	      "with a launched command its own, 126 or 127 when it could not be run.\n",
	      out);
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

/* A closed stdout must not become some file that is opened later. */
static void keep_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static int run_command(int argc, char **argv)
{
	size_t i;

	/* libbpf reports each hook that it cannot attach; the session says it in one line. */
	libbpf_set_print(quiet);
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("ptrace-pf " PTSCOPE_VERSION);
		return EXIT_DONE;
	}
	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	msg_error("'%s' is not a command; try --help", argv[1]);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	int status;

	keep_standard_fds();
	status = run_command(argc, argv);
	if (fflush(stdout) && errno != EPIPE && status == EXIT_DONE) {
		msg_error("stdout: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return status;
}
