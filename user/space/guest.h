/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM of this machine: its memory as its guest sees it, and the tables that lead to it.
 *
 *	gva -> gpa	the guest's own tables, which lie in its memory
 *	gpa -> hva	KVM's memory slots
 *	hva -> hpa	the tables of the VM's process
 *	gpa -> hpa	EPT or NPT, which KVM fills in as the guest asks for it
 *
 * All of it is read by physical address, by the helper module. Nothing is faulted in, and nothing
 * in the VM is stopped.
 */
#ifndef SPACE_GUEST_H
#define SPACE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmod-helper/uapi/ptremap.h"
#include "user/kernel/live.h"
#include "user/pt/pt_access.h"
#include "user/pt/pt_space.h"

struct guest;

/*
 * The VM behind descriptor @vm_fd (-1: the only one) of process @pid, with its vCPUs as they are
 * now. 0, or -errno for ptremap_vm_strerror(); -ESRCH: no such process.
 */
int guest_open(struct guest **guest, pid_t pid, int vm_fd);
void guest_close(struct guest *g);

/* What KVM knows of it; the VM's own, until guest_close(). */
const struct ptremap_vm *guest_vm(const struct guest *g);
const struct ptremap_slot *guest_slots(const struct guest *g);
const struct ptremap_vcpu *guest_vcpus(const struct guest *g);
/* The vCPU with that number, or NULL. */
const struct ptremap_vcpu *guest_vcpu(const struct guest *g, uint32_t id);

/* The tables of its process. */
struct live *guest_host(const struct guest *g);

/*
 * Asks KVM again for the slots and for the vCPUs' roots; no vCPU is disturbed. 0: they are what
 * they were; 1: they are others: what guest_slots() gave is gone, and guest_nested() has to be
 * called again; or -errno, with all as it was.
 */
int guest_refresh(struct guest *g);

/* The slot that @gpa is in, or NULL: no memory (MMIO, or nothing). */
const struct ptremap_slot *guest_slot(const struct guest *g, uint64_t gpa);

/*
 * Guest-physical memory; read only. What has no slot, or no page behind it in the host now, is
 * -EFAULT.
 */
struct pt_mem *guest_mem(struct guest *g);

/*
 * The tables that @vcpu's guest runs on: @fmt, @space (whose ->fmt is @fmt) and what the CPU's
 * registers say of rights. -EOPNOTSUPP: they are not known (v->status, or a guest of the guest).
 */
int guest_space(struct guest *g, const struct ptremap_vcpu *vcpu, struct pt_fmt *fmt,
		struct pt_space *space, struct pt_cpu *cpu);

/*
 * EPT or NPT as @vcpu uses it. -EOPNOTSUPP: shadow paging. -ENODATA: it has no table now, and gets
 * a new one when it runs on.
 */
int guest_nested(struct guest *g, const struct ptremap_vcpu *vcpu, struct pt_fmt *fmt,
		 struct pt_space *space);

#endif
