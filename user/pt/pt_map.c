// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_map.h"
#include "pt_priv.h"

static int x86_bits(const struct pt_fmt *fmt, unsigned int level, const struct pt_prot *prot,
		    pt_u64 *bits)
{
	bool keys = fmt->mode >= PT_MODE_4LEVEL && !fmt->feat.npt;
	bool nx = fmt->feat.nx && fmt->mode != PT_MODE_32BIT;
	bool x = prot->perm & PT_PERM_X, w = prot->perm & PT_PERM_W;

	if (!(prot->perm & PT_PERM_R) || prot->memtype > 7 || prot->ipat)
		return -EINVAL;
	if (prot->pkey > (keys ? 15 : 0) || (prot->global && fmt->feat.npt) || (!x && !nx))
		return -EINVAL;
	*bits = PT_P | (pt_u64)prot->pkey << 59;
	*bits |= (w ? PT_RW : 0) | (x ? 0 : PT_NX) | (prot->global ? PT_G : 0);
	*bits |= prot->perm & PT_PERM_U || fmt->feat.npt ? PT_US : 0;
	*bits |= (prot->memtype & 1 ? PT_PWT : 0) | (prot->memtype & 2 ? PT_PCD : 0);
	*bits |= prot->memtype & 4 ? pt_pat_bit(fmt, level) : 0;
	/* D without R/W would be a shadow-stack page. */
	if (prot->ad)
		*bits |= w ? PT_A | PT_D : PT_A;
	return 0;
}

static int ept_bits(const struct pt_fmt *fmt, const struct pt_prot *prot, pt_u64 *bits)
{
	bool xu = fmt->feat.ept_mbec && prot->perm & PT_PERM_XU;

	if (prot->memtype > 7 || prot->global || prot->pkey)
		return -EINVAL;
	*bits = prot->perm & (EPT_R | EPT_W | EPT_X);
	*bits |= (pt_u64)prot->memtype << 3 | (prot->ipat ? EPT_IPAT : 0) | (xu ? EPT_XU : 0);
	if (prot->ad && fmt->feat.ept_ad)
		*bits |= *bits & EPT_W ? EPT_A | EPT_D : EPT_A;
	return 0;
}

int pt_leaf_bits(const struct pt_fmt *fmt, unsigned int level, const struct pt_prot *prot,
		 pt_u64 *bits)
{
	bool xu_alone = prot->perm & PT_PERM_XU && !(prot->perm & PT_PERM_X);
	pt_u64 b;
	pt_u8 why;
	int err;

	if (!level || level > fmt->top || (level > 1 && !(fmt->leaf_levels >> level & 1)))
		return -EINVAL;
	if (prot->perm & ~PT_PERM_ALL || (xu_alone && !(fmt->ept && fmt->feat.ept_mbec)))
		return -EINVAL;
	err = fmt->ept ? ept_bits(fmt, prot, &b) : x86_bits(fmt, level, prot, &b);
	if (err)
		return err;
	if (level > 1)
		b |= PT_PS;
	if (pt_entry_kind(fmt, level, b, &why) != PT_LEAF)
		return -EINVAL;
	*bits = b;
	return 0;
}

int pt_root_alloc(struct pt_space *space, struct pt_alloc *alloc)
{
	pt_u64 root;
	int err;

	if (space->recursive)
		return -EOPNOTSUPP;
	if (!space->fmt->top)
		return -EINVAL;
	err = pt_table_alloc(space, alloc, space->fmt->top, &root);
	if (!err)
		space->root = root;
	return err;
}

/* One pt_map(). */
struct builder {
	const struct pt_space *space;
	struct pt_alloc *alloc;
	pt_u64 offset;		       /* from an input address to where it leads */
	pt_u64 done;		       /* the first address not mapped yet, in tables in use */
	pt_u64 bits[PT_MAX_LEVEL + 1]; /* of leaves of each level; 0: none of that level */
	pt_u64 path[PT_MAX_LEVEL + 1]; /* tables that are being looked through */
	pt_u8 perm;		       /* what they allow */
	bool accessed;		       /* entries of tables have A from the start, too */
};

static int fill(struct builder *b, unsigned int level, pt_u64 table, pt_u64 ia, pt_u64 last,
		bool in_use);

/* Stores @new where nothing is. What may be cached of holes is flushed when all is done. */
static int put(const struct builder *b, struct pt_pos *pos, pt_u64 new)
{
	int err = pt_store(b->space, pos, new, false);

	return err == -EAGAIN ? -EEXIST : err;
}

static int put_leaf(const struct builder *b, struct pt_pos *pos)
{
	pt_u64 entry;
	int err = pt_leaf_at(b->space->fmt, pos->level, b->bits[pos->level], pos->start + b->offset,
			     &entry);

	return err ? err : put(b, pos, entry);
}

