// SPDX-License-Identifier: GPL-2.0
/*
 * mirror: accesses to random pages of a guest through a warm mirror, against the same ones to the
 * memory itself, through a software TLB, and by a walk each; in turns, so that what the machine
 * does to one it does to the others. Then what a first access and a change of the root cost.
 *
 * mirror --mapped: without the module. The pages are mapped one by one with mmap(), to where a
 * mirror would have them: for a CPU that translates this is the same. In the lab, whose CPU is an
 * emulated one, each access costs what an emulated walk or TLB does, the software's own walk
 * included: so the lab tells what a mirror is to such pages, and a real CPU what they are to walks.
 *
 * mirror --few: the accesses alone, a few of them: for an emulator whose clock counts instructions.
 */
#include "tests/bench/bench.h"
#include "tests/bench/mirror_soft.h"

#define PAGES	 4096u
#define ALL	 (PAGES * (uint64_t)PAGE)
#define ROUNDS	 7
#define FAST	 (PAGES * 200) /* accesses of a round */
#define SLOW	 (PAGES * 10)
#define FEWER	 10
#define SWITCHES 2000
#define MAPPED	 (64 * GIB)

struct bench {
	struct guest guest;
	struct ptremap_mirror_window window;
	uint64_t gva[PAGES];	/* what is accessed, in this order */
	uint64_t direct[PAGES]; /* where that is: its memory, */
	uint64_t mapped[PAGES]; /* pages mapped one by one, */
	uint64_t mirror[PAGES]; /* and a window */
	uint32_t frame[PAGES];
	struct soft soft;
	int file; /* the guest's memory */
	bool few;
};

static struct bench bench;
static const uint32_t sets[] = { 64, 1024, 2048, PAGES }; /* pages that are accessed */
#define SETS 4

/* Of this thread alone: what else the machine does is not counted. */
static double used(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Each of @n once, all over the place: of the guest's addresses, and of its memory. */
static void shuffle(uint32_t *order, uint32_t n, uint64_t seed)
{
	uint32_t i, j, t;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n - 1; i; i--) {
		j = (uint32_t)(next(&seed) % (i + 1));
		t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
}

/* One line of each page: the way there is measured, not the caches' size. */
static void make_lists(struct bench *b, uint32_t pages)
{
	static uint32_t order[PAGES];
	uint32_t i;

	shuffle(order, pages, 2);
	for (i = 0; i < PAGES; i++) {
		uint32_t page = order[i % pages];
		uint64_t offset = page * (uint64_t)PAGE + page % 64 * 64;

		b->gva[i] = GVA + offset;
		b->direct[i] = at(b->guest.ram) + b->frame[page] * (uint64_t)PAGE + page % 64 * 64;
		b->mapped[i] = MAPPED + offset;
		b->mirror[i] = VA + offset;
	}
}

/* ---- the guest's memory -------------------------------------------------------------------------
 */

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
	shuffle(b->frame, PAGES, 1);
	for (i = 0; i < PAGES; i++)
		guest_map(&b->guest, GVA + i * (uint64_t)PAGE,
			  RAM_GPA + b->frame[i] * (uint64_t)PAGE, PAGE, RW_U, 1);
	soft_init(&b->soft, &b->guest);
}

/* Nanoseconds of each. */
static double map_each(struct bench *b)
{
	double start = used();
	uint32_t i;

	for (i = 0; i < PAGES; i++) {
		if (mmap((void *)(uintptr_t)(MAPPED + i * (uint64_t)PAGE), PAGE,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE,
			 b->file, (off_t)(b->frame[i] * (uint64_t)PAGE)) == MAP_FAILED)
			die("mmap");
	}
	return (used() - start) / PAGES * 1e9;
}

static void make_mirror_of(const struct checks *c, struct bench *b)
{
	struct ptremap_mirror_range ranges[2] = {
		{ .gpa = RAM_GPA, .len = ALL, .hva = at(b->guest.ram) },
		{ .gpa = TABLES, .len = TABLES_LEN, .hva = at(b->guest.tables) },
	};
	struct ptremap_mirror req = mirror_request(&b->guest, GVA, ALL);

	req.ranges = at(ranges);
	req.nr_ranges = 2;
	errno = -ptremap_mirror_create(c->dev, &req, &b->window);
	if (errno)
		die("mirror");
}

