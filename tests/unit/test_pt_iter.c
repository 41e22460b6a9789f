// SPDX-License-Identifier: GPL-2.0
/* Iteration over tables built by hand; at random: test_pt_reference.c. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/pt_reference.h"
#include "user/pt/pt_iter.h"

#define TABLES 8
#define GIB    (UINT64_C(1) << 30)
#define TOP_47 UINT64_C(0x7fffffffffff)
#define UPPER  UINT64_C(0xffff800000000000)

static uint64_t memory[TABLES][512]; /* table n lies at address n * 4096 */
static uint64_t memory_size;
static unsigned int reads;
static struct pt_fmt fmt;
static struct pt_space space;

static int read_memory(struct pt_mem *mem, uint64_t addr, void *buf, uint32_t len)
{
	(void)mem;
	reads++;
	if (addr > memory_size || memory_size - addr < len)
		return -EFAULT;
	memcpy(buf, (uint8_t *)memory + addr, len);
	return 0;
}

/* An empty space. */
static void use(enum pt_mode mode, uint8_t npt)
{
	static const struct pt_mem_ops ops = { .read = read_memory };
	static struct pt_mem mem = { .ops = &ops };
	struct pt_feat feat = { .maxphyaddr = 46, .nx = 1, .page1g = 1, .pse = 1, .npt = npt };

	cr_assert_eq(pt_fmt_init(&fmt, mode, &feat), 0);
	memset(memory, 0, sizeof(memory));
	memory_size = sizeof(memory);
	reads = 0;
	space = (struct pt_space){ .fmt = &fmt, .mem = &mem };
}

#define assert_item(item, first, end, which, reason, lvl)              \
	do {                                                           \
		const struct pt_item i_ = (item);                      \
		cr_assert_eq(i_.start, first, "start %#lx", i_.start); \
		cr_assert_eq(i_.last, end, "last %#lx", i_.last);      \
		cr_assert_eq(i_.kind, which, "kind %u", i_.kind);      \
		cr_assert_eq(i_.why, reason, "why %u", i_.why);        \
		cr_assert_eq(i_.level, lvl, "level %u", i_.level);     \
	} while (0)

/* The next item of @it, which must be there. */
static struct pt_item next(struct pt_iter *it)
{
	struct pt_item item;

	cr_assert_eq(pt_iter_next(it, &item), 1);
	return item;
}

static void assert_end(struct pt_iter *it)
{
	struct pt_item item;

	cr_assert_eq(pt_iter_next(it, &item), 0);
	cr_assert_eq(pt_iter_next(it, &item), 0);
}

Test(pt_iter, empty_space_is_one_item_per_top_entry)
{
	struct pt_item item;
	struct pt_iter it;
	unsigned int i;

	use(PT_MODE_5LEVEL, 0);
	cr_assert_eq(pt_iter_init(&it, &space, 0, UINT64_MAX, 0, 0), 0);
	for (i = 0; i < 256; i++)
		next(&it);
	item = next(&it);
	assert_item(item, PT_BIT(56), -PT_BIT(56) - 1, PT_HOLE, PT_WHY_NONCANONICAL, 0);
	for (i = 0; i < 256; i++)
		item = next(&it);
	assert_item(item, -PT_BIT(48), UINT64_MAX, PT_HOLE, PT_WHY_NOT_PRESENT, 5);
	assert_end(&it);
	cr_assert_eq(reads, 64, "a chunk is read once");
}

Test(pt_iter, noncanonical_ranges)
{
	struct pt_iter it;

	use(PT_MODE_4LEVEL, 0);
	cr_assert_eq(pt_iter_init(&it, &space, TOP_47 - 5, UPPER + 5, 0, 0), 0);
	assert_item(next(&it), TOP_47 - 5, TOP_47, PT_HOLE, PT_WHY_NOT_PRESENT, 4);
	assert_item(next(&it), TOP_47 + 1, UPPER - 1, PT_HOLE, PT_WHY_NONCANONICAL, 0);
	assert_item(next(&it), UPPER, UPPER + 5, PT_HOLE, PT_WHY_NOT_PRESENT, 4);
	assert_end(&it);
	cr_assert_eq(pt_iter_init(&it, &space, UPPER - 7, UPPER - 2, 0, 0), 0);
	assert_item(next(&it), UPPER - 7, UPPER - 2, PT_HOLE, PT_WHY_NONCANONICAL, 0);
	assert_end(&it);
	cr_assert_eq(pt_iter_init(&it, &space, 1, 0, 0, 0), -EINVAL);
}

