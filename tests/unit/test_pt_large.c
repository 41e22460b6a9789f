// SPDX-License-Identifier: GPL-2.0
/* Split and join: the same entry comes back, the same is said in between, nothing is lost. */
#include <pthread.h>
#include <string.h>

#include "pt_edit_formats.h"

#define SIZE (256 << 10)

static struct pt_pos pos_at(const struct edit_world *w, pt_u64 ia, unsigned int level)
{
	struct pt_path path;
	struct pt_pos pos;

	pt_lookup(&w->space, ia, &path);
	cr_assert_eq(pt_pos_of_path(&pos, &w->space, &path, level), 0);
	return pos;
}

static const struct edit_format *format_named(const char *name)
{
	unsigned int i;

	for (i = 0; strcmp(edit_formats[i].name, name); i++)
		cr_assert_lt(i, NR_EDIT_FORMATS);
	return &edit_formats[i];
}

static bool has_leaves(const struct pt_fmt *fmt, unsigned int level)
{
	return level <= fmt->top && fmt->leaf_levels >> level & 1;
}

/* A world with one leaf of @level at @ia that leads to 0; pos->entry is its. */
static struct pt_pos one_leaf(struct edit_world *w, const struct edit_format *f, pt_u64 ia,
			      unsigned int level)
{
	struct pt_prot prot;

	edit_world_init(w, f, SIZE);
	prot = edit_prot(&w->fmt);
	cr_assert_eq(pt_map(&w->space, ia, ia | (pt_level_size(&w->fmt, level) - 1), 0, &prot,
			    &w->arena.alloc),
		     0);
	return pos_at(w, ia, level);
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
		cr_assert_eq(pos_at(w, pos->start, pos->level).entry, leaf);
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
	cr_assert_eq(pos_at(w, pos->start, pos->level).entry, leaf);
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
	pos = one_leaf(&w, f, pt_level_size(&w.fmt, level) * 3, level);
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

		pos = one_leaf(&w, format_named(cases[i].format), 0, cases[i].level);
		size = pt_level_size(&w.fmt, cases[i].level - 1);
		if (w.fmt.ept)
			open = EPT_R | EPT_W | EPT_X | EPT_XU;
		cr_assert_eq(pt_set(&w.space, &pos, cases[i].leaf, &edit), 0, "%u", i);
		cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0, "%u", i);
		cr_assert_eq(pos.entry & ~w.fmt.addr_mask, open | cases[i].table, "%u", i);
		pos = pos_at(&w, 5 * size, cases[i].level - 1);
		cr_assert_eq(pos.entry, cases[i].small + 5 * size, "%u", i);
		edit_world_done(&w, cases[i].format);
	}
}

/* ---- what cannot be split or joined ---------------------------------------------------------- */

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
	struct pt_pos pos = one_leaf(&w, format_named("4level"), 0, 3), stale = pos, wrong = pos;
	struct pt_alloc none = { .alloc = no_memory };
	struct pt_edit edit;
	pt_u64 live = w.arena.live;

	cr_assert_eq(pt_split(&w.space, &pos, &none, &edit), -ENOMEM);
	wrong.level = 1;
	cr_assert_eq(pt_split(&w.space, &wrong, &w.arena.alloc, &edit), -EINVAL);
	wrong.level = 6;
	cr_assert_eq(pt_split(&w.space, &wrong, &w.arena.alloc, &edit), -EINVAL);
	wrong = pos_at(&w, 0, 4);
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
	struct pt_pos pos = one_leaf(&w, format_named("ept4"), 0, 2), leaf = pos;
	struct pt_edit edit;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	cr_assert_eq(pt_undo(&w.space, &edit), 0);
	cr_assert_eq(pos_at(&w, 0, 2).entry, leaf.entry);
	w.arena.alloc.free(&w.arena.alloc, 4096, edit.new &w.fmt.addr_mask);
	edit_world_done(&w, "undone");
}

/* One leaf of a split table, or the table's entry, is changed by @flip; joining must answer @ret.
 */
