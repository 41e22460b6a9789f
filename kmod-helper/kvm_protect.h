/* SPDX-License-Identifier: GPL-2.0 */
/* PTREMAP_EPT's PROTECT and CACHE: see struct vm_calls. */
#ifndef KVM_PROTECT_H
#define KVM_PROTECT_H

#include "vm.h"

int protect_make(struct kvm *kvm, const struct ptremap_ept *req, struct ptremap_ept_item *items,
		 struct vm_protected **made);
u32 protect_undo(struct vm_protected *p);
void protect_tell_made(struct vm_protected *p, const struct watched *by);
u32 protect_records(struct vm_protected *p, struct ptremap_record *records, u32 max);

/* Can limits be put on pages of this VM? 0 or an error of PTREMAP_EPT's. */
int protect_check_vm(struct kvm *kvm);

#endif