Test(pt_iter, what_lies_above_an_unsigned_space)
{
	static const struct {
		enum pt_mode mode;
		uint8_t npt, bits, level;
	} spaces[] = {
		{ PT_MODE_32BIT, 0, 32, 2 },  { PT_MODE_PAE, 0, 32, 3 },
		{ PT_MODE_4LEVEL, 1, 48, 4 }, { PT_MODE_5LEVEL, 1, 57, 5 },
		{ PT_MODE_EPT4, 0, 48, 4 },   { PT_MODE_EPT5, 0, 57, 5 },
	};
	struct pt_iter it;
	unsigned int i;

	for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		uint64_t end = PT_BIT(spaces[i].bits);

		use(spaces[i].mode, spaces[i].npt);
		cr_assert_eq(pt_iter_init(&it, &space, end - 1, UINT64_MAX, 0, 0), 0);
		assert_item(next(&it), end - 1, end - 1, PT_HOLE, PT_WHY_NOT_PRESENT,
			    spaces[i].level);
		assert_item(next(&it), end, UINT64_MAX, PT_HOLE, PT_WHY_NONCANONICAL, 0);
		assert_end(&it);
	}
}

Test(pt_iter, without_paging_all_is_one_leaf)
{
	struct pt_item item;
	struct pt_iter it;

	use(PT_MODE_NONE, 0);
	cr_assert_eq(pt_iter_init(&it, &space, 0x1234, UINT64_MAX, 0, 0), 0);
	item = next(&it);
	assert_item(item, 0x1234, UINT32_MAX, PT_LEAF, PT_WHY_NONE, 0);
	cr_assert_eq(item.pa, 0x1234);
	assert_item(next(&it), PT_BIT(32), UINT64_MAX, PT_HOLE, PT_WHY_NONCANONICAL, 0);
	assert_end(&it);
	cr_assert_eq(reads, 0);
}

Test(pt_iter, leaves_are_cut_to_the_range)
{
	struct pt_item item;
	struct pt_iter it;

	use(PT_MODE_4LEVEL, 0);
	memory[0][0] = 0x1000 | PT_P | PT_RW;
	memory[1][2] = 5 * GIB | PT_P | PT_RW | PT_PS;
	cr_assert_eq(pt_iter_init(&it, &space, 2 * GIB + 0x234, 2 * GIB + 0x345, 0, 0), 0);
	item = next(&it);
	assert_item(item, 2 * GIB + 0x234, 2 * GIB + 0x345, PT_LEAF, PT_WHY_NONE, 3);
	cr_assert_eq(item.pa, 5 * GIB + 0x234);
	cr_assert_eq(item.addr, 0x1010);
	cr_assert_eq(item.entry, memory[1][2]);
	cr_assert_eq(item.perm, PT_PERM_ALL & ~PT_PERM_U);
	assert_end(&it);
}

/* PML4 at 0, PDPT at 0x1000, two page directories at 0x2000 and @second. */
static void two_directories(uint64_t second)
{
	use(PT_MODE_4LEVEL, 0);
	memory[0][0] = 0x1000 | PT_P;
	memory[1][0] = 0x2000 | PT_P;
	memory[1][1] = second | PT_P;
	memory[1][3] = 0x3000 | PT_P | PT_PS | PT_BIT(20);
}

Test(pt_iter, a_table_that_cannot_be_read_is_one_item)
{
	struct pt_item item;
	struct pt_iter it;

	two_directories(TABLES * 4096);
	cr_assert_eq(pt_iter_init(&it, &space, GIB + 1, 4 * GIB - 1, 0, 0), 0);
	item = next(&it);
	assert_item(item, GIB + 1, 2 * GIB - 1, PT_BAD, PT_WHY_UNREADABLE, 2);
	cr_assert_eq(item.addr, TABLES * 4096);
	assert_item(next(&it), 2 * GIB, 3 * GIB - 1, PT_HOLE, PT_WHY_NOT_PRESENT, 3);
	assert_item(next(&it), 3 * GIB, 4 * GIB - 1, PT_BAD, PT_WHY_RESERVED, 3);
	assert_end(&it);
	cr_assert_eq(pt_iter_init(&it, &space, GIB + 1, GIB + PT_BIT(22), 0, 0), 0);
	assert_item(next(&it), GIB + 1, GIB + PT_BIT(22), PT_BAD, PT_WHY_UNREADABLE, 2);
	assert_end(&it);
}

/* The memory ends in the middle of a chunk, and of an entry. */
Test(pt_iter, a_table_is_shown_as_far_as_it_can_be_read)
{
	struct pt_iter it;
	unsigned int i;

	two_directories((TABLES - 1) * 4096);
	memory_size = (TABLES - 1) * 4096 + 11 * 8 + 7;
	cr_assert_eq(pt_iter_init(&it, &space, GIB, 2 * GIB, 0, 0), 0);
	for (i = 0; i < 11; i++)
		cr_assert_eq(next(&it).kind, PT_HOLE);
	assert_item(next(&it), GIB + 11 * PT_BIT(21), 2 * GIB - 1, PT_BAD, PT_WHY_UNREADABLE, 2);
	cr_assert_eq(next(&it).level, 3);
	assert_end(&it);
}

