// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/procs_feed.h"

static const char *name_at(struct procs *p, uint32_t pid, uint64_t address, uint64_t time)
{
	const struct proc_map *map = procs_map(p, pid, address, time);

	return map ? procs_map_name(p, map) : "none";
}

Test(procs, comm_over_time)
{
	struct procs *p = new_procs();

	cr_assert_str_eq(procs_comm(p, 10, 10, 100), "?");
	feed_comm(p, 10, 10, 100, "sh", 0);
	feed_comm(p, 10, 10, 200, "sixteen bytes ok", 1);
	cr_assert_str_eq(procs_comm(p, 10, 10, 50), "sh", "the earliest known");
	cr_assert_str_eq(procs_comm(p, 10, 10, 199), "sh");
	cr_assert_str_eq(procs_comm(p, 10, 10, 200), "sixteen bytes ok");
	cr_assert_str_eq(procs_comm(p, 10, 11, 150), "sh", "unknown thread: its process");
	feed_comm(p, 10, 10, 150, "late", 0);
	cr_assert_str_eq(procs_comm(p, 10, 10, 149), "sh");
	cr_assert_str_eq(procs_comm(p, 10, 10, 160), "late");
	procs_free(p);
}

Test(procs, comm_is_inherited)
{
	struct procs *p = new_procs();

	feed_comm(p, 10, 10, 100, "sh", 0);
	feed_fork(p, 10, 11, 10, 10, 110);
	feed_fork(p, 20, 20, 10, 11, 120);
	cr_assert_str_eq(procs_comm(p, 10, 11, 115), "sh");
	cr_assert_str_eq(procs_comm(p, 20, 20, 125), "sh");
	feed_comm(p, 10, 10, 130, "new", 0);
	cr_assert_str_eq(procs_comm(p, 10, 11, 140), "sh", "what the parent does later is its own");
	/* The parent's own name arrives after the fork that copied it. */
	feed_comm(p, 10, 10, 105, "worker", 0);
	cr_assert_str_eq(procs_comm(p, 20, 20, 125), "worker");
	cr_assert_str_eq(procs_comm(p, 10, 10, 102), "sh");
	procs_free(p);
}

Test(procs, comm_of_deep_forks)
{
	struct procs *p = new_procs();
	uint32_t pid;

	feed_comm(p, 1, 1, 1, "init", 0);
	for (pid = 2; pid < 1000; pid++)
		feed_fork(p, pid, pid, pid - 1, pid - 1, pid);
	cr_assert_str_eq(procs_comm(p, 999, 999, 5000), "init");
	procs_free(p);
}

Test(procs, pid_is_used_again)
{
	struct procs *p = new_procs();

	feed_comm(p, 1, 1, 10, "init", 0);
	feed_comm(p, 7, 7, 10, "old", 0);
	feed_mmap(p, 7, 10, 0x1000, 0x1fff, "/old", 1);
	feed_exit(p, 7, 7, 20);
	cr_assert_str_eq(name_at(p, 7, 0x1000, 25), "/old", "a little late is still the old one");
	feed_fork(p, 7, 7, 1, 1, 30);
	cr_assert_str_eq(procs_comm(p, 7, 7, 25), "old");
	cr_assert_str_eq(procs_comm(p, 7, 7, 30), "init");
	cr_assert_str_eq(name_at(p, 7, 0x1000, 29), "/old");
	cr_assert_str_eq(name_at(p, 7, 0x1000, 30), "none");
	procs_free(p);
}

/* The fork was lost: only a name says that there is somebody new. */
Test(procs, pid_is_used_again_without_fork)
{
	struct procs *p = new_procs();

	feed_mmap(p, 7, 10, 0x1000, 0x1fff, "/old", 1);
	feed_exit(p, 7, 8, 15);
	feed_comm(p, 7, 7, 16, "renamed", 0);
	cr_assert_str_eq(name_at(p, 7, 0x1000, 17), "/old", "only a thread ended");
	feed_exit(p, 7, 7, 20);
	feed_comm(p, 7, 9, 25, "thread", 0);
	cr_assert_str_eq(name_at(p, 7, 0x1000, 26), "/old", "a thread outlived the main thread");
	feed_comm(p, 7, 7, 30, "new", 0);
	cr_assert_str_eq(name_at(p, 7, 0x1000, 31), "none");
	feed_mmap(p, 7, 32, 0x1000, 0x1fff, "/new", 2);
	feed_comm(p, 7, 7, 40, "renamed", 0);
	cr_assert_str_eq(name_at(p, 7, 0x1000, 41), "/new", "one start of a life is enough");
	procs_free(p);
}

