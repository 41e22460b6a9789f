// SPDX-License-Identifier: GPL-2.0
/*
 * steady: faults at a steady pace until it is ended, and writes down how far it is.
 *
 *	steady LOG
 *
 * Every 100 ms LOG gets a line "TIME COUNT": CLOCK_MONOTONIC in ns, faults made by then. The
 * region that they are made on is the first line, "FIRST LAST". SIGTERM ends it after a last line.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE	4096u
#define BATCH	64
#define LOG_NS	100000000u
#define WAIT_NS 1000000

static volatile sig_atomic_t ended;

static void end(int sig)
{
	(void)sig;
	ended = 1;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void batch(char *region)
{
	size_t i;

	for (i = 0; i < BATCH; i++)
		*(volatile char *)(region + i * PAGE) = 1;
	if (madvise(region, BATCH * PAGE, MADV_DONTNEED))
		die("MADV_DONTNEED");
}

int main(int argc, char **argv)
{
	char *region = mmap(NULL, BATCH * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	uint64_t count = 0, next = 0;
	int fd;

	if (argc != 2) {
		fputs("usage: steady LOG\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || region == MAP_FAILED || madvise(region, BATCH * PAGE, MADV_NOHUGEPAGE))
		die(argv[1]);
	signal(SIGTERM, end);
	dprintf(fd, "%" PRIxPTR " %" PRIxPTR "\n", (uintptr_t)region,
		(uintptr_t)region + BATCH * PAGE - 1);
	while (!ended) {
		batch(region);
		count += BATCH;
		if (now_ns() >= next) {
			dprintf(fd, "%" PRIu64 " %" PRIu64 "\n", now_ns(), count);
			next = now_ns() + LOG_NS;
		}
		nanosleep(&wait, NULL);
	}
	dprintf(fd, "%" PRIu64 " %" PRIu64 "\n", now_ns(), count);
	return 0;
}
