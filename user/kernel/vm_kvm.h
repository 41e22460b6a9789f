/* SPDX-License-Identifier: GPL-2.0 */
/* What KVM itself knows of a VM of the list (vm.h): the helper modules ask it. */
#ifndef KERNEL_VM_KVM_H
#define KERNEL_VM_KVM_H

#include "kmod-helper/uapi/ptremap.h"
#include "user/kernel/vm.h"
#include "user/pt/pt_fmt.h"

struct vm_kvm {
	int error; /* -errno for ptremap_vm_strerror(); then there is nothing else */
	struct ptremap_vm vm;
	struct ptremap_slot *slots; /* vm.nr_slots, by space, then by address */
	struct ptremap_vcpu *vcpus; /* vm.nr_vcpus */
};

/*
 * Asks about @vm by @device, which is what ptremap_open() has returned, an error included. vCPUs
 * that the list does not have are added to it. A running vCPU leaves its guest for a moment; one
 * that does not get there is waited for up to a second. Freed by vm_kvm_free().
 */
void vm_kvm_read(struct vm_kvm *k, int device, struct vm_info *vm);
void vm_kvm_free(struct vm_kvm *k);

/* Does @error say that no VM can be asked about: no module, no right? */
bool vm_kvm_is_general(int error);

/* The vCPU with that number, or NULL. */
const struct ptremap_vcpu *vm_kvm_vcpu(const struct vm_kvm *k, uint32_t id);

/* Adds the vCPUs of @k that @vm does not have. 0 or -ENOMEM. */
int vm_kvm_add_vcpus(struct vm_info *vm, const struct vm_kvm *k);

/* Why the registers of @vcpu, or the guest's own tables, are not known; NULL: they are. */
const char *vcpu_why_not(const struct ptremap_vcpu *vcpu);
/* The paging mode that its registers select; only without vcpu_why_not(). */
enum pt_mode vcpu_mode(const struct ptremap_vcpu *vcpu);

#endif
