// SPDX-License-Identifier: GPL-2.0
#include "user/record/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/base/out_file.h"

static int write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	ssize_t n;

	while (size) {
		n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Goes on behind ->bytes. @err: what nothing can follow if that fails. */
static void go_back(struct output *o, int err)
{
	if (!o->own || ftruncate(o->fd, (off_t)o->bytes) ||
	    lseek(o->fd, (off_t)o->bytes, SEEK_SET) < 0)
		o->broken = err;
}

int output_append(struct output *o, const void *data, size_t size)
{
	int err = o->broken ? o->broken : write_all(o->fd, data, size);

	if (!err)
		o->bytes += size;
	else
		go_back(o, err);
	return err;
}

void output_cut(struct output *o, uint64_t bytes)
{
	o->bytes = bytes;
	go_back(o, -EIO);
}

static int old_name(char old[PATH_MAX], const char *path)
{
	return snprintf(old, PATH_MAX, "%s.old", path) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* An existing file is moved out of the way. */
static int keep_old(struct output *o, const char *path)
{
	char old[PATH_MAX];
	int err = old_name(old, path);

	if (!err && rename(path, old))
		err = -errno;
	if (err)
		msg_error("%s: cannot keep it as %s.old: %s", path, path, strerror(-err));
	o->kept = !err;
	return err;
}

/* Addresses of other people's processes are nobody else's business: 0600. */
static int create_own(struct output *o, const char *path, bool exists)
{
	int err = exists ? keep_old(o, path) : 0;

	if (err)
		return err;
	o->own = true;
	o->path = strdup(path);
	o->fd = o->path ? out_file_create(path, 0600) : -ENOMEM;
	return o->fd < 0 ? o->fd : 0;
}

/* Creates a regular file, or opens what is there and is something else (/dev/null, a fifo). */
static int open_path(struct output *o, const char *path)
{
	const char *why = NULL;
	struct stat st;
	bool exists = !lstat(path, &st);
	int err;

	if (!exists || S_ISREG(st.st_mode)) {
		err = create_own(o, path, exists);
	} else {
		o->fd = out_file_open(path, &why);
		err = o->fd < 0 ? o->fd : 0;
	}
	if (err == -ENXIO)
		msg_error("%s: nobody reads this fifo", path);
	else if (why)
		msg_error("%s: not written to: %s", path, why);
	else if (err && !(exists && !o->own && S_ISREG(st.st_mode)))
		msg_error("%s: cannot create: %s", path, strerror(-err));
	return err;
}

static int open_stdout(struct output *o)
{
	int err;

	if (isatty(STDOUT_FILENO)) {
		msg_error("stdout is a terminal: name a file or redirect the recording");
		return -EINVAL;
	}
	o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (o->fd >= 0)
		return 0;
	err = -errno;
	msg_error("stdout: %s", strerror(-err));
	return err;
}

int output_patch(struct output *o, uint64_t offset, const void *data, size_t size)
{
	ssize_t n = pwrite(o->fd, data, size, (off_t)offset);

	if (n < 0)
		return -errno;
	return n == (ssize_t)size ? 0 : -EIO;
}

int output_open(struct output *o, const char *path)
{
	*o = (struct output){ .fd = -1 };
	return strcmp(path, "-") ? open_path(o, path) : open_stdout(o);
}

void output_remove(const struct output *o)
{
	char old[PATH_MAX];

	if (o->own)
		unlink(o->path);
	if (o->kept && !old_name(old, o->path))
		rename(old, o->path);
}

int output_close(struct output *o)
{
	int err = o->fd >= 0 && close(o->fd) ? -errno : 0;

	o->fd = -1;
	free(o->path);
	o->path = NULL;
	return err;
}
