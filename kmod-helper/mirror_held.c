// SPDX-License-Identifier: GPL-2.0
/*
 * What walks have given, kept by tag. It is found by slot, for faults and for what the guest
 * invalidates, and by frame of the guest, for what the host takes away. The window's entries are a
 * part of what the current tag holds.
 */
#include <linux/hash.h>
#include <linux/slab.h>

#include "mirror.h"

#define MAX_HASH (1U << 16)

static u32 nr_chunks(const struct mirror *m)
{
	return DIV_ROUND_UP(m->nr_slots, CHUNK_PAGES);
}

static u64 nr_frames(const struct mirror *m)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < m->nr_ranges; i++)
		n += m->ranges[i].len >> PAGE_SHIFT;
	return n;
}

/* What there is of it when this fails is freed by held_exit(). */
int held_init(struct mirror *m)
{
	u64 frames = nr_frames(m);
	u32 buckets = roundup_pow_of_two(clamp_t(u64, frames, 1, MAX_HASH));

	m->hash_mask = buckets - 1;
	m->by_gfn = kvcalloc(buckets, sizeof(*m->by_gfn), GFP_KERNEL_ACCOUNT);
	m->placed = kvcalloc(BITS_TO_LONGS(nr_chunks(m)), sizeof(long), GFP_KERNEL_ACCOUNT);
	if (m->flags & PTREMAP_MIRROR_SYNC)
		m->tables = kvcalloc(BITS_TO_LONGS(frames), sizeof(long), GFP_KERNEL_ACCOUNT);
	return m->by_gfn && m->placed && (m->tables || !(m->flags & PTREMAP_MIRROR_SYNC)) ? 0
											  : -ENOMEM;
}

void held_exit(struct mirror *m)
{
	u32 i;

	for (i = 0; i < PTREMAP_MIRROR_TAGS; i++)
		held_free_root(m, m->roots[i]);
	kvfree(m->tables);
	kvfree(m->placed);
	kvfree(m->by_gfn);
}

struct mirror_root *held_new_root(const struct mirror *m)
{
	struct mirror_root *root = kzalloc(sizeof(*root), GFP_KERNEL_ACCOUNT);

	if (!root)
		return NULL;
	root->chunks = kvcalloc(nr_chunks(m), sizeof(*root->chunks), GFP_KERNEL_ACCOUNT);
	if (root->chunks)
		return root;
	kfree(root);
	return NULL;
}

void held_free_root(const struct mirror *m, struct mirror_root *root)
{
	u32 i;

	for (i = 0; root && i < nr_chunks(m); i++)
		free_page((unsigned long)root->chunks[i]);
	if (root)
		kvfree(root->chunks);
	kfree(root);
}

/* ---- finding ----------------------------------------------------------------------------------
 */

struct held_entry *held_place(const struct mirror_root *root, u32 slot)
{
	struct held_entry *chunk = root->chunks[slot >> CHUNK_SHIFT];

	return chunk ? &chunk[slot & (CHUNK_PAGES - 1)] : NULL;
}

/* The one of 4 KiB, or else that of 2 MiB which it is a part of. */
struct held_entry *held_find(const struct mirror_root *root, const struct mirror *m, u32 slot)
{
	struct held_entry *e = held_place(root, slot);

	if (e && e->pte)
		return e;
	e = held_place(root, slot & ~(HUGE_PAGES - 1));
	return e && e->pte & PT_PS ? e : NULL;
}

/* A huge one is found by its first frame. */
static struct hlist_head *bucket(const struct mirror *m, u64 gfn)
{
	return &m->by_gfn[gfn & m->hash_mask];
}

void held_set(struct mirror *m, u32 tag, struct held_entry *e, u32 slot, u32 gfn, u64 pte)
{
	if (e->pte)
		hlist_del(&e->link);
	else
		m->page->held++;
	e->pte = pte;
	e->gfn = gfn;
	e->slot = slot;
	e->root = tag;
	hlist_add_head(&e->link, bucket(m, gfn));
}

/* ---- forgetting --------------------------------------------------------------------------------
 */

bool held_drop(struct mirror *m, struct held_entry *e)
{
	u32 nr = e->pte & PT_PS ? HUGE_PAGES : 1;

	hlist_del(&e->link);
	e->pte = 0;
	m->page->held--;
	return e->root == m->current_tag && leaf_clear(m, e->slot, nr);
}

static bool drop_in_chunk(struct mirror *m, struct held_entry *chunk, u32 first, u32 last)
{
	bool flush = false;
	u32 i;

	for (i = first; i <= last; i++) {
		if (chunk[i].pte)
			flush |= held_drop(m, &chunk[i]);
	}
	return flush;
}

static bool drop_huge(struct mirror *m, const struct mirror_root *root, u32 slot)
{
	struct held_entry *e = held_place(root, slot & ~(HUGE_PAGES - 1));

	return e && e->pte & PT_PS && held_drop(m, e);
}

bool held_drop_slots(struct mirror *m, u32 tag, u32 first, u32 last)
{
	const struct mirror_root *root = m->roots[tag];
	u32 c, from, to;
	bool flush;

	if (!root || m->dead)
		return false;
	flush = drop_huge(m, root, first);
	for (c = first >> CHUNK_SHIFT; c <= last >> CHUNK_SHIFT; c++) {
		if (!root->chunks[c])
			continue;
		from = c == first >> CHUNK_SHIFT ? first & (CHUNK_PAGES - 1) : 0;
		to = c == last >> CHUNK_SHIFT ? last & (CHUNK_PAGES - 1) : CHUNK_PAGES - 1;
		flush |= drop_in_chunk(m, root->chunks[c], from, to);
	}
	return flush;
}

bool held_drop_all(struct mirror *m)
{
	bool flush = false;
	u32 i;

	for (i = 0; i < PTREMAP_MIRROR_TAGS; i++)
		flush |= held_drop_slots(m, i, 0, m->nr_slots - 1);
	return flush;
}

static bool drop_in_bucket(struct mirror *m, struct hlist_head *head, u64 first, u64 last,
			   bool writable)
{
	struct hlist_node *next;
	struct held_entry *e;
	bool flush = false;
	u64 end;

	hlist_for_each_entry_safe(e, next, head, link)
	{
		end = e->gfn + (e->pte & PT_PS ? HUGE_PAGES - 1 : 0);
		if (e->gfn <= last && end >= first && (!writable || e->pte & PT_RW))
			flush |= held_drop(m, e);
	}
	return flush;
}

/* By each frame, and the huge ones that begin before it; or through all of them if that is less. */
bool held_drop_gfns(struct mirror *m, u64 first, u64 last, bool writable)
{
	bool flush = false;
	u64 i;

	if (!m->page->held || m->dead)
		return false;
	if (last - first >= m->hash_mask / 2) {
		for (i = 0; i <= m->hash_mask; i++)
			flush |= drop_in_bucket(m, &m->by_gfn[i], first, last, writable);
		return flush;
	}
	for (i = first & ~(u64)(HUGE_PAGES - 1); i < first; i += HUGE_PAGES)
		flush |= drop_in_bucket(m, bucket(m, i), first, last, writable);
	for (i = first; i <= last; i++)
		flush |= drop_in_bucket(m, bucket(m, i), first, last, writable);
	return flush;
}

bool held_unplace(struct mirror *m)
{
	u32 nr = nr_chunks(m), c;
	bool flush = false;

	for_each_set_bit(c, m->placed, nr)
	{
		flush |= leaf_clear(m, c << CHUNK_SHIFT, CHUNK_PAGES);
		__clear_bit(c, m->placed);
	}
	return flush;
}
