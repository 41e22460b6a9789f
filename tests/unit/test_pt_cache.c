// SPDX-License-Identifier: GPL-2.0
/* The cache: what it saves, what it must not hide, and what it passes on. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/pt/pt_mem_cache.h"

#define PAGE	4096
#define PAGES	16
#define SIZE	(PAGES * PAGE)
#define NR_LINE 4

/* Memory at [0, ->size) that counts; it has no window. */
struct counted {
	struct pt_mem mem;
	uint8_t bytes[SIZE];
	uint64_t size;
	unsigned int reads, swaps, flushes;
	uint64_t flushed[2];
};

static struct counted memory; /* Criterion runs each test in a process of its own */
static struct pt_cache_line lines[NR_LINE];
static struct pt_mem_cache cache;

static int counted_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	struct counted *m = pt_container_of(mem, struct counted, mem);

	m->reads++;
	if (addr >= m->size || len > m->size - addr) {
		memset(buf, 0xee, len);
		return -EFAULT;
	}
	memcpy(buf, m->bytes + addr, len);
	return 0;
}

static int counted_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct counted *m = pt_container_of(mem, struct counted, mem);
	uint64_t now = 0;

	m->swaps++;
	if (addr >= m->size)
		return -EFAULT;
	memcpy(&now, m->bytes + addr, size);
	if (now != *old) {
		*old = now;
		return -EAGAIN;
	}
	memcpy(m->bytes + addr, &new, size);
	return 0;
}

static void counted_flush(struct pt_mem *mem, pt_u64 start, pt_u64 last)
{
	struct counted *m = pt_container_of(mem, struct counted, mem);

	m->flushes++;
	m->flushed[0] = start;
	m->flushed[1] = last;
}

static const struct pt_mem_ops counted_ops = { counted_read, counted_cmpxchg, counted_flush };

static void setup(void)
{
	size_t i;

	memory.mem.ops = &counted_ops;
	memory.size = SIZE;
	for (i = 0; i < SIZE; i++)
		memory.bytes[i] = (uint8_t)(i * 31 + i / PAGE);
	cr_assert_eq(pt_mem_cache_init(&cache, &memory.mem, lines, NR_LINE), 0);
}

static uint64_t word(uint64_t addr)
{
	uint64_t value;

	cr_assert_eq(pt_mem_read(&cache.mem, addr, &value, sizeof(value)), 0);
	return value;
}

static uint64_t truth(uint64_t addr)
{
	uint64_t value;

	memcpy(&value, memory.bytes + addr, sizeof(value));
	return value;
}

TestSuite(pt_cache, .init = setup);

Test(pt_cache, number_of_lines_is_a_power_of_two)
{
	struct pt_mem_cache c;

	cr_assert_eq(pt_mem_cache_init(&c, &memory.mem, lines, 0), -EINVAL);
	cr_assert_eq(pt_mem_cache_init(&c, &memory.mem, lines, 3), -EINVAL);
	cr_assert_eq(pt_mem_cache_init(&c, &memory.mem, lines, 1), 0);
}

Test(pt_cache, a_page_is_read_once)
{
	unsigned int i;

	for (i = 0; i < PAGE; i += 8)
		cr_assert_eq(word(PAGE + i), truth(PAGE + i));
	cr_assert_eq(memory.reads, 1);
	cr_assert_eq(cache.misses, 1);
	cr_assert_eq(cache.hits, PAGE / 8 - 1);
}

Test(pt_cache, pages_that_share_a_line_take_turns)
{
	word(0);
	word(NR_LINE * PAGE);
	cr_assert_eq(word(8), truth(8));
	cr_assert_eq(memory.reads, 3);
	cr_assert_eq(word(PAGE), truth(PAGE), "a neighbour has a line of its own");
	cr_assert_eq(word(0), truth(0));
	cr_assert_eq(memory.reads, 4);
}

