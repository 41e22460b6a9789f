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

/* Where the mode is not known, nothing is cut: taken for 64 bits, if the ABI has such calls. */
static enum abi_width width_of(const struct abi *abi, const struct ptev_vmexit *e)
{
	if (e->mode == PTEV_MODE_UNKNOWN)
		return abi->mode[ABI_64].known ? ABI_64 : ABI_32;
	return e->mode == PTEV_MODE_64 ? ABI_64 : ABI_32;
}

#define LATER_REGS (1U << ABI_RDI | 1U << ABI_R8 | 1U << ABI_R9 | 1U << ABI_R10 | 1U << ABI_R11)

bool call_view(struct call_view *view, const struct abi *abi, const struct ptev_hypercall *c)
{
	struct abi_seen *seen = &view->seen;

	if (!abi || !(c->exit.flags & PTEV_K_ARGS))
		return false;
	*view = (struct call_view){ .regs = { [ABI_RAX] = c->rax,
					      [ABI_RBX] = c->rbx,
					      [ABI_RCX] = c->rcx,
					      [ABI_RDX] = c->rdx,
					      [ABI_RSI] = c->rsi,
					      [ABI_RDI] = c->rdi,
					      [ABI_R8] = c->r8,
					      [ABI_R9] = c->r9,
					      [ABI_R10] = c->r10,
					      [ABI_R11] = c->r11 } };
	seen->regs = view->regs;
	seen->unknown = c->exit.flags & PTEV_K_REGS ? 0 : LATER_REGS;
	seen->width = width_of(abi, &c->exit);
	/* Of the registers afterwards only rax is recorded. */
	seen->has_result =
		c->exit.flags & PTEV_K_RET && abi->mode[seen->width].return_reg == ABI_RAX;
	seen->result = c->ret;
	return abi_tells(abi, seen);
}
