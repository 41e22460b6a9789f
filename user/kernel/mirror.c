// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/mirror.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

int ptremap_mirror_create(int fd, struct ptremap_mirror *req, struct ptremap_mirror_window *w)
{
	void *page;
	int err;

	req->size = sizeof(*req);
	err = call(fd, PTREMAP_MIRROR, req);
	if (err)
		return err;
	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, req->fd, 0);
	if (page == MAP_FAILED) {
		err = -errno;
		close(req->fd);
		return err;
	}
	*w = (struct ptremap_mirror_window){
		.fd = req->fd,
		.page = page,
		.va = req->va,
		.len = req->len,
		.gva = req->gva,
		.flags = req->flags,
	};
	return 0;
}

void ptremap_mirror_destroy(struct ptremap_mirror_window *w)
{
	munmap((void *)(uintptr_t)w->page, PAGE);
	close(w->fd);
	w->page = NULL;
	w->fd = -1;
}

int ptremap_mirror_invalidate(const struct ptremap_mirror_window *w, uint64_t gva, uint64_t len)
{
	struct ptremap_mirror_invalidate req = {
		.size = sizeof(req),
		.flags = PTREMAP_MIRROR_ALL_TAGS,
		.gva = gva,
		.len = len,
	};

	return call(w->fd, PTREMAP_MIRROR_INVALIDATE, &req);
}

int ptremap_mirror_switch(const struct ptremap_mirror_window *w, uint64_t root, uint32_t tag,
			  uint32_t cpu, uint32_t flags)
{
	struct ptremap_mirror_switch req = {
		.size = sizeof(req),
		.flags = flags,
		.root = root,
		.tag = tag,
		.cpu = cpu,
	};

	return call(w->fd, PTREMAP_MIRROR_SWITCH, &req);
}

/* The one with this number, if it is whole before and after it was copied. */
static int read_record(const struct ptremap_mirror_page *page, uint64_t nr,
		       struct ptremap_mirror_record *to)
{
	const struct ptremap_mirror_record *from = &page->record[nr % PTREMAP_MIRROR_RECORDS];

	if (__atomic_load_n(&from->seq, __ATOMIC_ACQUIRE) != nr)
		return -EAGAIN;
	memcpy(to, from, sizeof(*to));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&from->seq, __ATOMIC_RELAXED) == nr ? 0 : -EAGAIN;
}

int ptremap_mirror_why(const struct ptremap_mirror_window *w, const void *addr, int code,
		       uint32_t tid, struct ptremap_mirror_record *why)
{
	uint64_t va = (uintptr_t)addr, last, nr;

	if (va < w->va || va - w->va >= w->len)
		return -ENOENT;
	if (code == SEGV_ACCERR) {
		*why = (struct ptremap_mirror_record){
			.va = va,
			.gva = w->gva + (va - w->va),
			.tid = tid,
			.why = PTREMAP_MIRROR_PERMISSION,
			.access = w->flags & PTREMAP_MIRROR_RDONLY ? PTREMAP_MAP_WRITE
								   : PTREMAP_MAP_EXEC,
		};
		return 0;
	}
	last = __atomic_load_n(&w->page->last, __ATOMIC_ACQUIRE);
	for (nr = last; nr && last - nr < PTREMAP_MIRROR_RECORDS; nr--) {
		if (!read_record(w->page, nr, why) && why->va == va && (!tid || why->tid == tid))
			return 0;
	}
	return -EAGAIN;
}

#define LIST_SPARE 16 /* more than there were: others may come meanwhile */
#define LIST_TRIES 16

/* One try. -EAGAIN: there was too little room, @req says how much there must be. */
static int try_list(int fd, struct ptremap_mirror_list *req, struct ptremap_mirror_info *mirrors,
		    struct ptremap_mirror_range *ranges)
{
	uint32_t room = req->nr, room_ranges = req->nr_ranges;
	int err;

	req->mirrors = (uintptr_t)mirrors;
	req->ranges = (uintptr_t)ranges;
	err = call(fd, PTREMAP_MIRROR_LIST, req);
	if (err)
		return err;
	return req->nr > room || req->nr_ranges > room_ranges ? -EAGAIN : 0;
}

int ptremap_mirror_list(int fd, struct ptremap_mirror_info **mirrors, size_t *nr,
			struct ptremap_mirror_range **ranges)
{
	struct ptremap_mirror_list req = { .size = sizeof(req), .info_size = sizeof(**mirrors) };
	int err, tries = 0;

	do {
		req.nr += LIST_SPARE;
		req.nr_ranges += LIST_SPARE;
		*mirrors = calloc(req.nr, sizeof(**mirrors));
		*ranges = calloc(req.nr_ranges, sizeof(**ranges));
		err = *mirrors && *ranges ? try_list(fd, &req, *mirrors, *ranges) : -ENOMEM;
		*nr = req.nr;
		if (!err)
			return 0;
		free(*mirrors);
		free(*ranges);
		*mirrors = NULL;
		*ranges = NULL;
		*nr = 0;
	} while (err == -EAGAIN && ++tries < LIST_TRIES);
	return err;
}

const char *ptremap_mirror_why_name(uint32_t why)
{
	static const char *const names[] = {
		[PTREMAP_MIRROR_NOT_PRESENT] = "not present",
		[PTREMAP_MIRROR_PERMISSION] = "permission",
		[PTREMAP_MIRROR_RESERVED] = "reserved bits",
		[PTREMAP_MIRROR_CANONICAL] = "not canonical",
		[PTREMAP_MIRROR_MMIO] = "no memory",
		[PTREMAP_MIRROR_TABLE] = "a table outside of memory",
		[PTREMAP_MIRROR_HOST] = "no page of the host",
	};

	return why < sizeof(names) / sizeof(names[0]) && names[why] ? names[why] : "unknown";
}

static const struct {
	int error;
	const char *text;
} meanings[] = {
	{ EPROTO, "no such paging mode, or a physical address width other than 32 to 52 bits" },
	{ EDOM, "the window and its guest address are whole pages of the lower half, and the guest "
		"has as many addresses" },
	{ EADDRNOTAVAIL, "the window is below what the system allows (vm.mmap_min_addr)" },
	{ EEXIST, "something is mapped where the window shall be" },
	{ EMSGSIZE, "the window is larger than 64 GiB, or the guest's memory has more than 4096 "
		    "ranges" },
	{ ERANGE, "the guest's memory has a range that overlaps, is empty, no whole pages, or "
		  "beyond its physical addresses or the process' own" },
	{ ENOEXEC, "the process has forbidden itself memory that it can write and execute" },
	{ ENOENT, "no such tag was switched to" },
	{ ENOTTY, "the module knows no mirrors" },
};

const char *ptremap_mirror_strerror(int error)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].error == -error)
			return meanings[i].text;
	}
	return ptremap_strerror(error);
}
