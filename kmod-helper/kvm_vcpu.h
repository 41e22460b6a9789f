/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVM_VCPU_H
#define KVM_VCPU_H

#include <linux/kvm_host.h>

#include "uapi/ptremap.h"

/* arch/x86/kvm/kvm_cache_regs.h: what KVM has not read since the last exit is read now. */
static inline void vcpu_make_available(struct kvm_vcpu *vcpu, int reg)
{
	if (!test_bit(reg, (unsigned long *)&vcpu->arch.regs_avail))
		static_call(kvm_x86_cache_reg)(vcpu, reg);
}

/* CR0, CR3 and CR4 in vcpu->arch are the guest's. @vcpu is loaded on this CPU, by this thread. */
void vcpu_read_controls(struct kvm_vcpu *vcpu);
/* PTREMAP_VCPU_CS_*, _NESTED. The same holds. */
unsigned int vcpu_flags(struct kvm_vcpu *vcpu);

/*
 * Looks at @vcpu, whose VM has a reference of the caller's: into @out, whose ->status says whether
 * it could be. Sleeps, for at most a second or so. -EINTR: the caller is being killed.
 */
int vcpu_look(struct kvm_vcpu *vcpu, struct ptremap_vcpu *out);

/* Of that only what PTREMAP_VM_ROOTS says: as its thread has left it by now, and may go on. */
void vcpu_root(struct kvm_vcpu *vcpu, struct ptremap_vcpu *out);

int vcpu_looking_init(void);
void vcpu_looking_exit(void);

/* kvm_exit.c */
int vcpu_telling_init(void);
void vcpu_telling_exit(void);

#endif
