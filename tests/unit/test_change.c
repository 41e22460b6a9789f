// SPDX-License-Identifier: GPL-2.0
/* Changes in words: what they mean, what is refused, and that text and meaning are inverses. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/random.h"
#include "user/remap/change.h"

#define PK(n) ((uint64_t)(n) << 59)
#define NX    (1ull << 63)

static int parse(struct ptremap_item *item, const char *text, char *why)
{
	char line[512];

	snprintf(line, sizeof(line), "%s", text);
	why[0] = 0;
	return change_parse(item, line, why);
}

static void expect_text(const struct ptremap_item *item, const char *text)
{
	struct line l = { 0 };

	change_text(&l, item);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, text);
	line_free(&l);
}

Test(change, lines_and_their_meaning)
{
	static const struct {
		const char *line;
		struct ptremap_item item;
		const char *text; /* as change_text() has it; NULL: as it was */
	} cases[] = {
		{ "trap 42:0x1000", { .what = PTREMAP_TRAP, .pid = 42, .va = 0x1000 }, NULL },
		{ "\ttrap  0x2a:4096\r\n",
		  { .what = PTREMAP_TRAP, .pid = 42, .va = 0x1000 },
		  "trap 42:0x1000" },
		{ "trap 42:0x1000 expect=0x8000000000001067",
		  { .what = PTREMAP_TRAP,
		    .pid = 42,
		    .va = 0x1000,
		    .flags = PTREMAP_ITEM_EXPECT,
		    .expected = 0x8000000000001067 },
		  NULL },
		{ "map 42:0x1000 phys=0x2000",
		  { .what = PTREMAP_RAM, .pid = 42, .va = 0x1000, .other_va = 0x2000 },
		  NULL },
		{ "map 42:0x1000 force-frame=kernel,free phys=8192",
		  { .what = PTREMAP_RAM,
		    .pid = 42,
		    .va = 0x1000,
		    .other_va = 0x2000,
		    .flags = PTREMAP_ITEM_FORCE_FREE | PTREMAP_ITEM_FORCE_KERNEL },
		  "map 42:0x1000 phys=0x2000 force-frame=free,kernel" },
		{ "map 42:0x1000 phys=0x2000 force-frame=free,table,slab,reserved,kernel",
		  { .what = PTREMAP_RAM,
		    .pid = 42,
		    .va = 0x1000,
		    .other_va = 0x2000,
		    .flags = PTREMAP_ITEM_FORCE },
		  NULL },
		{ "map 42:0x1000 mmio=0xfed00000 expect=0x1067",
		  { .what = PTREMAP_MMIO,
		    .pid = 42,
		    .va = 0x1000,
		    .other_va = 0xfed00000,
		    .flags = PTREMAP_ITEM_EXPECT,
		    .expected = 0x1067 },
		  NULL },
		{ "trap 42:0x200000 level=1",
		  { .what = PTREMAP_TRAP, .pid = 42, .va = 0x200000 },
		  "trap 42:0x200000" },
		{ "trap 42:0x200000 level=2",
		  { .what = PTREMAP_TRAP, .pid = 42, .va = 0x200000, .level = 2 },
		  NULL },
		{ "protect 42:0x200000 level=2 set=RW,PAT",
		  { .what = PTREMAP_PROTECT, .pid = 42, .va = 0x200000, .set = 0x1002, .level = 2 },
		  "protect 42:0x200000 set=RW,PAT level=2" },
		{ "protect 42:0x200000 clear=PAT,NX,RW,PWT,PCD,A,D,PK level=2",
		  { .what = PTREMAP_PROTECT,
		    .pid = 42,
		    .va = 0x200000,
		    .clear = PTREMAP_PROTECT_BITS_2M,
		    .level = 2 },
		  "protect 42:0x200000 clear=RW,PWT,PCD,A,D,PAT,PK,NX level=2" },
		{ "swap 42:0x200000 with=0x400000 level=2",
		  { .what = PTREMAP_SWAP,
		    .pid = 42,
		    .va = 0x200000,
		    .other_pid = 42,
		    .other_va = 0x400000,
		    .level = 2 },
		  "swap 42:0x200000 with=42:0x400000 level=2" },
		{ "map 42:0x1000 fresh", { .what = PTREMAP_FRESH, .pid = 42, .va = 0x1000 }, NULL },
		{ "map 42:0x1000 frame-of=43:0x2000",
		  { .what = PTREMAP_FRAME,
		    .pid = 42,
		    .va = 0x1000,
		    .other_pid = 43,
		    .other_va = 0x2000 },
		  NULL },
		{ "swap 42:0x1000 with=0x2000",
		  { .what = PTREMAP_SWAP,
		    .pid = 42,
		    .va = 0x1000,
		    .other_pid = 42,
		    .other_va = 0x2000 },
		  "swap 42:0x1000 with=42:0x2000" },
		{ "swap 42:0x1000 with=43:0x1000",
		  { .what = PTREMAP_SWAP,
		    .pid = 42,
		    .va = 0x1000,
		    .other_pid = 43,
		    .other_va = 0x1000 },
		  NULL },
		{ "protect 42:0x1000 set=RW clear=NX",
		  { .what = PTREMAP_PROTECT, .pid = 42, .va = 0x1000, .set = 2, .clear = NX },
		  NULL },
		{ "protect 42:0x1000 clear=nx,pwt,Pcd,a,D,pat,pk,rw",
		  { .what = PTREMAP_PROTECT,
		    .pid = 42,
		    .va = 0x1000,
		    .clear = PTREMAP_PROTECT_BITS },
		  "protect 42:0x1000 clear=RW,PWT,PCD,A,D,PAT,PK,NX" },
		{ "protect 42:0x1000 set=PK=0x3",
		  { .what = PTREMAP_PROTECT,
		    .pid = 42,
		    .va = 0x1000,
		    .set = PK(3),
		    .clear = PK(12) },
		  NULL },
		{ "protect 42:0x1000 set=pkey=0",
		  { .what = PTREMAP_PROTECT, .pid = 42, .va = 0x1000, .clear = PK(15) },
		  "protect 42:0x1000 clear=PK" },
	};
	char why[CHANGE_WHY_LEN];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ptremap_item item;

		cr_assert_eq(parse(&item, cases[i].line, why), 0, "%s: %s", cases[i].line, why);
		cr_expect_eq(memcmp(&item, &cases[i].item, sizeof(item)), 0, "%s", cases[i].line);
		expect_text(&item, cases[i].text ? cases[i].text : cases[i].line);
	}
}

