// SPDX-License-Identifier: GPL-2.0
/* What pt_decode() says of entries, and what pt_encode() takes and refuses. */
#include "tests/unit/pt_entry_formats.h"

/* ---- values worked out by hand ---------------------------------------------------------- */

static void check_both_ways(const char *name, unsigned int level, uint64_t entry,
			    struct pt_entry want)
{
	struct pt_fmt fmt = format_named(name);
	uint64_t again = 0;
	struct pt_entry e;

	want.level = (uint8_t)level;
	pt_decode(&fmt, level, entry, &e);
	cr_assert_eq(memcmp(&e, &want, offsetof(struct pt_entry, enc) + 1), 0, "%s 0x%llx", name,
		     (unsigned long long)entry);
	cr_assert_eq(e.addr, want.addr, "0x%llx", (unsigned long long)e.addr);
	cr_assert_eq(e.other, want.other, "0x%llx", (unsigned long long)e.other);
	cr_assert_eq(pt_encode(&fmt, &want, &again), 0);
	cr_assert_eq(again, entry, "0x%llx", (unsigned long long)again);
}

Test(pt_encode, x86_values)
{
	/* 0x67 = P RW US A D, 4 KiB; bit 9 is software's */
	check_both_ways("4level", 1, 0x8000000012345267,
			(struct pt_entry){ .kind = PT_LEAF,
					   .r = 1,
					   .w = 1,
					   .us = 1,
					   .a = 1,
					   .d = 1,
					   .addr = 0x12345000,
					   .other = 0x200 });
	/* 0x99 = P PWT PCD PAT, key 9, executable */
	check_both_ways("4level", 1, (UINT64_C(9) << 59) + 0x1099,
			(struct pt_entry){ .kind = PT_LEAF,
					   .r = 1,
					   .x = 1,
					   .pwt = 1,
					   .pcd = 1,
					   .pat = 1,
					   .pkey = 9,
					   .addr = 0x1000 });
	/* 0x1181 = P PS G and PAT at bit 12: 2 MiB at 0x40000000 */
	check_both_ways(
		"4level", 2, 0x40001181,
		(struct pt_entry){
			.kind = PT_LEAF, .r = 1, .x = 1, .g = 1, .pat = 1, .addr = 0x40000000 });
	/* a table entry; bits 62:59 are no key there */
	check_both_ways("5level", 4, PT_BIT(60) | 0x2063,
			(struct pt_entry){ .kind = PT_TABLE,
					   .r = 1,
					   .w = 1,
					   .x = 1,
					   .a = 1,
					   .addr = 0x2000,
					   .other = PT_BIT(60) | PT_BIT(6) });
	/* bit 47 is the C bit, not address */
	check_both_ways(
		"4level enc", 1, PT_BIT(47) | 0x5001,
		(struct pt_entry){ .kind = PT_LEAF, .r = 1, .x = 1, .enc = 1, .addr = 0x5000 });
	/* no part of a hole has a meaning */
	check_both_ways("4level", 1, 0x8000000012345266,
			(struct pt_entry){ .kind = PT_HOLE,
					   .why = PT_WHY_NOT_PRESENT,
					   .other = 0x8000000012345266 });
	check_both_ways("pae", 3, 0x7e19,
			(struct pt_entry){ .kind = PT_TABLE,
					   .r = 1,
					   .x = 1,
					   .pwt = 1,
					   .pcd = 1,
					   .addr = 0x7000,
					   .other = 0xe00 });
	/* PSE-36: bits 20:13 = 0x5a are bits 39:32 of the address */
	check_both_ways(
		"32bit pse36 40", 2, 0x12c00083 | 0x5a << 13,
		(struct pt_entry){
			.kind = PT_LEAF, .r = 1, .w = 1, .x = 1, .addr = UINT64_C(0x5a12c00000) });
	/* without CR4.PSE bit 7 says nothing */
	check_both_ways("32bit", 2, 0x3081,
			(struct pt_entry){
				.kind = PT_TABLE, .r = 1, .x = 1, .addr = 0x3000, .other = PT_PS });
}

