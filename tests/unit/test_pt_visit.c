// SPDX-License-Identifier: GPL-2.0
/* Visitors: what is called in which order, and what their answers do. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "user/pt/pt_arena.h"
#include "user/pt/pt_visit.h"

#define TABLES 8
#define GIB    (UINT64_C(1) << 30)
#define LARGE  (PT_P | PT_RW | PT_PS)
#define BASE   UINT64_C(0x100000) /* address of table 0 */
#define AT(n)  (BASE + (n)*UINT64_C(4096))

static uint64_t memory[TABLES][512] __attribute__((aligned(4096)));
static struct pt_arena arena;
static struct pt_fmt fmt;
static struct pt_space space;

/* What the callbacks do at the @at'th call of kind @kind; all calls are noted in ->log. */
struct plan {
	char kind; /* of callback: pre (t), post (p), leaf, hole, bad; 0: never */
	unsigned int at;
	enum pt_answer answer;
	uint64_t new;
	/* Before that, as somebody else would. */
	uint64_t *race;
	uint64_t race_value;
	unsigned int calls[128];
	char log[512];
	size_t used;
	unsigned int edits;
	struct pt_edit last;
};

static enum pt_answer note(struct plan *plan, char kind, const struct pt_item *item, pt_u64 *new)
{
	plan->used += (size_t)snprintf(plan->log + plan->used, sizeof(plan->log) - plan->used,
				       "%s%c%u:%lx", plan->used ? " " : "", kind, item->level,
				       item->start >> 21);
	cr_assert_lt(plan->used, sizeof(plan->log));
	cr_assert_eq(*new, item->entry);
	if (kind != plan->kind || plan->calls[(int)kind]++ != plan->at)
		return PT_GO_ON;
	if (plan->race)
		*plan->race = plan->race_value;
	*new = plan->new;
	return plan->answer;
}

static enum pt_answer table_pre(void *ctx, const struct pt_item *item, pt_u64 *new)
{
	return note(ctx, 't', item, new);
}

static enum pt_answer table_post(void *ctx, const struct pt_item *item, pt_u64 *new)
{
	return note(ctx, 'p', item, new);
}

static enum pt_answer leaf(void *ctx, const struct pt_item *item, pt_u64 *new)
{
	return note(ctx, 'l', item, new);
}

static enum pt_answer hole(void *ctx, const struct pt_item *item, pt_u64 *new)
{
	return note(ctx, 'h', item, new);
}

static enum pt_answer bad(void *ctx, const struct pt_item *item, pt_u64 *new)
{
	return note(ctx, 'b', item, new);
}

static void edited(void *ctx, const struct pt_edit *edit)
{
	struct plan *plan = ctx;

	plan->edits++;
	plan->last = *edit;
}

static const struct pt_visitor all = { table_pre, table_post, leaf, hole, bad, edited };

/*
 * PML4 0, PDPT 1, page directories 2 and 3 for GiB 0 and 1; 3 begins with a leaf, all else of the
 * two is empty.
 */
static void setup(void)
{
	struct pt_feat feat = { .maxphyaddr = 46, .nx = 1 };

	memset(memory, 0, sizeof(memory));
	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_4LEVEL, &feat), 0);
	cr_assert_eq(pt_arena_init(&arena, memory, BASE, sizeof(memory), false), 0);
	space = (struct pt_space){ .fmt = &fmt, .root = BASE, .mem = &arena.mem };
	memory[0][0] = AT(1) | PT_P | PT_RW;
	memory[1][0] = AT(2) | PT_P | PT_RW;
	memory[1][1] = AT(3) | PT_P | PT_RW;
	memory[3][0] = 0x800000 | LARGE;
}

/* The last 2 MiB of GiB 0 and the first two of GiB 1, then. */
static int visit(struct plan *plan)
{
	return pt_visit(&space, GIB - PT_BIT(21), GIB + PT_BIT(22) - 1, &all, plan, 0);
}

#define assert_log(plan, text) cr_assert_str_eq((plan).log, text, "%s", (plan).log)