Test(change, lines_that_make_no_sense)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "", "'' is not one of protect, map, swap, trap" },
		{ "unmap 1:0", "'unmap' is not one of protect, map, swap, trap" },
		{ "trap", "PID:VA is missing" },
		{ "trap 0x1000", "'0x1000' is an address of which process?" },
		{ "trap :0x1000", "':0x1000': what is before the ':' is no process id" },
		{ "trap 0:0x1000", "'0:0x1000': what is before the ':' is no process id" },
		{ "trap -1:0x1000", "'-1:0x1000': what is before the ':' is no process id" },
		{ "trap 2147483648:0", "'2147483648:0': what is before the ':' is no process id" },
		{ "trap 1:", "'1:' is not an address" },
		{ "trap 1:2:3", "'1:2:3' is not an address" },
		{ "trap 1:0x10000000000000000", "'1:0x10000000000000000' is not an address" },
		{ "trap 1:0x1000 0x2000", "'0x2000' is not part of this change" },
		{ "trap 1:0x1000 fresh", "'fresh' is not part of this change" },
		{ "map 1:0x200000 level=2 phys=0x200000",
		  "phys and mmio are for pages of 4 KiB, not for level 2" },
		{ "trap 1:0x200000 level=3", "level: '3' is neither 1 (4 KiB) nor 2 (2 MiB)" },
		{ "trap 1:0x200000 level=0", "level: '0' is neither 1 (4 KiB) nor 2 (2 MiB)" },
		{ "trap 1:0x200000 level=big", "level: 'big' is neither 1 (4 KiB) nor 2 (2 MiB)" },
		{ "trap 1:0x200000 level", "level needs a value" },
		{ "trap 1:0x1000 expect", "expect needs a value" },
		{ "trap 1:0x1000 expect=", "expect: '' is not a number" },
		{ "trap 1:0x1000 expect=1 expect=1", "expect is there twice" },
		{ "map 1:0x1000", "the frame is missing: frame-of, fresh, phys or mmio" },
		{ "map 1:0x1000 fresh=1", "fresh takes no value" },
		{ "map 1:0x1000 fresh frame-of=1:0x2000",
		  "frame-of, fresh, phys and mmio exclude each other" },
		{ "map 1:0x1000 frame-of=1:0x2000 fresh",
		  "frame-of, fresh, phys and mmio exclude each other" },
		{ "map 1:0x1000 frame-of=0x2000", "'0x2000' is not PID:VA" },
		{ "map 1:0x1000 phys=0x1000 mmio=0x1000",
		  "frame-of, fresh, phys and mmio exclude each other" },
		{ "map 1:0x1000 phys", "phys needs a value" },
		{ "map 1:0x1000 phys=1:0x1000", "'1:0x1000' is not an address" },
		{ "map 1:0x1000 mmio=x", "'x' is not an address" },
		{ "map 1:0x1000 mmio=0x1000 force-frame=kernel",
		  "force-frame is for the page that phys names" },
		{ "map 1:0x1000 force-frame=slab fresh",
		  "force-frame is for the page that phys names" },
		{ "map 1:0x1000 force-frame=slab",
		  "the frame is missing: frame-of, fresh, phys or mmio" },
		{ "map 1:0x1000 phys=0 force-frame=hwpoison",
		  "'hwpoison' is not one of free, table, slab, reserved, kernel" },
		{ "map 1:0x1000 phys=0 force-frame=slab,",
		  "'' is not one of free, table, slab, reserved, kernel" },
		{ "map 1:0x1000 phys=0 force-frame=slab,fre,table",
		  "'fre' is not one of free, table, slab, reserved, kernel" },
		{ "map 1:0x1000 phys=0 force-frame=slab force-frame=free",
		  "force-frame is there twice" },
		{ "trap 1:0x1000 phys=0", "'phys' is not part of this change" },
		{ "map 1:0x1000 with=1:0x2000", "'with' is not part of this change" },
		{ "swap 1:0x1000", "the other page is missing: with" },
		{ "swap 1:0x1000 with=1:0x1000", "a page is not swapped with itself" },
		{ "swap 1:0x1000 with=0x1000", "a page is not swapped with itself" },
		{ "protect 1:0x1000", "there are no bits to set or to clear" },
		{ "protect 1:0x1000 set", "set needs a value" },
		{ "protect 1:0x1000 set=", "'' is not one of RW, PWT, PCD, A, D, PAT, PK=N, NX" },
		{ "protect 1:0x1000 set=RW,",
		  "'' is not one of RW, PWT, PCD, A, D, PAT, PK=N, NX" },
		{ "protect 1:0x1000 clear=P",
		  "'P' is not one of RW, PWT, PCD, A, D, PAT, PK=N, NX" },
		{ "protect 1:0x1000 set=US",
		  "'US' is not one of RW, PWT, PCD, A, D, PAT, PK=N, NX" },
		{ "protect 1:0x1000 set=addr=1",
		  "'addr=1' is not one of RW, PWT, PCD, A, D, PAT, PK=N, NX" },
		{ "protect 1:0x1000 set=PK", "PK needs a number: PK=N" },
		{ "protect 1:0x1000 set=PK=16", "PK is a number from 0 to 15" },
		{ "protect 1:0x1000 set=PK=x", "PK is a number from 0 to 15" },
		{ "protect 1:0x1000 set=RW=1",
		  "'RW=1': a value can be given to a number that is set, only" },
		{ "protect 1:0x1000 clear=PK=1",
		  "'PK=1': a value can be given to a number that is set, only" },
		{ "protect 1:0x1000 set=RW clear=RW",
		  "a bit is both set and cleared, or a number given twice" },
		{ "protect 1:0x1000 set=PK=1,PK=2",
		  "a bit is both set and cleared, or a number given twice" },
	};
	char why[CHANGE_WHY_LEN];
	struct ptremap_item item;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(parse(&item, cases[i].line, why), -EINVAL, "%s", cases[i].line);
		cr_expect_str_eq(why, cases[i].why, "%s: %s", cases[i].line, why);
	}
}

