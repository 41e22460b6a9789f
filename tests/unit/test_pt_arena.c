// SPDX-License-Identifier: GPL-2.0
/* The arena: memory with bounds, atomic exchange, and an allocator that notices wrong frees. */
#include <criterion/criterion.h>
#include <string.h>

#include "user/pt/pt_arena.h"

#define BASE  0x40000ULL
#define PAGES 4
#define SIZE  (PAGES * 4096ULL)

static pt_u8 buffer[SIZE] __attribute__((aligned(4096)));

static struct pt_arena arena_at(pt_u64 base, bool allocate)
{
	struct pt_arena a;

	memset(buffer, 0xa5, sizeof(buffer));
	cr_assert_eq(pt_arena_init(&a, buffer, base, SIZE, allocate), 0);
	return a;
}

static pt_u64 take(struct pt_arena *a)
{
	pt_u64 addr = 1;

	cr_assert_eq(a->alloc.alloc(&a->alloc, 4096, &addr), 0);
	return addr;
}

static void give(struct pt_arena *a, pt_u64 addr)
{
	a->alloc.free(&a->alloc, 4096, addr);
}

Test(pt_arena, only_whole_pages_are_an_arena)
{
	struct pt_arena a;

	cr_assert_eq(pt_arena_init(&a, buffer, BASE + 8, SIZE, true), -EINVAL);
	cr_assert_eq(pt_arena_init(&a, buffer, BASE, SIZE - 8, true), -EINVAL);
	cr_assert_eq(pt_arena_init(&a, buffer + 4, BASE, SIZE, true), -EINVAL);
	cr_assert_eq(pt_arena_init(&a, buffer, ~0xfffULL, SIZE, true), -EINVAL);
	cr_assert_eq(pt_arena_init(&a, buffer, ~0xfffULL, 4096, true), 0, "the last page");
	cr_assert_eq(pt_arena_init(&a, buffer, BASE, 0, true), 0);
}

Test(pt_arena, pages_are_zeroed_and_end)
{
	struct pt_arena a = arena_at(BASE, true);
	pt_u64 addr, i, word;

	for (i = 0; i < PAGES; i++) {
		addr = take(&a);
		cr_assert_eq(addr, BASE + i * 4096);
		for (; addr < BASE + (i + 1) * 4096; addr += 8)
			cr_assert(!pt_mem_entry(&a.mem, addr, 3, &word) && !word);
	}
	cr_assert_eq(a.live, SIZE);
	cr_assert_eq(a.alloc.alloc(&a.alloc, 4096, &addr), -ENOMEM);
	give(&a, BASE + 4096);
	give(&a, BASE);
	cr_assert_eq(a.live, SIZE - 8192);
	cr_assert_eq(take(&a), BASE);
	cr_assert_eq(take(&a), BASE + 4096);
	for (word = 1, addr = BASE; addr < BASE + 8192; addr += 8)
		cr_assert(!pt_mem_entry(&a.mem, addr, 3, &word) && !word);
	cr_assert_eq(a.alloc.alloc(&a.alloc, 4096, &addr), -ENOMEM);
	cr_assert_eq(a.bad_frees, 0);
}

Test(pt_arena, address_0_is_never_given)
{
	struct pt_arena a = arena_at(0, true);

	cr_assert_eq(take(&a), 4096);
	give(&a, 0);
	cr_assert_eq(a.bad_frees, 1);
}

/* A PAE root has 32 bytes and a page of its own; what does not fit a page is refused. */
Test(pt_arena, small_and_large_tables)
{
	struct pt_arena a = arena_at(BASE, true);
	pt_u64 addr;

	cr_assert_eq(a.alloc.alloc(&a.alloc, 32, &addr), 0);
	cr_assert_eq(a.live, 4096);
	a.alloc.free(&a.alloc, 32, addr);
	cr_assert_eq(a.live, 0);
	cr_assert_eq(a.alloc.alloc(&a.alloc, 4097, &addr), -ENOMEM);
}

Test(pt_arena, wrong_frees_are_refused_and_counted)
{
	struct pt_arena a = arena_at(BASE, true);
	pt_u64 first = take(&a), second = take(&a);
	const pt_u64 wrong[] = { 0, BASE - 4096, first + 8, BASE + 2 * 4096, BASE + SIZE, ~0ULL };
	unsigned int i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		give(&a, wrong[i]);
	cr_assert_eq(a.bad_frees, i);
	cr_assert_eq(a.live, 8192);
	give(&a, first);
	give(&a, second);
	give(&a, first);
	give(&a, second);
	cr_assert_eq(a.bad_frees, i + 2);
	cr_assert_eq(a.live, 0);
	first = take(&a);
	cr_assert_neq(first, take(&a));
}

