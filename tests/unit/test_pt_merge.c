// SPDX-License-Identifier: GPL-2.0
/* Neighbours that become one range, and those that do not. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/pt_world.h"
#include "user/pt/pt_arena.h"
#include "user/pt/pt_iter.h"

#define TABLES 8
#define MIB_2  (UINT64_C(1) << 21)
#define GIB    (UINT64_C(1) << 30)

static uint64_t memory[TABLES][512] __attribute__((aligned(4096)));
static struct pt_arena arena;
static struct pt_fmt fmt;
static struct pt_space space;

/* PML4 0, PDPT 1, page directory 2 for GiB 0, in it page table 3 for the first 2 MiB. */
static void use(enum pt_mode mode)
{
	struct pt_feat feat = { .maxphyaddr = 46, .nx = 1, .ept_ad = 1 };
	uint64_t table = mode == PT_MODE_EPT4 ? EPT_R | EPT_W | EPT_X : PT_P | PT_RW | PT_US;

	memset(memory, 0, sizeof(memory));
	cr_assert_eq(pt_fmt_init(&fmt, mode, &feat), 0);
	cr_assert_eq(pt_arena_init(&arena, memory, 0, sizeof(memory), false), 0);
	space = (struct pt_space){ .fmt = &fmt, .mem = &arena.mem };
	memory[0][0] = 0x1000 | table;
	memory[1][0] = 0x2000 | table;
	memory[2][0] = 0x3000 | table;
}

/* The ranges of [0, @last], at most @nr of them; returns how many. */
static unsigned int ranges(uint64_t last, unsigned int how, struct pt_item *items, unsigned int nr)
{
	uint64_t next = 0;
	struct pt_merge m;
	unsigned int i = 0;

	cr_assert_eq(pt_merge_init(&m, &space, 0, last, how, 0), 0);
	while (i < nr && pt_merge_next(&m, &items[i]) == 1) {
		cr_assert_eq(items[i].start, next);
		next = items[i++].last + 1;
	}
	cr_assert_eq(next, last + 1, "ends at %#lx", next);
	return i;
}

#define assert_ranges(to, how, ...)                                                   \
	do {                                                                          \
		const uint64_t ends_[] = { __VA_ARGS__ };                             \
		unsigned int i_, nr_ = sizeof(ends_) / sizeof(ends_[0]);              \
		struct pt_item items_[16];                                            \
		cr_assert_eq(ranges(to, how, items_, 16), nr_);                       \
		for (i_ = 0; i_ < nr_; i_++)                                          \
			cr_assert_eq(items_[i_].last + 1, ends_[i_], "range %u", i_); \
	} while (0)

Test(pt_merge, contiguous_leaves)
{
	unsigned int i;

	use(PT_MODE_4LEVEL);
	for (i = 0; i < 512; i++)
		memory[3][i] = (0x10000000 + i * 4096) | PT_P;
	assert_ranges(MIB_2 - 1, 0, MIB_2);
	memory[3][100] += 4096;
	assert_ranges(MIB_2 - 1, 0, 100 * 4096, 101 * 4096, MIB_2);
	memory[3][100] -= 4096;
	memory[3][100] |= PT_RW;
	assert_ranges(MIB_2 - 1, PT_MERGE_ATTR, 100 * 4096, 101 * 4096, MIB_2);
}

Test(pt_merge, entry_bits_that_may_differ)
{
	use(PT_MODE_4LEVEL);
	memory[3][0] = 0x10000 | PT_P | PT_A;
	memory[3][1] = 0x11000 | PT_P | PT_D;
	memory[3][2] = 0x12000 | PT_P | PT_G;
	assert_ranges(3 * 4096 - 1, 0, 4096, 8192, 12288);
	assert_ranges(3 * 4096 - 1, PT_MERGE_AD, 8192, 12288);
	assert_ranges(3 * 4096 - 1, PT_MERGE_ATTR, 12288);
	use(PT_MODE_EPT4);
	memory[3][0] = 0x10000 | EPT_R | EPT_A;
	memory[3][1] = 0x11000 | EPT_R | EPT_D;
	memory[3][2] = 0x12000 | EPT_R | EPT_IPAT;
	assert_ranges(3 * 4096 - 1, 0, 4096, 8192, 12288);
	assert_ranges(3 * 4096 - 1, PT_MERGE_AD, 8192, 12288);
	assert_ranges(3 * 4096 - 1, PT_MERGE_ATTR, 12288);
}

/* Rights of all levels count, though the leaves' entries are the same. */
Test(pt_merge, rights_from_above)
{
	use(PT_MODE_4LEVEL);
	memory[2][1] = 0x4000 | PT_P;
	memory[3][511] = 0x10000 | PT_P | PT_RW;
	memory[4][0] = 0x11000 | PT_P | PT_RW;
	assert_ranges(MIB_2 + 4095, PT_MERGE_ATTR, MIB_2 - 4096, MIB_2, MIB_2 + 4096);
	memory[2][1] |= PT_RW | PT_US;
	assert_ranges(MIB_2 + 4095, 0, MIB_2 - 4096, MIB_2 + 4096);
}