TestSuite(pt_visit, .init = setup);

Test(pt_visit, order)
{
	struct plan plan = {};

	memory[3][1] = LARGE | PT_BIT(13);
	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff p3:1ff t3:200 l2:200 b2:201 p3:200 p4:1ff");
}

Test(pt_visit, callbacks_may_be_missing)
{
	static const struct pt_visitor none, only_leaf = { .leaf = leaf };
	struct plan plan = {};

	cr_assert_eq(pt_visit(&space, 0, UINT64_MAX, &none, NULL, 0), 0);
	cr_assert_eq(pt_visit(&space, 0, UINT64_MAX, &only_leaf, &plan, 0), 0);
	assert_log(plan, "l2:200");
	cr_assert_eq(pt_visit(&space, 1, 0, &none, NULL, 0), -EINVAL);
	cr_assert_eq(pt_visit(&space, 0, UINT64_MAX, &none, NULL, 100), -E2BIG);
}

Test(pt_visit, skip)
{
	struct plan plan = { .kind = 't', .at = 1, .answer = PT_SKIP };

	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff t3:200 l2:200 h2:201 p3:200 p4:1ff");
	/* The last table of the range. */
	plan = (struct plan){ .kind = 't', .at = 2, .answer = PT_SKIP };
	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff p3:1ff t3:200 p4:1ff");
	plan = (struct plan){ .kind = 't', .at = 0, .answer = PT_SKIP };
	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff");
}

Test(pt_visit, stop)
{
	struct plan plan = { .kind = 'l', .answer = PT_STOP };

	cr_assert_eq(visit(&plan), 1);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff p3:1ff t3:200 l2:200");
	plan = (struct plan){ .kind = 'p', .answer = PT_STOP };
	cr_assert_eq(visit(&plan), 1);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff p3:1ff");
}

Test(pt_visit, edit_of_a_leaf_can_be_undone)
{
	struct plan plan = { .kind = 'l', .answer = PT_EDIT, .new = 0xc00000 | LARGE };
	uint64_t pa;

	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff p3:1ff t3:200 l2:200 h2:201 p3:200 p4:1ff");
	cr_assert_eq(plan.edits, 1);
	cr_assert_eq(memory[3][0], 0xc00000 | LARGE);
	cr_assert_eq(pt_undo(&space, &plan.last), 0);
	cr_assert(!pt_translate(&space, GIB, &pa) && pa == 0x800000);
}

Test(pt_visit, edit_at_the_end_of_the_range)
{
	struct plan plan = { .kind = 'h', .at = 1, .answer = PT_EDIT, .new = LARGE };

	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff p3:1ff t3:200 l2:200 h2:201 p3:200 p4:1ff");
	cr_assert_eq(memory[3][1], LARGE);
}

/* A hole becomes a table; it is looked into, and left. */
Test(pt_visit, a_table_that_was_stored_is_looked_into)
{
	struct plan plan = { .kind = 'h', .answer = PT_EDIT, .new = AT(4) | PT_P };

	memory[4][0] = 0x5000 | PT_P;
	cr_assert_eq(pt_visit(&space, GIB - PT_BIT(21), GIB - PT_BIT(21) + 8191, &all, &plan, 0),
		     0);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff l1:1ff h1:1ff p2:1ff p3:1ff p4:1ff");
}

Test(pt_visit, an_edited_table_is_looked_into_as_it_is_now)
{
	struct plan plan = { .kind = 't', .at = 1, .answer = PT_EDIT, .new = AT(4) | PT_P };

	memory[4][511] = 0x200000 | LARGE;
	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff l2:1ff p3:1ff t3:200 l2:200 h2:201 p3:200 p4:1ff");
	cr_assert_eq(plan.last.pos.entry, AT(2) | PT_P | PT_RW);
	/* Now it is none any more. */
	plan = (struct plan){ .kind = 't', .at = 1, .answer = PT_EDIT, .new = 0 };
	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff t3:200 l2:200 h2:201 p3:200 p4:1ff");
	cr_assert_eq(memory[1][0], 0);
}

