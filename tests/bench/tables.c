// SPDX-License-Identifier: GPL-2.0
/*
 * tables: where the pages of another process are, asked in all ways that there are: the helper
 * module's walks and copies of tables, /proc/PID/pagemap, and PAGEMAP_SCAN (since 6.7). Whoever
 * names frames must name the same. In turns, so that what the machine does to one it does to the
 * others.
 */
#include <stdbool.h>

#include "tests/bench/other.h"

#define ROUNDS	   5
#define PAGES	   PTREMAP_WALK_MAX
#define BUFFER	   (4u << 20)
#define FRAME_BITS ((1ull << 55) - 1) /* of pagemap */
#define ENTRY_BITS 0x000ffffffffff000ull

/* linux/fs.h of 6.7 has these: PAGEMAP_SCAN(struct pm_scan_arg), struct page_region. */
#define SCAN		_IOWR('f', 16, struct scan)
#define SCAN_IS_PRESENT 8u

struct scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, wanted, any_of, returned;
};

struct scan_region {
	uint64_t start, end, is;
};

struct bench {
	int dev, pagemap, kpagecount;
	struct other other;
	struct ptremap_walk_entry *entries;
	uint64_t *pagemap_entries, *counts;
	char *tables;
	bool scans; /* this kernel has PAGEMAP_SCAN */
};

/* ---- the ways, in seconds ---- */

static void walk(const struct bench *b, uint32_t first, uint32_t nr)
{
	struct ptremap_walk w = {
		.size = sizeof(w), .pid = b->other.pid, .nr = nr, .entries = at(&b->entries[first])
	};

	call(b->dev, PTREMAP_WALK, &w, "walk");
}

static double walks(const struct bench *b, uint32_t batch)
{
	double start = now();
	uint32_t i;

	for (i = 0; i < PAGES; i += batch)
		walk(b, i, batch);
	return now() - start;
}

static double one_walk_each(const struct bench *b)
{
	return walks(b, 1);
}

static double all_walks(const struct bench *b)
{
	return walks(b, PAGES);
}

/* How many present leaves of 4 KiB the records in the buffer have. */
static uint32_t count_leaves(const char *records, uint64_t used, const struct bench *b)
{
	uint64_t pa, done = 0;
	struct ptremap_table t;
	uint32_t leaves = 0, i;

	while (done + sizeof(t) <= used) {
		memcpy(&t, records + done, sizeof(t));
		done += sizeof(t);
		for (i = 0; i < t.nr && t.level == 1 && leaves < PAGES; i++) {
			memcpy(&pa, records + done + i * 8ul, sizeof(pa));
			leaves += (pa & ENTRY_BITS) / PAGE == b->entries[leaves].page.pfn;
		}
		done += t.nr * 8ul;
	}
	return leaves;
}

static double copied_tables(const struct bench *b)
{
	struct ptremap_tables t = {
		.size = sizeof(t),
		.pid = b->other.pid,
		.start = at(b->other.pages),
		.last = at(b->other.pages) + (uint64_t)PAGES * PAGE - 1,
		.buf = at(b->tables),
		.buf_len = BUFFER,
	};
	double start = now();
	uint32_t leaves;

	call(b->dev, PTREMAP_TABLES, &t, "tables");
	leaves = count_leaves(b->tables, t.used, b);
	start = now() - start;
	if (t.next || leaves != PAGES) {
		errno = EILSEQ;
		die("copied tables and walks");
	}
	return start;
}

static double pagemap(const struct bench *b, uint32_t batch)
{
	double start = now();
	off_t first = (off_t)(at(b->other.pages) / PAGE);
	uint32_t i;

	for (i = 0; i < PAGES; i += batch)
		if (pread(b->pagemap, &b->pagemap_entries[i], batch * 8u, (first + i) * 8) !=
		    (ssize_t)batch * 8)
			die("pagemap");
	return now() - start;
}

static double one_pagemap_each(const struct bench *b)
{
	return pagemap(b, 1);
}

static double all_pagemap(const struct bench *b)
{
	return pagemap(b, PAGES);
}

/* With what else /proc has of each frame: how often it is mapped. */
static double pagemap_and_counts(const struct bench *b)
{
	double start = now();
	uint32_t i;

	pagemap(b, PAGES);
	for (i = 0; i < PAGES; i++)
		if (pread(b->kpagecount, &b->counts[i], 8,
			  (off_t)(b->pagemap_entries[i] & FRAME_BITS) * 8) != 8)
			die("kpagecount");
	return now() - start;
}

/* Names no frames, only ranges that are alike. */
static double scan(const struct bench *b)
{
	struct scan_region regions[16];
	struct scan s = {
		.size = sizeof(s),
		.start = at(b->other.pages),
		.end = at(b->other.pages) + (uint64_t)PAGES * PAGE,
		.vec = at(regions),
		.vec_len = 16,
		.wanted = SCAN_IS_PRESENT,
		.returned = SCAN_IS_PRESENT,
	};
	double start = now();
	int nr = ioctl(b->pagemap, SCAN, &s);

	start = now() - start;
	if (nr < 1 || regions[0].start != s.start || regions[nr - 1].end != s.end)
		die("PAGEMAP_SCAN");
	return start;
}

