// SPDX-License-Identifier: GPL-2.0
/*
 * helper: how fast the helper module is, on the kernel at hand. What is compared takes turns, so
 * that what the machine does to one it does to the other; a ratio is the median of the pairs'.
 */
#include <errno.h>
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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kmod-helper/uapi/ptremap.h"

#define ROUNDS 5
#define PAGE   4096u
#define EDITS  PTREMAP_EDIT_MAX
#define WALKS  PTREMAP_WALK_MAX
#define BYTES  PTREMAP_PHYS_MAX
#define BIT_RW 2u

struct bench {
	int dev, pagemap;
	pid_t pid;   /* of a process that waits */
	char *pages; /* WALKS pages of that process */
	struct ptremap_item *items;
	uint32_t *ids;
	struct ptremap_walk_entry *entries;
	uint64_t *pagemap_entries;
	char *from, *to;
	uint64_t ram; /* physical address of BYTES of RAM */
};

/* Of one way to do something, ROUNDS times; some come in two steps. */
struct times {
	double first[ROUNDS], second[ROUNDS];
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "helper: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t at(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static void call(const struct bench *b, unsigned long nr, void *arg, const char *what)
{
	if (ioctl(b->dev, nr, arg))
		die(what);
}

/* ---- edits ---- */

static uint32_t edit(const struct bench *b, uint32_t first, uint32_t nr)
{
	struct ptremap_edit e = { .size = sizeof(e), .items = at(&b->items[first]), .nr = nr };

	call(b, PTREMAP_EDIT, &e, "edit");
	return e.id;
}

static void undo(const struct bench *b, uint32_t id)
{
	struct ptremap_undo u = { .size = sizeof(u), .id = id };

	call(b, PTREMAP_UNDO, &u, "undo");
}

static void make_items(struct bench *b, uint32_t what)
{
	uint32_t i;

	for (i = 0; i < EDITS; i++)
		b->items[i] = (struct ptremap_item){
			.pid = b->pid,
			.va = at(b->pages + (size_t)i * PAGE),
			.what = what,
			.clear = what == PTREMAP_PROTECT ? BIT_RW : 0,
			.other_pid = what == PTREMAP_FRAME ? b->pid : 0,
			.other_va = what == PTREMAP_FRAME
					    ? at(b->pages + (size_t)(WALKS - 1 - i) * PAGE)
					    : 0,
		};
}

/* EDITS edits, @batch to a call. */
static void edits(const struct bench *b, uint32_t batch, double *made, double *undone)
{
	double start = now(), middle;
	uint32_t i;

	for (i = 0; i < EDITS; i += batch)
		b->ids[i] = edit(b, i, batch);
	middle = now();
	for (i = 0; i < EDITS; i += batch)
		undo(b, b->ids[i]);
	*made = middle - start;
	*undone = now() - middle;
}

/* ---- walks ---- */

static void walk(const struct bench *b, uint32_t first, uint32_t nr)
{
	struct ptremap_walk w = {
		.size = sizeof(w), .pid = b->pid, .nr = nr, .entries = at(&b->entries[first])
	};

	call(b, PTREMAP_WALK, &w, "walk");
}

static double walks(const struct bench *b, uint32_t batch)
{
	double start = now();
	uint32_t i;

	for (i = 0; i < WALKS; i += batch)
		walk(b, i, batch);
	return now() - start;
}

static double pagemap(const struct bench *b, uint32_t batch)
{
	double start = now();
	off_t first = (off_t)(at(b->pages) / PAGE);
	uint32_t i;

	for (i = 0; i < WALKS; i += batch)
		if (pread(b->pagemap, &b->pagemap_entries[i], batch * 8u, (first + i) * 8) !=
		    (ssize_t)batch * 8)
			die("pagemap");
	return now() - start;
}

/* Whoever says where a page is must say the same. */
static void compare_walks(const struct bench *b)
{
	uint64_t pfn_mask = (1ull << 55) - 1;
	uint32_t i;

	for (i = 0; i < WALKS; i++) {
		if (b->entries[i].page.pfn &&
		    b->entries[i].page.pfn != (b->pagemap_entries[i] & pfn_mask)) {
			errno = EILSEQ;
			die("walk and pagemap");
		}
	}
}

/* ---- physical memory ---- */

static double read_ram(const struct bench *b)
{
	double start = now();
	struct ptremap_phys p = { .size = sizeof(p), .pa = b->ram, .len = BYTES, .buf = at(b->to) };

	call(b, PTREMAP_PHYS, &p, "physical memory");
	return now() - start;
}

static double copy(const struct bench *b)
{
	double start = now();

	memcpy(b->to, b->from, BYTES);
	__asm__ volatile("" : : "r"(b->to) : "memory");
	return now() - start;
}

/* ---- what it looks at ---- */

static void *reserve(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, len, MADV_NOHUGEPAGE))
		die("memory");
	return p;
}

static void *memory(size_t len)
{
	return memset(reserve(len), 1, len);
}