Test(pt_cache, reads_over_page_boundaries)
{
	uint8_t buf[2 * PAGE + 2];

	cr_assert_eq(pt_mem_read(&cache.mem, PAGE - 1, buf, sizeof(buf)), 0);
	cr_assert_arr_eq(buf, memory.bytes + PAGE - 1, sizeof(buf));
	cr_assert_eq(memory.reads, 4);
	cr_assert_eq(cache.misses, 4);
}

Test(pt_cache, a_window_is_not_bypassed_and_not_believed)
{
	uint64_t before = truth(0);

	memory.mem.window = memory.bytes;
	memory.mem.window_len = SIZE;
	cr_assert_eq(word(0), before);
	cr_assert_null(cache.mem.window);
	cr_assert_eq(cache.mem.window_len, 0);
	memory.bytes[0] ^= 1;
	cr_assert_eq(word(0), before, "what was read stays until it is invalidated");
	pt_mem_cache_invalidate(&cache, 0, 0);
	cr_assert_eq(word(0), before ^ 1);
	cr_assert_eq(memory.reads, 0, "the window was used");
}

Test(pt_cache, part_of_a_page_passes_through)
{
	uint64_t value;

	memory.size = 3 * PAGE + 64;
	cr_assert_eq(word(3 * PAGE + 56), truth(3 * PAGE + 56));
	cr_assert_eq(word(3 * PAGE + 56), truth(3 * PAGE + 56));
	cr_assert_eq(memory.reads, 4, "a page that failed and the entry, each time");
	cr_assert_eq(cache.hits, 0);
	cr_assert_eq(pt_mem_read(&cache.mem, 3 * PAGE + 60, &value, 8), -EFAULT);
	cr_assert_eq(pt_mem_read(&cache.mem, 9 * PAGE, &value, 8), -EFAULT);
	cr_assert_eq(pt_mem_read(&cache.mem, ~UINT64_C(7), &value, 8), -EFAULT);
}

/* A failing read has overwritten the line: the page that was in it must not be found again. */
Test(pt_cache, a_failed_page_leaves_no_line)
{
	uint64_t value;

	memory.size = 4 * PAGE;
	cr_assert_eq(word(0), truth(0));
	cr_assert_eq(pt_mem_read(&cache.mem, NR_LINE * PAGE, &value, 8), -EFAULT);
	cr_assert_eq(word(0), truth(0));
}

Test(pt_cache, writes_go_through_and_the_line_follows)
{
	uint64_t old = truth(PAGE + 8), wrong = 0x1234;

	word(PAGE);
	cr_assert_eq(cache.mem.ops->cmpxchg(&cache.mem, PAGE + 8, 8, &old, 77), 0);
	cr_assert_eq(truth(PAGE + 8), 77);
	cr_assert_eq(word(PAGE + 8), 77);
	cr_assert_eq(memory.reads, 1, "from the line");
	/* Somebody else has written: the answer says what, and the line knows it too. */
	memory.bytes[PAGE + 8] = 78;
	cr_assert_eq(word(PAGE + 8), 77);
	cr_assert_eq(cache.mem.ops->cmpxchg(&cache.mem, PAGE + 8, 8, &wrong, 1), -EAGAIN);
	cr_assert_eq(wrong, 78);
	cr_assert_eq(word(PAGE + 8), 78);
	cr_assert_eq(memory.reads, 1);
}

Test(pt_cache, entries_of_four_bytes)
{
	uint64_t old = truth(16) & UINT32_MAX, next = truth(16) >> 32;

	word(0);
	cr_assert_eq(cache.mem.ops->cmpxchg(&cache.mem, 16, 4, &old, 0x11223344), 0);
	cr_assert_eq(word(16), next << 32 | 0x11223344, "the neighbour stays");
	cr_assert_eq(word(16), truth(16));
}

Test(pt_cache, writes_to_pages_without_a_line)
{
	uint64_t old = truth(NR_LINE * PAGE);

	word(0);
	cr_assert_eq(cache.mem.ops->cmpxchg(&cache.mem, NR_LINE * PAGE, 8, &old, 5), 0);
	cr_assert_eq(word(0), truth(0), "the line of another page is left alone");
	cr_assert_eq(word(NR_LINE * PAGE), 5);
}