Test(pt_merge, leaves_of_two_sizes)
{
	use(PT_MODE_4LEVEL);
	memory[2][0] = 0x40000000 | PT_P | PT_PS | PT_PAT_LARGE | PT_G;
	memory[2][1] = 0x3000 | PT_P | PT_RW | PT_US;
	memory[3][0] = 0x40200000 | PT_P | PT_PAT_4K | PT_G;
	assert_ranges(MIB_2 + 4095, 0, MIB_2, MIB_2 + 4096);
	assert_ranges(MIB_2 + 4095, PT_MERGE_ANY_LEVEL, MIB_2 + 4096);
	memory[3][0] &= ~PT_PAT_4K;
	assert_ranges(MIB_2 + 4095, PT_MERGE_ANY_LEVEL, MIB_2, MIB_2 + 4096);
}

Test(pt_merge, holes)
{
	use(PT_MODE_4LEVEL);
	/* Of three levels, then a leaf. */
	memory[1][2] = 0x4000 | PT_P;
	memory[4][5] = PT_P | PT_PS;
	assert_ranges(3 * GIB - 1, 0, 2 * GIB + 5 * MIB_2, 2 * GIB + 6 * MIB_2, 3 * GIB);
	/* Some that hold something. */
	memory[3][7] = 0x1230;
	memory[3][8] = 0x1230;
	memory[3][9] = 0x1240;
	assert_ranges(GIB - 1, 0, 7 * 4096, 9 * 4096, 10 * 4096, GIB);
	assert_ranges(GIB - 1, PT_MERGE_ATTR, GIB);
	/* Two levels: the same bits do not mean the same. */
	memory[2][1] = memory[3][511] = 0x1230;
	assert_ranges(2 * MIB_2 - 1, 0, 7 * 4096, 9 * 4096, 10 * 4096, MIB_2 - 4096, MIB_2,
		      2 * MIB_2);
}

Test(pt_merge, what_cannot_be_used)
{
	unsigned int i;

	use(PT_MODE_4LEVEL);
	for (i = 0; i < 4; i++)
		memory[2][i] = TABLES * 4096 | PT_P; /* nowhere */
	for (; i < 8; i++)
		memory[2][i] = PT_BIT(46) | PT_P;
	assert_ranges(8 * MIB_2 - 1, PT_MERGE_ATTR, 4 * MIB_2, 5 * MIB_2, 6 * MIB_2, 7 * MIB_2,
		      8 * MIB_2);
}

/* The gap between the halves is no part of the holes beside it. */
Test(pt_merge, whole_space)
{
	struct pt_item items[4];

	use(PT_MODE_5LEVEL);
	memory[0][0] = 0;
	cr_assert_eq(ranges(UINT64_MAX, PT_MERGE_ATTR, items, 4), 3);
	cr_assert_eq(items[1].why, PT_WHY_NONCANONICAL);
	cr_assert_eq(items[1].start, PT_BIT(56));
	cr_assert_eq(items[2].level, 5);
}

Test(pt_merge, budget)
{
	struct pt_item item;
	struct pt_merge m;

	use(PT_MODE_4LEVEL);
	cr_assert_eq(pt_merge_init(&m, &space, 0, UINT64_MAX, 0, 3 + 10), 0);
	cr_assert_eq(pt_merge_next(&m, &item), 1);
	cr_assert_eq(item.last, 10 * 4096 - 1);
	cr_assert_eq(pt_merge_next(&m, &item), -E2BIG);
	cr_assert_eq(pt_merge_next(&m, &item), -E2BIG);
	cr_assert_eq(pt_merge_init(&m, &space, 1, 0, 0, 0), -EINVAL);
}

/* What a range says of @item, which is a part of it. */
static bool covers(const struct pt_item *range, const struct pt_item *item)
{
	if (item->last > range->last || item->kind != range->kind || item->why != range->why)
		return false;
	return item->kind != PT_LEAF ||
	       (item->pa - range->pa == item->start - range->start && item->perm == range->perm);
}

/* Every item of a space lies in one range, and ranges begin and end with items. */
static bool merge_agrees(struct world *w, uint64_t start, unsigned int how, uint64_t budget)
{
	struct pt_item item, range = { .last = start - 1 };
	uint64_t next = start;
	struct pt_merge m;
	struct pt_iter it;
	int ret;

	if (pt_iter_init(&it, &w->space, start, UINT64_MAX, 0, budget) ||
	    pt_merge_init(&m, &w->space, start, UINT64_MAX, how, budget))
		return false;
	while ((ret = pt_iter_next(&it, &item)) == 1) {
		if (item.start == range.last + 1 &&
		    (pt_merge_next(&m, &range) != 1 || range.start != item.start))
			return false;
		if (!covers(&range, &item))
			return false;
		next = item.last + 1;
	}
	return next == range.last + 1 && pt_merge_next(&m, &range) == ret;
}

Test(pt_merge, random_tables)
{
	unsigned int seed = world_seed(), format, i;
	uint64_t start;
	struct world w;

	for (format = 0; format < WORLD_NR_FORMATS; format++) {
		world_init(&w, format, seed);
		for (i = 0; i < 200; i++) {
			if (i % 10 == 0)
				world_refresh(&w);
			start = world_address(&w);
			if (!merge_agrees(&w, start, i % 8, 500))
				cr_assert_fail("%s: seed %u, round %u, %#lx", w.format->name, seed,
					       i, start);
		}
	}
}
