// SPDX-License-Identifier: GPL-2.0
/*
 * nasty: a program whose name and functions are what no output should be led astray by. Copied to a
 * file of such a name it has mappings like that, too.
 *
 *	nasty [PAGES]	touches so many pages
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define PAGE 4096

/* Formula, escape sequence, tag, right-to-left override, quote, line: 15 bytes at most. */
#define NAME "=\x1b[2J<b>\xe2\x80\xae\"\n;"

/* Names of functions in the symbol table, as the assembler reads them. */
#define SYMBOL(name) __asm__("\"" name "\"")

void touch_all(char *p, size_t pages)
	SYMBOL("=cmd|'/c x'!A0<script>alert(1)</script>\x1b[31m\xc2\x9b");
void touch_one(char *p) SYMBOL("@\xe2\x80\xae{x}</style>,;\x9b 2J");

__attribute__((noinline)) void touch_one(char *p)
{
	*(volatile char *)p = 1;
}

__attribute__((noinline)) void touch_all(char *p, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		touch_one(p + i * PAGE);
}

int main(int argc, char **argv)
{
	size_t pages = argc > 1 ? strtoul(argv[1], NULL, 10) : 500;
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	if (p == MAP_FAILED || madvise(p, pages * PAGE, MADV_NOHUGEPAGE)) {
		perror("nasty");
		return 1;
	}
	prctl(PR_SET_NAME, NAME);
	touch_all(p, pages);
	return 0;
}
