// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "user/report/walk_text.h"

#define TABLE	  0x63 /* P RW A D: _PAGE_TABLE of the kernel without US */
#define ADDR_MASK 0x000ffffffffff000ull

static const struct rec_info four_levels = { .levels = 4,
					     .maxphyaddr = 46,
					     .addr_mask = 0x3ffffffff000ull };
static const struct rec_info five_levels = { .levels = 5,
					     .maxphyaddr = 52,
					     .addr_mask = ADDR_MASK };

static struct walk_view decode(const struct rec_info *info, uint64_t va,
			       const struct ptev_walk *raw, bool cut)
{
	struct walk_view view;
	struct pt_fmt fmt;

	walk_fmt(&fmt, info);
	walk_decode(&view, &fmt, va, raw, cut);
	return view;
}

static void expect_line(const struct walk_view *view, const char *expected)
{
	struct line l = { 0 };

	walk_line(&l, view);
	line_char(&l, '\0');
	cr_assert_str_eq(l.buf, expected);
	line_free(&l);
}

static void expect_json(const struct walk_view *view, const char *expected)
{
	struct json j;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	json_init(&j, out);
	walk_json(&j, NULL, view);
	fclose(out);
	cr_assert_str_eq(text, expected);
	free(text);
}

Test(walk_text, leaf_4k)
{
	const struct ptev_walk raw = { { 0x80000000deadb867, 0x3000 | TABLE, 0x2000 | TABLE,
					 0x1000 | TABLE } };
	struct walk_view v = decode(&four_levels, 0x7f0000001234, &raw, false);

	cr_assert_eq(v.stop, WALK_LEAF);
	cr_assert_eq(v.level, 1);
	cr_assert_eq(v.pfn, 0xdeadb);
	cr_assert_eq(v.size, 4096);
	expect_line(&v, "pgd:1063 pud:2063 pmd:3063 pte:80000000deadb867 -> 4K pfn 0xdeadb");
}

Test(walk_text, leaf_2m_is_its_first_frame)
{
	const struct ptev_walk raw = { { 0, 0x80000000402000e7 & ~0x1000ull, 0x2067, 0x1067 } };
	struct walk_view v = decode(&four_levels, 0x7f00003ff123, &raw, false);

	cr_assert_eq(v.stop, WALK_LEAF);
	cr_assert_eq(v.level, 2);
	cr_assert_eq(v.pfn, 0x40200);
	cr_assert_eq(v.size, 2 << 20);
	expect_line(&v, "pgd:1067 pud:2067 pmd:80000000402000e7 -> 2M pfn 0x40200");
	expect_json(&v, "{\"levels\":[{\"level\":4,\"name\":\"pgd\",\"entry\":\"0x1067\"},"
			"{\"level\":3,\"name\":\"pud\",\"entry\":\"0x2067\"},"
			"{\"level\":2,\"name\":\"pmd\",\"entry\":\"0x80000000402000e7\"}],"
			"\"stop\":\"leaf\",\"stop_level\":2,\"pfn\":262656,"
			"\"page_size\":2097152}");
}

Test(walk_text, leaf_1g_five_levels)
{
	const struct ptev_walk raw = { { 0, 0, 0xc00000e7, 0x2067, 0x1067 } };
	struct walk_view v = decode(&five_levels, 0x7f0000001234, &raw, false);

	cr_assert_eq(v.size, 1 << 30);
	expect_line(&v, "pgd:1067 p4d:2067 pud:c00000e7 -> 1G pfn 0xc0000");
}

Test(walk_text, holes_at_every_level)
{
	static const char *const expected[] = {
		NULL,
		"pgd:5067 p4d:4067 pud:3067 pmd:2067 pte:0 -> hole at pte",
		"pgd:5067 p4d:4067 pud:3067 pmd:0 -> hole at pmd",
		"pgd:5067 p4d:4067 pud:0 -> hole at pud",
		"pgd:5067 p4d:0 -> hole at p4d",
		"pgd:0 -> hole at pgd",
	};
	struct ptev_walk raw = { { 0, 0x2067, 0x3067, 0x4067, 0x5067 } };
	struct walk_view v;
	unsigned int level;

	for (level = 1; level <= 5; level++) {
		raw.entry[level - 1] = 0;
		v = decode(&five_levels, 0x1000, &raw, false);
		cr_assert_eq(v.stop, WALK_HOLE);
		cr_assert_eq(v.level, level);
		expect_line(&v, expected[level]);
	}
	expect_json(&v, "{\"levels\":[{\"level\":5,\"name\":\"pgd\",\"entry\":\"0x0\"}],"
			"\"stop\":\"hole\",\"stop_level\":5,\"hole\":\"empty\"}");
}

