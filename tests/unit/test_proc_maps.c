// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/kernel/proc_maps.h"

struct seen {
	struct proc_maps_entry entry[16];
	char name[16][8192];
	int n;
};

static int take(void *ctx, const struct proc_maps_entry *e)
{
	struct seen *s = ctx;

	cr_assert_lt(s->n, 16);
	s->entry[s->n] = *e;
	snprintf(s->name[s->n++], sizeof(s->name[0]), "%s", e->name);
	return 0;
}

static struct seen *parse(const char *text)
{
	struct seen *s = calloc(1, sizeof(*s));
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	cr_assert(s && in);
	cr_assert_eq(proc_maps_read(in, take, s), 0);
	fclose(in);
	return s;
}

Test(proc_maps, lines)
{
	struct seen *s = parse(
		"55a279e26000-55a279ee7000 r-xp 0002f000 fe:1f 247101                     /usr/bin/a b\n"
		"7f0000000000-7f0000001000 rw-s 00000000 00:05 1024      /dev/zero (deleted)\n"
		"7f0000001000-7f0000002000 ---p 00000000 00:00 0 \n"
		"7f0000002000-7f0000003000 r--p 00000000 08:01 7 /tmp/x\\012y\n"
		"7fff9393d000-7fff9395e000 rw-p 00000000 00:00 0          [stack]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]");

	cr_assert_eq(s->n, 6);
	cr_assert_eq(s->entry[0].start, 0x55a279e26000);
	cr_assert_eq(s->entry[0].end, 0x55a279ee7000);
	cr_assert_eq(s->entry[0].pgoff, 0x2f000);
	cr_assert_eq(s->entry[0].maj, 0xfe);
	cr_assert_eq(s->entry[0].min, 0x1f);
	cr_assert_eq(s->entry[0].ino, 247101);
	cr_assert_eq(s->entry[0].prot, PROT_READ | PROT_EXEC);
	cr_assert_not(s->entry[0].shared);
	cr_assert_str_eq(s->name[0], "/usr/bin/a b");
	cr_assert(s->entry[1].shared);
	cr_assert_str_eq(s->name[1], "/dev/zero (deleted)");
	cr_assert_str_eq(s->name[2], "");
	cr_assert_eq(s->entry[2].prot, 0);
	cr_assert_str_eq(s->name[3], "/tmp/x\ny");
	cr_assert_str_eq(s->name[4], "[stack]");
	cr_assert_eq(s->entry[5].start, 0xffffffffff600000);
	free(s);
}

Test(proc_maps, nonsense_is_left_out)
{
	struct seen *s = parse("\n"
			       "hello\n"
			       "1000-\n"
			       "2000-1000 r--p 00000000 00:00 0 backwards\n"
			       "1000-2000 r--p\n"
			       "1000-2000 r--p 0 0\n"
			       "10000000000000000-20000000000000000 r--p 0 00:00 0 overflow\n"
			       "1000-2000 r--p 0 100000000:00 0 device\n"
			       "-1000-2000 r--p 0 00:00 0 sign\n"
			       "1000-2000 r--p 0 00:00 0 good\n");

	cr_assert_eq(s->n, 1);
	cr_assert_str_eq(s->name[0], "good");
	free(s);
}

Test(proc_maps, long_name_is_cut)
{
	char *text = malloc(30000);
	struct seen *s;

	cr_assert(text);
	memset(text, 'x', 30000);
	memcpy(text, "1000-2000 r--p 0 00:00 0 /", 26);
	strcpy(text + 20000, "\n3000-4000 r--p 0 00:00 0 next\n");
	s = parse(text);
	cr_assert_eq(s->n, 2);
	cr_assert_gt(strlen(s->name[0]), 4000);
	cr_assert_lt(strlen(s->name[0]), 4300);
	cr_assert_str_eq(s->name[1], "next");
	free(s);
	free(text);
}

static int stop_at_once(void *ctx, const struct proc_maps_entry *e)
{
	(void)e;
	++*(int *)ctx;
	return -ECANCELED;
}

Test(proc_maps, callback_stops_and_unknown_pid)
{
	int calls = 0;

	cr_assert_eq(proc_maps_each((uint32_t)getpid(), stop_at_once, &calls), -ECANCELED);
	cr_assert_eq(calls, 1);
	cr_assert_eq(proc_maps_each(0x7ffffffe, stop_at_once, &calls), -ESRCH);
}

/* What a process looks like in records. */
struct summary {
	uint32_t pid;
	int comms, mmaps, thread_named, code, other;
	uint32_t ppid;
	uint64_t address; /* its mapping is looked for */
	char name[256];
};

