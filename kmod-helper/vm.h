/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between ptremap and ptremap_kvm, which is a module of its own because it needs kvm.ko's symbols:
 * a machine without KVM has no use for it.
 */
#ifndef VM_H
#define VM_H

#include <linux/module.h>

#include "uapi/ptremap.h"

struct vm_calls {
	struct module *owner; /* is kept loaded while one of them runs */
	int (*facts)(struct ptremap_vm *req);
	int (*write)(struct ptremap_phys *req); /* PTREMAP_PHYS_GPA */
};

/* One provider at a time. -EBUSY: there is one. @calls stays the caller's, until it is taken back.
 */
int ptremap_vm_register(const struct vm_calls *calls);
void ptremap_vm_unregister(const struct vm_calls *calls);

#endif
