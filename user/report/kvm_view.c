// SPDX-License-Identifier: GPL-2.0
#include "user/report/kvm_view.h"

#include "user/kernel/kvm_here.h"

/* A machine whose widths are not known is taken for the widest. */
static struct pt_fmt fmt_of(const struct rec_info *info, const struct ptev_violation *v)
{
	struct pt_feat cpu = { .maxphyaddr = 52 };

	if (info->maxphyaddr >= 32 && info->maxphyaddr < 52)
		cpu.maxphyaddr = (pt_u8)info->maxphyaddr;
	if (info->enc_bit >= 32 && info->enc_bit <= PT_PA_HI)
		cpu.enc_bit = (pt_u8)info->enc_bit;
	return kvm_fmt(v->exit.isa == PTEV_ISA_SVM ? KVM_AMD : KVM_INTEL, &cpu, v->levels);
}

bool violation_before(struct walk_view *view, const struct rec_info *info,
		      const struct ptev_violation *v)
{
	const struct pt_fmt fmt = fmt_of(info, v);

	if (!(v->exit.flags & PTEV_K_BEFORE))
		return false;
	walk_decode_spte(view, &fmt, v->gpa, &v->before, v->exit.flags & PTEV_K_BEFORE_CUT);
	return true;
}

bool violation_after(struct walk_view *view, const struct rec_info *info,
		     const struct ptev_violation *v)
{
	const struct pt_fmt fmt = fmt_of(info, v);

	if (!(v->exit.flags & PTEV_K_AFTER))
		return false;
	walk_decode_spte(view, &fmt, v->gpa, &v->after, v->exit.flags & PTEV_K_AFTER_CUT);
	return true;
}

bool violation_pfn(uint64_t *pfn, const struct rec_info *info, const struct ptev_violation *v)
{
	struct walk_view walk;

	if (!violation_after(&walk, info, v) || walk.stop != WALK_LEAF)
		return false;
	*pfn = walk.pfn + ((v->gpa & (walk.size - 1)) >> 12);
	return true;
}
