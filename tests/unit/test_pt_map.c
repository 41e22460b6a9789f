// SPDX-License-Identifier: GPL-2.0
/* The builder: sizes that theory gives, what leaves say, and errors that leave no trace. */
#include <string.h>

#include "pt_edit_formats.h"

#define KIB 1024ULL
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

static const struct edit_format *format_named(const char *name)
{
	unsigned int i;

	for (i = 0; strcmp(edit_formats[i].name, name); i++)
		cr_assert_lt(i, NR_EDIT_FORMATS);
	return &edit_formats[i];
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* An identity map of [0, size) of one leaf size takes exactly @bytes of tables, and is one. */
static void identity(const char *format, pt_u64 size, pt_u8 level, pt_u64 bytes)
{
	struct edit_world w;
	struct pt_path path;
	struct pt_prot prot;
	pt_u64 step, at, pa;

	edit_world_init(&w, format_named(format), bytes);
	prot = edit_prot(&w.fmt);
	prot.max_level = level;
	cr_assert_eq(pt_map(&w.space, 0, size - 1, 0, &prot, &w.arena.alloc), 0, "%s", format);
	cr_assert_eq(w.arena.live, bytes, "%s: %llu", format, (unsigned long long)w.arena.live);
	step = pt_level_size(&w.fmt, level);
	for (at = 0; at < size; at += step) {
		pa = at + (at >> 9) % step;
		cr_assert_eq(pt_lookup(&w.space, pa, &path), PT_LEAF);
		cr_assert(path.end.pa == pa && path.end.level == level);
	}
	cr_assert_eq(pt_translate(&w.space, size - 1, &pa), 0);
	cr_assert_eq(pa, size - 1);
	if (w.fmt.va_bits > 32)
		cr_assert_eq(pt_translate(&w.space, size, &pa), -ENOENT);
	cr_assert_eq(pt_unmap(&w.space, 0, size - 1, &w.arena.alloc), 0);
	cr_assert_eq(w.arena.live, w.root_only);
	edit_world_done(&w, format);
}

/* Root, one level 3 table, and a level 2 table for each GiB: 2 MiB + 8 KiB, and no byte more. */
Test(pt_map, identity_ept_of_512_gib)
{
	identity("ept4", 512 * GIB, 2, 2 * MIB + 8 * KIB);
	identity("ept4", 512 * GIB, 3, 8 * KIB);
	identity("ept5", 512 * GIB, 2, 2 * MIB + 12 * KIB);
	identity("ept4", 4 * GIB, 1, 8 * MIB + 16 * KIB + 8 * KIB);
}

Test(pt_map, identity_maps)
{
	identity("npt", 512 * GIB, 2, 2 * MIB + 8 * KIB);
	identity("4level", 512 * GIB, 3, 8 * KIB);
	identity("5level", 2048 * GIB, 3, 4 * KIB + 4 * KIB + 16 * KIB);
	identity("pae", 4 * GIB, 2, 20 * KIB);
	identity("pae", GIB, 1, 2 * MIB + 8 * KIB);
	identity("pse", 4 * GIB, 2, 4 * KIB);
	identity("pse36", 4 * GIB, 2, 4 * KIB);
	identity("32bit", 4 * GIB, 1, 4 * MIB + 4 * KIB);
}

/* The largest leaves that fit: small ones up to the first boundary, and behind the last. */
Test(pt_map, leaves_grow_and_shrink)
{
	const struct {
		pt_u64 ia;
		unsigned int level;
	} at[] = {
		{ GIB - 2 * MIB - 4096, 1 },
		{ GIB - 2 * MIB, 2 },
		{ GIB, 3 },
		{ 2 * GIB - 1, 3 },
		{ 2 * GIB, 2 },
		{ 2 * GIB + 2 * MIB, 1 },
		{ 2 * GIB + 2 * MIB + 4096, 0 },
	};
	struct edit_world w;
	struct pt_prot prot;
	struct pt_path path;
	unsigned int i;

	edit_world_init(&w, format_named("4level"), 64 * KIB);
	prot = edit_prot(&w.fmt);
	cr_assert_eq(
		pt_map(&w.space, at[0].ia, at[6].ia - 1, at[0].ia + 8 * GIB, &prot, &w.arena.alloc),
		0);
	for (i = 0; i < 7; i++) {
		cr_assert_eq(pt_lookup(&w.space, at[i].ia, &path), i < 6 ? PT_LEAF : PT_HOLE);
		cr_assert(i == 6 || path.end.level == at[i].level, "%u", i);
		cr_assert(i == 6 || path.end.pa == at[i].ia + 8 * GIB, "%u", i);
	}
	edit_world_done(&w, "grow");
}

/* Both ends of the address space, up to the last byte. */
Test(pt_map, ends_of_the_space)
{
	unsigned int i;

	for (i = 0; i < NR_EDIT_FORMATS; i++) {
		const struct edit_format *f = &edit_formats[i];
		struct edit_world w;
		struct pt_prot prot;
		pt_u64 last, first, pa;

		edit_world_init(&w, f, 256 * KIB);
		prot = edit_prot(&w.fmt);
		last = w.fmt.va_signed ? ~0ULL : PT_BIT(w.fmt.va_bits) - 1;
		first = last - f->grain + 1;
		cr_assert_eq(pt_map(&w.space, first, last, 0, &prot, &w.arena.alloc), 0);
		cr_assert(!pt_translate(&w.space, last, &pa) && pa == f->grain - 1);
		cr_assert_eq(pt_translate(&w.space, first - 1, &pa), -ENOENT);
		cr_assert_eq(pt_map(&w.space, 0, f->grain - 1, f->highest - f->grain, &prot,
				    &w.arena.alloc),
			     0, "%s", f->name);
		cr_assert(!pt_translate(&w.space, 1, &pa) && pa == f->highest - f->grain + 1);
		edit_world_done(&w, f->name);
	}
}

/* ---- what leaves say ------------------------------------------------------------------------- */

#define RWX (PT_PERM_R | PT_PERM_W | PT_PERM_X)

Test(pt_map, leaf_bits)
{
	const struct {
		const char *format;
		unsigned int level;
		struct pt_prot prot;
		pt_u64 bits; /* 0: -EINVAL */
	} cases[] = {
		{ "4level", 1, { .perm = RWX }, PT_P | PT_RW },
		{ "4level", 1, { .perm = PT_PERM_ALL }, PT_P | PT_RW | PT_US },
		{ "4level", 1, { .perm = PT_PERM_R }, PT_P | PT_NX },
		{ "4level", 1, { .perm = PT_PERM_W }, 0 },
		{ "4level", 1, { .perm = PT_PERM_R | PT_PERM_XU }, 0 },
		{ "4level",
		  2,
		  { .perm = RWX, .memtype = 7 },
		  PT_P | PT_RW | PT_PWT | PT_PCD | PT_PS | PT_PAT_LARGE },
		{ "4level", 1, { .perm = RWX, .memtype = 5 }, PT_P | PT_RW | PT_PWT | PT_PAT_4K },
		{ "4level", 3, { .perm = RWX, .global = 1 }, PT_P | PT_RW | PT_PS | PT_G },
		{ "4level", 4, { .perm = RWX }, 0 },
		{ "4level", 0, { .perm = RWX }, 0 },
		{ "4level", 5, { .perm = RWX }, 0 },
		{ "4level old", 3, { .perm = RWX }, 0 },
		{ "4level old", 1, { .perm = PT_PERM_R }, 0 }, /* without NX all is executable */
		{ "4level", 1, { .perm = RWX, .pkey = 15 }, PT_P | PT_RW | PT_PK },
		{ "4level", 1, { .perm = RWX, .pkey = 16 }, 0 },
		{ "4level", 1, { .perm = RWX, .memtype = 8 }, 0 },
		{ "4level", 1, { .perm = RWX, .ipat = 1 }, 0 },
		{ "4level", 1, { .perm = RWX, .ad = 1 }, PT_P | PT_RW | PT_A | PT_D },
		/* D without R/W would make a shadow-stack page of it. */
		{ "4level", 1, { .perm = PT_PERM_R | PT_PERM_X, .ad = 1 }, PT_P | PT_A },
		{ "pae", 1, { .perm = RWX, .pkey = 1 }, 0 },
		{ "pae nx", 2, { .perm = PT_PERM_R }, PT_P | PT_PS | PT_NX },
		{ "pse", 2, { .perm = RWX, .memtype = 4 }, PT_P | PT_RW | PT_PS | PT_PAT_LARGE },
		{ "pse", 1, { .perm = PT_PERM_R }, 0 },
		{ "32bit", 2, { .perm = RWX }, 0 },
		/* A nested table's leaves are user pages. */
		{ "npt", 1, { .perm = RWX }, PT_P | PT_RW | PT_US },
		{ "npt", 1, { .perm = RWX, .global = 1 }, 0 },
		{ "npt", 1, { .perm = RWX, .pkey = 1 }, 0 },
		{ "ept4", 1, { .perm = RWX, .memtype = 6 }, 7 | 6 << 3 },
		{ "ept4",
		  2,
		  { .perm = RWX, .memtype = 6, .ipat = 1 },
		  7 | 6 << 3 | EPT_IPAT | EPT_PS },
		{ "ept4", 1, { .perm = PT_PERM_ALL, .ad = 1 }, 7 },
		{ "ept4", 1, { .perm = PT_PERM_X }, 0 },
		{ "ept4", 1, { .perm = PT_PERM_W }, 0 },
		{ "ept4", 1, { .perm = 0 }, 0 },
		{ "ept4", 1, { .perm = RWX, .memtype = 2 }, 0 },
		{ "ept4", 1, { .perm = RWX, .memtype = 14 }, 0 },
		{ "ept4", 1, { .perm = RWX, .global = 1 }, 0 },
		{ "ept4", 1, { .perm = RWX, .pkey = 1 }, 0 },
		{ "ept4", 1, { .perm = PT_PERM_R | PT_PERM_XU }, 0 },
		{ "ept4 all", 1, { .perm = PT_PERM_X }, EPT_X },
		{ "ept4 all", 1, { .perm = PT_PERM_XU }, EPT_XU },
		{ "ept4 all",
		  1,
		  { .perm = RWX | PT_PERM_XU, .ad = 1 },
		  7 | EPT_XU | EPT_A | EPT_D },
		{ "ept5", 3, { .perm = PT_PERM_R, .ad = 1 }, EPT_R | EPT_PS | EPT_A },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct edit_format *f = format_named(cases[i].format);
		pt_u64 bits = 0;
		struct pt_fmt fmt;
		int ret;

		cr_assert_eq(pt_fmt_init(&fmt, f->mode, &f->feat), 0);
		ret = pt_leaf_bits(&fmt, cases[i].level, &cases[i].prot, &bits);
		cr_assert_eq(ret, cases[i].bits ? 0 : -EINVAL, "case %u", i);
		cr_assert_eq(bits, cases[i].bits, "case %u: %#llx", i, (unsigned long long)bits);
	}
}

/* Tables restrict nothing, so that each leaf alone says what is allowed. */
Test(pt_map, tables_restrict_nothing)
{
	unsigned int i, level;

	for (i = 0; i < NR_EDIT_FORMATS; i++) {
		struct pt_prot prot = { .perm = RWX, .memtype = 1 };
		struct edit_world w;
		struct pt_path path;

		edit_world_init(&w, &edit_formats[i], 64 * KIB);
		cr_assert_eq(
			pt_map(&w.space, 0, edit_formats[i].grain - 1, 0, &prot, &w.arena.alloc),
			0);
		cr_assert_eq(pt_lookup(&w.space, 0, &path), PT_LEAF);
		for (level = w.fmt.top; level > path.end.level; level--)
			cr_assert_eq(pt_entry_perm(&w.fmt, level, path.at[level].entry) &
					     (PT_PERM_ALL & ~PT_PERM_XU),
				     PT_PERM_ALL & ~PT_PERM_XU);
		cr_assert_eq(!!(path.end.perm & PT_PERM_U), w.fmt.ept || w.fmt.feat.npt);
		edit_world_done(&w, edit_formats[i].name);
	}
}

/* What is accessed from the start is so at all levels; where there are no such bits, at none. */
Test(pt_map, accessed_from_the_start)
{
	const struct {
		const char *format;
		pt_u64 leaf, table;
	} cases[] = {
		{ "4level", PT_A | PT_D, PT_A },
		{ "pse36", PT_A | PT_D, PT_A },
		{ "ept5", EPT_A | EPT_D, EPT_A },
		{ "ept4", 0, 0 },
	};
	unsigned int i;

	for (i = 0; i < 4; i++) {
		struct edit_world w;
		pt_u64 ad = PT_A | PT_D;
		struct pt_prot prot;
		struct pt_path path;

		edit_world_init(&w, format_named(cases[i].format), 64 * KIB);
		if (w.fmt.ept)
			ad = EPT_A | EPT_D;
		prot = edit_prot(&w.fmt);
		prot.ad = prot.max_level = 1;
		cr_assert_eq(pt_map(&w.space, 0, 4095, 0, &prot, &w.arena.alloc), 0);
		cr_assert_eq(pt_lookup(&w.space, 0, &path), PT_LEAF);
		cr_assert_eq(path.at[1].entry & ad, cases[i].leaf, "%u", i);
		cr_assert_eq(path.at[w.fmt.top].entry & ad, cases[i].table, "%u", i);
		edit_world_done(&w, cases[i].format);
	}
}

/* Where the root is encrypted (the C bit in CR3), so are the tables below it. */
Test(pt_map, tables_are_encrypted_as_the_root_is)
{
	const struct edit_format f = { .name = "sme",
				       .mode = PT_MODE_4LEVEL,
				       .feat = { .maxphyaddr = 43, .enc_bit = 47 } };
	struct edit_world w;
	struct pt_prot prot;
	struct pt_path path;

	edit_world_init(&w, &f, 64 * KIB);
	prot = edit_prot(&w.fmt);
	w.space.root |= PT_BIT(47);
	cr_assert_eq(pt_map(&w.space, 0, 4095, 0, &prot, &w.arena.alloc), 0);
	cr_assert_eq(pt_lookup(&w.space, 0, &path), PT_LEAF);
	cr_assert(path.at[4].entry & path.at[3].entry & path.at[2].entry & PT_BIT(47));
	cr_assert_eq(path.at[1].entry & PT_BIT(47), 0);
	edit_world_done(&w, "sme");
}

/* ---- errors ---------------------------------------------------------------------------------- */

Test(pt_map, wrong_arguments)
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

		edit_world_init(&w, format_named(cases[i].format), 64 * KIB);
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

Test(pt_map, without_paging_there_is_nothing_to_map)
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
Test(pt_map, tables_out_of_reach_are_given_back)
{
	const char *const names[] = { "32bit", "pae", "pse" };
	static pt_u8 buffer[16384] __attribute__((aligned(4096)));
	unsigned int i;

	for (i = 0; i < 3; i++) {
		const struct edit_format *f = format_named(names[i]);
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

	edit_world_init(w, format_named(format), 64 * KIB);
	cr_assert_eq(w->arena.mem.ops->cmpxchg(&w->arena.mem, w->space.root,
					       1U << w->fmt.entry_shift, &old, entry),
		     0);
}

Test(pt_map, what_is_there_stays)
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
Test(pt_map, tables_are_not_widened)
{
	struct edit_world w;
	struct pt_prot prot;
	struct pt_path path;
	struct pt_edit edit;
	struct pt_pos pos;

	edit_world_init(&w, format_named("4level"), 64 * KIB);
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
Test(pt_map, failing_at_every_point_leaves_no_trace)
{
	const char *const names[] = { "4level", "ept5", "pae", "pse", "npt" };
	struct failing f = { .mem.ops = &failing_ops, .alloc = { failing_alloc, failing_free } };
	unsigned int i, tables = 0;
	struct edit_world w;

	f.arena = &w.arena;
	for (i = 0; i < 10; i++) {
		edit_world_init(&w, format_named(names[i / 2]), 4 * MIB);
		cr_assert_gt(fail_everywhere(&w, &f, &f.writes, -EIO, i % 2), 200);
		edit_world_done(&w, names[i / 2]);
		edit_world_init(&w, format_named(names[i / 2]), 4 * MIB);
		tables += fail_everywhere(&w, &f, &f.tables, -ENOMEM, i % 2);
		edit_world_done(&w, names[i / 2]);
	}
	cr_assert_gt(tables, 20, "%u", tables);
}

/* ---- unmapping ------------------------------------------------------------------------------- */

/* A hole in a 1 GiB leaf: split twice, and what is around the hole says the same. */
Test(pt_map, unmap_splits_large_leaves)
{
	struct edit_world w;
	struct pt_prot prot;
	pt_u64 pa;

	edit_world_init(&w, format_named("ept4"), 64 * KIB);
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
Test(pt_map, unmap_goes_on_after_no_memory)
{
	struct failing f = { .mem.ops = &failing_ops, .alloc = { failing_alloc, failing_free } };
	struct edit_world w;
	struct pt_prot prot;
	pt_u64 pa;

	edit_world_init(&w, format_named("4level"), 64 * KIB);
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
Test(pt_map, loops_are_refused)
{
	struct edit_world w;
	struct pt_prot prot;
	struct pt_edit edit;
	struct pt_path path;
	struct pt_pos pos;

	edit_world_init(&w, format_named("4level"), 64 * KIB);
	prot = edit_prot(&w.fmt);
	cr_assert_eq(pt_map(&w.space, 0, 4095, 0, &prot, &w.arena.alloc), 0);
	cr_assert_eq(pt_lookup(&w.space, 0xffffff8000000000, &path), PT_HOLE);
	cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, 4), 0);
	cr_assert_eq(pt_set(&w.space, &pos, w.space.root | PT_P | PT_RW | PT_US, &edit), 0);
	cr_assert_eq(pt_unmap(&w.space, 0xffffff8000000000, ~0ULL, &w.arena.alloc), -EINVAL);
	cr_assert_eq(pt_root_free(&w.space, &w.arena.alloc), -EINVAL);
	cr_assert_neq(w.space.root, 0);
	cr_assert_eq(pt_undo(&w.space, &edit), 0);
	edit_world_done(&w, "loops");
}

/* 512 entries to each of few tables, at each level: work is not a product of these numbers. */
Test(pt_map, shared_tables_are_bounded_work, .timeout = 20)
{
	enum { TABLES = 5 };
	static pt_u64 tables[TABLES][512] __attribute__((aligned(4096)));
	const pt_u64 base = 0x10000;
	struct pt_arena arena;
	struct pt_fmt fmt;
	struct pt_space s = { .fmt = &fmt, .root = base, .mem = &arena.mem };
	const struct edit_format *f = format_named("5level");
	unsigned int i, n;

	cr_assert_eq(pt_fmt_init(&fmt, f->mode, &f->feat), 0);
	for (i = 0; i < TABLES; i++) {
		for (n = 0; n < 512; n++)
			tables[i][n] = i + 1 < TABLES ? (base + (i + 1) * 4096) | PT_P : 0x5000;
	}
	cr_assert_eq(pt_arena_init(&arena, tables, base, sizeof(tables), false), 0);
	cr_assert_eq(pt_unmap(&s, 0, PT_BIT(56) - 1, &arena.alloc), 0);
}
