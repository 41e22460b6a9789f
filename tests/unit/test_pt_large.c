// SPDX-License-Identifier: GPL-2.0
/* Split and join: the same entry comes back, the same is said in between, nothing is lost. */
#include "pt_edit_formats.h"

#define SIZE (256 << 10)

static bool has_leaves(const struct pt_fmt *fmt, unsigned int level)
{
	return level <= fmt->top && fmt->leaf_levels >> level & 1;
}

/* What a leaf says of the page at @ia, however large the leaf is. */
struct saying {
	pt_u64 pa;
	pt_u64 bits; /* but address, PS and PAT */
	bool pat;
	pt_u8 perm;
};

static struct saying said_at(const struct edit_world *w, pt_u64 ia)
{
	const struct pt_fmt *fmt = &w->fmt;
	struct saying s = { 0 };
	struct pt_path path;
	pt_u64 entry;

	cr_assert_eq(pt_lookup(&w->space, ia, &path), PT_LEAF);
	entry = path.end.entry;
	s.pa = path.end.pa;
	s.perm = path.end.perm;
	s.pat = !fmt->ept && entry & (path.end.level == 1 ? PT_PAT_4K : PT_PAT_LARGE);
	s.bits = entry & ~(fmt->addr_mask | PT_PS);
	if (fmt->ept) /* means nothing in a large leaf, but something in one of 4 KiB */
		s.bits &= ~EPT_SPP;
	return s;
}

static void assert_same(struct saying a, struct saying b, const char *what, pt_u64 entry)
{
	cr_assert(a.pa == b.pa && a.bits == b.bits && a.pat == b.pat && a.perm == b.perm,
		  "%s: %#llx", what, (unsigned long long)entry);
}

/* Puts @leaf at @pos, splits it, joins it. */
static void there_and_back(struct edit_world *w, struct pt_pos *pos, pt_u64 leaf, pt_u64 *seed,
			   const char *what)
{
	pt_u64 size = pos->last - pos->start + 1, live = w->arena.live, ia[6];
	struct saying said[6];
	struct pt_edit edit;
	unsigned int i;
	bool high = leaf & w->fmt.pse36_mask;

	cr_assert_eq(pt_set(&w->space, pos, leaf, &edit), 0, "%s", what);
	for (i = 0; i < 6; i++) {
		ia[i] = pos->start + (i == 0 ? 0 : i == 1 ? size - 1 : edit_random(seed) % size);
		said[i] = said_at(w, ia[i]);
	}
	cr_assert_eq(pt_split(&w->space, pos, &w->arena.alloc, &edit), high ? -EINVAL : 0);
	if (high) {
		cr_assert_eq(w->arena.live, live);
		cr_assert_eq(edit_pos_at(w, pos->start, pos->level).entry, leaf);
		return;
	}
	cr_assert_eq(w->arena.live, live + 4096);
	cr_assert(edit.pos.entry == leaf && edit.new == pos->entry);
	for (i = 0; i < 6; i++)
		assert_same(said_at(w, ia[i]), said[i], what, leaf);
	cr_assert_eq(pt_join(&w->space, pos, &w->arena.alloc), 0, "%s: %#llx", what,
		     (unsigned long long)leaf);
	cr_assert_eq(pos->entry, leaf, "%s: %#llx became %#llx", what, (unsigned long long)leaf,
		     (unsigned long long)pos->entry);
	cr_assert_eq(edit_pos_at(w, pos->start, pos->level).entry, leaf);
	cr_assert_eq(w->arena.live, live);
}

