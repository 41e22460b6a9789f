/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers as words of a command line, or on stdin. */
#ifndef CMD_NUMBERS_H
#define CMD_NUMBERS_H

#include <stdint.h>

/* @number, decimal or 0x hex. Returns 0 or -errno, which ends it. */
typedef int (*numbers_fn)(void *ctx, uint64_t number);

/*
 * Calls @each for the numbers argv[rest..]; "-" stands for those on stdin, separated by blanks.
 * Nothing is called if a word is none, or if there are no words. Returns an exit status, after a
 * line on stderr unless it is EXIT_DONE; what @each returns is taken for an error of stdout.
 * @what: "an address". @usage: as for msg_usage().
 */
int numbers_each(int argc, char **argv, int rest, const char *what, const char *usage,
		 numbers_fn each, void *ctx);

#endif
