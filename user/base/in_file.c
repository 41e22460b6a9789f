// SPDX-License-Identifier: GPL-2.0
#include "user/base/in_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* open(2), O_PATH: a descriptor that only names a file; /proc gives one that reads the same file.
 */
int in_file_open(const char *path)
{
	int place = open(path, O_PATH | O_CLOEXEC), fd = -EINVAL;
	char same[32];
	struct stat st;

	if (place < 0)
		return -errno;
	if (fstat(place, &st)) {
		fd = -errno;
	} else if (S_ISREG(st.st_mode)) {
		snprintf(same, sizeof(same), "/proc/self/fd/%d", place);
		fd = open(same, O_RDONLY | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	close(place);
	return fd;
}