Test(pt_encode, ept_values)
{
	/* RWX, write back (6 << 3), ignore PAT, A, D, user execute, suppress #VE: 4 KiB */
	check_both_ways("ept5 all", 1, PT_BIT(63) | 0x9777,
			(struct pt_entry){ .kind = PT_LEAF,
					   .r = 1,
					   .w = 1,
					   .x = 1,
					   .xu = 1,
					   .a = 1,
					   .d = 1,
					   .memtype = 6,
					   .ipat = 1,
					   .sve = 1,
					   .addr = 0x9000 });
	/* R, uncached, 2 MiB; VGP, PW, SSS; bit 61 is SPP only in 4 KiB leaves */
	check_both_ways("ept5 all", 2,
			PT_BIT(57) | PT_BIT(58) | PT_BIT(60) | PT_BIT(61) | 0x40000081,
			(struct pt_entry){ .kind = PT_LEAF,
					   .r = 1,
					   .vgp = 1,
					   .pw = 1,
					   .sss = 1,
					   .addr = 0x40000000,
					   .other = PT_BIT(61) });
	check_both_ways("ept5 all", 1, PT_BIT(61) | 0x1031,
			(struct pt_entry){
				.kind = PT_LEAF, .r = 1, .spp = 1, .memtype = 6, .addr = 0x1000 });
	/* A, D and XU are software's without their switches */
	check_both_ways("ept4", 1, 0x1737,
			(struct pt_entry){ .kind = PT_LEAF,
					   .r = 1,
					   .w = 1,
					   .x = 1,
					   .memtype = 6,
					   .addr = 0x1000,
					   .other = 0x700 });
	/* KVM's empty entry where #VE is in use */
	check_both_ways("ept4", 3, PT_BIT(63),
			(struct pt_entry){ .kind = PT_HOLE, .why = PT_WHY_NOT_PRESENT, .sve = 1 });
	/* present for user-mode fetches alone */
	check_both_ways("ept5 all", 4, 0x1400,
			(struct pt_entry){ .kind = PT_TABLE, .xu = 1, .addr = 0x1000 });
}

Test(pt_encode, bad_values)
{
	/* bit 13 in a 2 MiB leaf; PS is told by ->other, as ->kind does not */
	check_both_ways("4level", 2, 0x40002083,
			(struct pt_entry){ .kind = PT_BAD,
					   .why = PT_WHY_RESERVED,
					   .r = 1,
					   .w = 1,
					   .x = 1,
					   .addr = 0x40000000,
					   .other = 0x2080 });
	/* NX where EFER.NXE is clear */
	check_both_ways("4level plain", 1, PT_BIT(63) | 0x1001,
			(struct pt_entry){ .kind = PT_BAD,
					   .why = PT_WHY_RESERVED,
					   .r = 1,
					   .x = 1,
					   .addr = 0x1000,
					   .other = PT_BIT(63) });
	/* write without read; execute without read; memory type 3 */
	check_both_ways("ept4", 1, 0x1036,
			(struct pt_entry){ .kind = PT_BAD,
					   .why = PT_WHY_EPT_ACCESS,
					   .w = 1,
					   .x = 1,
					   .memtype = 6,
					   .addr = 0x1000 });
	check_both_ways("ept4", 4, 0x1004,
			(struct pt_entry){
				.kind = PT_BAD, .why = PT_WHY_EPT_ACCESS, .x = 1, .addr = 0x1000 });
	check_both_ways("ept4", 2, 0x20009f,
			(struct pt_entry){ .kind = PT_BAD,
					   .why = PT_WHY_EPT_MEMTYPE,
					   .r = 1,
					   .w = 1,
					   .x = 1,
					   .memtype = 3,
					   .addr = 0x200000,
					   .other = PT_PS });
}

/* ---- what does not fit ------------------------------------------------------------------ */

