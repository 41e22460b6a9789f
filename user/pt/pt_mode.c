// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_mode.h"
#include "pt_os.h"

#define EPTP_RESERVED PT_BITS(11, 8)
#define EPTP_UC	      0
#define EPTP_WB	      6

enum pt_mode pt_mode_from_cregs(const struct pt_cregs *regs, struct pt_feat *feat)
{
	feat->pse = !!(regs->cr4 & PT_CR4_PSE);
	feat->nx = (regs->cr4 & PT_CR4_PAE) && (regs->efer & PT_EFER_NXE);
	if (!(regs->cr0 & PT_CR0_PG))
		return PT_MODE_NONE;
	if (!(regs->cr4 & PT_CR4_PAE))
		return PT_MODE_32BIT;
	if (!(regs->efer & PT_EFER_LMA))
		return PT_MODE_PAE;
	return regs->cr4 & PT_CR4_LA57 ? PT_MODE_5LEVEL : PT_MODE_4LEVEL;
}

int pt_mode_from_eptp(pt_u64 eptp, enum pt_mode *mode, struct pt_feat *feat)
{
	/* The field holds the length of a walk less 1. */
	const pt_u64 walk = ((eptp & PT_EPTP_WALK) >> 3) + 1, type = eptp & PT_EPTP_MEMTYPE;

	if (walk != 4 && walk != 5)
		return -EINVAL;
	if (type != EPTP_UC && type != EPTP_WB)
		return -EINVAL;
	if (feat->maxphyaddr < 32 || feat->maxphyaddr > 52)
		return -EINVAL;
	if (eptp & (EPTP_RESERVED | PT_BITS(63, feat->maxphyaddr)))
		return -EINVAL;
	feat->ept_ad = !!(eptp & PT_EPTP_AD);
	feat->ept_sss = !!(eptp & PT_EPTP_SSS);
	*mode = walk == 4 ? PT_MODE_EPT4 : PT_MODE_EPT5;
	return 0;
}

const char *pt_mode_name(enum pt_mode mode)
{
	static const char *const names[] = {
		[PT_MODE_NONE] = "none",     [PT_MODE_32BIT] = "32bit",	  [PT_MODE_PAE] = "pae",
		[PT_MODE_4LEVEL] = "4level", [PT_MODE_5LEVEL] = "5level", [PT_MODE_EPT4] = "ept4",
		[PT_MODE_EPT5] = "ept5",
	};

	return (unsigned int)mode <= PT_MODE_EPT5 ? names[mode] : "?";
}
