// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_arena.h"

#define PAGE ((pt_u64)4096)

/*
 * A free page begins with the address of the next one and a mark. A page with the mark is looked
 * for in the list before it is taken back, so that a second free is found out and no other pays.
 * As entries both words are not present, in every format.
 */
struct free_page {
	pt_u64 next;
	pt_u64 mark;
};

#define FREE_MARK ((pt_u64)0x6672656570616000)

static bool in_bounds(const struct pt_arena *a, pt_u64 addr, pt_u32 len)
{
	return addr >= a->base && addr - a->base < a->size && len <= a->size - (addr - a->base);
}

static int arena_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	struct pt_arena *a = pt_container_of(mem, struct pt_arena, mem);

	if (!in_bounds(a, addr, len))
		return -EFAULT;
	__builtin_memcpy(buf, a->bytes + (addr - a->base), len);
	return 0;
}

static bool exchange4(pt_u8 *at, pt_u64 *old, pt_u64 new)
{
	pt_u32 seen = (pt_u32)*old;
	bool done = __atomic_compare_exchange_n((pt_u32 *)at, &seen, (pt_u32) new, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);

	*old = seen;
	return done;
}

static bool exchange8(pt_u8 *at, pt_u64 *old, pt_u64 new)
{
	return __atomic_compare_exchange_n((pt_u64 *)at, old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static int arena_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct pt_arena *a = pt_container_of(mem, struct pt_arena, mem);
	pt_u8 *at;

	if (size != 4 && size != 8)
		return -EINVAL;
	if (addr & (size - 1))
		return -EINVAL;
	if (!in_bounds(a, addr, size))
		return -EFAULT;
	at = a->bytes + (addr - a->base);
	return (size == 4 ? exchange4(at, old, new) : exchange8(at, old, new)) ? 0 : -EAGAIN;
}

static const struct pt_mem_ops arena_ops = {
	.read = arena_read,
	.cmpxchg = arena_cmpxchg,
};

/* A page that was handed out at some time; NULL for every other address. */
static struct free_page *page_at(const struct pt_arena *a, pt_u64 addr)
{
	if (!addr || addr & (PAGE - 1) || addr < a->base || addr - a->base >= a->used)
		return NULL;
	return (struct free_page *)(void *)(a->bytes + (addr - a->base));
}

/* Bounded, and careful with links: tables that still refer to a free page may be written to. */
static bool is_free(const struct pt_arena *a, pt_u64 addr)
{
	const struct free_page *page = page_at(a, addr);
	pt_u64 at = a->free_list, left;

	if (page->mark != FREE_MARK)
		return false;
	for (left = a->used; left && (page = page_at(a, at)); left -= PAGE, at = page->next) {
		if (at == addr)
			return true;
	}
	return false;
}

static int arena_alloc(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 *addr)
{
	struct pt_arena *a = pt_container_of(alloc, struct pt_arena, alloc);
	struct free_page *page = page_at(a, a->free_list);

	if (bytes > PAGE)
		return -ENOMEM;
	if (page) {
		*addr = a->free_list;
		a->free_list = page->next;
	} else {
		if (a->used == a->size)
			return -ENOMEM;
		*addr = a->base + a->used;
		a->used += PAGE;
	}
	__builtin_memset(a->bytes + (*addr - a->base), 0, PAGE);
	a->live += PAGE;
	return 0;
}

static void arena_free(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 addr)
{
	struct pt_arena *a = pt_container_of(alloc, struct pt_arena, alloc);
	struct free_page *page = page_at(a, addr);

	if (!page || bytes > PAGE || !a->live || is_free(a, addr)) {
		a->bad_frees++;
		return;
	}
	page->next = a->free_list;
	page->mark = FREE_MARK;
	a->free_list = addr;
	a->live -= PAGE;
}

int pt_arena_init(struct pt_arena *arena, void *buffer, pt_u64 base, pt_u64 size, bool allocate)
{
	if ((base | size) & (PAGE - 1) || (__UINTPTR_TYPE__)buffer & 7)
		return -EINVAL;
	if (size && base + (size - 1) < base)
		return -EINVAL;
	__builtin_memset(arena, 0, sizeof(*arena));
	arena->mem.ops = &arena_ops;
	arena->mem.window = buffer;
	arena->mem.window_start = base;
	arena->mem.window_len = size;
	arena->alloc.alloc = arena_alloc;
	arena->alloc.free = arena_free;
	arena->bytes = buffer;
	arena->base = base;
	arena->size = size;
	if (!allocate)
		arena->used = arena->live = size;
	else if (!base && size)
		arena->used = PAGE; /* an address of 0 would look like none */
	return 0;
}
