// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"

#define PIECE (1U << 20)

/* 0 or -errno; *@all is to be freed in any case. */
static int read_all(FILE *in, char **all, uint64_t *len)
{
	size_t size = 0, got;
	char *more;

	*len = 0;
	do {
		if (*len == size) {
			size = size ? 2 * size : PIECE;
			more = realloc(*all, size);
			if (!more)
				return -ENOMEM;
			*all = more;
		}
		got = fread(*all + *len, 1, size - *len, in);
		*len += got;
		if (*len > WHOLE_FILE_MAX)
			return -EFBIG;
	} while (got);
	return ferror(in) ? -errno : 0;
}

char *whole_file(const char *path, uint64_t *len)
{
	FILE *in = fopen(path, "re");
	char *all = NULL;
	int err = in ? read_all(in, &all, len) : -errno;

	if (in)
		fclose(in);
	if (!err)
		return all;
	msg_error("%s: %s", path, strerror(-err));
	free(all);
	return NULL;
}
