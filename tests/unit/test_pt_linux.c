// SPDX-License-Identifier: GPL-2.0
/* Linux' own entries: worked out by hand from the kernels' headers, and encoded at random. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/pt/pt_linux.h"

#define V(major, minor) PT_LINUX_VERSION(major, minor)
#define DEVICE		PT_LINUX_DEVICE_PRIVATE

static struct pt_fmt format(enum pt_mode mode)
{
	const struct pt_feat feat = { .maxphyaddr = 46, .nx = 1, .page1g = 1 };
	struct pt_fmt fmt;

	cr_assert_eq(pt_fmt_init(&fmt, mode, &feat), 0);
	return fmt;
}

/* ---- by hand ---------------------------------------------------------------------------- */

enum {
	F_UFFD_WP = 1,
	F_SOFT_DIRTY = 2,
	F_EXCLUSIVE = 4,
	F_DEV = 8,
	F_SPECIAL = 16,
	F_SAVED_DIRTY = 32,
	F_YOUNG = 64,
	F_DIRTY = 128,
};

struct example {
	unsigned int version, level;
	uint64_t entry;
	enum pt_linux_kind kind;
	unsigned int type;
	const char *sub;
	uint64_t value; /* page frame, or offset of SWAP and MARKER */
	unsigned int flags;
};

static unsigned int flags_of(const struct pt_linux *x)
{
	return (x->uffd_wp ? F_UFFD_WP : 0U) | (x->soft_dirty ? F_SOFT_DIRTY : 0U) |
	       (x->exclusive ? F_EXCLUSIVE : 0U) | (x->dev ? F_DEV : 0U) |
	       (x->special ? F_SPECIAL : 0U) | (x->saved_dirty ? F_SAVED_DIRTY : 0U) |
	       (x->young ? F_YOUNG : 0U) | (x->dirty ? F_DIRTY : 0U);
}

static bool same_sub(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void check_examples(const struct example *examples, size_t n)
{
	struct pt_fmt fmt = format(PT_MODE_4LEVEL);
	struct pt_linux got;
	bool has_offset;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct example *want = &examples[i];

		pt_linux_decode(&fmt, want->level, want->entry, want->version, &got);
		cr_assert_eq(got.kind, want->kind, "example %zu: %s", i,
			     pt_linux_kind_name(got.kind));
		has_offset = got.kind == PT_LINUX_SWAP || got.kind == PT_LINUX_MARKER;
		cr_assert_eq(got.type, want->type, "example %zu: type %u", i, got.type);
		cr_assert(same_sub(got.sub, want->sub), "example %zu: %s", i, got.sub);
		cr_assert_eq(got.pfn, has_offset ? 0 : want->value, "example %zu: 0x%llx", i,
			     (unsigned long long)got.pfn);
		cr_assert_eq(got.offset, has_offset ? want->value : 0, "example %zu: 0x%llx", i,
			     (unsigned long long)got.offset);
		cr_assert_eq(flags_of(&got), want->flags, "example %zu: flags 0x%x", i,
			     flags_of(&got));
	}
}

#define CHECK(examples) check_examples(examples, sizeof(examples) / sizeof((examples)[0]))

Test(pt_linux, present_and_empty)
{
	static const struct example examples[] = {
		{ V(6, 1), 1, 0, PT_LINUX_NONE, 0, NULL, 0, 0 },
		/* A and D alone: pte_none() ignores them, for an erratum of Knights Landing */
		{ V(6, 1), 2, 0x60, PT_LINUX_NONE, 0, NULL, 0, 0 },
		{ V(6, 1), 1, 0x8000000012345067, PT_LINUX_PRESENT, 0, NULL, 0, 0 },
		/* bits 9, 10, 11: _PAGE_SPECIAL, _UFFD_WP, _SOFT_DIRTY */
		{ V(6, 1), 1, 0x12345e67, PT_LINUX_PRESENT, 0, NULL, 0,
		  F_SPECIAL | F_UFFD_WP | F_SOFT_DIRTY },
		/* bit 58 is _PAGE_DEVMAP in 6.1, _PAGE_SAVED_DIRTY in 6.12 */
		{ V(6, 1), 2, 1ULL << 58 | 0x200087, PT_LINUX_PRESENT, 0, NULL, 0, F_DEV },
		{ V(6, 12), 1, 1ULL << 58 | 0x1005, PT_LINUX_PRESENT, 0, NULL, 0, F_SAVED_DIRTY },
		/* bit 57 is nothing in 6.1, _PAGE_DEVMAP in 6.12, nothing from 6.17 on */
		{ V(6, 1), 1, 1ULL << 57 | 0x1005, PT_LINUX_PRESENT, 0, NULL, 0, 0 },
		{ V(6, 12), 1, 1ULL << 57 | 0x1005, PT_LINUX_PRESENT, 0, NULL, 0, F_DEV },
		{ V(6, 16), 1, 1ULL << 57 | 0x1005, PT_LINUX_PRESENT, 0, NULL, 0, F_DEV },
		{ V(6, 17), 1, 1ULL << 57 | 0x1005, PT_LINUX_PRESENT, 0, NULL, 0, 0 },
		/* an entry that refers to a table has none of them */
		{ V(6, 12), 2, 0x12345e67, PT_LINUX_PRESENT, 0, NULL, 0, 0 },
	};

	CHECK(examples);
}

