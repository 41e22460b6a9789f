// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "user/trace/launch.h"

Test(launch, finds_what_execvp_finds)
{
	cr_assert_eq(launch_find("sh"), 0);
	cr_assert_eq(launch_find("/bin/sh"), 0);
	cr_assert_eq(launch_find("no-such-command"), -ENOENT);
	cr_assert_eq(launch_find("/no/such/command"), -ENOENT);
	cr_assert_eq(launch_find("/etc/passwd"), -EACCES);
	cr_assert_eq(launch_find("/etc"), -EACCES);
	cr_assert_eq(launch_find("/etc/passwd/x"), -ENOTDIR);
	cr_assert_neq(launch_find(""), 0);
}

Test(launch, path_may_be_unset_or_odd)
{
	unsetenv("PATH");
	cr_assert_eq(launch_find("sh"), 0);
	setenv("PATH", ":/no/such:", 1);
	cr_assert_eq(launch_find("sh"), -ENOENT);
	setenv("PATH", "/etc:/bin", 1);
	cr_assert_eq(launch_find("sh"), 0);
}

static int status_of(char *const argv[])
{
	struct launch l = LAUNCH_INIT;
	int err;

	cr_assert_eq(launch_prepare(&l, argv, STDOUT_FILENO), 0);
	err = launch_go(&l);
	return err ? err : launch_end(&l);
}

Test(launch, gives_the_status_of_the_command)
{
	char *const three[] = { "sh", "-c", "exit 3", NULL };
	char *const killed[] = { "sh", "-c", "kill -9 $$", NULL };

	cr_assert_eq(status_of(three), 3);
	cr_assert_eq(status_of(killed), 128 + 9);
}

Test(launch, a_command_that_is_not_let_go_leaves)
{
	char *const argv[] = { "sh", "-c", "exit 3", NULL };
	struct launch l = LAUNCH_INIT;

	cr_assert_eq(launch_prepare(&l, argv, STDOUT_FILENO), 0);
	cr_assert_eq(launch_end(&l), 0);
}

Test(launch, says_why_the_exec_failed)
{
	char *const argv[] = { "/no/such/command", NULL };

	cr_assert_eq(status_of(argv), -ENOENT);
}