Test(procs, overlap)
{
	struct procs *p = new_procs();
	const struct proc_map *map;

	feed_mmap(p, 7, 10, 0x1000, 0x8fff, "/a", 1);
	feed_mmap(p, 7, 20, 0x3000, 0x4fff, "/b", 2);
	feed_mmap(p, 7, 30, 0x4000, 0x5fff, "", 0);
	cr_assert_str_eq(name_at(p, 7, 0x3000, 15), "/a");
	cr_assert_str_eq(name_at(p, 7, 0x2fff, 25), "/a");
	cr_assert_str_eq(name_at(p, 7, 0x3000, 25), "/b");
	cr_assert_str_eq(name_at(p, 7, 0x4fff, 25), "/b");
	cr_assert_str_eq(name_at(p, 7, 0x5000, 25), "/a");
	cr_assert_str_eq(name_at(p, 7, 0x3fff, 30), "/b");
	cr_assert_str_eq(name_at(p, 7, 0x4000, 30), "//anon");
	cr_assert_str_eq(name_at(p, 7, 0x6000, 30), "/a");
	cr_assert_str_eq(name_at(p, 7, 0x9000, 30), "none");
	cr_assert_str_eq(name_at(p, 7, 0xfff, 30), "none");
	map = procs_map(p, 7, 0x6000, 30);
	cr_assert_eq(map->start, 0x1000);
	cr_assert_eq(map->last, 0x8fff);
	cr_assert_eq(map->pgoff, 0x1000);
	cr_assert_eq(map->ino, 1);
	procs_free(p);
}

Test(procs, sizes_that_make_no_sense)
{
	struct procs *p = new_procs();

	feed_mmap(p, 7, 10, 0x1000, 0xfff, "/empty", 1);
	feed_mmap(p, 7, 10, 0x2000, UINT64_MAX, "/to the end", 1);
	feed_mmap(p, 7, 10, 0x2000, 0x100, "/wraps", 1);
	cr_assert_str_eq(name_at(p, 7, 0x1000, 10), "none");
	cr_assert_str_eq(name_at(p, 7, 0x2000, 10), "none");
	cr_assert_str_eq(name_at(p, 7, UINT64_MAX, 10), "none");
	feed_mmap(p, 7, 10, 0, UINT64_MAX - 1, "/all", 1);
	cr_assert_str_eq(name_at(p, 7, 0, 10), "/all");
	cr_assert_str_eq(name_at(p, 7, UINT64_MAX - 1, 10), "/all");
	cr_assert_str_eq(name_at(p, 7, UINT64_MAX, 10), "none");
	procs_free(p);
}

Test(procs, exec_ends_all)
{
	struct procs *p = new_procs();

	feed_mmap(p, 7, 10, 0x1000, 0x1fff, "/sh", 1);
	feed_comm(p, 7, 7, 20, "ls", 1);
	cr_assert_str_eq(name_at(p, 7, 0x1000, 19), "/sh");
	cr_assert_str_eq(name_at(p, 7, 0x1000, 20), "none");
	feed_mmap(p, 7, 21, 0x2000, 0x2fff, "/ls", 1);
	cr_assert_str_eq(name_at(p, 7, 0x2000, 25), "/ls");
	cr_assert_str_eq(name_at(p, 7, 0x2000, 19), "none");
	cr_assert_str_eq(name_at(p, 7, 0x2000, 5), "none");
	cr_assert_str_eq(name_at(p, 7, 0x1000, 5), "/sh", "before all: the earliest");
	procs_free(p);
}

Test(procs, fork_copies)
{
	struct procs *p = new_procs();

	feed_mmap(p, 7, 10, 0x1000, 0x3fff, "/sh", 1);
	feed_fork(p, 8, 8, 7, 7, 20);
	feed_mmap(p, 7, 30, 0x1000, 0x1fff, "/parent", 2);
	feed_mmap(p, 8, 40, 0x2000, 0x2fff, "/child", 3);
	cr_assert_str_eq(name_at(p, 8, 0x1000, 35), "/sh");
	cr_assert_str_eq(name_at(p, 7, 0x1000, 35), "/parent");
	cr_assert_str_eq(name_at(p, 8, 0x2000, 35), "/sh");
	cr_assert_str_eq(name_at(p, 8, 0x2000, 45), "/child");
	cr_assert_str_eq(name_at(p, 7, 0x2000, 45), "/sh");
	/* A grandchild, and then the one in between is another program. */
	feed_fork(p, 9, 9, 8, 8, 50);
	feed_comm(p, 8, 8, 60, "ls", 1);
	feed_exit(p, 7, 7, 60);
	cr_assert_str_eq(name_at(p, 9, 0x3000, 70), "/sh");
	cr_assert_str_eq(name_at(p, 9, 0x2000, 70), "/child");
	cr_assert_str_eq(name_at(p, 8, 0x2000, 70), "none");
	/* A late record of the first one reaches those that saw it. */
	feed_mmap(p, 7, 15, 0x5000, 0x5fff, "/late", 4);
	cr_assert_str_eq(name_at(p, 9, 0x5000, 70), "/late");
	procs_free(p);
}