/*
 * PROT_NONE: P clear, G (0x100) set, bits 51..12 inverted.
 * Page frame 0x12345: ~0x12345000 & 0x000ffffffffff000 = 0x000fffffedcba000.
 * Large page at 0x40000000: bits 51..21 of it inverted: 0x000fffffbfe00000.
 */
Test(pt_linux, protnone)
{
	static const struct example examples[] = {
		{ V(6, 1), 1, 0x000fffffedcba160, PT_LINUX_PROTNONE, 0, NULL, 0x12345, 0 },
		{ V(6, 12), 1, 0x800fffffedcbad60, PT_LINUX_PROTNONE, 0, NULL, 0x12345,
		  F_UFFD_WP | F_SOFT_DIRTY },
		/* PS (0x80) stays; bit 12 is PAT */
		{ V(6, 1), 2, 0x000fffffbfe011e0, PT_LINUX_PROTNONE, 0, NULL, 0x40000, 0 },
		{ V(6, 1), 3, 0x000fffff800001e0, PT_LINUX_PROTNONE, 0, NULL, 0x40000, 0 },
		/* pmd_mkinvalid(): neither P nor G, but PS */
		{ V(6, 1), 2, 0x000fffffbfe000e6, PT_LINUX_PROTNONE, 0, "invalid", 0x40000, 0 },
		/* a table cannot be PROT_NONE; nor can there be a page of 512 GiB */
		{ V(6, 1), 2, 0x000fffffedcba160, PT_LINUX_UNKNOWN, 0, NULL, 0, 0 },
		{ V(6, 1), 4, 0x000fffffedcba1e0, PT_LINUX_UNKNOWN, 0, NULL, 0, 0 },
	};

	CHECK(examples);
}

/*
 * Swap: type << 59 | (~offset << 14 >> 5), flags below: soft dirty 2, uffd-wp 4, exclusive 8.
 * Offset 0: bits 58..9 all set, 0x07fffffffffffe00. Offset n: n << 9 less.
 */
Test(pt_linux, swap)
{
	static const struct example examples[] = {
		{ V(6, 1), 1, 0x07fffffffffffe00, PT_LINUX_SWAP, 0, NULL, 0, 0 },
		/* 0x123 << 9 = 0x24600; 0x07fffffffffffe00 - 0x24600 = 0x07fffffffffdb800 */
		{ V(6, 1), 1, 0x07fffffffffdb802, PT_LINUX_SWAP, 0, NULL, 0x123, F_SOFT_DIRTY },
		/* type 3: 3 << 59 = 0x1800000000000000 */
		{ V(6, 12), 1, 0x1ffffffffffdb80c, PT_LINUX_SWAP, 3, NULL, 0x123,
		  F_UFFD_WP | F_EXCLUSIVE },
		{ V(5, 10), 1, 0x1ffffffffffdb808, PT_LINUX_SWAP, 3, NULL, 0x123, 0 },
		/* A and D are no part of it */
		{ V(6, 1), 1, 0x07fffffffffffc60, PT_LINUX_SWAP, 0, NULL, 1, 0 },
		/* the last type of a swap area: 26 - 1 in 6.1 */
		{ V(6, 1), 1, 25ULL << 59 | 0x07fffffffffffe00, PT_LINUX_SWAP, 25, NULL, 0, 0 },
		/* there is no swap of large pages */
		{ V(6, 1), 2, 0x07fffffffffffe00, PT_LINUX_UNKNOWN, 0, NULL, 0, 0 },
	};

	CHECK(examples);
}

