// SPDX-License-Identifier: GPL-2.0
/*
 * mirror: accesses to random pages of a guest through a warm mirror, against the same ones to the
 * memory itself, through a software TLB, and by a walk each; in turns, so that what the machine
 * does to one it does to the others. Then what a first access and a change of the root cost.
 *
 * mirror --mapped: without the module. The pages are mapped one by one with mmap(), to where a
 * mirror would have them: for a CPU that translates this is the same, and the lab's CPU is an
 * emulated one.
 */
#include <time.h>

#include "tests/system/mirror.h"

#define PAGES	 4096u
#define ALL	 (PAGES * (uint64_t)PAGE)
#define ROUNDS	 5
#define FAST	 4000000u
#define SLOW	 200000u
#define ENTRIES	 1024u
#define SWITCHES 2000

struct soft_entry {
	uint64_t page;
	uint8_t *at;
};

struct bench {
	struct guest guest;
	struct ptremap_mirror_window window;
	uint8_t *direct[PAGES]; /* where each page of the guest is */
	uint32_t frame[PAGES], order[PAGES];
	struct soft_entry tlb[ENTRIES];
	int file; /* the guest's memory */
};

static struct bench bench;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Each page once, all over the place: of the guest's addresses, and of its memory. */
static void shuffle(uint32_t *order, uint64_t seed)
{
	uint32_t i, j, t;

	for (i = 0; i < PAGES; i++)
		order[i] = i;
	for (i = PAGES - 1; i; i--) {
		j = (uint32_t)(next(&seed) % (i + 1));
		t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
}

static void make_guest(struct bench *b)
{
	uint32_t i;

	guest_init(&b->guest, ALL);
	b->file = memfd_create("guest", 0);
	if (b->file < 0 || ftruncate(b->file, ALL) ||
	    mmap(b->guest.ram, ALL, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, b->file, 0) ==
		    MAP_FAILED)
		die("memfd");
	fill_ram(&b->guest);
	shuffle(b->frame, 1);
	shuffle(b->order, 2);
	for (i = 0; i < PAGES; i++) {
		guest_map(&b->guest, GVA + i * (uint64_t)PAGE, b->frame[i] * (uint64_t)PAGE, PAGE,
			  RW_U, 1);
		b->direct[i] = b->guest.ram + b->frame[i] * (uint64_t)PAGE;
	}
}

/* ---- the four ways ------------------------------------------------------------------------------
 */

static uint8_t *by_walk(struct bench *b, uint64_t gva, unsigned int access)
{
	static const struct pt_cpu cpu = { .wp = 1 };
	struct pt_check check;
	struct pt_path path;

	pt_lookup(&b->guest.space, gva, &path);
	pt_check_access(&b->guest.fmt, &cpu, &path, access | PT_ACC_USER, &check);
	return check.verdict == PT_ALLOWED ? b->guest.ram + path.end.pa : NULL;
}

static inline uint8_t *by_tlb(struct bench *b, uint64_t gva, unsigned int access)
{
	struct soft_entry *e = &b->tlb[gva / PAGE % ENTRIES];
	uint64_t page = (gva & ~(uint64_t)(PAGE - 1)) | 1;

	if (__builtin_expect(e->page != page, 0)) {
		e->at = by_walk(b, gva & ~(uint64_t)(PAGE - 1), access);
		e->page = page;
	}
	return e->at + (gva & (PAGE - 1));
}

enum way { DIRECT, MIRROR, TLB, WALK, WAYS };
static const char *const names[WAYS] = { "the memory itself", "a warm mirror", "a software TLB",
					 "a walk each" };

static inline volatile uint64_t *find(struct bench *b, enum way way, uint32_t page, uint32_t offset,
				      unsigned int access)
{
	uint64_t gva = GVA + page * (uint64_t)PAGE + offset;

	switch (way) {
	case DIRECT:
		return (uint64_t *)(void *)(b->direct[page] + offset);
	case MIRROR:
		return (uint64_t *)(uintptr_t)(VA - GVA + gva);
	case TLB:
		return (uint64_t *)(void *)by_tlb(b, gva, access);
	default:
		return (uint64_t *)(void *)by_walk(b, gva, access);
	}
}

/* Nanoseconds of each. One line of each page: the way there is measured, not the caches' size. */
static inline __attribute__((always_inline)) double run_way(struct bench *b, enum way way,
							    bool stores, uint32_t n)
{
	double start = now();
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint32_t page = b->order[i % PAGES];
		volatile uint64_t *p =
			find(b, way, page, page % 64 * 64, stores ? PT_ACC_WRITE : 0);

		if (stores)
			*p = i;
		else
			sum += *p;
	}
	__asm__ volatile("" : : "r"(sum));
	return (now() - start) / n * 1e9;
}

