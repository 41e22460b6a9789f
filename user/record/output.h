/* SPDX-License-Identifier: GPL-2.0 */
/* Where a recording is written: a new file of our own, or whatever else there is. */
#ifndef RECORD_OUTPUT_H
#define RECORD_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output {
	int fd;
	bool own;   /* our own regular file: can be cut back and written again */
	bool kept;  /* an older file is there as PATH.old */
	char *path; /* of our own file */
	int broken; /* -errno that left a part of something behind: nothing can follow it */
	uint64_t bytes;
};

/* As rec_create(). output_close() in any case. */
int output_open(struct output *o, const char *path);
/* Writes all of it behind what is there or, in a file of our own, nothing. 0 or -errno. */
int output_append(struct output *o, const void *data, size_t size);
/* Writes over what is there, which needs no space. In a file of our own only. 0 or -errno. */
int output_patch(struct output *o, uint64_t offset, const void *data, size_t size);
/* Takes back what was written behind the first @bytes. In a file of our own only. */
void output_cut(struct output *o, uint64_t bytes);
/* Undoes output_open(): the file is removed, an older one gets its name back. */
void output_remove(const struct output *o);
int output_close(struct output *o); /* 0 or -errno */

#endif
