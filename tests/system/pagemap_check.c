// SPDX-License-Identifier: GPL-2.0
/*
 * pagemap_check walk PID...: stops each process, walks all its pages in one call of the helper
 * module, and compares them with its /proc/PID/pagemap. Prints one line: processes, calls, pages,
 * present ones, pages that changed while they were compared, pages of which pagemap says nothing
 * (VM_PFNMAP), differences.
 *
 * pagemap_check speed MIB: how long a copy of the tables of so much memory in 4 KiB pages takes,
 * and a read of its pagemap: nanoseconds, best of several times.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kmod-helper/uapi/ptremap.h"

#define PAGE 4096ull
#define MAX  PTREMAP_WALK_MAX

#define PM_PRESENT (1ull << 63)
#define PM_SWAPPED (1ull << 62)
#define PM_PFN	   ((1ull << 55) - 1)
/* Others may map the same page meanwhile, which bit 56 tells. */
#define PM_COUNTS (PM_PRESENT | PM_SWAPPED | PM_PFN)

struct sums {
	uint64_t processes, calls, pages, present, changed, special, different;
};

struct check {
	int device, pid;
	struct ptremap_walk_entry *walk;
	uint64_t *before, *after;
	uint32_t nr;
	struct sums sums;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *room(size_t bytes)
{
	void *p = calloc(1, bytes);

	if (!p)
		die("memory");
	return p;
}

static int open_device(void)
{
	int fd = open(PTREMAP_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(PTREMAP_DEVICE);
	return fd;
}

static int open_pagemap(int pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

/* ---- walk ------------------------------------------------------------------------------- */

/* All pages of the process but vsyscall's, which is in no pagemap. */
static void list_pages(struct check *c)
{
	uint64_t start, end;
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", c->pid);
	maps = fopen(path, "re");
	if (!maps)
		die(path);
	c->nr = 0;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 || start >> 63)
			continue;
		for (; start < end && c->nr < MAX; start += PAGE)
			c->walk[c->nr++] = (struct ptremap_walk_entry){ .va = start };
	}
	fclose(maps);
}

/* Neighbours are read at once. */
static void read_pagemap(const struct check *c, uint64_t *to)
{
	int fd = open_pagemap(c->pid);
	uint32_t i, n;
	ssize_t bytes;

	for (i = 0; i < c->nr; i += n) {
		for (n = 1; i + n < c->nr && c->walk[i + n].va == c->walk[i].va + n * PAGE; n++)
			;
		bytes = pread(fd, to + i, n * 8ull, (off_t)(c->walk[i].va / PAGE * 8));
		if (bytes != (ssize_t)(n * 8ull))
			die("pagemap");
	}
	close(fd);
}

static void walk(struct check *c)
{
	struct ptremap_walk req = {
		.size = sizeof(req), .pid = c->pid, .nr = c->nr, .entries = (uintptr_t)c->walk
	};

	if (ioctl(c->device, PTREMAP_WALK, &req))
		die("PTREMAP_WALK");
	c->sums.calls++;
}

/* The frame of an entry that is PROT_NONE: its address is stored inverted (pgtable-invert.h). */
static uint64_t none_pfn(const struct ptremap_walk_entry *e)
{
	uint64_t pfn = (~e->entry[e->level - 1] & ((1ull << 52) - 1)) / PAGE;

	return e->level == 1 ? pfn : (pfn & ~0x1ffull) | (e->va / PAGE & 0x1ff);
}

static bool same(const struct ptremap_walk_entry *e, uint64_t pagemap)
{
	uint64_t entry;

	if (e->status || !e->level)
		return false;
	entry = e->entry[e->level - 1];
	if (entry & 1)
		return pagemap & PM_PRESENT && e->page.pfn == (pagemap & PM_PFN);
	if (pagemap & PM_PRESENT)
		return entry & 1 << 8 && none_pfn(e) == (pagemap & PM_PFN);
	return !(pagemap & PM_SWAPPED) == !entry;
}

/* Present, and without a struct page that is looked at: bit 9 is _PAGE_SPECIAL. */
static bool is_special(const struct ptremap_walk_entry *e)
{
	return !e->status && e->level == 1 && (e->entry[0] & 0x201) == 0x201;
}

static void compare(struct check *c)
{
	const struct ptremap_walk_entry *e;
	uint32_t i;

	for (i = 0; i < c->nr; i++) {
		e = &c->walk[i];
		c->sums.pages++;
		c->sums.present += !!(c->after[i] & PM_PRESENT);
		if ((c->before[i] ^ c->after[i]) & PM_COUNTS) {
			c->sums.changed++;
		} else if (is_special(e) && !(c->after[i] & PM_PRESENT)) {
			c->sums.special++;
		} else if (!same(e, c->after[i])) {
			if (!c->sums.different++)
				fprintf(stderr,
					"pid %d 0x%" PRIx64 ": pagemap 0x%" PRIx64
					", entry 0x%" PRIx64 " of level %d, status %d\n",
					c->pid, (uint64_t)e->va, c->after[i],
					e->level ? (uint64_t)e->entry[e->level - 1] : 0, e->level,
					e->status);
		}
	}
}

/* A process that runs in the kernel, or on another CPU, does so for a while. */
static void stop(int pid)
{
	char path[64], stat[512] = "", *state;
	FILE *f;

	if (kill(pid, SIGSTOP))
		die("SIGSTOP");
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		usleep(1000);
		f = fopen(path, "re");
		if (!f || !fgets(stat, sizeof(stat), f))
			die(path);
		fclose(f);
		state = strrchr(stat, ')');
	} while (!state || state[1] != ' ' || state[2] != 'T');
}

