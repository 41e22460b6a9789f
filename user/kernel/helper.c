// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define TABLES_BUF (4U << 20)

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

int helper_open(void)
{
	int fd = open(PTREMAP_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int helper_features(int fd, struct ptremap_features *features)
{
	*features = (struct ptremap_features){ .size = sizeof(*features) };
	return call(fd, PTREMAP_FEATURES, features);
}

int helper_walk(int fd, pid_t pid, uint32_t flags, struct ptremap_walk_entry *entries, size_t nr,
		uint64_t *root)
{
	struct ptremap_walk req = { .size = sizeof(req), .flags = flags, .pid = pid };
	int err = 0;

	while (nr && !err) {
		req.nr = nr < PTREMAP_WALK_MAX ? (uint32_t)nr : PTREMAP_WALK_MAX;
		req.entries = (uintptr_t)entries;
		err = call(fd, PTREMAP_WALK, &req);
		entries += req.nr;
		nr -= req.nr;
	}
	*root = req.root;
	return err;
}

/* The records of one call. The module wrote them, but a wrong size must not lead out of @buf. */
static int put_tables(const struct ptremap_tables *req, const char *buf, helper_put_table put,
		      void *ctx)
{
	const struct ptremap_table *t;
	uint64_t at = 0;
	int err = 0;

	while (!err && req->used - at >= sizeof(*t)) {
		t = (const void *)(buf + at);
		at += sizeof(*t);
		if (t->nr > (req->used - at) / sizeof(uint64_t))
			return -EPROTO;
		err = put(ctx, t, (const void *)(buf + at));
		at += t->nr * sizeof(uint64_t);
	}
	return err;
}

int helper_tables(int fd, pid_t pid, uint32_t flags, uint64_t start, uint64_t last, uint64_t *root,
		  helper_put_table put, void *ctx)
{
	struct ptremap_tables req = {
		.size = sizeof(req),
		.flags = flags,
		.pid = pid,
		.start = start,
		.last = last,
		.buf_len = TABLES_BUF,
	};
	char *buf = aligned_alloc(4096, TABLES_BUF);
	int err;

	if (!buf)
		return -ENOMEM;
	req.buf = (uintptr_t)buf;
	do {
		err = call(fd, PTREMAP_TABLES, &req);
		if (err || req.used > TABLES_BUF)
			break;
		*root = req.root;
		err = put_tables(&req, buf, put, ctx);
		req.start = req.next;
	} while (!err && req.next);
	free(buf);
	return err;
}

int helper_phys(int fd, uint32_t flags, uint32_t width, uint64_t pa, void *buf, uint64_t len,
		uint64_t *done)
{
	struct ptremap_phys req = { .size = sizeof(req), .flags = flags, .width = width };
	int err = 0;

	*done = 0;
	while (*done < len && !err) {
		req.pa = pa + *done;
		req.len = len - *done < PTREMAP_PHYS_MAX ? len - *done : PTREMAP_PHYS_MAX;
		req.buf = (uintptr_t)buf + *done;
		req.done = 0;
		err = call(fd, PTREMAP_PHYS, &req);
		*done += req.done;
	}
	return err;
}

static const struct {
	int error;
	const char *text;
} sentences[] = {
	{ ENOENT, "the helper module is not loaded; load kmod-helper/ptremap.ko with insmod" },
	{ EPERM, "CAP_SYS_ADMIN is needed; run as root" },
	{ EACCES, "CAP_SYS_RAWIO is needed; run as root" },
	{ EKEYREJECTED, "the kernel is locked down, which forbids access to raw memory" },
	{ ENOTTY, "the helper module is older than this program; load the one that came with it" },
	{ E2BIG, "the helper module is older than this program; load the one that came with it" },
	{ EINVAL, "the helper module did not take the request" },
	{ ESRCH, "no such process" },
	{ ENXIO, "nothing is there" },
	{ EDOM, "the address is not canonical" },
	{ EIO, "the page is poisoned, or not in the kernel's direct map" },
	{ EROFS, "the kernel maps this memory read-only" },
	{ ERANGE, "beyond the physical address width of this processor" },
	{ EINTR, "interrupted" },
	{ EAGAIN, "the tables changed under each try" },
};

const char *helper_strerror(int error)
{
	size_t i;

	if (error < 0)
		error = -error;
	for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].error == error)
			return sentences[i].text;
	return strerror(error);
}
