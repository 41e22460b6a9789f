/* SPDX-License-Identifier: GPL-2.0 */
/* What KVM knows of a VM, its memory slots and its vCPUs, as text and as JSON. */
#ifndef SHOW_VMS_TEXT_H
#define SHOW_VMS_TEXT_H

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/kernel/vm_kvm.h"

/*
 * A VM that KVM was asked about (k->error is 0):
 *
 *	VM of 162, descriptor 4: NPT
 *	  slot 0, 0x0-0x4ffff, is host-virtual 0x7f0000000000
 *	  vCPU 0, thread 164: running at 0xa0b3, 4level, cr0 0x80010031 cr3 0x1000000 cr4 0x20 efer
 *0x500 NPT root 0x31000, 4 levels
 */
void vms_text(struct line *l, const struct vm_info *vm, const struct vm_kvm *k);

/*
 * Members of the open object of a VM: "tables":"ept|npt|shadow", "slots":[as "slot" of
 * vm_chain_json(), and "smm": seen in system management mode alone], "kvm_error": why these and
 * what follows are null.
 */
void vms_json(struct json *j, const struct vm_kvm *k);
/*
 * Members of the open object of vCPU @index: "state", "why" (why the registers are null), "rip",
 * "mode":"none|32bit|pae|4level|5level", "cr0", "cr3", "cr4", "efer", "root", "levels" (of EPT or
 * NPT; null: it has none now). All are null if KVM does not know it.
 */
void vms_vcpu_json(struct json *j, const struct vm_kvm *k, uint32_t index);

#endif
