// SPDX-License-Identifier: GPL-2.0
#include "user/report/top_strip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_BITS 64

static bool same_block(const void *ctx, uint32_t slot, const void *key)
{
	const struct top_strip *s = ctx;

	return s->blocks[slot].block == *(const uint64_t *)key;
}

static struct top_block *find(struct top_strip *s, uint64_t block)
{
	int64_t slot = hash_find(&s->index, hash_u64(block), same_block, s, &block);

	return slot < 0 ? NULL : &s->blocks[slot];
}

/* There must be room. NULL without memory. */
static struct top_block *add(struct top_strip *s, uint64_t block)
{
	if (hash_add(&s->index, hash_u64(block), s->n))
		return NULL;
	s->blocks[s->n] = (struct top_block){ .block = block };
	return &s->blocks[s->n++];
}

/* Blocks of twice the size: neighbours become one. In place, for there are never more. */
static int coarsen(struct top_strip *s)
{
	uint32_t i, n = s->n;

	hash_free(&s->index);
	s->n = 0;
	s->shift++;
	for (i = 0; i < n; i++) {
		const struct top_block old = s->blocks[i];
		struct top_block *to = find(s, old.block >> 1);

		if (!to)
			to = add(s, old.block >> 1);
		if (!to)
			return -ENOMEM;
		top_count_add(&to->count, &old.count);
	}
	return 0;
}

int top_strip_add(struct top_strip *s, uint64_t address)
{
	struct top_block *block;
	int err = 0;

	if (!s->shift)
		s->shift = TOP_STRIP_SHIFT;
	block = find(s, address >> s->shift);
	/* Down to half, so that the next one is far away. */
	while (!block && !err && s->n == TOP_STRIP_BLOCKS) {
		do
			err = coarsen(s);
		while (!err && s->n > TOP_STRIP_BLOCKS / 2);
		block = find(s, address >> s->shift);
	}
	if (!block && !err)
		block = add(s, address >> s->shift);
	if (!block)
		return -ENOMEM;
	block->count.now++;
	return 0;
}

void top_strip_turn(struct top_strip *s)
{
	uint32_t i;

	for (i = 0; i < s->n; i++)
		top_count_turn(&s->blocks[i].count);
}

void top_strip_free(struct top_strip *s)
{
	hash_free(&s->index);
	s->n = 0;
	s->shift = 0;
}

static int by_block(const void *pa, const void *pb)
{
	const struct top_block *a = pa, *b = pb;

	return (a->block > b->block) - (a->block < b->block);
}

/* Cells, gaps included, that the sorted @blocks come to when cells are 1 << @up blocks. */
static uint32_t cells_needed(const struct top_block *blocks, uint32_t n, unsigned int up)
{
	uint64_t cell, before = 0;
	uint32_t i, needed = 0;

	for (i = 0; i < n; i++) {
		cell = blocks[i].block >> up;
		if (i && cell == before)
			continue;
		needed += i && cell != before + 1 ? 2 : 1;
		before = cell;
	}
	return needed;
}

static void fill_cells(struct top_cell *cells, const struct top_block *blocks, uint32_t n,
		       unsigned int up, unsigned int shift)
{
	struct top_cell *c = NULL;
	uint64_t first, size;
	uint32_t i;

	size = up + shift < ADDRESS_BITS ? 1ULL << (up + shift) : 0; /* 0: all there is */
	for (i = 0; i < n; i++) {
		first = size ? blocks[i].block >> up << (up + shift) : 0;
		if (c && c->first != first) {
			if (c->last + 1 != first) {
				c[1] = (struct top_cell){ .gap = true,
							  .first = c->last + 1,
							  .last = first - 1 };
				c++;
			}
			*++c = (struct top_cell){ .first = first, .last = first + size - 1 };
		}
		if (!c) {
			c = cells;
			*c = (struct top_cell){ .first = first, .last = first + size - 1 };
		}
		top_count_add(&c->count, &blocks[i].count);
	}
}

uint32_t top_strip_cells(const struct top_strip *s, struct top_cell *cells, uint32_t max)
{
	struct top_block *blocks;
	unsigned int up = 0;
	uint32_t n;

	if (!s->n || !max)
		return 0;
	blocks = malloc(s->n * sizeof(*blocks));
	if (!blocks)
		return 0;
	memcpy(blocks, s->blocks, s->n * sizeof(*blocks));
	qsort(blocks, s->n, sizeof(*blocks), by_block);
	while (cells_needed(blocks, s->n, up) > max)
		up++;
	n = cells_needed(blocks, s->n, up);
	fill_cells(cells, blocks, s->n, up, s->shift);
	free(blocks);
	return n;
}
