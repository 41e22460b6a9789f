// SPDX-License-Identifier: GPL-2.0
/*
 * ept_refused: changes of guest-physical pages that must be refused, each with its error and
 * without a trace; and random requests, after which memory is as it was.
 *
 *	ept_refused SECONDS
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/system/ept.h"
#include "tests/system/huge.h"

#define NR	  4
#define READ_ONLY (TINY_GPA + (64 << 20))
#define LOGGED	  (TINY_GPA + (65 << 20))
#define NOTHING	  (TINY_GPA + (66 << 20))
#define HUGE_GPA  (TINY_GPA + (68 << 20))
#define UNALIKE	  (TINY_GPA + (80 << 20))
#define HUGETLB	  (TINY_GPA + (96 << 20))
#define SMALL	  (TINY_GPA + (98 << 20))

struct test {
	struct checks c;
	struct tiny_vm vm;
	char *p, *huge, *hugetlb, *small;
};

static uint64_t gpa(unsigned int page)
{
	return TINY_GPA + page * PAGE;
}

static bool is_untouched(struct test *t)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		if (!is_filled(t->p + i * PAGE, i) ||
		    tiny_read(&t->vm, i, gpa(i)) != *(volatile uint32_t *)(t->p + i * PAGE))
			return false;
	return true;
}

static void refused(struct test *t, const char *what, int err, int want)
{
	int nr = list(&t->c, NULL, 0);

	check(&t->c, err == -want && !nr && is_untouched(t), "%s: %s (%d, %d in force)", what,
	      strerror(-err), err, nr);
}

static void item_refused(struct test *t, const char *what, struct ptremap_ept_item i, int want)
{
	int err = ept(&t->c, &i, NULL);

	refused(t, what, err, want);
	if (want != EINVAL && i.status != err)
		check(&t->c, false, "%s: the item says %d", what, i.status);
}

static struct ptremap_ept_item fresh(uint64_t where, uint32_t level)
{
	return ept_item(PTREMAP_EPT_FRESH, where, 0, level);
}

static struct ptremap_ept_item of_process(int32_t pid, const void *va)
{
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_FRAME, gpa(1), at(va), 1);

	i.other_pid = pid;
	i.other_fd = PTREMAP_EPT_PROCESS;
	return i;
}

static void test_places(struct test *t)
{
	struct ptremap_ept_item i = fresh(gpa(1), 1);

	item_refused(t, "no slot there", fresh(0x10000000, 1), EADDRNOTAVAIL);
	item_refused(t, "beyond all addresses", fresh(-(uint64_t)PAGE, 1), EADDRNOTAVAIL);
	item_refused(t, "not a page", fresh(gpa(1) + 8, 1), EDOM);
	item_refused(t, "not a page of 2 MiB", fresh(gpa(1), 2), EDOM);
	item_refused(t, "2 MiB of which a slot has a part", fresh(TINY_GPA, 2), EADDRNOTAVAIL);
	item_refused(t, "no page of 2 MiB", fresh(SMALL, 2), ENOTBLK);
	item_refused(t, "at another place of its 2 MiB", fresh(UNALIKE, 2), EDOM);
	item_refused(t, "a read-only slot", fresh(READ_ONLY, 1), EROFS);
	item_refused(t, "a slot whose writes are logged", fresh(LOGGED, 1), EUCLEAN);
	item_refused(t, "a slot of nothing", fresh(NOTHING, 1), ENOENT);
	item_refused(t, "hugetlb, 4 KiB", fresh(HUGETLB, 1), EOPNOTSUPP);
	item_refused(t, "hugetlb, a new page", fresh(HUGETLB, 2), EOPNOTSUPP);
	i.flags = PTREMAP_EPT_ITEM_EXPECT;
	i.expected = 0x1234;
	item_refused(t, "another entry than expected", i, ESTALE);
	item_refused(t, "a page with itself", ept_item(PTREMAP_EPT_SWAP, gpa(1), gpa(1), 1), EBUSY);
	item_refused(t, "2 MiB with hugetlb", ept_item(PTREMAP_EPT_SWAP, HUGE_GPA, HUGETLB, 2),
		     EOPNOTSUPP);
}

static void test_others(struct test *t)
{
	struct ptremap_ept_item i = of_process(getpid(), t->p);
	char *fixed = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*fixed = 1;
	mprotect(fixed, PAGE, PROT_READ);
	item_refused(t, "a process' address where nothing is", of_process(getpid(), (void *)PAGE),
		     ENOENT);
	item_refused(t, "no process' address", of_process(getpid(), (void *)(~0ul << 63)), EDOM);
	item_refused(t, "no such process", of_process(0x3ffffff, t->p), ESRCH);
	item_refused(t, "a page that its owner may only read", of_process(getpid(), fixed), EROFS);
	munmap(fixed, PAGE);
	i.other_fd = 0;
	i.other = gpa(2);
	item_refused(t, "another VM: no descriptor of one", i, EBADF);
	i.other_pid = 1;
	i.other_fd = PTREMAP_EPT_ONLY_VM;
	item_refused(t, "another VM: a process without one", i, ENODEV);
	i = ept_item(PTREMAP_EPT_FRAME, gpa(1), 0x10000000, 1);
	item_refused(t, "another gpa where no slot is", i, EADDRNOTAVAIL);
}

static void test_vms(struct test *t)
{
	struct ptremap_ept_item i = fresh(gpa(1), 1);
	int second, status;
	pid_t pid;

	refused(t, "a process without a VM", ept_many(&t->c, 1, -1, &i, 1, 0, NULL), ENOENT);
	refused(t, "no such process", ept_many(&t->c, 0x3ffffff, -1, &i, 1, 0, NULL), ESRCH);
	refused(t, "no descriptor of a VM", ept_many(&t->c, getpid(), 1, &i, 1, 0, NULL), EBADF);
	refused(t, "a descriptor below all", ept_many(&t->c, getpid(), -2, &i, 1, 0, NULL), EINVAL);
	second = ioctl(t->vm.kvm, KVM_CREATE_VM, 0);
	refused(t, "two VMs", ept(&t->c, &i, NULL), ENOTUNIQ);
	close(second);
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	refused(t, "a VM with another process' memory",
		ept_many(&t->c, pid, t->vm.vm, &i, 1, 0, NULL), EXDEV);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void test_items(struct test *t)
{
	struct ptremap_ept_item two[2] = { fresh(gpa(1), 1), fresh(gpa(1), 1) }, i;
	struct ptremap_item phys = { .pid = getpid(), .va = at(t->p + PAGE), .what = PTREMAP_MMIO };

	refused(t, "one page twice", ept_many(&t->c, getpid(), -1, two, 2, 0, NULL), EBUSY);
	two[1] = fresh(0x10000000, 1);
	refused(t, "one of two cannot be", ept_many(&t->c, getpid(), -1, two, 2, 0, NULL),
		EADDRNOTAVAIL);
	two[1] = ept_item(PTREMAP_EPT_PROTECT, gpa(2), 0, 1);
	two[1].clear = PTREMAP_EPT_WRITE;
	refused(t, "a frame and an access", ept_many(&t->c, getpid(), -1, two, 2, 0, NULL), EINVAL);
	i = fresh(gpa(1), 1);
	refused(t, "frames are not sticky",
		ept_many(&t->c, getpid(), -1, &i, 1, PTREMAP_EPT_STICKY, NULL), EOPNOTSUPP);
	refused(t, "a rehearsal that is kept",
		ept_many(&t->c, getpid(), -1, &i, 1, PTREMAP_EPT_REHEARSE | PTREMAP_EPT_KEEP, NULL),
		EINVAL);
	refused(t, "a rehearsal of an access",
		ept_many(&t->c, getpid(), -1, &two[1], 1, PTREMAP_EPT_REHEARSE, NULL), EOPNOTSUPP);
	refused(t, "an unknown flag", ept_many(&t->c, getpid(), -1, &i, 1, 64, NULL), EINVAL);
	refused(t, "nothing to do", ept_many(&t->c, getpid(), -1, &i, 0, 0, NULL), EINVAL);
	refused(t, "too much to do",
		ept_many(&t->c, getpid(), -1, &i, PTREMAP_EPT_MAX + 1, 0, NULL), EINVAL);
	i.what = 31;
	item_refused(t, "an unknown change", i, EINVAL);
	i = fresh(gpa(1), 1);
	i.other = gpa(2);
	item_refused(t, "a new page of somewhere", i, EINVAL);
	i = fresh(gpa(1), 1);
	i.set = PTREMAP_EPT_READ;
	item_refused(t, "a new page with an access", i, EINVAL);
	item_refused(t, "an unknown level", fresh(gpa(1), 3), EINVAL);
	phys.other_va = timer_pa();
	refused(t, "device memory where a VM has memory", edit(&t->c, &phys, NULL), EXDEV);
}

static uint32_t rnd(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Often nearly right. */
static struct ptremap_ept_item random_item(uint32_t *s)
{
	struct ptremap_ept_item i = { 0 };
	uint32_t *words = (uint32_t *)&i;
	size_t k;

