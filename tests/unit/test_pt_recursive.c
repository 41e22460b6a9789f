// SPDX-License-Identifier: GPL-2.0
/*
 * Tables that are read through themselves: addresses that are known from elsewhere, and random
 * spaces where both ways to the entries must agree.
 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/random.h"
#include "user/pt/pt_space.h"

#define PAGE	4096ULL
#define PAGES	256
#define MAPPED	24
#define LOOKUPS 20000

/* Physical memory, with tables from page 0 on; the top table is page 0. */
static uint8_t memory[PAGES * PAGE];
static unsigned int next_table;
static struct pt_fmt fmt;
static struct pt_space physical, recursive;
static unsigned int slot;
static uint64_t mapped[MAPPED];

static int physical_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	(void)mem;
	if (addr >= sizeof(memory) || len > sizeof(memory) - addr)
		return -EFAULT;
	memcpy(buf, memory + addr, len);
	return 0;
}

/* The memory as the CPU shows it while these tables are in use. */
static int virtual_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	pt_u64 pa;

	if (pt_translate(&physical, addr, &pa))
		return -EFAULT;
	return physical_read(mem, pa, buf, len);
}

static const struct pt_mem_ops physical_ops = { .read = physical_read };
static const struct pt_mem_ops virtual_ops = { .read = virtual_read };
static struct pt_mem physical_mem = { .ops = &physical_ops };
static struct pt_mem virtual_mem = { .ops = &virtual_ops };

static struct pt_fmt format(enum pt_mode mode)
{
	struct pt_feat feat = { .maxphyaddr = 46, .nx = 1, .page1g = 1, .pse = 1 };
	struct pt_fmt f;

	cr_assert_eq(pt_fmt_init(&f, mode, &feat), 0);
	return f;
}

/* Of kernels that do this: slot 510 or 493 of 4 levels, the last one of 32-bit tables. */
Test(pt_recursive, known_addresses)
{
	const struct {
		enum pt_mode mode;
		unsigned int slot, level;
		uint64_t ia, want;
	} cases[] = {
		{ PT_MODE_4LEVEL, 510, 4, 0, 0xffffff7fbfdfe000 },
		{ PT_MODE_4LEVEL, 510, 3, 0, 0xffffff7fbfc00000 },
		{ PT_MODE_4LEVEL, 510, 2, 0, 0xffffff7f80000000 },
		{ PT_MODE_4LEVEL, 510, 1, 0, 0xffffff0000000000 },
		{ PT_MODE_4LEVEL, 493, 1, 0, 0xfffff68000000000 },
		{ PT_MODE_4LEVEL, 493, 2, 0, 0xfffff6fb40000000 },
		{ PT_MODE_4LEVEL, 493, 3, 0, 0xfffff6fb7da00000 },
		{ PT_MODE_4LEVEL, 493, 4, 0, 0xfffff6fb7dbed000 },
		{ PT_MODE_4LEVEL, 493, 1, 0x7fffffff1000, 0xfffff6bfffffff88 },
		{ PT_MODE_4LEVEL, 493, 4, ~0ULL, 0xfffff6fb7dbedff8 },
		{ PT_MODE_4LEVEL, 256, 1, 0x1000, 0xffff800000000008 },
		{ PT_MODE_4LEVEL, 1, 4, 0, 0x8040201000 },
		{ PT_MODE_5LEVEL, 511, 5, 0, 0xfffffffffffff000 },
		{ PT_MODE_5LEVEL, 511, 1, 0, 0xffff000000000000 },
		{ PT_MODE_5LEVEL, 256, 1, 0, 0xff00000000000000 },
		{ PT_MODE_32BIT, 1023, 2, 0, 0xfffff000 },
		{ PT_MODE_32BIT, 1023, 1, 0, 0xffc00000 },
		{ PT_MODE_32BIT, 1023, 1, 0xffffffff, 0xfffffffc },
		{ PT_MODE_32BIT, 768, 1, 0x00401000, 0xc0001004 },
		{ PT_MODE_PAE, 3, 1, 0, 0xc0000000 },
		{ PT_MODE_PAE, 3, 2, 0, 0xc0600000 },
		{ PT_MODE_PAE, 3, 3, 0, 0xc0603000 },
	};
	struct pt_fmt f;
	uint64_t got;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = format(cases[i].mode);
		got = pt_recursive_addr(&f, cases[i].slot, cases[i].ia, cases[i].level);
		cr_assert_eq(got, cases[i].want, "case %u: 0x%lx", i, got);
	}
}

static void *entry_at(uint64_t table, uint64_t ia, unsigned int level)
{
	return memory + table + ((uint64_t)pt_index(&fmt, ia, level) << fmt.entry_shift);
}

