// SPDX-License-Identifier: GPL-2.0
/*
 * mix EVENTS: takes about so many page faults in several processes at once, from many places of
 * the program, on anonymous and file-backed memory: what a recording of a busy machine has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 8
#define PAGES	512ul /* of each kind of memory, touched in turn */
#define PAGE	4096ul

#define TOUCH(n)                                                           \
	static __attribute__((noinline)) void touch_##n(volatile char *at) \
	{                                                                  \
		*at = *at + n;                                             \
	}
#define TOUCH4(n) TOUCH(n##0) TOUCH(n##1) TOUCH(n##2) TOUCH(n##3)
#define NAMES4(n) touch_##n##0, touch_##n##1, touch_##n##2, touch_##n##3

TOUCH4(1)
TOUCH4(2)
TOUCH4(3)
TOUCH4(4)
TOUCH4(5)
TOUCH4(6)
TOUCH4(7)
TOUCH4(8)

static void (*const touches[])(volatile char *) = { NAMES4(1), NAMES4(2), NAMES4(3), NAMES4(4),
						    NAMES4(5), NAMES4(6), NAMES4(7), NAMES4(8) };
#define NR_TOUCHES (sizeof(touches) / sizeof(*touches))

static void *map(int fd)
{
	void *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (p == MAP_FAILED || madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE)) {
		perror("mix: mmap");
		_exit(1);
	}
	return p;
}

/* Touches one page after the other; what reads first and then writes faults twice. */
static void work(unsigned int number, size_t rounds)
{
	int file = memfd_create("mix", 0);
	volatile char *memory[2];
	char name[16];
	size_t i;

	snprintf(name, sizeof(name), "mix-%u", number);
	prctl(PR_SET_NAME, name);
	if (file < 0 || ftruncate(file, PAGES * PAGE)) {
		perror("mix: memfd");
		_exit(1);
	}
	memory[0] = map(-1);
	memory[1] = map(file);
	while (rounds--) {
		for (i = 0; i < PAGES; i++) {
			touches[i * 7 % NR_TOUCHES](memory[0] + i * PAGE);
			touches[i * 5 % NR_TOUCHES](memory[1] + i * PAGE);
		}
		madvise((void *)memory[0], PAGES * PAGE, MADV_DONTNEED);
		madvise((void *)memory[1], PAGES * PAGE, MADV_DONTNEED);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	size_t events = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	/* A page to be read and one to be written; the file is read 16 pages at a time. */
	size_t rounds = events / WORKERS / (3 * PAGES) + 1;
	unsigned int i;
	int status, failed = 0;

	for (i = 0; i < WORKERS; i++)
		if (!fork())
			work(i, rounds);
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}
