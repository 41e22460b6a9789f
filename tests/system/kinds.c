// SPDX-License-Identifier: GPL-2.0
/*
 * kinds: holds memory that is mapped in every way there is, and spins in user space until it is
 * killed.
 *
 *	kinds READY
 *
 * READY is made when all of it is there. A few free 2 MiB pages (hugetlb) are needed.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define HUGE (2ul << 20)

#define R    PROT_READ
#define RW   (PROT_READ | PROT_WRITE)
#define RX   (PROT_READ | PROT_EXEC)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

struct kind {
	const char *name;
	size_t size, step; /* one access in each step */
	int flags;
	int advice;
	int write; /* or read */
	int prot;  /* after the accesses */
	uintptr_t hint;
};

static const struct kind kinds[] = {
	{ "written", 64 * PAGE, PAGE, ANON, 0, 1, RW, 0 },
	{ "zero page", 64 * PAGE, PAGE, ANON, 0, 0, RW, 0 },
	{ "every other page", 64 * PAGE, 2 * PAGE, ANON, 0, 1, RW, 0 },
	{ "read only", 16 * PAGE, PAGE, ANON, 0, 1, R, 0 },
	{ "code", 16 * PAGE, PAGE, ANON, 0, 1, RX, 0 },
	{ "no access", 16 * PAGE, PAGE, ANON, 0, 1, PROT_NONE, 0 },
	{ "shared", 64 * PAGE, PAGE, MAP_SHARED | MAP_ANONYMOUS, 0, 1, RW, 0 },
	{ "huge", 4 * HUGE, PAGE, ANON, MADV_HUGEPAGE, 1, RW, 0 },
	{ "huge zero page", 4 * HUGE, PAGE, ANON, MADV_HUGEPAGE, 0, RW, 0 },
	{ "huge, read only", 4 * HUGE, PAGE, ANON, MADV_HUGEPAGE, 1, R, 0 },
	{ "huge, no access", 4 * HUGE, PAGE, ANON, MADV_HUGEPAGE, 1, PROT_NONE, 0 },
	{ "hugetlb", 2 * HUGE, HUGE, ANON | MAP_HUGETLB, 0, 1, RW, 0 },
	/* With 4 levels the kernel takes these to be no addresses and chooses others. */
	{ "needs 5 levels", 16 * PAGE, PAGE, ANON, 0, 1, RW, 1ul << 55 },
	{ "needs 5 levels, huge", 4 * HUGE, PAGE, ANON, MADV_HUGEPAGE, 1, RW,
	  (1ul << 55) + (1ul << 48) },
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static char *map(const struct kind *k)
{
	char *p = mmap((void *)k->hint, k->size, RW, k->flags, -1, 0);

	if (p == MAP_FAILED || madvise(p, k->size, k->advice))
		die(k->name);
	return p;
}

static void hold(const struct kind *k)
{
	volatile char *p = map(k);
	size_t i;

	for (i = 0; i < k->size; i += k->step)
		if (k->write)
			p[i] = 1;
		else
			(void)p[i];
	if (mprotect((void *)p, k->size, k->prot))
		die(k->name);
}

static void hold_keyed(void)
{
	static const struct kind k = { "key", 16 * PAGE, PAGE, ANON, 0, 1, RW, 0 };
	volatile char *p = map(&k);
	int key = pkey_alloc(0, 0);

	if (key < 0 || pkey_mprotect((void *)p, k.size, R, key))
		die(k.name);
	(void)*p;
}

/* What was the VGA's window: there is no memory behind it, so it is mapped uncached. */
static void hold_device(void)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);

	if (fd < 0 ||
	    mmap(NULL, 16 * PAGE, RW, MAP_SHARED | MAP_POPULATE, fd, 0xa0000) == MAP_FAILED)
		die("/dev/mem");
}

int main(int argc, char **argv)
{
	volatile uint64_t spins = 0;
	size_t i;

	if (argc != 2) {
		fputs("usage: kinds READY\n", stderr);
		return 2;
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		hold(&kinds[i]);
	hold_keyed();
	hold_device();
	if (open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0)
		die(argv[1]);
	for (;;)
		spins++;
}
