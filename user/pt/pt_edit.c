// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_edit.h"
#include "pt_priv.h"

static void pos_range(struct pt_pos *pos, const struct pt_fmt *fmt, unsigned int level, pt_u64 ia)
{
	pt_u64 offset = pt_level_size(fmt, level) - 1;

	pos->level = (pt_u8)level;
	pos->start = ia & ~offset;
	pos->last = ia | offset;
}

void pt_pos_in_table(struct pt_pos *pos, const struct pt_space *space, unsigned int level,
		     pt_u64 table, pt_u64 ia)
{
	pos_range(pos, space->fmt, level, ia);
	pos->addr = table + ((pt_u64)pt_index(space->fmt, ia, level) << space->fmt->entry_shift);
	pos->entry = 0;
}

int pt_pos_of_path(struct pt_pos *pos, const struct pt_space *space, const struct pt_path *path,
		   unsigned int level)
{
	if (!level || level > path->top || level + path->reads <= path->top)
		return -EINVAL;
	pos_range(pos, space->fmt, level, path->end.ia);
	pos->addr = path->at[level].addr;
	pos->entry = path->at[level].entry;
	return 0;
}

void pt_pos_of_item(struct pt_pos *pos, const struct pt_space *space, const struct pt_item *item)
{
	bool read = item->why != PT_WHY_NONCANONICAL && item->why != PT_WHY_UNREADABLE;

	__builtin_memset(pos, 0, sizeof(*pos));
	if (!read || !item->level || item->level > space->fmt->top)
		return;
	pos_range(pos, space->fmt, item->level, item->start);
	pos->addr = item->addr;
	pos->entry = item->entry;
}

int pt_get_leaf(const struct pt_space *space, pt_u64 ia, struct pt_pos *pos)
{
	struct pt_path path;

	switch (pt_lookup(space, ia, &path)) {
	case PT_LEAF:
		return pt_pos_of_path(pos, space, &path, path.end.level);
	case PT_HOLE:
		return -ENOENT;
	default:
		return path.end.why == PT_WHY_UNREADABLE ? -EFAULT : -EINVAL;
	}
}

int pt_leaf_at(const struct pt_fmt *fmt, unsigned int level, pt_u64 bits, pt_u64 pa, pt_u64 *entry)
{
	pt_u64 offset = pt_level_size(fmt, level) - 1;

	*entry = bits | (pa & fmt->addr_mask & ~offset);
	if (level > 1)
		*entry |= pa >> 19 & fmt->pse36_mask;
	return pt_entry_addr(fmt, level, *entry, 1) == pa ? 0 : -EINVAL;
}

pt_u64 pt_table_entry(const struct pt_space *space, unsigned int level, pt_u64 table, bool accessed)
{
	const struct pt_fmt *fmt = space->fmt;
	pt_u64 bits = PT_P | PT_RW | PT_US;

	if (fmt->ept)
		bits = EPT_R | EPT_W | EPT_X | (fmt->feat.ept_mbec ? EPT_XU : 0);
	else if (fmt->free_levels >> level & 1)
		bits = PT_P;
	if (accessed)
		bits |= pt_ad_bits(fmt, level, bits);
	if (fmt->feat.enc_bit && fmt->entry_shift == 3)
		bits |= space->root & PT_BIT(fmt->feat.enc_bit);
	return table | bits;
}

int pt_table_alloc(const struct pt_space *space, struct pt_alloc *alloc, unsigned int level,
		   pt_u64 *table)
{
	const struct pt_fmt *fmt = space->fmt;
	pt_u64 reach = level == fmt->top ? fmt->root_mask : fmt->addr_mask;
	int err = alloc->alloc(alloc, pt_table_bytes(fmt, level), table);

	if (err)
		return err;
	if (!(*table & ~reach))
		return 0;
	pt_table_free(space, alloc, level, *table);
	return -ENOMEM;
}

void pt_table_free(const struct pt_space *space, struct pt_alloc *alloc, unsigned int level,
		   pt_u64 table)
{
	alloc->free(alloc, pt_table_bytes(space->fmt, level), table);
}

