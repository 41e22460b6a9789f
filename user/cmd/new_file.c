// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/new_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/msg.h"

static int failed(const struct new_file *f, int err)
{
	msg_error("%s: %s", f->path ? f->path : "stdout", strerror(-err));
	return err;
}

int new_file_open(struct new_file *f, const char *path)
{
	struct stat st;

	*f = (struct new_file){ .path = path, .out = stdout };
	if (!path)
		return 0;
	if (lstat(path, &st) || S_ISREG(st.st_mode)) {
		if (asprintf(&f->temporary, "%s.new", path) < 0) {
			f->temporary = NULL;
			return failed(f, -ENOMEM);
		}
	}
	/* A new one: what lies there may be a link to somewhere else. */
	if (f->temporary)
		unlink(f->temporary);
	f->out = fopen(f->temporary ? f->temporary : path, f->temporary ? "wxe" : "we");
	if (f->out)
		return 0;
	failed(f, -errno);
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
