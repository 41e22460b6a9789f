// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_large.h"
#include "pt_priv.h"

/* Software bits that one level has and the level below does not stay in the table's entry. */
static pt_u64 kept_above(const struct pt_fmt *fmt, unsigned int level)
{
	return fmt->ept && level == 2 ? EPT_SPP : 0;
}

/* What a leaf of @level says, as a leaf of the level below says it; without the address. */
static pt_u64 bits_below(const struct pt_fmt *fmt, unsigned int level, pt_u64 leaf)
{
	pt_u64 pat = leaf & pt_pat_bit(fmt, level);
	pt_u64 bits = leaf & ~(fmt->addr_mask | PT_PS | kept_above(fmt, level));

	if (level > 2)
		bits |= PT_PS;
	return bits | (pat ? pt_pat_bit(fmt, level - 1) : 0);
}

/* The reverse, for the table's entry @upper and a leaf below it. */
static pt_u64 bits_above(const struct pt_fmt *fmt, unsigned int level, pt_u64 upper, pt_u64 leaf)
{
	pt_u64 pat_bit = pt_pat_bit(fmt, level - 1);
	pt_u64 bits = leaf & ~(fmt->addr_mask | PT_PS | pat_bit);

	return bits | PT_PS | (upper & kept_above(fmt, level)) |
	       (leaf & pat_bit ? pt_pat_bit(fmt, level) : 0);
}

/* The entries of the table under @pos's leaf, before it is in use. */
static int fill_table(const struct pt_space *space, const struct pt_pos *pos, pt_u64 table)
{
	const struct pt_fmt *fmt = space->fmt;
	unsigned int below = pos->level - 1U;
	pt_u64 bits = bits_below(fmt, pos->level, pos->entry);
	pt_u64 pa = pt_entry_addr(fmt, pos->level, pos->entry, 1);
	pt_u64 ia = pos->start, entry;
	struct pt_pos at;
	pt_u32 i;
	int err;

	for (i = 0; i < pt_table_entries(fmt, below); i++) {
		pt_pos_in_table(&at, space, below, table, ia);
		err = pt_leaf_at(fmt, below, bits, pa, &entry);
		if (!err)
			err = pt_store(space, &at, entry, false);
		if (err)
			return err;
		ia += pt_level_size(fmt, below);
		pa += pt_level_size(fmt, below);
	}
	return 0;
}

static bool is_kind(const struct pt_fmt *fmt, const struct pt_pos *pos, enum pt_kind kind)
{
	pt_u8 why;

	return pos->level > 1 && pos->level <= fmt->top &&
	       pt_entry_kind(fmt, pos->level, pos->entry, &why) == kind;
}

int pt_split(const struct pt_space *space, struct pt_pos *pos, struct pt_alloc *alloc,
	     struct pt_edit *edit)
{
	const struct pt_fmt *fmt = space->fmt;
	unsigned int below = pos->level - 1U;
	pt_u64 table, entry;
	int err;

	if (space->recursive)
		return -EOPNOTSUPP;
	if (!is_kind(fmt, pos, PT_LEAF))
		return -EINVAL;
	err = pt_table_alloc(space, alloc, below, &table);
	if (err)
		return err;
	entry = pt_table_entry(space, pos->level, table,
			       pos->entry & pt_ad_bits(fmt, pos->level, pos->entry)) |
		(pos->entry & kept_above(fmt, pos->level));
	err = fill_table(space, pos, table);
	if (!err)
		err = pt_set(space, pos, entry, edit);
	if (err)
		pt_table_free(space, alloc, below, table);
	return err;
}

/* Reads the entries of the table under @pos; the large leaf that says the same is *@leaf. */
static int gather(const struct pt_space *space, const struct pt_pos *pos, pt_u64 *leaf)
{
	const struct pt_fmt *fmt = space->fmt;
	unsigned int below = pos->level - 1U;
	pt_u64 table = pos->entry & fmt->addr_mask;
	pt_u64 first = 0, seen = 0, ad = 0, entry;
	pt_u32 i;
	pt_u8 why;

	for (i = 0; i < pt_table_entries(fmt, below); i++) {
		if (pt_mem_entry(space->mem, table + (i << fmt->entry_shift), fmt->entry_shift,
				 &entry))
			return -EFAULT;
		if (!i) {
			first = entry;
			ad = pt_ad_bits(fmt, below, first);
		}
		if ((entry ^ (first + i * pt_level_size(fmt, below))) & ~ad)
			return -EINVAL;
		seen |= entry & ad;
	}
	if (pt_entry_kind(fmt, below, first, &why) != PT_LEAF)
		return -EINVAL;
	/* Of level 1 of EPT, bits that are something else in a large leaf. */
	if (fmt->ept && below == 1 && first & (PT_PS | EPT_SPP))
		return -EINVAL;
	return pt_leaf_at(fmt, pos->level, bits_above(fmt, pos->level, pos->entry, first | seen),
			  pt_entry_addr(fmt, below, first, 1), leaf);
}

