// SPDX-License-Identifier: GPL-2.0
/* Ranges as lines and as JSON, and what counts as the same. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "user/show/range_text.h"

static struct pt_fmt fmt;

static void use(enum pt_mode mode)
{
	const struct pt_feat feat = {
		.maxphyaddr = 46, .nx = 1, .page1g = 1, .pse = 1, .ept_ad = 1
	};

	cr_assert_eq(pt_fmt_init(&fmt, mode, &feat), 0);
}

static struct pt_item leaf(uint64_t start, uint64_t last, unsigned int level, uint64_t entry)
{
	return (struct pt_item){ .start = start,
				 .last = last,
				 .pa = pt_entry_addr(&fmt, level, entry, 1),
				 .entry = entry,
				 .addr = 0x3018,
				 .level = (uint8_t)level,
				 .kind = PT_LEAF,
				 .perm = pt_entry_perm(&fmt, level, entry) };
}

static void expect(const struct range_style *style, const struct pt_item *item,
		   const char *expected)
{
	struct line l = { 0 };

	range_text(&l, style, item);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, expected);
	line_free(&l);
}

Test(range_text, leaves)
{
	const struct range_style plain = { .fmt = &fmt }, ad = { .fmt = &fmt, .ad = true },
				 perms = { .fmt = &fmt, .perms_only = true },
				 tree = { .fmt = &fmt, .tree = true };
	struct pt_item item;

	use(PT_MODE_4LEVEL);
	item = leaf(0x400000, 0x401fff, 1, 0x8000000000007165);
	expect(&plain, &item,
	       "0x0000000000400000-0x0000000000401fff       8K r--u 4K pa 0x7000 G\n");
	expect(&ad, &item,
	       "0x0000000000400000-0x0000000000401fff       8K r--u 4K pa 0x7000 G A D\n");
	expect(&perms, &item, "0x0000000000400000-0x0000000000401fff       8K r--u pa 0x7000\n");
	expect(&tree, &item,
	       "      0x0000000000400000-0x0000000000401fff       8K r--u 4K pa 0x7000 G\n");
	item = leaf(0xffff800000000000, 0xffff8000001fffff, 2, 0x1800000000201283);
	expect(&plain, &item,
	       "0xffff800000000000-0xffff8000001fffff       2M rwxs 2M pa 0x200000 pat=4 pk=3 "
	       "sw=0x200\n");
	use(PT_MODE_32BIT);
	item = leaf(0x400000, 0x7fffff, 2, 0x400087);
	expect(&plain, &item, "0x00400000-0x007fffff       4M rwxu 4M pa 0x400000\n");
	use(PT_MODE_EPT4);
	item = leaf(0, 0x1fffff, 2, 0x2000f3);
	expect(&plain, &item,
	       "0x0000000000000000-0x00000000001fffff       2M rw- 2M pa 0x200000 WB ipat\n");
}

Test(range_text, what_is_no_page)
{
	const struct range_style plain = { .fmt = &fmt };
	struct pt_item item = { .start = 0x600000,
				.last = 0x7fffff,
				.kind = PT_BAD,
				.why = PT_WHY_RESERVED,
				.level = 2,
				.addr = 0x3018,
				.entry = 0x2083 };

	use(PT_MODE_4LEVEL);
	expect(&plain, &item,
	       "0x0000000000600000-0x00000000007fffff       2M bad: reserved bit set, PDE at 0x3018: "
	       "0x2083\n");
	item.why = PT_WHY_UNREADABLE;
	expect(&plain, &item,
	       "0x0000000000600000-0x00000000007fffff       2M bad: memory unreadable, PDE at "
	       "0x3018\n");
	item.kind = PT_HOLE;
	item.why = PT_WHY_NOT_PRESENT;
	expect(&plain, &item,
	       "0x0000000000600000-0x00000000007fffff       2M hole: PDE at 0x3018: 0x2083\n");
	item.entry = 0;
	expect(&plain, &item, "0x0000000000600000-0x00000000007fffff       2M hole\n");
	item = (struct pt_item){
		.start = 0, .last = UINT64_MAX, .kind = PT_HOLE, .why = PT_WHY_NONCANONICAL
	};
	expect(&plain, &item,
	       "0x0000000000000000-0xffffffffffffffff      16E hole: address not canonical\n");
	item = (struct pt_item){ .start = 0,
				 .last = (1ull << 30) - 1,
				 .kind = PT_TABLE,
				 .level = 3,
				 .addr = 0x2000,
				 .entry = 0x3007,
				 .pa = 0x3000,
				 .perm = PT_PERM_ALL };
	expect(&plain, &item,
	       "0x0000000000000000-0x000000003fffffff       1G rwxu table 0x3000, PDPTE at 0x2000: "
	       "0x3007\n");
}

/* Both ways. */
static bool same(const struct range_style *style, const struct pt_item *a, const struct pt_item *b)
{
	bool is_same = range_same(style, a, style, b);

	cr_expect_eq(range_same(style, b, style, a), is_same);
	return is_same;
}

Test(range_text, same)
{
	const struct range_style plain = { .fmt = &fmt }, ad = { .fmt = &fmt, .ad = true },
				 perms = { .fmt = &fmt, .perms_only = true };
	struct pt_item a, b;

	use(PT_MODE_4LEVEL);
	a = leaf(0, 0xfff, 1, 0x7007);
	b = leaf(0, 0xfff, 1, 0x9067); /* elsewhere, accessed and dirty */
	cr_expect(same(&plain, &a, &b));
	cr_expect_not(same(&ad, &a, &b));
	b = leaf(0, 0xfff, 1, 0x7207); /* a software bit */
	cr_expect_not(same(&plain, &a, &b));
	cr_expect(same(&perms, &a, &b));
	b = leaf(0, 0xfff, 2, 0x87); /* a part of a large page */
	cr_expect_not(same(&plain, &a, &b));
	cr_expect(same(&perms, &a, &b));
	b.perm &= (uint8_t)~PT_PERM_W; /* of a level above */
	cr_expect_not(same(&perms, &a, &b));
	b.kind = PT_BAD;
	cr_expect_not(same(&plain, &a, &b));
}

