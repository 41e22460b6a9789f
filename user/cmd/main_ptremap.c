// SPDX-License-Identifier: GPL-2.0
/* ptremap: reads page tables, in images of memory and on this machine, and changes them there. */
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "user/cmd/cmd.h"

static const struct command commands[] = {
	{ "decode", "take page-table entries apart, bit by bit", cmd_decode },
	{ "walk", "show every level of the walk to an address", cmd_walk },
	{ "translate", "print where addresses lead, one line each", cmd_translate },
	{ "dump", "list what is mapped, as ranges with permissions", cmd_dump },
	{ "diff", "list what differs between two images of the same tables", cmd_diff },
	{ "snapshot", "save this machine's tables as an image", cmd_snapshot },
	{ "kind", "name the region of kernel and user addresses", cmd_kind },
	{ "read", "read physical memory", cmd_read },
	{ "write", "write physical memory", cmd_write },
	{ "protect", "change permissions and attributes of a process' pages", cmd_protect },
	{ "map", "put another frame behind a process' pages", cmd_map },
	{ "graft", "map memory where a process has none, low addresses included", cmd_graft },
	{ "mirror", "show a guest's addresses in another process", cmd_mirror },
	{ "swap", "let two pages exchange their frames", cmd_swap },
	{ "ept", "show and change what a VM's guest-physical pages lead to", cmd_ept },
	{ "trap", "make the next access to pages fault", cmd_trap },
	{ "apply", "make the changes of a file, all or none", cmd_apply },
	{ "list", "list the changes that are in force, and mirrors", cmd_list },
	{ "undo", "take changes back", cmd_undo },
	{ "rule", "change pages when a guest or a process does something", cmd_rule },
	{ "watch", "tell what becomes of changes, as it happens", cmd_watch },
};

static const struct program ptremap = {
	.name = "ptremap",
	.about =
		"Walks and decodes page tables: of this machine, live, and of every x86 format in\n"
		"images of memory. Changes those of processes, and takes it back.",
	.statuses =
		"Exit status: 0 done, 1 failed, 2 wrong usage, 130 after Ctrl-C; of changes that stay\n"
		"while a command runs its own, 126 or 127 when it could not be run.",
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
	libbpf_set_print(NULL); /* what cannot be had is said in our own words */
	signal(SIGBUS, on_sigbus);
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves is -EPIPE, and no fault */
	return program_main(&ptremap, argc, argv);
}
