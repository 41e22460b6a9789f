// SPDX-License-Identifier: GPL-2.0
#include "user/record/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/record/perf_format.h"

static int open_path(struct input *in, const char *path)
{
	struct stat st;
	int err;

	if (strcmp(path, "-"))
		in->fd = open(path, O_RDONLY | O_CLOEXEC);
	else
		in->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (in->fd < 0 || fstat(in->fd, &st)) {
		err = -errno;
		msg_error("%s: cannot open: %s", path, strerror(-err));
		return err;
	}
	in->seekable = S_ISREG(st.st_mode) && !lseek(in->fd, 0, SEEK_CUR);
	if (S_ISREG(st.st_mode))
		in->file_size = (uint64_t)st.st_size;
	return 0;
}

int input_open(struct input *in, const char *path)
{
	*in = (struct input){ .fd = -1, .end = UINT64_MAX };
	in->window = aligned_alloc(8, REC_BUFFER);
	in->path = strdup(path);
	if (in->window && in->path)
		return open_path(in, path);
	msg_error("%s: %s", path, strerror(ENOMEM));
	return -ENOMEM;
}

void input_close(struct input *in)
{
	if (in->fd >= 0)
		close(in->fd);
	free(in->window);
	free(in->path);
	*in = (struct input){ .fd = -1 };
}

/* One read() behind what the window has. */
static int read_more(struct input *in)
{
	ssize_t n;

	do
		n = read(in->fd, in->window + in->len, REC_BUFFER - in->len);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		n = -errno;
		if (!in->quiet)
			msg_error("%s: cannot read: %s", in->path, strerror((int)-n));
		return (int)n;
	}
	in->len += (size_t)n;
	return n ? INPUT_OK : INPUT_END;
}

int input_fill(struct input *in, size_t need)
{
	int ret;

	if (in->end - in->offset < need)
		return INPUT_END;
	if (in->len - in->pos >= need)
		return INPUT_OK;
	in->len -= in->pos;
	memmove(in->window, in->window + in->pos, in->len);
	in->pos = 0;
	while (in->len < need) {
		ret = read_more(in);
		if (ret != INPUT_OK)
			return ret;
	}
	return INPUT_OK;
}

const void *input_at(const struct input *in)
{
	return in->window + in->pos;
}

void input_consume(struct input *in, size_t size)
{
	in->pos += size;
	in->offset += size;
}

int input_skip_to(struct input *in, uint64_t offset)
{
	size_t step;
	int ret;

	if (offset > in->end)
		return INPUT_END;
	while (in->offset < offset) {
		step = in->len - in->pos;
		if (!step) {
			ret = input_fill(in, 1);
			if (ret != INPUT_OK)
				return ret;
			continue;
		}
		input_consume(in, offset - in->offset < step ? offset - in->offset : step);
	}
	return INPUT_OK;
}

int input_copy(const struct input *in, uint64_t offset, void *out, size_t size)
{
	uint64_t first = in->offset - in->pos;
	ssize_t n;

	if (offset >= first && offset - first <= in->len && in->len - (offset - first) >= size) {
		memcpy(out, in->window + (offset - first), size);
		return 0;
	}
	if (!in->seekable)
		return -ESPIPE;
	if (offset > INT64_MAX)
		return -ENODATA;
	n = pread(in->fd, out, size, (off_t)offset);
	if (n < 0)
		return -errno;
	return n == (ssize_t)size ? 0 : -ENODATA;
}

int input_corrupt(const struct input *in, const char *what)
{
	if (!in->quiet)
		msg_error("%s: corrupt at byte %" PRIu64 ": %s", in->path, in->offset, what);
	return -EINVAL;
}
