// SPDX-License-Identifier: GPL-2.0
#include "user/base/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int out_file_create(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	return fd < 0 ? -errno : fd;
}

static int stat_folder(const char *path, struct stat *st)
{
	char *copy = strdup(path);
	int err;

	if (!copy)
		return -ENOMEM;
	err = stat(dirname(copy), st) ? -errno : 0;
	free(copy);
	return err;
}

/* Links could be exchanged after this, but not where the folder is sticky. */
static const char *distrust_link(const struct stat *link, const struct stat *folder)
{
	if (!(folder->st_mode & S_IWOTH))
		return NULL;
	if (!(folder->st_mode & S_ISVTX))
		return "it is a link in a folder where everybody may exchange it";
	if (link->st_uid != geteuid() && link->st_uid != folder->st_uid)
		return "it is a link of another user's, in a folder where everybody may put one";
	return NULL;
}

static const char *distrust_other(const struct stat *st, const struct stat *folder)
{
	if (S_ISREG(st->st_mode))
		return "it changed into a file just now";
	if (folder->st_mode & S_IWOTH && st->st_uid != geteuid() && st->st_uid &&
	    st->st_uid != folder->st_uid)
		return "it is another user's, in a folder where everybody may put it";
	return NULL;
}

/* O_NONBLOCK only so that opening does not wait, which no signal would end. */
static int open_plain(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | flags);

	if (fd < 0)
		return -errno;
	if (!fcntl(fd, F_SETFL, 0))
		return fd;
	flags = -errno;
	close(fd);
	return flags;
}

int out_file_open(const char *path, const char **why)
{
	struct stat st, folder;
	int fd, err;

	*why = NULL;
	if (lstat(path, &st))
		return -errno;
	err = stat_folder(path, &folder);
	if (err)
		return err;
	if (S_ISLNK(st.st_mode)) {
		*why = distrust_link(&st, &folder);
		return *why ? -EPERM : open_plain(path, O_TRUNC);
	}
	fd = open_plain(path, O_NOFOLLOW);
	if (fd < 0)
		return fd;
	*why = fstat(fd, &st) ? "it is gone" : distrust_other(&st, &folder);
	if (!*why)
		return fd;
	close(fd);
	return -EPERM;
}
