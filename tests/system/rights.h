/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs share that test who may use the helper module: attempts at all ways into it. */
#ifndef TESTS_RIGHTS_H
#define TESTS_RIGHTS_H

#include "tests/system/edits.h"

#define PAGES 8
/* Calls have numbers below it; one that is not there is asked about rights, too, or refused. */
#define CALLS 16

struct test {
	struct checks c;
	char *p; /* private, written to */
	uint64_t entry;
};

static inline void set_up(struct test *t)
{
	unsigned int i;

	t->c.dev = open_device();
	t->p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->p == MAP_FAILED)
		die("mmap");
	/* A fork would make its entries read-only. */
	madvise(t->p, PAGES * PAGE, MADV_NOHUGEPAGE);
	madvise(t->p, PAGES * PAGE, MADV_DONTFORK);
	for (i = 0; i < PAGES; i++)
		fill_page(t->p + i * PAGE, i);
	t->entry = leaf(&t->c, getpid(), at(t->p)) & ~NOTED;
}

static inline bool is_filled_all(const struct test *t)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (!is_filled(t->p + i * PAGE, i))
			return false;
	return true;
}

/* ---- attempts: -errno or 0 ------------------------------------------------------------------- */

static inline int try_open(void)
{
	int fd = open(PTREMAP_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Eight bytes of RAM, which there is behind the first MiB. */
static inline int try_read(const struct test *t)
{
	uint64_t word;

	return pread(t->c.dev, &word, sizeof(word), 1 << 20) < 0 ? -errno : 0;
}

/* The structure is of a size that no call takes, so that those who may get EINVAL. */
static inline int try_call(const struct test *t, unsigned int nr)
{
	uint32_t size = 0;

	return call(&t->c, _IO(PTREMAP_TYPE, nr), &size);
}

static inline int try_edit(const struct test *t, pid_t pid)
{
	struct ptremap_item i = { .pid = pid, .va = at(t->p), .what = PTREMAP_FRESH };
	uint32_t id;
	int err = edit(&t->c, &i, &id);

	return err ? err : undo(&t->c, id) == 1 ? 0 : -EILSEQ;
}

static inline const char *name_of(int err)
{
	return err ? strerrorname_np(-err) : "no error";
}

static inline int watch_on(int dev)
{
	struct ptremap_watch w = { .size = sizeof(w), .flags = PTREMAP_WATCH_NONBLOCK };

	if (ioctl(dev, PTREMAP_WATCH, &w))
		die("PTREMAP_WATCH");
	return w.fd;
}

static inline int read_watch(int fd)
{
	char events[4096];

	return read(fd, events, sizeof(events)) < 0 ? -errno : 0;
}

#endif