	for (k = 0; rnd(s) % 4 == 0 && k < sizeof(i) / sizeof(*words); k++)
		words[k] = rnd(s) % 3 ? 0 : rnd(s);
	i.what = PTREMAP_EPT_FRAME + rnd(s) % 4;
	i.gpa = TINY_GPA + rnd(s) % (NR + 1) * PAGE + (rnd(s) % 16 ? 0 : rnd(s) % PAGE);
	if (rnd(s) % 2)
		i.other = TINY_GPA + rnd(s) % (NR + 1) * PAGE;
	if (rnd(s) % 4 == 0)
		i.other_pid = getpid();
	if (rnd(s) % 4 == 0)
		i.other_fd = (int32_t)(rnd(s) % 12) - 3;
	return i;
}

static void test_random(struct test *t, unsigned int seconds)
{
	const char *env = getenv("PTSCOPE_SEED");
	uint32_t seed = env ? (uint32_t)strtoul(env, NULL, 0) : (uint32_t)time(NULL);
	uint32_t s = seed, id;
	unsigned long made = 0, all = 0;
	time_t end = time(NULL) + seconds;
	struct ptremap_ept_item items[4];
	unsigned int k;

	do {
		for (k = 0; k < 4; k++)
			items[k] = random_item(&s);
		made += !ept_many(&t->c, getpid(), -1, items, rnd(&s) % 5,
				  rnd(&s) % 4 ? 0 : rnd(&s) % 5, &id);
		if (rnd(&s) % 4 == 0)
			undo(&t->c, 0);
		all++;
	} while (time(NULL) < end);
	undo(&t->c, 0);
	check(&t->c, made && made < all && is_untouched(t),
	      "%lu random requests, %lu of them good: memory is right (seed %u)", all, made, seed);
}

