/* SPDX-License-Identifier: GPL-2.0 */
/* Files of lines, with comments from a '#' on: plans, ABIs. */
#ifndef BASE_TEXT_FILE_H
#define BASE_TEXT_FILE_H

#include <stdint.h>
#include <stdio.h>

#define TEXT_FILE_MAX 1024 /* of a line, with its end */

/*
 * Hands each line that is not empty to @take, without its end and comments; @take may write to it.
 * What it returns, if not 0, ends the reading and is returned. *@line is the number of the last one
 * that was read. -E2BIG: it has more than TEXT_FILE_MAX bytes. -EIO.
 */
int text_file_lines(FILE *in, int (*take)(void *ctx, char *text), void *ctx, uint32_t *line);

/*
 * What is wrong with a line, on stderr: "plan, line 3: <why>". @err: of text_file_lines(), whose
 * own errors need no @why. Returns -EIO and -ENOMEM as they are, and else -EINVAL.
 */
int text_file_error(const char *name, uint32_t line, int err, const char *why);

#endif
