// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/base/msg.h"

static int longest_name(const struct program *p)
{
	size_t i, len = 0;

	for (i = 0; i < p->nr_commands; i++)
		if (strlen(p->commands[i].name) > len)
			len = strlen(p->commands[i].name);
	return (int)len;
}

static void usage(const struct program *p, FILE *out)
{
	int width = longest_name(p);
	size_t i;

	fprintf(out, "usage: %s COMMAND [OPTIONS]\n\n%s\n\n", p->name, p->about);
	for (i = 0; i < p->nr_commands; i++)
		fprintf(out, "  %-*s  %s\n", width, p->commands[i].name, p->commands[i].help);
	fprintf(out, "\n'%s COMMAND --help' lists a command's options.\n%s\n", p->name,
		p->statuses);
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

static int run_command(const struct program *p, int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		usage(p, stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(p, stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("%s " PTSCOPE_VERSION "\n", p->name);
		return EXIT_DONE;
	}
	for (i = 0; i < p->nr_commands; i++)
		if (!strcmp(argv[1], p->commands[i].name))
			return p->commands[i].run(argc - 1, argv + 1);
	msg_error("'%s' is not a command; try --help", argv[1]);
	return EXIT_USAGE;
}

int program_main(const struct program *p, int argc, char **argv)
{
	int status;

	keep_standard_fds();
	status = run_command(p, argc, argv);
	if (fflush(stdout) && errno != EPIPE && status == EXIT_DONE) {
		msg_error("stdout: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return status;
}
