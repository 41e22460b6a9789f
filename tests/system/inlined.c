// SPDX-License-Identifier: GPL-2.0
/*
 * inlined: faults in functions that are inlined into others.
 *
 *	inlined PAGES
 *
 * Half of the fresh pages are touched from touch_all(), half from there by way of through().
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE	4096ul
#define INLINED static inline __attribute__((always_inline))
#define CALLED	static __attribute__((noinline))

INLINED void touch_page(volatile char *page)
{
	*page = 1;
}

INLINED void touch_some(volatile char *pages, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		touch_page(pages + i * PAGE);
}

CALLED void nothing(void)
{
	__asm__ volatile("" ::: "memory");
}

/* What calls another function has a frame of its own, so that its caller is found. */
CALLED void touch_all(volatile char *pages, unsigned long nr)
{
	nothing();
	touch_some(pages, nr);
}

CALLED void through(volatile char *pages, unsigned long nr)
{
	touch_all(pages, nr);
	nothing(); /* no tail call */
}

int main(int argc, char **argv)
{
	unsigned long nr = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	char *pages;

	if (!nr || nr % 2 || nr > 1ul << 20) {
		fputs("usage: inlined PAGES (even)\n", stderr);
		return 2;
	}
	pages = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || madvise(pages, nr * PAGE, MADV_NOHUGEPAGE)) {
		perror("mmap");
		return 1;
	}
	touch_all(pages, nr / 2);
	through(pages + nr / 2 * PAGE, nr / 2);
	return 0;
}
