// SPDX-License-Identifier: GPL-2.0
/* Paging modes from control registers and EPT pointers. */
#include <criterion/criterion.h>
#include <errno.h>

#include "user/pt/pt_mode.h"

#define PG  PT_CR0_PG
#define PAE PT_CR4_PAE
#define LMA PT_EFER_LMA
#define NXE PT_EFER_NXE

static const struct {
	struct pt_cregs regs;
	enum pt_mode mode;
	int nx, pse;
} registers[] = {
	{ { 0x11, 0, 0, 0 }, PT_MODE_NONE, 0, 0 },
	/* Without PG nothing else turns paging on. */
	{ { 0x11, 0, PAE | PT_CR4_LA57, NXE }, PT_MODE_NONE, 1, 0 },
	{ { PG, 0, 0, 0 }, PT_MODE_32BIT, 0, 0 },
	{ { PG, 0, PT_CR4_PSE, 0 }, PT_MODE_32BIT, 0, 1 },
	/* NXE counts with PAE alone; LA57 in long mode alone. */
	{ { PG, 0, PT_CR4_PSE, NXE }, PT_MODE_32BIT, 0, 1 },
	{ { PG, 0, PAE, 0 }, PT_MODE_PAE, 0, 0 },
	{ { PG, 0, PAE | PT_CR4_LA57, NXE }, PT_MODE_PAE, 1, 0 },
	{ { PG, 0, PAE, LMA }, PT_MODE_4LEVEL, 0, 0 },
	{ { PG, 0, PAE | PT_CR4_PSE, LMA | NXE }, PT_MODE_4LEVEL, 1, 1 },
	{ { PG, 0, PAE | PT_CR4_LA57, LMA | NXE }, PT_MODE_5LEVEL, 1, 0 },
	/* Linux 6.1 on QEMU. */
	{ { 0x80050033, 0x2a0a000, 0x7506f0, 0xd01 }, PT_MODE_4LEVEL, 1, 1 },
};

Test(pt_mode, from_control_registers)
{
	size_t i;

	for (i = 0; i < sizeof(registers) / sizeof(*registers); i++) {
		struct pt_feat feat = { .maxphyaddr = 46, .nx = 9, .pse = 9, .page1g = 1 };
		enum pt_mode mode = pt_mode_from_cregs(&registers[i].regs, &feat);

		cr_expect_eq(mode, registers[i].mode, "row %zu", i);
		cr_expect_eq(feat.nx, registers[i].nx, "row %zu", i);
		cr_expect_eq(feat.pse, registers[i].pse, "row %zu", i);
		cr_expect(feat.maxphyaddr == 46 && feat.page1g == 1, "the caller's, row %zu", i);
	}
}

static const struct {
	pt_u64 eptp;
	int err;
	enum pt_mode mode;
	int ad, sss;
} eptps[] = {
	{ 0x12345601e, 0, PT_MODE_EPT4, 0, 0 }, /* WB */
	{ 0x123456018, 0, PT_MODE_EPT4, 0, 0 }, /* UC */
	{ 0x12345605e, 0, PT_MODE_EPT4, 1, 0 },
	{ 0x1234560de, 0, PT_MODE_EPT4, 1, 1 },
	{ 0x123456026, 0, PT_MODE_EPT5, 0, 0 },
	{ 0x3ffffffff01e, 0, PT_MODE_EPT4, 0, 0 }, /* the last page of 46 bits */
	{ 0x12345601d, -EINVAL, 0, 0, 0 },	   /* memory types 5, 1, 7 */
	{ 0x123456019, -EINVAL, 0, 0, 0 },
	{ 0x12345601f, -EINVAL, 0, 0, 0 },
	{ 0x123456016, -EINVAL, 0, 0, 0 }, /* walks of 3, 6, 1 and 8 */
	{ 0x12345602e, -EINVAL, 0, 0, 0 },
	{ 0x123456006, -EINVAL, 0, 0, 0 },
	{ 0x12345603e, -EINVAL, 0, 0, 0 },
	{ 0x12345611e, -EINVAL, 0, 0, 0 }, /* reserved: bits 8, 11, 46, 63 */
	{ 0x12345681e, -EINVAL, 0, 0, 0 },
	{ 0x40000000001e, -EINVAL, 0, 0, 0 },
	{ 0x800000012345601e, -EINVAL, 0, 0, 0 },
};

Test(pt_mode, from_ept_pointer)
{
	size_t i;

	for (i = 0; i < sizeof(eptps) / sizeof(*eptps); i++) {
		struct pt_feat feat = { .maxphyaddr = 46, .ept_ad = 9, .ept_sss = 9 };
		enum pt_mode mode = PT_MODE_NONE;
		int err = pt_mode_from_eptp(eptps[i].eptp, &mode, &feat);

		cr_expect_eq(err, eptps[i].err, "row %zu", i);
		if (err)
			continue;
		cr_expect_eq(mode, eptps[i].mode, "row %zu", i);
		cr_expect_eq(feat.ept_ad, eptps[i].ad, "row %zu", i);
		cr_expect_eq(feat.ept_sss, eptps[i].sss, "row %zu", i);
	}
}

Test(pt_mode, ept_pointer_and_width)
{
	const pt_u64 last = 0xffffffffff01e, top = 0xff0000000000001e;
	struct pt_feat feat = { .maxphyaddr = 52 };
	enum pt_mode mode;

	cr_expect_eq(pt_mode_from_eptp(last, &mode, &feat), 0);
	cr_expect_eq(pt_mode_from_eptp(top, &mode, &feat), -EINVAL);
	feat.maxphyaddr = 0;
	cr_expect_eq(pt_mode_from_eptp(0x1e, &mode, &feat), -EINVAL, "no width");
	feat.maxphyaddr = 64;
	cr_expect_eq(pt_mode_from_eptp(0x1e, &mode, &feat), -EINVAL, "too wide");
}

Test(pt_mode, names)
{
	cr_expect_str_eq(pt_mode_name(PT_MODE_NONE), "none");
	cr_expect_str_eq(pt_mode_name(PT_MODE_32BIT), "32bit");
	cr_expect_str_eq(pt_mode_name(PT_MODE_PAE), "pae");
	cr_expect_str_eq(pt_mode_name(PT_MODE_4LEVEL), "4level");
	cr_expect_str_eq(pt_mode_name(PT_MODE_5LEVEL), "5level");
	cr_expect_str_eq(pt_mode_name(PT_MODE_EPT4), "ept4");
	cr_expect_str_eq(pt_mode_name(PT_MODE_EPT5), "ept5");
	cr_expect_str_eq(pt_mode_name((enum pt_mode)99), "?");
}
