// SPDX-License-Identifier: GPL-2.0
/*
 * ruled: touches pages for the first time after a line on stdin, and says what it found there.
 *
 *	ready PID TOUCHED SOURCE	first of PAGES pages that nobody has touched; a page of 's'
 *	page N BYTE			what the first access found in page N, by a read
 *	wrote N BYTE			what SOURCE had after page N was written to with 'w'
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE  4096u
#define PAGES 4u

static char *map_pages(size_t n)
{
	char *p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, n * PAGE, MADV_NOHUGEPAGE);
	return p;
}

static char letter(char c)
{
	return c ? c : '-';
}

int main(void)
{
	volatile char *touched = map_pages(PAGES);
	char *source = map_pages(1), c;
	unsigned int i;

	if (!touched || !source)
		return 1;
	memset(source, 's', PAGE);
	printf("ready %d %p %p\n", getpid(), (const void *)(uintptr_t)touched, (void *)source);
	fflush(stdout);
	if (read(STDIN_FILENO, &c, 1) < 0)
		return 1;
	for (i = 0; i < PAGES / 2; i++)
		printf("page %u %c\n", i, letter(touched[i * PAGE]));
	for (; i < PAGES; i++) {
		touched[i * PAGE] = 'w';
		printf("wrote %u %c\n", i, letter(*(volatile char *)source));
	}
	printf("end\n");
	fflush(stdout);
	return read(STDIN_FILENO, &c, 1) < 0;
}