/* Links tables for @ia down to @level and leaves @last there. */
static void put(uint64_t ia, unsigned int level, uint64_t last)
{
	size_t size = 1U << fmt.entry_shift;
	uint64_t table = 0, entry;
	unsigned int l;

	for (l = fmt.top; l > level; l--) {
		entry = 0;
		memcpy(&entry, entry_at(table, ia, l), size);
		if (entry & PT_PS)
			return; /* under a large page already */
		if (!(entry & PT_P)) {
			entry = next_table++ * PAGE | PT_P | (l == 3 && fmt.top == 3 ? 0 : PT_RW);
			memcpy(entry_at(table, ia, l), &entry, size);
		}
		table = entry & PT_BITS(51, 12);
	}
	memcpy(entry_at(table, ia, level), &last, size);
}

/* Leaves of all sizes and entries that are not present, anywhere but behind the slot. */
static void build(enum pt_mode mode)
{
	uint64_t self = PT_P | (mode == PT_MODE_PAE ? 0 : PT_RW), ia;
	unsigned int i, level;

	memset(memory, 0, sizeof(memory));
	next_table = 1;
	fmt = format(mode);
	slot = (unsigned int)random64() % pt_table_entries(&fmt, fmt.top);
	memcpy(memory + ((size_t)slot << fmt.entry_shift), &self, 1U << fmt.entry_shift);
	for (i = 0; i < MAPPED; i++) {
		do {
			ia = random_ia(&fmt);
		} while (pt_index(&fmt, ia, fmt.top) == slot);
		mapped[i] = ia;
		level = fmt.leaf_levels & 4 && i % 4 == 0 ? 2 : 1;
		put(ia, level, i % 8 == 7 ? 0x1230 : PT_P | (level == 2 ? PT_PS : 0));
	}
	cr_assert_leq(next_table, PAGES);
	physical = (struct pt_space){ &fmt, 0, &physical_mem, 0 };
	recursive = (struct pt_space){ &fmt, 0, &virtual_mem, (pt_u16)(slot + 1) };
}

/* Both paths are the same but for the addresses, and those lead to the same bytes. A leaf? */
static bool compare(uint64_t ia, unsigned int seed)
{
	struct pt_path a, b;
	unsigned int level;
	uint64_t pa;

	pt_lookup(&physical, ia, &a);
	pt_lookup(&recursive, ia, &b);
	cr_assert_eq(a.end.kind, b.end.kind, "seed %u, slot %u, 0x%lx", seed, slot, ia);
	cr_assert_eq(a.end.level, b.end.level);
	cr_assert_eq(a.end.pa, b.end.pa);
	cr_assert_eq(a.end.perm, b.end.perm);
	cr_assert_eq(a.reads, b.reads);
	if (!a.reads)
		return false;
	for (level = a.end.level; level <= fmt.top; level++) {
		cr_assert_eq(a.at[level].entry, b.at[level].entry);
		cr_assert_eq(pt_translate(&physical, b.at[level].addr, &pa), 0);
		cr_assert_eq(pa, a.at[level].addr, "seed %u, slot %u, 0x%lx", seed, slot, ia);
	}
	return a.end.kind == PT_LEAF;
}

/* Near to what is mapped, the entries of that, behind the slot, and anywhere. */
static uint64_t some_ia(void)
{
	uint64_t ia = mapped[random() % MAPPED] ^ 1ULL << random() % 24;

	switch (random() % 8) {
	case 0:
		return random64();
	case 1:
		return random_ia(&fmt);
	case 2:
		ia = random_ia(&fmt);
		/* fall through */
	case 3:
		return pt_recursive_addr(&fmt, slot, ia, 1 + (unsigned int)random() % fmt.top);
	default:
		return ia;
	}
}

static void random_spaces(const char *name, enum pt_mode mode)
{
	unsigned int seed = random_seed(name), leaves = 0, i;

	for (i = 0; i < LOOKUPS; i++) {
		if (i % 500 == 0)
			build(mode);
		leaves += compare(some_ia(), seed);
	}
	cr_assert_gt(leaves, LOOKUPS / 4);
}

Test(pt_recursive, random_32bit)
{
	random_spaces("recursive 32bit", PT_MODE_32BIT);
}

Test(pt_recursive, random_pae)
{
	random_spaces("recursive pae", PT_MODE_PAE);
}

Test(pt_recursive, random_4level)
{
	random_spaces("recursive 4level", PT_MODE_4LEVEL);
}

Test(pt_recursive, random_5level)
{
	random_spaces("recursive 5level", PT_MODE_5LEVEL);
}

/* Without the slot's entry nothing can be read. */
Test(pt_recursive, a_slot_that_is_empty)
{
	struct pt_path path;

	srandom(1);
	build(PT_MODE_4LEVEL);
	memset(memory + slot * 8UL, 0, 8);
	cr_assert_eq(pt_lookup(&recursive, 0, &path), PT_BAD);
	cr_assert_eq(path.end.why, PT_WHY_UNREADABLE);
	cr_assert_eq(path.reads, 0);
}