Test(pt_iter, no_memory_at_all)
{
	struct pt_iter it;

	use(PT_MODE_4LEVEL, 0);
	memory_size = 0;
	cr_assert_eq(pt_iter_init(&it, &space, 0, UINT64_MAX, 0, 0), 0);
	assert_item(next(&it), 0, TOP_47, PT_BAD, PT_WHY_UNREADABLE, 4);
	assert_item(next(&it), TOP_47 + 1, UPPER - 1, PT_HOLE, PT_WHY_NONCANONICAL, 0);
	assert_item(next(&it), UPPER, UINT64_MAX, PT_BAD, PT_WHY_UNREADABLE, 4);
	assert_end(&it);
}

/* PAE's root has 32 bytes, and they may be the last ones of the memory. */
Test(pt_iter, pae_root)
{
	struct pt_iter it;

	use(PT_MODE_PAE, 0);
	space.root = sizeof(memory) - 32;
	memory[TABLES - 1][511] = 0x1000 | PT_P;
	memory[1][511] = 0x600000 | PT_P | PT_PS;
	cr_assert_eq(pt_iter_init(&it, &space, 2 * GIB, UINT32_MAX, 0, 0), 0);
	assert_item(next(&it), 2 * GIB, 3 * GIB - 1, PT_HOLE, PT_WHY_NOT_PRESENT, 3);
	cr_assert_eq(reads, 1);
	cr_assert_eq(next(&it).level, 2);
	while (it.next < 4 * GIB - PT_BIT(21))
		next(&it);
	assert_item(next(&it), 4 * GIB - PT_BIT(21), UINT32_MAX, PT_LEAF, PT_WHY_NONE, 2);
	assert_end(&it);
}

Test(pt_iter, thirty_two_bit_entries)
{
	struct pt_item item;
	struct pt_iter it;

	use(PT_MODE_32BIT, 0);
	memory[0][0] = (uint64_t)(0x1000 | PT_P | PT_RW) << 32;
	memory[1][511] = (uint64_t)(0xfffff000 | PT_P) << 32 | 0x55550;
	cr_assert_eq(pt_iter_init(&it, &space, 0x7fe000, 0x800000, 0, 0), 0);
	item = next(&it);
	assert_item(item, 0x7fe000, 0x7fefff, PT_HOLE, PT_WHY_NOT_PRESENT, 1);
	cr_assert_eq(item.entry, 0x55550);
	item = next(&it);
	assert_item(item, 0x7ff000, 0x7fffff, PT_LEAF, PT_WHY_NONE, 1);
	cr_assert_eq(item.pa, 0xfffff000);
	cr_assert_eq(item.addr, 0x1ffc);
	assert_item(next(&it), 0x800000, 0x800000, PT_HOLE, PT_WHY_NOT_PRESENT, 2);
	assert_end(&it);
}

/* Every entry of the one table refers to itself: nothing but the budget ends that. */
Test(pt_iter, budget)
{
	struct pt_item item;
	struct pt_iter it;
	unsigned int i, items = 0;
	uint64_t end = 0;
	int ret;

	use(PT_MODE_5LEVEL, 0);
	for (i = 0; i < 512; i++)
		memory[0][i] = PT_P | PT_A;
	cr_assert_eq(pt_iter_init(&it, &space, 0x5000, UINT64_MAX, 0, 1000), 0);
	for (; (ret = pt_iter_next(&it, &item)) == 1; items++)
		end = item.last + 1;
	cr_assert_eq(ret, -E2BIG);
	cr_assert_eq(items, 1000 - 4 - 1, "all but the tables above, and those of 2 MiB");
	cr_assert_eq(it.next, end);
	cr_assert_eq(pt_iter_next(&it, &item), -E2BIG);
	it.budget = 1;
	cr_assert_eq(next(&it).start, it.from);
	cr_assert_eq(pt_iter_next(&it, &item), -E2BIG);
}

