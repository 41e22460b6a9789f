// SPDX-License-Identifier: GPL-2.0
/*
 * Two-dimensional walks, counted entry by entry and compared with plain arrays of what was mapped.
 */
#include "tests/unit/nested_tables.h"
#include "tests/unit/random.h"
#include "user/pt/pt_mem_cache.h"

#if defined(__SANITIZE_ADDRESS__)
#define ROUNDS 30000
#else
#define ROUNDS 1000000
#endif

#define BLOCKS 56
#define LINES  256

/* What the guest maps: [start, start + size) to gpa. */
struct region {
	uint64_t start, size, gpa;
	unsigned int level;
};

static struct region regions[2 * BLOCKS];
static unsigned int nr_regions;
static struct pt_cache_line top_lines[LINES], below_lines[LINES];
static struct pt_mem_cache top, below;

static const struct region *find_region(uint64_t va)
{
	unsigned int i;

	for (i = 0; i < nr_regions; i++) {
		if (va - regions[i].start < regions[i].size)
			return &regions[i];
	}
	return NULL;
}

static void add_region(uint64_t va, uint64_t gpa, unsigned int level, uint64_t size)
{
	regions[nr_regions++] = (struct region){ va, size, gpa, level };
	map(&guest, va, gpa, level);
}

/* Is some page of the @size bytes around @va mapped? */
static bool block_used(uint64_t va, uint64_t size)
{
	unsigned int i;

	for (i = 0; i < nr_regions; i++) {
		if (regions[i].start / size == va / size)
			return true;
	}
	return false;
}

/* Random pages, two to a block, and some large ones. */
static void build_guest(enum pt_mode mode)
{
	uint64_t large, va;
	unsigned int i;

	dim_init(&guest, mode, false, &ept, &nested.mem, 0);
	large = mode == PT_MODE_32BIT ? 4 << 20 : 2 << 20;
	nr_regions = 0;
	for (i = 0; i < BLOCKS; i++) {
		do {
			va = random_ia(&guest.fmt) / large * large;
		} while (block_used(va, large));
		if (i % 8 == 7) {
			add_region(va, random64() % 5 * large, 2, large);
			continue;
		}
		add_region(va + random64() % 100 * PAGE, random64() % GUEST_PAGES * PAGE, 1, PAGE);
		add_region(va + (100 + random64() % 100) * PAGE, random64() % GUEST_PAGES * PAGE, 1,
			   PAGE);
	}
	cr_assert_leq(guest.next_table, TABLE_PAGES);
}

/* From gva to hpa: the guest's walk, then that of the page itself. */
static uint64_t walk(uint64_t va, uint64_t *gpa)
{
	uint64_t hpa;

	if (pt_translate(&guest.space, va, gpa)) {
		*gpa = NOWHERE;
		return NOWHERE;
	}
	return pt_translate(&ept.space, *gpa, &hpa) ? NOWHERE : hpa;
}

static uint64_t some_va(void)
{
	const struct region *r = &regions[random64() % nr_regions];

	switch (random() % 16) {
	case 0:
		return random64();
	case 1:
		return random_ia(&guest.fmt);
	default:
		return r->start + random64() % r->size;
	}
}

/* Compares one address with the arrays; returns the reads that theory gives, if it is mapped. */
static uint64_t check(uint64_t va, unsigned int seed)
{
	const struct region *r = find_region(va);
	uint64_t want, gpa, hpa = walk(va, &gpa);

	if (!r) {
		cr_assert_eq(gpa, NOWHERE, "seed %u, 0x%lx", seed, va);
		return 0;
	}
	want = r->gpa + (va - r->start);
	cr_assert_eq(gpa, want, "seed %u, 0x%lx: gpa 0x%lx, not 0x%lx", seed, va, gpa, want);
	cr_assert_eq(hpa, flat(&ept, want), "seed %u, 0x%lx: hpa 0x%lx", seed, va, hpa);
	if (hpa == NOWHERE)
		return 0;
	return (guest.fmt.top - r->level + 1U) * (ept.fmt.top + 1U) +
	       (ept.fmt.top - ept.level[gpa / PAGE] + 1U);
}

static void random_addresses(const char *name, enum pt_mode mode, enum pt_mode second, bool npt)
{
	unsigned int seed = random_seed(name), i, mapped = 0;
	uint64_t va, theory;

	build_ept(second, npt);
	build_guest(mode);
	for (i = 0; i < ROUNDS; i++) {
		va = some_va();
		reads = 0;
		theory = check(va, seed);
		if (!theory)
			continue;
		mapped++;
		cr_assert_eq(reads, theory, "seed %u, 0x%lx: %lu reads, not %lu", seed, va, reads,
			     theory);
	}
	cr_assert_gt(mapped, ROUNDS / 2);
}

Test(pt_nested, random_addresses_4level_over_ept4)
{
	random_addresses("4level_over_ept4", PT_MODE_4LEVEL, PT_MODE_EPT4, false);
}

Test(pt_nested, random_addresses_5level_over_ept5)
{
	random_addresses("5level_over_ept5", PT_MODE_5LEVEL, PT_MODE_EPT5, false);
}

Test(pt_nested, random_addresses_pae_over_npt)
{
	random_addresses("pae_over_npt", PT_MODE_PAE, PT_MODE_4LEVEL, true);
}

Test(pt_nested, random_addresses_32bit_over_ept4)
{
	random_addresses("32bit_over_ept4", PT_MODE_32BIT, PT_MODE_EPT4, false);
}

