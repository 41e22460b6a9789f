/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVM_MEMORY_H
#define KVM_MEMORY_H

#include <linux/kvm_host.h>

#include "uapi/ptremap.h"

/*
 * PTREMAP_PHYS_GPA of @kvm, which the caller has a reference to: 0 or -errno as the ABI has them;
 * req->done is what was written, or checked. Sleeps, for as long as the memory's pager likes;
 * -EINTR: the caller is being killed, and what is under way may still be written.
 */
int kvm_memory_write(struct kvm *kvm, struct ptremap_phys *req);

int kvm_memory_init(void);
void kvm_memory_exit(void);

#endif
