// SPDX-License-Identifier: GPL-2.0
/* ABIs by name. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/abi/abi_find.h"

/* Two folders, and one that is not there. */
static void make_dirs(struct abi_dirs *dirs)
{
	char base[] = "/tmp/test_abi_find.XXXXXX";

	cr_assert(mkdtemp(base));
	dirs->nr = 3;
	snprintf(dirs->path[0], PATH_MAX, "%s/absent", base);
	snprintf(dirs->path[1], PATH_MAX, "%s", base);
	snprintf(dirs->path[2], PATH_MAX, "%s/two", base);
	cr_assert_eq(mkdir(dirs->path[2], 0700), 0);
}

static void remove_dirs(const struct abi_dirs *dirs)
{
	cr_expect_eq(rmdir(dirs->path[2]), 0);
	cr_expect_eq(rmdir(dirs->path[1]), 0);
}

static void at(char path[PATH_MAX], const char *dir, const char *name)
{
	cr_assert(snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX);
}

static void add(const char *dir, const char *name)
{
	char path[PATH_MAX];
	FILE *f;

	at(path, dir, name);
	f = fopen(path, "w");
	cr_assert(f);
	fclose(f);
}

static void take_away(const char *dir, const char *name)
{
	char path[PATH_MAX];

	at(path, dir, name);
	cr_expect_eq(unlink(path), 0);
}

static void expect_names(const struct abi_dirs *dirs, const char *want)
{
	struct line l = { 0 };

	cr_assert_eq(abi_names(&l, dirs, ", "), 0);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, want);
	line_free(&l);
}

Test(abi_find, first_folder_counts)
{
	char path[PATH_MAX], want[PATH_MAX];
	struct abi_dirs dirs;

	make_dirs(&dirs);
	add(dirs.path[1], "b.abi");
	add(dirs.path[2], "b.abi");
	add(dirs.path[2], "a.abi");
	add(dirs.path[2], "c.txt");
	add(dirs.path[2], ".abi");
	expect_names(&dirs, "a, b");
	cr_expect_eq(abi_find(path, &dirs, "b"), 0);
	at(want, dirs.path[1], "b.abi");
	cr_expect_str_eq(path, want);
	cr_expect_eq(abi_find(path, &dirs, "a"), 0);
	at(want, dirs.path[2], "a.abi");
	cr_expect_str_eq(path, want);
	cr_expect_eq(abi_find(path, &dirs, "c"), -ENOENT);
	take_away(dirs.path[1], "b.abi");
	take_away(dirs.path[2], "b.abi");
	take_away(dirs.path[2], "a.abi");
	take_away(dirs.path[2], "c.txt");
	take_away(dirs.path[2], ".abi");
	expect_names(&dirs, "");
	remove_dirs(&dirs);
}

Test(abi_find, name_too_long)
{
	char path[PATH_MAX], name[PATH_MAX];
	struct abi_dirs dirs;

	make_dirs(&dirs);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	cr_expect_eq(abi_find(path, &dirs, name), -ENAMETOOLONG);
	remove_dirs(&dirs);
}

Test(abi_find, paths_and_names)
{
	cr_expect(abi_is_path("./kvm"));
	cr_expect(abi_is_path("mine.abi"));
	cr_expect_not(abi_is_path("kvm"));
	cr_expect_not(abi_is_path(".abi"));
	cr_expect_not(abi_is_path(""));
}

/* The program is somewhere, and so are its folders: absolute, the installed ones last. */
Test(abi_find, folders)
{
	struct abi_dirs dirs;
	unsigned int i;

	abi_dirs(&dirs);
	cr_assert_eq(dirs.nr, 3);
	for (i = 0; i < dirs.nr; i++)
		cr_expect_eq(dirs.path[i][0], '/');
	cr_expect_str_eq(dirs.path[2], PTSCOPE_ABI_DIR);
}
