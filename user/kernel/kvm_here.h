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
/* Is there BTF of KVM's own types? It is in a module's, or in the kernel's if it is built in. */
bool kvm_here_btf(void);
/* The format of KVM's tables for guests, EPT or NPT, with @levels of 4 or 5. */
struct pt_fmt kvm_here_fmt(const struct pt_feat *cpu, unsigned int levels);
/* The same for a vendor by name, with what a recording says of its machine. */
struct pt_fmt kvm_fmt(enum kvm_vendor vendor, const struct pt_feat *cpu, unsigned int levels);
/* How many VMs does process @pid have open? /proc/PID/fd names them; -errno if it has no such. */
int kvm_here_vms(uint32_t pid);

#endif