static int sum_up(void *ctx, const struct ptev_hdr *h)
{
	const struct ptev_task *task = (const struct ptev_task *)h;
	const struct ptev_mmap *map = (const struct ptev_mmap *)h;
	struct summary *s = ctx;

	cr_assert_eq(h->size % 8, 0);
	if (h->type == PTEV_COMM && task->pid == s->pid) {
		cr_assert_eq(s->mmaps, 0, "names come first");
		cr_assert_eq(h->size, sizeof(*task));
		cr_assert_eq(task->exec, 0);
		cr_assert_eq(task->time, 4711);
		s->comms++;
		s->ppid = task->ppid;
		s->thread_named += task->tid != task->pid && !strcmp(task->comm, "a) R 1 (b\n");
	} else if (h->type == PTEV_MMAP && map->pid == s->pid) {
		cr_assert_geq(h->size, sizeof(*map) + strlen(map->name) + 1);
		s->mmaps++;
		s->code += (map->prot & PROT_EXEC) && map->name[0] == '/' && map->ino;
		if (map->start <= s->address && s->address - map->start < map->len)
			snprintf(s->name, sizeof(s->name), "%s", map->name);
	} else {
		s->other++;
	}
	return 0;
}

struct handshake {
	int named[2], done[2]; /* pipes */
};

static void *named_thread(void *arg)
{
	struct handshake *h = arg;
	char c;

	prctl(PR_SET_NAME, "a) R 1 (b\n");
	cr_assert_eq(write(h->named[1], "", 1), 1);
	cr_assert_eq(read(h->done[0], &c, 1), 1);
	return NULL;
}

Test(proc_maps, synthesise_ourselves)
{
	struct summary s = { .pid = (uint32_t)getpid() };
	void *anon = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	void *hole = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct handshake h;
	pthread_t t;
	char c;

	cr_assert(anon != MAP_FAILED && hole != MAP_FAILED);
	cr_assert_eq(pipe(h.named), 0);
	cr_assert_eq(pipe(h.done), 0);
	cr_assert_eq(pthread_create(&t, NULL, named_thread, &h), 0);
	cr_assert_eq(read(h.named[0], &c, 1), 1);
	s.address = (uintptr_t)hole + 4096;
	cr_assert_eq(proc_synthesise(s.pid, 4711, sum_up, &s), 0);
	cr_assert_geq(s.comms, 2);
	cr_assert_eq(s.thread_named, 1);
	cr_assert_eq(s.ppid, (uint32_t)getppid());
	cr_assert_gt(s.code, 2);
	cr_assert_eq(s.other, 0);
	cr_assert_str_eq(s.name, "//anon");
	cr_assert_eq(write(h.done[1], "", 1), 1);
	pthread_join(t, NULL);
}

static int refuse(void *ctx, const struct ptev_hdr *h)
{
	(void)ctx;
	(void)h;
	return -ENOSPC;
}

Test(proc_maps, synthesise_fails_as_told)
{
	struct summary s = { .pid = 0x7ffffffe };

	cr_assert_eq(proc_synthesise(0x7ffffffe, 1, sum_up, &s), -ESRCH);
	cr_assert_eq(proc_synthesise((uint32_t)getpid(), 1, refuse, NULL), -ENOSPC);
	cr_assert_eq(proc_synthesise_all(1, refuse, NULL), -ENOSPC);
}

Test(proc_maps, zombie_has_a_name_only)
{
	pid_t pid = fork();
	struct summary s = { .pid = (uint32_t)pid };
	siginfo_t info;

	if (!pid)
		_exit(0);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	cr_assert_eq(proc_synthesise(s.pid, 4711, sum_up, &s), 0);
	cr_assert_eq(s.comms, 1);
	cr_assert_eq(s.mmaps, 0);
	cr_assert_eq(s.ppid, (uint32_t)getpid());
	waitpid(pid, NULL, 0);
}

static void fork_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

/* While processes come and go. */
Test(proc_maps, synthesise_all)
{
	struct summary s = { .pid = (uint32_t)getpid() };
	pid_t churn = fork();
	int i;

	if (!churn)
		fork_for_ever();
	for (i = 0; i < 20; i++) {
		s.comms = s.mmaps = s.other = 0;
		cr_expect_eq(proc_synthesise_all(4711, sum_up, &s), 0);
		cr_expect_geq(s.comms, 1);
		cr_expect_gt(s.mmaps, 5);
		cr_expect_gt(s.other, 10);
	}
	kill(churn, SIGKILL);
	waitpid(churn, NULL, 0);
}