/* A page in use may hold anything, also what a free page looks like. */
Test(pt_arena, a_table_that_looks_free_is_not)
{
	struct pt_arena a = arena_at(BASE, true);
	pt_u64 first = take(&a), second = take(&a);

	give(&a, first);
	memcpy(buffer + (second - BASE), buffer + (first - BASE), 4096);
	give(&a, second);
	cr_assert_eq(a.bad_frees, 0);
	cr_assert_eq(a.live, 0);
}

/* Somebody wrote to a free page: no address outside of the arena comes of it. */
Test(pt_arena, a_broken_list_ends)
{
	const pt_u64 links[] = { 8, BASE + SIZE, BASE + 3 * 4096, ~0ULL, 0 };
	unsigned int i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct pt_arena a = arena_at(BASE, true);
		pt_u64 first = take(&a);

		give(&a, first);
		memcpy(buffer, &links[i], 8);
		cr_assert_eq(take(&a), first);
		cr_assert_eq(take(&a), BASE + 4096);
	}
}

Test(pt_arena, reads_stay_within)
{
	struct pt_arena a = arena_at(BASE, false);
	pt_u8 bytes[16];

	buffer[SIZE - 1] = 0x11;
	cr_assert_eq(pt_mem_read(&a.mem, BASE + SIZE - 8, bytes, 8), 0);
	cr_assert_eq(bytes[7], 0x11);
	cr_assert_eq(a.mem.ops->read(&a.mem, BASE + SIZE - 8, bytes, 8), 0);
	cr_assert_eq(pt_mem_read(&a.mem, BASE + SIZE - 8, bytes, 9), -EFAULT);
	cr_assert_eq(pt_mem_read(&a.mem, BASE + SIZE, bytes, 1), -EFAULT);
	cr_assert_eq(pt_mem_read(&a.mem, BASE - 1, bytes, 2), -EFAULT);
	cr_assert_eq(pt_mem_read(&a.mem, ~0ULL, bytes, 2), -EFAULT);
}

Test(pt_arena, exchange_compares)
{
	struct pt_arena a = arena_at(BASE, false);
	const struct pt_mem_ops *ops = a.mem.ops;
	pt_u64 old = 0xa5a5a5a5a5a5a5a5ULL;
	pt_u32 word;

	cr_assert_eq(ops->cmpxchg(&a.mem, BASE + 8, 8, &old, 1), 0);
	old = 2;
	cr_assert_eq(ops->cmpxchg(&a.mem, BASE + 8, 8, &old, 3), -EAGAIN);
	cr_assert_eq(old, 1);
	old = 0xa5a5a5a5;
	cr_assert_eq(ops->cmpxchg(&a.mem, BASE + 4, 4, &old, 4), 0);
	memcpy(&word, buffer + 4, 4);
	cr_assert_eq(word, 4);
	memcpy(&word, buffer, 4);
	cr_assert_eq(word, 0xa5a5a5a5, "the neighbour stays");
	cr_assert_eq(ops->cmpxchg(&a.mem, BASE + 4, 4, &old, 4), -EAGAIN);
	cr_assert_eq(old, 4);
	cr_assert_eq(ops->cmpxchg(&a.mem, BASE + 4, 8, &old, 4), -EINVAL);
	cr_assert_eq(ops->cmpxchg(&a.mem, BASE + 2, 4, &old, 4), -EINVAL);
	cr_assert_eq(ops->cmpxchg(&a.mem, BASE, 2, &old, 4), -EINVAL);
	cr_assert_eq(ops->cmpxchg(&a.mem, BASE + SIZE, 8, &old, 4), -EFAULT);
	cr_assert_eq(ops->cmpxchg(&a.mem, BASE - 8, 8, &old, 4), -EFAULT);
}

/* Tables that were there: nothing is given but what was given back. */
Test(pt_arena, contents_are_in_use)
{
	struct pt_arena a = arena_at(BASE, false);
	pt_u64 addr;

	cr_assert_eq(a.live, SIZE);
	cr_assert_eq(a.alloc.alloc(&a.alloc, 4096, &addr), -ENOMEM);
	give(&a, BASE + 4096);
	cr_assert_eq(take(&a), BASE + 4096);
}