static int encode(const char *name, struct pt_entry e)
{
	struct pt_fmt fmt = format_named(name);
	uint64_t entry = 42;
	int ret = pt_encode(&fmt, &e, &entry);

	cr_assert(ret ? ret == -EINVAL && entry == 42 : entry != 42);
	return ret;
}

#define LEAF(n)		   .kind = PT_LEAF, .level = (n), .r = 1, .x = 1
#define TABLE(n)	   .kind = PT_TABLE, .level = (n), .r = 1, .x = 1
#define REFUSED(name, ...) cr_assert_eq(encode(name, (struct pt_entry){ __VA_ARGS__ }), -EINVAL)
#define TAKEN(name, ...)   cr_assert_eq(encode(name, (struct pt_entry){ __VA_ARGS__ }), 0)

Test(pt_encode, addresses_that_do_not_fit)
{
	TAKEN("4level", LEAF(1), .addr = PT_BIT(45));
	REFUSED("4level", LEAF(1), .addr = PT_BIT(46));
	REFUSED("4level", LEAF(1), .addr = 0x800);
	REFUSED("4level", LEAF(2), .addr = 0x1000);
	REFUSED("4level", LEAF(3), .addr = 0x200000);
	TAKEN("4level", LEAF(3), .addr = 0x40000000);
	REFUSED("4level enc", LEAF(1), .addr = PT_BIT(47));
	REFUSED("32bit", LEAF(1), .addr = PT_BIT(32));
	REFUSED("32bit pse", LEAF(2), .addr = PT_BIT(32));
	TAKEN("32bit pse36 36", LEAF(2), .addr = PT_BIT(35));
	REFUSED("32bit pse36 36", LEAF(2), .addr = PT_BIT(36));
	REFUSED("32bit pse36 36", TABLE(2), .addr = PT_BIT(35));
	REFUSED("pae", TABLE(3), .addr = PT_BIT(36));
	REFUSED("ept4", LEAF(1), .addr = PT_BIT(46));
}

Test(pt_encode, values_without_a_bit)
{
	TAKEN("4level", LEAF(1), .pkey = 15);
	REFUSED("4level", LEAF(1), .pkey = 16);
	REFUSED("4level", TABLE(2), .pkey = 1);
	REFUSED("pae nx", LEAF(1), .pkey = 1);
	REFUSED("4level", LEAF(1), .w = 2);
	REFUSED("4level", TABLE(2), .d = 1);
	REFUSED("4level", TABLE(2), .g = 1);
	REFUSED("4level", TABLE(2), .pat = 1);
	REFUSED("4level", LEAF(1), .enc = 1);
	REFUSED("4level", LEAF(1), .xu = 1);
	REFUSED("4level", LEAF(1), .memtype = 6);
	REFUSED("pae", TABLE(3), .w = 1);
	REFUSED("ept4", LEAF(1), .us = 1);
	REFUSED("ept4", LEAF(1), .a = 1);
	TAKEN("ept4 ad", LEAF(1), .a = 1, .d = 1);
	REFUSED("ept4 ad", TABLE(2), .a = 1, .d = 1);
	REFUSED("ept4", LEAF(1), .xu = 1);
	REFUSED("ept4", LEAF(1), .sss = 1);
	REFUSED("ept4", LEAF(2), .spp = 1);
	REFUSED("ept4", TABLE(2), .memtype = 6);
	REFUSED("ept4", TABLE(2), .sve = 1);
	REFUSED("ept4", LEAF(1), .memtype = 8);
	/* ->x is 1 where there is no NX */
	TAKEN("4level", .kind = PT_LEAF, .level = 1, .r = 1);
	REFUSED("4level plain", .kind = PT_LEAF, .level = 1, .r = 1);
	REFUSED("32bit", .kind = PT_LEAF, .level = 1, .r = 1);
	/* bits that have a member */
	REFUSED("4level", LEAF(1), .other = PT_RW);
	REFUSED("4level", LEAF(1), .other = 0x1000);
	TAKEN("4level", LEAF(1), .other = PT_BIT(9) | PT_BIT(58));
	REFUSED("32bit", LEAF(1), .other = PT_BIT(32));
}

