// SPDX-License-Identifier: GPL-2.0
/* The stepper over tables in a buffer, against addresses worked out by hand and at random. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/pt_world.h"
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
	uint64_t entry;
	struct pt_walk w;

	pt_walk_start(&w, fmt, 0, va);
	while (w.kind == PT_TABLE && w.entry_pa / 4096 < TABLES) {
		entry = memory[w.entry_pa / 4096][w.entry_pa % 4096 / 8];
		if (fmt->entry_shift == 2)
			entry = (uint32_t)(entry >> (w.entry_pa & 4) * 8);
		pt_walk_feed(&w, fmt, entry);
	}
	return w;
}

/* Links tables 0, 1, 2... for @va from the top down to @level's table. */
static void link_down(const struct pt_fmt *fmt, uint64_t va, unsigned int level)
{
	unsigned int l, table = 0;

	for (l = fmt->top; l > level; l--, table++)
		memory[table][pt_index(fmt, va, l)] =
			(table + 1) * 4096 | PT_P | PT_RW | PT_US | PT_A;
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
			memory[fmt.top - level][pt_index(&fmt, va, level)] =
				frame | PT_P | PT_NX | (level > 1 ? PT_PS : 0);
			w = walk(&fmt, va);
			cr_assert_eq(w.kind, PT_LEAF);
			cr_assert_eq(w.level, level);
			cr_assert_eq(w.pa, frame + (va & (pt_level_size(&fmt, level) - 1)));
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
		memory[fmt.top - level][pt_index(&fmt, va, level)] = 0x1234000;
		w = walk(&fmt, va);
		cr_assert_eq(w.kind, PT_HOLE);
		cr_assert_eq(w.level, level);
		cr_assert_eq(w.entry, 0x1234000, "as it is, though not present");
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
	f.maxphyaddr = 31;
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

/* Tables 0, 1, ... of @fmt hold the entry that @entries says for address 0, top level first. */
static struct pt_walk walk_entries(const struct pt_fmt *fmt, const uint64_t *entries, uint64_t va)
{
	unsigned int i;

	for (i = 0; i < fmt->top; i++)
		memory[i][0] = entries[i];
	return walk(fmt, va);
}

Test(pt, without_paging_the_address_is_physical)
{
	struct pt_fmt fmt = format(PT_MODE_NONE);
	struct pt_walk w;

	pt_walk_start(&w, &fmt, 0x1000, 0xfffff123);
	cr_assert_eq(w.kind, PT_LEAF);
	cr_assert_eq(w.pa, 0xfffff123);
	cr_assert_eq(w.level, 0);
	cr_assert_eq(w.perm, PT_PERM_ALL);
	pt_walk_start(&w, &fmt, 0x1000, PT_BIT(32));
	cr_assert_eq(w.kind, PT_BAD);
	cr_assert_eq(w.why, PT_WHY_NONCANONICAL);
}

Test(pt, thirty_two_bit_tables, .init = setup)
{
	struct pt_feat f = { .maxphyaddr = 40 };
	struct pt_fmt fmt;
	struct pt_walk w;

	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_32BIT, &f), 0);
	memory[0][0] = (uint64_t)(0x1000 | PT_PS | PT_RW | PT_P) << 32; /* PDE 1 */
	memory[1][1] = 0xabcde000 | PT_US | PT_P;			/* PTE 2 */
	w = walk(&fmt, 0x402345);
	cr_assert_eq(w.kind, PT_LEAF, "without CR4.PSE bit 7 of a PDE is ignored");
	cr_assert_eq(w.pa, 0xabcde345);
	cr_assert_eq(w.perm, PT_PERM_R | PT_PERM_X | PT_PERM_XU);
	f.pse = 1;
	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_32BIT, &f), 0);
	memory[0][0] = 0x80400000 | PT_PAT_LARGE | PT_PS | PT_P;
	w = walk(&fmt, 0x312345);
	cr_assert_eq(w.kind, PT_LEAF);
	cr_assert_eq(w.pa, 0x80712345);
	memory[0][0] |= PT_BIT(13);
	cr_assert_eq(walk(&fmt, 0).why, PT_WHY_RESERVED, "no PSE-36");
	f.pse36 = 1;
	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_32BIT, &f), 0);
	memory[0][0] |= PT_BIT(20);
	cr_assert_eq(walk(&fmt, 0).pa, 0x8180400000ULL);
	memory[0][0] |= PT_BIT(21);
	cr_assert_eq(walk(&fmt, 0).why, PT_WHY_RESERVED, "never an address bit");
}

