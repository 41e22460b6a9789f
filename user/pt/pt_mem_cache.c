// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_mem_cache.h"

#define LINE  sizeof(((struct pt_cache_line *)0)->bytes)
#define EMPTY (~(pt_u64)0)

static struct pt_cache_line *line_of(const struct pt_mem_cache *cache, pt_u64 page)
{
	return &cache->lines[page / LINE & cache->mask];
}

/* @page as a line, or NULL where it cannot be read as a whole. */
static const struct pt_cache_line *get_line(struct pt_mem_cache *cache, pt_u64 page)
{
	struct pt_cache_line *line = line_of(cache, page);

	if (line->page == page) {
		cache->hits++;
		return line;
	}
	cache->misses++;
	/* A read that fails may have left anything there. */
	line->page = EMPTY;
	if (pt_mem_read(cache->under, page, line->bytes, LINE))
		return NULL;
	line->page = page;
	return line;
}

static int cache_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	struct pt_mem_cache *cache = pt_container_of(mem, struct pt_mem_cache, mem);
	const struct pt_cache_line *line;
	pt_u8 *to = buf;
	pt_u32 n;
	int err;

	for (; len; addr += n, to += n, len -= n) {
		n = (pt_u32)(LINE - addr % LINE);
		if (n > len)
			n = len;
		line = get_line(cache, addr - addr % LINE);
		if (line) {
			__builtin_memcpy(to, line->bytes + addr % LINE, n);
			continue;
		}
		err = pt_mem_read(cache->under, addr, to, n);
		if (err)
			return err;
	}
	return 0;
}

/* Whatever the memory answers about the entry's value is what the line says from then on. */
static int cache_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct pt_mem_cache *cache = pt_container_of(mem, struct pt_mem_cache, mem);
	struct pt_cache_line *line = line_of(cache, addr);
	struct pt_mem *under = cache->under;
	pt_u64 now;
	int err;

	if (!under->ops->cmpxchg)
		return -EROFS;
	err = under->ops->cmpxchg(under, addr, size, old, new);
	if ((err && err != -EAGAIN) || line->page != addr - addr % LINE)
		return err;
	now = err ? *old : new;
	__builtin_memcpy(line->bytes + addr % LINE, &now, size);
	return err;
}

static void cache_flush(struct pt_mem *mem, pt_u64 start, pt_u64 last)
{
	struct pt_mem_cache *cache = pt_container_of(mem, struct pt_mem_cache, mem);
	struct pt_mem *under = cache->under;

	pt_mem_cache_invalidate(cache, start, last);
	if (under->ops->flush)
		under->ops->flush(under, start, last);
}

static const struct pt_mem_ops cache_ops = {
	.read = cache_read,
	.cmpxchg = cache_cmpxchg,
	.flush = cache_flush,
};

int pt_mem_cache_init(struct pt_mem_cache *cache, struct pt_mem *under, struct pt_cache_line *lines,
		      pt_u32 nr)
{
	pt_u32 i;

	if (!nr || (nr & (nr - 1)))
		return -EINVAL;
	/* No window, even where @under has one: it would bypass the lines. */
	*cache = (struct pt_mem_cache){
		.mem = { .ops = &cache_ops },
		.under = under,
		.lines = lines,
		.mask = nr - 1,
	};
	for (i = 0; i < nr; i++)
		lines[i].page = EMPTY;
	return 0;
}

void pt_mem_cache_invalidate(struct pt_mem_cache *cache, pt_u64 start, pt_u64 last)
{
	pt_u64 first = start / LINE, pages = last / LINE - first, i;
	struct pt_cache_line *line;

	/* Neighbouring pages lie in neighbouring lines: no more lines than pages are looked at. */
	for (i = 0; i <= pages && i <= cache->mask; i++) {
		line = &cache->lines[(first + i) & cache->mask];
		if (line->page / LINE - first <= pages)
			line->page = EMPTY;
	}
}