Test(change, long_words_are_cut)
{
	char line[400] = "protect 1:0x1000 set=", why[CHANGE_WHY_LEN];
	struct ptremap_item item;
	size_t len = strlen(line);

	memset(line + len, 'x', sizeof(line) - len - 1);
	cr_expect_eq(parse(&item, line, why), -EINVAL);
	cr_expect_str_eq(why,
			 "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is not one of RW, PWT, PCD, A, D, "
			 "PAT, PK=N, NX");
	memcpy(line, "trap ", 5);
	memset(line + 5, '1', sizeof(line) - 6);
	line[300] = ':';
	cr_expect_eq(parse(&item, line, why), -EINVAL);
}

Test(change, place_of_a_given_process)
{
	char why[CHANGE_WHY_LEN];
	int32_t pid;
	__u64 va;

	cr_expect_eq(change_place("0x5000", 7, &pid, &va, why), 0);
	cr_expect(pid == 7 && va == 0x5000);
	cr_expect_eq(change_place("8:0x6000", 7, &pid, &va, why), 0);
	cr_expect(pid == 8 && va == 0x6000);
}

Test(change, names)
{
	cr_expect_str_eq(change_name(PTREMAP_PROTECT), "protect");
	cr_expect_str_eq(change_name(PTREMAP_FRESH), "fresh");
	cr_expect_str_eq(change_name(0), "?");
	cr_expect_null(change_cause(PTREMAP_CAUSE_NONE));
	cr_expect_str_eq(change_cause(PTREMAP_CAUSE_UNDO), "undo");
	cr_expect_str_eq(change_cause(PTREMAP_CAUSE_VM), "vm");
	cr_expect_str_eq(change_cause(PTREMAP_CAUSE_VM + 1), "?");
	cr_expect_str_eq(change_name(PTREMAP_MMIO + 1), "?");
}