static void join_after(const char *format, unsigned int level, unsigned int index, pt_u64 flip,
		       int ret)
{
	struct edit_world w;
	struct pt_pos pos = one_leaf(&w, format_named(format), 0, level), small;
	struct pt_edit edit;
	pt_u64 live;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	small = pos;
	if (index != UINT32_MAX)
		small = pos_at(&w, index * pt_level_size(&w.fmt, level - 1), level - 1);
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
	struct pt_pos pos = one_leaf(&w, format_named("4level"), 0, 2);
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

		edit_world_init(&w, format_named(cases[i].format), SIZE);
		prot = edit_prot(&w.fmt);
		last = pt_level_size(&w.fmt, 2) - 1;
		prot.max_level = 1;
		cr_assert_eq(pt_map(&w.space, 0, last, cases[i].pa, &prot, &w.arena.alloc), 0);
		for (n = 0; n < pt_table_entries(&w.fmt, 1); n++) {
			pos = pos_at(&w, n * 4096ULL, 1);
			cr_assert_eq(pt_set(&w.space, &pos, pos.entry | cases[i].bits, &edit), 0);
		}
		pos = pos_at(&w, 0, 2);
		cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EINVAL, "%u", i);
		edit_world_done(&w, cases[i].format);
	}
	{
		/* 1 GiB leaves that the CPU does not have, from 2 MiB leaves. */
		struct edit_world w;
		struct pt_prot prot;
		struct pt_pos pos;

		edit_world_init(&w, format_named("4level old"), SIZE);
		prot = edit_prot(&w.fmt);
		cr_assert_eq(pt_map(&w.space, 0, PT_BIT(30) - 1, 0, &prot, &w.arena.alloc), 0);
		pos = pos_at(&w, 0, 3);
		cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EINVAL);
		edit_world_done(&w, "no 1 GiB leaves");
	}
}

/* ---- others beside ----------------------------------------------------------------------------
 */

/* Memory where something happens just before the @countdown-th exchange. */
struct meddler {
	struct pt_mem mem;
	struct edit_world *w;
	unsigned int countdown;
	pt_u64 addr, flip;
};

static int meddler_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	struct meddler *m = pt_container_of(mem, struct meddler, mem);

	return pt_mem_read(&m->w->arena.mem, addr, buf, len);
}

static int meddler_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct meddler *m = pt_container_of(mem, struct meddler, mem);
	struct pt_mem *under = &m->w->arena.mem;
	pt_u64 entry;

	if (!--m->countdown) {
		cr_assert_eq(pt_mem_entry(under, m->addr, 3, &entry), 0);
		cr_assert_eq(under->ops->cmpxchg(under, m->addr, 8, &entry, entry ^ m->flip), 0);
	}
	return under->ops->cmpxchg(under, addr, size, old, new);
}

static const struct pt_mem_ops meddler_ops = { .read = meddler_read, .cmpxchg = meddler_cmpxchg };

/* A leaf that was read already changes before the large one goes in. */
Test(pt_large, join_puts_back_when_a_leaf_changes)
{
	struct edit_world w;
	struct pt_pos pos = one_leaf(&w, format_named("4level"), 0, 2), table, small;
	struct meddler m = { .mem.ops = &meddler_ops, .w = &w, .flip = PT_RW, .countdown = 1 };
	struct pt_edit edit;
	pt_u64 live, i;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	table = pos;
	small = pos_at(&w, 0, 1);
	cr_assert_eq(pt_set(&w.space, &small, small.entry | PT_A | PT_D, &edit), 0);
	m.addr = pos_at(&w, 9 * 4096, 1).addr;
	live = w.arena.live;
	w.space.mem = &m.mem;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EAGAIN);
	w.space.mem = &w.arena.mem;
	cr_assert_eq(pos_at(&w, 0, 2).entry, table.entry);
	cr_assert_eq(w.arena.live, live);
	for (i = 0; i < 512; i++) {
		/* The large leaf was dirty, so nobody knows which page was written to. */
		small = pos_at(&w, i * 4096, 1);
		cr_assert_eq(!!(small.entry & PT_D), i != 9);
		cr_assert_eq(!!(small.entry & PT_RW), i != 9);
	}
	edit_world_done(&w, "put back");
}

/* The CPU sets D in a leaf that was read already: the large one has it. */
Test(pt_large, join_finds_late_dirty_bits)
{
	struct edit_world w;
	struct pt_pos pos = one_leaf(&w, format_named("4level"), 0, 2);
	struct meddler m = {
		.mem.ops = &meddler_ops, .w = &w, .flip = PT_A | PT_D, .countdown = 1
	};
	pt_u64 leaf = pos.entry;
	struct pt_edit edit;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	m.addr = pos_at(&w, 9 * 4096, 1).addr;
	w.space.mem = &m.mem;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), 0);
	w.space.mem = &w.arena.mem;
	cr_assert_eq(pos_at(&w, 0, 2).entry, leaf | PT_A | PT_D);
	edit_world_done(&w, "late");
}

/* The entry of the table changes: by the CPU that is nothing, by others it is a reason to stop. */
Test(pt_large, join_compares_the_entry)
{
	struct edit_world w;
	struct pt_pos pos = one_leaf(&w, format_named("4level"), 0, 2);
	struct meddler m = { .mem.ops = &meddler_ops, .w = &w, .flip = PT_PCD, .countdown = 1 };
	struct pt_edit edit;
	pt_u64 live;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	live = w.arena.live;
	m.addr = pos.addr;
	w.space.mem = &m.mem;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EAGAIN);
	cr_assert_eq(w.arena.live, live);
	cr_assert_eq(pos.entry, edit.new | PT_PCD);
	m.flip = PT_A;
	m.countdown = 1;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), 0);
	w.space.mem = &w.arena.mem;
	edit_world_done(&w, "compare");
}

