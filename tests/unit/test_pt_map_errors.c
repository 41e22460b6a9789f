// SPDX-License-Identifier: GPL-2.0
/* Maps that fail leave no trace; what unmapping takes out, splits and refuses. */
#include <string.h>

#include "pt_edit_formats.h"

#define KIB 1024ULL
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define RWX (PT_PERM_R | PT_PERM_W | PT_PERM_X)

Test(pt_map_errors, wrong_arguments)
{
	const struct {
		const char *format;
		pt_u64 start, last, pa;
	} cases[] = {
		{ "4level", 1, 4095, 0 },
		{ "4level", 0, 4096, 0 },
		{ "4level", 0, 4095, 1 },
		{ "4level", 8192, 4095, 0 },
		{ "4level", 0, PT_BIT(47) + 4095, 0 },
		{ "4level", 0, ~0ULL, 0 },
		{ "4level", PT_BIT(47) - 4096, 0xffff800000000fff, 0 },
		{ "4level", 0, 8191, PT_BIT(46) - 4096 },
		{ "4level", 0, 8191, ~0xfffULL },
		{ "npt", 0, PT_BIT(48) + 4095, 0 },
		{ "npt", 0xffff800000000000, 0xffff800000000fff, 0 },
		{ "pse", PT_BIT(32), PT_BIT(32) + 4095, 0 },
		{ "pse", 0, 4095, PT_BIT(32) },
		{ "pse36", 0, 4095, PT_BIT(32) },
		{ "pse36", 0, 4 * MIB - 1, PT_BIT(40) },
		{ "ept4", 0, 4095, PT_BIT(39) },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct edit_world w;
		struct pt_prot prot;

		edit_world_init(&w, edit_format_named(cases[i].format), 64 * KIB);
		prot = edit_prot(&w.fmt);
		cr_assert_eq(pt_map(&w.space, cases[i].start, cases[i].last, cases[i].pa, &prot,
				    &w.arena.alloc),
			     -EINVAL, "case %u", i);
		cr_assert_eq(w.arena.live, w.root_only);
		if (i < 7)
			cr_assert(i == 2 || pt_unmap(&w.space, cases[i].start, cases[i].last,
						     &w.arena.alloc) == -EINVAL);
		w.space.recursive = 1;
		cr_assert_eq(pt_map(&w.space, 0, 4095, 0, &prot, &w.arena.alloc), -EOPNOTSUPP);
		cr_assert_eq(pt_unmap(&w.space, 0, 4095, &w.arena.alloc), -EOPNOTSUPP);
		w.space.recursive = 0;
		edit_world_done(&w, cases[i].format);
	}
}

Test(pt_map_errors, without_paging_there_is_nothing_to_map)
{
	const struct pt_feat feat = { .maxphyaddr = 32 };
	const struct pt_prot prot = { .perm = RWX };
	struct pt_arena arena;
	struct pt_fmt fmt;
	struct pt_space s = { .fmt = &fmt, .mem = &arena.mem };

	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_NONE, &feat), 0);
	cr_assert_eq(pt_arena_init(&arena, NULL, 0, 0, true), 0);
	cr_assert_eq(pt_root_alloc(&s, &arena.alloc), -EINVAL);
	cr_assert_eq(pt_map(&s, 0, 4095, 0, &prot, &arena.alloc), -EINVAL);
	cr_assert_eq(pt_unmap(&s, 0, 4095, &arena.alloc), -EINVAL);
}

/* Tables of 32-bit paging, and the root of PAE, lie below 4 GiB. */
Test(pt_map_errors, tables_out_of_reach_are_given_back)
{
	const char *const names[] = { "32bit", "pae", "pse" };
	static pt_u8 buffer[16384] __attribute__((aligned(4096)));
	unsigned int i;

	for (i = 0; i < 3; i++) {
		const struct edit_format *f = edit_format_named(names[i]);
		struct pt_arena arena;
		struct pt_fmt fmt;
		struct pt_space s = { .fmt = &fmt, .mem = &arena.mem };

		cr_assert_eq(pt_fmt_init(&fmt, f->mode, &f->feat), 0);
		cr_assert_eq(pt_arena_init(&arena, buffer, PT_BIT(32), sizeof(buffer), true), 0);
		cr_assert_eq(pt_root_alloc(&s, &arena.alloc), -ENOMEM);
		cr_assert_eq(arena.live, 0);
		cr_assert_eq(arena.bad_frees, 0);
	}
}

