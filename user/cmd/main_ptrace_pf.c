// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf: looks at page faults, with the page-table walk in each event. */
#include <stdarg.h>

#include <bpf/libbpf.h>

#include "user/cmd/cmd.h"

static const struct command commands[] = {
	{ "record", "trace into a file", cmd_record },
	{ "live", "trace to the terminal, one line per fault", cmd_live },
	{ "top", "trace live on the whole terminal: rates, latencies, addresses", cmd_top },
	{ "stat", "count in the kernel and print totals", cmd_stat },
	{ "report", "summarise a recording, grouped and sorted", cmd_report },
	{ "script", "print a recording, one line or JSON object per fault", cmd_script },
	{ "diff", "compare recordings with others: what grew, shrank, appeared",
	  cmd_diff_recordings },
	{ "export", "write a recording as a trace for other programs", cmd_export },
	{ "doctor", "say what this kernel offers and what is missing", cmd_doctor },
	{ "vms", "list the virtual machines of KVM", cmd_vms },
};

static const struct program ptrace_pf = {
	.name = "ptrace-pf",
	.about = "Traces page faults with the page-table walk as it was in each event.",
	.statuses = "Exit status: 0 done, 1 failed, 2 wrong usage, 128 + N ended by signal N;\n"
		    "with a launched command its own, 126 or 127 when it could not be run.",
	.commands = commands,
	.nr_commands = sizeof(commands) / sizeof(commands[0]),
};

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

int main(int argc, char **argv)
{
	/* libbpf reports each hook that it cannot attach; the session says it in one line. */
	libbpf_set_print(quiet);
	return program_main(&ptrace_pf, argc, argv);
}
