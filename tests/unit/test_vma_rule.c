// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "user/kernel/vma_rule.h"
#include "user/pt/pt_linux.h"

#define V6_1 PT_LINUX_VERSION(6, 1)
#define V6_6 PT_LINUX_VERSION(6, 6)

#define PFN	(0x1234ULL << 12)
#define USER	(PFN | PT_P | PT_US | PT_A)
#define SPECIAL PT_BIT(9)
#define UFFD_WP PT_BIT(10)
#define NONE	PT_BIT(8) /* _PAGE_PROTNONE */

static const struct page_info anon = { .has_flags = true, .flags = 1ULL << KPF_BIT_ANON };
static const struct page_info file = { .has_flags = true };
static const struct page_info zero = { .has_flags = true, .flags = 1ULL << KPF_BIT_ZERO_PAGE };
static const struct page_info unknown;

static struct pt_fmt format(int nx)
{
	struct pt_feat feat = { .maxphyaddr = 46, .nx = (pt_u8)nx, .page1g = 1 };
	struct pt_fmt fmt;

	cr_assert_eq(pt_fmt_init(&fmt, PT_MODE_4LEVEL, &feat), 0);
	return fmt;
}

static struct vma_verdict judge(uint64_t flags, uint64_t entry, const struct page_info *page)
{
	struct proc_vma vma = { .flags = flags, .pkey = -1 };
	struct pt_fmt fmt = format(1);

	return vma_rule(&vma, &fmt, 1, entry, page, V6_1);
}

static bool legal(uint64_t flags, uint64_t entry, const struct page_info *page)
{
	return judge(flags, entry, page).legal;
}

#define R VMA_BIT(VMA_READ)
#define W VMA_BIT(VMA_WRITE)
#define X VMA_BIT(VMA_EXEC)
#define S VMA_BIT(VMA_SHARED)

/* What vm_get_page_prot() allows at most, said in other words than by a table. */
Test(vma_rule, all_combinations)
{
	unsigned int flags, bits;

	for (flags = 0; flags < 16; flags++) {
		for (bits = 0; bits < 4; bits++) {
			bool write = bits & 1, exec = bits & 2;
			uint64_t entry = USER | (write ? PT_RW : 0) | (exec ? 0 : PT_NX);
			bool want = (flags & (R | W | X)) && exec == !!(flags & X) &&
				    (!write || flags & W);

			cr_expect_eq(legal(flags, entry, &anon), want, "flags %u bits %u", flags,
				     bits);
		}
	}
}

Test(vma_rule, copy_on_write)
{
	uint64_t ro = USER | PT_NX, rw = ro | PT_RW;

	cr_expect(strstr(judge(R | W, ro, &anon).why, "copy on write"));
	cr_expect(strstr(judge(R | W, ro, &zero).why, "zero page"));
	cr_expect(strstr(judge(R | W | S, ro, &file).why, "dirty tracking"));
	cr_expect(strstr(judge(R | W, ro | UFFD_WP, &anon).why, "userfaultfd"));
	cr_expect_null(judge(R | W, rw, &anon).why);
	cr_expect_null(judge(R | W | S, rw, &file).why);
	cr_expect(legal(R | W, rw, &unknown));
	/* The file itself, or everybody's page of zeros. */
	cr_expect_not(legal(R | W, rw, &file));
	cr_expect_not(legal(R | W, rw, &zero));
}

Test(vma_rule, what_no_page_of_a_process_is)
{
	cr_expect_not(legal(R, PFN | PT_P | PT_NX, &anon));
	cr_expect_not(legal(R, USER | PT_NX | SPECIAL, &anon));
	cr_expect(legal(R, USER | PT_NX | SPECIAL, &zero));
	cr_expect(legal(R | VMA_BIT(VMA_PFNMAP), USER | PT_NX | SPECIAL, &file));
	cr_expect(legal(R | VMA_BIT(VMA_MIXEDMAP), USER | PT_NX | SPECIAL, &file));
	/* Above the width of physical addresses. */
	cr_expect_not(legal(R, USER | PT_NX | PT_BIT(50), &anon));
}

Test(vma_rule, without_nx_all_is_executable)
{
	struct proc_vma vma = { .flags = R, .pkey = -1 };
	struct pt_fmt fmt = format(0);

	cr_expect(vma_rule(&vma, &fmt, 1, USER, &anon, V6_1).legal);
	vma.flags = R | X;
	cr_expect(vma_rule(&vma, &fmt, 1, USER, &anon, V6_1).legal);
}

Test(vma_rule, protection_keys)
{
	struct proc_vma vma = { .flags = X, .pkey = 3 };
	struct pt_fmt fmt = format(1);

	cr_expect(vma_rule(&vma, &fmt, 1, USER | 3ULL << 59, &anon, V6_1).legal);
	cr_expect_not(vma_rule(&vma, &fmt, 1, USER | 2ULL << 59, &anon, V6_1).legal);
	cr_expect_not(vma_rule(&vma, &fmt, 1, USER, &anon, V6_1).legal);
}

Test(vma_rule, shadow_stacks)
{
	struct proc_vma vma = { .flags = R | W | VMA_BIT(VMA_SHADOW_STACK), .pkey = -1 };
	struct pt_fmt fmt = format(1);

	cr_expect(vma_rule(&vma, &fmt, 1, USER | PT_NX | PT_D, &anon, V6_6).legal);
	cr_expect_not(vma_rule(&vma, &fmt, 1, USER | PT_NX | PT_D | PT_RW, &anon, V6_6).legal);
}

Test(vma_rule, not_present)
{
	uint64_t none = (~PFN & PT_BITS(45, 12)) | NONE;

	cr_expect(legal(0, none, &anon));
	cr_expect_null(judge(0, none, &anon).why);
	cr_expect(strstr(judge(R, none, &anon).why, "NUMA"));
	cr_expect(strstr(judge(R, 0, &unknown).why, "first access"));
	cr_expect(strstr(judge(0, 0, &unknown).why, "none is made"));
	cr_expect(legal(R, 0x1ffffffffffffe00, &unknown));
	cr_expect(strstr(judge(R, 0x1ffffffffffffe00, &unknown).why, "next fault"));
}

Test(vma_rule, large_pages)
{
	struct proc_vma vma = { .flags = R | W, .pkey = -1 };
	struct pt_fmt fmt = format(1);
	uint64_t huge = 0x40000000 | PT_P | PT_US | PT_PS | PT_NX;

	cr_expect(vma_rule(&vma, &fmt, 2, huge | PT_RW, &anon, V6_1).legal);
	cr_expect(vma_rule(&vma, &fmt, 2, huge, &anon, V6_1).legal);
	cr_expect_not(vma_rule(&vma, &fmt, 2, huge & ~PT_NX, &anon, V6_1).legal);
	/* Reserved in a page of 2 MiB. */
	cr_expect_not(vma_rule(&vma, &fmt, 2, huge | PT_BIT(13), &anon, V6_1).legal);
}
