// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_iter.h"

/* Addresses that share a table of @level: all bits below the upper entry's. */
static pt_u64 table_mask(const struct pt_fmt *fmt, pt_u32 level)
{
	return pt_level_size(fmt, level + 1) - 1;
}

/* The table of @level that ->next is looked up in from now on; @pa is what the entry above says. */
static void enter(struct pt_iter *it, pt_u32 level, pt_u64 pa, pt_u8 perm)
{
	const struct pt_space *s = it->space;

	if (s->recursive)
		pa = pt_recursive_addr(s->fmt, s->recursive - 1U,
				       it->next & ~table_mask(s->fmt, level), level);
	it->level = (pt_u8)level;
	it->at[level].table = pa;
	it->at[level].perm = perm;
	it->at[level].chunk = PT_NO_CHUNK;
}

int pt_iter_init(struct pt_iter *it, const struct pt_space *space, pt_u64 start, pt_u64 last,
		 unsigned int flags, pt_u64 budget)
{
	pt_u8 top = space->fmt->top;

	if (start > last)
		return -EINVAL;
	it->space = space;
	it->next = start;
	it->last = last;
	it->from = start;
	it->budget = budget ? budget : ~(pt_u64)0;
	it->flags = (pt_u8)flags;
	it->done = 0;
	it->from_level = top;
	enter(it, top, space->root & space->fmt->root_mask, PT_PERM_ALL);
	return 0;
}

static void load_chunk(struct pt_iter *it, pt_u32 level, pt_u32 chunk)
{
	pt_u32 bytes = pt_table_bytes(it->space->fmt, level);
	typeof(&it->at[0]) at = &it->at[level];

	at->chunk = (pt_u16)chunk;
	at->bad = pt_mem_read(it->space->mem, at->table + chunk * PT_CHUNK, at->bytes,
			      bytes < PT_CHUNK ? bytes : PT_CHUNK) != 0;
}

/* Address of the entry of @level for @ia. */
static pt_u64 entry_addr(const struct pt_iter *it, pt_u32 level, pt_u64 ia)
{
	const struct pt_fmt *fmt = it->space->fmt;

	return it->at[level].table + (pt_index(fmt, ia, level) << fmt->entry_shift);
}

/* Reads the entry of @level for @ia: from its chunk, alone if that is not to be had. */
static int read_entry(struct pt_iter *it, pt_u32 level, pt_u64 ia, pt_u64 *entry)
{
	const struct pt_fmt *fmt = it->space->fmt;
	pt_u32 offset = pt_index(fmt, ia, level) << fmt->entry_shift;
	typeof(&it->at[0]) at = &it->at[level];
	pt_u32 half;

	if (at->chunk != offset / PT_CHUNK)
		load_chunk(it, level, offset / PT_CHUNK);
	if (__builtin_expect(at->bad, 0))
		return pt_mem_entry(it->space->mem, at->table + offset, fmt->entry_shift, entry);
	if (fmt->entry_shift == 3) {
		__builtin_memcpy(entry, at->bytes + offset % PT_CHUNK, sizeof(*entry));
	} else {
		__builtin_memcpy(&half, at->bytes + offset % PT_CHUNK, sizeof(half));
		*entry = half;
	}
	return 0;
}

/* Behind an item that was found: ->next moves past @last, upwards out of the tables it leaves. */
static void advance(struct pt_iter *it, pt_u64 last)
{
	const struct pt_fmt *fmt = it->space->fmt;

	if (last >= it->last) {
		it->done = 1;
		it->level = fmt->top;
		return;
	}
	it->next = last + 1;
	while (it->level < fmt->top && !(it->next & table_mask(fmt, it->level)))
		it->level++;
}

