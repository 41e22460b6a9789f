/* SPDX-License-Identifier: GPL-2.0 */
/* Files that a reader sees whole: as they were, or as they are now. */
#ifndef CMD_NEW_FILE_H
#define CMD_NEW_FILE_H

#include <stdio.h>
#include <sys/types.h>

#define NEW_FILE_PRIVATE 0600
#define NEW_FILE_PUBLIC	 0666

/*
 * Opens what is to become @path; a regular file, or none, is replaced by PATH.new when
 * new_file_done() says so. Anything else (a fifo, /dev/stdout) is written as it is, if
 * out_file_open() trusts it. NULL: stdout.
 */
struct new_file {
	FILE *out;
	const char *path; /* NULL: stdout */
	char *temporary;  /* NULL: written as it is */
};

/* Each 0, or -errno after a line on stderr. */
/* @mode: of a new file, less the umask; NEW_FILE_PRIVATE for what tells of addresses. */
int new_file_open(struct new_file *f, const char *path, mode_t mode);
/* Closes it in any case. @err: what went wrong while it was written: it is thrown away then. */
int new_file_done(struct new_file *f, int err);

#endif