/* ---- any change, there and back --------------------------------------------------------- */

static struct ptremap_item any_change(void)
{
	struct ptremap_item item = {
		.what = (uint32_t)(random64() % PTREMAP_MMIO + 1),
		.pid = (int32_t)(random64() % INT32_MAX + 1),
		.va = random64(),
	};

	if (item.what == PTREMAP_PROTECT) {
		/* Of a number that is set all bits are told. */
		item.set = random64() & PTREMAP_PROTECT_BITS;
		item.clear = random64() & PTREMAP_PROTECT_BITS & ~item.set & ~PK(15);
		if (item.set & PK(15) || !(item.set | item.clear))
			item.clear |= ~item.set & PK(15);
	}
	if (item.what == PTREMAP_FRAME || item.what == PTREMAP_SWAP) {
		item.other_pid = (int32_t)(random64() % INT32_MAX + 1);
		item.other_va = random64();
	}
	if (item.what == PTREMAP_RAM || item.what == PTREMAP_MMIO)
		item.other_va = random64();
	if (item.what == PTREMAP_RAM)
		item.flags = random64() & PTREMAP_ITEM_FORCE;
	if (random64() & 1) {
		item.flags |= PTREMAP_ITEM_EXPECT;
		item.expected = random64();
	}
	if (item.what != PTREMAP_RAM && item.what != PTREMAP_MMIO)
		item.level = random64() & 2;
	return item;
}

Test(change, text_and_meaning_are_inverses)
{
	unsigned int seed = random_seed("change");
	char why[CHANGE_WHY_LEN];
	int i;

	for (i = 0; i < 10000; i++) {
		struct ptremap_item item = any_change(), again;
		struct line l = { 0 };

		/* Bits go to where the level has them. */
		cr_assert_eq(change_check(&item, why), 0, "%s", why);
		change_text(&l, &item);
		line_char(&l, '\0');
		cr_assert_eq(parse(&again, l.buf, why), 0, "%s: %s (PTSCOPE_SEED=%u)", l.buf, why,
			     seed);
		cr_assert_eq(memcmp(&item, &again, sizeof(item)), 0, "%s (PTSCOPE_SEED=%u)", l.buf,
			     seed);
		line_free(&l);
	}
}
