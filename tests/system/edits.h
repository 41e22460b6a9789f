/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs that test the helper module's edits share: its calls, and how to tell. */
#ifndef TESTS_EDITS_H
#define TESTS_EDITS_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kmod-helper/uapi/ptremap.h"

#define PAGE	   4096u
#define BIT_P	   0x1ull
#define BIT_RW	   0x2ull
#define BIT_PCD	   0x10ull
#define BIT_NX	   (1ull << 63)
#define FRAME_MASK 0x000ffffffffff000ull
/* What a CPU notes in an entry (bit 58 is where the kernel keeps D of read-only ones). */
#define NOTED (0x60ull | 1ull << 58)

struct checks {
	int dev;
	unsigned int failed;
};

__attribute__((format(printf, 3, 4))) static inline bool check(struct checks *c, bool good,
							       const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("%s ", good ? "ok" : "not ok");
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
	fflush(stdout);
	c->failed += !good;
	return good;
}

static inline void die(const char *what)
{
	printf("not ok %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static inline uint64_t at(const volatile void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static inline int call(const struct checks *c, unsigned long nr, void *arg)
{
	return ioctl(c->dev, nr, arg) ? -errno : 0;
}

static inline int edit_many(const struct checks *c, struct ptremap_item *items, uint32_t nr,
			    uint32_t flags, uint32_t *id)
{
	struct ptremap_edit e = { .size = sizeof(e), .flags = flags, .items = at(items), .nr = nr };
	int err = call(c, PTREMAP_EDIT, &e);

	if (id)
		*id = e.id;
	return err;
}

static inline int edit(const struct checks *c, struct ptremap_item *item, uint32_t *id)
{
	return edit_many(c, item, 1, 0, id);
}

/* How many items were active; or -errno. */
static inline int undo(const struct checks *c, uint32_t id)
{
	struct ptremap_undo u = { .size = sizeof(u), .id = id };
	int err = call(c, PTREMAP_UNDO, &u);

	return err ? err : (int)u.restored;
}

/* How many records there are; up to @max of them. */
static inline int list(const struct checks *c, struct ptremap_record *r, uint32_t max)
{
	struct ptremap_list l = {
		.size = sizeof(l), .records = at(r), .nr = max, .record_size = sizeof(*r)
	};
	int err = call(c, PTREMAP_LIST, &l);

	return err ? err : (int)l.nr;
}

static inline struct ptremap_walk_entry walk(const struct checks *c, pid_t pid, uint64_t va)
{
	struct ptremap_walk_entry e = { .va = va };
	struct ptremap_walk w = { .size = sizeof(w), .pid = pid, .nr = 1, .entries = at(&e) };
	int err = call(c, PTREMAP_WALK, &w);

	if (err)
		e.status = err;
	return e;
}

static inline uint64_t leaf(const struct checks *c, pid_t pid, uint64_t va)
{
	struct ptremap_walk_entry e = walk(c, pid, va);

	return !e.status && e.level == 1 ? e.entry[0] : 0;
}

/* Of the page frame there; 0: there is none, or not now. */
static inline uint64_t ram_at(const struct checks *c, pid_t pid, uint64_t va)
{
	uint64_t entry = leaf(c, pid, va);

	return entry & BIT_P ? entry & FRAME_MASK : 0;
}

/* Of /proc/kpagecount; -1: unknown. */
static inline int64_t mapcount(uint64_t pfn)
{
	int fd = open("/proc/kpagecount", O_RDONLY);
	int64_t n = -1;

	if (fd >= 0 && pread(fd, &n, sizeof(n), (off_t)(pfn * 8)) != sizeof(n))
		n = -1;
	if (fd >= 0)
		close(fd);
	return n;
}

/* Of a line "NAME:   N kB" in @path; -1: there is none. */
static inline long kib_of(const char *path, const char *name)
{
	char line[256];
	FILE *f = fopen(path, "r");
	long kib = -1;

	while (f && kib < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			kib = strtol(line + strlen(name) + 1, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

static inline bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Traps need NUMA balancing, which kernels with PREEMPT_RT do not have. */
static inline bool has_traps(void)
{
	return !access("/proc/sys/kernel/numa_balancing", F_OK);
}

/* The kinds that this kernel has are those up to it. */
static inline uint32_t last_kind(void)
{
	return has_traps() ? PTREMAP_TRAP : PTREMAP_FRESH;
}

/* Each page has its own contents, which tell where it came from. */
static inline void fill_page(void *page, uint64_t seed)
{
	uint64_t *p = page;
	size_t i;

	for (i = 0; i < PAGE / sizeof(*p); i++)
		p[i] = (seed << 32) + i;
}

static inline bool is_filled(const void *page, uint64_t seed)
{
	const volatile uint64_t *p = page;
	size_t i;

	for (i = 0; i < PAGE / sizeof(*p); i++)
		if (p[i] != (seed << 32) + i)
			return false;
	return true;
}

/*
 * Pages on their way to the LRU lists have a reference more. Before pages are moved, all CPUs put
 * theirs there; this one is where it is to be.
 */
static inline void drain_lru(void)
{
	static char page[PAGE];
	void *where = page;
	int node = 0, status;

	page[0] = 1;
	if (syscall(SYS_move_pages, 0, 1ul, &where, &node, &status, 0) < 0)
		die("move_pages");
}

/* References to the page at @va: the fewest of some readings, since others hold it for moments. */
static inline int32_t fewest_refs(const struct checks *c, pid_t pid, uint64_t va)
{
	int32_t fewest = INT32_MAX, now;
	int i;

	for (i = 0; i < 5; i++) {
		drain_lru();
		now = walk(c, pid, va).page.refcount;
		if (now < fewest)
			fewest = now;
		usleep(1000);
	}
	return fewest;
}

static inline int open_device(void)
{
	int fd = open(PTREMAP_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(PTREMAP_DEVICE);
	return fd;
}

/* What the tests call the kinds of edits; the index is enum ptremap_what, and one more. */
#define WHAT_TABLE (PTREMAP_MMIO + 1) /* PTREMAP_RAM, of a page table */
static const char *const WHAT[] = { "",		 "protect", "frame",	       "swap",
				    "fresh",	 "trap",    "page by address", "device memory",
				    "page table" };

/* Where device memory begins that can be read without harm: a timer's registers. 0: nowhere. */
static inline uint64_t timer_pa(void)
{
	FILE *f = fopen("/proc/iomem", "r");
	char line[256];
	uint64_t pa = 0;

	while (f && !pa && fgets(line, sizeof(line), f))
		if (strstr(line, "HPET"))
			pa = strtoull(line, NULL, 16);
	if (f)
		fclose(f);
	return pa;
}

/* Pages that are in the swap cache, too, have a reference more: empties it. */
static inline void empty_swap(void)
{
	char line[256], path[128];
	FILE *f = fopen("/proc/swaps", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%127s", path) == 1 && *path == '/' &&
		    (swapoff(path) || swapon(path, 0)))
			die(path);
	if (f)
		fclose(f);
}

/* Of "NAME 12" or "NAME: 12 kB" in a file such as /proc/vmstat and /proc/meminfo; -1: not there. */
static inline long proc_number(const char *path, const char *name)
{
	char line[128];
	FILE *f = fopen(path, "r");
	size_t len = strlen(name);
	long n = -1;

	while (f && n < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && (line[len] == ':' || line[len] == ' '))
			n = strtol(line + len + 1, NULL, 10);
	if (f)
		fclose(f);
	return n;
}

#endif