/*
 * May leaves of @pos's table take its place? Not if its entry denies what they allow. It must allow
 * writes even if they do not, else a leaf could become a shadow-stack page (SDM vol. 3, 4.6).
 */
static bool joinable(const struct pt_fmt *fmt, const struct pt_pos *pos, pt_u64 leaf)
{
	pt_u8 need = pt_entry_perm(fmt, pos->level, leaf) | PT_PERM_W, why;

	return fmt->leaf_levels >> pos->level & 1 &&
	       pt_entry_kind(fmt, pos->level, leaf, &why) == PT_LEAF &&
	       (pt_entry_perm(fmt, pos->level, pos->entry) & need) == need;
}

/* Sets @ad in the leaf at @pos; not if it has become another one. */
static int add_ad(const struct pt_space *space, struct pt_pos *pos, pt_u64 ad)
{
	pt_u64 seen = pos->entry;
	int err, i;

	for (i = 0; i < PT_TRIES; i++) {
		if ((pos->entry & ad) == ad)
			return 0;
		err = pt_store(space, pos, pos->entry | ad, true);
		if (err != -EAGAIN || !pt_only_ad_set(space->fmt, pos->level, seen, pos->entry))
			return err;
	}
	return -EAGAIN;
}

/* Gives A and D of @leaf, which stood at @pos for a while, to those leaves below that it was. */
static void spread_ad(const struct pt_space *space, const struct pt_pos *pos, pt_u64 leaf,
		      pt_u64 table)
{
	const struct pt_fmt *fmt = space->fmt;
	unsigned int below = pos->level - 1U;
	pt_u64 bits = bits_below(fmt, pos->level, leaf), size = pt_level_size(fmt, below);
	pt_u64 ad = pt_ad_bits(fmt, pos->level, leaf);
	pt_u64 pa = pt_entry_addr(fmt, pos->level, leaf, 1), ia = pos->start, want;
	struct pt_pos at;

	for (; ia - pos->start <= pos->last - pos->start; ia += size, pa += size) {
		pt_pos_in_table(&at, space, below, table, ia);
		if (pt_leaf_at(fmt, below, bits, pa, &want) ||
		    pt_mem_entry(space->mem, at.addr, fmt->entry_shift, &at.entry))
			continue;
		/* Where it fails another leaf has come meanwhile, which nobody has used yet. */
		if (!((at.entry ^ want) & ~ad))
			add_ad(space, &at, leaf & ad);
	}
}

/* Puts the table's entry @upper back in place of the leaf at @pos, if that is still there. */
static int put_back(const struct pt_space *space, struct pt_pos *pos, pt_u64 upper,
		    struct pt_alloc *alloc)
{
	pt_u64 table = upper & space->fmt->addr_mask;
	int err = pt_store_over_ad(space, pos, upper, true);

	if (err) {
		pt_table_free(space, alloc, pos->level - 1U, table);
		return err;
	}
	spread_ad(space, pos, pos->entry, table);
	pos->entry = upper;
	return -EAGAIN;
}

/*
 * The leaf goes in first and the table is read again after the flush, when no CPU gets at it any
 * more: what A and D were set until then is added to the leaf.
 */
int pt_join(const struct pt_space *space, struct pt_pos *pos, struct pt_alloc *alloc)
{
	const struct pt_fmt *fmt = space->fmt;
	struct pt_pos upper = *pos;
	pt_u64 leaf, again, ad;
	int err;

	if (space->recursive)
		return -EOPNOTSUPP;
	if (!is_kind(fmt, pos, PT_TABLE))
		return -EINVAL;
	err = gather(space, pos, &leaf);
	if (!err && !joinable(fmt, pos, leaf))
		err = -EINVAL;
	if (!err)
		err = pt_store_over_ad(space, pos, leaf, true);
	if (err)
		return err;
	upper.entry = pos->entry;
	pos->entry = leaf;
	ad = pt_ad_bits(fmt, pos->level, leaf);
	if (gather(space, &upper, &again) || (again ^ leaf) & ~ad)
		return put_back(space, pos, upper.entry, alloc);
	err = add_ad(space, pos, again & ad);
	pt_table_free(space, alloc, pos->level - 1U, upper.entry & fmt->addr_mask);
	return err;
}
