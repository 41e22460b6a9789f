/* SPDX-License-Identifier: GPL-2.0 */
/* The tables of a VM of this machine as a command's target: the guest's own, or EPT and NPT. */
#ifndef CMD_TARGET_VM_H
#define CMD_TARGET_VM_H

#include "user/cmd/target.h"

/* Why the options cannot stand together, or NULL. */
const char *target_vm_contradiction(const struct space_opts *o);

/* target_open() for --vm. */
int target_open_vm(struct target *t, const struct space_opts *o, uint32_t pid);

#endif