static double run(struct bench *b, enum way way, bool stores)
{
	switch (way) {
	case DIRECT:
		return run_way(b, DIRECT, stores, FAST);
	case MIRROR:
		return run_way(b, MIRROR, stores, FAST);
	case TLB:
		return run_way(b, TLB, stores, SLOW * 4);
	default:
		return run_way(b, WALK, stores, SLOW);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), compare);
	return v[ROUNDS / 2];
}

static void accesses(struct bench *b, bool stores)
{
	double ns[WAYS][ROUNDS], rate[WAYS][ROUNDS];
	int round, way;

	for (round = 0; round < ROUNDS; round++) {
		for (way = 0; way < WAYS; way++) {
			ns[way][round] = run(b, (enum way)way, stores);
			rate[way][round] = ns[way][round] / ns[MIRROR][round];
		}
		for (way = 0; way < MIRROR; way++)
			rate[way][round] = ns[way][round] / ns[MIRROR][round];
	}
	printf("\n%-48s %8s %16s\n", stores ? "stores to random 4 KiB pages" : "loads of the same",
	       "ns", "mirror's rate");
	for (way = 0; way < WAYS; way++)
		printf("%-48s %8.1f %15.2fx\n", names[way], median(ns[way]), median(rate[way]));
}

/* ---- what it costs to get there ------------------------------------------------------------- */

static void first_accesses(struct bench *b, bool in_order)
{
	uint64_t before, sum = 0;
	double start;
	uint32_t i;

	ptremap_mirror_invalidate(&b->window, 0, 0);
	before = b->window.page->walked;
	start = now();
	for (i = 0; i < PAGES; i++)
		sum += *in_window(&b->window, GVA + (in_order ? i : b->order[i]) * (uint64_t)PAGE);
	__asm__ volatile("" : : "r"(sum));
	printf("%-48s %8.0f ns a page, %.2f faults\n",
	       in_order ? "first loads, one page after the other" : "first loads, random pages",
	       (now() - start) / PAGES * 1e9, (double)(b->window.page->walked - before) / PAGES);
}

/* Between two roots whose pages are held; @pages of them are loaded after each switch. */
static void switches(struct bench *b, uint32_t pages)
{
	uint64_t sum = 0;
	double start = 0;
	uint32_t i, page;

	for (i = 0; i < SWITCHES + 2; i++) {
		if (i == 2)
			start = now();
		if (ptremap_mirror_switch(&b->window, b->guest.space.root, i & 1,
					  PTREMAP_MIRROR_USER | PTREMAP_MIRROR_WP, 0))
			die("switch");
		for (page = 0; page < pages; page++)
			sum += *in_window(&b->window, GVA + page * (uint64_t)PAGE);
	}
	__asm__ volatile("" : : "r"(sum));
	printf("switch_root, and then loads of %-17u %8.0f ns\n", pages,
	       (now() - start) / SWITCHES * 1e9);
}

static void map_each(struct bench *b)
{
	uint32_t i;

	for (i = 0; i < PAGES; i++) {
		if (mmap((void *)(uintptr_t)(VA + i * (uint64_t)PAGE), PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, b->file,
			 (off_t)(b->frame[i] * (uint64_t)PAGE)) == MAP_FAILED)
			die("mmap");
	}
}

int main(int argc, char **argv)
{
	struct checks c = { .dev = -1 };

	make_guest(&bench);
	if (argc > 1 && !strcmp(argv[1], "--mapped")) {
		map_each(&bench);
		accesses(&bench, true);
		accesses(&bench, false);
		return 0;
	}
	c.dev = ptremap_open();
	if (c.dev < 0)
		die(PTREMAP_DEVICE);
	mirror_guest(&c, &bench.guest, GVA, ALL, 0, &bench.window);
	accesses(&bench, true);
	accesses(&bench, false);
	printf("\n");
	first_accesses(&bench, true);
	first_accesses(&bench, false);
	switches(&bench, 0);
	switches(&bench, 1);
	switches(&bench, 128);
	switches(&bench, 1024);
	ptremap_mirror_destroy(&bench.window);
	return 0;
}
