// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_iter.h"

/* What a leaf's entry says beside its address, with the bits where level 1 has them. */
static __always_inline pt_u64 attributes(const struct pt_fmt *fmt, const struct pt_item *leaf)
{
	pt_u64 bits = leaf->entry & ~fmt->addr_mask;

	if (leaf->level <= 1)
		return bits;
	bits &= ~PT_PS;
	if (!fmt->ept && (leaf->entry & PT_PAT_LARGE))
		bits |= PT_PAT_4K;
	return bits;
}

static __always_inline bool leaves_join(const struct pt_merge *m, const struct pt_item *a,
					const struct pt_item *b)
{
	const struct pt_fmt *fmt = m->it.space->fmt;

	return b->pa - a->pa == b->start - a->start && a->perm == b->perm &&
	       (a->level == b->level || m->any_level) &&
	       !((attributes(fmt, a) ^ attributes(fmt, b)) & ~m->ignore);
}

static bool holes_join(const struct pt_merge *m, const struct pt_item *a, const struct pt_item *b)
{
	return !((a->entry ^ b->entry) & ~m->ignore) &&
	       (a->level == b->level || !(a->entry & ~m->ignore));
}

/* May @b, which follows @a, be one range with it? */
static __always_inline bool join(const struct pt_merge *m, const struct pt_item *a,
				 const struct pt_item *b)
{
	if (a->kind != b->kind || a->why != b->why)
		return false;
	if (a->kind == PT_LEAF)
		return leaves_join(m, a, b);
	return a->kind == PT_HOLE ? holes_join(m, a, b) : a->why == PT_WHY_UNREADABLE;
}

int pt_merge_init(struct pt_merge *m, const struct pt_space *space, pt_u64 start, pt_u64 last,
		  unsigned int merge, pt_u64 budget)
{
	int err = pt_iter_init(&m->it, space, start, last, 0, budget);

	if (err)
		return err;
	m->ignore = 0;
	if (merge & PT_MERGE_AD)
		m->ignore |= space->fmt->ept ? EPT_A | EPT_D : PT_A | PT_D;
	if (merge & PT_MERGE_ATTR)
		m->ignore = ~(pt_u64)0;
	m->any_level = merge & PT_MERGE_ANY_LEVEL;
	m->status = pt_iter_next(&m->it, &m->pending);
	return 0;
}

int pt_merge_next(struct pt_merge *m, struct pt_item *item)
{
	if (m->status != 1)
		return m->status;
	*item = m->pending;
	while ((m->status = pt_iter_next(&m->it, &m->pending)) == 1 && join(m, item, &m->pending))
		item->last = m->pending.last;
	return 1;
}
