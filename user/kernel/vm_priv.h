/* SPDX-License-Identifier: GPL-2.0 */
/* Between vm.c, which finds VMs, and vm_details.c, which tells more of each. */
#ifndef KERNEL_VM_PRIV_H
#define KERNEL_VM_PRIV_H

#include "user/kernel/vm.h"

#define PATH_LEN 320

/* Room for one more of @size bytes in @array, which has @nr; NULL without memory. */
void *vm_one_more(void *array, size_t nr, size_t size);
/* A name that is a number, or -1. */
int vm_number(const char *name);
/* 0 or -ENOMEM. */
int vm_add_vcpu(struct vm_vcpu **vcpus, size_t *nr, const struct vm_vcpu *vcpu);

/* Comm, name and UUID of ->pid. 0 or -ENOMEM. */
int vm_read_names(const struct vm_sources *from, struct vm_info *vm);
/*
 * Mapped memory, vCPUs and their threads. With @alone, ->vcpus has the process's descriptors, and
 * its threads' names tell whose they are; among several VMs only debugfs knows. 0 or -ENOMEM.
 */
int vm_read_vcpus(const struct vm_sources *from, struct vm_info *vm, bool alone);

#endif
