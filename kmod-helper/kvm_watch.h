/* SPDX-License-Identifier: GPL-2.0 */
/* PTREMAP_ACCESS: see struct vm_calls. */
#ifndef KVM_WATCH_H
#define KVM_WATCH_H

#include "vm.h"

int access_watch(struct kvm *kvm, const struct ptremap_access_watch *req,
		 const struct ptremap_access_range *ranges, struct file **file);

#endif
