// SPDX-License-Identifier: GPL-2.0
/*
 * mappings FILE: holds a page in mappings of every protection, private and shared, of anonymous
 * memory and of FILE (which it makes), untouched and touched in several ways; and pages that are
 * special. Prints "0xADDRESS NAME" for each, then "ready", and waits to be killed. Swap space and
 * two free 2 MiB pages (hugetlb) are needed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE 4096ul
#define HUGE (2ul << 20)
#define RET  0xc3 /* an instruction that can be called anywhere */

#define R    PROT_READ
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void say(const void *page, const char *name)
{
	printf("0x%lx %s\n", (unsigned long)(uintptr_t)page, name);
}

static char *map(size_t size, int prot, int flags, int fd, off_t offset)
{
	char *p = mmap(NULL, size, prot, flags, fd, offset);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

/* ---- every protection ------------------------------------------------------------------- */

enum touch { UNTOUCHED, READ, WRITTEN, CALLED, WRITTEN_BEFORE, NR_TOUCHES };

static const char *const touch_names[] = { "untouched", "read", "written", "called",
					   "written-before" };

/* Can a page with @prot be touched that way by the hardware's rules? */
static int possible(enum touch touch, int prot, int fd)
{
	switch (touch) {
	case READ: /* x86 has no pages that can be written but not read */
		return prot & RW;
	case WRITTEN:
		return prot & PROT_WRITE;
	case CALLED:
		return fd >= 0 && (prot & PROT_EXEC);
	default:
		return 1;
	}
}

static void touch_page(char *p, enum touch touch, int prot)
{
	switch (touch) {
	case READ:
		*(volatile char *)p;
		break;
	case WRITTEN:
		*(volatile unsigned char *)p = RET;
		break;
	case CALLED:
		((void (*)(void))(uintptr_t)p)();
		break;
	case WRITTEN_BEFORE:
		*(volatile unsigned char *)p = RET;
		if (mprotect(p, PAGE, prot))
			die("mprotect");
		break;
	default:
		break;
	}
}

static void make(int prot, int flags, int fd, off_t offset, enum touch touch)
{
	char *p = map(PAGE, touch == WRITTEN_BEFORE ? RW : prot, flags, fd, offset);
	char name[64];

	touch_page(p, touch, prot);
	snprintf(name, sizeof(name), "%s-%s-%c%c%c-%s", fd < 0 ? "anon" : "file",
		 flags & MAP_SHARED ? "shared" : "private", prot & PROT_READ ? 'r' : '_',
		 prot & PROT_WRITE ? 'w' : '_', prot & PROT_EXEC ? 'x' : '_', touch_names[touch]);
	say(p, name);
}

static int open_file(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char page[PAGE];

	if (fd < 0)
		die(path);
	memset(page, RET, sizeof(page));
	for (; size; size -= PAGE)
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			die(path);
	fsync(fd);
	return fd;
}

static void every_protection(int file)
{
	off_t offset = 0;
	int prot, shared, backing, touch, flags, fd;

	for (prot = 0; prot < 8; prot++)
		for (shared = 0; shared < 2; shared++)
			for (backing = 0; backing < 2; backing++)
				for (touch = 0; touch < NR_TOUCHES; touch++, offset += PAGE) {
					fd = backing ? file : -1;
					flags = (shared ? MAP_SHARED : MAP_PRIVATE) |
						(backing ? 0 : MAP_ANONYMOUS);
					if (possible((enum touch)touch, prot, fd))
						make(prot, flags, fd, backing ? offset : 0,
						     (enum touch)touch);
				}
}

/* ---- special pages ---------------------------------------------------------------------- */

static void huge(const char *name, int prot, int write)
{
	char *p = map(4 * HUGE, RW, ANON, -1, 0);

	p += HUGE - (uintptr_t)p % HUGE;
	if (madvise(p, HUGE, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE");
	if (write)
		*(volatile char *)p = 1;
	else
		*(volatile char *)p;
	if (prot != RW && mprotect(p, HUGE, prot))
		die("mprotect");
	say(p + 5 * PAGE, name);
}

static void hugetlb(const char *name, int flags)
{
	char *p = map(HUGE, RW, flags | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	*(volatile char *)p = 1;
	say(p + 3 * PAGE, name);
}

static void swapped(void)
{
	char *p = map(PAGE, RW, ANON, -1, 0);

	memset(p, 1, PAGE);
	if (madvise(p, PAGE, MADV_PAGEOUT))
		die("MADV_PAGEOUT");
	say(p, "swapped");
}

/* Shared with a child, which goes when this process does, and has nothing of what comes later. */
static void forked(void)
{
	char *p = map(PAGE, RW, ANON, -1, 0);

	memset(p, 2, PAGE);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	say(p, "forked");
}

static void special_pages(void)
{
	huge("thp", RW, 1);
	huge("thp-zero", RW, 0);
	huge("thp-none", PROT_NONE, 1);
	hugetlb("hugetlb-private", MAP_PRIVATE);
	hugetlb("hugetlb-shared", MAP_SHARED);
	swapped();
	say((const void *)getauxval(AT_SYSINFO_EHDR), "vdso");
}

/* A page whose contents others compare and change. */
static void pattern(void)
{
	char *p = map(PAGE, RW, ANON, -1, 0);
	size_t i;

	for (i = 0; i < PAGE; i++)
		p[i] = (char)(i * 7 + i / 256);
	if (mlock(p, PAGE))
		die("mlock");
	say(p, "pattern");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: mappings FILE\n");
		return 2;
	}
	forked();
	every_protection(open_file(argv[1], 8 * 2 * 2 * NR_TOUCHES * PAGE));
	special_pages();
	pattern();
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