/* An item without an entry: there is no paging, or ->next cannot be walked. */
static bool find_without_entry(struct pt_iter *it, struct pt_item *item)
{
	const struct pt_fmt *fmt = it->space->fmt;
	pt_u64 last = it->last;
	bool canonical = pt_canonical(fmt, it->next);

	if (canonical && fmt->top)
		return false;
	if (canonical)
		last = PT_BIT(fmt->va_bits) - 1;
	else if (fmt->va_signed)
		last = -PT_BIT(fmt->va_bits - 1) - 1;
	*item = (struct pt_item){
		.start = it->next,
		.last = last < it->last ? last : it->last,
		.pa = canonical ? it->next : 0,
		.kind = canonical ? PT_LEAF : PT_HOLE,
		.why = canonical ? PT_WHY_NONE : PT_WHY_NONCANONICAL,
		.perm = PT_PERM_ALL,
	};
	return true;
}

/* The entry at item->start could not be read: neither can its neighbours up to item->last. */
static void extend_unreadable(struct pt_iter *it, struct pt_item *item)
{
	const struct pt_fmt *fmt = it->space->fmt;
	pt_u64 next, entry, size = pt_level_size(fmt, item->level);

	item->kind = PT_BAD;
	item->why = PT_WHY_UNREADABLE;
	item->entry = 0;
	while (item->last < it->last && it->budget) {
		next = item->last + 1;
		if (!pt_canonical(fmt, next) ||
		    (item->level < fmt->top && !(next & table_mask(fmt, item->level))) ||
		    !read_entry(it, item->level, next, &entry))
			break;
		it->budget--;
		item->last += size;
	}
}

/* What the entry for ->next says, into @item. */
static __always_inline void examine(struct pt_iter *it, struct pt_item *item)
{
	const struct pt_fmt *fmt = it->space->fmt;
	pt_u64 offset, size;
	pt_u8 level = it->level;

	size = pt_level_size(fmt, level);
	offset = it->next & (size - 1);
	item->start = it->next;
	item->last = it->next - offset + (size - 1);
	item->pa = 0;
	item->addr = entry_addr(it, level, it->next);
	item->level = level;
	item->perm = it->at[level].perm;
	if (__builtin_expect(read_entry(it, level, it->next, &item->entry), 0)) {
		extend_unreadable(it, item);
	} else {
		item->kind = (pt_u8)pt_entry_kind(fmt, level, item->entry, &item->why);
		if (item->kind == PT_LEAF)
			item->pa = pt_entry_addr(fmt, level, item->entry, 1) | offset;
		else if (item->kind == PT_TABLE)
			item->pa = pt_entry_addr(fmt, level, item->entry, 0);
		if (item->kind <= PT_LEAF)
			item->perm &= pt_entry_perm(fmt, level, item->entry);
	}
	if (item->last > it->last)
		item->last = it->last;
}

int pt_iter_next(struct pt_iter *it, struct pt_item *item)
{
	if (it->done)
		return 0;
	if (it->level == it->space->fmt->top && find_without_entry(it, item)) {
		it->from = it->next;
		it->from_level = it->level;
		advance(it, item->last);
		return 1;
	}
	do {
		if (!it->budget)
			return -E2BIG;
		it->budget--;
		it->from = it->next;
		it->from_level = it->level;
		examine(it, item);
		if (item->kind != PT_TABLE) {
			advance(it, item->last);
			return 1;
		}
		enter(it, item->level - 1U, item->pa, item->perm);
	} while (!(it->flags & PT_ITER_TABLES));
	return 1;
}

void pt_iter_skip(struct pt_iter *it)
{
	if (!(it->flags & PT_ITER_TABLES) || it->level >= it->from_level)
		return;
	it->level = it->from_level;
	advance(it, it->from | (pt_level_size(it->space->fmt, it->level) - 1));
}

void pt_iter_again(struct pt_iter *it)
{
	pt_u32 level;

	it->next = it->from;
	it->level = it->from_level;
	it->done = 0;
	for (level = it->level; level <= it->space->fmt->top; level++)
		it->at[level].chunk = PT_NO_CHUNK;
}
