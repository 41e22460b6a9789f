/* SPDX-License-Identifier: GPL-2.0 */
/* --abi NAME|FILE: hypercalls in the words of their ABI. */
#ifndef CMD_ABI_OPT_H
#define CMD_ABI_OPT_H

#include "user/abi/abi.h"
#include "user/base/opts.h"

/* A row for a command's own table; @field is a const char *, NULL if not given. */
#define ABI_OPT_ROW(type, field)                                                          \
	{                                                                                 \
		0, "abi", "NAME|FILE", ABI_OPT_HELP, OPT_STR, offsetof(type, field), NULL \
	}

#define ABI_OPT_HELP                                                                     \
	"tell hypercalls in the words of this ABI: a name (help lists them), or a file " \
	"of your own, see ptrace-pf-abi(5)"

/*
 * Reads what the option names; *@abi is NULL for @name NULL, and else the caller's to free. False:
 * the command ends with *@status, after a line on stderr or, for "help", the names on stdout.
 */
bool abi_opt_open(struct abi **abi, const char *name, int *status);

#endif