/*
 * Special types. 6.1 without device-private memory has 32 - 3 (migration) - 1 (hwpoison) - 1
 * (marker) - 1 (swap-in error) = 26 swap areas: hwpoison 26, migration read 27, read-exclusive 28,
 * write 29, marker 30, swap-in error 31. 6.12 has 27: hwpoison 27, migration 28 to 30, marker 31.
 * Page frame 0x12345: offset 0x12345 << 9 = 0x2468a00; 0x07fffffffffffe00 - 0x2468a00 =
 * 0x07fffffffdb97400.
 */
#define PFN   0x07fffffffdb97400
#define T(n)  ((uint64_t)(n) << 59)
#define YOUNG ((uint64_t)1 << (34 + 9)) /* above 46 - 12 bits of page frame; inverted: clear */
#define DIRTY ((uint64_t)1 << (35 + 9))

Test(pt_linux, special_types)
{
	static const struct example examples[] = {
		{ V(6, 1), 1, T(26) | PFN, PT_LINUX_HWPOISON, 26, NULL, 0x12345, 0 },
		{ V(6, 1), 1, T(27) | PFN, PT_LINUX_MIGRATION, 27, "read", 0x12345, 0 },
		{ V(6, 1), 1, (T(28) | PFN) - YOUNG, PT_LINUX_MIGRATION, 28, "read-exclusive",
		  0x12345, F_YOUNG },
		/* a 2 MiB page on its way, soft dirty and write-protected by userfaultfd */
		{ V(6, 1), 2, (T(29) | PFN | 6) - YOUNG - DIRTY, PT_LINUX_MIGRATION, 29, "write",
		  0x12345, F_YOUNG | F_DIRTY | F_SOFT_DIRTY | F_UFFD_WP },
		{ V(6, 1), 1, T(30) | 0x07fffffffffffc00, PT_LINUX_MARKER, 30, "uffd-wp", 1,
		  F_UFFD_WP },
		{ V(6, 1), 1, T(31) | PFN, PT_LINUX_SWAPIN_ERROR, 31, NULL, 0, 0 },
		{ V(6, 12), 1, T(26) | 0x07fffffffffffe00, PT_LINUX_SWAP, 26, NULL, 0, 0 },
		{ V(6, 12), 1, T(27) | PFN, PT_LINUX_HWPOISON, 27, NULL, 0x12345, 0 },
		{ V(6, 12), 1, (T(30) | PFN) - DIRTY, PT_LINUX_MIGRATION, 30, "write", 0x12345,
		  F_DIRTY },
		/* 5.10 has no read-exclusive, marker or swap-in error: migration 30 and 31 */
		{ V(5, 10), 1, T(29) | PFN, PT_LINUX_HWPOISON, 29, NULL, 0x12345, 0 },
		{ V(5, 10), 1, T(31) | PFN, PT_LINUX_MIGRATION, 31, "write", 0x12345, 0 },
	};

	CHECK(examples);
}

/* Markers: offset 2 is 0x400 less than 0x07fffffffffffe00, 3 is 0x600 less, 4 is 0x800 less. */
Test(pt_linux, markers)
{
	static const struct example examples[] = {
		{ V(6, 2), 1, T(31) | 0x07fffffffffffa00, PT_LINUX_MARKER, 31, "swapin-error", 2,
		  0 },
		{ V(6, 12), 1, T(31) | 0x07fffffffffffa00, PT_LINUX_MARKER, 31, "poisoned", 2, 0 },
		{ V(6, 12), 1, T(31) | 0x07fffffffffff800, PT_LINUX_MARKER, 31, "poisoned", 3,
		  F_UFFD_WP },
		{ V(6, 12), 1, T(31) | 0x07fffffffffff600, PT_LINUX_MARKER, 31, NULL, 4, 0 },
		{ V(6, 13), 1, T(31) | 0x07fffffffffff600, PT_LINUX_MARKER, 31, "guard", 4, 0 },
	};

	CHECK(examples);
}

/*
 * With device-private memory 6.1 has 22 swap areas and 6.12 23: device private-write 26 (6.12:
 * 27), private-read, exclusive-write, exclusive-read; 6.15 has 24, one kind of exclusive: 30.
 */
