// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/new_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/base/out_file.h"

static int failed(const struct new_file *f, int err)
{
	msg_error("%s: %s", f->path ? f->path : "stdout", strerror(-err));
	return err;
}

static int open_there(struct new_file *f)
{
	const char *why;
	int fd = out_file_open(f->path, &why);

	if (fd < 0 && why)
		msg_error("%s: not written to: %s", f->path, why);
	else if (fd < 0)
		failed(f, fd);
	return fd;
}

static int open_temporary(struct new_file *f, mode_t mode)
{
	int fd;

	if (asprintf(&f->temporary, "%s.new", f->path) < 0) {
		f->temporary = NULL;
		return failed(f, -ENOMEM);
	}
	/* A new one: what lies there may be a link to somewhere else. */
	unlink(f->temporary);
	fd = out_file_create(f->temporary, mode);
	return fd < 0 ? failed(f, fd) : fd;
}

int new_file_open(struct new_file *f, const char *path, mode_t mode)
{
	struct stat st;
	int fd;

	*f = (struct new_file){ .path = path, .out = stdout };
	if (!path)
		return 0;
	fd = lstat(path, &st) || S_ISREG(st.st_mode) ? open_temporary(f, mode) : open_there(f);
	f->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (f->out)
		return 0;
	if (fd >= 0) {
		failed(f, -errno);
		close(fd);
	}
	free(f->temporary);
	return -EIO;
}

int new_file_done(struct new_file *f, int err)
{
	if (!err && (fflush(f->out) || ferror(f->out)))
		err = failed(f, errno ? -errno : -EIO);
	if (f->out != stdout && fclose(f->out) && !err)
		err = failed(f, -errno);
	if (f->temporary && !err && rename(f->temporary, f->path))
		err = failed(f, -errno);
	if (f->temporary && err)
		unlink(f->temporary);
	free(f->temporary);
	return err;
}