/* ---- the table ---- */

enum way { WALK_EACH, WALKS, TABLES, PAGEMAP_EACH, PAGEMAP, COUNTS, SCANNED, WAYS };

static const struct {
	const char *text, *name;
	double (*run)(const struct bench *b);
} ways[WAYS] = {
	[WALK_EACH] = { "walks of all levels, one to a call", "`PTREMAP_WALK`, one to a call",
			one_walk_each },
	[WALKS] = { "walks of all levels, all in a call", "`PTREMAP_WALK`, all in a call",
		    all_walks },
	[TABLES] = { "tables copied, all in a call, and read", "`PTREMAP_TABLES`", copied_tables },
	[PAGEMAP_EACH] = { "/proc/PID/pagemap, a page to a read", "`pagemap`, a page to a read",
			   one_pagemap_each },
	[PAGEMAP] = { "/proc/PID/pagemap, all at once", "`pagemap`, all at once", all_pagemap },
	[COUNTS] = { "the same, and /proc/kpagecount", "`pagemap` and `kpagecount`",
		     pagemap_and_counts },
	[SCANNED] = { "PAGEMAP_SCAN, all in a call", "`PAGEMAP_SCAN`, all in a call", scan },
};

/* What is compared with what: both tell about the same. */
static const struct {
	const char *what;
	enum way ours, peer;
} pairs[] = {
	{ "the frame of a page, one by one", WALK_EACH, PAGEMAP_EACH },
	{ "the same of 65,536 at once, and the entries of all levels", WALKS, PAGEMAP },
	{ "the same, and how often the frame is in use", WALKS, COUNTS },
	{ "the frame of a page, of 65,536 at once", TABLES, PAGEMAP },
	{ "whether a page is there, of 65,536 at once", TABLES, SCANNED },
};

/* Whoever says where a page is must say the same. */
static void compare_frames(const struct bench *b)
{
	uint32_t i;

	for (i = 0; i < PAGES; i++) {
		if (!b->entries[i].page.pfn ||
		    b->entries[i].page.pfn != (b->pagemap_entries[i] & FRAME_BITS)) {
			errno = EILSEQ;
			die("walk and pagemap");
		}
	}
}

static void measure(const struct bench *b, double seconds[WAYS][ROUNDS])
{
	int round;
	size_t w;

	for (round = -1; round < ROUNDS; round++) /* the first one warms up */
		for (w = 0; w < WAYS; w++)
			if (w != SCANNED || b->scans)
				seconds[w][round < 0 ? 0 : round] = ways[w].run(b);
	compare_frames(b);
}

static void print(const struct bench *b, double seconds[WAYS][ROUNDS])
{
	size_t i;

	printf("%-48s %12s\n", "where 65,536 pages are, median of 5 rounds", "ns a page");
	rows_about("Page tables of another process read");
	for (i = 0; i < WAYS; i++)
		if (i != SCANNED || b->scans)
			printf("%-48s %12.1f\n", ways[i].text,
			       median(seconds[i], ROUNDS) / PAGES * 1e9);
	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (pairs[i].peer != SCANNED || b->scans)
			row_of_rounds(pairs[i].what, ways[pairs[i].ours].name,
				      seconds[pairs[i].ours], ways[pairs[i].peer].name,
				      seconds[pairs[i].peer], ROUNDS, PAGES);
	if (!b->scans)
		fprintf(stderr, "bench: this kernel has no PAGEMAP_SCAN (6.7 has)\n");
}

static void set_up(struct bench *b)
{
	struct scan nothing = { .size = sizeof(nothing) };
	uint32_t i;

	b->dev = open_device();
	b->other = start_other(PAGES);
	b->pagemap = open_of(b->other, "pagemap");
	b->kpagecount = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	if (b->kpagecount < 0)
		die("/proc/kpagecount");
	b->scans = !ioctl(b->pagemap, SCAN, &nothing) || errno != ENOTTY;
	b->entries = memory(PAGES * sizeof(*b->entries));
	b->pagemap_entries = memory(PAGES * sizeof(*b->pagemap_entries));
	b->counts = memory(PAGES * sizeof(*b->counts));
	b->tables = memory(BUFFER);
	for (i = 0; i < PAGES; i++)
		b->entries[i] = (struct ptremap_walk_entry){ .va = at(b->other.pages) +
								   (uint64_t)i * PAGE };
}

int main(void)
{
	static double seconds[WAYS][ROUNDS];
	static struct bench b;

	set_up(&b);
	measure(&b, seconds);
	print(&b, seconds);
	end_other(b.other);
	return 0;
}
