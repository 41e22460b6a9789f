// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/vm_kvm.h"

#include <errno.h>
#include <stdlib.h>

#include "user/kernel/helper.h"
#include "user/kernel/vm_priv.h"
#include "user/pt/pt_mode.h"

static int ask(struct vm_kvm *k, int device, const struct vm_info *vm)
{
	if (device == -ENOENT) /* without the device there is no ptremap_kvm either */
		return -EPROTONOSUPPORT;
	if (device < 0)
		return device;
	return ptremap_vm(device, (pid_t)vm->pid, vm->fd, 0, &k->vm, &k->slots, &k->vcpus);
}

void vm_kvm_read(struct vm_kvm *k, int device, struct vm_info *vm)
{
	int err;

	*k = (struct vm_kvm){ 0 };
	err = ask(k, device, vm);
	if (!err)
		err = vm_kvm_add_vcpus(vm, k);
	if (err)
		vm_kvm_free(k);
	k->error = err;
}

void vm_kvm_free(struct vm_kvm *k)
{
	free(k->slots);
	free(k->vcpus);
	*k = (struct vm_kvm){ 0 };
}

bool vm_kvm_is_general(int error)
{
	return error == -EPROTONOSUPPORT || error == -EPERM || error == -EACCES ||
	       error == -ENOTTY || error == -EKEYREJECTED;
}

const struct ptremap_vcpu *vm_kvm_vcpu(const struct vm_kvm *k, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < k->vm.nr_vcpus; i++)
		if (k->vcpus[i].id == id)
			return &k->vcpus[i];
	return NULL;
}

static bool has_vcpu(const struct vm_info *vm, uint32_t id)
{
	size_t i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i].index == id)
			return true;
	return false;
}

int vm_kvm_add_vcpus(struct vm_info *vm, const struct vm_kvm *k)
{
	int err = 0;
	uint32_t i;

	for (i = 0; !err && i < k->vm.nr_vcpus; i++) {
		struct vm_vcpu vcpu = { .index = k->vcpus[i].id, .fd = -1 };

		if (!has_vcpu(vm, vcpu.index))
			err = vm_add_vcpu(&vm->vcpus, &vm->nr_vcpus, &vcpu);
	}
	if (!err)
		vm->vcpus_known = true;
	return err;
}

const char *vcpu_why_not(const struct ptremap_vcpu *vcpu)
{
	if (vcpu->status == -ETIMEDOUT)
		return "it is in the kernel, and was not seen to enter or leave the guest";
	if (vcpu->status == -EOPNOTSUPP)
		return "its registers are encrypted";
	if (vcpu->status)
		return "KVM does not say";
	if (vcpu->flags & PTREMAP_VCPU_NESTED)
		return "it runs a guest of its own, whose tables are not followed";
	return NULL;
}

enum pt_mode vcpu_mode(const struct ptremap_vcpu *vcpu)
{
	const struct pt_cregs regs = {
		.cr0 = vcpu->cr0, .cr3 = vcpu->cr3, .cr4 = vcpu->cr4, .efer = vcpu->efer
	};
	struct pt_feat feat = { 0 };

	return pt_mode_from_cregs(&regs, &feat);
}