/* All low flags, with random high ones and addresses. */
static void all_leaves(const struct edit_format *f, unsigned int level, pt_u64 *seed)
{
	struct edit_world w;
	struct pt_pos pos;
	pt_u64 low, leaf, random, all = f->mode == PT_MODE_32BIT ? UINT32_MAX : ~0ULL;
	unsigned int legal = 0;
	pt_u8 why;

	edit_world_init(&w, f, SIZE);
	if (!has_leaves(&w.fmt, level)) {
		edit_world_done(&w, f->name);
		return;
	}
	edit_world_done(&w, f->name);
	pos = edit_one_leaf(&w, f, pt_level_size(&w.fmt, level) * 3, level);
	for (low = 0; low < PT_BIT(13); low++) {
		random = edit_random(seed) & ~PT_BITS(12, 0) & all;
		if (low % 3 == 0)
			random &= w.fmt.addr_mask; /* fewer flags at once */
		leaf = (low | random) & ~w.fmt.rsvd_leaf[level];
		if (low % 2)
			leaf &= ~w.fmt.pse36_mask;
		if (!(low & PT_PS) || pt_entry_kind(&w.fmt, level, leaf, &why) != PT_LEAF)
			continue;
		there_and_back(&w, &pos, leaf, seed, f->name);
		legal++;
	}
	cr_assert_gt(legal, 150, "%s: %u", f->name, legal);
	edit_world_done(&w, f->name);
}

Test(pt_large, join_gives_back_what_was_split)
{
	pt_u64 seed = edit_seed();
	unsigned int i, level;

	for (i = 0; i < NR_EDIT_FORMATS; i++) {
		for (level = 2; level <= 3; level++)
			all_leaves(&edit_formats[i], level, &seed);
	}
}

Test(pt_large, attributes_are_at_their_places)
{
	const struct {
		const char *format;
		unsigned int level;
		pt_u64 leaf, small, table; /* @table: beyond address and permissions */
	} cases[] = {
		{ "4level", 2, PT_P | PT_PS | PT_PAT_LARGE, PT_P | PT_PAT_4K, 0 },
		{ "4level", 2, PT_P | PT_PS | PT_A | PT_D, PT_P | PT_A | PT_D, PT_A },
		{ "4level", 3, PT_P | PT_PS | PT_PAT_LARGE, PT_P | PT_PS | PT_PAT_LARGE, 0 },
		{ "4level", 3, PT_P | PT_PS | PT_NX | PT_G | PT_PK,
		  PT_P | PT_PS | PT_NX | PT_G | PT_PK, 0 },
		{ "pse", 2, PT_P | PT_PS | PT_PAT_LARGE | PT_G, PT_P | PT_PAT_4K | PT_G, 0 },
		{ "ept4 all", 2, EPT_R | EPT_PS | 6 << 3 | EPT_IPAT | EPT_SVE,
		  EPT_R | 6 << 3 | EPT_IPAT | EPT_SVE, 0 },
		{ "ept4 all", 3, EPT_R | EPT_PS | EPT_A | EPT_D, EPT_R | EPT_PS | EPT_A | EPT_D,
		  EPT_A },
		/* A bit that has a meaning in small leaves only waits in the table's entry. */
		{ "ept4 all", 2, EPT_R | EPT_PS | EPT_SPP | EPT_SSS, EPT_R | EPT_SSS, EPT_SPP },
		{ "ept4 all", 3, EPT_R | EPT_PS | EPT_SPP, EPT_R | EPT_PS | EPT_SPP, 0 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct edit_world w;
		pt_u64 size, open = PT_P | PT_RW | PT_US;
		struct pt_edit edit;
		struct pt_pos pos;

		pos = edit_one_leaf(&w, edit_format_named(cases[i].format), 0, cases[i].level);
		size = pt_level_size(&w.fmt, cases[i].level - 1);
		if (w.fmt.ept)
			open = EPT_R | EPT_W | EPT_X | EPT_XU;
		cr_assert_eq(pt_set(&w.space, &pos, cases[i].leaf, &edit), 0, "%u", i);
		cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0, "%u", i);
		cr_assert_eq(pos.entry & ~w.fmt.addr_mask, open | cases[i].table, "%u", i);
		pos = edit_pos_at(&w, 5 * size, cases[i].level - 1);
		cr_assert_eq(pos.entry, cases[i].small + 5 * size, "%u", i);
		edit_world_done(&w, cases[i].format);
	}
}

/* ---- what cannot be split or joined --------------------------------------------------------- */

static int no_memory(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 *addr)
{
	(void)alloc;
	(void)bytes;
	(void)addr;
	return -ENOMEM;
}

