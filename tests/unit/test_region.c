// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>

#include "user/kernel/region.h"

static struct layout layout(unsigned int levels)
{
	struct layout l = {
		.levels = levels,
		.page_offset = levels == 5 ? 0xff11000000000000 : 0xffff888000000000,
		.vmalloc_base = levels == 5 ? 0xffa0000000000000 : 0xffffc90000000000,
		.vmemmap_base = levels == 5 ? 0xffd4000000000000 : 0xffffea0000000000,
		.has_phys_base = true,
		.phys_base = 0x1000000,
		.text = 0xffffffff81000000,
		.end = 0xffffffff82000000,
	};

	layout_arrange(&l);
	return l;
}

struct sample {
	uint64_t va;
	enum region_kind kind;
};

static void check(const struct layout *l, const struct sample *s, size_t nr)
{
	for (; nr--; s++)
		cr_expect_eq(layout_find(l, s->va).kind, s->kind, "0x%lx: %s", s->va,
			     region_name(layout_find(l, s->va).kind));
}

#define CHECK(l, samples) check(&(l), samples, sizeof(samples) / sizeof((samples)[0]))

/* First and last addresses of mm.rst's tables. */
Test(region, four_levels)
{
	static const struct sample samples[] = {
		{ 0, REGION_USER },
		{ 0x7fffffffffff, REGION_USER },
		{ 0x800000000000, REGION_NONCANONICAL },
		{ 0xffff7fffffffffff, REGION_NONCANONICAL },
		{ 0xffff800000000000, REGION_GUARD },
		{ 0xffff880000000000, REGION_LDT },
		{ 0xffff888000000000, REGION_DIRECT },
		{ 0xffffc87fffffffff, REGION_DIRECT },
		{ 0xffffc88000000000, REGION_UNUSED },
		{ 0xffffc90000000000, REGION_VMALLOC },
		{ 0xffffe8ffffffffff, REGION_VMALLOC },
		{ 0xffffe90000000000, REGION_UNUSED },
		{ 0xffffea0000000000, REGION_VMEMMAP },
		{ 0xffffeaffffffffff, REGION_VMEMMAP },
		{ 0xffffec0000000000, REGION_UNUSED },
		{ 0xfffffe0000000000, REGION_CPU_ENTRY },
		{ 0xffffff7fffffffff, REGION_ESPFIX },
		{ 0xfffffffeffffffff, REGION_EFI },
		{ 0xffffffff00000000, REGION_UNUSED },
		{ 0xffffffff80000000, REGION_TEXT },
		{ 0xffffffffc0000000, REGION_MODULES },
		{ 0xffffffffff5fffff, REGION_FIXMAP },
		{ 0xffffffffff600000, REGION_VSYSCALL },
		{ 0xffffffffff601000, REGION_FIXMAP },
		{ 0xffffffffffe00000, REGION_UNUSED },
		{ 0xffffffffffffffff, REGION_UNUSED },
	};
	struct layout l = layout(4);

	CHECK(l, samples);
}

Test(region, five_levels)
{
	static const struct sample samples[] = {
		{ 0xffffffffffffff, REGION_USER },	{ 0x100000000000000, REGION_NONCANONICAL },
		{ 0xff00000000000000, REGION_GUARD },	{ 0xff10000000000000, REGION_LDT },
		{ 0xff90ffffffffffff, REGION_DIRECT },	{ 0xff91000000000000, REGION_UNUSED },
		{ 0xffd1ffffffffffff, REGION_VMALLOC }, { 0xffd2000000000000, REGION_UNUSED },
		{ 0xffd5ffffffffffff, REGION_VMEMMAP }, { 0xffffffff80000000, REGION_TEXT },
	};
	struct layout l = layout(5);

	CHECK(l, samples);
}

/* Every region, and every gap, says of all its addresses the same. */
Test(region, ranges_hold)
{
	unsigned int levels, i, nr = 0;
	struct region r, again;
	struct layout l;

	for (levels = 4; levels <= 5; levels++) {
		l = layout(levels);
		for (i = 0; i < l.nr_regions; i++) {
			r = l.region[i];
			again = layout_find(&l, r.start);
			cr_expect_eq(again.last, r.last);
			again = layout_find(&l, r.last);
			cr_expect_eq(again.start, r.start);
		}
		for (r = layout_find(&l, 0); r.last != UINT64_MAX; nr++) {
			again = layout_find(&l, r.last + 1);
			cr_assert_eq(again.start, r.last + 1);
			r = again;
		}
	}
	cr_expect_gt(nr, 30);
}

Test(region, physical_addresses)
{
	struct layout l = layout(4);
	uint64_t pa;

	cr_expect(layout_pa(&l, 0xffff888000001234, &pa));
	cr_expect_eq(pa, 0x1234);
	cr_expect(layout_pa(&l, 0xffffffff81000010, &pa));
	cr_expect_eq(pa, 0x2000010);
	cr_expect_not(layout_pa(&l, 0xffffffff82000000, &pa));
	cr_expect_not(layout_pa(&l, 0xffffc90000000000, &pa));
	cr_expect_not(layout_pa(&l, 0x1000, &pa));
}

/* KASLR puts the three close together: each ends where the next begins. */
Test(region, moved)
{
	struct layout l = layout(4);

	l.page_offset = 0xffff8df780000000;
	l.vmalloc_base = 0xffff8e1000000000;
	l.vmemmap_base = 0xffff8e2000000000;
	layout_arrange(&l);
	cr_expect_eq(layout_find(&l, 0xffff8e0fffffffff).kind, REGION_DIRECT);
	cr_expect_eq(layout_find(&l, 0xffff8e1fffffffff).kind, REGION_VMALLOC);
	cr_expect_eq(layout_find(&l, 0xffff8e2000000000).kind, REGION_VMEMMAP);
	cr_expect_eq(layout_find(&l, 0xffff888000000000).kind, REGION_UNUSED);
}

Test(region, unknown_bases)
{
	struct layout l = layout(4);

	l.vmalloc_base = 0;
	l.has_phys_base = false;
	layout_arrange(&l);
	cr_expect_eq(layout_find(&l, 0xffffc90000000000).kind, REGION_RANDOM);
	l.page_offset = 0;
	layout_arrange(&l);
	cr_expect_eq(layout_find(&l, 0xffffc90000000000).kind, REGION_UNUSED);
	l.kasan = true;
	layout_arrange(&l);
	cr_expect_eq(layout_find(&l, 0xffffec0000000000).kind, REGION_KASAN);
}
