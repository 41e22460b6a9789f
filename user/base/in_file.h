/* SPDX-License-Identifier: GPL-2.0 */
/* Files whose names come from outside: other processes' mappings, recordings. */
#ifndef BASE_IN_FILE_H
#define BASE_IN_FILE_H

/*
 * Opens the regular file at @path for reading. What is none is -EINVAL and is not touched: opening
 * a device may do something, waiting for a fifo never ends. Whoever exchanges what lies there
 * meanwhile gains nothing. A descriptor or -errno.
 */
int in_file_open(const char *path);

#endif
