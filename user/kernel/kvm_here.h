/* SPDX-License-Identifier: GPL-2.0 */
/* KVM on this machine: is it there, for which vendor, and which processes have VMs. */
#ifndef KERNEL_KVM_HERE_H
#define KERNEL_KVM_HERE_H

#include <stdbool.h>
#include <stdint.h>

#include "user/pt/pt_fmt.h"

enum kvm_vendor { KVM_NONE, KVM_INTEL, KVM_AMD };

/* The vendor whose part of KVM is there, as a module or built in; KVM_NONE: no VM can run. */
enum kvm_vendor kvm_here(void);
/*
 * What BTF there is of KVM's types: all (of its module, or of the kernel if it is built in), those
 * that the kernel itself has (6.12: the vCPU's registers and tables), or none.
 */
enum kvm_btf { KVM_BTF_NONE, KVM_BTF_KERNEL, KVM_BTF_ALL };
enum kvm_btf kvm_here_btf(void);
/* What cannot be told because of that, in words; NULL: nothing. */
const char *kvm_here_btf_cost(enum kvm_btf btf);
/* Does ptremap_kvm tell what KVM leaves in Intel's VMCS: CR3, guest-linear addresses? */
bool kvm_here_exit_helper(void);
/* The format of KVM's tables for guests, EPT or NPT, with @levels of 4 or 5. */
struct pt_fmt kvm_here_fmt(const struct pt_feat *cpu, unsigned int levels);
/* The same for a vendor by name, with what a recording says of its machine. */
struct pt_fmt kvm_fmt(enum kvm_vendor vendor, const struct pt_feat *cpu, unsigned int levels);
/* How many VMs does process @pid have open? /proc/PID/fd names them; -errno if it has no such. */
int kvm_here_vms(uint32_t pid);

#endif