Test(walk_text, cut_at_every_level)
{
	static const char *const expected[] = {
		NULL,
		"pgd:4067 pud:3067 pmd:2067 -> cut at pte",
		"pgd:4067 pud:3067 -> cut at pmd",
		"pgd:4067 -> cut at pud",
		"-> cut at pgd",
	};
	struct ptev_walk raw = { { 0, 0x2067, 0x3067, 0x4067 } };
	struct walk_view v;
	unsigned int level;

	for (level = 1; level <= 4; level++) {
		raw.entry[level - 1] = 0;
		v = decode(&four_levels, 0x1000, &raw, true);
		cr_assert_eq(v.stop, WALK_CUT);
		cr_assert_eq(v.level, level);
		expect_line(&v, expected[level]);
	}
	expect_json(&v, "{\"levels\":[],\"stop\":\"cut\",\"stop_level\":4}");
}

Test(walk_text, what_is_in_a_hole)
{
	static const struct {
		uint64_t entry;
		const char *end;
	} holes[] = {
		{ 0x1ffffffffffffe00 & ~1ull, "-> hole at pte (swap)" },
		{ 0x80000000deadb166 & ~1ull, "-> hole at pte (protnone)" },
		{ 30ull << 59 | 0x400, "-> hole at pte (special)" },
		{ PT_A | PT_D, "-> hole at pte" },
	};
	struct ptev_walk raw = { { 0, 0x2067, 0x3067, 0x4067 } };
	struct line l = { 0 };
	struct walk_view v;
	size_t i;

	for (i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		/* Bit 8 (G) of a swap entry is clear. */
		raw.entry[0] = i == 0 ? holes[i].entry & ~0x100ull : holes[i].entry;
		v = decode(&four_levels, 0x1000, &raw, true);
		cr_assert_eq(v.stop, WALK_HOLE);
		walk_line(&l, &v);
		line_char(&l, '\0');
		cr_assert(strstr(l.buf, holes[i].end), "%s", l.buf);
		cr_assert_str_eq(strstr(l.buf, "->"), holes[i].end);
		l.len = 0;
	}
	line_free(&l);
}

Test(walk_text, reserved_bits_are_bad)
{
	/* Bit 47 with 46 address bits. */
	struct ptev_walk raw = { { 0x1067, 0x2067, 0x0000800000003067, 0x4067 } };
	struct walk_view v = decode(&four_levels, 0x1000, &raw, false);

	cr_assert_eq(v.stop, WALK_BAD);
	cr_assert_eq(v.level, 3);
	expect_line(&v, "pgd:4067 pud:800000003067 -> bad at pud");
}

Test(walk_text, address_that_is_not_canonical)
{
	struct ptev_walk raw = { { 0 } };
	struct walk_view v = decode(&four_levels, 0x8000000000000000, &raw, false);

	cr_assert_eq(v.stop, WALK_BAD);
	expect_line(&v, "-> bad at pgd");
	expect_json(&v, "{\"levels\":[],\"stop\":\"bad\",\"stop_level\":4}");
}

Test(walk_text, encryption_bit_is_no_address)
{
	const uint64_t c_bit = 1ull << 47;
	const struct rec_info info = {
		.levels = 4, .maxphyaddr = 48, .enc_bit = 47, .addr_mask = 0x7ffffffff000ull
	};
	const struct rec_info gap = {
		.levels = 4, .maxphyaddr = 52, .enc_bit = 47, .addr_mask = ADDR_MASK & ~c_bit
	};
	const struct ptev_walk raw = { { c_bit | 0x1067, c_bit | 0x2067, c_bit | 0x3067,
					 c_bit | 0x4067 } };
	struct walk_view v = decode(&info, 0x1000, &raw, false);

	cr_assert_eq(v.stop, WALK_LEAF);
	cr_assert_eq(v.pfn, 1);
	v = decode(&gap, 0x1000, &raw, false);
	cr_assert_eq(v.stop, WALK_LEAF);
	cr_assert_eq(v.pfn, 1);
}

Test(walk_text, info_out_of_range_is_survived)
{
	const struct rec_info nonsense = { .levels = 77, .maxphyaddr = 9999 };
	const struct ptev_walk raw = { { 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff,
					 0xffffffffffffffff, 0xffffffffffffffff } };
	struct walk_view v = decode(&nonsense, 0x1000, &raw, false);

	cr_assert_eq(v.top, 4);
	cr_assert_eq(v.stop, WALK_BAD); /* PS in a level 4 entry */
}

Test(walk_text, level_names)
{
	cr_assert_str_eq(walk_level_name(4, 4), "pgd");
	cr_assert_str_eq(walk_level_name(4, 3), "pud");
	cr_assert_str_eq(walk_level_name(5, 5), "pgd");
	cr_assert_str_eq(walk_level_name(5, 4), "p4d");
	cr_assert_str_eq(walk_level_name(5, 1), "pte");
	cr_assert_str_eq(walk_level_name(5, 0), "?");
	cr_assert_str_eq(walk_level_name(4, 5), "?");
}