/* A world with @entry in the top-level slot of the addresses from 0 on. */
static void world_with(struct edit_world *w, const char *format, pt_u64 entry)
{
	pt_u64 old = 0;

	edit_world_init(w, edit_format_named(format), 64 * KIB);
	cr_assert_eq(w->arena.mem.ops->cmpxchg(&w->arena.mem, w->space.root,
					       1U << w->fmt.entry_shift, &old, entry),
		     0);
}

Test(pt_map_errors, what_is_there_stays)
{
	const pt_u64 gone = PT_BIT(40);
	const struct {
		const char *format;
		pt_u64 entry;
		int map, unmap;
	} cases[] = {
		{ "4level", 0x123456000, -EEXIST, 0 }, /* swapped out, say */
		{ "4level", PT_P | gone, -EFAULT, -EFAULT },
		{ "4level", PT_P | PT_RW | PT_US | gone, -EFAULT, -EFAULT },
		{ "4level", PT_P | PT_PS, -EINVAL, -EINVAL }, /* reserved */
		{ "4level", PT_P | PT_BIT(51), -EINVAL, -EINVAL },
		{ "pse", PT_P | PT_PS, -EEXIST, 0 },
		{ "ept4", EPT_W, -EINVAL, -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct edit_world w;
		struct pt_prot prot;
		pt_u64 half, start, entry;
		int ret;

		world_with(&w, cases[i].format, cases[i].entry);
		prot = edit_prot(&w.fmt);
		half = pt_level_size(&w.fmt, w.fmt.top);
		cr_assert_eq(pt_map(&w.space, 0, 4095, 0, &prot, &w.arena.alloc), cases[i].map,
			     "case %u", i);
		cr_assert_eq(w.arena.live, w.root_only);
		start = half - 4096;
		cr_assert_neq(pt_map(&w.space, start, half + 4095, 0, &prot, &w.arena.alloc), 0);
		cr_assert_eq(w.arena.live, w.root_only);
		cr_assert_eq(pt_mem_entry(w.space.mem, w.space.root, w.fmt.entry_shift, &entry), 0);
		cr_assert_eq(entry, cases[i].entry, "case %u", i);
		ret = pt_unmap(&w.space, 0, half - 1, &w.arena.alloc);
		cr_assert_eq(ret, cases[i].unmap, "case %u", i);
		free(w.buffer);
	}
}

/* A table that denies what is asked for is not opened: other leaves lie below it. */
Test(pt_map_errors, tables_are_not_widened)
{
	struct edit_world w;
	struct pt_prot prot;
	struct pt_path path;
	struct pt_edit edit;
	struct pt_pos pos;

	edit_world_init(&w, edit_format_named("4level"), 64 * KIB);
	prot = edit_prot(&w.fmt);
	cr_assert_eq(pt_map(&w.space, 0, 4095, 0, &prot, &w.arena.alloc), 0);
	cr_assert_eq(pt_lookup(&w.space, 0, &path), PT_LEAF);
	cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, 3), 0);
	cr_assert_eq(pt_set(&w.space, &pos, pos.entry & ~PT_RW, &edit), 0);
	cr_assert_eq(pt_map(&w.space, 4096, 8191, 0, &prot, &w.arena.alloc), -EACCES);
	cr_assert_eq(pt_map(&w.space, GIB - 4096, GIB + 4095, 0, &prot, &w.arena.alloc), -EACCES);
	prot.perm &= (pt_u8)~PT_PERM_W;
	cr_assert_eq(pt_map(&w.space, 4096, 8191, 0, &prot, &w.arena.alloc), 0);
	edit_world_done(&w, "widen");
}

/* Memory of which the n-th write fails, an allocator of which the n-th table does. */
struct failing {
	struct pt_mem mem;
	struct pt_alloc alloc;
	struct pt_arena *arena;
	unsigned int writes, tables; /* until the one that fails; 0: none does */
};

static int failing_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	return pt_mem_read(&pt_container_of(mem, struct failing, mem)->arena->mem, addr, buf, len);
}

static int failing_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct failing *f = pt_container_of(mem, struct failing, mem);

	if (f->writes && !--f->writes)
		return -EIO;
	return f->arena->mem.ops->cmpxchg(&f->arena->mem, addr, size, old, new);
}

static int failing_alloc(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 *addr)
{
	struct failing *f = pt_container_of(alloc, struct failing, alloc);

	if (f->tables && !--f->tables)
		return -ENOMEM;
	return f->arena->alloc.alloc(&f->arena->alloc, bytes, addr);
}