Test(pt_visit, a_race_calls_what_fits_now)
{
	struct plan plan = { .kind = 'l',
			     .answer = PT_EDIT,
			     .new = LARGE,
			     .race = &memory[3][0],
			     .race_value = 0xa00000 | LARGE };

	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff p3:1ff t3:200 l2:200 l2:200 h2:201 p3:200 p4:1ff");
	cr_assert_eq(plan.edits, 0);
	cr_assert_eq(memory[3][0], 0xa00000 | LARGE);
	/* A table becomes a hole. */
	plan = (struct plan){
		.kind = 't', .at = 1, .answer = PT_EDIT, .race = &memory[1][0], .race_value = 0x1230
	};
	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff h3:1ff t3:200 l2:200 h2:201 p3:200 p4:1ff");
	cr_assert_eq(memory[1][0], 0x1230);
}

Test(pt_visit, edit_behind_a_table)
{
	struct plan plan = { .kind = 'p', .answer = PT_EDIT, .new = 0 };

	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff p3:1ff t3:200 l2:200 h2:201 p3:200 p4:1ff");
	cr_assert_eq(memory[1][0], 0);
	cr_assert_eq(plan.edits, 1);
	/* Three tables at once end with the range. */
	plan = (struct plan){ .kind = 'p', .at = 1, .answer = PT_EDIT, .new = 0 };
	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff h3:1ff t3:200 l2:200 h2:201 p3:200 p4:1ff");
	cr_assert_eq(memory[0][0], 0);
}

Test(pt_visit, a_race_behind_a_table)
{
	struct plan plan = { .kind = 'p',
			     .answer = PT_EDIT,
			     .new = 0,
			     .race = &memory[1][0],
			     .race_value = AT(4) | PT_P };

	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff p3:1ff p3:1ff t3:200 l2:200 h2:201 p3:200 p4:1ff");
	cr_assert_eq(memory[1][0], AT(4) | PT_P);
	plan = (struct plan){
		.kind = 'p', .at = 1, .answer = PT_EDIT, .race = &memory[1][1], .race_value = 0x1230
	};
	cr_assert_eq(visit(&plan), 0);
	assert_log(plan, "t4:1ff t3:1ff h2:1ff p3:1ff t3:200 l2:200 h2:201 p3:200 h3:200 p4:1ff");
	cr_assert_eq(plan.edits, 0);
}

Test(pt_visit, what_cannot_be_edited)
{
	struct pt_visitor deaf = all;
	struct plan plan = { .kind = 'l', .answer = PT_EDIT, .new = LARGE };

	deaf.edited = NULL;
	cr_assert_eq(pt_visit(&space, GIB, GIB, &deaf, &plan, 0), -EINVAL);
	cr_assert_eq(memory[3][0], 0x800000 | LARGE);
	/* Malformed. */
	plan = (struct plan){ .kind = 'l', .answer = PT_EDIT, .new = LARGE | PT_BIT(13) };
	cr_assert_eq(visit(&plan), -EINVAL);
	/* No entry: the gap, and a table that lies nowhere. */
	plan = (struct plan){ .kind = 'h', .answer = PT_EDIT };
	cr_assert_eq(pt_visit(&space, PT_BIT(50), PT_BIT(50), &all, &plan, 0), -EINVAL);
	assert_log(plan, "h0:20000000");
	memory[1][0] = AT(TABLES) | PT_P;
	plan = (struct plan){ .kind = 'b', .answer = PT_EDIT };
	cr_assert_eq(visit(&plan), -EINVAL);
	assert_log(plan, "t4:1ff t3:1ff b2:1ff");
}

Test(pt_visit, read_only_memory)
{
	struct plan plan = { .kind = 'l', .answer = PT_EDIT, .new = LARGE };
	struct pt_mem_ops ops = *arena.mem.ops;

	ops.cmpxchg = NULL;
	arena.mem.ops = &ops;
	cr_assert_eq(visit(&plan), -EROFS);
}
