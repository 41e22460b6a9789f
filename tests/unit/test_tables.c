// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "user/pt/pt_space.h"
#include "user/space/tables.h"

#define ENTRIES 512

static uint64_t entry_at(struct tables *t, uint64_t addr)
{
	uint64_t entry = UINT64_MAX;

	cr_assert_eq(pt_mem_read(tables_mem(t), addr, &entry, sizeof(entry)), 0, "0x%lx", addr);
	return entry;
}

static int read_at(struct tables *t, uint64_t addr, uint32_t len)
{
	uint8_t buf[2 * 4096];

	return pt_mem_read(tables_mem(t), addr, buf, len);
}

Test(tables, entries_add_up)
{
	const uint64_t entries[] = { 11, 22, 33 };
	struct tables *t = tables_new();

	cr_assert_eq(tables_put(t, 0x5000, 509, 3, entries), 0);
	cr_assert_eq(tables_put(t, 0x5000, 0, 1, entries + 1), 0);
	cr_assert_eq(tables_put(t, 0x5000, 510, 1, entries), 0);
	cr_expect_eq(tables_count(t), 1);
	cr_expect_eq(entry_at(t, 0x5000), 22);
	cr_expect_eq(entry_at(t, 0x5008), 0, "never put");
	cr_expect_eq(entry_at(t, 0x5fe8), 11);
	cr_expect_eq(entry_at(t, 0x5ff0), 11, "put again");
	cr_expect_eq(entry_at(t, 0x5ff8), 33);
	tables_free(t);
}

Test(tables, nothing_else_is_there)
{
	const uint64_t entries[ENTRIES] = { 1 };
	struct tables *t = tables_new();

	cr_expect_eq(read_at(t, 0, 8), -EFAULT);
	cr_assert_eq(tables_put(t, 0x5000, 0, ENTRIES, entries), 0);
	cr_expect_eq(read_at(t, 0x5000, 4096), 0);
	cr_expect_eq(read_at(t, 0x5000, 4097), -EFAULT);
	cr_expect_eq(read_at(t, 0x5ffc, 8), -EFAULT);
	cr_expect_eq(read_at(t, 0x4ff8, 8), -EFAULT);
	cr_expect_eq(read_at(t, 0x6000, 8), -EFAULT);
	cr_expect_eq(read_at(t, UINT64_MAX - 3, 8), -EFAULT);
	cr_expect_eq(tables_mem(t)->ops->cmpxchg, NULL);
	tables_free(t);
	tables_free(NULL);
}

Test(tables, wrong_places)
{
	const uint64_t entries[ENTRIES] = { 1 };
	struct tables *t = tables_new();

	cr_expect_eq(tables_put(t, 0x5008, 0, 1, entries), -EINVAL);
	cr_expect_eq(tables_put(t, 0x5000, 0, ENTRIES + 1, entries), -EINVAL);
	cr_expect_eq(tables_put(t, 0x5000, 1, ENTRIES, entries), -EINVAL);
	cr_expect_eq(tables_put(t, 0x5000, ENTRIES + 1, 0, entries), -EINVAL);
	cr_expect_eq(tables_put(t, 0x5000, UINT32_MAX, 2, entries), -EINVAL);
	cr_expect_eq(tables_count(t), 0);
	tables_free(t);
}

/* More than there is room for at first; none moves while others are added. */
Test(tables, many)
{
	const uint64_t nr = 1000, step = 0x123000;
	struct tables *t = tables_new();
	uint64_t i, entry;

	for (i = 0; i < nr; i++) {
		entry = ~i;
		cr_assert_eq(tables_put(t, i * step, i % ENTRIES, 1, &entry), 0);
	}
	cr_expect_eq(tables_count(t), nr);
	for (i = 0; i < nr; i++)
		cr_assert_eq(entry_at(t, i * step + i % ENTRIES * 8), ~i);
	tables_free(t);
}

Test(tables, lookups)
{
	const struct pt_feat feat = { .maxphyaddr = 46, .nx = 1 };
	const uint64_t entries[] = { 0x2007, 0x3007, 0x4007, 0x9067 };
	struct tables *t = tables_new();
	struct pt_fmt fmt;
	struct pt_space space = { .fmt = &fmt, .root = 0x1000, .mem = tables_mem(t) };
	uint64_t i, pa;

	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_4LEVEL, &feat), 0);
	for (i = 0; i < 4; i++)
		cr_assert_eq(tables_put(t, (i + 1) * 4096, 0, 1, &entries[i]), 0);
	cr_expect_eq(pt_translate(&space, 0x123, &pa), 0);
	cr_expect_eq(pa, 0x9123);
	cr_expect_eq(pt_translate(&space, 0x1123, &pa), -ENOENT);
	tables_free(t);
}