/* n levels over m: n * (m + 1) entries lead to the gpa, m more to its frame. */
Test(pt_nested, reads_of_theory)
{
	const struct {
		enum pt_mode mode, second;
		bool npt;
		unsigned int to_gpa, to_hpa;
	} cases[] = {
		{ PT_MODE_4LEVEL, PT_MODE_EPT4, false, 20, 4 },
		{ PT_MODE_5LEVEL, PT_MODE_EPT5, false, 30, 5 },
		{ PT_MODE_4LEVEL, PT_MODE_EPT5, false, 24, 5 },
		{ PT_MODE_5LEVEL, PT_MODE_EPT4, false, 25, 4 },
		{ PT_MODE_PAE, PT_MODE_4LEVEL, true, 15, 4 },
		{ PT_MODE_4LEVEL, PT_MODE_5LEVEL, true, 24, 5 },
		{ PT_MODE_32BIT, PT_MODE_EPT4, false, 10, 4 },
		{ PT_MODE_NONE, PT_MODE_EPT4, false, 0, 4 },
	};
	uint64_t gpa, hpa;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		build_ept(cases[i].second, cases[i].npt);
		dim_init(&guest, cases[i].mode, false, &ept, &nested.mem, 0);
		if (cases[i].mode != PT_MODE_NONE)
			map(&guest, 0x801000, 0x801000, 1);
		reads = 0;
		cr_assert_eq(pt_translate(&guest.space, 0x801234, &gpa), 0, "case %u", i);
		cr_assert_eq(reads, cases[i].to_gpa, "case %u: %lu reads", i, reads);
		cr_assert_eq(gpa, 0x801234);
		reads = 0;
		cr_assert_eq(pt_translate(&ept.space, gpa, &hpa), 0);
		cr_assert_eq(reads, cases[i].to_hpa);
		cr_assert_eq(hpa, flat(&ept, gpa));
	}
}

enum { ON_TOP = 1, BELOW = 2 };

static void add_caches(unsigned int where)
{
	ept.space.mem = &host_mem;
	guest.space.mem = &nested.mem;
	if (where & BELOW) {
		cr_assert_eq(pt_mem_cache_init(&below, &host_mem, below_lines, LINES), 0);
		ept.space.mem = &below.mem;
	}
	if (where & ON_TOP) {
		cr_assert_eq(pt_mem_cache_init(&top, &nested.mem, top_lines, LINES), 0);
		guest.space.mem = &top.mem;
	}
}

Test(pt_nested, fewer_reads_with_a_cache)
{
	/* Again the same address; what is read through the cache on top is whole pages of tables.
	 */
	const uint64_t want[] = { 24, 4, 0, 0 };
	uint64_t gpa, hpa, first;
	unsigned int where;

	build_ept(PT_MODE_EPT4, false);
	dim_init(&guest, PT_MODE_4LEVEL, false, &ept, &nested.mem, 0);
	map(&guest, 0x801000, 0x801000, 1);
	for (where = 0; where < 4; where++) {
		add_caches(where);
		reads = 0;
		hpa = walk(0x801234, &gpa);
		first = reads;
		cr_assert_eq(hpa, flat(&ept, 0x801234));
		cr_assert(where & BELOW ? first < 24 : first == 24, "%u: %lu", where, first);
		reads = 0;
		cr_assert_eq(walk(0x801234, &gpa), hpa);
		cr_assert_eq(reads, want[where], "%u: %lu reads", where, reads);
	}
}

Test(pt_nested, caches_change_no_answer)
{
	unsigned int seed = random_seed("caches_change_no_answer"), where, i;
	uint64_t total[4] = { 0 };

	build_ept(PT_MODE_EPT4, false);
	build_guest(PT_MODE_4LEVEL);
	for (where = 0; where < 4; where++) {
		add_caches(where);
		reads = 0;
		for (i = 0; i < ROUNDS / 20; i++)
			check(some_va(), seed);
		total[where] = reads;
	}
	cr_assert_lt(total[ON_TOP], total[0]);
	cr_assert_lt(total[BELOW], total[0]);
	cr_assert_lt(total[ON_TOP | BELOW], total[0]);
}

/* A guest in a guest: each dimension multiplies what is below it, 5 * 5 * 5 - 1. */
Test(pt_nested, three_dimensions)
{
	static struct dim inner;
	struct pt_mem_nested inner_mem;
	uint64_t pa, gpa;
	uint32_t i;

	build_ept(PT_MODE_EPT4, false);
	dim_init(&inner, PT_MODE_EPT4, false, &ept, &nested.mem, 0);
	for (i = 0; i < 64; i++)
		map_frame(&inner, i, 256 - i);
	cr_assert_eq(pt_mem_nested_init(&inner_mem, &inner.space), 0);
	dim_init(&guest, PT_MODE_4LEVEL, false, &inner, &inner_mem.mem, 0);
	map(&guest, 0x7fff12345000, 0x31000, 1);
	reads = 0;
	cr_assert_eq(pt_translate(&guest.space, 0x7fff12345678, &gpa), 0);
	cr_assert_eq(gpa, 0x31678);
	cr_assert_eq(reads, 100);
	cr_assert_eq(pt_translate(&inner.space, gpa, &pa), 0);
	cr_assert_eq(pt_translate(&ept.space, pa, &pa), 0);
	cr_assert_eq(pa, flat(&inner, 0x31678));
	cr_assert_eq(reads, 124);
}