Test(pt_large, split_fails_and_changes_nothing)
{
	struct edit_world w;
	struct pt_pos pos = edit_one_leaf(&w, edit_format_named("4level"), 0, 3), stale = pos,
		      wrong = pos;
	struct pt_alloc none = { .alloc = no_memory };
	struct pt_edit edit;
	pt_u64 live = w.arena.live;

	cr_assert_eq(pt_split(&w.space, &pos, &none, &edit), -ENOMEM);
	wrong.level = 1;
	cr_assert_eq(pt_split(&w.space, &wrong, &w.arena.alloc, &edit), -EINVAL);
	wrong.level = 6;
	cr_assert_eq(pt_split(&w.space, &wrong, &w.arena.alloc, &edit), -EINVAL);
	wrong = edit_pos_at(&w, 0, 4);
	cr_assert_eq(pt_split(&w.space, &wrong, &w.arena.alloc, &edit), -EINVAL, "a table");
	wrong = pos;
	wrong.entry = 0;
	cr_assert_eq(pt_split(&w.space, &wrong, &w.arena.alloc, &edit), -EINVAL, "a hole");
	w.space.recursive = 1;
	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), -EOPNOTSUPP);
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EOPNOTSUPP);
	w.space.recursive = 0;
	cr_assert_eq(w.arena.live, live);
	cr_assert_eq(pt_set(&w.space, &pos, pos.entry & ~PT_RW, &edit), 0);
	cr_assert_eq(pt_split(&w.space, &stale, &w.arena.alloc, &edit), -EAGAIN);
	cr_assert_eq(stale.entry, pos.entry);
	cr_assert_eq(w.arena.live, live);
	edit_world_done(&w, "split");
}

/* Undone, a split leaves the table to the caller. */
Test(pt_large, split_undone)
{
	struct edit_world w;
	struct pt_pos pos = edit_one_leaf(&w, edit_format_named("ept4"), 0, 2), leaf = pos;
	struct pt_edit edit;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	cr_assert_eq(pt_undo(&w.space, &edit), 0);
	cr_assert_eq(edit_pos_at(&w, 0, 2).entry, leaf.entry);
	w.arena.alloc.free(&w.arena.alloc, 4096, edit.new &w.fmt.addr_mask);
	edit_world_done(&w, "undone");
}

/* One leaf of a split table, or the table's entry, is changed by @flip; joining must answer @ret.
 */
static void join_after(const char *format, unsigned int level, unsigned int index, pt_u64 flip,
		       int ret)
{
	struct edit_world w;
	struct pt_pos pos = edit_one_leaf(&w, edit_format_named(format), 0, level), small;
	struct pt_edit edit;
	pt_u64 live;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	small = pos;
	if (index != UINT32_MAX)
		small = edit_pos_at(&w, index * pt_level_size(&w.fmt, level - 1), level - 1);
	/* Not by pt_set(), for entries that it refuses. */
	cr_assert_eq(w.arena.mem.ops->cmpxchg(&w.arena.mem, small.addr, 8, &small.entry,
					      small.entry ^ flip),
		     0);
	if (index == UINT32_MAX)
		pos.entry ^= flip;
	live = w.arena.live;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), ret, "%s: %u: %#llx", format, index,
		     (unsigned long long)flip);
	cr_assert_eq(w.arena.live, ret ? live : live - 4096);
	free(w.buffer);
}

