// SPDX-License-Identifier: GPL-2.0
/*
 * The search for the direct map over memories that hold no right answer. That it finds the right
 * one is a matter for real kernels: tests/system.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/kernel/direct_map.h"
#include "user/pt/pt_walk.h"

/* A kernel that has nothing at all behind its addresses. */
static int nothing(void *ctx, uint64_t address, uint64_t *value)
{
	(void)address;
	(void)value;
	++*(unsigned long *)ctx;
	return -EFAULT;
}

static const struct pt_feat feat = { .maxphyaddr = 48, .nx = 1, .page1g = 1 };

Test(direct_map, gives_up_when_no_guess_holds)
{
	struct pt_fmt fmt;
	unsigned long reads = 0;
	uint64_t base;
	int err = direct_map_find(nothing, &reads, 0xffff888012345000ULL, &feat, &base, &fmt);

	if (geteuid())
		cr_assert_eq(err, -EPERM);
	else
		cr_assert_eq(err, -ENXIO);
	cr_assert_leq(reads, 1000000, "bounded");
}

/* Zeros everywhere: entries that are never present. */
static int zeros(void *ctx, uint64_t address, uint64_t *value)
{
	(void)ctx;
	(void)address;
	*value = 0;
	return 0;
}

Test(direct_map, is_not_fooled_by_empty_tables)
{
	struct pt_fmt fmt;
	uint64_t base;

	cr_assert_neq(direct_map_find(zeros, NULL, 0xffff888012345000ULL, &feat, &base, &fmt), 0);
}

/* Every entry is a present leaf to one frame: right level by chance, wrong frame. */
static int one_frame(void *ctx, uint64_t address, uint64_t *value)
{
	(void)ctx;
	(void)address;
	*value = 0x1000 | PT_P | PT_RW;
	return 0;
}

Test(direct_map, is_not_fooled_by_equal_entries)
{
	struct pt_fmt fmt;
	uint64_t base;

	cr_assert_neq(direct_map_find(one_frame, NULL, 0xffff888012345000ULL, &feat, &base, &fmt),
		      0);
}
