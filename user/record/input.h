/* SPDX-License-Identifier: GPL-2.0 */
/* A file or pipe that is read front to back through one bounded window. */
#ifndef RECORD_INPUT_H
#define RECORD_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What reading functions return besides -errno. */
enum { INPUT_END = 0, INPUT_OK = 1 };

struct input {
	int fd;
	char *path;	    /* for messages */
	bool seekable;	    /* a regular file */
	bool quiet;	    /* what is wrong is not said */
	uint64_t file_size; /* 0: not a regular file */
	uint64_t offset;    /* in the file, of window + pos */
	uint64_t end;	    /* nothing is read behind it */
	size_t pos, len;    /* of the unread part of window[] */
	unsigned char *window;
};

/* Opens ("-": stdin). 0, or -errno after msg_error(). input_close() in any case. */
int input_open(struct input *in, const char *path);
void input_close(struct input *in);
/*
 * Makes @need bytes (at most REC_BUFFER) readable at input_at(). INPUT_END: it is over before;
 * -errno is said on stderr, unless ->quiet.
 */
int input_fill(struct input *in, size_t need);
const void *input_at(const struct input *in);
void input_consume(struct input *in, size_t size); /* of what was made readable */
/* Goes forward to @offset of the file. As input_fill(); behind ->end it is over. */
int input_skip_to(struct input *in, uint64_t offset);
/*
 * Copies bytes from anywhere: out of the window, or out of a file that can be read there. 0;
 * -ENODATA: the file ends before; -ESPIPE: not there any more, or not yet; -errno.
 */
int input_copy(const struct input *in, uint64_t offset, void *out, size_t size);
/* "PATH: corrupt at byte N: WHAT" on stderr, unless ->quiet. Returns -EINVAL. */
int input_corrupt(const struct input *in, const char *what);

#endif
