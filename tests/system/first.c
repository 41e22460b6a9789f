// SPDX-License-Identifier: GPL-2.0
/*
 * first: the first and only process of a Linux that has no file but this one.
 *
 * It maps memory with several rights, says "ready" on the console and spins. With each line from
 * there it goes on: it touches FRESH more bytes, says "touched" and spins; it says "rests" and
 * sleeps.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PAGE  4096ul
#define KNOWN (1ul << 20)
#define FRESH (24ul << 20)

/* The kernel panics if this process ends, which is how the console tells of it. */
static char *map(size_t size, size_t step, int prot)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (p == MAP_FAILED)
		exit(1);
	for (i = 0; i < size; i += step)
		p[i] = 1;
	if (mprotect(p, size, prot))
		exit(1);
	return p;
}

static void say(int console, const char *word)
{
	if (write(console, word, strlen(word)) < 0)
		exit(1);
}

/* In user mode nearly all of the time. */
static void spin_until_line(int console)
{
	volatile uint64_t spins;
	char c = 0;

	while (c != '\n')
		if (read(console, &c, 1) < 1)
			for (spins = 0; spins < 100000; spins++)
				;
}

int main(void)
{
	int console;

	mkdir("/dev", 0755);
	mknod("/dev/console", S_IFCHR | 0600, makedev(5, 1));
	console = open("/dev/console", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (console < 0)
		return 1;
	map(KNOWN, PAGE, PROT_READ | PROT_WRITE);
	map(KNOWN, 2 * PAGE, PROT_READ);
	map(KNOWN, PAGE, PROT_READ | PROT_EXEC);
	map(KNOWN, PAGE, PROT_NONE);
	say(console, "ready\n");
	spin_until_line(console);
	map(FRESH, PAGE, PROT_READ | PROT_WRITE);
	say(console, "touched\n");
	spin_until_line(console);
	say(console, "rests\n");
	for (;;)
		pause();
}