static void make_slots(struct test *t)
{
	char *hole = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	t->huge = make_huge(HUGE_ANON, 4, &fd);
	t->small = make_huge(HUGE_ANON, 1, &fd);
	madvise(t->small, HUGE, MADV_NOHUGEPAGE);
	madvise(t->small, HUGE, MADV_DONTNEED);
	t->hugetlb = make_huge(HUGETLB_PRIVATE, 1, &fd);
	if (tiny_slot(&t->vm, 2, READ_ONLY, t->huge, PAGE, KVM_MEM_READONLY) ||
	    tiny_slot(&t->vm, 3, LOGGED, t->huge + PAGE, PAGE, KVM_MEM_LOG_DIRTY_PAGES) ||
	    tiny_slot(&t->vm, 4, NOTHING, hole, PAGE, 0) ||
	    tiny_slot(&t->vm, 5, HUGE_GPA, t->huge + HUGE, HUGE, 0) ||
	    tiny_slot(&t->vm, 6, UNALIKE, t->huge + 2 * HUGE - PAGE, 2 * HUGE, 0) ||
	    tiny_slot(&t->vm, 7, HUGETLB, t->hugetlb, HUGE, 0) ||
	    tiny_slot(&t->vm, 8, SMALL, t->small, HUGE, 0))
		die("slots");
}

int main(int argc, char **argv)
{
	struct test t = { .c = { .dev = open_device() } };
	unsigned int i, seconds = argc == 2 ? (unsigned int)strtoul(argv[1], NULL, 0) : 0;

	if (!seconds) {
		fprintf(stderr, "usage: ept_refused SECONDS\n");
		return 2;
	}
	allow_huge(2);
	t.p = mmap(NULL, NR * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < NR; i++)
		fill_page(t.p + i * PAGE, i);
	tiny_make(&t.vm, t.p, NR * PAGE);
	make_slots(&t);
	test_places(&t);
	test_others(&t);
	test_vms(&t);
	test_items(&t);
	test_random(&t, seconds);
	write_file("/proc/sys/vm/nr_hugepages", "0");
	return t.c.failed > 0;
}
