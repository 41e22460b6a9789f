// SPDX-License-Identifier: GPL-2.0
/* The stepper over tables in a buffer, against addresses worked out by hand and at random. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/pt/pt_walk.h"

#define TABLES 8

static uint64_t memory[TABLES][512]; /* table n lies at physical address n * 4096 */

static const struct pt_feat feat = { .maxphyaddr = 46, .nx = 1, .page1g = 1 };

static void setup(void)
{
	memset(memory, 0, sizeof(memory));
}

static struct pt_walk walk(const struct pt_fmt *fmt, uint64_t va)
{
	struct pt_walk w;

	pt_walk_start(&w, fmt, 0, va);
	while (w.kind == PT_TABLE && w.entry_pa / 4096 < TABLES)
		pt_walk_feed(&w, fmt, memory[w.entry_pa / 4096][w.entry_pa % 4096 / 8]);
	return w;
}

/* Links tables 0, 1, 2... for @va from the top down to @level's table. */
static void link_down(const struct pt_fmt *fmt, uint64_t va, unsigned int level)
{
	unsigned int l, table = 0;

	for (l = fmt->top; l > level; l--, table++)
		memory[table][pt_index(va, l)] = (table + 1) * 4096 | PT_P | PT_RW | PT_US | PT_A;
}

static struct pt_fmt format(enum pt_mode mode)
{
	struct pt_fmt fmt;

	cr_assert_eq(pt_fmt_init(&fmt, mode, &feat), 0);
	return fmt;
}

/* One leaf of each size in each mode leads to frame + offset. */
Test(pt, leaf_of_every_level, .init = setup)
{
	const enum pt_mode modes[] = { PT_MODE_4LEVEL, PT_MODE_5LEVEL };
	const uint64_t va = 0x00007f1234567abcULL, frame = 0x2345ULL << 30;
	unsigned int m, level;

	for (m = 0; m < 2; m++) {
		for (level = 1; level <= 3; level++) {
			struct pt_fmt fmt = format(modes[m]);
			struct pt_walk w;

			setup();
			link_down(&fmt, va, level);
			memory[fmt.top - level][pt_index(va, level)] =
				frame | PT_P | PT_NX | (level > 1 ? PT_PS : 0);
			w = walk(&fmt, va);
			cr_assert_eq(w.kind, PT_LEAF);
			cr_assert_eq(w.level, level);
			cr_assert_eq(w.pa, frame + (va & (pt_level_size(level) - 1)));
		}
	}
}

Test(pt, hole_is_reported_at_its_level, .init = setup)
{
	const uint64_t va = 0x1000;
	unsigned int level;

	for (level = 1; level <= 5; level++) {
		struct pt_fmt fmt = format(PT_MODE_5LEVEL);
		struct pt_walk w;

		setup();
		link_down(&fmt, va, level);
		memory[fmt.top - level][pt_index(va, level)] = 0x1234ULL << 12; /* not present */
		w = walk(&fmt, va);
		cr_assert_eq(w.kind, PT_HOLE);
		cr_assert_eq(w.level, level);
		cr_assert_eq(w.entry, 0x1234ULL << 12);
	}
}

Test(pt, reserved_bits_are_bad, .init = setup)
{
	struct {
		unsigned int level;
		uint64_t entry;
	} bad[] = {
		{ 1, PT_P | PT_BIT(46) },	  /* beyond MAXPHYADDR */
		{ 2, PT_P | PT_PS | PT_BIT(13) }, /* inside a 2 MiB page */
		{ 3, PT_P | PT_PS | PT_BIT(29) }, /* inside a 1 GiB page */
		{ 4, PT_P | PT_PS },		  /* no 512 GiB pages */
		{ 5, PT_P | PT_PS },
	};
	struct pt_fmt fmt = format(PT_MODE_5LEVEL);
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pt_walk w;

		setup();
		link_down(&fmt, 0, bad[i].level);
		memory[fmt.top - bad[i].level][0] = bad[i].entry;
		w = walk(&fmt, 0);
		cr_assert_eq(w.kind, PT_BAD, "case %u", i);
		cr_assert_eq(w.level, bad[i].level);
	}
}