Test(pt_encode, kinds_that_the_bits_contradict)
{
	REFUSED("4level", .kind = PT_LEAF, .level = 1, .x = 1);
	REFUSED("4level", .kind = PT_HOLE, .level = 1, .r = 1);
	REFUSED("4level", .kind = PT_HOLE, .level = 1, .other = PT_P);
	TAKEN("4level", .kind = PT_HOLE, .level = 1, .other = 0x1234560);
	REFUSED("4level", TABLE(1));
	REFUSED("4level", LEAF(4));
	REFUSED("4level 52", LEAF(3));
	REFUSED("32bit", LEAF(2));
	REFUSED("4level", TABLE(2), .other = PT_PS);
	REFUSED("4level", LEAF(2), .other = PT_BIT(13));
	REFUSED("4level", .kind = PT_BAD, .level = 1, .r = 1, .x = 1);
	REFUSED("4level", .kind = PT_BAD + 1, .level = 1, .r = 1, .x = 1);
	REFUSED("ept4", LEAF(1), .memtype = 2);
	REFUSED("ept4", .kind = PT_LEAF, .level = 1, .x = 1);
	TAKEN("ept4 exec-only", .kind = PT_LEAF, .level = 1, .x = 1);
	REFUSED("ept4", .kind = PT_LEAF, .level = 1, .w = 1);
	REFUSED("4level", LEAF(0));
	REFUSED("4level", TABLE(5));
	REFUSED("4level", TABLE(255));
}

/* ---- any structure ---------------------------------------------------------------------- */

/* Changes one member, mostly to something that may be legal. */
static void change(struct pt_entry *e)
{
	const size_t first = offsetof(struct pt_entry, r), last = offsetof(struct pt_entry, enc);

	switch (random_u64() % 4) {
	case 0:
		e->addr = random_u64() & ~(random_u64() % 2 ? PT_BITS(63, 32) : PT_BITS(63, 48));
		e->addr &= ~(random_u64() % 2 ? PT_BITS(29, 0) : PT_BITS(11, 0));
		break;
	case 1:
		e->other ^= PT_BIT(random_u64() % 64);
		break;
	default:
		((uint8_t *)e)[first + random_u64() % (last - first + 1)] =
			(uint8_t)(random_u64() % (random_u64() % 8 ? 2 : 256));
	}
}

/* What is encoded is what was meant; and much is, so that this is not true of nothing. */
Test(pt_encode, structures_come_back)
{
	unsigned int level, n, taken = 0, tried = 0;
	struct pt_entry e, again;
	uint64_t entry;
	size_t i;

	random_start();
	for (i = 0; i < NR_CONFIGS; i++) {
		struct pt_fmt fmt = format(&configs[i]);

		for (level = 1; level <= fmt.top; level++) {
			pt_decode(&fmt, level, random_entry(&fmt, level), &e);
			for (n = 0; n < 2000; n++, tried++) {
				struct pt_entry was = e;

				change(&e);
				if (pt_encode(&fmt, &e, &entry)) {
					e = was;
					continue;
				}
				taken++;
				pt_decode(&fmt, level, entry, &again);
				again.why = e.why;
				cr_assert_eq(memcmp(&again, &e, offsetof(struct pt_entry, enc) + 1),
					     0, "%s", configs[i].name);
				cr_assert(again.addr == e.addr && again.other == e.other);
				cr_assert_eq(entry & ~entry_bits(&fmt), 0);
			}
		}
	}
	cr_assert_gt(taken, tried / 20, "%u of %u", taken, tried);
}

/* ---- fields and names ------------------------------------------------------------------- */