/* The first part of RAM behind the kernel's image that is long enough. */
static uint64_t find_ram(void)
{
	uint64_t first, last, found = 0;
	char line[256];
	FILE *f = fopen("/proc/iomem", "r");

	while (f && !found && fgets(line, sizeof(line), f))
		if (strstr(line, ": System RAM") &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &first, &last) == 2 &&
		    last - first > 8ull * BYTES)
			found = last + 1 - 4ull * BYTES;
	if (f)
		fclose(f);
	if (!found)
		die("/proc/iomem: not enough RAM");
	return found;
}

static void start_other(struct bench *b)
{
	int ready[2];
	char byte;

	if (pipe(ready))
		die("pipe");
	b->pid = fork();
	if (b->pid < 0)
		die("fork");
	if (!b->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		memset(b->pages, 1, (size_t)WALKS * PAGE);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		die("the other process");
}

static void set_up(struct bench *b)
{
	char path[64];
	uint32_t i;

	b->dev = open(PTREMAP_DEVICE, O_RDWR | O_CLOEXEC);
	if (b->dev < 0)
		die(PTREMAP_DEVICE);
	b->pages = reserve((size_t)WALKS * PAGE);
	start_other(b);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", b->pid);
	b->pagemap = open(path, O_RDONLY);
	if (b->pagemap < 0)
		die(path);
	b->items = memory(EDITS * sizeof(*b->items));
	b->ids = memory(EDITS * sizeof(*b->ids));
	b->entries = memory(WALKS * sizeof(*b->entries));
	b->pagemap_entries = memory(WALKS * sizeof(*b->pagemap_entries));
	b->from = memory(BYTES);
	b->to = memory(BYTES);
	b->ram = find_ram();
	for (i = 0; i < WALKS; i++)
		b->entries[i] =
			(struct ptremap_walk_entry){ .va = at(b->pages) + (uint64_t)i * PAGE };
}

/* ---- pairs ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values)
{
	double sorted[ROUNDS];

	memcpy(sorted, values, sizeof(sorted));
	qsort(sorted, ROUNDS, sizeof(*sorted), compare);
	return sorted[ROUNDS / 2];
}

/* How much faster than @base; @amount in a unit of its own. */
static void report(const char *what, const double *base, const double *times, double amount)
{
	double ratio[ROUNDS];
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		ratio[i] = base[i] / times[i];
	printf("%-48s %7.2fx %12.0f\n", what, median(ratio), amount / median(times));
	fflush(stdout);
}

static void bench_edits(struct bench *b, const char *name, uint32_t what)
{
	static const uint32_t batches[] = { 1, 64, EDITS };
	struct times t[sizeof(batches) / sizeof(*batches)];
	char text[64];
	unsigned int round;
	size_t i;

	make_items(b, what);
	edits(b, EDITS, &t[0].first[0], &t[0].second[0]); /* warm up */
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < sizeof(batches) / sizeof(*batches); i++)
			edits(b, batches[i], &t[i].first[round], &t[i].second[round]);
	for (i = 0; i < sizeof(batches) / sizeof(*batches); i++) {
		snprintf(text, sizeof(text), "%s, %" PRIu32 " to a call: made", name, batches[i]);
		report(text, t[0].first, t[i].first, EDITS);
		snprintf(text, sizeof(text), "%s, %" PRIu32 " to a call: undone", name, batches[i]);
		report(text, t[0].second, t[i].second, EDITS);
	}
}

static void bench_walks(const struct bench *b)
{
	double single[ROUNDS], batched[ROUNDS], pages[ROUNDS], bulk[ROUNDS];
	unsigned int i;

	walks(b, WALKS); /* warm up */
	for (i = 0; i < ROUNDS; i++) {
		pages[i] = pagemap(b, 1);
		single[i] = walks(b, 1);
		batched[i] = walks(b, WALKS);
		bulk[i] = pagemap(b, WALKS);
	}
	compare_walks(b);
	report("/proc/PID/pagemap, a page to a read", pages, pages, WALKS);
	report("/proc/PID/pagemap, all at once", pages, bulk, WALKS);
	report("walks of all levels, one to a call", pages, single, WALKS);
	report("walks of all levels, all in a call", pages, batched, WALKS);
}

static void bench_ram(const struct bench *b)
{
	double ram[ROUNDS], copied[ROUNDS];
	unsigned int i;

	read_ram(b); /* warm up */
	for (i = 0; i < ROUNDS; i++) {
		copied[i] = copy(b);
		ram[i] = read_ram(b);
	}
	report("memcpy() in user space, MiB a second", copied, copied, BYTES >> 20);
	report("physical memory read, MiB a second", copied, ram, BYTES >> 20);
}

int main(void)
{
	static struct bench b;

	set_up(&b);
	printf("%-48s %8s %12s\n", "helper module, median of 5 rounds", "ratio", "a second");
	bench_edits(&b, "protect", PTREMAP_PROTECT);
	bench_edits(&b, "frame", PTREMAP_FRAME);
	bench_edits(&b, "fresh", PTREMAP_FRESH);
	bench_walks(&b);
	bench_ram(&b);
	kill(b.pid, SIGKILL);
	waitpid(b.pid, NULL, 0);
	return 0;
}