static struct pt_item without_page(enum pt_kind kind, unsigned int level, uint64_t entry)
{
	return (struct pt_item){ .kind = (uint8_t)kind,
				 .why = kind == PT_BAD ? PT_WHY_RESERVED : PT_WHY_NOT_PRESENT,
				 .level = (uint8_t)level,
				 .entry = entry };
}

Test(range_text, same_without_a_page)
{
	const struct range_style plain = { .fmt = &fmt }, ad = { .fmt = &fmt, .ad = true },
				 perms = { .fmt = &fmt, .perms_only = true };
	struct pt_item a, b;

	use(PT_MODE_4LEVEL);
	a = without_page(PT_HOLE, 1, 0);
	b = without_page(PT_HOLE, 3, 0);
	cr_expect(same(&plain, &a, &b));
	b = without_page(PT_HOLE, 1, 0x1ffffffffffffe00); /* a swap slot */
	cr_expect_not(same(&plain, &a, &b));
	cr_expect(same(&perms, &a, &b));
	a = b;
	cr_expect(same(&plain, &a, &b));
	a.level = 2;
	cr_expect_not(same(&plain, &a, &b));
	a = without_page(PT_BAD, 2, 0x2083);
	b = without_page(PT_BAD, 2, 0x20e3); /* A and D */
	cr_expect(same(&plain, &a, &b));
	cr_expect_not(same(&ad, &a, &b));
	b.entry = 0x4083;
	cr_expect_not(same(&plain, &a, &b));
	cr_expect_not(same(&perms, &a, &b));
}

/* What is an encryption bit on one side only is no difference of what the entries say. */
Test(range_text, same_in_two_formats)
{
	const struct pt_feat feat = { .maxphyaddr = 46, .nx = 1, .enc_bit = 51 };
	struct pt_fmt encrypted;
	const struct range_style plain = { .fmt = &fmt }, other = { .fmt = &encrypted };
	struct pt_item a, b;

	use(PT_MODE_4LEVEL);
	cr_assert_eq(pt_fmt_init(&encrypted, PT_MODE_4LEVEL, &feat), 0);
	a = leaf(0, 0xfff, 1, 0x7007);
	b = leaf(0, 0xfff, 1, 0x7007 | PT_BIT(51));
	cr_expect_not(range_same(&plain, &a, &other, &b));
	b.entry = 0x7067;
	cr_expect(range_same(&plain, &a, &other, &b));
	cr_expect(range_same(&other, &b, &plain, &a));
}

Test(range_text, json)
{
	const struct range_style ad = { .fmt = &fmt, .ad = true };
	struct pt_item item;
	struct json j;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	use(PT_MODE_EPT4);
	item = leaf(0x1000, 0x2fff, 1, 0x7137);
	json_init(&j, out);
	json_object(&j, NULL);
	range_json(&j, &ad, &item);
	json_end_object(&j);
	fclose(out);
	cr_expect_str_eq(
		text, "{\"start\":\"0x1000\",\"last\":\"0x2fff\",\"kind\":\"leaf\",\"why\":null,"
		      "\"entry\":\"PTE\",\"at\":\"0x3018\",\"value\":\"0x7137\",\"pa\":\"0x7000\","
		      "\"page_size\":4096,\"read\":true,\"write\":true,\"exec\":true,"
		      "\"exec_user\":true,\"memtype\":\"WB\",\"ipat\":false,\"software\":\"0x0\","
		      "\"accessed\":true,\"dirty\":false}");
	free(text);
}

static void expect_json(const struct pt_item *item, const char *expected)
{
	const struct range_style plain = { .fmt = &fmt };
	struct json j;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	json_init(&j, out);
	json_object(&j, NULL);
	range_says_json(&j, &plain, item);
	json_end_object(&j);
	fclose(out);
	cr_expect_str_eq(text, expected);
	free(text);
}

Test(range_text, json_of_what_is_no_page)
{
	struct pt_item item = { .kind = PT_TABLE,
				.level = 3,
				.addr = 0x2000,
				.entry = 0x3005,
				.pa = 0x3000,
				.perm = PT_PERM_ALL & ~PT_PERM_W };

	use(PT_MODE_4LEVEL);
	expect_json(&item, "{\"kind\":\"table\",\"why\":null,\"entry\":\"PDPTE\","
			   "\"at\":\"0x2000\",\"value\":\"0x3005\",\"table\":\"0x3000\","
			   "\"read\":true,\"write\":false,\"exec\":true,\"user\":true}");
	item = without_page(PT_BAD, 2, 0);
	item.why = PT_WHY_UNREADABLE;
	expect_json(&item, "{\"kind\":\"bad\",\"why\":\"memory unreadable\",\"entry\":\"PDE\","
			   "\"at\":\"0x0\",\"value\":null}");
	use(PT_MODE_EPT4);
	item = (struct pt_item){ .kind = PT_HOLE, .why = PT_WHY_NONCANONICAL };
	expect_json(&item, "{\"kind\":\"hole\",\"why\":\"address out of range\"}");
}
