// SPDX-License-Identifier: GPL-2.0
/* ptremap: reads the page tables in images of memory. */
#include <signal.h>
#include <unistd.h>

#include "user/cmd/cmd.h"

static const struct command commands[] = {
	{ "decode", "take page-table entries apart, bit by bit", cmd_decode },
	{ "walk", "show every level of the walk to an address", cmd_walk },
	{ "translate", "print where addresses lead, one line each", cmd_translate },
	{ "dump", "list what is mapped, as ranges with permissions", cmd_dump },
	{ "diff", "list what differs between two images of the same tables", cmd_diff },
};

static const struct program ptremap = {
	.name = "ptremap",
	.about = "Walks and decodes page tables of every x86 format in images of memory.",
	.statuses = "Exit status: 0 done, 1 failed, 2 wrong usage.",
	.commands = commands,
	.nr_commands = sizeof(commands) / sizeof(commands[0]),
};

/* Images are mapped: what is beyond the end of a file that somebody cuts is no longer there. */
static void on_sigbus(int sig)
{
	static const char text[] = "ptremap: the image was cut while it was read\n";

	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)sig;
	(void)n; /* nobody is left to be told */
	_exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
	signal(SIGBUS, on_sigbus);
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves is -EPIPE, and no fault */
	return program_main(&ptremap, argc, argv);
}