Test(pt, pae_tables, .init = setup)
{
	struct pt_fmt fmt = format(PT_MODE_PAE);
	struct pt_walk w;

	/* The root is 32 bytes long and aligned to as much; PDPTEs restrict nothing. */
	pt_walk_start(&w, &fmt, 0x1fe7, 0xc0000000);
	cr_assert_eq(w.entry_pa, 0x1fe0 + 3 * 8);
	w = walk_entries(&fmt, (uint64_t[]){ 0x1001, 0x2003 | PT_US, PT_BIT(45) | PT_P | PT_NX },
			 0xfff);
	cr_assert_eq(w.kind, PT_LEAF);
	cr_assert_eq(w.pa, PT_BIT(45) | 0xfff);
	cr_assert_eq(w.perm, PT_PERM_R);
	memory[1][0] = 0x600000 | PT_PS | PT_P;
	cr_assert_eq(walk(&fmt, 0x123456).pa, 0x723456);
	memory[1][0] |= PT_BIT(52);
	cr_assert_eq(walk(&fmt, 0).why, PT_WHY_RESERVED, "bit 52 is free with 4 levels only");
	memory[0][0] |= PT_RW;
	w = walk(&fmt, 0);
	cr_assert_eq(w.why, PT_WHY_RESERVED);
	cr_assert_eq(w.level, 3);
}

/* A guest-physical address is not sign-extended, and uses all of its bits. */
Test(pt, npt_and_ept_addresses)
{
	struct pt_feat f = { .maxphyaddr = 48, .npt = 1 };
	struct pt_fmt npt, ept = format(PT_MODE_EPT4);

	cr_assert_eq(pt_fmt_init(&npt, PT_MODE_4LEVEL, &f), 0);
	cr_assert(pt_canonical(&npt, PT_BITS(47, 0)) && pt_canonical(&ept, PT_BITS(47, 0)));
	cr_assert_not(pt_canonical(&npt, PT_BIT(48)) || pt_canonical(&ept, ~(uint64_t)0));
	cr_assert_eq(pt_index(&npt, PT_BITS(47, 0), 4), 511);
	cr_assert(npt.rsvd_table[4] & PT_G, "AMD reserves it in a PML4E");
	cr_assert_not(npt.rsvd_table[3] & PT_G);
	cr_assert_eq(pt_fmt_init(&npt, PT_MODE_EPT4, &f), -1);
}

Test(pt, ept_misconfigurations, .init = setup)
{
	struct pt_feat all = feat;
	struct pt_fmt fmt = format(PT_MODE_EPT4);
	struct pt_walk w;
	uint64_t table[] = { 0x1007, 0x2003, 0x3007, 0x5000 | 6 << 3 | EPT_R | EPT_X };

	w = walk_entries(&fmt, table, 0x10);
	cr_assert_eq(w.kind, PT_LEAF);
	cr_assert_eq(w.pa, 0x5010);
	cr_assert_eq(w.perm, PT_PERM_R | PT_PERM_U, "level 3 takes X away, level 1 W");
	memory[3][0] = EPT_W | EPT_X;
	cr_assert_eq(walk(&fmt, 0).why, PT_WHY_EPT_ACCESS);
	memory[3][0] = EPT_X;
	cr_assert_eq(walk(&fmt, 0).why, PT_WHY_EPT_ACCESS);
	memory[3][0] = EPT_XU;
	cr_assert_eq(walk(&fmt, 0).kind, PT_HOLE);
	memory[3][0] = EPT_R | 3 << 3;
	cr_assert_eq(walk(&fmt, 0).why, PT_WHY_EPT_MEMTYPE);
	memory[2][0] |= 3 << 3;
	cr_assert_eq(walk(&fmt, 0).why, PT_WHY_RESERVED, "a table has no memory type");
	all.ept_exec_only = 1;
	all.ept_mbec = 1;
	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_EPT4, &all), 0);
	w = walk_entries(&fmt, (uint64_t[]){ 0x1407, 0x2407, 0x3407, 0x5000 | EPT_XU }, 0);
	cr_assert_eq(w.kind, PT_LEAF);
	cr_assert_eq(w.perm, PT_PERM_XU | PT_PERM_U);
}

/* Random leaves: the address comes back whatever flags are set beside it. */
Test(pt, random_leaves, .init = setup)
{
	unsigned int seed = world_seed(), i;

	srandom(seed);
	for (i = 0; i < 20000; i++) {
		struct pt_fmt fmt = format(random() & 1 ? PT_MODE_5LEVEL : PT_MODE_4LEVEL);
		unsigned int level = 1 + (unsigned int)random() % 3;
		uint64_t va = ((uint64_t)random() << 31 | (uint64_t)random()) & PT_BITS(46, 0);
		uint64_t pa = ((uint64_t)random() << 31 | (uint64_t)random()) & PT_BITS(45, 12) &
			      ~(pt_level_size(&fmt, level) - 1);
		uint64_t flags =
			(uint64_t)random() & (PT_RW | PT_US | PT_PWT | PT_PCD | PT_A | PT_D | PT_G);
		struct pt_walk w;

		link_down(&fmt, va, level);
		memory[fmt.top - level][pt_index(&fmt, va, level)] =
			pa | flags | PT_P | (level > 1 ? PT_PS : 0);
		w = walk(&fmt, va);
		cr_assert_eq(w.kind, PT_LEAF, "seed %u, round %u", seed, i);
		cr_assert_eq(w.pa, pa | (va & (pt_level_size(&fmt, level) - 1)),
			     "seed %u, round %u", seed, i);
		setup();
	}
}
