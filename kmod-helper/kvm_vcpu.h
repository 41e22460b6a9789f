/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVM_VCPU_H
#define KVM_VCPU_H

#include <linux/kvm_host.h>

#include "uapi/ptremap.h"

/*
 * Looks at @vcpu, whose VM has a reference of the caller's: into @out, whose ->status says whether
 * it could be. Sleeps, for at most a second or so. -EINTR: the caller is being killed.
 */
int vcpu_look(struct kvm_vcpu *vcpu, struct ptremap_vcpu *out);

/* What @vcpu, which this thread has loaded, was at when it came out of the guest. */
u64 vcpu_rip(struct kvm_vcpu *vcpu);

int vcpu_looking_init(void);
void vcpu_looking_exit(void);

#endif
