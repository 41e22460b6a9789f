/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVM_RULE_H
#define KVM_RULE_H

#include <linux/kvm_host.h>

#include "vm.h"

/* struct vm_calls has what they do. */
int kvm_rule_look(bool on);
bool kvm_rule_refused(struct kvm_vcpu *vcpu);
/* -EINPROGRESS: the VMM has yet to answer, and its answer would come behind this one. */
int kvm_rule_answer(struct kvm_vcpu *vcpu, u64 value);

/* @calls: the provider's, which actions keep loaded. */
void kvm_rule_init(const struct vm_calls *calls);
/* Nobody is in a hook any more, and no VM's rule acts again. Sleeps. */
void kvm_rule_exit(void);

#endif
