// SPDX-License-Identifier: GPL-2.0
/* Single accesses to nested memory: split, failing, writing, and coming back to themselves. */
#include "tests/unit/nested_tables.h"
#include "user/pt/pt_mem_cache.h"

Test(pt_nested_access, reads_go_page_by_page)
{
	static uint8_t got[3 * PAGE], want[3 * PAGE];
	const uint64_t gpa = 1025 * PAGE + 100;
	size_t i;

	build_ept(PT_MODE_EPT4, false);
	for (i = 0; i < sizeof(want); i++) {
		want[i] = (uint8_t)(i * 7 + i / 256);
		host[flat(&ept, gpa + i)] = want[i];
	}
	cr_assert_eq(pt_mem_read(&nested.mem, gpa, got, sizeof(got)), 0);
	cr_assert_arr_eq(got, want, sizeof(got));
	/* Page 1032 is a hole: all or nothing. */
	cr_assert_eq(pt_mem_read(&nested.mem, 1032 * PAGE - 8, got, 8), 0);
	cr_assert_eq(pt_mem_read(&nested.mem, 1032 * PAGE - 8, got, 9), -EFAULT);
	cr_assert_eq(pt_mem_read(&nested.mem, 1032 * PAGE, got, 8), -EFAULT);
	cr_assert_eq(pt_mem_read(&nested.mem, UINT64_MAX - 3, got, 8), -EFAULT);
}

/* Mapped, but to where the host has nothing. */
Test(pt_nested_access, errors_of_the_memory_below)
{
	uint64_t value;

	build_ept(PT_MODE_EPT4, false);
	map(&ept, GUEST_PAGES * PAGE, HOST_PAGES * PAGE, 1);
	cr_assert_eq(pt_mem_read(&nested.mem, GUEST_PAGES * PAGE, &value, 8), -EFAULT);
}

/* What the second dimension said to a walk that it stopped can be asked again. */
Test(pt_nested_access, why_a_table_could_not_be_read)
{
	const uint64_t va = 0x123456789000, hole = GUEST_PAGES * PAGE;
	struct pt_path path, second;
	uint64_t entry = hole | PT_P | PT_RW;

	build_ept(PT_MODE_EPT4, false);
	dim_init(&guest, PT_MODE_4LEVEL, false, &ept, &nested.mem, 0);
	map(&guest, va, 0x1000, 3);
	memcpy(entry_at(&guest, PAGE, va, 3), &entry, sizeof(entry));
	cr_assert_eq(pt_lookup(&guest.space, va, &path), PT_BAD);
	cr_assert_eq(path.end.why, PT_WHY_UNREADABLE);
	cr_assert_eq(path.end.level, 2);
	cr_assert_eq(path.at[2].addr & ~(PAGE - 1), hole);
	cr_assert_eq(pt_lookup(&ept.space, path.at[path.end.level].addr, &second), PT_HOLE);
	cr_assert_eq(second.end.level, 2, "the EPT has no table for what is above 16 MiB");
}

Test(pt_nested_access, entries_are_swapped_where_they_lie)
{
	const struct pt_mem_ops read_only = { .read = host_read };
	const uint64_t gpa = 1025 * PAGE + 8;
	uint64_t old = 0, *at;

	build_ept(PT_MODE_EPT4, false);
	at = (uint64_t *)(host + flat(&ept, gpa));
	cr_assert_eq(nested.mem.ops->cmpxchg(&nested.mem, gpa, 8, &old, 55), 0);
	cr_assert_eq(*at, 55);
	cr_assert_eq(nested.mem.ops->cmpxchg(&nested.mem, gpa, 8, &old, 66), -EAGAIN);
	cr_assert_eq(old, 55);
	cr_assert_eq(nested.mem.ops->cmpxchg(&nested.mem, gpa, 4, &old, 0x77777777), 0);
	cr_assert_eq(*at, 0x77777777);
	cr_assert_eq(nested.mem.ops->cmpxchg(&nested.mem, 1032 * PAGE, 8, &old, 1), -EFAULT);
	host_mem.ops = &read_only;
	cr_assert_eq(nested.mem.ops->cmpxchg(&nested.mem, gpa, 8, &old, 1), -EROFS);
}

/* Tables that lie in the memory that they translate: an error, and not for ever. */
Test(pt_nested_access, memory_of_itself)
{
	static struct pt_cache_line lines[4];
	struct pt_mem_cache cache;
	struct pt_mem_nested again;
	uint64_t value = 0;

	build_ept(PT_MODE_EPT4, false);
	ept.space.mem = &nested.mem;
	cr_assert_lt(pt_mem_read(&nested.mem, 0, &value, 8), 0);
	cr_assert_lt(nested.mem.ops->cmpxchg(&nested.mem, 0, 8, &value, 1), 0);
	/* By way of a cache and a second one. */
	cr_assert_eq(pt_mem_cache_init(&cache, &again.mem, lines, 4), 0);
	cr_assert_eq(pt_mem_nested_init(&again, &ept.space), 0);
	ept.space.mem = &cache.mem;
	cr_assert_lt(pt_mem_read(&again.mem, 0, &value, 8), 0);
	cr_assert_lt(pt_mem_read(&nested.mem, 0, &value, 8), 0);
	/* Without paging no table is read, only the page itself. */
	dim_init(&guest, PT_MODE_NONE, false, NULL, &nested.mem, 0);
	cr_assert_eq(pt_mem_nested_init(&nested, &guest.space), 0);
	cr_assert_eq(pt_mem_read(&nested.mem, 0, &value, 8), -ELOOP);
	cr_assert_eq(nested.mem.ops->cmpxchg(&nested.mem, 0, 8, &value, 1), -ELOOP);
	/* And it is of use again when it is put right. */
	guest.space.mem = &host_mem;
	cr_assert_eq(pt_mem_read(&nested.mem, PAGE, &value, 8), 0);
}

Test(pt_nested_access, not_over_a_recursive_slot)
{
	build_ept(PT_MODE_EPT4, false);
	ept.space.recursive = 511;
	cr_assert_eq(pt_mem_nested_init(&nested, &ept.space), -EINVAL);
}
