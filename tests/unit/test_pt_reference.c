// SPDX-License-Identifier: GPL-2.0
/* Random tables x addresses: the library and the reference walker say the same. */
#include <criterion/criterion.h>

#include "tests/unit/pt_world.h"
#include "user/pt/pt_iter.h"

#ifdef __SANITIZE_ADDRESS__
#define LOOKUPS 100000
#else
#define LOOKUPS 1000000
#endif
#define LOOKUPS_PER_WORLD 500

/* pt_translate() gives what pt_lookup() found. */
static bool translation_agrees(struct world *w, uint64_t addr, const struct ref_result *r)
{
	uint64_t pa = 0;
	int err = pt_translate(&w->space, addr, &pa);

	switch (r->end) {
	case REF_PAGE:
		return !err && pa == r->pa;
	case REF_NOT_PRESENT:
		return err == -ENOENT;
	case REF_NO_MEMORY:
		return err == -EFAULT;
	default:
		return err == -EINVAL;
	}
}

static bool lookup_agrees(struct world *w, uint64_t addr, const struct ref_result *r)
{
	bool window = w->mem.window != NULL;
	struct pt_path path;
	uint8_t level;

	w->reads = 0;
	if (pt_lookup(&w->space, addr, &path) != path.end.kind || path.reads != r->reads)
		return false;
	if (!window && w->reads != (unsigned int)r->reads + (r->end == REF_NO_MEMORY))
		return false;
	if (!world_agrees(r, path.end.kind, path.end.why, path.end.perm))
		return false;
	if (r->end == REF_PAGE && path.end.pa != r->pa)
		return false;
	level = path.end.level;
	if (r->level && (level != r->level || path.at[level].addr != r->where ||
			 path.at[level].entry != r->value))
		return false;
	return path.top == w->fmt.top;
}

/* Each end that a format has was met: tables were neither too broken nor too good. */
static void check_mixture(unsigned int format, const unsigned int *ends)
{
	static const bool never[WORLD_NR_FORMATS][REF_NO_MEMORY + 1] = {
		[WORLD_NONE] = { [REF_NOT_PRESENT] = true,
				 [REF_NO_MEMORY] = true,
				 [REF_RESERVED] = true },
		[WORLD_32BIT] = { [REF_RESERVED] = true },
	};
	unsigned int end;

	for (end = 0; end <= REF_NO_MEMORY; end++) {
		if (never[format][end] ||
		    ((end == REF_EPT_ACCESS || end == REF_EPT_MEMTYPE) && format < WORLD_EPT4))
			cr_expect_eq(ends[end], 0);
		else
			cr_expect_gt(ends[end], LOOKUPS / 500, "%s: end %u: %u",
				     world_formats[format].name, end, ends[end]);
	}
}

static void agree(unsigned int format)
{
	unsigned int i, ends[REF_NO_MEMORY + 1] = {};
	struct ref_result r;
	struct world w;
	uint64_t addr;

	world_init(&w, format, world_seed());
	for (i = 0; i < LOOKUPS; i++) {
		if (i % LOOKUPS_PER_WORLD == 0)
			world_refresh(&w);
		addr = world_address(&w);
		r = world_reference(&w, addr);
		ends[r.end]++;
		if (!lookup_agrees(&w, addr, &r) || !translation_agrees(&w, addr, &r))
			cr_assert_fail("%s: seed %u, lookup %u, address %#lx", w.format->name,
				       w.seed, i, addr);
	}
	check_mixture(format, ends);
}

Test(pt_reference, none)
{
	agree(WORLD_NONE);
}

Test(pt_reference, thirty_two_bit)
{
	agree(WORLD_32BIT);
}

Test(pt_reference, pse)
{
	agree(WORLD_32BIT_PSE);
}

Test(pt_reference, pse36)
{
	agree(WORLD_PSE36);
}

Test(pt_reference, pae)
{
	agree(WORLD_PAE);
}

Test(pt_reference, four_level)
{
	agree(WORLD_4LEVEL);
}

Test(pt_reference, five_level)
{
	agree(WORLD_5LEVEL);
}

Test(pt_reference, npt_pae)
{
	agree(WORLD_NPT_PAE);
}

Test(pt_reference, npt_four_level)
{
	agree(WORLD_NPT4);
}

Test(pt_reference, npt_five_level)
{
	agree(WORLD_NPT5);
}

Test(pt_reference, ept_four_level)
{
	agree(WORLD_EPT4);
}

