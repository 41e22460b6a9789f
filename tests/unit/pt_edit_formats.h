/* SPDX-License-Identifier: GPL-2.0 */
/* Every format, a space in an arena, and random numbers: for the tests of edits and of maps. */
#ifndef TESTS_UNIT_PT_EDIT_FORMATS_H
#define TESTS_UNIT_PT_EDIT_FORMATS_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/pt/pt_arena.h"
#include "user/pt/pt_map.h"

struct edit_format {
	const char *name;
	enum pt_mode mode;
	struct pt_feat feat;
	pt_u64 grain;	/* of random addresses */
	pt_u64 highest; /* page that is mapped to at most */
};

static const struct edit_format edit_formats[] = {
	{ "32bit", PT_MODE_32BIT, { .maxphyaddr = 32 }, 4096, PT_BIT(32) },
	{ "pse", PT_MODE_32BIT, { .maxphyaddr = 32, .pse = 1 }, 4096, PT_BIT(32) },
	{ "pse36 low",
	  PT_MODE_32BIT,
	  { .maxphyaddr = 40, .pse = 1, .pse36 = 1 },
	  4096,
	  PT_BIT(32) },
	{ "pse36", PT_MODE_32BIT, { .maxphyaddr = 40, .pse = 1, .pse36 = 1 }, 4 << 20, PT_BIT(40) },
	{ "pae", PT_MODE_PAE, { .maxphyaddr = 36 }, 4096, PT_BIT(36) },
	{ "pae nx", PT_MODE_PAE, { .maxphyaddr = 52, .nx = 1 }, 4096, PT_BIT(52) },
	{ "4level", PT_MODE_4LEVEL, { .maxphyaddr = 46, .nx = 1, .page1g = 1 }, 4096, PT_BIT(46) },
	{ "4level old", PT_MODE_4LEVEL, { .maxphyaddr = 40 }, 4096, PT_BIT(40) },
	{ "5level", PT_MODE_5LEVEL, { .maxphyaddr = 52, .nx = 1, .page1g = 1 }, 4096, PT_BIT(52) },
	{ "npt",
	  PT_MODE_4LEVEL,
	  { .maxphyaddr = 48, .nx = 1, .page1g = 1, .npt = 1 },
	  4096,
	  PT_BIT(48) },
	{ "ept4", PT_MODE_EPT4, { .maxphyaddr = 39, .page1g = 1 }, 4096, PT_BIT(39) },
	{ "ept4 all",
	  PT_MODE_EPT4,
	  { .maxphyaddr = 52,
	    .page1g = 1,
	    .ept_ad = 1,
	    .ept_mbec = 1,
	    .ept_sss = 1,
	    .ept_exec_only = 1 },
	  4096,
	  PT_BIT(52) },
	{ "ept5", PT_MODE_EPT5, { .maxphyaddr = 52, .page1g = 1, .ept_ad = 1 }, 4096, PT_BIT(52) },
};

#define NR_EDIT_FORMATS (sizeof(edit_formats) / sizeof(edit_formats[0]))

static inline const struct edit_format *edit_format_named(const char *name)
{
	unsigned int i;

	for (i = 0; strcmp(edit_formats[i].name, name); i++)
		cr_assert_lt(i, NR_EDIT_FORMATS);
	return &edit_formats[i];
}

/* An empty space with a root, whose tables lie in ->buffer. */
struct edit_world {
	struct pt_fmt fmt;
	struct pt_arena arena;
	struct pt_space space;
	void *buffer;
	pt_u64 root_only; /* bytes in use when nothing is mapped */
};

static inline void edit_world_init(struct edit_world *w, const struct edit_format *f, pt_u64 size)
{
	cr_assert_eq(pt_fmt_init(&w->fmt, f->mode, &f->feat), 0);
	w->buffer = aligned_alloc(4096, size);
	cr_assert_not_null(w->buffer);
	cr_assert_eq(pt_arena_init(&w->arena, w->buffer, 0x100000, size, true), 0);
	w->space = (struct pt_space){ .fmt = &w->fmt, .mem = &w->arena.mem };
	cr_assert_eq(pt_root_alloc(&w->space, &w->arena.alloc), 0);
	w->root_only = w->arena.live;
}

/* Nothing may be left but the root. */
static inline void edit_world_done(struct edit_world *w, const char *what)
{
	cr_assert_eq(pt_root_free(&w->space, &w->arena.alloc), 0, "%s", what);
	cr_assert_eq(w->arena.live, 0, "%s", what);
	cr_assert_eq(w->arena.bad_frees, 0, "%s", what);
	cr_assert_eq(w->space.root, 0);
	free(w->buffer);
}

static inline struct pt_prot edit_prot(const struct pt_fmt *fmt)
{
	return (struct pt_prot){ .perm = PT_PERM_R | PT_PERM_W | PT_PERM_X | PT_PERM_U | PT_PERM_XU,
				 .memtype = fmt->ept ? 6 : 0 };
}

/* The entry of @level on the way to @ia. */
static inline struct pt_pos edit_pos_at(const struct edit_world *w, pt_u64 ia, unsigned int level)
{
	struct pt_path path;
	struct pt_pos pos;

	pt_lookup(&w->space, ia, &path);
	cr_assert_eq(pt_pos_of_path(&pos, &w->space, &path, level), 0);
	return pos;
}

/* A world with one leaf of @level at @ia that leads to 0; pos->entry is its. */
static inline struct pt_pos edit_one_leaf(struct edit_world *w, const struct edit_format *f,
					  pt_u64 ia, unsigned int level)
{
	struct pt_prot prot;

	edit_world_init(w, f, 256 << 10);
	prot = edit_prot(&w->fmt);
	cr_assert_eq(pt_map(&w->space, ia, ia | (pt_level_size(&w->fmt, level) - 1), 0, &prot,
			    &w->arena.alloc),
		     0);
	return edit_pos_at(w, ia, level);
}

static inline pt_u64 edit_random(pt_u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* The seed comes from PTSCOPE_SEED, so that a failure can be repeated, or from the clock. */
static inline pt_u64 edit_seed(void)
{
	const char *given = getenv("PTSCOPE_SEED");
	pt_u64 seed = given ? strtoull(given, NULL, 0) : (pt_u64)time(NULL);

	fprintf(stderr, "PTSCOPE_SEED=%llu\n", (unsigned long long)seed);
	return seed * 2654435761 + 1;
}

#endif
