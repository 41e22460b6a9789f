/* SPDX-License-Identifier: GPL-2.0 */
/* zoo's single faults: each is made and written down at once. */
#ifndef TESTS_ZOO_H
#define TESTS_ZOO_H

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/system/oracle.h"

#define RW     (PROT_READ | PROT_WRITE)
#define ANON   (MAP_PRIVATE | MAP_ANONYMOUS)
#define AROUND 16 /* pages that a read of a file maps at once: mm/memory.c, fault_around */
#define FEW    64
#define SOME   512
#define RET    '\xc3'

struct zoo {
	struct oracle o;
	const char *dir;
	size_t n;
	int uffd;
	pthread_t main, handler;
	volatile bool interrupt; /* the handler answers the next fault with a signal */
	char *source;		 /* what the handler copies in */
	sigjmp_buf escape;	 /* from an access that ends in a signal */
};

static inline void make_access(char *p, const char *access)
{
	if (*access == 'w')
		*(volatile char *)p = RET;
	else if (*access == 'r')
		(void)*(volatile char *)p;
	else
		((void (*)(void))(uintptr_t)p)();
}

/* An access of @origin to where nothing is mapped yet; the caller makes it. */
static inline struct fault *expect(struct zoo *z, char *p, const char *origin, const char *access,
				   const char *outcome)
{
	struct fault *f = oracle_next(&z->o);

	*f = (struct fault){ .address = (uintptr_t)p,
			     .pfn = ORACLE_NO_PFN,
			     .origin = origin,
			     .access = access,
			     .outcome = outcome,
			     .stop = 'h' };
	f->level = (char)oracle_hole(&z->o, f->address);
	return f;
}

/* It has been made, and a leaf of level @leaf is there. */
static inline void filled(struct zoo *z, struct fault *f, int leaf)
{
	f->pfn = oracle_pfn(&z->o, f->address);
	oracle_filled(&z->o, f->address, leaf);
}

static inline void fill(struct zoo *z, char *p, const char *access, const char *outcome, int leaf)
{
	struct fault *f = expect(z, p, "user", access, outcome);

	make_access(p, access);
	filled(z, f, leaf);
}

/* A write to what is mapped by a leaf that does not allow it. */
static inline void rewrite(struct zoo *z, char *p, const char *outcome, int leaf)
{
	struct fault *f = expect(z, p, "user", "write", outcome);

	f->stop = 'l';
	f->level = (char)leaf;
	make_access(p, f->access);
	f->pfn = oracle_pfn(&z->o, f->address);
}

/* An access that ends in a signal; @stop: a leaf is there (l) or not (h). */
static inline struct fault *offend(struct zoo *z, char *p, const char *access, const char *outcome,
				   char stop)
{
	struct fault *f = expect(z, p, "user", access, outcome);

	f->stop = stop;
	if (stop == 'l')
		f->level = 1;
	if (!sigsetjmp(z->escape, 1)) {
		make_access(p, access);
		fprintf(stderr, "zoo: %s of %p gave no %s\n", access, (void *)p, outcome);
		exit(1);
	}
	return f;
}

static inline char *map_anon(struct zoo *z, size_t pages)
{
	char *p = oracle_map(&z->o, pages * PAGE, RW, ANON | MAP_NORESERVE, -1);

	if (madvise(p, pages * PAGE, MADV_NOHUGEPAGE))
		die("MADV_NOHUGEPAGE");
	return p;
}

/* A file of @pages pages on the real file system, all in the page cache. */
static inline int make_file(const struct zoo *z, size_t pages)
{
	int fd = open(z->dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	char page[PAGE];
	size_t i;

	memset(page, RET, sizeof(page));
	if (fd < 0)
		die(z->dir);
	for (i = 0; i < pages; i++)
		if (write(fd, page, sizeof(page)) != sizeof(page))
			die("write");
	if (fsync(fd))
		die("fsync");
	return fd;
}

static inline void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static inline pid_t fork_sleeper(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	while (!pid)
		pause();
	return pid;
}

#endif