Test(pt_large, join_only_what_is_alike)
{
	const unsigned int entry = UINT32_MAX;

	join_after("4level", 2, 0, 0, 0);
	join_after("4level", 2, 7, PT_A | PT_D, 0);
	join_after("4level", 2, 0, PT_P, -EINVAL);
	join_after("4level", 2, 511, PT_P, -EINVAL);
	join_after("4level", 2, 511, PT_RW, -EINVAL);
	join_after("4level", 2, 1, PT_NX, -EINVAL);
	join_after("4level", 2, 1, PT_PAT_4K, -EINVAL);
	join_after("4level", 2, 1, PT_BIT(59), -EINVAL);
	join_after("4level", 2, 1, PT_BIT(9), -EINVAL);
	join_after("4level", 2, 300, PT_BIT(12), -EINVAL);
	join_after("4level", 2, 300, PT_BIT(50), -EINVAL);
	join_after("4level", 3, 300, PT_PS, -EINVAL);
	join_after("ept4", 2, 0, EPT_A, -EINVAL); /* without the feature it is software's */
	join_after("ept5", 2, 0, EPT_A, 0);
	join_after("ept5", 2, 3, EPT_SVE, -EINVAL);
	/* The table's entry: what it denies, a leaf would allow. */
	join_after("4level", 2, entry, PT_RW, -EINVAL);
	join_after("4level", 2, entry, PT_US, -EINVAL);
	join_after("4level", 2, entry, PT_NX, -EINVAL);
	join_after("4level", 2, entry, PT_PWT, 0);
	join_after("ept4", 2, entry, EPT_W, -EINVAL);
	join_after("ept4 all", 2, entry, EPT_XU, -EINVAL);
	join_after("4level", 2, entry, PT_P, -EINVAL);
}

/*
 * Read-only and dirty below a read-only entry is no shadow-stack page, but the large leaf, below
 * none, would be one.
 */
Test(pt_large, join_makes_no_shadow_stack)
{
	struct edit_world w;
	struct pt_pos pos = edit_one_leaf(&w, edit_format_named("4level"), 0, 2);
	struct pt_edit edit;

	cr_assert_eq(pt_set(&w.space, &pos, (pos.entry & ~PT_RW) | PT_D, &edit), 0);
	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	cr_assert_eq(pt_set(&w.space, &pos, pos.entry & ~PT_RW, &edit), 0);
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EINVAL);
	cr_assert_eq(pt_undo(&w.space, &edit), 0);
	pos.entry = edit.pos.entry;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), 0);
	edit_world_done(&w, "shadow stack");
}

/* All leaves of a table alike, but as no large leaf can say it. */
Test(pt_large, join_what_a_large_leaf_cannot_say)
{
	const struct {
		const char *format;
		pt_u64 bits, pa;
	} cases[] = {
		{ "4level", 0, 0x1000 },  /* misaligned */
		{ "ept5", EPT_PS, 0 },	  /* ignored in a small leaf */
		{ "ept5", EPT_SPP, 0 },	  /* sub-page permissions */
		{ "32bit", 0, 0x400000 }, /* no large leaves at all */
		{ "4level old", 0, 0x1000 },
	};
	unsigned int i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct edit_world w;
		struct pt_prot prot;
		struct pt_edit edit;
		struct pt_pos pos;
		pt_u64 last;

		edit_world_init(&w, edit_format_named(cases[i].format), SIZE);
		prot = edit_prot(&w.fmt);
		last = pt_level_size(&w.fmt, 2) - 1;
		prot.max_level = 1;
		cr_assert_eq(pt_map(&w.space, 0, last, cases[i].pa, &prot, &w.arena.alloc), 0);
		for (n = 0; n < pt_table_entries(&w.fmt, 1); n++) {
			pos = edit_pos_at(&w, n * 4096ULL, 1);
			cr_assert_eq(pt_set(&w.space, &pos, pos.entry | cases[i].bits, &edit), 0);
		}
		pos = edit_pos_at(&w, 0, 2);
		cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EINVAL, "%u", i);
		edit_world_done(&w, cases[i].format);
	}
	{
		/* 1 GiB leaves that the CPU does not have, from 2 MiB leaves. */
		struct edit_world w;
		struct pt_prot prot;
		struct pt_pos pos;

		edit_world_init(&w, edit_format_named("4level old"), SIZE);
		prot = edit_prot(&w.fmt);
		cr_assert_eq(pt_map(&w.space, 0, PT_BIT(30) - 1, 0, &prot, &w.arena.alloc), 0);
		pos = edit_pos_at(&w, 0, 3);
		cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EINVAL);
		edit_world_done(&w, "no 1 GiB leaves");
	}
}
