/* SPDX-License-Identifier: GPL-2.0 */
/* For the test of calls that fail half-way: a target, whose state is compared, and our own. */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kmod-helper/uapi/ptremap_mirror.h"
#include "tests/system/ept.h"
#include "tests/system/huge.h"

#define SMALL  16 /* pages of 4 KiB in the target, at its first 2 MiB */
#define PLAIN  2  /* of another process, without a guest */
#define LARGE  2  /* of 2 MiB behind them */
#define MEMORY ((1 + LARGE) * HUGE)
#define ROOM   (64 * PAGE)
/* What is given back a moment later, on a machine that has other things to do. */
#define TRIES 1000

union any_call {
	struct ptremap_features features;
	struct ptremap_walk walk;
	struct ptremap_tables tables;
	struct ptremap_phys phys;
	struct ptremap_edit edit;
	struct ptremap_list list;
	struct ptremap_undo undo;
	struct ptremap_map map;
	struct ptremap_watch watch;
	struct ptremap_vm vm;
	struct ptremap_ept ept;
	struct ptremap_rules rules;
	struct ptremap_access_watch access;
	struct ptremap_mirror mirror;
	struct ptremap_mirror_list mirrors;
	struct ptremap_mirror_switch change;
	struct ptremap_mirror_invalidate invalidate;
};

struct faults {
	struct checks c;
	pid_t pid;   /* the target, which waits */
	pid_t plain; /* a like one, but without a guest */
	char *base;
	union any_call *arg; /* a page of its own */
	void *room;	     /* what calls point to */
	char *own;	     /* a page of ours, which is a file's: to drop it frees nothing */
	struct ptremap_mirror made; /* of what a mirror's own calls are tried on */
	bool kvm;
};

/* ---- the target ------------------------------------------------------------------------------ */

/* Its guest has the small pages, and the large ones as such. */
static void make_guest(const struct faults *f)
{
	static struct tiny_vm vm;
	unsigned int i;

	tiny_make(&vm, f->base, HUGE);
	if (tiny_slot(&vm, 2, TINY_GPA + HUGE, f->base + HUGE, LARGE * HUGE, 0))
		die("KVM_SET_USER_MEMORY_REGION");
	for (i = 0; i < SMALL; i++)
		tiny_read(&vm, 0, TINY_GPA + i * PAGE);
	for (i = 0; i < LARGE; i++)
		tiny_read(&vm, 0, TINY_GPA + (1 + i) * HUGE);
}

static void __attribute__((noreturn)) be_target(const struct faults *f, bool kvm, int ready)
{
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(f->c.dev);
	if (mmap(f->base, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		die("mmap");
	madvise(f->base, HUGE, MADV_NOHUGEPAGE);
	for (i = 0; i < SMALL; i++)
		fill_page(f->base + (size_t)i * PAGE, i);
	if (mmap(f->base + HUGE, LARGE * HUGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap");
	madvise(f->base + HUGE, LARGE * HUGE, MADV_HUGEPAGE);
	for (i = 0; i < LARGE; i++)
		make_one_huge(HUGE_ANON, f->base + (1 + i) * HUGE, 100 + i);
	if (kvm)
		make_guest(f);
	if (write(ready, "", 1) != 1)
		die("pipe");
	for (;;)
		pause();
}

static pid_t start_target(const struct faults *f, bool kvm)
{
	int fds[2];
	pid_t pid;
	char c;

	if (pipe(fds))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		be_target(f, kvm, fds[1]);
	close(fds[1]);
	if (read(fds[0], &c, 1) != 1)
		die("the target");
	close(fds[0]);
	return pid;
}

/* ---- its state, and ours --------------------------------------------------------------------- */

struct state {
	uint64_t small[SMALL], plain[PLAIN], large[LARGE], own;
	int small_refs[SMALL], plain_refs[PLAIN], large_refs[LARGE], own_refs;
	int listed, rules, mirrors;
	unsigned int files;
	long mappings, own_windows;
};

static unsigned int open_files(void)
{
	unsigned int n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Those with @name in their lines. */
static long mappings_of(pid_t pid, const char *name)
{
	char path[64], line[512];
	FILE *f;
	long n = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, name) != NULL;
	if (f)
		fclose(f);
	return n;
}

static int rules_there(const struct checks *c)
{
	struct ptremap_rules r = { .size = sizeof(r),
				   .op = PTREMAP_RULE_LIST,
				   .rule_size = sizeof(struct ptremap_rule) };
	int err = call(c, PTREMAP_RULE, &r);

	return err ? err : (int)r.nr;
}

static int mirrors_there(const struct checks *c)
{
	struct ptremap_mirror_list l = { .size = sizeof(l),
					 .info_size = sizeof(struct ptremap_mirror_info) };
	int err = call(c, PTREMAP_MIRROR_LIST, &l);

	return err ? err : (int)l.nr;
}

static uint64_t small_leaf(const struct faults *f, pid_t pid, uint64_t va, int *refs)
{
	struct ptremap_walk_entry e = walk(&f->c, pid, va);

	*refs = e.page.refcount;
	return e.entry[0] & ~NOTED;
}

static struct state state_of(const struct faults *f)
{
	struct state s;
	unsigned int i;

	memset(&s, 0, sizeof(s));
	drain_lru();
	for (i = 0; i < SMALL; i++)
		s.small[i] = small_leaf(f, f->pid, at(f->base) + i * PAGE, &s.small_refs[i]);
	for (i = 0; i < PLAIN; i++)
		s.plain[i] = small_leaf(f, f->plain, at(f->base) + i * PAGE, &s.plain_refs[i]);
	for (i = 0; i < LARGE; i++) {
		struct ptremap_walk_entry e = walk(&f->c, f->pid, at(f->base) + (1 + i) * HUGE);

		s.large[i] = e.level == 2 ? e.entry[1] & ~NOTED : 0;
		s.large_refs[i] = e.page.refcount;
	}
	s.listed = list(&f->c, NULL, 0);
	s.rules = rules_there(&f->c);
	s.mirrors = mirrors_there(&f->c);
	s.files = open_files();
	s.mappings = mappings_of(f->pid, "");
	s.own_windows = mappings_of(getpid(), "[ptremap");
	(void)*(volatile char *)f->own;
	s.own = small_leaf(f, getpid(), at(f->own), &s.own_refs);
	return s;
}

/* What holds a page for a moment is not part of it. */
static struct state settled_state(const struct faults *f)
{
	struct state s = state_of(f), next;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		usleep(10000);
		next = state_of(f);
		if (!memcmp(&next, &s, sizeof(s)))
			break;
		s = next;
	}
	return s;
}

/* What the kernel gives back a moment later is waited for. */
static bool is_as_before(const struct faults *f, const struct state *before)
{
	struct state now = state_of(f);
	int tries;

	for (tries = 0; tries < TRIES && memcmp(&now, before, sizeof(now)); tries++) {
		usleep(10000);
		now = state_of(f);
	}
	return !memcmp(&now, before, sizeof(now));
}

#endif