static void failing_free(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 addr)
{
	struct pt_arena *arena = pt_container_of(alloc, struct failing, alloc)->arena;

	arena->alloc.free(&arena->alloc, bytes, addr);
}

static const struct pt_mem_ops failing_ops = { .read = failing_read, .cmpxchg = failing_cmpxchg };

/* Leaves on both sides of [@start, @last] are taken out; their tables stay, empty. */
static void put_empty_tables(struct edit_world *w, pt_u64 start, pt_u64 last)
{
	const pt_u64 at[] = { start - 4096, last + 1 };
	struct pt_prot prot = edit_prot(&w->fmt);
	struct pt_edit edit;
	struct pt_pos pos;
	unsigned int i;

	for (i = 0; i < 2; i++)
		cr_assert_eq(pt_map(&w->space, at[i], at[i] + 4095, 0, &prot, &w->arena.alloc), 0);
	for (i = 0; i < 2; i++) {
		cr_assert_eq(pt_get_leaf(&w->space, at[i], &pos), 0);
		cr_assert_eq(pt_set(&w->space, &pos, 0, &edit), 0);
	}
}

/* Fails at the first write (@counter is f->writes), the second...; or at tables. How often? */
static unsigned int fail_everywhere(struct edit_world *w, struct failing *f, unsigned int *counter,
				    int err, bool wide)
{
	const pt_u64 start = GIB - 4 * MIB - 8192;
	const pt_u64 last = (wide ? 2 * GIB : GIB) + 4 * MIB + 3 * 4096 - 1;
	const pt_u64 pa = wide ? 4 * MIB - 8192 : 0; /* with large leaves, or without */
	struct pt_prot prot = edit_prot(&w->fmt);
	pt_u64 live, used;
	unsigned int n;
	void *before;
	int ret;

	put_empty_tables(w, start, last);
	live = w->arena.live;
	used = w->arena.used;
	before = malloc(used);
	cr_assert_not_null(before);
	memcpy(before, w->buffer, used);
	w->space.mem = &f->mem;
	for (n = 1; n < 10000; n++) {
		*counter = n;
		ret = pt_map(&w->space, start, last, pa, &prot, &f->alloc);
		if (!ret)
			break;
		cr_assert_eq(ret, err, "%u: %d", n, ret);
		cr_assert_eq(w->arena.live, live, "%u", n);
		cr_assert_eq(memcmp(before, w->buffer, used), 0, "%u", n);
	}
	cr_assert_lt(n, 10000);
	*counter = 0;
	w->space.mem = &w->arena.mem;
	free(before);
	return n - 1;
}

/*
 * A map that meets tables of others on its way, empty ones among them, fails at each of its writes
 * and at each of its tables; all bytes that were in use are as before.
 */
Test(pt_map_errors, failing_at_every_point_leaves_no_trace)
{
	const char *const names[] = { "4level", "ept5", "pae", "pse", "npt" };
	struct failing f = { .mem.ops = &failing_ops, .alloc = { failing_alloc, failing_free } };
	unsigned int i, tables = 0;
	struct edit_world w;

	f.arena = &w.arena;
	for (i = 0; i < 10; i++) {
		edit_world_init(&w, edit_format_named(names[i / 2]), 4 * MIB);
		cr_assert_gt(fail_everywhere(&w, &f, &f.writes, -EIO, i % 2), 200);
		edit_world_done(&w, names[i / 2]);
		edit_world_init(&w, edit_format_named(names[i / 2]), 4 * MIB);
		tables += fail_everywhere(&w, &f, &f.tables, -ENOMEM, i % 2);
		edit_world_done(&w, names[i / 2]);
	}
	cr_assert_gt(tables, 20, "%u", tables);
}

/* ---- unmapping ------------------------------------------------------------------------------ */

/* A hole in a 1 GiB leaf: split twice, and what is around the hole says the same. */
Test(pt_map_errors, unmap_splits_large_leaves)
{
	struct edit_world w;
	struct pt_prot prot;
	pt_u64 pa;

	edit_world_init(&w, edit_format_named("ept4"), 64 * KIB);
	prot = edit_prot(&w.fmt);
	cr_assert_eq(pt_map(&w.space, 0, GIB - 1, GIB, &prot, &w.arena.alloc), 0);
	cr_assert_eq(w.arena.live, 8 * KIB);
	cr_assert_eq(pt_unmap(&w.space, 8192, 12287, &w.arena.alloc), 0);
	cr_assert_eq(w.arena.live, 16 * KIB);
	cr_assert_eq(pt_translate(&w.space, 8191, &pa), 0);
	cr_assert_eq(pa, GIB + 8191);
	cr_assert_eq(pt_translate(&w.space, 8192, &pa), -ENOENT);
	cr_assert_eq(pt_translate(&w.space, 12288, &pa), 0);
	cr_assert_eq(pt_unmap(&w.space, 0, 2 * MIB - 1, &w.arena.alloc), 0);
	cr_assert_eq(w.arena.live, 12 * KIB);
	cr_assert_eq(pt_unmap(&w.space, 0, PT_BIT(48) - 1, &w.arena.alloc), 0);
	cr_assert_eq(w.arena.live, 4 * KIB);
	edit_world_done(&w, "unmap");
}