static void check_process(struct check *c, int pid)
{
	c->pid = pid;
	stop(pid);
	list_pages(c);
	read_pagemap(c, c->before);
	walk(c);
	read_pagemap(c, c->after);
	kill(pid, SIGCONT);
	compare(c);
	c->sums.processes++;
}

static int check_walks(int argc, char **argv)
{
	struct check c = { .device = open_device() };
	int i;

	c.walk = room(MAX * sizeof(*c.walk));
	c.before = room(MAX * sizeof(*c.before));
	c.after = room(MAX * sizeof(*c.after));
	for (i = 2; i < argc; i++)
		check_process(&c, atoi(argv[i]));
	printf("processes %" PRIu64 " calls %" PRIu64 " pages %" PRIu64 " present %" PRIu64
	       " changed %" PRIu64 " special %" PRIu64 " different %" PRIu64 "\n",
	       c.sums.processes, c.sums.calls, c.sums.pages, c.sums.present, c.sums.changed,
	       c.sums.special, c.sums.different);
	return 0;
}

/* ---- speed ------------------------------------------------------------------------------ */

#define TIMES	 5
#define BUF_SIZE (4u << 20)

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t time_tables(int device, uint64_t start, uint64_t size, char *buf)
{
	struct ptremap_tables req = { .size = sizeof(req),
				      .pid = getpid(),
				      .start = start,
				      .last = start + size - 1,
				      .buf = (uintptr_t)buf,
				      .buf_len = BUF_SIZE };
	uint64_t from = now();

	do {
		if (ioctl(device, PTREMAP_TABLES, &req))
			die("PTREMAP_TABLES");
		req.start = req.next;
	} while (req.next);
	return now() - from;
}

static uint64_t time_pagemap(uint64_t start, uint64_t size, char *buf)
{
	int fd = open_pagemap(getpid());
	uint64_t from = now(), left = size / PAGE * 8;
	off_t at = (off_t)(start / PAGE * 8);
	ssize_t n;

	for (; left; left -= (uint64_t)n, at += n) {
		n = pread(fd, buf, left < BUF_SIZE ? left : BUF_SIZE, at);
		if (n <= 0)
			die("pagemap");
	}
	close(fd);
	return now() - from;
}

static int measure(uint64_t size)
{
	uint64_t tables = UINT64_MAX, pagemap = UINT64_MAX, t, i;
	int device = open_device();
	char *buf = room(BUF_SIZE);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, size, MADV_NOHUGEPAGE))
		die("mmap");
	memset(buf, 1, BUF_SIZE);
	for (i = 0; i < size; i += PAGE)
		p[i] = 1;
	for (i = 0; i < TIMES; i++) {
		t = time_tables(device, (uintptr_t)p, size, buf);
		tables = t < tables ? t : tables;
		t = time_pagemap((uintptr_t)p, size, buf);
		pagemap = t < pagemap ? t : pagemap;
	}
	printf("tables %" PRIu64 " pagemap %" PRIu64 "\n", tables, pagemap);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "walk"))
		return check_walks(argc, argv);
	if (argc == 3 && !strcmp(argv[1], "speed"))
		return measure(strtoull(argv[2], NULL, 10) << 20);
	fprintf(stderr, "usage: pagemap_check walk PID... | speed MIB\n");
	return 2;
}
