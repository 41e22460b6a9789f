/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The paging mode that control registers select. */
#ifndef PT_MODE_H
#define PT_MODE_H

#include "pt_fmt.h"

#define PT_CR0_WP	PT_BIT(16)
#define PT_CR0_PG	PT_BIT(31)
#define PT_CR4_PSE	PT_BIT(4)
#define PT_CR4_PAE	PT_BIT(5)
#define PT_CR4_LA57	PT_BIT(12)
#define PT_CR4_SMEP	PT_BIT(20)
#define PT_CR4_SMAP	PT_BIT(21)
#define PT_CR4_PKE	PT_BIT(22)
#define PT_CR4_CET	PT_BIT(23)
#define PT_CR4_PKS	PT_BIT(24)
#define PT_EFER_LMA	PT_BIT(10)
#define PT_EFER_NXE	PT_BIT(11)
#define PT_EPTP_AD	PT_BIT(6)
#define PT_EPTP_SSS	PT_BIT(7)
#define PT_EPTP_MEMTYPE PT_BITS(2, 0)
#define PT_EPTP_WALK	PT_BITS(5, 3)

/* The registers that choose a paging mode. For NPT: the host's, as they were at VMRUN. */
struct pt_cregs {
	pt_u64 cr0, cr3, cr4, efer;
};

/*
 * The mode that @regs select (SDM vol. 3, 4.1.1; long mode is EFER.LMA). Sets the members of
 * @feat that are in the registers (nx, pse); the others, above all maxphyaddr, are the caller's.
 */
enum pt_mode pt_mode_from_cregs(const struct pt_cregs *regs, struct pt_feat *feat);

/*
 * PT_MODE_EPT4 or PT_MODE_EPT5 from bits 5:3 of an EPTP, and the members of @feat that it holds
 * (ept_ad, ept_sss). SDM vol. 3, table 25-9. Returns -EINVAL for a page-walk length other than 4
 * or 5, a memory type other than 0 and 6, and reserved bits (11:8, above maxphyaddr).
 */
int pt_mode_from_eptp(pt_u64 eptp, enum pt_mode *mode, struct pt_feat *feat);

/* "none", "32bit", "pae", "4level", "5level", "ept4", "ept5". */
const char *pt_mode_name(enum pt_mode mode);

#endif