/* ---- the ways -----------------------------------------------------------------------------------
 */

enum way { DIRECT, ONE_BY_ONE, MIRROR, TLB, PLAIN_WALK, WALK, WAYS };
static const char *const names[WAYS] = {
	[DIRECT] = "the memory itself",
	[ONE_BY_ONE] = "its pages, mapped one by one",
	[MIRROR] = "a warm mirror",
	[TLB] = "a software TLB of 1024 entries",
	[PLAIN_WALK] = "a walk each, tables in one piece, no A and D",
	[WALK] = "a walk each, memory in slots, with A and D",
};

static inline volatile uint64_t *find(struct bench *b, enum way way, uint32_t i,
				      unsigned int access)
{
	switch (way) {
	case DIRECT:
		return (uint64_t *)(uintptr_t)b->direct[i];
	case ONE_BY_ONE:
		return (uint64_t *)(uintptr_t)b->mapped[i];
	case MIRROR:
		return (uint64_t *)(uintptr_t)b->mirror[i];
	case TLB:
		return (uint64_t *)(void *)soft_by_tlb(&b->soft, b->gva[i], access);
	case PLAIN_WALK:
		return (uint64_t *)(void *)soft_by_plain_walk(&b->soft, b->gva[i], access);
	default:
		return (uint64_t *)(void *)soft_by_walk(&b->soft, b->gva[i], access);
	}
}

/* Nanoseconds of each, along the list. */
static inline __attribute__((always_inline)) double run_way(struct bench *b, enum way way,
							    bool stores, uint32_t n)
{
	double start = used();
	uint64_t sum = 0;
	uint32_t k, i;

	for (k = 0; k < n / PAGES; k++) {
#pragma GCC unroll 8
		for (i = 0; i < PAGES; i++) {
			volatile uint64_t *p = find(b, way, i, stores ? PT_ACC_WRITE : 0);

			if (stores)
				*p = i;
			else
				sum += *p;
		}
	}
	__asm__ volatile("" : : "r"(sum));
	return (used() - start) / n * 1e9;
}

static double run(struct bench *b, enum way way, bool stores)
{
	uint32_t fast = b->few ? FAST / FEWER : FAST, slow = b->few ? SLOW / FEWER : SLOW;

	switch (way) {
	case DIRECT:
		return run_way(b, DIRECT, stores, fast);
	case ONE_BY_ONE:
		return run_way(b, ONE_BY_ONE, stores, fast);
	case MIRROR:
		return run_way(b, MIRROR, stores, fast);
	case TLB:
		return run_way(b, TLB, stores, slow * 4);
	case PLAIN_WALK:
		return run_way(b, PLAIN_WALK, stores, slow);
	default:
		return run_way(b, WALK, stores, slow);
	}
}

/* ->window has its page if there is a mirror. */
static bool skips(const struct bench *b, int way)
{
	return way == MIRROR && !b->window.page;
}

/* The least of each way, in rounds; a first one is for what is not there yet. */
static void measure(struct bench *b, bool stores, uint32_t set, double best[WAYS][SETS])
{
	int round, way, rounds = b->few ? 2 : ROUNDS;
	double ns;

	make_lists(b, sets[set]);
	for (round = -1; round < rounds; round++) {
		for (way = 0; way < WAYS; way++) {
			if (skips(b, way))
				continue;
			ns = run(b, (enum way)way, stores);
			if (round <= 0 || ns < best[way][set])
				best[way][set] = ns;
		}
	}
}

/*
 * For the table: a mirror is beside pages mapped one by one, and where there is no mirror, these
 * are beside software.
 */
static void rows_of(const struct bench *b, bool stores, double best[WAYS][SETS])
{
	enum way ours = b->window.page ? MIRROR : ONE_BY_ONE;
	enum way first = b->window.page ? ONE_BY_ONE : TLB;
	char what[64];
	uint32_t set;
	int way;

	for (set = 0; set < SETS; set++) {
		snprintf(what, sizeof(what), "a %s random page of %u",
			 stores ? "store to a" : "load of a", sets[set]);
		for (way = first; way < WAYS; way++) {
			row(what, "ns", (struct cost){ names[ours], best[ours][set] },
			    (struct cost){ names[way], best[way][set] });
			if (way == ONE_BY_ONE)
				break;
		}
	}
}

