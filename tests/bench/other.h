/* SPDX-License-Identifier: GPL-2.0 */
/* A process that benchmarks look at from outside. */
#ifndef BENCH_OTHER_H
#define BENCH_OTHER_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kmod-helper/uapi/ptremap.h"
#include "tests/bench/bench.h"

#define PAGE 4096u

struct other {
	pid_t pid;
	char *pages; /* of that process; there is nothing here */
};

static _Noreturn inline void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline uint64_t at(const volatile void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static inline int open_device(void)
{
	int dev = open(PTREMAP_DEVICE, O_RDWR | O_CLOEXEC);

	if (dev < 0)
		die(PTREMAP_DEVICE);
	return dev;
}

static inline void call(int dev, unsigned long nr, void *arg, const char *what)
{
	if (ioctl(dev, nr, arg))
		die(what);
}

static inline void *reserve(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, len, MADV_NOHUGEPAGE))
		die("memory");
	return p;
}

static inline void *memory(size_t len)
{
	return memset(reserve(len), 1, len);
}

/* Each of its @nr pages has been written to: its number is in its first word. It waits. */
static inline struct other start_other(size_t nr)
{
	struct other other = { .pages = reserve(nr * PAGE) };
	int ready[2];
	uint64_t i;
	char byte;

	if (pipe(ready))
		die("pipe");
	other.pid = fork();
	if (other.pid < 0)
		die("fork");
	if (!other.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = 0; i < nr; i++)
			*(uint64_t *)(void *)(other.pages + i * PAGE) = i;
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		die("the other process");
	close(ready[0]);
	close(ready[1]);
	return other;
}

static inline void end_other(struct other other)
{
	kill(other.pid, SIGKILL);
	waitpid(other.pid, NULL, 0);
}

/* A file of the other process' in /proc. */
static inline int open_of(struct other other, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", other.pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

#endif
