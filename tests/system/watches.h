/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs that test watches and pidfds share. */
#ifndef TESTS_WATCHES_H
#define TESTS_WATCHES_H

#include <poll.h>

#include "tests/system/puppet.h"

/* A descriptor, or -errno. */
static inline int watch_on(int dev, uint32_t flags, uint32_t nr)
{
	struct ptremap_watch w = { .size = sizeof(w),
				   .flags = flags,
				   .nr = nr,
				   .record_size = sizeof(struct ptremap_record) };

	return ioctl(dev, PTREMAP_WATCH, &w) ? -errno : w.fd;
}

static inline int new_watch(int dev, uint32_t flags, uint32_t nr)
{
	int fd = watch_on(dev, flags | PTREMAP_WATCH_NONBLOCK, nr);

	if (fd < 0) {
		errno = -fd;
		die("PTREMAP_WATCH");
	}
	return fd;
}

/* How many events; or -errno. */
static inline int read_events(int fd, struct ptremap_event *e, size_t max)
{
	ssize_t n = read(fd, e, max * sizeof(*e));

	return n < 0 ? -errno : (int)((size_t)n / sizeof(*e));
}

/* The next event, if it comes within @ms. */
static inline bool next_event(int fd, struct ptremap_event *e, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1 && read_events(fd, e, 1) == 1;
}

static inline bool is_quiet(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct ptremap_event e;

	return !poll(&p, 1, 0) && read_events(fd, &e, 1) == -EAGAIN;
}

static inline bool is_event(const struct ptremap_event *e, uint32_t type, uint32_t id, uint64_t va)
{
	return e->type == type && e->record.id == id && e->record.va == va && e->time;
}

#endif