static void accesses(struct bench *b, bool stores)
{
	double best[WAYS][SETS];
	uint32_t set;
	int way;

	for (set = 0; set < SETS; set++)
		measure(b, stores, set, best);
	printf("\n%-46s", stores ? "stores to random pages, ns each, and ratio"
				 : "loads of random pages, ns each, and ratio");
	for (set = 0; set < SETS; set++)
		printf("   of %4u pages", sets[set]);
	printf("\n");
	for (way = 0; way < WAYS; way++) {
		if (skips(b, way))
			continue;
		printf("%-46s", names[way]);
		for (set = 0; set < SETS; set++)
			printf(" %7.2f %6.2fx", best[way][set],
			       best[way][set] / best[ONE_BY_ONE][set]);
		printf("\n");
	}
	rows_of(b, stores, best);
}

/* ---- what it costs to get there ------------------------------------------------------------- */

/* Beside them is a page mapped by mmap(), which takes @mapping. */
static void first_accesses(struct bench *b, bool in_order, double mapping)
{
	uint64_t before, sum = 0;
	double start;
	uint32_t i;

	ptremap_mirror_invalidate(&b->window, 0, 0);
	before = b->window.page->walked;
	start = used();
	for (i = 0; i < PAGES; i++)
		sum += *in_window(&b->window,
				  in_order ? GVA + i * (uint64_t)PAGE : b->gva[i] & ~63ull);
	__asm__ volatile("" : : "r"(sum));
	start = (used() - start) / PAGES * 1e9;
	printf("%-48s %8.0f ns a page, %.2f faults\n",
	       in_order ? "first loads, one page after the other" : "first loads, random pages",
	       start, (double)(b->window.page->walked - before) / PAGES);
	row(in_order ? "a page shown for the first time, in order" : "the same, random pages", "ns",
	    (struct cost){ names[MIRROR], start },
	    (struct cost){ "`mmap()` of the page", mapping });
}

/* Between two roots whose pages are held; @pages of them are loaded after each switch. */
static void switches(struct bench *b, uint32_t pages, double mapping)
{
	uint64_t sum = 0;
	double start = 0;
	uint32_t i, page;
	char what[64];

	for (i = 0; i < SWITCHES + 2; i++) {
		if (i == 2)
			start = used();
		if (ptremap_mirror_switch(&b->window, b->guest.space.root, i & 1,
					  PTREMAP_MIRROR_USER | PTREMAP_MIRROR_WP, 0))
			die("switch");
		for (page = 0; page < pages; page++)
			sum += *in_window(&b->window, GVA + page * (uint64_t)PAGE);
	}
	__asm__ volatile("" : : "r"(sum));
	start = (used() - start) / SWITCHES * 1e9;
	printf("switch_root, and then loads of %-17u %8.0f ns\n", pages, start);
	if (pages < 2)
		return;
	snprintf(what, sizeof(what), "another root, then loads of %u pages", pages);
	row(what, "ns", (struct cost){ names[MIRROR], start },
	    (struct cost){ "`mmap()` of so many pages", mapping * pages });
}

int main(int argc, char **argv)
{
	struct checks c = { .dev = -1 };
	bool mapped = argc > 1 && !strcmp(argv[1], "--mapped");
	double mapping;

	bench.few = argc > 1 && !strcmp(argv[1], "--few");
	make_guest(&bench);
	mapping = map_each(&bench);
	if (!mapped) {
		c.dev = ptremap_open();
		if (c.dev < 0)
			die(PTREMAP_DEVICE);
		make_mirror_of(&c, &bench);
	}
	rows_about("Mirrors of a guest's address space");
	accesses(&bench, true);
	accesses(&bench, false);
	if (mapped || bench.few)
		return 0;
	printf("\n");
	first_accesses(&bench, true, mapping);
	first_accesses(&bench, false, mapping);
	switches(&bench, 0, mapping);
	switches(&bench, 1, mapping);
	switches(&bench, 128, mapping);
	switches(&bench, 1024, mapping);
	ptremap_mirror_destroy(&bench.window);
	return 0;
}