/* A changed entry of @level changes what the recursive slot shows below it, too. */
void pt_flush(const struct pt_space *space, pt_u64 start, pt_u64 last, unsigned int level)
{
	struct pt_mem *mem = space->mem;
	pt_u32 slot = space->recursive - 1U;

	if (!mem->ops->flush)
		return;
	mem->ops->flush(mem, start, last);
	while (space->recursive && --level)
		mem->ops->flush(mem, pt_recursive_addr(space->fmt, slot, start, level) & ~4095ULL,
				pt_recursive_addr(space->fmt, slot, last, level) | 4095);
}

int pt_store(const struct pt_space *space, struct pt_pos *pos, pt_u64 new, bool flush)
{
	struct pt_mem *mem = space->mem;
	int err;

	if (!mem->ops->cmpxchg)
		return -EROFS;
	err = mem->ops->cmpxchg(mem, pos->addr, 1U << space->fmt->entry_shift, &pos->entry, new);
	if (!err && flush)
		pt_flush(space, pos->start, pos->last, pos->level);
	return err;
}

pt_u64 pt_ad_bits(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry)
{
	int leaf = pt_entry_is_leaf(fmt, level, entry);

	if (!(entry & fmt->present) || fmt->free_levels >> level & 1)
		return 0;
	if (!fmt->ept)
		return leaf ? PT_A | PT_D : PT_A;
	if (!fmt->feat.ept_ad)
		return 0;
	return leaf ? EPT_A | EPT_D : EPT_A;
}

bool pt_only_ad_set(const struct pt_fmt *fmt, unsigned int level, pt_u64 then, pt_u64 now)
{
	return !((then ^ now) & ~pt_ad_bits(fmt, level, then)) && !(then & ~now);
}

int pt_store_over_ad(const struct pt_space *space, struct pt_pos *pos, pt_u64 new, bool flush)
{
	pt_u64 seen = pos->entry;
	int err, i;

	for (i = 0; i < PT_TRIES; i++) {
		err = pt_store(space, pos, new, flush);
		if (err != -EAGAIN || !pt_only_ad_set(space->fmt, pos->level, seen, pos->entry))
			break;
	}
	return err;
}

/* May @entry stand at @pos? Whatever is not present may. */
static bool storable(const struct pt_fmt *fmt, const struct pt_pos *pos, pt_u64 entry)
{
	pt_u8 why;

	if (!pos->level || pos->level > fmt->top || (fmt->entry_shift == 2 && entry >> 32))
		return false;
	return pt_entry_kind(fmt, pos->level, entry, &why) != PT_BAD;
}

int pt_set(const struct pt_space *space, struct pt_pos *pos, pt_u64 new, struct pt_edit *edit)
{
	struct pt_pos before = *pos;
	int err;

	if (!storable(space->fmt, pos, new))
		return -EINVAL;
	err = pt_store(space, pos, new, true);
	if (err)
		return err;
	edit->pos = before;
	edit->new = pos->entry = new;
	return 0;
}

/* Do both entries lead to the same page, or the same table? */
static bool same_place(const struct pt_fmt *fmt, unsigned int level, pt_u64 a, pt_u64 b)
{
	int leaf = pt_entry_is_leaf(fmt, level, a);

	return a & fmt->present && b & fmt->present && leaf == pt_entry_is_leaf(fmt, level, b) &&
	       pt_entry_addr(fmt, level, a, leaf) == pt_entry_addr(fmt, level, b, leaf);
}

int pt_undo(const struct pt_space *space, const struct pt_edit *edit)
{
	const struct pt_fmt *fmt = space->fmt;
	unsigned int level = edit->pos.level;
	struct pt_pos pos = edit->pos;
	pt_u64 old = edit->pos.entry, set;
	int err, i;

	if (!level || level > fmt->top)
		return -EINVAL;
	pos.entry = edit->new;
	for (i = 0; i < PT_TRIES; i++) {
		if (!pt_only_ad_set(fmt, level, edit->new, pos.entry))
			break;
		set = same_place(fmt, level, old, edit->new) ? pos.entry & ~edit->new : 0;
		err = pt_store(space, &pos, old | set, true);
		if (err != -EAGAIN)
			return err;
	}
	return -ESTALE;
}
