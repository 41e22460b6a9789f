// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "user/base/in_file.h"

/* A fifo without a writer would be waited for; a device would be opened. */
Test(in_file, regular_files_alone)
{
	char dir[] = "/tmp/in_file.XXXXXX", file[64], link[64], fifo[64], byte;
	FILE *out;
	int fd;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	out = fopen(file, "w");
	cr_assert_not_null(out);
	fputs("x", out);
	fclose(out);
	cr_assert_eq(symlink(file, link), 0);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	fd = in_file_open(link);
	cr_assert_geq(fd, 0);
	cr_expect_eq(read(fd, &byte, 1), 1);
	cr_expect_eq(byte, 'x');
	close(fd);
	cr_expect_eq(in_file_open(fifo), -EINVAL);
	cr_expect_eq(in_file_open("/dev/null"), -EINVAL);
	cr_expect_eq(in_file_open(dir), -EINVAL);
	unlink(file);
	cr_expect_eq(in_file_open(link), -ENOENT);
	unlink(link);
	unlink(fifo);
	rmdir(dir);
}
