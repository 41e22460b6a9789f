// SPDX-License-Identifier: GPL-2.0
/* Which of the kept programs that call rules are ended. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "user/trace/rule_caller.h"

static char dir[] = "/tmp/test_rule_caller.XXXXXX";

static void enter(void)
{
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
}

static void leave(void)
{
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(rmdir(dir), 0, "the tests leave nothing");
}

TestSuite(rule_caller, .init = enter, .fini = leave);

static void make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	cr_assert_geq(fd, 0);
	close(fd);
}

static bool take(const char *name)
{
	return !unlink(name);
}

/* Rule 1 is there; 4 was added, with its program, after the module was asked. */
static int one_and_a_new_one(void *ctx, struct ptremap_rule *rules)
{
	(void)ctx;
	make("4");
	rules[0] = (struct ptremap_rule){ .id = 1 };
	return 1;
}

static int no_list(void *ctx, struct ptremap_rule *rules)
{
	(void)rules;
	return *(const int *)ctx;
}

Test(rule_caller, ends_those_without_rules)
{
	make("1-2");
	make("3");
	make("2-3-11");
	make("other");
	rule_caller_tidy_in(dir, one_and_a_new_one, NULL);
	cr_assert(take("1-2"));
	cr_assert(!take("3"));
	cr_assert(!take("2-3-11"));
	cr_assert(take("other"), "none of ours");
	cr_assert(take("4"), "added meanwhile");
}

Test(rule_caller, ends_nothing_without_a_list)
{
	int err = -EIO;

	make("3");
	rule_caller_tidy_in(dir, no_list, &err);
	cr_assert(take("3"));
	rule_caller_tidy_in("/nowhere", no_list, &err);
}
