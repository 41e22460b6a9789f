// SPDX-License-Identifier: GPL-2.0
#include "user/sym/build_id.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/in_file.h"

int build_id_set(struct build_id *id, const void *bytes, size_t size)
{
	*id = (struct build_id){ 0 };
	if (!size || size > BUILD_ID_MAX)
		return -EINVAL;
	id->size = (uint8_t)size;
	memcpy(id->bytes, bytes, size);
	return 0;
}

int build_id_read(struct build_id *id, int fd)
{
	const void *bytes;
	ssize_t size;
	Elf *elf;
	int err;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	size = elf ? dwelf_elf_gnu_build_id(elf, &bytes) : 0;
	err = size > 0 ? build_id_set(id, bytes, (size_t)size) : -ENOENT;
	elf_end(elf);
	return err ? -ENOENT : 0;
}

/* "~/.debug/.build-id/ab/cdef.../elf" (tools/perf/util/build-id.c) */
static int cache_path(const struct build_id *id, const char *part, char *path, size_t size)
{
	const char *home = getenv("HOME");
	char hex[2 * BUILD_ID_MAX + 1] = "";
	unsigned int i;
	int n;

	if (!home || !*home || id->size < 2)
		return -ENOENT;
	for (i = 0; i < id->size; i++)
		snprintf(hex + 2ul * i, 3, "%02x", id->bytes[i]);
	n = snprintf(path, size, "%s/.debug/.build-id/%.2s/%s/%s", home, hex, hex + 2, part);
	return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

int build_id_open(const struct build_id *id, const char *part)
{
	struct build_id found;
	char path[PATH_MAX];
	int fd, err = cache_path(id, part, path, sizeof(path));

	if (err)
		return err;
	fd = in_file_open(path);
	if (fd < 0)
		return fd;
	if (!build_id_read(&found, fd) && build_id_equal(&found, id))
		return fd;
	close(fd);
	return -ESTALE;
}