/* A new table for [@ia, @last], complete before it is put at @pos. */
static int put_table(struct builder *b, struct pt_pos *pos, pt_u64 ia, pt_u64 last)
{
	unsigned int below = pos->level - 1U;
	struct pt_eraser undo = { .space = b->space, .alloc = b->alloc, .top = (pt_u8)below };
	pt_u64 table;
	int err;

	err = pt_table_alloc(b->space, b->alloc, below, &table);
	if (err)
		return err;
	err = fill(b, below, table, ia, last, false);
	if (!err)
		err = put(b, pos, pt_table_entry(b->space, pos->level, table, b->accessed));
	if (!err)
		return 0;
	pt_erase(&undo, below, table, ia, last);
	pt_table_free(b->space, b->alloc, below, table);
	return err;
}

/* Something is at @pos: only a table that the range covers in part can be gone into. */
static int fill_below(struct builder *b, const struct pt_pos *pos, pt_u64 ia, pt_u64 last)
{
	const struct pt_fmt *fmt = b->space->fmt;
	bool whole = ia == pos->start && last == pos->last;
	pt_u64 table = pos->entry & fmt->addr_mask;
	pt_u8 why;

	switch (pt_entry_kind(fmt, pos->level, pos->entry, &why)) {
	case PT_TABLE:
		if (whole)
			return -EEXIST;
		if (b->perm & ~pt_entry_perm(fmt, pos->level, pos->entry))
			return -EACCES;
		if (pt_path_loops(b->path, fmt->top, pos->level, table))
			return -EINVAL;
		return fill(b, pos->level - 1U, table, ia, last, true);
	case PT_BAD:
		return -EINVAL;
	default:
		return -EEXIST;
	}
}

static int fill_entry(struct builder *b, struct pt_pos *pos, pt_u64 ia, pt_u64 last, bool in_use)
{
	const struct pt_space *space = b->space;
	pt_u64 size = pos->last - pos->start;
	bool whole = ia == pos->start && last == pos->last;

	if (whole && b->bits[pos->level] && !((ia + b->offset) & size))
		return put_leaf(b, pos);
	if (in_use && pt_mem_entry(space->mem, pos->addr, space->fmt->entry_shift, &pos->entry))
		return -EFAULT;
	return pos->entry ? fill_below(b, pos, ia, last) : put_table(b, pos, ia, last);
}

/* Maps [@ia, @last] in the table of @level at @table; @in_use: other entries lead to it. */
static int fill(struct builder *b, unsigned int level, pt_u64 table, pt_u64 ia, pt_u64 last,
		bool in_use)
{
	struct pt_pos pos;
	pt_u64 end;
	int err;

	b->path[level] = table;
	for (;; ia = end + 1) {
		pt_pos_in_table(&pos, b->space, level, table, ia);
		end = pos.last < last ? pos.last : last;
		err = fill_entry(b, &pos, ia, end, in_use);
		if (err)
			return err;
		if (in_use)
			b->done = end + 1;
		if (end == last)
			return 0;
	}
}

static int builder_init(struct builder *b, const struct pt_prot *prot)
{
	const struct pt_fmt *fmt = b->space->fmt;
	unsigned int level, max = prot->max_level ? prot->max_level : PT_MAX_LEVEL;
	int err = pt_leaf_bits(fmt, 1, prot, &b->bits[1]);

	if (err)
		return err;
	b->perm = pt_entry_perm(fmt, 1, b->bits[1]);
	b->accessed = prot->ad;
	for (level = 2; level <= fmt->top && level <= max; level++) {
		if (fmt->leaf_levels >> level & 1)
			err = pt_leaf_bits(fmt, level, prot, &b->bits[level]);
		if (err)
			return err;
	}
	return 0;
}

/* The level of the lowest table that there is for @ia, where nothing is mapped. */
static int lowest_table(const struct pt_space *space, pt_u64 ia)
{
	struct pt_path path;

	switch (pt_lookup(space, ia, &path)) {
	case PT_HOLE:
		return path.end.level;
	case PT_LEAF:
		return -EEXIST;
	default:
		return path.end.why == PT_WHY_UNREADABLE ? -EFAULT : -EINVAL;
	}
}

int pt_map(const struct pt_space *space, pt_u64 start, pt_u64 last, pt_u64 pa,
	   const struct pt_prot *prot, struct pt_alloc *alloc)
{
	struct builder b = { .space = space, .alloc = alloc, .offset = pa - start, .done = start };
	struct pt_eraser undo = { .space = space, .alloc = alloc, .start = start };
	unsigned int top = space->fmt->top;
	pt_u64 root = space->root & space->fmt->root_mask;
	int err = pt_range_check(space, start, last), lowest;

	if (err || pa & 4095 || pa + (last - start) < pa)
		return err ? err : -EINVAL;
	err = builder_init(&b, prot);
	if (err)
		return err;
	lowest = lowest_table(space, start);
	if (lowest < 0)
		return lowest;
	err = fill(&b, top, root, start, last, true);
	if (err && b.done != start) {
		undo.last = b.done - 1;
		undo.top = (pt_u8)top;
		undo.undo_level = (pt_u8)lowest;
		pt_erase(&undo, top, root, start, undo.last);
	}
	pt_flush(space, start, last, 1);
	return err;
}