Test(pt, bit_12_of_a_large_leaf_is_pat, .init = setup)
{
	struct pt_fmt fmt = format(PT_MODE_4LEVEL);
	struct pt_walk w;

	link_down(&fmt, 0, 2);
	memory[2][0] = 0x200000 | PT_P | PT_PS | PT_BIT(12);
	w = walk(&fmt, 0x1234);
	cr_assert_eq(w.kind, PT_LEAF);
	cr_assert_eq(w.pa, 0x201234);
}

Test(pt, features_move_the_reserved_bits)
{
	struct pt_feat f = { .maxphyaddr = 48, .enc_bit = 47 };
	struct pt_fmt fmt;
	struct pt_walk w;

	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_4LEVEL, &f), 0);
	cr_assert_eq(fmt.addr_mask, PT_BITS(46, 12));
	cr_assert(fmt.rsvd_leaf[1] & PT_NX, "NX is reserved without EFER.NXE");
	cr_assert(fmt.rsvd_table[3] & PT_PS, "no 1 GiB pages");
	cr_assert_eq(fmt.rsvd_leaf[1] & PT_BIT(47), 0, "the encryption bit is no reserved bit");
	/* An encrypted root: the bit is not part of the address. */
	pt_walk_start(&w, &fmt, PT_BIT(47) | 0x3000 | 0x5, 0x8000000000ULL);
	cr_assert_eq(w.entry_pa, 0x3008);
	f.maxphyaddr = 53;
	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_4LEVEL, &f), -1);
	f.maxphyaddr = 48;
	f.enc_bit = 12;
	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_4LEVEL, &f), -1);
}

Test(pt, canonical)
{
	struct pt_fmt four = format(PT_MODE_4LEVEL), five = format(PT_MODE_5LEVEL);
	struct pt_walk w;

	cr_assert(pt_canonical(&four, 0x00007fffffffffffULL));
	cr_assert_not(pt_canonical(&four, 0x0000800000000000ULL));
	cr_assert(pt_canonical(&four, 0xffff800000000000ULL));
	cr_assert(pt_canonical(&five, 0x0000800000000000ULL));
	cr_assert_not(pt_canonical(&five, 0x0100000000000000ULL));
	pt_walk_start(&w, &four, 0, 0x0000800000000000ULL);
	cr_assert_eq(w.kind, PT_BAD);
}

/* Random leaves: the address comes back whatever flags are set beside it. */
Test(pt, random_leaves, .init = setup)
{
	unsigned int seed = (unsigned int)time(NULL), i;

	cr_log_info("seed %u\n", seed);
	srandom(seed);
	for (i = 0; i < 20000; i++) {
		struct pt_fmt fmt = format(random() & 1 ? PT_MODE_5LEVEL : PT_MODE_4LEVEL);
		unsigned int level = 1 + (unsigned int)random() % 3;
		uint64_t va = ((uint64_t)random() << 31 | (uint64_t)random()) & PT_BITS(46, 0);
		uint64_t pa = ((uint64_t)random() << 31 | (uint64_t)random()) & PT_BITS(45, 12) &
			      ~(pt_level_size(level) - 1);
		uint64_t flags =
			(uint64_t)random() & (PT_RW | PT_US | PT_PWT | PT_PCD | PT_A | PT_D | PT_G);
		struct pt_walk w;

		link_down(&fmt, va, level);
		memory[fmt.top - level][pt_index(va, level)] =
			pa | flags | PT_P | (level > 1 ? PT_PS : 0);
		w = walk(&fmt, va);
		cr_assert_eq(w.kind, PT_LEAF, "seed %u, round %u", seed, i);
		cr_assert_eq(w.pa, pa | (va & (pt_level_size(level) - 1)), "seed %u, round %u",
			     seed, i);
		setup();
	}
}