Test(procs, records_out_of_order)
{
	struct procs *p = new_procs();

	feed_mmap(p, 7, 10, 0x1000, 0x1fff, "/sh", 1);
	/* The child: mapping after exec, exec, mapping before exec, fork. */
	feed_mmap(p, 8, 40, 0x2000, 0x2fff, "/ls", 1);
	feed_comm(p, 8, 8, 30, "ls", 1);
	feed_mmap(p, 8, 25, 0x3000, 0x3fff, "/lib", 1);
	feed_fork(p, 8, 8, 7, 7, 20);
	cr_assert_str_eq(name_at(p, 8, 0x2000, 45), "/ls");
	cr_assert_str_eq(name_at(p, 8, 0x1000, 45), "none");
	cr_assert_str_eq(name_at(p, 8, 0x3000, 45), "none");
	cr_assert_str_eq(name_at(p, 8, 0x3000, 28), "/lib");
	cr_assert_str_eq(name_at(p, 8, 0x1000, 28), "/sh");
	cr_assert_str_eq(name_at(p, 8, 0x1000, 19), "/sh", "before all: the earliest");
	/* An end that is told after the next life began. */
	feed_exit(p, 8, 8, 19);
	feed_comm(p, 8, 8, 50, "name", 0);
	cr_assert_str_eq(name_at(p, 8, 0x2000, 55), "/ls");
	procs_free(p);
}

/* A process that ran before: what is told later was there before. */
Test(procs, before_all_that_is_known)
{
	struct procs *p = new_procs();

	feed_mmap(p, 7, 10, 0x9000, 0x9fff, "/new", 1);
	feed_mmap(p, 7, 100, 0x1000, 0x1fff, "/old", 1);
	feed_mmap(p, 7, 200, 0x1000, 0x1fff, "/later", 1);
	cr_assert_str_eq(name_at(p, 7, 0x1000, 50), "/old");
	cr_assert_str_eq(name_at(p, 7, 0x1000, 5), "/old");
	/* A fork before the parent was told about copies that, and quickly. */
	feed_fork(p, 8, 8, 7, 7, 20);
	cr_assert_str_eq(name_at(p, 8, 0x1000, 300), "/old");
	cr_assert_str_eq(name_at(p, 8, 0x9000, 300), "/new");
	procs_free(p);
}

/* Ten thousand children of a process with five thousand mappings: nothing is copied. */
Test(procs, forks_are_cheap, .timeout = 10)
{
	struct procs *p = new_procs();
	uint64_t i;

	for (i = 0; i < 5000; i++)
		feed_mmap(p, 1, 1, i << 12, (i << 12) + 0xfff, "/jvm", i + 1);
	for (i = 0; i < 10000; i++) {
		uint32_t pid = 2 + (uint32_t)i;

		feed_fork(p, pid, pid, 1, 1, 10 + i);
		cr_assert_eq(procs_map(p, pid, i % 5000 << 12, 20 + i)->ino, i % 5000 + 1);
	}
	procs_free(p);
}

/* A line of forks, each of which maps something of its own. */
Test(procs, deep_forks, .timeout = 10)
{
	struct procs *p = new_procs();
	const struct proc_map *map;
	uint64_t i;

	feed_mmap(p, 1, 1, 0x1000, 0xffff, "/first", 1);
	for (i = 2; i < 2000; i++) {
		feed_fork(p, (uint32_t)i, (uint32_t)i, (uint32_t)i - 1, (uint32_t)i - 1, i * 10);
		feed_mmap(p, (uint32_t)i, i * 10 + 1, i << 16, (i << 16) + 0xfff, "/own", i);
		if (i == 5)
			feed_mmap(p, 5, 52, 0x1000, 0x1fff, "/over", 5);
	}
	cr_assert_str_eq(name_at(p, 1999, 0x1000, 30000), "/over");
	cr_assert_str_eq(name_at(p, 1999, 0x2000, 30000), "/first");
	map = procs_map(p, 1999, 0x3000, 30000);
	cr_assert_eq(map->pgoff, map->start, "offsets stay right in what is copied");
	for (i = 2; i < 2000; i++)
		cr_assert_eq(procs_map(p, 1999, i << 16, 30000)->ino, i);
	cr_assert_eq(procs_map(p, 1000, 1001 << 16, 30000), NULL);
	procs_free(p);
}