Test(pt_cache, writes_that_fail_change_nothing)
{
	struct pt_mem_ops read_only = { .read = counted_read };
	uint64_t old = truth(0), value = old;

	word(0);
	memory.size = 0;
	cr_assert_eq(cache.mem.ops->cmpxchg(&cache.mem, 0, 8, &old, 1), -EFAULT);
	cr_assert_eq(word(0), value);
	memory.mem.ops = &read_only;
	cr_assert_eq(cache.mem.ops->cmpxchg(&cache.mem, 0, 8, &old, 1), -EROFS);
	cr_assert_eq(word(0), value);
	cache.mem.ops->flush(&cache.mem, 0, 1); /* nobody to pass it on to */
}

Test(pt_cache, flushes_are_passed_on)
{
	word(0);
	word(0x1000);
	cache.mem.ops->flush(&cache.mem, 0x1000, 0x2fff);
	cr_assert_eq(memory.flushes, 1);
	cr_assert_eq(memory.flushed[0], 0x1000);
	cr_assert_eq(memory.flushed[1], 0x2fff);
	word(0);
	cr_assert_eq(memory.reads, 2);
	word(0x1000);
	cr_assert_eq(memory.reads, 3, "forgotten, in case it is a table seen through itself");
}

/* How many of pages 0..3 have to be read again. */
static unsigned int forgotten(uint64_t start, uint64_t last)
{
	unsigned int i, before;

	pt_mem_cache_invalidate(&cache, 0, ~UINT64_C(0));
	for (i = 0; i < NR_LINE; i++)
		word(i * PAGE);
	pt_mem_cache_invalidate(&cache, start, last);
	before = memory.reads;
	for (i = 0; i < NR_LINE; i++)
		word(i * PAGE);
	return memory.reads - before;
}

Test(pt_cache, invalidated_ranges)
{
	cr_assert_eq(forgotten(0, ~UINT64_C(0)), 4);
	cr_assert_eq(forgotten(0, 0), 1);
	cr_assert_eq(forgotten(PAGE - 1, PAGE), 2);
	cr_assert_eq(forgotten(PAGE, 2 * PAGE - 1), 1);
	cr_assert_eq(forgotten(3 * PAGE, ~UINT64_C(0)), 1);
	cr_assert_eq(forgotten(NR_LINE * PAGE, NR_LINE * PAGE), 0, "another page of that line");
	cr_assert_eq(forgotten(NR_LINE * PAGE, 100 * PAGE), 0);
	cr_assert_eq(forgotten(~UINT64_C(0), ~UINT64_C(0)), 0);
}

/* The seed comes from PTSCOPE_SEED, so that a failure can be repeated, or from the clock. */
static unsigned int random_seed(void)
{
	const char *given = getenv("PTSCOPE_SEED");

	return given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);
}

/* One random step; a cache that is told of all that goes past it is the memory. */
static void step(void)
{
	uint64_t addr = (uint64_t)random() % (SIZE - 8), old, back;
	uint8_t buf[8];

	switch (random() % 8) {
	case 0:
		memory.bytes[addr]++;
		pt_mem_cache_invalidate(&cache, addr, addr + (uint64_t)random() % 9000);
		break;
	case 1:
		addr &= ~UINT64_C(7);
		old = random() % 4 ? truth(addr) : 0;
		back = old;
		if (cache.mem.ops->cmpxchg(&cache.mem, addr, 8, &old, (uint64_t)random()))
			cr_assert(old != back && old == truth(addr));
		break;
	default:
		cr_assert_eq(pt_mem_read(&cache.mem, addr, buf, sizeof(buf)), 0);
		cr_assert_arr_eq(buf, memory.bytes + addr, sizeof(buf));
	}
}

Test(pt_cache, random_steps_show_the_memory)
{
	unsigned int seed = random_seed(), i;

	fprintf(stderr, "random_steps_show_the_memory: seed %u\n", seed);
	srandom(seed);
	for (i = 0; i < 200000; i++)
		step();
	cr_assert(cache.hits > 0 && memory.reads < i);
}