Test(pt_reference, ept_five_level)
{
	agree(WORLD_EPT5);
}

/* The item's entry says what the reference finds at @addr, which lies in it. */
static bool item_agrees(struct world *w, const struct pt_item *item, uint64_t addr)
{
	struct ref_result r = world_reference(w, addr);
	enum pt_kind kind = item->kind;

	if (item->why == PT_WHY_NONCANONICAL)
		return kind == PT_HOLE && r.end == REF_NONCANONICAL && !item->level;
	if (!world_agrees(&r, kind, item->why, item->perm) || item->level != r.level)
		return false;
	if (r.end == REF_PAGE && item->pa + (addr - item->start) != r.pa)
		return false;
	if (r.end == REF_NO_MEMORY) {
		/* One item for several entries of one table. */
		r.where -= (addr / r.span - item->start / r.span) << w->fmt.entry_shift;
		return item->addr == r.where && !item->entry;
	}
	return item->addr == r.where && item->entry == r.value;
}

/* Behind the item, which is not the last one, comes something else. */
static bool ends_rightly(struct world *w, const struct pt_item *item)
{
	struct ref_result r = world_reference(w, item->last);
	struct ref_result next = world_reference(w, item->last + 1);

	if (r.end != next.end || r.level != next.level)
		return true;
	if (r.end == REF_NO_MEMORY) /* the next table */
		return next.where % 4096 == 0 || next.where < r.where;
	return r.end != REF_NONCANONICAL;
}

/* As large as its entry, or as several that cannot be read; but cut to @start and @last. */
static bool extent_agrees(struct world *w, const struct pt_item *item, uint64_t start,
			  uint64_t last)
{
	uint64_t span = world_reference(w, item->start).span, low, high;

	if (!span)
		return true;
	low = item->start & -span;
	high = item->last | (span - 1);
	if (item->why != PT_WHY_UNREADABLE && high - low != span - 1)
		return false;
	return item->start == (low < start ? start : low) &&
	       item->last == (high > last ? last : high);
}

static bool table_agrees(struct world *w, const struct pt_item *item)
{
	struct pt_path path;

	pt_lookup(&w->space, item->start, &path);
	return item->level > path.end.level && item->entry == path.at[item->level].entry &&
	       item->addr == path.at[item->level].addr;
}

/* One iteration: its items cover [@start, @last], as far as @budget goes, and are right. */
static bool range_agrees(struct world *w, uint64_t start, uint64_t last, uint64_t budget)
{
	uint64_t next = start, middle;
	struct pt_item item;
	struct pt_iter it;
	int ret;

	if (pt_iter_init(&it, &w->space, start, last, world_random(w) & PT_ITER_TABLES, budget))
		return false;
	while ((ret = pt_iter_next(&it, &item)) == 1) {
		if (item.start != next || item.last < item.start || item.last > last)
			return false;
		if (item.kind == PT_TABLE && !table_agrees(w, &item))
			return false;
		if (item.kind == PT_TABLE)
			continue;
		middle = item.start +
			 (item.last == item.start ? 0 : world_random(w) % (item.last - item.start));
		if (!item_agrees(w, &item, item.start) || !item_agrees(w, &item, item.last) ||
		    !item_agrees(w, &item, middle) || !extent_agrees(w, &item, start, last))
			return false;
		if (it.budget && item.last != last && !ends_rightly(w, &item))
			return false;
		next = item.last + 1;
	}
	return ret == -E2BIG ? it.next == next : !ret && item.last == last;
}

Test(pt_reference, ranges)
{
	unsigned int seed = world_seed(), format, i;
	uint64_t start, last;
	struct world w;

	for (format = 0; format < WORLD_NR_FORMATS; format++) {
		world_init(&w, format, seed);
		for (i = 0; i < LOOKUPS / 500; i++) {
			if (i % 10 == 0)
				world_refresh(&w);
			start = world_address(&w);
			if (world_random(&w) >> 63) /* soon over a border */
				start = (start | PT_BITS(world_random(&w) % 48, 0)) -
					world_random(&w) % 65536;
			last = start + (world_random(&w) >> world_random(&w) % 64);
			if (last < start)
				last = UINT64_MAX;
			if (!range_agrees(&w, start, last, 200))
				cr_assert_fail("%s: seed %u, round %u, %#lx-%#lx", w.format->name,
					       seed, i, start, last);
		}
	}
}
