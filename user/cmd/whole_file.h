/* SPDX-License-Identifier: GPL-2.0 */
/* A file of any kind, read to its end. */
#ifndef CMD_WHOLE_FILE_H
#define CMD_WHOLE_FILE_H

#include <stdint.h>

#define WHOLE_FILE_MAX (1U << 30)

/*
 * All that is in the file at @path, up to WHOLE_FILE_MAX bytes, and how many these are. free()
 * gives it back; NULL after a line on stderr.
 */
char *whole_file(const char *path, uint64_t *len);

#endif
