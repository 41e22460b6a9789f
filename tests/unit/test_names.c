// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "bpf/events.h"
#include "user/trace/names.h"

typedef const char *(*name_fn)(unsigned int);

/* Every value has a name of its own, and nothing beyond the last has one. */
static void check_table(name_fn name, unsigned int n)
{
	unsigned int i, j;

	for (i = 0; i < n; i++) {
		cr_assert_not_null(name(i), "value %u", i);
		cr_assert_str_neq(name(i), "?", "value %u", i);
		for (j = 0; j < i; j++)
			cr_assert_str_neq(name(i), name(j));
	}
	cr_assert_str_eq(name(n), "?");
	cr_assert_str_eq(name(UINT32_MAX), "?");
}

Test(names, tables_are_complete)
{
	check_table(name_hook, HOOK_NR);
	check_table(name_origin, PTEV_NR_ORIGINS);
	check_table(name_access, PTEV_NR_ACCESSES);
	check_table(name_outcome, PTEV_NR_OUTCOMES);
	check_table(name_lost, PTEV_NR_LOST);
}

Test(names, hooks_are_found_by_name)
{
	int i;

	for (i = 0; i < HOOK_NR; i++)
		cr_assert_eq(name_find_hook(name_hook((unsigned int)i)), i);
	cr_assert_eq(name_find_hook("fentr"), -1);
	cr_assert_eq(name_find_hook("fentryx"), -1);
	cr_assert_eq(name_find_hook(""), -1);
}

Test(names, lists_become_masks)
{
	char bad[16];
	uint32_t mask;

	cr_assert_eq(name_mask_outcomes("cow", &mask, bad, sizeof(bad)), 0);
	cr_assert_eq(mask, 1u << PTEV_OUT_COW);
	cr_assert_eq(name_mask_outcomes("swap,anon,swap", &mask, bad, sizeof(bad)), 0);
	cr_assert_eq(mask, 1u << PTEV_OUT_SWAP | 1u << PTEV_OUT_ANON);
	cr_assert_eq(name_mask_accesses("exec,read,write", &mask, bad, sizeof(bad)), 0);
	cr_assert_eq(mask, 7);
}

Test(names, bad_words_are_named)
{
	char bad[8];
	uint32_t mask;

	cr_assert_eq(name_mask_outcomes("cow,moo,anon", &mask, bad, sizeof(bad)), -EINVAL);
	cr_assert_str_eq(bad, "moo");
	cr_assert_eq(name_mask_outcomes("cow,", &mask, bad, sizeof(bad)), -EINVAL);
	cr_assert_str_eq(bad, "");
	cr_assert_eq(name_mask_accesses("reads", &mask, bad, sizeof(bad)), -EINVAL);
	cr_assert_str_eq(bad, "reads");
	cr_assert_eq(name_mask_accesses("averylongword", &mask, bad, sizeof(bad)), -EINVAL);
	cr_assert_str_eq(bad, "averylo");
}

Test(names, error_codes)
{
	char buf[40];

	cr_assert_str_eq(name_error_code(buf, 0), "-");
	cr_assert_str_eq(name_error_code(buf, PTEV_EC_W | PTEV_EC_U), "W|U");
	cr_assert_str_eq(name_error_code(buf, 0x10), "I");
	cr_assert_str_eq(name_error_code(buf, UINT32_MAX), "P|W|U|RSVD|I|PK|SS|SGX");
}

Test(names, remaps)
{
	unsigned int i;

	for (i = 0; i < PTEV_NR_REMAPS; i++)
		cr_assert_str_neq(name_remap(i), "?");
	cr_assert_str_eq(name_remap(PTEV_REMAP_TAKEN), "taken");
	cr_assert_str_eq(name_remap(PTEV_NR_REMAPS), "?");
}

Test(names, vma_permissions)
{
	char buf[5];

	cr_assert_str_eq(name_vm_perms(buf, 0), "---p");
	cr_assert_str_eq(name_vm_perms(buf, 5), "r-xp");
	cr_assert_str_eq(name_vm_perms(buf, UINT64_MAX), "rwxs");
}