Test(pt_linux, device_private_kernels)
{
	static const struct example examples[] = {
		{ V(6, 1) | DEVICE, 1, T(22) | PFN, PT_LINUX_HWPOISON, 22, NULL, 0x12345, 0 },
		{ V(6, 1) | DEVICE, 1, T(26) | PFN, PT_LINUX_DEVICE, 26, "private-write", 0x12345,
		  0 },
		{ V(6, 12) | DEVICE, 1, T(22) | 0x07fffffffffffe00, PT_LINUX_SWAP, 22, NULL, 0, 0 },
		{ V(6, 12) | DEVICE, 1, T(28) | PFN, PT_LINUX_DEVICE, 28, "private-read", 0x12345,
		  0 },
		{ V(6, 12) | DEVICE, 1, T(30) | PFN, PT_LINUX_DEVICE, 30, "exclusive-read", 0x12345,
		  0 },
		{ V(6, 15) | DEVICE, 1, T(30) | PFN, PT_LINUX_DEVICE, 30, "exclusive", 0x12345, 0 },
		{ V(6, 15) | DEVICE, 1, T(24) | PFN, PT_LINUX_HWPOISON, 24, NULL, 0x12345, 0 },
		{ V(5, 10) | DEVICE, 1, T(31) | PFN, PT_LINUX_DEVICE, 31, "private-read", 0x12345,
		  0 },
	};

	CHECK(examples);
}

/* ---- at random -------------------------------------------------------------------------- */

static uint64_t random_u64(void)
{
	return (uint64_t)random() << 62 ^ (uint64_t)random() << 31 ^ (uint64_t)random();
}

/* The seed comes from PTSCOPE_SEED, so that a failure can be repeated, or from the clock. */
static void random_start(void)
{
	const char *given = getenv("PTSCOPE_SEED");
	unsigned int seed =
		given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);

	fprintf(stderr, "PTSCOPE_SEED=%u\n", seed);
	srandom(seed);
}

/* __swp_entry() of pgtable_64.h, bit by bit. */
static uint64_t swp_entry(unsigned int type, uint64_t offset)
{
	uint64_t entry = 0;
	unsigned int bit;

	for (bit = 0; bit < 50; bit++)
		if (!(offset >> bit & 1))
			entry |= (uint64_t)1 << (9 + bit);
	for (bit = 0; bit < 5; bit++)
		if (type >> bit & 1)
			entry |= (uint64_t)1 << (59 + bit);
	return entry;
}

/* A kernel: how many types are swap areas, and which special one follows how often. */
static const struct kernel {
	unsigned int version, areas, migration, device, marker;
} kernels[] = {
	{ V(5, 10), 29, 2, 0, 0 },	    { V(5, 10) | DEVICE, 27, 2, 2, 0 },
	{ V(5, 15) | DEVICE, 25, 2, 4, 0 }, { V(6, 1), 26, 3, 0, 1 },
	{ V(6, 1) | DEVICE, 22, 3, 4, 1 },  { V(6, 6), 27, 3, 0, 1 },
	{ V(6, 12), 27, 3, 0, 1 },	    { V(6, 12) | DEVICE, 23, 3, 4, 1 },
	{ V(6, 15) | DEVICE, 24, 3, 3, 1 },
};

static enum pt_linux_kind kind_of_type(const struct kernel *k, unsigned int type)
{
	if (type < k->areas)
		return PT_LINUX_SWAP;
	type -= k->areas;
	if (type < 1)
		return PT_LINUX_HWPOISON;
	if (type < 1 + k->migration)
		return PT_LINUX_MIGRATION;
	if (type < 1 + k->migration + k->device)
		return PT_LINUX_DEVICE;
	return type < 1 + k->migration + k->device + k->marker ? PT_LINUX_MARKER
							       : PT_LINUX_SWAPIN_ERROR;
}

