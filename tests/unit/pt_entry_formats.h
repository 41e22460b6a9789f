/* SPDX-License-Identifier: GPL-2.0 */
/* Paging formats with all their switches, and random entries, for the tests of entries. */
#ifndef PT_ENTRY_FORMATS_H
#define PT_ENTRY_FORMATS_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/pt/pt_entry.h"

/* ---- formats ---------------------------------------------------------------------------- */

struct config {
	const char *name;
	enum pt_mode mode;
	struct pt_feat feat;
	bool every; /* try every pattern: such formats hold all fields that the others have */
};

#define ALL_LONG .maxphyaddr = 46, .nx = 1, .page1g = 1
#define ALL_EPT \
	.maxphyaddr = 46, .page1g = 1, .ept_exec_only = 1, .ept_ad = 1, .ept_mbec = 1, .ept_sss = 1

static const struct config configs[] = {
	{ "32bit", PT_MODE_32BIT, { .maxphyaddr = 32 }, true },
	{ "32bit 36", PT_MODE_32BIT, { .maxphyaddr = 36, .pse36 = 1, .nx = 1 }, true },
	{ "32bit pse", PT_MODE_32BIT, { .maxphyaddr = 36, .pse = 1 }, true },
	{ "32bit pse36 32", PT_MODE_32BIT, { .maxphyaddr = 32, .pse = 1, .pse36 = 1 }, true },
	{ "32bit pse36 36", PT_MODE_32BIT, { .maxphyaddr = 36, .pse = 1, .pse36 = 1 }, true },
	{ "32bit pse36 40", PT_MODE_32BIT, { .maxphyaddr = 46, .pse = 1, .pse36 = 1 }, true },
	{ "32bit enc", PT_MODE_32BIT, { .maxphyaddr = 48, .pse = 1, .enc_bit = 47 }, true },
	{ "32bit npt", PT_MODE_32BIT, { .maxphyaddr = 40, .pse = 1, .npt = 1 }, true },
	{ "pae", PT_MODE_PAE, { .maxphyaddr = 36 }, true },
	{ "pae nx", PT_MODE_PAE, { .maxphyaddr = 52, .nx = 1 }, true },
	{ "pae enc npt",
	  PT_MODE_PAE,
	  { .maxphyaddr = 48, .nx = 1, .enc_bit = 47, .npt = 1 },
	  true },
	{ "4level", PT_MODE_4LEVEL, { ALL_LONG }, false },
	{ "4level plain", PT_MODE_4LEVEL, { .maxphyaddr = 32 }, false },
	{ "4level 52", PT_MODE_4LEVEL, { .maxphyaddr = 52, .nx = 1 }, false },
	{ "4level enc",
	  PT_MODE_4LEVEL,
	  { .maxphyaddr = 48, .nx = 1, .page1g = 1, .enc_bit = 47 },
	  false },
	{ "4level npt", PT_MODE_4LEVEL, { ALL_LONG, .npt = 1 }, false },
	{ "5level", PT_MODE_5LEVEL, { ALL_LONG }, true },
	{ "5level enc", PT_MODE_5LEVEL, { .maxphyaddr = 52, .nx = 1, .enc_bit = 40 }, false },
	{ "5level npt", PT_MODE_5LEVEL, { .maxphyaddr = 39, .page1g = 1, .npt = 1 }, false },
	{ "ept4", PT_MODE_EPT4, { .maxphyaddr = 46 }, false },
	{ "ept4 1g", PT_MODE_EPT4, { .maxphyaddr = 39, .page1g = 1 }, false },
	{ "ept4 exec-only", PT_MODE_EPT4, { .maxphyaddr = 52, .ept_exec_only = 1 }, false },
	{ "ept4 ad", PT_MODE_EPT4, { .maxphyaddr = 46, .ept_ad = 1 }, false },
	{ "ept4 mbec", PT_MODE_EPT4, { .maxphyaddr = 46, .ept_mbec = 1 }, false },
	{ "ept4 sss", PT_MODE_EPT4, { .maxphyaddr = 46, .ept_sss = 1 }, false },
	{ "ept4 all", PT_MODE_EPT4, { ALL_EPT }, false },
	{ "ept5", PT_MODE_EPT5, { .maxphyaddr = 52 }, false },
	{ "ept5 all", PT_MODE_EPT5, { ALL_EPT }, true },
};

#define NR_CONFIGS (sizeof(configs) / sizeof(configs[0]))

static inline struct pt_fmt format(const struct config *c)
{
	struct pt_fmt fmt;

	cr_assert_eq(pt_fmt_init(&fmt, c->mode, &c->feat), 0, "%s", c->name);
	return fmt;
}

static inline struct pt_fmt format_named(const char *name)
{
	size_t i;

	for (i = 0; strcmp(configs[i].name, name); i++)
		cr_assert_lt(i, NR_CONFIGS - 1, "%s", name);
	return format(&configs[i]);
}

static inline uint64_t entry_bits(const struct pt_fmt *fmt)
{
	return fmt->mode == PT_MODE_32BIT ? UINT32_MAX : UINT64_MAX;
}

/* ---- chance ----------------------------------------------------------------------------- */

static uint64_t random_state;

/* The seed comes from PTSCOPE_SEED, so that a failure can be repeated, or from the clock. */
static inline void random_start(void)
{
	const char *given = getenv("PTSCOPE_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	fprintf(stderr, "PTSCOPE_SEED=%llu\n", (unsigned long long)seed);
	random_state = seed * 2654435761U + 88172645463325252ULL;
}

static inline uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Any bits, but of all kinds: reserved bits are often 0, and a large page's address is aligned. */
static inline uint64_t random_entry(const struct pt_fmt *fmt, unsigned int level)
{
	uint64_t entry = random_u64() & entry_bits(fmt);

	switch (random_u64() % 4) {
	case 0:
		return entry;
	case 1:
		return entry & ~fmt->present;
	case 2:
		return (entry | 7) & ~(fmt->rsvd_leaf[level] | 2 << 3);
	default:
		return (entry | 7) & ~(fmt->rsvd_table[level] | PT_PS);
	}
}

#endif
