// SPDX-License-Identifier: GPL-2.0
/* Map, look up, iterate, split, join and unmap, in every format, in a buffer. */
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "ptw_test.h"

#define ARENA_BASE 0x100000
#define ARENA_SIZE (64 * PAGE_SIZE)

/* Large leaves (two of 4 MiB or four of 2 MiB), then three of 4 KiB. */
#define START  0x00400000ULL
#define LENGTH (0x00800000ULL + 3 * PAGE_SIZE)
#define LAST   (START + LENGTH - 1)
#define PA     0x01000000ULL

static const struct pt_prot prot = { .perm = PT_PERM_R | PT_PERM_W | PT_PERM_X };
static const struct pt_prot ept_prot = {
	.perm = PT_PERM_R | PT_PERM_W | PT_PERM_X,
	.memtype = 6,
};

static const struct {
	enum pt_mode mode;
	struct pt_feat feat;
} formats[] = {
	{ PT_MODE_32BIT, { .maxphyaddr = 36, .pse = 1, .pse36 = 1 } },
	{ PT_MODE_PAE, { .maxphyaddr = 36, .nx = 1 } },
	{ PT_MODE_4LEVEL, { .maxphyaddr = 46, .nx = 1, .page1g = 1 } },
	{ PT_MODE_4LEVEL, { .maxphyaddr = 48, .nx = 1, .page1g = 1, .npt = 1 } },
	{ PT_MODE_5LEVEL, { .maxphyaddr = 52, .nx = 1, .page1g = 1 } },
	{ PT_MODE_EPT4, { .maxphyaddr = 46, .page1g = 1 } },
	{ PT_MODE_EPT5, { .maxphyaddr = 52, .page1g = 1, .ept_ad = 1 } },
};

/* Do all pages lead where they were mapped to, and what is around them nowhere? */
static bool leads_right(const struct pt_space *s)
{
	pt_u64 ia, pa;

	for (ia = START; ia <= LAST; ia += PAGE_SIZE) {
		if (pt_translate(s, ia + 0x123, &pa) || pa != ia - START + PA + 0x123)
			return false;
	}
	return pt_translate(s, START - 1, &pa) == -ENOENT && pt_translate(s, ia, &pa) == -ENOENT;
}

static noinline void test_items(struct results *r, const char *name, const struct pt_space *s)
{
	pt_u64 next = 0, mapped = 0, last = PT_BIT(s->fmt->va_bits - 1) - 1;
	struct pt_item item;
	struct pt_iter it;
	bool gapless = true;
	int ret;

	CHECK(r, name, !pt_iter_init(&it, s, 0, last, 0, 0));
	while ((ret = pt_iter_next(&it, &item)) > 0) {
		gapless = gapless && item.start == next;
		next = item.last + 1;
		if (item.kind == PT_LEAF)
			mapped += item.last - item.start + 1;
	}
	CHECK(r, name, ret == 0 && gapless && next == last + 1);
	CHECK(r, name, mapped == LENGTH);
}

/* A large leaf becomes a table and the same leaf again. */
static void test_split(struct results *r, const char *name, const struct pt_space *s,
		       struct pt_arena *arena)
{
	struct pt_pos leaf, table, small;
	struct pt_edit edit;
	pt_u64 live = arena->live;

	CHECK(r, name, !pt_get_leaf(s, START, &leaf) && leaf.level == 2);
	table = leaf;
	CHECK(r, name, !pt_split(s, &table, &arena->alloc, &edit));
	CHECK(r, name, !pt_get_leaf(s, START, &small) && small.level == 1);
	CHECK(r, name, leads_right(s));
	CHECK(r, name, !pt_join(s, &table, &arena->alloc));
	CHECK(r, name, table.entry == leaf.entry && arena->live == live);
	CHECK(r, name, leads_right(s));
}

static noinline void test_space(struct results *r, const char *name, struct pt_space *s,
				struct pt_arena *arena)
{
	const struct pt_prot *p = s->fmt->ept ? &ept_prot : &prot;
	struct pt_alloc *alloc = &arena->alloc;
	pt_u64 root_only;

	if (pt_root_alloc(s, alloc)) {
		CHECK(r, name, !"a root");
		return;
	}
	root_only = arena->live;
	CHECK(r, name, !pt_map(s, START, LAST, PA, p, alloc));
	CHECK(r, name, pt_map(s, LAST - 0xfff, LAST + 0x1000, PA, p, alloc) == -EEXIST);
	CHECK(r, name, leads_right(s));
	test_items(r, name, s);
	test_split(r, name, s, arena);
	CHECK(r, name, !pt_unmap(s, START, LAST, alloc));
	CHECK(r, name, arena->live == root_only);
	pt_root_free(s, alloc);
	CHECK(r, name, !arena->live);
}

void test_built(struct results *r)
{
	void *buffer = vzalloc(ARENA_SIZE);
	struct pt_space s = {};
	struct pt_arena arena;
	struct pt_fmt fmt;
	const char *name;
	unsigned int i;

	if (!buffer) {
		CHECK(r, "built", !"memory");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		name = formats[i].feat.npt ? "npt" : pt_mode_name(formats[i].mode);
		CHECK(r, name, !pt_fmt_init(&fmt, formats[i].mode, &formats[i].feat));
		memset(buffer, 0, ARENA_SIZE);
		CHECK(r, name, !pt_arena_init(&arena, buffer, ARENA_BASE, ARENA_SIZE, true));
		s.fmt = &fmt;
		s.mem = &arena.mem;
		test_space(r, name, &s, &arena);
	}
	vfree(buffer);
}
