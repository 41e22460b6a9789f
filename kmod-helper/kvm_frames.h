/* SPDX-License-Identifier: GPL-2.0 */
/* ptremap_kvm: what edits of the memory of VMs need of KVM; struct vm_calls says what they do. */
#ifndef KVM_FRAMES_H
#define KVM_FRAMES_H

#include "vm.h"

int frames_vms_of(struct mm_struct *mm, struct vm_set **set);
void frames_put_vms(struct vm_set *set);
void frames_begin(const struct vm_set *set, struct mm_struct *mm, unsigned long va,
		  unsigned long size);
void frames_done(const struct vm_set *set, struct mm_struct *mm, unsigned long va,
		 unsigned long size);
int frames_locate(struct kvm *kvm, u64 gpa, unsigned int level, unsigned long *va);
int frames_check(struct kvm *kvm, const struct mm_struct *mm);

/* Both sleep. After the second nobody is told of slots any more. */
void frames_init(void);
void frames_exit(void);

#endif
