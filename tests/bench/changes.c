// SPDX-License-Identifier: GPL-2.0
/*
 * changes: how fast the helper module changes entries of another process, one to a call and many;
 * and what the process itself would take for the nearest to it that it may do, page by page. What
 * is compared takes turns, so that what the machine does to one it does to the others.
 */
#include <inttypes.h>
#include <stdbool.h>

#include "tests/bench/other.h"

#define ROUNDS 3
#define PAGES  (2 * EDITS)
#define EDITS  PTREMAP_EDIT_MAX
#define BIT_RW 2u

struct bench {
	int dev, file;
	struct other other;
	char *own; /* EDITS pages of this process */
	struct ptremap_item items[EDITS];
	uint32_t ids[EDITS];
};

/* One kind of change, and what comes nearest to it. */
struct kind {
	const char *name, *what;
	uint32_t nr;
	const char *peer;
	void (*by_itself)(const struct bench *b, uint32_t page);
};

static const uint32_t batches[] = { 1, 64, EDITS };
#define BATCHES (sizeof(batches) / sizeof(*batches))

struct times {
	double made[BATCHES][ROUNDS], undone[BATCHES][ROUNDS], itself[ROUNDS];
};

/* ---- by the module ---- */

static uint32_t edit(struct bench *b, uint32_t first, uint32_t nr)
{
	struct ptremap_edit e = { .size = sizeof(e), .items = at(&b->items[first]), .nr = nr };

	call(b->dev, PTREMAP_EDIT, &e, "edit");
	return e.id;
}

static void undo(struct bench *b, uint32_t id)
{
	struct ptremap_undo u = { .size = sizeof(u), .id = id };

	call(b->dev, PTREMAP_UNDO, &u, "undo");
}

static void make_items(struct bench *b, uint32_t what)
{
	bool frame = what == PTREMAP_FRAME;
	uint32_t i;

	for (i = 0; i < EDITS; i++)
		b->items[i] = (struct ptremap_item){
			.pid = b->other.pid,
			.va = at(b->other.pages + (size_t)i * PAGE),
			.what = what,
			.clear = what == PTREMAP_PROTECT ? BIT_RW : 0,
			.other_pid = frame ? b->other.pid : 0,
			.other_va = frame ? at(b->other.pages + (size_t)(PAGES - 1 - i) * PAGE) : 0,
		};
}

/* EDITS edits, @batch to a call. */
static void edits(struct bench *b, uint32_t batch, double *made, double *undone)
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

/* ---- by the process itself ---- */

static void own_protect(const struct bench *b, uint32_t page)
{
	if (mprotect(b->own + (size_t)page * PAGE, PAGE, PROT_READ))
		die("mprotect");
}

static void map_own(const struct bench *b, uint32_t page, int flags, int fd)
{
	if (mmap(b->own + (size_t)page * PAGE, PAGE, PROT_READ | PROT_WRITE,
		 MAP_FIXED | MAP_POPULATE | flags, fd,
		 fd < 0 ? 0 : (off_t)(EDITS - 1 - page) * PAGE) == MAP_FAILED)
		die("mmap");
}

static void own_frame(const struct bench *b, uint32_t page)
{
	map_own(b, page, MAP_SHARED, b->file);
}

static void own_fresh(const struct bench *b, uint32_t page)
{
	map_own(b, page, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static double by_itself(struct bench *b, const struct kind *kind)
{
	double start;
	uint32_t i;

	b->own = memory((size_t)EDITS * PAGE);
	start = now();
	for (i = 0; i < EDITS; i++)
		kind->by_itself(b, i);
	start = now() - start;
	munmap(b->own, (size_t)EDITS * PAGE);
	return start;
}

/* ---- the table ---- */

static void report(const char *name, uint32_t batch, const char *step, const double *base,
		   const double *times)
{
	double ratio[ROUNDS];
	char text[64];
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		ratio[i] = base[i] / times[i];
	snprintf(text, sizeof(text), "%s, %" PRIu32 " to a call: %s", name, batch, step);
	printf("%-48s %7.2fx %12.0f\n", text, median(ratio, ROUNDS), EDITS / median(times, ROUNDS));
	fflush(stdout);
}

static void bench_kind(struct bench *b, const struct kind *kind)
{
	static struct times t;
	unsigned int round;
	char text[64];
	size_t i;

	make_items(b, kind->nr);
	edits(b, EDITS, &t.made[0][0], &t.undone[0][0]); /* warm up */
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < BATCHES; i++)
			edits(b, batches[i], &t.made[i][round], &t.undone[i][round]);
		t.itself[round] = by_itself(b, kind);
	}
	for (i = 0; i < BATCHES; i++) {
		report(kind->name, batches[i], "made", t.made[0], t.made[i]);
		report(kind->name, batches[i], "undone", t.undone[0], t.undone[i]);
		snprintf(text, sizeof(text), "`ptremap`'s module, %" PRIu32 " to a call",
			 batches[i]);
		row_of_rounds(kind->what, text, t.made[i], kind->peer, t.itself, ROUNDS, EDITS);
	}
}

int main(void)
{
	static const struct kind kinds[] = {
		{ "protect", "a page made read-only", PTREMAP_PROTECT,
		  "`mprotect()` by the process itself", own_protect },
		{ "frame", "another frame behind a page", PTREMAP_FRAME,
		  "`mmap()` of a file's page, by itself", own_frame },
		{ "fresh", "a fresh page behind an address", PTREMAP_FRESH,
		  "`mmap()` of a new page, by itself", own_fresh },
	};
	static struct bench b;
	size_t i;

	b.dev = open_device();
	b.other = start_other(PAGES);
	b.file = memfd_create("bench", MFD_CLOEXEC);
	if (b.file < 0 || ftruncate(b.file, (off_t)EDITS * PAGE))
		die("memfd");
	printf("%-48s %8s %12s\n", "entries changed, median of 3 rounds", "ratio", "a second");
	rows_about("Entries of another process changed");
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		bench_kind(&b, &kinds[i]);
	end_other(b.other);
	return 0;
}