static void check_swap_entry(const struct kernel *k, const struct pt_fmt *fmt)
{
	unsigned int type = (unsigned int)random() % 32, flags = (unsigned int)random() % 8;
	unsigned int pfn_bits = fmt->top == 5 ? 40 : 34;
	uint64_t offset = random_u64() % ((uint64_t)1 << 50), pfn;
	struct pt_linux got;

	pt_linux_decode(fmt, 1, swp_entry(type, offset) | flags << 1, k->version, &got);
	cr_assert_eq(got.kind, kind_of_type(k, type), "0x%x type %u: %s", k->version, type,
		     pt_linux_kind_name(got.kind));
	cr_assert_eq(got.type, type);
	cr_assert_eq(got.soft_dirty, flags & 1);
	if (got.kind != PT_LINUX_MARKER)
		cr_assert_eq(got.uffd_wp, flags >> 1 & 1);
	cr_assert_eq(got.exclusive, (k->version & ~DEVICE) >= V(5, 19) ? flags >> 2 & 1 : 0);
	pfn = got.kind == PT_LINUX_HWPOISON || got.kind == PT_LINUX_MIGRATION ||
			      got.kind == PT_LINUX_DEVICE
		      ? offset % ((uint64_t)1 << pfn_bits)
		      : 0;
	cr_assert_eq(got.pfn, pfn);
	if (got.kind == PT_LINUX_SWAP || got.kind == PT_LINUX_MARKER)
		cr_assert_eq(got.offset, offset);
	if (got.kind == PT_LINUX_MIGRATION && (k->version & ~DEVICE) >= V(6, 1)) {
		cr_assert_eq(got.young, offset >> pfn_bits & 1);
		cr_assert_eq(got.dirty, offset >> (pfn_bits + 1) & 1);
	}
}

Test(pt_linux, random_swap_entries)
{
	struct pt_fmt four = format(PT_MODE_4LEVEL), five = format(PT_MODE_5LEVEL);
	unsigned int i, n;

	random_start();
	for (i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
		for (n = 0; n < 20000; n++)
			check_swap_entry(&kernels[i], n % 2 ? &four : &five);
}

/* pte_modify() to PAGE_NONE and back to the page frame, for pages of each size. */
Test(pt_linux, random_protnone)
{
	struct pt_fmt fmt = format(PT_MODE_4LEVEL);
	unsigned int level, n;

	random_start();
	for (n = 0; n < 20000; n++) {
		struct pt_linux got;
		uint64_t pa, entry;

		level = 1 + n % 3;
		pa = random_u64() & PT_BITS(45, 12) & ~(pt_level_size(&fmt, level) - 1);
		/* PTE_PFN_MASK, PHYSICAL_PMD_PAGE_MASK, PHYSICAL_PUD_PAGE_MASK */
		entry = ~pa & PT_BITS(51, 0) & ~(pt_level_size(&fmt, level) - 1);
		entry |= PT_A | PT_G | (level > 1 ? PT_PS : 0) | (random_u64() & PT_BITS(11, 9));
		pt_linux_decode(&fmt, level, entry, V(6, 1), &got);
		cr_assert_eq(got.kind, PT_LINUX_PROTNONE);
		cr_assert_eq(got.pfn, pa >> 12);
		cr_assert_eq(got.special | got.uffd_wp << 1 | got.soft_dirty << 2, entry >> 9 & 7);
	}
}

/* ---- others ----------------------------------------------------------------------------- */

Test(pt_linux, other_formats_are_no_process)
{
	static const enum pt_mode modes[] = { PT_MODE_32BIT, PT_MODE_PAE, PT_MODE_EPT4 };
	struct pt_feat feat = { .maxphyaddr = 46, .npt = 1 };
	struct pt_linux got;
	struct pt_fmt fmt;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (i < 3)
			fmt = format(modes[i]);
		else
			cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_4LEVEL, &feat), 0);
		pt_linux_decode(&fmt, 1, 0, V(6, 1), &got);
		cr_assert_eq(got.kind, PT_LINUX_NONE);
		pt_linux_decode(&fmt, 1, 0x12345100, V(6, 1), &got);
		cr_assert_eq(got.kind, PT_LINUX_UNKNOWN);
		pt_linux_decode(&fmt, 1, 0x12345e01, V(6, 1), &got);
		cr_assert_eq(got.kind, PT_LINUX_PRESENT);
		cr_assert_eq(got.special | got.uffd_wp | got.soft_dirty, 0);
	}
}

Test(pt_linux, names)
{
	unsigned int i;

	for (i = 0; i <= PT_LINUX_UNKNOWN; i++)
		cr_assert_str_neq(pt_linux_kind_name(i), "?", "kind %u", i);
	cr_assert_str_eq(pt_linux_kind_name(PT_LINUX_UNKNOWN + 1), "?");
	cr_assert_str_eq(pt_linux_kind_name(PT_LINUX_NONE), "empty");
}
