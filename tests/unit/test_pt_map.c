// SPDX-License-Identifier: GPL-2.0
/* The builder: sizes that theory gives, and what leaves and tables say. */
#include "pt_edit_formats.h"

#define KIB 1024ULL
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

/* ---- sizes ---------------------------------------------------------------------------------- */

/* An identity map of [0, size) of one leaf size takes exactly @bytes of tables, and is one. */
static void identity(const char *format, pt_u64 size, pt_u8 level, pt_u64 bytes)
{
	struct edit_world w;
	struct pt_path path;
	struct pt_prot prot;
	pt_u64 step, at, pa;

	edit_world_init(&w, edit_format_named(format), bytes);
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

	edit_world_init(&w, edit_format_named("4level"), 64 * KIB);
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

/* ---- what leaves say ------------------------------------------------------------------------ */

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
		const struct edit_format *f = edit_format_named(cases[i].format);
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

		edit_world_init(&w, edit_format_named(cases[i].format), 64 * KIB);
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
