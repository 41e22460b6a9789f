// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_large.h"
#include "pt_map.h"
#include "pt_priv.h"

/* Empty tables that were empty before pt_map() stay: see struct pt_eraser. */
static bool kept(const struct pt_eraser *e, const struct pt_pos *pos)
{
	if (e->undo_level && pos->last > e->last)
		return true;
	return e->undo_level && pos->start < e->start && pos->level > e->undo_level;
}

/* 1: every entry of the table of @level is 0. */
static int is_empty(const struct pt_space *space, unsigned int level, pt_u64 table)
{
	pt_u32 i, shift = space->fmt->entry_shift;
	pt_u64 entry;
	int err;

	for (i = 0; i < pt_table_entries(space->fmt, level); i++) {
		err = pt_mem_entry(space->mem, table + ((pt_u64)i << shift), shift, &entry);
		if (err)
			return err;
		if (entry)
			return 0;
	}
	return 1;
}

/* Takes the table under @pos out if nothing is in it any more. */
static int drop_table(const struct pt_eraser *e, struct pt_pos *pos)
{
	pt_u64 table = pos->entry & e->space->fmt->addr_mask;
	int ret;

	if (kept(e, pos))
		return 0;
	ret = is_empty(e->space, pos->level - 1U, table);
	if (ret <= 0)
		return ret;
	ret = pt_store_over_ad(e->space, pos, 0, true);
	if (!ret)
		pt_table_free(e->space, e->alloc, pos->level - 1U, table);
	return ret;
}

bool pt_path_loops(const pt_u64 *path, unsigned int top, unsigned int level, pt_u64 table)
{
	for (; level <= top; level++) {
		if (path[level] >> 12 == table >> 12)
			return true;
	}
	return false;
}

/* Splits the leaf at @pos, also when the CPU sets A and D in it meanwhile. */
static int split(const struct pt_eraser *e, struct pt_pos *pos)
{
	struct pt_edit edit;
	int err, i;

	for (i = 0; i < PT_TRIES; i++) {
		err = pt_split(e->space, pos, e->alloc, &edit);
		if (err != -EAGAIN)
			break;
	}
	return err;
}

/* [@ia, @last] under the entry at @pos, which has a table now or is split into one. */
static int erase_below(struct pt_eraser *e, struct pt_pos *pos, pt_u64 ia, pt_u64 last,
		       enum pt_kind kind)
{
	pt_u64 table;
	int err = kind == PT_LEAF ? split(e, pos) : 0;

	if (err)
		return err;
	table = pos->entry & e->space->fmt->addr_mask;
	if (pt_path_loops(e->path, e->top, pos->level, table))
		return -EINVAL;
	err = pt_erase(e, pos->level - 1U, table, ia, last);
	return err ? err : drop_table(e, pos);
}

static int erase_entry(struct pt_eraser *e, struct pt_pos *pos, pt_u64 ia, pt_u64 last)
{
	const struct pt_space *space = e->space;
	bool whole = ia == pos->start && last == pos->last;
	enum pt_kind kind;
	pt_u8 why;

	if (pt_mem_entry(space->mem, pos->addr, space->fmt->entry_shift, &pos->entry))
		return -EFAULT;
	kind = pt_entry_kind(space->fmt, pos->level, pos->entry, &why);
	if (kind == PT_BAD)
		return -EINVAL;
	if (kind == PT_TABLE || (kind == PT_LEAF && !whole))
		return erase_below(e, pos, ia, last, kind);
	if (!pos->entry || !whole)
		return 0;
	return pt_store_over_ad(space, pos, 0, false);
}

int pt_erase(struct pt_eraser *e, unsigned int level, pt_u64 table, pt_u64 ia, pt_u64 last)
{
	struct pt_pos pos;
	pt_u64 end;
	int err;

	e->path[level] = table;
	for (;; ia = end + 1) {
		pt_pos_in_table(&pos, e->space, level, table, ia);
		end = pos.last < last ? pos.last : last;
		err = erase_entry(e, &pos, ia, end);
		if (err || end == last)
			return err;
	}
}

int pt_range_check(const struct pt_space *space, pt_u64 start, pt_u64 last)
{
	const struct pt_fmt *fmt = space->fmt;

	if (space->recursive)
		return -EOPNOTSUPP;
	if (!fmt->top || start > last || start & 4095 || ~last & 4095)
		return -EINVAL;
	if (!pt_canonical(fmt, start) || !pt_canonical(fmt, last))
		return -EINVAL;
	return fmt->va_signed && (start ^ last) >> 63 ? -EINVAL : 0;
}

int pt_unmap(const struct pt_space *space, pt_u64 start, pt_u64 last, struct pt_alloc *alloc)
{
	struct pt_eraser e = { .space = space, .alloc = alloc, .top = space->fmt->top };
	int err = pt_range_check(space, start, last);

	if (err)
		return err;
	err = pt_erase(&e, e.top, space->root & space->fmt->root_mask, start, last);
	/* Leaves were stored without a flush each. */
	pt_flush(space, start, last, 1);
	return err;
}

int pt_root_free(struct pt_space *space, struct pt_alloc *alloc)
{
	const struct pt_fmt *fmt = space->fmt;
	pt_u32 bits = fmt->va_bits - fmt->va_signed;
	pt_u64 low = PT_BIT(bits) - 1;
	int err = pt_unmap(space, 0, low, alloc);

	if (!err && fmt->va_signed)
		err = pt_unmap(space, ~low, ~(pt_u64)0, alloc);
	if (err)
		return err;
	pt_table_free(space, alloc, fmt->top, space->root & fmt->root_mask);
	space->root = 0;
	return 0;
}
