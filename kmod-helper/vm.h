/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between ptremap and ptremap_kvm, which is a module of its own because it needs kvm.ko's symbols:
 * a machine without KVM has no use for it.
 */
#ifndef VM_H
#define VM_H

#include <linux/list.h>
#include <linux/module.h>
#include <linux/refcount.h>

#include "uapi/ptremap.h"
#include "watch.h"

struct kvm;
struct kvm_vcpu;
struct mm_struct;

/* The VMs whose memory is that of one process. Made by ptremap_kvm. */
struct vm_set {
	struct list_head link; /* ptremap_kvm's */
	refcount_t users;
	u32 nr;
	struct kvm *vms[]; /* each with a reference */
};

struct vm_protected; /* ptremap_kvm's: the items PROTECT and CACHE of one transaction */

struct vm_calls {
	struct module *owner; /* is kept loaded while one of them runs */
	int (*facts)(struct ptremap_vm *req);
	int (*write)(struct ptremap_phys *req); /* PTREMAP_PHYS_GPA */

	/*
	 * The VM behind descriptor *@fd (-1: the only one; then it is put there) of process @pid.
	 * *@kvm has a reference, for put(). -ENOENT, -EBADF, -ENOTUNIQ: as of PTREMAP_VM.
	 */
	int (*find)(struct pid *pid, s32 *fd, struct kvm **kvm);
	void (*put)(struct kvm *kvm);

	/* Is there EPT or NPT? */
	bool (*has_tables)(struct kvm *kvm);
	/*
	 * Rules of VMs (rule.h): hypercalls and violations are looked at from now on, or no longer.
	 * 0, or -EOPNOTSUPP. Sleeps.
	 */
	int (*look_for_hits)(bool on);
	/* Of a vCPU in its own thread: did KVM refuse its hypercall; what it is answered. */
	bool (*was_refused)(struct kvm_vcpu *vcpu);
	int (*answer)(struct kvm_vcpu *vcpu, u64 value); /* -EINPROGRESS: the VMM answers */

	/*
	 * *@set: all VMs of @mm, for put_vms(); NULL: there are none. -EOPNOTSUPP: this kernel does
	 * not tell what ptremap_vm_slot() has to hear. Both sleep.
	 */
	int (*vms_of)(struct mm_struct *mm, struct vm_set **set);
	void (*put_vms)(struct vm_set *set);
	/*
	 * From begin() to done() no vCPU of @set has the memory at @va, and none gets it; no slot
	 * changes. Neither sleeps.
	 */
	void (*begin)(const struct vm_set *set, struct mm_struct *mm, unsigned long va,
		      unsigned long size);
	void (*done)(const struct vm_set *set, struct mm_struct *mm, unsigned long va,
		     unsigned long size);
	/*
	 * Where the process has the page of @level at @gpa. -EDOM, -EADDRNOTAVAIL, -EROFS,
	 * -EUCLEAN: as of PTREMAP_EPT. Does not sleep.
	 */
	int (*locate)(struct kvm *kvm, u64 gpa, unsigned int level, unsigned long *va);
	/* Can its pages be changed so? 0, -ENOKEY, or -EXDEV: its memory is not that of @mm. */
	int (*check)(struct kvm *kvm, const struct mm_struct *mm);

	/*
	 * Makes the items of @req, all PROTECT or CACHE and in kernel memory; their answers go
	 * there. *@made is for unprotect(), and NULL with PTREMAP_EPT_DRY_RUN. On failure nothing
	 * has changed. ->pid of @req is a number, for records. Sleeps. NULL: cannot be done.
	 */
	int (*protect)(struct kvm *kvm, const struct ptremap_ept *req,
		       struct ptremap_ept_item *items, struct vm_protected **made);
	/*
	 * Takes back what is active, tells watches of it, and frees @p, which nobody else knows of.
	 * How many items were active. Sleeps.
	 */
	u32 (*unprotect)(struct vm_protected *p);
	/* Tells watches of all of @p, and keeps @by for when it goes. Does not sleep. */
	void (*protect_tell_made)(struct vm_protected *p, const struct watched *by);
	/* Up to @max records of it. How many there are. Does not sleep. */
	u32 (*protect_records)(struct vm_protected *p, struct ptremap_record *records, u32 max);

	/*
	 * PTREMAP_ACCESS with @ranges in kernel memory: *@file, with a reference. Sleeps. NULL:
	 * cannot be done.
	 */
	int (*access_watch)(struct kvm *kvm, const struct ptremap_access_watch *req,
			    const struct ptremap_access_range *ranges, struct file **file);
};

/* One provider at a time. -EBUSY: there is one. @calls stays the caller's, until it is taken back.
 */
int ptremap_vm_register(const struct vm_calls *calls);
/* Undoes all transactions that need @calls; when it returns, none of them runs. Sleeps. */
void ptremap_vm_unregister(const struct vm_calls *calls);

/*
 * A slot of @kvm, whose process has @mm, was @made, or changes or goes otherwise: [@start, @end) is
 * that process' memory. Edits there are taken; of one that was made, those that do not know the VM,
 * which is within begin() and done() then. May be called with preemption off, but not with
 * interrupts off.
 */
void ptremap_vm_slot(const struct kvm *kvm, const struct mm_struct *mm, unsigned long start,
		     unsigned long end, bool made);
/* Nobody but sets has @kvm any more: edits of it are taken, and give them back. */
void ptremap_vm_gone(const struct kvm *kvm, const struct mm_struct *mm);

/* The provider, whose module stays until vm_put_calls(). NULL: there is none; may be put, too. */
const struct vm_calls *vm_get_calls(void);
void vm_put_calls(const struct vm_calls *calls);
/*
 * Of a transaction that needs the provider for as long as it lasts: from within get and put above,
 * and when it has ended. Undoing it is what ptremap_vm_unregister() waits for.
 */
void vm_begin_use(void);
void vm_end_use(void);

/*
 * PTREMAP_EPT with @items in kernel memory, for the device's file with number @maker (0: of none;
 * then with PTREMAP_EPT_KEEP). Process ids are the current process' namespace's. Sleeps.
 */
int ptremap_ept_make(struct ptremap_ept *req, struct ptremap_ept_item *items, u64 maker);
/* Undoes transaction @id of it. -ENOENT: there is none. Sleeps. */
int ptremap_ept_undo(u32 id);

#endif