/* A split that finds no memory: what comes before is unmapped, and calling again goes on. */
Test(pt_map_errors, unmap_goes_on_after_no_memory)
{
	struct failing f = { .mem.ops = &failing_ops, .alloc = { failing_alloc, failing_free } };
	struct edit_world w;
	struct pt_prot prot;
	pt_u64 pa;

	edit_world_init(&w, edit_format_named("4level"), 64 * KIB);
	f.arena = &w.arena;
	prot = edit_prot(&w.fmt);
	cr_assert_eq(pt_map(&w.space, 0, 4 * MIB - 1, 0, &prot, &w.arena.alloc), 0);
	f.tables = 1;
	cr_assert_eq(pt_unmap(&w.space, 0, 3 * MIB - 1, &f.alloc), -ENOMEM);
	cr_assert_eq(pt_translate(&w.space, 0, &pa), -ENOENT);
	cr_assert_eq(pt_translate(&w.space, 2 * MIB, &pa), 0);
	cr_assert_eq(pt_unmap(&w.space, 0, 3 * MIB - 1, &f.alloc), 0);
	cr_assert_eq(pt_translate(&w.space, 3 * MIB - 1, &pa), -ENOENT);
	cr_assert_eq(pt_translate(&w.space, 3 * MIB, &pa), 0);
	edit_world_done(&w, "again");
}

/* Tables that lead to themselves are refused at once, by both ways to free them. */
Test(pt_map_errors, loops_are_refused)
{
	struct edit_world w;
	struct pt_prot prot;
	struct pt_edit edit;
	struct pt_path path;
	struct pt_pos pos;

	edit_world_init(&w, edit_format_named("4level"), 64 * KIB);
	prot = edit_prot(&w.fmt);
	cr_assert_eq(pt_map(&w.space, 0, 4095, 0, &prot, &w.arena.alloc), 0);
	cr_assert_eq(pt_lookup(&w.space, 0xffffff8000000000, &path), PT_HOLE);
	cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, 4), 0);
	cr_assert_eq(pt_set(&w.space, &pos, w.space.root | PT_P | PT_RW | PT_US, &edit), 0);
	cr_assert_eq(pt_unmap(&w.space, 0xffffff8000000000, ~0ULL, &w.arena.alloc), -EINVAL);
	cr_assert_eq(pt_map(&w.space, ~4095ULL - 4096, ~4096ULL, 0, &prot, &w.arena.alloc),
		     -EINVAL);
	cr_assert_eq(pt_root_free(&w.space, &w.arena.alloc), -EINVAL);
	cr_assert_neq(w.space.root, 0);
	cr_assert_eq(pt_undo(&w.space, &edit), 0);
	edit_world_done(&w, "loops");
}

/* 512 entries to each of few tables, at each level: work is not a product of these numbers. */
Test(pt_map_errors, shared_tables_are_bounded_work, .timeout = 20)
{
	enum { TABLES = 5 };
	static pt_u64 tables[TABLES][512] __attribute__((aligned(4096)));
	const pt_u64 base = 0x10000;
	struct pt_arena arena;
	struct pt_fmt fmt;
	struct pt_space s = { .fmt = &fmt, .root = base, .mem = &arena.mem };
	const struct edit_format *f = edit_format_named("5level");
	unsigned int i, n;

	cr_assert_eq(pt_fmt_init(&fmt, f->mode, &f->feat), 0);
	for (i = 0; i < TABLES; i++) {
		for (n = 0; n < 512; n++)
			tables[i][n] = i + 1 < TABLES ? (base + (i + 1) * 4096) | PT_P : 0x5000;
	}
	cr_assert_eq(pt_arena_init(&arena, tables, base, sizeof(tables), false), 0);
	cr_assert_eq(pt_unmap(&s, 0, PT_BIT(56) - 1, &arena.alloc), 0);
}
