/* SPDX-License-Identifier: GPL-2.0 */
/* Data on stdout: has it been taken? */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

/* 0, or -errno of a write to stdout that failed; for writers that do not say so themselves. */
int output_error(void);

/*
 * The exit status for what writing ended with: a reader that leaves (-EPIPE) is no failure, and
 * other errors are told in a line on stderr.
 */
int output_status(int err);

#endif