Test(pt_encode, values_of_fields)
{
	const struct pt_field key = { PT_FIELD_PK, 59, 62 }, addr = { PT_FIELD_ADDR, 21, 45 };
	const struct pt_field high = { PT_FIELD_ADDR_HI, 13, 16 };
	uint64_t entry = UINT64_MAX;

	cr_assert_eq(pt_field_set(&key, &entry, 5), 0);
	cr_assert_eq(pt_field_get(&key, entry), 5);
	cr_assert_eq(pt_field_set(&key, &entry, 16), -EINVAL);
	cr_assert_eq(pt_field_set(&addr, &entry, 0x600000), 0);
	cr_assert_eq(pt_field_get(&addr, entry), 0x600000);
	cr_assert_eq(pt_field_set(&addr, &entry, 0x1000), -EINVAL);
	cr_assert_eq(pt_field_set(&addr, &entry, PT_BIT(46)), -EINVAL);
	cr_assert_eq(pt_field_set(&high, &entry, UINT64_C(0xa00000000)), 0);
	cr_assert_eq(pt_field_get(&high, entry), UINT64_C(0xa00000000));
	cr_assert_eq(pt_field_set(&high, &entry, PT_BIT(36)), -EINVAL);
	cr_assert_eq(pt_field_set(&high, &entry, PT_BIT(31)), -EINVAL);
	cr_assert_eq(entry, (~(PT_BITS(62, 59) | PT_BITS(45, 21) | PT_BITS(16, 13))) |
				    UINT64_C(5) << 59 | 0x600000 | 0xa << 13);
}

Test(pt_encode, pat_index)
{
	struct pt_fmt fmt = format_named("4level"), ept = format_named("ept4");

	cr_assert_eq(pt_pat_index(&fmt, 1, PT_P | PT_PAT_4K | PT_PWT), 5);
	cr_assert_eq(pt_pat_index(&fmt, 1, PT_P | PT_PAT_LARGE | PT_PCD), 2);
	cr_assert_eq(pt_pat_index(&fmt, 2, PT_P | PT_PS | PT_PAT_LARGE | PT_PCD), 6);
	cr_assert_eq(pt_pat_index(&fmt, 2, PT_P | PT_PS), 0);
	cr_assert_eq(pt_pat_index(&fmt, 2, PT_P | PT_PAT_LARGE | PT_PCD | PT_PWT), 3);
	cr_assert_eq(pt_pat_index(&ept, 1, EPT_R | EPT_MEMTYPE), 0);
}

Test(pt_encode, names)
{
	struct pt_fmt small = format_named("32bit"), large = format_named("5level");
	unsigned int i;

	for (i = 0; i < PT_NR_FIELD_IDS; i++)
		cr_assert_str_neq(pt_field_name(i), "?", "field %u", i);
	cr_assert_str_eq(pt_field_name(PT_NR_FIELD_IDS), "?");
	cr_assert_str_eq(pt_level_name(&small, 1), "PTE");
	cr_assert_str_eq(pt_level_name(&small, 2), "PDE");
	cr_assert_str_eq(pt_level_name(&small, 3), "?");
	cr_assert_str_eq(pt_level_name(&large, 3), "PDPTE");
	cr_assert_str_eq(pt_level_name(&large, 5), "PML5E");
	cr_assert_str_eq(pt_level_name(&large, 0), "?");
	cr_assert_str_eq(pt_level_name(&large, 6), "?");
	cr_assert_str_eq(pt_why_name(PT_WHY_NONE), "");
	for (i = PT_WHY_NONE; i <= PT_WHY_UNREADABLE; i++)
		cr_assert_str_neq(pt_why_name(i), "?");
	cr_assert_str_eq(pt_why_name(PT_WHY_UNREADABLE + 1), "?");
	cr_assert_str_eq(pt_memtype_name(0), "UC");
	cr_assert_str_eq(pt_memtype_name(3), "?");
	cr_assert_str_eq(pt_memtype_name(6), "WB");
	cr_assert_str_eq(pt_memtype_name(7), "UC-");
	cr_assert_str_eq(pt_memtype_name(8), "?");
}