Test(pt_iter, tables_and_skip)
{
	struct pt_item item;
	struct pt_iter it;

	two_directories(0x3000);
	cr_assert_eq(pt_iter_init(&it, &space, 5, 4 * GIB - 1, PT_ITER_TABLES, 0), 0);
	item = next(&it);
	assert_item(item, 5, 4 * GIB - 1, PT_TABLE, PT_WHY_NONE, 4);
	cr_assert_eq(item.pa, 0x1000);
	cr_assert_eq(item.addr, 0);
	assert_item(next(&it), 5, GIB - 1, PT_TABLE, PT_WHY_NONE, 3);
	pt_iter_skip(&it);
	pt_iter_skip(&it);
	assert_item(next(&it), GIB, 2 * GIB - 1, PT_TABLE, PT_WHY_NONE, 3);
	assert_item(next(&it), GIB, GIB + PT_BIT(21) - 1, PT_HOLE, PT_WHY_NOT_PRESENT, 2);
	pt_iter_skip(&it);
	assert_item(next(&it), GIB + PT_BIT(21), GIB + PT_BIT(22) - 1, PT_HOLE, PT_WHY_NOT_PRESENT,
		    2);
	cr_assert_eq(pt_iter_init(&it, &space, 0, UINT64_MAX, PT_ITER_TABLES, 0), 0);
	next(&it);
	pt_iter_skip(&it);
	assert_item(next(&it), 512 * GIB, 1024 * GIB - 1, PT_HOLE, PT_WHY_NOT_PRESENT, 4);
	cr_assert_eq(pt_iter_init(&it, &space, 0, GIB - 1, PT_ITER_TABLES, 0), 0);
	next(&it);
	next(&it);
	pt_iter_skip(&it);
	assert_end(&it);
}

Test(pt_iter, again_shows_what_is_there_now)
{
	struct pt_iter it;

	two_directories(0x3000);
	cr_assert_eq(pt_iter_init(&it, &space, 0, 2 * GIB - 1, PT_ITER_TABLES, 0), 0);
	next(&it);
	cr_assert_eq(next(&it).pa, 0x2000);
	memory[1][0] = 0x4000 | PT_P;
	memory[4][0] = 0x200000 | PT_P | PT_PS;
	pt_iter_again(&it);
	assert_item(next(&it), 0, GIB - 1, PT_TABLE, PT_WHY_NONE, 3);
	assert_item(next(&it), 0, PT_BIT(21) - 1, PT_LEAF, PT_WHY_NONE, 2);
	memory[4][0] = 0;
	pt_iter_again(&it);
	assert_item(next(&it), 0, PT_BIT(21) - 1, PT_HOLE, PT_WHY_NOT_PRESENT, 2);
	/* Also at the end of a table and of the range. */
	cr_assert_eq(pt_iter_init(&it, &space, 2 * GIB - 1, 2 * GIB - 1, 0, 0), 0);
	assert_item(next(&it), 2 * GIB - 1, 2 * GIB - 1, PT_HOLE, PT_WHY_NOT_PRESENT, 2);
	assert_end(&it);
	memory[3][511] = 0x200000 | PT_P | PT_PS;
	pt_iter_again(&it);
	cr_assert_eq(next(&it).pa, 0x3fffff);
	assert_end(&it);
}

/* The memory that only the recursive slot gives: every address is a virtual one. */
static int read_virtual(struct pt_mem *mem, uint64_t addr, void *buf, uint32_t len)
{
	struct ref_machine machine = { .maxphyaddr = 46,
				       .nxe = 1,
				       .gbpages = 1,
				       .memory = (const uint8_t *)memory,
				       .size = memory_size };
	struct ref_result r = ref_walk_4level(&machine, 0, addr);

	return r.end == REF_PAGE ? read_memory(mem, r.pa, buf, len) : -EFAULT;
}

Test(pt_iter, recursive_slot)
{
	static const struct pt_mem_ops ops = { .read = read_virtual };
	struct pt_mem mem = { .ops = &ops };
	struct pt_space seen;
	struct pt_iter it, plain;
	struct pt_item a, b;
	unsigned int i;

	two_directories(0x3000);
	memory[0][510] = PT_P | PT_RW;
	memory[0][511] = 0x1000 | PT_P;
	memory[2][7] = 0x4000 | PT_P;
	for (i = 0; i < 300; i++)
		memory[4][i] = (uint64_t)i * 8192 | PT_P;
	seen = (struct pt_space){ .fmt = &fmt, .mem = &mem, .recursive = 510 + 1 };
	cr_assert_eq(pt_iter_init(&it, &seen, 0, UINT64_MAX, PT_ITER_TABLES, 0), 0);
	cr_assert_eq(pt_iter_init(&plain, &space, 0, UINT64_MAX, PT_ITER_TABLES, 0), 0);
	for (i = 0; pt_iter_next(&it, &a) == 1; i++) {
		uint64_t pa;

		b = next(&plain);
		cr_assert(!b.level || (!pt_translate(&space, a.addr, &pa) && pa == b.addr));
		assert_item(a, b.start, b.last, b.kind, b.why, b.level);
		cr_assert(a.entry == b.entry && a.pa == b.pa && a.perm == b.perm);
	}
	assert_end(&plain);
	cr_assert_gt(i, 3000);
}
