// SPDX-License-Identifier: GPL-2.0
/*
 * first: the first and only program of a Linux that has no file but this one.
 *
 * It maps memory with several rights, says "ready" on the console and waits. With each line from
 * there it goes on: it touches FRESH more bytes, says "touched" and waits; it says "works" and
 * keeps the kernel busy; it says "summing", and WORKERS processes fill memory with what they know,
 * and look at each word of it again and again, in turn. Twice a second it says what came of that:
 *
 *	summed TURNS wrong WORDS
 *
 * TURNS are those that all of them have finished together. Some of the memory gets other contents
 *in each.
 *
 * In user mode it is for moments only until then: the SVM that QEMU 7.2 emulates now and then
 * delivers an injected interrupt twice, as its log (-d int) shows; the likelier, the more often
 * other CPUs interrupt the one that is in the guest. The second one comes with interrupts off, at
 * the first instruction of the handler. Linux gets over that if the first one came in its kernel;
 * if in user mode, GS is not yet the kernel's, and it dies.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	  4096ul
#define KNOWN	  (1ul << 20)
#define FRESH	  (24ul << 20)
#define WORKERS	  4
#define EACH	  (4ul << 20)
#define REFRESHED 8 /* one page of so many gets other contents in each turn */

/* Seen by all; written by whose turn it is. */
struct work {
	unsigned long turns, wrong;
};

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

/* ---- known data ------------------------------------------------------------------------------ */

static uint64_t word_of(unsigned int worker, size_t page, unsigned long generation, size_t i)
{
	return (((uint64_t)worker << 56 | (uint64_t)page << 36 | generation << 12 | i) + 1) *
	       0x9e3779b97f4a7c15;
}

static void fill(uint64_t *at, unsigned int worker, size_t page, unsigned long generation)
{
	size_t i;

	for (i = 0; i < PAGE / sizeof(*at); i++)
		at[i] = word_of(worker, page, generation, i);
}

static unsigned long wrong_words(const uint64_t *at, unsigned int worker, size_t page,
				 unsigned long generation)
{
	unsigned long wrong = 0;
	size_t i;

	for (i = 0; i < PAGE / sizeof(*at); i++)
		wrong += at[i] != word_of(worker, page, generation, i);
	return wrong;
}

/* Each page's generation is the turn in which it was filled. */
static void one_turn(struct work *w, unsigned int worker, uint64_t *memory,
		     unsigned long *generation)
{
	unsigned long turn = w->turns + 1;
	size_t page;

	for (page = 0; page < EACH / PAGE; page++) {
		uint64_t *at = memory + page * PAGE / sizeof(*at);

		w->wrong += wrong_words(at, worker, page, generation[page]);
		if (page % REFRESHED != turn / WORKERS % REFRESHED)
			continue;
		generation[page] = turn;
		fill(at, worker, page, turn);
	}
	__atomic_store_n(&w->turns, turn, __ATOMIC_RELAXED);
}

/* Whose turn it is, a byte in his pipe says: so none falls behind, whatever the scheduler thinks.
 */
static void work(struct work *w, unsigned int worker, int from, int to)
{
	uint64_t *memory = (uint64_t *)map(EACH, PAGE, PROT_READ | PROT_WRITE);
	static unsigned long generation[EACH / PAGE];
	size_t page;
	char c;

	for (page = 0; page < EACH / PAGE; page++)
		fill(memory + page * PAGE / sizeof(*memory), worker, page, 0);
	while (read(from, &c, 1) == 1) {
		one_turn(w, worker, memory, generation);
		if (write(to, &c, 1) != 1)
			break;
	}
	exit(1);
}

static void tell(int console, const struct work *w)
{
	char line[80];

	snprintf(line, sizeof(line), "summed %lu wrong %lu\n",
		 __atomic_load_n(&w->turns, __ATOMIC_RELAXED),
		 __atomic_load_n(&w->wrong, __ATOMIC_RELAXED));
	say(console, line);
}

/* None of them ends by itself. */
static void tell_who_ended(int console)
{
	char line[64];
	int status;
	pid_t pid = waitpid(-1, &status, WNOHANG);

	if (pid < 1)
		return;
	snprintf(line, sizeof(line), "ended: process %d, wait status 0x%x\n", (int)pid,
		 (unsigned int)status);
	say(console, line);
}

static void sum(int console)
{
	struct work *w =
		mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int turn[WORKERS][2];
	unsigned int i;

	if (w == MAP_FAILED)
		exit(1);
	for (i = 0; i < WORKERS; i++)
		if (pipe(turn[i]))
			exit(1);
	for (i = 0; i < WORKERS; i++)
		if (!fork())
			work(w, i, turn[i][0], turn[(i + 1) % WORKERS][1]);
	if (write(turn[0][1], "", 1) != 1)
		exit(1);
	say(console, "summing\n");
	for (;;) {
		usleep(500000);
		tell(console, w);
		tell_who_ended(console);
	}
}

int main(void)
{
	struct pollfd line = { .events = POLLIN };
	char *fresh;
	int console;

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
	line.fd = console;
	while (poll(&line, 1, 0) < 1)
		if (getrandom(fresh, FRESH, GRND_INSECURE) < 0)
			return 1;
	wait_for_line(console);
	sum(console);
	return 0;
}