/*
 * A CPU that writes to pages while the leaf over them is split and joined all the time. It walks,
 * then sets A and D where the walk ended, as CPUs do that have upper entries cached; so a flush has
 * to wait until it is not in between.
 */
struct cpu {
	struct pt_mem mem;
	struct edit_world *w;
	pthread_mutex_t walking;
	pt_u64 seed, writes, made_dirty;
	bool stop;
};

static int cpu_mem_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	return pt_mem_read(&pt_container_of(mem, struct cpu, mem)->w->arena.mem, addr, buf, len);
}

static int cpu_mem_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct pt_mem *under = &pt_container_of(mem, struct cpu, mem)->w->arena.mem;

	return under->ops->cmpxchg(under, addr, size, old, new);
}

static void cpu_mem_flush(struct pt_mem *mem, pt_u64 start, pt_u64 last)
{
	struct cpu *cpu = pt_container_of(mem, struct cpu, mem);

	(void)start;
	(void)last;
	pthread_mutex_lock(&cpu->walking);
	pthread_mutex_unlock(&cpu->walking);
}

static const struct pt_mem_ops cpu_mem_ops = {
	.read = cpu_mem_read,
	.cmpxchg = cpu_mem_cmpxchg,
	.flush = cpu_mem_flush,
};

/* Writes to a page: ->made_dirty counts the leaves that had no D before. */
static void cpu_write(struct cpu *cpu)
{
	struct pt_mem *mem = &cpu->w->arena.mem;
	struct pt_pos pos;
	pt_u64 seen;

	if (pt_get_leaf(&cpu->w->space, edit_random(&cpu->seed) % (2 << 20), &pos))
		return;
	seen = pos.entry;
	if (mem->ops->cmpxchg(mem, pos.addr, 8, &seen, seen | PT_A | PT_D))
		return;
	if (!(seen & PT_D))
		__atomic_fetch_add(&cpu->made_dirty, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&cpu->writes, 1, __ATOMIC_SEQ_CST);
}

static void *cpu_main(void *arg)
{
	struct cpu *cpu = arg;

	while (!__atomic_load_n(&cpu->stop, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&cpu->walking);
		cpu_write(cpu);
		pthread_mutex_unlock(&cpu->walking);
	}
	return NULL;
}

/* Splits and joins until the CPU has written something; what it wrote must be seen in the leaf. */
static void round_of_splits(struct cpu *cpu, struct pt_pos *pos)
{
	struct edit_world *w = cpu->w;
	pt_u64 before;
	struct pt_edit edit;
	int ret;

	do { /* clean: from now on each write that comes first makes it dirty */
		ret = pt_set(&w->space, pos, pos->entry & ~(PT_A | PT_D), &edit);
	} while (ret == -EAGAIN);
	cr_assert_eq(ret, 0);
	before = __atomic_load_n(&cpu->made_dirty, __ATOMIC_SEQ_CST);
	do {
		ret = pt_split(&w->space, pos, &w->arena.alloc, &edit);
	} while (ret == -EAGAIN);
	cr_assert_eq(ret, 0);
	cr_assert_eq(pt_join(&w->space, pos, &w->arena.alloc), 0);
	cr_assert_eq(pt_get_leaf(&w->space, 0, pos), 0);
	cr_assert_eq(pos->level, 2);
	if (__atomic_load_n(&cpu->made_dirty, __ATOMIC_SEQ_CST) != before) {
		cr_assert_eq(pt_get_leaf(&w->space, 0, pos), 0);
		cr_assert(pos->entry & PT_D);
	}
}

Test(pt_large, no_dirty_bit_is_lost)
{
	struct edit_world w;
	struct pt_pos pos = one_leaf(&w, format_named("4level"), 0, 2);
	struct cpu cpu = { .mem.ops = &cpu_mem_ops, .w = &w, .seed = edit_seed() };
	time_t end = time(NULL) + 10;
	pthread_t thread;
	unsigned int i;

	pthread_mutex_init(&cpu.walking, NULL);
	w.space.mem = &cpu.mem;
	cr_assert_eq(pthread_create(&thread, NULL, cpu_main, &cpu), 0);
	for (i = 0; i < 2000 || __atomic_load_n(&cpu.writes, __ATOMIC_RELAXED) < 2000; i++) {
		cr_assert(time(NULL) < end, "%llu writes", (unsigned long long)cpu.writes);
		round_of_splits(&cpu, &pos);
	}
	__atomic_store_n(&cpu.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	pthread_mutex_destroy(&cpu.walking);
	w.space.mem = &w.arena.mem;
	cr_assert_gt(cpu.made_dirty, 0);
	edit_world_done(&w, "cpu");
}
