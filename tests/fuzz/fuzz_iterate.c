// SPDX-License-Identifier: GPL-2.0
/*
 * Any tables, any range: the iteration ends within its budget and its reads, its items cover the
 * range once and in order and agree with pt_lookup(); merging and visiting show the same.
 */
#include "tests/fuzz/pt_input.h"
#include "user/pt/pt_iter.h"
#include "user/pt/pt_visit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BUDGET 600

/* What an iteration found, for the other ways to compare with. */
struct found {
	struct pt_item items[BUDGET + 8];
	unsigned int nr, seen;
	unsigned int level; /* of the table that is being visited */
	int end;	    /* 0 or -E2BIG */
};

static void check_lookup(const struct pt_space *space, const struct pt_item *item, uint64_t ia)
{
	struct pt_path path;
	enum pt_kind kind = pt_lookup(space, ia, &path);

	if (item->why == PT_WHY_NONCANONICAL) {
		CHECK(item->kind == PT_HOLE && path.end.why == PT_WHY_NONCANONICAL);
		return;
	}
	CHECK(item->kind == kind && item->why == path.end.why && item->level == path.end.level);
	CHECK(item->perm == path.end.perm);
	if (kind == PT_LEAF)
		CHECK(item->pa + (ia - item->start) == path.end.pa);
	if (item->level && item->why != PT_WHY_UNREADABLE)
		CHECK(item->entry == path.end.entry && item->addr == path.at[item->level].addr);
}

static void iterate(struct pt_input *in, uint64_t start, uint64_t last, struct found *found)
{
	struct pt_item *item;
	struct pt_iter it;
	uint64_t next = start;

	in->reads = 0;
	CHECK(!pt_iter_init(&it, &in->space, start, last, 0, BUDGET));
	for (found->nr = 0;; found->nr++) {
		CHECK(found->nr < BUDGET + 8);
		item = &found->items[found->nr];
		found->end = pt_iter_next(&it, item);
		if (found->end != 1)
			break;
		CHECK(item->start == next && item->last >= next && item->last <= last);
		next = item->last + 1;
	}
	/* A chunk that fails and its entries one by one, and one that ends a row. */
	CHECK(in->reads <= 4 * BUDGET);
	CHECK(found->end == -E2BIG ? it.next == next : !found->end && next == last + 1);
}

static void check_items(struct pt_input *in, const struct found *found)
{
	const struct pt_item *item;

	for (item = found->items; item < found->items + found->nr; item++) {
		check_lookup(&in->space, item, item->start);
		check_lookup(&in->space, item, item->last);
	}
}

static void check_part(const struct pt_item *range, const struct pt_item *item)
{
	CHECK(item->start >= range->start && item->last <= range->last);
	CHECK(item->kind == range->kind && item->why == range->why);
	if (item->kind == PT_LEAF)
		CHECK(item->pa - range->pa == item->start - range->start &&
		      item->perm == range->perm);
}

/* Each range is one or more whole items. */
static void check_merge(struct pt_input *in, uint64_t start, uint64_t last,
			const struct found *found)
{
	struct pt_item range;
	struct pt_merge m;
	unsigned int i = 0;
	int end;

	CHECK(!pt_merge_init(&m, &in->space, start, last, in->header.option, BUDGET));
	while ((end = pt_merge_next(&m, &range)) == 1) {
		CHECK(i < found->nr && found->items[i].start == range.start);
		do {
			check_part(&range, &found->items[i]);
		} while (found->items[i++].last != range.last);
	}
	CHECK(i == found->nr && end == found->end);
}

static enum pt_answer visit_item(void *ctx, const struct pt_item *item, pt_u64 *new)
{
	struct found *found = ctx;
	const struct pt_item *other = &found->items[found->seen++];

	CHECK(found->seen <= found->nr && *new == item->entry);
	CHECK(item->start == other->start && item->last == other->last && item->pa == other->pa);
	CHECK(item->kind == other->kind && item->why == other->why && item->perm == other->perm);
	CHECK(item->level == other->level && item->addr == other->addr);
	CHECK(!item->level || item->level == found->level);
	return PT_GO_ON;
}

static enum pt_answer enter_table(void *ctx, const struct pt_item *item, pt_u64 *new)
{
	struct found *found = ctx;

	CHECK(item->level == found->level-- && *new == item->entry);
	return PT_GO_ON;
}

static enum pt_answer leave_table(void *ctx, const struct pt_item *item, pt_u64 *new)
{
	struct found *found = ctx;

	CHECK(item->level == ++found->level && *new == item->entry);
	return PT_GO_ON;
}

static void check_visit(struct pt_input *in, uint64_t start, uint64_t last, struct found *found)
{
	static const struct pt_visitor visitor = {
		.table_pre = enter_table,
		.table_post = leave_table,
		.leaf = visit_item,
		.hole = visit_item,
		.bad = visit_item,
	};

	found->seen = 0;
	found->level = in->fmt.top;
	CHECK(pt_visit(&in->space, start, last, &visitor, found, BUDGET) == found->end);
	CHECK(found->seen == found->nr && (found->end || found->level == in->fmt.top));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pt_input in;
	static struct found found;
	uint64_t start, last;

	if (pt_input_init(&in, data, size))
		return 0;
	start = in.header.a;
	last = start + (in.header.b >> (in.header.option / 8 * 2));
	if (last < start)
		last = UINT64_MAX;
	iterate(&in, start, last, &found);
	check_items(&in, &found);
	check_merge(&in, start, last, &found);
	check_visit(&in, start, last, &found);
	return 0;
}
