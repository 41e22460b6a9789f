// SPDX-License-Identifier: GPL-2.0
/*
 * first: the first and only process of a Linux that has no file but this one.
 *
 * It maps memory with several rights, says "ready" on the console and waits. With each line from
 * there it goes on: it touches FRESH more bytes, says "touched" and waits; it says "works" and
 * keeps the kernel busy. In user mode it is for moments only: the SVM that QEMU 7.2 emulates now
 * and then delivers an injected interrupt twice, as its log (-d int) shows; the likelier, the more
 * often other CPUs interrupt the one that is in the guest. The second one comes with interrupts
 * off, at the first instruction of the handler. Linux gets over that if the first one came in its
 * kernel; if in user mode, GS is not yet the kernel's, and it dies.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
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

static void wait_for_line(int console)
{
	char c = 0;

	while (c != '\n')
		if (read(console, &c, 1) < 1)
			exit(1);
}

int main(void)
{
	int console;
	char *fresh;

	mkdir("/dev", 0755);
	mknod("/dev/console", S_IFCHR | 0600, makedev(5, 1));
	console = open("/dev/console", O_RDWR | O_CLOEXEC);
	if (console < 0)
		return 1;
	map(KNOWN, PAGE, PROT_READ | PROT_WRITE);
	map(KNOWN, 2 * PAGE, PROT_READ);
	map(KNOWN, PAGE, PROT_READ | PROT_EXEC);
	map(KNOWN, PAGE, PROT_NONE);
	say(console, "ready\n");
	wait_for_line(console);
	fresh = map(FRESH, PAGE, PROT_READ | PROT_WRITE);
	say(console, "touched\n");
	wait_for_line(console);
	say(console, "works\n");
	for (;;)
		if (getrandom(fresh, FRESH, GRND_INSECURE) < 0)
			return 1;
}
