/* SPDX-License-Identifier: GPL-2.0 */
/* What a vCPU's structures in KVM tell of its guest: registers, mode, privilege, tables. */
#ifndef PTSCOPE_KVM_VCPU_BPF_H
#define PTSCOPE_KVM_VCPU_BPF_H

#include "classify_kvm.h"
#include "kvm_types.bpf.h"

/* kmod-helper/uapi/ptremap.h: what tracepoint ptremap_vcpu_exit tells of CS, and of its gla. */
#define PTEV_VCPU_CS_L	1
#define PTEV_VCPU_CS_DB 2
#define PTEV_VCPU_GLA	0x10

/* Is the vendor's part of the vCPU known? */
static __always_inline bool vcpu_vendor_known(__u8 isa)
{
	return isa == PTEV_ISA_SVM ? bpf_core_type_exists(struct vcpu_svm)
				   : bpf_core_type_exists(struct vcpu_vmx);
}

/* Is it a guest of the guest that runs? Each vendor's code then uses another control block. */
static __always_inline bool vcpu_nested(struct kvm_vcpu *vcpu, __u8 isa)
{
	struct vcpu_svm *svm = (void *)vcpu;
	struct vcpu_vmx *vmx = (void *)vcpu;

	if (isa == PTEV_ISA_SVM && bpf_core_field_exists(svm->current_vmcb))
		return BPF_CORE_READ(svm, current_vmcb) !=
		       (void *)svm + bpf_core_field_offset(svm->vmcb01);
	if (isa == PTEV_ISA_VMX && bpf_core_field_exists(vmx->loaded_vmcs))
		return BPF_CORE_READ(vmx, loaded_vmcs) !=
		       (void *)vmx + bpf_core_field_offset(vmx->vmcs01);
	return false;
}

static __always_inline bool vcpu_protected(struct kvm_vcpu *vcpu)
{
	return bpf_core_field_exists(vcpu->arch.guest_state_protected) &&
	       BPF_CORE_READ(vcpu, arch.guest_state_protected);
}

/* AMD: the VMCB has it all, from the moment of the exit on. */
static __always_inline void vcpu_mode_svm(struct ptev_vmexit *rec, struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = (void *)vcpu;
	struct vmcb *vmcb;
	__u16 attrib;

	if (!bpf_core_field_exists(svm->vmcb) || vcpu_protected(vcpu))
		return;
	vmcb = BPF_CORE_READ(svm, vmcb);
	attrib = BPF_CORE_READ(vmcb, save.cs.attrib);
	rec->cpl = BPF_CORE_READ(vmcb, save.cpl);
	rec->mode = kvm_guest_mode(BPF_CORE_READ(vmcb, save.cr0), BPF_CORE_READ(vmcb, save.efer),
				   attrib & SVM_ATTR_L, attrib & SVM_ATTR_DB);
	rec->flags |= PTEV_K_CPL;
}

/*
 * Intel: segments are in the VMCS, which only VMREAD reaches. What KVM itself has read since the
 * exit is cached (vmx.c, vmx_segment_cache_test_set()): for a hypercall SS, and CS in long mode.
 */
static __always_inline void vcpu_mode_vmx(struct ptev_vmexit *rec, struct kvm_vcpu *vcpu)
{
	__u64 efer = BPF_CORE_READ(vcpu, arch.efer), cr0 = BPF_CORE_READ(vcpu, arch.cr0);
	struct vcpu_vmx *vmx = (void *)vcpu;
	__u32 have, cs;

	if (!(cr0 & GUEST_CR0_PE)) {
		rec->mode = PTEV_MODE_REAL;
		rec->flags |= PTEV_K_CPL;
		return;
	}
	if (!(efer & GUEST_EFER_LMA) && rec->mode == PTEV_MODE_UNKNOWN)
		rec->mode = PTEV_MODE_LEGACY;
	if (!bpf_core_field_exists(vmx->segment_cache) ||
	    !bpf_core_enum_value_exists(enum kvm_reg, VCPU_EXREG_SEGMENTS) ||
	    !(BPF_CORE_READ(vcpu, arch.regs_avail) >>
		      bpf_core_enum_value(enum kvm_reg, VCPU_EXREG_SEGMENTS) &
	      1))
		return;
	have = BPF_CORE_READ(vmx, segment_cache.bitmask);
	cs = BPF_CORE_READ(vmx, segment_cache.seg[SEG_CS].ar);
	if (have & SEG_AR_BIT(SEG_CS))
		rec->mode = kvm_guest_mode(cr0, efer, cs & VMX_AR_L, cs & VMX_AR_DB);
	if (have & SEG_AR_BIT(SEG_SS)) {
		rec->cpl = VMX_AR_DPL_OF(BPF_CORE_READ(vmx, segment_cache.seg[SEG_SS].ar));
		rec->flags |= PTEV_K_CPL;
	}
}

/* Registers as the exit left them; KVM has changed none yet. */
static __always_inline void vcpu_args(struct ptev_hypercall *rec, struct kvm_vcpu *vcpu)
{
	unsigned long regs[NR_REGS];

	if (vcpu_protected(vcpu) ||
	    bpf_probe_read_kernel(regs, sizeof(regs),
				  (void *)vcpu + bpf_core_field_offset(vcpu->arch.regs)))
		return;
	rec->rax = regs[REG_RAX];
	rec->rbx = regs[REG_RBX];
	rec->rcx = regs[REG_RCX];
	rec->rdx = regs[REG_RDX];
	rec->rsi = regs[REG_RSI];
	rec->rdi = regs[REG_RDI];
	rec->r8 = regs[REG_R8];
	rec->r9 = regs[REG_R9];
	rec->r10 = regs[REG_R10];
	rec->r11 = regs[REG_R11];
	rec->exit.flags |= PTEV_K_ARGS | PTEV_K_REGS;
}

/*
 * At the next entry. The call has returned if the guest goes on behind it; if not, it gets an
 * exception, or KVM tries again. On Intel RIP is known if KVM has moved it.
 */
static __always_inline void vcpu_ret(struct ptev_hypercall *rec, struct kvm_vcpu *vcpu)
{
	/* Behind the exit of a guest's guest the registers may be those of another one. */
	if (!vcpu_vendor_known(rec->exit.isa) || (rec->exit.flags & PTEV_K_NESTED) ||
	    vcpu_protected(vcpu) || !(BPF_CORE_READ(vcpu, arch.regs_avail) >> REG_RIP & 1) ||
	    BPF_CORE_READ(vcpu, arch.regs[REG_RIP]) == rec->exit.rip)
		return;
	rec->ret = BPF_CORE_READ(vcpu, arch.regs[REG_RAX]);
	rec->exit.flags |= PTEV_K_RET;
}

/* The top table that the vCPU's gpas go through; false: none, or not readable. */
static __always_inline bool vcpu_root(struct kvm_vcpu *vcpu, __u64 *root, __u8 *levels)
{
	struct kvm_mmu *mmu = NULL;

	if (!bpf_core_field_exists(vcpu->arch.mmu) || !bpf_core_field_exists(mmu->root.hpa))
		return false;
	mmu = BPF_CORE_READ(vcpu, arch.mmu);
	*root = BPF_CORE_READ(mmu, root.hpa);
	*levels = BPF_CORE_READ_BITFIELD_PROBED(mmu, root_role.level);
	return *root != ~0ull; /* INVALID_PAGE */
}

#endif
