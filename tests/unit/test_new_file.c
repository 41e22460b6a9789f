// SPDX-License-Identifier: GPL-2.0
/* Files that a reader sees whole: the old one, or the new one, and nothing beside it. */
#include <errno.h>
#include <sys/stat.h>

#include "tests/unit/record_files.h"
#include "user/cmd/new_file.h"

TestSuite(new_file, .init = enter, .fini = leave);

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fputs(text, f) >= 0 && !fclose(f));
}

static void expect_file(const char *path, const char *want)
{
	char text[16] = "";
	FILE *f = fopen(path, "r");

	cr_assert_not_null(f, "%s", path);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	cr_expect_str_eq(text, want);
}

static struct new_file begin(const char *path)
{
	struct new_file f;

	cr_assert_eq(new_file_open(&f, path, NEW_FILE_PRIVATE), 0);
	cr_assert(fputs("new", f.out) >= 0);
	return f;
}

Test(new_file, replaces_when_it_is_done)
{
	struct new_file f;
	struct stat st;

	write_file("x", "old");
	write_file("elsewhere", "safe");
	cr_assert_eq(symlink("elsewhere", "x.new"), 0);
	f = begin("x");
	expect_file("x", "old");
	cr_expect_eq(new_file_done(&f, 0), 0);
	expect_file("x", "new");
	expect_file("elsewhere", "safe");
	cr_expect_eq(access("x.new", F_OK), -1);
	cr_assert_eq(stat("x", &st), 0);
	cr_expect_eq(st.st_mode & 07777, NEW_FILE_PRIVATE);
}

Test(new_file, is_thrown_away_after_an_error)
{
	struct new_file f;

	write_file("x", "old");
	f = begin("x");
	cr_expect_eq(new_file_done(&f, -EIO), -EIO);
	expect_file("x", "old");
	cr_expect_eq(access("x.new", F_OK), -1);
	f = begin("none");
	cr_expect_eq(new_file_done(&f, -EIO), -EIO);
	cr_expect_eq(access("none", F_OK), -1);
}

Test(new_file, goes_through_what_is_no_file)
{
	struct new_file f;

	write_file("x", "older");
	cr_assert_eq(symlink("x", "link"), 0);
	f = begin("link");
	cr_expect_null(f.temporary);
	cr_expect_eq(new_file_done(&f, 0), 0);
	expect_file("x", "new");
	f = begin(NULL);
	cr_expect_eq(f.out, stdout);
	cr_expect_eq(new_file_done(&f, 0), 0);
	cr_expect_geq(fileno(stdout), 0);
}

Test(new_file, says_what_failed)
{
	struct new_file f;

	capture_stderr();
	cr_expect_eq(new_file_open(&f, "no/folder", NEW_FILE_PUBLIC), -EIO);
	check_message("no/folder: No such file");
	f = begin("/dev/full");
	cr_expect_eq(new_file_done(&f, 0), -ENOSPC);
	check_message("/dev/full: No space left");
}

Test(new_file, distrusts_links_that_may_be_exchanged)
{
	struct new_file f;

	capture_stderr();
	cr_assert_eq(mkdir("open", 0777), 0);
	cr_assert_eq(chmod("open", 0777), 0);
	write_file("x", "old");
	cr_assert_eq(symlink("../x", "open/link"), 0);
	cr_expect_eq(new_file_open(&f, "open/link", NEW_FILE_PUBLIC), -EIO);
	check_message("not written to: it is a link in a folder where everybody may exchange it");
	expect_file("x", "old");
}
